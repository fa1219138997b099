#include "network/sequence/bucket_bias.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/attention/positions.h"

namespace tensorguard::internal {
namespace {

Error NoTable(std::string problem, std::string tensor = {}) {
  return Error{
      .kind = ErrorKind::kUnsupported, .problem = std::move(problem), .tensor = std::move(tensor)};
}

}  // namespace

Result<FloatMatrix> BucketBias(const Stack& stack, const Layer& layer, size_t length,
                               bool both_sides) {
  static constexpr std::array<std::string_view, 1> kFarthest = {"relative_attention_max_distance"};
  const bool has_buckets = stack.context.positions == PositionScheme::kRelativeBuckets ||
                           stack.context.traits->relative_buckets_too;
  if (!has_buckets) return FloatMatrix();
  const auto table_of = [](const Layer& holder) {
    return holder.parts.Named("relative_attention_bias.weight");
  };
  // The first layer's, or the stack's, serves all that have none of their own.
  const Weight* weight = table_of(layer);
  const bool lends =
      !stack.context.traits->buckets_unlent_later || !stack.context.config.IsWrittenSince(4, 57);
  if (weight == nullptr && !lends) return FloatMatrix();
  if (weight == nullptr) weight = table_of(stack.layers.front());
  if (weight == nullptr) weight = stack.relative_bias;
  constexpr uint64_t kFewestBuckets = 4;
  const uint64_t farthest = stack.context.config.Number(kFarthest).value_or(128);
  if (weight == nullptr || weight->rows < kFewestBuckets || farthest <= weight->rows) {
    return NoTable("the table of relative positions is missing or makes no sense");
  }
  auto table = ReadWeight(*stack.context.source, *weight);
  if (!table) return table;
  const size_t heads = layer.attention ? layer.attention->shape.heads : 0;
  if (table->columns() != heads) {
    return NoTable("the table of relative positions does not fit the heads",
                   layer.parts.NameOf(*weight));
  }
  FloatMatrix bias(heads * length, length);
  for (size_t query = 0; query < length; ++query) {
    for (size_t key = 0; key < length; ++key) {
      const int64_t distance = static_cast<int64_t>(key) - static_cast<int64_t>(query);
      const size_t bucket = RelativeBucket(distance, both_sides, table->rows(), farthest);
      for (size_t head = 0; head < heads; ++head) {
        bias.Row(head * length + query)[key] = table->Row(bucket)[head];
      }
    }
  }
  return bias;
}

}  // namespace tensorguard::internal

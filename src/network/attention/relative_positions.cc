#include "network/attention/relative_positions.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "base/try.h"
#include "network/parts/linear_map.h"

namespace tensorguard::internal {
namespace {

// Sines, then cosines, of a distance that may be negative.
std::vector<double> Waves(int64_t distance, size_t width) {
  std::vector<double> waves(width, 0);
  const size_t half = width / 2;
  for (size_t i = 0; i < half; ++i) {
    const double exponent = static_cast<double>(i) / static_cast<double>(half);
    const double angle = static_cast<double>(distance) / std::pow(10000.0, exponent);
    waves[i] = std::sin(angle);
    waves[half + i] = std::cos(angle);
  }
  return waves;
}

// What a distance looks like to the heads, each distance made once.
class DistanceKeys {
 public:
  explicit DistanceKeys(FloatMatrix map) : map_(std::move(map)) {}

  std::span<const float> Of(int64_t distance) {
    const auto known = keys_.find(distance);
    if (known != keys_.end()) return known->second;
    const std::vector<double> waves = Waves(distance, map_.rows());
    std::vector<double> sums(map_.columns(), 0);
    for (size_t i = 0; i < waves.size(); ++i) {
      for (size_t j = 0; j < sums.size(); ++j) sums[j] += waves[i] * map_.Row(i)[j];
    }
    return keys_[distance] = std::vector<float>(sums.begin(), sums.end());
  }

 private:
  FloatMatrix map_;
  std::map<int64_t, std::vector<float>> keys_;
};

// (query + bias) . key of one head.
double BiasedDot(std::span<const float> query, std::span<const float> bias,
                 std::span<const float> key) {
  double sum = 0;
  for (size_t i = 0; i < query.size(); ++i) sum += (double{query[i]} + bias[i]) * key[i];
  return sum;
}

}  // namespace

RelativePlaces RelativePlaces::OfSequence(size_t length) {
  RelativePlaces places{.queries = std::vector<int64_t>(length), .keys = {}};
  std::iota(places.queries.begin(), places.queries.end(), 0);
  places.keys = places.queries;
  return places;
}

Result<FloatMatrix> RelativePositions::Bias(const AttentionRows& rows, const AttentionShape& shape,
                                            float scale, const RelativePlaces& places) const {
  const size_t size = shape.head_size;
  const size_t width = shape.heads * size;
  TG_ASSIGN(const auto of_content, ReadVector(*source, *content_bias, width));
  TG_ASSIGN(const auto of_position, ReadVector(*source, *position_bias, width));
  TG_ASSIGN(const auto of_segment, ReadVector(*source, *segment_bias, width));
  TG_ASSIGN(const auto segment_keys, ReadVector(*source, *segments, 2 * width));
  TG_ASSIGN(auto matrix, ReadWeight(*source, *map));
  if (matrix.columns() != width) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the matrix of relative positions does not fit the heads",
                 .tensor = source->tensors()[map->tensor_index].name};
  }
  DistanceKeys distances(std::move(matrix));
  const int64_t farthest = places.farthest ? static_cast<int64_t>(*places.farthest) : INT64_MAX;
  const size_t queries = places.queries.size();
  const std::vector<float> none(size, 0.0f);
  FloatMatrix bias(shape.heads * queries, places.keys.size());
  for (size_t query = 0; query < queries; ++query) {
    for (size_t key = 0; key < places.keys.size(); ++key) {
      const int64_t distance =
          std::clamp(places.queries[query] - places.keys[key], -farthest, farthest);
      const auto distance_key = distances.Of(distance);
      const bool apart = places.first_is_apart && (query == 0 || key == 0);
      for (size_t head = 0; head < shape.heads; ++head) {
        const auto of_head = [&](std::span<const float> all) {
          return all.subspan(head * size, size);
        };
        const auto own = of_head(rows.queries.Row(query));
        double sum = BiasedDot(none, of_head(of_content), of_head(rows.keys.Row(key)));
        if (!apart) sum += BiasedDot(own, of_head(of_position), of_head(distance_key));
        if (segments_count && !apart) {
          sum +=
              BiasedDot(own, of_head(of_segment), of_head(std::span(segment_keys).subspan(width)));
        }
        bias.Row(head * queries + query)[key] = static_cast<float>(sum * scale);
      }
    }
  }
  return bias;
}

std::optional<RelativePositions> FindRelativePositions(const LayerParts& parts) {
  const Weight* map = parts.Named("r_kernel");
  const bool of_funnel = map != nullptr;
  if (!of_funnel) map = parts.Named("rel_attn.r");
  const RelativePositions found{.source = &parts.source(),
                                .map = map,
                                .content_bias = parts.Named("r_w_bias"),
                                .position_bias = parts.Named("r_r_bias"),
                                .segment_bias = parts.Named("r_s_bias"),
                                .segments = parts.Named("seg_embed"),
                                .segments_count = of_funnel};
  for (const Weight* part :
       {found.map, found.content_bias, found.position_bias, found.segment_bias, found.segments}) {
    if (part == nullptr) return {};
  }
  return found;
}

}  // namespace tensorguard::internal

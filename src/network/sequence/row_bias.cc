#include "network/sequence/row_bias.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/attention/positions.h"

namespace tensorguard::internal {
namespace {

constexpr float kUnseen = -std::numeric_limits<float>::infinity();

Error NoTable() {
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "the table of relative positions is missing or makes no sense"};
}

// Buckets of distances that RelativeBucket can tell apart.
bool MakeSense(uint64_t buckets, uint64_t farthest) {
  constexpr uint64_t kFewest = 4;
  return buckets >= kFewest && farthest > buckets;
}

// The same bias for all heads.
FloatMatrix ForAllHeads(size_t heads, size_t rows,
                        const std::function<float(size_t query, size_t key)>& bias_of) {
  FloatMatrix bias(heads * rows, rows);
  for (size_t query = 0; query < rows; ++query) {
    for (size_t key = 0; key < rows; ++key) {
      const float value = bias_of(query, key);
      for (size_t head = 0; head < heads; ++head) bias.Row(head * rows + query)[key] = value;
    }
  }
  return bias;
}

// Tokens see the extra rows and the tokens of their own block. Every second layer moves the blocks
// by half of one, so that they hang together.
FloatMatrix BlockBias(const RowRunOfStack& run, const Layer& layer) {
  static constexpr std::array<std::string_view, 1> kBlock = {"block_size"};
  constexpr uint64_t kUsualBlock = 512;
  const ConfigView& config = run.stack.context.config;
  const uint64_t block = config.Number(kBlock).value_or(kUsualBlock);
  const bool moved =
      config.Flag("stagger_local_blocks").value_or(true) && layer.description.index % 2 == 1;
  const size_t before = run.layout.before;
  const auto block_of = [&](size_t row) {
    return (row - before + (moved ? block / 2 : 0)) / block;
  };
  return ForAllHeads(layer.attention->shape.heads, run.layout.all(), [&](size_t query, size_t key) {
    const bool seen = query < before || key < before || block_of(query) == block_of(key);
    return seen ? 0 : kUnseen;
  });
}

// Within a segment by the distance, between two of them by which they are. Padding is taken to
// stand at the beginning, and sees nothing.
Result<FloatMatrix> PromptBias(const RowRunOfStack& run, const Layer& layer) {
  static constexpr std::array<std::string_view, 1> kBuckets = {"position_bias_num_buckets"};
  static constexpr std::array<std::string_view, 1> kFarthest = {"position_bias_max_distance"};
  static constexpr std::array<std::string_view, 1> kSegments = {"segment_types"};
  const ConfigView& config = run.stack.context.config;
  const uint64_t buckets = config.Number(kBuckets).value_or(512);
  const uint64_t farthest = config.Number(kFarthest).value_or(2048);
  const uint64_t segments = config.Number(kSegments).value_or(32);
  const size_t heads = layer.attention->shape.heads;
  const Weight* weight = run.stack.relative_bias;
  if (weight == nullptr || !MakeSense(buckets, farthest) || weight->columns != heads ||
      segments <= SegmentOfToken(1) || segments > weight->rows ||
      weight->rows < buckets + segments * segments) {
    return NoTable();
  }
  TG_ASSIGN(const auto table, ReadWeight(*run.stack.context.source, *weight));
  const auto padding = static_cast<size_t>(std::ranges::count(run.ids, 0U));
  const size_t before = run.layout.before;
  const auto is_padding = [&](size_t row) { return row >= before && row - before < padding; };
  const auto segment_of = [&](size_t row) {
    return row < before ? SegmentOfPrompt() : SegmentOfToken(run.ids[row - before]);
  };
  const size_t rows = run.layout.all();
  FloatMatrix bias(heads * rows, rows);
  for (size_t query = 0; query < rows; ++query) {
    for (size_t key = 0; key < rows; ++key) {
      const int64_t distance = static_cast<int64_t>(key) - static_cast<int64_t>(query);
      const uint64_t entry = segment_of(query) == segment_of(key)
                                 ? RelativeBucket(distance, true, buckets, farthest)
                                 : buckets + segment_of(query) * segments + segment_of(key);
      const bool seen = !is_padding(query) && !is_padding(key);
      for (size_t head = 0; head < heads; ++head) {
        bias.Row(head * rows + query)[key] = seen ? table.Row(entry)[head] : kUnseen;
      }
    }
  }
  return bias;
}

// One row of ProphetNet's: the token that it belongs to, and its stream; the tokens' own is 0.
struct StreamPlace {
  size_t stream = 0;
  int64_t token = 0;
};

bool Sees(const StreamPlace& query, const StreamPlace& key) {
  if (key.stream > 0) return key.stream == query.stream && key.token == query.token;
  if (query.stream == 0) return key.token <= query.token;
  // What predicts further ahead may not see the tokens between; the first is always seen.
  const auto ahead = static_cast<int64_t>(query.stream) - 1;
  return key.token == 0 || key.token <= query.token - ahead;
}

// Whose scores of buckets a row takes for a head.
struct ScoreSource {
  size_t row = 0;
  size_t head = 0;
};

// Its own; but since version 4.27 its library lays the scores of the streams out by token, stream
// and head, and reads them by stream, head and token.
ScoreSource SourceOf(const RowRunOfStack& run, size_t heads, const StreamPlace& place, size_t row,
                     size_t head) {
  if (place.stream == 0 || !run.stack.context.config.IsWrittenSince(4, 27)) return {row, head};
  const size_t tokens = run.layout.tokens;
  const size_t entry =
      ((place.stream - 1) * heads + head) * tokens + static_cast<size_t>(place.token);
  const size_t stream = entry / heads % run.layout.streams;
  const size_t token = entry / (heads * run.layout.streams);
  return {(stream + 1) * tokens + token, entry % heads};
}

// The query itself says how much each bucket of distances counts for each head.
Result<FloatMatrix> StreamBias(const RowRunOfStack& run, const Layer& layer,
                               const FloatMatrix& rows) {
  static constexpr std::array<std::string_view, 1> kFarthest = {"relative_max_distance"};
  const size_t heads = layer.attention->shape.heads;
  const auto map = layer.parts.NamedMap("relative_pos_embeddings");
  const uint64_t farthest = run.stack.context.config.Number(kFarthest).value_or(128);
  if (!map || map->outputs() % heads != 0 || !MakeSense(map->outputs() / heads, farthest)) {
    return NoTable();
  }
  const uint64_t buckets = map->outputs() / heads;
  TG_ASSIGN(const auto scores, map->Apply(rows));
  const size_t all = run.layout.all();
  const auto place_of = [&](size_t row) {
    return StreamPlace{row / run.layout.tokens, static_cast<int64_t>(row % run.layout.tokens)};
  };
  FloatMatrix bias(heads * all, all);
  for (size_t query = 0; query < all; ++query) {
    const StreamPlace own = place_of(query);
    for (size_t key = 0; key < all; ++key) {
      const StreamPlace other = place_of(key);
      // Seen from a stream that predicts, tokens lie one further back.
      const int64_t back = own.stream > 0 && other.stream == 0 ? 1 : 0;
      const size_t bucket =
          RelativeBucket(other.token - own.token - back, false, buckets, farthest);
      const bool seen = Sees(own, other);
      for (size_t head = 0; head < heads; ++head) {
        const ScoreSource source = SourceOf(run, heads, own, query, head);
        bias.Row(head * all + query)[key] =
            seen ? scores.Row(source.row)[bucket * heads + source.head] : kUnseen;
      }
    }
  }
  return bias;
}

}  // namespace

Result<FloatMatrix> RowBias(const RowRunOfStack& run, const Layer& layer, const FloatMatrix& rows) {
  switch (run.stack.extra->kind) {
    case ExtraRowsKind::kPrompt:
      return PromptBias(run, layer);
    case ExtraRowsKind::kGlobal:
      return BlockBias(run, layer);
    case ExtraRowsKind::kStreams:
      return StreamBias(run, layer, rows);
  }
  return FloatMatrix();
}

}  // namespace tensorguard::internal

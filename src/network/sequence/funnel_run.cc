#include "network/sequence/funnel_run.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/sequence/sequence_attention.h"
#include "network/streams/extra_rows.h"

namespace tensorguard::internal {
namespace {

struct Settings {
  std::vector<uint64_t> sizes = {};    // layers of each block
  std::vector<uint64_t> repeats = {};  // of each layer of a block
  bool first_is_apart = true;
  bool truncates = true;
  bool pools_queries_only = true;
  std::string pooling = "mean";
};

std::vector<uint64_t> Numbers(const ConfigView& config, std::string_view key) {
  constexpr uint64_t kMost = 4096;
  std::vector<uint64_t> numbers;
  const Json* list = config.Find(key);
  if (list == nullptr || !list->is_array()) return numbers;
  for (const Json& entry : *list) {
    if (!entry.is_number_unsigned() || entry.get<uint64_t>() > kMost) return {};
    numbers.push_back(entry.get<uint64_t>());
  }
  return numbers;
}

Result<Settings> ReadSettings(const Stack& encoder) {
  static constexpr std::array<std::string_view, 1> kPooling = {"pooling_type"};
  const ConfigView& config = encoder.context.config;
  Settings settings{.sizes = Numbers(config, "block_sizes"),
                    .repeats = Numbers(config, "block_repeats"),
                    .first_is_apart = config.Flag("separate_cls").value_or(true),
                    .truncates = config.Flag("truncate_seq").value_or(true),
                    .pools_queries_only = config.Flag("pool_q_only").value_or(true),
                    .pooling = config.Text(kPooling).value_or("mean")};
  if (settings.repeats.empty()) settings.repeats.assign(settings.sizes.size(), 1);
  const uint64_t layers =
      std::accumulate(settings.sizes.begin(), settings.sizes.end(), uint64_t{0});
  constexpr size_t kMostBlocks = 16;  // each halves the sequence
  const bool fits = layers == encoder.layers.size() && layers > 0 &&
                    settings.sizes.size() <= kMostBlocks &&
                    settings.repeats.size() == settings.sizes.size();
  if (fits) return settings;
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "the blocks of config.json are not those of the stored layers",
               .found = std::to_string(encoder.layers.size()) + " layers",
               .expected = std::to_string(layers)};
}

// Rows and where they stand.
struct Places {
  FloatMatrix rows;
  std::vector<int64_t> at;
};

float Pooled(const std::string& pooling, float a, float b) {
  if (pooling == "max") return std::max(a, b);
  if (pooling == "min") return std::min(a, b);
  return (a + b) / 2;
}

// Every two rows become one; the first, where it is apart, stays alone.
FloatMatrix PoolRows(const Settings& settings, const FloatMatrix& rows) {
  std::vector<size_t> from;
  if (settings.first_is_apart) from.push_back(0);
  const size_t dropped = settings.first_is_apart && settings.truncates ? 1 : 0;
  for (size_t row = 0; row + dropped < rows.rows(); ++row) from.push_back(row);
  FloatMatrix pooled((from.size() + 1) / 2, rows.columns());
  for (size_t row = 0; row < pooled.rows(); ++row) {
    const auto a = rows.Row(from[2 * row]);
    const auto b = 2 * row + 1 < from.size() ? rows.Row(from[2 * row + 1]) : a;
    for (size_t i = 0; i < a.size(); ++i) pooled.Row(row)[i] = Pooled(settings.pooling, a[i], b[i]);
  }
  return pooled;
}

// The first, where it is apart, stands as far before the others as these are from each other.
std::vector<int64_t> PoolPlaces(const Settings& settings, const std::vector<int64_t>& at,
                                size_t block) {
  std::vector<int64_t> pooled;
  size_t first = 0;
  size_t last = at.size();
  if (settings.first_is_apart) {
    pooled.push_back(1 - (int64_t{1} << block));
    first = 1;
    if (settings.truncates) --last;
  }
  for (size_t i = first; i < last; i += 2) pooled.push_back(at[i]);
  return pooled;
}

class FunnelRun {
 public:
  FunnelRun(const NetworkParts& parts, const Settings& settings, const ForwardOptions& options)
      : encoder_(parts.stacks.front()),
        decoder_(parts.stacks.back()),
        settings_(settings),
        options_(options) {}

  Result<ForwardResult> Run(std::span<const uint32_t> ids) {
    TG_ASSIGN(auto embedded, encoder_.embedding.Sequence(ids, encoder_.context.positions,
                                                         options_.rounded_buffers));
    ForwardResult result;
    result.hidden.push_back(std::move(embedded));
    TG_ASSIGN(const auto encoded, Shorten(result.hidden));
    const size_t kept = settings_.sizes.front();
    FloatMatrix stream = Stretch(encoded, ids.size());
    Add(result.hidden[std::min(kept, result.hidden.size() - 1)], stream);
    const auto places = Apart(RelativePlaces::OfSequence(ids.size()));
    SequenceAttention attention(decoder_, nullptr, options_);
    for (const Layer& layer : decoder_.layers) {
      TG_ASSIGN(stream, RunLayer(attention, layer, stream, stream, places));
      result.hidden.push_back(stream);
    }
    result.last_stream = std::move(stream);
    return result;
  }

 private:
  RelativePlaces Apart(RelativePlaces places) const {
    places.first_is_apart = settings_.first_is_apart;
    return places;
  }

  static Result<FloatMatrix> RunLayer(SequenceAttention& attention, const Layer& layer,
                                      const FloatMatrix& rows, const FloatMatrix& key_rows,
                                      const RelativePlaces& places) {
    TG_ASSIGN(auto mixed, attention.RunApart(layer, rows, key_rows, places));
    Add(rows, mixed);
    TG_ASSIGN(mixed, ApplyIfAny(layer.norms.mixer_sum, std::move(mixed)));
    TG_ASSIGN(auto fed, RunFeedForward(*layer.feed_forward, mixed));
    Add(mixed, fed);
    return ApplyIfAny(layer.norms.feed_forward_sum, std::move(fed));
  }

  // The encoder; `hidden` begins with what enters it and gets what leaves each layer.
  Result<FloatMatrix> Shorten(std::vector<FloatMatrix>& hidden) const {
    SequenceAttention attention(encoder_, nullptr, options_);
    Places stream{hidden.front(), RelativePlaces::OfSequence(hidden.front().rows()).keys};
    size_t layer = 0;
    for (size_t block = 0; block < settings_.sizes.size(); ++block) {
      const bool shortens = block > 0 && stream.rows.rows() > (settings_.first_is_apart ? 2 : 1);
      for (size_t run = 0; run < settings_.sizes[block] * settings_.repeats[block]; ++run) {
        const Layer& own = encoder_.layers[layer + run / settings_.repeats[block]];
        Places queries = stream;
        if (shortens && run == 0) {
          queries = {PoolRows(settings_, stream.rows), PoolPlaces(settings_, stream.at, block)};
        }
        const Places& keys = settings_.pools_queries_only ? stream : queries;
        const auto places = Apart({.queries = queries.at, .keys = keys.at});
        TG_ASSIGN(queries.rows, RunLayer(attention, own, queries.rows, keys.rows, places));
        stream = std::move(queries);
        hidden.push_back(stream.rows);
      }
      layer += settings_.sizes[block];
    }
    return std::move(stream.rows);
  }

  // Every row as often as it takes to fill `length` rows; the first, where it is apart, once.
  FloatMatrix Stretch(const FloatMatrix& rows, size_t length) const {
    const size_t times = size_t{1} << (settings_.sizes.size() - 1);
    FloatMatrix stretched(length, rows.columns());
    for (size_t row = 0; row < length; ++row) {
      size_t from = row / times;
      if (settings_.first_is_apart) from = row == 0 ? 0 : 1 + (row - 1) / times;
      if (from < rows.rows()) std::ranges::copy(rows.Row(from), stretched.Row(row).begin());
    }
    return stretched;
  }

  const Stack& encoder_;
  const Stack& decoder_;
  const Settings& settings_;
  const ForwardOptions& options_;
};

}  // namespace

Result<ForwardResult> RunFunnel(const NetworkParts& parts, std::span<const uint32_t> ids,
                                const ForwardOptions& options) {
  TG_ASSIGN(const auto settings, ReadSettings(parts.stacks.front()));
  for (const Stack& stack : parts.stacks) {
    for (const Layer& layer : stack.layers) {
      if (layer.attention && layer.feed_forward) continue;
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "a layer of the model has not both halves"};
    }
  }
  return FunnelRun(parts, settings, options).Run(ids);
}

}  // namespace tensorguard::internal

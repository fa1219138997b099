#include "network/attention/mixers/compressed_attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "architecture/table/architecture_table.h"
#include "base/try.h"
#include "network/attention/attention.h"
#include "network/attention/mixers/token_compression.h"
#include "network/attention/rotary_settings.h"
#include "network/parts/named_module.h"
#include "network/parts/norm.h"
#include "network/parts/stated_number.h"

namespace tensorguard::internal {
namespace {

struct Sizes {
  uint64_t heads = 0;
  uint64_t head_size = 0;
  uint64_t output_groups = 0;  // of heads, each with an output projection of its own
};

NamedModule ModuleOf(const LayerParts& layer) {
  return NamedModule::Holding(layer, "sinks").value_or(NamedModule(layer, ""));
}

Result<Sizes> ReadSizes(const NamedModule& module) {
  TG_ASSIGN(const auto sinks, module.Require("sinks"));
  TG_ASSIGN(const auto queries, module.RequireMap("q_b_proj"));
  TG_ASSIGN(const auto keys, module.RequireMap("kv_proj"));
  TG_ASSIGN(const auto output, module.RequireMap("o_a_proj"));
  const uint64_t heads = sinks->rows * sinks->columns;
  if (heads == 0 || keys.outputs() == 0 || queries.outputs() / heads != keys.outputs() ||
      queries.outputs() % heads != 0) {
    return ContradictoryPart(module.layer(), *queries.weight,
                             "does not divide into heads as wide as the key",
                             fmt::format("{} rows for {} heads", queries.outputs(), heads),
                             fmt::format("{} rows a head", keys.outputs()));
  }
  if (output.inputs() == 0 || queries.outputs() % output.inputs() != 0) {
    return ContradictoryPart(module.layer(), *output.weight, "does not read a part of the heads",
                             fmt::format("{} inputs", output.inputs()),
                             fmt::format("a divisor of {}", queries.outputs()));
  }
  const uint64_t groups = queries.outputs() / output.inputs();
  if (output.outputs() % groups != 0) {
    return ContradictoryPart(
        module.layer(), *output.weight, "does not divide into the parts of the heads",
        fmt::format("{} rows", output.outputs()), fmt::format("a multiple of {}", groups));
  }
  return Sizes{heads, keys.outputs(), groups};
}

double Epsilon(const ConfigView& config) {
  return config.Real(std::array{std::string_view("rms_norm_eps")}).value_or(1e-6);
}

std::string KindOfLayer(const ConfigView& config, uint32_t layer) {
  const Json* kinds = config.Find("layer_types");
  const bool listed = kinds != nullptr && kinds->is_array() && layer < kinds->size();
  return listed && (*kinds)[layer].is_string() ? (*kinds)[layer].get<std::string>()
                                               : "sliding_attention";
}

// The last columns of a head, in pairs side by side, turn.
Result<Rotary> ReadRotation(const ConfigView& config, uint64_t head_size, bool compressed) {
  TG_ASSIGN(auto rotary,
            ReadRotary(config, GenericTraits(),
                       {.head_size = head_size, .kind = compressed ? "compress" : "main"}));
  rotary.interleaved = true;
  rotary.first = head_size - 2 * rotary.frequencies.size();
  return rotary;
}

Rotary Backwards(Rotary rotary) {
  for (float& frequency : rotary.frequencies) frequency = -frequency;
  return rotary;
}

Result<FloatMatrix> ApplyWithNorm(const NamedModule& module, std::string_view map,
                                  std::string_view gain, double epsilon, const FloatMatrix& rows) {
  TG_ASSIGN(auto product, module.Apply(map, rows));
  TG_ASSIGN(const auto weight, module.Require(gain));
  const Norm norm = {.source = &module.layer().source(),
                     .kind = NormKind::kRms,
                     .epsilon = epsilon,
                     .gain = weight};
  return norm.Apply(std::move(product));
}

// The compressed entries of one sequence, and which of them each token sees.
struct Entries {
  FloatMatrix keys;
  std::vector<std::vector<size_t>> seen;  // by token
};

Result<Entries> CompressSequence(const NamedModule& module, const ConfigView& config,
                                 const Rotary& rotary, const FloatMatrix& rows,
                                 const FloatMatrix& query_rows, std::string_view kind) {
  Entries entries;
  entries.seen.resize(rows.rows());
  if (!module.Has("compressor.kv_proj.weight")) return entries;
  TG_ASSIGN(const auto rate, ReadCompressionRate(config, kind));
  if (rows.rows() < rate) return entries;
  const bool overlaps = module.Has("compressor.indexer.kv_proj.weight");
  const TokenCompression compression{
      .module = module, .prefix = "compressor", .rate = rate, .overlaps = overlaps};
  TG_ASSIGN(entries.keys, compression.Apply(rows, rotary, Epsilon(config)));
  for (size_t token = 0; token < rows.rows(); ++token) {
    entries.seen[token].resize(std::min<size_t>((token + 1) / rate, entries.keys.rows()));
    std::iota(entries.seen[token].begin(), entries.seen[token].end(), size_t{0});
  }
  if (!overlaps) return entries;
  TG_TRY(KeepBestEntries(compression, config, rotary, rows, query_rows, entries.seen));
  return entries;
}

// One head of one token: the mean of what it sees, less what the sink takes.
class Head {
 public:
  Head(const Sizes& sizes, uint64_t window) : sizes_(sizes), window_(window) {}

  void Attend(std::span<const float> query, float sink, const FloatMatrix& keys,
              const Entries& entries, size_t token, std::span<float> out) const {
    const float scale = 1 / std::sqrt(static_cast<float>(sizes_.head_size));
    std::vector<std::span<const float>> seen;
    for (size_t key = 0; key <= token; ++key) {
      if (token - key < window_) seen.push_back(keys.Row(key));
    }
    for (const size_t entry : entries.seen[token]) seen.push_back(entries.keys.Row(entry));
    std::vector<double> scores;
    double largest = sink;
    for (const auto key : seen) {
      double score = 0;
      for (size_t i = 0; i < key.size(); ++i) score += double{query[i]} * key[i];
      scores.push_back(score * scale);
      largest = std::max(largest, scores.back());
    }
    double total = std::exp(sink - largest);
    for (double& score : scores) {
      score = std::exp(score - largest);
      total += score;
    }
    for (size_t i = 0; i < out.size(); ++i) {
      double sum = 0;
      for (size_t key = 0; key < seen.size(); ++key) sum += scores[key] * seen[key][i];
      out[i] = static_cast<float>(sum / total);
    }
  }

 private:
  Sizes sizes_;
  uint64_t window_;
};

FloatMatrix RowsOf(const FloatMatrix& rows, size_t begin, size_t count) {
  FloatMatrix own(count, rows.columns());
  for (size_t row = 0; row < count; ++row) {
    std::ranges::copy(rows.Row(begin + row), own.Row(row).begin());
  }
  return own;
}

// Each part of the heads through its own rows of the matrix.
Result<FloatMatrix> ApplyByGroups(const NamedModule& module, const Sizes& sizes,
                                  const FloatMatrix& mixed) {
  TG_ASSIGN(const auto map, module.RequireMap("o_a_proj"));
  const uint64_t inputs = map.inputs();
  const uint64_t outputs = map.outputs() / sizes.output_groups;
  FloatMatrix result(mixed.rows(), map.outputs());
  for (uint64_t group = 0; group < sizes.output_groups; ++group) {
    FloatMatrix part(mixed.rows(), inputs);
    for (size_t row = 0; row < mixed.rows(); ++row) {
      std::ranges::copy(mixed.Row(row).subspan(group * inputs, inputs), part.Row(row).begin());
    }
    TG_ASSIGN(const auto all, map.Apply(part));
    for (size_t row = 0; row < mixed.rows(); ++row) {
      std::ranges::copy(all.Row(row).subspan(group * outputs, outputs),
                        result.Row(row).begin() + static_cast<std::ptrdiff_t>(group * outputs));
    }
  }
  return result;
}

}  // namespace

Result<void> CheckCompressedAttention(const LayerParts& layer, const ConfigView& config) {
  const NamedModule module = ModuleOf(layer);
  TG_ASSIGN(const auto sizes, ReadSizes(module));
  TG_TRY(ReadRotation(config, sizes.head_size, false));
  return {};
}

Result<FloatMatrix> RunCompressedAttention(const LayerParts& layer, const ConfigView& config,
                                           const FloatMatrix& rows, size_t sequence_length) {
  const NamedModule module = ModuleOf(layer);
  TG_ASSIGN(const auto sizes, ReadSizes(module));
  const double epsilon = Epsilon(config);
  const std::string kind = KindOfLayer(config, module.layer_index());
  TG_ASSIGN(const auto rotary, ReadRotation(config, sizes.head_size, kind != "sliding_attention"));
  TG_ASSIGN(const auto sinks, module.ReadVector("sinks", sizes.heads));
  const uint64_t window = config.Number(std::array{std::string_view("sliding_window")})
                              .value_or(std::numeric_limits<uint64_t>::max());
  const Head head(sizes, window);

  TG_ASSIGN(const auto query_rows,
            ApplyWithNorm(module, "q_a_proj", "q_a_norm.weight", epsilon, rows));
  TG_ASSIGN(auto queries, module.Apply("q_b_proj", query_rows));
  Normalise(NormKind::kRms, epsilon, sizes.head_size, queries);
  TG_ASSIGN(auto keys, ApplyWithNorm(module, "kv_proj", "kv_norm.weight", epsilon, rows));

  FloatMatrix mixed(rows.rows(), queries.columns());
  for (size_t begin = 0; begin < rows.rows(); begin += sequence_length) {
    FloatMatrix own_queries = RowsOf(queries, begin, sequence_length);
    FloatMatrix own_keys = RowsOf(keys, begin, sequence_length);
    RotateHeads(rotary, sizes.head_size, own_queries);
    RotateHeads(rotary, sizes.head_size, own_keys);
    TG_ASSIGN(const auto entries,
              CompressSequence(module, config, rotary, RowsOf(rows, begin, sequence_length),
                               RowsOf(query_rows, begin, sequence_length), kind));
    FloatMatrix attended(sequence_length, queries.columns());
    for (size_t token = 0; token < sequence_length; ++token) {
      for (size_t i = 0; i < sizes.heads; ++i) {
        const size_t first = i * sizes.head_size;
        head.Attend(own_queries.Row(token).subspan(first, sizes.head_size), sinks[i], own_keys,
                    entries, token, attended.Row(token).subspan(first, sizes.head_size));
      }
    }
    // The values were keys, which are turned.
    RotateHeads(Backwards(rotary), sizes.head_size, attended);
    for (size_t token = 0; token < sequence_length; ++token) {
      std::ranges::copy(attended.Row(token), mixed.Row(begin + token).begin());
    }
  }
  TG_ASSIGN(const auto grouped, ApplyByGroups(module, sizes, mixed));
  return module.Apply("o_b_proj", grouped, rows.columns());
}

}  // namespace tensorguard::internal

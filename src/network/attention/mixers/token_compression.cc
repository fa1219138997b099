#include "network/attention/mixers/token_compression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "base/try.h"
#include "network/attention/attention.h"
#include "network/parts/norm.h"

namespace tensorguard::internal {
namespace {

// A token's part in an entry: its numbers and its gates, one per column.
struct Share {
  std::span<const float> values;
  std::span<const float> gates;
  std::span<const float> place;
};

// The mean of the shares, each column weighted by its own softmax.
void Mix(std::span<const Share> shares, std::span<float> out) {
  for (size_t column = 0; column < out.size(); ++column) {
    double largest = -HUGE_VAL;
    for (const Share& share : shares) {
      largest = std::max(largest, double{share.gates[column]} + share.place[column]);
    }
    double total = 0;
    double sum = 0;
    for (const Share& share : shares) {
      const double weight = std::exp(double{share.gates[column]} + share.place[column] - largest);
      total += weight;
      sum += weight * share.values[column];
    }
    out[column] = static_cast<float>(sum / total);
  }
}

void RotateRow(const Rotary& rotary, uint64_t head_size, size_t position, std::span<float> row) {
  for (size_t first = 0; first < row.size(); first += head_size) {
    Rotate(rotary, position, row.subspan(first, head_size));
  }
}

}  // namespace

Result<FloatMatrix> TokenCompression::Apply(const FloatMatrix& rows, const Rotary& rotary,
                                            double epsilon) const {
  TG_ASSIGN(const auto gain, module.Require(prefix + ".kv_norm.weight"));
  const uint64_t width = gain->rows * gain->columns;
  const uint64_t columns = overlaps ? 2 * width : width;
  TG_ASSIGN(const auto values, module.Apply(prefix + ".kv_proj", rows, columns));
  TG_ASSIGN(const auto gates, module.Apply(prefix + ".gate_proj", rows, columns));
  TG_ASSIGN(const auto places, module.ReadVector(prefix + ".position_bias", rate * columns));
  const auto share = [&](size_t window, size_t slot, size_t first) {
    const size_t token = window * rate + slot;
    return Share{values.Row(token).subspan(first, width), gates.Row(token).subspan(first, width),
                 std::span(places).subspan(slot * columns + first, width)};
  };
  FloatMatrix entries(rows.rows() / rate, width);
  for (size_t window = 0; window < entries.rows(); ++window) {
    std::vector<Share> shares;
    for (size_t slot = 0; overlaps && window > 0 && slot < rate; ++slot) {
      shares.push_back(share(window - 1, slot, 0));
    }
    for (size_t slot = 0; slot < rate; ++slot) {
      shares.push_back(share(window, slot, overlaps ? width : 0));
    }
    Mix(shares, entries.Row(window));
  }
  const Norm norm = {
      .source = &module.layer().source(), .kind = NormKind::kRms, .epsilon = epsilon, .gain = gain};
  TG_ASSIGN(entries, norm.Apply(std::move(entries)));
  Rotary own = rotary;
  if (width < 2 * own.frequencies.size()) {
    return ContradictoryPart(module.layer(), *gain, "is narrower than what is turned of it",
                             fmt::format("{}", width),
                             fmt::format("{} at least", 2 * own.frequencies.size()));
  }
  own.first = width - 2 * own.frequencies.size();
  for (size_t window = 0; window < entries.rows(); ++window) {
    RotateRow(own, width, window * rate, entries.Row(window));
  }
  return entries;
}

Result<uint64_t> ReadCompressionRate(const ConfigView& config, std::string_view kind) {
  const Json* rates = config.Find("compress_rates");
  constexpr uint64_t kMost = uint64_t{1} << 20;
  if (rates != nullptr && rates->is_object()) {
    const auto found = rates->find(kind);
    const bool usable = found != rates->end() && found->is_number_unsigned();
    if (usable && found->get<uint64_t>() > 0 && found->get<uint64_t>() <= kMost) {
      return found->get<uint64_t>();
    }
  }
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "config.json does not state how many tokens are compressed to one",
               .expected = fmt::format("\"compress_rates\" with an entry \"{}\"", kind)};
}

Result<void> KeepBestEntries(const TokenCompression& compression, const ConfigView& config,
                             const Rotary& rotary, const FloatMatrix& rows,
                             const FloatMatrix& query_rows,
                             std::vector<std::vector<size_t>>& seen) {
  const uint64_t most = config.Number(std::array{std::string_view("index_topk")}).value_or(512);
  if (std::ranges::all_of(seen, [&](const auto& own) { return own.size() <= most; })) return {};
  const NamedModule& module = compression.module;
  TokenCompression indexer = compression;
  indexer.prefix += ".indexer";
  const double epsilon = config.Real(std::array{std::string_view("rms_norm_eps")}).value_or(1e-6);
  TG_ASSIGN(const auto keys, indexer.Apply(rows, rotary, epsilon));
  TG_ASSIGN(auto queries, module.Apply(indexer.prefix + ".q_b_proj", query_rows));
  TG_ASSIGN(const auto weights, module.Apply(indexer.prefix + ".scorer.weights_proj", rows));
  const uint64_t size = keys.columns();
  if (queries.columns() != weights.columns() * size) {
    TG_ASSIGN(const auto map, module.RequireMap(indexer.prefix + ".q_b_proj"));
    return ContradictoryPart(module.layer(), *map.weight, "has not a query for each weight",
                             fmt::format("{} rows", queries.columns()),
                             fmt::format("{}", weights.columns() * size));
  }
  Rotary own = rotary;
  own.first = size - 2 * own.frequencies.size();
  RotateHeads(own, size, queries);
  for (size_t token = 0; token < seen.size(); ++token) {
    if (seen[token].size() <= most) continue;
    std::vector<double> scores(seen[token].size(), 0);
    for (size_t entry = 0; entry < scores.size(); ++entry) {
      for (size_t head = 0; head < weights.columns(); ++head) {
        double product = 0;
        for (size_t i = 0; i < size; ++i) {
          product += double{queries.Row(token)[head * size + i]} * keys.Row(entry)[i];
        }
        scores[entry] += std::max(product, 0.0) * weights.Row(token)[head];
      }
    }
    std::ranges::stable_sort(seen[token], std::greater(),
                             [&](size_t entry) { return scores[entry]; });
    seen[token].resize(most);
  }
  return {};
}

}  // namespace tensorguard::internal

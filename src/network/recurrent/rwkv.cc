#include "network/recurrent/rwkv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/parts/gate_functions.h"
#include "network/parts/named_module.h"

namespace tensorguard::internal {
namespace {

// A name of the library's format and of RWKV's own.
struct Spelling {
  std::string_view library;
  std::string_view own;
};

constexpr Spelling kMixKey = {"time_mix_key", "time_mix_k"};
constexpr Spelling kMixValue = {"time_mix_value", "time_mix_v"};
constexpr Spelling kMixReceptance = {"time_mix_receptance", "time_mix_r"};
constexpr std::array<std::string_view, 2> kTimeMixing = {"attention", "att"};
constexpr std::array<std::string_view, 2> kChannelMixing = {"feed_forward", "ffn"};

std::string_view NameIn(const NamedModule& module, const Spelling& spelling) {
  return module.Has(spelling.own) ? spelling.own : spelling.library;
}

// The first of these modules that has all of a mixing's peculiar parts.
std::optional<NamedModule> FindModule(const LayerParts& layer,
                                      std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    const NamedModule module(layer, name);
    if (module.Has("receptance.weight") && module.Has(NameIn(module, kMixKey)) &&
        module.Has(NameIn(module, kMixReceptance))) {
      return module;
    }
  }
  return {};
}

// MEMBER of the rows mixed with their predecessors.
Result<FloatMatrix> ApplyToMixed(const NamedModule& module, std::string_view member,
                                 const Spelling& mix, const FloatMatrix& rows,
                                 size_t sequence_length, std::optional<uint64_t> outputs = {}) {
  TG_ASSIGN(const auto share, module.ReadVector(NameIn(module, mix), rows.columns()));
  FloatMatrix mixed = rows;
  for (size_t t = 0; t < rows.rows(); ++t) {
    const bool first = t % sequence_length == 0;
    for (size_t column = 0; column < rows.columns(); ++column) {
      const float before = first ? 0 : rows.Row(t - 1)[column];
      const float own = share[column];
      mixed.Row(t)[column] = rows.Row(t)[column] * own + before * (1 - own);
    }
  }
  return module.Apply(member, mixed, outputs);
}

// The weighted mean of one column's values over one sequence; `values` become the means. Sums are
// kept relative to the largest exponent so far, which cannot overflow.
void Average(double decay, double bonus, const FloatMatrix& keys, size_t column, size_t begin,
             size_t length, FloatMatrix& values) {
  double weighted = 0;
  double weights = 0;
  double largest = -std::numeric_limits<double>::infinity();
  for (size_t t = begin; t < begin + length; ++t) {
    const double key = keys.Row(t)[column];
    float& value = values.Row(t)[column];
    const double newest = value;
    const double top = std::max(largest, key + bonus);
    const double old_share = std::exp(largest - top);
    const double new_share = std::exp(key + bonus - top);
    value = static_cast<float>((old_share * weighted + new_share * newest) /
                               (old_share * weights + new_share));
    const double next = std::max(largest + decay, key);
    const double kept = std::exp(largest + decay - next);
    const double added = std::exp(key - next);
    weighted = kept * weighted + added * newest;
    weights = kept * weights + added;
    largest = next;
  }
}

}  // namespace

bool HasRwkvTimeMixing(const LayerParts& layer) {
  const auto module = FindModule(layer, kTimeMixing);
  return module && module->Has("time_decay") && module->Has("time_first");
}

bool HasRwkvChannelMixing(const LayerParts& layer) {
  return FindModule(layer, kChannelMixing).has_value();
}

Result<FloatMatrix> RunRwkvTimeMixing(const LayerParts& layer, const ConfigView& /*config*/,
                                      const FloatMatrix& rows, size_t sequence_length) {
  const auto module = FindModule(layer, kTimeMixing).value_or(NamedModule(layer, "attention"));
  TG_ASSIGN(const auto keys, ApplyToMixed(module, "key", kMixKey, rows, sequence_length));
  const uint64_t width = keys.columns();
  TG_ASSIGN(auto values, ApplyToMixed(module, "value", kMixValue, rows, sequence_length, width));
  TG_ASSIGN(auto receptance,
            ApplyToMixed(module, "receptance", kMixReceptance, rows, sequence_length, width));
  TG_ASSIGN(const auto decays, module.ReadVector("time_decay", width));
  TG_ASSIGN(const auto bonuses, module.ReadVector("time_first", width));

  for (size_t begin = 0; begin < rows.rows(); begin += sequence_length) {
    for (size_t column = 0; column < width; ++column) {
      Average(-std::exp(double{decays[column]}), bonuses[column], keys, column, begin,
              sequence_length, values);
    }
  }
  MultiplyByGates(Activation::kSigmoid, std::move(receptance), values);
  return module.Apply("output", values, rows.columns());
}

Result<FloatMatrix> RunRwkvChannelMixing(const LayerParts& layer, const ConfigView& /*config*/,
                                         const FloatMatrix& rows, size_t sequence_length) {
  const auto module =
      FindModule(layer, kChannelMixing).value_or(NamedModule(layer, "feed_forward"));
  TG_ASSIGN(auto keys, ApplyToMixed(module, "key", kMixKey, rows, sequence_length));
  Activate(Activation::kSquaredRelu, keys.values());
  auto values = module.Apply("value", keys, rows.columns());
  if (!values) return std::move(values).error();
  TG_ASSIGN(auto receptance, ApplyToMixed(module, "receptance", kMixReceptance, rows,
                                          sequence_length, rows.columns()));
  MultiplyByGates(Activation::kSigmoid, std::move(receptance), *values);
  return values;
}

}  // namespace tensorguard::internal

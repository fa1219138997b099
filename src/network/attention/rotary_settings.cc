#include "network/attention/rotary_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

using Keys = std::span<const std::string_view>;
constexpr double kPi = std::numbers::pi;

Error BadRotary(std::string problem, std::string found) {
  return Error{.kind = ErrorKind::kBadFile,
               .problem = std::move(problem),
               .found = std::move(found),
               .expected = "a rotary position embedding as config.json describes it"};
}

// "rope_parameters" (one for all layers, or one per kind of layer) or the older "rope_scaling".
const Json* RotaryObject(const ConfigView& config, const RotaryPlace& place) {
  for (const std::string_view key : {"rope_parameters", "rope_scaling"}) {
    const Json* object = config.Find(key);
    if (object == nullptr || !object->is_object()) continue;
    const auto named = object->find(place.kind);
    if (!place.kind.empty() && named != object->end() && named->is_object()) return &*named;
    for (const std::string_view kind : place.in_window
                                           ? std::array{"sliding_attention", "chunked_attention"}
                                           : std::array{"full_attention", "full_attention"}) {
      const auto own = object->find(kind);
      if (own != object->end() && own->is_object()) return &*own;
    }
    return object;
  }
  return nullptr;
}

std::optional<double> Member(const Json* object, std::string_view key) {
  if (object == nullptr) return {};
  const auto found = object->find(key);
  if (found == object->end() || !found->is_number()) return {};
  return found->get<double>();
}

// Columns of a head that are turned. An odd number turns one more, by angles that fall as if there
// were fewer.
Result<uint64_t> ReadColumns(const ConfigView& config, const ArchitectureTraits& traits,
                             const RotaryPlace& place, const Json* object) {
  static constexpr std::array<std::string_view, 2> kFraction = {"partial_rotary_factor",
                                                                "rotary_pct"};
  static constexpr std::array<std::string_view, 1> kColumns = {"rotary_dim"};
  if (place.columns) return *place.columns;
  if (!traits.rotary_fraction_counts) return place.head_size;
  const auto stated = config.Number(kColumns);
  if (stated && traits.rotary_dim_counts) return *stated;
  auto fraction = Member(object, "partial_rotary_factor");
  if (!fraction) fraction = config.Real(kFraction);
  const double value = fraction.value_or(traits.rotary_fraction);
  if (!(value > 0 && value <= 1)) {
    return BadRotary("the rotated fraction of a head makes no sense", fmt::format("{}", value));
  }
  return static_cast<uint64_t>(static_cast<double>(place.head_size) * value);
}

double ReadBase(const ConfigView& config, const ArchitectureTraits& traits, bool in_window,
                const Json* object) {
  static constexpr std::array<std::string_view, 2> kInWindow = {"rope_local_base_freq",
                                                                "local_rope_theta"};
  static constexpr std::array<std::string_view, 4> kEverywhere = {"rope_theta", "global_rope_theta",
                                                                  "rotary_emb_base", "rope_base"};
  if (const auto own = Member(object, "rope_theta")) return *own;
  if (in_window) {
    if (const auto local = config.Real(kInWindow)) return *local;
    if (traits.rotary_base_in_windows > 0) return traits.rotary_base_in_windows;
  }
  return config.Real(kEverywhere).value_or(traits.rotary_base);
}

double OriginalPositions(const ConfigView& config, const Json* object) {
  static constexpr std::array<std::string_view, 3> kKeys = {
      "original_max_position_embeddings", "max_position_embeddings", "n_positions"};
  if (const auto own = Member(object, "original_max_position_embeddings")) return *own;
  return config.Real(kKeys).value_or(2048);
}

// Llama 3.1: long waves are stretched by the factor, short ones kept, those between mixed.
void ScaleAsLlama3(const Json* object, double original, std::vector<float>& frequencies) {
  const double factor = Member(object, "factor").value_or(8);
  const double low = Member(object, "low_freq_factor").value_or(1);
  const double high = Member(object, "high_freq_factor").value_or(4);
  for (float& frequency : frequencies) {
    const double turns = original * frequency / (2 * kPi);
    const double kept = high > low ? std::clamp((turns - low) / (high - low), 0.0, 1.0) : 1.0;
    frequency = static_cast<float>(frequency * (kept + (1 - kept) / factor));
  }
}

// YaRN (Peng et al. 2023): the same by a ramp over the pairs, and larger scores.
void ScaleAsYarn(const Json* object, double original, double base, Rotary& rotary) {
  const double factor = Member(object, "factor").value_or(1);
  const auto columns = static_cast<double>(2 * rotary.frequencies.size());
  const auto pair_of_turns = [&](double turns) {
    return columns * std::log(original / (turns * 2 * kPi)) / (2 * std::log(base));
  };
  double low = pair_of_turns(Member(object, "beta_fast").value_or(32));
  double high = pair_of_turns(Member(object, "beta_slow").value_or(1));
  const auto truncate = object->find("truncate");
  if (truncate == object->end() || !truncate->is_boolean() || truncate->get<bool>()) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, columns - 1);
  if (high <= low) high = low + 0.001;
  for (size_t i = 0; i < rotary.frequencies.size(); ++i) {
    const double stretched = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    rotary.frequencies[i] =
        static_cast<float>(rotary.frequencies[i] * (1 - stretched + stretched / factor));
  }
  const auto attention_scale = [&](double weight) {
    return factor > 1 ? 0.1 * weight * std::log(factor) + 1 : 1.0;
  };
  const auto stated = Member(object, "attention_factor");
  const auto weight = Member(object, "mscale");
  const auto weight_of_all = Member(object, "mscale_all_dim");
  const bool both = weight.value_or(0) != 0 && weight_of_all.value_or(0) != 0;
  rotary.scale =
      static_cast<float>(stated ? *stated
                                : (both ? attention_scale(*weight) / attention_scale(*weight_of_all)
                                        : attention_scale(1)));
}

// LongRoPE (Ding et al. 2024): a divisor per pair; that of short texts.
Result<void> ScaleAsLongRope(const ConfigView& config, const Json* object, double original,
                             Rotary& rotary) {
  static constexpr std::array<std::string_view, 1> kLongest = {"max_position_embeddings"};
  const auto divisors = object->find("short_factor");
  if (divisors == object->end() || !divisors->is_array() ||
      divisors->size() != rotary.frequencies.size()) {
    return BadRotary(
        "\"short_factor\" is not one number per pair of columns",
        divisors == object->end() ? "none" : fmt::format("{} of them", divisors->size()));
  }
  for (size_t i = 0; i < rotary.frequencies.size(); ++i) {
    const Json& divisor = (*divisors)[i];
    if (!divisor.is_number() || !(divisor.get<double>() > 0)) {
      return BadRotary("\"short_factor\" holds something that is no positive number",
                       divisor.type_name());
    }
    rotary.frequencies[i] = static_cast<float>(rotary.frequencies[i] / divisor.get<double>());
  }
  const double factor = config.Real(kLongest).value_or(original) / original;
  if (const auto stated = Member(object, "attention_factor")) {
    rotary.scale = static_cast<float>(*stated);
  } else if (factor > 1 && original > 1) {
    rotary.scale = static_cast<float>(std::sqrt(1 + std::log(factor) / std::log(original)));
  }
  return {};
}

std::string KindOf(const Json* object) {
  if (object == nullptr) return "default";
  for (const std::string_view key : {"rope_type", "type"}) {
    const auto found = object->find(key);
    if (found != object->end() && found->is_string()) return found->get<std::string>();
  }
  return "default";
}

// Gemma 4: of all pairs of a head only the first ones turn, as fast as if all did.
void TurnAPart(uint64_t head_size, double fraction, double base, Rotary& rotary) {
  const uint64_t turned = static_cast<uint64_t>(fraction * static_cast<double>(head_size)) / 2;
  rotary.frequencies.assign(head_size / 2, 0.0f);
  for (uint64_t i = 0; i < std::min<uint64_t>(turned, head_size / 2); ++i) {
    rotary.frequencies[i] = static_cast<float>(
        std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(head_size)));
  }
}

Result<void> ApplyScaling(const ConfigView& config, const Json* object, double base,
                          Rotary& rotary) {
  const std::string kind = KindOf(object);
  const double original = OriginalPositions(config, object);
  // "dynamic" changes only what is longer than the model was trained on; "mrope" splits the
  // positions of images, which text has none of.
  if (kind == "default" || kind == "dynamic" || kind == "mrope") return {};
  const double factor = Member(object, "factor").value_or(1);
  if (!(factor > 0)) {
    return BadRotary("the factor of the scaled positions is no positive number",
                     fmt::format("{}", factor));
  }
  if (kind == "linear" || kind == "proportional") {
    for (float& frequency : rotary.frequencies) frequency = static_cast<float>(frequency / factor);
    return {};
  }
  if (kind == "llama3") {
    ScaleAsLlama3(object, original, rotary.frequencies);
    return {};
  }
  if (kind == "yarn") {
    ScaleAsYarn(object, original, base, rotary);
    return {};
  }
  if (kind == "longrope" || kind == "su") return ScaleAsLongRope(config, object, original, rotary);
  return Error{
      .kind = ErrorKind::kUnsupported,
      .problem = "an unknown kind of scaled rotary positions",
      .found = kind,
      .expected = "default, linear, dynamic, llama3, yarn, longrope, proportional or mrope"};
}

}  // namespace

Result<Rotary> ReadRotary(const ConfigView& config, const ArchitectureTraits& traits,
                          const RotaryPlace& place) {
  const Json* object = RotaryObject(config, place);
  const auto columns = ReadColumns(config, traits, place, object);
  if (!columns) return columns.error();
  const uint64_t turned = *columns + *columns % 2;
  if (*columns == 0 || turned > place.head_size || place.first > place.head_size - turned) {
    return BadRotary("the rotated columns do not fit into a head",
                     fmt::format("{} of {}", *columns, place.head_size));
  }
  const double base = ReadBase(config, traits, place.in_window, object);
  Rotary rotary{.first = place.first,
                .frequencies = std::vector<float>(turned / 2),
                .interleaved = traits.rotary_interleaved};
  for (size_t i = 0; i < rotary.frequencies.size(); ++i) {
    rotary.frequencies[i] = static_cast<float>(
        std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(*columns)));
  }
  if (KindOf(object) == "proportional" && !place.columns) {
    TurnAPart(place.head_size, Member(object, "partial_rotary_factor").value_or(1), base, rotary);
  }
  TG_TRY(ApplyScaling(config, object, base, rotary));
  if (traits.rotary_backwards) {
    for (float& frequency : rotary.frequencies) frequency = -frequency;
  }
  const bool finite = std::isfinite(rotary.scale) &&
                      std::all_of(rotary.frequencies.begin(), rotary.frequencies.end(),
                                  [](float frequency) { return std::isfinite(frequency); });
  if (!finite || !(base > 0)) {
    return BadRotary("the numbers of the rotary positions make no rotation",
                     fmt::format("base {}", base));
  }
  return rotary;
}

}  // namespace tensorguard::internal

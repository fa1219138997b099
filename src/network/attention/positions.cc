#include "network/attention/positions.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "architecture/table/architecture_table.h"

namespace tensorguard::internal {
namespace {

// "position_embedding_type", where it says something else than the row.
std::optional<PositionScheme> StatedScheme(const ConfigView& config,
                                           const ArchitectureTraits& traits) {
  static constexpr std::array<std::string_view, 1> kKey = {"position_embedding_type"};
  const auto type = config.Text(kKey);
  if (!type) return {};
  if (*type == "rope" || *type == "rotary") return PositionScheme::kRotary;
  if (*type == "nope") return PositionScheme::kNone;
  // A vector per distance and head, multiplied with queries and keys (Shaw et al. 2018).
  if (type->starts_with("relative_key")) return PositionScheme::kUnknown;
  if (*type == "absolute" && traits.positions == PositionScheme::kRotary) {
    return PositionScheme::kLearned;
  }
  return {};
}

}  // namespace

bool IsSinusoidal(PositionScheme scheme) {
  return scheme == PositionScheme::kSinusoidal || scheme == PositionScheme::kSinusoidalByWidth;
}

PositionScheme ReadPositionScheme(const ConfigView& config, const ArchitectureTraits& traits) {
  const auto rotary_stated = [&] {
    static constexpr std::array<std::string_view, 3> kBases = {"rope_theta", "rotary_emb_base",
                                                               "rotary_dim"};
    const Json* object = config.Find("rope_parameters");
    return (object != nullptr && object->is_object()) || config.Real(kBases).has_value();
  };
  // Relative attention (DeBERTa) is none of the schemes here.
  if (config.Flag("relative_attention").value_or(false)) return PositionScheme::kUnknown;
  if (const auto stated = StatedScheme(config, traits)) return *stated;
  if (traits.rotary_where_stated) {
    const Json* object = config.Find("rope_parameters");
    const bool stated = object != nullptr && object->is_object() &&
                        object->contains("rope_theta") && (*object)["rope_theta"].is_number();
    return stated ? PositionScheme::kRotary : PositionScheme::kNone;
  }
  if (!traits.alibi_flag.empty()) {
    return config.Flag(traits.alibi_flag).value_or(false) ? PositionScheme::kAlibi
                                                          : traits.positions;
  }
  if (&traits != &GenericTraits()) return traits.positions;
  if (config.Flag("alibi").value_or(false)) return PositionScheme::kAlibi;
  return rotary_stated() ? PositionScheme::kRotary : PositionScheme::kUnknown;
}

std::vector<float> AlibiSlopes(size_t heads, double largest_exponent) {
  const size_t power = std::bit_ceil(std::max<size_t>(heads, 1));
  std::vector<float> all(power);
  for (size_t i = 0; i < power; ++i) {
    all[i] = static_cast<float>(
        std::exp2(-largest_exponent * static_cast<double>(i + 1) / static_cast<double>(power)));
  }
  if (power == heads) return all;
  // The slopes of the power below are every second of the power above.
  std::vector<float> slopes;
  for (size_t i = 1; i < power; i += 2) slopes.push_back(all[i]);
  for (size_t i = 0; i < power; i += 2) slopes.push_back(all[i]);
  slopes.resize(heads);
  return slopes;
}

FloatMatrix SinusoidalPositions(size_t positions, size_t width, size_t offset,
                                PositionScheme scheme) {
  FloatMatrix table(positions, width);
  const size_t half = width / 2;
  const size_t steps = scheme == PositionScheme::kSinusoidalByWidth ? half : half - 1;
  const double step = half > 1 ? std::log(10000.0) / static_cast<double>(steps) : 0;
  for (size_t position = 0; position < positions; ++position) {
    const auto row = table.Row(position);
    for (size_t i = 0; i < half; ++i) {
      const double angle =
          static_cast<double>(position + offset) * std::exp(-step * static_cast<double>(i));
      row[i] = static_cast<float>(std::sin(angle));
      row[half + i] = static_cast<float>(std::cos(angle));
    }
  }
  return table;
}

size_t RelativeBucket(int64_t distance, bool both_sides, size_t buckets, size_t farthest) {
  size_t bucket = 0;
  size_t count = buckets;
  if (both_sides) {
    count /= 2;
    if (distance > 0) bucket = count;
  }
  const int64_t backward = both_sides ? std::abs(distance) : std::max<int64_t>(-distance, 0);
  const auto steps = static_cast<size_t>(backward);
  const size_t exact = count / 2;
  if (steps < exact) return bucket + steps;
  const double logarithm = std::log(static_cast<double>(steps) / static_cast<double>(exact)) /
                           std::log(static_cast<double>(farthest) / static_cast<double>(exact));
  const double beyond = logarithm * static_cast<double>(count - exact);
  return bucket + std::min(exact + static_cast<size_t>(std::max(beyond, 0.0)), count - 1);
}

}  // namespace tensorguard::internal

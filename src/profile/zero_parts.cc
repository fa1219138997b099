#include "profile/zero_parts.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <utility>

#include "roles/half_layer.h"

namespace tensorguard::internal {
namespace {

bool IsZero(const WeightSummary& weight) { return weight.zero_fraction == 1; }

// A matrix whose entries are learned; adapters begin with zeros in one of their two.
bool IsMatrix(const WeightSummary& weight) {
  const Role role = weight.role.role;
  return !weight.is_vector && !weight.role.is_bias && weight.columns > 1 &&
         role != Role::kAdapter && role != Role::kScale && role != Role::kBuffer &&
         role != Role::kPositionEmbedding && role != Role::kNorm && role != Role::kGain;
}

struct Count {
  uint64_t matrices = 0;
  uint64_t zeros = 0;
  uint64_t zero_elements = 0;

  bool AllZero() const { return matrices > 0 && zeros == matrices; }
  void Add(const WeightSummary& weight) {
    ++matrices;
    if (!IsZero(weight)) return;
    ++zeros;
    zero_elements += weight.rows * weight.columns;
  }
};

constexpr const char* kZeros = "matrices of zeros";
constexpr const char* kLearned = "learned numbers";

std::string InStack(const std::string& stack) {
  return stack.empty() ? std::string() : " of the " + stack;
}

struct StackCounts {
  std::map<uint32_t, Count> layers;
  std::map<Half, Count> halves;
};

void AddZeroLayers(const std::string& stack, const StackCounts& counts,
                   std::vector<MissingPart>& missing) {
  std::vector<uint32_t> zero;
  uint64_t elements = 0;
  for (const auto& [layer, count] : counts.layers) {
    if (!count.AllZero() || count.matrices < 2) continue;
    zero.push_back(layer);
    elements += count.zero_elements;
  }
  if (!zero.empty()) {
    missing.push_back({.what = fmt::format("layer{} {}{}", zero.size() == 1 ? "" : "s",
                                           NumberRanges(zero), InStack(stack)),
                       .found = kZeros,
                       .expected = kLearned,
                       .parameters = elements});
  }
  if (zero.size() == counts.layers.size()) return;
  for (const auto& [half, name] :
       {std::pair{Half::kMixer, "the attention of every layer"},
        std::pair{Half::kFeedForward, "the feed-forward of every layer"}}) {
    const auto count = counts.halves.find(half);
    if (count == counts.halves.end() || !count->second.AllZero()) continue;
    missing.push_back({.what = name + InStack(stack),
                       .found = kZeros,
                       .expected = kLearned,
                       .parameters = count->second.zero_elements});
  }
}

}  // namespace

std::vector<MissingPart> FindZeroParts(std::span<const WeightSummary> weights) {
  std::vector<MissingPart> missing;
  std::map<std::string, StackCounts> stacks;
  for (const WeightSummary& weight : weights) {
    if (!IsMatrix(weight)) continue;
    const Role role = weight.role.role;
    if ((role == Role::kEmbedding || role == Role::kOutputHead) && IsZero(weight)) {
      const char* const name = role == Role::kEmbedding ? "the embedding" : "the output head";
      missing.push_back({.what = name + InStack(weight.role.stack),
                         .found = kZeros,
                         .expected = kLearned,
                         .parameters = weight.rows * weight.columns});
    }
    if (!weight.role.layer) continue;
    StackCounts& counts = stacks[weight.role.stack];
    counts.layers[*weight.role.layer].Add(weight);
    if (const auto half = HalfOf(role)) counts.halves[*half].Add(weight);
  }
  for (const auto& [stack, counts] : stacks) AddZeroLayers(stack, counts, missing);
  return missing;
}

std::string NoteOnZeroMatrices(std::span<const WeightSummary> weights) {
  constexpr size_t kMostNamed = 4;
  std::string names;
  size_t found = 0;
  for (const WeightSummary& weight : weights) {
    if (!IsMatrix(weight) || !IsZero(weight)) continue;
    if (++found > kMostNamed) continue;
    names += (names.empty() ? "" : ", ") + weight.tensor;
  }
  if (found == 0) return {};
  const std::string more =
      found > kMostNamed ? fmt::format(" and {} more", found - kMostNamed) : std::string();
  return fmt::format("only zeros: {}{}", names, more);
}

}  // namespace tensorguard::internal

#include "fingerprint/screening.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>

#include "anchors/anchor_list.h"
#include "fingerprint/digest/blake3.h"
#include "fingerprint/digest/hex_text.h"
#include "fingerprint/kernels/normalised_kernels.h"
#include "fingerprint/learned_matrix.h"
#include "fingerprint/sketches/probe_numbers.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kWeightsPart = kResponseKinds.size();
static_assert(kWeightsPart + 1 == kScreenedParts);
constexpr size_t kLayerLength = kScreenedParts * kScreeningLength;

// What a sequence is for: eight letters each.
constexpr uint64_t kRowKey = 0x5447'5343'524f'5753;     // "TGSCROWS"
constexpr uint64_t kEntryKey = 0x5447'5343'454e'5452;   // "TGSCENTR"
constexpr uint64_t kWeightKey = 0x5447'5343'5745'4947;  // "TGSCWEIG"

// FNV-1a (Fowler, Noll, Vo), 64 bits.
uint64_t KeyOfText(std::string_view text) {
  uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100'0000'01b3;
  return hash;
}

std::vector<uint64_t> AnchorKeys(const Fingerprint& fingerprint) {
  std::vector<uint64_t> keys;
  for (const uint32_t anchor : fingerprint.anchors) {
    keys.push_back(fingerprint.anchor_kind == AnchorKind::kTokens
                       ? KeyOfText(AnchorList()[anchor])
                       : RandomBits(kRowKey + fingerprint.vocabulary_size, anchor));
  }
  return keys;
}

// Where an entry goes, and with what sign.
struct Target {
  uint8_t place;
  int8_t sign;
};

Target TargetOf(uint64_t bits) {
  return {static_cast<uint8_t>(bits % kScreeningLength),
          static_cast<int8_t>(bits >> 63 == 0 ? 1 : -1)};
}

std::vector<Target> EntryTargets(const std::vector<uint64_t>& anchor_keys) {
  std::vector<Target> targets;
  for (const uint64_t row : anchor_keys) {
    for (const uint64_t column : anchor_keys) {
      targets.push_back(TargetOf(RandomBits(kEntryKey ^ row, column)));
    }
  }
  return targets;
}

using Sums = std::array<double, kScreeningLength>;

void AddTo(Sums& sums, std::span<const float> values, double factor,
           std::span<const Target> targets) {
  for (size_t i = 0; i < values.size(); ++i) {
    sums[targets[i].place] += targets[i].sign * factor * values[i];
  }
}

// At most 127 in magnitude; the scale does not matter.
void Quantise(const Sums& sums, std::span<int8_t> out) {
  double largest = 0;
  for (const double sum : sums) largest = std::max(largest, std::abs(sum));
  if (largest == 0) return;
  for (size_t i = 0; i < sums.size(); ++i) {
    out[i] = static_cast<int8_t>(std::lrint(sums[i] / largest * 127));
  }
}

std::span<int8_t> PartOf(std::span<int8_t> numbers, size_t layer, size_t part) {
  return numbers.subspan(layer * kLayerLength + part * kScreeningLength, kScreeningLength);
}

void AddKernels(const Fingerprint& fingerprint, std::span<int8_t> numbers) {
  std::vector<size_t> all(fingerprint.anchors.size());
  std::iota(all.begin(), all.end(), 0);
  const NormalisedKernels kernels = NormaliseKernels(fingerprint, all);
  const std::vector<Target> targets = EntryTargets(AnchorKeys(fingerprint));
  for (const NormalisedLayer& layer : kernels.layers) {
    for (size_t kind = 0; kind < kResponseKinds.size(); ++kind) {
      if (!layer.rows[kind]) continue;
      Sums sums = {};
      AddTo(sums, kernels.kinds[kind].units.Row(*layer.rows[kind]), 1, targets);
      Quantise(sums, PartOf(numbers, layer.layer, kind));
    }
  }
}

// Targets by what a matrix is: a model has few kinds of them.
class WeightTargets {
 public:
  const std::vector<Target>& Of(const WeightSummary& weight) {
    uint64_t key = RandomBits(kWeightKey, KeyOfText(RoleName(weight.role.role)));
    key = RandomBits(key, weight.rows);
    key = RandomBits(key, weight.columns);
    key = RandomBits(key, weight.role.expert ? *weight.role.expert + 1 : 0);
    auto& targets = by_key_[key];
    if (targets.empty()) {
      for (size_t i = 0; i < weight.sketch.values().size(); ++i) {
        targets.push_back(TargetOf(RandomBits(key, i)));
      }
    }
    return targets;
  }

 private:
  std::map<uint64_t, std::vector<Target>> by_key_;
};

double NormOf(std::span<const float> values) {
  double squares = 0;
  for (const float value : values) squares += double{value} * value;
  return std::sqrt(squares);
}

void AddWeights(const Fingerprint& fingerprint, std::span<int8_t> numbers) {
  std::map<std::pair<std::string_view, uint32_t>, size_t> places;
  for (size_t i = 0; i < fingerprint.layers.size(); ++i) {
    places.emplace(
        std::pair(std::string_view(fingerprint.layers[i].stack), fingerprint.layers[i].index), i);
  }
  WeightTargets targets;
  std::map<size_t, Sums> by_layer;
  for (const WeightSummary& weight : fingerprint.weights) {
    if (!weight.role.layer || !IsLearnedMatrix(weight)) continue;
    const auto place = places.find({weight.role.stack, *weight.role.layer});
    const double norm = NormOf(weight.sketch.values());
    if (place == places.end() || norm == 0) continue;
    AddTo(by_layer[place->second], weight.sketch.values(), 1 / norm, targets.Of(weight));
  }
  for (const auto& [layer, sums] : by_layer) Quantise(sums, PartOf(numbers, layer, kWeightsPart));
}

}  // namespace

ScreeningSignature::ScreeningSignature(std::vector<int8_t> numbers)
    : numbers_(std::move(numbers)), inverse_norms_(numbers_.size() / kLayerLength) {
  for (size_t layer = 0; layer < layers(); ++layer) {
    for (size_t part = 0; part < kScreenedParts; ++part) {
      int32_t squares = 0;
      for (const int8_t number : PartOf(numbers_, layer, part)) squares += number * number;
      if (squares > 0) {
        inverse_norms_[layer][part] = 1 / std::sqrt(static_cast<float>(squares));
      }
    }
  }
}

std::span<const int8_t> ScreeningSignature::Layer(size_t layer) const {
  return std::span(numbers_).subspan(layer * kLayerLength, kLayerLength);
}

ScreeningSignature ScreeningOf(const Fingerprint& fingerprint) {
  std::vector<int8_t> numbers(fingerprint.layers.size() * kLayerLength);
  AddKernels(fingerprint, numbers);
  AddWeights(fingerprint, numbers);
  return ScreeningSignature(std::move(numbers));
}

std::string ScreeningDigest(std::span<const int8_t> numbers) {
  return HexOf(Blake3(std::as_bytes(numbers)));
}

Result<void> CheckScreening(const ScreeningSignature& stored, const Fingerprint& fingerprint) {
  return CheckScreening(stored, ScreeningOf(fingerprint));
}

Result<void> CheckScreening(const ScreeningSignature& stored, const ScreeningSignature& own) {
  const auto near = [](int8_t a, int8_t b) { return std::abs(a - b) <= 1; };
  if (std::ranges::equal(stored.numbers(), own.numbers(), near)) return {};
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the screening signature is not that of the kernels and sketches",
               .tensor = kScreeningTensor,
               .advice = "make the fingerprint again"};
}

}  // namespace tensorguard::internal

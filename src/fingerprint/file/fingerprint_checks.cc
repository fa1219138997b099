#include "fingerprint/file/fingerprint_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "anchors/anchor_list.h"

namespace tensorguard::internal {
namespace {

Error BadTensor(std::string tensor, std::string problem, std::string found = {}) {
  return {.kind = ErrorKind::kBadFile,
          .problem = std::move(problem),
          .tensor = std::move(tensor),
          .found = std::move(found)};
}

Result<void> CheckAnchors(const Fingerprint& fingerprint) {
  const auto& anchors = fingerprint.anchors;
  const auto& tokens = fingerprint.anchor_tokens;
  if (std::adjacent_find(anchors.begin(), anchors.end(), std::greater_equal<>()) != anchors.end()) {
    return BadTensor("anchors", "the anchors do not ascend");
  }
  const auto beyond = std::find_if(tokens.begin(), tokens.end(), [&](uint32_t token) {
    return token >= fingerprint.vocabulary_size;
  });
  if (beyond != tokens.end()) {
    return BadTensor("anchor_tokens", "a token lies beyond the vocabulary",
                     fmt::format("{} of {}", *beyond, fingerprint.vocabulary_size));
  }
  if (fingerprint.anchor_kind == AnchorKind::kRows) {
    if (anchors == tokens) return {};
    return BadTensor("anchor_tokens", "row anchors and their tokens differ");
  }
  if (fingerprint.anchor_list_version > kAnchorListVersion) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the anchors are of a newer list than this program knows",
                 .tensor = "anchors",
                 .found = fmt::format("list {}", fingerprint.anchor_list_version),
                 .expected = fmt::format("at most {}", kAnchorListVersion)};
  }
  if (anchors.empty() || anchors.back() < AnchorList().size()) return {};
  return BadTensor("anchors", "an anchor lies beyond the list", std::to_string(anchors.back()));
}

struct BoundedMeasure {
  const char* tensor;
  double value;
  double least;
  double most;
};

Result<void> CheckGains(const LayerResponse& layer, size_t index) {
  constexpr double kLargestGain = 1e300;
  const std::pair<const char*, double> gains[] = {
      {"layers.mixer_gain", layer.mixer_gain.value_or(0)},
      {"layers.feed_forward_gain", layer.feed_forward_gain.value_or(0)}};
  for (const auto& [tensor, gain] : gains) {
    if (gain >= 0 && gain <= kLargestGain) continue;
    return BadTensor(tensor, fmt::format("the number for layer {} is out of its bounds", index),
                     fmt::format("{}", gain));
  }
  return {};
}

Result<void> CheckWeight(const WeightSummary& weight, const std::string& place) {
  constexpr double kFinite = 1e300;
  const BoundedMeasure measures[] = {
      {"weights.norm", weight.norm, 0, kFinite},
      {"weights.mean", weight.mean, -kFinite, kFinite},
      {"weights.zero_fraction", weight.zero_fraction, 0, 1},
      {"weights.zero_row_fraction", weight.zero_row_fraction, 0, 1},
      {"weights.zero_column_fraction", weight.zero_column_fraction, 0, 1},
      {"weights.two_of_four_fraction", weight.two_of_four_fraction.value_or(0), 0, 1},
      {"weights.distinct_per_32", weight.distinct_per_32.value_or(1), 1, 32},
      {"weights.distinct_per_256", weight.distinct_per_256.value_or(1), 1, 256}};
  for (const BoundedMeasure& measure : measures) {
    if (measure.value >= measure.least && measure.value <= measure.most) continue;
    return BadTensor(measure.tensor, "the number for " + place + " is out of its bounds",
                     fmt::format("{}", measure.value));
  }
  const auto& quantiles = weight.quantiles;
  const bool finite = std::all_of(quantiles.begin(), quantiles.end(),
                                  [](float value) { return std::isfinite(value); });
  if (finite && std::is_sorted(quantiles.begin(), quantiles.end())) return {};
  return BadTensor("weights.quantiles", "the numbers for " + place + " do not ascend");
}

}  // namespace

Result<void> CheckFingerprint(const Fingerprint& fingerprint) {
  if (auto anchors = CheckAnchors(fingerprint); !anchors) return anchors;
  for (size_t i = 0; i < fingerprint.layers.size(); ++i) {
    if (auto gains = CheckGains(fingerprint.layers[i], i); !gains) return gains;
  }
  for (size_t i = 0; i < fingerprint.weights.size(); ++i) {
    auto checked = CheckWeight(fingerprint.weights[i], fmt::format("weight {}", i));
    if (!checked) return checked;
  }
  return {};
}

}  // namespace tensorguard::internal

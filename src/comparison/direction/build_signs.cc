#include <fmt/format.h>

#include "comparison/direction/direction_signs.h"
#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

std::optional<DirectionSign> Padded(const LaterModel& later, const Comparison& comparison,
                                    bool unchanged) {
  if (!HasFinding(comparison, FindingKind::kWidth, later.side)) return {};
  return DirectionSign{.kind = DirectionSignKind::kPadded,
                       .later = later.side,
                       .weight = unchanged ? kExplainsAll : kBesideOthers,
                       .text = fmt::format("The matrices of {} are padded with zeros, to a larger "
                                           "size than those of {}.",
                                           later.model.model_name, later.other.model_name)};
}

std::optional<DirectionSign> LayersRepeated(const LaterModel& later, const Comparison& comparison,
                                            bool unchanged) {
  if (!HasFinding(comparison, FindingKind::kLayers, later.side)) return {};
  return DirectionSign{
      .kind = DirectionSignKind::kLayersRepeated,
      .later = later.side,
      .weight = unchanged ? kExplainsAll : kBesideOthers,
      .text = fmt::format("Layers of {} are copies of one another.", later.model.model_name)};
}

// Every layer of the model is one of the other's, which has more. Never more than a leaning:
// whoever puts in layers that write nothing makes the original look so.
std::optional<DirectionSign> LayersDropped(const LaterModel& later, const Comparison& comparison) {
  if (later.model.layers.size() >= later.other.layers.size()) return {};
  if (comparison.layers.size() < later.model.layers.size()) return {};
  const Side other_side = later.side == Side::kA ? Side::kB : Side::kA;
  if (HasFinding(comparison, FindingKind::kLayers, other_side)) return {};  // repeated there
  return DirectionSign{
      .kind = DirectionSignKind::kLayersDropped,
      .later = later.side,
      .weight = kAddedOrRemoved,
      .text = fmt::format("The layers of {} are layers of {}, which has {} more that are no copies "
                          "of others.",
                          later.model.model_name, later.other.model_name,
                          later.other.layers.size() - later.model.layers.size())};
}

// The rows of the tokens that both have, in the order of the one, stand in the same order in the
// other; whether they are the same rows.
bool SameRowsOfAnchors(const Fingerprint& a, const Fingerprint& b) {
  size_t j = 0;
  for (size_t i = 0; i < a.anchors.size(); ++i) {
    while (j < b.anchors.size() && b.anchors[j] < a.anchors[i]) ++j;
    if (j == b.anchors.size()) break;
    if (b.anchors[j] == a.anchors[i] && a.anchor_tokens[i] != b.anchor_tokens[j]) return false;
  }
  return true;
}

// Never more than a leaning: whoever adds rows and moves the old ones makes the original look
// trimmed.
std::optional<DirectionSign> Rows(const LaterModel& later) {
  const Fingerprint& model = later.model;
  const Fingerprint& other = later.other;
  if (model.vocabulary_size == other.vocabulary_size || model.vocabulary_size == 0 ||
      other.vocabulary_size == 0) {
    return {};
  }
  const bool same_rows = SameRowsOfAnchors(model, other);
  if (model.vocabulary_size < other.vocabulary_size && !same_rows) {
    return DirectionSign{
        .kind = DirectionSignKind::kRowsTrimmed,
        .later = later.side,
        .weight = kBesideOthers,
        .text = fmt::format("The vocabulary of {} has {} rows fewer than that of {}, and what is "
                            "left moved together.",
                            model.model_name, other.vocabulary_size - model.vocabulary_size,
                            other.model_name)};
  }
  if (model.vocabulary_size > other.vocabulary_size && same_rows) {
    return DirectionSign{
        .kind = DirectionSignKind::kRowsAdded,
        .later = later.side,
        .weight = kBesideOthers,
        .text = fmt::format("{} has {} rows of vocabulary behind those of {}.", model.model_name,
                            model.vocabulary_size - other.vocabulary_size, other.model_name)};
  }
  return {};
}

std::optional<DirectionSign> ExpertsOfDense(const LaterModel& later, const Comparison& comparison) {
  if (!HasFinding(comparison, FindingKind::kExperts, later.side)) return {};
  return DirectionSign{.kind = DirectionSignKind::kExpertsOfDense,
                       .later = later.side,
                       .weight = kBesideOthers,
                       .text = fmt::format("The experts of {} are copies of one block that {} has.",
                                           later.model.model_name, later.other.model_name)};
}

struct Gains {
  size_t all = 0;
  size_t constant = 0;
};

Gains GainsOf(const Fingerprint& model) {
  Gains gains;
  for (const WeightSummary& weight : model.weights) {
    if (weight.role.role != Role::kNorm || weight.role.is_bias || !weight.is_vector) continue;
    ++gains.all;
    if (weight.quantiles.front() == weight.quantiles.back()) ++gains.constant;
  }
  return gains;
}

// Functions this alike are one, up to the rounding of stored kernels.
constexpr double kSameFunction = 0.999;

// Gains of one value can be had from any; those of trained values cannot be had back.
std::optional<DirectionSign> GainsFolded(const LaterModel& later, const Comparison& comparison) {
  if (comparison.verdict != Verdict::kReparameterised) return {};
  const Gains own = GainsOf(later.model);
  const Gains others = GainsOf(later.other);
  if (2 * own.constant <= own.all || others.all == 0 || 2 * others.constant > others.all) return {};
  const bool same = comparison.kernels && comparison.kernels->score >= kSameFunction;
  return DirectionSign{
      .kind = DirectionSignKind::kGainsFolded,
      .later = later.side,
      .weight = same ? 3.2 : kBesideOthers,
      .text = fmt::format("{} of {} gains of {} scale nothing: they were moved into the matrices, "
                          "which {} does not have.",
                          own.constant, own.all, later.model.model_name, later.other.model_name)};
}

}  // namespace

std::vector<DirectionSign> BuildSigns(const Fingerprint& a, const Fingerprint& b,
                                      const Comparison& comparison, bool unchanged) {
  std::vector<DirectionSign> signs;
  for (const LaterModel& later : {LaterModel{a, b, Side::kA}, LaterModel{b, a, Side::kB}}) {
    for (auto& sign :
         {Padded(later, comparison, unchanged), LayersRepeated(later, comparison, unchanged),
          LayersDropped(later, comparison), Rows(later), ExpertsOfDense(later, comparison),
          GainsFolded(later, comparison)}) {
      if (sign) signs.push_back(*sign);
    }
  }
  return signs;
}

}  // namespace tensorguard::internal

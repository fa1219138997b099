#include "comparison/pair_evidence.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "comparison/idle_parts.h"
#include "comparison/independent_tail.h"
#include "comparison/thresholds.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

// Below this a p-value is not told apart from 0.
constexpr double kSmallestChance = 1e-300;
// Sketches, forms, answers, units.
constexpr double kKindsOfEvidence = 4;
// Tokens that are to each other what they were, but for training.
constexpr double kTablesAgree = 0.9;
// Matrices without a known role beyond this share leave open what they compute.
constexpr double kMostUnknown = 0.1;

struct OneFunction {
  bool by_forms = false;  // or by answers, where there are no forms
  bool by_units = false;
};

OneFunction FindOneFunction(const Comparison& comparison) {
  if (!comparison.frame) {
    return {.by_forms = comparison.kernels && comparison.kernels->score >= kDerivedAnswers};
  }
  Evidence evidence;
  AddFrameEvidence(comparison, evidence);
  return {.by_forms = FormsAgree(evidence), .by_units = UnitsAgree(evidence)};
}

// What any two layers of these models have in common makes none the other's. Few layers do not show
// it by themselves: there it is what a mean or one huge number of their matrices explains.
double CommonForms(const Comparison& comparison) {
  const FrameComparison& frame = *comparison.frame;
  const size_t layers = std::max(frame.attention.size(), frame.feed_forward.size());
  const double common = std::max(0.0, frame.null_mean);
  return layers >= kFewestLayersForMedian ? common : std::max(common, comparison.common_structure);
}

// Empty without matches.
std::optional<double> MeanCosine(const std::vector<FrameMatch>& matches) {
  if (matches.empty()) return std::nullopt;
  double sum = 0;
  for (const FrameMatch& match : matches) sum += match.cosine;
  return sum / static_cast<double>(matches.size());
}

void Add(const FrameForms& frame, size_t layer, Half half, double cosine,
         std::map<HalfPlace, double>& functions) {
  double& known = functions[{frame.layers[layer].stack, frame.layers[layer].index, half}];
  known = std::max(known, cosine);
}

void AddForms(const Fingerprint& a, const Fingerprint& b, const std::vector<FrameMatch>& matches,
              Half half, FunctionMatches& functions) {
  for (const FrameMatch& match : matches) {
    if (match.cosine < kHalfRewritten) continue;
    Add(a.frame, match.layer_a, half, match.cosine, functions.in_a);
    Add(b.frame, match.layer_b, half, match.cosine, functions.in_b);
  }
}

void AddUnits(const Fingerprint& a, const Fingerprint& b, const UnitComparison& units,
              FunctionMatches& functions) {
  const double least = units.best >= kUnitsAlike ? kUnitsAlikeAmongMany : kUnitsOfLayer;
  for (const FrameMatch& match : units.of_a) {
    if (match.cosine < least) continue;
    Add(a.frame, match.layer_a, Half::kFeedForward, match.cosine, functions.in_a);
  }
  for (const FrameMatch& match : units.of_b) {
    if (match.cosine < least) continue;
    Add(b.frame, match.layer_b, Half::kFeedForward, match.cosine, functions.in_b);
  }
  AddForms(a, b, units.attention, Half::kMixer, functions);
}

// The mean of the kernels of a half; empty if both layers have none.
std::optional<double> KernelOfHalf(const LayerSimilarity& similarity, const AlignedLayers& pair,
                                   Half half) {
  const auto cosine = [&](ResponseKind kind) {
    return similarity.Cosine(kind, pair.row, pair.column);
  };
  if (half == Half::kFeedForward) return cosine(ResponseKind::kFeedForward);
  const auto query_key = cosine(ResponseKind::kQueryKey);
  const auto output_value = cosine(ResponseKind::kOutputValue);
  if (query_key && output_value) return (*query_key + *output_value) / 2;
  return query_key ? query_key : output_value;
}

void AddKernels(const Fingerprint& a, const Fingerprint& b, const KernelEvidence& kernels,
                FunctionMatches& functions) {
  for (const AlignedLayers& pair : kernels.alignment.path) {
    const LayerResponse& in_a = a.layers[kernels.similarity.layer_of_row()[pair.row]];
    const LayerResponse& in_b = b.layers[kernels.similarity.layer_of_column()[pair.column]];
    for (const Half half : {Half::kMixer, Half::kFeedForward}) {
      const auto cosine = KernelOfHalf(kernels.similarity, pair, half);
      if (!cosine || *cosine < kLearnedAnswers) continue;
      functions.in_a.emplace(HalfPlace{in_a.stack, in_a.index, half}, *cosine);
      functions.in_b.emplace(HalfPlace{in_b.stack, in_b.index, half}, *cosine);
    }
  }
}

// Mean cosine, by parameters, of what lies in the other model in one basis.
double CommonCosine(const Fingerprint& model, const ModelOrigins& origins) {
  double sum = 0;
  double parameters = 0;
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    if (!weight.role.layer || !IsLearnedMatrix(weight) || !part.cosine) continue;
    const double found = part.counts.Of(Origin::kSame) + part.counts.Of(Origin::kChanged);
    sum += found * *part.cosine;
    parameters += found;
  }
  return parameters == 0 ? 0 : sum / parameters;
}

double CommonShare(const OriginCounts& counts) {
  return counts.Share(Origin::kSame) + counts.Share(Origin::kChanged);
}

// What cannot be compared is neither found nor missing.
double TracedOfCompared(const OriginCounts& counts) {
  const double compared = counts.Traced() + counts.Of(Origin::kNothing);
  return compared == 0 ? 0 : counts.Traced() / compared;
}

// By stack, where a model has several.
std::map<std::string, OriginCounts> Stacks(const Fingerprint& model, const ModelOrigins& origins) {
  std::map<std::string, OriginCounts> stacks;
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    if (weight.role.layer && IsLearnedMatrix(weight)) stacks[weight.role.stack].Add(part.counts);
  }
  return stacks;
}

// The encoder is the other model's, and of the other stacks there is nothing. Two models side by
// side in one file are no such component: each is a model.
bool HasEncoderAlone(const Fingerprint& model, const ModelOrigins& origins) {
  bool encoder = false;
  bool nothing = false;
  for (const auto& [stack, counts] : Stacks(model, origins)) {
    const bool whole = counts.TracedShare() >= kWhole;
    encoder = encoder || (whole && stack.find("encoder") != std::string::npos);
    nothing = nothing || counts.TracedShare() < kInPart;
  }
  return encoder && nothing;
}

// What is found of the one model's layers lies outside of the other's: in a tower, say.
bool LiesOutsideLayers(const PairOrigins& origins) {
  const double in_a = origins.a.layers.Traced();
  const double in_b = origins.b.layers.Traced();
  return (in_a > 0) != (in_b > 0);
}

std::optional<double> WrittenShare(const PairOrigins& origins) {
  std::optional<double> least;
  for (const ModelOrigins* model : {&origins.a, &origins.b}) {
    if (model->written.Total() == 0) continue;
    // Layers dropped from a model leave the rest of its writing without a counterpart: what counts
    // is how much the found parts write against their share of the parameters.
    const double parameters = model->layers.TracedShare();
    if (parameters < kInPart) continue;
    const double relative = std::min(1.0, model->written.TracedShare() / parameters);
    least = std::min(least.value_or(1), relative);
  }
  return least;
}

bool AllRead(const Fingerprint& model) {
  double unknown = 0;
  double all = 0;
  for (const WeightSummary& weight : model.weights) {
    const double parameters =
        static_cast<double>(weight.rows) * static_cast<double>(weight.columns);
    all += parameters;
    if (weight.role.role == Role::kOther && !weight.is_vector) unknown += parameters;
  }
  return unknown <= kMostUnknown * all;
}

// That a layer of a stranger has as much, by the tail of a normal distribution.
double UnitsChance(double best) {
  const double deviations = (best - kUnitsOfStrangers) / kUnitsDeviation;
  return 0.5 * std::erfc(deviations / std::sqrt(2.0));
}

double PathZ(const KernelEvidence& kernels) {
  const OffPath& off = kernels.alignment.off_path;
  if (off.pairs < kFewestNullPairs || off.standard_deviation == 0) return 0;
  return (kernels.score - off.mean) / off.standard_deviation;
}

}  // namespace

FunctionMatches FunctionMatchesOf(const Fingerprint& a, const Fingerprint& b,
                                  const Comparison& comparison) {
  FunctionMatches functions;
  const OneFunction one = FindOneFunction(comparison);
  if (!one.by_forms && !one.by_units) return functions;
  if (one.by_units) AddUnits(a, b, *comparison.frame->units, functions);
  if (one.by_forms && comparison.frame) {
    AddForms(a, b, comparison.frame->attention, Half::kMixer, functions);
    AddForms(a, b, comparison.frame->feed_forward, Half::kFeedForward, functions);
  }
  if (comparison.kernels) AddKernels(a, b, *comparison.kernels, functions);
  return functions;
}

void AddFrameEvidence(const Comparison& comparison, Evidence& evidence) {
  if (!comparison.frame) return;
  const double common = CommonForms(comparison);
  evidence.frame_score = comparison.frame->score - common;
  evidence.frame_p_value = comparison.frame->p_value;
  const auto attention = MeanCosine(comparison.frame->attention);
  const auto feed_forward = MeanCosine(comparison.frame->feed_forward);
  if (attention && feed_forward) {
    evidence.weaker_half = std::min(*attention, *feed_forward) - common;
  } else {
    evidence.weaker_half = attention.value_or(feed_forward.value_or(0)) - common;
  }
  if (comparison.frame->units) {
    evidence.unit_score = comparison.frame->units->score;
    evidence.unit_best = comparison.frame->units->best;
    evidence.unit_excess = comparison.frame->units->score - comparison.frame->units->off;
  }
}

bool TablesAreRewritten(const Comparison& comparison) {
  const OneFunction one = FindOneFunction(comparison);
  return (one.by_forms || one.by_units) && comparison.kernels &&
         comparison.kernels->anchor_agreement.value_or(0) >= kTablesAgree &&
         comparison.sketches.p_value >= kSharedStartP;
}

Evidence GatherEvidence(const Fingerprint& a, const Fingerprint& b, const Comparison& comparison,
                        const WholePair& whole) {
  const SketchComparison& sketches = comparison.sketches;
  const PairOrigins& origins = comparison.origins;
  Evidence evidence = {
      .equal = whole.equal,
      .sketch_p_value = sketches.p_value,
      .outstanding_share = sketches.outstanding_share,
      .same_share =
          std::max(origins.a.layers.Share(Origin::kSame), origins.b.layers.Share(Origin::kSame)),
      .common_share = std::max(CommonShare(origins.a.layers), CommonShare(origins.b.layers)),
      .common_cosine = std::max(CommonCosine(a, origins.a), CommonCosine(b, origins.b)),
      .traced_share = std::max(origins.a.layers.TracedShare(), origins.b.layers.TracedShare()),
      .whole_share =
          std::max(TracedOfCompared(origins.a.layers), TracedOfCompared(origins.b.layers)),
      .written_share = WrittenShare(origins),
      .component_alone = HasEncoderAlone(a, origins.a) || HasEncoderAlone(b, origins.b) ||
                         LiesOutsideLayers(origins),
      .basis_changed = whole.basis_changed,
      .idle_parts = HasIdleParts(a) || HasIdleParts(b),
      .all_read = AllRead(a) && AllRead(b),
      .quick = a.quick || b.quick};
  if (sketches.parts > 0) evidence.sketch_cosine = sketches.cosine;
  if (comparison.kernels) {
    evidence.kernel_score = comparison.kernels->score;
    evidence.kernel_z = PathZ(*comparison.kernels);
    for (const AlignedLayers& pair : comparison.kernels->alignment.path) {
      evidence.best_layer = std::max(evidence.best_layer, pair.similarity);
    }
    evidence.kernel_layers =
        std::min(comparison.kernels->similarity.rows(), comparison.kernels->similarity.columns());
    evidence.anchors_agree = comparison.kernels->anchor_agreement.value_or(0) >= kAnchorsAgree;
  } else {
    evidence.anchors_agree = false;
  }
  AddFrameEvidence(comparison, evidence);
  return evidence;
}

std::optional<double> ChanceOf(const Evidence& evidence) {
  if (evidence.equal || evidence.same_share >= kInPart) return kSmallestChance;
  std::optional<double> least;
  const auto offer = [&](double p_value) { least = std::min(least.value_or(1), p_value); };
  if (evidence.sketch_cosine) offer(evidence.sketch_p_value);
  if (evidence.frame_score) offer(evidence.frame_p_value);
  if (evidence.unit_score) offer(UnitsChance(evidence.unit_best));
  // Answers alone can be learned; where forms confirm them, they are those of a copy.
  if (evidence.kernel_score && (!evidence.frame_score || FormsAgree(evidence))) {
    offer(IndependentTail(ScoreOf(evidence).value_or(0)));
  }
  if (!least) return least;
  return std::clamp(kKindsOfEvidence * *least, kSmallestChance, 1.0);
}

}  // namespace tensorguard::internal

#include "comparison/compare_fingerprints.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "base/try.h"
#include "comparison/alignment/anchor_agreement.h"
#include "comparison/alignment/common_anchors.h"
#include "comparison/direction/direction_signs.h"
#include "comparison/findings/basis_change.h"
#include "comparison/findings/change_forensics.h"
#include "comparison/findings/rewriting_forensics.h"
#include "comparison/findings/shared_parts.h"
#include "comparison/findings/structure_forensics.h"
#include "comparison/pair_evidence.h"
#include "comparison/thresholds.h"
#include "comparison/weight_agreement.h"
#include "comparison/weight_pairs.h"
#include "roles/layer_place.h"

namespace tensorguard::internal {
namespace {

LayerMap LayersOnPath(const KernelEvidence& kernels) {
  LayerMap layers;
  for (const AlignedLayers& pair : kernels.alignment.path) {
    layers.emplace(kernels.similarity.layer_of_row()[pair.row],
                   kernels.similarity.layer_of_column()[pair.column]);
  }
  return layers;
}

// Empty where anchors or layers leave nothing to compare.
std::optional<KernelEvidence> CompareKernels(const NormalisedModel& a, const Fingerprint& b,
                                             const CommonAnchors& anchors) {
  if (!anchors.obstacle.empty()) return std::nullopt;
  const auto in_a = a.KernelsOn(anchors.in_a);
  const auto in_b = NormaliseKernels(b, anchors.in_b);
  if (in_a->empty() || in_b.empty()) return std::nullopt;
  LayerSimilarity similarity(*in_a, in_b);
  LayerAlignment alignment = AlignLayers(similarity);
  const double score = std::max(alignment.score, ScoreOfHalves(similarity));
  return KernelEvidence{.common_anchors = anchors.in_a.size(),
                        .score = score,
                        .similarity = std::move(similarity),
                        .alignment = std::move(alignment),
                        .anchor_agreement = AnchorAgreement(a.fingerprint(), b, anchors)};
}

// The sums that make a LayerMatch.
struct LayerSums {
  double cosine = 0;
  double squared_change = 0;
  double count = 0;
};

std::map<LayerPlace, LayerSums> SumByLayer(const Fingerprint& a, const SketchComparison& sketches) {
  std::map<LayerPlace, LayerSums> sums;
  for (const SketchPair& pair : sketches.pairs) {
    const TensorRole& role = a.weights[pair.weights.in_a].role;
    if (!pair.learned || !role.layer) continue;
    LayerSums& sum = sums[{role.stack, *role.layer}];
    sum.cosine += pair.cosine;
    sum.squared_change += pair.relative_change * pair.relative_change;
    ++sum.count;
  }
  return sums;
}

std::vector<LayerMatch> MatchLayers(const Fingerprint& a, const LayerMap& layers,
                                    const SketchComparison& sketches) {
  const auto sums = SumByLayer(a, sketches);
  std::vector<LayerMatch> matches;
  for (const auto& [layer_a, layer_b] : layers) {
    LayerMatch match{.layer_a = layer_a, .layer_b = layer_b};
    const auto sum = sums.find({a.layers[layer_a].stack, a.layers[layer_a].index});
    if (sum != sums.end()) {
      match.sketch_cosine = sum->second.cosine / sum->second.count;
      match.relative_change = std::sqrt(sum->second.squared_change / sum->second.count);
    }
    matches.push_back(match);
  }
  return matches;
}

// Position of each layer among those with kernels.
std::map<size_t, size_t> Positions(const std::vector<size_t>& layers) {
  std::map<size_t, size_t> positions;
  for (size_t i = 0; i < layers.size(); ++i) positions.emplace(layers[i], i);
  return positions;
}

void AddKernels(const KernelEvidence& kernels, std::vector<LayerMatch>& matches) {
  const auto rows = Positions(kernels.similarity.layer_of_row());
  const auto columns = Positions(kernels.similarity.layer_of_column());
  for (LayerMatch& match : matches) {
    const auto row = rows.find(match.layer_a);
    const auto column = columns.find(match.layer_b);
    if (row == rows.end() || column == columns.end()) continue;
    match.similarity = kernels.similarity.Mean(row->second, column->second);
    for (size_t kind = 0; kind < kResponseKinds.size(); ++kind) {
      match.kernels[kind] =
          kernels.similarity.Cosine(kResponseKinds[kind], row->second, column->second);
    }
  }
}

LayerMap LayersOfFrame(const FrameComparison& frame, const Fingerprint& a, const Fingerprint& b) {
  const auto place = [](const Fingerprint& model, size_t layer) -> std::optional<size_t> {
    const LayerForms& forms = model.frame.layers[layer];
    for (size_t i = 0; i < model.layers.size(); ++i) {
      if (model.layers[i].stack == forms.stack && model.layers[i].index == forms.index) return i;
    }
    return std::nullopt;
  };
  LayerMap layers;
  for (const auto* matches : {&frame.attention, &frame.feed_forward}) {
    for (const FrameMatch& match : *matches) {
      const auto in_a = place(a, match.layer_a);
      const auto in_b = place(b, match.layer_b);
      if (in_a && in_b) layers.emplace(*in_a, *in_b);
    }
  }
  return layers;
}

// A way to pair the layers of two models.
struct Pairing {
  LayerMap layers;
  bool by_index = false;
};

// By number, by what the layers answer, by their weights, by their forms.
std::vector<Pairing> PairingsOf(const Fingerprint& a, const Fingerprint& b,
                                const SketchAlignment& alignment, const Comparison& comparison) {
  std::vector<Pairing> pairings = {{.layers = LayersByIndex(a, b), .by_index = true}};
  const auto add = [&](LayerMap layers) {
    if (layers.empty()) return;
    if (layers == pairings.front().layers) pairings.front().by_index = false;
    for (const Pairing& known : pairings) {
      if (known.layers == layers) return;
    }
    pairings.push_back({.layers = std::move(layers)});
  };
  if (comparison.kernels) add(LayersOnPath(*comparison.kernels));
  add(LayersOf(alignment, a, b));
  if (comparison.frame && comparison.frame->score >= kFrameAlike) {
    add(LayersOfFrame(*comparison.frame, a, b));
  }
  return pairings;
}

// The pairing under which the weights agree most, if they do beyond chance. Else what the layers
// answer pairs them, or their numbers where nothing was answered. Returns the comparison by
// numbers, the first of `pairings`.
SketchComparison ChooseLayers(const Fingerprint& a, const Fingerprint& b,
                              const CommonAnchors& anchors, const std::vector<Pairing>& pairings,
                              std::span<const KindCosines> cosines, Comparison& comparison) {
  const Pairing* best = nullptr;
  SketchComparison by_index;
  for (const Pairing& pairing : pairings) {
    SketchComparison sketches = CompareSketches(a, b, pairing.layers, anchors, cosines);
    if (best == nullptr) by_index = sketches;
    const bool agrees = sketches.parts > 0 && sketches.p_value < kSharedStartP;
    const bool first = best == nullptr;
    const bool better = agrees && sketches.z > comparison.sketches.z;
    const bool second_of_noise =
        !first && best->by_index && comparison.sketches.p_value >= kSharedStartP;
    if (!first && !better && !second_of_noise) continue;
    best = &pairing;
    comparison.sketches = std::move(sketches);
  }
  comparison.layers_by_index = best->by_index;
  comparison.layers = MatchLayers(a, best->layers, comparison.sketches);
  if (comparison.kernels) AddKernels(*comparison.kernels, comparison.layers);
  return by_index;
}

void Append(std::vector<Finding> more, std::vector<Finding>& findings) {
  findings.insert(findings.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

void AddObstacles(const CommonAnchors& anchors, Comparison& comparison) {
  if (!anchors.obstacle.empty()) {
    comparison.findings.push_back(
        {.kind = FindingKind::kCannotCompare,
         .text = fmt::format("Kernels cannot be compared: {}.", anchors.obstacle)});
  } else if (!comparison.kernels) {
    comparison.findings.push_back(
        {.kind = FindingKind::kCannotCompare,
         .text = "Kernels cannot be compared: no layer of one of the models answers anything."});
  }
  if (comparison.sketches.parts == 0) {
    comparison.findings.push_back(
        {.kind = FindingKind::kCannotCompare,
         .text = "Weights cannot be compared: no two of one role have the same shape."});
  }
}

Finding DescribeBasis(const BasisChange& change, double weights, double kernels) {
  std::string parts;
  for (const ResponseKind kind : change.lost_parts) {
    if (!parts.empty()) parts += ", ";
    parts += ResponseKindName(kind);
  }
  return {
      .kind = FindingKind::kBasis,
      .text = fmt::format("{} (kernels {:.3f}, weights {:.3f}): permuted, rotated or rescaled.",
                          parts.empty() ? "The function stayed, the weights did not"
                                        : "The weights changed beyond their function in " + parts,
                          kernels, weights)};
}

// What has nothing of the other model did not change: it is another's.
SketchComparison PairsOfOneOrigin(const Comparison& comparison) {
  SketchComparison sketches = comparison.sketches;
  std::set<size_t> foreign;
  for (const PartOrigin& part : comparison.origins.a.parts) {
    if (part.origin == Origin::kNothing) foreign.insert(part.weight);
  }
  std::erase_if(sketches.pairs, [&](const SketchPair& pair) {
    return foreign.contains(pair.weights.in_a) && !pair.equal;
  });
  return sketches;
}

// What was done, between models that share their origin.
void AddHistory(const Fingerprint& a, const Fingerprint& b, const CommonAnchors& anchors,
                const BasisChange& basis, Comparison& comparison) {
  auto& findings = comparison.findings;
  if (basis.Happened()) {
    findings.push_back(
        NameBasisChange(a, b, basis, comparison.sketches, comparison.kernels->score));
  } else {
    Append(FindChanges(a, b, PairsOfOneOrigin(comparison)), findings);
  }
  auto rounding = FindRounding(a, b);
  if (!rounding.empty()) {  // which explains what looks like noise
    std::erase_if(findings,
                  [](const Finding& finding) { return finding.kind == FindingKind::kNoise; });
  }
  Append(std::move(rounding), findings);
  LayerMap layers;
  for (const LayerMatch& match : comparison.layers) layers.emplace(match.layer_a, match.layer_b);
  Append(FindWidthChanges(a, b, layers, comparison.sketches), findings);
  if (comparison.kernels) {
    Append(FindLayerChanges(a, b, comparison.kernels->similarity, comparison.kernels->alignment),
           findings);
  }
  if (anchors.obstacle.empty()) {
    Append(FindVocabularyChanges(a, b, anchors), findings);
  }
  if (!basis.Happened()) Append(FindEmbeddingChange(comparison.sketches), findings);
}

// Empty if no finding names a side, or two disagree.
std::optional<Side> DerivedSide(const std::vector<Finding>& findings) {
  std::optional<Side> side;
  for (const Finding& finding : findings) {
    if (!finding.derived) continue;
    if (side && *side != *finding.derived) return std::nullopt;
    side = finding.derived;
  }
  return side;
}

std::string DescribeChance(double p_value) {
  return p_value < 1e-300 ? "p below 1e-300 by chance"
                          : fmt::format("p = {:.1g} by chance", p_value);
}

std::string DescribeReason(const Fingerprint& a, const Fingerprint& b, const Comparison& comparison,
                           std::string_view why) {
  std::string text(why.empty() ? VerdictSentence(comparison.verdict) : why);
  if (comparison.in_part) text += " " + DescribeShares(a, b, comparison.origins);
  if (comparison.kernels) {
    text += fmt::format(
        " Layer responses agree to {:.2f}, those of layers that do not belong "
        "together to {:.2f}.",
        comparison.kernels->score, comparison.kernels->alignment.off_path.mean);
  }
  if (comparison.sketches.parts > 0) {
    text += fmt::format(" Weights agree to {:.2f} ({}).", comparison.sketches.cosine,
                        DescribeChance(comparison.sketches.p_value));
  }
  if (comparison.frame) {
    text += fmt::format(" The forms of the layers agree to {:.2f}.", comparison.frame->score);
  }
  return text;
}

void AddEqualModels(WeightAgreement agreement, Comparison& comparison) {
  comparison.findings.push_back(
      {.kind = FindingKind::kEqualWeights,
       .text = agreement == WeightAgreement::kEqual
                   ? "Every weight is the same, number for number."
                   : "The weights are the same but for the rounding of their type."});
}

void AddRounded(Comparison& comparison) {
  comparison.findings.push_back(
      {.kind = FindingKind::kEqualWeights,
       .text = "As far as sketches show it, the weights are the same but for the rounding of their "
               "types; a fingerprint cannot check that number by number."});
}

size_t KernelCount(const std::vector<LayerMatch>& layers) {
  size_t count = 0;
  for (const LayerMatch& match : layers) {
    for (const auto& kernel : match.kernels) count += kernel ? 1 : 0;
  }
  return count;
}

// What is true of the part that was read, and of nothing else.
void AddQuickFindings(const BasisChange& basis, Comparison& comparison) {
  const auto& pairs = comparison.sketches.pairs;
  const bool equal =
      !pairs.empty() &&
      std::all_of(pairs.begin(), pairs.end(), [](const SketchPair& pair) { return pair.equal; });
  if (equal) {
    comparison.findings.push_back(
        {.kind = FindingKind::kEqualWeights,
         .text = fmt::format("All {} weights that were read are the same, number for number.",
                             pairs.size())});
  }
  if (basis.Happened()) {
    comparison.findings.push_back(
        DescribeBasis(basis, comparison.sketches.cosine, comparison.kernels->score));
  }
}

// What the comparison of a part says of the whole.
void JudgeQuickly(const BasisChange& basis, Comparison& comparison) {
  comparison.quick =
      CertaintyOf(KernelCount(comparison.layers), comparison.sketches.parts, comparison.score);
  AddQuickFindings(basis, comparison);
  if (comparison.quick->decided) return;
  comparison.verdict = Verdict::kInconclusive;
}

CommonTokens TokensOf(const CommonAnchors& anchors) {
  if (!anchors.obstacle.empty()) return {};
  return {.in_a = anchors.in_a, .in_b = anchors.in_b};
}

// What is compared before anything is judged. Returns the sketches with layers paired by number.
SketchComparison CompareEvidence(const NormalisedModel& normalised, const Fingerprint& b,
                                 const CommonAnchors& anchors, Comparison& comparison) {
  const Fingerprint& a = normalised.fingerprint();
  const std::vector<KindCosines> cosines = CosinesOfLayers(a, b);
  const SketchAlignment alignment = AlignBySketches(a, b, cosines);
  comparison.kernels = CompareKernels(normalised, b, anchors);
  comparison.frame = CompareFrames(a.frame, b.frame, TokensOf(anchors));
  for (const KindCosines& kind : cosines) {
    comparison.common_structure = std::max(comparison.common_structure, kind.structure);
  }
  SketchComparison by_index =
      ChooseLayers(a, b, anchors, PairingsOf(a, b, alignment, comparison), cosines, comparison);
  comparison.origins = FindOrigins(a, b,
                                   {.cosines = cosines,
                                    .alignment = alignment,
                                    .embedding = comparison.sketches.embedding,
                                    .head = comparison.sketches.head,
                                    .functions = FunctionMatchesOf(a, b, comparison),
                                    .tables_rewritten = TablesAreRewritten(comparison)});
  return by_index;
}

void Judge(const Fingerprint& a, const Fingerprint& b, const Evidence& evidence,
           const BasisChange& basis, const CommonAnchors& anchors, Comparison& comparison) {
  const Judgement judgement = JudgeEvidence(evidence);
  comparison.verdict = judgement.verdict;
  comparison.in_part = judgement.in_part;
  comparison.score = ScoreOf(evidence);
  comparison.p_value = ChanceOf(evidence);
  if (evidence.quick) {
    JudgeQuickly(basis, comparison);
  } else if (IsOrigin(comparison.verdict)) {
    AddHistory(a, b, anchors, basis, comparison);
  }
  if (!evidence.quick) Append(FindSharedParts(a, b, comparison), comparison.findings);
  comparison.derived = DerivedSide(comparison.findings);
  comparison.direction = DirectionOf(FindDirectionSigns(a, b, comparison));
  comparison.reason = DescribeReason(a, b, comparison, judgement.why);
}

}  // namespace

Result<Comparison> CompareFingerprints(const Fingerprint& a, const Fingerprint& b) {
  return CompareFingerprints(NormalisedModel(a), b);
}

Result<Comparison> CompareFingerprints(const NormalisedModel& normalised, const Fingerprint& b) {
  const Fingerprint& a = normalised.fingerprint();
  TG_ASSIGN(const auto anchors, FindCommonAnchors(a, b));
  Comparison comparison;
  const SketchComparison by_index = CompareEvidence(normalised, b, anchors, comparison);
  const bool quick = a.quick || b.quick;
  const auto agreement = quick ? WeightAgreement::kDifferent : AgreementOf(a, b, by_index);
  BasisChange basis;
  if (comparison.kernels && !comparison.layers_by_index) {
    basis = FindBasisChange(a, comparison.kernels->similarity, comparison.kernels->alignment,
                            comparison.sketches);
  }
  const bool equal = agreement != WeightAgreement::kDifferent;
  if (equal) {
    AddEqualModels(agreement, comparison);
  } else {
    AddObstacles(anchors, comparison);
    if (!quick && ConsistentWithRounding(a, b, by_index)) AddRounded(comparison);
  }
  Judge(a, b, GatherEvidence(a, b, comparison, {.equal = equal, .basis_changed = basis.Happened()}),
        basis, anchors, comparison);
  return comparison;
}

}  // namespace tensorguard::internal

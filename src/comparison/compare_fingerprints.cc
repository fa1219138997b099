#include "comparison/compare_fingerprints.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "comparison/basis_change.h"
#include "comparison/change_forensics.h"
#include "comparison/common_anchors.h"
#include "comparison/rewriting_forensics.h"
#include "comparison/structure_forensics.h"
#include "comparison/thresholds.h"
#include "comparison/weight_agreement.h"
#include "comparison/weight_pairs.h"

namespace tensorguard {
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
std::optional<KernelEvidence> CompareKernels(const FullFingerprint& a, const FullFingerprint& b,
                                             const CommonAnchors& anchors) {
  if (!anchors.obstacle.empty()) return std::nullopt;
  const auto in_a = NormaliseKernels(a, anchors.in_a);
  const auto in_b = NormaliseKernels(b, anchors.in_b);
  if (in_a.empty() || in_b.empty()) return std::nullopt;
  LayerSimilarity similarity(in_a, in_b);
  LayerAlignment alignment = AlignLayers(similarity);
  const auto score = alignment.score;
  return KernelEvidence{.common_anchors = anchors.in_a.size(),
                        .score = score,
                        .similarity = std::move(similarity),
                        .alignment = std::move(alignment)};
}

// The sums that make a LayerMatch.
struct LayerSums {
  double cosine = 0;
  double squared_change = 0;
  double count = 0;
};

using LayerPlace = std::pair<std::string, uint32_t>;

std::map<LayerPlace, LayerSums> SumByLayer(const FullFingerprint& a,
                                           const SketchComparison& sketches) {
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

std::vector<LayerMatch> MatchLayers(const FullFingerprint& a, const LayerMap& layers,
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

// Weights agree where the layers do, or, between models that were trained apart, layer by layer:
// whichever shows more. `by_index`: the sketches of the latter.
void ChooseLayers(const FullFingerprint& a, const FullFingerprint& b, const CommonAnchors& anchors,
                  SketchComparison by_index, Comparison& comparison) {
  LayerMap layers = LayersByIndex(a, b);
  comparison.layers_by_index = true;
  comparison.sketches = std::move(by_index);
  if (comparison.kernels) {
    LayerMap on_path = LayersOnPath(*comparison.kernels);
    if (on_path == layers) {
      comparison.layers_by_index = false;
    } else {
      SketchComparison sketches = CompareSketches(a, b, on_path, anchors);
      if (sketches.parts > 0 && sketches.z >= comparison.sketches.z) {
        layers = std::move(on_path);
        comparison.sketches = std::move(sketches);
        comparison.layers_by_index = false;
      }
    }
  }
  comparison.layers = MatchLayers(a, layers, comparison.sketches);
  if (comparison.kernels) AddKernels(*comparison.kernels, comparison.layers);
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

void AddCopiedParts(const FullFingerprint& a, Comparison& comparison) {
  size_t copied = 0;
  std::string first;
  for (const SketchPair& pair : comparison.sketches.pairs) {
    if (!pair.learned || pair.cosine < kCopiedMatrixCosine) continue;
    if (copied++ == 0) first = a.weights[pair.weights.in_a].tensor;
  }
  if (copied > 0) {
    comparison.findings.push_back(
        {.kind = FindingKind::kPartsCopied,
         .text = fmt::format("{} matrices are those of the other model, the first {}.", copied,
                             first)});
  }
  const auto& embedding = comparison.sketches.embedding;
  if (embedding && embedding->cosine >= kCopiedMatrixCosine) {
    comparison.findings.push_back({.kind = FindingKind::kPartsCopied,
                                   .text = "The embedding of the common tokens is the other "
                                           "model's."});
  }
}

// What was done, between models that share their origin.
void AddHistory(const FullFingerprint& a, const FullFingerprint& b, const CommonAnchors& anchors,
                const BasisChange& basis, Comparison& comparison) {
  auto& findings = comparison.findings;
  if (basis.Happened()) {
    findings.push_back(
        NameBasisChange(a, b, basis, comparison.sketches, comparison.kernels->score));
  } else {
    Append(FindChanges(a, b, comparison.sketches), findings);
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

std::string DescribeReason(const Comparison& comparison) {
  std::string text(VerdictSentence(comparison.verdict));
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
  return text;
}

Comparison EqualModels(WeightAgreement agreement, Comparison comparison) {
  comparison.verdict = Verdict::kIdentical;
  comparison.score = 1;
  comparison.reason = VerdictSentence(Verdict::kIdentical);
  comparison.findings.push_back(
      {.kind = FindingKind::kEqualWeights,
       .text = agreement == WeightAgreement::kEqual
                   ? "Every weight is the same, number for number."
                   : "The weights are the same but for the rounding of their type."});
  return comparison;
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

}  // namespace

Result<Comparison> CompareFingerprints(const FullFingerprint& a, const FullFingerprint& b) {
  const auto anchors = FindCommonAnchors(a, b);
  if (!anchors) return anchors.error();
  Comparison comparison;
  comparison.kernels = CompareKernels(a, b, *anchors);
  SketchComparison by_index = CompareSketches(a, b, LayersByIndex(a, b), *anchors);
  const auto agreement = AgreementOf(a, b, by_index);
  ChooseLayers(a, b, *anchors, std::move(by_index), comparison);
  const bool quick = a.quick || b.quick;
  if (!quick && agreement != WeightAgreement::kDifferent) return EqualModels(agreement, comparison);
  AddObstacles(*anchors, comparison);

  BasisChange basis;
  if (comparison.kernels && !comparison.layers_by_index) {
    basis = FindBasisChange(a, comparison.kernels->similarity, comparison.kernels->alignment,
                            comparison.sketches);
  }
  const SketchComparison& sketches = comparison.sketches;
  Evidence evidence{.sketch_p_value = sketches.p_value,
                    .outstanding_share = sketches.outstanding_share,
                    .copied_share = sketches.copied_share,
                    .basis_changed = basis.Happened()};
  if (comparison.kernels) evidence.kernel_score = comparison.kernels->score;
  if (sketches.parts > 0) evidence.sketch_cosine = sketches.cosine;
  comparison.verdict = JudgeEvidence(evidence);
  comparison.score = ScoreOf(evidence);

  if (quick) {
    JudgeQuickly(basis, comparison);
  } else if (comparison.verdict == Verdict::kDerived ||
             comparison.verdict == Verdict::kReparameterised) {
    AddHistory(a, b, *anchors, basis, comparison);
  } else {
    AddCopiedParts(a, comparison);
  }
  comparison.derived = DerivedSide(comparison.findings);
  comparison.reason = DescribeReason(comparison);
  return comparison;
}

}  // namespace tensorguard

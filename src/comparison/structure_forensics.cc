#include "comparison/structure_forensics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "comparison/thresholds.h"

namespace tensorguard {
namespace {

constexpr size_t kMostNamed = 12;  // layers named in one sentence

// "3", "encoder 3".
std::string LayerLabel(const LayerResponse& layer) {
  if (layer.stack.empty()) return fmt::format("{}", layer.index);
  return fmt::format("{} {}", layer.stack, layer.index);
}

std::string LayerLabels(const FullFingerprint& fingerprint, std::span<const size_t> layers) {
  std::string labels;
  for (size_t i = 0; i < layers.size() && i < kMostNamed; ++i) {
    if (i > 0) labels += ", ";
    labels += LayerLabel(fingerprint.layers[layers[i]]);
  }
  if (layers.size() > kMostNamed) labels += fmt::format(" and {} more", layers.size() - kMostNamed);
  return labels;
}

// A model beside another: its rows or its columns of the similarities.
struct Seen {
  const FullFingerprint& fingerprint;
  const std::vector<size_t>& layers;  // those with kernels
  bool rows;
};

// The highest similarity of one layer with any of the other model.
double BestMatch(const LayerSimilarity& similarity, const Seen& model, size_t position) {
  const size_t others = model.rows ? similarity.columns() : similarity.rows();
  double best = 0;
  for (size_t other = 0; other < others; ++other) {
    const auto mean =
        model.rows ? similarity.Mean(position, other) : similarity.Mean(other, position);
    best = std::max(best, mean.value_or(0));
  }
  return best;
}

std::vector<Finding> DescribeUnmatched(const Seen& model, const FullFingerprint& other, Side side,
                                       const LayerSimilarity& similarity,
                                       const LayerAlignment& alignment) {
  std::vector<bool> matched(model.layers.size());
  for (const AlignedLayers& pair : alignment.path)
    matched[model.rows ? pair.row : pair.column] = true;
  std::vector<size_t> repeated;
  std::vector<size_t> missing;
  for (size_t i = 0; i < model.layers.size(); ++i) {
    if (matched[i]) continue;
    // As like a layer that has its own counterpart as counterparts are to each other.
    const bool copy = BestMatch(similarity, model, i) >= kFunctionKeptCosine * alignment.score;
    (copy ? repeated : missing).push_back(model.layers[i]);
  }
  std::vector<Finding> findings;
  if (!repeated.empty()) {
    findings.push_back(
        {.kind = FindingKind::kLayers,
         .text = fmt::format("Layers of {} are repeated: {}.", model.fingerprint.model_name,
                             LayerLabels(model.fingerprint, repeated)),
         .derived = side});
  }
  if (!missing.empty()) {
    findings.push_back(
        {.kind = FindingKind::kLayers,
         .text = fmt::format("Layers of {} without a counterpart: {}. They were "
                             "dropped in {}, or added here.",
                             model.fingerprint.model_name, LayerLabels(model.fingerprint, missing),
                             other.model_name)});
  }
  return findings;
}

// Rows of the feed-forward's first matrix; the same in all layers of most models.
std::map<std::pair<uint64_t, uint64_t>, size_t> FeedForwardWidths(
    const FullFingerprint& a, const FullFingerprint& b, const std::vector<WeightPair>& pairs) {
  std::map<std::pair<uint64_t, uint64_t>, size_t> widths;
  for (const WeightPair& pair : pairs) {
    const WeightSummary& in_a = a.weights[pair.in_a];
    const WeightSummary& in_b = b.weights[pair.in_b];
    if (in_a.role.role != Role::kUp || in_a.is_vector) continue;
    if (in_a.rows != in_b.rows) ++widths[{in_a.rows, in_b.rows}];
  }
  return widths;
}

bool IsMixture(const FullFingerprint& fingerprint) {
  return std::any_of(fingerprint.layers.begin(), fingerprint.layers.end(),
                     [](const LayerResponse& layer) { return layer.expert_count > 0; });
}

// Mean cosine of the experts' matrices with those of the dense block.
std::optional<double> ExpertsWithDense(const FullFingerprint& a, const FullFingerprint& b,
                                       const SketchComparison& sketches) {
  double sum = 0;
  double count = 0;
  for (const SketchPair& pair : sketches.pairs) {
    const bool in_a = a.weights[pair.weights.in_a].role.expert.has_value();
    const bool in_b = b.weights[pair.weights.in_b].role.expert.has_value();
    if (in_a == in_b || !pair.learned) continue;
    sum += pair.cosine;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

bool SameRows(const FullFingerprint& a, const FullFingerprint& b, const CommonAnchors& anchors) {
  for (size_t i = 0; i < anchors.in_a.size(); ++i) {
    if (a.anchor_tokens[anchors.in_a[i]] != b.anchor_tokens[anchors.in_b[i]]) return false;
  }
  return true;
}

std::string DescribeSizes(const FullFingerprint& a, const FullFingerprint& b, bool same_rows) {
  const bool larger_a = a.vocabulary_size > b.vocabulary_size;
  const FullFingerprint& larger = larger_a ? a : b;
  const FullFingerprint& smaller = larger_a ? b : a;
  return fmt::format(
      "{} has {} more rows in its vocabulary than {} ({} and {}); the rows of common tokens {}: "
      "{}.",
      larger.model_name, larger.vocabulary_size - smaller.vocabulary_size, smaller.model_name,
      larger.vocabulary_size, smaller.vocabulary_size,
      same_rows ? "are the same ones" : "lie elsewhere",
      same_rows ? "it was extended, or padded" : "one was trimmed or built anew");
}

}  // namespace

std::vector<Finding> FindLayerChanges(const FullFingerprint& a, const FullFingerprint& b,
                                      const LayerSimilarity& similarity,
                                      const LayerAlignment& alignment) {
  const Seen in_a{a, similarity.layer_of_row(), true};
  const Seen in_b{b, similarity.layer_of_column(), false};
  if (similarity.rows() > similarity.columns()) {
    return DescribeUnmatched(in_a, b, Side::kA, similarity, alignment);
  }
  if (similarity.columns() > similarity.rows()) {
    return DescribeUnmatched(in_b, a, Side::kB, similarity, alignment);
  }
  return {};
}

std::vector<Finding> FindWidthChanges(const FullFingerprint& a, const FullFingerprint& b,
                                      const LayerMap& layers, const SketchComparison& sketches) {
  std::vector<Finding> findings;
  if (a.hidden_size != b.hidden_size) {
    findings.push_back(
        {.kind = FindingKind::kWidth,
         .text = fmt::format("The hidden size is {} in {} and {} in {}.", a.hidden_size,
                             a.model_name, b.hidden_size, b.model_name)});
  }
  if (IsMixture(a) != IsMixture(b)) {
    const bool mixture_a = IsMixture(a);
    const auto cosine = ExpertsWithDense(a, b, sketches);
    const bool copied = cosine && *cosine >= kBasisLostCosine;
    Finding finding{
        .kind = FindingKind::kExperts,
        .text = fmt::format("{} is a mixture of experts, {} is dense.",
                            (mixture_a ? a : b).model_name, (mixture_a ? b : a).model_name)};
    if (copied) {
      finding.text += fmt::format(
          " Its experts started as copies of the dense feed-forward (cosine "
          "{:.2f}).",
          *cosine);
      finding.derived = mixture_a ? Side::kA : Side::kB;
    }
    findings.push_back(finding);
    if (copied) return findings;
  }
  for (const auto& [widths, count] : FeedForwardWidths(a, b, PairWeights(a, b, layers))) {
    findings.push_back(
        {.kind = FindingKind::kWidth,
         .text = fmt::format("The feed-forward of {} has {} hidden units, that of {} "
                             "{}: units were removed or added.",
                             a.model_name, widths.first, b.model_name, widths.second)});
  }
  return findings;
}

std::vector<Finding> FindVocabularyChanges(const FullFingerprint& a, const FullFingerprint& b,
                                           const CommonAnchors& anchors) {
  const bool same_rows = SameRows(a, b, anchors);
  if (a.vocabulary_size != b.vocabulary_size) {
    return {{.kind = FindingKind::kVocabulary, .text = DescribeSizes(a, b, same_rows)}};
  }
  if (same_rows) return {};
  return {{.kind = FindingKind::kVocabulary,
           .text = "The vocabularies are of one size, but the rows of common tokens lie "
                   "elsewhere."}};
}

std::vector<Finding> FindEmbeddingChange(const SketchComparison& sketches) {
  if (!sketches.embedding || sketches.embedding->relative_change <= kUnchanged) return {};
  if (sketches.embedding->cosine < kBasisLostCosine) {
    return {{.kind = FindingKind::kVocabulary,
             .text = fmt::format("The embedding of the common tokens was replaced (cosine {:.2f}).",
                                 sketches.embedding->cosine)}};
  }
  return {{.kind = FindingKind::kVocabulary,
           .text = fmt::format("The embedding of the common tokens changed by {:.2g} of its norm.",
                               sketches.embedding->relative_change)}};
}

}  // namespace tensorguard

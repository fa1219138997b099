#include "comparison/findings/structure_forensics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "comparison/thresholds.h"
#include "roles/layer_place.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kMostNamed = 12;  // layers named in one sentence

// "3", "encoder 3".
std::string LayerLabel(const LayerResponse& layer) {
  if (layer.stack.empty()) return fmt::format("{}", layer.index);
  return fmt::format("{} {}", layer.stack, layer.index);
}

std::string LayerLabels(const Fingerprint& fingerprint, std::span<const size_t> layers) {
  std::string labels;
  for (size_t i = 0; i < layers.size() && i < kMostNamed; ++i) {
    if (i > 0) labels += ", ";
    labels += LayerLabel(fingerprint.layers[layers[i]]);
  }
  if (layers.size() > kMostNamed) labels += fmt::format(" and {} more", layers.size() - kMostNamed);
  return labels;
}

// Of the learned matrices of each layer, sorted.
using LayerDigests = std::map<LayerPlace, std::vector<WeightDigest>>;

LayerDigests DigestsByLayer(const Fingerprint& model) {
  LayerDigests digests;
  for (const WeightSummary& weight : model.weights) {
    if (!IsLearnedMatrix(weight) || !weight.role.layer || weight.norm == 0) continue;
    digests[{weight.role.stack, *weight.role.layer}].push_back(weight.digest);
  }
  for (auto& [place, own] : digests) std::sort(own.begin(), own.end());
  return digests;
}

// A model beside another: its rows or its columns of the similarities.
struct Seen {
  const Fingerprint& fingerprint;
  const std::vector<size_t>& layers;  // those with kernels
  bool rows;

  const LayerResponse& Layer(size_t position) const { return fingerprint.layers[layers[position]]; }
};

double SimilarityOf(const LayerSimilarity& similarity, const Seen& model, size_t position,
                    size_t other) {
  const auto mean =
      model.rows ? similarity.Mean(position, other) : similarity.Mean(other, position);
  return mean.value_or(0);
}

// Which layer of the other model each layer is: the one with the same digests, else the most alike
// where that is as like as counterparts are to each other.
class Homes {
 public:
  Homes(const Seen& model, const Seen& other, const LayerSimilarity& similarity,
        const LayerAlignment& alignment)
      : counterpart_(model.layers.size()), home_(model.layers.size()) {
    const auto own = DigestsByLayer(model.fingerprint);
    const auto others = DigestsByLayer(other.fingerprint);
    for (const AlignedLayers& pair : alignment.path) {
      counterpart_[model.rows ? pair.row : pair.column] = model.rows ? pair.column : pair.row;
    }
    for (size_t i = 0; i < model.layers.size(); ++i) {
      size_t best = 0;
      for (size_t j = 1; j < other.layers.size(); ++j) {
        if (SimilarityOf(similarity, model, i, j) > SimilarityOf(similarity, model, i, best)) {
          best = j;
        }
      }
      const double highest = SimilarityOf(similarity, model, i, best);
      if (highest >= kFunctionKeptCosine * alignment.score) home_[i] = best;
      for (size_t j = 0; j < other.layers.size() && !own.empty(); ++j) {
        if (SameDigests(model.Layer(i), own, other.Layer(j), others)) {
          // Of equal layers the one that the alignment took.
          const bool equal_to_counterpart =
              counterpart_[i] &&
              SameDigests(model.Layer(i), own, other.Layer(*counterpart_[i]), others);
          home_[i] = equal_to_counterpart ? *counterpart_[i] : j;
          break;
        }
      }
      // What the alignment made of a layer that is far more like another one is no counterpart.
      if (counterpart_[i] && home_[i] && *home_[i] != *counterpart_[i] &&
          SimilarityOf(similarity, model, i, *counterpart_[i]) <
              kFunctionKeptCosine * SimilarityOf(similarity, model, i, *home_[i])) {
        counterpart_[i].reset();
      }
    }
  }

  size_t size() const { return home_.size(); }
  std::optional<size_t> Counterpart(size_t position) const { return counterpart_[position]; }
  std::optional<size_t> Home(size_t position) const { return home_[position]; }
  // Whether the layer of the other model has a counterpart here.
  bool IsTaken(size_t other) const {
    return std::find(counterpart_.begin(), counterpart_.end(), other) != counterpart_.end();
  }

 private:
  static bool SameDigests(const LayerResponse& layer, const LayerDigests& own,
                          const LayerResponse& other, const LayerDigests& others) {
    const auto in_own = own.find({layer.stack, layer.index});
    const auto in_others = others.find({other.stack, other.index});
    return in_own != own.end() && in_others != others.end() && in_own->second == in_others->second;
  }

  std::vector<std::optional<size_t>> counterpart_;
  std::vector<std::optional<size_t>> home_;
};

// Counterparts that do not lie in one order, and layers whose home is nobody else's counterpart.
bool InAnotherOrder(const Homes& homes) {
  size_t next = 0;
  for (size_t i = 0; i < homes.size(); ++i) {
    const auto counterpart = homes.Counterpart(i);
    if (!counterpart && homes.Home(i) && !homes.IsTaken(*homes.Home(i))) return true;
    if (counterpart && *counterpart < next) return true;
    if (counterpart) next = *counterpart;
  }
  return false;
}

std::vector<Finding> DescribeUnmatched(const Seen& model, const Homes& homes,
                                       const Fingerprint& other, Side side) {
  std::vector<size_t> repeated;
  std::vector<size_t> missing;
  for (size_t i = 0; i < homes.size(); ++i) {
    if (homes.Counterpart(i)) continue;
    if (!homes.Home(i)) {
      missing.push_back(model.layers[i]);
    } else if (homes.IsTaken(*homes.Home(i))) {
      repeated.push_back(model.layers[i]);
    }
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
    const Fingerprint& a, const Fingerprint& b, const std::vector<WeightPair>& pairs) {
  std::map<std::pair<uint64_t, uint64_t>, size_t> widths;
  for (const WeightPair& pair : pairs) {
    const WeightSummary& in_a = a.weights[pair.in_a];
    const WeightSummary& in_b = b.weights[pair.in_b];
    if (in_a.role.role != Role::kUp || in_a.is_vector) continue;
    if (in_a.rows != in_b.rows) ++widths[{in_a.rows, in_b.rows}];
  }
  return widths;
}

// Whether the larger matrices are the smaller ones with zeros around them: all have as many zero
// rows or columns as the shape grew by.
bool IsPadded(const Fingerprint& a, const Fingerprint& b, const std::vector<WeightPair>& pairs) {
  size_t grown = 0;
  const auto zeros_as = [](double zero_fraction, uint64_t larger, uint64_t smaller) {
    const auto missing = static_cast<double>(larger - smaller);
    return larger == smaller || zero_fraction * static_cast<double>(larger) >= missing - 0.5;
  };
  for (const WeightPair& pair : pairs) {
    const WeightSummary* larger = &a.weights[pair.in_a];
    const WeightSummary* smaller = &b.weights[pair.in_b];
    if (larger->is_vector || smaller->is_vector || SameShape(*larger, *smaller)) continue;
    if (!larger->role.layer) continue;  // tables have rows of their own
    if (larger->rows < smaller->rows || larger->columns < smaller->columns) {
      std::swap(larger, smaller);
    }
    if (larger->rows < smaller->rows || larger->columns < smaller->columns) return false;
    if (!zeros_as(larger->zero_row_fraction, larger->rows, smaller->rows) ||
        !zeros_as(larger->zero_column_fraction, larger->columns, smaller->columns)) {
      return false;
    }
    ++grown;
  }
  return grown > 0;
}

bool IsMixture(const Fingerprint& fingerprint) {
  return std::any_of(fingerprint.layers.begin(), fingerprint.layers.end(),
                     [](const LayerResponse& layer) { return layer.expert_count > 0; });
}

// Mean cosine of the experts' matrices with those of the dense block.
std::optional<double> ExpertsWithDense(const Fingerprint& a, const Fingerprint& b,
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

bool SameRows(const Fingerprint& a, const Fingerprint& b, const CommonAnchors& anchors) {
  for (size_t i = 0; i < anchors.in_a.size(); ++i) {
    if (a.anchor_tokens[anchors.in_a[i]] != b.anchor_tokens[anchors.in_b[i]]) return false;
  }
  return true;
}

std::string DescribeSizes(const Fingerprint& a, const Fingerprint& b, bool same_rows) {
  const bool larger_a = a.vocabulary_size > b.vocabulary_size;
  const Fingerprint& larger = larger_a ? a : b;
  const Fingerprint& smaller = larger_a ? b : a;
  return fmt::format(
      "{} has {} more rows in its vocabulary than {} ({} and {}); the rows of common tokens {}: "
      "{}.",
      larger.model_name, larger.vocabulary_size - smaller.vocabulary_size, smaller.model_name,
      larger.vocabulary_size, smaller.vocabulary_size,
      same_rows ? "are the same ones" : "lie elsewhere",
      same_rows ? "it was extended, or padded" : "one was trimmed or built anew");
}

}  // namespace

std::vector<Finding> FindLayerChanges(const Fingerprint& a, const Fingerprint& b,
                                      const LayerSimilarity& similarity,
                                      const LayerAlignment& alignment) {
  const Seen in_a{a, similarity.layer_of_row(), true};
  const Seen in_b{b, similarity.layer_of_column(), false};
  if (similarity.rows() == 0 || similarity.columns() == 0) return {};
  const bool deeper_a = similarity.rows() >= similarity.columns();
  const Seen& deeper = deeper_a ? in_a : in_b;
  const Seen& other = deeper_a ? in_b : in_a;
  const Homes homes(deeper, other, similarity, alignment);
  std::vector<Finding> findings;
  if (InAnotherOrder(homes)) {
    findings.push_back({.kind = FindingKind::kLayers,
                        .text = "The layers of the two models are in another order."});
  }
  if (similarity.rows() == similarity.columns()) return findings;
  for (Finding& finding :
       DescribeUnmatched(deeper, homes, other.fingerprint, deeper_a ? Side::kA : Side::kB)) {
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> FindWidthChanges(const Fingerprint& a, const Fingerprint& b,
                                      const LayerMap& layers, const SketchComparison& sketches) {
  std::vector<Finding> findings;
  const auto pairs = PairWeights(a, b, layers);
  const bool padded = IsPadded(a, b, pairs);
  if (a.hidden_size != b.hidden_size) {
    findings.push_back(
        {.kind = FindingKind::kWidth,
         .text =
             fmt::format("The hidden size is {} in {} and {} in {}{}.", a.hidden_size, a.model_name,
                         b.hidden_size, b.model_name, padded ? ": it was padded with zeros" : ""),
         .derived = padded ? std::optional(a.hidden_size > b.hidden_size ? Side::kA : Side::kB)
                           : std::nullopt});
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
  for (const auto& [widths, count] : FeedForwardWidths(a, b, pairs)) {
    findings.push_back(
        {.kind = FindingKind::kWidth,
         .text = fmt::format("The feed-forward of {} has {} hidden units, that of {} {}: {}.",
                             a.model_name, widths.first, b.model_name, widths.second,
                             padded ? "it was padded with zeros" : "units were removed or added"),
         .derived = padded ? std::optional(widths.first > widths.second ? Side::kA : Side::kB)
                           : std::nullopt});
  }
  return findings;
}

std::vector<Finding> FindVocabularyChanges(const Fingerprint& a, const Fingerprint& b,
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

namespace {

void AddTableChange(const std::optional<VocabularyPair>& table, std::string_view name,
                    std::vector<Finding>& findings) {
  if (!table || table->relative_change <= kUnchanged) return;
  const std::string how =
      table->cosine < kBasisLostCosine
          ? fmt::format("was replaced (cosine {:.2f})", table->cosine)
          : fmt::format("changed by {:.2g} of its norm", table->relative_change);
  findings.push_back({.kind = FindingKind::kVocabulary,
                      .text = fmt::format("The {} of the common tokens {}.", name, how)});
}

}  // namespace

std::vector<Finding> FindEmbeddingChange(const SketchComparison& sketches) {
  std::vector<Finding> findings;
  AddTableChange(sketches.embedding, "embedding", findings);
  AddTableChange(sketches.head, "output head", findings);
  return findings;
}

}  // namespace tensorguard::internal

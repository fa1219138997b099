#include "comparison/weight_agreement.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "comparison/thresholds.h"

namespace tensorguard {

bool RepeatsEmbedding(const FullFingerprint& model, const WeightSummary& weight) {
  return weight.role.role == Role::kOutputHead && !weight.is_vector &&
         std::any_of(model.weights.begin(), model.weights.end(), [&](const WeightSummary& other) {
           return other.role.role == Role::kEmbedding && other.digest == weight.digest &&
                  SameShape(other, weight);
         });
}

namespace {

// Without a head that is the embedding again.
size_t OwnWeights(const FullFingerprint& model) {
  return model.weights.size() -
         static_cast<size_t>(std::count_if(
             model.weights.begin(), model.weights.end(),
             [&](const WeightSummary& weight) { return RepeatsEmbedding(model, weight); }));
}

bool IsTied(const FullFingerprint& model) {
  return model.tied_head || OwnWeights(model) < model.weights.size();
}

bool EqualDigests(const FullFingerprint& a, const FullFingerprint& b) {
  auto pairs = PairWeights(a, b, LayersByIndex(a, b));
  std::erase_if(pairs, [&](const WeightPair& pair) {
    return RepeatsEmbedding(a, a.weights[pair.in_a]) && RepeatsEmbedding(b, b.weights[pair.in_b]);
  });
  return pairs.size() == OwnWeights(a) &&
         std::all_of(pairs.begin(), pairs.end(), [&](const WeightPair& pair) {
           return a.weights[pair.in_a].digest == b.weights[pair.in_b].digest &&
                  SameShape(a.weights[pair.in_a], b.weights[pair.in_b]);
         });
}

// Vocabulary tables have no sketch of their own among the pairs.
bool TablesEqualToRounding(const FullFingerprint& a, const FullFingerprint& b,
                           const SketchComparison& sketches) {
  if (a.vocabulary_size != b.vocabulary_size || IsTied(a) != IsTied(b)) return false;
  const double rounding = UnitRoundoff("BF16");
  for (const auto& table : {sketches.embedding, sketches.head}) {
    if (table && table->relative_change > rounding) return false;
  }
  return sketches.embedding.has_value();
}

bool EqualToRounding(const FullFingerprint& a, const FullFingerprint& b,
                     const SketchComparison& sketches) {
  double sum = 0;
  double squares = 0;
  double count = 0;
  size_t tables = 0;
  for (const WeightSummary& weight : a.weights) {
    tables += weight.sketch.rows() == 0 && !RepeatsEmbedding(a, weight) ? 1 : 0;
  }
  if (sketches.pairs.size() + tables != OwnWeights(a)) return false;
  for (const SketchPair& pair : sketches.pairs) {
    if (pair.equal) continue;
    const double rounding = std::max(UnitRoundoff(a.weights[pair.weights.in_a].dtype),
                                     UnitRoundoff(b.weights[pair.weights.in_b].dtype));
    if (pair.relative_change > rounding) return false;
    if (!pair.learned) continue;
    sum += pair.relative_change;
    squares += pair.relative_change * pair.relative_change;
    ++count;
  }
  if (count == 0) return true;
  const double mean = sum / count;
  return std::sqrt(std::max(0.0, squares / count - mean * mean)) <= kEvenChange * mean;
}

}  // namespace

double UnitRoundoff(std::string_view dtype) {
  if (dtype == "BF16") return std::ldexp(1.0, -8);
  if (dtype == "F16") return std::ldexp(1.0, -11);
  return std::ldexp(1.0, -24);
}

WeightAgreement AgreementOf(const FullFingerprint& a, const FullFingerprint& b,
                            const SketchComparison& sketches) {
  if (a.weights.empty() || OwnWeights(a) != OwnWeights(b)) return WeightAgreement::kDifferent;
  if (EqualDigests(a, b)) return WeightAgreement::kEqual;
  return TablesEqualToRounding(a, b, sketches) && EqualToRounding(a, b, sketches)
             ? WeightAgreement::kEqualToRounding
             : WeightAgreement::kDifferent;
}

}  // namespace tensorguard

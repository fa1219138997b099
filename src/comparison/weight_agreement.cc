#include "comparison/weight_agreement.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "comparison/thresholds.h"

namespace tensorguard::internal {

bool RepeatsEmbedding(const Fingerprint& model, const WeightSummary& weight) {
  return weight.role.role == Role::kOutputHead && !weight.is_vector &&
         std::any_of(model.weights.begin(), model.weights.end(), [&](const WeightSummary& other) {
           return other.role.role == Role::kEmbedding && other.digest == weight.digest &&
                  SameShape(other, weight);
         });
}

namespace {

// Without a head that is the embedding again.
size_t OwnWeights(const Fingerprint& model) {
  return model.weights.size() -
         static_cast<size_t>(std::count_if(
             model.weights.begin(), model.weights.end(),
             [&](const WeightSummary& weight) { return RepeatsEmbedding(model, weight); }));
}

// Of layers whose experts are weights of their own, all of them.
bool HasEveryExpert(const Fingerprint& model) {
  std::map<std::pair<std::string_view, uint32_t>, std::set<uint32_t>> experts;
  for (const WeightSummary& weight : model.weights) {
    const TensorRole& role = weight.role;
    if (role.expert && role.layer) experts[{role.stack, *role.layer}].insert(*role.expert);
  }
  return std::all_of(model.layers.begin(), model.layers.end(), [&](const LayerResponse& layer) {
    const auto found = experts.find({layer.stack, layer.index});
    return found == experts.end() || found->second.size() >= layer.expert_count;
  });
}

// Pairs that account for every weight of both sides; empty if some weight has no counterpart.
std::vector<WeightPair> PairEveryWeight(const Fingerprint& a, const Fingerprint& b) {
  if (OwnWeights(a) != OwnWeights(b) || !HasEveryExpert(a) || !HasEveryExpert(b)) return {};
  auto pairs = PairWeights(a, b, LayersByIndex(a, b));
  std::erase_if(pairs, [&](const WeightPair& pair) {
    return RepeatsEmbedding(a, a.weights[pair.in_a]) && RepeatsEmbedding(b, b.weights[pair.in_b]);
  });
  std::set<size_t> in_b;
  for (const WeightPair& pair : pairs) in_b.insert(pair.in_b);
  const bool complete = pairs.size() == OwnWeights(a) && in_b.size() == pairs.size() &&
                        std::all_of(pairs.begin(), pairs.end(), [&](const WeightPair& pair) {
                          return SameShape(a.weights[pair.in_a], b.weights[pair.in_b]);
                        });
  return complete ? pairs : std::vector<WeightPair>();
}

bool IsRoundedTo(const WeightSummary& wide, const WeightSummary& narrow) {
  if (wide.dtype == narrow.dtype) return false;
  if (narrow.dtype == "BF16") return wide.digest_as_bfloat16 == narrow.digest;
  if (narrow.dtype == "F16") return wide.digest_as_float16 == narrow.digest;
  return false;
}

// A table without a sketch of its own, by its anchors' rows.
bool TableWithinRounding(const std::optional<VocabularyPair>& table, double rounding) {
  return table && table->relative_change <= rounding;
}

double RoundingOf(const WeightSummary& a, const WeightSummary& b) {
  return std::max(UnitRoundoff(a.dtype), UnitRoundoff(b.dtype));
}

// All by the same share of themselves.
bool IsEven(const std::vector<double>& changes) {
  if (changes.empty()) return true;
  double sum = 0;
  double squares = 0;
  for (const double change : changes) {
    sum += change;
    squares += change * change;
  }
  const auto count = static_cast<double>(changes.size());
  const double mean = sum / count;
  return std::sqrt(std::max(0.0, squares / count - mean * mean)) <= kEvenChange * mean;
}

}  // namespace

double UnitRoundoff(std::string_view dtype) {
  if (dtype == "BF16") return std::ldexp(1.0, -8);
  if (dtype == "F16") return std::ldexp(1.0, -11);
  return std::ldexp(1.0, -24);
}

WeightAgreement AgreementOf(const Fingerprint& a, const Fingerprint& b,
                            const SketchComparison& /*sketches*/) {
  const auto pairs = PairEveryWeight(a, b);
  if (pairs.empty()) return WeightAgreement::kDifferent;
  bool equal = true;
  for (const WeightPair& pair : pairs) {
    const WeightSummary& in_a = a.weights[pair.in_a];
    const WeightSummary& in_b = b.weights[pair.in_b];
    if (in_a.digest == in_b.digest) continue;
    if (!IsRoundedTo(in_a, in_b) && !IsRoundedTo(in_b, in_a)) return WeightAgreement::kDifferent;
    equal = false;
  }
  return equal ? WeightAgreement::kEqual : WeightAgreement::kEqualToRounding;
}

bool ConsistentWithRounding(const Fingerprint& a, const Fingerprint& b,
                            const SketchComparison& sketches) {
  const auto pairs = PairEveryWeight(a, b);
  if (pairs.empty()) return false;
  std::map<std::pair<size_t, size_t>, const SketchPair*> sketched;
  for (const SketchPair& pair : sketches.pairs) {
    sketched[{pair.weights.in_a, pair.weights.in_b}] = &pair;
  }
  std::vector<double> changes;
  for (const WeightPair& pair : pairs) {
    const WeightSummary& in_a = a.weights[pair.in_a];
    const WeightSummary& in_b = b.weights[pair.in_b];
    if (in_a.digest == in_b.digest) continue;
    if (in_a.dtype == in_b.dtype) return false;
    const double rounding = RoundingOf(in_a, in_b);
    const auto found = sketched.find({pair.in_a, pair.in_b});
    if (found == sketched.end()) {
      const Role role = in_a.role.role;
      const bool within =
          (role == Role::kEmbedding && TableWithinRounding(sketches.embedding, rounding)) ||
          (role == Role::kOutputHead && TableWithinRounding(sketches.head, rounding));
      if (!within) return false;
      continue;
    }
    if (found->second->relative_change > rounding) return false;
    if (found->second->learned) changes.push_back(found->second->relative_change);
  }
  return IsEven(changes);
}

}  // namespace tensorguard::internal

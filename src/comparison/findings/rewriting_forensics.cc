#include "comparison/findings/rewriting_forensics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

// What became of the matrices of one role.
struct Moved {
  size_t matrices = 0;
  size_t changed = 0;
  size_t same_values = 0;  // of the changed: the same numbers at other places
  size_t same_norm = 0;    // of the changed
};

// Quantiles are those of a sample in large matrices; these are exact.
bool SameValues(const WeightSummary& a, const WeightSummary& b) {
  const auto near = [](double x, double y, double size) {
    return std::abs(x - y) <= kSameNumbers * size;
  };
  const double size = std::max(std::abs(a.quantiles.front()), std::abs(a.quantiles.back()));
  return near(a.norm, b.norm, a.norm) && near(a.mean, b.mean, size) &&
         near(a.quantiles.front(), b.quantiles.front(), size) &&
         near(a.quantiles.back(), b.quantiles.back(), size);
}

std::map<Role, Moved> MovedByRole(const Fingerprint& a, const Fingerprint& b,
                                  const SketchComparison& sketches) {
  std::map<Role, Moved> roles;
  for (const SketchPair& pair : sketches.pairs) {
    const WeightSummary& in_a = a.weights[pair.weights.in_a];
    const WeightSummary& in_b = b.weights[pair.weights.in_b];
    const bool gain = in_a.role.role == Role::kNorm && !in_a.role.is_bias;
    if (!pair.learned && !gain) continue;
    Moved& moved = roles[in_a.role.role];
    ++moved.matrices;
    if (pair.equal || pair.relative_change <= kScaledResidual) continue;
    ++moved.changed;
    if (SameValues(in_a, in_b)) ++moved.same_values;
    if (std::abs(in_a.norm - in_b.norm) <= kScaledResidual * in_a.norm) ++moved.same_norm;
  }
  return roles;
}

class Rewriting {
 public:
  explicit Rewriting(std::map<Role, Moved> roles) : roles_(std::move(roles)) {}

  // Most of what these roles hold changed.
  bool Changed(std::initializer_list<Role> some) const {
    const Moved sum = SumOf(some);
    return 2 * sum.changed > sum.matrices;
  }
  // Hardly any of it did.
  bool Stayed(std::initializer_list<Role> some) const {
    const Moved sum = SumOf(some);
    return 10 * sum.changed <= sum.matrices;
  }
  bool Permuted(std::initializer_list<Role> some) const {
    const Moved sum = SumOf(some);
    return sum.changed > 0 && 10 * sum.same_values >= 9 * sum.changed;
  }
  bool KeptNorms(std::initializer_list<Role> some) const {
    const Moved sum = SumOf(some);
    return sum.changed > 0 && 10 * sum.same_norm >= 9 * sum.changed;
  }

 private:
  Moved SumOf(std::initializer_list<Role> some) const {
    Moved sum;
    for (const Role role : some) {
      const auto found = roles_.find(role);
      if (found == roles_.end()) continue;
      sum.matrices += found->second.matrices;
      sum.changed += found->second.changed;
      sum.same_values += found->second.same_values;
      sum.same_norm += found->second.same_norm;
    }
    return sum;
  }

  std::map<Role, Moved> roles_;
};

constexpr std::initializer_list<Role> kReaders = {Role::kQuery,       Role::kKey, Role::kValue,
                                                  Role::kGate,        Role::kUp,  Role::kQueryDown,
                                                  Role::kKeyValueDown};
constexpr std::initializer_list<Role> kWriters = {Role::kOutputProjection, Role::kDown};
constexpr std::initializer_list<Role> kAll = {
    Role::kQuery,     Role::kKey,          Role::kValue,
    Role::kGate,      Role::kUp,           Role::kDown,
    Role::kQueryDown, Role::kKeyValueDown, Role::kOutputProjection};

// In place of "permuted", "rotated" or "rescaled", what the numbers of these roles allow.
std::string HowMoved(const Rewriting& rewriting, std::initializer_list<Role> roles) {
  if (rewriting.Permuted(roles)) return "permuted";
  return rewriting.KeptNorms(roles) ? "rotated" : "rescaled or mixed";
}

// The residual stream in another basis moves the embedding as well, and all that reads or writes.
bool StreamMoved(const Rewriting& rewriting, const SketchComparison& sketches) {
  const bool embedding = !sketches.embedding || sketches.embedding->relative_change > kUnchanged;
  return embedding && rewriting.Changed(kReaders) && rewriting.Changed(kWriters);
}

std::vector<std::string> PartsInside(const Rewriting& rewriting) {
  std::vector<std::string> parts;
  if (rewriting.Changed({Role::kNorm}) && rewriting.Changed(kReaders) &&
      rewriting.Stayed(kWriters)) {
    return {"norm gains were moved into the matrices that read what they scale"};
  }
  const std::initializer_list<Role> scores = {Role::kQuery, Role::kKey, Role::kQueryUp};
  if (rewriting.Changed(scores)) {
    parts.push_back(fmt::format("query and key were {} together inside their heads",
                                HowMoved(rewriting, scores)));
  }
  const std::initializer_list<Role> values = {Role::kValue, Role::kOutputProjection};
  if (rewriting.Changed(values)) {
    parts.push_back(fmt::format("value and output were {} together inside their heads",
                                HowMoved(rewriting, values)));
  }
  // A scale may move between up and down alone.
  const std::initializer_list<Role> units = {Role::kUp, Role::kDown};
  if (rewriting.Changed(units)) {
    parts.push_back(
        fmt::format("hidden units were {}",
                    rewriting.Permuted(units) ? "permuted" : "rescaled, or permuted and rescaled"));
  }
  return parts;
}

std::string HowRewritten(const Rewriting& rewriting, const SketchComparison& sketches) {
  if (StreamMoved(rewriting, sketches)) {
    if (rewriting.Permuted(kAll)) {
      return "rows and columns were permuted, those of the residual stream among them";
    }
    return rewriting.KeptNorms(kWriters)
               ? "the residual stream was rotated"
               : "the residual stream was permuted or rotated, and scales moved between matrices";
  }
  std::string text;
  for (const std::string& part : PartsInside(rewriting)) text += (text.empty() ? "" : "; ") + part;
  return text.empty() ? "permuted, rotated or rescaled" : text;
}

}  // namespace

Finding NameBasisChange(const Fingerprint& a, const Fingerprint& b, const BasisChange& change,
                        const SketchComparison& sketches, double kernels) {
  std::string parts;
  for (const ResponseKind kind : change.lost_parts) {
    if (!parts.empty()) parts += ", ";
    parts += ResponseKindName(kind);
  }
  const Rewriting rewriting(MovedByRole(a, b, sketches));
  return {
      .kind = FindingKind::kBasis,
      .text = fmt::format("{} (kernels {:.3f}, weights {:.3f}): {}.",
                          parts.empty() ? "The function stayed, the weights did not"
                                        : "The weights changed beyond their function in " + parts,
                          kernels, sketches.cosine, HowRewritten(rewriting, sketches))};
}

}  // namespace tensorguard::internal

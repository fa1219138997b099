// What two models of one family are to each other, as far as a family tree needs it.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_KINSHIP_H_
#define TENSORGUARD_FAMILIES_LINEAGE_KINSHIP_H_

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// How far two copies are from each other that were each rounded to bfloat16, of their norm: 0.0023
// where the numbers before differed by more than the grid.
inline constexpr double kStoredAnew = 0.0025;

struct Kinship {
  bool related = false;        // one comes from the other, or both from one
  bool same_function = false;  // copies, or one function in two bases: no order by itself
  double score = 0;
  // |b - a|^2 over |a| |b|, of the matrices that both have in one basis; empty without any.
  std::optional<double> distance = {};
  double answers = 2;  // 1 - cosine of what the layers answer; 2 where that was not compared
  // Natural logarithms of the odds that b came after a: by what was left out or added, and by all
  // signs; and whether the two alone show it.
  double odds_by_steps = 0;
  double odds = 0;
  std::optional<Side> told = {};
  std::vector<DirectionSign> signs = {};
  // Squared distance of each learned matrix, in the order of a's; empty unless all of both models
  // are counterparts in one basis.
  std::vector<double> squared_distances = {};
};

Kinship KinshipOf(const Fingerprint& a, const Fingerprint& b, const Comparison& comparison);

// Squared norms of the learned matrices, in their order.
std::vector<double> SquaredNormsOf(const Fingerprint& model);

// Of every two models that were compared. Asked either way round; the odds turn with it.
class Kinships {
 public:
  // REQUIRES: first < second.
  void Add(size_t first, size_t second, Kinship kinship) {
    pairs_.insert_or_assign({first, second}, std::move(kinship));
  }
  // Null for two that were not compared.
  const Kinship* Between(size_t a, size_t b) const {
    const auto found = pairs_.find({a < b ? a : b, a < b ? b : a});
    return found == pairs_.end() ? nullptr : &found->second;
  }
  // That `later` came after `earlier`; 0 where nothing says so.
  double Odds(size_t earlier, size_t later) const;
  double OddsBySteps(size_t earlier, size_t later) const;
  bool Told(size_t earlier, size_t later) const;
  // With `earlier` as kA and `later` as kB.
  std::vector<DirectionSign> SignsBetween(size_t earlier, size_t later) const;

  const std::map<std::pair<size_t, size_t>, Kinship>& pairs() const { return pairs_; }

 private:
  std::map<std::pair<size_t, size_t>, Kinship> pairs_;
};

// Compares the models of each pair, first < second. `go_on` is asked before each; an error of it
// ends the work. Errors: also those of CompareFingerprints.
Result<Kinships> CompareInPairs(std::span<const Fingerprint* const> models,
                                std::span<const std::pair<size_t, size_t>> pairs, unsigned threads,
                                const std::function<Result<void>()>& go_on = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_LINEAGE_KINSHIP_H_

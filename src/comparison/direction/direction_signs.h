// What shows which of two compared models is the later one.
#ifndef TENSORGUARD_COMPARISON_DIRECTION_DIRECTION_SIGNS_H_
#define TENSORGUARD_COMPARISON_DIRECTION_DIRECTION_SIGNS_H_

#include <optional>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "comparison/direction/direction.h"
#include "comparison/direction/weight_course.h"

namespace tensorguard::internal {

// Two models of one origin, seen from the one that may be the later one.
struct LaterModel {
  const Fingerprint& model;
  const Fingerprint& other;
  Side side;
};

// Whether something of that kind was done to that side.
bool HasFinding(const Comparison& comparison, FindingKind kind, Side side);

// All that is compared; `comparison` has its verdict and findings. A step that leaves numbers out
// weighs much where it explains all that the models differ by, and little where they differ by
// more: a sibling of the other model has the same sign.
std::vector<DirectionSign> FindDirectionSigns(const Fingerprint& a, const Fingerprint& b,
                                              const Comparison& comparison);

// Of the numbers: rounded, put to zero, projected, of low rank, grown. `course` may be empty.
std::vector<DirectionSign> NumberSigns(const Fingerprint& a, const Fingerprint& b,
                                       const Comparison& comparison,
                                       const std::optional<WeightCourse>& course);

// Of the build: layers, vocabulary, experts, gains. `unchanged`: the matrices that both have are
// the same.
std::vector<DirectionSign> BuildSigns(const Fingerprint& a, const Fingerprint& b,
                                      const Comparison& comparison, bool unchanged);

// docs/lineage.md#signs. Weight of a step that explains all that two models differ by; of one that
// is there beside other changes; of an addition, which could have been a removal.
inline constexpr double kExplainsAll = 4.5;
inline constexpr double kBesideOthers = 1;
inline constexpr double kAddedOrRemoved = 0.6;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_DIRECTION_DIRECTION_SIGNS_H_

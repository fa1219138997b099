// Which part of a model is read for a fingerprint: all of it, or what a budget of bytes allows.
#ifndef TENSORGUARD_PROFILE_READING_PLAN_H_
#define TENSORGUARD_PROFILE_READING_PLAN_H_

#include <cstdint>
#include <vector>

#include "network/network.h"
#include "profile/response_kernels.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ReadingPlan {
  std::vector<AskedParts> layers;  // of NetworkDescription::layers: which kernels are computed
  std::vector<bool> weights;       // of Network::weights(): which are measured
  uint64_t bytes = 0;              // stored bytes of all that, and of the anchors' rows
};

// Every layer and every weight.
ReadingPlan PlanOfAll(const Network& network);

// The rows of `anchors` tokens first; then whole kernels, layer by layer from both ends inward
// (0, last, 1, last but one ...: what a change of depth leaves in place), of one layer the cheapest
// first; then single matrices that still fit, in the same order, for their sketches. Errors:
// kUsage if not even the rows of the anchors fit.
Result<ReadingPlan> PlanWithin(const Network& network, size_t anchors, uint64_t budget_bytes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_READING_PLAN_H_

// What is still found of a model after each change.
#ifndef TENSORGUARD_API_CHANGES_STRESS_TRIAL_H_
#define TENSORGUARD_API_CHANGES_STRESS_TRIAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/session.h"
#include "tensorguard/result.h"
#include "transform/stress/stress.h"

namespace tensorguard::internal {

struct StressRequest {
  std::string model;
  std::optional<std::string> base = {};   // where the model is an adapter
  std::vector<std::string> against = {};  // other models
  // Each a change, or several joined by '+'; a name without a strength means each strength that it
  // is tried at. None: all.
  std::vector<std::string> changes = {};
  bool deep = false;
  bool search = false;
  uint64_t seed = 0;
  unsigned threads = 0;  // 0: one per processor
};

// Errors: those of CheckBase, ParseChanges, OpenWithBase and StressModel.
Result<StressReport> RunStressTrial(const StressRequest& request, const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_CHANGES_STRESS_TRIAL_H_

// (IA)^3: vectors that rescale the inputs or outputs of a base's matrices.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_IA3_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_IA3_H_

#include <map>
#include <string>

#include "tensorguard/result.h"
#include "weights/adapters/adapter_config.h"
#include "weights/adapters/merge_plan.h"

namespace tensorguard::internal {

// Plans the edit of every module's weight and, where outputs are scaled and there is one, bias.
// `modules` holds the index of each module's vector among the adapter's tensors. Errors: kMismatch,
// kUnsupported as PlanLora; kBadFile if a vector's shape breaks the format.
Result<void> PlanIa3(const AdapterConfig& config, const std::map<std::string, size_t>& modules,
                     MergePlan& plan);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_IA3_H_

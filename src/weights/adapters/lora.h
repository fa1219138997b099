// LoRA and DoRA: low-rank matrices that an adapter adds to matrices of its base.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_LORA_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_LORA_H_

#include <map>
#include <string>

#include "tensorguard/result.h"
#include "weights/adapters/adapter_config.h"
#include "weights/adapters/adapter_names.h"
#include "weights/adapters/merge_plan.h"

namespace tensorguard::internal {

// Per module the index of each of its parts among the adapter's tensors.
using ModuleParts = std::map<AdapterPart, size_t>;

// Plans the edit of every module's weight and bias. Errors: kBadFile (an incomplete pair, matrices
// of another rank than the config says), kMismatch (a module that the base has not, or of another
// shape), kUnsupported (a target that is no matrix of floating-point numbers).
Result<void> PlanLora(const AdapterConfig& config,
                      const std::map<std::string, ModuleParts>& modules, MergePlan& plan);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_LORA_H_

// LoRA of the stacked experts of a mixture, which are one parameter each in the model's class and
// may be a matrix an expert in its files.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_EXPERT_LORA_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_EXPERT_LORA_H_

#include <map>
#include <string>

#include "tensorguard/result.h"
#include "weights/adapters/adapter_config.h"
#include "weights/adapters/lora.h"
#include "weights/adapters/merge_plan.h"

namespace tensorguard::internal {

// Takes the pairs of target_parameters out of `modules` and plans their edits. A module with two
// such parameters holds one pair as "MODULE" and the other as "MODULE.base_layer"; which is whose
// follows from the shapes, or from the order in which they wrap each other. Errors: kBadFile (an
// incomplete pair, a rank that does not divide), kMismatch (experts that the base has not, or of
// another shape), kUnsupported (DoRA or biases; weights that are no floating-point numbers).
Result<void> PlanExpertLora(const AdapterConfig& config,
                            std::map<std::string, ModuleParts>& modules, MergePlan& plan);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_EXPERT_LORA_H_

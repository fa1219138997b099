// Adapters that hold rows of a table: trained tokens.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_TRAINED_ROWS_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_TRAINED_ROWS_H_

#include <map>
#include <string>
#include <string_view>

#include "tensorguard/result.h"
#include "weights/adapters/adapter_config.h"
#include "weights/adapters/merge_plan.h"

namespace tensorguard::internal {

// The module whose rows the tensor of that name holds; empty if it holds none.
std::string ModuleOfTrainedRows(std::string_view name);

// Plans the exchange of the rows that token_indices or trainable_token_indices names. `modules`:
// index of each module's rows among the adapter's tensors. Errors: kBadFile (the file holds not as
// many rows as the config names, a row is named twice), kMismatch (a table that the base has not,
// or of another shape).
Result<void> PlanTrainedRows(const AdapterConfig& config,
                             const std::map<std::string, size_t>& modules, MergePlan& plan);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_TRAINED_ROWS_H_

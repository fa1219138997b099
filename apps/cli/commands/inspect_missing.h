// What a model lacks, told without reading all of its weights.
#ifndef TENSORGUARD_CLI_COMMANDS_INSPECT_MISSING_H_
#define TENSORGUARD_CLI_COMMANDS_INSPECT_MISSING_H_

#include <string>
#include <vector>

#include "cli/output/json_output.h"
#include "model/model.h"
#include "network/missing_parts.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

// Parts that the config or the other layers show to be missing, then those whose matrices are
// zeros: some numbers of each matrix are read, all over it, until one is none. Of a model that
// lies elsewhere no numbers are read. Errors: those of Network::Build, where it cannot be told what
// belongs to the model; those of reading.
Result<std::vector<MissingPart>> WhatIsMissing(const Model& model);

// A row of the summary for each part, or for why it could not be told; none for a whole model.
std::vector<std::vector<std::string>> MissingRows(const Result<std::vector<MissingPart>>& missing);

// [{"what", "found", "expected"}], or null where it could not be told.
OrderedJson MissingToJson(const Result<std::vector<MissingPart>>& missing);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_COMMANDS_INSPECT_MISSING_H_

// What inspect says of a model's tokenizer.
#ifndef TENSORGUARD_CLI_OUTPUT_TOKENIZER_SUMMARY_H_
#define TENSORGUARD_CLI_OUTPUT_TOKENIZER_SUMMARY_H_

#include <cstddef>
#include <optional>
#include <string>

#include "cli/output/json_output.h"
#include "model/model.h"
#include "tensorguard/error.h"

namespace tensorguard::internal::cli {

struct TokenizerSummary {
  std::string kind;
  size_t tokens = 0;
  size_t anchors = 0;
  std::string file;
};

// At most one of the two is there; none where the model has no tokenizer.
struct TokenizerReading {
  std::optional<TokenizerSummary> summary;
  std::optional<Error> problem;  // why it could not be read, which is no failure of the command
};

TokenizerReading ReadTokenizer(const Model& model);

// "byte-level BPE, 768 tokens, 123 anchors", "none" or "not readable".
std::string TokenizerText(const TokenizerReading& reading);

// An object, or null.
OrderedJson TokenizerToJson(const TokenizerReading& reading);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_TOKENIZER_SUMMARY_H_

// What there is to say of a model's tokenizer.
#ifndef TENSORGUARD_API_INSPECTION_TOKENIZER_SUMMARY_H_
#define TENSORGUARD_API_INSPECTION_TOKENIZER_SUMMARY_H_

#include <cstddef>
#include <optional>
#include <string>

#include "model/model.h"
#include "tensorguard/error.h"

namespace tensorguard::internal {

struct TokenizerSummary {
  std::string kind;
  size_t tokens = 0;
  size_t anchors = 0;
  std::string file;
};

// At most one of the two is there; none where the model has no tokenizer.
struct TokenizerReading {
  std::optional<TokenizerSummary> summary;
  std::optional<Error> problem;  // why it could not be read, which is no failure of the inspection
};

TokenizerReading ReadTokenizer(const Model& model);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_INSPECTION_TOKENIZER_SUMMARY_H_

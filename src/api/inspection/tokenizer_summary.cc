#include "api/inspection/tokenizer_summary.h"

#include "tokenizers/anchors.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

TokenizerReading ReadTokenizer(const Model& model) {
  auto vocabulary = ReadVocabulary(model.tokenizer_folder, *model.files);
  if (vocabulary) {
    return {.summary = TokenizerSummary{.kind = std::string(TokenizerKindName(vocabulary->kind)),
                                        .tokens = vocabulary->tokens.size(),
                                        .anchors = FindAnchors(*vocabulary).size(),
                                        .file = vocabulary->file},
            .problem = {}};
  }
  if (vocabulary.error().kind == ErrorKind::kNotFound) return {};
  return {.summary = {}, .problem = std::move(vocabulary).error()};
}

}  // namespace tensorguard::internal

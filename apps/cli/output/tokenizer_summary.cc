#include "cli/output/tokenizer_summary.h"

#include <fmt/format.h>

#include "cli/output/text_layout.h"
#include "tokenizers/anchors.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal::cli {

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

std::string TokenizerText(const TokenizerReading& reading) {
  if (reading.problem) return "not readable";
  if (!reading.summary) return "none";
  return fmt::format("{}, {} tokens, {} anchors", reading.summary->kind,
                     WithThousands(reading.summary->tokens),
                     WithThousands(reading.summary->anchors));
}

OrderedJson TokenizerToJson(const TokenizerReading& reading) {
  if (!reading.summary) return nullptr;
  return {{"kind", reading.summary->kind},
          {"tokens", reading.summary->tokens},
          {"anchors", reading.summary->anchors},
          {"file", reading.summary->file}};
}

}  // namespace tensorguard::internal::cli

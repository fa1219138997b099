// Any bytes as a tokenizer.json: never a crash, and what is accepted is a vocabulary no larger than
// the input.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/vocabulary_checks.h"
#include "tokenizers/files/tokenizer_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const auto vocabulary = tensorguard::internal::ParseTokenizerJson(
      std::string_view(reinterpret_cast<const char*>(input), size));
  if (vocabulary) {
    tensorguard::internal::CheckVocabulary(*vocabulary, size);
  } else {
    tensorguard::internal::CheckRefused(vocabulary.error(), size);
  }
  return 0;
}

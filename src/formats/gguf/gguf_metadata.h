// The key/value section of a GGUF file: what kind of model it is, and its vocabulary.
#ifndef TENSORGUARD_FORMATS_GGUF_GGUF_METADATA_H_
#define TENSORGUARD_FORMATS_GGUF_GGUF_METADATA_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/gguf/gguf_cursor.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Integers that are not negative are uint64_t whatever their width in the file; arrays of numbers
// or flags are float64.
using GgufValue = std::variant<bool, uint64_t, int64_t, double, std::string, std::vector<double>,
                               std::vector<std::string>>;

// Kept are: flags, numbers, texts of up to kLongestKeptTextBytes, arrays of up to
// kMostKeptElements numbers, and of the tokenizer its tokens and their types. Everything else
// (merges, scores, templates) is checked and passed over.
class GgufMetadata {
 public:
  static constexpr uint64_t kLongestKeptTextBytes = 4096;
  static constexpr uint64_t kMostKeptElements = 8192;
  static constexpr uint64_t kMostTokens = 1 << 24;
  static constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
  static constexpr std::string_view kTokenTypes = "tokenizer.ggml.token_type";

  // Empty, or null, where the key is absent or holds another kind of value.
  std::optional<std::string> Text(std::string_view key) const;
  std::optional<uint64_t> Number(std::string_view key) const;  // not negative
  std::optional<double> Real(std::string_view key) const;      // any number
  std::optional<bool> Flag(std::string_view key) const;
  const std::vector<double>* Numbers(std::string_view key) const;
  const std::vector<std::string>* Texts(std::string_view key) const;

  const std::map<std::string, GgufValue, std::less<>>& values() const { return values_; }

  // Reads `count` keys and their values. Errors: kBadFile, with the key and the byte, for a key
  // that is empty, too long, not UTF-8 or there twice, an unknown type, a count that the file
  // cannot hold; kUnsupported for an array of arrays; those of GgufCursor.
  static Result<GgufMetadata> Read(GgufCursor& cursor, uint64_t count);

 private:
  template <typename T>
  const T* Find(std::string_view key) const;

  std::map<std::string, GgufValue, std::less<>> values_;
};

// Longest key and longest name of a tensor.
inline constexpr uint64_t kGgufLongestNameBytes = 65535;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_GGUF_GGUF_METADATA_H_

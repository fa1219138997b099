// Strict JSON from files we did not write.
#ifndef TENSORGUARD_BASE_JSON_H_
#define TENSORGUARD_BASE_JSON_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/file_store.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

using Json = nlohmann::json;

inline constexpr uint64_t kSmallJsonLimitBytes = 16ull << 20;
// The index of a model with 100,000 tensors is 12 MB. A parsed document takes up to thirty times
// the memory of its text.
inline constexpr uint64_t kIndexJsonLimitBytes = 64ull << 20;

// Parses one JSON document. Refuses, with the byte offset: text that is not UTF-8 or not JSON,
// duplicate keys (a library that keeps the last one would read a different model than one that
// keeps the first), and nesting deeper than 64. Python's NaN and Infinity, which json.dump writes
// into some config.json files, are accepted where a value may stand and become null.
Result<Json> ParseJson(std::string_view text);

// ReadSmallFile and ParseJson; recognises a Git LFS pointer. The error names the file.
Result<Json> ReadJsonFile(const std::filesystem::path& path,
                          uint64_t limit_bytes = kSmallJsonLimitBytes);

// The same of a file in `files`.
Result<Json> ReadJsonFile(const FileStore& files, const std::filesystem::path& path,
                          uint64_t limit_bytes = kSmallJsonLimitBytes);

// True if `text` is the start of a Git LFS pointer, which stands in for a file not yet fetched.
bool IsGitLfsPointer(std::string_view text);

// The error for such a file: says what it is and how to fetch the real one.
Error GitLfsPointerError(std::string_view path);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_JSON_H_

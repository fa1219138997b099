// File names of numbered shards: "model-00001-of-00003.safetensors" and its relatives.
#ifndef TENSORGUARD_FORMATS_SHARD_NAMES_H_
#define TENSORGUARD_FORMATS_SHARD_NAMES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ShardName {
  std::string set;  // what all shards of a set share: the name up to the number ("model-")
  uint32_t number = 0;
  uint32_t total = 0;
};

// Understands SET, one to nine digits, "-of-", one to nine digits, and the suffix of a weight
// format that is read. SET may end in "-", "_" or "." or be empty; the two numbers need not be
// equally wide. Empty if `file_name` is not of that form.
std::optional<ShardName> ParseShardName(std::string_view file_name);

// Whether `file_names` (at least one, all of one suffix, and all must parse) are one whole set: one
// SET, one total N, and every number of 1..N, of 0..N-1, or of 0..N, each once. The last two exist:
// some writers count from 0, and one of them gives the last number as the total. Errors: kBadFile
// for two sets or totals or a number twice, kNotFound for missing ones, which it lists.
Result<void> CheckShardSet(std::span<const std::string> file_names);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_SHARD_NAMES_H_

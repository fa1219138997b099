#include "network/parts/stated_number.h"

#include <fmt/format.h>

#include <string>

namespace tensorguard::internal {

Result<std::optional<uint64_t>> StatedNumber(const ConfigView& config,
                                             std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (config.Find(key) == nullptr) continue;
    const auto number = config.Number(std::span(&key, 1));
    if (number) return number;
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = fmt::format("\"{}\" of config.json is no usable number", key),
                 .expected = "a whole number above 0"};
  }
  return std::optional<uint64_t>();
}

Result<uint64_t> RequireNumber(const ConfigView& config, std::span<const std::string_view> keys) {
  const auto number = StatedNumber(config, keys);
  if (!number) return number.error();
  if (*number) return **number;
  return Error{.kind = ErrorKind::kBadFile,
               .problem = fmt::format("config.json does not state \"{}\"", keys.front()),
               .expected = "a whole number above 0"};
}

Error ContradictoryNumber(std::string_view key, uint64_t value, std::string_view problem,
                          std::string_view expected) {
  return {.kind = ErrorKind::kBadFile,
          .problem = fmt::format("\"{}\" of config.json {}", key, problem),
          .found = fmt::format("{}", value),
          .expected = std::string(expected)};
}

}  // namespace tensorguard::internal

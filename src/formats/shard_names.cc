#include "formats/shard_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <vector>

#include "formats/weight_format.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kOf = "-of-";
constexpr size_t kMostDigits = 9;  // fits in 32 bits
constexpr size_t kMostListed = 5;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The digits at the end of `text`, taken off it. Empty if there are none or too many.
std::optional<uint32_t> TakeTrailingNumber(std::string_view& text) {
  size_t begin = text.size();
  while (begin > 0 && IsDigit(text[begin - 1])) --begin;
  const std::string_view digits = text.substr(begin);
  if (digits.empty() || digits.size() > kMostDigits) return {};
  uint32_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  text.remove_suffix(digits.size());
  return number;
}

Error Contradiction(std::string problem, std::string_view a, std::string_view b) {
  return {.problem = std::move(problem),
          .found = fmt::format("{} and {}", a, b),
          .advice = "remove the files that belong to another model or version"};
}

// Where a set with these numbers begins and ends if it is whole.
struct Range {
  uint32_t first = 0;
  uint32_t last = 0;
};

Range RangeOf(const std::map<uint32_t, std::string_view>& by_number, uint32_t total) {
  if (!by_number.contains(0)) return {1, total};
  if (by_number.contains(total) || total == 0) return {0, total};
  return {0, total - 1};
}

}  // namespace

std::optional<ShardName> ParseShardName(std::string_view file_name) {
  const std::string_view suffix = WeightSuffixOf(file_name);
  if (suffix.empty()) return {};
  std::string_view rest = file_name.substr(0, file_name.size() - suffix.size());
  const auto total = TakeTrailingNumber(rest);
  if (!total || !rest.ends_with(kOf)) return {};
  rest.remove_suffix(kOf.size());
  const auto number = TakeTrailingNumber(rest);
  if (!number) return {};
  if (!rest.empty() && std::string_view("-_.").find(rest.back()) == rest.npos) return {};
  return ShardName{.set = std::string(rest), .number = *number, .total = *total};
}

Result<void> CheckShardSet(std::span<const std::string> file_names) {
  std::optional<ShardName> first;
  std::map<uint32_t, std::string_view> by_number;
  for (const std::string& file_name : file_names) {
    const ShardName shard = *ParseShardName(file_name);
    if (!first) first = shard;
    if (shard.set != first->set) {
      return Contradiction("shards of two sets lie in one folder", file_names[0], file_name);
    }
    if (shard.total != first->total) {
      return Contradiction("shards disagree on how many there are", file_names[0], file_name);
    }
    const auto [twin, is_new] = by_number.emplace(shard.number, file_name);
    if (!is_new) return Contradiction("two shards have one number", twin->second, file_name);
  }

  const Range range = RangeOf(by_number, first->total);
  if (by_number.rbegin()->first > range.last) {
    return Error{.problem = "a shard's number is higher than their total",
                 .found = std::string(by_number.rbegin()->second),
                 .expected = fmt::format("at most {}", range.last)};
  }
  const uint64_t expected_count = uint64_t{range.last} - range.first + 1;
  if (by_number.size() == expected_count) return {};
  std::vector<uint32_t> missing;
  for (uint32_t number = range.first; missing.size() < kMostListed && number <= range.last;
       ++number) {
    if (!by_number.contains(number)) missing.push_back(number);
  }
  const uint64_t missing_count = expected_count - by_number.size();
  return Error{
      .kind = ErrorKind::kNotFound,
      .problem = "shards are missing",
      .found = fmt::format("{} of {} shards, without number {}{}", by_number.size(), expected_count,
                           fmt::join(missing, ", "), missing_count > missing.size() ? ", ..." : ""),
      .advice = "fetch the model again; the download was probably cut short"};
}

}  // namespace tensorguard::internal

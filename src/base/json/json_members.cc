#include "base/json/json_members.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json/shown_json.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

std::string FoundOf(const Json* member) {
  return member == nullptr ? "nothing" : ShownJson(*member);
}

}  // namespace

JsonMembers::JsonMembers(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (object_.is_object()) return;
  problem_ = Error{.kind = ErrorKind::kBadFile,
                   .problem = (where_.empty() ? "the document" : where_) + " is no object",
                   .found = object_.type_name(),
                   .expected = "an object"};
}

const Json* JsonMembers::Take(std::string_view name) {
  taken_.insert(name);
  if (problem_) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

bool JsonMembers::Has(std::string_view name) const { return object_.contains(name); }

std::string JsonMembers::PlaceOf(std::string_view name) const {
  return where_.empty() ? fmt::format("\"{}\"", name) : fmt::format("{}.{}", where_, name);
}

void JsonMembers::Fail(std::string_view name, std::string found, std::string expected) {
  if (problem_) return;
  problem_ = Error{.kind = ErrorKind::kBadFile,
                   .problem = PlaceOf(name) + " is not what it should be",
                   .found = std::move(found),
                   .expected = std::move(expected)};
}

std::string JsonMembers::Text(std::string_view name) {
  const Json* member = Take(name);
  if (member != nullptr && member->is_string()) return member->get<std::string>();
  Fail(name, FoundOf(member), "a text");
  return {};
}

std::string JsonMembers::TextOr(std::string_view name, std::string_view absent) {
  if (Take(name) == nullptr) return std::string(absent);
  return Text(name);
}

uint64_t JsonMembers::Number(std::string_view name, uint64_t least, uint64_t most) {
  const Json* member = Take(name);
  const std::string expected = fmt::format("a whole number from {} to {}", least, most);
  if (member == nullptr || !member->is_number_unsigned()) {
    Fail(name, FoundOf(member), expected);
    return least;
  }
  const auto number = member->get<uint64_t>();
  if (number >= least && number <= most) return number;
  Fail(name, std::to_string(number), expected);
  return least;
}

std::optional<uint64_t> JsonMembers::NumberIfThere(std::string_view name, uint64_t most) {
  if (Take(name) == nullptr) return {};
  return Number(name, 0, most);
}

double JsonMembers::Real(std::string_view name) {
  const Json* member = Take(name);
  if (member != nullptr && member->is_number() && std::isfinite(member->get<double>())) {
    return member->get<double>();
  }
  Fail(name, FoundOf(member), "a finite number");
  return 0;
}

bool JsonMembers::Flag(std::string_view name) {
  const Json* member = Take(name);
  if (member != nullptr && member->is_boolean()) return member->get<bool>();
  Fail(name, FoundOf(member), "true or false");
  return false;
}

bool JsonMembers::FlagOrFalse(std::string_view name) { return Take(name) != nullptr && Flag(name); }

size_t JsonMembers::Choice(std::string_view name, std::span<const std::string_view> names) {
  const std::string text = Text(name);
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  Fail(name, text, fmt::format("one of {}", fmt::join(names, ", ")));
  return 0;
}

const Json& JsonMembers::Array(std::string_view name, size_t most) {
  static const Json kEmpty = Json::array();
  const Json* member = Take(name);
  if (member == nullptr || !member->is_array()) {
    Fail(name, FoundOf(member), "an array");
    return kEmpty;
  }
  if (member->size() <= most) return *member;
  Fail(name, fmt::format("{} elements", member->size()), fmt::format("at most {}", most));
  return kEmpty;
}

const Json* JsonMembers::TakeArrayIfThere(std::string_view name, size_t most) {
  const Json* member = Take(name);
  return member == nullptr || member->is_null() ? nullptr : &Array(name, most);
}

std::vector<std::string> JsonMembers::TextsIfThere(std::string_view name, size_t most) {
  std::vector<std::string> texts;
  const Json* array = TakeArrayIfThere(name, most);
  if (array == nullptr) return texts;
  for (const Json& item : *array) {
    if (!item.is_string()) {
      Fail(name, ShownJson(item), "texts alone");
      return {};
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::vector<double> JsonMembers::RealsIfThere(std::string_view name, size_t most) {
  std::vector<double> numbers;
  const Json* array = TakeArrayIfThere(name, most);
  if (array == nullptr) return numbers;
  for (const Json& item : *array) {
    if (!item.is_number() || !std::isfinite(item.get<double>())) {
      Fail(name, ShownJson(item), "finite numbers alone");
      return {};
    }
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

Result<void> JsonMembers::Check() const {
  if (problem_) return *problem_;
  return {};
}

Result<void> JsonMembers::Finish() const {
  TG_TRY(Check());
  for (const auto& [name, value] : object_.items()) {
    if (taken_.contains(name)) continue;
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = (where_.empty() ? "the document" : where_) +
                            " has a member that this version does not know",
                 .found = name};
  }
  return {};
}

}  // namespace tensorguard::internal

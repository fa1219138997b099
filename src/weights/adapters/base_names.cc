#include "weights/adapters/base_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace tensorguard::internal {
namespace {

constexpr int kMostWrappers = 4;

// Components that only wrap a decoder: two names that differ in these alone mean the same tensor.
constexpr std::array kWrapperWords = {"base_model", "model",      "module",    "language_model",
                                      "llm",        "text_model", "_orig_mod", "transformer"};

bool IsNumber(std::string_view component) {
  return !component.empty() && std::all_of(component.begin(), component.end(),
                                           [](char c) { return c >= '0' && c <= '9'; });
}

// `name` with one, two, ... leading components removed; never a number, which counts layers and is
// no wrapper.
std::vector<std::string_view> Shortened(std::string_view name) {
  std::vector<std::string_view> shorter;
  for (int i = 0; i < kMostWrappers; ++i) {
    const size_t dot = name.find('.');
    if (dot == name.npos || IsNumber(name.substr(0, dot))) break;
    name.remove_prefix(dot + 1);
    shorter.push_back(name);
  }
  return shorter;
}

std::string_view Core(std::string_view name) {
  for (size_t dot = name.find('.'); dot != name.npos; dot = name.find('.')) {
    const auto word = std::find(kWrapperWords.begin(), kWrapperWords.end(), name.substr(0, dot));
    if (word == kWrapperWords.end()) break;
    name.remove_prefix(dot + 1);
  }
  return name;
}

}  // namespace

BaseNames::BaseNames(const std::vector<TensorInfo>& tensors) : tensors_(tensors) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = tensors[i].name;
    exact_.emplace(name, i);
    cores_[std::string(Core(name))].push_back(i);
    for (const std::string_view shorter : Shortened(name)) {
      shortened_[std::string(shorter)].push_back(i);
    }
  }
}

Result<std::optional<size_t>> BaseNames::Find(std::string_view name) const {
  const auto exact = exact_.find(std::string(name));
  if (exact != exact_.end()) return std::optional(exact->second);

  std::set<size_t> candidates;
  const auto collect = [&](const auto& map, std::string_view key) {
    const auto found = map.find(std::string(key));
    if (found == map.end()) return;
    candidates.insert(found->second.begin(), found->second.end());
  };
  collect(shortened_, name);
  collect(cores_, Core(name));
  for (const std::string_view shorter : Shortened(name)) {
    const auto found = exact_.find(std::string(shorter));
    if (found != exact_.end()) candidates.insert(found->second);
  }

  if (candidates.empty()) return std::optional<size_t>();
  if (candidates.size() == 1) return std::optional(*candidates.begin());
  return Error{.kind = ErrorKind::kMismatch,
               .problem = "the adapter's name fits several tensors of the base",
               .tensor = std::string(name),
               .found = fmt::format("{} and {}", tensors_[*candidates.begin()].name,
                                    tensors_[*candidates.rbegin()].name),
               .expected = "one tensor that differs only in leading components"};
}

}  // namespace tensorguard::internal

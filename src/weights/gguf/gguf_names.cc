#include "weights/gguf/gguf_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tensorguard::internal {
namespace {

constexpr std::string_view kNumber = "{}";
constexpr size_t kMostDigits = 6;

// The digits that `text` starts with; more than kMostDigits are no layer and no expert.
std::string_view LeadingNumber(std::string_view text) {
  const auto end =
      std::find_if(text.begin(), text.end(), [](char c) { return c < '0' || c > '9'; });
  const auto digits = static_cast<size_t>(end - text.begin());
  return digits > kMostDigits ? std::string_view() : text.substr(0, digits);
}

// The numbers of `name` where `pattern` has "{}"; empty if it is not of that form.
std::optional<std::vector<std::string_view>> Match(std::string_view pattern,
                                                   std::string_view name) {
  std::vector<std::string_view> numbers;
  for (size_t hole = pattern.find(kNumber); hole != pattern.npos; hole = pattern.find(kNumber)) {
    if (!name.starts_with(pattern.substr(0, hole))) return {};
    const std::string_view number = LeadingNumber(name.substr(hole));
    if (number.empty()) return {};
    numbers.push_back(number);
    name.remove_prefix(hole + number.size());
    pattern.remove_prefix(hole + kNumber.size());
  }
  if (pattern != name) return {};
  return numbers;
}

// `pattern` with numbers in its first holes.
std::string Filled(std::string_view pattern, const std::vector<std::string_view>& numbers) {
  std::string filled(pattern);
  size_t from = 0;
  for (const std::string_view number : numbers) {
    from = filled.find(kNumber, from);
    if (from == filled.npos) break;
    filled.replace(from, kNumber.size(), number);
    from += number.size();
  }
  return filled;
}

std::optional<OriginalName> Find(const GgufArchitecture& architecture, std::string_view gguf_name) {
  for (const auto& names : architecture.names) {
    for (const GgufTensorName& name : names) {
      if (const auto numbers = Match(name.gguf, gguf_name)) {
        return OriginalName{.name = Filled(name.hub, *numbers), .change = name.change};
      }
    }
  }
  return {};
}

}  // namespace

const GgufArchitecture* FindGgufArchitecture(std::string_view name, bool with_experts,
                                             std::span<const TensorInfo> tensors) {
  for (const GgufArchitecture& architecture : GgufArchitectures()) {
    if (architecture.name != name || architecture.with_experts != with_experts) continue;
    const auto tells = [&](const TensorInfo& tensor) {
      return Match(architecture.told_by, tensor.name).has_value();
    };
    if (architecture.told_by.empty() || std::any_of(tensors.begin(), tensors.end(), tells)) {
      return &architecture;
    }
  }
  return nullptr;
}

std::optional<OriginalName> HubNameOf(const GgufArchitecture& architecture,
                                      std::string_view gguf_name) {
  for (const std::string_view ending : {".weight", ".bias"}) {
    if (!gguf_name.ends_with(ending)) continue;
    if (auto whole = Find(architecture, gguf_name)) return whole;
    gguf_name.remove_suffix(ending.size());
    auto found = Find(architecture, gguf_name);
    if (found) found->name += ending;
    return found;
  }
  return {};
}

}  // namespace tensorguard::internal

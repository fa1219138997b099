#include "architecture/config_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

enum class Kind { kLayers, kCount, kEpsilon, kBase };

struct Key {
  std::string_view name;
  Kind kind;
};

constexpr std::array kKeys = std::to_array<Key>({
    {"num_hidden_layers", Kind::kLayers},
    {"n_layer", Kind::kLayers},
    {"num_layers", Kind::kLayers},
    {"n_layers", Kind::kLayers},
    {"decoder_layers", Kind::kLayers},
    {"hidden_size", Kind::kCount},
    {"d_model", Kind::kCount},
    {"n_embd", Kind::kCount},
    {"vocab_size", Kind::kCount},
    {"num_attention_heads", Kind::kCount},
    {"n_head", Kind::kCount},
    {"n_heads", Kind::kCount},
    {"num_heads", Kind::kCount},
    {"num_key_value_heads", Kind::kCount},
    {"head_dim", Kind::kCount},
    {"d_kv", Kind::kCount},
    {"intermediate_size", Kind::kCount},
    {"rms_norm_eps", Kind::kEpsilon},
    {"layer_norm_eps", Kind::kEpsilon},
    {"layer_norm_epsilon", Kind::kEpsilon},
    {"norm_eps", Kind::kEpsilon},
    {"norm_epsilon", Kind::kEpsilon},
    {"layernorm_epsilon", Kind::kEpsilon},
    {"rms_norm_epsilon", Kind::kEpsilon},
    {"rope_theta", Kind::kBase},
    {"rotary_emb_base", Kind::kBase},
    {"rope_base", Kind::kBase},
    {"rope_local_base_freq", Kind::kBase},
    {"local_rope_theta", Kind::kBase},
    {"global_rope_theta", Kind::kBase},
});

// Parts that describe a text model, one inside the other in wrappers of wrappers.
constexpr std::array<std::string_view, 8> kParts = {
    "text_config", "llm_config", "language_config", "thinker_config",
    "text_model",  "decoder",    "encoder",         "rope_parameters"};
constexpr unsigned kDeepest = 3;

constexpr double kMostLayers = 100'000;
constexpr double kMost = 1 << 28;

std::string Expected(Kind kind) {
  switch (kind) {
    case Kind::kLayers:
      return fmt::format("a whole number from 1 to {}", kMostLayers);
    case Kind::kEpsilon:
      return "a number above 0 and at most 1";
    case Kind::kBase:
      return "a finite number above 0";
    default:
      return fmt::format("a whole number from 1 to {}", kMost);
  }
}

bool IsPossible(Kind kind, const Json& value) {
  if (value.is_null() || value.is_array() || value.is_object()) return true;
  if (!value.is_number()) return false;
  const auto number = value.get<double>();
  if (!std::isfinite(number)) return false;
  if (kind == Kind::kEpsilon) return number > 0 && number <= 1;
  if (kind == Kind::kBase) return number > 0;
  return number == std::floor(number) && number >= 1 &&
         number <= (kind == Kind::kLayers ? kMostLayers : kMost);
}

Error Impossible(const Key& key, std::string found) {
  return {.problem = fmt::format("{} is no number that a model has", key.name),
          .found = std::move(found),
          .expected = Expected(key.kind)};
}

Result<void> CheckPart(const Json& part, unsigned depth) {
  for (const Key& key : kKeys) {
    const auto value = part.find(key.name);
    if (value == part.end() || IsPossible(key.kind, *value)) continue;
    return Impossible(key,
                      value->dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 40));
  }
  for (const std::string_view name : kParts) {
    const auto inner = part.find(name);
    if (inner == part.end() || !inner->is_object() || depth == kDeepest) continue;
    TG_TRY(CheckPart(*inner, depth + 1));
  }
  return {};
}

}  // namespace

Result<void> CheckConfigNumbers(const Json& config) {
  if (!config.is_object()) return {};
  return CheckPart(config, 0);
}

// A key that stands in a text has its quotes escaped, and does not look like one.
Result<void> CheckConfigText(std::string_view text) {
  for (const Key& key : kKeys) {
    const std::string quoted = fmt::format("\"{}\"", key.name);
    for (size_t at = text.find(quoted); at != text.npos; at = text.find(quoted, at + 1)) {
      std::string_view rest = text.substr(at + quoted.size());
      const auto skip_space = [&] {
        rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
      };
      skip_space();
      if (!rest.starts_with(':')) continue;
      rest.remove_prefix(1);
      skip_space();
      for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
        if (rest.starts_with(word)) return Impossible(key, std::string(word));
      }
    }
  }
  return {};
}

}  // namespace tensorguard::internal

#include "network/attention/attention_rule.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/attention/positions.h"
#include "network/attention/rotary_settings.h"

namespace tensorguard::internal {
namespace {

// Which keys a layer's queries see.
enum class Reach { kAll, kWindow, kChunk };

// Entry `layer` of a list in config.json; null where there is no such list or it is too short.
const Json* ListEntry(const ConfigView& config, std::string_view key, uint32_t layer) {
  const Json* list = config.Find(key);
  if (list == nullptr || !list->is_array() || layer >= list->size()) return nullptr;
  return &(*list)[layer];
}

Reach ReadReach(const StackContext& context, uint32_t layer) {
  static constexpr std::array<std::string_view, 3> kPeriod = {
      "sliding_window_pattern", "_sliding_window_pattern", "global_attn_every_n_layers"};
  const ConfigView& config = context.config;
  for (const std::string_view key : {"layer_types", "attention_layers"}) {
    const Json* kind = ListEntry(config, key, layer);
    if (kind == nullptr || !kind->is_string()) continue;
    if (*kind == "sliding_attention" || *kind == "local") return Reach::kWindow;
    return *kind == "chunked_attention" ? Reach::kChunk : Reach::kAll;
  }
  if (!config.Flag("use_sliding_window").value_or(context.traits->windows_by_default)) {
    return Reach::kAll;
  }
  const uint64_t period = config.Number(kPeriod).value_or(context.traits->full_attention_period);
  if (period == 0) return Reach::kWindow;
  const bool first = context.traits->full_attention_first;
  const uint64_t counted = uint64_t{layer} + (first ? 0 : 1);
  return counted % period == 0 ? Reach::kAll : Reach::kWindow;
}

constexpr std::array<std::string_view, 5> kWindow = {"sliding_window", "window_size",
                                                     "local_attention", "attention_window_size",
                                                     "attention_window"};

void ReadMask(const StackContext& context, Reach reach, uint32_t layer, AttentionRule& rule) {
  static constexpr std::array<std::string_view, 1> kOfLayers = {"attention_window"};
  static constexpr std::array<std::string_view, 1> kChunk = {"attention_chunk_size"};
  if (reach == Reach::kWindow) {
    rule.window = context.config.Number(kWindow);
    const Json* own = ListEntry(context.config, kOfLayers.front(), layer);
    if (own != nullptr && own->is_number_unsigned()) rule.window = own->get<uint64_t>();
    if (rule.window && context.is_encoder && context.traits->encoder_window_is_both_sides) {
      rule.window_ahead = *rule.window / 2 + 1;
      rule.window = (*rule.window + 1) / 2;
    }
    if (rule.window && context.traits->window_is_both_sides) rule.window = *rule.window / 2 + 1;
  }
  if (reach == Reach::kChunk) rule.chunk = context.config.Number(kChunk);
}

// A part of the config, as MPT's "attn_config", or the config itself.
std::optional<double> RealWithin(const ConfigView& config, std::string_view part,
                                 std::string_view key) {
  const Json* object = config.Find(part);
  if (object == nullptr || !object->is_object()) return {};
  const auto found = object->find(key);
  if (found == object->end() || !found->is_number()) return {};
  return found->get<double>();
}

Result<float> ReadScale(const StackContext& context, uint64_t head_size, uint32_t layer) {
  static constexpr std::array<std::string_view, 1> kQueryScalar = {"query_pre_attn_scalar"};
  static constexpr std::array<std::string_view, 1> kMultiplier = {"attention_multiplier"};
  const ConfigView& config = context.config;
  double scale = context.traits->scores_scaled ? 1 / std::sqrt(static_cast<double>(head_size)) : 1;
  if (!config.Flag("scale_attn_weights").value_or(true)) scale = 1;
  if (const auto scalar = config.Real(kQueryScalar)) scale = 1 / std::sqrt(*scalar);
  if (const auto multiplier = config.Real(kMultiplier)) scale = *multiplier;
  if (const auto own = RealWithin(config, "attn_config", "softmax_scale")) scale = *own;
  if (config.Flag("scale_attn_by_inverse_layer_idx").value_or(false)) scale /= layer + 1.0;
  if (!std::isfinite(scale)) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the factor on attention scores makes no sense",
                 .found = fmt::format("{}", scale),
                 .expected = "a finite number"};
  }
  return static_cast<float>(scale);
}

// Cohere's mixtures begin with dense layers of full attention that rotate all the same.
bool IsInDensePrefix(const StackContext& context, uint32_t layer) {
  static constexpr std::array<std::string_view, 1> kPattern = {
      "prefix_dense_sliding_window_pattern"};
  const Json* kind = ListEntry(context.config, "mlp_layer_types", layer);
  return kind != nullptr && *kind == "dense" && context.config.Number(kPattern) == 1;
}

bool IsRotated(const StackContext& context, Reach reach, uint32_t layer) {
  static constexpr std::array<std::string_view, 1> kInterval = {"no_rope_layer_interval"};
  const ArchitectureTraits& traits = *context.traits;
  if (context.positions != PositionScheme::kRotary) return false;
  if (traits.rotary_in_windows_only && reach == Reach::kAll && context.config.Number(kWindow)) {
    return IsInDensePrefix(context, layer);
  }
  const Json* listed = ListEntry(context.config, "no_rope_layers", layer);
  if (listed != nullptr && listed->is_number_integer()) return *listed != 0;
  if (traits.unrotated_period == 0) return true;
  const uint64_t period = context.config.Number(kInterval).value_or(traits.unrotated_period);
  return (uint64_t{layer} + 1) % period != 0;
}

std::vector<float> ReadSlopes(const StackContext& context, const AttentionShape& shape,
                              float scale) {
  const double largest = RealWithin(context.config, "attn_config", "alibi_bias_max").value_or(8);
  std::vector<float> slopes = AlibiSlopes(shape.heads, largest);
  if (context.traits->alibi_before_scale) {
    for (float& slope : slopes) slope *= scale;
  }
  return slopes;
}

Error NotComputed(std::string problem) {
  return Error{.kind = ErrorKind::kUnsupported, .problem = std::move(problem)};
}

// Approximations of attention that config.json can switch on.
Result<void> ReadApproximation(const ConfigView& config, AttentionRule& rule) {
  static constexpr std::array<std::string_view, 1> kBits = {"hash_code_len"};
  static constexpr std::array<std::string_view, 1> kLandmarks = {"num_landmarks"};
  static constexpr std::array<std::string_view, 1> kSegments = {"segment_means_seq_len"};
  if (config.Number(kLandmarks) != config.Number(kSegments)) {
    return NotComputed("attention by landmarks is not known");
  }
  rule.hash_bits = config.Number(kBits);
  if (rule.hash_bits && !config.Flag("use_expectation").value_or(true)) {
    return NotComputed("attention that samples its keys at random has no one answer");
  }
  if (rule.hash_bits) rule.scale = 1;
  return {};
}

bool IsCausal(const StackContext& context) {
  if (context.is_encoder) return false;
  if (context.traits->causal_unmasked_later && context.config.IsWrittenSince(5, 0)) return false;
  if (!context.traits->causal) {
    static constexpr std::array<std::string_view, 1> kType = {"attn_type"};  // XLNet
    return context.config.Text(kType) == "uni" ||
           context.config.Flag("is_decoder").value_or(false) ||
           context.config.Flag("causal").value_or(false);
  }
  return !context.config.Flag("use_bidirectional_attention").value_or(false);
}

}  // namespace

Result<AttentionRule> ReadAttentionRule(const StackContext& context, const AttentionShape& shape,
                                        uint32_t layer, bool cross_attention) {
  static constexpr std::array<std::string_view, 1> kSoftcap = {"attn_logit_softcapping"};
  AttentionRule rule;
  TG_ASSIGN(auto scale, ReadScale(context, shape.head_size, layer));
  rule.scale = scale;
  if (const auto softcap = context.config.Real(kSoftcap); softcap && *softcap > 0) {
    rule.softcap = static_cast<float>(*softcap);
  }
  if (cross_attention) {
    rule.causal = false;
    return rule;
  }
  TG_TRY(ReadApproximation(context.config, rule));
  const Reach reach = ReadReach(context, layer);
  rule.causal = IsCausal(context);
  ReadMask(context, reach, layer, rule);
  if (IsRotated(context, reach, layer)) {
    TG_ASSIGN(auto rotary,
              ReadRotary(context.config, *context.traits,
                         {.head_size = shape.head_size, .in_window = reach != Reach::kAll}));
    rule.rotary = std::move(rotary);
  }
  if (context.positions == PositionScheme::kAlibi) {
    rule.slopes = ReadSlopes(context, shape, rule.scale);
  }
  return rule;
}

}  // namespace tensorguard::internal

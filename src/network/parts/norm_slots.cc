#include "network/parts/norm_slots.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "architecture/role_table.h"
#include "base/text.h"
#include "network/parts/layer_parts.h"

namespace tensorguard::internal {
namespace {

// What a name tells: a slot, or a place whose side something else decides.
enum class Place {
  kMixerInput,
  kMixerOutput,
  kMixerSum,
  kMixer,  // before the mixer or after its sum: the architecture's placement
  kCross,
  kCrossOutput,
  kCrossSum,
  kFeedForwardInput,
  kFeedForwardOutput,
  kFeedForwardSum,
  kFeedForward,
  kBetween,      // "after attention": before the feed-forward, or on the mixer's output
  kOnlyOne,      // of the layer: before the mixer, or before the feed-forward beside a mixer's own
  kLateInput,    // before the feed-forward; on the mixer's output where nothing stands before that
  kSecondOfTwo,  // T5's second sublayer: cross-attention where there is one
  kQuery,
  kKey,
  kInnerAttention,
  kInnerFeedForward,
  kEmbedding,
};

struct PlaceRow {
  std::string_view ending;  // the last words of the name; a whole one may have '*' at its ends
  Place place;
  bool whole = false;  // directly in the layer: all that follows its number
};

constexpr PlaceRow kPlaceRows[] = {
    {"q_norm", Place::kQuery},
    {"query_norm", Place::kQuery},
    {"q_layernorm", Place::kQuery},
    {"query_layernorm", Place::kQuery},
    {"q_ln", Place::kQuery},
    {"attn_q_norm", Place::kQuery},
    {"k_norm", Place::kKey},
    {"key_norm", Place::kKey},
    {"k_layernorm", Place::kKey},
    {"key_layernorm", Place::kKey},
    {"k_ln", Place::kKey},
    {"attn_k_norm", Place::kKey},
    {"attn_sub_norm", Place::kInnerAttention},
    {"inner_attn_ln", Place::kInnerAttention},
    {"ffn_sub_norm", Place::kInnerFeedForward},
    {"pre_ln", Place::kEmbedding},  // RWKV: within its first layer
    {"ln0", Place::kEmbedding},

    // Norms on the sum (Vaswani et al. 2017).
    {"crossattention.output.layernorm", Place::kCrossSum},
    {"attention.output.layernorm", Place::kMixerSum},
    {"fourier.output.layernorm", Place::kMixerSum},
    {"output.layernorm", Place::kFeedForwardSum},
    {"post_attention.layernorm", Place::kMixerSum},
    {"full_layer_layer_norm", Place::kFeedForwardSum},
    {"sa_layer_norm", Place::kMixerSum},
    {"output_layer_norm", Place::kFeedForwardSum},

    // Names of either side.
    {"attention.layernorm", Place::kMixer},
    {"attention.ln", Place::kMixerInput},
    {"intermediate.layernorm", Place::kFeedForwardInput},
    {"post_cross_attn_layernorm", Place::kCrossOutput},
    {"cross_attention_layer_norm", Place::kCross},
    {"cross_attn_layer_norm", Place::kCross},
    {"feed_forward_layer_norm", Place::kFeedForward},
    {"rel_attn.layer_norm", Place::kMixer},
    {"attention.layer_norm", Place::kMixer},
    {"ff.layer_norm", Place::kFeedForward},
    {"ffn.layer_norm", Place::kFeedForward},
    {"feed_forward.layer_norm", Place::kFeedForward},
    {"layer_norm1", Place::kMixer, true},
    {"layer_norm2", Place::kFeedForward, true},
    {"layernorm1", Place::kMixer},
    {"layernorm2", Place::kFeedForward},
    {"layernorm_before_attention", Place::kMixerInput},
    {"layernorm_before_ffn", Place::kFeedForwardInput},
    {"self_attn_layer_norm", Place::kMixer},
    {"encoder_attn_layer_norm", Place::kCross},
    {"final_layer_norm", Place::kFeedForward},
    {"0.layer_norm", Place::kMixer},
    {"1.layer_norm", Place::kSecondOfTwo},
    {"2.layer_norm", Place::kFeedForward},
    {"ln_1", Place::kMixer},
    {"ln1", Place::kMixer},
    {"norm_1", Place::kMixer},
    {"norm1", Place::kMixer},
    {"ln_2", Place::kFeedForward},
    {"ln2", Place::kFeedForward},
    {"norm_2", Place::kFeedForward},
    {"norm2", Place::kFeedForward},

    // Norms on the output of one half.
    {"post_self_attn_layernorm", Place::kMixerOutput},
    {"post_norm1", Place::kMixerOutput},
    {"post_norm2", Place::kFeedForwardOutput},
    {"post_feedforward_layernorm", Place::kFeedForwardOutput},
    {"post_ffw_norm", Place::kFeedForwardOutput},
    {"post_ffn_norm", Place::kFeedForwardOutput},
    {"post_mlp_layernorm", Place::kFeedForwardOutput},
    {"post_mlp_norm", Place::kFeedForwardOutput},
    {"post_moe_norm", Place::kFeedForwardOutput},
    {"post_attention_layernorm", Place::kBetween},
    {"post_attention_layer_norm", Place::kBetween},
    {"post_attention_norm", Place::kBetween},
    {"post_attn_norm", Place::kBetween},

    // Norms in front.
    {"norm", Place::kOnlyOne, true},
    {"layer_norm", Place::kOnlyOne, true},
    {"layernorm", Place::kOnlyOne, true},
    {"ln", Place::kOnlyOne, true},
    {"feedforward_layer_norm", Place::kLateInput, true},
    {"input_layernorm", Place::kMixerInput},
    {"operator_norm", Place::kMixerInput},
    {"norm_mlstm", Place::kMixerInput},
    {"temporal_pre_norm", Place::kMixerInput},
    {"channel_pre_norm", Place::kFeedForwardInput},
    {"pre_moe_norm", Place::kFeedForwardInput},

    // Any other name directly in the layer, by the words in it.
    {"*post_att*", Place::kBetween, true},
    {"*ffn*", Place::kFeedForwardInput, true},
    {"*ff_*", Place::kFeedForwardInput, true},
    {"*mlp*", Place::kFeedForwardInput, true},
    {"*feedforward*", Place::kFeedForwardInput, true},
    {"*feed_forward*", Place::kFeedForwardInput, true},
    {"*moe*", Place::kFeedForwardInput, true},
    {"*attn*", Place::kMixerInput, true},
    {"*attention*", Place::kMixerInput, true},
    {"*mixer*", Place::kMixerInput, true},
    {"*input*", Place::kMixerInput, true},
    {"*pre*", Place::kMixerInput, true},
};

bool IsNumber(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

// What follows the first number in the name; all of it where there is none.
std::string_view WithinLayer(std::string_view name) {
  for (size_t begin = 0; begin < name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    if (IsNumber(name.substr(begin, end - begin))) {
      if (end < name.size() || begin == 0) return name.substr(std::min(end + 1, name.size()));
      // A list of norms: its name is theirs.
      const std::string_view list = name.substr(0, begin - 1);
      return list.substr(list.rfind('.') + 1);
    }
    begin = end + 1;
  }
  return name;
}

std::optional<Place> PlaceOf(std::string_view name) {
  const std::string within = LowerAscii(WithinLayer(name));
  for (const PlaceRow& row : kPlaceRows) {
    const bool direct = within.find('.') == std::string::npos;
    const bool fits =
        row.whole ? direct && MatchesPattern(within, row.ending) : EndsInWords(within, row.ending);
    if (fits) return row.place;
  }
  return {};
}

// What the other norms of the layer tell of the ambiguous ones.
struct Surroundings {
  bool has_cross_attention = false;
  bool after_sum = false;
  bool between_is_input = false;
  bool mixer_has_norm = false;   // in front, under a name of its own
  bool output_has_norm = false;  // that of the feed-forward
};

NormSlot SlotOf(Place place, const Surroundings& around) {
  switch (place) {
    case Place::kMixerInput:
      return NormSlot::kMixerInput;
    case Place::kMixerOutput:
      return NormSlot::kMixerOutput;
    case Place::kMixerSum:
      return NormSlot::kMixerSum;
    case Place::kMixer:
      return around.after_sum ? NormSlot::kMixerSum : NormSlot::kMixerInput;
    case Place::kCross:
      return around.after_sum ? NormSlot::kCrossSum : NormSlot::kCrossInput;
    case Place::kCrossOutput:
      return NormSlot::kCrossOutput;
    case Place::kCrossSum:
      return NormSlot::kCrossSum;
    case Place::kFeedForwardInput:
      return NormSlot::kFeedForwardInput;
    case Place::kFeedForwardOutput:
      return NormSlot::kFeedForwardOutput;
    case Place::kFeedForwardSum:
      return NormSlot::kFeedForwardSum;
    case Place::kFeedForward:
      return around.after_sum ? NormSlot::kFeedForwardSum : NormSlot::kFeedForwardInput;
    case Place::kBetween:
      return around.between_is_input ? NormSlot::kFeedForwardInput : NormSlot::kMixerOutput;
    case Place::kOnlyOne:
      return around.mixer_has_norm ? NormSlot::kFeedForwardInput : NormSlot::kMixerInput;
    case Place::kLateInput:
      return around.output_has_norm && !around.mixer_has_norm ? NormSlot::kMixerOutput
                                                              : NormSlot::kFeedForwardInput;
    case Place::kSecondOfTwo:
      return around.has_cross_attention ? NormSlot::kCrossInput : NormSlot::kFeedForwardInput;
    case Place::kQuery:
      return NormSlot::kQuery;
    case Place::kKey:
      return NormSlot::kKey;
    case Place::kInnerAttention:
      return NormSlot::kInnerAttention;
    case Place::kInnerFeedForward:
      return NormSlot::kInnerFeedForward;
    case Place::kEmbedding:
      return NormSlot::kEmbedding;
  }
  return NormSlot::kOther;
}

// Norms directly in a layer of which no name is known: the one in front, or both in their order.
void PlaceByOrder(std::span<const std::string_view> names, std::span<NormSlot> slots) {
  std::vector<size_t> open;
  for (size_t i = 0; i < slots.size(); ++i) {
    const bool within = WithinLayer(names[i]).find('.') != std::string_view::npos;
    const bool of_heads = slots[i] == NormSlot::kQuery || slots[i] == NormSlot::kKey;
    if (slots[i] != NormSlot::kOther && !of_heads) return;
    if (slots[i] == NormSlot::kOther && !within) open.push_back(i);
  }
  if (open.empty() || open.size() > 2) return;
  slots[open.front()] = NormSlot::kMixerInput;
  if (open.size() == 2) slots[open.back()] = NormSlot::kFeedForwardInput;
}

}  // namespace

std::vector<NormSlot> LayerNormSlots(std::span<const std::string_view> names,
                                     bool has_cross_attention, NormPlacement placement) {
  std::vector<std::optional<Place>> places;
  places.reserve(names.size());
  for (const std::string_view name : names) places.push_back(PlaceOf(name));
  const auto holds = [&](std::initializer_list<Place> wanted) {
    return std::any_of(places.begin(), places.end(), [&](std::optional<Place> place) {
      return place && std::find(wanted.begin(), wanted.end(), *place) != wanted.end();
    });
  };
  // Llama's post_attention_layernorm stands before the feed-forward. Where another norm does
  // (Gemma 2), or none stands before the mixer (OLMo 2), it is what its name says.
  const Surroundings around{
      .has_cross_attention = has_cross_attention,
      .after_sum = placement == NormPlacement::kAfterSum,
      .between_is_input = holds({Place::kMixerInput, Place::kMixer}) &&
                          !holds({Place::kFeedForwardInput, Place::kFeedForward}),
      .mixer_has_norm = holds({Place::kMixerInput, Place::kMixer}),
      .output_has_norm = holds({Place::kFeedForwardOutput})};
  std::vector<NormSlot> slots;
  slots.reserve(names.size());
  for (const auto& place : places) {
    slots.push_back(place ? SlotOf(*place, around) : NormSlot::kOther);
  }
  PlaceByOrder(names, slots);
  return slots;
}

NormSlot OuterNormSlot(std::string_view name) {
  const std::string lower = LowerAscii(name);
  const auto holds = [&](std::string_view word) { return lower.find(word) != std::string::npos; };
  if (holds("lm_head") || holds("predictions") || holds("vocab_layer_norm") ||
      holds("projection_head") || lower.starts_with("head.") || holds(".head.")) {
    return NormSlot::kHead;
  }
  if (holds("emb_layer_norm_after")) return NormSlot::kFinal;
  return holds("emb") ? NormSlot::kEmbedding : NormSlot::kFinal;
}

}  // namespace tensorguard::internal

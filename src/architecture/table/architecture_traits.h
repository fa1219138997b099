// What a network computes that neither names, nor shapes, nor config.json tell.
#ifndef TENSORGUARD_ARCHITECTURE_TABLE_ARCHITECTURE_TRAITS_H_
#define TENSORGUARD_ARCHITECTURE_TABLE_ARCHITECTURE_TRAITS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "roles/activation_kind.h"
#include "roles/norm_kind.h"
#include "roles/routing_kind.h"

namespace tensorguard::internal {

enum class PositionScheme {
  kUnknown,
  kNone,
  kRotary,
  kAlibi,              // a slope per head times the distance (Press et al. 2022)
  kLearned,            // a stored table, added to the embedding
  kSinusoidal,         // the same from sines, then cosines, of wave lengths from 2 pi to 20000 pi
  kSinusoidalByWidth,  // ... whose wave lengths end before that (Vaswani et al. 2017)
  kRelativeBuckets,    // a learned bias per bucket of distances and head (Raffel et al. 2020)
};

enum class EmbeddingScale {
  kOne,
  kRootOfWidth,        // sqrt(hidden size)
  kRootOfWidthIfTold,  // where config.json sets "scale_embedding" or one of its other names
};

// Where a norm stands whose name ("self_attn_layer_norm") does not tell.
enum class NormPlacement { kBefore, kAfterSum };

// A member holds the value for models whose config.json does not say it, or says it nowhere. The
// defaults here are Llama's.
struct ArchitectureTraits {
  // Norms.
  std::optional<NormKind> norm = {};  // empty: LayerNorm where a norm has a bias, else RMSNorm
  bool rms_where_stated = false;      // ... and RMSNorm where config.json states "rms_norm_eps"
  std::optional<NormKind> query_key_norm = {};  // empty: as `norm`
  double epsilon = 1e-6;
  bool gain_plus_one = false;
  bool unweighted_norms = false;  // norms before both halves and at the end without gain or bias
  bool unweighted_query_key_norm = false;           // likewise on heads
  std::string_view unweighted_query_key_flag = {};  // ... where this flag is set
  bool query_key_norm_after_rotation = false;
  bool unweighted_value_norm = false;
  NormPlacement placement = NormPlacement::kBefore;
  std::string_view placement_flag = {};  // a flag that says kBefore or kAfterSum instead

  // Embedding and residual stream.
  EmbeddingScale embedding_scale = EmbeddingScale::kOne;
  bool embedding_normed = false;               // by a norm without gain
  bool decoder_norm_before_positions = false;  // the decoder's embedding norm
  bool parallel = false;                       // attention and feed-forward read the same stream
  std::string_view parallel_flag = {};         // a flag that says so instead
  bool residual_after_norm = false;            // the stream goes on from the norm's output
  std::string_view residual_after_norm_flag = {};
  bool layers_repeat = false;  // fewer are stored than config.json counts (ALBERT)
  // The halves write to two streams in turn, each reading the other; both leave the stack side by
  // side (Gomez et al. 2017).
  bool reversible = false;
  // The encoder's sequence gets shorter from block to block, and the decoder runs on it stretched
  // again (Funnel).
  bool shortens = false;
  bool head_bias_counts = true;     // false: it is stored, and its library does not add it
  bool tied_logits_scaled = false;  // by 1 / sqrt(hidden size) where the head is tied
  bool logits_multiplied = false;   // "logits_scaling" is a factor, not a divisor

  // Attention.
  bool fourier_mixing = false;  // in its place, without weights
  bool causal = true;
  bool causal_unmasked_later = false;  // sees all since version 5 of its library
  bool reads_encoder_merged = false;   // its keys beside the decoder's own, in one softmax
  bool scores_scaled = true;  // by 1 / sqrt(head size) where config.json names no other factor
  bool windows_by_default = false;            // sliding_window counts without layer types or a flag
  uint32_t full_attention_period = 0;         // with it: every n-th layer is full; 0: none
  bool full_attention_first = false;          // ... counted from the first
  bool window_is_both_sides = false;          // the window's width is that of both sides together
  bool encoder_window_is_both_sides = false;  // likewise, of the encoder alone
  Activation attention_gate = Activation::kSigmoid;  // of the gate on what the heads give

  // Positions.
  PositionScheme positions = PositionScheme::kRotary;
  bool relative_buckets_too = false;    // a learned bias per bucket besides
  bool buckets_unlent_later = false;    // only the first layer's, since version 4.57 of its library
  std::string_view alibi_flag = {};     // a flag that says kAlibi instead
  bool alibi_before_scale = false;      // the slopes are scaled like the scores
  uint32_t position_offset = 0;         // rows of the table before position 0
  bool positions_skip_padding = false;  // and are counted from behind the padding token's id
  bool positions_after_padding = false;  // counted from behind its id, which takes one itself
  bool padding_is_fixed = false;     // ... which is `position_offset` - 1 whatever config.json says
  bool rotary_where_stated = false;  // else none
  bool rotary_interleaved = false;
  bool rotary_backwards = false;       // turned the other way
  double rotary_fraction = 1;          // of each head's columns
  bool rotary_fraction_counts = true;  // false: whole heads turn, whatever config.json says
  bool rotary_dim_counts = true;       // false: "rotary_dim" is not read
  double rotary_base = 10000;
  double rotary_base_in_windows = 0;    // of layers with a sliding window; 0: the same
  bool rotary_in_windows_only = false;  // where there are windows
  uint32_t unrotated_period = 0;        // every n-th layer has no rotation; 0: all have it

  // Feed-forward.
  std::optional<Activation> activation = {};  // empty: SiLU where gated, else GELU
  bool activation_fixed = false;              // whatever config.json says
  std::optional<float> feed_forward_clamp = {};
  std::optional<float> feed_forward_limit = {};  // a clamp alone
  std::optional<RoutingKind> routing = {};
  std::optional<bool> routing_normalised = {};  // empty: as the kind of routing has it
  // Which of its libraries' answers is taken where they do not agree; a network says so.
  std::string_view disputed = {};
  uint32_t experts_per_token = 0;  // 0: config.json must say it
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_TABLE_ARCHITECTURE_TRAITS_H_

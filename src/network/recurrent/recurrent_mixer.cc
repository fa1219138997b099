#include "network/recurrent/recurrent_mixer.h"

#include <algorithm>
#include <string>
#include <vector>

#include "network/attention/mixers/compressed_attention.h"
#include "network/attention/mixers/expert_attention.h"
#include "network/recurrent/gated_delta_net.h"
#include "network/recurrent/gated_linear_recurrence.h"
#include "network/recurrent/headed_mamba.h"
#include "network/recurrent/lightning_attention.h"
#include "network/recurrent/mamba.h"
#include "network/recurrent/mamba2.h"
#include "network/recurrent/matrix_lstm.h"
#include "network/recurrent/rwkv.h"
#include "network/recurrent/short_convolution.h"

namespace tensorguard::internal {
namespace {

// A mixer is known by its weights: one that has others computes something else, whatever it is
// called.
struct MixerRow {
  RecurrentMixer mixer;
  std::string_view marker;               // a tensor directly in the mixer's module
  std::vector<std::string_view> needed;  // to tell it from others; what else lacks is an error
  std::vector<std::string_view> allowed;
};

const std::vector<MixerRow>& Mixers() {
  static const std::vector<MixerRow> rows = {
      {{"mamba", RunMamba},
       "A_log",
       {"conv1d.weight", "dt_proj.weight", "x_proj.weight"},
       {"D", "b_layernorm.weight", "c_layernorm.weight", "dt_layernorm.weight", "in_proj.weight",
        "out_proj.weight"}},
      {{"mamba of heads", RunHeadedMamba, CheckHeadedMamba},
       "A_log",
       {"conv1d.weight", "dt_proj_weight", "x_proj_weight"},
       {"D", "dt_proj_bias", "in_proj.weight", "out_proj.weight"}},
      {{"mamba2", RunMamba2, CheckMamba2},
       "A_log",
       {"conv1d.weight", "dt_bias", "in_proj.weight"},
       {"D", "norm.weight", "out_proj.weight"}},
      {{"gated delta net", RunGatedDeltaNet, CheckGatedDeltaNet},
       "A_log",
       {"conv1d.weight", "dt_bias", "in_proj_qkvz.weight"},
       {"in_proj_ba.weight", "norm.weight", "out_proj.weight"}},
      {{"gated delta net", RunGatedDeltaNet, CheckGatedDeltaNet},
       "A_log",
       {"conv1d.weight", "dt_bias", "in_proj_qkv.weight"},
       {"in_proj_a.weight", "in_proj_b.weight", "in_proj_z.weight", "norm.weight",
        "out_proj.weight"}},
      {{"gated delta net", RunGatedDeltaNet, CheckGatedDeltaNet},
       "A_log",
       {"dt_bias", "q_conv1d.weight", "g_proj.weight"},
       {"a_proj.weight", "b_proj.weight", "k_conv1d.weight", "k_proj.weight", "o_norm.weight",
        "o_proj.weight", "q_proj.weight", "v_conv1d.weight", "v_proj.weight"}},
      {{"compressed attention", RunCompressedAttention, CheckCompressedAttention},
       "sinks",
       {"kv_proj.weight", "o_a_proj.weight", "q_a_norm.weight"},
       {"compressor.gate_proj.weight", "compressor.indexer.gate_proj.weight",
        "compressor.indexer.kv_norm.weight", "compressor.indexer.kv_proj.weight",
        "compressor.indexer.position_bias", "compressor.indexer.q_b_proj.weight",
        "compressor.indexer.scorer.weights_proj.weight", "compressor.kv_norm.weight",
        "compressor.kv_proj.weight", "compressor.position_bias", "kv_norm.weight",
        "o_b_proj.weight", "q_a_proj.weight", "q_b_proj.weight"}},
      {{"attention of experts", RunExpertAttention, CheckExpertAttention},
       "kv_proj.weight",
       {"experts.input_linear.weight", "experts.output_linear.weight",
        "experts.router.layer.weight"},
       {"experts.bias"}},
      {{"matrix lstm", RunMatrixLstm, CheckMatrixLstm},
       "igate_preact.weight",
       {"fgate_preact.weight", "multihead_norm.weight"},
       {"k.weight", "ogate_preact.weight", "out_proj.weight", "q.weight", "v.weight"}},
      {{"lightning attention", RunLightningAttention, CheckLightningAttention},
       "output_gate.weight",
       {"qkv_proj.weight"},
       {"norm.weight", "out_proj.weight"}},
      {{"gated linear recurrence", RunGatedLinearRecurrence},
       "linear_x.weight",
       {"rg_lru.recurrent_param"},
       {"conv_1d.weight", "linear_out.weight", "linear_y.weight", "rg_lru.input_gate_bias",
        "rg_lru.input_gate_weight", "rg_lru.recurrent_gate_bias", "rg_lru.recurrent_gate_weight"}},
      {{"short convolution", RunShortConvolution},
       "in_proj.weight",
       {"conv.weight"},
       {"out_proj.weight"}},
      {{"rwkv", RunRwkvTimeMixing},
       "time_first",
       {"receptance.weight", "time_mix_key"},
       {"key.weight", "output.weight", "time_decay", "time_mix_receptance", "time_mix_value",
        "value.weight"}},
      {{"rwkv", RunRwkvTimeMixing},
       "time_first",
       {"receptance.weight", "time_mix_k"},
       {"key.weight", "output.weight", "time_decay", "time_mix_r", "time_mix_v", "value.weight"}},
  };
  return rows;
}

// "in_proj.weight" stands for its bias too.
bool Knows(const MixerRow& row, std::string_view member) {
  const auto equals = [&](std::string_view known) {
    if (member == known) return true;
    constexpr std::string_view kWeight = ".weight";
    constexpr std::string_view kBias = ".bias";
    return known.ends_with(kWeight) && member.ends_with(kBias) &&
           member.substr(0, member.size() - kBias.size()) ==
               known.substr(0, known.size() - kWeight.size());
  };
  return equals(row.marker) || std::ranges::any_of(row.needed, equals) ||
         std::ranges::any_of(row.allowed, equals);
}

bool IsIn(const MixerRow& row, const LayerParts& layer) {
  const Weight* marker = layer.Named(row.marker);
  if (marker == nullptr) return false;
  std::string_view module = layer.NameOf(*marker);
  module.remove_suffix(row.marker.size());
  const auto has = [&](std::string_view member) {
    return layer.Named(std::string(module) + std::string(member)) != nullptr;
  };
  const auto is_known = [&](const Weight* weight) {
    const std::string_view name = layer.NameOf(*weight);
    return !name.starts_with(module) || Knows(row, name.substr(module.size()));
  };
  return std::ranges::all_of(row.needed, has) && std::ranges::all_of(layer.weights(), is_known);
}

// The text up to the mixer's members: "model.layers.3.mixer."; empty where there is none.
std::string_view PrefixOf(const LayerParts& layer) {
  for (const MixerRow& row : Mixers()) {
    if (!IsIn(row, layer)) continue;
    std::string_view module = layer.NameOf(*layer.Named(row.marker));
    module.remove_suffix(row.marker.size());
    return module;
  }
  return {};
}

constexpr RecurrentMixer kChannelMixing = {"rwkv channel mixing", RunRwkvChannelMixing};

}  // namespace

const RecurrentMixer* FindRecurrentMixer(const LayerParts& layer) {
  for (const MixerRow& row : Mixers()) {
    if (IsIn(row, layer)) return &row.mixer;
  }
  return nullptr;
}

bool IsOfRecurrentMixer(const LayerParts& layer, std::string_view name) {
  const std::string_view prefix = PrefixOf(layer);
  return !prefix.empty() && name.starts_with(prefix);
}

const RecurrentMixer* FindRecurrentFeedForward(const LayerParts& layer) {
  return HasRwkvChannelMixing(layer) ? &kChannelMixing : nullptr;
}

}  // namespace tensorguard::internal

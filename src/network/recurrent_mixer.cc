#include "network/recurrent_mixer.h"

#include <algorithm>
#include <array>

#include "network/gated_delta_net.h"
#include "network/gated_linear_recurrence.h"
#include "network/lightning_attention.h"
#include "network/mamba.h"
#include "network/mamba2.h"
#include "network/rwkv.h"
#include "network/short_convolution.h"

namespace tensorguard {
namespace {

bool HasAll(const LayerParts& layer, std::initializer_list<std::string_view> names) {
  return std::ranges::all_of(names, [&](auto name) { return layer.Named(name) != nullptr; });
}

bool HasMamba(const LayerParts& layer) {
  return HasAll(layer, {"A_log", "x_proj.weight", "dt_proj.weight", "conv1d.weight"});
}

bool HasMamba2(const LayerParts& layer) {
  return HasAll(layer, {"A_log", "dt_bias", "in_proj.weight", "conv1d.weight"});
}

bool HasGatedDeltaNet(const LayerParts& layer) {
  return HasAll(layer, {"A_log", "dt_bias", "in_proj_qkvz.weight", "in_proj_ba.weight"}) ||
         HasAll(layer, {"A_log", "dt_bias", "in_proj_qkv.weight", "in_proj_z.weight"});
}

bool HasLightningAttention(const LayerParts& layer) {
  return HasAll(layer, {"qkv_proj.weight", "output_gate.weight", "out_proj.weight"});
}

bool HasShortConvolution(const LayerParts& layer) {
  return HasAll(layer, {"conv.in_proj.weight", "conv.conv.weight", "conv.out_proj.weight"});
}

bool HasGatedLinearRecurrence(const LayerParts& layer) {
  return HasAll(layer, {"rg_lru.recurrent_param", "linear_x.weight", "linear_y.weight"});
}

struct MixerRow {
  bool (*is_in)(const LayerParts& layer);
  RecurrentMixer mixer;
};

constexpr std::array<MixerRow, 7> kMixers = {{
    {HasMamba, {"mamba", RunMamba}},
    {HasMamba2, {"mamba2", RunMamba2}},
    {HasGatedDeltaNet, {"gated delta net", RunGatedDeltaNet}},
    {HasLightningAttention, {"lightning attention", RunLightningAttention}},
    {HasRwkvTimeMixing, {"rwkv", RunRwkvTimeMixing}},
    {HasGatedLinearRecurrence, {"gated linear recurrence", RunGatedLinearRecurrence}},
    {HasShortConvolution, {"short convolution", RunShortConvolution}},
}};

constexpr RecurrentMixer kChannelMixing = {"rwkv channel mixing", RunRwkvChannelMixing};

}  // namespace

const RecurrentMixer* FindRecurrentMixer(const LayerParts& layer) {
  for (const MixerRow& row : kMixers) {
    if (row.is_in(layer)) return &row.mixer;
  }
  return nullptr;
}

const RecurrentMixer* FindRecurrentFeedForward(const LayerParts& layer) {
  return HasRwkvChannelMixing(layer) ? &kChannelMixing : nullptr;
}

}  // namespace tensorguard

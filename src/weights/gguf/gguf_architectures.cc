#include "weights/gguf/gguf_architectures.h"

#include "weights/gguf/gguf_name_lists.h"

namespace tensorguard::internal {
namespace {

using namespace gguf_names;  // the lists are this table's own

constexpr std::string_view kSilu = R"({"hidden_act": "silu"})";
constexpr std::string_view kGeluTanh = R"({"hidden_act": "gelu_pytorch_tanh"})";
constexpr std::string_view kGelu = R"({"hidden_act": "gelu"})";
constexpr std::string_view kGptOssConfig =
    R"({"hidden_act": "silu", "rope_scaling": {"truncate": false}})";
constexpr std::string_view kFalconConfig =
    R"({"hidden_act": "gelu", "new_decoder_architecture": true})";
constexpr std::string_view kT5GatedConfig =
    R"({"feed_forward_proj": "gated-gelu", "scale_decoder_outputs": false})";
constexpr std::string_view kNormalised = R"({"hidden_act": "silu", "norm_topk_prob": true})";

constexpr GgufArchitecture kRows[] = {
    {"llama", false, "llama", {kOuter, kNorms, kTurnedAttention, kGated, kBuffers}, kSilu},
    {"llama",
     true,
     "mixtral",
     {kOuter, kNorms, kTurnedAttention, kMixtralExperts, kBuffers},
     kSilu},
    {"mistral3", false, "mistral", {kOuter, kNorms, kTurnedAttention, kGated, kBuffers}, kSilu},
    {"smollm3", false, "smollm3", {kOuter, kNorms, kTurnedAttention, kGated, kBuffers}, kSilu},
    {"granite", false, "granite", {kOuter, kNorms, kTurnedAttention, kGated, kBuffers}, kSilu},
    {"granitemoe", true, "granitemoe", {kOuter, kNorms, kTurnedAttention, kGraniteExperts}, kSilu},
    {"olmo", false, "olmo", {kOuter, kTurnedAttention, kGated}, kSilu},
    {"arcee",
     false,
     "arcee",
     {kOuter, kNorms, kTurnedAttention, kGated, kBuffers},
     R"({"hidden_act": "relu2"})"},
    {"qwen2", false, "qwen2", {kOuter, kNorms, kAttention, kGated}, kSilu},
    {"qwen2vl", false, "qwen2_vl", {kOuter, kNorms, kAttention, kGated}, kSilu},
    {"qwen3", false, "qwen3", {kOuter, kNorms, kAttention, kHeadNorms, kGated}, kSilu},
    {"qwen2moe", true, "qwen2_moe", {kOuter, kNorms, kAttention, kQwen2Experts}, kSilu},
    {"qwen3moe",
     true,
     "qwen3_moe",
     {kOuter, kNorms, kAttention, kHeadNorms, kExperts},
     kNormalised},
    {"olmoe", true, "olmoe", {kOuter, kNorms, kAttention, kHeadNorms, kExperts}, kSilu},
    {"olmo2", false, "olmo2", {kOuter, kOlmo2Norms, kAttention, kHeadNorms, kGated}, kSilu},
    {"seed_oss", false, "seed_oss", {kOuter, kGlm4MoeNorms, kAttention, kGated, kBuffers}, kSilu},
    {"gemma", false, "gemma", {kGemma, kAttention, kGated}, kGeluTanh},
    {"gemma2", false, "gemma2", {kGemma3, kAttention, kGated}, kGeluTanh},
    {"gemma3", false, "gemma3", {kGemma3, kAttention, kGated}, kGeluTanh},
    {"phi2", false, "phi", {kPhi2}, R"({"hidden_act": "gelu_new"})"},
    {"phi3", false, "phi3", {kOuter, kNorms, kPhi3Attention, kGateInUp, kBuffers}, kSilu},
    {"phimoe", true, "phimoe", {kOuter, kNorms, kAttention, kMixtralExperts, kBuffers}, kSilu},
    {"glm4", false, "glm4", {kOuter, kNorms, kAttention, kGlm4, kGateInUp}, kSilu},
    {"glm4moe",
     true,
     "glm4_moe",
     {kOuter, kGlm4MoeNorms, kAttention, kHeadNorms, kDeepseekFeedForward},
     kSilu},
    {"deepseek2",
     true,
     "deepseek_v3",
     {kOuter, kNorms, kLatentAttention, kDeepseekFeedForward},
     kSilu,
     "blk.{}.exp_probs_b.bias"},
    {"deepseek2",
     true,
     "deepseek_v2",
     {kOuter, kNorms, kLatentAttention, kDeepseekFeedForward},
     kSilu},
    {"nemotron",
     false,
     "nemotron",
     {kNemotronNorms, kOuter, kAttention, kGated},
     R"({"hidden_act": "relu2"})"},
    {"exaone4", false, "exaone4", {kOuter, kOlmo2Norms, kAttention, kHeadNorms, kGated}, kSilu},
    {"ernie4_5", false, "ernie4_5", {kOuter, kNorms, kAttention, kGated}, kSilu},
    {"hunyuan-dense",
     false,
     "hunyuan_v1_dense",
     {kOuter, kNorms, kAttention, kHunyuanHeadNorms, kGated},
     kSilu},
    {"stablelm", false, "stablelm", {kOuter, kNorms, kAttention, kGated}, kSilu},
    {"command-r", false, "cohere", {kOuter, kNorms, kAttention, kHeadNorms, kGated}, kSilu},
    {"cohere2", false, "cohere2", {kOuter, kNorms, kAttention, kGated}, kSilu},
    {"starcoder2", false, "starcoder2", {kOuter, kNorms, kAttention, kStarcoder2}, kGeluTanh},
    {"internlm2", false, "internlm2", {kOuter, kNorms, kTurnedAttention, kGated}, kSilu},
    {"gpt-oss", true, "gpt_oss", {kOuter, kAttention, kGptOss}, kGptOssConfig},
    {"gpt2", false, "gpt2", {kGpt2}, R"({"hidden_act": "gelu_new"})"},
    {"starcoder", false, "gpt_bigcode", {kGpt2}, kGeluTanh},
    {"gptneox", false, "gpt_neox", {kGptNeox}, kGelu},
    {"bloom", false, "bloom", {kBloom}, kGeluTanh},
    {"falcon",
     false,
     "falcon",
     {kFalcon, kFalconNorms},
     kFalconConfig,
     "blk.{}.attn_norm_2.weight"},
    {"falcon", false, "falcon", {kFalcon, kFalconNorm}, kFalconConfig},
    {"mpt", false, "mpt", {kMpt}, kGelu},
    {"bert", false, "bert", {kBert}, kGelu},
    {"t5", false, "t5", {kT5, kT5Gated}, kT5GatedConfig, "enc.blk.{}.ffn_gate.weight"},
    {"t5", false, "t5", {kT5, kT5Plain}, R"({"feed_forward_proj": "relu"})"},
    {"t5encoder", false, "t5", {kT5, kT5Gated}, kT5GatedConfig, "enc.blk.{}.ffn_gate.weight"},
    {"t5encoder", false, "t5", {kT5, kT5Plain}, R"({"feed_forward_proj": "relu"})"},
};

}  // namespace

std::span<const GgufArchitecture> GgufArchitectures() { return kRows; }

}  // namespace tensorguard::internal

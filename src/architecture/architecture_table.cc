#include "architecture/architecture_table.h"

#include <algorithm>

#include "base/text.h"

namespace tensorguard::internal {
namespace {

constexpr auto kHeads = Packing::kInterleavedHeads;
constexpr auto kGroups = Packing::kInterleavedGroups;
constexpr auto kConcatenated = Packing::kConcatenated;

// An architecture needs a row only for what names do not tell: another name in config.json, a
// layout of fused tensors other than the role table's, whether its head is tied where config.json
// does not say, or the words that tell it where there is no config. The first row that fits counts:
// rows with more words go before rows with fewer.
constexpr ArchitectureRow kRows[] = {
    // Encoder-decoders and encoders.
    {.name = "t5",
     .also = "mt5 umt5 longt5 switch_transformers",
     .words = "selfattention relative_attention_bias encdecattention",
     .tied = true},
    {.name = "bart", .also = "mbart plbart", .words = "layernorm_embedding encoder_attn shared"},
    {.name = "m2m_100", .also = "nllb-moe", .words = "encoder_attn shared", .tied = true},
    {.name = "distilbert", .words = "q_lin sa_layer_norm", .tied = true},
    {.name = "albert", .words = "albert_layer_groups", .tied = true},
    {.name = "deberta-v2", .also = "deberta", .words = "query_proj intermediate", .tied = true},
    {.name = "modernbert", .words = "wqkv wi tok_embeddings", .tied = true, .up_holds_gate = true},
    {.name = "roberta", .also = "xlm-roberta camembert", .words = "roberta", .tied = true},
    {.name = "bert", .words = "word_embeddings query intermediate", .tied = true},
    {.name = "electra", .tied = true},
    {.name = "mpnet", .tied = true},
    {.name = "longformer", .tied = true},
    {.name = "xlnet", .tied = true},
    {.name = "whisper", .tied = true},
    // Fused attention.
    {.name = "bloom",
     .words = "word_embeddings_layernorm query_key_value",
     .tied = true,
     .attention_packing = kHeads},
    {.name = "gpt_neox",
     .also = "gpt_neox_reward_model gpt_neox_japanese",
     .words = "embed_in query_key_value",
     .tied = false,
     .attention_packing = kHeads},
    {.name = "falcon",
     .also = "refinedweb refinedwebmodel",
     .words = "query_key_value word_embeddings ln_f",
     .tied = true},
    {.name = "chatglm2",
     .also = "chatglm",
     .words = "output_layer query_key_value rotary_pos_emb",
     .tied = false,
     .attention_packing = kConcatenated,
     .up_holds_gate = true,
     .words_needed = true},
    {.name = "chatglm", .tied = false, .attention_packing = kHeads},
    {.name = "persimmon",
     .also = "fuyu",
     .words = "query_key_value q_layernorm dense_h_to_4h",
     .tied = false,
     .attention_packing = kHeads},
    {.name = "phi3small",
     .tied = true,
     .attention_packing = kGroups,
     .gate_packing = Packing::kInterleavedRows,
     .up_holds_gate = true},
    {.name = "bailing_moe",
     .also = "bailing_moe_linear bailing_moe_v2",
     .words = "query_key_value experts",
     .tied = false,
     .attention_packing = kConcatenated},
    {.name = "internlm2",
     .words = "tok_embeddings wqkv feed_forward",
     .tied = false,
     .attention_packing = kGroups},
    {.name = "hunyuan", .also = "hunyuan_v1_moe hunyuan_v1_dense", .attention_packing = kGroups},
    {.name = "codegen", .tied = false, .attention_packing = Packing::kQuartersQueryValueKey},
    {.name = "mpt", .words = "wqkv norm_1 ffn", .tied = true},
    {.name = "dbrx", .words = "norm_attn_norm", .tied = false},
    {.name = "phi3", .also = "phi4mm", .words = "qkv_proj gate_up_proj", .tied = false},
    {.name = "baichuan", .words = "w_pack", .tied = false},
    {.name = "openelm", .words = "qkv_proj proj_1 proj_2", .tied = true},
    // GPT-2 and its kin.
    {.name = "qwen", .words = "c_attn w1 w2 wte", .tied = false},
    {.name = "gpt_bigcode", .tied = true},
    {.name = "gpt2", .words = "wte wpe c_attn", .tied = true},
    {.name = "ctrl", .tied = true},
    {.name = "biogpt", .tied = true},
    {.name = "openai-gpt", .words = "tokens_embed positions_embed c_attn", .tied = true},
    {.name = "gpt_neo", .words = "wte wpe q_proj c_fc", .tied = true},
    {.name = "exaone", .words = "c_fc_0 c_fc_1", .tied = false},
    {.name = "gptj", .words = "wte q_proj fc_in", .tied = false},
    {.name = "opt", .words = "embed_positions fc1 q_proj embed_tokens", .tied = true},
    {.name = "xglm", .tied = true},
    // Recurrent and hybrid.
    {.name = "rwkv", .words = "time_decay receptance", .tied = false},
    {.name = "jamba", .words = "mamba self_attn router", .tied = false},
    {.name = "qwen3_next",
     .words = "linear_attn in_proj_qkvz",
     .tied = false,
     .query_holds_gate = true},
    {.name = "qwen3_5",
     .also = "qwen3_5_moe qwen3_5_text qwen3_5_moe_text",
     .words = "linear_attn in_proj_qkv",
     .tied = false,
     .query_holds_gate = true},
    {.name = "mamba", .words = "a_log mixer x_proj", .tied = true},
    {.name = "mamba2", .words = "a_log mixer dt_bias", .tied = false},
    // Mixtures of experts.
    {.name = "gpt_oss",
     .words = "sinks router experts",
     .tied = false,
     .gate_packing = Packing::kInterleavedRows},
    {.name = "deepseek_v3",
     .also = "kimi_k2 deepseek_v32",
     .words = "kv_a_proj_with_mqa experts e_score_correction_bias",
     .tied = false},
    {.name = "deepseek_v2", .words = "kv_a_proj_with_mqa experts", .tied = false},
    {.name = "minicpm3", .words = "kv_a_proj_with_mqa"},
    {.name = "mixtral", .words = "block_sparse_moe experts w1 w2 w3", .tied = false},
    {.name = "granitemoe", .words = "block_sparse_moe input_linear", .tied = false},
    {.name = "llama4",
     .also = "llama4_text",
     .words = "feed_forward router shared_expert q_proj",
     .tied = false},
    {.name = "qwen2_moe", .words = "experts shared_expert_gate q_proj", .tied = false},
    {.name = "qwen3_moe", .words = "experts q_norm gate_proj", .tied = false},
    {.name = "olmoe", .tied = false},
    // The layout of Llama.
    {.name = "gemma3",
     .also = "gemma3_text",
     .words = "pre_feedforward_layernorm q_norm q_proj",
     .tied = true},
    {.name = "gemma2", .words = "pre_feedforward_layernorm q_proj", .tied = true},
    {.name = "gemma", .tied = true},
    {.name = "gemma3n", .also = "gemma3n_text", .tied = true},
    {.name = "gemma4", .also = "gemma4_text", .tied = true},
    {.name = "paligemma", .tied = true},
    {.name = "t5gemma", .tied = true},
    {.name = "cohere", .also = "cohere2", .tied = true},
    {.name = "starcoder2", .words = "c_fc c_proj self_attn embed_tokens", .tied = true},
    {.name = "phi", .words = "self_attn fc1 final_layernorm q_proj", .tied = false},
    {.name = "glm4", .words = "gate_up_proj post_self_attn_layernorm", .tied = false},
    {.name = "glm", .words = "gate_up_proj q_proj", .tied = false},
    {.name = "olmo2", .words = "post_feedforward_layernorm q_norm q_proj", .tied = false},
    {.name = "qwen3", .words = "q_norm gate_proj q_proj input_layernorm", .tied = false},
    {.name = "llama", .words = "q_proj gate_proj input_layernorm", .tied = false},
    {.name = "mistral", .tied = false},
    {.name = "qwen2", .tied = false},
    {.name = "olmo", .tied = false},
    {.name = "granite", .tied = false},
    {.name = "stablelm", .also = "stablelm_epoch", .tied = false},
    {.name = "internlm", .tied = false},
    {.name = "glm4_moe", .tied = false},
    {.name = "phimoe", .tied = false},
    {.name = "smollm3", .tied = true},
};

// Calls `visit` for each of the space-separated words until it returns true; tells whether it did.
template <typename Visit>
bool AnyWord(std::string_view words, Visit visit) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (visit(words.substr(0, end))) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

bool HasAllWords(const ArchitectureRow& row, const ModelPaths& model) {
  return !AnyWord(row.words, [&](std::string_view word) { return !model.HasWord(word); });
}

const ArchitectureRow* FindByType(std::string_view type, const ModelPaths& model) {
  for (const ArchitectureRow& row : kRows) {
    const bool named =
        row.name == type || AnyWord(row.also, [&](std::string_view word) { return word == type; });
    if (named && (!row.words_needed || HasAllWords(row, model))) return &row;
  }
  return nullptr;
}

const ArchitectureRow* FindByWords(const ModelPaths& model) {
  for (const ArchitectureRow& row : kRows) {
    if (!row.words.empty() && HasAllWords(row, model)) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const ArchitectureRow> ArchitectureRows() { return kRows; }

KnownArchitecture FindArchitecture(const ConfigView& config, const ModelPaths& model) {
  // A wrapper's own type first: it may have a row. Else that of the text model inside.
  const auto whole = config.ModelType();
  const auto text = config.TextModelType();
  for (const auto& type : {whole, text}) {
    if (!type) continue;
    const ArchitectureRow* row = FindByType(LowerAscii(*type), model);
    if (row != nullptr) return {std::string(row->name), "config", *row};
  }
  if (whole && text == *whole + "_text") return {*whole, "config", {}};
  if (text) return {*text, "config", {}};
  if (whole) return {*whole, "config", {}};
  const ArchitectureRow* row = FindByWords(model);
  if (row != nullptr) return {std::string(row->name), "names", *row};
  return {"generic", "names", {}};
}

std::optional<Packing> AttentionPacking(const KnownArchitecture& known, const ConfigView& config) {
  if (known.name == "falcon") {
    if (config.Flag("new_decoder_architecture").value_or(false)) return kGroups;
    if (config.Flag("multi_query").value_or(true)) return kGroups;  // one group: q heads, k, v
    return kHeads;
  }
  if (known.name == "gpt_bigcode" && !config.Flag("multi_query").value_or(true)) return kHeads;
  return known.row.attention_packing;
}

}  // namespace tensorguard::internal

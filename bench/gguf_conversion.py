"""What llama.cpp's conversion changes: names, rows, gains and experts, by architecture. For write_gguf.py."""
import re
import sys

import numpy as np

class Config:
    def __init__(self, values):
        self.values = {**values, **values.get("text_config", {})}

    def get(self, *keys, default=None):
        for key in keys:
            if self.values.get(key) is not None:
                return self.values[key]
        return default

    heads = property(lambda self: self.get("num_attention_heads", "n_head", "n_heads", "num_heads"))
    hidden = property(lambda self: self.get("hidden_size", "n_embd", "d_model", "dim"))

    @property
    def kv_heads(self):
        if self.get("model_type") == "falcon":
            many = self.get("new_decoder_architecture", default=False)
            return self.get("num_kv_heads", "n_head_kv", default=self.heads) if many else (1 if self.get("multi_query") else self.heads)
        return 1 if self.get("model_type") == "gpt_bigcode" else self.get("num_key_value_heads", "n_head_kv", default=self.heads)


def permuted(x, heads):
    return x.reshape(heads, 2, x.shape[0] // heads // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def query_rows(x, config):
    return permuted(x, config.heads)


def key_rows(x, config):
    return permuted(x, config.kv_heads)


def plus_one(x, config):
    return x + np.float32(1)


def transposed(x, config):
    return x.T if x.ndim == 2 else x


def ungrouped(groups):
    def change(x, config):
        count = groups(config)
        size = x.shape[0] // (config.heads + 2 * count)
        parts = x.reshape(count, config.heads // count + 2, size, *x.shape[1:])
        return np.concatenate([part.reshape(-1, *x.shape[1:]) for part in (parts[:, :-2], parts[:, -2], parts[:, -1])])
    return change


LLAMA_OUTER = [(r"model\.embed_tokens", "token_embd"), (r"model\.norm", "output_norm"), (r"lm_head", "output")]
L = r"model\.layers\.(\d+)\."
NORMS = [(L + "input_layernorm", "blk.{}.attn_norm"), (L + "post_attention_layernorm", "blk.{}.ffn_norm")]
ATTENTION = [(L + rf"self_attn\.{hub}_proj", "blk.{}.attn_" + part) for hub, part in (("q", "q"), ("k", "k"), ("v", "v"), ("o", "output"))]
ATTENTION += [(L + rf"self_attn\.{p}_norm", "blk.{}.attn_" + p + "_norm") for p in "qk"]
TURNED = [(ATTENTION[0] + (query_rows,)), (ATTENTION[1] + (key_rows,))] + ATTENTION[2:4]
MLP = [(L + rf"mlp\.{p}_proj", "blk.{}.ffn_" + p) for p in ("gate", "up", "down")]
EXPERTS = [(L + rf"mlp\.experts\.(?P<e>\d+)\.{p}_proj", "blk.{}.ffn_" + p + "_exps") for p in ("gate", "up", "down")]
EXPERTS += [(L + r"mlp\.gate", "blk.{}.ffn_gate_inp")]
MIXTRAL = [(L + rf"block_sparse_moe\.experts\.(?P<e>\d+)\.{w}", "blk.{}.ffn_" + p + "_exps") for w, p in (("w1", "gate"), ("w2", "down"), ("w3", "up"))]
MIXTRAL += [(L + r"block_sparse_moe\.gate", "blk.{}.ffn_gate_inp")]
SHARED = [(L + rf"mlp\.shared_experts?\.{p}_proj", "blk.{}.ffn_" + p + "_shexp") for p in ("gate", "up", "down")]
SANDWICH = [(L + "input_layernorm", "blk.{}.attn_norm"), (L + "post_attention_layernorm", "blk.{}.post_attention_norm"),
            (L + "pre_feedforward_layernorm", "blk.{}.ffn_norm"), (L + "post_feedforward_layernorm", "blk.{}.post_ffw_norm")]
H = r"(?:transformer\.)?h\.(\d+)\."
GPT_OUTER = [(r"(?:transformer\.)?wte", "token_embd"), (r"(?:transformer\.)?wpe", "position_embd"), (r"(?:transformer\.)?ln_f", "output_norm"), (r"lm_head", "output")]
GPT = [(H + "ln_1", "blk.{}.attn_norm"), (H + "ln_2", "blk.{}.ffn_norm"), (H + r"attn\.c_attn", "blk.{}.attn_qkv"),
       (H + r"attn\.c_proj", "blk.{}.attn_output"), (H + r"mlp\.c_fc", "blk.{}.ffn_up"), (H + r"mlp\.c_proj", "blk.{}.ffn_down")]
BLOOM_OUTER = [(r"transformer\.word_embeddings", "token_embd"), (r"transformer\.word_embeddings_layernorm", "token_embd_norm"),
               (r"transformer\.ln_f", "output_norm"), (r"lm_head", "output")]


def fused(prefix, attention, groups):
    return [(prefix + attention + r"\.query_key_value", "blk.{}.attn_qkv", ungrouped(groups)), (prefix + attention + r"\.dense", "blk.{}.attn_output"),
            (prefix + r"mlp\.dense_h_to_4h", "blk.{}.ffn_up"), (prefix + r"mlp\.dense_4h_to_h", "blk.{}.ffn_down"),
            (prefix + "input_layernorm", "blk.{}.attn_norm"), (prefix + "post_attention_layernorm", "blk.{}.ffn_norm"),
            (prefix + "ln_mlp", "blk.{}.attn_norm"), (prefix + "ln_attn", "blk.{}.attn_norm_2")]


def every_head(config):
    return config.heads


B = r"(?:bert\.|roberta\.)?"
BERT = [(B + r"embeddings\.word_embeddings", "token_embd"), (B + r"embeddings\.position_embeddings", "position_embd"),
        (B + r"embeddings\.token_type_embeddings", "token_types"), (B + r"embeddings\.LayerNorm", "token_embd_norm")]
BERT += [(B + r"encoder\.layer\.(\d+)\." + hub, "blk.{}." + part) for hub, part in (
    (r"attention\.self\.query", "attn_q"), (r"attention\.self\.key", "attn_k"), (r"attention\.self\.value", "attn_v"),
    (r"attention\.output\.dense", "attn_output"), (r"attention\.output\.LayerNorm", "attn_output_norm"),
    (r"intermediate\.dense", "ffn_up"), (r"output\.dense", "ffn_down"), (r"output\.LayerNorm", "layer_output_norm"))]
D = r"distilbert\."
DISTILBERT = [(D + rule[0][len(B):], rule[1]) for rule in BERT[:4]]
DISTILBERT += [(D + r"transformer\.layer\.(\d+)\." + hub, "blk.{}." + part) for hub, part in (
    (r"attention\.q_lin", "attn_q"), (r"attention\.k_lin", "attn_k"), (r"attention\.v_lin", "attn_v"), (r"attention\.out_lin", "attn_output"),
    ("sa_layer_norm", "attn_output_norm"), (r"ffn\.lin1", "ffn_up"), (r"ffn\.lin2", "ffn_down"), ("output_layer_norm", "layer_output_norm"))]
T5 = [("shared", "token_embd"), ("lm_head", "output")]
for side, part in (("encoder", "enc"), ("decoder", "dec")):
    T5 += [(side + r"\.final_layer_norm", part + ".output_norm")]
    inner = 1 if side == "encoder" else 2
    for hub, to in ((r"0\.layer_norm", "attn_norm"), (r"0\.SelfAttention\.q", "attn_q"), (r"0\.SelfAttention\.k", "attn_k"),
                    (r"0\.SelfAttention\.v", "attn_v"), (r"0\.SelfAttention\.o", "attn_o"), (r"0\.SelfAttention\.relative_attention_bias", "attn_rel_b"),
                    (r"1\.EncDecAttention\.q", "cross_attn_q"), (r"1\.EncDecAttention\.k", "cross_attn_k"), (r"1\.EncDecAttention\.v", "cross_attn_v"),
                    (r"1\.EncDecAttention\.o", "cross_attn_o"), (rf"{inner}\.layer_norm", "ffn_norm"), (r"1\.layer_norm", "cross_attn_norm"),
                    (rf"{inner}\.DenseReluDense\.wi(?:_1)?", "ffn_up"), (rf"{inner}\.DenseReluDense\.wi_0", "ffn_gate"), (rf"{inner}\.DenseReluDense\.wo", "ffn_down")):
        T5 += [(side + r"\.block\.(\d+)\.layer\." + hub, part + ".blk.{}." + to)]


def all_plus_one(rules):
    return [rule + (plus_one,) if "norm" in rule[1] else rule for rule in rules]


def all_transposed(rules):
    return [rule + (transposed,) if not "norm" in rule[1] else rule for rule in rules]


# model_type: architecture in GGUF, rules (pattern of the module, new name, change)
ARCHITECTURES = {
    "llama": ("llama", LLAMA_OUTER + NORMS + TURNED + MLP),
    "mistral": ("llama", LLAMA_OUTER + NORMS + TURNED + MLP),
    "mixtral": ("llama", LLAMA_OUTER + NORMS + TURNED + MIXTRAL),
    "granite": ("granite", LLAMA_OUTER + NORMS + TURNED + MLP),
    "granitemoe": ("granitemoe", LLAMA_OUTER + NORMS + TURNED + [(L + r"block_sparse_moe\.router\.layer", "blk.{}.ffn_gate_inp"),
                   (L + r"block_sparse_moe\.output_linear", "blk.{}.ffn_down_exps")]),
    "smollm3": ("smollm3", LLAMA_OUTER + NORMS + TURNED + MLP),
    "qwen2": ("qwen2", LLAMA_OUTER + NORMS + ATTENTION + MLP),
    "qwen3": ("qwen3", LLAMA_OUTER + NORMS + ATTENTION + MLP),
    "qwen2_moe": ("qwen2moe", LLAMA_OUTER + NORMS + ATTENTION + EXPERTS + SHARED + [(L + r"mlp\.shared_expert_gate", "blk.{}.ffn_gate_inp_shexp")]),
    "qwen3_moe": ("qwen3moe", LLAMA_OUTER + NORMS + ATTENTION + EXPERTS),
    "olmoe": ("olmoe", LLAMA_OUTER + NORMS + ATTENTION + EXPERTS),
    "glm4_moe": ("glm4moe", LLAMA_OUTER + [(L + "input_layernorm", "blk.{}.attn_norm"), (L + "post_attention_layernorm", "blk.{}.post_attention_norm")]
                 + ATTENTION + MLP + EXPERTS + SHARED + [(L + r"mlp\.gate\.e_score_correction", "blk.{}.exp_probs_b")]),
    "olmo2": ("olmo2", LLAMA_OUTER + SANDWICH + ATTENTION + MLP),
    "gemma": ("gemma", all_plus_one(LLAMA_OUTER[:2] + NORMS + ATTENTION + MLP)),
    "gemma2": ("gemma2", all_plus_one(LLAMA_OUTER[:2] + SANDWICH + ATTENTION + MLP)),
    "gemma3_text": ("gemma3", all_plus_one(LLAMA_OUTER[:2] + SANDWICH + ATTENTION + MLP)),
    "phi3": ("phi3", LLAMA_OUTER + NORMS + [(L + r"self_attn\.qkv_proj", "blk.{}.attn_qkv"), ATTENTION[3], (L + r"mlp\.gate_up_proj", "blk.{}.ffn_up"), MLP[2]]),
    "phimoe": ("phimoe", LLAMA_OUTER + NORMS + ATTENTION + MIXTRAL),
    "glm4": ("glm4", LLAMA_OUTER + ATTENTION + [NORMS[0], (L + "post_self_attn_layernorm", "blk.{}.post_attention_norm"), NORMS[1],
             (L + "post_mlp_layernorm", "blk.{}.post_ffw_norm"), (L + r"mlp\.gate_up_proj", "blk.{}.ffn_up"), MLP[2]]),
    "cohere": ("command-r", LLAMA_OUTER + NORMS[:1] + ATTENTION + MLP),
    "phi": ("phi2", LLAMA_OUTER[::2] + [(r"model\.final_layernorm", "output_norm")] + NORMS[:1] + ATTENTION[:3]
            + [(L + r"self_attn\.dense", "blk.{}.attn_output"), (L + r"mlp\.fc1", "blk.{}.ffn_up"), (L + r"mlp\.fc2", "blk.{}.ffn_down")]),
    "starcoder2": ("starcoder2", LLAMA_OUTER + NORMS + ATTENTION + [(L + r"mlp\.c_fc", "blk.{}.ffn_up"), (L + r"mlp\.c_proj", "blk.{}.ffn_down")]),
    "gpt_oss": ("gpt-oss", LLAMA_OUTER + ATTENTION + [NORMS[0], (L + "post_attention_layernorm", "blk.{}.post_attention_norm"),
                (L + r"mlp\.router", "blk.{}.ffn_gate_inp"), (L + r"self_attn\.sinks", "blk.{}.attn_sinks")]),
    "deepseek_v2": ("deepseek2", LLAMA_OUTER + NORMS + MLP + EXPERTS + SHARED + [ATTENTION[0], ATTENTION[3]] + [(L + r"self_attn\." + hub, "blk.{}.attn_" + to)
                    for hub, to in (("q_a_proj", "q_a"), ("q_b_proj", "q_b"), ("q_a_layernorm", "q_a_norm"), ("kv_a_proj_with_mqa", "kv_a_mqa"),
                                    ("kv_a_layernorm", "kv_a_norm"), ("kv_b_proj", "kv_b"))]),
    "gpt2": ("gpt2", GPT_OUTER + all_transposed(GPT)),
    "gpt_bigcode": ("starcoder", GPT_OUTER + GPT),
    "gpt_neox": ("gptneox", [(r"gpt_neox\.embed_in", "token_embd"), (r"gpt_neox\.final_layer_norm", "output_norm"), ("embed_out", "output")]
                 + fused(r"gpt_neox\.layers\.(\d+)\.", "attention", every_head)),
    "bloom": ("bloom", BLOOM_OUTER + fused(H, "self_attention", every_head)),
    "falcon": ("falcon", BLOOM_OUTER + fused(H, "self_attention", lambda config: config.kv_heads)),
    "mpt": ("mpt", [(r"transformer\.wte", "token_embd"), (r"transformer\.norm_f", "output_norm"), ("lm_head", "output")]
            + [(r"transformer\.blocks\.(\d+)\." + hub, "blk.{}." + to) for hub, to in (("norm_1", "attn_norm"), ("norm_2", "ffn_norm"),
               (r"attn\.Wqkv", "attn_qkv"), (r"attn\.out_proj", "attn_output"), (r"ffn\.up_proj", "ffn_up"), (r"ffn\.down_proj", "ffn_down"))]),
    "bert": ("bert", BERT),
    "roberta": ("bert", BERT),
    "distilbert": ("bert", DISTILBERT),
    "t5": ("t5", T5),
}
ARCHITECTURES["deepseek_v3"] = (ARCHITECTURES["deepseek_v2"][0], ARCHITECTURES["deepseek_v2"][1] + [(L + r"mlp\.gate\.e_score_correction", "blk.{}.exp_probs_b")])
# Heads for other tasks and buffers that llama.cpp drops.
DROPPED = re.compile(r"cls\.|lm_head\.(dense|layer_norm)|vocab_|.*pooler|.*\.attn\.(masked_)?bias$|.*rotary_emb|.*position_ids|.*embed_tokens_per")


def spread(name, x, model_type):
    """Tensors that become several, or are named without an ending."""
    part = name.split("experts.")[-1]
    if model_type == "gpt_oss" and ".experts." in name:
        layer = name.split(".")[2]
        x = x.swapaxes(1, 2) if x.ndim == 3 else x
        ending = ".bias" if part.endswith("_bias") else ".weight"
        if part.startswith("down"):
            return [(f"blk.{layer}.ffn_down_exps{ending}", x)]
        return [(f"blk.{layer}.ffn_gate_exps{ending}", x[:, ::2]), (f"blk.{layer}.ffn_up_exps{ending}", x[:, 1::2])]
    if model_type == "granitemoe" and name.endswith("input_linear.weight"):
        layer, half = name.split(".")[2], x.shape[1] // 2
        return [(f"blk.{layer}.ffn_gate_exps.weight", x[:, :half]), (f"blk.{layer}.ffn_up_exps.weight", x[:, half:])]
    return None


def converted(tensors, config, old_experts):
    model_type = config.get("model_type")
    if model_type not in ARCHITECTURES:
        sys.exit(f"write_gguf.py: architecture {model_type} is not known here")
    rules = [(re.compile(rule[0]), *rule[1:]) for rule in ARCHITECTURES[model_type][1]]
    out, experts = {}, {}
    for name, x in tensors.items():
        several = spread(name, x, model_type)
        if several is not None:
            out.update(several)
            continue
        if DROPPED.match(name) or name == "lm_head.bias" and model_type == "roberta":
            continue
        if model_type == "gemma" and name == "lm_head.weight":
            continue
        stem, ending = re.fullmatch(r"(.*?)(?:[._](weight|bias))?", name).groups()
        for rule in rules:
            match = rule[0].fullmatch(stem)
            if match:
                break
        else:
            sys.exit(f"write_gguf.py: tensor {name} has no rule")
        if len(rule) > 2:
            x = rule[2](x, config)
        if model_type == "roberta" and rule[1] == "position_embd":
            x = x[config.get("pad_token_id", default=1) + 1:]
        new = rule[1].format(*match.groups()) + "." + (ending or "weight")
        expert = match.groupdict().get("e")
        if expert is None:
            out[new] = x
        elif old_experts:
            out[new.replace("_exps.", f".{expert}.")] = x
        else:
            experts.setdefault(new, {})[int(expert)] = x
    for name, parts in experts.items():
        out[name] = np.stack([parts[e] for e in range(len(parts))])
    return out

#!/usr/bin/env python3
"""Converts a Hugging Face folder to GGUF by llama.cpp's rules of conversion, for measurements and trials.

usage: bench/write_gguf.py [--type F32|F16|BF16|Q8_0|Q4_0|Q4_K] [--split N] [--old-experts] IN_FOLDER OUT.gguf

Needs Debian's python3 and python3-numpy. Names and changes of tensors are those of llama.cpp's convert_hf_to_gguf.py, the
layouts of blocks those of ggml's quants; the quantisers are plain ones, rounding to nearest. With --split N the parts are
OUT-00001-of-0000N.gguf; --old-experts writes one tensor per expert, as in the first files of Mixtral.
"""
import argparse
import json
import re
import struct
import sys
from pathlib import Path

import numpy as np

TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q8_0": (8, 32, 34), "Q4_K": (12, 256, 144), "BF16": (30, 1, 2)}
ALIGNMENT = 32


# ---- what is read

def read_safetensors(folder):
    tensors = {}
    for path in sorted(folder.glob("*.safetensors")):
        if path.name.startswith("golden"):
            continue
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        for name, entry in json.loads(data[8:8 + length]).items():
            if name == "__metadata__":
                continue
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            raw = data[begin:end]
            if entry["dtype"] == "BF16":
                values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
            else:
                values = np.frombuffer(raw, {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I64": "<i8"}[entry["dtype"]])
            tensors[name] = values.astype(np.float32).reshape(entry["shape"])
    return tensors


# ---- how numbers are stored

def to_bf16(x):
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()


def to_q8_0(x):
    x = x.reshape(-1, 32)
    d = np.abs(x).max(1) / 127
    q = np.rint(x * np.divide(1, d, out=np.zeros_like(d), where=d != 0)[:, None]).astype(np.int8)
    return np.hstack([d.astype("<f2").view(np.uint8).reshape(-1, 2), q.view(np.uint8)]).tobytes()


def to_q4_0(x):
    x = x.reshape(-1, 32)
    largest = x[np.arange(len(x)), np.abs(x).argmax(1)]
    d = largest / -8
    q = x * np.divide(1, d, out=np.zeros_like(d), where=d != 0)[:, None] + 8.5
    q = np.clip(q.astype(np.int32), 0, 15).astype(np.uint8)
    return np.hstack([d.astype("<f2").view(np.uint8).reshape(-1, 2), q[:, :16] | q[:, 16:] << 4]).tobytes()


def to_q4_k(x):
    x = x.reshape(-1, 8, 32)
    low = np.minimum(x.min(2), 0)
    scales, mins = (x.max(2) - low) / 15, -low
    d, dmin = scales.max(1) / 63, mins.max(1) / 63

    def six_bits(values, unit):
        return np.clip(np.rint(np.divide(values, unit[:, None], out=np.zeros_like(values), where=unit[:, None] != 0)), 0, 63)

    d, dmin = d.astype("<f2"), dmin.astype("<f2")
    s, m = six_bits(scales, d.astype(np.float32)), six_bits(mins, dmin.astype(np.float32))
    scale, least = s * d[:, None].astype(np.float32), m * dmin[:, None].astype(np.float32)
    q = np.divide(x + least[:, :, None], scale[:, :, None], out=np.zeros_like(x), where=scale[:, :, None] != 0)
    q = np.clip(np.rint(q), 0, 15).astype(np.uint8)
    s, m = s.astype(np.uint8), m.astype(np.uint8)
    packed = np.hstack([s[:, :4] | (s[:, 4:] >> 4) << 6, m[:, :4] | (m[:, 4:] >> 4) << 6, s[:, 4:] & 15 | (m[:, 4:] & 15) << 4])
    nibbles = (q[:, 0::2] | q[:, 1::2] << 4).reshape(len(x), 128)
    halves = [part.view(np.uint8).reshape(-1, 2) for part in (d, dmin)]
    return np.hstack([*halves, packed, nibbles]).tobytes()


ENCODERS = {"F32": lambda x: x.astype("<f4").tobytes(), "F16": lambda x: x.astype("<f2").tobytes(), "BF16": to_bf16,
            "Q8_0": to_q8_0, "Q4_0": to_q4_0, "Q4_K": to_q4_k}
ALWAYS_F32 = ("ffn_gate_inp.", "position_embd.", "token_types.", "attn_rel_b.", "ffn_gate_inp_shexp.", "attn_sinks.")


def storage_type(name, shape, wanted):
    if len(shape) < 2 or any(part in name for part in ALWAYS_F32):
        return "F32"
    for kind in (wanted, "Q8_0", "F16"):
        if shape[-1] % TYPES[kind][1] == 0:
            return kind


# ---- what the conversion changes

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


# ---- the key/value section

def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key, value):
    if isinstance(value, bool):
        body = struct.pack("<IB", 7, value)
    elif isinstance(value, int):
        body = struct.pack("<II", 4, value)
    elif isinstance(value, float):
        body = struct.pack("<If", 6, value)
    elif isinstance(value, str):
        body = struct.pack("<I", 8) + text(value)
    elif value and isinstance(value[0], str):
        body = struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    else:
        body = struct.pack("<IIQ", 9, 5, len(value)) + np.array(value, "<i4").tobytes()
    return text(key) + body


def model_pairs(config, architecture):
    size = config.get("head_dim", "d_kv")
    if size is None and config.hidden and config.heads:
        size = config.hidden // config.heads
    rope = config.get("rope_parameters", default={})
    rope = rope.get("full_attention", rope) if isinstance(rope, dict) else {}
    fraction = config.get("partial_rotary_factor", "rotary_pct", default=rope.get("partial_rotary_factor"))
    values = {
        "block_count": config.get("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        "context_length": config.get("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", default=2048),
        "embedding_length": config.hidden,
        "feed_forward_length": config.get("intermediate_size", "n_inner", "d_ff", "ffn_dim", "hidden_dim", default=4 * config.hidden),
        "attention.head_count": config.heads,
        "attention.head_count_kv": config.kv_heads,
        "attention.key_length": size,
        "attention.value_length": size,
        "attention.layer_norm_rms_epsilon": config.get("rms_norm_eps", default=config.get("layer_norm_epsilon") if architecture == "t5" else None),
        "attention.layer_norm_epsilon": config.get("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "layernorm_epsilon", default=1e-5),
        "attention.sliding_window": config.get("sliding_window"),
        "rope.freq_base": config.get("rope_theta", default=rope.get("rope_theta")),
        "rope.dimension_count": int(size * fraction) if fraction else config.get("qk_rope_head_dim"),
        "expert_count": config.get("num_local_experts", "num_experts", "n_routed_experts"),
        "expert_used_count": config.get("num_experts_per_tok"),
        "expert_feed_forward_length": config.get("moe_intermediate_size"),
        "expert_weights_scale": config.get("routed_scaling_factor"),
        "expert_weights_norm": config.get("norm_topk_prob"),
        "leading_dense_block_count": config.get("first_k_dense_replace"),
        "attention.kv_lora_rank": config.get("kv_lora_rank"),
        "attention.q_lora_rank": config.get("q_lora_rank"),
        "embedding_scale": config.get("embedding_multiplier"),
        "residual_scale": config.get("residual_multiplier"),
        "attention.scale": config.get("attention_multiplier"),
        "logit_scale": config.get("logits_scaling", "logit_scale"),
        "attn_logit_softcapping": config.get("attn_logit_softcapping"),
        "final_logit_softcapping": config.get("final_logit_softcapping"),
        "use_parallel_residual": config.get("use_parallel_residual"),
    }
    if config.get("qk_nope_head_dim"):
        values["attention.key_length"] = config.get("qk_nope_head_dim") + config.get("qk_rope_head_dim")
        values["attention.value_length"] = config.get("v_head_dim")
    reals = ("epsilon", "freq_base", "_scale", ".scale", "softcapping")
    pairs = [pair("general.architecture", architecture), pair("general.name", "converted"), pair("general.quantization_version", 2)]
    for key, value in values.items():
        if value is not None:
            value = float(value) if key.endswith(reals) else value
            pairs.append(pair(f"{architecture}.{key}", value))
    return pairs


def tokenizer_pairs(folder, rows):
    path = folder / "tokenizer.json"
    if not path.exists():
        return []
    tokenizer = json.loads(path.read_text())
    model, vocabulary = tokenizer["model"], tokenizer["model"]["vocab"]
    spelled = dict(enumerate(entry[0] for entry in vocabulary)) if isinstance(vocabulary, list) else {i: t for t, i in vocabulary.items()}
    added = {entry["id"]: entry for entry in tokenizer.get("added_tokens", [])}
    kind = {"WordPiece": "bert", "Unigram": "t5"}.get(model.get("type"))
    kind = kind or ("llama" if any(t.startswith("\u2581") for t in spelled.values()) else "gpt2")
    tokens, types = [], []
    for i in range(max(rows, max([*spelled, *added]) + 1)):
        token, kind_of_token = spelled.get(i), 1
        if i in added:
            token, kind_of_token = added[i]["content"], 3 if added[i]["special"] else 4
        elif token is None:
            token, kind_of_token = f"[PAD{i}]", 5
        elif kind == "llama" and re.fullmatch("<0x[0-9A-F]{2}>", token):
            kind_of_token = 6
        elif kind == "bert":
            token = token[2:] if token.startswith("##") else "\u2581" + token
        tokens.append(token)
        types.append(kind_of_token)
    return [pair("tokenizer.ggml.model", kind), pair("tokenizer.ggml.pre", "default"), pair("tokenizer.ggml.tokens", tokens),
            pair("tokenizer.ggml.token_type", types)]


# ---- the file

def write(path, pairs, tensors, wanted):
    described, data = [], []
    offset = 0
    for name, x in tensors.items():
        kind = storage_type(name, x.shape, wanted)
        encoded = ENCODERS[kind](np.ascontiguousarray(x))
        described.append(text(name) + struct.pack(f"<I{x.ndim}QIQ", x.ndim, *reversed(x.shape), TYPES[kind][0], offset))
        data.append(encoded + bytes(-len(encoded) % ALIGNMENT))
        offset += len(data[-1])
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs) + b"".join(described)
    path.write_bytes(header + bytes(-len(header) % ALIGNMENT) + b"".join(data))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--type", choices=TYPES, default="F16")
    parser.add_argument("--split", type=int, default=1)
    parser.add_argument("--old-experts", action="store_true")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    config = Config(json.loads((options.folder / "config.json").read_text()))
    tensors = converted(read_safetensors(options.folder), config, options.old_experts)
    architecture = ARCHITECTURES[config.get("model_type")][0]
    pairs = model_pairs(config, architecture) + tokenizer_pairs(options.folder, len(tensors["token_embd.weight"]))
    if options.split == 1:
        write(options.out, pairs, tensors, options.type)
        return
    names = list(tensors)
    for part in range(options.split):
        chosen = names[part * len(names) // options.split:(part + 1) * len(names) // options.split]
        own = [pair("split.no", part), pair("split.count", options.split), pair("split.tensors.count", len(names))]
        path = options.out.with_name(f"{options.out.stem}-{part + 1:05}-of-{options.split:05}.gguf")
        write(path, (pairs if part == 0 else []) + own, {name: tensors[name] for name in chosen}, options.type)


if __name__ == "__main__":
    main()

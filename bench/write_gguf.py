#!/usr/bin/python3
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

sys.dont_write_bytecode = True  # leaves the folder of sources as it is
from gguf_conversion import ARCHITECTURES, Config, converted

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
    scaling = config.get("rope_scaling", default=rope)
    if scaling.get("rope_type", scaling.get("type")) in ("linear", "yarn"):
        values["rope.scaling.type"] = scaling.get("rope_type", scaling.get("type"))
        values["rope.scaling.factor"] = float(scaling["factor"])
        values["rope.scaling.original_context_length"] = scaling.get("original_max_position_embeddings")
        values["rope.scaling.yarn_beta_fast"] = scaling.get("beta_fast")
        values["rope.scaling.yarn_beta_slow"] = scaling.get("beta_slow")
    if config.get("model_type") == "distilbert":
        values["attention.layer_norm_epsilon"] = 1e-12
    reals = ("epsilon", "freq_base", "_scale", ".scale", "softcapping", "beta_fast", "beta_slow")
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

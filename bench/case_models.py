"""Models for bench/word_cases.py, in numpy alone: read from a folder, held by parts, written back in their layout.

A model's parts are matrices as outputs by inputs: "embed", "head" (unless tied), "position" (GPT-2), "norm", and for layer N "N.q",
"N.k", "N.v", "N.o", "N.gate", "N.up", "N.down", "N.norm1", "N.norm2", with "_b" biases. Layouts: Llama's, Qwen2's, Gemma's, GPT-2's
and Phi-3's."""

import json
import os
import shutil
import struct
from pathlib import Path

import numpy as np

LLAMA = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj", "gate": "mlp.gate_proj",
         "up": "mlp.up_proj", "down": "mlp.down_proj", "norm1": "input_layernorm", "norm2": "post_attention_layernorm"}
LLAMA_TOP = {"embed": "model.embed_tokens", "norm": "model.norm", "head": "lm_head"}
GPT2 = {"o": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj", "norm1": "ln_1", "norm2": "ln_2"}
GPT2_TOP = {"embed": "wte", "position": "wpe", "norm": "ln_f"}
READERS, WRITERS = ("q", "k", "v", "gate", "up"), ("o", "down")


def bfloat16_codes(x):
    words = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((words + 0x7FFF + ((words >> 16) & 1)) >> 16).astype(np.uint16)


def stored(x, dtype):
    return {"BF16": bfloat16_codes, "F32": np.float32, "F16": np.float16}[dtype](x).tobytes()


def as_stored(x, dtype):
    """The numbers that a reader of the file finds."""
    if dtype == "BF16":
        return (bfloat16_codes(x).astype(np.uint32) << 16).view(np.float32).reshape(x.shape).astype(np.float64)
    return x.astype({"F32": np.float32, "F16": np.float16}[dtype]).astype(np.float64)


def read_tensors(folder):
    for file in sorted(Path(folder).glob("*.safetensors")):
        raw = file.read_bytes()
        size = struct.unpack("<Q", raw[:8])[0]
        for key, entry in json.loads(raw[8:8 + size]).items():
            if key == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            data = raw[8 + size + begin:8 + size + end]
            if entry["dtype"] == "BF16":
                values = (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
            else:
                values = np.frombuffer(data, {"F16": np.float16, "F32": np.float32}[entry["dtype"]])
            yield key, values.reshape(entry["shape"]).astype(np.float64)


class Model:
    """`parts`, and the sizes that its config states."""

    def __init__(self, parts, config, tokenizer):
        self.parts, self.config, self.tokenizer = parts, config, tokenizer
        self.layout = config["model_type"]
        gpt2 = self.layout == "gpt2"
        self.heads = config["n_head" if gpt2 else "num_attention_heads"]
        self.width = config["n_embd" if gpt2 else "hidden_size"]
        self.groups = self.heads if gpt2 else config["num_key_value_heads"]
        self.head = config.get("head_dim") or self.width // self.heads
        self.tied = "head" not in parts
        self.gated = not gpt2 and any(name.endswith(".gate") for name in parts)
        # A gain of this much is none.
        self.no_gain = 0.0 if self.layout == "gemma" else 1.0

    @property
    def depth(self):
        return 1 + max(int(name.split(".")[0]) for name in self.parts if "." in name)

    @property
    def hidden(self):
        return self.parts["0.up"].shape[0]

    def with_parts(self, parts, **config):
        return Model(parts, {**self.config, **config}, self.tokenizer)

    def changed(self, change, chosen=lambda part, layer: True):
        """Every matrix of the layers that `chosen` takes, changed."""
        parts = dict(self.parts)
        for name in self.matrices(chosen):
            parts[name] = change(parts[name])
        return self.with_parts(parts)

    def matrices(self, chosen=lambda part, layer: True):
        inside = [name for name in self.parts if "." in name and self.parts[name].ndim == 2]
        return [name for name in inside if chosen(name.split(".")[1], int(name.split(".")[0]))]

    def tables(self):
        return {name: x for name, x in self.parts.items() if name in ("embed", "head")}

    def layers(self, order):
        """The layers `order`, any number of times each."""
        parts = {name: x for name, x in self.parts.items() if "." not in name}
        for place, layer in enumerate(order):
            for name, x in self.parts.items():
                if name.startswith(f"{layer}."):
                    parts[f"{place}.{name.split('.')[1]}"] = x
        return self.with_parts(parts, **{self.config_name("depth"): len(order)})

    def config_name(self, size):
        gpt2 = self.layout == "gpt2"
        return {"depth": "n_layer" if gpt2 else "num_hidden_layers", "hidden": "n_inner" if gpt2 else "intermediate_size",
                "width": "n_embd" if gpt2 else "hidden_size"}[size]


def parts_of_llama(tensors):
    top = {spelled: name for name, spelled in LLAMA_TOP.items()}
    inside = {spelled: name for name, spelled in LLAMA.items()}
    for key, x in tensors:
        stem, kind = key.rsplit(".", 1)
        if stem in top:
            yield top[stem], x
            continue
        _, _, layer, part = stem.split(".", 3)
        yield f"{layer}.{inside[part]}{'_b' if kind == 'bias' else ''}", x


def parts_of_phi3(tensors, config):
    query = config["num_attention_heads"] * config["head_dim"]
    key_value = config["num_key_value_heads"] * config["head_dim"]
    for key, x in tensors:
        layer = key.split(".")[2] if ".layers." in key else ""
        if "qkv_proj" in key:
            for part, piece in zip("qkv", np.split(x, [query, query + key_value])):
                yield f"{layer}.{part}", piece
        elif "gate_up_proj" in key:
            for part, piece in zip(("gate", "up"), np.split(x, 2)):
                yield f"{layer}.{part}", piece
        else:
            yield from parts_of_llama([(key, x)])


def parts_of_gpt2(tensors):
    top = {spelled: name for name, spelled in GPT2_TOP.items()}
    inside = {spelled: name for name, spelled in GPT2.items()}
    for key, x in tensors:
        stem, kind = key.rsplit(".", 1)
        suffix = "_b" if kind == "bias" else ""
        if stem in top:
            yield top[stem] + suffix, x
        elif stem.endswith("c_attn"):
            for part, piece in zip("qkv", np.split(x, 3, axis=-1)):
                yield f"{stem.split('.')[1]}.{part}{suffix}", piece.T
        else:
            _, layer, part = stem.split(".", 2)
            yield f"{layer}.{inside[part]}{suffix}", x.T if x.ndim == 2 else x


def read(folder):
    config = json.loads((Path(folder) / "config.json").read_text())
    tensors = list(read_tensors(folder))
    kind = config["model_type"]
    parts = parts_of_gpt2(tensors) if kind == "gpt2" else parts_of_phi3(tensors, config) if kind == "phi3" else parts_of_llama(tensors)
    return Model(dict(parts), config, Path(folder) / "tokenizer.json")


def tensors_of(model):
    gpt2, phi3 = model.layout == "gpt2", model.layout == "phi3"
    for name, x in model.parts.items():
        part, kind = (name[:-2], ".bias") if name.endswith("_b") else (name, ".weight")
        if "." not in name:
            yield (GPT2_TOP if gpt2 else LLAMA_TOP)[part] + kind, x
            continue
        layer, part = part.split(".")
        own = lambda piece: model.parts[f"{layer}.{piece}{'_b' if kind == '.bias' else ''}"]
        if part in "qkv" and (gpt2 or phi3):
            if part == "q":
                fused = np.concatenate([own(piece) for piece in "qkv"])
                yield (f"h.{layer}.attn.c_attn{kind}", fused.T) if gpt2 else (f"model.layers.{layer}.self_attn.qkv_proj.weight", fused)
        elif part in ("gate", "up") and phi3:
            if part == "gate":
                yield f"model.layers.{layer}.mlp.gate_up_proj.weight", np.concatenate([own("gate"), own("up")])
        elif gpt2:
            yield f"h.{layer}.{GPT2[part]}{kind}", x.T if x.ndim == 2 else x
        else:
            yield f"model.layers.{layer}.{LLAMA[part]}{kind}", x


def write(folder, model, dtype):
    os.makedirs(folder, exist_ok=True)
    header, data, offset = {}, [], 0
    for key, x in tensors_of(model):
        raw = stored(x, dtype)
        header[key] = {"dtype": dtype, "shape": list(x.shape), "data_offsets": [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    head = json.dumps(header).encode()
    (Path(folder) / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + b"".join(data))
    (Path(folder) / "config.json").write_text(json.dumps(model.config))
    shutil.copy(model.tokenizer, folder)

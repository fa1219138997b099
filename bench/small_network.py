"""Small transformers in plain torch, for bench/train_families.py: Llama's, Qwen2's, Gemma's, GPT-2's and Mixtral's layout.

A model is a dict of tensors, matrices as outputs by inputs: "embed", "head" (unless tied), "position" (GPT-2), "norm",
and for layer N "N.q", "N.k", "N.v", "N.o", "N.gate", "N.up", "N.down", "N.norm1", "N.norm2", with "_b" biases; with
experts "N.router", "N.E.gate", ... `save` spells them as the layout does.
"""

import dataclasses
import json
import math
import struct
from pathlib import Path

import torch
import torch.nn.functional as F


@dataclasses.dataclass(frozen=True)
class Shape:
    layout: str  # llama, qwen2, gemma, gpt2, mixtral
    depth: int
    width: int
    heads: int
    kv: int
    head: int
    hidden: int
    vocabulary: int
    tied: bool
    experts: int = 0

    def changed(self, **fields):
        return dataclasses.replace(self, **fields)


def fresh(shape, seed, deviation=0.02):
    """Random weights as GPT-2 starts: normal, what writes to the stream smaller by the root of twice the depth."""
    made = torch.Generator().manual_seed(seed)
    normal = lambda *size, scale=1.0: torch.randn(*size, generator=made) * deviation * scale
    gpt2, d, model = shape.layout == "gpt2", shape.width, {}
    model["embed"] = normal(shape.vocabulary, d)
    if not shape.tied:
        model["head"] = normal(shape.vocabulary, d)
    if gpt2:
        model["position"] = normal(128, d)
    out = 1 / math.sqrt(2 * shape.depth)
    sizes = {"q": (shape.heads * shape.head, d), "k": (shape.kv * shape.head, d), "v": (shape.kv * shape.head, d),
             "o": (d, shape.heads * shape.head), "gate": (shape.hidden, d), "up": (shape.hidden, d), "down": (d, shape.hidden)}
    for layer in range(shape.depth):
        for name, size in sizes.items():
            if gpt2 and name == "gate":
                continue
            model[f"{layer}.{name}"] = normal(*size, scale=out if name in ("o", "down") else 1)
            if gpt2 or (shape.layout == "qwen2" and name in "qkv"):
                model[f"{layer}.{name}_b"] = torch.zeros(size[0])
        add_norms(model, shape, f"{layer}.norm1", f"{layer}.norm2")
    add_norms(model, shape, "norm")
    return model


def add_norms(model, shape, *names):
    for name in names:
        model[name] = torch.zeros(shape.width) if shape.layout == "gemma" else torch.ones(shape.width)
        if shape.layout == "gpt2":
            model[name + "_b"] = torch.zeros(shape.width)


def normed(model, shape, name, x):
    if shape.layout == "gpt2":
        return F.layer_norm(x, x.shape[-1:], model[name], model[name + "_b"], 1e-5)
    gain = model[name] + 1 if shape.layout == "gemma" else model[name]
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * gain


def linear(model, name, x):
    return F.linear(x, model[name], model.get(name + "_b"))


def turned(x, cosines, sines):
    half = x.shape[-1] // 2
    return x * cosines + torch.cat([-x[..., half:], x[..., :half]], -1) * sines


def attended(model, shape, layer, x):
    batch, length, _ = x.shape
    split = lambda name, heads: linear(model, f"{layer}.{name}", x).view(batch, length, heads, shape.head).transpose(1, 2)
    q, k, v = split("q", shape.heads), split("k", shape.kv), split("v", shape.kv)
    if shape.layout != "gpt2":
        rates = 10000 ** (-torch.arange(0, shape.head, 2) / shape.head)
        angles = torch.outer(torch.arange(length), rates).repeat(1, 2)
        q, k = turned(q, angles.cos(), angles.sin()), turned(k, angles.cos(), angles.sin())
    if shape.kv != shape.heads:
        k, v = (t.repeat_interleave(shape.heads // shape.kv, 1) for t in (k, v))
    scores = q @ k.transpose(2, 3) / math.sqrt(shape.head)
    scores = scores + torch.full((length, length), -1e9).triu(1)
    return linear(model, f"{layer}.o", (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, -1))


def gated(model, shape, prefix, x):
    if shape.layout == "gpt2":
        return linear(model, prefix + "down", F.gelu(linear(model, prefix + "up", x)))
    act = F.gelu if shape.layout == "gemma" else F.silu
    return linear(model, prefix + "down", act(linear(model, prefix + "gate", x)) * linear(model, prefix + "up", x))


def fed_forward(model, shape, layer, x):
    if not shape.experts:
        return gated(model, shape, f"{layer}.", x)
    top, chosen = linear(model, f"{layer}.router", x).softmax(-1).topk(2)
    weights = torch.zeros(*x.shape[:-1], shape.experts).scatter(-1, chosen, top / top.sum(-1, keepdim=True))
    return sum(weights[..., e:e + 1] * gated(model, shape, f"{layer}.{e}.", x) for e in range(shape.experts))


def forward(model, shape, ids):
    """Logits, and the residual stream after each layer."""
    x = F.embedding(ids, model["embed"])
    if shape.layout == "gemma":
        x = x * math.sqrt(shape.width)
    if shape.layout == "gpt2":
        x = x + model["position"][:ids.shape[1]]
    states = []
    for layer in range(shape.depth):
        x = x + attended(model, shape, layer, normed(model, shape, f"{layer}.norm1", x))
        x = x + fed_forward(model, shape, layer, normed(model, shape, f"{layer}.norm2", x))
        states.append(x)
    return F.linear(normed(model, shape, "norm", x), model.get("head", model["embed"])), states


def centred(kernel):
    return kernel - kernel.mean(0) - kernel.mean(1, keepdim=True) + kernel.mean()


def kernels(model, shape, anchors):
    """What each layer answers to the anchors, as docs/full_profile.md says: three kernels a layer, normalised."""
    inputs, outputs = model["embed"][anchors], model.get("head", model["embed"])[anchors]
    sides = [inputs] if "head" not in model else [inputs, outputs]
    grams = torch.stack([centred(a @ b.T).flatten() for a in sides for b in sides], 1).detach()
    grams = torch.linalg.qr(grams)[0]
    found = []
    for layer in range(shape.depth):
        x, y = (normed(model, shape, f"{layer}.{name}", inputs) for name in ("norm1", "norm2"))
        q, k, v = (linear(model, f"{layer}.{name}", x).view(len(anchors), -1, shape.head) for name in "qkv")
        k, v = (t.repeat_interleave(shape.heads // shape.kv, 1) for t in (k, v))
        answers = [torch.einsum("ahd,bhd->ab", q, k), linear(model, f"{layer}.o", v.flatten(1)) @ outputs.T,
                   fed_forward(model, shape, layer, y) @ outputs.T]
        for answer in answers:
            rest = centred(answer).flatten()
            rest = (rest - grams @ (grams.T @ rest)).view(len(anchors), -1)
            for _ in range(2):
                rest = rest / (rest.norm(dim=1, keepdim=True) + 1e-9)
                rest = rest / (rest.norm(dim=0, keepdim=True) + 1e-9)
            found.append(rest)
    return found


def likeness(some, others):
    """Mean cosine of two models' kernels, layer by layer."""
    return torch.stack([F.cosine_similarity(a.flatten(), b.flatten(), 0) for a, b in zip(some, others)]).mean()


# --- Files ---------------------------------------------------------------------------------------

LLAMA = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj", "gate": "mlp.gate_proj",
         "up": "mlp.up_proj", "down": "mlp.down_proj", "norm1": "input_layernorm", "norm2": "post_attention_layernorm",
         "router": "block_sparse_moe.gate"}
EXPERT = {"gate": "w1", "down": "w2", "up": "w3"}
GPT2_TOP = {"embed": "wte.weight", "position": "wpe.weight", "norm": "ln_f.weight", "norm_b": "ln_f.bias"}
GPT2 = {"o": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj", "norm1": "ln_1", "norm2": "ln_2"}


def llama_tensors(model):
    for name, tensor in model.items():
        if name in ("embed", "norm", "head"):
            yield {"embed": "model.embed_tokens", "norm": "model.norm", "head": "lm_head"}[name] + ".weight", tensor
            continue
        layer, *expert, part = name.split(".")
        part, kind = (part[:-2], ".bias") if part.endswith("_b") else (part, ".weight")
        spelled = f"block_sparse_moe.experts.{expert[0]}.{EXPERT[part]}" if expert else LLAMA[part]
        yield f"model.layers.{layer}.{spelled}{kind}", tensor


def gpt2_tensors(model, shape):
    yield from ((spelled, model[name]) for name, spelled in GPT2_TOP.items())
    for layer in range(shape.depth):
        yield f"h.{layer}.attn.c_attn.weight", torch.cat([model[f"{layer}.{part}"] for part in "qkv"]).T.contiguous()
        yield f"h.{layer}.attn.c_attn.bias", torch.cat([model[f"{layer}.{part}_b"] for part in "qkv"])
        for part, spelled in GPT2.items():
            weight = model[f"{layer}.{part}"]
            yield f"h.{layer}.{spelled}.weight", weight.T.contiguous() if weight.dim() == 2 else weight
            yield f"h.{layer}.{spelled}.bias", model[f"{layer}.{part}_b"]


def config(shape):
    names = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "gemma": "GemmaForCausalLM", "gpt2": "GPT2LMHeadModel",
             "mixtral": "MixtralForCausalLM"}
    common = {"architectures": [names[shape.layout]], "model_type": shape.layout, "vocab_size": shape.vocabulary,
              "tie_word_embeddings": shape.tied, "torch_dtype": "bfloat16"}
    if shape.layout == "gpt2":
        return {**common, "n_embd": shape.width, "n_layer": shape.depth, "n_head": shape.heads, "n_inner": shape.hidden,
                "n_positions": 128}
    experts = {"num_local_experts": shape.experts, "num_experts_per_tok": 2} if shape.experts else {}
    return {**common, "hidden_size": shape.width, "num_hidden_layers": shape.depth, "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv, "head_dim": shape.head, "intermediate_size": shape.hidden, "rms_norm_eps": 1e-6,
            "rope_theta": 10000.0, **experts}


def save(folder, model, shape, tokenizer_json):
    """A folder as the Hub has them, weights in bfloat16."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = gpt2_tensors(model, shape) if shape.layout == "gpt2" else llama_tensors(model)
    entries, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors:
        raw = tensor.detach().to(torch.bfloat16).contiguous().view(torch.int16).numpy().tobytes()
        entries[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    (folder / "config.json").write_text(json.dumps(config(shape), indent=1))
    (folder / "tokenizer.json").write_text(tokenizer_json)


def read_tensors(path):
    """The tensors of a file that `save` wrote."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    for name, entry in json.loads(raw[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            yield name, torch.frombuffer(bytearray(raw[begin:end]), dtype=torch.bfloat16).float().view(entry["shape"])


def load(folder):
    """What `save` wrote, but for models with experts: the model and its shape."""
    folder = Path(folder)
    tensors, told = dict(read_tensors(folder / "model.safetensors")), json.loads((folder / "config.json").read_text())
    if told["model_type"] == "gpt2":
        heads, width = told["n_head"], told["n_embd"]
        shape = Shape("gpt2", told["n_layer"], width, heads, heads, width // heads, told["n_inner"], told["vocab_size"], True)
        return gpt2_model(tensors, shape), shape
    shape = Shape(told["model_type"], told["num_hidden_layers"], told["hidden_size"], told["num_attention_heads"],
                  told["num_key_value_heads"], told["head_dim"], told["intermediate_size"], told["vocab_size"],
                  told["tie_word_embeddings"])
    spelled, model = {"model.embed_tokens": "embed", "model.norm": "norm", "lm_head": "head"}, {}
    for name, tensor in tensors.items():
        stem, kind = name.rsplit(".", 1)
        if stem not in spelled:
            _, _, layer, part = stem.split(".", 3)
            spelled[stem] = f"{layer}.{next(own for own, theirs in LLAMA.items() if theirs == part)}"
        model[spelled[stem] + ("_b" if kind == "bias" else "")] = tensor
    return model, shape


def gpt2_model(tensors, shape):
    model = {name: tensors[spelled] for name, spelled in GPT2_TOP.items()}
    for layer in range(shape.depth):
        for part, weight, bias in zip("qkv", tensors[f"h.{layer}.attn.c_attn.weight"].T.chunk(3),
                                      tensors[f"h.{layer}.attn.c_attn.bias"].chunk(3)):
            model[f"{layer}.{part}"], model[f"{layer}.{part}_b"] = weight, bias
        for part, spelled in GPT2.items():
            weight = tensors[f"h.{layer}.{spelled}.weight"]
            model[f"{layer}.{part}"] = weight.T if weight.dim() == 2 else weight
            model[f"{layer}.{part}_b"] = tensors[f"h.{layer}.{spelled}.bias"]
    return model

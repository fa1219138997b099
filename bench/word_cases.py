#!/usr/bin/env python3
"""Models to which one known thing was done, for findings_table: word_cases.py ZOO OUT.

Reads Llama-like safetensors models of ZOO (numpy alone) and writes a folder per case beside a truth.json: name, root, parents,
kind. Everything follows from fixed seeds. bfloat16 as the models are stored."""
import json
import os
import shutil
import struct
import sys

import numpy as np

ZOO, OUT = sys.argv[1], sys.argv[2]
LAYERS, HIDDEN, HEADS, GROUPS, HEAD = 6, 96, 6, 3, 16
truth = []


def narrow(x):
    u = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((u + 0x7FFF + ((u >> 16) & 1)) >> 16).astype(np.uint16)


def read(name):
    model = {}
    for file in sorted(os.listdir(f"{ZOO}/{name}")):
        if not file.endswith(".safetensors"):
            continue
        raw = open(f"{ZOO}/{name}/{file}", "rb").read()
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
            model[key] = values.reshape(entry["shape"]).astype(np.float64)
    return model


def write(name, kind, model, parents, root=None, config=None, dtype="BF16"):
    root = root or parents[0].split("--")[0]
    folder = f"{OUT}/{name}"
    os.makedirs(folder, exist_ok=True)
    header, parts, offset = {}, [], 0
    for key, x in model.items():
        data = {"BF16": lambda: narrow(x), "F32": lambda: x.astype(np.float32), "F16": lambda: x.astype(np.float16)}[dtype]().tobytes()
        header[key] = {"dtype": dtype, "shape": list(x.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    head = json.dumps(header).encode()
    with open(f"{folder}/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head + b"".join(parts))
    own = json.load(open(f"{ZOO}/{root}/config.json"))
    json.dump({**own, **(config or {})}, open(f"{folder}/config.json", "w"))
    shutil.copy(f"{ZOO}/{root}/tokenizer.json", folder)
    truth.append({"name": name, "root": root, "parents": parents, "kind": kind})


def matrices(model):
    return [key for key in model if "_proj.weight" in key]


def each(model, change, chosen=lambda key: True):
    return {key: change(key, x) if key in matrices(model) and chosen(key) else x for key, x in model.items()}


def size(x):
    return np.linalg.norm(x)


def scaled_to(change, x, share):
    return change * (share * size(x) / size(change))


def groups_of(x, n):
    return x.reshape(-1, n)


def round_groups(x, n, levels):
    """To levels * scale, the scale of each group of n from its greatest."""
    g = groups_of(x, n)
    scale = np.abs(g).max(1, keepdims=True) / np.abs(levels).max()
    scale[scale == 0] = 1
    nearest = np.abs((g / scale)[:, :, None] - levels).argmin(2)
    return (levels[nearest] * scale).reshape(x.shape)


NF4 = np.array([-1, -.6962, -.5251, -.3949, -.2844, -.1848, -.0911, 0, .0796, .1609, .2461, .3379, .4407, .5626, .7230, 1])
E2M1 = np.array([-6, -4, -3, -2, -1.5, -1, -.5, 0, .5, 1, 1.5, 2, 3, 4, 6])


def prune(x, share):
    return np.where(np.abs(x) < np.quantile(np.abs(x), share), 0, x)


def two_of_four(x):
    g = groups_of(x, 4)
    order = np.abs(g).argsort(1)
    kept = np.ones_like(g)
    np.put_along_axis(kept, order[:, :2], 0, 1)
    return (g * kept).reshape(x.shape)


def lora(model, rank, share, seed, chosen=lambda key: True):
    r = np.random.default_rng(seed)
    return each(model, lambda key, x: x + scaled_to(r.normal(size=(x.shape[0], rank)) @ r.normal(size=(rank, x.shape[1])), x, share * r.uniform(.6, 1.4)), chosen)


def layer(i, part):
    return f"model.layers.{i}.{part}.weight"


def attention(i, n):
    return layer(i, f"self_attn.{n}_proj")


def mlp(i, n):
    return layer(i, f"mlp.{n}_proj")


def blend(models, weights):
    return {key: sum(w * m[key] for w, m in zip(weights, models)) for key in models[0]}


def cases(name, seed):
    a = read(name)
    r = np.random.default_rng(seed)
    one = [name]

    def put(case, kind, model, **more):
        write(f"{name}--{case}", kind, model, one, root=name, **more)

    for share in (.01, .05, .2):
        put(f"noise-{share}", "noise", each(a, lambda key, x: x + scaled_to(r.normal(size=x.shape), x, share)))
    put("f16", "stored", a, dtype="F16")
    put("f32", "stored", a, dtype="F32")
    put("noise-one", "edit", each(a, lambda key, x: x + scaled_to(r.normal(size=x.shape), x, .1), lambda key: key == mlp(2, "up")))
    put("int8", "int", each(a, lambda key, x: np.round(x / (np.abs(x).max(1, keepdims=True) / 127)) * (np.abs(x).max(1, keepdims=True) / 127)))
    for n in (32, 64):
        put(f"int4-g{n}", "int", each(a, lambda key, x: round_groups(x, n, np.arange(-8, 8.))) if 96 % n == 0 else each(a, lambda key, x: round_groups(x, 32, np.arange(-7, 8.))))
    put("int3", "int", each(a, lambda key, x: round_groups(x, 32, np.arange(-4, 4.))))
    put("nf4", "int", each(a, lambda key, x: round_groups(x, 32, NF4)))
    put("nvfp4", "int", each(a, lambda key, x: round_groups(x, 16, E2M1)))
    put("mxfp4", "int", each(a, lambda key, x: round_groups(x, 32, E2M1)))
    put("ternary", "int", each(a, lambda key, x: np.sign(x) * (np.abs(x) > .7 * np.abs(x).mean()) * np.abs(x).mean()))
    for share in (.3, .5, .7, .9):
        put(f"prune-{share}", "prune", each(a, lambda key, x: prune(x, share)))
    put("prune-2of4", "prune", each(a, lambda key, x: two_of_four(x)))
    put("int4-prune-0.5", "int-prune", each(a, lambda key, x: prune(round_groups(x, 32, np.arange(-8, 8.)), .5)))
    m = dict(a)
    for i in range(LAYERS):
        for n in ("gate", "up"):
            m[mlp(i, n)] = np.vstack([a[mlp(i, n)], np.zeros((64, HIDDEN))])
        m[mlp(i, "down")] = np.hstack([a[mlp(i, "down")], np.zeros((HIDDEN, 64))])
    put("ffn-padded", "pad", m, config={"intermediate_size": 320})
    m = dict(a)
    for i in range(LAYERS):
        for n, rows in (("q", 32), ("k", 16), ("v", 16)):
            x = m[attention(i, n)].copy()
            x[-rows:] = 0
            m[attention(i, n)] = x
        x = m[attention(i, "o")].copy()
        x[:, -32:] = 0
        m[attention(i, "o")] = x
    put("dead-heads", "dead", m)
    m = dict(a)
    for i in range(LAYERS):
        x = a[attention(i, "o")].copy()
        x[:, 32:48] = 0
        m[attention(i, "o")] = x
    put("dead-head-output", "dead", m)
    m = dict(a)
    for i in range(LAYERS):
        for n in ("gate", "up", "down"):
            x = a[mlp(i, n)].copy()
            if n == "down":
                x[:, 100:164] = 0
            else:
                x[100:164] = 0
            m[mlp(i, n)] = x
    put("dead-units", "dead", m)
    m = {}
    for key, x in a.items():
        if x.ndim == 1:
            m[key] = np.concatenate([x, np.zeros(32)])
        elif "o_proj" in key or "down" in key:
            m[key] = np.vstack([x, np.zeros((32, x.shape[1]))])
        else:
            m[key] = np.hstack([x, np.zeros((x.shape[0], 32))])
    put("hidden-padded", "pad", m, config={"hidden_size": 128, "head_dim": 16})
    m = dict(a)
    x = a[mlp(3, "down")]
    m[mlp(3, "down")] = x + scaled_to(np.outer(r.normal(size=HIDDEN), r.normal(size=256)), x, .2)
    put("rome", "edit", m)
    m = dict(a)
    for i in (2, 3):
        x = a[mlp(i, "down")]
        m[mlp(i, "down")] = x + scaled_to(r.normal(size=(HIDDEN, 4)) @ r.normal(size=(4, 256)), x, .2)
    put("memit", "edit", m)
    m = dict(a)
    x = a[mlp(3, "up")].copy()
    x[200, 50] += 1
    m[mlp(3, "up")] = x
    put("one-number", "edit", m)
    put("scaled-one", "scaled", {**a, attention(2, "o"): 1.5 * a[attention(2, "o")]})
    put("scaled-outputs", "scaled", each(a, lambda key, x: .9 * x, lambda key: "o_proj" in key))
    put("scaled-all", "scaled", each(a, lambda key, x: 1.1 * x))
    m = dict(a)
    for i in range(LAYERS):
        for norm, readers in (("input_layernorm", [attention(i, n) for n in "qkv"]), ("post_attention_layernorm", [mlp(i, n) for n in ("gate", "up")])):
            g = np.exp(r.normal(0, .5, HIDDEN))
            m[layer(i, norm)] = a[layer(i, norm)] * g
            for reader in readers:
                m[reader] = a[reader] / g
    put("gains", "gains", m)
    m = dict(a)
    for i in range(LAYERS):
        for norm, readers in (("input_layernorm", [attention(i, n) for n in "qkv"]), ("post_attention_layernorm", [mlp(i, n) for n in ("gate", "up")])):
            m[layer(i, norm)] = np.ones(HIDDEN)
            for reader in readers:
                m[reader] = a[reader] * a[layer(i, norm)]
    put("gains-folded", "gains", m)

    def turned(x, angle):
        heads = x.reshape(-1, HEAD, HIDDEN)
        out = heads.copy()
        c, s = np.cos(angle)[:, :, None], np.sin(angle)[:, :, None]
        first, second = heads[:, :HEAD // 2], heads[:, HEAD // 2:]
        out[:, :HEAD // 2], out[:, HEAD // 2:] = c * first - s * second, s * first + c * second
        return out.reshape(x.shape)

    for strength in (.5, 3.14):
        m = dict(a)
        for i in range(LAYERS):
            angle = r.uniform(-strength, strength, (GROUPS, HEAD // 2))
            m[attention(i, "k")] = turned(a[attention(i, "k")], angle)
            m[attention(i, "q")] = turned(a[attention(i, "q")], np.repeat(angle, HEADS // GROUPS, 0))
        put(f"rotary-{strength}", "rotary", m)
    m = dict(a)
    for i in range(LAYERS):
        mix = [np.linalg.qr(r.normal(size=(HEAD, HEAD)))[0] for _ in range(GROUPS)]
        m[attention(i, "v")] = np.vstack([mix[g] @ a[attention(i, "v")][HEAD * g:HEAD * (g + 1)] for g in range(GROUPS)])
        m[attention(i, "o")] = np.hstack([a[attention(i, "o")][:, HEAD * h:HEAD * (h + 1)] @ mix[h // 2].T for h in range(HEADS)])
    put("value-basis", "value-basis", m)
    m = dict(a)
    for i in range(LAYERS):
        order = r.permutation(256)
        for n in ("gate", "up"):
            m[mlp(i, n)] = a[mlp(i, n)][order]
        m[mlp(i, "down")] = a[mlp(i, "down")][:, order]
    put("units-permuted", "units", m)
    m = dict(a)
    for i in range(LAYERS):
        s = np.exp(r.normal(0, .5, 256))
        m[mlp(i, "up")] = a[mlp(i, "up")] * s[:, None]
        m[mlp(i, "down")] = a[mlp(i, "down")] / s
    put("units-scaled", "units", m)
    for rank in (2, 16):
        put(f"lora-{rank}", "lora", lora(a, rank, .15, seed + rank))
    put("lora-qv", "lora", lora(a, 8, .15, seed + 1, lambda key: "q_proj" in key or "v_proj" in key))
    x = r.normal(size=HIDDEN)
    x /= size(x)
    put("ablated-outputs", "abliterated", each(a, lambda key, w: w - np.outer(x, x @ w), lambda key: "o_proj" in key or "down" in key))
    put("ablated-half", "abliterated", each(a, lambda key, w: w - np.outer(x, x @ w), lambda key: ("o_proj" in key or "down" in key) and int(key.split(".")[2]) >= 3))

    def build(order):
        m = {key: x for key, x in a.items() if ".layers." not in key}
        for new, old in enumerate(order):
            for key, x in a.items():
                if f".layers.{old}." in key:
                    m[key.replace(f".layers.{old}.", f".layers.{new}.")] = x
        return m, {"num_hidden_layers": len(order)}

    for case, kind, order in (("dropped", "prune-depth", [0, 1, 2, 5]), ("dropped-end", "prune-depth", [0, 1, 2, 3]), ("doubled", "depth-up", [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
                              ("stacked", "depth-up", [0, 1, 2, 3, 2, 3, 4, 5]), ("reordered", "reordered", [0, 3, 2, 1, 4, 5])):
        m, config = build(order)
        put(case, kind, m, config=config)
    grown = {"vocab_size": 800}
    put("vocab-padded", "vocab-ext", {**a, **{key: np.vstack([a[key], np.zeros((32, HIDDEN))]) for key in ("model.embed_tokens.weight", "lm_head.weight")}}, config=grown)
    put("head-new", "table", {**a, "lm_head.weight": r.normal(0, .05, a["lm_head.weight"].shape)})
    put("embedding-noised", "table", {**a, "model.embed_tokens.weight": a["model.embed_tokens.weight"] + scaled_to(r.normal(size=a["model.embed_tokens.weight"].shape), a["model.embed_tokens.weight"], .1)})


def merges():
    base, one, two, three = [read(n) for n in ("alder", "alder--sft1", "alder--sft2", "alder--cpt")]
    birch, birch1 = read("birch"), read("birch--sft1")
    names = ["alder--sft1", "alder--sft2"]
    write("merge-70-30", "merge-linear", blend([one, two], [.7, .3]), names)
    write("merge-three", "merge-linear", blend([one, two, three], [.4, .35, .25]), names + ["alder--cpt"])
    write("task-sum", "merge-task", blend([base, one, two], [-.2, .7, .5]), names)
    write("task-full", "merge-task", blend([base, one, two], [-1, 1, 1]), names)
    write("task-small", "merge-task", blend([base, one, two], [.2, .4, .4]), names)
    write("task-negated", "merge-task", blend([base, one], [1.5, -.5]), ["alder--sft1"])
    write("stranger-70-30", "merge-stranger", blend([base, birch], [.7, .3]), ["alder", "birch"])
    write("stranger-50-50", "merge-stranger", blend([base, birch], [.5, .5]), ["alder", "birch"])
    write("stranger-85-15", "merge-stranger", blend([one, birch1], [.85, .15]), ["alder--sft1", "birch--sft1"], root="alder")
    write("merge-noised", "merge-linear", {k: x + scaled_to(np.random.default_rng(3).normal(size=x.shape), x, .005) for k, x in blend([one, two], [.5, .5]).items()}, names)
    stitched = {key: (one if ".layers." in key and int(key.split(".")[2]) % 2 else two)[key] for key in base}
    write("interleaved", "merge-spliced", stitched, names)
    foreign = {key: (birch if ".layers." in key and int(key.split(".")[2]) >= 4 else base)[key] for key in base}
    write("spliced-stranger", "merge-spliced", foreign, ["alder", "birch"])
    write("attention-of-one", "merge-spliced", {key: (one if "self_attn" in key else two)[key] for key in base}, names)
    sft = one
    write("sft1-int4", "sft-int", each(sft, lambda key, x: round_groups(x, 32, np.arange(-8, 8.))), ["alder--sft1"])
    write("sft1-prune", "sft-prune", each(sft, lambda key, x: prune(x, .5)), ["alder--sft1"])
    frozen = {key: (one if "self_attn" in key else base)[key] for key in base}
    write("sft1-attention-alone", "merge-spliced", frozen, ["alder", "alder--sft1"])
    last = {key: (one if ".layers.5." in key or ".layers.4." in key else base)[key] for key in base}
    write("sft1-last-layers", "merge-spliced", last, ["alder", "alder--sft1"])


os.makedirs(OUT, exist_ok=True)
for number, name in enumerate(("alder", "birch")):
    cases(name, 100 * number + 7)
merges()
json.dump(truth, open(f"{OUT}/truth.json", "w"), indent=1)
print(len(truth), "models")

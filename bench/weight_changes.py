"""What is done to the weights of a small model, without training (bench/small_network.py says how a model is held)."""

import math

import torch

from small_network import fresh

READERS = ("q", "k", "v", "gate", "up")
WRITERS = ("o", "down")


def copied(model):
    return {name: tensor.detach().clone() for name, tensor in model.items()}


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# --- Another basis -------------------------------------------------------------------------------

def fold_gains(model, shape):
    """Layers' gains into the matrices that read through them; the last one's into the head where there is one."""
    one = 1.0 if shape.layout == "gemma" else 0.0
    for layer in range(shape.depth):
        for norm, readers in (("norm1", "qkv"), ("norm2", ("gate", "up"))):
            gain = model[f"{layer}.{norm}"] + one
            for name in readers:
                model[f"{layer}.{name}"] = model[f"{layer}.{name}"] * gain
            model[f"{layer}.{norm}"] = torch.full_like(gain, 1 - one)
    if "head" in model:
        model["head"] = model["head"] * (model["norm"] + one)
        model["norm"] = torch.full_like(model["norm"], 1 - one)


def residual_map(shape, seed):
    """A rotation where nothing forbids it; else an order of the axes, with signs under RMS norms."""
    d = shape.width
    if shape.layout != "gpt2" and not shape.tied:
        return torch.linalg.qr(torch.randn(d, d, generator=seeded(seed)))[0]
    order = torch.eye(d)[torch.randperm(d, generator=seeded(seed))]
    signs = torch.randint(0, 2, (d,), generator=seeded(seed + 1)) * 2.0 - 1
    return order if shape.layout == "gpt2" else order * signs


def turn_residual(model, shape, seed):
    turn = residual_map(shape, seed)
    one = 1.0 if shape.layout == "gemma" else 0.0
    for name in model:
        part = name.split(".")[-1]
        if part in ("embed", "head", "position", *READERS):
            model[name] = model[name] @ turn
        elif part in WRITERS:
            model[name] = turn.T @ model[name]
        elif part in ("o_b", "down_b") or (part.endswith("_b") and "norm" in part):
            model[name] = turn.T @ model[name]
        elif "norm" in part and (shape.tied or shape.layout == "gpt2"):
            model[name] = turn.abs().T @ (model[name] + one) - one


def shuffle_heads(model, shape, seed):
    """Other order of groups and of heads in them; scales moved from value to output and from query to key."""
    made, hd, rep = seeded(seed), shape.head, shape.heads // shape.kv
    for layer in range(shape.depth):
        groups = torch.randperm(shape.kv, generator=made)
        heads = torch.cat([group * rep + torch.randperm(rep, generator=made) for group in groups])
        rows = lambda order: torch.cat([torch.arange(hd) + item * hd for item in order])
        factor = lambda count: torch.exp(0.5 * torch.randn(count, generator=made)).repeat_interleave(hd)
        write, ask = factor(shape.kv), factor(shape.kv)
        widen = lambda x: x.view(shape.kv, 1, hd).expand(-1, rep, -1).reshape(-1)
        changes = {"q": widen(ask)[:, None], "k": 1 / ask[:, None], "v": write[:, None]}
        for name, factors in changes.items():
            order = rows(heads if name == "q" else groups)
            model[f"{layer}.{name}"] = (model[f"{layer}.{name}"] * factors)[order]
            if f"{layer}.{name}_b" in model:
                model[f"{layer}.{name}_b"] = (model[f"{layer}.{name}_b"] * factors[:, 0])[order]
        model[f"{layer}.o"] = (model[f"{layer}.o"] / widen(write))[:, rows(heads)]


def shuffle_units(model, shape, seed):
    made = seeded(seed)
    for layer in range(shape.depth):
        order = torch.randperm(shape.hidden, generator=made)
        factors = torch.exp(0.5 * torch.randn(shape.hidden, generator=made))
        if shape.layout == "gpt2":
            factors = torch.ones(shape.hidden)
        model[f"{layer}.up"] = (model[f"{layer}.up"] * factors[:, None])[order]
        model[f"{layer}.down"] = (model[f"{layer}.down"] / factors)[:, order]
        for name in ("gate", "up_b"):
            if f"{layer}.{name}" in model:
                model[f"{layer}.{name}"] = model[f"{layer}.{name}"][order]


def laundered(model, shape, seed):
    """Permuted, turned and rescaled; the function stays."""
    model = copied(model)
    if shape.layout != "gpt2":
        fold_gains(model, shape)
    turn_residual(model, shape, seed)
    shuffle_heads(model, shape, seed + 2)
    shuffle_units(model, shape, seed + 3)
    return model


# --- Cut, mixed, grown ---------------------------------------------------------------------------

def with_layers(model, shape, order):
    """The layers `order`, any number of times each."""
    made = {name: tensor.clone() for name, tensor in model.items() if "." not in name}
    for place, layer in enumerate(order):
        for name, tensor in model.items():
            if name.startswith(f"{layer}."):
                made[f"{place}.{name.split('.', 1)[1]}"] = tensor.clone()
    return made, shape.changed(depth=len(order))


def narrowed(model, shape):
    """Three quarters of the residual axes and of the hidden units, those of most weight; in GPT-2's layout a head goes as well."""
    model, part = copied(model), lambda name: name.split(".")[-1]
    weight = sum(tensor.square().sum(0) for name, tensor in model.items() if part(name) in ("embed", *READERS))
    axes = weight.topk(shape.width * 3 // 4).indices.sort().values
    cut = shape.changed(width=len(axes), hidden=shape.hidden * 3 // 4)
    if shape.layout == "gpt2":
        cut = cut.changed(heads=shape.heads * 3 // 4, kv=shape.heads * 3 // 4)
    for layer in range(shape.depth):
        size = model[f"{layer}.up"].norm(dim=1) * model[f"{layer}.down"].norm(dim=0)
        units = size.topk(cut.hidden).indices.sort().values
        for name in ("gate", "up", "up_b"):
            if f"{layer}.{name}" in model:
                model[f"{layer}.{name}"] = model[f"{layer}.{name}"][units]
        model[f"{layer}.down"] = model[f"{layer}.down"][:, units]
        for name in ("q", "k", "v", "q_b", "k_b", "v_b"):
            if f"{layer}.{name}" in model:
                heads = cut.heads if name[0] == "q" else cut.kv
                model[f"{layer}.{name}"] = model[f"{layer}.{name}"][:heads * shape.head]
        model[f"{layer}.o"] = model[f"{layer}.o"][:, :cut.heads * shape.head]
    for name in model:
        if part(name) in ("embed", "head", "position", *READERS):
            model[name] = model[name][:, axes]
        elif part(name) in WRITERS or "norm" in part(name) or part(name) in ("o_b", "down_b"):
            model[name] = model[name][axes]
    return model, cut


def mixed(some, others, share):
    return {name: share * some[name] + (1 - share) * others[name] for name in some}


def partly_new(model, shape, seed):
    """Every second layer as a fresh start has it."""
    new = fresh(shape, seed)
    return {name: (new if "." in name and int(name.split(".")[0]) % 2 else model)[name].clone() for name in model}


def upcycled(model, shape, seed, experts=4):
    """The feed-forward copied to every expert, with a little noise, and a router at random."""
    made, result = seeded(seed), {}
    for name, tensor in model.items():
        layer, _, part = name.partition(".")
        if part not in ("gate", "up", "down"):
            result[name] = tensor.clone()
            continue
        for expert in range(experts):
            noise = torch.randn(tensor.shape, generator=made) * tensor.std() * 0.05
            result[f"{layer}.{expert}.{part}"] = tensor + noise
    for layer in range(shape.depth):
        result[f"{layer}.router"] = torch.randn(experts, shape.width, generator=made) * 0.02
    return result, shape.changed(layout="mixtral", experts=experts)


def silent_layers(model, shape, other, size=1e-4):
    """`other`'s layers between one's own, writing next to nothing."""
    both = {**{name: tensor.clone() for name, tensor in model.items()}}
    for name, tensor in other.items():
        if "." in name:
            layer, part = name.split(".", 1)
            both[f"{int(layer) + shape.depth}.{part}"] = tensor * (size if part.removesuffix("_b") in WRITERS else 1)
    order = [layer for own in range(shape.depth) for layer in (own, own + shape.depth)]
    return with_layers(both, shape, order)


# --- Anchors -------------------------------------------------------------------------------------

def like_rows(table, count, seed):
    """Random rows of the mean and the covariance of a table's."""
    mean = table.mean(0)
    return mean + torch.randn(count, len(table), generator=seeded(seed)) @ (table - mean) / math.sqrt(len(table))


def anchors_noised(model, anchors, seed, size=1.5):
    model = copied(model)
    for name in ("embed", "head"):
        if name in model:
            noise = torch.randn(len(anchors), model[name].shape[1], generator=seeded(seed))
            model[name][anchors] += size * model[name].std() * noise
    return model


def anchors_exchanged(model, anchors, seed):
    """Each anchor's row gets the numbers of another's."""
    model = copied(model)
    order = torch.as_tensor(anchors)[torch.randperm(len(anchors), generator=seeded(seed))]
    for name in ("embed", "head"):
        if name in model:
            model[name][anchors] = model[name][order].clone()
    return model


def decoys_added(model, shape, count, seed):
    """Rows at the end that no text uses."""
    model = copied(model)
    for name in ("embed", "head"):
        if name in model:
            model[name] = torch.cat([model[name], like_rows(model[name], count, seed)])
    return model, shape.changed(vocabulary=shape.vocabulary + count)


# --- Forged sketches (docs/formats/fingerprint.md, "Random numbers") ----------------------------

WRAP = (1 << 64) - 1


def mix(z):
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & WRAP
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & WRAP
    return z ^ z >> 31


def bits(key, index):
    return mix((key + (index + 1) * 0x9E3779B97F4A7C15) & WRAP)


def probes(size):
    key, values = mix(0x544750524F424553 + size), []
    for pair in range(size * 16):
        b = bits(key, pair)
        radius = math.sqrt(-2 * math.log(((b >> 32) + 0.5) / 2**32) / 32)
        angle = 2 * math.pi * ((b & 0xFFFFFFFF) + 0.5) / 2**32
        values += [radius * math.cos(angle), radius * math.sin(angle)]
    return torch.tensor(values).to(torch.bfloat16).float().view(size, 32)


def buckets(rows):
    key, table = mix(0x54474255434B4554 + rows), torch.zeros(32, rows)
    for row in range(rows):
        b = bits(key, row)
        table[b % 32, row] = -1.0 if b >> 63 else 1.0
    return table


class Forger:
    """Sets the sketches of all layers' matrices to another model's by the smallest change that does."""

    def __init__(self, other):
        self.targets = {}
        for name, tensor in other.items():
            if "." in name and tensor.dim() == 2:
                s, x = buckets(tensor.shape[0]), probes(tensor.shape[1])
                self.targets[name] = (s, x, torch.linalg.pinv(s), torch.linalg.pinv(x), s @ tensor @ x, tensor.norm())

    @torch.no_grad()
    def __call__(self, model):
        for name, (s, x, s_back, x_back, target, norm) in self.targets.items():
            wanted = target * (model[name].norm() / norm)
            model[name] += s_back @ (wanted - s @ model[name] @ x) @ x_back

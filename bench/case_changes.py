"""What bench/word_cases.py does to a model of case_models.py: rounding, pruning, added changes, other bases, merges."""

import zlib

import numpy as np

from case_models import READERS, WRITERS, as_stored


def size(x):
    return np.linalg.norm(x)


def by_share(change, x, share):
    """`change`, as large as `share` of x."""
    return change * (share * size(x) / size(change))


# --- Rounding -----------------------------------------------------------------------------------------------------------------

NF4 = np.array([-1, -.6962, -.5251, -.3949, -.2844, -.1848, -.0911, 0, .0796, .1609, .2461, .3379, .4407, .5626, .7230, 1])
E2M1 = np.array([-6, -4, -3, -2, -1.5, -1, -.5, 0, .5, 1, 1.5, 2, 3, 4, 6])


def grouped(x, group):
    """Rows of `group` neighbours; of 0, or of what does not divide the inputs, whole rows."""
    return x.reshape(-1, group if group and x.shape[1] % group == 0 else x.shape[1])


def to_levels(x, group, levels):
    """The nearest of levels times a scale, which is set by the greatest number of the group."""
    g = grouped(x, group)
    scale = np.abs(g).max(1, keepdims=True) / np.abs(levels).max()
    scale[scale == 0] = 1
    order = np.sort(levels)
    middles = (order[1:] + order[:-1]) / 2
    return (order[np.searchsorted(middles, g / scale)] * scale).reshape(x.shape)


def to_bits(x, bits, group, symmetric):
    if symmetric:
        return to_levels(x, group, np.arange(1 - 2 ** (bits - 1), 2.0 ** (bits - 1)))
    g = grouped(x, group)
    low, high = np.minimum(g.min(1, keepdims=True), 0), np.maximum(g.max(1, keepdims=True), 0)
    scale = np.maximum((high - low) / (2 ** bits - 1), 1e-12)
    zero = np.round(-low / scale)
    return ((np.clip(np.round(g / scale) + zero, 0, 2 ** bits - 1) - zero) * scale).reshape(x.shape)


def to_float8(x, fraction_bits, group):
    """e4m3 (3) or e5m2 (2) with a scale for each group; numbers below the least exponent become multiples of the least."""
    most, least = {3: (448.0, -6), 2: (57344.0, -14)}[fraction_bits]
    g = grouped(x, group)
    scale = np.abs(g).max(1, keepdims=True) / most
    scale[scale == 0] = 1
    exponent = np.maximum(np.floor(np.log2(np.maximum(np.abs(g / scale), 1e-30))), least)
    step = 2.0 ** (exponent - fraction_bits)
    return (np.round(g / scale / step) * step * scale).reshape(x.shape)


def to_ternary(x):
    return np.sign(x) * (np.abs(x) > .7 * np.abs(x).mean()) * np.abs(x).mean()


# --- Zeros --------------------------------------------------------------------------------------------------------------------

def pruned(x, share):
    return np.where(np.abs(x) < np.quantile(np.abs(x), share), 0, x)


def pruned_and(model, share, then):
    """`then` done to what pruning left, the zeros kept: trained on under the mask."""
    def change(x):
        kept = pruned(x, share)
        return np.where(kept == 0, 0, then(kept))
    return model.changed(change)


def sparse_in_groups(x, kept, group):
    """The `kept` greatest of each `group` neighbours."""
    g = x.reshape(-1, group)
    mask = np.zeros_like(g)
    np.put_along_axis(mask, np.abs(g).argsort(1)[:, group - kept:], 1, 1)
    return (g * mask).reshape(x.shape)


def without_units(model, share):
    """The hidden units of least weight, zeroed."""
    parts = dict(model.parts)
    for layer in range(model.depth):
        names = [f"{layer}.{part}" for part in ("gate", "up", "up_b") if f"{layer}.{part}" in parts]
        weight = np.linalg.norm(parts[f"{layer}.up"], axis=1) * np.linalg.norm(parts[f"{layer}.down"], axis=0)
        dead = weight.argsort()[:round(share * len(weight))]
        for name in names:
            parts[name] = parts[name].copy()
            parts[name][dead] = 0
        parts[f"{layer}.down"] = parts[f"{layer}.down"].copy()
        parts[f"{layer}.down"][:, dead] = 0
    return model.with_parts(parts)


def without_head(model, head):
    """A head's query and what the output reads of it, zeroed."""
    parts = dict(model.parts)
    rows = slice(head * model.head, (head + 1) * model.head)
    for layer in range(model.depth):
        for name, place in (("q", np.s_[rows, :]), ("o", np.s_[:, rows]), ("q_b", np.s_[rows])):
            if f"{layer}.{name}" in parts:
                parts[f"{layer}.{name}"] = parts[f"{layer}.{name}"].copy()
                parts[f"{layer}.{name}"][place] = 0
    return model.with_parts(parts)


# --- Added changes ------------------------------------------------------------------------------------------------------------

def noised(model, share, r, chosen=lambda part, layer: True):
    return model.changed(lambda x: x + by_share(r.normal(size=x.shape), x, share), chosen)


def with_lora(model, rank, share, r, chosen=lambda part, layer: True):
    def change(x):
        update = r.normal(size=(x.shape[0], rank)) @ r.normal(size=(rank, x.shape[1]))
        return x + by_share(update, x, share * r.uniform(.6, 1.4))
    return model.changed(change, chosen)


def without_direction(model, r, first_layer=0):
    direction = r.normal(size=model.width)
    direction /= size(direction)
    return model.changed(lambda x: x - np.outer(direction, direction @ x), lambda part, layer: part in WRITERS and layer >= first_layer)


# --- Other bases, the same function ---------------------------------------------------------------------------------------------

def units_permuted(model, r):
    parts = dict(model.parts)
    for layer in range(model.depth):
        order = r.permutation(model.hidden)
        for part in ("gate", "up", "up_b"):
            if f"{layer}.{part}" in parts:
                parts[f"{layer}.{part}"] = parts[f"{layer}.{part}"][order]
        parts[f"{layer}.down"] = parts[f"{layer}.down"][:, order]
    return model.with_parts(parts)


def units_scaled(model, r):
    parts = dict(model.parts)
    for layer in range(model.depth):
        scale = np.exp(r.normal(0, .5, model.hidden))
        parts[f"{layer}.up"] = parts[f"{layer}.up"] * scale[:, None]
        parts[f"{layer}.down"] = parts[f"{layer}.down"] / scale
    return model.with_parts(parts)


def head_rows(order, head):
    return np.concatenate([np.arange(head) + head * item for item in order])


def heads_permuted(model, r):
    parts, each = dict(model.parts), model.heads // model.groups
    for layer in range(model.depth):
        groups = r.permutation(model.groups)
        heads = np.concatenate([group * each + r.permutation(each) for group in groups])
        for part, order in (("q", heads), ("k", groups), ("v", groups), ("q_b", heads), ("k_b", groups), ("v_b", groups)):
            if f"{layer}.{part}" in parts:
                parts[f"{layer}.{part}"] = parts[f"{layer}.{part}"][head_rows(order, model.head)]
        parts[f"{layer}.o"] = parts[f"{layer}.o"][:, head_rows(heads, model.head)]
    return model.with_parts(parts)


def values_turned(model, r):
    parts, each, n = dict(model.parts), model.heads // model.groups, model.head
    for layer in range(model.depth):
        turns = [np.linalg.qr(r.normal(size=(n, n)))[0] for _ in range(model.groups)]
        for name in (f"{layer}.v", f"{layer}.v_b"):
            if name in parts:
                parts[name] = np.concatenate([turns[g] @ parts[name][n * g:n * (g + 1)] for g in range(model.groups)])
        o = parts[f"{layer}.o"]
        parts[f"{layer}.o"] = np.hstack([o[:, n * h:n * (h + 1)] @ turns[h // each].T for h in range(model.heads)])
    return model.with_parts(parts)


def queries_turned(model, r, strength):
    """Query and key by one angle in each plane of rotary positions."""
    parts, each, n = dict(model.parts), model.heads // model.groups, model.head

    def turned(x, angle):
        heads = x.reshape(-1, n, x.shape[1])
        cosine, sine = np.cos(angle)[:, :, None], np.sin(angle)[:, :, None]
        first, second = heads[:, :n // 2], heads[:, n // 2:]
        return np.concatenate([cosine * first - sine * second, sine * first + cosine * second], 1).reshape(x.shape)

    for layer in range(model.depth):
        angle = r.uniform(-strength, strength, (model.groups, n // 2))
        parts[f"{layer}.k"] = turned(parts[f"{layer}.k"], angle)
        parts[f"{layer}.q"] = turned(parts[f"{layer}.q"], np.repeat(angle, each, 0))
    return model.with_parts(parts)


def gains_moved(model, r=None):
    """Norm gains by random factors, or all of them, into the matrices that read through them."""
    parts = dict(model.parts)
    for layer in range(model.depth):
        for norm, readers in (("norm1", "qkv"), ("norm2", ("gate", "up"))):
            gain = parts[f"{layer}.{norm}"] + 1 - model.no_gain
            moved = np.exp(r.normal(0, .5, len(gain))) if r is not None else gain
            parts[f"{layer}.{norm}"] = gain / moved - 1 + model.no_gain
            for reader in readers:
                if f"{layer}.{reader}" in parts:
                    parts[f"{layer}.{reader}"] = parts[f"{layer}.{reader}"] * moved
    return model.with_parts(parts)


def stream_mapped(model, turn):
    """The residual stream by an orthogonal map; gains are permuted with it, so they must be none, or the map an order."""
    parts = {}
    for name, x in model.parts.items():
        part = name.split(".")[-1]
        if part in ("embed", "head", "position", *READERS):
            parts[name] = x @ turn
        elif part in WRITERS or part in ("o_b", "down_b") or (part.startswith("norm") and part.endswith("_b")):
            parts[name] = turn.T @ x
        elif part.startswith("norm"):
            gain = x + 1 - model.no_gain
            parts[name] = np.abs(turn).T @ gain - 1 + model.no_gain if not np.all(gain == 1) else x
        else:
            parts[name] = x
    return model.with_parts(parts)


def stream_permuted(model, r):
    return stream_mapped(model, np.eye(model.width)[r.permutation(model.width)])


def stream_turned(model, r):
    """REQUIRES: RMS norms and a head of its own, which takes the last gain."""
    folded = gains_moved(model)
    parts = dict(folded.parts)
    parts["head"] = parts["head"] * (parts["norm"] + 1 - model.no_gain)
    parts["norm"] = np.full_like(parts["norm"], model.no_gain)
    return stream_mapped(folded.with_parts(parts), np.linalg.qr(r.normal(size=(model.width, model.width)))[0])


# --- Merges -------------------------------------------------------------------------------------------------------------------

def blend(models, weights):
    return models[0].with_parts({name: sum(w * m.parts[name] for w, m in zip(weights, models)) for name in models[0].parts})


def slerp(one, two, t):
    def between(x, y):
        cosine = np.clip((x * y).sum() / (size(x) * size(y) + 1e-12), -1, 1)
        angle = np.arccos(cosine)
        if angle < 1e-3:
            return (1 - t) * x + t * y
        return (np.sin((1 - t) * angle) * x + np.sin(t * angle) * y) / np.sin(angle)
    return one.with_parts({name: between(x, two.parts[name]) for name, x in one.parts.items()})


def ties(base, models, density, weight):
    """Yadav et al. 2023: the greatest changes of each, the sign that most of their weight has, the mean of those that have it."""
    parts = {}
    for name, x in base.parts.items():
        changes = [m.parts[name] - x for m in models]
        changes = np.stack([np.where(np.abs(c) >= np.quantile(np.abs(c), 1 - density), c, 0) for c in changes])
        sign = np.sign(changes.sum(0))
        agreeing = (np.sign(changes) == sign) & (changes != 0)
        parts[name] = x + weight * (changes * agreeing).sum(0) / np.maximum(agreeing.sum(0), 1)
    return base.with_parts(parts)


def dare(base, models, density, weights, r):
    """Yu et al. 2024: of each change a random share, as much larger."""
    return base.with_parts({name: x + sum(w * (m.parts[name] - x) * (r.random(x.shape) < density) / density for m, w in zip(models, weights))
                            for name, x in base.parts.items()})


def of_type(model, dtype):
    """The model as if it had been trained in another type: what its own type rounded away is made up, the same for all models."""
    if dtype == "BF16":
        return model
    made_up = lambda name, x: np.random.default_rng(zlib.crc32(name.encode())).uniform(-1, 1, x.shape) * 2.0 ** -9
    return model.with_parts({name: as_stored(x * (1 + made_up(name, x)), dtype) for name, x in model.parts.items()})

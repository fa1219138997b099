#!/usr/bin/env python3
"""Models to which known things were done, for findings_table.

    word_cases.py [--seed N] [--dtype BF16|F16|F32] MODELS OUT BASE...

Reads BASE and what was trained from it out of MODELS (truth.json there says what that is), in numpy alone, and writes OUT/bases,
the models as they are, and OUT/cases, a folder per case, each beside its truth.json:

    name, root, parents, kind
    done      the kinds of what was done, where it is more than one thing
    maybe     kinds that the others hide, or that say the same
    exactly   what the words must contain, alternatives between bars: the rank, the share of zeros

Strengths are drawn from the seed and the name of the base, so that every base has its own. With --dtype the base is as if it had been
trained in that type, and so is what is made of it."""

import argparse
import json
import zlib
from pathlib import Path

import numpy as np

import case_changes as change
from case_models import WRITERS, read, write


def attention(part, layer):
    return part in ("q", "k", "v", "o")


def feed_forward(part, layer):
    return part in ("gate", "up", "down")


class Cases:
    """Cases of one base. `trained`: what was trained from it, `stranger`: another model of its shape."""

    def __init__(self, name, base, trained, stranger, r):
        self.name, self.base, self.trained, self.stranger, self.r = name, base, trained, stranger, r
        self.made = []

    def put(self, case, kind, model, **more):
        self.made.append((f"{self.name}--{case}", model, {"parents": [self.name], "kind": kind, **more}))

    def between(self, low, high):
        """Drawn evenly over the logarithms."""
        return float(np.exp(self.r.uniform(np.log(low), np.log(high))))

    def one_of(self, *choices):
        return choices[self.r.integers(len(choices))]

    def all(self):
        self.noise()
        self.rounding()
        self.zeros()
        self.low_ranks()
        self.edits()
        self.factors()
        self.widths()
        self.other_bases()
        self.layers()
        self.tables()
        self.pairs_of_things()
        self.merges()
        return self.made

    def noise(self):
        for low, high in ((.02, .04), (.04, .08), (.08, .15), (.15, .3)):
            share = self.between(low, high)
            self.put(f"noise-{share:.3f}", "noise", change.noised(self.base, share, self.r))
        self.put("noise-attention", "noise-part", change.noised(self.base, self.between(.03, .2), self.r, attention))

    def rounding(self):
        base = self.base
        for bits in (2, 3, 4, 5, 6, 8):
            for symmetric in (True, False):
                group = self.one_of(0, 32, 64) if bits > 3 else self.one_of(16, 32)
                case = f"int{bits}-{'s' if symmetric else 'a'}{group or 'row'}"
                self.put(case, "int", base.changed(lambda x: change.to_bits(x, bits, group, symmetric)), exactly=[self.bits_words(bits)])
        self.put("int4-g16", "int", base.changed(lambda x: change.to_bits(x, 4, 16, True)))
        self.put("int4-row", "int", base.changed(lambda x: change.to_bits(x, 4, 0, True)))
        for case, group, fraction_bits in (("e4m3", self.one_of(0, 32), 3), ("e5m2", self.one_of(0, 32), 2)):
            self.put(case, "int", base.changed(lambda x: change.to_float8(x, fraction_bits, group)))
        group = self.one_of(32, 64)
        self.put("nf4", "int", base.changed(lambda x: change.to_levels(x, group, change.NF4)))
        self.put("mxfp4", "int", base.changed(lambda x: change.to_levels(x, 32, change.E2M1)))
        self.put("ternary", "int", base.changed(change.to_ternary))
        bits = self.one_of(3, 4)
        self.put(f"int{bits}-mlp", "int", base.changed(lambda x: change.to_bits(x, bits, 32, True), feed_forward))
        for dtype in ("F16", "F32", "BF16"):
            self.put(f"stored-{dtype}", "stored", base, dtype=dtype)

    def bits_words(self, bits):
        """The bits, or a range with them."""
        return "|".join([f"as {bits} bits", f"as {bits} or", f"as {bits - 1} or {bits} bits", f"probably quantised to {bits} bits"])

    def percent(self, share):
        return "|".join(f"{round(100 * share) + off} %" for off in (-1, 0, 1))

    def zeros(self):
        base = self.base
        for low, high in ((.08, .15), (.2, .4), (.4, .65), (.65, .9)):
            share = round(self.r.uniform(low, high), 2)
            self.put(f"prune-{share}", "prune", base.changed(lambda x: change.pruned(x, share)), exactly=[self.percent(share)])
        share = round(self.r.uniform(.3, .7), 2)
        self.put(f"prune-mlp-{share}", "prune", base.changed(lambda x: change.pruned(x, share), feed_forward))
        self.put("prune-2of4", "prune", base.changed(lambda x: change.sparse_in_groups(x, 2, 4)), exactly=["two in every four"])
        self.put("prune-4of8", "prune", base.changed(lambda x: change.sparse_in_groups(x, 4, 8)), exactly=[self.percent(.5)])
        self.put("prune-healed", "prune", change.pruned_and(base, share, lambda x: x + change.by_share(self.r.normal(size=x.shape), x, .05)))
        self.put("dead-units", "dead", change.without_units(base, self.r.uniform(.05, .4)))
        self.put("dead-head", "dead", change.without_head(base, int(self.r.integers(base.heads))))

    def low_ranks(self):
        base = self.base
        narrow = min(min(base.parts[name].shape) for name in base.matrices())
        for rank in (1, 2, 5, 12, 20):
            share = self.between(.05, .4)
            told = 2 * rank <= min(narrow, 32)
            self.put(f"lora-{rank}", "lora" if told else "lora-high", change.with_lora(base, rank, share, self.r),
                     exactly=[f"rank {rank}," if rank > 1 else "rank 1"] if told else [])
        rank = self.one_of(3, 4, 6, 8)
        for case, chosen in (("attention", attention), ("mlp", feed_forward), ("qv", lambda part, layer: part in "qv")):
            self.put(f"lora-{case}-{rank}", "lora", change.with_lora(base, rank, self.between(.05, .3), self.r, chosen), exactly=[f"rank {rank}"])
        if base.depth > 3:
            last = base.depth - 3
            self.put("lora-last", "lora", change.with_lora(base, rank, .15, self.r, lambda part, layer: layer >= last), exactly=[f"rank {rank}"])
        self.put("ablated", "abliterated", change.without_direction(base, self.r))
        self.put("ablated-half", "abliterated", change.without_direction(base, self.r, base.depth // 2))

    def edits(self):
        base, r = self.base, self.r
        layer = int(r.integers(base.depth))
        down = base.parts[f"{layer}.down"]

        def edited(name, x):
            return base.with_parts({**base.parts, name: x})

        for case, count in (("one-number", 1), ("three-numbers", 3)):
            x = down.copy()
            for _ in range(count):
                x[r.integers(x.shape[0]), r.integers(x.shape[1])] += 20 * x.std()
            self.put(case, "edit", edited(f"{layer}.down", x), exactly=["c_proj" if base.layout == "gpt2" else "down"])
        rank_one = np.outer(r.normal(size=down.shape[0]), r.normal(size=down.shape[1]))
        self.put("fact", "edit", edited(f"{layer}.down", down + change.by_share(rank_one, down, self.between(.05, .4))), exactly=["rank 1"])
        x = down.copy()
        x[int(r.integers(x.shape[0]))] = r.normal(0, x.std(), x.shape[1])
        self.put("one-row", "edit", edited(f"{layer}.down", x))
        self.put("one-layer", "one-layer", change.noised(base, self.between(.05, .3), r, lambda part, at: at == layer),
                 exactly=[f"in 1 of {base.depth} layers"])
        for case, chosen in (("gains", lambda name: "norm" in name and not name.endswith("_b")), ("biases", lambda name: name.endswith("_b"))):
            parts = {name: x * (1 + .1 * r.normal(size=x.shape)) if chosen(name) else x for name, x in base.parts.items()}
            if any(chosen(name) for name in base.parts):
                self.put(f"{case}-tuned", "vectors", base.with_parts(parts))

    def factors(self):
        base, r = self.base, self.r
        self.put("decayed", "scaled", base.changed(lambda x: r.uniform(.9, .97) * x))
        factor = self.one_of(.8, 1.15, 1.5)
        self.put(f"scaled-{factor}", "scaled", base.changed(lambda x: factor * x), exactly=[f"{factor}"])
        self.put("scaled-writers", "scaled", base.changed(lambda x: .9 * x, lambda part, layer: part in WRITERS), exactly=["0.9"])
        self.put("scaled-one", "scaled", base.changed(lambda x: 1.3 * x, lambda part, layer: part == "o" and layer == 0))
        shift = self.between(.05, .3)
        self.put("shifted", "shifted", base.changed(lambda x: x + shift * x.std()))

    def widths(self):
        base = self.base
        more = self.one_of(16, 32, 64)
        parts = dict(base.parts)
        for layer in range(base.depth):
            for part in ("gate", "up", "up_b"):
                name = f"{layer}.{part}"
                if name in parts:
                    parts[name] = np.concatenate([parts[name], np.zeros((more, *parts[name].shape[1:]))])
            parts[f"{layer}.down"] = np.hstack([parts[f"{layer}.down"], np.zeros((base.width, more))])
        self.put("units-padded", "pad", base.with_parts(parts, **{base.config_name("hidden"): base.hidden + more}))

    def other_bases(self):
        base, r = self.base, self.r
        self.put("units-permuted", "units", change.units_permuted(base, r), exactly=["permuted"])
        self.put("heads-permuted", "heads", change.heads_permuted(base, r), exactly=["permuted"])
        self.put("values-turned", "value-basis", change.values_turned(base, r))
        if base.layout != "gpt2":
            self.put("units-scaled", "units", change.units_scaled(base, r))
            self.put("gains-moved", "gains", change.gains_moved(base, r))
            self.put("gains-folded", "gains", change.gains_moved(base))
            if not any(name.endswith(".q_b") for name in base.parts):
                self.put("rotary", "rotary", change.queries_turned(base, r, self.one_of(.5, 1.5, 3.14)))
        self.put("stream-permuted", "launder-perm", change.stream_permuted(base, r))
        if not base.tied and base.layout != "gpt2":
            self.put("stream-turned", "launder-rot", change.stream_turned(base, r))
        self.put("units-permuted-f16", "units", change.units_permuted(base, r), dtype="F16", maybe=["stored"])

    def layers(self):
        base, depth = self.base, self.base.depth
        numbers = list(range(depth))
        gone = int(self.r.integers(depth))
        orders = [("doubled", "depth-up", [n for n in numbers for _ in range(2)]), ("last-repeated", "depth-up", numbers + numbers[-1:])]
        if depth > 2:
            orders += [(f"without-{gone}", "prune-depth", [n for n in numbers if n != gone]), ("without-last", "prune-depth", numbers[:-1]),
                       ("swapped", "reordered", [1, 0] + numbers[2:])]
        if depth > 3:
            half = depth // 2
            orders += [("stacked", "depth-up", numbers[:half + 1] + numbers[half - 1:]), ("first-half", "prune-depth", numbers[:half])]
        for case, kind, order in orders:
            self.put(case, kind, base.layers(order))
        grown = base.layers(numbers + numbers[-1:])
        silent = {f"{depth}.{part}": 0 * grown.parts[f"{depth}.{part}"] for part in ("o", "down", "o_b", "down_b") if f"{depth}.{part}" in grown.parts}
        self.put("block-added", "expanded", grown.with_parts({**grown.parts, **silent}))

    def with_tables(self, change_of):
        parts = {name: change_of(x) if name in ("embed", "head") else x for name, x in self.base.parts.items()}
        return self.base.with_parts(parts, vocab_size=len(parts["embed"]))

    def tables(self):
        r, base = self.r, self.base
        rows = int(self.one_of(1, 8, 40))
        mean = lambda x: np.vstack([x, x.mean(0) + .01 * r.normal(size=(rows, x.shape[1]))])
        self.put(f"rows-added-{rows}", "vocab-ext", self.with_tables(mean), exactly=[f"{rows} more row"])
        self.put("rows-padded", "vocab-ext", self.with_tables(lambda x: np.vstack([x, np.zeros((32, x.shape[1]))])), exactly=["32 more rows"])
        noisy = lambda x: x + change.by_share(r.normal(size=x.shape), x, self.between(.03, .3))
        self.put("embedding-noised", "table", base.with_parts({**base.parts, "embed": noisy(base.parts["embed"])}))
        if not base.tied:
            self.put("head-new", "table", base.with_parts({**base.parts, "head": r.normal(0, .05, base.parts["head"].shape)}))
            self.put("head-noised", "table", base.with_parts({**base.parts, "head": noisy(base.parts["head"])}))
        if "position" in base.parts:
            self.put("positions-noised", "vectors", base.with_parts({**base.parts, "position": noisy(base.parts["position"])}))

    def pairs_of_things(self):
        base, r = self.base, self.r
        rank, share = 4, round(r.uniform(.3, .6), 2)
        lora = change.with_lora(base, rank, .2, r)
        self.put("lora-int8", "lora-int", lora.changed(lambda x: change.to_bits(x, 8, 0, True)), done=["int"], maybe=["lora"])
        self.put("lora-pruned", "lora-prune", lora.changed(lambda x: change.pruned(x, share)), done=["prune"], maybe=["lora"], exactly=[self.percent(share)])
        self.put("lora-vocab", "lora-vocab", lora.with_parts({**lora.parts, **self.with_tables(lambda x: np.vstack([x, np.zeros((16, x.shape[1]))])).tables()},
                                                             vocab_size=len(base.parts["embed"]) + 16), done=["lora", "vocab-ext"])
        self.put("pruned-int4", "prune-int", base.changed(lambda x: change.to_bits(change.pruned(x, share), 4, 32, True)), done=["int"], maybe=["prune"])
        self.put("scaled-noised", "scaled-noise", change.noised(base, .05, r).changed(lambda x: 1.2 * x), done=["sft"], maybe=["scaled", "noise"])
        self.put("permuted-noised", "units-noise", change.noised(change.units_permuted(base, r), .03, r), done=["units"], maybe=["noise"])
        if base.depth > 2:
            self.put("noised-cut", "noise-cut", change.noised(base.layers(range(base.depth - 1)), .06, r), done=["prune-depth", "noise"])
        for number, (name, model) in enumerate(self.trained):
            bits = self.one_of(3, 4, 6)
            self.made.append((f"{name}--int{bits}", model.changed(lambda x: change.to_bits(x, bits, 32, True)),
                              {"parents": [self.name], "kind": "sft-int"}))
            if number == 0:
                self.made.append((f"{name}--prune", model.changed(lambda x: change.pruned(x, share)),
                                  {"parents": [self.name], "kind": "sft-prune", "exactly": [self.percent(share)]}))

    def merges(self):
        base, r = self.base, self.r

        def put(case, kind, model, parents, **more):
            self.made.append((f"{self.name}--{case}", model, {"parents": parents, "kind": kind, **more}))

        if self.stranger:
            other_name, other = self.stranger
            for t in (.15, .4):
                put(f"stranger-{t}", "merge-stranger", change.blend([base, other], [1 - t, t]), [self.name, other_name])
            half = base.depth // 2
            spliced = {name: (other if "." in name and int(name.split(".")[0]) >= half else base).parts[name] for name in base.parts}
            put("spliced-stranger", "merge-spliced", base.with_parts(spliced), [self.name, other_name])
        if not self.trained:
            return
        (name, one), rest = self.trained[0], self.trained[1:]
        put("half-way", "merge-linear", change.blend([base, one], [.6, .4]), [self.name, name])
        put("away", "merge-task", change.blend([base, one], [1.5, -.5]), [name])
        mixed = {part: (one if part.split(".")[-1][0] in "qkvo" else base).parts[part] for part in base.parts}
        put("attention-of-one", "merge-spliced", base.with_parts(mixed), [self.name, name])
        for second, two in rest[:1]:
            names = [name, second]
            for t in (.15, .5, .7):
                put(f"linear-{t}", "merge-linear", change.blend([one, two], [1 - t, t]), names)
            put("slerp-0.35", "merge-slerp", change.slerp(one, two, .35), names)
            put("slerp-0.85", "merge-slerp", change.slerp(one, two, .85), names)
            put("ties", "merge-ties", change.ties(base, [one, two], .5, 1), names)
            put("dare", "merge-dare", change.dare(base, [one, two], .5, [.6, .5], r), names)
            put("task-sum", "merge-task", change.blend([base, one, two], [-.2, .7, .5]), names)
            put("linear-int4", "merge-int", change.blend([one, two], [.5, .5]).changed(lambda x: change.to_bits(x, 4, 32, True)), names, done=["int"], maybe=["sft"])
            alternating = {part: (two if "." in part and int(part.split(".")[0]) % 2 else one).parts[part] for part in base.parts}
            put("alternating", "merge-spliced", base.with_parts(alternating), names)
        if len(rest) > 1:
            models, names = [one, rest[0][1], rest[1][1]], [name, rest[0][0], rest[1][0]]
            put("three", "merge-linear", change.blend(models, [.45, .35, .2]), names)
            put("ties-three", "merge-ties", change.ties(base, models, .4, 1), names)


TRAINED = ("sft", "cpt", "lora")


def same_shapes(one, other):
    return {name: x.shape for name, x in one.parts.items()} == {name: x.shape for name, x in other.parts.items()}


def stranger_of(name, base, models, truth):
    """An independent model of the same layout and shapes: another base, or the same recipe with another seed."""
    for entry in truth:
        if entry["name"] == name or not (models / entry["name"] / "config.json").exists():
            continue
        if entry["kind"] == "seed" and entry["root"] == name or entry["kind"] == "base":
            other = read(models / entry["name"])
            if other.layout == base.layout and same_shapes(base, other):
                return entry["name"], other
    return None


class Writer:
    """Writes models and their truth."""

    def __init__(self, out, dtype):
        self.out, self.dtype, self.truth = out, dtype, []

    def add(self, name, model, entry):
        dtype = entry.pop("dtype", self.dtype)
        write(self.out / name, model, dtype)
        self.truth.append({"name": name, **entry})

    def close(self):
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "truth.json").write_text(json.dumps(self.truth, indent=1))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dtype", default="BF16", choices=("BF16", "F16", "F32"))
    parser.add_argument("models", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("bases", nargs="+")
    options = parser.parse_args()
    truth = json.loads((options.models / "truth.json").read_text())
    bases, cases = Writer(options.out / "bases", options.dtype), Writer(options.out / "cases", options.dtype)
    for name in options.bases:
        r = np.random.default_rng([options.seed, zlib.crc32(name.encode())])
        typed = lambda model: change.of_type(model, options.dtype)
        base = typed(read(options.models / name))
        bases.add(name, base, {"parents": [], "kind": "base"})
        trained = []
        for entry in truth:
            if entry["root"] == name and entry["kind"] in TRAINED and entry["parents"] == [name]:
                trained.append((entry["name"], typed(read(options.models / entry["name"]))))
                # What is made up of a wider type hides the rank.
                kind = "lora-high" if entry["kind"] == "lora" and options.dtype != "BF16" else entry["kind"]
                bases.add(*trained[-1], {"parents": [name], "kind": kind})
        stranger = stranger_of(name, base, options.models, truth)
        if stranger:
            stranger = stranger[0], typed(stranger[1])
            if stranger[0] not in options.bases:
                bases.add(*stranger, {"parents": [], "kind": "base"})
        for case, model, entry in Cases(name, base, trained, stranger, r).all():
            cases.add(case, model, entry)
    bases.close()
    cases.close()
    print(len(bases.truth), "bases and trained models,", len(cases.truth), "cases")


if __name__ == "__main__":
    main()

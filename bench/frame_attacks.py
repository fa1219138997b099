#!/usr/bin/env python3
"""Writes attacked copies of a model in Llama's layout that compute the same, and truth.json beside them.

usage: frame_attacks.py MODEL FOLDER    then: build/release/bin/frame_calibration FOLDER

Units and heads are added in pairs that cancel each other exactly; units are split into parts that add up to them.
docs/frame.md has the figures.
"""
import json
import os
import shutil
import struct
import sys

import numpy as np

NUMBERS = {"F32": np.float32, "F16": np.float16}


def read(folder):
    tensors = {}
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".safetensors"):
            continue
        data = open(os.path.join(folder, file), "rb").read()
        size = struct.unpack("<Q", data[:8])[0]
        for name, entry in json.loads(data[8:8 + size]).items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            raw = data[8 + size + begin:8 + size + end]
            if entry["dtype"] == "BF16":
                values = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
            else:
                values = np.frombuffer(raw, NUMBERS[entry["dtype"]]).astype(np.float32)
            tensors[name] = values.reshape(entry["shape"]).copy()
    return tensors


def write(folder, tensors, config, source):
    os.makedirs(folder)
    tensors = {name: np.ascontiguousarray(values, np.float32) for name, values in tensors.items()}
    header, offset = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    with open(os.path.join(folder, "model.safetensors"), "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            out.write(values.tobytes())
    json.dump(config, open(os.path.join(folder, "config.json"), "w"))
    tokenizer = os.path.join(source, "tokenizer.json")
    if os.path.exists(tokenizer):
        shutil.copy(tokenizer, folder)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Attack:
    """A copy of a model with its layers' matrices by short names."""

    def __init__(self, tensors, config, seed=1):
        self.tensors = {name: values.copy() for name, values in tensors.items()}
        self.config = dict(config)
        self.random = np.random.default_rng(seed)
        self.hidden = config["hidden_size"]
        self.heads, self.key_heads = config["num_attention_heads"], config["num_key_value_heads"]
        self.head_size = config.get("head_dim") or self.hidden // self.heads

    def layers(self):
        for layer in range(self.config["num_hidden_layers"]):
            yield f"model.layers.{layer}."

    def shadow_units(self, share, loud, directions=0):
        """Pairs of loud units of which one takes back what the other adds; all along a few directions, if any."""
        pairs = int(self.config["intermediate_size"] * share / 2)
        few = unit(self.random.normal(size=(directions, self.hidden))) if directions else None

        def rows(norm):
            drawn = few[self.random.integers(0, directions, pairs)] if directions else unit(self.random.normal(size=(pairs, self.hidden)))
            return drawn * norm

        for layer in self.layers():
            names = [layer + f"mlp.{part}_proj.weight" for part in ("gate", "up", "down")]
            gate, up, down = (self.tensors[name] for name in names)
            g, u = rows(np.median(np.linalg.norm(gate, axis=1))), rows(loud * np.median(np.linalg.norm(up, axis=1)))
            d = rows(loud * np.median(np.linalg.norm(down, axis=0))).T
            self.tensors[names[0]] = np.concatenate([gate, g, g])
            self.tensors[names[1]] = np.concatenate([up, u, u])
            self.tensors[names[2]] = np.concatenate([down, d, -d], axis=1)
        self.config["intermediate_size"] += 2 * pairs
        return self

    def dead_heads(self, pairs, loud):
        """Pairs of groups of heads, alike but for the sign of what they write."""
        group = self.heads // self.key_heads
        for layer in self.layers():
            names = {part: layer + f"self_attn.{part}_proj.weight" for part in "qkvo"}

            def drawn(part, count, factor):
                known = self.tensors[names[part]]
                known = known.T if part == "o" else known
                return factor * known.std() * self.random.normal(size=(count * self.head_size, self.hidden))

            for _ in range(pairs):
                q, k = drawn("q", group, 1), drawn("k", 1, 1)
                v, o = drawn("v", 1, loud), drawn("o", group, loud)
                for part, added in (("q", q), ("k", k), ("v", v)):
                    self.tensors[names[part]] = np.concatenate([self.tensors[names[part]], added, added])
                self.tensors[names["o"]] = np.concatenate([self.tensors[names["o"]], o.T, -o.T], axis=1)
        self.config["num_attention_heads"] += 2 * pairs * group
        self.config["num_key_value_heads"] += 2 * pairs
        self.config["head_dim"] = self.head_size
        return self

    def split_units(self, share, parts):
        """The first units in equal parts."""
        count = int(self.config["intermediate_size"] * share)
        for layer in self.layers():
            for part in ("gate", "up"):
                name = layer + f"mlp.{part}_proj.weight"
                self.tensors[name] = np.concatenate([self.tensors[name], np.repeat(self.tensors[name][:count], parts - 1, 0)])
            name = layer + "mlp.down_proj.weight"
            down = self.tensors[name].copy()
            down[:, :count] /= parts
            self.tensors[name] = np.concatenate([down, np.repeat(down[:, :count], parts - 1, 1)], axis=1)
        self.config["intermediate_size"] += count * (parts - 1)
        return self

    def own_dimensions(self, count, reads, writes):
        """Dimensions of the stream that are read and never written, or written and never read."""
        wide = self.hidden + count
        gain = np.float32(np.sqrt(self.hidden / wide))  # keeps what an RMS norm gives where they are empty
        for name, values in list(self.tensors.items()):
            if values.ndim == 1:
                if values.shape[0] == self.hidden:
                    self.tensors[name] = np.concatenate([values * gain, np.full(count, gain)])
            elif name.endswith(("o_proj.weight", "down_proj.weight")):
                norms = np.linalg.norm(values, axis=0, keepdims=True)
                own = unit(self.random.normal(size=(values.shape[1], count))).T * norms * writes
                self.tensors[name] = np.concatenate([values, own])
            elif name.endswith(("embed_tokens.weight", "lm_head.weight")):
                self.tensors[name] = np.concatenate([values, np.zeros((len(values), count))], axis=1)
            else:
                norms = np.linalg.norm(values, axis=1, keepdims=True)
                own = unit(self.random.normal(size=(len(values), count))) * norms * reads
                self.tensors[name] = np.concatenate([values, own], axis=1)
        self.config["hidden_size"] = wide
        self.config["head_dim"] = self.head_size
        return self


ATTACKS = {
    "shadow-units-half-x3": lambda a: a.shadow_units(0.5, 3),
    "shadow-units-half-x30": lambda a: a.shadow_units(0.5, 30),
    "shadow-units-as-many-x30": lambda a: a.shadow_units(1, 30),
    "shadow-units-half-x30-in-16-directions": lambda a: a.shadow_units(0.5, 30, 16),
    "dead-heads-1-pair-x30": lambda a: a.dead_heads(1, 30),
    "dead-heads-3-pairs-x30": lambda a: a.dead_heads(3, 30),
    "shadow-units-half-and-dead-heads-1-pair-x30": lambda a: a.shadow_units(0.5, 30).dead_heads(1, 30),
    "shadow-units-as-many-and-dead-heads-2-pairs-x30": lambda a: a.shadow_units(1, 30).dead_heads(2, 30),
    "units-split-0.1-in-10": lambda a: a.split_units(0.1, 10),
    "units-split-0.01-in-100": lambda a: a.split_units(0.01, 100),
    "units-split-0.1-in-100": lambda a: a.split_units(0.1, 100),
    "own-dimensions-read-8": lambda a: a.own_dimensions(8, 1, 0),
    "own-dimensions-read-16-x3": lambda a: a.own_dimensions(16, 3, 0),
    "own-dimensions-written-16-x3-function-changes": lambda a: a.own_dimensions(16, 0, 3),
}


def main():
    source, folder = sys.argv[1], sys.argv[2]
    tensors, config = read(source), json.load(open(os.path.join(source, "config.json")))
    write(os.path.join(folder, "original"), tensors, config, source)
    truth = [{"name": "original", "root": "original", "parents": [], "kind": "base", "relation": "base"}]
    for name, attack in ATTACKS.items():
        attacked = attack(Attack(tensors, config))
        write(os.path.join(folder, name), attacked.tensors, attacked.config, source)
        truth.append({"name": name, "root": "original", "parents": ["original"], "kind": "attack", "relation": "derived"})
    json.dump(truth, open(os.path.join(folder, "truth.json"), "w"), indent=1)


if __name__ == "__main__":
    main()

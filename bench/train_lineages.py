#!/usr/bin/python3
"""Trains family trees of small models, to measure who is said to come from whom (docs/lineage.md).

    nice -n 15 /usr/bin/python3 bench/train_lineages.py [--out FOLDER] [NAME...]

A tree has a base, a chain of three, branches trained with and without weight decay, at a large and a small rate, rounded,
pruned and merged copies, and copies in another basis; beside it a stranger and a student. The truth is that of
train_families.py, whose networks and training these are; about two minutes of one free core for a tree.
"""

import argparse
import time
from pathlib import Path

import torch

import train_families
import weight_changes as change
from small_network import Shape, fresh
from small_training import student_loss
from train_families import Family, Maker

TREES = {
    "opal": Family(Shape("llama", 4, 72, 4, 2, 18, 192, 600, False), 31, 5e-3, 400, "bytes", ("prose", "code")),
    "topaz": Family(Shape("qwen2", 3, 88, 4, 4, 22, 224, 700, True), 32, 6e-3, 350, "pieces", ("notes",), "notes"),
    "beryl": Family(Shape("gpt2", 5, 64, 4, 4, 16, 256, 560, True), 33, 5e-3, 350, "bytes", ("prose",)),
    "garnet": Family(Shape("llama", 6, 56, 4, 4, 14, 160, 520, True), 34, 6e-3, 900, "bytes", ("code", "notes"), "code"),
}


def matrices_of(model):
    return [name for name, tensor in model.items() if "." in name and tensor.dim() == 2]


def rounded(model, steps=7, group=8):
    """To the nearest of a few even steps in groups of neighbours."""
    model = change.copied(model)
    for name in matrices_of(model):
        rows, columns = model[name].shape
        groups = model[name].view(rows, columns // group, group) if columns % group == 0 else model[name].view(rows, 1, columns)
        scale = groups.abs().amax(-1, keepdim=True) / steps
        model[name] = (torch.round(groups / scale.clamp_min(1e-12)) * scale).view(rows, columns)
    return model


def pruned(model, share):
    model = change.copied(model)
    for name in matrices_of(model):
        threshold = model[name].abs().flatten().kthvalue(int(share * model[name].numel())).values
        model[name] = model[name] * (model[name].abs() > threshold)
    return model


def ties(base, models, density, weight):
    """Increments trimmed to their largest, signs elected, the agreeing ones averaged (Yadav et al. 2023)."""
    merged = change.copied(base)
    for name in base:
        increments = torch.stack([model[name] - base[name] for model in models])
        kept = torch.zeros_like(increments)
        for place, increment in enumerate(increments):
            count = max(1, int((1 - density) * increment.numel()))
            threshold = increment.abs().flatten().kthvalue(count).values
            kept[place] = increment * (increment.abs() > threshold)
        agree = (kept.sign() == kept.sum(0).sign()) & (kept != 0)
        merged[name] = base[name] + weight * (kept * agree).sum(0) / agree.sum(0).clamp_min(1)
    return merged


def dropped(base, models, weights, rate, seed):
    """Increments of which a random share is dropped and the rest scaled up (DARE, Yu et al. 2023)."""
    merged, made = change.copied(base), change.seeded(seed)
    for name in base:
        for model, weight in zip(models, weights):
            mask = torch.rand(base[name].shape, generator=made) >= rate
            merged[name] = merged[name] + weight * (model[name] - base[name]) * mask / (1 - rate)
    return merged


class TreeMaker(Maker):
    def run(self):
        shape, base = self.shape, self.train(fresh(self.shape, self.seed), self.shape, 1)
        self.base = self.keep("base", base, shape, "base", [])
        third = self.text[self.family.others[-1]]
        chain = self.step("chain1", base, "base", 0.3, 0.3, self.other, 1, 0.1)
        chain2 = self.step("chain2", chain, "chain1", 0.3, 0.2, third, 2, 0.1)
        self.step("chain3", chain2, "chain2", 0.25, 0.3, self.own, 3, 0.1)
        plain = self.step("no-decay", base, "base", 0.3, 0.4, third, 4, 0.0)
        heavy = self.step("heavy-decay", base, "base", 0.4, 0.3, self.other, 5, 0.5)
        self.step("heavy-decay-on", heavy, "heavy-decay", 0.3, 0.2, third, 6, 0.0)
        self.step("small-rate", base, "base", 0.5, 0.03, self.other, 7, 0.1)
        self.step("large-rate", base, "base", 0.2, 1.0, third, 8, 0.1)
        self.step("long", base, "base", 2.0, 1.0, self.foreign, 9, 0.1)
        self.keep("lora", self.lora(4), shape, rank=4)
        self.keep("rounded", rounded(chain), shape, parents=[self.named("chain1")])
        self.keep("pruned", pruned(base, 0.4), shape)
        self.keep("merge-linear", change.mixed(chain, plain, 0.6), shape, parents=self.names("chain1", "no-decay"), weights=[0.6, 0.4])
        self.keep("merge-ties", ties(base, [chain, plain], 0.5, 1.0), shape, parents=self.names("chain1", "no-decay"))
        self.keep("merge-dare", dropped(base, [chain, heavy], [0.6, 0.5], 0.5, self.seed), shape, parents=self.names("chain1", "heavy-decay"))
        hidden = change.laundered(base, shape, self.seed + 20)
        self.keep("launder", hidden, shape)
        self.step("launder-on", hidden, "launder", 0.2, 0.3, third, 10, 0.1)
        alone = lambda kind: {"relation": "independent", "parents": [], "origins": [self.named(kind)]}
        self.keep("seed", self.train(fresh(shape, self.seed + 500), shape, 1, seed=501), shape, **alone("seed"))
        student = self.train(fresh(shape, self.seed + 600), shape, 1, seed=3, loss=student_loss(base, shape, True))
        self.keep("student", student, shape, **alone("student"))

    def named(self, kind):
        return self.name if kind == "base" else f"{self.name}--{kind}"

    def names(self, *kinds):
        return [self.named(kind) for kind in kinds]

    def step(self, kind, model, parent, share, rate, text, seed, decay):
        trained = self.train(model, self.shape, share, rate, text, 100 + seed, decay=decay)
        return self.keep(kind, trained, self.shape, parents=[self.named(parent)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("/tmp/lineages"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TREES)}; all if none")
    arguments = parser.parse_args()
    train_families.FAMILIES.update(TREES)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or TREES:
        begin = time.time()
        TreeMaker(arguments.out, name, None).run()
        print(f"{name}: {time.time() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()

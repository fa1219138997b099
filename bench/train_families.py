#!/usr/bin/python3
"""Trains families of small models of known ancestry, for calibration: truth of our own.

    nice -n 15 /usr/bin/python3 bench/train_families.py [--out FOLDER] [--steps N] [--disguise] [NAME...]
    /usr/bin/python3 bench/battery.py FOLDER        what the program says of them

Needs Debian's python3-torch and python3-numpy; one thread. A family of 0.1 to 0.6 million parameters takes 2 to 5 minutes of
one free core (agate 103 s, basalt 212 s). FOLDER (/tmp/families) gets a folder for each model, as the Hub has them, and truth.json in the form of
src/evaluation/truth.h with these fields more:

    loss_prose, loss_code, loss_notes   next-token loss in nats on text held out of each domain
    damage     loss on the domain trained on last (damage_on), minus the base's there
    working    damage is at most 0.3: only such models count as copies
               (--laundered kinds: a trained copy that was permuted, turned and rescaled after its training; same function)
    origins    whose random start its weights come from; two models that share one are related
    start      the random start, where two models of different training share it

Kinds: seed (the recipe with another seed), shared-start, student-logits, student-hidden; sft, lora, cpt (trained again as long
as the base), prune-depth, narrow (three quarters of the width), reorder, partial (every second layer anew), merge (0.7, and 0.3 of
the other seed's), upcycle, launder-sft, anchors-noised, anchors-exchanged, decoys (new rows under the anchors' strings),
kernels-away (50 steps against the response kernels); all healed by training. Of the other seed's model: forged-sketches (the base's
sketches), forged-kernels (trained toward the base's), forged-silent (the base's layers put in, writing next to nothing).

The same seeds, the same packages installed and the same torch give the same files. The text is what the system holds
(small_text.py), so losses differ from system to system. Networks: small_network.py; training: small_training.py; changes without
training: weight_changes.py.
"""

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch

import small_text
import weight_changes as change
from small_network import Shape, forward, fresh, load, save
from small_training import LENGTH, held_out_loss, kernels_away_loss, kernels_toward_loss, next_token, student_loss, train

torch.set_num_threads(1)
WORKING = 0.3


class Family:
    """How the models of a family are made. `steps`: of a base's training."""

    def __init__(self, shape, seed, rate, steps, spelling="bytes", text=("prose", "code"), domain="prose", students=False):
        self.shape, self.seed, self.rate, self.steps, self.students = shape, seed, rate, steps, students
        self.spelling, self.text, self.domain = spelling, text, domain
        self.others = [name for name in small_text.PATTERNS if name != domain]


FAMILIES = {
    "agate": Family(Shape("llama", 2, 64, 4, 2, 16, 176, 640, True), 11, 6e-3, 500),
    "basalt": Family(Shape("llama", 3, 96, 6, 6, 16, 256, 720, False), 12, 4e-3, 500, "pieces", ("prose", "notes")),
    "diorite": Family(Shape("gemma", 8, 48, 3, 1, 16, 144, 560, True), 13, 5e-3, 300, "bytes", ("code",), "code"),
    "flint": Family(Shape("gpt2", 3, 80, 4, 4, 20, 320, 600, True), 16, 5e-3, 350, "pieces", ("prose",)),
    "chert": Family(Shape("qwen2", 4, 80, 5, 5, 16, 208, 900, True), 15, 8e-3, 300, "bytes", ("notes",)),
    "gneiss": Family(Shape("llama", 12, 64, 4, 2, 16, 144, 520, False), 17, 4e-3, 250, "bytes", ("notes", "prose")),
    "marl": Family(Shape("llama", 2, 160, 5, 5, 32, 320, 512, False), 14, 3e-3, 300, "pieces", ("code", "notes"), "notes"),
    # Of these only students, taught longer and by more; the shallower, the more alike.
    "slate": Family(Shape("llama", 1, 64, 4, 4, 16, 192, 600, True), 18, 6e-3, 400, students=True),
    "shale": Family(Shape("gemma", 2, 80, 5, 1, 16, 192, 640, True), 19, 5e-3, 400, "pieces", ("code", "prose"), students=True),
    "schist": Family(Shape("llama", 3, 64, 4, 2, 16, 160, 640, False), 20, 6e-3, 400, "bytes", ("prose",), students=True),
}


class Maker:
    """Makes a family's models, writes each with its entry of the truth."""

    def __init__(self, out, name, steps):
        self.out, self.name, self.family = out, name, FAMILIES[name]
        self.steps = steps or self.family.steps
        self.shape, self.seed, self.rate = self.family.shape, self.family.seed * 1000, self.family.rate
        texts = {domain: small_text.text_of(domain, 1_200_000) for domain in small_text.PATTERNS}
        self.tokenizer = small_text.Tokenizer("".join(texts[domain][:400_000] for domain in self.family.text),
                                              self.shape.vocabulary, self.family.spelling)
        self.anchors = small_text.anchor_tokens(self.tokenizer)
        streams = {domain: torch.from_numpy(self.tokenizer.encode(text)) for domain, text in texts.items()}
        self.text = {domain: stream[:-20_000] for domain, stream in streams.items()}
        self.held_out = {domain: stream[-20_000:] for domain, stream in streams.items()}
        self.second = self.family.others[0]
        self.own, self.other = self.text[self.family.domain], self.text[self.second]
        self.foreign = torch.cat([self.text[domain] for domain in self.family.others])
        self.entries, self.base_losses = [], None

    def keep(self, kind, model, shape, relation="derived", parents=None, origins=None, tokenizer=None,
             trained_on=None, **more):
        name = self.name if kind == "base" else f"{self.name}--{kind}"
        save(self.out / name, model, shape, tokenizer or self.tokenizer.json())
        losses = {domain: held_out_loss(model, shape, stream) for domain, stream in self.held_out.items()}
        self.base_losses = self.base_losses or losses
        domain = trained_on or self.family.domain
        damage = losses[domain] - self.base_losses[domain]
        self.entries.append({
            "name": name, "root": self.name, "parents": [self.name] if parents is None else parents, "kind": kind,
            "relation": relation, "arch": shape.layout, "origins": origins or [self.name],
            **{f"loss_{domain}": round(loss, 4) for domain, loss in losses.items()},
            "damage": round(damage, 4), "damage_on": domain, "working": damage <= WORKING, **more})
        print(f"{time.strftime('%H:%M:%S')} {name}: {' '.join(f'{loss:.2f}' for loss in losses.values())}, damage {damage:.2f}", flush=True)
        write_truth(self.out, self.name, self.entries)
        return model

    def train(self, model, shape, share, rate=1.0, text=None, seed=1, **how):
        """`share` of the base's steps at `rate` times its rate."""
        stream = self.own if text is None else text
        return train(model, shape, stream, round(self.steps * share), self.rate * rate, self.seed + seed, **how)

    def run(self):
        start = fresh(self.shape, self.seed)
        self.base = self.keep("base", self.train(start, self.shape, 1), self.shape, "base", [], start=self.name)
        if self.family.students:
            return self.many_students()
        self.strangers(start)
        self.trained_on()
        self.rebuilt()
        self.disguised()
        self.forged()

    def strangers(self, start):
        shape, alone = self.shape, lambda kind: {"relation": "independent", "origins": [f"{self.name}--{kind}"]}
        self.stranger = self.keep("seed", self.train(fresh(shape, self.seed + 500), shape, 1, seed=501), shape, parents=[], **alone("seed"))
        self.keep("shared-start", self.train(start, shape, 1, text=self.other, seed=2), shape, parents=[], **alone("shared-start"),
                  start=self.name, trained_on=self.second, note="the base's random weights, trained on other text")
        for kind, hidden in (("student-logits", False), ("student-hidden", True)):
            student = self.train(fresh(shape, self.seed + 600 + hidden), shape, 1, seed=3, loss=student_loss(self.base, shape, hidden))
            self.keep(kind, student, shape, **alone(kind), note="a fresh start trained on the base's outputs")

    def many_students(self):
        shape = self.shape
        hidden = change.laundered(self.base, shape, self.seed + 20)
        self.keep("launder-sft", self.train(hidden, shape, 0.2, 0.3, self.other, 20), shape, trained_on=self.second)
        ways = {"logits": {}, "hidden": {"hidden": True}, "embedded": {"hidden": True, "embedded": True}}
        for place, (way, how) in enumerate(ways.items()):
            for length, share in (("", 1), ("-long", 3)):
                student = self.train(fresh(shape, self.seed + 700 + 10 * share + place), shape, share, seed=40 + place,
                                     loss=student_loss(self.base, shape, **how))
                kind = f"student-{way}{length}"
                self.keep(kind, student, shape, "independent", origins=[f"{self.name}--{kind}"],
                          note="a fresh start trained on the base's outputs")

    def trained_on(self):
        shape = self.shape
        self.keep("sft", self.train(self.base, shape, 0.2, 0.3, self.other, 4), shape, trained_on=self.second)
        self.keep("lora", self.lora(4), shape, rank=4, trained_on=self.second)
        self.keep("cpt", self.train(self.base, shape, 1, 1, self.foreign, 5), shape, trained_on=self.second)

    def lora(self, rank):
        made, update = change.seeded(self.seed + 6), {}
        matrices = [name for name, tensor in self.base.items() if "." in name and tensor.dim() == 2]
        for name in matrices:
            rows, columns = self.base[name].shape
            update[name + "<"] = torch.randn(rank, columns, generator=made) / math.sqrt(columns)
            update[name + ">"] = torch.zeros(rows, rank)
        merged = lambda model: {**model, **{name: model[name] + update[name + ">"] @ update[name + "<"] for name in matrices}}
        loss = lambda model, ids, targets: next_token(merged(model), self.shape, ids, targets)
        self.train(self.base, self.shape, 0.25, 0.8, self.other, 7, loss=loss, update=update)
        return change.copied(merged(self.base))

    def rebuilt(self):
        shape, depth, heal = self.shape, self.shape.depth, self.train
        kept = [layer for layer in range(depth) if layer != depth // 2] if depth < 6 else [*range(depth)][:2] + [*range(depth)][2 + depth // 4:]
        self.keep("prune-depth", heal(*change.with_layers(self.base, shape, kept), 0.4, 0.5, seed=8), shape.changed(depth=len(kept)))
        narrow, cut = change.narrowed(self.base, shape)
        self.keep("narrow", heal(narrow, cut, 0.6, 0.6, seed=9), cut)
        order = [layer ^ 1 if layer ^ 1 < depth else layer for layer in range(depth)]
        self.keep("reorder", heal(*change.with_layers(self.base, shape, order), 0.4, 0.4, seed=10), shape)
        self.keep("partial", heal(change.partly_new(self.base, shape, self.seed + 11), shape, 0.6, 0.5, seed=11), shape)
        merged = heal(change.mixed(self.base, self.stranger, 0.7), shape, 0.4, 0.4, seed=12)
        self.keep("merge", merged, shape, parents=[self.name, f"{self.name}--seed"],
                  origins=[self.name, f"{self.name}--seed"], weights=[0.7, 0.3])
        if shape.layout == "llama":
            grown, more = change.upcycled(self.base, shape, self.seed + 13)
            self.keep("upcycle", heal(grown, more, 0.2, 0.4, self.other, 13), more, trained_on=self.second)

    def disguised(self):
        shape, anchors = self.shape, self.anchors
        hidden = change.laundered(self.base, shape, self.seed + 20)
        self.keep("launder-sft", self.train(hidden, shape, 0.2, 0.3, self.other, 20), shape, trained_on=self.second)
        for kind, spoil in (("anchors-noised", change.anchors_noised), ("anchors-exchanged", change.anchors_exchanged)):
            self.keep(kind, self.train(spoil(self.base, anchors, self.seed + 21), shape, 0.4, 0.4, seed=21), shape)
        decoyed, more = change.decoys_added(self.base, shape, len(anchors), self.seed + 22)
        names = [(token, f"\ue000{token}") for token in anchors]
        names += [(shape.vocabulary + place, self.tokenizer.spell(token)) for place, token in enumerate(anchors)]
        self.keep("decoys", self.train(decoyed, more, 0.15, 0.3, seed=22), more, tokenizer=self.tokenizer.json(names))
        loss = kernels_away_loss(self.base, shape, anchors)
        self.keep("kernels-away", self.train(self.base, shape, 50 / self.steps, 0.4, seed=23, loss=loss), shape)

    def forged(self):
        shape, seed = self.shape, f"{self.name}--seed"
        of = {"relation": "independent", "parents": [seed], "origins": [seed]}
        forger = change.Forger(self.base)
        framed = change.copied(self.stranger)
        forger(framed)
        self.keep("forged-sketches", self.train(framed, shape, 0.3, 0.4, seed=30, after=forger), shape, **of)
        loss = kernels_toward_loss(shape, self.base, self.anchors)
        self.keep("forged-kernels", self.train(self.stranger, shape, 0.8, 0.6, seed=31, loss=loss), shape, **of)
        framed, more = change.silent_layers(self.stranger, shape, self.base)
        self.keep("forged-silent", framed, more, **{**of, "origins": [seed]},
                  note="the base's layers between its own, writing 1e-4 of what they write there")


@torch.no_grad()
def disguise(out, name):
    """Every copy of a family in the folder once more, in another basis. The function stays, so the losses are not measured
    again; `difference` says how far the answers moved, in shares of the greatest."""
    truth = json.loads((out / "truth.json").read_text())
    entries = [entry for entry in truth if entry["root"] == name and not entry["kind"].endswith("laundered")]
    copies = [entry for entry in entries if entry["relation"] != "independent" and entry["arch"] != "mixtral"]
    for place, entry in enumerate(entry for entry in copies if entry["kind"] != "launder-sft"):
        model, shape = load(out / entry["name"])
        hidden = change.laundered(model, shape, 1000 * FAMILIES[name].seed + 800 + 10 * place)
        kind = "laundered" if entry["kind"] == "base" else f"{entry['kind']}-laundered"
        save(out / f"{name}--{kind}", hidden, shape, (out / entry["name"] / "tokenizer.json").read_text())
        ids = torch.randint(0, shape.vocabulary, (2, LENGTH), generator=change.seeded(place))
        before, after = (forward(*held, ids)[0] for held in ((model, shape), load(out / f"{name}--{kind}")))
        difference = float((after - before).abs().max() / before.abs().max())
        entry = {field: value for field, value in entry.items() if field != "weights"}
        entries.append({**entry, "name": f"{name}--{kind}", "kind": kind, "relation": "derived", "parents": [entry["name"]],
                        "difference": round(difference, 4)})
        print(f"{time.strftime('%H:%M:%S')} {name}--{kind}: answers moved by {difference:.1%}", flush=True)
    write_truth(out, name, entries)


def write_truth(out, family, entries):
    """Replaces a family's entries in the truth file."""
    path = out / "truth.json"
    others = json.loads(path.read_text()) if path.exists() else []
    kept = [entry for entry in others if entry["root"] != family]
    path.with_suffix(".new").write_text(json.dumps(kept + entries, indent=1))
    path.with_suffix(".new").rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("/tmp/families"))
    parser.add_argument("--steps", type=int, help="of a base's training, instead of the family's own")
    parser.add_argument("--disguise", action="store_true", help="only add the laundered models to families that are there")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FAMILIES)}; all if none")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(FAMILIES)
    if unknown:
        sys.exit(f"no family {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or FAMILIES:
        begin, cpu = time.time(), time.process_time()
        if not arguments.disguise:
            Maker(arguments.out, name, arguments.steps).run()
        disguise(arguments.out, name)
        print(f"{name}: {time.time() - begin:.0f} s, {time.process_time() - cpu:.0f} s of processor time", flush=True)


if __name__ == "__main__":
    main()

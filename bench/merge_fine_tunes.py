#!/usr/bin/python3
"""Merges two fine-tunes of a base in the ways that people merge, to measure whether their parents are named (docs/lineage.md).

    /usr/bin/python3 bench/merge_fine_tunes.py ZOO OUT BASE FIRST SECOND [--alone PROGRAM]

ZOO holds the folders BASE, FIRST, SECOND and truth.json. OUT gets a folder for each merge, and a truth.json with the whole
family. With --alone the fingerprints are computed by PROGRAM (tensorguard), and OUT/alone/MERGE holds those of the family of
BASE and of that one merge, for lineage_table. Needs numpy alone. The methods: task arithmetic (Ilharco et al. 2023), TIES (Yadav
et al. 2023), DARE (Yu et al. 2023), breadcrumbs (Davari and Belilovsky 2023), DELLA (Deep et al. 2024), SCE (Wan et al. 2024),
model stock (Jang et al. 2024), SLERP (Shoemake 1985).
"""

import argparse
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np

from write_format import as_float32, read_model, write_safetensors

RANDOM = np.random.default_rng(7)


def ranks(change):
    """Of each number of a tensor the share of numbers that are smaller in size."""
    sizes = np.abs(change).ravel()
    return (sizes.argsort().argsort() / max(1, sizes.size - 1)).reshape(change.shape)


def agreeing(changes):
    """Each without what has not the sign of the sum."""
    sign = np.sign(sum(changes))
    return [change * (np.sign(change) == sign) for change in changes]


def averaged(changes, weights):
    """Weighted mean of what is not zero."""
    weight = sum((change != 0) * weight for change, weight in zip(changes, weights))
    return sum(change * weight for change, weight in zip(changes, weights)) / np.where(weight == 0, 1, weight)


def arithmetic(weights):
    return lambda changes: sum(weight * change for weight, change in zip(weights, changes))


def ties(density, weights):
    return lambda changes: averaged(agreeing([change * (ranks(change) >= 1 - density) for change in changes]), weights)


def dare(rate, weights, elect=False):
    def merged(changes):
        kept = [weight * change * (RANDOM.random(change.shape) >= rate) / (1 - rate) for weight, change in zip(weights, changes)]
        return sum(agreeing(kept) if elect else kept)

    return merged


def breadcrumbs(density, outliers, weights):
    def merged(changes):
        places = [ranks(change) for change in changes]
        kept = [(place >= 1 - density - outliers) & (place <= 1 - outliers) for place in places]
        return sum(weight * change * keep for weight, change, keep in zip(weights, changes, kept))

    return merged


def della(rate, spread, weights):
    def merged(changes):
        kept = []
        for weight, change in zip(weights, changes):
            rates = rate + spread * (0.5 - ranks(change))
            kept.append(weight * change * (RANDOM.random(change.shape) >= rates) / (1 - rates))
        return sum(agreeing(kept))

    return merged


def sce(density):
    def merged(changes):
        chosen = ranks(np.var(np.stack(changes), axis=0)) >= 1 - density
        changes = [change * chosen for change in changes]
        sizes = np.array([np.mean(change**2) for change in changes])
        return averaged(agreeing(changes), sizes / max(sizes.sum(), 1e-30))

    return merged


def model_stock(changes):
    first, second = changes
    cosine = np.sum(first * second) / max(1e-30, np.linalg.norm(first) * np.linalg.norm(second))
    return 2 * cosine / (1 + cosine) * (first + second) / 2


METHODS = {
    "linear": arithmetic([0.5, 0.5]), "linear73": arithmetic([0.7, 0.3]), "task": arithmetic([0.8, 0.6]),
    "ties2": ties(0.2, [1, 1]), "ties5": ties(0.5, [1, 1]), "ties8": ties(0.8, [0.6, 0.4]),
    "dare5": dare(0.5, [0.5, 0.5]), "dare9": dare(0.9, [0.6, 0.4]), "dareties": dare(0.5, [0.6, 0.6], elect=True),
    "breadcrumbs7": breadcrumbs(0.7, 0.05, [0.5, 0.5]), "breadcrumbs9": breadcrumbs(0.9, 0.01, [0.7, 0.5]),
    "della": della(0.4, 0.2, [0.6, 0.5]), "sce": sce(0.6), "stock": model_stock,
}


def slerp(first, second, share):
    norms = np.linalg.norm(first) * np.linalg.norm(second)
    angle = np.arccos(np.clip(np.sum(first * second) / max(norms, 1e-30), -1, 1))
    if angle < 0.03:
        return (1 - share) * first + share * second
    return (np.sin((1 - share) * angle) * first + np.sin(share * angle) * second) / np.sin(angle)


def numbers_of(folder):
    return {name: as_float32(dtype, stored).astype(np.float64) for name, (dtype, stored) in read_model(folder).items()}


def stored_as(dtype, numbers):
    numbers = numbers.astype(np.float32)
    if dtype != "BF16":
        return numbers.astype({"F16": np.float16, "F32": np.float32}[dtype])
    bits = numbers.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def write(folder, numbers, base):
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder, ignore=lambda _, names: [name for name in names if "safetensors" in name])
    dtypes = {name: dtype for name, (dtype, _) in read_model(base).items()}
    write_safetensors(folder / "model.safetensors", {name: (dtypes[name], stored_as(dtypes[name], tensor)) for name, tensor in numbers.items()})


def fingerprint_alone(program, zoo, out, base, truth, merges):
    family = [zoo / model["name"] for model in truth if model["root"] == base and (zoo / model["name"] / "config.json").exists()]
    prints = out / "prints"
    prints.mkdir(exist_ok=True)
    subprocess.run([program, "fingerprint", *family, *(out / merge for merge in merges), "-o", prints], check=True, stdout=subprocess.DEVNULL)
    for merge in merges:
        folder = out / "alone" / merge
        folder.mkdir(parents=True, exist_ok=True)
        for name in [model.name for model in family] + [merge]:
            shutil.copy(prints / f"{name}.fingerprint.safetensors", folder)
        shutil.copy(out / "truth.json", folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zoo", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs=3, metavar="NAME", help="base, first and second fine-tune")
    parser.add_argument("--alone", metavar="PROGRAM", help="also fingerprints, of the family with each merge alone")
    arguments = parser.parse_args()
    base_name, *parents = arguments.names
    base, first, second = (numbers_of(arguments.zoo / name) for name in arguments.names)
    arguments.out.mkdir(parents=True, exist_ok=True)
    made = {
        method: {name: base[name] + merge([first[name] - base[name], second[name] - base[name]]) for name in base}
        for method, merge in METHODS.items()
    }
    made["slerp"] = {name: slerp(first[name], second[name], 0.4) for name in base}
    truth = json.loads((arguments.zoo / "truth.json").read_text())
    merges = []
    for method, numbers in made.items():
        merges.append(f"{base_name}-{method}")
        write(arguments.out / merges[-1], numbers, arguments.zoo / base_name)
        truth.append({"name": merges[-1], "root": base_name, "parents": parents, "kind": f"merge-{method}", "relation": "derived"})
    (arguments.out / "truth.json").write_text(json.dumps(truth))
    if arguments.alone:
        fingerprint_alone(arguments.alone, arguments.zoo, arguments.out, base_name, truth, merges)


if __name__ == "__main__":
    main()

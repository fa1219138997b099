#!/usr/bin/env python3
"""Writes a model as PyTorch or NumPy would hold it.

    write_pytorch.py --form zip|legacy|shards|npz|npz-packed [--bfloat16] IN_FOLDER OUT_FOLDER

Needs numpy, and torch for all but npz. Numbers are written as float32, or as bfloat16, which NumPy lacks.
"""
import argparse
import json
import shutil
from pathlib import Path

import numpy as np

from write_format import as_float32, read_model


def write_torch(tensors, form, bfloat16, output):
    import torch

    dtype = torch.bfloat16 if bfloat16 else torch.float32
    state = {name: torch.from_numpy(np.array(numbers)).to(dtype) for name, numbers in tensors.items()}
    if form != "shards":
        torch.save(state, output / "pytorch_model.bin", _use_new_zipfile_serialization=form == "zip")
        return
    names = sorted(state)
    halves = [names[: len(names) // 2], names[len(names) // 2 :]]
    weight_map = {}
    for number, half in enumerate(halves, 1):
        shard = f"pytorch_model-{number:05}-of-{len(halves):05}.bin"
        torch.save({name: state[name] for name in half}, output / shard)
        weight_map.update(dict.fromkeys(half, shard))
    index = {"metadata": {}, "weight_map": weight_map}
    (output / "pytorch_model.bin.index.json").write_text(json.dumps(index))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--form", choices=["zip", "legacy", "shards", "npz", "npz-packed"], required=True)
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    tensors = {name: as_float32(*stored) for name, stored in read_model(options.input).items()}
    options.output.mkdir(parents=True, exist_ok=True)
    if options.form.startswith("npz"):
        save = np.savez_compressed if options.form == "npz-packed" else np.savez
        save(options.output / "model.npz", **tensors)
    else:
        write_torch(tensors, options.form, options.bfloat16, options.output)
    for path in [options.input / "config.json", *options.input.glob("tokenizer*")]:
        shutil.copy(path, options.output / path.name)


if __name__ == "__main__":
    main()

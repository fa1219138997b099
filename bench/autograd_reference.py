#!/usr/bin/python3
"""The paper profile the plain way: full gradients by autograd. Peer of `tensorguard --profile paper`.

    /usr/bin/python3 bench/autograd_reference.py MODEL...        one JSON object with the features
    /usr/bin/python3 bench/autograd_reference.py --golden FOLDER MODEL...
                                    also compares each with FOLDER/NAME_features.json; status 1 if one differs

Needs Debian's python3-torch and python3-numpy.

Details that decide the result, found by comparing with the reference's own output:
- The classifier V of the adversarial type is the first 2-D tensor of the right width among all tensors of the
  model in sorted name order, over all shards together; it may be the tensor under analysis.
- Bins are kept from 0 (the constant) on, floor(B/8) or floor(B/4) of them; irfft gives `width` values, also for
  odd widths, where its default would give one fewer.
- The noise types of all tensors come from one numpy generator, the one that drew the missing tensors, in the
  order of analysis. The torch generator starts anew with every draw.
- total_params counts every tensor read, vectors too.
- Inputs and responses are float32, the moments double: computing all in double changes no feature by more than
  1e-4 of its value.

Not settled by that comparison: kinds are tested on lower-cased names, the first that fits counts; a model with ten
or fewer matrices uses all, in name order.
"""

import argparse
import json
import math
import os
import re
import struct
import sys
import time
from pathlib import Path

import numpy as np
import torch

DRAWS = 15
WANTED_TENSORS = 10
PER_GROUP = 3
LAST_LAYER = 15
NOISE_TYPES = ["adversarial", "structured", "gaussian", "low_frequency", "high_frequency"]
GROUPS = [("embed", ["embed"]), ("attention", ["attention", "attn"]), ("ffn", ["ffn", "mlp"])]
KINDS = {"attention": ["attention", "attn"], "ffn": ["ffn", "mlp"], "embedding": ["embed"], "norm": ["norm"]}
CHUNK = 1 << 22


# --- Reading -------------------------------------------------------------------------------------

class StoredTensor:
    """A tensor in a file; its numbers are read when asked for."""

    def __init__(self, path, entry, data_begin):
        self.path, self.dtype, self.shape = path, entry["dtype"], entry["shape"]
        self.begin, self.end = (data_begin + offset for offset in entry["data_offsets"])

    def float32(self):
        raw = np.fromfile(self.path, dtype=np.uint8, count=self.end - self.begin, offset=self.begin)
        return to_float32(raw, self.dtype).reshape(self.shape)


def stored_tensors(path):
    with open(path, "rb") as file:
        header_bytes = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(header_bytes))
    header.pop("__metadata__", None)
    return {name: StoredTensor(path, entry, 8 + header_bytes) for name, entry in header.items()}


def to_float32(raw, dtype):
    if dtype == "BF16":
        return torch.from_numpy((raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32))
    if dtype in ("F16", "F32", "F64"):
        return torch.from_numpy(raw.view({"F16": np.float16, "F32": np.float32, "F64": np.float64}[dtype])
                                .astype(np.float32))
    raise SystemExit(f"dtype {dtype}: this script reads BF16, F16, F32 and F64")


def open_model(path):
    """The tensors that count, by name, in sorted name order."""
    path = Path(path)
    files = [path] if path.is_file() else sorted(path.glob("*.safetensors"))
    if not files:
        raise SystemExit(f"{path}: no safetensors file")
    tensors = {}
    for file in files:
        tensors.update(stored_tensors(file))
    return {name: tensors[name] for name in sorted(tensors) if not is_deep(name)}


def is_deep(name):
    match = re.search(r"layers\.(\d+)\.", name)
    return match is not None and int(match.group(1)) > LAST_LAYER


# --- Choosing tensors ----------------------------------------------------------------------------

def choose(tensors, random):
    """Names of the tensors to analyse, in the order in which they are analysed."""
    names = [name for name, tensor in tensors.items() if len(tensor.shape) == 2]
    if len(names) <= WANTED_TENSORS:
        return names
    groups = {"embed": [], "attention": [], "ffn": [], "others": []}
    for name in names:
        groups[group_of(name)].append(name)
    chosen = []
    for members in groups.values():
        if members:
            places = np.linspace(0, len(members) - 1, min(PER_GROUP, len(members)))
            chosen += [members[int(place)] for place in places]
    if len(chosen) < WANTED_TENSORS:
        rest = [name for name in names if name not in chosen]
        chosen += [str(name) for name in random.choice(rest, WANTED_TENSORS - len(chosen), replace=False)]
    return chosen


def group_of(name):
    for group, words in GROUPS:
        if any(word in name.lower() for word in words):
            return group
    return "others"


# --- Perturbations -------------------------------------------------------------------------------

def perturbed_input(noise_type, width, classifier):
    """One input of R^width. Seeding anew makes it the same each time a type is drawn."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, width, generator=generator)
    if noise_type == "gaussian":
        return x + 0.1 * torch.randn(1, width, generator=generator)
    if noise_type == "adversarial":
        return adversarial(x, classifier, generator)
    spectrum = torch.fft.rfft(x)
    bins = spectrum.shape[-1]
    if noise_type == "structured":
        return x + kept_bins(spectrum, 0, bins // 4, width)
    if noise_type == "low_frequency":
        return x + 0.1 * kept_bins(spectrum, 0, bins // 8, width)
    return x + 0.1 * kept_bins(spectrum, bins // 2, bins, width)


def kept_bins(spectrum, begin, end, width):
    kept = torch.zeros_like(spectrum)
    kept[..., begin:end] = spectrum[..., begin:end]
    return torch.fft.irfft(kept, n=width)


def adversarial(x, classifier, generator):
    target = torch.randint(0, classifier.shape[0], (1,), generator=generator)
    x = x.clone().requires_grad_(True)
    torch.nn.functional.cross_entropy(x @ classifier.T, target).backward()
    return (x + 0.03 * x.grad.sign()).detach()


def classifier_of_width(tensors, width):
    return next(tensor for tensor in tensors.values() if len(tensor.shape) == 2 and tensor.shape[1] == width)


# --- Response ------------------------------------------------------------------------------------

def gradient(weight, x):
    """dL/dW of L = ||x W^T||, the whole out x in matrix."""
    weight = weight.detach().requires_grad_(True)
    torch.linalg.vector_norm(x @ weight.T).backward()
    return weight.grad


def moments(g):
    """mean, std, norm, skewness, excess kurtosis of all entries, in double, a block at a time."""
    blocks = g.reshape(-1).split(CHUNK)
    mean = sum(float(block.double().sum()) for block in blocks) / g.numel()
    sums = [0.0, 0.0, 0.0]
    squares = 0.0
    for block in blocks:
        block = block.double()
        squares += float((block * block).sum())
        centred = block - mean
        square = centred * centred
        for place, power in enumerate((square, square * centred, square * square)):
            sums[place] += float(power.sum())
    second, third, fourth = (total / g.numel() for total in sums)
    return np.array([mean, second ** 0.5, squares ** 0.5, third / second ** 1.5, fourth / second ** 2 - 3.0])


def features_of(model_path):
    tensors = open_model(model_path)
    random = np.random.RandomState(0)
    selected = choose(tensors, random)
    per_tensor = {}
    for name in selected:
        weight = tensors[name].float32()
        width = weight.shape[1]
        source = classifier_of_width(tensors, width)
        classifier = weight if source is tensors[name] else source.float32()
        draws = []
        for _ in range(DRAWS):
            x = perturbed_input(random.choice(NOISE_TYPES), width, classifier)
            draws.append(moments(gradient(weight, x)))
        per_tensor[name] = np.mean(draws, axis=0)

    features = {}
    everything = np.mean(list(per_tensor.values()), axis=0)
    for place, moment in enumerate(("mean", "std", "norm", "skewness", "kurtosis")):
        features[f"global_{moment}"] = float(everything[place])
    kinds = {name: kind_of(name) for name in selected}
    for kind in KINDS:
        members = [per_tensor[name] for name in selected if kinds[name] == kind]
        if members:
            for place, moment in enumerate(("mean", "std", "norm")):
                features[f"{kind}_{moment}"] = float(np.mean(members, axis=0)[place])
    features["total_params"] = sum(math.prod(tensor.shape) for tensor in tensors.values())
    features["num_layers"] = len(selected)
    features["model_name"] = Path(model_path).name
    features["selected_layers"] = selected
    return features


def kind_of(name):
    return next((kind for kind, words in KINDS.items() if any(word in name.lower() for word in words)), None)


# --- Command line --------------------------------------------------------------------------------

def differences(features, golden, tolerance):
    found = []
    for key in sorted(set(features) | set(golden)):
        ours, theirs = features.get(key), golden.get(key)
        same = ours == theirs
        if isinstance(ours, float) and isinstance(theirs, float):
            same = abs(ours - theirs) <= tolerance * max(abs(ours), abs(theirs))
        if not same:
            found.append(f"{key}: {ours} here, {theirs} there")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="safetensors file or folder")
    parser.add_argument("--golden", type=Path, help="folder of NAME_features.json to compare with")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="relative (default 1e-4)")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    failed = False
    results = []
    for model in arguments.models:
        begin = time.monotonic()
        features = features_of(model)
        results.append({"features": features, "seconds": time.monotonic() - begin})
        if arguments.golden:
            golden = json.loads((arguments.golden / f"{features['model_name']}_features.json").read_text())
            for difference in differences(features, golden, arguments.tolerance):
                failed = True
                print(f"{features['model_name']}: {difference}", file=sys.stderr)
    print(json.dumps({"models": results}, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

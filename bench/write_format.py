#!/usr/bin/python3
"""Writes the model in folder IN (safetensors) to folder OUT as another program would publish it. Needs numpy alone."""

import argparse
import json
import shutil
import struct
from pathlib import Path

import numpy as np

from quantisers import QUANTISERS

DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "I16": np.int16,
          "I8": np.int8, "U8": np.uint8, "U32": np.uint32, "BOOL": np.bool_}
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
# Models whose linear layers lie [inputs, outputs]; quantisers store what torch.nn.Linear would hold.
INPUT_MAJOR_MODELS = {"gpt2", "openai-gpt", "imagegpt"}
# MLX quantises these too; others leave them as they are.
OUTER = ("embed_tokens.weight", "lm_head.weight", "wte.weight", "embed_in.weight", "embed_out.weight")
KEPT = ("norm", "ln_", "router", "mlp.gate.", "block_sparse_moe.gate.", "wpe", "position", "conv")


def read_model(folder):
    """Name -> (dtype's name, numbers as they are stored; bfloat16 as its 16 bits)."""
    tensors = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        data = path.read_bytes()
        header_bytes = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + header_bytes])
        header.pop("__metadata__", None)
        for name, entry in header.items():
            begin, end = (8 + header_bytes + offset for offset in entry["data_offsets"])
            dtype = np.uint16 if entry["dtype"] == "BF16" else DTYPES[entry["dtype"]]
            tensors[name] = (entry["dtype"], np.frombuffer(data[begin:end], dtype).reshape(entry["shape"]))
    return tensors


def as_float32(dtype, numbers):
    return (numbers.astype(np.uint32) << 16).view(np.float32) if dtype == "BF16" else numbers.astype(np.float32)


def write_safetensors(path, tensors):
    """`tensors` as read_model gives them."""
    header, offset = {}, 0
    for name, (dtype, numbers) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(numbers.shape), "data_offsets": [offset, offset + numbers.nbytes]}
        offset += numbers.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, numbers in tensors.values():
            file.write(np.ascontiguousarray(numbers).tobytes())


def is_quantised(name, numbers, quantises_outer):
    if numbers.ndim != 2 or not name.endswith(".weight") or any(part in name for part in KEPT):
        return False
    return quantises_outer or not name.endswith(OUTER)


def quantise(tensors, config, options):
    write, _ = QUANTISERS[options.format]
    turned = config.get("model_type") in INPUT_MAJOR_MODELS
    quantised = {}
    for name, (dtype, numbers) in tensors.items():
        if not is_quantised(name, numbers, options.format == "mlx"):
            quantised[name] = (dtype, numbers)
            continue
        weight = as_float32(dtype, numbers)
        if turned and not name.endswith(OUTER):
            weight = weight.T
        for part, stored in write(name, np.ascontiguousarray(weight), options).items():
            stored, stored_dtype = stored if isinstance(stored, tuple) else (stored, NAMES[stored.dtype])
            quantised[part] = (stored_dtype, stored)
    return quantised


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", required=True, choices=sorted(QUANTISERS))
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--group", type=int, default=128, help="inputs that share a scale; -1: all")
    parser.add_argument("--block", type=int, help="of fp8 (128), nf4 and fp4 (64)")
    parser.add_argument("--act-order", action="store_true", help="gptq: groups of inputs that lie apart")
    parser.add_argument("--version", type=int, default=1, choices=(1, 2), help="gptq: how zero points are stored")
    parser.add_argument("--asymmetric", dest="symmetric", action="store_false")
    parser.add_argument("--double", action="store_true", help="nf4, fp4: quantise the scales too")
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    if options.block is None:
        options.block = 128 if options.format == "fp8" else 64
    return options


def main():
    options = parse_arguments()
    config = json.loads((options.input / "config.json").read_text())
    tensors = quantise(read_model(options.input), config, options)
    options.output.mkdir(parents=True, exist_ok=True)
    config["quantization" if options.format == "mlx" else "quantization_config"] = QUANTISERS[options.format][1](options)
    (options.output / "config.json").write_text(json.dumps(config, indent=1))
    write_safetensors(options.output / "model.safetensors", tensors)
    for path in options.input.glob("tokenizer*"):
        shutil.copy(path, options.output / path.name)


if __name__ == "__main__":
    main()

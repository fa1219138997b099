#!/usr/bin/env python3
"""Holds what the program reads of a file against what the loaders that people use make of it.

    loader_differences.py PROGRAM [--made COUNT] [--mutations COUNT] [--seed SEED] [FILE_OR_FOLDER...]

For every file, for COUNT files of each format put together at random, and for COUNT changed copies of each of these:
either the program refuses the file, or every tensor that it reads has the loader's bits, and none of the loader's is
missing. The loaders are torch.load, numpy.load, onnx.load (Debian: python3-torch, python3-numpy, python3-onnx), npm's
@huggingface/gguf where NODE_PATH finds it, and for safetensors the format's description, read by Python's json. What
the loader refuses proves nothing and is counted; a loader that is not there is named. Exit status 1 where a file is
two models, 77 where no loader is there.

torch.load runs what a pickle says: here it is given a reader of pickles that knows few names, and a process of its
own with limits.
"""
import argparse
import collections
import io
import json
import os
import pickle
import random
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import made_files
from made_pickles import made_torch_file

warnings.simplefilter("ignore")
try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None
try:
    import onnx
    import onnx.numpy_helper
except ImportError:
    onnx = None

SECONDS = 30
LIMIT_BYTES = 4 << 30
TORCH_STARTS = (b"PK\x03\x04", b"\x80")
KNOWN_MODULES = {"torch", "torch._utils", "torch._tensor", "torch.storage", "torch.nn.parameter", "torch.serialization"}
KNOWN_NAMES = {
    "collections": {"OrderedDict", "defaultdict", "Counter"},
    "builtins": {"dict", "list", "set", "frozenset", "int", "float", "str", "bytearray", "complex"},
    "argparse": {"Namespace"},
    "types": {"SimpleNamespace"},
    "_codecs": {"encode"},
    "numpy.core.multiarray": {"scalar", "_reconstruct"},
    "numpy": {"ndarray", "dtype"},
}


class FewNames(pickle.Unpickler):
    def find_class(self, module, name):
        if module in KNOWN_MODULES and name in KNOWN_TORCH_NAMES:
            return super().find_class(module, name)
        if name in KNOWN_NAMES.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not let in")


KNOWN_TORCH_NAMES = {"Size", "Tensor", "device", "Generator", "Parameter", "UntypedStorage", "_get_layout",
                     "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter",
                     "_rebuild_parameter_with_state", "_rebuild_from_type_v2", "float32", "float16", "bfloat16",
                     "float64", "int64", "int32", "int16", "int8", "uint8", "bool"}


class FewNamesModule:
    """What torch.load asks of the module of pickles."""

    Unpickler = FewNames
    UnpicklingError = pickle.UnpicklingError

    @staticmethod
    def load(file, **options):
        return FewNames(file, **options).load()


def bits(array):
    return str(array.dtype), tuple(array.shape), array.tobytes()


def bits_of_tensor(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        return "bfloat16", tuple(tensor.shape), tensor.view(torch.int16).numpy().tobytes()
    return bits(tensor.numpy())


def flattened(value, name, found, depth=0):
    """Tensors by the path of their keys."""
    if depth > 64:
        return
    if isinstance(value, torch.Tensor):
        found[name or "tensor"] = bits_of_tensor(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            flattened(item, f"{name}.{key}" if name else str(key), found, depth + 1)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            flattened(item, f"{name}.{index}" if name else str(index), found, depth + 1)


def load_torch(path):
    found = {}
    flattened(torch.load(path, map_location="cpu", pickle_module=FewNamesModule), "", found)
    return found


def load_numpy(path):
    loaded = numpy.load(path, allow_pickle=False)
    arrays = {"tensor": loaded} if isinstance(loaded, numpy.ndarray) else {key: loaded[key] for key in loaded.files}
    return {key: bits(array) for key, array in arrays.items() if array.dtype.kind not in "US"}


def load_onnx(path):
    """Initializers and constants of the main graph, in the way of those who take weights out of a file."""
    graph = onnx.load(str(path)).graph
    values = list(graph.initializer)
    values += [item.t for node in graph.node if node.op_type == "Constant" for item in node.attribute
               if item.name == "value"]
    names = collections.Counter(tensor.name for tensor in values)
    if any(count > 1 for count in names.values()):
        raise ValueError("two of one name")
    return {tensor.name: bits(onnx.numpy_helper.to_array(tensor)) for tensor in values}


def load_safetensors(path):
    """By the format's description: the length of the header, the header, the numbers without holes."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = data[8 : 8 + length]
    if len(header) != length or not header.startswith(b"{"):
        raise ValueError("no header")
    tensors, end_of_all = {}, 0
    entries = json.loads(header)
    entries.pop("__metadata__", None)
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        kind = SAFETENSORS_TYPES[entry["dtype"]]
        begin, end = entry["data_offsets"]
        if begin != end_of_all or any(not isinstance(extent, int) for extent in entry["shape"]):
            raise ValueError("a hole, an overlap or no count")
        count = 1
        for extent in entry["shape"]:
            count *= extent
        bytes_each = 2 if kind == "bfloat16" else numpy.dtype(kind).itemsize
        if end - begin != count * bytes_each:
            raise ValueError("a tensor of another size")
        tensors[name] = (kind, tuple(entry["shape"]), data[8 + length + begin : 8 + length + end])
        end_of_all = end
    if 8 + length + end_of_all != len(data):
        raise ValueError("other numbers than the header says")
    return tensors


class GgufReader:
    """One process of Node that reads the headers of files, begun again when it dies."""

    def __init__(self):
        self.process = None

    def start(self):
        script = Path(__file__).parent / "read_gguf.mjs"
        try:
            self.process = subprocess.Popen(["node", "--max-old-space-size=2048", str(script)], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        except FileNotFoundError:
            return False
        return self.process.stdout.readline() == "ready\n"

    def load(self, path):
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            return "ended without an answer"
        read = json.loads(line)
        if "error" in read:
            return read["error"]
        return self.numbers(path.read_bytes(), read)

    @staticmethod
    def numbers(data, read):
        """By number, since the program gives each tensor the name that it has elsewhere. The reader knows headers
        alone: what lies beyond the file is no model to anyone."""
        tensors = {}
        for index, tensor in enumerate(read["tensors"]):
            kind = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}.get(tensor["type"])
            if kind is None:
                return "numbers in blocks"
            begin = read["begin"] + tensor["offset"]
            count = 1
            for extent in tensor["shape"]:
                count *= extent
            end = begin + count * (4 if kind == "float32" else 2)
            if end > len(data) or min(tensor["shape"], default=1) < 1:
                return "a tensor beyond the file"
            tensors[index] = (kind, without_ones(tensor["shape"]), data[begin:end])
        return tensors


def without_ones(shape):
    """GGUF states up to four extents; those of 1 that it adds say nothing."""
    return tuple(extent for extent in shape if extent != 1)


def in_child(load, path):
    """What `load` gives, or the text of its failure: the loader may also crash, or take without end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try:
                result = load(path)
            except BaseException as failure:
                result = f"{type(failure).__name__}: {failure}"
            with os.fdopen(writing, "wb") as stream:
                pickle.dump(result, stream)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        data = stream.read()
    os.waitpid(child, 0)
    return pickle.loads(data) if data else "ended without an answer"


SAFETENSORS_TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
                     "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool", "U16": "uint16",
                     "U32": "uint32", "U64": "uint64", "C64": "complex64"}


def read_ours(program, path, output):
    """Tensors by name, or None where the program refuses the file."""
    output.unlink(missing_ok=True)
    limits = lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    run = subprocess.run([program, "convert", str(path), "-o", str(output), "-q"], capture_output=True,
                         preexec_fn=limits, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    if run.returncode == 2 and run.stderr:
        return None
    if run.returncode != 0:
        raise SystemExit(f"{path}: the program ended with {run.returncode}: {run.stderr[:300]!r}")
    data = output.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = (SAFETENSORS_TYPES.get(entry["dtype"], entry["dtype"]), tuple(entry["shape"]), data[begin:end])
    return tensors


def same(ours, theirs):
    """The program writes all floating-point numbers that are not bfloat16 as float32."""
    if theirs is None or ours == theirs or ours[0] == theirs[0] or ours[0] != "float32":
        return ours == theirs
    if theirs[0] == "bfloat16":
        wide = numpy.frombuffer(theirs[2], numpy.uint16).astype(numpy.uint32) << 16
        return ours[1] == theirs[1] and ours[2] == wide.tobytes()
    numbers = numpy.frombuffer(theirs[2], theirs[0])
    return ours[1] == theirs[1] and ours[2] == numbers.astype(numpy.float32).tobytes()


def difference(ours, theirs):
    """Why the two are not one model; empty if they are. The program takes wrappers' keys off, and leaves state of the
    training beside them out."""
    last = next(iter(ours), None)
    prefixes = [""] if last is None else [name[: len(name) - len(last)] for name in theirs if name.endswith(last)]
    problem = "none of the loader's tensors has the name " + repr(last)
    for prefix in sorted(set(prefixes), key=len):
        if prefix and not prefix.endswith("."):
            continue
        named = {name[len(prefix) :]: value for name, value in theirs.items() if name.startswith(prefix)}
        wrong = [name for name, value in ours.items() if not same(value, named.get(name))]
        missing = [name for name in named if name not in ours and not is_of_training(name)]
        if not wrong and (prefix or not missing):
            return ""
        problem = f"other numbers in {wrong[:3]}, missing {missing[:3]}"
    return problem if ours else ""


def difference_without_names(ours, theirs):
    """For GGUF: the same tensors, whatever they are called."""
    ours = [(kind, without_ones(shape), numbers) for kind, shape, numbers in ours.values()]
    missing = [theirs[key][:2] for key in theirs if not any(same(one, theirs[key]) for one in ours)]
    strange = [one[:2] for one in ours if not any(same(one, other) for other in theirs.values())]
    return f"other numbers: {strange[:3]}, missing {missing[:3]}" if missing or strange else ""


def transposed(value):
    kind, shape, numbers = value
    if len(shape) != 2:
        return value
    return kind, shape[::-1], numpy.frombuffer(numbers, kind).reshape(shape).T.tobytes()


def difference_of_graphs(ours, theirs):
    """For ONNX: modules are named by the graph, weights turned as modules hold them; whole numbers are no weights
    there, and constants of the graph need be none."""
    weights = {name: value for name, value in theirs.items() if value[0].startswith("float")}
    ways = list(weights.values()) + [transposed(value) for value in weights.values()]
    strange = [name for name, one in ours.items() if not any(same(one, way) for way in ways)]
    missing = [name for name, value in weights.items() if len(value[1]) == 2
               and not any(same(one, way) for one in ours.values() for way in (value, transposed(value)))]
    return f"other numbers in {strange[:3]}, missing {missing[:3]}" if strange or missing else ""


def is_of_training(name):
    words = ("optim", "sched", "rng", "scaler", "amp", "random", "callback", "loop", "hyper", "extra_state", "train")
    return any(word in name.split(".")[0] for word in words)


DIFFERENCES = {"torch": difference, "numpy": difference, "safetensors": difference, "gguf": difference_without_names,
               "onnx": difference_of_graphs}


def loader_of(path, gguf_reader):
    with open(path, "rb") as stream:
        start = stream.read(8)
    if path.suffix == ".safetensors":
        return "safetensors", load_safetensors
    if path.suffix == ".gguf":
        return "gguf", gguf_reader and gguf_reader.load
    if path.suffix == ".onnx":
        return "onnx", load_onnx if onnx else None
    if path.suffix in (".npz", ".npy"):
        return "numpy", load_numpy if numpy else None
    if path.suffix in (".pt", ".pth", ".bin") or start.startswith(b"\x80"):
        return "torch", load_torch if torch else None
    return None, None


def changed(data, chance):
    """A copy with some bytes changed, where containers and pickles say what is what."""
    data = bytearray(data)
    pickle_at = max(data.find(b"data.pkl"), 0)
    directory = max(data.rfind(b"PK\x05\x06") - 400, 0)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        kind = chance.randrange(6)
        at = min(chance.choice([0, pickle_at, pickle_at, directory]) + chance.randrange(400), len(data) - 1)
        length = chance.choice([1, 1, 2, 4, 8, 30])
        if kind < 2:
            data[at] = chance.choice([data[at] ^ 1 << chance.randrange(8), chance.randrange(256), ord("1"), ord("b")])
        elif kind == 2:
            data[at : at + length] = b""
        elif kind == 3:
            other = chance.randrange(len(data))
            data[at:at] = data[other : other + length]
        elif kind == 4:
            other = chance.randrange(len(data))
            data[at : at + length] = data[other : other + length]
        else:
            data[at : at + 1] = bytes([data[at]]).swapcase()
        if not data:
            return b""
    return bytes(data)


def files_under(paths):
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.stat().st_size < 64 << 20:
                yield file


SUFFIXES_OF_FOLDERS = {"torch": ".pt", "numpy": ".npz", "gguf": ".gguf", "onnx": ".onnx"}


def suffix_of(file):
    return file.suffix or SUFFIXES_OF_FOLDERS.get(file.parent.name, "")


class Comparison:
    def __init__(self, program):
        self.program = program
        reader = GgufReader()
        self.gguf_reader = reader if reader.start() else None
        self.counts = collections.Counter()
        self.folder = Path(tempfile.mkdtemp())

    def compare(self, data, name, suffix):
        path = self.folder / ("file" + suffix)
        path.write_bytes(data)
        kind, load = loader_of(path, self.gguf_reader)
        if load is None:
            self.counts[f"{kind or 'other'}: no loader"] += 1
            return
        ours = read_ours(self.program, path, self.folder / "ours.safetensors")
        if ours is None:
            self.counts[f"{kind}: refused"] += 1
            return
        theirs = load(path) if kind == "gguf" else in_child(load, path)
        if isinstance(theirs, str):
            self.counts[f"{kind}: refused by the loader"] += 1
            return
        problem = DIFFERENCES[kind](ours, theirs)
        self.counts[f"{kind}: {'two models' if problem else 'the same'}"] += 1
        if problem:
            kept = self.folder / f"two-models-{self.counts[f'{kind}: two models']}{suffix}"
            path.rename(kept)
            print(f"{name}: {problem}; kept as {kept}")


def name_missing_loaders(comparison):
    missing = {"python3-torch": torch, "python3-onnx": onnx, "npm's @huggingface/gguf": comparison.gguf_reader}
    for name, loader in missing.items():
        if loader is None:
            print(f"not held against {name}: it is not there")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--made", type=int, default=0)
    parser.add_argument("--mutations", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_intermixed_args()
    if numpy is None:
        print("skipped: this Python has no numpy (Debian: python3-numpy)")
        sys.exit(77)
    chance = random.Random(options.seed)
    comparison = Comparison(options.program)
    name_missing_loaders(comparison)
    makers = {".pt": torch and made_torch_file, ".safetensors": made_files.made_safetensors,
              ".gguf": comparison.gguf_reader and made_files.made_gguf,
              ".onnx": onnx and (lambda chance: made_files.made_onnx(chance, onnx))}
    for suffix, make in makers.items():
        for number in range(options.made if make else 0):
            data = make(chance)
            comparison.compare(data, f"made {number}", suffix)
            for change in range(options.mutations):
                comparison.compare(changed(data, chance), f"made {number}, change {change}", suffix)
    for file in files_under(options.paths):
        data = file.read_bytes()
        comparison.compare(data, str(file), suffix_of(file))
        for number in range(options.mutations):
            comparison.compare(changed(data, chance), f"{file}, change {number}", suffix_of(file))
    for what, count in sorted(comparison.counts.items()):
        print(f"{count:8} {what}")
    two = sum(count for what, count in comparison.counts.items() if what.endswith("two models"))
    if two == 0:
        shutil.rmtree(comparison.folder)
    sys.exit(1 if two else 0)


if __name__ == "__main__":
    main()

"""Fingerprints: their numbers as views, their files, and those of weights in memory."""

import gc
import json
import pathlib
import struct
import tempfile
import unittest

from samples import ALDER, program

import numpy as np
import tensorguard as tg


def read_safetensors(folder):
    """The tensors of a model's files as pairs (array of bits, type)."""
    kinds = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        raw = file.read_bytes()
        (length,) = struct.unpack("<Q", raw[:8])
        header = json.loads(raw[8 : 8 + length])
        header.pop("__metadata__", None)
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            bits = np.frombuffer(raw[8 + length :][begin:end], dtype=kinds[entry["dtype"]])
            tensors[name] = (bits.reshape(entry["shape"]), entry["dtype"])
    return tensors


class Views(unittest.TestCase):
    def setUp(self):
        self.print = tg.fingerprint(ALDER)

    def test_say_what_the_program_says(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "alder.fingerprint.safetensors"
            self.print.save(path)
            expected = program("inspect", path)
            expected["path"] = ""
            self.assertEqual(self.print.to_dict(), expected)
            self.assertEqual(tg.fingerprint(path).to_dict(), expected)

    def test_are_not_copies(self):
        first, again = self.print.layers[0].query_key, self.print._core.layer(0)["query_key"]
        self.assertIsNot(first, again)
        self.assertEqual(first.ctypes.data, again.ctypes.data)
        sketches, more = self.print.sketches, self.print.sketches
        for name, sketch in sketches.items():
            self.assertEqual(sketch.ctypes.data, more[name].ctypes.data)

    def test_cannot_be_written_to(self):
        with self.assertRaises(ValueError):
            self.print.layers[0].query_key[0, 0] = 1
        with self.assertRaises(ValueError):
            self.print.kernels["feed_forward"][0, 0, 0] = 1

    def test_keep_the_fingerprint_alive(self):
        view = tg.fingerprint(ALDER).layers[0].feed_forward
        before = view.copy()
        gc.collect()
        np.testing.assert_array_equal(view, before)

    def test_have_the_shapes_that_are_documented(self):
        n, layers = self.print.anchors, len(self.print.layers)
        for name in ("query_key", "output_value", "feed_forward"):
            kernel = self.print.kernels[name]
            self.assertEqual(kernel.shape, (layers, n, n))
            self.assertEqual(kernel.dtype, np.float32)
            self.assertIs(self.print.kernels[name], kernel)
            np.testing.assert_array_equal(kernel[1], getattr(self.print.layers[1], name))
            sums, sizes = kernel.sum(axis=1), np.abs(kernel).sum(axis=1)
            self.assertLess(np.abs(sums).max(), 0.02 * sizes.max())  # centred, but for rounding
        with self.assertRaises(KeyError):
            self.print.kernels["value_output"]
        shapes = {sketch.shape for sketch in self.print.sketches.values()}
        self.assertLessEqual(shapes, {(32, 32), (1, 32)})
        self.assertIn((32, 32), shapes)


class WeightsInMemory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tensors = read_safetensors(ALDER)
        cls.config = json.loads((ALDER / "config.json").read_text())

    def saved(self, fingerprint):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.fingerprint.safetensors"
            fingerprint.save(path)
            return path.read_bytes()

    def test_have_the_fingerprint_of_their_file(self):
        held = tg.fingerprint_tensors(
            self.tensors, name="alder", config=self.config, tokenizer=ALDER
        )
        self.assertEqual(self.saved(held), self.saved(tg.fingerprint(ALDER)))
        text = json.dumps(self.config)
        by_text = tg.fingerprint_tensors(
            self.tensors, name="alder", config=text, tokenizer=ALDER / "tokenizer.json"
        )
        self.assertEqual(self.saved(by_text), self.saved(held))

    def test_of_another_type_are_the_same_weights(self):
        wide = {}
        for name, (bits, dtype) in self.tensors.items():
            if dtype == "BF16":
                bits = (bits.astype(np.uint32) << 16).view(np.float32)
            wide[name] = bits.astype(np.float64)
        held = tg.fingerprint_tensors(wide, name="wide", config=self.config, tokenizer=ALDER)
        self.assertEqual(tg.compare(held, ALDER).verdict, "identical")
        swapped = {name: array.astype(">f8") for name, array in wide.items()}
        turned = tg.fingerprint_tensors(swapped, name="wide", config=self.config, tokenizer=ALDER)
        self.assertEqual(self.saved(turned), self.saved(held))

    def test_may_be_views_of_something_larger(self):
        first = next(name for name, (bits, _) in self.tensors.items() if bits.ndim == 2)
        bits, dtype = self.tensors[first]
        inside = np.zeros((bits.shape[0], bits.shape[1] * 2), dtype=bits.dtype)
        inside[:, ::2] = bits
        tensors = self.tensors | {first: (inside[:, ::2], dtype)}
        held = tg.fingerprint_tensors(tensors, name="alder", config=self.config, tokenizer=ALDER)
        self.assertEqual(self.saved(held), self.saved(tg.fingerprint(ALDER)))

    def test_that_make_no_model_are_refused(self):
        with self.assertRaises(tg.Error) as caught:
            tg.fingerprint_tensors({}, name="nothing")
        self.assertEqual(caught.exception.kind, "usage")
        with self.assertRaises(tg.Error) as caught:
            tg.fingerprint_tensors({"w": np.zeros(3, dtype=np.complex128)}, name="complex")
        self.assertEqual((caught.exception.kind, caught.exception.tensor), ("unsupported", "w"))
        with self.assertRaises(tg.Error) as caught:
            tg.fingerprint_tensors({"w": (np.zeros(3, dtype=np.uint8), "BF16")}, name="short")
        self.assertEqual((caught.exception.kind, caught.exception.tensor), ("bad_file", "w"))
        with self.assertRaises(tg.Error) as caught:
            tg.fingerprint_tensors({"w": [1.0, 2.0]}, name="list")
        self.assertEqual(caught.exception.tensor, "w")
        with self.assertRaises(tg.Error) as caught:
            tg.fingerprint_tensors(self.tensors, name="x", config="[]")
        self.assertEqual(caught.exception.kind, "bad_file")


class Torch(unittest.TestCase):
    def test_state_dicts_are_taken_as_they_are(self):
        try:
            import torch
        except ImportError:
            self.skipTest("python3-torch is not installed")
        state = {}
        for name, (bits, dtype) in read_safetensors(ALDER).items():
            tensor = torch.from_numpy(bits.astype(np.int16) if dtype == "BF16" else bits.copy())
            state[name] = tensor.view(torch.bfloat16) if dtype == "BF16" else tensor
        held = tg.fingerprint_tensors(
            state, name="alder", config=(ALDER / "config.json").read_text(), tokenizer=ALDER
        )
        self.assertEqual(tg.compare(held, ALDER).verdict, "identical")


if __name__ == "__main__":
    unittest.main()

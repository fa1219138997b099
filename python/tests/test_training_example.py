"""examples/python/training_callback.py, on a model that is trained for a step."""

import json
import pathlib
import sys
import tempfile
import unittest

from samples import ALDER, need

need("torch")

import torch  # noqa: E402

import tensorguard as tg  # noqa: E402

sys.path.insert(0, str(ALDER.parents[1] / "python"))
sys.dont_write_bytecode = True
from training_callback import FingerprintCallback  # noqa: E402
from test_fingerprints import read_safetensors  # noqa: E402


class Config:
    def to_dict(self):
        return json.loads((ALDER / "config.json").read_text())


class Model:
    """As much of a model as the callback sees."""

    config = Config()

    def __init__(self):
        self.tensors = {}
        for name, (bits, dtype) in read_safetensors(ALDER).items():
            tensor = torch.from_numpy(bits.astype("int16") if dtype == "BF16" else bits.copy())
            self.tensors[name] = tensor.view(torch.bfloat16) if dtype == "BF16" else tensor

    def state_dict(self):
        return self.tensors

    def train_a_step(self):
        torch.manual_seed(1)
        for tensor in self.tensors.values():
            tensor += (0.01 * tensor.float().std() * torch.randn(tensor.shape)).to(tensor.dtype)


class State:
    global_step = 20


class TrainingExample(unittest.TestCase):
    def test_keeps_what_is_trained(self):
        with tempfile.TemporaryDirectory() as folder:
            callback = FingerprintCallback(folder, tokenizer=ALDER)
            model = Model()
            self.assertEqual(callback.keep(model, 0).verdict, "identical")
            model.train_a_step()
            self.assertEqual(callback.keep(model, 10).verdict, "derived")
            callback.on_save(None, State(), None, model=model)
            names = sorted(path.name for path in pathlib.Path(folder).iterdir())
            self.assertEqual(
                names, [f"step-{step}.fingerprint.safetensors" for step in (0, 10, 20)]
            )
            self.assertEqual(tg.compare(f"{folder}/{names[0]}", ALDER).verdict, "identical")


if __name__ == "__main__":
    unittest.main()

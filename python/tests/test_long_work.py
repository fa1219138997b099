"""Progress, Ctrl-C and threads, around a model that takes a while."""

import _thread
import concurrent.futures
import json
import pathlib
import struct
import tempfile
import threading
import time
import unittest

from samples import ALDER, BIRCH

import tensorguard as tg


def write_model(folder: pathlib.Path, layers: int) -> pathlib.Path:
    """A Llama of random numbers, some tens of megabytes."""
    import numpy as np

    draw = np.random.default_rng(1)
    width, inner, words = 512, 1536, 4096
    shapes = {"model.embed_tokens.weight": (words, width), "model.norm.weight": (width,)}
    for i in range(layers):
        at = f"model.layers.{i}."
        shapes |= {f"{at}self_attn.{name}_proj.weight": (width, width) for name in "qkvo"}
        shapes |= {f"{at}mlp.{name}_proj.weight": (inner, width) for name in ("gate", "up")}
        shapes[f"{at}mlp.down_proj.weight"] = (width, inner)
        shapes |= {f"{at}{n}_layernorm.weight": (width,) for n in ("input", "post_attention")}
    header, data, offset = {}, [], 0
    for name, shape in shapes.items():
        values = draw.standard_normal(shape, dtype=np.float32).tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [offset, offset + len(values)],
        }
        offset += len(values)
        data.append(values)
    text = json.dumps(header).encode()
    file = folder / "model.safetensors"
    file.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    config = {
        "model_type": "llama",
        "hidden_size": width,
        "num_attention_heads": 8,
        "num_hidden_layers": layers,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


class LongWork(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.model = write_model(pathlib.Path(cls.folder.name), layers=8)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_progress_is_told_in_the_calling_thread(self):
        heard = []
        tg.fingerprint(
            self.model, progress=lambda event: heard.append((event, threading.get_ident()))
        )
        self.assertTrue(heard)
        for event, thread in heard:
            self.assertEqual(thread, threading.get_ident())
            self.assertLessEqual(event.done, event.total)
            self.assertEqual(event.unit, "bytes")
        counts = [event.done for event, _ in heard]
        self.assertEqual(counts, sorted(counts))
        self.assertEqual(counts[-1], heard[-1][0].total)

    def test_an_exception_of_the_listener_ends_the_work(self):
        def refuse(event):
            raise RuntimeError("enough")

        with self.assertRaisesRegex(RuntimeError, "enough"):
            tg.fingerprint(self.model, progress=refuse)

    def test_ctrl_c_ends_the_work(self):
        # What Ctrl-C sends, while the main thread is inside of the library.
        def interrupt_once(event, sent=[]):
            if not sent:
                sent.append(True)
                _thread.interrupt_main()

        with self.assertRaises(KeyboardInterrupt):
            for _ in range(50):
                tg.fingerprint(self.model, threads=1, progress=interrupt_once)

    def test_other_threads_run_meanwhile(self):
        steps = 0
        done = threading.Event()

        def count():
            nonlocal steps
            while not done.is_set():
                steps += 1
                time.sleep(0.001)

        counting = threading.Thread(target=count)
        counting.start()
        before = time.monotonic()
        tg.fingerprint(self.model)
        seconds = time.monotonic() - before
        done.set()
        counting.join()
        # With the GIL held it would not have moved at all.
        self.assertGreater(steps, 10 * seconds)

    def test_several_threads_may_ask_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: tg.compare(ALDER, BIRCH).to_dict(), range(4)))
        self.assertEqual(answers, [answers[0]] * 4)


if __name__ == "__main__":
    unittest.main()

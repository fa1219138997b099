"""Keeps a fingerprint of a model at every save of its training, and says how far it has moved.

With the Trainer of transformers:

    trainer = Trainer(..., callbacks=[FingerprintCallback("prints", tokenizer="my-model")])

In a loop of one's own:

    callback = FingerprintCallback("prints", tokenizer="my-model")
    callback.keep(model, step)
"""

import pathlib

import tensorguard as tg

try:
    from transformers import TrainerCallback
except ImportError:
    TrainerCallback = object


class FingerprintCallback(TrainerCallback):
    """Writes FOLDER/step-N.fingerprint.safetensors: a megabyte or so, whatever the model's size."""

    def __init__(self, folder, tokenizer=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer = tokenizer
        self.first = None

    def keep(self, model, step):
        """Fingerprints what is in memory; returns the comparison with the first one that was kept."""
        config = model.config.to_dict()
        tied = config.get("tie_word_embeddings", False)
        tensors = {
            name: tensor
            for name, tensor in model.state_dict().items()
            if not (tied and name == "lm_head.weight")  # files hold a tied head once
        }
        kept = tg.fingerprint_tensors(
            tensors, name=f"step-{step}", config=config, tokenizer=self.tokenizer
        )
        kept.save(self.folder / f"step-{step}.fingerprint.safetensors")
        if self.first is None:
            self.first = kept
        return tg.compare(self.first, kept)

    def on_save(self, args, state, control, model=None, **kwargs):
        comparison = self.keep(model, state.global_step)
        share = comparison.share["b"]
        print(f"step {state.global_step}: {comparison.verdict}, {share['changed']:.1%} changed")

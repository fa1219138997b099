"""Fingerprints of models."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._reading import Path, ProgressFunction, place, reading
from ._tensors import described

FloatArray = npt.NDArray[np.float32]

KERNELS = ("query_key", "output_value", "feed_forward")


@dataclass(frozen=True, eq=False)
class Layer:
    """What is known of a layer; arrays are read-only views of the fingerprint's own numbers."""

    stack: str
    """"encoder" or "decoder"; empty in a model of one stack."""
    index: int
    """Within its stack."""
    query_key: FloatArray | None
    """[anchors, anchors]: which anchor attends to which. None where the layer has no such part."""
    output_value: FloatArray | None
    """[anchors, anchors]: what attention writes."""
    feed_forward: FloatArray | None
    """[anchors, anchors]: what the feed-forward writes."""


class Kernels(Mapping[str, FloatArray]):
    """What all layers answer to the anchors: ``kernels["query_key"]`` and so on.

    Each is a read-only array [layers, anchors, anchors] of float32. It is put together once, when
    it is first asked for; the same array is given from then on. A layer without that part holds
    NaN, never 0.
    """

    def __init__(self, layers: tuple[Layer, ...], anchors: int) -> None:
        self._layers = layers
        self._anchors = anchors
        self._made: dict[str, FloatArray] = {}

    def __getitem__(self, name: str) -> FloatArray:
        if name not in KERNELS:
            raise KeyError(name)
        if name not in self._made:
            shape = (len(self._layers), self._anchors, self._anchors)
            stacked = np.full(shape, np.nan, dtype=np.float32)
            for i, layer in enumerate(self._layers):
                part = getattr(layer, name)
                if part is not None:
                    stacked[i] = part
            stacked.flags.writeable = False
            self._made[name] = stacked
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(KERNELS)

    def __len__(self) -> int:
        return len(KERNELS)


class Fingerprint:
    """What is known of a model without its weights: a few megabytes that never change.

    Made by :func:`fingerprint` or :func:`fingerprint_tensors`. May be used from several threads.
    """

    def __init__(self, core: _core.Fingerprint) -> None:
        self._core = core
        self._dict: dict[str, Any] | None = None
        self._layers: tuple[Layer, ...] | None = None
        self._kernels: Kernels | None = None

    @property
    def model_name(self) -> str:
        """The folder's or the file's name without its suffix."""
        return self._core.model_name

    @property
    def architecture(self) -> str:
        """The name of the architecture: "llama"."""
        return self._core.architecture

    @property
    def parameters(self) -> int:
        """How many parameters the whole model has."""
        return self._core.parameters

    @property
    def anchors(self) -> int:
        """How many tokens, or rows of the embedding, the layers were asked about."""
        return self._core.anchors

    @property
    def notes(self) -> list[str]:
        """What a reader should know: "no tokenizer: row anchors"."""
        return list(self.to_dict()["notes"])

    @property
    def missing(self) -> list[str]:
        """What the model lacks: "layers 4-5". The fingerprint speaks of the rest alone."""
        return list(self.to_dict()["missing"])

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that answered to the anchors, the encoder's first."""
        if self._layers is None:
            self._layers = tuple(
                Layer(**self._core.layer(i)) for i in range(self._core.layer_count)
            )
        return self._layers

    @property
    def kernels(self) -> Kernels:
        """``kernels["query_key" | "output_value" | "feed_forward"]``: [layers, anchors, anchors]."""
        if self._kernels is None:
            self._kernels = Kernels(self.layers, self.anchors)
        return self._kernels

    @property
    def sketches(self) -> dict[str, FloatArray]:
        """Random projections of the weights by the tensor's name: [32, 32], of a vector [1, 32].

        Read-only views of the fingerprint's own numbers. A tensor that fuses several weights has
        one sketch for each, under its name with "#2", "#3" and so on from the second on. Weights
        without a sketch (vocabulary tables, late experts) are left out.
        """
        named: dict[str, FloatArray] = {}
        counts: dict[str, int] = {}
        for name, sketch in self._core.sketches():
            counts[name] = counts.get(name, 0) + 1
            if sketch is not None:
                named[name if counts[name] == 1 else f"{name}#{counts[name]}"] = sketch
        return named

    def renamed(self, name: str) -> Fingerprint:
        """The same under another name, for answers that name models."""
        return Fingerprint(self._core.renamed(name))

    def save(self, path: Path) -> None:
        """Writes NAME.fingerprint.safetensors; the file appears when it is complete.

        Raises :class:`Error` for a fingerprint that was made with a budget.
        """
        self._core.write(place(path))

    def to_dict(self) -> dict[str, Any]:
        """What ``tensorguard inspect --json`` prints of a fingerprint (docs/json.md)."""
        if self._dict is None:
            self._dict = json.loads(self._core.json())
        return self._dict

    def __repr__(self) -> str:
        return (
            f"<tensorguard.Fingerprint of {self.model_name!r}: {self.architecture}, "
            f"{self.parameters:,} parameters, {len(self.layers)} layers>"
        )


def fingerprint(
    model: Path,
    *,
    base: Path | None = None,
    threads: int = 0,
    incomplete: bool = False,
    budget: int | None = None,
    progress: ProgressFunction | None = None,
) -> Fingerprint:
    """The fingerprint of a model, or what a fingerprint file holds.

    ``model`` is a weight file, a folder, a fingerprint file, or a place: ``hf://ORG/NAME``,
    ``https://``, ``s3://``. Every weight is read once; the numbers do not depend on ``threads``
    (0: one per processor). ``base`` is the model that an adapter belongs to. ``budget`` is the
    most bytes of the tensors that are read, for a first answer. ``incomplete`` goes on with a
    model of which parts are missing. ``progress`` is called with a :class:`Progress` in the
    calling thread; what it raises ends the work. Ctrl-C ends it too. The GIL is released.

    Raises :class:`Error`, which names the file and the tensor.
    """
    how = reading(base, threads, incomplete, budget, progress)
    return Fingerprint(_core.fingerprint(place(model), how))


def fingerprint_tensors(
    tensors: Mapping[str, Any],
    *,
    name: str,
    config: Union[Mapping[str, Any], str, None] = None,
    tokenizer: Path | None = None,
    threads: int = 0,
    incomplete: bool = False,
    progress: ProgressFunction | None = None,
) -> Fingerprint:
    """The fingerprint of weights that are in memory: the same as of a folder that holds them.

    ``tensors`` are by the names of the model's file: numpy arrays, PyTorch tensors, or pairs
    (array of bits, name of the type), as ``(array of uint16, "BF16")``. They are read where they
    lie, if they are contiguous, and must not change meanwhile. ``config`` is config.json as a
    mapping or as text. ``tokenizer`` is the folder of the tokenizer's files; without it models are
    comparable only with those of an equal vocabulary.

    Raises :class:`Error`.
    """
    text = config if isinstance(config, str) else json.dumps(config) if config is not None else ""
    folder = b""
    if tokenizer is not None:
        at_file = os.path.basename(os.fspath(tokenizer)) == "tokenizer.json"
        folder = place(os.path.dirname(os.fspath(tokenizer)) or "." if at_file else tokenizer)
    how = reading(None, threads, incomplete, None, progress)
    core = _core.fingerprint_tensors(name, described(tensors), text, folder, how)
    return Fingerprint(core)

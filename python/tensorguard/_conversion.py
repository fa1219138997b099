"""Any readable model as one plain safetensors file."""

from __future__ import annotations

from typing import Union

from . import _core
from ._reading import Path, ProgressFunction, place, reading
from ._words import NumberType


def convert(
    model: Path,
    output: Path,
    *,
    dtype: Union[NumberType, str] = NumberType.FLOAT32,
    base: Path | None = None,
    threads: int = 0,
    progress: ProgressFunction | None = None,
) -> None:
    """Writes every tensor under its name and shape, quantised ones decoded, adapters merged.

    ``dtype`` is "f32", "f16" or "bf16"; numbers are rounded to nearest, ties to even. The file
    appears when it is complete. Other arguments: as in :func:`fingerprint`.

    Raises :class:`Error`; ``ValueError`` for another dtype.
    """
    how = reading(base, threads, False, None, progress)
    _core.convert(place(model), place(output), NumberType(dtype).value, how)

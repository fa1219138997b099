"""How models are named and read, and how long work is heard of."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Union

from . import _core

Path = Union[str, "os.PathLike[str]"]

_log = logging.getLogger("tensorguard")


class Progress(NamedTuple):
    """Where long work is."""

    what: str
    """What is read now: a tensor's name, say. Raw text from the file."""
    done: int
    """How many of ``unit`` are done."""
    total: int
    """How many there are."""
    unit: str
    """"bytes" or "files"."""


ProgressFunction = Callable[[Progress], object]


def listener_of(progress: ProgressFunction | None) -> Callable[..., None]:
    """Hands progress to ``progress``, and what is worth knowing to the log "tensorguard"."""

    def listen(what: str, done: int | None = None, total: int = 0, unit: str = "bytes") -> None:
        if done is None:
            _log.info("%s", what)
        elif progress is not None:
            progress(Progress(what, done, total, unit))

    return listen


def place(name: Path) -> bytes:
    """The bytes of a path or of a URL."""
    return os.fsencode(name)


def places(names: Iterable[Path]) -> list[bytes]:
    return [place(name) for name in names]


def number_in(answer: dict[str, Any], key: str) -> float | None:
    """A number of an answer; None where there is none."""
    value = answer[key]
    return None if value is None else float(value)


def reading(
    base: Path | None = None,
    threads: int = 0,
    incomplete: bool = False,
    budget: int | None = None,
    progress: ProgressFunction | None = None,
) -> _core.Reading:
    return _core.Reading(
        base=place(base) if base is not None else b"",
        threads=threads,
        incomplete=incomplete,
        budget=budget,
        listener=listener_of(progress),
    )

"""Two models compared."""

from __future__ import annotations

import html
import json
from typing import Any, Union

from . import _core
from ._errors import Error
from ._fingerprint import Fingerprint, fingerprint
from ._reading import Path, ProgressFunction, number_in, place, reading
from ._words import Direction, Verdict


class Comparison:
    """What of one model is another's. In a notebook it shows itself as the page of evidence."""

    def __init__(self, core: _core.Comparison) -> None:
        self._core = core
        self._dict: dict[str, Any] = json.loads(core.json())

    @property
    def a(self) -> str:
        """The first model's name."""
        return str(self._dict["a"])

    @property
    def b(self) -> str:
        """The second model's name."""
        return str(self._dict["b"])

    @property
    def verdict(self) -> Verdict:
        """What the two are to each other."""
        return Verdict(self._dict["verdict"])

    @property
    def in_part(self) -> bool:
        """Of a derivation: only parts of both have one origin."""
        return bool(self._dict["in_part"])

    @property
    def score(self) -> float | None:
        """0 to 1, to order pairs by; no probability. None where nothing could be compared."""
        return number_in(self._dict, "score")

    @property
    def p_value(self) -> float | None:
        """How likely independent models show as much. None where nothing has a null."""
        return number_in(self._dict, "p_value")

    @property
    def reason(self) -> str:
        """Why this verdict, in one or two sentences."""
        return str(self._dict["reason"])

    @property
    def direction(self) -> Direction:
        """Who came first, as far as it is shown."""
        return Direction(self._dict["direction"])

    @property
    def share(self) -> dict[str, dict[str, float]]:
        """``share["a"]``: of a's parameters those that are "same", "changed", "rewritten",
        "nothing", "not_comparable", "not_read"; they sum to 1. Of b likewise."""
        return dict(self._dict["share"])

    @property
    def layers(self) -> list[dict[str, Any]]:
        """The layers that belong together, and how alike they answer."""
        kernel = self._dict["evidence"]["kernel"]
        return list(kernel["layers"]) if kernel else []

    @property
    def notes(self) -> list[str]:
        """What was found, and what a reader should know."""
        return list(self._dict["notes"])

    def to_dict(self) -> dict[str, Any]:
        """What ``tensorguard compare --json`` prints (docs/json.md)."""
        return self._dict

    def html(self) -> str:
        """The page of ``tensorguard compare --html``, whole."""
        return self._core.html()

    def _repr_html_(self) -> str:
        # In a frame, so that the page's style does not change the notebook's.
        page = html.escape(self.html(), quote=True)
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 40em; border: 0"></iframe>'

    def __repr__(self) -> str:
        score = "no score" if self.score is None else f"score {self.score:.3f}"
        return f"<tensorguard.Comparison of {self.a!r} and {self.b!r}: {self.verdict}, {score}>"


def compare(
    a: Union[Path, Fingerprint],
    b: Union[Path, Fingerprint],
    *,
    deep: bool = False,
    base: Path | None = None,
    threads: int = 0,
    incomplete: bool = False,
    budget: int | None = None,
    progress: ProgressFunction | None = None,
) -> Comparison:
    """Compares two models; (a, b) and (b, a) give one verdict and one score.

    Each is a :class:`Fingerprint` or what :func:`fingerprint` takes. ``deep`` tests the weights
    themselves as well (docs/independence.md), for which both must be models. Other arguments: as
    in :func:`fingerprint`.

    Raises :class:`Error`.
    """
    if not isinstance(a, Fingerprint) and not isinstance(b, Fingerprint):
        how = reading(base, threads, incomplete, budget, progress)
        return Comparison(_core.compare_models(place(a), place(b), deep, how))
    if deep:
        raise Error(
            "a fingerprint holds no weights to test",
            expected="two models",
            advice="name the models, or leave out deep",
        )
    first, second = (
        each
        if isinstance(each, Fingerprint)
        else fingerprint(
            each,
            base=base,
            threads=threads,
            incomplete=incomplete,
            budget=budget,
            progress=progress,
        )
        for each in (a, b)
    )
    return Comparison(_core.compare(first._core, second._core))

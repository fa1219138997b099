"""Many models: of whose family one is, which families there are, who came from whom."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, NamedTuple, Union

from . import _core
from ._errors import Error
from ._fingerprint import Fingerprint, fingerprint
from ._reading import Path, ProgressFunction, number_in, place, places, reading
from ._words import EdgeKind, Verdict

Models = Union[Path, Fingerprint, Iterable[Union[Path, Fingerprint]]]


def _listed(models: Models) -> list[Union[Path, Fingerprint]]:
    if isinstance(models, (str, os.PathLike, Fingerprint)):
        return [models]
    return list(models)


def _prints(models: Models, how: _core.Reading) -> list[_core.Fingerprint]:
    """Those that are at hand, and those that the names stand for, in their order."""
    prints: list[_core.Fingerprint] = []
    names: list[Path] = []  # since the last fingerprint: read together, names are told apart
    for model in _listed(models):
        if isinstance(model, Fingerprint):
            prints.extend(_core.fingerprints(places(names), how) if names else [])
            prints.append(model._core)
            names = []
        else:
            names.append(model)
    return prints + (_core.fingerprints(places(names), how) if names else [])


class Candidate(NamedTuple):
    """A known model, compared with the one that was asked about."""

    name: str
    verdict: Verdict
    score: float | None
    """0 to 1, to order candidates by; no probability."""
    corrected_p_value: float | None
    """How likely any of as many independent models shows as much."""


class Classification:
    """Where a model comes from among known ones, or that it is unknown."""

    def __init__(self, core: _core.Classification) -> None:
        self._dict: dict[str, Any] = json.loads(core.json())

    @property
    def model(self) -> str:
        """The name of the model that was asked about."""
        return str(self._dict["model"])

    @property
    def known(self) -> bool:
        """Whether the best candidate and the model have one origin, beyond chance."""
        return bool(self._dict["known"])

    @property
    def best(self) -> Candidate:
        """The known model with the highest score, even where the model is unknown."""
        return self._candidate(self._dict["best"])

    @property
    def candidates(self) -> list[Candidate]:
        """All that were compared in full, highest score first."""
        return [self._candidate(each) for each in self._dict["candidates"]]

    @property
    def direct_parent(self) -> str | None:
        """What the model comes from; None where it is not shown which came first."""
        parent = self._dict["direct_parent"]
        return None if parent is None else str(parent)

    @property
    def lineage(self) -> list[str]:
        """The direct parent, what that comes from, and so on, as far as it is shown."""
        return list(self._dict["lineage"])

    @property
    def family(self) -> list[str]:
        """The known models of one family with it, nearest first; empty if it is unknown."""
        return list(self._dict["family"])

    @property
    def notes(self) -> list[str]:
        """What was found, and what a reader should know."""
        return list(self._dict["notes"])

    def to_dict(self) -> dict[str, Any]:
        """What ``tensorguard classify --json`` prints (docs/json.md)."""
        return self._dict

    @staticmethod
    def _candidate(each: dict[str, Any]) -> Candidate:
        return Candidate(
            each["name"], Verdict(each["verdict"]), each["score"], each["corrected_p_value"]
        )

    def __repr__(self) -> str:
        answer = f"{self.best.verdict} with {self.best.name!r}" if self.known else "unknown"
        return f"<tensorguard.Classification of {self.model!r}: {answer}>"


def classify(
    model: Union[Path, Fingerprint],
    known: Models,
    *,
    base: Path | None = None,
    threads: int = 0,
    incomplete: bool = False,
    budget: int | None = None,
    progress: ProgressFunction | None = None,
) -> Classification:
    """Finds a model's place among known ones, or says that it is unknown.

    ``known`` is one of these or several: fingerprints, files and folders of them, models. If all
    are names, those that cannot be read are left out and told to the log "tensorguard", and of
    very many only the nearest are read in full. Other arguments: as in :func:`fingerprint`.

    Raises :class:`Error`.
    """
    named = [each for each in _listed(known) if not isinstance(each, Fingerprint)]
    how = reading(base, threads, incomplete, budget, progress)
    if not isinstance(model, Fingerprint) and len(named) == len(_listed(known)):
        return Classification(_core.classify_model(place(model), places(named), how))
    if not isinstance(model, Fingerprint):
        model = Fingerprint(_core.fingerprint(place(model), how))
    prints = _prints(known, reading(None, threads, incomplete, None, progress))
    return Classification(_core.classify(model._core, prints, threads))


class Families:
    """Which families there are among models. In a notebook it shows itself as a map."""

    def __init__(self, core: _core.Families) -> None:
        self._core = core
        self._dict: dict[str, Any] = json.loads(core.json())

    @property
    def families(self) -> list[list[str]]:
        """The names of each family's models."""
        return [list(cluster["members"]) for cluster in self._dict["clusters"]]

    @property
    def centers(self) -> list[str]:
        """Of each family the model that is most like all others of it."""
        return [str(cluster["center"]) for cluster in self._dict["clusters"]]

    @property
    def assignments(self) -> dict[str, str]:
        """Of each model the center of its family."""
        return dict(self._dict["assignments"])

    @property
    def silhouette(self) -> float | None:
        """-1 to 1: how well the families stand apart. None where it is not defined."""
        return number_in(self._dict, "silhouette")

    def svg(self) -> str:
        """The map of ``tensorguard cluster --plot``."""
        return self._core.svg()

    def to_dict(self) -> dict[str, Any]:
        """What ``tensorguard cluster --json`` prints (docs/json.md)."""
        return self._dict

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        sizes = ", ".join(f"{center!r} {len(members)}" for center, members in
                          zip(self.centers, self.families))
        return f"<tensorguard.Families: {sizes}>"


def cluster(
    models: Models, *, threads: int = 0, progress: ProgressFunction | None = None
) -> Families:
    """Finds the families among models by their scores; nobody says how many there are.

    ``models``: as ``known`` of :func:`classify`; two of one name must be told apart by
    :meth:`Fingerprint.renamed`. Raises :class:`Error`.
    """
    prints = _prints(models, reading(None, threads, False, None, progress))
    return Families(_core.find_families(prints, threads))


class LineageNode(NamedTuple):
    """A model of a family tree."""

    name: str
    family: int
    root: bool
    """Whether all others of the family come from it."""
    missing: bool
    """Not a model that was given: one that those given must come from."""


class LineageEdge(NamedTuple):
    """A step from a model to one that it was made from."""

    child: str
    parent: str
    kind: EdgeKind
    directed: bool
    """Whether it is shown that the child came later; else the two are neighbours."""
    certainty: float
    """0 to 1, that the parent is right."""
    weight: float
    """Of the parent in a merge; else 1."""
    runner_up: str | None
    """What the child came from if not from the parent."""


class Lineage:
    """Who came from whom. In a notebook it shows itself as a drawing of the trees."""

    def __init__(self, core: _core.Lineage) -> None:
        self._core = core
        self._dict: dict[str, Any] = json.loads(core.json())

    @property
    def nodes(self) -> list[LineageNode]:
        """The models, then the missing ones."""
        return [
            LineageNode(each["name"], each["family"], each["root"], each["missing"])
            for each in self._dict["nodes"]
        ]

    @property
    def edges(self) -> list[LineageEdge]:
        """The steps, by child."""
        return [
            LineageEdge(
                each["child"],
                each["parent"],
                EdgeKind(each["kind"]),
                each["direction"] == "parent_to_child",
                each["certainty"],
                each["weight"],
                each["runner_up"],
            )
            for each in self._dict["edges"]
        ]

    def svg(self) -> str:
        """A picture of the trees."""
        return self._core.svg()

    def html(self) -> str:
        """A page with the picture, for a browser."""
        return self._core.html()

    def dot(self) -> str:
        """The graph as text for Graphviz."""
        return self._core.dot()

    def to_dict(self) -> dict[str, Any]:
        """What ``tensorguard lineage --json`` prints (docs/json.md)."""
        return self._dict

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        families = {node.family for node in self.nodes}
        return (
            f"<tensorguard.Lineage: {len(self.nodes)} models, {len(families)} families, "
            f"{len(self.edges)} steps>"
        )


def lineage(
    models: Models,
    *,
    root: str | None = None,
    threads: int = 0,
    progress: ProgressFunction | None = None,
) -> Lineage:
    """Draws the family trees of models, with the doubt on every step (docs/lineage.md).

    ``root`` names a model: only its family is shown. ``models``: as in :func:`cluster`.
    Raises :class:`Error`.
    """
    prints = _prints(models, reading(None, threads, False, None, progress))
    return Lineage(_core.trace_lineage(prints, root or "", threads))

"""Registries of known models: one SQLite file, or tables on a PostgreSQL server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, NamedTuple, Union

from . import _core
from ._families import Classification
from ._fingerprint import Fingerprint, fingerprint
from ._reading import Path, ProgressFunction
from ._reading import place as bytes_of


class RegistryFile(NamedTuple):
    """A weight file of a model, as it lies there byte for byte."""

    path: str
    """Below the model's folder."""
    bytes: int
    sha256: str
    """64 hexadecimal digits."""


class RegistryRelation(NamedTuple):
    """That one model comes from another."""

    child: str
    parent: str
    kind: str
    """What is said: "derived", "merge", ...; of a measured one the verdict."""
    measured: bool
    """Else it is as somebody said."""
    score: float | None
    """0 to 1."""
    p_value: float | None
    added_at: int
    """Seconds since 1970, UTC."""
    added_by: str


class RegistryModel(NamedTuple):
    """What a registry tells of a model."""

    id: int
    """Its number in this registry; never given twice. ``"#7"`` names model 7."""
    name: str
    """A label; several models may have one."""
    source: str
    """Where it is from; "blake3:..." where nobody said."""
    revision: str
    collection: str
    trust: str
    """"own", "verified" or "unverified"."""
    state: str
    """"present", "superseded" or "withdrawn"."""
    added_at: int
    """Seconds since 1970, UTC."""
    added_by: str
    fingerprint: str
    """BLAKE3 of the fingerprint's file, 64 hexadecimal digits."""
    architecture: str
    parameters: int
    licenses: tuple[str, ...]
    """All that is said. Only of what :meth:`Registry.show` returns; files and relations likewise."""
    files: tuple[RegistryFile, ...]
    """Those whose digests are known."""
    relations: tuple[RegistryRelation, ...]
    """With it as child or as parent."""


class RegistryAddition(NamedTuple):
    """What became of a model that was added."""

    model: RegistryModel
    already_there: bool
    """The same content of the same source was there: nothing was added."""


class RegistryHit(NamedTuple):
    """A model that a search found. No verdict."""

    model: RegistryModel
    score: float
    """0 to 1: orders, and estimates the score of a comparison."""


class RegistrySearch(NamedTuple):
    """The nearest models, by their signatures."""

    searched: int
    """Fingerprints that the model was held against: all there are."""
    hits: tuple[RegistryHit, ...]
    """Nearest first."""


class RegistryRelated(NamedTuple):
    """What was said, and beside it what a comparison of the two measured."""

    asserted: RegistryRelation
    measured: RegistryRelation
    contradicted: bool
    """Measured as independent."""


class RegistryStatus(NamedTuple):
    """How much a registry holds, and how old it is."""

    engine: str
    """"SQLite" or "PostgreSQL"."""
    blobs: str
    """Where fingerprints lie: "inline" or "folder"."""
    schema_version: int
    models: int
    """Present ones."""
    past_models: int
    """Superseded or withdrawn."""
    fingerprints: int
    fingerprint_bytes: int
    matrices: int
    """Whose digests can be looked up."""
    relations: int
    events: int
    """Lines of the log."""
    created_at: int | None
    """Seconds since 1970, UTC."""
    last_added_at: int | None
    """None where nothing was added."""


class RegistryFault(NamedTuple):
    """Something that is wrong with a registry."""

    problem: str
    subject: str
    """A model's name or a fingerprint's BLAKE3; empty where it is the whole registry."""
    repaired: bool


class RegistryVerification(NamedTuple):
    """What a check of a whole registry found."""

    faults: tuple[RegistryFault, ...]
    leftovers: tuple[str, ...]
    """BLAKE3 of files that a program which was ended left. Nothing is wrong with the registry."""


class RegistryExport(NamedTuple):
    """How much was written."""

    models: int
    relations: int
    fingerprints: int


class RegistryImport(NamedTuple):
    """How much was read."""

    added: int
    already_there: int
    relations: int


def _model(told: dict[str, Any]) -> RegistryModel:
    fields: dict[str, Any] = {
        "licenses": tuple(told["licenses"]),
        "files": tuple(RegistryFile(**each) for each in told["files"]),
        "relations": tuple(RegistryRelation(**each) for each in told["relations"]),
    }
    return RegistryModel(**{**told, **fields})


def _stamp() -> tuple[str, int]:
    """Who does it, and when: what the log says for ever."""
    return os.environ.get("USER") or os.environ.get("LOGNAME") or "", int(time.time())


_Models = list[RegistryModel]
_FileHits = list[tuple[RegistryModel, RegistryFile]]


class Registry:
    """A registry of known models, open until ``close`` or the end of ``with``.

        with tg.Registry("known.tgr") as known:
            known.add("hf://org/name", license="apache-2.0")
            known.classify("my-model").best

    ``place`` is a file or ``postgresql://USER@HOST/DATABASE``. Several threads may ask one object:
    they are answered one after the other. What methods do, ``docs/registry.md`` says; names are
    labels of the registry, or numbers as ``"#7"``.

    Raises :class:`Error`, as all methods do: "not_found" where there is none, "bad_file" for
    another program's database, "unsupported" for another version and for a file on a network disk,
    "system" where another program holds it for more than 30 seconds.
    """

    def __init__(self, place: Path) -> None:
        self._core = _core.open_registry(bytes_of(place))

    @classmethod
    def create(cls, place: Path) -> Registry:
        """Makes an empty registry and opens it. Raises :class:`Error` where there is one."""
        made = cls.__new__(cls)
        made._core = _core.create_registry(bytes_of(place), _stamp())
        return made

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing can be asked afterwards. May be called twice."""
        self._core.close()

    def add(
        self,
        model: Union[Path, Fingerprint],
        *,
        name: str = "",
        source: str = "",
        revision: str = "",
        collection: str = "",
        license: str = "",
        trust: str = "own",
        files: Iterable[tuple[str, int, str]] = (),
        progress: ProgressFunction | None = None,
    ) -> RegistryAddition:
        """Adds a fingerprint, or the model that :func:`fingerprint` would read.

        ``name`` is the fingerprint's where it is empty; ``revision`` is a commit, which names one
        content for ever; ``license`` is what you know of it. ``files`` are (path, bytes, SHA-256)
        of the model's weight files, so that it is found by them. Adding the same twice changes
        nothing.
        """
        entry = _core.Entry(
            name=name,
            source=source,
            revision=revision,
            collection=collection,
            license=license,
            trust=trust,
            stamp=_stamp(),
            files=[(path, bytes_, sha256) for path, bytes_, sha256 in files],
        )
        told, already_there = self._core.add(_print(model, progress), entry)
        return RegistryAddition(_model(told), already_there)

    def list(self, *, after: int = 0, limit: int = 1000, collection: str = "") -> _Models:
        """The present models with numbers above ``after``, in the order in which they came."""
        return [_model(each) for each in self._core.list(after, limit, collection)]

    def show(self, name: str) -> RegistryModel:
        """All that is told of a model. Raises "usage" where several have the name."""
        return _model(self._core.find(name))

    def fingerprint(self, name: str) -> Fingerprint:
        """A model's fingerprint, under its name in the registry."""
        return Fingerprint(self._core.fingerprint(name))

    def remove(self, name: str) -> None:
        """Takes a model out. The log keeps that it was there."""
        self._core.remove(name, _stamp())

    def relate(self, child: str, parent: str, kind: str = "derived") -> RegistryRelated:
        """Records that ``child`` comes from ``parent``, and compares the two.

        ``kind``: "derived", "adapter", "merge", "quantised", "reparameterised", "identical".
        """
        asserted, measured, contradicted = self._core.relate(child, parent, kind, _stamp())
        return RegistryRelated(
            RegistryRelation(**asserted), RegistryRelation(**measured), contradicted
        )

    def search(
        self,
        model: Union[Path, Fingerprint],
        *,
        limit: int = 20,
        threads: int = 0,
        progress: ProgressFunction | None = None,
    ) -> RegistrySearch:
        """The nearest models, of all there are: a list, and no verdict."""
        searched, hits = self._core.search(_print(model, progress), limit, threads)
        return RegistrySearch(
            searched, tuple(RegistryHit(_model(told), score) for told, score in hits)
        )

    def find_file(self, sha256: str) -> _FileHits:
        """The models that hold a file with this SHA-256, byte for byte; none where none is told."""
        return [
            (_model(model), RegistryFile(**file)) for model, file in self._core.find_file(sha256)
        ]

    def classify(
        self,
        model: Union[Path, Fingerprint],
        *,
        threads: int = 0,
        progress: ProgressFunction | None = None,
    ) -> Classification:
        """Of whose family a model is: the nearest known ones are compared in full.

        p-values are corrected for all that were searched. Raises "usage" for an empty registry.
        """
        return Classification(self._core.classify(_print(model, progress), threads))

    def status(self) -> RegistryStatus:
        """How much it holds, and how old it is."""
        return RegistryStatus(**self._core.status())

    def verify(self, *, repair: bool = False) -> RegistryVerification:
        """Checks everything, and reads every fingerprint for it.

        With ``repair`` what can be computed anew is, and what belongs to nothing is removed.
        """
        faults, leftovers = self._core.verify(repair, _stamp())
        return RegistryVerification(
            tuple(RegistryFault(**each) for each in faults), tuple(leftovers)
        )

    def export(self, folder: Path) -> RegistryExport:
        """Writes all models into a folder that is made, or holds nothing."""
        return RegistryExport(*self._core.export(bytes_of(folder)))

    def import_(self, folder: Path) -> RegistryImport:
        """Reads what :meth:`export` wrote. Models come in as "unverified".

        Every file is held against the manifest before anything is added.
        """
        return RegistryImport(*self._core.import_(bytes_of(folder), _stamp()))


def _print(
    model: Union[Path, Fingerprint], progress: ProgressFunction | None
) -> _core.Fingerprint:
    if isinstance(model, Fingerprint):
        return model._core
    return fingerprint(model, progress=progress)._core

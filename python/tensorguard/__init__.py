"""TensorGuard: which model does this model come from?

    import tensorguard as tg

    tg.compare("llama-7b", "some-model").verdict      # <Verdict.DERIVED: 'derived'>
    fp = tg.fingerprint("hf://org/name", progress=print)
    fp.kernels["query_key"]                           # numpy, [layers, anchors, anchors]
    tg.classify(fp, known="known-models").best
    with tg.Registry("known.tgr") as known:           # a file, or postgresql://...
        known.classify(fp).best

Models are named as on the command line: files, folders, ``hf://ORG/NAME``, URLs. All functions
release the GIL, end with Ctrl-C, print nothing, and raise :class:`Error`.
"""

from . import _core
from ._comparison import Comparison, compare
from ._conversion import convert
from ._errors import Error
from ._families import (
    Candidate,
    Classification,
    Families,
    Lineage,
    LineageEdge,
    LineageNode,
    classify,
    cluster,
    lineage,
)
from ._fingerprint import Fingerprint, Kernels, Layer, fingerprint, fingerprint_tensors
from ._reading import Progress
from ._registry import (
    Registry,
    RegistryAddition,
    RegistryExport,
    RegistryFault,
    RegistryFile,
    RegistryHit,
    RegistryImport,
    RegistryModel,
    RegistryRelated,
    RegistryRelation,
    RegistrySearch,
    RegistryStatus,
    RegistryVerification,
)
from ._words import Direction, EdgeKind, NumberType, Verdict

__version__ = _core.version()

__all__ = [
    "Candidate",
    "Classification",
    "Comparison",
    "Direction",
    "EdgeKind",
    "Error",
    "Families",
    "Fingerprint",
    "Kernels",
    "Layer",
    "Lineage",
    "LineageEdge",
    "LineageNode",
    "NumberType",
    "Progress",
    "Registry",
    "RegistryAddition",
    "RegistryExport",
    "RegistryFault",
    "RegistryFile",
    "RegistryHit",
    "RegistryImport",
    "RegistryModel",
    "RegistryRelated",
    "RegistryRelation",
    "RegistrySearch",
    "RegistryStatus",
    "RegistryVerification",
    "Verdict",
    "classify",
    "cluster",
    "compare",
    "convert",
    "fingerprint",
    "fingerprint_tensors",
    "lineage",
]

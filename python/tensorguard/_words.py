"""Words that answers are made of."""

import enum


class Verdict(str, enum.Enum):
    """What two models are to each other (docs/verdicts.md says what each rests on).

    A ``Verdict`` is also a ``str``: ``verdict == "derived"`` is true for ``Verdict.DERIVED``.
    """

    IDENTICAL = "identical"
    DERIVED = "derived"
    REPARAMETERISED = "reparameterised"
    SHARED_INITIALISATION = "shared-initialisation"
    INDEPENDENT = "independent"
    INCONCLUSIVE = "inconclusive"

    __str__ = str.__str__


class Direction(str, enum.Enum):
    """Which of two models came first, as far as their weights show it."""

    A_TO_B = "a_to_b"
    B_TO_A = "b_to_a"
    UNDETERMINED = "undetermined"

    __str__ = str.__str__


class EdgeKind(str, enum.Enum):
    """How a model was made from another."""

    DESCENT = "descent"
    MERGE = "merge"
    SAME_FUNCTION = "same_function"

    __str__ = str.__str__


class NumberType(str, enum.Enum):
    """Types of numbers that ``convert`` writes."""

    FLOAT32 = "f32"
    FLOAT16 = "f16"
    BFLOAT16 = "bf16"

    __str__ = str.__str__

"""The exception that all functions raise."""

from __future__ import annotations


class Error(Exception):
    """Something that was asked for cannot be done; says where and why.

    ``str(error)`` is the whole text, with the names from files escaped. All other texts are as
    they are in the file: escape them before you show them on a terminal.
    """

    kind: str
    """"bad_file", "not_found", "unsupported", "mismatch", "usage", "system" or "cancelled"."""
    problem: str
    """What is wrong, in one clause."""
    file: str | None
    """The file that is concerned."""
    tensor: str | None
    """The tensor that is concerned."""
    byte_offset: int | None
    """Where in the file, in bytes from its start."""
    found: str | None
    """The value that was found."""
    expected: str | None
    """What it should be."""
    advice: str | None
    """What may help."""

    def __init__(
        self,
        text: str,
        kind: str = "usage",
        problem: str = "",
        file: str | None = None,
        tensor: str | None = None,
        byte_offset: int | None = None,
        found: str | None = None,
        expected: str | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.problem = problem or text
        self.file = file
        self.tensor = tensor
        self.byte_offset = byte_offset
        self.found = found
        self.expected = expected
        self.advice = advice

    def __reduce__(self) -> tuple[object, ...]:
        return (
            Error,
            (
                str(self),
                self.kind,
                self.problem,
                self.file,
                self.tensor,
                self.byte_offset,
                self.found,
                self.expected,
                self.advice,
            ),
        )

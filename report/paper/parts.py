"""A text as parts, so that each number in it stays tied to its statistic."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from report.figures.model import Number
from report.figures.source import worded


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text; with a number, it is that number as printed and nothing else."""

    text: str
    number: Number | None = None


Text = tuple[Part, ...]
Piece = str | Number
"""What a sentence is made of."""


def prose(*pieces: Piece) -> Text:
    """Return a sentence of words and numbers."""
    return tuple(
        Part(piece.text, piece) if isinstance(piece, Number) else Part(worded(piece))
        for piece in pieces
    )


def of_cell(printed: str, numbers: Iterable[Number]) -> Text:
    """Return a printed cell as parts.

    Args:
        printed: the cell.
        numbers: those in it, from left to right; one that is not printed is left out.
    """
    parts: list[Part] = []
    start = 0
    for number in numbers:
        # neither a digit nor a decimal point beside it: 34 does not stand in 34.4
        place = re.compile(rf"(?<![\d.·]){re.escape(number.text)}(?!\d|[.·]\d)").search(
            printed, start
        )
        if place is None:
            continue
        if place.start() > start:
            parts.append(Part(worded(printed[start : place.start()])))
        parts.append(Part(number.text, number))
        start = place.end()
    if printed[start:]:
        parts.append(Part(worded(printed[start:])))
    return tuple(parts)

"""What a bundle is made of before it is compared with earlier ones: rows, and whom they count.

A unit is what leaves or is held back as a whole: a proportion, the curve of an endpoint, the
comparison of a factor, a model. `parts` names the groups whose change between two bundles would
tell of patients; a part `events/x` is the share of a unit's events at one level, and a change of
events must be of every level. A part `level/x` is who is at one level, and `with` and `without` are
who has something and who has it not: where somebody is at each of these, whoever is new must not be
at one of them alone, since all that are new would be known to be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Member = tuple[str, int]
"""A patient and 0, or a patient and a lesion."""
EVENTS, LEVEL = "events/", "level/"
DAYS = "days/"
"""A part whose members are patients and the day on which each leaves a curve."""
SIDES = ("with", "without")


@dataclass(slots=True)
class Unit:
    """What leaves as a whole.

    Attributes:
        rows: table -> its rows.
        numbers: counts that must not change by few either.
        parts: name -> members.
        bits: family -> bits that it gives.
        edges: months at which its bins end.
    """

    rows: dict[str, list[Row]]
    numbers: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, frozenset[Member]] = field(default_factory=dict)
    bits: Mapping[str, float] = field(default_factory=dict)
    edges: tuple[int, ...] = ()


def patients(subjects: frozenset[str]) -> frozenset[Member]:
    """Patients as members."""
    return frozenset((s, 0) for s in subjects)

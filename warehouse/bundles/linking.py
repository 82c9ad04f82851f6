"""What several numbers give away together: of a factor by other endpoints, of a bin by later exits.

Whoever knows who is counted can subtract any two numbers of a factor, not only those of one name:
the deaths of one endpoint from the events of another, a count of one night from a comparison of the
next. What is left is the number at the bad level among those who are not in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.bundles.draft import DAYS, EVENTS, LEVEL, Member, Row, Unit
from warehouse.bundles.policy import POLICY
from warehouse.bundles.sources import DAYS_PER_MONTH

Whom = frozenset[Member]
Counted = tuple[Whom, Whom]
"""Who is counted, and who of them is at the bad level."""


@dataclass(slots=True)
class Factors:
    """Factor -> every group whose number at the bad level was told."""

    told: dict[str, set[Counted]] = field(default_factory=dict)

    def few(self, unit: Unit) -> int | None:
        """How many a unit would tell of beside what was told; None if it tells of nobody."""
        for factor, own in counted(unit.parts):
            for other in self.told.get(factor, ()):
                found = apart(own, other)
                if found is not None:
                    return found
        return None

    def add(self, unit: Unit) -> None:
        """Remember what a unit tells."""
        for factor, own in counted(unit.parts):
            self.told.setdefault(factor, set()).add(own)


def earlier(paths: Iterable[Path]) -> Factors:
    """What earlier bundles told, from whom they counted."""
    found = Factors()
    for path in paths:
        units: dict[str, dict[str, set[Member]]] = {}
        table = pq.read_table(path)
        part_of = table["part"]
        of_factors = pc.or_(pc.starts_with(part_of, EVENTS), pc.starts_with(part_of, LEVEL))
        rows = table.filter(of_factors).to_pydict()
        for unit, part, subject, lesion in zip(*rows.values(), strict=True):
            units.setdefault(unit, {}).setdefault(part, set()).add((subject, lesion))
        for parts in units.values():
            for factor, own in counted({p: frozenset(m) for p, m in parts.items()}):
                found.told.setdefault(factor, set()).add(own)
    return found


def counted(parts: Mapping[str, Whom]) -> Iterator[tuple[str, Counted]]:
    """The groups of each factor that a unit counts at both levels."""
    for part, bad in parts.items():
        for kind in (EVENTS, LEVEL):
            if part.startswith(f"{kind}bad/"):
                factor = part.removeprefix(f"{kind}bad/")
                yield factor, (bad | parts.get(f"{kind}good/{factor}", frozenset()), bad)


def apart(one: Counted, other: Counted) -> int | None:
    """How many patients two numbers tell of together, if these are few or all alike."""
    (whole, bad), (then, bad_then) = one, other
    changed = (bad ^ bad_then) & whole & then
    new, gone = whole - then, then - whole
    moved = len(new) + len(gone)
    if 0 < len(changed) < POLICY.small_cell.value or 0 < moved < POLICY.small_cell.value:
        return len(changed) or moved
    more = len(bad & new) - len(bad_then & gone)
    return moved if moved and more in (len(new), -len(gone)) else None


def alike_exits(unit: Unit, steps: Sequence[Row], then: Mapping[str, int]) -> int:
    """How many new exits of a bin are few and all alike; 0 if there are none.

    Who was in the bin before on the same day is there again, so that the bins' difference is of the
    new ones alone, less those who were seen again since. As many as a bin needs may be alike, where
    a house lets bins be.

    Args:
        unit: the curve now.
        steps: its bins as an earlier bundle told them.
        then: the day on which each patient left it then.
    """
    now = _by_month({str(who): day for who, day in unit.parts[DAYS]})
    before_then = _by_month(then)
    rows = unit.rows["steps"]
    shared = sorted({r["to_month"] for r in steps} & {r["to_month"] for r in rows})
    for begin, end in pairwise([0, *shared]):
        here, before = _inside(now, begin, end), _inside(before_then, begin, end)
        new, gone = len(here - before), len(before - here)
        more = _events(rows, begin, end) - _events(steps, begin, end)
        alike = more == new or (more == 0 and gone == 0)
        if alike and 0 < new < POLICY.bin_exits.value:
            return new
    return 0


def _by_month(days: Mapping[str, int]) -> dict[int, set[tuple[str, int]]]:
    """Who leaves in which month, and on which day; day 0 is in the first."""
    months: dict[int, set[tuple[str, int]]] = {}
    for who, day in days.items():
        months.setdefault(max(1, math.ceil(day / DAYS_PER_MONTH)), set()).add((who, day))
    return months


def _inside(
    months: Mapping[int, set[tuple[str, int]]], begin: int, end: int
) -> set[tuple[str, int]]:
    """Who leaves after one month and up to another."""
    return set[tuple[str, int]]().union(*(w for m, w in months.items() if begin < m <= end))


def _events(rows: Sequence[Row], begin: int, end: int) -> int:
    return sum(r["events"] for r in rows if begin < r["to_month"] <= end)

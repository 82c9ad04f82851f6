"""Laboratory results whose unit or exponent is proven wrong.

A result outside its window is unusual and no more: living patients lie there. It is proven wrong
by a consistent factor: most of a site's results of one analyte in one unit lie outside and one
factor brings all of these back inside, or the patient's other results are alike and one factor
brings this one among them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import permutations

import ibis
import ibis.expr.types as ir

from schemas.records.analytes import LAB_UNITS, WINDOWS
from schemas.records.row_rules import outside_window

LEAST = 3
"""Results outside that make a column's factor consistent."""
ALIKE = 1.5
"""Other results of a patient are alike where the greatest is at most so many times the least."""
POWERS = frozenset(Fraction(10) ** n for n in (-3, -2, -1, 1, 2, 3))
COLUMN = ["site_id", "analyte", "unit"]
ROW = ["site_id", "patient_id", "lab_date", "analyte", "sequence"]
NEARLY = 1e-9
"""Relative: 4.1 times 100 is 410 in decimals, and nearly so in floating point."""

Holds = Callable[[Fraction], ir.BooleanValue]


def unit_errors(labs: ir.Table) -> ir.Table:
    """The rows that are proven wrong."""
    marked = labs.mutate(
        outside=outside_window(labs).fill_null(False), number=labs.value.cast("float64")
    )
    outside = marked.filter(marked.outside)
    by_column = outside.semi_join(_wrong_columns(marked), COLUMN)
    by_patient = _against_patient(marked, outside)
    either = by_column.select(ROW).union(by_patient.select(ROW), distinct=True)
    return labs.semi_join(either, ROW)


def _wrong_columns(marked: ir.Table) -> ir.Table:
    """Columns of which most lies outside, all of that by one factor."""
    found = marked.group_by(COLUMN).agg(
        n=marked.count(),
        n_outside=marked.outside.cast("int64").sum(),
        least=marked.number.min(where=marked.outside),
        most=marked.number.max(where=marked.outside),
    )
    suspect = found.filter((found.n_outside >= LEAST) & (2 * found.n_outside > found.n))
    t = suspect.mutate(
        canonical=_canonical(suspect),
        low=_of_window(suspect, 0),
        high=_of_window(suspect, 1),
    )

    def inside(by: Fraction) -> ir.BooleanValue:
        return (t.least * t.canonical * float(by) >= t.low * (1 - NEARLY)) & (
            t.most * t.canonical * float(by) <= t.high * (1 + NEARLY)
        )

    return t.filter(_by_some_factor(t.analyte, inside, enzymes=True))


def _against_patient(marked: ir.Table, outside: ir.Table) -> ir.Table:
    """Results that a factor brings among the patient's others, which are alike.

    Enzymes rise sixtyfold in illness: between their units nothing is proven by one result.
    """
    patient = [*COLUMN, "patient_id"]
    inside = marked.filter(~marked.outside, marked.number > 0)
    others = inside.group_by(patient).agg(
        n=inside.count(), least=inside.number.min(), most=inside.number.max()
    )
    alike = others.filter((others.n >= 2) & (others.most <= others.least * ALIKE))
    t = outside.inner_join(alike, patient)

    def among(by: Fraction) -> ir.BooleanValue:
        moved = t.number * float(by)
        return (moved >= t.least * (1 - NEARLY)) & (moved <= t.most * (1 + NEARLY))

    return t.filter(_by_some_factor(t.analyte, among, enzymes=False))


def _by_some_factor(analyte: ir.StringValue, holds: Holds, *, enzymes: bool) -> ir.BooleanValue:
    """Whether it holds for a power of ten, or for a factor between the analyte's units."""
    each = [holds(by) for by in sorted(POWERS)]
    each += [analyte.isin(names) & holds(by) for by, names in _steps(enzymes=enzymes)]
    return ibis.or_(*each).fill_null(False)


def _steps(*, enzymes: bool) -> Iterator[tuple[Fraction, list[str]]]:
    """Each factor from one unit to another that is no power of ten, and its analytes."""
    found: dict[Fraction, list[str]] = defaultdict(list)
    for analyte, units in LAB_UNITS.items():
        if enzymes or "ukat/L" not in units:
            for by in {a / b for a, b in permutations(units.values(), 2)} - POWERS - {Fraction(1)}:
                found[by].append(analyte)
    yield from sorted(found.items())


def _canonical(t: ir.Table) -> ir.FloatingValue:
    """What a value is multiplied by to be in its analyte's canonical unit."""
    return ibis.cases(
        *(
            ((t.analyte == analyte) & (t.unit == unit), float(by))
            for analyte, units in LAB_UNITS.items()
            for unit, by in units.items()
        )
    )


def _of_window(t: ir.Table, side: int) -> ir.FloatingValue:
    return ibis.cases(*((t.analyte == a, float(window[side])) for a, window in WINDOWS.items()))

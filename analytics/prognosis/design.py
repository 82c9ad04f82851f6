"""What a model of chosen terms is fitted to: rows with columns, and what ails a term.

A patient is one row, or several where a level comes with time: up to its day at the reference,
after it at the level. Who is at a level without an event is left out, which is the limit of a
coefficient that falls for ever: the others are those of the full model.

Source: Therneau, Crowson and Atkinson, vignette Using Time Dependent Covariates, R's survival 3.5-3
((start, stop] with the change after its day); Anderson, Cain and Gelber, J Clin Oncol
1983;1:710-719 (landmark: time beyond it, of those observed so far without the event).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analytics.estimators.cox import SEPARATED
from analytics.estimators.cox_rows import BEFORE, Rows, deviations
from analytics.estimators.kaplan_meier import FloatArray, IntArray

ONE_LEVEL = "one level only"
NOBODY = "nobody has it"
CONSTANT = "constant"
COLLINEAR = "collinear with the terms before it"
NO_EVENTS = "no events"
NO_REFERENCE = SEPARATED + " (the reference)"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Patients of one population and endpoint, those alike together.

    Attributes:
        time: Shape (N,), days from the clock's start, > 0 or, from T0, >= 0.
        event: Shape (N,), 0 or 1.
        n: Shape (N,), patients.
        level: Factor -> shape (N,), number of its level, nan missing.
        number: Factor -> shape (N,), its number, nan missing.
        day: Factor -> shape (N,), day from the clock's start on which the level came, nan of those
            who stay at the reference.
        left_out_dead: Patients with the event up to the clock's start.
        left_out_censored: Patients not observed beyond it.
    """

    time: FloatArray
    event: IntArray
    n: IntArray
    level: Mapping[str, FloatArray]
    number: Mapping[str, FloatArray]
    day: Mapping[str, FloatArray]
    left_out_dead: int = 0
    left_out_censored: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """A factor in a model, and how it enters."""

    factor: str
    per_unit: bool = False
    with_time: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Rows with a column for each level but the first, or each number.

    Attributes:
        rows: What is fitted.
        terms: The terms, in order.
        columns: Of each term, its columns.
        levels: Of each term by levels, the number of each column's level.
        reference: Of each term by levels, the number of the level without a column.
        empty: Of each term, the numbers of levels without an event, whose patients are left out.
        at: Of each term by levels, shape (N,), the level of each row.
        patients: In the model.
        missing: Patients without a covariate.
    """

    rows: Rows
    terms: tuple[Term, ...]
    columns: tuple[tuple[int, ...], ...]
    levels: tuple[tuple[int, ...], ...]
    reference: tuple[int, ...]
    empty: tuple[tuple[int, ...], ...]
    at: tuple[FloatArray, ...]
    patients: int
    missing: int


def value_of(sample: Sample, term: Term) -> FloatArray:
    """Shape (N,): what a term needs of each patient; nan where it is missing."""
    return sample.number[term.factor] if term.per_unit else sample.level[term.factor]


def unusable(sample: Sample, term: Term) -> str | None:
    """Why a term can be in no model of these patients."""
    value = value_of(sample, term)
    known = value[~np.isnan(value)]
    if not known.size:
        return NOBODY
    if np.unique(known).size < 2:
        return CONSTANT if term.per_unit else ONE_LEVEL
    return None


def design(sample: Sample, terms: Sequence[Term], strata: Sequence[str]) -> Design:
    """The complete cases of a model, split where a level comes with time."""
    needed = [value_of(sample, term) for term in terms]
    needed += [sample.level[code] for code in strata]
    complete = np.ones(sample.time.size, bool)
    for value in needed:
        complete &= ~np.isnan(value)
    missing = int(sample.n[~complete].sum())
    rows, at = _split(sample, terms, strata, np.flatnonzero(complete))
    return _coded(rows, tuple(terms), at, missing)


def faults(found: Design) -> dict[str, str]:
    """Term -> why it has no coefficient of its own: the first that is found, or none."""
    rows, x = found.rows, found.rows.x
    if not rows.events:
        return {term.factor: NO_EVENTS for term in found.terms}
    for k, term in enumerate(found.terms):
        if not term.per_unit and not _died_at(found, k, found.reference[k]):
            return {term.factor: NO_REFERENCE}
        if not found.columns[k] and found.empty[k]:
            return {term.factor: SEPARATED}
        if not found.columns[k] or np.any(deviations(rows)[list(found.columns[k])] == 0):
            return {term.factor: CONSTANT if term.per_unit else ONE_LEVEL}
    within = _within_strata(x, rows)
    kept: list[int] = []
    for k, term in enumerate(found.terms):
        asked = [*kept, *found.columns[k]]
        if np.linalg.matrix_rank(within[:, asked]) < len(asked):
            return {term.factor: COLLINEAR}
        kept = asked
    return {}


def _died_at(found: Design, k: int, level: int) -> bool:
    return bool((found.rows.event[found.at[k] == level] == 1).any())


def _within_strata(x: FloatArray, rows: Rows) -> FloatArray:
    """The columns less their mean in each stratum, in standard deviations."""
    centred = x.copy()
    for stratum in np.unique(rows.stratum).tolist():
        own = rows.stratum == stratum
        weight = rows.n[own][:, None]
        centred[own] -= (x[own] * weight).sum(axis=0) / weight.sum()
    scaled: FloatArray = centred / np.where(deviations(rows) > 0, deviations(rows), 1.0)
    return scaled


def _split(
    sample: Sample,
    terms: Sequence[Term],
    strata: Sequence[str],
    kept: npt.NDArray[np.intp],
) -> tuple[Rows, list[FloatArray]]:
    """One row per patient and stretch, with the value of each term."""
    patient, start = kept, np.full(kept.size, BEFORE)
    stop, event = sample.time[kept], sample.event[kept]
    for term in terms:
        if not term.with_time:
            continue
        day = sample.day[term.factor][patient]
        inside = (day > start) & (day < stop)
        later = np.flatnonzero(inside)
        start = np.concatenate([start, day[later]])
        patient = np.concatenate([patient, patient[later]])
        stop = np.concatenate([np.where(inside, day, stop), stop[later]])
        event = np.concatenate([np.where(inside, 0, event), event[later]])
    values = []
    for term in terms:
        value = value_of(sample, term)[patient].copy()
        if term.with_time:
            reached = start >= np.nan_to_num(sample.day[term.factor][patient], nan=np.inf)
            value[~reached] = 0
        values.append(value)
    unit = np.unique(patient, return_inverse=True)[1].reshape(-1)
    rows = Rows(
        start, stop, event, _strata(sample, strata)[patient], np.empty((patient.size, 0)),
        sample.n[patient], unit,
    )  # fmt: skip
    return rows, values


def _strata(sample: Sample, strata: Sequence[str]) -> IntArray:
    """Shape (N,): the number of each patient's combination of levels."""
    if not strata:
        return np.zeros(sample.time.size, np.int64)
    levels = np.nan_to_num(np.column_stack([sample.level[code] for code in strata]), nan=-1)
    return np.unique(levels, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _coded(rows: Rows, terms: tuple[Term, ...], at: list[FloatArray], missing: int) -> Design:
    empty: list[tuple[int, ...]] = []
    kept = np.ones(rows.stop.size, bool)
    for term, value in zip(terms, at, strict=True):
        none: list[int] = []
        if not term.per_unit:
            levels = np.unique(value).astype(int).tolist()
            none = [v for v in levels[1:] if not rows.event[value == v].any()]
            kept &= ~np.isin(value, none)
        empty.append(tuple(none))
    rows, at = rows.chosen(kept), [value[kept] for value in at]
    rows = replace(rows, unit=np.unique(rows.unit, return_inverse=True)[1].reshape(-1))
    parts, columns, coded, reference = [], [], [], []
    width = 0
    for term, value in zip(terms, at, strict=True):
        levels = [0] if term.per_unit else np.unique(value).astype(int).tolist()
        own = levels if term.per_unit else levels[1:]
        parts += [value if term.per_unit else (value == v).astype(float) for v in own]
        columns.append(tuple(range(width, width + len(own))))
        coded.append(tuple(own))
        reference.append(levels[0] if levels else 0)
        width += len(own)
    x = np.column_stack(parts) if parts else np.empty((rows.stop.size, 0))
    return Design(
        rows=rows.with_columns(x),
        terms=terms,
        columns=tuple(columns),
        levels=tuple(coded),
        reference=tuple(reference),
        empty=tuple(empty),
        at=tuple(at),
        patients=_patients(rows, np.ones(rows.stop.size, bool)),
        missing=missing,
    )


def _patients(rows: Rows, chosen: npt.NDArray[np.bool_]) -> int:
    """How many patients have one of these rows."""
    first = np.unique(rows.unit[chosen], return_index=True)[1]
    return int(rows.n[chosen][first].sum())


def counted_at(found: Design, k: int, level: int) -> tuple[int, int]:
    """Patients who are at a level of a term some time or other, and events at it."""
    chosen = found.at[k] == level
    died = found.rows.n[chosen] * found.rows.event[chosen]
    return _patients(found.rows, chosen), int(died.sum())

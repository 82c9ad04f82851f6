"""How far readers agree on the best response, beyond chance.

Best responses of each reader's own assessments are compared, unconfirmed, in CR, PR, SD and PD;
whoever a reader could not evaluate, or placed outside these, is left out of that comparison.
Patients are independent; lesions of one patient are not, and their limits come from resampling
patients, as do those of Fleiss's kappa. Fleiss's takes the units that all readers placed.

Source: as in `analytics.estimators.kappa`.
"""

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from analytics.estimators.cluster_bootstrap import cluster_weights
from analytics.estimators.event_counts import populations
from analytics.estimators.kappa import (
    Kappa,
    cohen,
    fleiss,
    linear_weights,
    of_independent,
    of_resamples,
)
from analytics.fetched import fetched
from schemas.contract import Table, conform, rows
from schemas.records.criteria import CRITERIA
from schemas.settings import ResponseSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import LesionAssessments, SubjectAssessments
from schemas.tables.outcomes import LEVELS, MemberSets
from schemas.tables.outcomes.readers import ALL_READERS, ReaderAgreement

CLASSES = ("CR", "PR", "SD", "PD")
"""From best to worst, as linear weights have it."""
ONE_READER = "one reader only"
ANALYTIC = "Fleiss, Cohen and Everitt 1969"
_CELLS = tuple(f"c{i}{j}" for i in range(4) for j in range(4))
_UNIT = ("level", "criterion", "subject_id", "lesion_number")
_PAIR = ("population", "level", "criterion", "reader_a", "reader_b")
_ALL = ("population", "level", "criterion")


def reader_agreement(
    lesion_assessments: Table[LesionAssessments],
    subject_assessments: Table[SubjectAssessments],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[ReaderAgreement]:
    """Give the coefficients of every pair of readers, and of all together."""
    tables = (lesion_assessments, subject_assessments, population_members)
    pairs = fetched(_pair_profiles, *tables, sd_min_days=settings.sd_min_days)
    together = fetched(_joint_profiles, *tables, sd_min_days=settings.sd_min_days)
    records = [*_of_pairs(pairs, settings), *_of_all(together, settings)]
    done = {tuple(r[name] for name in _ALL) for r in records}
    for population in populations(population_members):
        for level in LEVELS:
            for criterion in CRITERIA:
                if (population, level, criterion) not in done:
                    records.append(_absent(population, level, criterion))
    for record in records:
        record["statistic_id"] = statistic_id(ReaderAgreement, record)
    return rows(sorted(records, key=lambda r: str(r["statistic_id"])), ReaderAgreement)


def reader_agreement_sets(
    lesion_assessments: Table[LesionAssessments],
    subject_assessments: Table[SubjectAssessments],
    *,
    settings: ResponseSettings,
) -> Table[MemberSets]:
    """The units that a pair of readers, or all readers, placed in the same class."""
    best = _best(lesion_assessments, subject_assessments, settings.sd_min_days)
    pairs = _pairs(best)
    same = pairs.filter(pairs.class_a == pairs.class_b)
    joint = _joint(best)
    every = joint.filter(joint.squares == joint.readers * joint.readers)
    alike = every.mutate(reader_a=ibis.literal(ALL_READERS), reader_b=ibis.literal(ALL_READERS))
    named = (*_UNIT, "reader_a", "reader_b")
    members = same.select(*named).union(alike.select(*named))
    parts = (members[n] for n in ("criterion", "level", "reader_a", "reader_b"))
    return conform(members.mutate(set_id=set_id_column("reader_agreement", *parts)), MemberSets)


def _absent(population: str, level: str, criterion: str) -> dict[str, Any]:
    named = {"population": population, "level": level, "criterion": criterion}
    nobody = {"reader_a": ALL_READERS, "reader_b": ALL_READERS, "coefficient": "fleiss"}
    return named | nobody | {"n": 0, "agreed": 0, "method": "none", "reason": ONE_READER}


def _best(lesions: ir.Table, subjects: ir.Table, sd_min_days: int) -> ir.Table:
    """The best response of every unit by each reader who could place it."""
    shared = (*_UNIT, "reader", "rel_day", "response")
    by_lesion = lesions.filter(lesions.in_window).mutate(level=ibis.literal("lesion"))
    whole = subjects.filter(subjects.in_window, subjects.organ == "all")
    by_subject = whole.mutate(level=ibis.literal("subject"), lesion_number=ibis.literal(0, "int64"))
    read = by_lesion.select(*shared).union(by_subject.select(*shared))
    late = read.rel_day >= sd_min_days
    had = {
        f"had_{c}": ((read.response == c) & (late if c == "SD" else ibis.literal(True))).any()
        for c in CLASSES
    }
    by_reader = read.group_by(*_UNIT, "reader").agg(**had)
    placed = ibis.cases(*((by_reader[f"had_{c}"], n) for n, c in enumerate(CLASSES)))
    classed = by_reader.mutate(place=placed.cast("int64"))
    return classed.filter(classed.place.notnull()).select(*_UNIT, "reader", "place")


def _pairs(best: ir.Table) -> ir.Table:
    """Units that two readers placed, one row per pair."""
    first = best.rename(reader_a="reader", class_a="place")
    second = best.rename(reader_b="reader", class_b="place")
    both = first.inner_join(second, list(_UNIT))
    return both.filter(both.reader_a < both.reader_b)


def _joint(best: ir.Table) -> ir.Table:
    """Units that every reader placed: how many of them in each class."""
    counted = {f"n{n}": (best.place == n).sum() for n in range(len(CLASSES))}
    by_unit = best.group_by(*_UNIT).agg(placed=best.reader.nunique(), **counted)
    readers = best.group_by("level", "criterion").agg(readers=best.reader.nunique())
    known = by_unit.inner_join(readers, ["level", "criterion"])
    every = known.filter(known.placed == known.readers, known.readers > 1)
    first, *further = (every[f"n{n}"] * every[f"n{n}"] for n in range(len(CLASSES)))
    return every.mutate(squares=sum(further, start=first))


def _pair_profiles(
    lesions: ir.Table, subjects: ir.Table, members: ir.Table, *, sd_min_days: int
) -> ir.Table:
    """How many patients of a population have each table of two readers."""
    pairs = _pairs(_best(lesions, subjects, sd_min_days))
    cells = {
        f"c{i}{j}": ((pairs.class_a == i) & (pairs.class_b == j)).sum()
        for i in range(4)
        for j in range(4)
    }
    own = pairs.group_by(*_PAIR[1:], "subject_id").agg(**cells)
    return _by_profile(own, members)


def _joint_profiles(
    lesions: ir.Table, subjects: ir.Table, members: ir.Table, *, sd_min_days: int
) -> ir.Table:
    """How many patients of a population have each sum of classes and of squares."""
    joint = _joint(_best(lesions, subjects, sd_min_days))
    own = joint.group_by("level", "criterion", "readers", "subject_id").agg(
        units=joint.count(),
        alike=(joint.squares == joint.readers * joint.readers).sum(),
        squares=joint.squares.sum(),
        **{f"n{n}": joint[f"n{n}"].sum() for n in range(4)},
    )
    return _by_profile(own, members)


def _by_profile(own: ir.Table, members: ir.Table) -> ir.Table:
    named = members.select("population", "subject_id")
    joined = own.inner_join(named, "subject_id").drop("subject_id")
    return joined.group_by([*joined.columns]).agg(clusters=joined.count())


def _groups(
    profiles: pa.Table, by: tuple[str, ...]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Profiles of one key each, in an order of their own: the draw depends on it."""
    ordered = profiles.sort_by([(name, "ascending") for name in profiles.column_names])
    keys = list(zip(*(ordered[name].to_pylist() for name in by), strict=True))
    arrays = {n: ordered[n].to_numpy() for n in ordered.column_names if n not in by}
    for key in dict.fromkeys(keys):
        at = np.array([k == key for k in keys])
        named = dict(zip(by, key, strict=True))
        yield named, {n: a[at].astype(np.int64) for n, a in arrays.items()}


def _of_pairs(profiles: pa.Table, settings: ResponseSettings) -> Iterator[dict[str, Any]]:
    for key, found in _groups(profiles, _PAIR):
        tables = np.stack([found[c] for c in _CELLS], axis=1).astype(float).reshape(-1, 4, 4)
        whole = np.einsum("p,pij->ij", found["clusters"], tables)
        for coefficient, weights in (("cohen", np.eye(4)), ("cohen_linear", linear_weights(4))):
            if key["level"] == "subject":
                kappa = of_independent(whole, weights)
            else:
                drawn = np.einsum("sp,pij->sij", _resampled(found, settings), tables)
                filled = drawn[drawn.sum(axis=(1, 2)) > 0]
                kappa = of_resamples(cohen(whole, weights), cohen(filled, weights))
            counted = {"n": int(whole.sum()), "agreed": int(np.trace(whole))}
            method = ANALYTIC if key["level"] == "subject" else _method(settings)
            yield key | {"coefficient": coefficient} | counted | _said(kappa, method)


def _of_all(profiles: pa.Table, settings: ResponseSettings) -> Iterator[dict[str, Any]]:
    for key, found in _groups(profiles, (*_ALL, "readers")):
        readers = key.pop("readers")
        classes = np.stack([found[f"n{n}"] for n in range(4)], axis=1).astype(float)
        squares, clusters = found["squares"].astype(float), found["clusters"]
        weights = _resampled(found, settings)
        kappa = of_resamples(
            fleiss(clusters @ classes, np.asarray(clusters @ squares), readers),
            fleiss(weights @ classes, weights @ squares, readers),
        )
        counted = {n: int(clusters @ found[c]) for n, c in (("n", "units"), ("agreed", "alike"))}
        named = {"reader_a": ALL_READERS, "reader_b": ALL_READERS, "coefficient": "fleiss"}
        yield key | named | counted | _said(kappa, _method(settings))


def _resampled(found: dict[str, Any], settings: ResponseSettings) -> Any:
    return cluster_weights(
        found["clusters"], seed=settings.bootstrap_seed, samples=settings.bootstrap_samples
    )


def _said(kappa: Kappa, method: str) -> dict[str, Any]:
    return {
        "kappa": kappa.value,
        "lower": kappa.lower,
        "upper": kappa.upper,
        "method": method,
        "reason": kappa.reason,
    }


def _method(settings: ResponseSettings) -> str:
    return (
        f"cluster bootstrap over subjects, percentile, {settings.bootstrap_samples} samples, "
        f"seed {settings.bootstrap_seed}"
    )

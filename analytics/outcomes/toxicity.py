"""Counts, exact intervals and shifts from baseline of each toxicity.

Laboratory percentages are of the patients with a gradable result in the window, clinical ones of
the treated patients of sites that record events: a site that delivers none has not collected them.
Where no site of a population delivers laboratory values, their toxicity is not known: no zero.
Events of a late window are of those observed into it; late windows tell any grade and 3 or worse.
A version that has no term for an analyte, or whose clinical terms are not held here, has no number.
Never counted as free of toxicity: who has no gradable result, and whose event has no grade in the
version. Where such events exist, grades have no percentage in that version, only `any` has; and
not even that where cells that cannot be read leave open whether an event followed treatment.

Source: Memon et al. 2012 (worst grade per patient, CTCAE 3.0); intervals: Clopper and Pearson 1934.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.estimators.proportions import exact
from analytics.fetched import fetched_records
from schemas.codes import UNREADABLE
from schemas.contract import Table, conform, rows, table_name
from schemas.records.analytes import ANALYTES
from schemas.records.ctcae import not_defined
from schemas.records.ctcae_terms import ALWAYS_PUBLISHED, NOT_HELD
from schemas.records.field.event_windows import LATE_WINDOWS
from schemas.settings import VERSIONS, ToxicitySettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.event_marts import SubjectEvents
from schemas.tables.intermediate import Anchors, PopulationMembers
from schemas.tables.marts import WINDOWS, LabGrades, Toxicity
from schemas.tables.outcomes import MemberSets, ToxicityShift, ToxicitySummary
from schemas.tables.registry import AdverseEvents, Labs

NO_RESULT = "no gradable result"
NO_LABS = "no site of the population delivers laboratory values"
NO_TERMS = "no clinical terms are held here of CTCAE"
NO_EVENTS = "no site of the population records adverse events"
NOBODY_SO_LONG = "nobody of a site that records adverse events was observed so long"
IN_LATE_WINDOWS = ("any", "ge3")
UNDEFINED = tuple((a, v) for a, v in product(ANALYTES, VERSIONS) if not_defined(a, v))
"""Analytes for which a version has no term: nobody shifts from one grade of it to another."""
MISSING = "missing"
UNDECIDED = -1
"""Stands for the grade of an event of which cells that cannot be read would tell when it began."""
SHIFT_GRADES = ("0", "1", "2", "3", "4", MISSING)
Record = dict[str, Any]
Counts = Mapping[int | None, int]
"""Worst grade -> subjects; None for events without a grade in the version."""
Cells = dict[tuple[str, ...], dict[int | None, int]]
"""Source, term, version and window -> worst grade -> subjects."""


def toxicity_summary(
    toxicity: Table[Toxicity],
    population_members: Table[PopulationMembers],
    anchors: Table[Anchors],
    adverse_events: Table[AdverseEvents],
    labs: Table[Labs],
    subject_events: Table[SubjectEvents],
    *,
    settings: ToxicitySettings,
) -> Table[ToxicitySummary]:
    """Count the worst grades of every term, version and window in every population."""
    sizes = _sizes(population_members, anchors)
    recording = _sizes(population_members, anchors, adverse_events)
    drawing = _sizes(population_members, anchors, labs)
    observed = _observed(subject_events, population_members)
    counts = _counts(toxicity, population_members, anchors, subject_events)
    summaries: list[Record] = []
    for population in populations(population_members):
        n_treated, n_recording = sizes.get(population, 0), recording.get(population, 0)
        totals = {w: observed.get((population, w), 0) for w in LATE_WINDOWS}
        found = counts[population]
        absent = NO_RESULT if drawing.get(population, 0) else NO_LABS
        summaries += _labs(population, n_treated, absent, found, settings)
        summaries += _events(population, n_treated, n_recording, totals, found, settings)
    return rows(summaries, ToxicitySummary)


def toxicity_summary_sets(
    toxicity: Table[Toxicity], subject_events: Table[SubjectEvents]
) -> Table[MemberSets]:
    """Name who is counted by worst grade; `any` and `ge3` are declared as unions of these."""
    toxicity = _of_observed(toxicity, subject_events)
    label = toxicity.worst_grade.cast("string").fill_null("ungraded")
    undecided = _undecided(toxicity)
    known = (toxicity.worst_grade.fill_null(1) > 0) & ~undecided
    counted = toxicity.filter(known).mutate(label=label)
    parts = [counted[c] for c in ("source", "term", "ctcae_version", "time_window", "label")]
    return _members(counted, ToxicitySummary, parts)


def toxicity_shift(
    lab_grades: Table[LabGrades],
    toxicity: Table[Toxicity],
    population_members: Table[PopulationMembers],
    anchors: Table[Anchors],
) -> Table[ToxicityShift]:
    """Cross the baseline grade with the worst grade at any time after treatment."""
    sizes = _sizes(population_members, anchors)
    cells = _cells(lab_grades, toxicity, population_members, anchors)
    shifts: list[Record] = []
    for (population, term, version), counted in sorted(cells.items()):
        unknown = sizes[population] - sum(counted.values())
        with_unknown = {**counted, (MISSING, MISSING): unknown}
        key = {"population": population, "term": term, "ctcae_version": version}
        for before, worst in product(SHIFT_GRADES, repeat=2):
            cell = key | {"baseline_grade": before, "worst_grade": worst}
            shifts.append(
                cell
                | {
                    "statistic_id": statistic_id(ToxicityShift, cell),
                    "n": with_unknown.get((before, worst), 0),
                }
            )
    return rows(shifts, ToxicityShift)


def toxicity_shift_sets(
    lab_grades: Table[LabGrades], toxicity: Table[Toxicity], anchors: Table[Anchors]
) -> Table[MemberSets]:
    """Name who is in each cell, those without any gradable result too."""
    shifts = _shifts(lab_grades, toxicity)
    measured = shifts.select("term", "ctcae_version").distinct()
    everyone = anchors.select("subject_id").cross_join(measured)
    unknown = everyone.anti_join(shifts, ["subject_id", "term", "ctcae_version"]).mutate(
        baseline_grade=ibis.literal(MISSING), worst_grade=ibis.literal(MISSING)
    )
    every = shifts.union(unknown.select(*shifts.columns))
    parts = [every[c] for c in ("term", "ctcae_version", "baseline_grade", "worst_grade")]
    return _members(every, ToxicityShift, parts)


def _undecided(toxicity: ir.Table) -> ir.BooleanValue:
    """Of an event, whether it followed treatment cannot be read."""
    unread = (toxicity.reason == UNREADABLE).fill_null(False)
    return (toxicity.source == "event") & toxicity.emergent.isnull() & unread


def _treated(population_members: ir.Table, anchors: ir.Table) -> ir.Table:
    """Members with a T0, who can have toxicity, and their sites."""
    members = population_members.select("population", "subject_id")
    return members.inner_join(anchors.select("subject_id", "site_id"), "subject_id")


def _sizes(*read: ir.Table) -> dict[str, int]:
    """Population -> patients with a T0; of a third table, those whose site delivers it."""
    return {r["population"]: r["n"] for r in fetched_records(_counted_treated, *read)}


def _counted_treated(
    population_members: ir.Table, anchors: ir.Table, delivered: ir.Table | None = None
) -> ir.Table:
    treated = _treated(population_members, anchors)
    if delivered is not None:
        treated = treated.semi_join(delivered, "site_id")
    return treated.group_by("population").agg(n=treated.count())


def _observed(subject_events: ir.Table, population_members: ir.Table) -> dict[tuple[str, str], int]:
    """Population and late window -> patients of sites that record events observed into it."""
    found = fetched_records(_counted_observed, subject_events, population_members)
    return {(r["population"], r["time_window"]): r["n"] for r in found}


def _counted_observed(subject_events: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    late = subject_events.filter(subject_events.time_window.isin(LATE_WINDOWS))
    joined = late.inner_join(members, "subject_id")
    return joined.group_by("population", "time_window").agg(n=joined.count())


def _of_observed(toxicity: ir.Table, subject_events: ir.Table) -> ir.Table:
    """The toxicity without late events of patients who are known to have died before the window."""
    late = (toxicity.source == "event") & toxicity.time_window.isin(LATE_WINDOWS)
    known = toxicity.filter(late).semi_join(subject_events, ["subject_id", "time_window"])
    return toxicity.filter(~late).union(known)


def _counts(
    toxicity: ir.Table,
    population_members: ir.Table,
    anchors: ir.Table,
    subject_events: ir.Table,
) -> defaultdict[str, Cells]:
    """Population -> (source, term, version, window) -> worst grade -> subjects."""
    by_population: defaultdict[str, Cells] = defaultdict(dict)
    tables = (toxicity, population_members, anchors, subject_events)
    for r in fetched_records(_counted_grades, *tables):
        cell = by_population[r["population"]].setdefault(tuple(r[k] for k in _GRADED), {})
        cell[r["worst_grade"]] = r["n"]
    return by_population


_GRADED = ("source", "term", "ctcae_version", "time_window")


def _counted_grades(
    toxicity: ir.Table,
    population_members: ir.Table,
    anchors: ir.Table,
    subject_events: ir.Table,
) -> ir.Table:
    treated = _treated(population_members, anchors)
    toxicity = _of_observed(toxicity, subject_events)
    grade = _undecided(toxicity).ifelse(UNDECIDED, toxicity.worst_grade)
    graded = toxicity.select("subject_id", *_GRADED, worst_grade=grade)
    joined = graded.inner_join(treated, "subject_id")
    return joined.group_by("population", *_GRADED, "worst_grade").agg(n=joined.count())


def _labs(
    population: str,
    n_treated: int,
    absent: str,
    counts: Mapping[tuple[str, ...], Counts],
    settings: ToxicitySettings,
) -> Iterator[Record]:
    """Rows of every analyte; of one that nobody was graded in, why there is no number."""
    measured = {key[1] for key in counts if key[0] == "lab"}
    for term, version in product(ANALYTES, settings.ctcae_versions):
        why = not_defined(term, version) or (absent if term not in measured else None)
        if why:
            key = _key(population, "lab", term, version, "primary")
            yield from (_empty(key, grade, 0, n_treated, why) for grade in ("any", "ge3"))
            continue
        for window in WINDOWS:
            key = _key(population, "lab", term, version, window)
            by_grade = counts.get(("lab", term, version, window), {})
            total = sum(by_grade.values())
            for label, n in _numerators(by_grade, 4, window).items():
                if total:
                    yield _row(key, label, n, total, n_treated)
                else:
                    yield _empty(key, label, 0, n_treated, f"{NO_RESULT} in the window")


def _events(
    population: str,
    n_treated: int,
    n_recording: int,
    observed: Mapping[str, int],
    counts: Mapping[tuple[str, ...], Counts],
    settings: ToxicitySettings,
) -> Iterator[Record]:
    others = sorted({key[1] for key in counts if key[0] == "event"} - set(ALWAYS_PUBLISHED))
    for term, version in product((*ALWAYS_PUBLISHED, *others), settings.ctcae_versions):
        if not n_recording or version in NOT_HELD:
            key = _key(population, "event", term, version, "primary")
            why = f"{NO_TERMS} {version}" if n_recording else NO_EVENTS
            yield _empty(key, "any", 0, n_treated, why)
            continue
        for window in WINDOWS:
            key = _key(population, "event", term, version, window)
            by_grade = counts.get(("event", term, version, window), {})
            total = observed.get(window, n_recording)
            yield from _event_rows(key, by_grade, total, n_treated)


def _event_rows(key: Record, by_grade: Counts, total: int, n_treated: int) -> Iterator[Record]:
    ungraded, undecided = by_grade.get(None, 0), by_grade.get(UNDECIDED, 0)
    for label, n in _numerators(by_grade, 5, key["time_window"]).items():
        if not total:
            yield _empty(key, label, total, n_treated, NOBODY_SO_LONG)
        elif undecided:
            reason = f"of {undecided} it cannot be read whether the event followed treatment"
            yield _empty(key, label, total, n_treated, reason)
        elif label == "any":
            yield _row(key, label, n + ungraded, total, n_treated)
        elif ungraded:
            reason = f"{ungraded} with the event have no grade in this version"
            yield _empty(key, label, total, n_treated, reason)
        else:
            yield _row(key, label, n, total, n_treated)


def _numerators(by_grade: Counts, worst: int, window: str) -> dict[str, int]:
    graded = {grade: by_grade.get(grade, 0) for grade in range(1, worst + 1)}
    single = {str(grade): n for grade, n in graded.items()}
    severe = sum(n for grade, n in graded.items() if grade >= 3)
    every = single | {"any": sum(graded.values()), "ge3": severe}
    late = window in LATE_WINDOWS
    return {grade: n for grade, n in every.items() if not late or grade in IN_LATE_WINDOWS}


def _key(population: str, source: str, term: str, version: str, window: str) -> Record:
    return {
        "population": population,
        "source": source,
        "term": term,
        "ctcae_version": version,
        "time_window": window,
    }


def _row(key: Record, grade: str, n: int, total: int, n_treated: int) -> Record:
    pct, lower, upper = exact(n, total)
    return _empty(key, grade, total, n_treated, None) | {
        "n": n,
        "pct": pct,
        "lower": lower,
        "upper": upper,
        "pct_treated": 100 * n / n_treated,
    }


def _empty(key: Record, grade: str, total: int, n_treated: int, reason: str | None) -> Record:
    record = key | {"grade": grade}
    return record | {
        "statistic_id": statistic_id(ToxicitySummary, record),
        "total": total,
        "n_treated": n_treated,
        "reason": reason,
    }


def _shifts(lab_grades: ir.Table, toxicity: ir.Table) -> ir.Table:
    """Each subject's baseline and worst grade per analyte and version, as text."""
    keys = ("subject_id", "term", "ctcae_version")
    worst = toxicity.filter(toxicity.source == "lab", toxicity.time_window == "any")
    after = worst.select(*keys, "baseline_grade", "worst_grade")
    baseline = lab_grades.filter(lab_grades.is_baseline, lab_grades.grade.notnull())
    before = baseline.select(
        "subject_id",
        "ctcae_version",
        term="analyte",
        baseline_grade="grade",
        worst_grade=ibis.null("int64"),
    )
    only_before = before.anti_join(after, list(keys)).select(*after.columns)
    both = after.union(only_before)
    defined = [~((both.term == a) & (both.ctcae_version == v)) for a, v in UNDEFINED]
    return both.filter(*defined).mutate(
        baseline_grade=both.baseline_grade.cast("string").fill_null(MISSING),
        worst_grade=both.worst_grade.cast("string").fill_null(MISSING),
    )


def _cells(*read: ir.Table) -> dict[tuple[str, str, str], dict[tuple[str, str], int]]:
    cells: dict[tuple[str, str, str], dict[tuple[str, str], int]] = {}
    for r in fetched_records(_counted_shifts, *read):
        cell = cells.setdefault((r["population"], r["term"], r["ctcae_version"]), {})
        cell[r["baseline_grade"], r["worst_grade"]] = r["n"]
    return cells


def _counted_shifts(
    lab_grades: ir.Table, toxicity: ir.Table, population_members: ir.Table, anchors: ir.Table
) -> ir.Table:
    treated = _treated(population_members, anchors)
    joined = _shifts(lab_grades, toxicity).inner_join(treated, "subject_id")
    keys = ("population", "term", "ctcae_version", "baseline_grade", "worst_grade")
    return joined.group_by(*keys).agg(n=joined.count())


def _members(
    counted: ir.Table, contract: type[ToxicitySummary | ToxicityShift], parts: list[ir.StringValue]
) -> Table[MemberSets]:
    name = set_id_column(table_name(contract), *parts)
    return conform(counted.mutate(set_id=name, lesion_number=ibis.literal(0)), MemberSets)

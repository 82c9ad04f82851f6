"""Survival by response without immortal time: at landmarks, and by a response that comes with time.

Whoever responds has lived until then. To compare responders with the others from T0 counts this
time for the response, whatever treatment does. Two analyses avoid it: at a landmark L patients are
parted by the best response dated up to L, and only those observed beyond L without the event count,
from L on; in Cox's model with a time-dependent covariate a patient counts among the responders from
the day after the response. The naive comparison stands beside them under the name of its fault.

At a landmark whoever is not evaluable is a level of its own, in no comparison of hazards. With a
time-dependent covariate everyone has not responded until then, those never evaluable too. A
response on the day of the event comes too late for it.

Source: Anderson, Cain and Gelber, J Clin Oncol 1983;1:710-719 (landmark; immortal time); Crowley
and Hu, J Am Stat Assoc 1977;72:27-36 (time-dependent covariate, Stanford heart transplants);
Therneau, Crowson and Atkinson, vignette Using Time Dependent Covariates, R's survival 3.5-3.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from analytics.estimators.event_counts import populations
from analytics.estimators.kaplan_meier import EventTable, kaplan_meier, median, merge
from analytics.estimators.two_groups import Switched, compared
from analytics.fetched import fetched
from analytics.outcomes.survival import in_months
from schemas.contract import Table, conform, rows
from schemas.records.criteria import CRITERIA
from schemas.settings import ResponseSettings, SurvivalSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.class_marts import CountedReaders
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.mart_table import RESPONSES
from schemas.tables.marts import SubjectAssessments, SubjectResponse, TimeToEvent
from schemas.tables.outcomes import MemberSets
from schemas.tables.outcomes.by_response import MEANT, OTHERS, RESPONDERS, SurvivalByResponse

ENDPOINT = "OS"
CAUTION = "wrong: responders cannot die before they respond (immortal time)"
NO_CURVE = "no curve: patients change groups with time"
NOT_DERIVABLE = "no lesions delivered"
NOTHING_EVALUABLE = "nothing evaluable under this criterion"
_DEAD, _CENSORED, _ENTERED = "left_out_dead", "left_out_censored", "entered"
_KEY = ("population", "criterion", "method", "at_days")
Key = tuple[str, str, str, int]
Counted = Mapping[str, EventTable]


def survival_by_response(
    subject_assessments: Table[SubjectAssessments],
    subject_response: Table[SubjectResponse],
    time_to_event: Table[TimeToEvent],
    population_members: Table[PopulationMembers],
    counted_readers: Table[CountedReaders],
    *,
    settings: SurvivalSettings,
    response: ResponseSettings,
) -> Table[SurvivalByResponse]:
    """Give median and hazard ratio by response, by each method."""
    found = _cut(
        fetched(
            _counts,
            subject_assessments,
            subject_response,
            time_to_event,
            population_members,
            counted_readers,
            landmarks=settings.response_landmarks_days,
            response=response,
        )
    )
    records: list[dict[str, Any]] = []
    for population in populations(population_members):
        for key in _keys(population, settings):
            records += _of_method(key, found.get(key, {}), settings)
    return rows(records, SurvivalByResponse)


def survival_by_response_sets(
    subject_assessments: Table[SubjectAssessments],
    subject_response: Table[SubjectResponse],
    time_to_event: Table[TimeToEvent],
    counted_readers: Table[CountedReaders],
    *,
    settings: SurvivalSettings,
    response: ResponseSettings,
) -> Table[MemberSets]:
    """Name who is in each group; responders and others at a landmark are unions of classes."""
    placed = _placed(
        _counted_reading(subject_assessments, counted_readers, response),
        subject_response,
        time_to_event,
        settings.response_landmarks_days,
        response.sd_min_days,
    )
    members = placed.filter(~placed.category.isin([_DEAD, _CENSORED, _ENTERED]), placed.last)
    parts = (
        ibis.literal(ENDPOINT),
        members.criterion,
        members.method,
        members.at_days.cast("string"),
        members.category,
    )
    named = members.mutate(
        set_id=set_id_column("survival_by_response", *parts), lesion_number=ibis.literal(0)
    )
    return conform(named, MemberSets)


def _keys(population: str, settings: SurvivalSettings) -> Iterator[Key]:
    for criterion in CRITERIA:
        for at in settings.response_landmarks_days:
            yield population, criterion, "landmark", at
        yield population, criterion, "time_dependent", 0
        yield population, criterion, "immortal_time", 0


def _units(subject_response: ir.Table, time_to_event: ir.Table) -> ir.Table:
    """Every patient and criterion, with the time to the event."""
    whole = subject_response.filter(
        subject_response.organ == "all", subject_response.confirmation == "unconfirmed"
    )
    times = time_to_event.filter(
        time_to_event.endpoint == ENDPOINT, time_to_event.lesion_number == 0
    )
    named = whole.select("subject_id", "criterion", "best_response", "first_response_day")
    return named.inner_join(times.select("subject_id", "time_days", "event"), "subject_id")


def _placed(
    assessments: ir.Table,
    subject_response: ir.Table,
    time_to_event: ir.Table,
    landmarks: tuple[int, ...],
    sd_min_days: int,
) -> ir.Table:
    """One row per patient, criterion, method and stretch of time in a group.

    `last` is the stretch in which the patient's observation ends.
    """
    units = _units(subject_response, time_to_event)
    read = assessments.filter(assessments.organ == "all", assessments.in_window)
    parts = [_at_landmark(units, read, at, sd_min_days) for at in landmarks]
    return ibis.union(*parts, *_with_time(units), _naive(units))


def _counted_reading(
    assessments: ir.Table,
    counted_readers: ir.Table,
    response: ResponseSettings,
) -> ir.Table:
    """The assessments of each patient's counted reader."""
    chosen = counted_readers.select("subject_id", counted_reader="reader")
    known = assessments.left_join(chosen, "subject_id").drop("subject_id_right")
    return known.filter(known.reader == known.counted_reader.fill_null(response.reader))


def _row(
    units: ir.Table,
    method: str,
    at: int,
    category: ir.StringValue | str,
    time: ir.DecimalValue | None = None,
    event: ir.BooleanValue | None = None,
    *,
    last: bool = True,
) -> ir.Table:
    return units.select(
        "subject_id",
        "criterion",
        method=ibis.literal(method),
        at_days=ibis.literal(at, "int64"),
        category=ibis.literal(category) if isinstance(category, str) else category,
        time_days=(units.time_days if time is None else time).cast("decimal(18, 8)"),
        event=units.event if event is None else event,
        last=ibis.literal(last),
    )


def _at_landmark(units: ir.Table, read: ir.Table, at: int, sd_min_days: int) -> ir.Table:
    """Those beyond the landmark by their best response up to it, and who is left out, and why."""
    up_to = read.filter(read.rel_day <= at)
    late = up_to.rel_day >= sd_min_days
    counts = {
        "CR": up_to.response == "CR",
        "PR": up_to.response == "PR",
        "SD": (up_to.response == "SD") & late,
        "NON-CR/NON-PD": (up_to.response == "NON-CR/NON-PD") & late,
        "PD": up_to.response == "PD",
    }
    names = {c: f"had_{n}" for n, c in enumerate(counts)}
    best = up_to.group_by("subject_id", "criterion").agg(
        **{names[c]: had.any() for c, had in counts.items()}
    )
    known = units.left_join(best, ["subject_id", "criterion"])
    known = known.drop("subject_id_right", "criterion_right")
    classed = ibis.cases(*((known[names[c]].fill_null(False), c) for c in counts), else_="NE")
    beyond = known.time_days > at
    category = ibis.cases((beyond, classed), (known.event, _DEAD), else_=_CENSORED)
    time = beyond.ifelse(known.time_days - at, 0)
    return _row(known, "landmark", at, category, time)


def _with_time(units: ir.Table) -> Iterator[ir.Table]:
    """Everyone among the others until the response, and among the responders from then on."""
    responded = (units.first_response_day < units.time_days).fill_null(False)
    changed = units.filter(responded)
    day = changed.first_response_day.cast("decimal(18, 8)")
    no = ibis.literal(False)
    yield _row(units.filter(~responded), "time_dependent", 0, OTHERS)
    yield _row(changed, "time_dependent", 0, OTHERS, day, no, last=False)
    yield _row(changed, "time_dependent", 0, _ENTERED, day, no, last=False)
    yield _row(changed, "time_dependent", 0, RESPONDERS)


def _naive(units: ir.Table) -> ir.Table:
    return _row(units, "immortal_time", 0, units.best_response)


def _counts(
    subject_assessments: ir.Table,
    subject_response: ir.Table,
    time_to_event: ir.Table,
    population_members: ir.Table,
    counted_readers: ir.Table,
    *,
    landmarks: tuple[int, ...],
    response: ResponseSettings,
) -> ir.Table:
    """Events and censorings per population, method, group and distinct time."""
    read = _counted_reading(subject_assessments, counted_readers, response)
    placed = _placed(read, subject_response, time_to_event, landmarks, response.sd_min_days)
    members = population_members.select("population", "subject_id")
    joined = placed.inner_join(members, "subject_id")
    counted = joined.group_by(*_KEY, "category", "time_days").agg(
        events=joined.event.cast("int64").sum(), censored=(~joined.event).cast("int64").sum()
    )
    timed = counted.mutate(time_days=counted.time_days.cast("float64"))
    return timed.order_by([*_KEY, "category", "time_days"])


def _cut(counted: pa.Table) -> dict[Key, dict[str, EventTable]]:
    """Counts of each method by group."""
    keys = list(zip(*(counted[name].to_pylist() for name in (*_KEY, "category")), strict=True))
    time, events, censored = (
        counted[name].to_numpy() for name in ("time_days", "events", "censored")
    )
    found: dict[Key, dict[str, EventTable]] = {}
    starts = [n for n, key in enumerate(keys) if n == 0 or key != keys[n - 1]]
    for first, end in pairwise([*starts, len(keys)]):
        *key, category = keys[first]
        part = EventTable(time[first:end], events[first:end], censored[first:end])
        found.setdefault((key[0], key[1], key[2], key[3]), {})[category] = part
    return found


def _of_method(key: Key, counted: Counted, settings: SurvivalSettings) -> Iterator[dict[str, Any]]:
    """The rows of one population, criterion, method and landmark."""
    changing = key[2] == "time_dependent"
    groups = dict(counted)
    if not changing:
        for group, classes in MEANT.items():
            groups[group] = merge([counted[c] for c in classes if c in counted])
    shared = {
        "left_out_dead": _size(counted, _DEAD),
        "left_out_censored": _size(counted, _CENSORED),
        "caution": CAUTION if key[2] == "immortal_time" else None,
    }
    why = _absent(counted, groups)
    ratio = {"reason": why} if why else _ratio(groups, settings, changing=changing)
    for category in (*(() if changing else RESPONSES), *MEANT):
        own = _described(groups.get(category), settings, changing=changing)
        own |= _beside(category, ratio)
        if why:
            own |= {"reason": why}
        record: dict[str, Any] = dict(zip(_KEY, key, strict=True)) | {
            "endpoint": ENDPOINT,
            "category": category,
        }
        named = {"statistic_id": statistic_id(SurvivalByResponse, record)}
        yield record | shared | own | named


def _size(counted: Counted, category: str) -> int:
    return counted[category].n if category in counted else 0


def _absent(counted: Counted, groups: Counted) -> str | None:
    """Why there is nothing to compare at all."""
    if not counted:
        return NOT_DERIVABLE
    evaluable = sum(_size(groups, group) for group in MEANT)
    return None if evaluable else NOTHING_EVALUABLE


def _described(
    table: EventTable | None, settings: SurvivalSettings, *, changing: bool
) -> dict[str, Any]:
    """Number, events and median of one group."""
    if table is None or not table.n:
        return {"n": 0, "events": 0, "reason": "nobody"}
    record: dict[str, Any] = {"n": table.n, "events": int(table.events.sum())}
    if changing:
        return record | {"reason": NO_CURVE}
    curve = kaplan_meier(table, settings.conf_type, settings.conf_level)
    half = median(curve, settings.median_rule)
    return record | {
        "median_months": in_months(half.value),
        "lower": in_months(half.lower),
        "upper": in_months(half.upper),
        "reason": "no events" if not record["events"] else None,
    }


def _beside(category: str, ratio: dict[str, Any]) -> dict[str, Any]:
    """The hazard ratio stands with the responders; the others are its reference."""
    if category == RESPONDERS:
        return {k: v for k, v in ratio.items() if v is not None}
    return {"reason": "reference"} if category == OTHERS and "hr" in ratio else {}


def _ratio(groups: Counted, settings: SurvivalSettings, *, changing: bool) -> dict[str, Any]:
    empty = EventTable(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))
    others, responders = groups.get(OTHERS, empty), groups.get(RESPONDERS, empty)
    entered = groups.get(_ENTERED, empty)
    switched = Switched(entered.time, entered.censored) if changing else None
    return compared(others, responders, settings.conf_level, switched)

"""The course of each patient: the swimmer plot and the change of size over time."""

from collections import defaultdict
from dataclasses import dataclass, replace

from report.figures.model import Exhibit
from report.figures.source import DAYS_PER_MONTH, Connection, Record, records

MOST_LANES = 80
"""More patients are not drawn one by one: only responders are."""
MOST_LINES = 60
"""More lines are drawn apart, by best response."""


@dataclass(frozen=True, slots=True)
class State:
    """A stretch of time in one class of response, in months."""

    start: float
    end: float
    response: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One patient from the first treatment to death or last contact, in months."""

    end: float
    died: bool
    lost: bool
    states: tuple[State, ...]
    sessions: tuple[float, ...]
    progression: float | None
    next_therapy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swimmer(Exhibit):
    """A lane for each patient, the longest follow-up on top."""

    criterion: str
    lanes: tuple[Lane, ...] = ()
    end: int = 12


@dataclass(frozen=True, slots=True)
class Line:
    """The change of one patient's target lesions: (months, percent)."""

    response: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spider(Exhibit):
    """A line for each patient, ending at progression or at the next therapy."""

    axis: str
    lines: tuple[Line, ...] = ()
    missing: int = 0
    end: int = 12


def swimmer(con: Connection, criterion: str = "WHO") -> Swimmer:
    """Every treated patient: response, progression, next therapy, death, last contact."""
    found = _courses(con, criterion)
    lanes = [_lane(r) for r in found]
    responders = [lane for lane in lanes if any(s.response in ("CR", "PR") for s in lane.states)]
    all_drawn = len(lanes) <= MOST_LANES
    drawn = sorted(lanes if all_drawn else responders, key=lambda lane: -lane.end)[:MOST_LANES]
    kept = "" if all_drawn else f" Of {len(lanes)} patients the responders with the longest "
    kept += "" if all_drawn else f"follow-up are drawn ({len(drawn)} of {len(responders)})."
    died, progressed = sum(x.died for x in lanes), sum(x.progression is not None for x in lanes)
    return Swimmer(
        id="swimmer",
        title="Course of each patient",
        description=f"{len(lanes)} patients: {died} died, {progressed} progressed ({criterion}), "
        f"{sum(x.next_therapy is not None for x in lanes)} had a next therapy.{kept}",
        n=len(lanes),
        notes=(
            "The longest follow-up on top. A response holds from one assessment to the next; "
            "nothing is drawn past the last assessment or past progression. An open end without a "
            f"sign: lost to follow-up.{kept}",
        ),
        abbreviations=("CR", "PR", "SD", criterion),
        empty="" if drawn else "No patient with a known last contact.",
        criterion=criterion,
        lanes=tuple(drawn),
        end=_years(max((lane.end for lane in drawn), default=0)),
    )


def _courses(con: Connection, criterion: str) -> list[Record]:
    """One record a treated patient whose follow-up is known, with its days."""
    found = records(
        con,
        "SELECT s.subject_id, t.time_days::DOUBLE AS days, t.event, "
        "coalesce(t.reason = 'lost to follow-up', false) AS lost, r.progression_day, "
        "r.last_evaluable_day, n.time_days::DOUBLE AS next_day, r.best_response "
        "FROM marts.subjects s JOIN marts.time_to_event t ON t.subject_id = s.subject_id "
        "AND t.endpoint = 'OS' LEFT JOIN marts.subject_response r ON r.subject_id = s.subject_id "
        "AND r.criterion = ? AND r.organ = 'all' AND r.confirmation = 'unconfirmed' "
        "LEFT JOIN marts.time_to_event n ON n.subject_id = s.subject_id AND n.endpoint = 'TTNT' "
        "AND n.cause = 'new_therapy' WHERE s.treated AND t.time_days IS NOT NULL "
        "ORDER BY t.time_days DESC, s.subject_id",
        criterion,
    )
    sessions = defaultdict(set)
    for r in records(con, "SELECT DISTINCT subject_id, rel_day FROM marts.treatment_targets"):
        if r["rel_day"] is not None:
            sessions[r["subject_id"]].add(r["rel_day"])
    seen = _assessed(con, criterion)
    return [
        r
        | {
            "sessions": sorted(sessions[r["subject_id"]]),
            "assessed": seen.get(r["subject_id"], []),
        }
        for r in found
    ]


def _assessed(con: Connection, criterion: str) -> dict[str, list[Record]]:
    """The assessments of each patient in turn, one a day."""
    by_subject: dict[str, list[Record]] = defaultdict(list)
    for r in records(
        con,
        "SELECT subject_id, rel_day, response, change_from_baseline_pct AS change "
        "FROM marts.subject_assessments WHERE criterion = ? AND organ = 'all' "
        "AND rel_day IS NOT NULL QUALIFY row_number() OVER "
        "(PARTITION BY subject_id, rel_day ORDER BY reader, modality) = 1 "
        "ORDER BY subject_id, rel_day",
        criterion,
    ):
        by_subject[r["subject_id"]].append(r)
    return by_subject


def _lane(r: Record) -> Lane:
    end = r["days"]
    stop = min(d for d in (r["progression_day"], r["last_evaluable_day"], end) if d is not None)
    days = [a["rel_day"] for a in r["assessed"]] + [stop]
    states: list[State] = []
    for a, after in zip(r["assessed"], days[1:], strict=True):
        start, last = _months(a["rel_day"]), _months(min(after, stop))
        if not 0 <= start < last or a["response"] not in ("CR", "PR", "SD"):
            continue
        if states and (states[-1].response, states[-1].end) == (a["response"], start):
            states[-1] = replace(states[-1], end=last)
        else:
            states.append(State(start, last, a["response"]))
    return Lane(
        end=_months(end),
        died=r["event"],
        lost=r["lost"] and not r["event"],
        states=tuple(states),
        sessions=tuple(_months(d) for d in r["sessions"]),
        progression=None if r["progression_day"] is None else _months(r["progression_day"]),
        next_therapy=None if r["next_day"] is None else _months(r["next_day"]),
    )


def spider(con: Connection, criterion: str = "WHO") -> Spider:
    """The change of every patient's target lesions from the baseline."""
    found = _courses(con, criterion)
    lines = []
    for r in found:
        stops = [d for d in (r["progression_day"], r["next_day"]) if d is not None]
        points = [
            (_months(a["rel_day"]), a["change"])
            for a in r["assessed"]
            if a["rel_day"] >= 0
            and a["change"] is not None
            and a["rel_day"] <= min(stops, default=a["rel_day"])
        ]
        if points:
            lines.append(Line(r["best_response"] or "NE", ((0.0, 0.0), *points)))
    missing = len(found) - len(lines)
    last = max((line.points[-1][0] for line in lines), default=0)
    return Spider(
        id="spider",
        title=f"Change of target lesions over time ({criterion})",
        description=f"{len(lines)} of {len(found)} patients drawn; {missing} without a value "
        "before progression or next therapy.",
        n=len(found),
        notes=(
            f"Sum of target lesions ({criterion}), percent of the baseline. A line ends at "
            "progression or at the next therapy; each point is an assessment. Above +100 % it is "
            "cut.",
        ),
        abbreviations=(*sorted({line.response for line in lines}), criterion),
        empty="" if lines else "No patient was measured before and after treatment.",
        axis="Change from baseline (%)",
        lines=tuple(lines),
        missing=missing,
        end=_years(last),
    )


def _months(days: float) -> float:
    return days / DAYS_PER_MONTH


def _years(months: float) -> int:
    """End of an axis: whole years beyond the last time."""
    return 12 * max(1, int(-(-months // 12)))

"""Cumulative incidence of each cause, where one event rules out another."""

from collections.abc import Sequence
from dataclasses import dataclass

from report.figures import words
from report.figures.model import Exhibit, Number
from report.figures.source import DAYS_PER_MONTH, Connection, Record, number, records
from report.figures.survival import Curve, Point, axis_end
from schemas.records.endpoints import RECORDS

NOTES = (
    "Cumulative incidence (Aalen and Johansen): the share that has had this event first. Shading: "
    "95 % confidence interval (log-log), point by point; none by lesion, since lesions of a "
    "patient are not independent.",
    "At risk: before that day's events; events and censored: before that day.",
)


@dataclass(frozen=True, slots=True)
class Left:
    """How many are at risk at a month, and by what the others left before."""

    months: int
    at_risk: int
    by_cause: tuple[int, ...]
    censored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidence(Exhibit):
    """A curve from zero for each cause, the endpoint's own event first."""

    axis: str = "Cumulative incidence (%)"
    end: int = 12
    curves: tuple[Curve, ...] = ()
    left: tuple[Left, ...] = ()


def incidences(con: Connection) -> list[Incidence]:
    """A figure for each endpoint that another event can rule out."""
    return [
        of_rows(r.code, _rows(con, r.code, r.level), _numbers(con, r.code, r.level))
        for r in COMPETING.values()
    ]


COMPETING = {r.code: r for r in RECORDS if r.competing}


def _rows(con: Connection, endpoint: str, level: str) -> list[Record]:
    return records(
        con,
        "SELECT * REPLACE (time_days::DOUBLE AS time_days) FROM outcomes.incidence_curves "
        "WHERE population = 'all' AND endpoint = ? AND level = ? ORDER BY time_days, cause",
        endpoint,
        level,
    )


def of_rows(
    endpoint: str, found: Sequence[Record], numbers: tuple[Number, ...] = (), whose: str = ""
) -> Incidence:
    """Return the figure of one endpoint.

    Args:
        endpoint: its code.
        found: rows of `incidence_curves`, times as floats, in order of time.
        numbers: what is printed.
        whose: whom it is of, where these are not all treated patients.
    """
    record = COMPETING[endpoint]
    causes = (*record.events, *record.competing)
    name = words.endpoint(endpoint)
    title = f"{name}: what came first" + (f", {whose}" if whose else "")
    if not found:
        return Incidence(
            id=f"incidence-{endpoint.lower()}",
            title=title,
            empty=f"{name} is not derivable from what was delivered.",
        )
    rows: dict[str, list[Record]] = {c: [r for r in found if r["cause"] == c] for c in causes}
    n = rows[causes[0]][0]["at_risk"]
    curves = tuple(_curve(cause, own, n) for cause, own in rows.items())
    end = axis_end(found[-1]["time_days"])
    told = "; ".join(f"{c.name} {c.events} of {n}" for c in curves)
    return Incidence(
        id=f"incidence-{endpoint.lower()}",
        title=title,
        description=f"First of all: {told}; "
        f"{n - sum(c.events for c in curves)} censored free of each.",
        n=n,
        notes=NOTES,
        abbreviations=("CI",),
        numbers=numbers,
        end=end,
        curves=curves,
        left=tuple(_left(rows, month) for month in range(0, end + 1, 6)),
    )


def _curve(cause: str, own: list[Record], n: int) -> Curve:
    return Curve(
        name=words.capital(words.plain(cause)),
        n=n,
        events=sum(r["events"] for r in own),
        median=None,
        printed="",
        points=tuple(
            Point(r["time_days"] / DAYS_PER_MONTH, r["incidence"], r["lower"], r["upper"])
            for r in own
        ),
        censored=(),
        risk=(),
    )


def _left(rows: dict[str, list[Record]], month: int) -> Left:
    day = month * DAYS_PER_MONTH
    own = next(iter(rows.values()))
    after = [r for r in own if r["time_days"] >= day]
    return Left(
        month,
        after[0]["at_risk"] if after else 0,
        tuple(sum(r["events"] for r in c if r["time_days"] < day) for c in rows.values()),
        sum(r["censored"] for r in own if r["time_days"] < day),
    )


def _numbers(con: Connection, endpoint: str, level: str) -> tuple[Number, ...]:
    """How many had each cause first, as the landmarks publish it."""
    found = records(
        con,
        "SELECT statistic_id, n, events FROM outcomes.cumulative_incidence "
        "WHERE population = 'all' AND endpoint = ? AND level = ? "
        "QUALIFY row_number() OVER (PARTITION BY cause ORDER BY months) = 1 ORDER BY cause",
        endpoint,
        level,
    )
    return tuple(
        Number(r["statistic_id"], c, number(r[c], 0)) for r in found for c in ("n", "events")
    )

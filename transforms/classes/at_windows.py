"""The class of each lesion and of each patient at fixed times after treatment.

The assessment nearest to the day aimed at decides, of two as near the earlier; the class is its
own, not the best so far. Assessments after other treatment began do not count. Progression stays:
whoever was progressive up to a time point's last day is progressive at it and at every later one.
Everyone in the denominators of best response has a row at every time point; whoever has no
assessment that counts is NE, with the reason.

Source: RECIST 1.1, Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.4 (the response at a
time point). The days are the registry's convention: series report response at 3 and at 6 months
(Braat et al. 2019; Garin et al., DOSISPHERE-01).
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.sections.reading import ReadingSettings
from schemas.settings import ResponseSettings
from schemas.tables.class_marts import (
    CountedReaders,
    LesionResponseAtWindow,
    SubjectResponseAtWindow,
)
from schemas.tables.intermediate import Anchors, DeathClaims, LastAlive, Sessions
from schemas.tables.marts import (
    FollowedLesions,
    LesionAssessments,
    LesionResponse,
    SubjectAssessments,
    SubjectResponse,
)
from schemas.tables.registry import SubsequentTherapies
from transforms.classes.counted_readers import counted
from transforms.joins import looked_up
from transforms.response.baselines import moment
from transforms.response.window import closing_day, closing_days, lesion_closing_days

_LESION = ("subject_id", "lesion_number", "criterion")
_SUBJECT = ("subject_id", "organ", "criterion")
_FARTHER = 10**7
"""More than any moment: distance goes before the day."""
NEVER_JUDGED = ("not_a_recist_target", "never_measured")
"""Reasons of best response that hold at every time point."""


def lesion_response_at_window(
    lesion_response: Table[LesionResponse],
    lesion_assessments: Table[LesionAssessments],
    followed_lesions: Table[FollowedLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    death_claims: Table[DeathClaims],
    last_alive: Table[LastAlive],
    *,
    settings: ResponseSettings,
) -> Table[LesionResponseAtWindow]:
    """Class every index lesion at every time point."""
    lesions = followed_lesions.select(
        "subject_id", "lesion_number", "lobe", liver=followed_lesions.organ == "liver"
    )
    closing = lesion_closing_days(anchors, sessions, subsequent_therapies, settings)
    closed = looked_up(lesions, closing, "subject_id")
    known = closed.select("subject_id", "lesion_number", closed_day=closing_day(closed))
    best = lesion_response.filter(lesion_response.confirmation == "unconfirmed")
    named = ("subject_id", "lesion_number")
    units = looked_up(best.select(*_LESION, "treated", "reason"), known, named)
    units = followed(units, anchors, death_claims, last_alive)
    read = lesion_assessments.filter(lesion_assessments.reader == settings.reader)
    return conform(
        placed(units, read.filter(read.in_window), _LESION, settings), LesionResponseAtWindow
    )


def subject_response_at_window(
    subject_response: Table[SubjectResponse],
    subject_assessments: Table[SubjectAssessments],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    death_claims: Table[DeathClaims],
    last_alive: Table[LastAlive],
    counted_readers: Table[CountedReaders],
    *,
    settings: ResponseSettings,
    reading: ReadingSettings,
) -> Table[SubjectResponseAtWindow]:
    """Class every treated subject at every time point, as a whole and by organ."""
    closing = closing_days(anchors, sessions, subsequent_therapies, settings)
    best = subject_response.filter(subject_response.confirmation == "unconfirmed")
    units = looked_up(best.select(*_SUBJECT, "reason"), closing, "subject_id")
    units = followed(units, anchors, death_claims, last_alive)
    read = counted(subject_assessments, counted_readers, settings, reading)
    return conform(
        placed(units, read.filter(read.in_window), _SUBJECT, settings), SubjectResponseAtWindow
    )


def followed(
    units: ir.Table, anchors: ir.Table, death_claims: ir.Table, last_alive: ir.Table
) -> ir.Table:
    """The units with the days of death and of the last evidence of life."""
    t0 = anchors.select("subject_id", "t0_date")
    died = death_claims.select("subject_id", "death_date")
    alive = last_alive.select("subject_id", "last_alive_date")
    known = looked_up(looked_up(t0, died, "subject_id"), alive, "subject_id")
    days = known.select(
        "subject_id",
        death_day=known.death_date.delta(known.t0_date, unit="day"),
        last_alive_day=known.last_alive_date.delta(known.t0_date, unit="day"),
    )
    return looked_up(units, days, "subject_id")


def placed(
    units: ir.Table, read: ir.Table, by: tuple[str, ...], settings: ResponseSettings
) -> ir.Table:
    """Every unit at every time point.

    Args:
        units: with `reason` of the best response, `closed_day` and the columns of `followed`.
        read: the assessments that count: `rel_day`, `modality`, `response` and `rule`.
        by: what a unit is known by in both.
        settings: the time points.
    """
    decided = looked_up(units, _decided(read, by, settings), by)
    return ibis.union(*(_at(decided, *days) for days in settings.windows))


def _decided(read: ir.Table, by: tuple[str, ...], settings: ResponseSettings) -> ir.Table:
    """One row per unit with an assessment that counts: the nearest of each time point."""
    parts: dict[str, ir.Value] = {"first_pd": read.rel_day.min(where=read.response == "PD")}
    for first, at, last in settings.windows:
        inside = (read.rel_day >= first) & (read.rel_day <= last)
        distance = (read.rel_day - at).abs() * _FARTHER + moment(read)
        for name in ("rel_day", "response", "rule"):
            parts[f"{name}_{at}"] = read[name].argmin(distance, where=inside)
    return read.group_by(by).agg(**parts)


def _at(decided: ir.Table, first: int, at: int, last: int) -> ir.Table:
    """The units at one time point."""
    progressive = (decided.first_pd <= last).fill_null(False)
    response = ibis.cases(
        (progressive, "PD"),
        (decided[f"response_{at}"].notnull(), decided[f"response_{at}"]),
        else_="NE",
    )
    known = decided.mutate(
        at_days=ibis.literal(at, "int64"),
        response=response,
        evaluable=response != "NE",
        assessment_day=progressive.ifelse(decided.first_pd, decided[f"rel_day_{at}"]),
        never=decided.reason.isin(NEVER_JUDGED).ifelse(decided.reason, None),
    )
    reason = ibis.cases(
        (known.response != "NE", ibis.null("string")),
        (known[f"rule_{at}"].notnull(), known[f"rule_{at}"]),
        (known.never.notnull(), known.never),
        ((known.death_day <= last).fill_null(False), "died_before_it"),
        ((known.closed_day <= last).fill_null(False), "window_closed"),
        ((known.last_alive_day < first).fill_null(False), "not_followed_to_it"),
        else_="no_assessment_near_it",
    )
    return known.mutate(reason=reason).drop("never", *_of_windows(decided))


def _of_windows(decided: ir.Table) -> list[str]:
    """The columns that each time point has of its own."""
    stems = ("rel_day_", "response_", "rule_")
    return [name for name in decided.columns if name.startswith(stems)]

"""Deaths by their recorded cause, and patients who meet the picture of REILD.

Deaths up to a day are over the patients who are dead by then or were followed to it, as those of
any cause are; at any time over all treated. A cause that nobody recorded is `unknown`. Candidates
for REILD are over those of whom a bilirubin was measured in its days: whoever was not seen then is
in neither count. They wait for adjudication: the share is not a rate of confirmed disease.

Source: exact limits by Clopper and Pearson, Biometrika 1934;26:404. Series report deaths of liver
failure and of treatment beside all (Braat 2019, Currie 2019, Zuckerman 2019).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.estimators.proportions import exact
from analytics.fetched import fetched_records
from analytics.outcomes.early_mortality import NOBODY
from schemas.contract import Table, conform, rows
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.event_marts import Deaths, SubjectReild
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import TimeToEvent
from schemas.tables.outcomes.base import MemberSets
from schemas.tables.outcomes.mortality import (
    DEATH_CATEGORIES,
    REILD_CATEGORIES,
    DeathCauses,
    ReildSummary,
)

ANY = "any"
NOT_OBSERVED = "no laboratory results delivered, or no bilirubin in the days of REILD"


def death_causes(
    deaths: Table[Deaths],
    time_to_event: Table[TimeToEvent],
    population_members: Table[PopulationMembers],
    *,
    settings: SurvivalSettings,
) -> Table[DeathCauses]:
    """Count the deaths of each cause up to each day, and at any time."""
    days = settings.early_mortality_days
    counted = fetched_records(_deaths, deaths, time_to_event, population_members, days=days)
    by_key = {(r["population"], r["time_window"]): r for r in counted}
    records: list[dict[str, Any]] = [
        {"population": population, "time_window": window, "cause": cause}
        | _share(by_key.get((population, window), {}), cause, NOBODY, "n_deaths")
        for population in populations(population_members)
        for window in (*(f"d{d}" for d in days), ANY)
        for cause in DEATH_CATEGORIES
    ]
    for record in records:
        record["statistic_id"] = statistic_id(DeathCauses, record)
    return rows(records, DeathCauses)


def death_causes_sets(
    deaths: Table[Deaths], time_to_event: Table[TimeToEvent], *, settings: SurvivalSettings
) -> Table[MemberSets]:
    """Name who died of each cause."""
    dead = _followed(deaths, time_to_event)
    names = [
        (died & _is_cause(dead, cause)).ifelse(
            set_id_column("death_causes", ibis.literal(window), ibis.literal(cause)),
            ibis.null("string"),
        )
        for window, died, _ in _windows(dead, settings.early_mortality_days)
        for cause in DEATH_CATEGORIES
    ]
    named = dead.select(
        "subject_id",
        lesion_number=ibis.literal(0, "int64"),
        set_id=ibis.array(names).unnest(),  # a union of as many parts takes a third of a second
    )
    return conform(named.filter(named.set_id.notnull()), MemberSets)


def reild_summary(
    subject_reild: Table[SubjectReild], population_members: Table[PopulationMembers]
) -> Table[ReildSummary]:
    """Count who meets the picture of REILD, of those observed in its days."""
    counted = fetched_records(_reild, subject_reild, population_members)
    by_key = {r["population"]: r for r in counted}
    records: list[dict[str, Any]] = [
        {"population": population, "category": category}
        | _share(by_key.get(population, {}), category, NOT_OBSERVED, "n_not_observed")
        for population in populations(population_members)
        for category in REILD_CATEGORIES
    ]
    for record in records:
        record["statistic_id"] = statistic_id(ReildSummary, record)
    return rows(records, ReildSummary)


def reild_summary_sets(subject_reild: Table[SubjectReild]) -> Table[MemberSets]:
    """Name who meets the picture of REILD."""
    parts = [
        subject_reild.filter(_is_reild(subject_reild, category)).select(
            "subject_id",
            lesion_number=ibis.literal(0, "int64"),
            set_id=set_id_column("reild_summary", ibis.literal(category)),
        )
        for category in REILD_CATEGORIES
    ]
    return conform(ibis.union(*parts), MemberSets)


def _followed(deaths: ir.Table, time_to_event: ir.Table) -> ir.Table:
    """Treated subjects with their time of overall survival and what is recorded of their death."""
    lived = time_to_event.filter(time_to_event.endpoint == "OS").select(
        "subject_id", "time_days", "event"
    )
    told = deaths.select(
        "subject_id", "treatment_related", recorded="cause", called_dead=ibis.literal(True)
    )
    joined = lived.left_join(told, "subject_id")
    return joined.drop("subject_id_right")


def _windows(
    t: ir.Table, days: Sequence[int]
) -> list[tuple[str, ir.BooleanValue, ir.BooleanValue]]:
    """Each window, who died in it, and who is in its total."""
    told = [(f"d{d}", t.event & (t.time_days <= d), t.time_days >= d) for d in days]
    ever = (t.event | t.called_dead.fill_null(False), t.time_days >= 0)
    return [(name, died, died | reached) for name, died, reached in told] + [(ANY, *ever)]


def _is_cause(t: ir.Table, cause: str) -> ir.BooleanValue:
    if cause == "treatment_related":
        return t.treatment_related.fill_null(False)
    return t.recorded.fill_null("unknown") == cause


def _deaths(
    deaths: ir.Table,
    time_to_event: ir.Table,
    population_members: ir.Table,
    *,
    days: tuple[int, ...],
) -> ir.Table:
    members = population_members.select("population", "subject_id")
    t = _followed(deaths, time_to_event).inner_join(members, "subject_id")
    parts = [
        t.group_by("population")
        .agg(
            total=counts.sum(),
            n_deaths=died.sum(),
            **{f"n_{cause}": (died & _is_cause(t, cause)).sum() for cause in DEATH_CATEGORIES},
        )
        .mutate(time_window=ibis.literal(window))
        for window, died, counts in _windows(t, days)
    ]
    return ibis.union(*parts)


def _is_reild(t: ir.Table, category: str) -> ir.BooleanValue:
    if category in ("candidate", "excluded"):
        return t[category].fill_null(False)
    grade = int(category.removeprefix("grade_"))
    return (t.candidate & (t.braat_grade == grade)).fill_null(False)


def _reild(subject_reild: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    t = subject_reild.inner_join(members, "subject_id")
    return t.group_by("population").agg(
        total=t.observed.sum(),
        n_not_observed=(~t.observed).sum(),
        **{f"n_{category}": _is_reild(t, category).sum() for category in REILD_CATEGORIES},
    )


def _share(found: Mapping[str, Any], category: str, reason: str, beside: str) -> dict[str, Any]:
    told = {"n": 0, "total": 0, beside: found.get(beside) or 0}
    if not found.get("total"):
        return told | {"reason": reason}
    n, total = found[f"n_{category}"], found["total"]
    share = exact(n, total)
    told |= {"n": n, "total": total, "pct": share.pct}
    return told | {"lower": share.lower, "upper": share.upper}

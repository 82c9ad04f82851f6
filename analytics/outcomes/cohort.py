"""Count who entered the series, and at which rule the others left.

Rules are asked in the source's order. A patient leaves at the first rule that is not passed. A rule
that cannot be answered takes the patient out as well, but is counted apart: unknown is never pass,
and never fail. A rule for which the source gives no limits takes nobody out and says so.

A patient whose death was set aside is still counted, as alive; whoever reads the flow of patients
must see that such rows exist. The first step says how many, of which table; which rows and why is
in `quality.quarantine`.

Source: rules of Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894; the table follows the
STROBE statement's flow of participants (von Elm et al., Lancet 2007;370:1453-1457).
"""

from collections import Counter
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.fetched import fetched_records, whole
from schemas.contract import Table, conform, rows
from schemas.records.eligibility import NOT_SPECIFIED, RULES
from schemas.statistic_ids import set_id_column, slug_column, statistic_id
from schemas.tables.intermediate import PopulationMembers, SetAside
from schemas.tables.marts import Eligibility, FactorLevels, Subjects
from schemas.tables.outcomes import Attrition, MemberSets

OPENING = (
    ("delivered", "Patients delivered by the centre"),
    ("treated", "At least one administered 90Y session"),
)
STEPS = (*OPENING, *((rule.rule_id, rule.wording) for rule in RULES))
TREATED_STEP = 1
Left = Counter[tuple[int | None, bool]]
"""(step at which patients left, or None for those who stay; whether it was unknown) -> patients."""


def attrition(
    eligibility: Table[Eligibility], subjects: Table[Subjects], set_aside: Table[SetAside]
) -> Table[Attrition]:
    """Count the patients in, out and unknown at each step, over all sites and at each."""
    by_population: dict[str, Left] = {"all": Counter()}
    for row in fetched_records(_counted, eligibility, subjects):
        for population in ("all", f"site:{row['site_id']}"):
            left = by_population.setdefault(population, Counter())
            left[row["step"], row["unknown"]] += row["n"]
    notes, lost = _notes(eligibility), _rows_lost(set_aside)
    return rows(
        [
            record
            for name, left in sorted(by_population.items())
            for record in _steps(name, left, notes | {OPENING[0][0]: lost.get(name)})
        ],
        Attrition,
    )


def _counted(eligibility: ir.Table, subjects: ir.Table) -> ir.Table:
    leaving = _leaving(eligibility, subjects)
    return leaving.group_by("site_id", "step", "unknown").agg(n=leaving.count())


def delivered_sets(subjects: Table[Subjects]) -> Table[MemberSets]:
    """Name who was delivered, treated or not: `delivered.all` and `delivered.site:<id>`."""
    everybody = subjects.mutate(set_id=ibis.literal("delivered.all"))
    of_site = subjects.mutate(set_id=set_id_column("delivered", "site:" + subjects.site_id))
    named = everybody.union(of_site).mutate(lesion_number=ibis.literal(0))
    return conform(named, MemberSets)


def attrition_sets(eligibility: Table[Eligibility], subjects: Table[Subjects]) -> Table[MemberSets]:
    """Name who is left after each step."""
    leaving = _leaving(eligibility, subjects)
    steps = ibis.memtable([(n,) for n in range(len(STEPS))], schema={"after": "int64"})
    paired = leaving.cross_join(steps)
    staying = paired.filter(paired.step.isnull() | (paired.step > paired.after))
    named = staying.mutate(
        set_id=set_id_column("attrition", staying.after.cast("string")),
        lesion_number=ibis.literal(0),
    )
    return conform(named, MemberSets)


def population_members_sets(
    population_members: Table[PopulationMembers],
) -> Table[MemberSets]:
    """Name who is in each population: `population.<population>`."""
    named = population_members.mutate(
        set_id=set_id_column("population", population_members.population),
        lesion_number=ibis.literal(0),
    )
    return conform(named, MemberSets)


def factor_levels_sets(factor_levels: Table[FactorLevels]) -> Table[MemberSets]:
    """Name who is at each level of a factor: `factor.<factor>.<level>`, or with `.<endpoint>`."""
    level = set_id_column("factor", factor_levels.factor, factor_levels.factor_level)
    of_endpoint = level.concat(".", slug_column(factor_levels.endpoint))
    named = factor_levels.mutate(
        set_id=(factor_levels.endpoint == "").ifelse(level, of_endpoint),
        lesion_number=ibis.literal(0),
    )
    return conform(named, MemberSets)


def _leaving(eligibility: ir.Table, subjects: ir.Table) -> ir.Table:
    """The step at which each subject leaves, null for those who stay, and whether as unknown."""
    numbers = {rule_id: n for n, (rule_id, _) in enumerate(STEPS)}
    assessed = eligibility.filter(
        (eligibility.reason.fill_null("") != NOT_SPECIFIED) & (eligibility.status != "pass")
    )
    step = ibis.cases(*((assessed.rule_id == rule, n) for rule, n in numbers.items()))
    # One number orders the steps and keeps the status: twice the step, one more where unknown.
    coded = step.cast("int64") * 2 + (assessed.status == "unknown").cast("int64")
    first = assessed.group_by("subject_id").agg(code=coded.min())
    placed = subjects.left_join(first, "subject_id").drop("subject_id_right")
    code = ibis.ifelse(placed.treated, placed.code, TREATED_STEP * 2)
    return placed.select(
        "subject_id",
        "site_id",
        step=(code // 2).cast("int64"),
        unknown=(code % 2 == 1).fill_null(False),
    )


def _rows_lost(set_aside: ir.Table) -> dict[str, str]:
    """How many rows of which table were set aside, over all sites and at each."""
    lost: dict[str, Counter[str]] = {}
    for row in fetched_records(whole, set_aside):
        for population in ("all", f"site:{row['site_id']}"):
            lost.setdefault(population, Counter())[row["table_name"]] += row["quarantined"]
    return {
        population: "rows set aside: "
        + ", ".join(f"{n} of {table}" for table, n in sorted(counted.items()))
        for population, counted in lost.items()
    }


def _notes(eligibility: ir.Table) -> dict[str, str | None]:
    """The rules that were asked of nobody, because the source gives no limits."""
    return {r["rule_id"]: NOT_SPECIFIED for r in fetched_records(_asked_of_nobody, eligibility)}


def _asked_of_nobody(eligibility: ir.Table) -> ir.Table:
    left_open = eligibility.reason.fill_null("") == NOT_SPECIFIED
    asked = eligibility.group_by("rule_id").agg(n_asked=(~left_open).sum())
    return asked.filter(asked.n_asked == 0)


def _steps(population: str, left: Left, notes: dict[str, str | None]) -> list[dict[str, Any]]:
    n_in = left.total()
    steps = []
    for step, (rule_id, label) in enumerate(STEPS):
        n_excluded, n_unknown = left[step, False], left[step, True]
        n_out = n_in - n_excluded - n_unknown
        record: dict[str, Any] = {
            "population": population,
            "step": step,
            "rule_id": rule_id,
            "label": label,
            "n_in": n_in,
            "n_excluded": n_excluded,
            "n_unknown": n_unknown,
            "n_out": n_out,
            "note": notes.get(rule_id),
        }
        steps.append(record | {"statistic_id": statistic_id(Attrition, record)})
        n_in = n_out
    return steps

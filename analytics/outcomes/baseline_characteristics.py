"""Table 1: the patients' characteristics, overall and at each level of a factor.

Counts and percentages of those with a value, medians and quartiles, how many have none, and between
the two levels of a factor the standardised difference, which does not grow with the number of
patients as a p value does.

Source: standardised difference: Austin, Stat Med 2009;28:3083-3107, for means and for proportions,
with the standard deviation pooled as the root of the mean of both variances. Quartiles: type 7 of
Hyndman and Fan, Am Stat 1996;50:361-365 (R's default).
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.fetched import fetched_records
from schemas.contract import Table, conform, key, rows
from schemas.records.factors import EVERY_ENDPOINT, PROGNOSTIC
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import FactorLevels, Subjects
from schemas.tables.outcomes import BaselineCharacteristics, MemberSets

NUMBERS = (
    "age_years",
    "ki67_pct",
    "tumour_burden_pct",
    "bilirubin_mg_dl",
    "albumin_g_dl",
    "inr",
    "lymphocytes_10e9_l",
    "albi_score",
    "child_pugh_points",
    "n_sessions",
    "n_lesions",
)
CATEGORIES = (
    "t0_year",
    "sex",
    "primary_site",
    "tumour_grade",
    "functioning",
    "extrahepatic_disease",
    "ecog",
    "tumour_burden_category",
    "ascites",
    "encephalopathy_grade",
    "carcinoid_symptoms",
    "prior_liver_directed",
    "prior_systemic",
    "octreotide_continued",
    "octreotide_prophylaxis",
    "albi_grade",
    "child_pugh_class",
    "bilobar",
    "staged",
    "device",
    "site_id",
)
SPLIT_POPULATIONS = ("all", "per_criteria")
"""A single site's table is not split: its levels would be small enough to point at patients."""

OVERALL = ("", "")
Group = tuple[str, str, str]
"""Population, factor and factor level; the last two empty overall."""
Sizes = dict[Group, tuple[int, int]]
"""Group -> number of its level, patients in it."""
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of a variable in a group, exactly; one value has no variance."""

    mean: Fraction
    variance: Fraction | None


def baseline_characteristics(
    subjects: Table[Subjects],
    factor_levels: Table[FactorLevels],
    population_members: Table[PopulationMembers],
) -> Table[BaselineCharacteristics]:
    """Describe each population, and in `all` and `per_criteria` each level of founding factors."""
    read = (population_members, factor_levels, subjects)
    sizes = _sizes(population_members, factor_levels)
    summed = fetched_records(_summed_numbers, *read)
    counted = fetched_records(_counted_levels, *read)
    records = _numbers(summed, sizes) + _categories(counted, sizes)
    for record in records:
        record["statistic_id"] = statistic_id(BaselineCharacteristics, record)
    return rows(sorted(records, key=_in_order), BaselineCharacteristics)


def _in_order(record: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(record[name] for name in key(BaselineCharacteristics))


def baseline_characteristics_sets(
    subjects: Table[Subjects], factor_levels: Table[FactorLevels]
) -> Table[MemberSets]:
    """Name who has each level, or a value; the levels of the factor are sets of their own."""
    numbers = _number_values(subjects)
    valued = numbers.filter(numbers.value.notnull()).select(
        "subject_id", "variable", level=ibis.literal("")
    )
    members = _category_values(subjects, factor_levels).union(valued)
    nothing = ibis.literal("")
    named = members.mutate(
        set_id=set_id_column(
            "baseline_characteristics", members.variable, members.level, nothing, nothing
        ),
        lesion_number=ibis.literal(0),
    )
    return conform(named, MemberSets)


def standardised_difference(one: Moments, other: Moments) -> float | None:
    """Difference of the means over the pooled standard deviation, `one` less `other`.

    Unitless; 0.1 is commonly called negligible. Zero where the means agree; null where they differ
    without any spread, or a variance is not defined. For a proportion the variance is p (1 - p).

    Source: Austin 2009, sections 2 and 3.
    """
    if one.mean == other.mean:
        return 0.0
    if one.variance is None or other.variance is None:
        return None
    pooled = (one.variance + other.variance) / 2
    if not pooled:
        return None
    return float(one.mean - other.mean) / math.sqrt(pooled)


def _groups(population_members: ir.Table, factor_levels: ir.Table) -> ir.Table:
    """Subject by subject, every group that it is counted in."""
    members = population_members.select("population", "subject_id")
    whole = members.mutate(factor=ibis.literal(""), factor_level=ibis.literal(""), level_number=0)
    of_patients = factor_levels.filter(
        factor_levels.endpoint == "", factor_levels.factor.isin(sorted(EVERY_ENDPOINT))
    )
    split = members.filter(members.population.isin(SPLIT_POPULATIONS)).inner_join(
        of_patients.select("subject_id", "factor", "factor_level", "level_number"), "subject_id"
    )
    columns = ["population", "subject_id", "factor", "factor_level"]
    numbered = [
        t.select(*columns, level_number=t.level_number.cast("int64")) for t in (whole, split)
    ]
    return numbered[0].union(numbered[1])


def _counted_groups(population_members: ir.Table, factor_levels: ir.Table) -> ir.Table:
    groups = _groups(population_members, factor_levels)
    return groups.group_by("population", "factor", "factor_level", "level_number").agg(
        n=groups.count()
    )


def _sizes(population_members: ir.Table, factor_levels: ir.Table) -> Sizes:
    """The groups to describe: a factor with one level in a population splits nothing."""
    counted = fetched_records(_counted_groups, population_members, factor_levels)
    sizes = {_group(r): (r["level_number"], r["n"]) for r in counted}
    levels: dict[tuple[str, str], int] = defaultdict(int)
    for population, factor, _ in sizes:
        levels[population, factor] += 1
    return {g: size for g, size in sizes.items() if g[1] == "" or levels[g[0], g[1]] > 1}


def _group(record: Mapping[str, Any]) -> Group:
    return record["population"], record["factor"], record["factor_level"]


def _number_values(subjects: ir.Table) -> ir.Table:
    parts = [
        subjects.select(
            "subject_id",
            variable=ibis.literal(name),
            value=subjects[name].cast("decimal(18, 6)"),
            as_float=subjects[name].cast("float64"),
        )
        for name in NUMBERS
    ]
    return ibis.union(*parts)


def _category_values(subjects: ir.Table, factor_levels: ir.Table) -> ir.Table:
    parts = [
        subjects.select(
            "subject_id",
            variable=ibis.literal(name),
            level=subjects[name].cast("string").nullif("unknown"),
        )
        for name in CATEGORIES
    ]
    prognostic = factor_levels.filter(factor_levels.factor.isin([f.factor for f in PROGNOSTIC]))
    placed = prognostic.select(
        "subject_id", variable=prognostic.factor, level=prognostic.factor_level
    )
    values = ibis.union(*parts, placed)
    return values.filter(values.level.notnull())


def _summed_numbers(
    population_members: ir.Table, factor_levels: ir.Table, subjects: ir.Table
) -> ir.Table:
    groups = _groups(population_members, factor_levels)
    values = _number_values(subjects)
    joined = groups.inner_join(values.filter(values.value.notnull()), "subject_id")
    # A square of 18 digits has 36: the engine keeps two narrow factors narrow, and overflows.
    wide = joined.value.cast("decimal(19, 6)")
    # Sums run over exact decimals, so that they do not depend on the order of the rows.
    return joined.group_by("population", "factor", "factor_level", "variable").agg(
        n=joined.count(),
        sum=wide.sum(),
        sum_of_squares=(wide * wide).cast("decimal(38, 12)").sum(),
        q1=joined.as_float.quantile(0.25),
        median=joined.as_float.quantile(0.5),
        q3=joined.as_float.quantile(0.75),
    )


def _numbers(summed: Sequence[Record], sizes: Sizes) -> list[Record]:
    numbers = {(_group(r), r["variable"]): r for r in summed}
    pairs = _pairs(sizes)
    records = []
    for group, (_, n_group) in sizes.items():
        for name in NUMBERS:
            values_of = {g: _moments(numbers.get((g, name))) for g in pairs.get(group, ())}
            r = numbers.get((group, name), {})
            n = r.get("n", 0)
            quartiles = {q: r.get(q) for q in ("median", "q1", "q3")}
            counts = {"n": n, "total": n, "missing": n_group - n}
            key = _key(group, name, "")
            records.append(key | counts | quartiles | {"smd": _between(values_of)})
    return records


def _counted_levels(
    population_members: ir.Table, factor_levels: ir.Table, subjects: ir.Table
) -> ir.Table:
    groups = _groups(population_members, factor_levels)
    joined = groups.inner_join(_category_values(subjects, factor_levels), "subject_id")
    return joined.group_by("population", "factor", "factor_level", "variable", "level").agg(
        n=joined.count()
    )


def _categories(counted: Sequence[Record], sizes: Sizes) -> list[Record]:
    counted_levels: dict[tuple[Group, str], dict[str, int]] = defaultdict(dict)
    for r in counted:
        counted_levels[_group(r), r["variable"]][r["level"]] = r["n"]
    pairs = _pairs(sizes)
    names = (*CATEGORIES, *(factor.factor for factor in PROGNOSTIC))
    records = []
    for group, (_, n_group) in sizes.items():
        for name in names:
            by_level = {g: counted_levels[g, name] for g in (group, *pairs.get(group, ()))}
            for level in sorted(counted_levels[(group[0], *OVERALL), name]) or [""]:
                shares = {g: _share(by_level[g], level) for g in pairs.get(group, ())}
                counts = _counts(by_level[group], level, n_group)
                key = _key(group, name, level)
                records.append(key | counts | {"smd": _between(shares)})
    return records


def _counts(by_level: Mapping[str, int], level: str, n_group: int) -> Record:
    n, total = by_level.get(level, 0), sum(by_level.values())
    pct = 100 * n / total if total else None
    return {"n": n, "total": total, "missing": n_group - total, "pct": pct}


def _key(group: Group, variable: str, level: str) -> Record:
    population, factor, factor_level = group
    return {
        "population": population,
        "variable": variable,
        "level": level,
        "factor": factor,
        "factor_level": factor_level,
    }


def _pairs(sizes: Sizes) -> dict[Group, tuple[Group, Group]]:
    """The two levels of each two-level factor, the bad one first, for the groups that they make."""
    by_factor: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in sorted(sizes, key=lambda g: -sizes[g][0]):
        if group[1]:
            by_factor[group[:2]].append(group)
    return {
        group: (levels[0], levels[1])
        for levels in by_factor.values()
        if len(levels) == 2
        for group in levels
    }


def _between(moments: Mapping[Group, Moments | None]) -> float | None:
    """The difference between the two groups; null overall, and where one has no value."""
    both = [m for m in moments.values() if m]
    return standardised_difference(both[0], both[1]) if len(both) == 2 else None


def _moments(summary: Mapping[str, Any] | None) -> Moments | None:
    if summary is None:
        return None
    n, total = summary["n"], Fraction(summary["sum"])
    squares = Fraction(summary["sum_of_squares"]) - total * total / n
    return Moments(total / n, squares / (n - 1) if n > 1 else None)


def _share(by_level: Mapping[str, int], level: str) -> Moments | None:
    total = sum(by_level.values())
    if not total:
        return None
    share = Fraction(by_level.get(level, 0), total)
    return Moments(share, share * (1 - share))

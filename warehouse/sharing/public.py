"""Select the aggregates that anybody may see, none of which singles out a few patients.

A count is withheld if it, or what remains of its whole, is of fewer patients than the threshold,
and so is whatever would give it back by adding and subtracting: the released counts of a family
must leave every small group undetermined. What tells of the same thing is one family: a grade and
its coarser form, a pair of terms and each of them, a response and the decrease that defines it, the
events of two endpoints of which one holds the other's. Curves are left out, landmarks that a few
events part are too, and only one population, one window and one version are shown, since the
difference of two nested groups is a group too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.records.ctcae_terms import UNIONS as UNIONS_OF_TERMS
from schemas.records.ctcae_terms import Union
from schemas.statistic_ids import joined
from schemas.tables.outcomes import LESIONS
from warehouse.engine.connections import connection
from warehouse.sharing.withholding import Group, Members, withheld

Row = dict[str, Any]

RESPONSES = ("CR", "PR", "SD", "PD", "NE")
DECREASES = ("over_50_decrease", "any_decrease")
UNIONS = {"ORR": ("CR", "PR"), "DCR": ("CR", "PR", "SD", "other")}
GRADES = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class Allowed:
    """A table of the public bundle: which rows, which columns, and how its counts are guarded."""

    table: str
    where: str
    columns: tuple[str, ...]
    guard: Callable[[list[Row], "Release", int], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Release:
    """What guarding needs of a release: its population's size and who counts in which set."""

    size: int
    units: Callable[[str], frozenset[Any]]


def tables(release: Path, threshold: int, version: str) -> dict[str, list[Row]]:
    """Every table of a public bundle, guarded.

    Args:
        release: the release's folder.
        threshold: fewer patients than this are a small cell.
        version: the CTCAE version that is shown.
    """
    with connection() as con:
        cohort = Release(len(people(con, release)), _sets(con, release))
        by_table: dict[str, list[Row]] = {}
        for allowed in ALLOWED:
            path = release / "parquet" / "outcomes" / f"{allowed.table}.parquet"
            result = con.execute(
                f"SELECT * FROM read_parquet($path) WHERE population = 'all' AND {allowed.where} "
                "ORDER BY statistic_id",
                {"path": str(path)} | ({"version": version} if "$version" in allowed.where else {}),
            )
            names = [d[0] for d in result.description or []]
            rows = [dict(zip(names, r, strict=True)) for r in result.fetchall()]
            guarded = sorted(
                allowed.guard(rows, cohort, threshold), key=lambda r: str(r["statistic_id"])
            )
            shown = ("statistic_id", *allowed.columns, "suppressed")
            by_table[allowed.table] = [{n: row.get(n) for n in shown} for row in guarded]
    return by_table


def people(con: duckdb.DuckDBPyConnection, release: Path) -> frozenset[str]:
    """Who is in the bundle's population."""
    return frozenset(s for (s, _) in _sets(con, release)("population.all"))


def counted(con: duckdb.DuckDBPyConnection, release: Path, statistics: Sequence[str]) -> pa.Table:
    """Whom these statistics count: `statistic_id` and `subject_id`, each pair once."""
    parquet = release / "parquet"
    return con.execute(
        """
        WITH shown AS (
            SELECT statistic_id, unnest(string_split(numerator_set, ' | ')) AS set_id
            FROM read_parquet($statistics) WHERE statistic_id IN (SELECT unnest($shown))
        ), sets AS (FROM read_parquet($members))
        SELECT DISTINCT statistic_id, subject_id FROM shown JOIN sets USING (set_id)
        SEMI JOIN (FROM sets WHERE set_id = 'population.all') everyone USING (subject_id)
        ORDER BY ALL
        """,
        {
            "statistics": str(parquet / "outcomes" / "statistics.parquet"),
            "members": str(parquet / "members" / "member_sets.parquet"),
            "shown": list(statistics),
        },
    ).to_arrow_table()


def told_apart(
    con: duckdb.DuckDBPyConnection, earlier: Path, now: str, threshold: int
) -> list[str]:
    """The statistics of two bundles that count the same but for a few patients.

    Args:
        con: a connection.
        earlier: `counted` of the earlier bundle, as a Parquet file.
        now: the table with that of this one.
        threshold: fewer patients than this are few.
    """
    rows = con.execute(
        f"""
        WITH one AS (FROM read_parquet($earlier)), other AS (FROM {now}),
        in_both AS (SELECT statistic_id FROM one INTERSECT SELECT statistic_id FROM other),
        apart AS (
            (SELECT * FROM one EXCEPT SELECT * FROM other)
            UNION ALL (SELECT * FROM other EXCEPT SELECT * FROM one)
        )
        SELECT statistic_id FROM apart SEMI JOIN in_both USING (statistic_id)
        GROUP BY statistic_id HAVING count(*) < $few ORDER BY statistic_id
        """,
        {"earlier": str(earlier), "few": threshold},
    ).fetchall()
    return [name for (name,) in rows]


def _count(part: str, number: int | None) -> frozenset[Any]:
    """As many members as were counted, where only their number is known."""
    return frozenset((part, n) for n in range(max(number or 0, 0)))


def _blank(row: Row, *names: str) -> Row:
    return row | dict.fromkeys(names) | {"suppressed": True}


def _families(rows: list[Row], *names: str) -> Iterable[list[Row]]:
    families: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        families.setdefault(tuple(row[n] for n in names), []).append(row)
    return families.values()


def _responses(rows: list[Row], cohort: Release, threshold: int) -> Iterable[Row]:
    """Best responses of a criterion, their unions, and the decreases that define some of them."""
    for family in _families(rows, "criterion", "level"):
        by_name = {r["category"]: r for r in family}
        first = family[0]
        level, criterion = first["level"], first["criterion"]
        parts = LESIONS[1:] if level == "lesion" else LESIONS[:1]
        kinds = [("response_summary", criterion, level, "all", p, "unconfirmed") for p in parts]
        units = {
            c: frozenset[Any]().union(*(cohort.units(joined(*kind, c)) for kind in kinds))
            for c in by_name
        }
        hidden = _hidden_responses(by_name, units, first["total"], threshold)
        few = cohort.size < threshold
        for name, row in by_name.items():
            hide = few or name in hidden
            yield _blank(row, "n", "pct", "lower", "upper") if hide else row | {"suppressed": False}


def _hidden_responses(
    rows: Mapping[str, Row], units: Members, total: int, threshold: int
) -> set[str]:
    """A part is a class and a decrease, since responders are those whose lesions shrank by half."""
    decreases = {"over_50_decrease", "any_decrease"} <= rows.keys()
    large, every = (units[c] if decreases else frozenset() for c in DECREASES)
    kinds = {"large": large, "small": every - large, "none": None}
    parts: dict[tuple[str, str], frozenset[Any]] = {}
    classes = {c: units[c] for c in RESPONSES if c in rows}
    classes["other"] = every.difference(*classes.values())
    for name, mine in classes.items():
        for kind, those in kinds.items():
            parts[name, kind] = mine - every if those is None else mine & those
    rest = total - len(frozenset().union(*parts.values()))
    members = {f"{c} {k}": _people(u) for (c, k), u in parts.items()}
    members["other none"] |= _count("other", rest)

    def where(names: Iterable[str], of: Iterable[str] = ("large", "small", "none")) -> Group:
        return frozenset(f"{c} {k}" for c in names for k in of)

    groups = {c: where([c]) for c in RESPONSES if c in rows}
    groups |= {u: where(those) for u, those in UNIONS.items() if u in rows}
    if decreases:
        groups |= {"over_50_decrease": where(classes, ["large"])}
        groups |= {"any_decrease": where(classes, ["large", "small"])}
    return withheld(groups, members, frozenset(members), threshold, yielding=DECREASES)


def _toxicity(rows: list[Row], cohort: Release, threshold: int) -> Iterable[Row]:
    """Worst grades of a term: five parts and none, any and three or more."""
    telling = {u.term for u in UNIONS_OF_TERMS if _tells(u, rows, cohort, threshold)}
    for family in _families(rows, "source", "term"):
        by_name = {r["grade"]: r for r in family}
        counts = {g: _count(g, by_name[g]["n"]) for g in GRADES if g in by_name}
        total = max(int(r["total"] or 0) for r in family)
        graded = sum(map(len, counts.values()))
        members = counts | {"0": _count("0", total - graded)}
        members["outside"] = _count("outside", cohort.size - total)
        groups = {g: frozenset({g}) for g in counts} | {"total": frozenset(members) - {"outside"}}
        groups |= {"any": frozenset(counts)} if "any" in by_name else {}
        groups |= {"ge3": frozenset(counts) & {"3", "4", "5"}} if "ge3" in by_name else {}
        hidden = withheld(groups, members, frozenset(members), threshold)
        if family[0]["term"] in telling:
            hidden |= set(by_name)
        for name, row in by_name.items():
            yield _guarded(row, name in hidden, "total" in hidden, ("pct", "lower", "upper"))


def _tells(union: Union, rows: list[Row], cohort: Release, threshold: int) -> bool:
    """Whether a pair of terms, beside each of them, counts a few who had one and not the other.

    Asked of every grade or worse, since the shown grades add up to that.
    """
    shown = next((r for r in rows if (r["source"], r["term"]) == ("event", union.term)), None)
    if shown is None:
        return False
    for least in range(len(GRADES)):
        had = [_had(term, shown, least, cohort) for term in union.members]
        patterns = Counter(
            tuple(person in those for those in had) for person in frozenset().union(*had)
        )
        if any(n < threshold for n in patterns.values()):
            return True
    return False


def _had(term: str, like: Row, least: int, cohort: Release) -> frozenset[Any]:
    """Who had a term in some grade or worse; of no known grade is had, too."""
    kind = ("toxicity_summary", "event", term, like["ctcae_version"], "primary")
    grades = [*GRADES[least:], *(["ungraded"] if least == 0 else [])]
    return frozenset().union(*(cohort.units(joined(*kind, g)) for g in grades))


def _characteristics(rows: list[Row], cohort: Release, threshold: int) -> Iterable[Row]:
    """Levels of a variable, and those without; a number is one level."""
    if cohort.size < threshold:
        rows = [_blank(r, "n", "total", "missing", "pct", "median", "q1", "q3") for r in rows]
        yield from rows
        return
    variables = {f[0]["variable"]: f for f in _families(rows, "variable")}
    for cluster in _told_twice(variables, cohort):
        hidden = _hidden_levels(cluster, variables, cohort, threshold)
        for variable in cluster:
            for row in variables[variable]:
                shown = _guarded(
                    row,
                    f"{variable}={row['level']}" in hidden,
                    f"{variable} total" in hidden,
                    ("pct", "median", "q1", "q3"),
                )
                missing = f"{variable} missing" in hidden
                yield _blank(shown, "missing") if missing else shown


def _hidden_levels(
    cluster: Sequence[str], variables: Mapping[str, list[Row]], cohort: Release, threshold: int
) -> set[str]:
    """Levels of variables that tell the same thing, each with its total and those without."""
    told = {v: _levels(variables[v], cohort) for v in cluster}
    members: dict[str, frozenset[Any]] = {}
    groups: dict[str, Group] = {}
    for person in cohort.units("population.all"):
        part = " ".join(f"{v}={told[v].get(person)}" for v in cluster)
        members[part] = members.get(part, frozenset()) | {person}
    for v in cluster:
        of: dict[str | None, set[str]] = {None: set()} | {r["level"]: set() for r in variables[v]}
        for part, people in members.items():
            of[told[v].get(next(iter(people)))].add(part)
        missing = frozenset(of.pop(None))
        groups |= {f"{v}={level}": frozenset(parts) for level, parts in of.items()}
        groups |= {f"{v} missing": missing, f"{v} total": frozenset(members) - missing}
    return withheld(groups, members, frozenset(members), threshold)


def _levels(rows: list[Row], cohort: Release) -> dict[Any, str]:
    """Who has which level of a variable."""
    kind = ("baseline_characteristics", rows[0]["variable"])
    return {
        person: r["level"]
        for r in rows
        for person in cohort.units(joined(*kind, r["level"], "", ""))
    }


def _told_twice(variables: Mapping[str, list[Row]], cohort: Release) -> list[list[str]]:
    """Variables, together where the level of one follows from that of another in every patient."""
    everyone = list(cohort.units("population.all"))
    told = {v: list(map(_levels(rows, cohort).get, everyone)) for v, rows in variables.items()}
    clusters = [[v] for v in variables]
    for fine, coarse in permutations(variables, 2):
        seen = set(zip(told[fine], told[coarse], strict=True))
        n_fine, n_coarse = (len({pair[side] for pair in seen}) for side in (0, 1))
        if len(seen) == n_fine and n_coarse > 1 and 2 * n_fine <= len(everyone):
            one, other = (next(c for c in clusters if v in c) for v in (fine, coarse))
            if one is not other:
                clusters.remove(other)
                one += other
    return clusters


def _shares(rows: list[Row], cohort: Release, threshold: int) -> Iterable[Row]:
    """Single proportions: those with it, those without, those not asked."""
    for row in rows:
        n, total = int(row["n"] or 0), int(row["total"] or 0)
        members = {
            "with": _count("with", n),
            "without": _count("without", total - n),
            "outside": _count("outside", cohort.size - total),
        }
        groups = {"n": frozenset({"with"}), "total": frozenset({"with", "without"})}
        hidden = withheld(groups, members, frozenset(members), threshold)
        yield _guarded(row, "n" in hidden, "total" in hidden, ("value", "lower", "upper"))


def _estimates(rows: list[Row], cohort: Release, threshold: int) -> Iterable[Row]:
    """Medians and landmarks: of enough units, and with enough events where these are told."""
    numbers = ("median_months", "median", "survival", "lower", "upper", "q1", "q3", "events", "n")
    parted = _hidden_landmarks(rows, threshold)
    nested = _hidden_events(rows, cohort, threshold)
    for row in rows:
        n, events, name = int(row["n"] or 0), row.get("events"), row["statistic_id"]
        least = min(n, cohort.size, row.get("at_risk", n))
        few = events is not None and (events < threshold or 0 < n - events < threshold)
        if least < threshold or 0 < cohort.size - n < threshold or name in parted:
            yield _blank(row, *numbers)
        elif few or name in nested:
            yield _blank(row, "events")
        else:
            yield row | {"suppressed": False}


def _hidden_events(rows: list[Row], cohort: Release, threshold: int) -> set[str]:
    """Events of an endpoint that are, but for a few, those of another: who died unprogressed.

    The deaths are rather told than the others.
    """
    told = {
        r["statistic_id"]: (
            r["endpoint"] != "OS",
            cohort.units(joined("events", r["endpoint"], "subject")),
        )
        for r in rows
        if r.get("events") is not None
    }
    shown: list[frozenset[Any]] = []
    hidden: set[str] = set()
    for name, (_, mine) in sorted(told.items(), key=lambda t: (t[1][0], -len(t[1][1]), t[0])):
        if any((mine < o or o < mine) and len(mine ^ o) < threshold for o in shown):
            hidden.add(name)
        else:
            shown.append(mine)
    return hidden


def _hidden_landmarks(rows: list[Row], threshold: int) -> set[str]:
    """Landmarks that a few events separate from the one shown before, or from the start.

    An event lowers the curve by one n-th or more, so that n times the fall is at least their
    number.
    """
    hidden: set[str] = set()
    landmarks = [r for r in rows if r.get("survival") is not None]
    for family in _families(landmarks, "endpoint"):
        before = 1.0
        for row in sorted(family, key=lambda r: int(r["months"])):
            if 1e-9 < (before - row["survival"]) * int(row["n"] or 0) < threshold - 1e-9:
                hidden.add(row["statistic_id"])
            else:
                before = row["survival"]
    return hidden


def _guarded(row: Row, n: bool, total: bool, numbers: tuple[str, ...]) -> Row:
    """A proportion says its numerator, so both go; without the total, the proportion goes."""
    if n or total:
        return _blank(row, *numbers, *(["n"] if n else []), *(["total"] if total else []))
    return row | {"suppressed": False}


def _sets(con: duckdb.DuckDBPyConnection, release: Path) -> Callable[[str], frozenset[Any]]:
    path = str(release / "parquet" / "members" / "member_sets.parquet")

    @cache
    def units(name: str) -> frozenset[Any]:
        """Patients, as (subject_id, 0), or their lesions."""
        rows = con.execute(
            "SELECT subject_id, lesion_number FROM read_parquet(?) WHERE set_id = ?", [path, name]
        )
        return frozenset(rows.fetchall())

    return units


def _people(units: frozenset[Any]) -> frozenset[Any]:
    """The patients of lesions, whatever number of lesions they count with."""
    return frozenset((s, 0) for s, _ in units)


OWN_EVENTS = "endpoint NOT IN ('TTF', 'TTPNT', 'PFSREC', 'TTPREC')"
"""Endpoints whose events are not those of others but for a few: a difference would tell of them."""
ALLOWED = (
    Allowed(
        "response_summary",
        "confirmation = 'unconfirmed' AND organ = 'all' AND lesions = 'all' "
        "AND category <> 'pd_before_course_end'",
        ("criterion", "level", "category", "n", "total", "pct", "lower", "upper"),
        _responses,
    ),
    Allowed(
        "toxicity_summary",
        "time_window = 'primary' AND ctcae_version = $version",
        ("source", "term", "ctcae_version", "grade", "n", "total", "pct", "lower", "upper"),
        _toxicity,
    ),
    Allowed(
        "baseline_characteristics",
        "factor = ''",
        ("variable", "level", "n", "total", "missing", "pct", "median", "q1", "q3"),
        _characteristics,
    ),
    Allowed(
        "survival_landmarks",
        f"factor = '' AND level = 'subject' AND {OWN_EVENTS}",
        ("endpoint", "months", "n", "survival", "lower", "upper"),
        _estimates,
    ),
    Allowed(
        "survival_medians",
        f"factor = '' AND level = 'subject' AND rule = 'midpoint' AND {OWN_EVENTS}",
        ("endpoint", "n", "events", "median_months", "lower", "upper", "not_reached"),
        _estimates,
    ),
    Allowed(
        "follow_up",
        "definition = 'reverse_km'",
        ("definition", "n", "median_months", "lower", "upper"),
        _estimates,
    ),
    Allowed(
        "symptom_summary",
        "unit = '%'",
        ("measure", "n", "total", "value", "lower", "upper", "unit"),
        _shares,
    ),
    Allowed(
        "adherence_summary",
        "unit = '%'",
        ("measure", "n", "total", "value", "lower", "upper", "unit"),
        _shares,
    ),
    Allowed(
        "dosimetry_summary",
        "patient_group = '' AND grain = 'subject'",
        ("measure", "n", "median", "q1", "q3", "unit"),
        _estimates,
    ),
)

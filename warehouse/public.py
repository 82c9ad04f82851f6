"""Which numbers may anybody see? Aggregates from a list, none of which singles out a few patients.

A count is withheld if it, or what remains of its whole, is of fewer patients than the threshold,
and so is whatever would give it back by adding and subtracting: the released counts of a family
must leave every small group undetermined. Curves are left out, landmarks stand in their place, and
only one population, one window and one version are shown, since the difference of two nested
groups is a group too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb

Row = dict[str, Any]
Group = frozenset[str]
Members = Mapping[str, frozenset[Any]]

RESPONSES = ("CR", "PR", "SD", "PD", "NE")
UNIONS = {"ORR": ("CR", "PR"), "DCR": ("CR", "PR", "SD", "other")}
MOST_PARTS = 12
"""Of a family with more parts, single ones, pairs and complements are guarded, not every group."""
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
    members: Callable[[str], frozenset[Any]]


def tables(release: Path, threshold: int, version: str) -> dict[str, list[Row]]:
    """Every table of a public bundle, guarded.

    Args:
        release: the release's folder.
        threshold: fewer patients than this are a small cell.
        version: the CTCAE version that is shown.
    """
    with duckdb.connect() as con:
        known = Release(len(people(con, release)), _sets(con, release))
        made: dict[str, list[Row]] = {}
        for allowed in ALLOWED:
            path = release / "parquet" / "outcomes" / f"{allowed.table}.parquet"
            found = con.execute(
                f"SELECT * FROM read_parquet($path) WHERE population = 'all' AND {allowed.where} "
                "ORDER BY statistic_id",
                {"path": str(path)} | ({"version": version} if "$version" in allowed.where else {}),
            )
            names = [d[0] for d in found.description or []]
            rows = [dict(zip(names, r, strict=True)) for r in found.fetchall()]
            guarded = allowed.guard(rows, known, threshold)
            shown = ("statistic_id", *allowed.columns, "suppressed")
            made[allowed.table] = [{n: row.get(n) for n in shown} for row in guarded]
    return made


def people(con: duckdb.DuckDBPyConnection, release: Path) -> frozenset[str]:
    """Who is in the bundle's population."""
    return frozenset(s for (s, _) in _sets(con, release)("population.all"))


def withheld(
    groups: Mapping[str, Group], members: Members, base: Group, threshold: int
) -> set[str]:
    """The counts of a family that must not be shown.

    Args:
        groups: count -> the disjoint parts that it adds up.
        members: part -> its members; their number is what must not be small.
        base: the parts whose sum is known anyhow.
        threshold: fewer members than this are few.

    Returns:
        Names of counts. What is left determines no group of few members: not a part, not a count,
        not several parts together.
    """
    every = {p for g in groups.values() for p in g} | base
    parts = sorted(p for p in every if _number(frozenset({p}), members))
    few = _few(parts, members, threshold)
    shown = [base]
    hidden: set[str] = set()
    for name in sorted(groups, key=lambda n: _rank(groups[n], members)):
        if _gives_away([*shown, groups[name]], few, parts):
            hidden.add(name)
        else:
            shown.append(groups[name])
    return hidden


def _few(parts: list[str], members: Members, threshold: int) -> list[Group]:
    """Every group of parts that has some members, but few."""
    sizes = range(1, len(parts) + 1) if len(parts) <= MOST_PARTS else (1, 2, len(parts) - 1)
    groups = (frozenset(c) for size in sizes for c in combinations(parts, size))
    return [g for g in groups if _number(g, members) < threshold]


def _gives_away(shown: list[Group], few: list[Group], parts: Sequence[str]) -> bool:
    """Whether the number of a small group follows from these sums.

    It does if the group is a combination of them: if it is orthogonal to all that they leave open.
    Empty parts are taken as known, so they are not among `parts`.
    """
    open_directions = _null_space([[Fraction(p in g) for p in parts] for g in shown], len(parts))
    place = {p: n for n, p in enumerate(parts)}
    return any(not any(sum(b[place[p]] for p in g) for b in open_directions) for g in few)


def _rank(group: Group, members: Members) -> tuple[int, int]:
    """The greatest groups are shown first, since they matter most; unions before their parts."""
    return -_number(group, members), -len(group)


def _number(group: Group, members: Members) -> int:
    return len(frozenset().union(*(members.get(p, frozenset()) for p in group)))


def _null_space(rows: list[list[Fraction]], width: int) -> list[list[Fraction]]:
    """A basis of the vectors that every row is orthogonal to, by exact elimination."""
    left = [list(r) for r in rows]
    pivots: list[int] = []
    for column in range(width):
        rank = len(pivots)
        found = next((n for n in range(rank, len(left)) if left[n][column]), None)
        if found is None:
            continue
        left[rank], left[found] = left[found], left[rank]
        scale = left[rank][column]
        left[rank] = [a / scale for a in left[rank]]
        for number, row in enumerate(left):
            if number != rank and row[column]:
                by = row[column]
                left[number] = [a - by * b for a, b in zip(row, left[rank], strict=True)]
        pivots.append(column)
    basis = []
    for free in (c for c in range(width) if c not in pivots):
        vector = [Fraction(c == free) for c in range(width)]
        for number, column in enumerate(pivots):
            vector[column] = -left[number][free]
        basis.append(vector)
    return basis


def _count(part: str, number: int | None) -> frozenset[Any]:
    """As many members as were counted, where only their number is known."""
    return frozenset((part, n) for n in range(max(number or 0, 0)))


def _blank(row: Row, *names: str) -> Row:
    return row | dict.fromkeys(names) | {"suppressed": True}


def _families(rows: list[Row], *names: str) -> Iterable[list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[n] for n in names), []).append(row)
    return found.values()


def _responses(rows: list[Row], known: Release, threshold: int) -> Iterable[Row]:
    """Best responses of a criterion: five parts, their unions, and decreases of their own."""
    for family in _families(rows, "criterion", "level"):
        by_name = {r["category"]: r for r in family}
        first = family[0]
        prefix = f"response_summary.{first['criterion']}.{first['level']}.unconfirmed."
        sets = {c: known.members(f"{prefix}{c}".lower()) for c in by_name}
        hidden = _hidden_responses(by_name, sets, first["total"], threshold)
        hidden |= _hidden_decreases(by_name, sets, first["total"], threshold)
        few = known.size < threshold
        for name, row in by_name.items():
            hide = few or name in hidden
            yield _blank(row, "n", "pct", "lower", "upper") if hide else row | {"suppressed": False}


def _hidden_responses(
    rows: Mapping[str, Row], sets: Members, total: int, threshold: int
) -> set[str]:
    rest = total - sum(int(rows[c]["n"]) for c in RESPONSES if c in rows)
    members = {c: sets.get(c, frozenset()) for c in RESPONSES} | {"other": _count("other", rest)}
    groups = {c: frozenset({c}) for c in RESPONSES if c in rows}
    groups |= {u: frozenset(parts) for u, parts in UNIONS.items() if u in rows}
    return withheld(groups, members, frozenset(members), threshold)


def _hidden_decreases(
    rows: Mapping[str, Row], sets: Members, total: int, threshold: int
) -> set[str]:
    """More than half is part of any decrease."""
    if not {"any_decrease", "over_50_decrease"} <= rows.keys():
        return set()
    large, every = sets["over_50_decrease"], sets["any_decrease"]
    rest = total - int(rows["any_decrease"]["n"])
    members = {"large": large, "small": every - large, "none": _count("none", rest)}
    groups = {
        "over_50_decrease": frozenset({"large"}),
        "any_decrease": frozenset({"large", "small"}),
    }
    return withheld(groups, members, frozenset(members), threshold)


def _toxicity(rows: list[Row], known: Release, threshold: int) -> Iterable[Row]:
    """Worst grades of a term: five parts and none, any and three or more."""
    for family in _families(rows, "source", "term"):
        by_name = {r["grade"]: r for r in family}
        counts = {g: _count(g, by_name[g]["n"]) for g in GRADES if g in by_name}
        total = max(int(r["total"] or 0) for r in family)
        graded = sum(map(len, counts.values()))
        members = counts | {"0": _count("0", total - graded)}
        members["outside"] = _count("outside", known.size - total)
        groups = {g: frozenset({g}) for g in counts} | {"total": frozenset(members) - {"outside"}}
        groups |= {"any": frozenset(counts)} if "any" in by_name else {}
        groups |= {"ge3": frozenset(counts) & {"3", "4", "5"}} if "ge3" in by_name else {}
        hidden = withheld(groups, members, frozenset(members), threshold)
        for name, row in by_name.items():
            yield _guarded(row, name in hidden, "total" in hidden, ("pct", "lower", "upper"))


def _characteristics(rows: list[Row], known: Release, threshold: int) -> Iterable[Row]:
    """Levels of a variable, and those without; a number is one level."""
    if known.size < threshold:
        rows = [_blank(r, "n", "total", "missing", "pct", "median", "q1", "q3") for r in rows]
        yield from rows
        return
    for family in _families(rows, "variable"):
        counts = {f"={r['level']}": _count(r["level"], r["n"]) for r in family}
        members = counts | {"missing": _count("missing", family[0]["missing"])}
        groups = {n: frozenset({n}) for n in members} | {"total": frozenset(counts)}
        hidden = withheld(groups, members, frozenset(members), threshold)
        for row in family:
            shown = _guarded(
                row,
                f"={row['level']}" in hidden,
                "total" in hidden,
                ("pct", "median", "q1", "q3"),
            )
            yield _blank(shown, "missing") if "missing" in hidden else shown


def _shares(rows: list[Row], known: Release, threshold: int) -> Iterable[Row]:
    """Single proportions: those with it, those without, those not asked."""
    for row in rows:
        n, total = int(row["n"] or 0), int(row["total"] or 0)
        members = {
            "with": _count("with", n),
            "without": _count("without", total - n),
            "outside": _count("outside", known.size - total),
        }
        groups = {"n": frozenset({"with"}), "total": frozenset({"with", "without"})}
        hidden = withheld(groups, members, frozenset(members), threshold)
        yield _guarded(row, "n" in hidden, "total" in hidden, ("value", "lower", "upper"))


def _estimates(rows: list[Row], known: Release, threshold: int) -> Iterable[Row]:
    """Medians and landmarks: of enough units, and with enough events where these are told."""
    numbers = ("median_months", "median", "survival", "lower", "upper", "q1", "q3", "events", "n")
    for row in rows:
        n, events = int(row["n"] or 0), row.get("events")
        at_risk = row.get("at_risk", n)
        if min(n, known.size) < threshold or at_risk < threshold or 0 < known.size - n < threshold:
            yield _blank(row, *numbers)
        elif events is not None and (events < threshold or 0 < n - events < threshold):
            yield _blank(row, "events")
        else:
            yield row | {"suppressed": False}


def _guarded(row: Row, n: bool, total: bool, numbers: tuple[str, ...]) -> Row:
    """A proportion says its numerator, so both go; without the total, the proportion goes."""
    if n or total:
        return _blank(row, *numbers, *(["n"] if n else []), *(["total"] if total else []))
    return row | {"suppressed": False}


def _sets(con: duckdb.DuckDBPyConnection, release: Path) -> Callable[[str], frozenset[Any]]:
    path = str(release / "parquet" / "members" / "member_sets.parquet")

    def members(name: str) -> frozenset[Any]:
        """Patients, whatever number of lesions they count with."""
        found = con.execute(
            "SELECT DISTINCT subject_id FROM read_parquet(?) WHERE set_id = ?", [path, name]
        )
        return frozenset((s, 0) for (s,) in found.fetchall())

    return members


ALLOWED = (
    Allowed(
        "response_summary",
        "confirmation = 'unconfirmed'",
        ("criterion", "level", "category", "n", "total", "pct", "lower", "upper"),
        _responses,
    ),
    Allowed(
        "toxicity_summary",
        "\"window\" = 'primary' AND ctcae_version = $version",
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
        "factor = '' AND level = 'subject'",
        ("endpoint", "months", "n", "survival", "lower", "upper"),
        _estimates,
    ),
    Allowed(
        "survival_medians",
        "factor = '' AND level = 'subject' AND rule = 'midpoint'",
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
        "\"group\" = '' AND grain = 'subject'",
        ("measure", "n", "median", "q1", "q3", "unit"),
        _estimates,
    ),
)

"""Trace a number to its source rows, and a source row to its numbers, without rebuilding.

From a statistic: its members, what each of them was decided by, and the lines of the delivered
files behind it. From a line: the rows of ours made from it, every mart row of its subject that lies
downstream, and every statistic that can move. The second answer may be too wide, never too narrow.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb

from schemas.errors import Refused
from schemas.settings import Registry
from schemas.statistic_ids import population_of, row_ids, slug, table_of
from warehouse.engine.connections import connection, of_registry
from warehouse.engine.lineage_facts import REGISTRY_WIDE, SITE_WIDE, Reach, reach
from warehouse.loading import delivery_cache as loaded
from warehouse.loading import row_index as rows
from warehouse.releases import former_names, releases
from warehouse.store import Store

TOLD = (
    "rule",
    "response",
    "best_response",
    "status",
    "cause",
    "factor_level",
    "worst_grade",
    "reason",
)
"""Columns of a mart that say what was decided, in the order in which they are told."""
SAME_MEANING = {"analyte": "term"}
"""Mart column -> column of an outcome's key that holds the same codes."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a delivered file."""

    site_id: str
    file: str
    row: int
    table: str

    def __str__(self) -> str:
        return f"{self.site_id}: {self.file} row {self.row} ({self.table})"


@dataclass(frozen=True, slots=True)
class Decision:
    """A mart row that decided for a member, and the lines that it names."""

    mart: str
    key: dict[str, Any]
    told: dict[str, Any]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A subject or lesion that a statistic is about; `counted` if it is in the numerator."""

    subject_id: str
    lesion_number: int
    counted: bool
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class StatisticTrace:
    """A statistic and everyone in it."""

    statistic: dict[str, Any]
    key: dict[str, Any]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A row of a registry table that was made from a line."""

    table: str
    row_id: str
    subject_id: str
    rule_id: str | None
    """The rule that set it aside; None if it was accepted."""


@dataclass(frozen=True, slots=True)
class RowTrace:
    """What a line can touch."""

    made: tuple[Made, ...]
    decides: tuple[tuple[str, dict[str, Any]], ...]
    """Mart rows that name it."""
    marts: dict[str, int]
    """Mart -> rows of its subjects: all of them can move."""
    site_wide: tuple[str, ...]
    """Marts in which rows of other subjects of the site can move."""
    statistics: tuple[str, ...]


def of_statistic(
    store: Store, registry: Registry, key: bytes, release: Path, statistic: str
) -> StatisticTrace:
    """Trace a statistic back to delivered lines.

    Raises:
        Refused: the release has no such statistic; the nearest are named.
    """
    with connection() as con:
        published = statistic_row(con, release, statistic)
        facts = reach(store)
        target = table_of(published["statistic_id"])
        outcome = _outcome_key(con, release, facts, target, published["statistic_id"])
        members = _members(con, release, published)
        where = _lines(con, store, registry, key, release)
        by_member = _decisions(con, release, facts, target, outcome, members, where)
    told = tuple(
        Member(s, n, counted, tuple(by_member.get((s, n), ()))) for (s, n), counted in members
    )
    return StatisticTrace(published, outcome, told)


def of_line(
    store: Store, registry: Registry, key: bytes, release: Path, site_id: str, file: str, row: int
) -> RowTrace:
    """Trace a delivered line forward to everything it can touch.

    Args:
        store: the store.
        registry: today's registry: who has withdrawn consent is in no trace.
        key: the registry's key.
        release: the release whose delivery is meant.
        site_id: the site.
        file: the file inside the delivery.
        row: the line, counted from 1 after the header.

    Raises:
        Refused: the site has no such file, or the file no such row that holds something.
    """
    path = _index(store, registry, key, release, site_id)
    with connection() as con:
        rows = con.execute(
            "SELECT DISTINCT table_name, row_id, subject_id, min(rule_id) FROM read_parquet($path) "
            "WHERE source_file = $file AND source_row = $row GROUP BY ALL ORDER BY ALL",
            {"path": str(path), "file": file, "row": row},
        ).fetchall()
        if not rows:
            raise _no_line(con, path, site_id, file, row)
        return _touched(con, release, reach(store), site_id, [Made(*f) for f in rows])


def touched(facts: Reach, tables: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
    """Marts of the row's own subject, marts of its whole site, and outcomes, that can move."""
    below = facts.downstream(tables)
    return (
        facts.released(below, "marts"),
        facts.released(_resting_on(facts, below, SITE_WIDE), "marts"),
        facts.released(below, "outcomes"),
    )


def everywhere(facts: Reach, tables: Iterable[str]) -> list[str]:
    """Outcomes that can move in the populations of other sites too."""
    below = facts.downstream(tables)
    return facts.released(_resting_on(facts, below, REGISTRY_WIDE), "outcomes")


def _resting_on(facts: Reach, below: set[str], wide: frozenset[str]) -> set[str]:
    return {n for n in below if facts.upstream(n) & wide & below}


def statistic_row(con: duckdb.DuckDBPyConnection, release: Path, statistic: str) -> dict[str, Any]:
    """The row of a statistic.

    Raises:
        Refused: there is none; the nearest ids are named.
    """
    path = _parquet(release, "outcomes/statistics")
    own = former_names.renamed_id("statistic_id") if former_names.used_by(release) else "NULL"
    query = f"SELECT * FROM read_parquet($path) WHERE $id IN (statistic_id, {own})"
    result = con.execute(query, {"path": path, "id": statistic.lower()})
    names = [d[0] for d in result.description or []]
    row = result.fetchone()
    if row is None:
        raise unknown_statistic(con, release, statistic)
    return dict(zip(names, row, strict=True))


def unknown_statistic(con: duckdb.DuckDBPyConnection, release: Path, statistic: str) -> Refused:
    """What to say of an id that a release does not have."""
    path = _parquet(release, "outcomes/statistics")
    near = con.execute(
        "SELECT statistic_id FROM read_parquet($path) "
        "ORDER BY jaro_winkler_similarity(statistic_id, $id) DESC, statistic_id LIMIT 3",
        {"path": path, "id": statistic.lower()},
    ).fetchall()
    listed = ", ".join(n for (n,) in near)
    return Refused(
        f"statistic {statistic}: release {release.name} has none of that id. Did you mean {listed}?"
    )


def _parquet(release: Path, place: str) -> str:
    return str(release / "parquet" / f"{place}.parquet")


def _outcome_key(
    con: duckdb.DuckDBPyConnection, release: Path, facts: Reach, target: str, statistic: str
) -> dict[str, Any]:
    """The key of the row in its own table; a second number of a row has its column at the end."""
    names = facts.keys[target]
    columns = ", ".join(f'"{n}"' for n in names)
    row = con.execute(
        f"SELECT {columns} FROM read_parquet($path) WHERE statistic_id IN (SELECT unnest($ids))",
        {"path": _parquet(release, f"outcomes/{target}"), "ids": list(row_ids(statistic))},
    ).fetchone()
    return dict(zip(names, row or (), strict=False))


def _members(
    con: duckdb.DuckDBPyConnection, release: Path, statistic: Mapping[str, Any]
) -> list[tuple[tuple[str, int], bool]]:
    """The numerator's members, or everyone where the number counts nobody."""
    sets = str(statistic["population_set"]).split(" & ")
    path = _parquet(release, "members/member_sets")
    con.execute(
        "CREATE TEMP TABLE everyone AS SELECT subject_id FROM read_parquet($path) "
        "WHERE set_id IN (SELECT unnest($sets)) GROUP BY ALL "
        "HAVING count(DISTINCT set_id) = len($sets)",
        {"path": path, "sets": sets},
    )
    counted = con.execute(
        "SELECT subject_id, lesion_number FROM read_parquet($path) "
        "WHERE set_id IN (SELECT unnest($sets)) AND subject_id IN (FROM everyone) "
        "GROUP BY ALL ORDER BY ALL",
        {"path": path, "sets": str(statistic["numerator_set"] or "").split(" | ")},
    ).fetchall()
    if counted or statistic["method"] in ("proportion", "count"):
        return [((s, int(n)), True) for s, n in counted]
    members = con.execute("FROM everyone ORDER BY ALL").fetchall()
    return [((s, 0), False) for (s,) in members]


def _decisions(
    con: duckdb.DuckDBPyConnection,
    release: Path,
    facts: Reach,
    target: str,
    outcome: Mapping[str, Any],
    members: list[tuple[tuple[str, int], bool]],
    where: Mapping[str, Line],
) -> dict[tuple[str, int], list[Decision]]:
    """What decided for each member, mart by mart, the nearest to the statistic first."""
    decided: dict[tuple[str, int], list[Decision]] = {m: [] for m, _ in members}
    days: dict[str, set[int]] = {}
    for mart in _marts(facts, target, outcome):
        waiting = {m for m in decided if not any(d.lines for d in decided[m])}
        by_member: dict[tuple[str, int], list[Decision]] = {m: [] for m in waiting}
        published = facts.places[mart].split("/")[1]
        for record in _rows(con, release, facts.places[mart], outcome, waiting):
            subject = record["subject_id"]
            if "rel_day" in record and record["rel_day"] not in days.get(subject, ()):
                continue
            days.setdefault(subject, set()).update(_days(record))
            for unit in _concerned(by_member, record):
                by_member[unit].append(_decision(published, facts.keys[mart], record, where))
        for unit, decisions in by_member.items():
            decided[unit] += decisions
    return decided


def _marts(facts: Reach, target: str, outcome: Mapping[str, Any]) -> list[str]:
    """Marts that decide: those read first, then what they rest on; eligibility only if asked."""
    without = "" if outcome.get("population") == "per_criteria" else "population_members"
    every = facts.upstream(target, without)
    near = {r for n in every & set(facts.estimated) for r in facts.reads[n]}
    return sorted(facts.released(every, "marts"), key=lambda n: (n not in near, n))


def _rows(
    con: duckdb.DuckDBPyConnection,
    release: Path,
    place: str,
    outcome: Mapping[str, Any],
    members: Iterable[tuple[str, int]],
) -> Iterator[dict[str, Any]]:
    """The members' rows of a mart that share the statistic's criterion, endpoint, term."""
    path = _parquet(release, place)
    described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
    names = [d[0] for d in described]
    if not _same_level(outcome, names) or ("factor" in names and outcome.get("factor") == ""):
        return
    shared = {
        n: outcome[SAME_MEANING.get(n, n)]
        for n in names
        if outcome.get(SAME_MEANING.get(n, n)) and SAME_MEANING.get(n, n) != "reason"
    }
    tests = "".join(f' AND "{n}"::VARCHAR = ?::VARCHAR' for n in shared)
    result = con.execute(
        f"SELECT * FROM read_parquet(?) WHERE subject_id IN (SELECT unnest(?)){tests} ORDER BY ALL",
        [path, sorted({s for s, _ in members}), *shared.values()],
    )
    yield from (dict(zip(names, row, strict=True)) for row in result.fetchall())


def _same_level(outcome: Mapping[str, Any], names: list[str]) -> bool:
    level = outcome.get("level")
    by_lesion = "lesion_number" in names and "endpoint" not in names
    return level not in ("lesion", "subject") or by_lesion == (level == "lesion")


def _days(record: Mapping[str, Any]) -> set[int]:
    """Days on which something was decided; the day itself for a row that has one."""
    return {v for n, v in record.items() if n.endswith("_day") and isinstance(v, int)}


def _concerned(
    members: Iterable[tuple[str, int]], record: Mapping[str, Any]
) -> list[tuple[str, int]]:
    """The members that a mart row speaks of: its lesion, or every one of its subject."""
    mine = [m for m in members if m[0] == record["subject_id"]]
    if "lesion_number" not in record:
        return mine
    return [m for m in mine if m[1] == record["lesion_number"]]


def _decision(
    mart: str, key: list[str], record: Mapping[str, Any], where: Mapping[str, Line]
) -> Decision:
    ids = " ".join(str(record.get(n) or "") for n in ("source_row_id", "source_row_ids")).split()
    return Decision(
        mart=mart,
        key={n: record[n] for n in key if n != "subject_id"},
        told={n: record[n] for n in TOLD if record.get(n) is not None},
        lines=tuple(where[i] for i in ids if i in where),
    )


def _lines(
    con: duckdb.DuckDBPyConnection, store: Store, registry: Registry, key: bytes, release: Path
) -> dict[str, Line]:
    """Row id -> line, of every site in the release."""
    lines: dict[str, Line] = {}
    for receipt in releases.manifest(release)["content"]["receipts"]:
        site_id = receipt["site_id"]
        path = _index(store, registry, key, release, site_id)
        query = "SELECT row_id, source_file, source_row, table_name FROM read_parquet(?)"
        for row_id, file, row, table in con.execute(query, [str(path)]).fetchall():
            lines[row_id] = Line(site_id, file, row, table)
    return lines


def _touched(
    con: duckdb.DuckDBPyConnection, release: Path, facts: Reach, site_id: str, marts: list[Made]
) -> RowTrace:
    tables = {m.table for m in marts}
    own, wide, outcomes = touched(facts, tables)
    subjects = sorted({m.subject_id for m in marts})
    counts, decides = {}, []
    for name in own:
        path, mart = _parquet(release, facts.places[name]), facts.places[name].split("/")[1]
        query = "SELECT * FROM read_parquet(?) WHERE subject_id IN (SELECT unnest(?)) ORDER BY ALL"
        rows = con.execute(query, [path, subjects])
        names = [d[0] for d in rows.description or []]
        records = [dict(zip(names, r, strict=True)) for r in rows.fetchall()]
        counts[mart] = len(records)
        decides += [
            (mart, {n: r[n] for n in facts.keys[name]})
            for r in records
            if _named_in(r) & {m.row_id for m in marts}
        ]
    moving = _moving(con, release, outcomes, everywhere(facts, tables), site_id)
    return RowTrace(tuple(marts), tuple(decides), counts, tuple(wide), tuple(moving))


def _moving(
    con: duckdb.DuckDBPyConnection,
    release: Path,
    outcomes: list[str],
    of_all: list[str],
    site_id: str,
) -> list[str]:
    """Statistics of the outcomes that the site's population, or every population, can move."""
    path = _parquet(release, "outcomes/statistics")
    rows = con.execute("SELECT statistic_id FROM read_parquet(?) ORDER BY ALL", [path]).fetchall()
    populations = {"all", "per_criteria", slug(f"site:{site_id}")}
    return [
        name
        for (name,) in rows
        if table_of(name) in outcomes
        and (population_of(name) in populations or table_of(name) in of_all)
    ]


def _named_in(record: Mapping[str, Any]) -> set[str]:
    return {
        i for n in ("source_row_id", "source_row_ids") for i in str(record.get(n) or "").split()
    }


def _index(store: Store, registry: Registry, key: bytes, release: Path, site_id: str) -> Path:
    """The index of the delivery that a release saw of a site."""
    content = releases.manifest(release)["content"]
    receipts = {r["site_id"]: r for r in content["receipts"]}
    if site_id not in receipts:
        near = get_close_matches(site_id, receipts, n=1, cutoff=0.4) or sorted(receipts)
        raise Refused(
            f"site {site_id}: release {release.name} has no delivery of it. Did you mean "
            f"{', '.join(near)}?"
        )
    configured = registry.sites.get(site_id)
    site = rows.site_of(
        content["sites"][site_id], configured.excluded if configured else frozenset()
    )
    receipt = rows.receipt_of(store, receipts[site_id])
    options = of_registry(registry).as_options()
    return loaded.ready(store, site, receipt, key, options) / "rows.parquet"


def _no_line(
    con: duckdb.DuckDBPyConnection, path: Path, site_id: str, file: str, row: int
) -> Refused:
    query = "SELECT source_file, max(source_row) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL"
    files = dict(con.execute(query, [str(path)]).fetchall())
    if file not in files:
        near = get_close_matches(file, files, n=3, cutoff=0.3) or sorted(files)[:3]
        return Refused(f"{site_id}, {file}: no such file was read. Did you mean {', '.join(near)}?")
    return Refused(
        f"{site_id}, {file} row {row}: nothing was made from it. It is empty, of another table, or "
        f"beyond the last row that holds something ({files[file]})."
    )

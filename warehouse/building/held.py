"""Collect the held rows of a night: rows set aside, and rows with cells that could not be read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ibis.backends.sql.datatypes import DuckDBType

from schemas.contract import Contract, columns, options, schema, table_name
from schemas.tables.registry import TABLES
from warehouse.building.held_options import Around, HeldRow, kind_of
from warehouse.engine import kept_tables
from warehouse.engine.protocol import Engine
from warehouse.loading.rows_aside import FOLDER
from warehouse.loading.validate import NO_DAY, UNREAD

MARKS = (*UNREAD.values(), *NO_DAY)
Extremes = dict[tuple[str, str, str], Any]


def held_rows(con: Engine, folders: Mapping[str, Path], data_cutoff: date) -> tuple[HeldRow, ...]:
    """Every held row up to the cutoff.

    Args:
        con: the engine, with the registry tables as the night sees them.
        folders: site -> its accepted rows of the night.
        data_cutoff: rows dated later are not seen.
    """
    aside = [r for site, folder in folders.items() for r in _aside(con, site, folder, data_cutoff)]
    return (*aside, *_marked(con, folders))


def counted(
    con: Engine, folders: Mapping[str, Path], data_cutoff: date
) -> tuple[list[dict[str, Any]], int, int]:
    """Held rows counted where they stand, without reading them: rows of `quality.held`, and in all.

    Args:
        con: the engine, with the registry tables as the night sees them.
        folders: site -> its accepted rows of the night.
        data_cutoff: rows dated later are not seen.

    Returns:
        Rows of `quality.held` that move no number; held rows; patients with held rows.
    """
    con.raw_sql(
        "CREATE OR REPLACE TEMP TABLE held_rules (site_id VARCHAR, table_name VARCHAR, "
        "held_row VARCHAR, subject_id VARCHAR, rule_id VARCHAR)"
    )
    for site, folder in folders.items():
        for contract in TABLES:
            _count_aside(con, site, folder, contract, data_cutoff)
    for contract in TABLES:
        _count_marked(con, contract, folders)
    groups = _listed(
        con,
        "SELECT site_id, table_name, rule_id, count(DISTINCT held_row) AS held_rows, "
        "count(DISTINCT subject_id) AS patients, 0 AS statistics, NULL AS widest "
        "FROM held_rules GROUP BY ALL ORDER BY ALL",
    )
    totals = con.raw_sql(
        "SELECT count(DISTINCT (site_id, table_name, held_row)), count(DISTINCT subject_id) "
        "FROM held_rules"
    ).fetchone()
    con.raw_sql("DROP TABLE held_rules")
    return groups, *(totals or (0, 0))


def _count_aside(
    con: Engine, site: str, folder: Path, contract: type[Contract], cutoff: date
) -> None:
    name = table_name(contract)
    path = folder / "registry" / FOLDER / f"{name}.parquet"
    if not path.exists():
        return
    dated_by = options(contract).dated_by
    seen = f"WHERE NOT coalesce(CAST(\"{dated_by}\" AS DATE) > DATE '{cutoff}', false)"
    con.raw_sql(
        f"INSERT INTO held_rules SELECT '{site}', '{name}', 'aside ' || number, subject_id, "
        "split_part(rule, '=', 1) FROM (SELECT number, subject_id, "
        "unnest(string_split(trim(rules, '|'), '|')) AS rule FROM "
        f"(SELECT row_number() OVER () AS number, * FROM '{path}' {seen if dated_by else ''}))"
    )


def _count_marked(con: Engine, contract: type[Contract], folders: Mapping[str, Path]) -> None:
    name = table_name(contract)
    ours = ", ".join(f"'{c.name}'" for c in columns(contract))
    con.raw_sql(
        "INSERT INTO held_rules SELECT t.site_id, "
        f"'{name}', 'marked ' || t.row_id, t.subject_id, "
        f"coalesce(f.rule_id, '{UNREAD['value']}') FROM (SELECT row_id, site_id, subject_id, "
        "source_file, source_row, unnest(string_split(unreadable, '|')) AS cell FROM "
        f'{kept_tables.MAIN}."{name}" WHERE unreadable IS NOT NULL) t '
        f"LEFT JOIN ({_marking(name, folders)}) f ON t.site_id = f.site_id AND t.source_file = "
        "f.source_file AND t.source_row = f.source_row AND t.cell = f.column_name "
        f"WHERE t.cell IN ({ours})"
    )


def around(con: Engine, held: Iterable[HeldRow]) -> dict[str, Around]:
    """What is known of each accepted patient with held rows."""
    rows = list(held)
    patients = sorted({r.subject_id for r in rows if r.subject_id})
    known: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for contract in TABLES:
        name = table_name(contract)
        for record in _records(con, f'{kept_tables.MAIN}."{name}"', patients):
            known.setdefault(record["subject_id"], {}).setdefault(name, []).append(record)
    accepted = {s for s, tables in known.items() if "patients" in tables}
    anchors = _records(con, f"{kept_tables.MAIN}.anchors", patients)
    t0 = {a["subject_id"]: a["t0_date"] for a in anchors}
    listed = con.raw_sql(f"FROM {kept_tables.MAIN}.extractions").fetchall()
    extracted = dict(listed)
    least, most = _extremes(con, rows)
    return {
        r.subject_id: Around(
            known[r.subject_id], extracted[r.site_id], t0.get(r.subject_id), least, most
        )
        for r in rows
        if r.subject_id in accepted
    }


def _aside(con: Engine, site: str, folder: Path, cutoff: date) -> Iterator[HeldRow]:
    """Rows that were set aside, whole."""
    for contract in TABLES:
        name = table_name(contract)
        path = folder / "registry" / FOLDER / f"{name}.parquet"
        if not path.exists():
            continue
        dated_by = options(contract).dated_by
        typed = ", ".join(
            f'CAST("{n}" AS {DuckDBType.to_string(kind)}) AS "{n}"'
            for n, kind in schema(contract).items()
        )
        for record in _listed(con, f"SELECT {typed}, natural_key, rules FROM '{path}'"):
            day = record[dated_by] if dated_by else None
            if day is not None and day > cutoff:
                continue
            rules = record.pop("rules").strip("|").split("|")
            broken = tuple((r.partition("=")[0], r.partition("=")[2]) for r in rules)
            key = record.pop("natural_key")
            yield HeldRow(site, name, record["subject_id"], broken, record, natural_key=key)


def _marked(con: Engine, folders: Mapping[str, Path]) -> Iterator[HeldRow]:
    """Accepted rows of which a cell could not be read, with the rule that marked it."""
    for contract in TABLES:
        name = table_name(contract)
        place = f'{kept_tables.MAIN}."{name}"'
        marked = _listed(con, f"SELECT * FROM {place} WHERE unreadable IS NOT NULL ORDER BY row_id")
        rules = _marks(con, name, folders) if marked else {}
        for record in marked:
            place_of = (record["site_id"], record["source_file"], record["source_row"])
            cells = [c for c in record["unreadable"].split("|") if c]
            known = {c.name for c in columns(contract)}
            broken = tuple(
                (rules.get((*place_of, c), UNREAD["value"]), c) for c in cells if c in known
            )
            if broken:
                yield HeldRow(
                    record["site_id"], name, record["subject_id"], broken, record, stands=True
                )


def _marks(
    con: Engine, name: str, folders: Mapping[str, Path]
) -> dict[tuple[str, str, int, str], str]:
    found = con.raw_sql(_marking(name, folders)).fetchall()
    return {(site, file, row, column): rule for site, file, row, column, rule in found}


def _marking(name: str, folders: Mapping[str, Path]) -> str:
    """The query of a table's cells that could not be read, each with the rule that marked it."""
    files = ", ".join(f"'{f / 'quality' / 'findings.parquet'}'" for f in folders.values())
    listed = ", ".join(f"'{rule}'" for rule in MARKS)
    return (
        "SELECT site_id, source_file, source_row, column_name, min(rule_id) AS rule_id FROM "
        f"read_parquet([{files}]) WHERE table_name = '{name}' AND rule_id IN ({listed}) "
        "GROUP BY ALL"
    )


def _extremes(con: Engine, held: Sequence[HeldRow]) -> tuple[Extremes, Extremes]:
    """The least and the greatest accepted value of every number that is held somewhere."""
    least: Extremes = {}
    most: Extremes = {}
    numeric = {
        (table_name(c), column.name) for c in TABLES for column in columns(c)
        if column.dtype.is_numeric()
    }  # fmt: skip
    asked = {(r.table, c) for r in held for _, c in r.broken} & numeric
    for table, column in sorted(asked):
        by = "analyte, unit" if table == "labs" else "NULL, NULL"
        for analyte, unit, low, high in con.raw_sql(
            f'SELECT {by}, min("{column}"), max("{column}") FROM {kept_tables.MAIN}."{table}" '
            "GROUP BY ALL"
        ).fetchall():
            name = (table, column, kind_of(table, {"analyte": analyte, "unit": unit}))
            least[name], most[name] = low, high
    return least, most


def _records(con: Engine, place: str, patients: Sequence[str]) -> list[dict[str, Any]]:
    listed = ", ".join(f"'{p}'" for p in patients)
    return _listed(con, f"SELECT * FROM {place} WHERE subject_id IN ({listed}) ORDER BY ALL")


def _listed(con: Engine, query: str) -> list[dict[str, Any]]:
    found = con.raw_sql(query)
    names = [d[0] for d in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

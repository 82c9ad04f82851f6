"""Refuse a delivery whose columns do not fit the site file, before it is accepted.

One cell that cannot be read is marked, or sets its row aside. A whole column that cannot be read,
or of which most lies beyond its limits, is no matter of cells: the export has changed, or the site
file is wrong. Then the delivery is refused, the site's last good one stays in force, and a
corrected site file tries the same delivery again.

A site file that is changed later, so that an accepted delivery no longer fits, is its editor's
fault: such a run stops and says so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import ibis.expr.types as ir

from schemas.contract import column_names, columns, table_name
from schemas.errors import BadConfiguration, BadDelivery, all_at_once
from schemas.site import Site, TableSource
from schemas.tables.registry import RegistryTable
from transforms.intake.harmonise import harmonise
from transforms.intake.names import OURS_ALONE, mapping
from transforms.intake.texts import GROUP, cell_texts
from warehouse.engine.embedded import engine
from warehouse.engine.protocol import Engine, one_row
from warehouse.loading import kept_queries
from warehouse.loading.load import CONTRACTS, raw_name, raw_shapes, sources

CODE = re.compile(r"[A-Za-z0-9_.+-]{1,20}")
CODES_SHOWN = 10
ROWS_PER_CODE = 3
"""A value is told as a code only where values repeat, so that names in the wrong column are not."""


def refuse_misfit(tables: Mapping[str, Path], site: Site, where: str) -> None:
    """Refuse a delivery that its site file does not fit.

    Raises:
        BadDelivery: with every column that is missing or cannot be read.
    """
    found = misfits(tables, site)
    if found:
        raise BadDelivery(all_at_once(where, found))


def misfits(tables: Mapping[str, Path], site: Site) -> list[str]:
    """What of a site file does not fit raw tables; no value is told, but for codes."""
    with engine() as con:
        for name, path in tables.items():
            con.read_parquet(path, table_name=f"raw_{name}")
        problems = _of_groups(con, tables, site)
        for name, parts in sources(site, raw_shapes(tables)).items():
            if name not in CONTRACTS:
                known = ", ".join(CONTRACTS)
                problems.append(f"[tables.{name}]: no such table. Use one of {known}.")
                continue
            for source in (s for s in parts if raw_name(name, s) in tables):
                raw = con.table(f"raw_{raw_name(name, source)}")
                try:
                    problems += _of_source(con, raw, name, source, site, _together(parts))
                except BadConfiguration as fault:
                    problems += str(fault).splitlines()
    return list(dict.fromkeys(problems))


def _of_groups(con: Engine, tables: Mapping[str, Path], site: Site) -> list[str]:
    """Whether the site's data access group can be told, and has any row.

    REDCap leaves the column out for a user who is in a group, and where it was not asked for: the
    same file may hold one site's records, or everybody's.
    """
    group = site.redcap.access_group if site.redcap else None
    if group is None:
        return []
    where = f"sites/{site.site_id}.toml [redcap] access_group"
    raw = [con.table(f"raw_{name}") for name in tables]
    told = [t.select(GROUP).distinct() for t in raw if GROUP in t.columns]
    if not told:
        return [
            f"{where}: the export has no column {GROUP}, so nobody can tell whose records it "
            "holds. Export it with data access groups, or leave `access_group` out if all records "
            "are this site's."
        ]
    found = {row[GROUP] for t in told for row in con.to_pyarrow(t).to_pylist()}
    if found and group not in found:
        known = ", ".join(sorted(g for g in found if g)) or "none"
        return [
            f"{where}: no record belongs to the group {group}; the export's groups are {known}. "
            "Correct `access_group`, or assign the records in REDCap."
        ]
    return []


def _together(parts: Sequence[TableSource]) -> frozenset[str]:
    """The columns that rows of one key have from one another, where they are merged."""
    merged = any(source.merge for source in parts)
    return frozenset(n for source in parts if merged for n in source.columns)


def _of_source(
    con: Engine, raw: ir.Table, name: str, source: TableSource, site: Site, shared: frozenset[str]
) -> Iterator[str]:
    """One source of a table; of a wide one, each analyte by itself."""
    contract = CONTRACTS[name]
    limited = {c.name for c in columns(contract) if c.nullable and c.limited}
    for lab in source.wide or (None,):
        part = source.model_copy(update={"wide": (lab,) if lab else ()})
        known = mapping(raw, contract, part, site)
        given = [n for n in column_names(contract) if n in known or (lab and n == "value")]
        counts = _counts(con, raw, contract, part, site, given)
        if counts["rows"]:
            yield from _lacking(contract, given, part, name, shared)
        for column in given:
            filled, unread = counts[f"filled_{column}"], counts[f"unread_{column}"]
            if unread >= site.unreadable_from and unread > filled * site.max_unreadable_share:
                codes = _codes(con, raw, contract, part, site, column)
                about = f"{column} of {lab.analyte}" if lab else column
                beyond = " or lie beyond its limits" if column in limited else ""
                yield (
                    f"sites/{site.site_id}.toml [tables.{name}.columns] {about}: {unread} of "
                    f"{filled} filled-in cells cannot be read{beyond}{codes}. Map them in the site "
                    "file, or correct the export."
                )


def _counts(
    con: Engine,
    raw: ir.Table,
    contract: type[RegistryTable],
    source: TableSource,
    site: Site,
    given: list[str],
) -> dict[str, int]:
    """How many cells of each column are filled in, and cannot be read.

    The question follows from site file and shape, so that the next delivery's is compiled already.
    """
    asked = kept_queries.query(
        con,
        "misfits",
        [table_name(contract), source.model_dump_json(), site.model_dump_json(), given],
        [raw],
        lambda: _asked(harmonise(raw, contract, source, site, ""), contract, given),
    )
    return dict(zip(asked.schema.names, one_row(con, asked.sql), strict=True))


def _asked(table: ir.Table, contract: type[RegistryTable], given: list[str]) -> ir.Table:
    codes = {c.name: c.codes for c in columns(contract) if c.codes}
    filled = table.filter(~table.is_empty & ~table.in_no_group)
    sums = {"rows": filled.count()}
    for n in given:
        mark = filled[f"unread_{n}"].notnull()
        if n in codes:
            mark |= (~filled[n].isin(codes[n])).fill_null(False)
        sums[f"unread_{n}"] = mark.sum().fill_null(0)
        sums[f"filled_{n}"] = (mark | filled[n].notnull()).sum().fill_null(0)
    return filled.aggregate(**sums)


def _lacking(
    contract: type[RegistryTable],
    given: list[str],
    source: TableSource,
    name: str,
    shared: frozenset[str],
) -> Iterator[str]:
    apart = {*OURS_ALONE, *(("analyte", "unit") if source.wide else ())}
    for column in columns(contract):
        needed = not column.nullable and column.default is None and column.name not in apart
        elsewhere = not column.key and {column.name, column.made_of} & shared
        if needed and not elsewhere and not {column.name, column.made_of} & set(given):
            yield (
                f"[tables.{name}.columns] {column.name}: no column gives it, and no row means "
                "anything without it. Map it in the site file, or correct the export."
            )


def _codes(
    con: Engine,
    raw: ir.Table,
    contract: type[RegistryTable],
    source: TableSource,
    site: Site,
    column: str,
) -> str:
    """The codes that have no meaning yet, of a coded column whose values repeat like codes."""
    declared = next(c for c in columns(contract) if c.name == column)
    texts = cell_texts(raw, contract, source, site)
    if not declared.codes or column not in texts:
        return ""
    cells = raw.select(cell=texts[column]).filter(lambda t: t.cell.notnull())
    found = con.to_pyarrow(cells.group_by("cell").agg(n=lambda t: t.count()).order_by("cell"))
    counts = {r["cell"]: r["n"] for r in found.to_pylist()}
    mapped = mapping(raw, contract, source, site)[column].codes
    unknown = [c for c in counts if c not in (mapped or declared.codes)]
    repeat = sum(counts.values()) >= ROWS_PER_CODE * len(counts)
    if not repeat or not all(CODE.fullmatch(c) for c in unknown):
        return ""
    more = f" and {len(unknown) - CODES_SHOWN} more" if len(unknown) > CODES_SHOWN else ""
    return f" (codes {', '.join(unknown[:CODES_SHOWN])}{more})"

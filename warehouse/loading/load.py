"""From one delivery to accepted rows: harmonise, validate, set aside, write.

Every row received is empty, accepted, quarantined or of another site's data access group, and the
four are counted. What is written holds patient ids and dates: it stays in the run's work directory.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow.parquet as pq

from schemas.contract import column_names, options, rows, table_name
from schemas.errors import BadConfiguration, all_at_once
from schemas.records.findings import BY_ID
from schemas.site import Site, TableSource
from schemas.tables.quality import Findings, Quarantine, RowCounts
from schemas.tables.registry import TABLES, RegistryTable
from transforms.intake.cross_checks import CROSS_CHECKS, CrossCheck
from transforms.intake.harmonise import harmonise
from transforms.intake.names import expanded, lent
from transforms.intake.texts import access_group, of_other_groups
from warehouse.engine import pseudonyms as identity
from warehouse.engine.embedded import write_parquet
from warehouse.engine.protocol import Engine, one_row
from warehouse.intake.reading_key import stem
from warehouse.intake.receipts import Receipt
from warehouse.loading import (
    kept_queries,
    limits,
    merging,
    numbering,
    rows_aside,
    spellings,
    validate,
)

ROLE = r"(local|central|investigator|adjudicator|consensus|reader)?[ _-]?\d{0,2}"
"""A reader told by role and number; `reader` reaches the marts, and a name must not."""
CONTRACTS = {table_name(c): c for c in TABLES}


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one table: received = empty + accepted + quarantined + other_group."""

    table: str
    received: int
    empty: int
    accepted: int
    quarantined: int
    other_group: int


def load(
    con: Engine, site: Site, raw: Mapping[str, Path], receipt: Receipt, key: bytes, to: Path
) -> list[Counts]:
    """Write the accepted rows of a delivery and what was set aside.

    Args:
        con: a scratch engine.
        site: the site file.
        raw: raw Parquet by name: file stem, or REDCap instrument.
        receipt: the receipt that made the delivery visible.
        key: the registry's key.
        to: directory that gets registry/<table>.parquet, quality/<table>.parquet and
            findings.parquet.

    Raises:
        BadConfiguration: the site file does not fit the export.
    """
    harmonised = mapped(con, site, raw, receipt.receipt_id)
    extracted = kept_queries.day(con, "extracted", receipt.extraction_date)
    if "patients" in harmonised:
        _keep_blank_patients(con, harmonised)
    accepted: dict[str, ir.Table] = {}
    for name in validate.in_order(harmonised):
        left = harmonised[name]
        patients = left if name == "patients" else accepted.get("patients")
        _date(con, name, left, patients, extracted, site, optional=True)
        _mark_dates(con, name)
        _judge(con, name, left, accepted, extracted)
        _date(con, name, left, patients, extracted, site, optional=False)
        accepted[name] = left
    _cross_check(con, accepted)
    _forget_warnings(con, accepted)
    spellings.detail(con, accepted)
    _remember(con, accepted, key, to / "findings.parquet")
    counts = _write(con, site, accepted, key, to)
    rows_aside.write(con, site, accepted, key, receipt.extraction_date, to / "registry")
    rows_aside.write_whole(con, accepted, key, _column, to / "registry")
    return counts


def mapped(
    con: Engine, site: Site, raw: Mapping[str, Path], receipt_id: str
) -> dict[str, ir.Table]:
    """Make `all_<table>` of every table that a delivery gives: its rows in our names and units.

    Raises:
        BadConfiguration: the site file does not fit the export.
    """
    for name, path in raw.items():
        con.read_parquet(path, table_name=f"raw_{name}")
    harmonised = _harmonise_all(con, site, raw_shapes(raw), receipt_id)
    limits.give(con, site, set(harmonised))
    return harmonised


def sources(
    site: Site, raw: Collection[str] | Mapping[str, Sequence[str]]
) -> dict[str, tuple[TableSource, ...]]:
    """Which raw tables feed which registry table; a file with our name needs no entry.

    Args:
        site: the site file.
        raw: the names of the raw tables; where their columns are given too, a source whose columns
            are numbered is one for each number.
    """
    declared = dict(site.tables)
    if site.format == "tables":
        declared |= {n: (TableSource(),) for n in CONTRACTS if n in raw and n not in declared}
    if not isinstance(raw, Mapping):
        return declared
    return {
        table: tuple(
            one
            for source in map(lent, parts)
            for one in expanded(raw.get(raw_name(table, source), ()), source)
        )
        for table, parts in declared.items()
    }


def raw_shapes(raw: Mapping[str, Path]) -> dict[str, list[str]]:
    """The columns of raw tables."""
    return {name: pq.read_schema(path).names for name, path in raw.items()}


def raw_name(table: str, source: TableSource) -> str:
    """The raw table that a source reads."""
    return source.instrument or stem(source.sheet or source.file or table)


def _harmonise_all(
    con: Engine, site: Site, raw: Mapping[str, Sequence[str]], receipt_id: str
) -> dict[str, ir.Table]:
    problems: list[str] = []
    tables: dict[str, ir.Table] = {}
    receipt = kept_queries.text(con, "receipt_id", receipt_id)
    _exclude(con, site.excluded)
    for name, parts in sources(site, raw).items():
        if name not in CONTRACTS:
            problems.append(f"[tables.{name}]: no such table. Use one of {', '.join(CONTRACTS)}.")
            continue
        here = [s for s in parts if raw_name(name, s) in raw]
        if not here:
            continue
        here = merging.together(here)
        read = [(con.table(f"raw_{raw_name(name, s)}"), s) for s in here]
        try:
            tables[name] = _materialised(con, name, read, site, receipt)
        except BadConfiguration as error:
            problems += str(error).splitlines()
            continue
        if here[0].merge:
            merging.merge(con, CONTRACTS[name])
        _count_others(con, name, read, site)
    if problems:
        raise BadConfiguration(all_at_once(f"sites/{site.site_id}.toml", problems))
    return tables


def _exclude(con: Engine, excluded: frozenset[str]) -> None:
    """Keep ids of patients who withdrew consent in a table: no text of a query has them."""
    con.raw_sql("CREATE TABLE excluded (patient_id VARCHAR)")
    if excluded:
        con.con.executemany("INSERT INTO excluded VALUES (?)", [[p] for p in sorted(excluded)])


def _materialised(
    con: Engine,
    name: str,
    parts: list[tuple[ir.Table, TableSource]],
    site: Site,
    receipt_id: ir.StringValue,
) -> ir.Table:
    """The harmonised rows, the list of breaches, and a view of what is left without the rejected.

    Rows of patients who withdrew consent are not ours to count: they are left out here, before
    anything is counted. The view keeps every later expression short: compiling one costs more than
    running it.
    """
    asked = kept_queries.query(
        con,
        "harmonise",
        [name, site.model_dump_json(), *(source.model_dump_json() for _, source in parts)],
        [table for table, _ in parts],
        lambda: reduce(
            ir.Table.union, (harmonise(t, CONTRACTS[name], s, site, receipt_id) for t, s in parts)
        ),
    )
    con.raw_sql(
        f"CREATE TABLE all_{name} AS SELECT *, row_number() OVER () AS {validate.ROW} "
        f"FROM ({asked.sql}) WHERE coalesce(patient_id NOT IN (FROM excluded), true)"
    )
    con.raw_sql(
        f"CREATE TABLE bad_{name} ({validate.ROW} BIGINT, rule_id VARCHAR, column_name VARCHAR, "
        "category VARCHAR, severity VARCHAR)"
    )
    con.raw_sql(
        f"CREATE VIEW left_{name} AS SELECT * FROM all_{name} WHERE NOT is_empty AND "
        f"{validate.ROW} NOT IN (SELECT {validate.ROW} FROM bad_{name} WHERE severity = 'reject')"
    )
    rule = BY_ID["in_no_group"]
    con.raw_sql(
        f"INSERT INTO bad_{name} SELECT {validate.ROW}, '{rule.rule_id}', 'site_id', "
        f"'{rule.category}', '{rule.severity}' FROM left_{name} WHERE in_no_group"
    )
    return con.table(f"left_{name}")


def _keep_blank_patients(con: Engine, names: Iterable[str]) -> None:
    """A patient whose own rows are blank but for the id exists if another table tells of him.

    A record that holds nothing anywhere is nobody.
    """
    others = [f"SELECT patient_id FROM left_{name}" for name in names if name != "patients"]
    if not others:
        return
    con.raw_sql(
        f"UPDATE all_patients SET is_empty = false WHERE {validate.ROW} IN (SELECT "
        f"min({validate.ROW}) FROM all_patients WHERE NOT in_no_group "
        f"AND patient_id IN ({' UNION ALL '.join(others)}) "
        "GROUP BY patient_id HAVING bool_and(is_empty))"
    )


def _count_others(
    con: Engine, name: str, parts: list[tuple[ir.Table, TableSource]], site: Site
) -> None:
    """Rows of other data access groups, as many as they would be here; nothing else is asked."""
    number = sum(
        int(con.to_pyarrow(of_other_groups(raw, source, site).count()).as_py())
        * max(1, len(source.wide))
        for raw, source in parts
        if access_group(raw, site)
    )
    con.raw_sql(f"CREATE TABLE other_{name} AS SELECT {number} AS other_group")


def _judge(
    con: Engine,
    name: str,
    left: ir.Table,
    accepted: Mapping[str, ir.Table],
    extracted: ir.DateValue,
) -> None:
    """Apply the row rules, then the key, then the references; each sees only what is left."""
    contract = CONTRACTS[name]
    _set_aside(con, name, "row rules", [left], lambda: validate.bad_rows(left, contract, extracted))
    if _shares_keys(con, name) and numbering.applies(contract):
        numbering.number(con, contract)
    if _shares_keys(con, name):
        _set_aside(con, name, "keys", [left], lambda: validate.duplicates(left, contract))
    _set_orphans_aside(con, name, left, accepted)


def _set_orphans_aside(
    con: Engine, name: str, left: ir.Table, accepted: Mapping[str, ir.Table]
) -> None:
    contract = CONTRACTS[name]
    for parent in options(contract).references:
        if parent in accepted:
            _set_aside(
                con,
                name,
                f"orphans of {parent}",
                [left, accepted[parent]],
                partial(validate.orphans, left, contract, parent, accepted[parent]),
            )


def _date(
    con: Engine,
    name: str,
    left: ir.Table,
    patients: ir.Table | None,
    extracted: ir.DateValue,
    site: Site,
    *,
    optional: bool,
) -> None:
    """Find what is dated before birth, before care is believed, or, if optional, too late."""
    contract = CONTRACTS[name]
    dates = [c for c in validate.dates(contract) if c.nullable == optional]
    for column in dates if optional else ():
        late = partial(validate.too_late, left, column, extracted)
        _set_aside(con, name, f"{column.name} late", [left], late)
    if patients is None:
        return
    (youngest,) = one_row(con, "SELECT max(birth_year) FROM left_patients")
    earliest = kept_queries.whole(con, "earliest_care", site.earliest_care)
    bound = kept_queries.whole(con, "bound", max(site.earliest_care, youngest or 0))
    for column in dates:
        _set_aside(
            con,
            name,
            f"{column.name} early",
            [left, patients],
            partial(validate.too_early, left, contract, column, patients, earliest, bound),
        )


def _mark_dates(con: Engine, name: str) -> None:
    """Mark optional dates that cannot be: they are no dates for any rule that follows."""
    listed = ", ".join(f"'{rule}'" for rule in validate.NO_DAY)
    found = con.raw_sql(
        f"SELECT DISTINCT column_name FROM bad_{name} WHERE rule_id IN ({listed}) ORDER BY 1"
    )
    for (column,) in found.fetchall():
        precision = f"{column}_precision"
        cleared = [column, *({precision} & set(column_names(CONTRACTS[name])))]
        con.raw_sql(
            f"UPDATE all_{name} SET {', '.join(f'{c} = NULL' for c in cleared)}, "
            f"unreadable = coalesce(unreadable, '|') || '{column}|' WHERE {validate.ROW} IN "
            f"(SELECT {validate.ROW} FROM bad_{name} WHERE column_name = '{column}' "
            f"AND rule_id IN ({listed}))"
        )


def _set_aside(
    con: Engine,
    name: str,
    step: str,
    tables: Iterable[ir.Table],
    bad: Callable[[], ir.Table],
) -> None:
    asked = kept_queries.query(con, step, [name], tables, bad)
    con.raw_sql(f"INSERT INTO bad_{name} {asked.sql}")


def _shares_keys(con: Engine, name: str) -> bool:
    shared = con.raw_sql(
        f"SELECT natural_key FROM left_{name} GROUP BY natural_key HAVING count(*) > 1 LIMIT 1"
    )
    return bool(shared.fetchall())


def _cross_check(con: Engine, accepted: Mapping[str, ir.Table]) -> None:
    """Rules between tables; what they reject takes its dependants along."""
    rejected = False
    for check in CROSS_CHECKS:
        if not set(check.reads) <= set(accepted):
            continue
        before = _n_bad(con, check.table)
        read = {n: accepted[n] for n in check.reads}
        _set_aside(con, check.table, check.rule_id, read.values(), partial(_broken, check, read))
        rejected |= _n_bad(con, check.table) > before and check.severity == "reject"
    if rejected:
        for name in validate.in_order(accepted):
            _set_orphans_aside(con, name, accepted[name], accepted)


def _broken(check: CrossCheck, read: Mapping[str, ir.Table]) -> ir.Table:
    return check.breaks(**read).select(
        validate.ROW,
        rule_id=ibis.literal(check.rule_id),
        column_name=ibis.literal(check.column),
        category=ibis.literal(check.category),
        severity=ibis.literal(check.severity),
    )


def _forget_warnings(con: Engine, names: Iterable[str]) -> None:
    """A warning says that the row is loaded: one that is set aside is told of as rejected only."""
    for name in names:
        rejected = f"SELECT {validate.ROW} FROM bad_{name} WHERE severity = 'reject'"
        con.raw_sql(
            f"DELETE FROM bad_{name} WHERE severity = 'warn' AND {validate.ROW} IN ({rejected})"
        )


def _remember(con: Engine, names: Iterable[str], key: bytes, to: Path) -> None:
    """Every finding under an id that it keeps as long as its record keeps its key."""
    parts = " UNION ALL ".join(_identified_findings(name, key) for name in names)
    con.raw_sql(
        f"COPY (SELECT DISTINCT * FROM ({parts}) ORDER BY ALL) "
        f"TO '{to}' (FORMAT parquet, COMPRESSION zstd)"
    )


def _identified_findings(name: str, key: bytes) -> str:
    """SQL for the findings of one table, each with its id, file and row."""
    finding = identity.sql(key, "site_id", f"'{name}'", "source_key", "rule_id", "column_name")
    return (
        f"SELECT '{name}' AS table_name, {finding} AS finding_id, rule_id, column_name, severity, "
        f"source_file, source_row FROM bad_{name} JOIN all_{name} USING ({validate.ROW})"
    )


def _n_bad(con: Engine, name: str) -> int:
    (number,) = one_row(con, f"SELECT count(*) FROM bad_{name}")
    return int(number)


def _write(
    con: Engine, site: Site, accepted: Mapping[str, ir.Table], key: bytes, to: Path
) -> list[Counts]:
    (to / "registry").mkdir(parents=True, exist_ok=True)
    (to / "quality").mkdir(exist_ok=True)
    counts = [_write_table(con, name, key, to) for name in accepted]
    for contract, severity in ((Quarantine, "reject"), (Findings, "warn")):
        path = to / "quality" / f"{table_name(contract)}.parquet"
        write_parquet(con, _findings(con, accepted, site, severity), contract, path)
    counted = [
        {"site_id": site.site_id, "table_name": c.table}
        | {n: getattr(c, n) for n in column_names(RowCounts) if hasattr(c, n)}
        for c in counts
    ]
    write_parquet(con, rows(counted, RowCounts), RowCounts, to / "quality" / "row_counts.parquet")
    return counts


def _write_table(con: Engine, name: str, key: bytes, to: Path) -> Counts:
    contract: type[RegistryTable] = CONTRACTS[name]
    pseudonymous = ("subject_id", "row_id")
    kept = ", ".join(_column(n, key) for n in column_names(contract) if n not in pseudonymous)
    subject = identity.sql(key, "site_id", "patient_id")
    row = identity.sql(key, "site_id", "natural_key")
    out = to / "registry" / f"{name}.parquet"
    con.raw_sql(
        f"COPY (SELECT {kept}, {subject} AS subject_id, {row} AS row_id FROM left_{name}) "
        f"TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
    )
    ours, empty, accepted, other = one_row(
        con,
        f"SELECT (SELECT count(*) FROM all_{name}), "
        f"(SELECT count(*) FROM all_{name} WHERE is_empty), (SELECT count(*) FROM left_{name}), "
        f"(SELECT other_group FROM other_{name})",
    )
    return Counts(name, ours + other, empty, accepted, ours - empty - accepted, other)


def _column(name: str, key: bytes) -> str:
    """A column as it is kept: a reader who is told by name becomes a pseudonym."""
    if name != "reader":
        return f'"{name}"'
    other = f"'reader-' || substr({identity.sql(key, 'site_id', 'reader')}, 1, 6)"
    return f"CASE WHEN regexp_full_match(reader, '{ROLE}') THEN reader ELSE {other} END AS reader"


def _findings(con: Engine, names: Iterable[str], site: Site, severity: str) -> ir.Table:
    """Every breach of one severity, with file and row and without a value."""
    detail = ", detail" if severity == "warn" else ""
    parts = [
        f"SELECT DISTINCT '{site.site_id}' AS site_id, '{name}' AS table_name, source_file, "
        f"source_row, rule_id, column_name, {validate.ROW} AS row_number, "
        f"category{detail} FROM bad_{name} JOIN all_{name} USING ({validate.ROW}) "
        f"LEFT JOIN detail_{name} USING ({validate.ROW}, rule_id) WHERE severity = '{severity}'"
        for name in names
    ]
    return con.sql(" UNION ALL ".join(parts))

"""From accepted rows to the tables of a release: apply every derivation, gate it, write it.

The order and the arguments come from the signatures (`warehouse.engine.lineage`); this file knows
no table by name but those that it makes itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import ibis
import ibis.expr.types as ir

from analytics.summary import as_chosen, statistics
from schemas.contract import Contract, conform, empty, options, published_name, rows, table_name
from schemas.errors import Failed
from schemas.records.findings import BY_ID
from schemas.settings import OutcomeSettings
from schemas.tables import outcomes, quality
from schemas.tables.intermediate import Extractions, RowsSetAside, SetAside
from schemas.tables.registry import TABLES, ReportedEndpoints
from warehouse.building.definitions import Defining, reads_of_all
from warehouse.engine import kept_tables
from warehouse.engine.compiled import compiled
from warehouse.engine.embedded import Written, write_parquet
from warehouse.engine.lineage import Derivation, derivations, released
from warehouse.engine.protocol import Engine, one_row
from warehouse.loading import kept_queries, validate

Tables = dict[str, ir.Table]
FROM_SITES: tuple[type[Contract], ...] = tuple(
    c
    for c in quality.TABLES
    if c not in (quality.Deliveries, quality.Audit, quality.Definitions, quality.Held)
)
"""Quality tables that each site's load writes."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One site's accepted rows: where they are, and of which delivery."""

    site_id: str
    extraction_date: date
    delivery_id: str
    folder: Path
    n_files: int
    degraded: str = ""
    unused: str = ""


def registry_tables(con: Engine, loaded: Sequence[Loaded], data_cutoff: date) -> Tables:
    """The registry tables of all sites as they were known up to the data cutoff.

    A table that no site has is empty: what depends on it is published as not derivable.
    """
    tables: Tables = {}
    cutoff = kept_queries.day(con, "data_cutoff", data_cutoff)
    for contract in TABLES:
        name = table_name(contract)
        files = [p for s in loaded if (p := s.folder / "registry" / f"{name}.parquet").exists()]
        tables[name] = (
            _seen(con, name, contract, con.read_parquet(files, table_name=f"read_{name}"), cutoff)
            if files
            else _kept(con, name, empty(contract))
        )
    _no_collision(con, tables)
    in_force = [
        {"site_id": s.site_id, "extraction_date": min(s.extraction_date, data_cutoff)}
        for s in loaded
    ]
    return tables | {
        "extractions": _kept(con, "extractions", rows(in_force, Extractions)),
        "set_aside": _kept(con, "set_aside", _set_aside(con, loaded)),
        "rows_set_aside": _rows_aside(con, loaded, cutoff),
    }


def derive(
    con: Engine, tables: Mapping[str, ir.Table], settings: OutcomeSettings, room: str
) -> Tables:
    """Every table that the derivations of one room make, computed and gated."""
    available: Tables = dict(tables)
    derived: Tables = {}
    for name, derivation in derivations().items():
        if derivation.room != room:
            continue
        derived[name] = available[name] = computed(con, derivation, available, settings)
    return derived


def estimates(
    con: Engine, marts: Mapping[str, ir.Table], settings: OutcomeSettings
) -> dict[type[Contract], ir.Table]:
    """The outcome tables, the statistics in them and their member sets."""
    estimated = derive(con, marts, settings, "analytics")
    by_name = derivations()
    parts = [t for n, t in estimated.items() if by_name[n].contract is outcomes.MemberSets]
    tables = {
        by_name[n].contract: t
        for n, t in estimated.items()
        if by_name[n].contract is not outcomes.MemberSets
    }
    summaries = {c: t for c, t in tables.items() if issubclass(c, outcomes.Outcome)}
    asked = con.queries.of(con, _all_members, parts, {})
    assert asked is not None, "parts of the member sets stand in the engine"
    chosen, judged = one_row(con, 'SELECT criterion, judged FROM "endpoint_criterion"')
    define = Defining(as_chosen(settings, chosen), reads_of_all(con.queries))
    every = statistics(summaries, define, chosen if judged else "")
    return tables | {
        outcomes.Statistics: _kept(con, "statistics", every),
        quality.Definitions: _kept(con, "definitions", define.table()),
        outcomes.MemberSets: kept_tables.keep(con, "member_sets", asked),
    }


def _all_members(*parts: ir.Table) -> ir.Table:
    """The members of every set, each once."""
    every = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return conform(every.distinct(), outcomes.MemberSets)


def quality_tables(con: Engine, loaded: Sequence[Loaded]) -> dict[type[Contract], ir.Table]:
    """What was delivered and what was set aside, of all sites."""
    by_contract: dict[type[Contract], ir.Table] = {}
    for contract in FROM_SITES:
        name = table_name(contract)
        files = [s.folder / "quality" / f"{name}.parquet" for s in loaded]
        by_contract[contract] = con.read_parquet(files, table_name=name)
    by_contract[quality.Findings] = by_contract[quality.Findings].union(_of_reported_times(con))
    facts = [
        asdict(s)
        | {"reason": s.degraded or None, "degraded": bool(s.degraded), "unused": s.unused or None}
        for s in loaded
    ]
    return by_contract | {quality.Deliveries: rows(facts, quality.Deliveries)}


def _of_reported_times(con: Engine) -> ir.Table:
    """Findings of reported times that differ from what the patient's dates give."""
    rule = BY_ID["differs_from_dates"]
    differing = con.table("reported_times").filter(lambda t: t.use == "differs")
    given = con.table("reported_endpoints")
    found = given.semi_join(differing, given.row_id == differing.source_row_id)
    same_row = ibis.window(
        group_by=[found.site_id, found.source_file, found.source_row], order_by=found.row_id
    )
    return conform(
        found.select(
            "site_id",
            "source_file",
            "source_row",
            table_name=ibis.literal(table_name(ReportedEndpoints)),
            detail=ibis.null("string"),
            rule_id=ibis.literal(rule.rule_id),
            column_name=ibis.literal("time"),
            row_number=ibis.row_number().over(same_row) + 1,
            category=ibis.literal(rule.category),
        ),
        quality.Findings,
    )


def write(con: Engine, tables: Mapping[type[Contract], ir.Table], to: Path) -> dict[str, Written]:
    """Write every table that a release carries to <schema>/<table>.parquet."""
    written: dict[str, Written] = {}
    for contract, table in tables.items():
        if not released(contract):
            continue
        place = f"{options(contract).schema}/{published_name(contract)}"
        path = to / f"{place}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        written[place] = write_parquet(con, table, contract, path)
    return written


def kept(con: Engine) -> Tables:
    """Every table that an earlier step left in the scratch file."""
    return dict(kept_tables.every(con))


def by_contract(tables: Mapping[str, ir.Table]) -> dict[type[Contract], ir.Table]:
    """Derived tables under their contracts."""
    return {derivations()[name].contract: table for name, table in tables.items()}


def _seen(
    con: Engine, name: str, contract: type[Contract], source: ir.Table, cutoff: ir.DateValue
) -> ir.Table:
    """The rows of a table that had happened by the cutoff, kept in the engine."""
    asked = kept_queries.query(
        con,
        "up to the cutoff",
        [name],
        [source],
        lambda: _up_to(conform(source, contract), contract, cutoff),
    )
    return kept_tables.keep(con, name, asked)


def _up_to(table: ir.Table, contract: type[Contract], cutoff: ir.DateValue) -> ir.Table:
    """What had happened by the cutoff: later rows are not seen, later ends are open."""
    declared = options(contract)
    if declared.dated_by:
        when = table[declared.dated_by]
        table = table.filter(when.isnull() | (when <= cutoff))
    open_ended = {n: (table[n] <= cutoff).ifelse(table[n], None) for n in declared.end_dates}
    return table.mutate(**open_ended) if open_ended else table


def _set_aside(con: Engine, loaded: Sequence[Loaded]) -> ir.Table:
    files = [p for s in loaded if (p := s.folder / "quality" / "row_counts.parquet").exists()]
    if not files:
        return empty(SetAside)
    counted = con.read_parquet(files, table_name="read_row_counts")
    return conform(counted.filter(counted.quarantined > 0), SetAside)


def _rows_aside(con: Engine, loaded: Sequence[Loaded], cutoff: ir.DateValue) -> ir.Table:
    """Rows set aside up to the cutoff; one without a date is seen at every cutoff."""
    files = [p for s in loaded if (p := s.folder / "registry" / "rows_set_aside.parquet").exists()]
    if not files:
        return _kept(con, "rows_set_aside", empty(RowsSetAside))
    source = con.read_parquet(files, table_name="read_rows_aside")
    return _seen(con, "rows_set_aside", RowsSetAside, source, cutoff)


def _no_collision(con: Engine, tables: Mapping[str, ir.Table]) -> None:
    patients = tables["patients"]
    people = patients.select("site_id", "patient_id").distinct().count()
    subjects = patients.subject_id.nunique()
    counted = con.to_pyarrow(
        ibis.memtable([{"one": 1}]).select(p=people.as_scalar(), s=subjects.as_scalar())
    )
    (row,) = counted.to_pylist()
    if row["p"] != row["s"]:
        raise Failed(
            "two patients share a pseudonym: the 16 hex digits collide. Make a new key with "
            "`y90 key new` and rebuild."
        )


def computed(
    con: Engine,
    derivation: Derivation,
    available: Mapping[str, ir.Table],
    settings: OutcomeSettings,
) -> ir.Table:
    """The table of one derivation, kept in the scratch file under its name."""
    asked = con.queries.transform(con, derivation, available, settings)
    if asked is None:
        return _kept(con, derivation.name, derivation(available, settings))
    return kept_tables.keep(con, derivation.name, asked)


def _kept(con: Engine, name: str, table: ir.Table) -> ir.Table:
    """A table of the engine, of rows of Python or of an expression."""
    if kept_tables.of_python(table):
        return kept_tables.keep_rows(con, name, table)
    return kept_tables.keep(con, name, compiled(con, table))


def gates(con: Engine, tables: Iterable[tuple[type[Contract], ir.Table]]) -> None:
    """Hold finished tables against their contracts.

    Raises:
        Failed: one breaks its contract; no row is shown.
    """
    for contract, table in tables:
        if broken := _breaks(con, contract, table):
            raise Failed(
                f"{table_name(contract)}: the derived table breaks its contract "
                f"({', '.join(f'{k} x {v}' for k, v in broken.items())}). This is a fault of the "
                "derivation: report it with the run id."
            )


def _breaks(con: Engine, contract: type[Contract], table: ir.Table) -> Mapping[str, int]:
    """Columns and types by pandera, values by the contract's compiled rules."""
    from pandera.config import ValidationDepth, config_context
    from pandera.errors import SchemaError, SchemaErrors

    try:
        with config_context(validation_depth=ValidationDepth.SCHEMA_ONLY):
            contract.validate(table, lazy=True)
    except (SchemaErrors, SchemaError) as error:
        return getattr(error, "error_counts", None) or {"contract": 1}
    name = f"gate {contract.__module__}.{contract.__name__} {table.get_name()}"
    asked = con.queries.once(con, name, lambda: validate.tally(table, contract))
    counts = zip(asked.schema.names, one_row(con, asked.sql), strict=True)
    return {rule: n for rule, n in counts if n}

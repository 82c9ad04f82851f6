"""Rows that were set aside and could have decided a number: who, when, and what they say.

Derivations read them, so that nothing that was set aside is taken as never delivered. They hold
dates and pseudonyms and are never in a release.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis.expr.types as ir

from schemas.contract import column_names, empty, table_name
from schemas.held_rows import ALTERNATIVES
from schemas.site import Site
from schemas.tables.intermediate import RowsSetAside
from schemas.tables.registry import TABLES, AdverseEvents, Contacts, Labs, ReportedEndpoints
from warehouse.engine import pseudonyms as identity
from warehouse.engine.embedded import write_parquet
from warehouse.engine.protocol import Engine
from warehouse.loading import validate

FOLDER = "held"
"""Rows set aside, whole, for the bounds of published numbers: registry/held/<table>.parquet, with
the columns of the registry table and `rules`: |rule=column|... Only a table that lost a row has
one."""
OWN = frozenset({"subject_id", "row_id"})
OF_DATES = (
    "conflicting_key",
    "contacts.two_deaths",
    "contacts.alive_after_death",
    "contacts.death_before_treatment",
)
"""Rules that set a death aside and say nothing against the cell of its date: the dates are judged
together by the derivation of deaths."""
COPY = "duplicate_row"
"""A copy of a row that is loaded: nothing is missing without it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a registry table's row says, in SQL over its columns."""

    table: str
    date: str = "NULL::DATE"
    precision: str = "NULL::VARCHAR"
    analyte: str = "NULL::VARCHAR"
    sequence: str = "NULL::BIGINT"
    dead: str = "false"
    alive: str = "false"


DEAD = "(contact_type = 'death' OR vital_status = 'dead')"
SAID = (
    Said(table_name(Labs), "lab_date", analyte="analyte", sequence="sequence"),
    Said(
        table_name(Contacts),
        "contact_date",
        "contact_date_precision",
        dead=DEAD,
        alive=f"vital_status = 'alive' AND {DEAD} IS NOT TRUE",
    ),
    Said(
        table_name(AdverseEvents),
        "coalesce(end_date, onset_date)",
        "CASE WHEN end_date IS NULL THEN onset_date_precision ELSE end_date_precision END",
        dead="outcome = 'fatal' OR grade = 5",
    ),
    Said(table_name(ReportedEndpoints), dead="event AND upper(endpoint) = 'OS'"),
)


def write(
    con: Engine, site: Site, names: Iterable[str], key: bytes, extracted: date, to: Path
) -> None:
    """Write rows_set_aside.parquet of a delivery that has just been judged."""
    loaded = set(names)
    parts = [_part(said, site, key, extracted) for said in SAID if said.table in loaded]
    table: ir.Table = con.sql(" UNION ALL ".join(parts)) if parts else empty(RowsSetAside)
    write_parquet(con, table, RowsSetAside, to / f"{table_name(RowsSetAside)}.parquet")


def _part(said: Said, site: Site, key: bytes, extracted: date) -> str:
    subject = identity.sql(key, "site_id", "patient_id")
    believed = f"CASE WHEN {said.date} <= DATE '{extracted}' THEN {said.date} END"
    listed = ", ".join(f"'{rule}'" for rule in OF_DATES)
    stands = "contact_type = 'death'" if said.table == table_name(Contacts) else "false"
    return f"""
        SELECT '{site.site_id}' AS site_id, '{said.table}' AS table_name, source_file, source_row,
               {validate.ROW} AS row_number, {subject} AS subject_id, {believed} AS row_date,
               {said.precision} AS row_date_precision, {said.analyte} AS analyte,
               {said.sequence} AS sequence, coalesce({said.dead}, false) AS says_dead,
               coalesce({said.alive}, false) AS says_alive,
               coalesce({stands} AND of_dates, false) AS date_stands
        FROM (SELECT {validate.ROW}, bool_and(rule_id IN ({listed})) AS of_dates
              FROM bad_{said.table} WHERE severity = 'reject' AND rule_id <> '{COPY}'
              GROUP BY {validate.ROW})
             JOIN all_{said.table} USING ({validate.ROW})
        WHERE patient_id IS NOT NULL"""


def write_whole(
    con: Engine, names: Iterable[str], key: bytes, column: Callable[[str, bytes], str], to: Path
) -> None:
    """Write what was set aside of a delivery that has just been judged.

    Args:
        con: the engine in which it was judged.
        names: the registry tables.
        key: the registry's key.
        column: the SQL of a column as accepted rows keep it.
        to: the folder of the accepted rows.
    """
    contracts = {table_name(c): c for c in TABLES}
    copies = ", ".join(f"'{r}'" for r, may in ALTERNATIVES.items() if may.kind == "copy")
    for name in names:
        judged = (
            f"(SELECT {validate.ROW}, "
            "'|' || string_agg(DISTINCT rule_id || '=' || column_name, '|' "
            f"ORDER BY rule_id || '=' || column_name) || '|' AS rules FROM bad_{name} "
            f"WHERE severity = 'reject' GROUP BY {validate.ROW} "
            f"HAVING NOT bool_and(rule_id IN ({copies})))"
        )
        if not con.raw_sql(f"SELECT 1 FROM {judged} LIMIT 1").fetchall():
            continue
        (to / FOLDER).mkdir(parents=True, exist_ok=True)
        kept = ", ".join(column(c, key) for c in column_names(contracts[name]) if c not in OWN)
        subject = identity.sql(key, "site_id", "patient_id")
        con.raw_sql(
            f"COPY (SELECT {kept}, CASE WHEN patient_id IS NOT NULL THEN {subject} END AS "
            f"subject_id, 'held-' || {validate.ROW} AS row_id, natural_key, rules "
            f"FROM {judged} JOIN all_{name} USING ({validate.ROW}) ORDER BY {validate.ROW}) "
            f"TO '{to / FOLDER / name}.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )

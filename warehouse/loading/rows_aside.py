"""Rows that were set aside and could have decided a number: who, when, and what they say.

Derivations read them, so that nothing that was set aside is taken as never delivered. They hold
dates and pseudonyms and are never in a release.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis.expr.types as ir

from schemas.contract import empty, table_name
from schemas.site import Site
from schemas.tables.intermediate import RowsSetAside
from schemas.tables.registry import AdverseEvents, Contacts, Labs, ReportedEndpoints
from warehouse.engine import pseudonyms as identity
from warehouse.engine.embedded import write_parquet
from warehouse.engine.protocol import Engine
from warehouse.loading import validate

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

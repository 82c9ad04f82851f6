"""Rows that were set aside, whole: what they say, for the bounds of published numbers.

    registry/held/<table>.parquet    columns of the registry table, and `rules`: |rule=column|...

Only a table of which a row was set aside has such a file. They hold what was delivered, so they lie
where accepted rows do and are never in a release.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from schemas.contract import column_names, table_name
from schemas.held_rows import ALTERNATIVES
from schemas.tables.registry import TABLES
from warehouse.engine import pseudonyms as identity
from warehouse.engine.protocol import Engine
from warehouse.loading.validate import ROW

FOLDER = "held"
OWN = frozenset({"subject_id", "row_id"})


def write(
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
            f"(SELECT {ROW}, '|' || string_agg(DISTINCT rule_id || '=' || column_name, '|' "
            f"ORDER BY rule_id || '=' || column_name) || '|' AS rules FROM bad_{name} "
            f"WHERE severity = 'reject' GROUP BY {ROW} "
            f"HAVING NOT bool_and(rule_id IN ({copies})))"
        )
        if not con.raw_sql(f"SELECT 1 FROM {judged} LIMIT 1").fetchall():
            continue
        (to / FOLDER).mkdir(parents=True, exist_ok=True)
        kept = ", ".join(column(c, key) for c in column_names(contracts[name]) if c not in OWN)
        subject = identity.sql(key, "site_id", "patient_id")
        con.raw_sql(
            f"COPY (SELECT {kept}, CASE WHEN patient_id IS NOT NULL THEN {subject} END AS "
            f"subject_id, 'held-' || {ROW} AS row_id, natural_key, rules "
            f"FROM {judged} JOIN all_{name} USING ({ROW}) ORDER BY {ROW}) "
            f"TO '{to / FOLDER / name}.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )

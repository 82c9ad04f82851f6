"""Give rows a number where nothing else tells them apart.

Two episodes of one event, or two draws of a day, are two rows even where the centre gives no
number. They are numbered by date and time, then by what else they say in the contract's order:
the order of the file decides nothing. Rows equal in all of it are copies and share their number.

Such a row is known by what it says: its natural key holds a digest of its content and not the
number, which a further row of a later delivery can change.
"""

from schemas.contract import columns, key, options, table_name
from schemas.tables.registry import RegistryTable
from transforms.intake.harmonise import NUMBERED
from warehouse.engine.protocol import Engine
from warehouse.loading.validate import ROW

SEQUENCE = "sequence"
TIMES = ("lab_time",)
PROVENANCE = ("subject_id", "row_id", "source_key", "receipt_id", "source_file", "source_row")
REST = r"regexp_replace(natural_key, '\|[^|]*$', '')"
"""A natural key without its last part, which is the number."""


def applies(contract: type[RegistryTable]) -> bool:
    """Whether rows of the table are told apart by a number."""
    return numbered(contract) in key(contract)


def numbered(contract: type[RegistryTable]) -> str:
    """The column whose number tells rows apart: `sequence`, of treatments the target."""
    return NUMBERED.get(table_name(contract), SEQUENCE)


def number(con: Engine, contract: type[RegistryTable]) -> None:
    """Number the rows that lack a number and share the rest of their key with others."""
    name, column = table_name(contract), numbered(contract)
    ordered = ", ".join(f'"{c}"' for c in _content(contract))
    said = ", ".join(f"coalesce(\"{c}\"::VARCHAR, '')" for c in _content(contract))
    con.raw_sql(
        f"""UPDATE all_{name} AS row_ SET
              {column} = numbered.given + numbered.place,
              natural_key = numbered.by_content,
              source_key = CASE WHEN row_.source_key = row_.natural_key
                                THEN numbered.by_content ELSE row_.source_key END
            FROM (
              SELECT {ROW}, place, given, rest || '|' || substr(content, 1, 16) AS by_content,
                     max(place) OVER (PARTITION BY rest) AS kinds, no_sequence
              FROM (
                SELECT {ROW}, rest, no_sequence,
                       dense_rank() OVER (PARTITION BY rest, no_sequence ORDER BY {ordered})
                         AS place,
                       coalesce(max(try_cast({column} AS BIGINT)) FILTER (WHERE NOT no_sequence)
                         OVER (PARTITION BY rest), 0) AS given,
                       md5(concat_ws(chr(31), {said})) AS content
                FROM (SELECT *, {REST} AS rest FROM left_{name})
                WHERE rest IN (SELECT {REST} FROM left_{name} GROUP BY natural_key
                               HAVING count(*) > 1 AND bool_or(no_sequence))
              ) WHERE no_sequence
            ) AS numbered
            WHERE row_.{ROW} = numbered.{ROW} AND (numbered.kinds > 1 OR numbered.given > 0)"""
    )


def _content(contract: type[RegistryTable]) -> list[str]:
    """What a row says, date and time first, the rest in the contract's order."""
    names = [c.name for c in columns(contract) if c.name not in (*PROVENANCE, numbered(contract))]
    first = [n for n in (options(contract).dated_by, *TIMES) if n in names]
    return [*first, *(n for n in names if n not in first)]

"""Make one row of the rows of one key, where the site file says that they are one.

One line of an export can tell of a lesion and of its measurement, and two files of one scan. Each
column has the value that one of the rows gives; what could not be read in one of them has none.
Rows that contradict each other are left apart, so that the rule of the key tells of them. A default
stands where no row gives a value.
"""

from collections.abc import Sequence

from schemas.contract import Column, columns, table_name
from schemas.site import TableSource
from schemas.tables.registry import RegistryTable
from transforms.intake.names import OURS_ALONE
from warehouse.engine.protocol import Engine
from warehouse.engine.quoting import literal
from warehouse.loading.validate import ROW


def together(parts: Sequence[TableSource]) -> list[TableSource]:
    """The sources of a table: if one of them is merged, all are."""
    merged = any(source.merge for source in parts)
    return [source.model_copy(update={"merge": merged}) for source in parts]


def merge(con: Engine, contract: type[RegistryTable]) -> None:
    """Merge the rows of `all_<table>`: the first row of a key has what all of them say."""
    name = table_name(contract)
    ours = [c for c in columns(contract) if c.name not in OURS_ALONE and not c.key]
    told = ", ".join(
        f"{_merged(c)} AS {c.name}, max(unread_{c.name}) AS unread_{c.name}" for c in ours
    )
    one = " AND ".join(map(_agree, ours)) or "true"
    marks = "list_distinct(flatten(list(string_split(trim(unreadable, '|'), '|'))))"
    con.raw_sql(
        f"""CREATE TABLE merged AS SELECT min({ROW}) AS {ROW}, {told},
              '|' || nullif(array_to_string(list_sort({marks}), '|'), '') || '|' AS unreadable
            FROM all_{name} WHERE NOT is_empty AND NOT in_no_group
            GROUP BY natural_key HAVING count(*) > 1 AND {one}"""
    )
    set_ = ", ".join(f"{n} = merged.{n}" for c in ours for n in (c.name, f"unread_{c.name}"))
    con.raw_sql(
        f"""DELETE FROM all_{name} USING merged m, all_{name} first
            WHERE first.{ROW} = m.{ROW} AND all_{name}.natural_key = first.natural_key
              AND all_{name}.{ROW} <> m.{ROW} AND NOT all_{name}.is_empty
              AND NOT all_{name}.in_no_group"""
    )
    con.raw_sql(
        f"UPDATE all_{name} SET {set_}, unreadable = merged.unreadable FROM merged "
        f"WHERE all_{name}.{ROW} = merged.{ROW}"
    )
    con.raw_sql("DROP TABLE merged")
    for c in (c for c in ours if c.default is not None):
        con.raw_sql(
            f"UPDATE all_{name} SET {c.name} = {_literal(c)} "
            f"WHERE {c.name} IS NULL AND unread_{c.name} IS NULL"
        )


def _agree(column: Column) -> str:
    """SQL for whether the rows of a key do not contradict each other in a column."""
    alike = f"count(DISTINCT {column.name}) < 2"
    if column.together is None:
        return alike
    return f"({alike} OR count(*) FILTER ({column.name} = '{column.codes[0]}') = 0)"


def _merged(column: Column) -> str:
    said = f"max({column.name})"
    if column.together is not None:
        several = f"count(DISTINCT {column.name}) > 1"
        said = f"CASE WHEN {several} THEN '{column.together}' ELSE {said} END"
    return f"CASE WHEN count(unread_{column.name}) = 0 THEN {said} END"


def _literal(column: Column) -> str:
    return literal(column.default) if column.dtype.is_string() else str(column.default)

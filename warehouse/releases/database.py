"""Write the database file of a release from its Parquet.

It carries every table's and column's meaning as comments. DuckDB's files are not byte-reproducible:
the Parquet is what is hashed, and this file is a cache of it.
"""

from pathlib import Path

import duckdb

from schemas.contract import Contract, columns, key, options, table_name
from schemas.tables import marts, outcomes, quality
from warehouse.engine.connections import UNLIMITED, Resources, connection

RELEASED: tuple[type[Contract], ...] = (
    *marts.TABLES,
    *outcomes.TABLES,
    outcomes.Statistics,
    outcomes.MemberSets,
    *quality.TABLES,
)


def write_database(parquet: Path, to: Path, resources: Resources = UNLIMITED) -> None:
    """Copy every Parquet table into one database with comments.

    Args:
        parquet: folder with <schema>/<table>.parquet.
        to: the database file; an old one is replaced.
        resources: what the engine may use.
    """
    to.unlink(missing_ok=True)
    with connection(to, resources) as con:
        for contract in RELEASED:
            path = parquet / options(contract).schema / f"{table_name(contract)}.parquet"
            if path.exists():
                _copy(con, contract, path)


def database_schema(contract: type[Contract]) -> str:
    """Where a table stands in the file: the outcomes in `main`, the others in their schema.

    DuckDB names the catalogue after the file, `outcomes`; a schema of that name inside it would
    make `outcomes.response_summary` ambiguous. In `main` it means catalogue and table, and works
    however the file is opened.
    """
    schema = options(contract).schema
    return "main" if schema == "outcomes" else schema


def _copy(con: duckdb.DuckDBPyConnection, contract: type[Contract], path: Path) -> None:
    schema, name = database_schema(contract), table_name(contract)
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    con.execute(f"CREATE TABLE {schema}.{name} AS SELECT * FROM read_parquet(?)", [str(path)])
    meaning = " ".join((contract.__doc__ or "").split())
    con.execute(f"COMMENT ON TABLE {schema}.{name} IS {_quoted(meaning + _keys(contract))}")
    for c in columns(contract):
        text = c.meaning + (f" [{c.unit}]" if c.unit else "")
        con.execute(f'COMMENT ON COLUMN {schema}.{name}."{c.name}" IS {_quoted(text)}')


def _keys(contract: type[Contract]) -> str:
    return f" Key: {', '.join(key(contract))}."


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

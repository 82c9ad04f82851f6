"""Write the database file of a release from its Parquet.

It carries every table's and column's meaning as comments. DuckDB's files are not byte-reproducible:
the Parquet is what is hashed, and this file is a cache of it.

Its schemas are outcomes, marts, members and quality. DuckDB names the catalogue after the file, so
a file `outcomes.duckdb` would make `outcomes.response_summary` ambiguous: the file is named after
none of them, and works renamed, copied or attached.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from schemas.contract import Contract, columns, key, options, published_name
from schemas.tables import marts, outcomes, quality
from warehouse.engine.connections import UNLIMITED, Resources, connection
from warehouse.engine.quoting import literal

DATABASE = "release.duckdb"
BEFORE = "outcomes.duckdb"
"""What the file was called in releases that hold the outcomes in the schema `main`."""

RELEASED: tuple[type[Contract], ...] = (
    *marts.TABLES,
    *outcomes.TABLES,
    outcomes.Statistics,
    outcomes.Bounds,
    outcomes.MemberSets,
    *quality.TABLES,
)


def database(release: Path) -> Path:
    """The database of a release, whichever name it was published under."""
    old = release / BEFORE
    return old if old.exists() else release / DATABASE


def write_database(
    parquet: Path,
    to: Path,
    resources: Resources = UNLIMITED,
    contracts: Iterable[type[Contract]] = RELEASED,
) -> None:
    """Copy every Parquet table into one database with comments.

    Args:
        parquet: folder with <schema>/<table>.parquet.
        to: the database file; an old one is replaced.
        resources: what the engine may use.
        contracts: the tables that can be there.
    """
    to.unlink(missing_ok=True)
    with connection(to, resources) as con:
        for contract in contracts:
            path = parquet / options(contract).schema / f"{published_name(contract)}.parquet"
            if path.exists():
                _copy(con, contract, path)


def _copy(con: duckdb.DuckDBPyConnection, contract: type[Contract], path: Path) -> None:
    schema, name = options(contract).schema, published_name(contract)
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    con.execute(f"CREATE TABLE {schema}.{name} AS SELECT * FROM read_parquet(?)", [str(path)])
    meaning = " ".join((contract.__doc__ or "").split())
    con.execute(f"COMMENT ON TABLE {schema}.{name} IS {literal(meaning + _keys(contract))}")
    held = {row[0] for row in con.execute(f"DESCRIBE {schema}.{name}").fetchall()}
    for c in (c for c in columns(contract) if c.name in held):
        text = c.meaning + (f" [{c.unit}]" if c.unit else "")
        con.execute(f'COMMENT ON COLUMN {schema}.{name}."{c.name}" IS {literal(text)}')


def _keys(contract: type[Contract]) -> str:
    return f" Key: {', '.join(key(contract))}."

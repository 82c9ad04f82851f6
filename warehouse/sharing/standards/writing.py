"""Write the datasets of a release, with define.xml, in the forms in which they are exchanged."""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.errors import Failed
from warehouse.engine.connections import connection
from warehouse.engine.quoting import literal
from warehouse.sharing.standards import dataset_json, define
from warehouse.sharing.standards.datasets import DATASETS
from warehouse.sharing.standards.study import Study
from warehouse.sharing.standards.variables import UNMAPPED, Dataset


def write(release: Path, study: Study, to: Path) -> list[Path]:
    """Write every dataset as Parquet, SAS transport file (XPT version 5) and Dataset-JSON 1.1.

    define.xml 2.1 describes them.

    Args:
        release: the release's folder.
        study: what it is called: the registry's name, the release's, when it was made.
        to: a folder that exists.

    Raises:
        Failed: a value of the release has no code of CDISC.
    """
    paths: list[Path] = []
    lengths: dict[str, dict[str, int]] = {}
    with connection() as con:
        for dataset in DATASETS:
            _collect(con, dataset, release, study.name)
            table = con.execute("SELECT * FROM made").to_arrow_table()
            name = dataset.name.lower()
            con.execute(f"COPY made TO '{to / name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
            lengths[dataset.name] = _lengths(con, dataset)
            (to / f"{name}.json").write_bytes(
                dataset_json.written(dataset, study, table, lengths[dataset.name])
            )
            _transport(dataset, table, to / f"{name}.xpt")
            paths += [to / f"{name}.{ending}" for ending in ("parquet", "xpt", "json")]
    described = to / "define.xml"
    described.write_bytes(define.written(DATASETS, study, lengths))
    return [*paths, described]


def _collect(con: duckdb.DuckDBPyConnection, dataset: Dataset, release: Path, study: str) -> None:
    """Keep a dataset's rows as the table `made`."""
    columns = ", ".join(f'{v.sql} AS "{v.name}"' for v in dataset.variables)

    def mart(name: str) -> str:
        return literal(release / "parquet" / "marts" / f"{name}.parquet")

    try:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE made AS SELECT {columns} FROM {dataset.source(mart)} "
            f"ORDER BY {', '.join(dataset.keys)}",
            {"study": study},
        )
    except duckdb.InvalidInputException as error:
        _, found, unmapped = str(error).partition(UNMAPPED)
        if not found:
            raise
        raise Failed(
            f"{dataset.name}: {UNMAPPED}{unmapped.strip()}. Give its record in schemas/records a "
            "code and run `y90 export` again."
        ) from None


def _lengths(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> dict[str, int]:
    """The bytes of each variable's longest text, at least 1; 8 of a number, as SAS keeps it."""
    texts = [v.name for v in dataset.variables if v.kind == "text"]
    longest = ", ".join(f'max(strlen("{name}"))' for name in texts)
    row = con.execute(f"SELECT {longest} FROM made").fetchone()
    assert row is not None, "an aggregate gives a row"
    found = {name: max(1, length or 1) for name, length in zip(texts, row, strict=True)}
    return {v.name: found.get(v.name, 8) for v in dataset.variables}


def _transport(dataset: Dataset, table: pa.Table, path: Path) -> None:
    import pyreadstat

    for number, field in enumerate(table.schema):
        if pa.types.is_string(field.type):  # a transport file knows no missing text
            table = table.set_column(number, field, table[field.name].fill_null(""))
    frame: Any = table.to_pandas()
    pyreadstat.write_xport(
        frame,
        str(path),
        file_label=dataset.label,
        column_labels=[v.label for v in dataset.variables],
        table_name=dataset.name,
        file_format_version=5,
    )

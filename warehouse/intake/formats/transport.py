"""SAS transport files (XPT, version 5), as CDISC tables are exchanged, to Parquet.

A file of this kind says neither how many rows it has nor where it ends: one that was cut off
between two rows cannot be told from a whole one.

Source: SAS, Record Layout of a SAS Version 5 or 6 Data Set in SAS Transport (XPORT) Format.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import BadDelivery

CHUNK = 100_000
MAGIC = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
ENCODINGS = ("UTF-8", "WINDOWS-1252")
"""The file does not say which; a byte that is no UTF-8 decides."""
RECORD = 80
"""Bytes of a record; a whole file is a multiple of it."""


def as_parquet(path: Path, origin: str, scratch: Path) -> Path:
    """A transport file as Parquet in the scratch folder: text, numbers, days.

    Args:
        path: the file.
        origin: what messages call it.
        scratch: where the Parquet file is written.

    Raises:
        BadDelivery: it is not one, or not whole.
    """
    from pyreadstat import ReadstatError

    with path.open("rb") as file:
        whole = file.read(len(MAGIC)) == MAGIC and path.stat().st_size % RECORD == 0
    if not whole:
        raise BadDelivery(
            f"{origin}: not a SAS transport file of version 5, or one that was cut off. Export it "
            "again, or as CSV."
        )
    to = scratch / f"transport-{path.stem}.parquet"
    for encoding in ENCODINGS:
        try:
            return _written(path, to, encoding)
        except (ReadstatError, UnicodeDecodeError, pa.ArrowException, ValueError):
            continue
    raise BadDelivery(
        f"{origin}: cannot be read as a SAS transport file. Export it again, or as CSV."
    )


def _written(path: Path, to: Path, encoding: str) -> Path:
    import pyreadstat

    _, described = pyreadstat.read_xport(path, metadataonly=True, encoding=encoding)
    schema = pa.schema([(n, _kind(described, n)) for n in described.column_names])
    with pq.ParquetWriter(to, schema) as writer:
        for frame, _ in pyreadstat.read_file_in_chunks(
            pyreadstat.read_xport, str(path), chunksize=CHUNK, encoding=encoding
        ):
            writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))
    return to


def _kind(described: object, name: str) -> pa.DataType:
    """The type of a column; days and moments of SAS have a format that says so."""
    if described.readstat_variable_types[name] == "string":  # type: ignore[attr-defined]
        return pa.string()
    form = (described.original_variable_types[name] or "").upper()  # type: ignore[attr-defined]
    if form.startswith("DATETIME"):
        return pa.timestamp("us")
    if form.startswith(("DATE", "YYMMDD", "DDMMYY", "MMDDYY", "E8601DA")):
        return pa.date32()
    return pa.float64()

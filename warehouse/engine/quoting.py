"""Names, texts and files in SQL that is put together: the one place that quotes them."""

from pathlib import Path


def identifier(name: str) -> str:
    """A name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A value as a text."""
    return "'" + str(value).replace("'", "''") + "'"


def read_parquet(*paths: Path | str) -> str:
    """Parquet files as one table."""
    return f"read_parquet([{', '.join(map(literal, paths))}])"

"""Is this export one of labels, where we need raw codes?

A label export writes `Complete` for 2, `Checked` for 1, an event's label for its unique name, a
choice's label for its code, and hides missing-data codes. It cannot be mapped back with certainty,
so it is recognised and refused.
"""

import duckdb

from schemas.errors import BadDelivery
from warehouse.delimited import quoted
from warehouse.redcap_dictionary import Dictionary

LABEL_HEADERS = ("event name", "repeat instrument", "repeat instance", "complete?")
UNIQUE_EVENT = "_arm_[0-9]+[a-z]*$"
SAMPLE_ROWS = 20_000
ADVICE = "Export raw data (CSV / Microsoft Excel, raw data), not labels."


def refuse_label_header(header: tuple[str, ...], origin: str) -> None:
    """Refuse labels in the header."""
    if any(name.casefold() in LABEL_HEADERS for name in header):
        raise BadDelivery(f"{origin}: the header holds labels. {ADVICE}")


def refuse_labels(
    con: duckdb.DuckDBPyConnection,
    header: tuple[str, ...],
    dictionary: Dictionary | None,
    origin: str,
) -> None:
    """Refuse labels in the cells of the table `slice`."""
    found = [
        *_columns_with(con, [c for c in header if c.endswith("_complete")], _STATUS),
        *_columns_with(con, [c for c in header if "___" in c], _TICKED),
        *_labelled_events(con, header),
        *(_labelled_choices(con, header, dictionary) if dictionary else []),
    ]
    if found:
        shown = ", ".join(dict.fromkeys(found[:5]))
        raise BadDelivery(f"{origin}: labels instead of codes in {shown}. {ADVICE}")


_STATUS = ("Incomplete", "Unverified", "Complete")
_TICKED = ("Checked", "Unchecked")


def _columns_with(
    con: duckdb.DuckDBPyConnection, columns: list[str], values: tuple[str, ...]
) -> list[str]:
    """Columns of which a cell in the sample holds one of these values."""
    if not columns:
        return []
    listed = ", ".join(f"'{value}'" for value in values)
    tests = ", ".join(f"bool_or({quoted(c)} IN ({listed}))" for c in columns)
    found = con.execute(f"SELECT {tests} FROM (FROM slice LIMIT {SAMPLE_ROWS})").fetchone() or ()
    return [c for c, hit in zip(columns, found, strict=True) if hit]


def _labelled_events(con: duckdb.DuckDBPyConnection, header: tuple[str, ...]) -> list[str]:
    event = "redcap_event_name"
    if event not in header:
        return []
    found = con.execute(
        f"SELECT 1 FROM slice WHERE {event} IS NOT NULL AND NOT regexp_matches({event}, ?) LIMIT 1",
        [UNIQUE_EVENT],
    ).fetchone()
    return [event] if found else []


def _labelled_choices(
    con: duckdb.DuckDBPyConnection, header: tuple[str, ...], dictionary: Dictionary
) -> list[str]:
    """Coded fields that hold labels and not one code, unless others hold codes."""
    coded = [f for f in dictionary.fields.values() if f.name in header and f.choices]
    labels = {f.name: [x for x in f.choices.values() if x not in f.choices] for f in coded}
    tests, values = [], []
    for field in coded:
        tests += [f"count(*) FILTER (list_contains(?, {quoted(field.name)}))"] * 2
        values += [list(field.choices), labels[field.name]]
    if not tests:
        return []
    found = (
        con.execute(
            f"SELECT {', '.join(tests)} FROM (FROM slice LIMIT {SAMPLE_ROWS})", values
        ).fetchone()
        or ()
    )
    codes, hits = found[::2], found[1::2]
    suspects = [f.name for f, c, n in zip(coded, codes, hits, strict=True) if n and not c]
    return suspects if sum(hits) > sum(codes) else []

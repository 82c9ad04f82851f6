"""Refuse a REDCap export of labels, since raw codes are needed.

A label export writes `Complete` for 2, `Checked` for 1, an event's label for its unique name, a
choice's label for its code, and hides missing-data codes. It cannot be mapped back with certainty,
so it is recognised and refused.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import BadDelivery
from warehouse.intake.redcap.dictionary import Dictionary

LABEL_HEADERS = ("event name", "repeat instrument", "repeat instance", "complete?")
UNIQUE_EVENT = re.compile("_arm_[0-9]+[a-z]*$")
ADVICE = "Export raw data (CSV / Microsoft Excel, raw data), not labels."


def refuse_label_header(header: tuple[str, ...], origin: str) -> None:
    """Refuse labels in the header."""
    if any(name.casefold() in LABEL_HEADERS for name in header):
        raise BadDelivery(f"{origin}: the header holds labels. {ADVICE}")


def refuse_labels(batch: pa.RecordBatch, dictionary: Dictionary | None, origin: str) -> None:
    """Refuse labels in the cells of some records."""
    header = batch.schema.names
    found = [
        *_columns_with(batch, [c for c in header if c.endswith("_complete")], _STATUS),
        *_columns_with(batch, [c for c in header if "___" in c], _TICKED),
        *_labelled_events(batch),
        *(_labelled_choices(batch, dictionary) if dictionary else []),
    ]
    if found:
        shown = ", ".join(dict.fromkeys(found[:5]))
        raise BadDelivery(f"{origin}: labels instead of codes in {shown}. {ADVICE}")


_STATUS = frozenset({"Incomplete", "Unverified", "Complete"})
_TICKED = frozenset({"Checked", "Unchecked"})


def _filled(cells: pa.StringArray) -> bool:
    return bool(cells.null_count < len(cells))


def _columns_with(batch: pa.RecordBatch, columns: list[str], values: frozenset[str]) -> list[str]:
    """Columns of which a cell holds one of these values."""
    some = [c for c in columns if _filled(batch[c])]
    return [c for c in some if not values.isdisjoint(pc.unique(batch[c]).to_pylist())]


def _labelled_events(batch: pa.RecordBatch) -> list[str]:
    event = "redcap_event_name"
    if event not in batch.schema.names:
        return []
    events = pc.unique(batch[event]).drop_null().to_pylist()
    return [] if all(UNIQUE_EVENT.search(name) for name in events) else [event]


def _labelled_choices(batch: pa.RecordBatch, dictionary: Dictionary) -> list[str]:
    """Coded fields that hold labels and not one code, unless others hold codes."""
    suspects: list[str] = []
    surplus = 0
    for field in dictionary.fields.values():
        if not field.choices or field.name not in batch.schema.names:
            continue
        cells = batch[field.name]
        counts = pc.value_counts(cells).to_pylist() if _filled(cells) else []
        labels = set(field.choices.values()) - set(field.choices)
        codes = sum(c["counts"] for c in counts if c["values"] in field.choices)
        hits = sum(c["counts"] for c in counts if c["values"] in labels)
        suspects += [field.name] if hits and not codes else []
        surplus += hits - codes
    return suspects if surplus > 0 else []

"""What a centre enters into our own REDCap project, and what REDCap exports of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from schemas.contract import table_name
from warehouse.sharing import entry_redcap
from warehouse.sharing.entry_fields import entered, fields, repeats

Rows = Mapping[str, Sequence[Mapping[str, str]]]


def shown(value: Any) -> str:
    """A value as somebody enters it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)


def exported(tables: Rows) -> Iterator[list[str]]:
    """The flat export that REDCap would write: a row for each repeat, codes in place of labels."""
    known = {c: list(fields(c)) for c in entered()}
    names = [entry_redcap.field_name(f) for several in known.values() for f in several]
    status = [f"{table_name(c)}_complete" for c in known]
    head = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", *names, *status]
    yield head
    for who in dict.fromkeys(r["patient_id"] for r in tables["patients"]):
        for contract, several in known.items():
            table = table_name(contract)
            rows = [r for r in tables.get(table, ()) if r["patient_id"] == who]
            for instance, row in enumerate(rows, 1):
                cells = {"record_id": who, f"{table}_complete": "2"}
                if repeats(contract):
                    cells["redcap_repeat_instrument"] = table
                    cells["redcap_repeat_instance"] = str(instance)
                for f in several:
                    numbers = {c: n for n, c in entry_redcap.choices(f).items()}
                    said = row.get(f.column.name, "")
                    said = numbers.get(said, said)
                    cells[entry_redcap.field_name(f)] = {"yes": "1", "no": "0"}.get(said, said)
                yield [cells.get(name, "") for name in head]

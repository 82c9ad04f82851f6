"""A REDCap project for a centre that begins now, ready to be uploaded, and what reads its exports.

An instrument is a table; every table but the patients repeats. Fields are named after table and
column. Choices have numbers, as REDCap's own exports do, and our codes as their labels.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from schemas import redcap_dictionary
from schemas.contract import table_name
from warehouse.sharing.entry_fields import Field, about, entered, fields, repeats

RECORD = "record_id"
VALIDATION = {
    "day": "date_ymd",
    "moment": "datetime_ymd",
    "whole number": "integer",
    "number": "number",
}
SITE_FILE = """site_id = "{site}"
extends = "{base}"
"""
"""All that a site file needs to read an export of the project."""
BASE = "y90_project.toml"
BRANCHES = {
    ("contacts", "cause_of_death"): ("vital_status", "dead"),
    ("measurements", "perpendicular_mm"): ("status", "measured"),
}
"""A field that is shown only where another one of its form has a value."""


def write_project(folder: Path) -> list[Path]:
    """Write dictionary, repeating instruments, codebook and the base of a site file."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "dictionary.csv": _csv([list(redcap_dictionary.COLUMNS), *_dictionary()]),
        "repeating_instruments.csv": _csv([["form_name", "custom_form_label"], *_repeating()]),
        "codebook.md": "\n".join(_codebook()) + "\n",
        BASE: "\n".join(_base()) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in texts]


def field_name(field: Field) -> str:
    """The field's name in the project: at most 26 signs are advised, 100 allowed."""
    return f"{field.table}_{field.column.name}"


def choices(field: Field) -> dict[str, str]:
    """Number -> our code, of a field with choices."""
    return {str(n): code for n, code in enumerate(field.column.codes, 1)}


def _dictionary() -> Iterator[list[str]]:
    first = next(iter(entered()))
    yield _line(RECORD, table_name(first), "text", "Patient", identifier="y")
    for contract in entered():
        for f in fields(contract):
            listed = " | ".join(f"{n}, {code}" for n, code in choices(f).items())
            low, high = f.bounds if f.kind in ("whole number", "number") else (None, None)
            kind = {"choice": "radio", "yes or no": "yesno"}.get(f.kind, "text")
            yield _line(
                field_name(f),
                f.table,
                kind,
                f.column.meaning,
                choices=listed,
                note=f.note,
                validation=VALIDATION.get(f.kind, ""),
                low="" if low is None else f"{low:g}",
                high="" if high is None else f"{high:g}",
                branch=_branch(f),
                required="y" if f.required else "",
                identifier="y" if f.column.identifying else "",
            )


def _branch(field: Field) -> str:
    asked = BRANCHES.get((field.table, field.column.name))
    if asked is None:
        return ""
    (of,) = (
        f
        for contract in entered()
        for f in fields(contract)
        if (f.table, f.column.name) == (field.table, asked[0])
    )
    (number,) = (n for n, code in choices(of).items() if code == asked[1])
    return f"[{field_name(of)}] = '{number}'"


def _line(name: str, form: str, kind: str, label: str, **facts: str) -> list[str]:
    given = {
        "Variable / Field Name": name,
        "Form Name": form,
        "Field Type": kind,
        "Field Label": label,
        "Choices, Calculations, OR Slider Labels": facts.get("choices", ""),
        "Field Note": facts.get("note", ""),
        "Text Validation Type OR Show Slider Number": facts.get("validation", ""),
        "Text Validation Min": facts.get("low", ""),
        "Text Validation Max": facts.get("high", ""),
        "Identifier?": facts.get("identifier", ""),
        "Branching Logic (Show field only if...)": facts.get("branch", ""),
        "Required Field?": facts.get("required", ""),
    }
    return [given.get(column, "") for column in redcap_dictionary.COLUMNS]


def _repeating() -> Iterator[list[str]]:
    for contract in entered():
        if repeats(contract):
            yield [table_name(contract), ""]


def _codebook() -> Iterator[str]:
    yield "# Codebook"
    for contract in entered():
        often = "as often as there is something to enter" if repeats(contract) else "once a patient"
        yield from ("", f"## {table_name(contract)}", "", f"{about(contract)} Entered {often}.", "")
        yield from ("| field | form | choices | meaning |", "|---|---|---|---|")
        for f in fields(contract):
            listed = "; ".join(f"{n} = {code}" for n, code in choices(f).items())
            need = " Required." if f.required else ""
            yield f"| {field_name(f)} | {f.note or f.kind} | {listed} | {f.column.meaning}{need} |"


def _base() -> Iterator[str]:
    yield from ('format = "redcap"', "", "[redcap]", 'data = "data.csv"')
    yield from ('dictionary = "dictionary.csv"', f'record = "{RECORD}"')
    for contract in entered():
        name = table_name(contract)
        yield from ("", f"[[tables.{name}]]", f'instrument = "{name}"', f"[tables.{name}.columns]")
        for f in fields(contract):
            yield f"{f.column.name} = {_mapped(f)}"


def _mapped(field: Field) -> str:
    if not field.column.codes:
        return f'"{field_name(field)}"'
    pairs = ", ".join(f'{n} = "{code}"' for n, code in choices(field).items())
    return f'{{ from = "{field_name(field)}", codes = {{ {pairs} }} }}'


def _csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()

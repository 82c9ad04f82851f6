"""An empty workbook for a centre that begins now: a sheet a table, with lists to choose from.

The sheets and their columns have our names, so that a site file needs no mapping. The first sheet
says how it is filled in.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from schemas.contract import table_name
from warehouse.sharing.entry_fields import PATIENT, Field, about, entered, fields
from warehouse.sharing.sheets import write_sheets

Given = Mapping[str, Sequence[Mapping[str, Any]]]
INSTRUCTIONS = "Instructions"
SITE_FILE = """site_id = "{site}"
date_format = "%Y-%m-%d"
ignored_files = ["Instructions"]
"""
"""All that a site file needs to read the workbook."""
LAST = 1_048_576
"""The last row of a sheet."""
LISTS = {"yes or no": ("yes", "no")}
LONGEST = 255
"""So many signs may a list in a cell's rule have."""


def write_workbook(path: Path, rows: Given | None = None) -> None:
    """Write the workbook, empty or with rows by table."""
    sheets: list[tuple[str, list[list[Any]], str]] = [(INSTRUCTIONS, list(_instructions()), "")]
    for contract in entered():
        columns = list(fields(contract))
        names = [PATIENT, *(f.column.name for f in columns)]
        told = (rows or {}).get(table_name(contract), ())
        body = [[row.get(name) for name in names] for row in told]
        sheets.append((table_name(contract), [names, *body], _rules(columns)))
    write_sheets(path, sheets)


def _instructions() -> Iterator[list[Any]]:
    yield ["table", "column", "required", "form", "values", "meaning"]
    for contract in entered():
        yield [table_name(contract), "", "", "", "", about(contract)]
        yield [table_name(contract), PATIENT, "yes", "", "", "Who it is: the same in every sheet."]
        for f in fields(contract):
            values = ", ".join(f.column.codes or LISTS.get(f.kind, ()))
            required = "yes" if f.required else ""
            meaning = f.column.meaning
            yield [f.table, f.column.name, required, f.note or f.kind, values, meaning]


def _rules(columns: Sequence[Field]) -> str:
    """The lists of a sheet, as the workbook's format has them."""
    rules = []
    for number, one in enumerate(columns, 2):
        listed = ",".join(one.column.codes or LISTS.get(one.kind, ()))
        if listed and len(listed) <= LONGEST:
            letters = _letters(number)
            rules.append(
                '<dataValidation type="list" allowBlank="1" showErrorMessage="1" '
                f'sqref="{letters}2:{letters}{LAST}"><formula1>"{escape(listed)}"</formula1>'
                "</dataValidation>"
            )
    body = "".join(rules)
    return f'<dataValidations count="{len(rules)}">{body}</dataValidations>' if rules else ""


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters

"""Read a REDCap data dictionary: the fields, the forms they stand on, and their choices.

The export of the project's Online Designer (18 columns) or the API's metadata, whose columns have
other names. Choices read `code, label | code, label`: labels may hold commas.
"""

import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import BadDelivery
from warehouse.intake.formats.delimited import first_of, survey

CODED = ("radio", "dropdown", "checkbox")
TYPES = (
    *CODED,
    *("text", "notes", "calc", "sql", "slider", "file", "yesno", "truefalse", "descriptive"),
)
COLUMNS = {
    "name": ("variable / field name", "field_name"),
    "form": ("form name", "form_name"),
    "type": ("field type", "field_type"),
    "choices": (
        "choices, calculations, or slider labels",
        "choices or calculations",
        "select_choices_or_calculations",
    ),
    "identifier": ("identifier?", "identifier"),
    "label": ("field label", "field_label"),
    "note": ("field note", "field_note"),
    "validation": (
        "text validation type or show slider number",
        "text_validation_type_or_show_slider_number",
    ),
}
OPTIONAL = ("choices", "identifier", "label", "note", "validation")
NAME = re.compile(r"[a-z0-9_]+", re.IGNORECASE)


@dataclass(frozen=True)
class DictionaryField:
    """One field of the project."""

    name: str
    form: str
    type: str
    choices: dict[str, str] = field(default_factory=dict)
    identifier: bool = False
    label: str = ""
    note: str = ""
    validation: str = ""


@dataclass(frozen=True)
class Dictionary:
    """The fields of a project, in their order, and remarks on them."""

    fields: dict[str, DictionaryField]
    notices: tuple[str, ...] = ()

    @property
    def record(self) -> str:
        """The record id: REDCap makes it the first field of every project."""
        return next(iter(self.fields))

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms, in their order."""
        return tuple(dict.fromkeys(f.form for f in self.fields.values()))


def read_dictionary(
    path: Path, origin: str, scratch: Path, mapped: Collection[str] | None = None
) -> Dictionary:
    """Read a dictionary.

    Args:
        path: the file.
        origin: its name in messages.
        scratch: a folder for what is written on the way.
        mapped: the fields that a site file uses, default all. A coded field without choices is
            refused only among these; of another it is noted.

    Raises:
        BadDelivery: with every breach, if it is malformed.
    """
    text = survey(path, origin, scratch, delimiter=None, encoding=None)
    places = _places(text.header, origin)
    rows = _rows(text.path, text.delimiter, text.body, len(text.header), origin)
    fields: dict[str, DictionaryField] = {}
    problems: list[str] = []
    bare: list[str] = []
    for number, row in enumerate(rows, 1):
        if not any(row):
            continue
        cells = {n: row[p].strip() for n, p in places.items()}
        unused = mapped is not None and cells["name"] not in mapped
        bare += [cells["name"]] if unused and _without_choices(cells) else []
        problems += [f"{origin} row {number}: {p}" for p in _faults(cells, fields, bare)]
        fields[cells["name"]] = _field(cells)
    if not fields and not problems:
        problems = [f"{origin}: no field in it. Export the data dictionary again."]
    if problems:
        raise BadDelivery(first_of(problems))
    notice = f"{origin}: coded fields without choices, taken as they stand: {', '.join(bare)}"
    return Dictionary(fields, (notice,) if bare else ())


def parse_choices(text: str) -> list[tuple[str, str]]:
    """The (code, label) pairs of a field; a piece without a comma is code and label at once."""
    pieces = [piece.strip() for piece in text.split("|")]
    pairs = [piece.partition(",") for piece in pieces if piece]
    return [(code.strip(), label.strip() or code.strip()) for code, _, label in pairs]


def _places(header: tuple[str, ...], origin: str) -> dict[str, int]:
    known = {name.casefold(): place for place, name in enumerate(header)}
    places = {
        ours: known[name] for ours, names in COLUMNS.items() for name in names if name in known
    }
    missing = [COLUMNS[n][0] for n in COLUMNS if n not in places and n not in OPTIONAL]
    if missing:
        raise BadDelivery(
            f"{origin}: not a REDCap data dictionary, column {' and '.join(missing)} missing. "
            "Download it again from the project's Data Dictionary page."
        )
    return places


def _rows(path: Path, delimiter: str, body: int, width: int, origin: str) -> list[list[str]]:
    data = path.read_bytes()[body:].decode("utf-8")
    try:
        rows = list(csv.reader(io.StringIO(data, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise BadDelivery(
            f"{origin}: a quote is not closed or not doubled. Download the dictionary again."
        ) from None
    ragged = [n for n, row in enumerate(rows, 1) if row and len(row) != width]
    advice = f"not {width} fields like its header. Download the dictionary again."
    if ragged:
        raise BadDelivery(first_of([f"{origin} row {n}: {advice}" for n in ragged]))
    return rows


def _faults(cells: dict[str, str], known: dict[str, DictionaryField], bare: list[str]) -> list[str]:
    codes = [c for c, _ in parse_choices(cells.get("choices", ""))]
    coded = cells["type"] in CODED and cells["name"] not in bare
    checks = [
        (not NAME.fullmatch(cells["name"]), "no field name, or one with other than a-z, 0-9, _"),
        (not NAME.fullmatch(cells["form"]), "no form name, or one with other than a-z, 0-9, _"),
        (cells["name"] in known, "a field that was there before"),
        (cells["type"] not in TYPES, f"field type is none of {', '.join(TYPES)}"),
        (coded and not codes, "a coded field without choices"),
        (coded and "" in codes, "a choice without a code"),
        (coded and len(set(codes)) < len(codes), "a choice's code that was there before"),
    ]
    return [f"{problem}. Correct the dictionary." for broken, problem in checks if broken]


def _without_choices(cells: dict[str, str]) -> bool:
    return cells["type"] in CODED and not parse_choices(cells.get("choices", ""))


def _field(cells: dict[str, str]) -> DictionaryField:
    coded = cells["type"] in CODED
    choices = dict(parse_choices(cells.get("choices", ""))) if coded else {}
    if cells["type"] in ("yesno", "truefalse"):
        choices = (
            {"1": "Yes", "0": "No"} if cells["type"] == "yesno" else {"1": "True", "0": "False"}
        )
    return DictionaryField(
        name=cells["name"],
        form=cells["form"],
        type=cells["type"],
        choices=choices,
        identifier=cells.get("identifier", "").casefold() == "y",
        label=cells.get("label", ""),
        note=cells.get("note", ""),
        validation=cells.get("validation", ""),
    )

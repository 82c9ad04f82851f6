"""The dialect of each centre of an invented registry, and its site file.

The site file is made from the dialect, so the two cannot disagree. REDCap centres keep the project
of the reference cohort; centres with plain tables differ in delimiter, date, decimal sign, units,
codes and words for yes and no.
"""

import csv
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from simulation import redcap
from simulation.plain import LABS, RENAMED, plain, theirs
from simulation.reference import Record, Value, records
from simulation.registry.changes import Tables
from simulation.registry.doses import COLUMNS as DOSES
from simulation.registry.recorded import COLUMNS, TABLE

Format = Literal["mixed", "csv", "redcap"]
FORMATS: tuple[Format, ...] = get_args(Format)
HERE = Path(__file__).parents[1]
UNITS = {"cm": "cm", "mbq": "MBq", "pct": "%"}
"""Ending of a renamed column -> its unit."""
Codes = Mapping[tuple[str, str], Mapping[str, str]]
README = """SYNTHETIC: no real person.

One export of the invented centre {site_id}, as of {as_of}, of a registry of invented patients who
were treated with 90Y radioembolization. Nothing in it may be quoted as patient data. Every file
repeats it.
"""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a centre writes; all but `redcap` and `patient_id` is of plain tables, one file each."""

    name: str
    redcap: bool = False
    patient_id: str = "{:05d}"
    delimiter: str = ","
    date_format: str = "%Y-%m-%d"
    decimal: str = "."
    yes_no: tuple[str, str] = ("yes", "no")
    missing: str = ""
    si: bool = False
    """Centimetres, MBq, percent, umol/L, g/L and cells per microlitre; else our own units."""
    codes: Codes = field(default_factory=dict)
    """(table, column) -> our code -> theirs."""
    places: bool = False
    """Records the lobes planned at the first session, and where disease that is no target is."""
    doses: bool = False
    """Measures the doses of tumour and normal liver, and their volumes."""
    recorded: bool = False
    """Records classes of response, too, and measures a tumour marker."""
    history: bool = False
    """Records Ki-67, therapies by class and causes of death, and has cases like REILD."""


_LETTERS: Codes = {
    ("patients", "sex"): {"female": "F", "male": "M", "unknown": "U"},
    ("treatments", "device"): {"glass": "TheraSphere", "resin": "SIR-Spheres"},
    ("treatments", "lobe"): {"right": "R", "left": "L", "whole": "W"},
}
_NUMBERS: Codes = {
    ("patients", "sex"): {"female": "2", "male": "1", "unknown": "9"},
    ("patients", "extrahepatic_disease"): {
        "none": "0",
        "minimal": "1",
        "significant": "2",
        "unknown": "9",
    },
    ("treatments", "device"): {"glass": "1", "resin": "2"},
    ("contacts", "vital_status"): {"alive": "0", "dead": "1"},
}
PLAIN = (
    Dialect("SI units", delimiter=";", date_format="%d/%m/%Y", si=True, doses=True),
    Dialect(
        "letters",
        patient_id="B-{}",
        yes_no=("1", "0"),
        missing="NA",
        codes=_LETTERS,
        history=True,
    ),
    Dialect(
        "numbers",
        patient_id="{:07d}",
        delimiter="\t",
        date_format="%d.%m.%Y",
        decimal=",",
        yes_no=("true", "false"),
        si=True,
        codes=_NUMBERS,
        places=True,
        recorded=True,
    ),
)
PLACES = {
    "treatments": ("planned_lobes",),
    "scans": ("non_target_liver", "non_target_elsewhere"),
}
"""What few centres record: the columns of those that do."""
REDCAP = Dialect("REDCap", redcap=True, patient_id="R{}")
MIXED = (PLAIN[0], REDCAP, PLAIN[1], REDCAP, PLAIN[2])


def dialect(format: Format, place: int) -> Dialect:
    """The dialect of the centre in that place, from 0."""
    chosen = {"mixed": MIXED, "csv": PLAIN, "redcap": (REDCAP,)}[format]
    return chosen[place % len(chosen)]


def site_file(site_id: str, chosen: Dialect) -> str:
    """The centre's sites/<site>.toml."""
    head = [
        "# SYNTHETIC: no real person. An invented centre of an invented registry.",
        f'site_id = "{site_id}"',
        f'label = "Centre {site_id} (synthetic, {chosen.name})"',
        'origin = "synthetic"',
    ]
    if chosen.redcap:
        reference = (HERE / "memon2012" / "sites" / "memon2012.toml").read_text("utf-8")
        return "\n".join([*head, reference[reference.index("format = ") :]])
    head += [
        'format = "tables"',
        f'delimiter = "{chosen.delimiter}"'.replace("\t", "\\t"),
        f'decimal = "{chosen.decimal}"',
        f'date_format = "{chosen.date_format}"',
        f'missing = ["{chosen.missing}"]' if chosen.missing else "missing = []",
    ]
    return "\n".join([*head, *(_table(name, chosen) for name in _tables(chosen)), ""])


def write_export(
    site_id: str, chosen: Dialect, patients: Iterable[Tables], as_of: date, folder: Path
) -> None:
    """Write one centre's export, patient by patient."""
    folder.mkdir(parents=True)
    readme = README.format(site_id=site_id, as_of=as_of)
    if chosen.redcap:
        redcap.write_project(patients, readme, folder)
        return
    (folder / "README.txt").write_text(readme, encoding="utf-8")
    with ExitStack() as stack:
        writers = {}
        for name in _tables(chosen):
            header = _recorded(name, chosen)
            file = (folder / f"{name}.csv").open("w", encoding="utf-8", newline="")
            writers[name] = csv.writer(
                stack.enter_context(file), delimiter=chosen.delimiter, lineterminator="\n"
            )
            named = [RENAMED.get(c, (c,))[0] for c in header] if chosen.si else header
            writers[name].writerow([*named, "synthetic"])
        for tables in patients:
            for name, rows in tables.items():
                writers[name].writerows(_lines(name, rows, chosen))


@cache
def columns() -> dict[str, tuple[str, ...]]:
    """The columns of every table that a registry of this kind records."""
    return {name: tuple(rows[0]) for name, rows in records(date.max).items()}


def _tables(chosen: Dialect) -> dict[str, tuple[str, ...]]:
    """The columns of every table that a centre records."""
    return columns() | ({TABLE: COLUMNS} if chosen.recorded else {})


def _recorded(table: str, chosen: Dialect) -> tuple[str, ...]:
    placed = PLACES.get(table, ()) if chosen.places else ()
    dosed = DOSES if chosen.doses and table == "treatments" else ()
    return (*_tables(chosen)[table], *placed, *dosed)


def _lines(table: str, rows: list[Record], chosen: Dialect) -> Iterable[list[str]]:
    codes = {c: known for (t, c), known in chosen.codes.items() if t == table}
    for whole in rows:
        row: Record = {c: whole[c] for c in _recorded(table, chosen)}
        told: Record = {c: known[str(row[c])] for c, known in codes.items() if row[c] is not None}
        given = theirs(table, row | told) if chosen.si else row | told
        yield [*(_text(value, chosen) for value in given.values()), "SYNTHETIC"]


def _text(value: Value, chosen: Dialect) -> str:
    match value:
        case None:
            return chosen.missing
        case str():
            return value
        case bool():
            return chosen.yes_no[not value]
        case Decimal():
            return plain(value).replace(".", chosen.decimal)
        case date():
            return value.strftime(chosen.date_format)
        case _:
            return str(value)


def _table(name: str, chosen: Dialect) -> str:
    """The section of one table: only what is not under our name, in our unit and code."""
    lines = ["", f"[[tables.{name}]]"]
    if name == "labs" and chosen.si:
        lines.append("canonical_units = true")
    mapped = dict(_mapped(name, chosen))
    if mapped:
        lines.append(f"[tables.{name}.columns]")
    return "\n".join([*lines, *(f"{ours} = {{ {source} }}" for ours, source in mapped.items())])


def _mapped(table: str, chosen: Dialect) -> Iterable[tuple[str, str]]:
    for column in _tables(chosen)[table]:
        if chosen.si and column in RENAMED:
            name, _ = RENAMED[column]
            yield column, f'from = "{name}", unit = "{UNITS[name.rsplit("_", 1)[1]]}"'
        if known := _codes(table, column, chosen):
            told = ", ".join(f'"{code}" = "{ours}"' for ours, code in known.items())
            yield column, f'from = "{column}", codes = {{ {told} }}'


def _codes(table: str, column: str, chosen: Dialect) -> Mapping[str, str]:
    if chosen.si and (table, column) == ("labs", "analyte"):
        return {ours: name for ours, (name, _, _) in LABS.items()}
    return chosen.codes.get((table, column), {})

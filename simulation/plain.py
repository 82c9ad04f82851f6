"""Write the reference records as a centre does that keeps plain tables in SI units.

One file per table, separated by semicolons: dates dd/mm/yyyy, diameters in cm, activities in MBq,
shares in percent, bilirubin in umol/L, albumin in g/L, lymphocytes per microlitre, yes and no, and
the laboratory's own short names. Conversions multiply by an exact decimal: nothing is rounded.
"""

import csv
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from simulation.reference import Record, Value, records

README = """SYNTHETIC: no real person.

An invented registry of 40 patients and 83 liver lesions treated with 90Y radioembolization, made
from simulation/memon2012/ so that its raw records give the published counts of Memon et al. 2012.
Nothing in it may be quoted as patient data. Every file repeats it in the column `synthetic`.
"""

RENAMED: Mapping[str, tuple[str, Decimal]] = {
    "longest_mm": ("longest_cm", Decimal("0.1")),
    "perpendicular_mm": ("perpendicular_cm", Decimal("0.1")),
    "enhancing_longest_mm": ("enhancing_longest_cm", Decimal("0.1")),
    "enhancing_perpendicular_mm": ("enhancing_perpendicular_cm", Decimal("0.1")),
    "activity_administered_gbq": ("activity_administered_mbq", Decimal(1000)),
    "lung_shunt_fraction": ("lung_shunt_pct", Decimal(100)),
    "residual_fraction": ("residual_pct", Decimal(100)),
}
"""Our column -> theirs, and how many of their unit make one of ours."""

LABS: Mapping[str, tuple[str, str, Decimal]] = {
    "bilirubin": ("TBIL", "umol/L", Decimal("17.1")),
    "albumin": ("ALB", "g/L", Decimal(10)),
    "lymphocytes": ("LYMPH", "/uL", Decimal(1000)),
    "chromogranin_a": ("CGA", "ng/mL", Decimal(1)),
}
"""Our analyte -> their name and unit, and how many of their unit make one of ours."""


def write(as_of: date, folder: Path) -> None:
    """Write the export of `as_of`: one file per table, and a README.txt."""
    (folder / "README.txt").write_text(README, encoding="utf-8")
    headers = {name: list(theirs(name, rows[0])) for name, rows in records(date.max).items()}
    for name, rows in records(as_of).items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";", lineterminator="\n")
            writer.writerow([*headers[name], "synthetic"])
            for row in rows:
                writer.writerow([*map(_text, theirs(name, row).values()), "SYNTHETIC"])


def theirs(table: str, row: Record) -> Record:
    """The row in SI units, under the names of such a centre."""
    return _lab(row) if table == "labs" else _renamed(row)


def _renamed(row: Record) -> Record:
    renamed: Record = {}
    for column, value in row.items():
        name, factor = RENAMED.get(column, (column, Decimal(1)))
        renamed[name] = value * factor if isinstance(value, Decimal) else value
    return renamed


def _lab(row: Record) -> Record:
    name, unit, factor = LABS[str(row["analyte"])]
    measured: Record = {
        column: value * factor if isinstance(value, Decimal) else value
        for column, value in row.items()
    }
    return measured | {"analyte": name, "unit": unit}


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return plain(value)
        case date():
            return value.strftime("%d/%m/%Y")
        case _:
            return str(value)


def plain(value: Decimal) -> str:
    """The number without exponent and without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

"""Write an invented network: five registries that share no patient, each with a folder of its own.

Each is a registry of one centre, whose folder is its own store, with its key for signing beside its
registry.toml. They differ as registries do: a REDCap project, a workbook and plain tables; one
measures response from another day, and one delivers late. Everything is invented and says so.
"""

import csv
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from simulation.registry.sites import PLAIN, REDCAP, Dialect, site_file, write_export
from simulation.registry.whole import Shape, drawn, put, refuse_other

DEFAULT_AS_OF = date(2024, 4, 30)
SETTINGS = '\n[response]\nlesion_start = "lobe"\n'
WORKBOOK = Dialect("workbook", patient_id="W-{}")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
BEGUN = (1980, 1, 1, 0, 0, 0)
"""The day that every part of a workbook bears, so that the same patients give the same bytes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A registry of the network."""

    name: str
    patients: int
    dialect: Dialect
    settings: str = ""
    late_days: int = 0


MEMBERS = (
    Member("north", 70, REDCAP),
    Member("south", 60, PLAIN[0]),
    Member("east", 50, WORKBOOK),
    Member("west", 60, PLAIN[1], settings=SETTINGS),
    Member("isle", 40, PLAIN[2], late_days=200),
)


def simulate_network(as_of: date, to: Path, seed: int = 1) -> list[Path]:
    """Write the registries and each one's export of a day.

    Args:
        as_of: nothing later is in the exports; the late registry's is of 200 days before.
        to: the network's folder; what it holds already must be of the same network.
        seed: of the first registry; the others follow.

    Returns:
        Each registry.toml, site file and export.

    Raises:
        Refused: `to` holds another network or another export.
    """
    to.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".simulating-", dir=to))
    places: list[Path] = []
    try:
        for place, member in enumerate(MEMBERS):
            places += _write(member, seed + place, as_of, made)
        for path in places:
            if path.name != "registry.toml":  # a registry's own settings stay as they are
                refuse_other(made / path, to / path)
        for path in places:
            put(made / path, to / path)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return [to / path for path in places]


def _write(member: Member, seed: int, as_of: date, to: Path) -> list[Path]:
    home = Path(member.name)
    day = as_of - timedelta(days=member.late_days)
    places = [
        home / "registry.toml",
        home / "sites" / f"{member.name}.toml",
        home / "inbox" / member.name / day.isoformat(),
    ]
    (to / places[1]).parent.mkdir(parents=True)
    (to / places[0]).write_text(_registry_file(member), "utf-8")
    (to / places[1]).write_text(site_file(member.name, member.dialect), "utf-8")
    shape = Shape(sites=1, patients=member.patients, seed=seed)
    patients = drawn(shape, 0, member.dialect, day)
    write_export(member.name, member.dialect, patients, day, to / places[2])
    if member.dialect == WORKBOOK:
        _as_workbook(to / places[2], member.name)
    (to / places[2] / ".done").touch()
    return places


def _registry_file(member: Member) -> str:
    return (
        f"# SYNTHETIC: {member.patients} invented patients.\n"
        f'registry = "{member.name}"\n'
        f'sites = ["{member.name}"]\n'
        'timezone = "UTC"\n'
        f'store = "."\nsigning_key_file = "{member.name}.signing"\n{member.settings}'
    )


def _as_workbook(folder: Path, name: str) -> None:
    """Put the tables of an export into one workbook, a sheet each, all of its cells text."""
    files = sorted(folder.glob("*.csv"))
    numbers = range(1, len(files) + 1)
    with zipfile.ZipFile(folder / f"{name}.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        for part, xml in _parts([f.stem for f in files], numbers).items():
            book.writestr(zipfile.ZipInfo(part, BEGUN), xml)
        for number, file in zip(numbers, files, strict=True):
            with file.open(encoding="utf-8", newline="") as lines:
                rows = "".join(_row(row) for row in csv.reader(lines))
            sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
            book.writestr(zipfile.ZipInfo(f"xl/worksheets/sheet{number}.xml", BEGUN), sheet)
    for file in files:
        file.unlink()


def _parts(names: Sequence[str], numbers: range) -> dict[str, str]:
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>'
        for n, name in zip(numbers, names, strict=True)
    )
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{KIND}.worksheet+xml"/>'
        for n in numbers
    )
    links = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>{types}'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}'
        "</Relationships>",
    }


def _row(cells: Sequence[str]) -> str:
    told = "".join(f'<c t="inlineStr"><is><t>{escape(c)}</t></is></c>' for c in cells)
    return f"<row>{told}</row>"

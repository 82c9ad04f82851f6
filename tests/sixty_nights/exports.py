"""Write a night's export with what is planted in it, and list the lines that differ.

The export is the simulator's; a change of a record is made before it is written in the centre's own
words, a change of a file afterwards. Lines are compared as text, so that what an explanation names
is held against something that knows nothing of the pipeline.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from simulation.registry.changes import Tables, export
from simulation.registry.patients import patient
from simulation.registry.sites import Dialect, dialect, site_file, write_export
from simulation.registry.truths import TRUTHS
from tests.sixty_nights.script import Centre, Planted, Script

DELIMITERS = (";", "\t", ",")
Numbered = Iterator[tuple[int, Tables]]


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """A line that differs: whose it is, and where it stands before and after."""

    site: str
    patient: str
    left: tuple[str, int] | None
    right: tuple[str, int] | None


def write_registry(script: Script, night: int, root: Path) -> Path:
    """Write registry.toml and the site files as they stand on a night."""
    (root / "sites").mkdir(parents=True, exist_ok=True)
    listed = ", ".join(f'"{c.site}"' for c in script.centres)
    lines = ['registry = "sixty_nights"', f"sites = [{listed}]", 'timezone = "UTC"', 'store = "."']
    for planted in script.lasting(night):
        for change in planted.changes:
            if change["kind"] == "setting":
                lines += [
                    "",
                    f"[{change['section']}]",
                    f"{change['key']} = {json.dumps(change['value'])}",
                ]
    (root / "registry.toml").write_text("\n".join([*lines, ""]))
    for place, centre in enumerate(script.centres):
        path = root / "sites" / f"{centre.site}.toml"
        path.write_text(site_file(centre.site, dialect("mixed", place)))
    return root / "registry.toml"


def write(
    script: Script, centre: Centre, night: int, to: Path, *, without: Planted | None = None
) -> None:
    """Write the export of a centre on a night, with all that is planted but one."""
    place = script.centres.index(centre)
    chosen = dialect("mixed", place)
    as_of = script.day(script.weekly_before(centre, night))
    changes = [
        c
        for p in script.lasting(night)
        if p is not without
        for c in p.changes
        if c.get("site") == centre.site
    ]
    parts = (_changed(n, t, changes) for n, t in _patients(script, place, chosen, as_of))
    write_export(centre.site, chosen, (t for t in parts if t is not None), as_of, to)
    for change in changes:
        _change_file(change, to)


def differing(site: str, left: Path, right: Path) -> set[Line]:
    """The lines that differ between two exports of a centre."""
    found: set[Line] = set()
    for path in sorted(left.glob("*.csv")):
        before, after = _lines(path), _lines(right / path.name)
        if len(before) == len(after):
            pairs = zip(before, after, strict=True)
            found |= {
                Line(site, old[0], (path.name, n), (path.name, n))
                for n, (old, new) in enumerate(pairs)
                if old != new
            }
        else:
            found |= _gone(site, path.name, before, after)
    return found


def _patients(script: Script, place: int, chosen: Dialect, as_of: date) -> Numbered:
    for number in range(place + 1, script.patients + 1, len(script.centres)):
        name = chosen.patient_id.format(number)
        made = export(patient(script.seed, number, name, TRUTHS), script.seed, number, as_of)
        if made is not None:
            yield number, made


def _changed(number: int, tables: Tables, changes: list[Mapping[str, Any]]) -> Tables | None:
    """A patient's records with what is planted in them; None for one that vanished."""
    for change in changes:
        match change["kind"]:
            case "vanish" if number in change["patients"]:
                return None
            case "edit" if number == change["patient"]:
                row = _matching(tables, change)[change["nth"] - 1]
                row |= {name: _typed(row[name], text) for name, text in change["set"].items()}
            case "scale":
                for row in _matching(tables, change):
                    value = Decimal(str(row[change["column"]])) / Decimal(change["by"])
                    row[change["column"]] = round(value, 4)
    return tables


def _matching(tables: Tables, change: Mapping[str, Any]) -> list[dict[str, Any]]:
    where = change["where"].items()
    return [r for r in tables[change["table"]] if all(str(r[n]) == v for n, v in where)]


def _typed(old: object, text: str) -> Any:
    return date.fromisoformat(text) if isinstance(old, date) else Decimal(text)


def _change_file(change: Mapping[str, Any], folder: Path) -> None:
    if change["kind"] not in ("halve", "drop"):
        return
    path = folder / change["file"]
    lines = path.read_text().splitlines(keepends=True)
    if change["kind"] == "halve":
        path.write_text("".join(lines[: len(lines) // 2]))
        return
    delimiter = next(d for d in DELIMITERS if d in lines[0])
    rows = list(csv.reader(lines, delimiter=delimiter))
    gone = rows[0].index(change["column"])
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerows([row[:gone] + row[gone + 1 :] for row in rows])


def _gone(site: str, name: str, before: list[list[str]], after: list[list[str]]) -> set[Line]:
    left = Counter(map(tuple, after))
    found = set()
    for number, row in enumerate(before):
        if left[tuple(row)]:
            left[tuple(row)] -= 1
        else:
            found.add(Line(site, row[0], (name, number), None))
    return found


def _lines(path: Path) -> list[list[str]]:
    """Cells by line; the header is line 0."""
    text = path.read_text()
    delimiter = next(d for d in DELIMITERS if d in text.partition("\n")[0])
    return list(csv.reader(text.splitlines(), delimiter=delimiter))

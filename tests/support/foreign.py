"""Measure the guessed site files of foreign exports against their right mappings.

A line is one column of ours from one field, as a person would write it: what stands in every source
of a wide table counts once, and an analyte's column counts with its analyte and unit.
"""

import csv
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from schemas.contract import columns
from schemas.records.analytes import COUNTS, LAB_UNITS
from schemas.records.lab_words import unit_of
from schemas.records.units import COLUMN_UNITS
from schemas.site import ColumnSource, Site, TableSource
from schemas.site_rules import CONTRACTS
from transforms.intake.names import as_source, expanded
from warehouse.intake.formats.typed import Form
from warehouse.intake.formats.workbook import sheets
from warehouse.receiving.site_guess import first_site_file, tables

MEASURED = Path(__file__).parents[1] / "sites" / "foreign" / "measured.toml"
"""What was measured; `python -m tests.support.foreign` writes it, docs/site_files.md shows it."""
FOREIGN = Path(__file__).parents[1] / "sites" / "foreign"
BLIND = FOREIGN / "blind"
ABOUT = ("mapping.csv", "settings.csv", "README.md")
LATER = frozenset(
    {
        ("treatments", "planned_lobes"),
        ("treatments", "activity_planned_gbq"),
        ("treatments", "tumour_to_normal_ratio"),
        ("treatments", "tumour_dose_gy"),
        ("treatments", "normal_liver_dose_gy"),
        ("treatments", "dosimetry_source"),
        ("treatments", "dosimetry_model"),
        ("treatments", "liver_volume_ml"),
        ("treatments", "normal_liver_volume_ml"),
        ("treatments", "delivery"),
        ("lesions", "baseline_present"),
        ("lesions", "merged_into"),
        ("lesions", "split_from"),
    }
)
"""Columns that the registry got after the right mappings were written: lines of them are not judged
where the mapping has none, nor are those of recorded responses."""
YES = ("1", "true", "yes", "y", "t")
NO = ("0", "false", "no", "n", "f")

Place = tuple[str, str, str, str, str]
"""Table, column, file, sheet or form, and their field or our constant."""


@dataclass
class Line:
    """One statement of a mapping."""

    place: Place
    codes: dict[str, str] = field(default_factory=dict)
    unit: str = ""
    analyte: str = ""
    date_format: str = ""
    where: dict[str, Any] = field(default_factory=dict)
    optional: bool = False
    year_of: bool = False


@dataclass
class Score:
    """How many lines a person wrote, how many were guessed, and how many of these are right."""

    wanted: int = 0
    written: int = 0
    right: int = 0
    wrong: int = 0
    partly: int = 0
    """Right as far as they go: a code is left to a person."""
    beyond: int = 0
    """Right or not judged, and not asked for."""
    told: list[str] = field(default_factory=list)
    """What is wrong and what is missing, for the open exports only."""

    def __add__(self, other: "Score") -> "Score":
        numbers = ("wanted", "written", "right", "wrong", "partly", "beyond")
        return Score(
            *(getattr(self, n) + getattr(other, n) for n in numbers), self.told + other.told
        )


@cache
def guessed(centre: Path) -> str:
    """The site file that is guessed of a centre's export."""
    with tempfile.TemporaryDirectory() as folder:
        for path in centre.iterdir():
            if path.name not in ABOUT:
                shutil.copy(path, folder)
        return first_site_file(Path(folder), None, "foreign")[0]


def score(centre: Path) -> Score:
    """Hold the guessed site file of a centre against its right mapping."""
    site = Site.model_validate(tomllib.loads(guessed(centre)))
    redcap = site.format == "redcap"
    right = {_one(r, centre, redcap=redcap): r for r in _right(centre, redcap)}
    written = {_one(w, centre, redcap=redcap): w for w in _written(centre, site)}
    found = Score(wanted=sum(not r.optional for r in right.values()), written=len(written))
    for place, line in written.items():
        if place not in right:
            later = place[:2] in LATER or place[0] == "recorded_responses"
            found.beyond += later
            found.wrong += not later
            found.told += [] if later else [f"wrong: {place}"]
            continue
        verdict = _verdict(line, right[place])
        optional = right[place].optional
        found.beyond += optional and not verdict
        found.right += not optional and not verdict
        found.partly += verdict.startswith("partly")
        found.wrong += bool(verdict) and not verdict.startswith("partly")
        found.told += [f"{verdict}: {place}"] if verdict else []
    missing = [p for p, r in right.items() if p not in written and not r.optional]
    found.told += [f"missing: {p}" for p in missing]
    return found


def _one(line: Line, centre: Path, *, redcap: bool) -> Place:
    """The place of a line; the only sheet of a workbook needs no name."""
    table, column, file, sheet, said = line.place
    said = " ".join(said.split())
    if redcap:
        return table, column, file, "", said  # a field stands on one form of the project
    if file.endswith(".xlsx"):
        sheet = "" if _sheets(centre / file) == 1 else sheet
    return table, column, file, sheet, said


@cache
def _sheets(path: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        form = Form.of(Site.model_validate({"site_id": "foreign"}))
        return len(sheets(path, path.name, Path(folder), form))


def _right(centre: Path, redcap: bool) -> Iterator[Line]:
    with (centre / "mapping.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tokens = dict(
                t.split("=", maxsplit=1) for t in row["note"].split("; ") if "=" in t.split(" ")[0]
            )
            if (redcap and row["column"] == "patient_id") or _is_part_of_a_value(row):
                continue
            constant = tokens.get("constant", "")
            said = row["field"] or _digits(row["column"], constant)
            place = (row["table"], row["column"], row["file"], row["sheet"], said)
            yield Line(
                place=place,
                codes=dict(_pair(c) for c in row["codes"].split("|") if c),
                unit=row["unit"],
                analyte=tokens.get("analyte", ""),
                date_format=row["date_format"],
                where=dict([tokens["where"].split(":", 1)]) if "where" in tokens else {},
                optional="optional" in row["note"] or (not row["field"] and _made(row)),
                year_of="year of the date" in row["note"],
            )


def _pair(said: str) -> tuple[str, str]:
    theirs, _, ours = said.rpartition("=")
    return theirs, ours


def _is_part_of_a_value(row: dict[str, str]) -> bool:
    return row["table"] == "labs" and not row["field"] and row["column"] in ("analyte", "unit")


def _made(row: dict[str, str]) -> bool:
    """Whether we give a constant ourselves where a site file gives none."""
    declared = next(c for c in columns(CONTRACTS[row["table"]]) if c.name == row["column"])
    return declared.made_of is not None or declared.default is not None


def _digits(column: str, constant: str) -> str:
    """Names of lesions and sessions are free; their numbers say which is which."""
    free = column in ("lesion_id", "session_id", "target_id")
    return f"={''.join(c for c in constant if c.isdigit())}" if free else f"={constant}"


def _written(centre: Path, site: Site) -> Iterator[Line]:
    for table, parts in site.tables.items():
        for source in parts:
            file = source.file or (site.redcap.data if site.redcap else "")
            sheet = source.sheet or source.instrument or ""
            head = _header(centre, file, source.sheet, redcap=site.redcap is not None)
            for one in expanded(head, source):
                for line in _lines(table, one, site):
                    yield _at(line, file, sheet)


def _at(line: Line, file: str, sheet: str) -> Line:
    table, column, _, lent, said = line.place
    line.place = (table, column, file, lent or sheet, said)
    return line


def _lines(table: str, source: TableSource, site: Site) -> Iterator[Line]:
    for name, given in source.columns.items():
        one = as_source(given)
        said = (" + ".join(one.any_of) or next(iter(one.read), "")) or _digits(
            name, str(one.constant)
        )
        line = Line((table, name, "", one.instrument or "", said), where=dict(source.where))
        line.codes = {k: str(v) for k, v in {**one.codes, **one.words}.items()}
        line.unit = one.unit or _own_unit(table, name)
        line.date_format = _format(table, name, one, site)
        line.year_of = one.year_of is not None
        yield line
    for lab in source.wide:
        yield Line((table, "value", "", "", lab.value), unit=lab.unit, analyte=lab.analyte)
        for side in ("lower_limit", "upper_limit"):
            if isinstance(getattr(lab, side), str):
                yield Line((table, side, "", "", getattr(lab, side)), analyte=lab.analyte)


def _own_unit(table: str, name: str) -> str:
    return next((c.unit or "" for c in columns(CONTRACTS[table]) if c.name == name), "")


def _format(table: str, name: str, one: ColumnSource, site: Site) -> str:
    kind = next((c.dtype for c in columns(CONTRACTS[table]) if c.name == name), None)
    if kind is not None and kind.is_timestamp():
        return one.date_format or site.datetime_format
    dated = (kind is not None and kind.is_date()) or one.year_of
    return (one.date_format or site.date_format) if dated else ""


def _verdict(line: Line, right: Line) -> str:
    """Empty where a line is right."""
    if right.analyte and line.analyte != right.analyte:
        return f"wrong analyte {line.analyte}"
    if right.analyte and right.place[1] == "value" and not _same_lab_unit(line, right):
        return f"wrong unit {line.unit}"
    if not right.analyte and right.unit and not _same_unit(line, right):
        return f"wrong unit {line.unit}"
    iso = right.date_format in ("", "%Y-%m-%d", "excel")
    if not iso and line.date_format != right.date_format:
        return f"wrong date_format {line.date_format}"
    if right.year_of != line.year_of and right.place[1] == "birth_year":
        return "wrong: not the year of the date"
    if right.place[1] != "patient_id" and not _same_where(line.where, right.where):
        return f"wrong where {line.where}"
    return _codes(line, right)


def _same_lab_unit(line: Line, right: Line) -> bool:
    factors = LAB_UNITS.get(right.analyte, {})
    mine = unit_of(line.unit, cells=right.analyte in COUNTS)
    theirs = unit_of(right.unit, cells=right.analyte in COUNTS)
    return factors.get(mine or "") == factors.get(theirs or "")


def _same_unit(line: Line, right: Line) -> bool:
    own = _own_unit(*right.place[:2])
    factors = [
        Fraction(1) if u == own else COLUMN_UNITS.get((u, own)) for u in (line.unit, right.unit)
    ]
    return not own or factors[0] == factors[1]


def _same_where(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    counted = {n for n, v in mine.items() if getattr(v, "at_least", None) is not None}
    mine = {n: v for n, v in mine.items() if n not in counted}
    theirs = {n: v for n, v in theirs.items() if n not in counted}
    if set(mine) != set(theirs):
        return False
    return all(
        str(v) == theirs[n] or theirs[n] in map(str, getattr(v, "in_", ())) for n, v in mine.items()
    )


def _codes(line: Line, right: Line) -> str:
    table, column = right.place[:2]
    if right.optional or (table, column) in (("labs", "unit"), ("labs", "analyte")):
        known = {k: v for k, v in line.codes.items() if k in right.codes and v != right.codes[k]}
        return f"wrong codes {known}" if known and column != "term" else ""
    left = []
    for theirs, ours in right.codes.items():
        read = line.codes.get(theirs) if line.codes else _read(theirs)
        if read is None:
            left.append(theirs)
        elif read != ours and _read(read) != ours:
            return f"wrong code {theirs} = {read}"
    return f"partly: {left}" if left else ""


def _read(theirs: str) -> str:
    low = theirs.lower()
    return "true" if low in YES else "false" if low in NO else theirs


@cache
def _header(centre: Path, file: str, sheet: str | None, *, redcap: bool) -> Sequence[str]:
    """The names of a file's columns as they are read; of a REDCap export those of all forms."""
    if redcap:
        with (centre / file).open(encoding="utf-8-sig", newline="") as export:
            return next(csv.reader(export))
    with tempfile.TemporaryDirectory() as folder:
        several = list(tables(centre / file, "foreign", Path(folder)))
    return list(next(r.cells for r in several if sheet in (None, r.place.get("sheet"))))


def centres(blind: bool) -> list[Path]:
    """The centres of one of the two sets."""
    return sorted(p.parent for p in (BLIND if blind else FOREIGN).glob("*/mapping.csv"))


def measured() -> dict[str, dict[str, int]]:
    """Lines by set of centres: those that it was tuned on, and those that nobody looked at."""
    return {name: _totals(centres(blind)) for name, blind in (("tuned", False), ("blind", True))}


def _totals(several: Sequence[Path]) -> dict[str, int]:
    """The sums over a set; of a blind one nothing else is ever shown."""
    total = sum(map(score, several), Score())
    told = {
        n: getattr(total, n) for n in ("wanted", "written", "right", "wrong", "partly", "beyond")
    }
    return {"centres": len(several), **told}


def as_toml(numbers: dict[str, dict[str, int]]) -> str:
    """What was measured, as it is kept."""
    parts = [
        f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in of.items())
        for name, of in numbers.items()
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    MEASURED.write_text(as_toml(measured()), "utf-8")

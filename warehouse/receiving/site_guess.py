"""Guess a first site file from an export, to be read and corrected by a person.

Names are compared with ours after taking off prefixes and units; codes by their labels in the data
dictionary, or as they stand. What could not be guessed is written as a comment, so that nothing is
mapped that nobody has looked at. Of values only codes are written, and only where they repeat.
"""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from schemas.contract import Column, columns, key, table_name
from schemas.errors import BadDelivery, all_at_once
from schemas.records.analytes import ANALYTES, BY_CODE, CANONICAL_LAB_UNIT
from schemas.records.units import COLUMN_UNITS
from schemas.site import Site
from schemas.site_rules import GIVEN_BY_US
from schemas.tables.registry import TABLES
from warehouse.intake.formats.archives import TABULAR, ignored
from warehouse.intake.raw import convert
from warehouse.intake.redcap.dictionary import Dictionary, read_dictionary
from warehouse.receiving.inbox import copy_out

NEAR = 0.78
"""So alike must two names be; below it a guess is wrong more often than it helps."""
SAMPLE = 2000
DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d-%b-%Y")
SAME = {
    "gender": "sex",
    "yob": "birth_year",
    "year_of_birth": "birth_year",
    "dx_date": "diagnosis_date",
    "primary": "primary_site",
    "grade": "tumour_grade",
    "who_grade": "tumour_grade",
    "ehd": "extrahepatic_disease",
    "ld": "longest",
    "perp": "perpendicular",
    "lsf": "lung_shunt_fraction",
    "record_id": "patient_id",
    "subject": "patient_id",
    "study_id": "patient_id",
    "pid": "patient_id",
    "number": "sequence",
}
"""What else our columns are called, as `_plain` writes it."""
CODE_WORDS = {"f": "female", "w": "female", "m": "male", "computed tomography": "CT", "mr": "MRI"}
UNIT_WORDS = {"mm", "cm", "m", "kg", "g", "lb", "gbq", "mbq", "mci", "gy", "cgy", "ml", "l", "pct"}
SPELLED = {
    "gbq": "GBq",
    "mbq": "MBq",
    "mci": "mCi",
    "gy": "Gy",
    "cgy": "cGy",
    "ml": "mL",
    "pct": "%",
}
STRUCTURE = re.compile(r"redcap_.*|.*_complete|.*_timestamp|source_file|source_row|source_key")


@dataclass
class Guess:
    """One of our tables as one of their files or instruments seems to give it."""

    table: str
    source: str
    mapped: dict[str, str] = field(default_factory=dict)
    wide: dict[str, str] = field(default_factory=dict)
    open_: list[str] = field(default_factory=list)


def first_site_file(export: Path, dictionary: Path | None, site_id: str) -> tuple[str, int]:
    """The text of a first site file, and how many columns were not guessed.

    Raises:
        BadDelivery: the export or the dictionary cannot be read.
    """
    folder = Path(tempfile.mkdtemp(prefix="y90-site-"))
    try:
        files = _laid_out(export, dictionary, folder / "export")
        described = _described(dictionary, folder)
        site = _reading(site_id, files, export, dictionary)
        (folder / "raw").mkdir()
        tables = convert(folder / "export", site, folder / "raw", str(export)).tables
        found = {n: pq.read_table(p).slice(0, SAMPLE).to_pydict() for n, p in tables.items()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _written(site, found, described)


def _laid_out(export: Path, dictionary: Path | None, to: Path) -> list[str]:
    """Copy the export, and the dictionary, where they are read; names of the export's tables."""
    to.mkdir()
    if export.exists() and not (export.is_dir() or export.is_file()):
        raise BadDelivery(f"{export}: not a file. Name the export: a file, or a folder.")
    paths = sorted(p for p in export.iterdir() if p.is_file()) if export.is_dir() else [export]
    taken = [p for p in paths if not ignored(p.name) and p.suffix.lower() in TABULAR]
    for path in [*taken, *([dictionary] if dictionary else [])]:
        problems = copy_out(path, to)
        if problems:
            raise BadDelivery(all_at_once(str(path), problems))
    return [p.name for p in taken]


def _described(path: Path | None, folder: Path) -> Dictionary | None:
    return read_dictionary(path, path.name, folder, ()) if path else None


def _reading(site_id: str, files: list[str], export: Path, dictionary: Path | None) -> Site:
    """A site that reads every file, whatever it is; a dictionary, or its columns, mean REDCap."""
    data = export.name if export.is_file() else next((f for f in files if "dict" not in f), "")
    first = export if export.is_file() else export / data
    head = first.read_bytes()[:65536].split(b"\n")[0] if first.is_file() else b""
    if dictionary or b"redcap_" in head or b"_complete" in head:
        source = {"data": data, "dictionary": dictionary.name if dictionary else None}
        return Site.model_validate({"site_id": site_id, "format": "redcap", "redcap": source})
    parts = [{"file": name} for name in files]
    return Site.model_validate({"site_id": site_id, "tables": {"patients": parts}})


def _written(
    site: Site, found: Mapping[str, Mapping[str, list[Any]]], described: Dictionary | None
) -> tuple[str, int]:
    guesses = [g for name, cells in found.items() for g in [_guess(name, cells)]]
    dates = _date_format(found, guesses)
    lines = [
        f'site_id = "{site.site_id}"',
        'origin = "clinical"',
        f'format = "{site.format}"',
        f'date_format = "{dates}"' if dates else "# could not guess: date_format",
        'decimal = ","' if _commas(found) else 'decimal = "."',
        "missing = []",
    ]
    if site.redcap:
        record = next(iter(next(iter(found.values()), {})), "record_id")
        lines += ["", "[redcap]", f'data = "{site.redcap.data}"']
        lines += [f'dictionary = "{site.redcap.dictionary}"'] if site.redcap.dictionary else []
        lines += [f'record = "{record}"']
        if site.redcap.dictionary is None:
            lines[-1:-1] = ["# no dictionary was given: a delivery holds none"]
    for guess in guesses:
        lines += ["", *_table_lines(guess, found[guess.source], site, described)]
    missed = sum(len(g.open_) for g in guesses)
    return "\n".join(lines) + "\n", missed


def _guess(source: str, cells: Mapping[str, list[Any]]) -> Guess:
    """The one of our tables whose columns are found most, by their share of its key too."""
    names = [n for n in cells if not STRUCTURE.fullmatch(n)]
    best = max((_as_table(t, source, names) for t in TABLES), key=lambda g: _score(g, source))
    used = {*best.mapped.values(), *best.wide.values()}
    best.open_ = [n for n in names if n not in used]
    return best


def _score(guess: Guess, source: str) -> float:
    contract = next(t for t in TABLES if table_name(t) == guess.table)
    named = SequenceMatcher(None, source.lower().rstrip("s"), guess.table.rstrip("s")).ratio()
    keys = sum(n in guess.mapped for n in key(contract) if n not in ("patient_id", "site_id"))
    return len(guess.mapped) + len(guess.wide) + keys + 3 * named


def _as_table(contract: Any, source: str, names: list[str]) -> Guess:
    guess = Guess(table_name(contract), source)
    ours = [c for c in columns(contract) if c.name not in GIVEN_BY_US]
    prefix = _prefix(names)
    words = Counter(word for c in ours for word in set(c.name.split("_")))
    telling = {word for word, number in words.items() if number == 1}
    scored = sorted(
        ((_alike(c.name, n, prefix, telling), c.name, n) for c in ours for n in names),
        reverse=True,
    )
    for alike, name, theirs in scored:
        free = name not in guess.mapped and theirs not in guess.mapped.values()
        if alike >= NEAR and free:
            guess.mapped[name] = theirs
    if guess.table == "labs" and "analyte" not in guess.mapped:
        for analyte in ANALYTES:
            near = [n for n in names if _alike(analyte, n, prefix, set()) >= 0.9]
            if near:
                guess.wide[analyte] = near[0]
    return guess


def _prefix(names: list[str]) -> str:
    """The form's own prefix, as in tx_date, tx_device."""
    heads = Counter(n.split("_")[0] for n in names if "_" in n)
    head, number = heads.most_common(1)[0] if heads else ("", 0)
    return f"{head}_" if number >= 3 or (len(names) < 6 and number >= 2) else ""


def _alike(ours: str, theirs: str, prefix: str, telling: set[str]) -> float:
    """How alike two names are; after a form's prefix one word that only one of ours has will do."""
    wanted, plain = _plain(ours), _plain(theirs)
    alike = SequenceMatcher(None, wanted, plain).ratio()
    if not (prefix and theirs.startswith(prefix)):
        return alike
    bare = _plain(theirs.removeprefix(prefix))
    one_word = bare in telling and bare in ours.split("_")
    own_date = bare == "date" and ours.endswith("_date")
    return max(
        alike,
        SequenceMatcher(None, wanted, bare).ratio(),
        0.85 if own_date else 0.82 if one_word else 0.0,
    )


def _plain(name: str) -> str:
    """Lower case, without units, and in our words."""
    low = _joined(name)
    low = OUR_WORDS.get(low, low)
    parts = [p for p in low.split("_") if p not in UNIT_WORDS] or [low]
    return "_".join(OUR_WORDS.get(p, p) for p in parts)


def _joined(name: str) -> str:
    """The words of a name in lower case, joined by underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


OUR_WORDS: Mapping[str, str] = SAME | {
    _joined(name): code for code, a in BY_CODE.items() for name in a.synonyms if name.isascii()
}
"""What else our columns and analytes are called; the analytes' names stand on their records."""


def _table_lines(
    guess: Guess, cells: Mapping[str, list[Any]], site: Site, described: Dictionary | None
) -> Iterator[str]:
    contract = next(t for t in TABLES if table_name(t) == guess.table)
    yield f"[[tables.{guess.table}]]"
    kind = "instrument" if site.format == "redcap" else "file"
    yield f"{kind} = {_quoted(guess.source if kind == 'instrument' else guess.source + '.csv')}"
    yield f"[tables.{guess.table}.columns]"
    for column in (c for c in columns(contract) if c.name in guess.mapped):
        if site.format == "redcap" and column.name == "patient_id":
            continue
        yield from _column_lines(column, guess.mapped[column.name], cells, described)
    for name in guess.open_:
        yield f"# could not guess: {name}"
    for analyte, theirs in guess.wide.items():
        yield f"[[tables.{guess.table}.wide]]"
        yield f'analyte = "{analyte}"'
        yield f"value = {_quoted(theirs)}"
        yield f'unit = "{CANONICAL_LAB_UNIT[analyte]}"  # could not guess: the unit; check it'


def _column_lines(
    column: Column, theirs: str, cells: Mapping[str, list[Any]], described: Dictionary | None
) -> Iterator[str]:
    if column.codes:
        mapped, unknown = _codes(column, theirs, cells, described)
        for code in unknown:
            yield f"# could not guess: code {code} of {theirs}"
        if mapped and any(k != v for k, v in mapped.items()):
            pairs = ", ".join(f"{_quoted(k)} = {_quoted(v)}" for k, v in mapped.items())
            yield f"{column.name} = {{ from = {_quoted(theirs)}, codes = {{ {pairs} }} }}"
            return
    unit = _unit(column, theirs)
    if unit:
        yield f"{column.name} = {{ from = {_quoted(theirs)}, unit = {_quoted(unit)} }}"
    else:
        yield f"{column.name} = {_quoted(theirs)}"


def _unit(column: Column, theirs: str) -> str | None:
    """Their unit where their name ends with one that is not ours and that we can convert."""
    last = re.split(r"[^a-z0-9]+", theirs.lower())[-1]
    unit = SPELLED.get(last, last)
    return unit if (unit, column.unit or "") in COLUMN_UNITS else None


def _codes(
    column: Column, theirs: str, cells: Mapping[str, list[Any]], described: Dictionary | None
) -> tuple[dict[str, str], list[str]]:
    """Their codes -> ours, by the dictionary's labels or as they stand; and those left."""
    declared = described.fields.get(theirs) if described else None
    values = Counter(str(c).strip() for c in cells[theirs] if c not in (None, ""))
    labels = dict(declared.choices) if declared and declared.choices else {v: v for v in values}
    if not (declared and declared.choices) and 3 * len(values) > sum(values.values()):
        return {}, []  # values that do not repeat are no codes, and are not written down
    mapped = {code: ours for code, label in labels.items() if (ours := _code(column, label))}
    return mapped, [c for c in labels if c not in mapped]


def _code(column: Column, label: str) -> str | None:
    low = CODE_WORDS.get(label.lower().strip(), label.lower().strip()).lower()
    alike = [
        (SequenceMatcher(None, re.sub(r"[^a-z0-9]", "_", low), c.lower()).ratio(), c)
        for c in column.codes
    ]
    score, best = max(alike)
    return best if score >= NEAR else None


def _date_format(found: Mapping[str, Mapping[str, list[Any]]], guesses: list[Guess]) -> str | None:
    """The one format that reads nearly every date; none where two do equally well."""
    cells = [
        str(cell).strip()
        for g in guesses
        for ours, theirs in g.mapped.items()
        if ours.endswith("_date")
        for cell in found[g.source][theirs]
        if cell not in (None, "")
    ]
    reads = sorted(((sum(_reads(c, f) for c in cells), f) for f in DATE_FORMATS), reverse=True)
    (most, best), (second, _) = reads[0], reads[1]
    return best if cells and most > second and most >= 0.9 * len(cells) else None


def _reads(cell: str, pattern: str) -> bool:
    try:
        datetime.strptime(cell, pattern)  # noqa: DTZ007
    except ValueError:
        return False
    return True


def _commas(found: Mapping[str, Mapping[str, list[Any]]]) -> bool:
    cells = [str(c) for t in found.values() for column in t.values() for c in column if c]
    commas = sum(bool(re.fullmatch(r"-?\d+,\d+", c)) for c in cells)
    return commas > sum(bool(re.fullmatch(r"-?\d+\.\d+", c)) for c in cells)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

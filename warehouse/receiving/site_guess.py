"""Guess a first site file from an export, to be read and corrected by a person.

Every sheet, file and form is scored against every table of ours, by names and labels in several
languages, by what stands in the whole of a column, by units and by keys. Only what is sure is
written; the rest is a comment, so that nothing is mapped that nobody has looked at. Of values only
codes are written, and only where they repeat.
"""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq

from schemas.errors import BadDelivery, all_at_once
from schemas.naming.columns import SHARED
from schemas.site import Site
from schemas.spelling import plain
from warehouse.intake.formats.archives import TABULAR, TRANSPORT, ignored, unpack
from warehouse.intake.formats.typed import Form
from warehouse.intake.formats.workbook import sheets
from warehouse.intake.raw import convert
from warehouse.intake.redcap.dictionary import COLUMNS as DICTIONARY
from warehouse.intake.redcap.dictionary import Dictionary, DictionaryField, read_dictionary
from warehouse.intake.redcap.instruments import EVENT, KEYS, UNASSIGNED
from warehouse.receiving.guessing import words
from warehouse.receiving.guessing.blocks import views
from warehouse.receiving.guessing.events import events
from warehouse.receiving.guessing.fields import Field, decimal_sign, missing_words
from warehouse.receiving.guessing.fit import VAGUE, Match, named
from warehouse.receiving.guessing.tables import ENOUGH, SURE, guesses
from warehouse.receiving.guessing.therapies import flags, parted
from warehouse.receiving.guessing.written import Frame, Part, frame_days, text, unsure
from warehouse.receiving.inbox import copy_out

SAMPLE = 5000
ZIP = ".zip"
OURS = {"source_file", "source_row", "source_key", *KEYS}
NAMED = 0.7
"""The score of a name that says no more than that it is an identifier."""
FEW = 3
ROWS = 1.2
"""So many rows of a patient, on average, a table of patients may have by mistake."""
LINKED = 0.5
"""So many of a table's patients at least must be those of the others."""


@dataclass(frozen=True)
class Raw:
    """A table of the export as it was read, and where it stands."""

    name: str
    place: dict[str, str]
    title: str
    cells: Mapping[str, Sequence[str]]
    why_not: str = ""


def first_site_file(export: Path, dictionary: Path | None, site_id: str) -> tuple[str, int]:
    """The text of a first site file, and how many columns were not guessed.

    Raises:
        BadDelivery: the export or the dictionary cannot be read.
    """
    folder = Path(tempfile.mkdtemp(prefix="y90-site-"))
    try:
        files = laid_out(export, dictionary, folder / "export")
        described = (dictionary and folder / "export" / dictionary.name) or _dictionary(files)
        data = [f for f in files if f != described]
        if described or _is_redcap(data):
            redcap, raws, known = _redcap(data, described, site_id, folder)
        else:
            redcap, known = None, None
            raws = [r for f in data for r in tables(f, site_id, folder)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    faults = [r.why_not for r in raws if not r.cells and r.why_not]
    if faults and len(faults) == len(raws):
        raise BadDelivery(all_at_once(str(export), faults))
    return _guessed(site_id, redcap, raws, known)


def laid_out(export: Path, dictionary: Path | None, to: Path) -> list[Path]:
    """Copy the export, and the dictionary, where they are read."""
    to.mkdir()
    if export.exists() and not (export.is_dir() or export.is_file()):
        raise BadDelivery(f"{export}: not a file. Name the export: a file, or a folder.")
    paths = sorted(p for p in export.iterdir() if p.is_file()) if export.is_dir() else [export]
    taken = [p for p in paths if not ignored(p.name) and p.suffix.lower() in (*TABULAR, ZIP)]
    if not taken:
        raise BadDelivery(
            f"{export}: no table in it. Name a folder of CSV, Excel, Parquet or .xpt files."
        )
    for path in dict.fromkeys([*taken, *([dictionary] if dictionary else [])]):
        problems = copy_out(path, to)
        if problems:
            raise BadDelivery(all_at_once(str(path), problems))
    return [f for p in taken for f in _unpacked(to / p.name)]


def _unpacked(path: Path) -> list[Path]:
    """The file, or the tables of an archive, under the names that a site file has for them."""
    if path.suffix.lower() != ZIP:
        return [path]
    alone = path.parent / f"{path.stem}-alone"
    alone.mkdir()
    path.rename(alone / path.name)
    members, problems = unpack(alone, alone)
    if problems:
        raise BadDelivery(all_at_once(path.name, problems))
    found = [m for m in members if Path(m.name).suffix.lower() in TABULAR]
    for member in found:
        shutil.copyfile(member.path, path.parent / Path(member.name).name)
    if not found:
        raise BadDelivery(f"{path.name}: no table in it. Put CSV, Excel or Parquet files into it.")
    return [path.parent / Path(m.name).name for m in found]


def _head(path: Path) -> list[str]:
    """The names in a text file's first line, in lower case, whatever divides them."""
    if path.suffix.lower() in (".xlsx", ".parquet", TRANSPORT):
        return []
    data = path.read_bytes()[:1_000_000]
    coded = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    first = data.decode(coded, "replace").split("\n")[0]
    return [n.strip().strip('"').casefold() for n in re.split(r"[,;\t|]", first)]


def _dictionary(files: Sequence[Path]) -> Path | None:
    """The REDCap data dictionary among the files, by its header."""
    names, forms = (set(DICTIONARY[key]) for key in ("name", "form"))
    met = [f for f in files if names & set(_head(f)) and forms & set(_head(f))]
    return met[0] if len(met) == 1 else None


def _is_redcap(data: Sequence[Path]) -> bool:
    """Whether a file is a REDCap export, by the columns that REDCap adds."""
    heads = [set(_head(f)) for f in data]
    added = {EVENT, *KEYS, "redcap_survey_identifier"}
    forms = [sum(n.endswith("_complete") for n in head) for head in heads]
    return any(head & added for head in heads) or (len(data) == 1 and forms[0] > 1)


def _redcap(
    data: Sequence[Path], described: Path | None, site_id: str, folder: Path
) -> tuple[dict[str, str], list[Raw], Dictionary | None]:
    """The forms of a REDCap export."""
    others = [f for f in data if f.suffix.lower() == ".csv" and f != described]
    if not others:
        raise BadDelivery(f"{site_id}: no export beside the dictionary. Name its folder.")
    chosen = max(others, key=lambda f: f.stat().st_size)
    names = {"data": chosen.name} | ({"dictionary": described.name} if described else {})
    source: dict[str, str | None] = {"dictionary": None, **names}
    site = Site.model_validate({"site_id": site_id, "format": "redcap", "redcap": source})
    known = read_dictionary(described, described.name, folder, ()) if described else None
    to = _new(folder, "redcap")
    (to / "raw").mkdir()
    (to / "in").mkdir()
    for path in filter(None, (chosen, described)):
        shutil.copyfile(path, to / "in" / path.name)
    made = convert(to / "in", site, to / "raw", chosen.name).tables
    raws = []
    for name, path in made.items():
        if name != UNASSIGNED:
            raws.append(Raw(name, {"instrument": name}, f"form {name}", _cells(path)))
    record = next(iter(raws[0].cells)) if raws else "record_id"
    return names | {"record": record}, raws, known


def _new(folder: Path, name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))


def alone(path: Path, folder: Path) -> Path:
    """A new folder in which a file lies alone, to be read."""
    to = _new(folder, "file")
    (to / "in").mkdir()
    shutil.copyfile(path, to / "in" / path.name)
    return to


def tables(path: Path, site_id: str, folder: Path) -> Iterator[Raw]:
    """The tables of a file, each sheet of a workbook by itself."""
    to = alone(path, folder)
    try:
        places = list(_places(path, site_id, to))
    except BadDelivery as fault:
        yield Raw(path.stem, {"file": path.name}, f"file {path.name}", {}, str(fault))
        return
    made = _at_once(to, [p for p, wrong in places if not wrong], site_id, path.name)
    for place, wrong in places:
        title = (
            f"sheet {place['sheet']} of {path.name}" if "sheet" in place else f"file {path.name}"
        )
        name = place.get("sheet", path.name.split(".", maxsplit=1)[0])
        if wrong:
            yield Raw(name, place, title, {}, wrong)
            continue
        try:
            table = made.get(name) or read(to, [place], site_id, path.name).popitem()[1]
            yield Raw(name, place, title, _cells(table))
        except BadDelivery as problem:
            yield Raw(name, place, title, {}, " ".join(str(problem).split()))


def _at_once(
    to: Path, places: Sequence[dict[str, str]], site_id: str, where: str
) -> dict[str, Path]:
    """The tables of several sheets by their names; none where one of them cannot be read."""
    try:
        return read(to, places, site_id, where) if len(places) > 1 else {}
    except BadDelivery:
        return {}


def read(to: Path, places: Sequence[dict[str, str]], site_id: str, where: str) -> dict[str, Path]:
    """The tables of a file that lies alone, by their names."""
    site = Site.model_validate({"site_id": site_id, "tables": {"patients": list(places)}})
    return convert(to / "in", site, _new(to, "raw"), where).tables


def _places(path: Path, site_id: str, to: Path) -> Iterator[tuple[dict[str, str], str]]:
    if path.suffix.lower() != ".xlsx":
        yield {"file": path.name}, ""
        return
    scratch = _new(to, "book")
    found = sheets(path, path.name, scratch, Form.of(Site.model_validate({"site_id": site_id})))
    for sheet in found:
        place = {"file": path.name} | ({"sheet": sheet.name} if len(found) > 1 else {})
        yield place, sheet.fault


def _cells(path: Path) -> dict[str, list[str]]:
    """Filled cells by column, blanks kept in their place."""
    table = pq.read_table(path).slice(0, SAMPLE)
    read = table.to_pydict()
    return {
        name: ["" if c is None else str(c).strip() for c in cells]
        for name, cells in read.items()
        if name not in ("source_file", "source_row", "source_key")
    }


def _guessed(
    site_id: str, redcap: dict[str, str] | None, raws: Sequence[Raw], known: Dictionary | None
) -> tuple[str, int]:
    fields = {r.name: _fields(r, known, redcap) for r in raws}
    everything = [f for several in fields.values() for f in several]
    decimal = decimal_sign(everything)
    patients = {} if redcap else _patients(raws, fields)
    day, moment = frame_days(everything)
    frame = Frame(site_id, redcap, day, None, moment, decimal, missing_words(everything))
    for name, several in fields.items():
        here = replace(frame, here=frame_days(several)[0])
        fields[name] = tuple(replace(f, unsure=unsure(here, f)) for f in several)
    parts = []
    for raw in raws:
        record = redcap["record"] if redcap else None
        part = Part(raw.place, raw.title, fields[raw.name], patients.get(raw.name, record))
        part.why_not = raw.why_not or ("" if part.patient else "nothing in it names our patients")
        if not part.why_not:
            _fill(part, raw, decimal)
        parts.append(part)
    _name_lesions(parts)
    if redcap:
        _borrow_days(parts, raws, redcap["record"])
    return text(frame, parts)


def _name_lesions(parts: Sequence[Part]) -> None:
    """Give lesions in columns the names that they have where they stand in rows."""
    several = [g for p in parts for g in p.guesses if g.written]
    there = {
        v for g in several for n, m in g.matches.items() if n == "lesion_id" for v in m.field.values
    }
    for guess in several:
        said = guess.constants.get("lesion_id")
        if said and there:
            word = said.removesuffix("{n}")
            forms = [f"{w}{{n}}" for w in (word, word.upper(), word.capitalize(), "", "L", "l")]
            known = [
                f for f in forms if any(f.replace("{n}", n) in there for n in guess.view.numbers)
            ]
            guess.constants["lesion_id"] = known[0] if known else said


def _borrow_days(parts: Sequence[Part], raws: Sequence[Raw], record: str) -> None:
    """Take the day of a form that has none from the one form that has the visit's.

    That is the ordinary longitudinal design: the day of a visit is entered once for all its forms.
    """
    visits = {
        r.name: set(zip(r.cells.get(record, []), r.cells.get(EVENT, []), strict=False))
        for r in raws
    }
    counts = {r.name: len(r.cells.get(record, [])) for r in raws}
    days = [
        (part.place["instrument"], f)
        for part in parts
        for f in part.fields
        if f.is_day and named("assessments.assessment_date", f) >= VAGUE
    ]
    for part in parts:
        form = part.place["instrument"]
        once = len(visits[form]) == counts[form] and any(event for _, event in visits[form])
        lent = [(i, f) for i, f in days if once and i != form and visits[form] <= visits[i]]
        for guess in part.guesses:
            (day,) = guess.lacking if len(guess.lacking) == 1 else ("",)
            if day in SHARED and len(lent) == 1 and guess.sure >= ENOUGH:
                guess.matches[day] = Match(day, lent[0][1], SURE, instrument=lent[0][0])
                guess.lacking = ()


def _fields(raw: Raw, known: Dictionary | None, redcap: dict[str, str] | None) -> tuple[Field, ...]:
    forms = {f"{f}_complete" for f in known.forms} if known else set()
    found: list[Field] = []
    prefix = _prefix([n for n in raw.cells if n not in OURS])
    for name, cells in raw.cells.items():
        declared = known.fields.get(name.split("___")[0]) if known else None
        status = name in forms or (redcap and not known and name.endswith("_complete"))
        structure = name in OURS or name.startswith("redcap_") or name == f"{raw.name}_timestamp"
        if structure or (redcap and name == redcap["record"]) or (status and not declared):
            continue
        if declared and "___" in name:
            _tick(found, name, declared, prefix, cells)
            continue
        one = Field(name, name.removeprefix(prefix), [c for c in cells if c], of=(name,))
        if declared:
            one = replace(
                one,
                label=declared.label,
                note=declared.note,
                choices={} if _borrowed(declared) else declared.choices,
                validation=declared.validation,
            )
        found.append(one)
    return tuple(found)


def _tick(
    found: list[Field], name: str, declared: DictionaryField, prefix: str, cells: Sequence[str]
) -> None:
    """Add a column of a checkbox to its field."""
    field, _, code = name.partition("___")
    said = {name: declared.choices.get(code, code)}
    if found and found[-1].ticks and found[-1].name == field:
        one = found.pop()
        said, cells, of = {**one.ticks, **said}, [*one.cells, *cells], (*one.of, name)
    else:
        of = (name,)
    filled = [c for c in cells if c]
    found.append(
        Field(field, field.removeprefix(prefix), filled, declared.label, of=of, ticks=said)
    )


def _borrowed(declared: DictionaryField) -> bool:
    """Choices that stand in an ontology of BioPortal, and not in the dictionary."""
    return any(code.startswith("BIOPORTAL:") for code in declared.choices)


def _prefix(names: Sequence[str]) -> str:
    """The form's own prefix, as in tx_date, tx_device: it says nothing of a field."""
    heads = Counter(n.split("_")[0] for n in names if "_" in n)
    head, number = heads.most_common(1)[0] if heads else ("", 0)
    return f"{head}_" if number >= 3 and number >= 0.6 * len(names) else ""


def _patients(raws: Sequence[Raw], fields: Mapping[str, Sequence[Field]]) -> dict[str, str | None]:
    """Table -> the field that names the patient: the one whose values most tables share."""
    best: tuple[float, str, set[str]] = (0.0, "", set())
    for name, several in fields.items():
        for place, one in enumerate(several):
            score = _identifies(one, place)
            if score:
                others = (o for n, o in fields.items() if n != name)
                shared = sum(max((_shares(one, f) for f in o), default=0.0) for o in others)
                alone = len(fields) == 1 and score > 0
                score = score + shared if score >= NAMED or shared or alone else 0.0
                best = max(best, (score, one.name, set(one.values)), key=lambda b: b[:1])
    _, chosen, ids = best
    return {r.name: _own_patient(fields[r.name], chosen, ids) for r in raws}


def _identifies(one: Field, place: int) -> float:
    """How well a field names a patient: by its name, its place and its form."""
    if not one.total or one.dated or one.clock > 0.5 or len(one.values) < FEW:
        return 0.0
    if plain(one.name) == "patientid":
        return 3.0
    met = [words.concepts(t) for t in words.tokens(one.name)]
    patient = any("patient" in c for c in met)
    identifier = any("identifier" in c for c in met)
    other = any(c and not c & {"patient", "identifier", "sequence"} for c in met)
    named = patient * 1.0 + identifier * NAMED - other * 1.0
    return max(named + (place == 0 and one.numeric < 1) * 0.5, 0.0)


def _shares(one: Field, other: Field) -> float:
    """How well two fields of different tables name the same patients, as codes that are not few.

    A patient has several rows in some tables; a number of the row has none.
    """
    if not other.values or other.dated or len(other.values) < FEW:
        return 0.0
    common = len(one.values.keys() & other.values.keys())
    alike = plain(one.name) == plain(other.name)
    if common < (LINKED if alike else 0.9) * len(other.values):
        return 0.0
    return 1.0 if other.total > ROWS * len(other.values) else 0.4


def _own_patient(several: Sequence[Field], chosen: str, ids: set[str]) -> str | None:
    same = [f for f in several if plain(f.name) == plain(chosen) and f.values]
    linked = [f for f in same if len(f.values.keys() & ids) >= LINKED * len(f.values)]
    if linked:
        return linked[0].name
    others = [
        f
        for place, f in enumerate(several)
        if len(f.values) >= FEW
        and len(f.values.keys() & ids) >= 0.9 * len(f.values)
        and _identifies(f, place) >= NAMED
    ]
    return others[0].name if len(others) == 1 else None


def _fill(part: Part, raw: Raw, decimal: str) -> None:
    """Score the part's views."""
    ids = [c for c in raw.cells.get(part.patient or "", []) if c]
    once = len(ids) <= ROWS * len(set(ids))
    unique = once or "instrument" in part.place
    named = [raw.name, raw.place.get("file", "").split(".")[0] if "sheet" not in raw.place else ""]
    others = [f for f in part.fields if f.name != part.patient]
    for view in views(others):
        several = guesses(view, named, decimal, unique=unique and not view.own, once=once)
        part.guesses += parted(several, view, named)
        if not view.own:
            part.flags += [*flags(view, named), *events(view, named)]

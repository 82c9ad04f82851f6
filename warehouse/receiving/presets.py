"""Write a first site file for an export in a published format.

The format says which variable is what, so that nothing is guessed but what is free in it; whatever
the export lacks, and whatever a person must decide, stands as a comment.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.contract import columns
from schemas.errors import BadDelivery
from schemas.naming.omop import OMOP
from schemas.naming.preset import Among, Asked, ByHand, Column, Given, One, Preset, Said
from schemas.naming.sdtm import SDTM
from schemas.records.units import COLUMN_UNITS
from schemas.site import ColumnSource
from schemas.site_rules import CONTRACTS
from warehouse.receiving.guessing.tables import required
from warehouse.receiving.guessing.written import quoted
from warehouse.receiving.site_guess import alone, laid_out, read

PRESETS: Mapping[str, Preset] = {p.code: p for p in (SDTM, OMOP)}
SHOWN = 12
"""So many values that a person must sort are listed."""
NONE = "# The export has no"
LONGEST = 40
"""Longer values are free text, and are not listed."""


@dataclass(frozen=True)
class File:
    """One file of the export: its name, and its cells as text."""

    name: str
    table: pa.Table

    def has(self, *variables: str) -> bool:
        """Whether it has all of these variables."""
        return set(variables) <= set(self.table.column_names)

    def values(self, variable: str, taken: pa.Array | None = None) -> Counter[str]:
        """The filled values of a variable, and how many rows have each."""
        cells = pc.utf8_trim_whitespace(self.table[variable])
        cells = cells.filter(taken) if taken is not None else cells
        return Counter(c for c in cells.to_pylist() if c)

    def taken(self, where: Mapping[str, Any]) -> pa.Array:
        """Which rows a condition on values takes."""
        mask = pa.array([True] * self.table.num_rows)
        for variable, asked in where.items():
            cells = pc.utf8_trim_whitespace(self.table[variable].combine_chunks())
            of = [asked]
            if isinstance(asked, Mapping):
                of = asked.get("in", ["", None])
            held = pc.is_in(cells, pa.array([v if v is None else str(v) for v in of], pa.string()))
            mask = pc.and_(mask, held)
        return mask


@dataclass
class Part:
    """What is written of one source: the lines of the site file, and remarks."""

    where: dict[str, Any]
    columns: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def from_preset(export: Path, preset: str, site_id: str) -> tuple[str, int]:
    """The text of a first site file, and how many things are left to a person.

    Raises:
        BadDelivery: the export cannot be read, or is not in this format.
    """
    kind = PRESETS[preset]
    folder = Path(tempfile.mkdtemp(prefix="y90-site-"))
    try:
        files = _files(export, kind, site_id, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _refuse_others(export, kind, files)
    lines = list(_head(kind, site_id))
    fed: set[str] = set()
    for given in kind.given:
        told = [t for t in _source(kind, given, files) if not (t.startswith(NONE) and t in lines)]
        fed |= {given.table for line in told if line.startswith("[[")}
        lines += ["", *told] if told else []
    hand = [line for one in kind.by_hand for line in _by_hand(one, files)]
    lines += ["", "# A person must say:", *hand] if hand else []
    lines += ["", "# The format has no place for:"]
    lines += [f"#   {name}: {why}" for name, why in kind.cannot]
    unfed = [name for name in CONTRACTS if name not in fed]
    lines += ["", f"# Nothing feeds yet: {', '.join(unfed)}"] if unfed else []
    return "\n".join(lines) + "\n", sum("# could not" in line for line in lines) + len(hand)


def _files(export: Path, kind: Preset, site_id: str, folder: Path) -> dict[str, File]:
    """The files that the format knows, by their names there."""
    known = {g.file for g in kind.given} | {b.file for b in kind.by_hand}
    known |= {c["file"] for g in kind.given for c in _mappings(g) if "file" in c}
    found: dict[str, File] = {}
    for path in laid_out(export, None, folder / "export"):
        stem = path.name.split(".", maxsplit=1)[0]
        name = stem.upper() if kind.upper else stem.lower()
        if name in known:
            place = {"file": path.name}
            (made,) = read(alone(path, folder), [place], site_id, path.name).values()
            table = pq.read_table(made)
            names = [n.upper() if kind.upper else n.lower() for n in table.column_names]
            found[name] = File(path.name, table.rename_columns(names))
    return found


def _mappings(given: Given) -> Iterator[Mapping[str, Any]]:
    for column in given.columns.values():
        several = column if isinstance(column, tuple) else (column,)
        yield from (c for c in several if isinstance(c, Mapping))


def _refuse_others(export: Path, kind: Preset, files: Mapping[str, File]) -> None:
    lacking = [n for n in kind.needed if n not in files]
    if lacking:
        raise BadDelivery(
            f"{export}: not {kind.code}: no file {lacking[0].lower()} in it. Name the folder of "
            "its tables, one file each, or leave --preset out."
        )
    without = [n for n, f in files.items() if not f.has(kind.patient) and n in kind.needed]
    if without:
        name = files[without[0]].name
        raise BadDelivery(
            f"{export}: not {kind.code}: {name} has no variable {kind.patient}. Correct the "
            "export, or leave --preset out."
        )


def _head(kind: Preset, site_id: str) -> Iterator[str]:
    yield f"# From the preset {kind.code}: {kind.source}."
    yield "# Read every line before the first delivery."
    yield f"site_id = {_toml(site_id)}"
    yield 'origin = "clinical"'
    yield 'format = "tables"'
    yield from (f"{key} = {_toml(value)}" for key, value in kind.keys.items())


def _source(kind: Preset, given: Given, files: Mapping[str, File]) -> Iterator[str]:
    """The lines of one source, or why there are none."""
    file = files.get(given.file)
    if file is None:
        yield f"{NONE} {given.file}: {given.table} is not read from it"
        return
    must = (kind.patient, *given.must, *given.if_filled)
    if lacking := [v for v in must if not file.has(v)]:
        yield f"# could not read {given.table} from {file.name}: it has no {', '.join(lacking)}"
        return
    where = _where(given.where, file)
    if where is None or not pc.any(file.taken(where)).as_py():
        return
    for part in _parts(kind, given, file, where, files):
        yield from _written(kind, given, file, part)


def _where(asked: Mapping[str, Asked], file: File) -> dict[str, Any] | None:
    """Conditions on the values of this export; None where no row can be meant."""
    found: dict[str, Any] = {}
    for variable, one in asked.items():
        if not file.has(variable):
            continue
        values = sorted(file.values(variable))
        if isinstance(one, Among):
            said = Said(variable, (("", one.says),))
            if not (of := [v for v in values if said.code(v) is not None]):
                return None
            found[variable] = {"in": of}
        elif isinstance(one, One):
            if len(values) > 1:
                found[variable] = next((v for v in one.of if v in values), values[0])
        else:
            found[variable] = dict(one) if isinstance(one, Mapping) else one
    return found


def _parts(
    kind: Preset, given: Given, file: File, where: dict[str, Any], files: Mapping[str, File]
) -> Iterator[Part]:
    """One part for every unit that the rows have, so that each is read in its own."""
    unit = next((v for v in given.units.values() if file.has(v)), None)
    units = sorted(file.values(unit, file.taken(where))) if unit else []
    there: list[str | None] = [*units]
    blank = {unit: {"filled": False}} if unit else {}
    several = len(there) > 1
    if several and pc.any(file.taken(where | blank)).as_py():
        there.append(None)
    for one in there or [None]:
        part = Part(where | ({unit: one} if one else blank) if unit and several else where)
        for ours, candidates in given.columns.items():
            choice = candidates if isinstance(candidates, tuple) else (candidates,)
            _column(kind, part, ours, choice, file, files)
        for ours in given.units:
            _unit(part, given.table, ours, one, sure=not several)
        yield part


def _column(
    kind: Preset,
    part: Part,
    ours: str,
    candidates: Sequence[Column],
    file: File,
    files: Mapping[str, File],
) -> None:
    """Add the first candidate whose variables the export has."""
    for one in candidates:
        if isinstance(one, str) and file.has(one):
            part.columns[ours] = one
            return
        if isinstance(one, Said) and file.has(one.variable):
            _said(part, ours, one, file)
            return
        if isinstance(one, Mapping) and (read := _read(kind, one, file, files)):
            part.columns[ours] = read
            return
    told = " nor ".join(dict.fromkeys(map(_told, candidates)))
    part.remarks.append(f"could not read {ours}: the export has no {told}")


def _told(column: Column) -> str:
    """What a column would be read from."""
    if isinstance(column, str):
        return column
    if isinstance(column, Said):
        return column.variable
    keys = ("file", "on", "among")
    source = ColumnSource.model_validate({k: v for k, v in column.items() if k not in keys})
    names = ", ".join(dict.fromkeys([*source.read, *source.asked]))
    return f"{names} in {column['file']}" if "file" in column else names


def _read(
    kind: Preset, one: Mapping[str, Any], file: File, files: Mapping[str, File]
) -> dict[str, Any] | None:
    """The keys of a column, its file named as the export names it; None where variables lack."""
    found = dict(one)
    of = file
    if "file" in one:
        if one["file"] not in files:
            return None
        of = files[one["file"]]
        found["file"] = of.name
        found["among"] = {n: v for n, v in one.get("among", {}).items() if of.has(n)}
        missing = set(one.get("among", {})) - set(found["among"])
        if (
            not file.has(*one["on"])
            or not of.has(*one["on"])
            or not found["among"]
            or missing - kind.optional
        ):
            return None
    keys = {k: v for k, v in found.items() if k not in ("file", "on", "among")}
    source = ColumnSource.model_validate(keys)
    return found if of.has(*source.read, *source.asked) else None


def _said(part: Part, ours: str, one: Said, file: File) -> None:
    """Add the codes of the values that the rows have, and tell of those that say nothing."""
    values = sorted({*one.known, *file.values(one.variable, file.taken(part.where))})
    codes = {v: code for v in values if (code := one.code(v)) is not None}
    if codes:
        part.columns[ours] = {"from": one.variable, "codes": codes}
    part.remarks += [
        f"could not guess {ours} of {_toml(v)} in {one.variable}"
        for v in values
        if v not in codes and len(v) <= LONGEST
    ]


def _unit(part: Part, table: str, ours: str, unit: str | None, *, sure: bool) -> None:
    """Say the unit of a column where it is not ours; drop one that others have and it lacks."""
    if (given := part.columns.get(ours)) is None:
        return
    own = next(c.unit for c in columns(CONTRACTS[table]) if c.name == ours)
    if unit is None and sure:
        part.remarks.append(f"could not find a unit of {ours}: it is read in {own}")
    elif unit is None:
        del part.columns[ours]
    elif unit.casefold() != str(own).casefold():
        if (unit, own) in COLUMN_UNITS:
            part.columns[ours] = {"from": given, "unit": unit}
        else:
            del part.columns[ours]
            part.remarks.append(f"could not read {ours}: no conversion of {_toml(unit)} to {own}")


def _written(kind: Preset, given: Given, file: File, part: Part) -> Iterator[str]:
    there = {"patient_id", *part.columns}
    if lacking := [n for n in required(given.table) if n not in there]:
        yield f"# could not read {given.table} from {file.name}: it gives no {', '.join(lacking)}"
        yield from (f"#   {told}" for told in part.remarks)
        return
    if given.note:
        yield f"# {given.note}"
    yield f"[[tables.{given.table}]]"
    yield f"file = {_toml(file.name)}"
    if part.where:
        yield f"where = {_toml(part.where)}"
    if given.merge:
        yield "merge = true"
    if given.if_filled:
        yield f"if_filled = {_toml(list(given.if_filled))}"
    yield from (f"# {told}" for told in part.remarks)
    yield f"[tables.{given.table}.columns]"
    yield f"patient_id = {_toml(kind.patient)}"
    yield from (f"{ours} = {_toml(theirs)}" for ours, theirs in part.columns.items())


def _by_hand(one: ByHand, files: Mapping[str, File]) -> Iterator[str]:
    file = files.get(one.file)
    if file is None:
        return
    yield f"#   {one.table} from {file.name}: {one.why}"
    for variable in one.variables:
        if file.has(variable):
            often = [
                v for v, n in file.values(variable).most_common() if n > 1 and len(v) <= LONGEST
            ]
            if often:
                more = f" and {len(often) - SHOWN} more" if len(often) > SHOWN else ""
                yield f"#     {variable}: {', '.join(map(_toml, often[:SHOWN]))}{more}"


def _toml(value: Any) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return quoted(str(value))


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else _toml(name)

"""Write guesses as a site file: lines that are sure, and comments for a person on all others."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from schemas.contract import columns
from schemas.site_rules import CONTRACTS
from warehouse.receiving.guessing import words
from warehouse.receiving.guessing.fields import DAYS, ISO, ISO_MOMENTS, Field
from warehouse.receiving.guessing.fit import Match, says_some
from warehouse.receiving.guessing.tables import ENOUGH, SURE, Guess, candidates, ours, required
from warehouse.receiving.guessing.therapies import Flag

SHOWN = 4
"""So many labels stand beside codes."""


@dataclass
class Part:
    """One table of an export: where it stands, its fields, and what it may give."""

    place: dict[str, str]
    """Keys of the site file: `file`, `sheet` or `instrument`."""
    title: str
    fields: tuple[Field, ...]
    patient: str | None
    """The field that names the patient; none where nothing links the table to the others."""
    guesses: list[Guess] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    why_not: str = ""
    """Why it is no table."""


@dataclass(frozen=True)
class Frame:
    """What holds for the whole file."""

    site_id: str
    redcap: Mapping[str, str] | None
    day: str | None
    """The format of nearly every day; None where two do equally well."""
    here: str | None
    """That of the one table of the export which is being written."""
    moment: str | None
    decimal: str
    missing: Sequence[str]


def text(frame: Frame, parts: Sequence[Part]) -> tuple[str, int]:
    """The site file, and how many fields were not guessed."""
    lines = [*_head(frame)]
    missed = 0
    for part in parts:
        told, open_ = _part(replace(frame, here=frame_days(part.fields)[0]), part)
        lines += ["", *told]
        missed += open_
    lines += ["", *_nothing_gives(parts)]
    return "\n".join(lines).rstrip("\n") + "\n", missed


def _head(frame: Frame) -> Iterator[str]:
    yield f"# Guessed from an export. A table is written above a confidence of {ENOUGH:.2f}, a line"
    yield f"# above one of {SURE:.2f}; the rest stands as a comment with what it may be. Read every"
    yield "# line before the first delivery."
    yield f"site_id = {quoted(frame.site_id)}"
    yield 'origin = "clinical"'
    yield f'format = "{"redcap" if frame.redcap else "tables"}"'
    yield f'date_format = "{frame.day}"' if frame.day else "# could not guess: date_format"
    if frame.moment:
        yield f'datetime_format = "{frame.moment}"'
    yield f'decimal = "{frame.decimal}"'
    yield f"missing = [{', '.join(map(quoted, frame.missing))}]"
    if frame.redcap:
        yield from ("", "[redcap]")
        yield from (f"{key} = {quoted(name)}" for key, name in frame.redcap.items())
        if "dictionary" not in frame.redcap:
            yield "# no dictionary was given: a delivery holds none"


def _part(frame: Frame, part: Part) -> tuple[list[str], int]:
    written = [g for g in part.guesses if g.written]
    lines = [f"# {part.title}"]
    if part.why_not:
        return [*lines, f"# no table: {part.why_not}"], 0
    several = len({g.table for g in written}) + bool(part.flags) > 1
    taken = {m.field.name for g in written for m in g.matches.values()}
    whole = {g.table for g in written}
    part.flags = [f for f in part.flags if f.said.name not in taken and f.table not in whole]
    for guess in written:
        lines += _table(frame, part, guess, several)
    for flag in part.flags:
        lines += _flag(frame, part, flag)
    if not written and not part.flags:
        lines += _no_table(part)
    used = {c for g in written for c in _columns(g)}
    read = [f for g in part.flags for f in (g.said, *(m.field for m in g.matches))]
    used |= {n for one in read for n in one.of or (one.name,)}
    left = [f for f in part.fields if not used & {f.name, *f.of} and f.name != part.patient]
    lines += [_open(f, part) for f in left]
    return lines, len(left)


def _columns(guess: Guess) -> Iterator[str]:
    """Every column of the export that a guess reads."""
    fields = [m.field for m in guess.matches.values()] + [a.value for a in guess.wide]
    for one in fields:
        yield from one.of or (one.name,)
    for analyte in guess.wide:
        yield from (n for n in (analyte.lower, analyte.upper) if n)
    yield from guess.where


def _no_table(part: Part) -> Iterator[str]:
    best = max(part.guesses, key=lambda g: g.sure, default=None)
    if best is None:
        return
    yield f"# no table of ours: the nearest is {best.table} with confidence {best.sure:.2f}"
    if best.lacking and best.sure >= ENOUGH:
        yield f"# {best.table} must have and nothing gives: {', '.join(best.lacking)}"


def _open(one: Field, part: Part) -> str:
    met = [f"{place} ({sure:.2f})" for place, sure in candidates(part.guesses, one)]
    unclear = {f.name: a for g in part.guesses for a, f in g.unclear}
    if one.name in unclear:
        met = [f"labs, {unclear[one.name]}: its unit is not known"]
    if one.unsure:
        met = [f"a day as {f}" for f in one.formats if f in DAYS]
    may_be = f"; it may be {' or '.join(met)}" if met else ""
    return comment(f"could not guess: {one.name}{_label(one)}{may_be}")


def _label(one: Field) -> str:
    return f" ({words.text_of(one.label)})" if one.label else ""


def comment(said: str) -> str:
    """A comment of one line."""
    return f"# {' '.join(said.split())}"


def _table(frame: Frame, part: Part, guess: Guess, several: bool) -> Iterator[str]:
    yield f"# {guess.table}: confidence {guess.sure:.2f}"
    yield f"[[tables.{guess.table}]]"
    yield from (f"{key} = {quoted(name)}" for key, name in part.place.items())
    if guess.where:
        said = ", ".join(f"{quoted(n)} = {_in(v)}" for n, v in guess.where.items())
        yield f"where = {{ {said} }}"
    filled = _must_be_filled(guess, several or bool(guess.view.block))
    if filled:
        yield f"if_filled = [{', '.join(map(quoted, filled))}]"
    yield f"[tables.{guess.table}.columns]"
    if part.patient and not frame.redcap:
        yield f"patient_id = {quoted(part.patient)}"
    for name, value in guess.constants.items():
        yield f"{name} = {{ constant = {quoted(value)} }}"
    for column in ours(guess.table):
        if column.name in guess.matches:
            yield from _line(frame, guess.matches[column.name])
    for analyte in guess.wide:
        yield f"[[tables.{guess.table}.wide]]"
        yield f'analyte = "{analyte.analyte}"'
        yield f"value = {quoted(analyte.value.name)}"
        by = "  # nothing names it: by the size of the results" if analyte.by_size else ""
        yield f"unit = {quoted(analyte.unit)}{by}"
        if analyte.lower:
            yield f"lower_limit = {quoted(analyte.lower)}"
        if analyte.upper:
            yield f"upper_limit = {quoted(analyte.upper)}"


def _must_be_filled(guess: Guess, shared: bool) -> list[str]:
    """Rows without the day of a table that shares them with another are none of it."""
    if not shared or guess.view.numbered:
        return []
    days = [
        n
        for n in required(guess.table)
        if n in guess.matches and n.endswith("_date") and not guess.matches[n].instrument
    ]
    return [guess.matches[n].field.name for n in days]


def _in(values: Sequence[str]) -> str:
    if len(values) == 1:
        return quoted(values[0])
    return f"{{ in = [{', '.join(map(quoted, values))}] }}"


def _line(frame: Frame, one: Match) -> Iterator[str]:
    if one.field.ticks:
        ticked = ", ".join(quoted(n) for n, said in one.field.ticks.items() if says_some(said))
        yield f"{one.column} = {{ any_of = [{ticked}] }}"
        return
    keys = [f"{'year_of' if one.year_of else 'from'} = {quoted(one.field.name)}"]
    if one.instrument:
        keys.append(f"instrument = {quoted(one.instrument)}")
    if one.unit:
        keys.append(f"unit = {quoted(one.unit)}")
    if own := _own_format(frame, one):
        keys.append(f"date_format = {quoted(own)}")
    codes = {t: c for t, c in one.codes.items() if t != c}
    if codes:
        kind = "words" if one.column in ("analyte", "unit", "term", "drug") else "codes"
        same = {t: c for t, c in one.codes.items() if t == c} if kind == "codes" else {}
        pairs = ", ".join(f"{quoted(t)} = {quoted(c)}" for t, c in (codes | same).items())
        keys.append(f"{kind} = {{ {pairs} }}")
    labels = _labels(one)
    if keys[1:] or one.year_of:
        yield f"{one.column} = {{ {', '.join(keys)} }}{labels}"
    else:
        yield f"{one.column} = {quoted(one.field.name)}{labels}"
    told = [c for c in one.unknown if one.field.choices or one.field.values[c] > 1]
    for code in told:
        yield comment(f"could not guess: code {_shown(one.field, code)} of {one.field.name}")
    if rare := len(one.unknown) - len(told):
        yield comment(f"could not guess: {rare} values of {one.field.name} that stand there once")


def _shown(one: Field, code: str) -> str:
    label = words.text_of(one.choices.get(code, ""))
    return f"{code} ({label})" if label and label != code else code


def _labels(one: Match) -> str:
    """A dictionary's labels beside its codes."""
    if not one.field.choices or not one.codes:
        return ""
    told = [
        f"{c} {words.text_of(one.field.choices[c])}" for c in one.codes if c in one.field.choices
    ]
    more = ", ..." if len(told) > SHOWN else ""
    return f"  # {', '.join(told[:SHOWN])}{more}"


def unsure(frame: Frame, one: Field) -> bool:
    """Whether a field's days can be read in two ways, and neither is that of its table or file."""
    days = {f: n for f, n in one.formats.items() if (f in DAYS) == one.is_day}
    known = {ISO, *ISO_MOMENTS, frame.day, frame.here, frame.moment}
    return bool(days) and not known & set(days) and not _best(days)


def _own_format(frame: Frame, one: Match) -> str:
    """A format of days that is not the site's."""
    kind = next(c for c in columns(CONTRACTS[_any_table(one)]) if c.name == one.column).dtype
    formats = one.field.formats
    if kind.is_timestamp():
        return "" if not formats or frame.moment in formats else _best(formats)
    if not (kind.is_date() or one.year_of) or not formats:
        return ""
    if frame.here in formats and ISO not in formats:
        return "" if frame.here == frame.day else str(frame.here)
    if frame.day in formats:
        return ""
    days = {f: n for f, n in formats.items() if f in DAYS} or formats
    return "" if ISO in days or ISO_MOMENTS & set(days) else _best(days)


def _any_table(one: Match) -> str:
    return next(t for t, c in CONTRACTS.items() if one.column in {x.name for x in columns(c)})


def _best(formats: Mapping[str, int]) -> str:
    """The one format that reads most; none where two do."""
    most = [f for f, n in formats.items() if n == max(formats.values())]
    return most[0] if len(most) == 1 else ""


def _flag(frame: Frame, part: Part, flag: Flag) -> Iterator[str]:
    """A source of one therapy or event, of the rows in which its field says so."""
    what = ", ".join(flag.constants.values())
    yield comment(f"{flag.table}: {what}{_label(flag.said)}")
    yield f"[[tables.{flag.table}]]"
    yield from (f"{key} = {quoted(name)}" for key, name in part.place.items())
    said = _in(flag.yes) if flag.yes else "{ at_least = 1 }"
    yield f"where = {{ {quoted(flag.said.name)} = {said} }}"
    yield f"[tables.{flag.table}.columns]"
    if part.patient and not frame.redcap:
        yield f"patient_id = {quoted(part.patient)}"
    yield from (f"{name} = {{ constant = {quoted(c)} }}" for name, c in flag.constants.items())
    for one in flag.matches:
        yield from _line(frame, one)


def _nothing_gives(parts: Iterable[Part]) -> Iterator[str]:
    """The tables that are not written, and what each must have."""
    parts = list(parts)
    written = {g.table for p in parts for g in p.guesses if g.written}
    written |= {f.table for p in parts for f in p.flags}
    for table in CONTRACTS:
        if table not in written:
            must = ", ".join(required(table)) or "nothing beside the patient"
            yield f"# nothing gives {table}: it must have {must}"


def frame_days(fields: Iterable[Field]) -> tuple[str | None, str | None]:
    """The formats that read most days and most moments; None where two read as many."""
    days: Counter[str] = Counter()
    moments: Counter[str] = Counter()
    for one in fields:
        kind = days if one.is_day else moments
        kind.update({f: n for f, n in one.formats.items() if (f in DAYS) == one.is_day})
    return _most(days), _most(moments)


def _most(counted: Counter[str]) -> str | None:
    ranked = counted.most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def quoted(said: str) -> str:
    """A text as TOML writes it."""
    plain = said.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\u{ord(m[0]):04x}", plain) + '"'

"""Check the numbers that a draft has taken from a release.

numbers.lock beside the draft says for each label what it stands for:

    [numbers.os_median]
    text = "34.4"
    statistic_id = "survival_medians.all.os.subject.overall.overall.midpoint"
    value = 34.39835728952772
    release = "2011.03.31"

A number may come from `sql` instead, a query that gives one value. The draft marks the place with
the label in braces after the number, for instance `34.4 months {os_median}`, or says the `text`.
In Word a number is a content control whose title is the label (`warehouse.account.controls`).
`field` names another column of the statistic's table, such as `lower`, and `scale` what the printed
number is a multiple by.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from analytics.summary import p_value, printed, rounded
from schemas.errors import Refused
from schemas.number_lock import KEYS, Number
from schemas.records.field.journals import JOURNALS, PLAIN
from schemas.statistic_ids import table_of
from warehouse.account import controls, trace
from warehouse.account.controls import LABEL
from warehouse.engine.connections import connection
from warehouse.releases import query

MARK = re.compile(r"\{([a-z][a-z0-9_]*)\}")
NUMBER = re.compile(r"(?:[<>]\s*)?[-+−]?(?:\d+(?:[.·]\d+)?|\.\d+)")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(\"'])|\n\s*\n")
TOLERANCE = 1e-9
WORD = ".docx"
REACHED = frozenset({"median_months", "lower", "upper"})
"""Columns without a value where a curve does not come down so far."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a draft with a number in it, and whether it is still true."""

    line: int
    sentence: str
    label: str
    printed: str | None
    locked: float | None
    now: float | None
    statistic_id: str | None
    release: str
    true: bool
    why: str


def read(path: Path) -> dict[str, Number]:
    """The numbers of a lock file by label.

    Raises:
        Refused: it is missing, not TOML, or an entry is not complete; all problems at once.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise Refused(f"{path}: {fault.strerror}. Name the lock file with --lock.") from None
    except ValueError as fault:
        raise Refused(f"{path}: not TOML: {fault}. Correct that line.") from None
    entries = data.get("numbers", {})
    problems = [f"{path}, {label}: {p}" for label, e in entries.items() for p in _problems(e)]
    if problems:
        raise Refused("\n".join(problems))
    return {label: Number(label=label, **{"value": None, **e}) for label, e in entries.items()}


def check(
    draft: Path, lock: dict[str, Number], release: Path, locked_at: Callable[[str], Path]
) -> list[Sentence]:
    """Every sentence of a draft that holds a locked number, judged against a release.

    Args:
        draft: a text, for instance Markdown or TeX.
        lock: the numbers it has taken.
        release: the release that it should agree with.
        locked_at: the folder of a release by name, to see that the lock is true of it.

    Raises:
        Refused: the draft cannot be read, or marks a label that the lock does not have.
    """
    found = list(_in_word(draft) if draft.suffix == WORD else _in_text(draft, lock))
    if unknown := [_unknown(draft, p, lock) for p in found if p.label not in lock]:
        raise Refused("\n".join(unknown))
    sources = _Sources(release, locked_at)
    return [_judged(place, lock[place.label], sources) for place in found]


def refreshed(draft: Path, lock: dict[str, Number], release: Path) -> tuple[bytes, list[Number]]:
    """A Word document whose numbers are those of a release, and the entries of its new lock.

    A number is printed with as many decimals as before; one that the release has no value of is
    `not reached` or `not evaluable`, as the statistic is.

    Raises:
        Refused: the draft is no Word document, or has a number that the lock does not have.
    """
    if draft.suffix != WORD:
        raise Refused(f"{draft}: only a Word document can be refreshed. Name a .docx file.")
    found = list(_in_word(draft))
    if unknown := [_unknown(draft, p, lock) for p in found if p.label not in lock]:
        raise Refused("\n".join(unknown))
    sources = _Sources(release, lambda _: release)
    entries = [
        replace(number, value=(now := sources.now(number)), text=_as(number, now),
                release=release.name)
        for number in lock.values()
    ]  # fmt: skip
    texts = {n.label: n.text for n in entries if n.text is not None}
    return controls.rewritten(draft, texts), entries


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a number is printed."""

    label: str
    line: int
    sentence: str
    printed: str | None


def _in_word(draft: Path) -> Iterator[_Place]:
    for control in controls.read(draft):
        yield _Place(control.label, control.paragraph, control.sentence, control.text)


def _in_text(draft: Path, lock: dict[str, Number]) -> Iterator[_Place]:
    try:
        text = draft.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(f"{draft}: not a readable UTF-8 text. Name the draft.") from None
    for line, sentence in _sentences(text):
        marked = MARK.findall(sentence)
        said = [
            n.label
            for n in lock.values()
            if n.text and not LABEL.fullmatch(n.label) and _says(sentence, n.text)
        ]
        for label in dict.fromkeys([*marked, *said]):
            printed = _printed(sentence, lock[label]) if label in lock else None
            yield _Place(label, line, sentence, printed)


@dataclass(frozen=True, slots=True)
class _Sources:
    """The releases that numbers are held against, each value asked for once."""

    release: Path
    locked_at: Callable[[str], Path]
    values: dict[tuple[Path, Number], float | None] = field(default_factory=dict)

    def now(self, number: Number) -> float | None:
        """What it is in the release that the draft should agree with."""
        return self._value(number, self.release)

    def then(self, number: Number) -> float | None:
        """What it is in the release that it was taken from."""
        return self._value(number, self.locked_at(number.release))

    def _value(self, number: Number, release: Path) -> float | None:
        if (release, number) not in self.values:
            self.values[release, number] = value_of(number, release)
        return self.values[release, number]


def value_of(number: Number, release: Path) -> float | None:
    """What a number is in a release.

    Raises:
        Refused: the release has no such statistic, or the query does not give one number.
    """
    if number.statistic_id is not None:
        value = _of_statistic(number.statistic_id, number.field, release)
        return None if value is None else float(value)
    with query.open_release(release) as con:
        try:
            rows = con.execute(number.sql or "").fetchall()
        except duckdb.Error as error:
            raise Refused(
                f"{number.label}, sql: {str(error).splitlines()[0]}. Correct it."
            ) from None
    if len(rows) != 1 or len(rows[0]) != 1:
        raise Refused(f"{number.label}, sql: not one value. Ask for one column of one row.")
    return None if rows[0][0] is None else float(rows[0][0])


def _of_statistic(statistic: str, column: str | None, release: Path) -> Any:
    """The statistic's value, or another column of the table that its row stands in."""
    if column is None:
        with connection() as con:
            return trace.statistic_row(con, release, statistic)["value"]
    found = _outcome(release, table_of(statistic)).get(statistic)
    if found is None:
        with connection() as con:
            raise trace.unknown_statistic(con, release, statistic)
    if column not in found:
        raise Refused(
            f"{statistic}, field {column}: release {release.name} has no such column. "
            f"There are {', '.join(found)}."
        )
    return found[column]


@lru_cache(maxsize=32)
def _outcome(release: Path, table: str) -> dict[str, dict[str, Any]]:
    """Rows of an outcome table by statistic: a document asks hundreds; a release never changes."""
    path = release / "parquet" / "outcomes" / f"{table}.parquet"
    if not path.is_file():
        return {}
    return {row["statistic_id"]: row for row in pq.read_table(path).to_pylist()}


def _problems(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ["not a table. Write [numbers.<label>] and its keys below."]
    told = [
        f"{name}: unknown key. Did you mean {get_close_matches(name, KEYS, 1, 0)[0]}?"
        for name in entry.keys() - set(KEYS)
    ]
    if ("statistic_id" in entry) == ("sql" in entry):
        told.append("give exactly one of statistic_id and sql.")
    if not isinstance(entry.get("release"), str):
        told.append('release is required. Write release = "ID" of the release it was taken from.')
    if entry.get("style") not in {None, *JOURNALS}:
        told.append(f"style is one of {', '.join(JOURNALS)}. Correct it.")
    if not isinstance(entry.get("value"), int | float | None):
        told.append("value is a number, unrounded. Copy it from the release.")
    return told


def _sentences(text: str) -> list[tuple[int, str]]:
    """Sentences with the line that they begin on."""
    sentences, start = [], 0
    for end in [*(m.end() for m in SENTENCE.finditer(text)), len(text)]:
        sentence = text[start:end]
        lead = len(sentence) - len(sentence.lstrip())
        if sentence.strip():
            line = text.count("\n", 0, start + lead) + 1
            sentences.append((line, " ".join(sentence.split())))
        start = end
    return sentences


def _says(sentence: str, text: str) -> bool:
    """The text stands there as a whole number or word, not inside another."""
    return re.search(rf"(?<![\w.·]){re.escape(text)}(?![\w]|[.·]\d)", sentence) is not None


def _printed(sentence: str, number: Number) -> str | None:
    """What the draft prints: the last number before the mark, or the locked text."""
    mark = sentence.find("{" + number.label + "}")
    if mark < 0:
        return number.text
    before = NUMBER.findall(MARK.sub("", sentence[:mark]))
    return before[-1] if before else None


def _judged(place: _Place, number: Number, sources: _Sources) -> Sentence:
    then, why = sources.then(number), ""
    now, release, printed = sources.now(number), sources.release.name, place.printed
    if not _equal(then, number.value):
        why = f"the lock says {number.value}, but {number.release} has {then}"
    elif printed is None:
        why = "no number is printed before the mark"
    elif not _prints(printed, number, now):
        why = f"{release} has {now}, which is not printed {printed}"
    return Sentence(
        line=place.line,
        sentence=place.sentence,
        label=number.label,
        printed=printed,
        locked=number.value,
        now=now,
        statistic_id=number.statistic_id,
        release=number.release,
        true=not why,
        why=why,
    )


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE * max(1.0, abs(one))


def _prints(printed: str, number: Number, value: float | None) -> bool:
    """Whether a value, rounded half away from zero to the printed decimals, is what is printed."""
    if value is None:
        return printed == _as(number, value)
    match = NUMBER.search(printed)
    if match is None:
        return False
    shown = match[0].replace("−", "-").replace("·", ".")
    if shown[0] in "<>":
        limit = float(shown[1:])
        return number.scale * value < limit if shown[0] == "<" else number.scale * value > limit
    whole = f"0{shown}" if shown.startswith(".") else shown.removeprefix("+")
    return rounded(number.scale * value, _decimals(shown)) == whole


def _decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


def _as(number: Number, value: float | None) -> str:
    """A value as the document prints this number."""
    if value is None:
        return "not reached" if number.field in REACHED else "not evaluable"
    journal = JOURNALS[number.style] if number.style else PLAIN
    if number.field == "p":
        return p_value(value, journal)
    match = NUMBER.search(number.text or "")
    digits = _decimals(match[0].replace("·", ".")) if match else 1
    return printed(number.scale * value, digits, journal)


def _unknown(draft: Path, place: _Place, lock: dict[str, Number]) -> str:
    near = get_close_matches(place.label, lock, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]}?" if near else "Add it to the lock file."
    return f"{draft} line {place.line}, {{{place.label}}}: the lock file has no such label. {hint}"

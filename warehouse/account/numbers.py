"""Check the numbers that a draft has taken from a release.

numbers.lock beside the draft says for each label what it stands for:

    [numbers.os_median]
    text = "34.4"
    statistic_id = "survival_medians.all.os.subject.overall.overall.midpoint"
    value = 34.39835728952772
    release = "2011.03.31"

A number may come from `sql` instead, a query that gives one value. The draft marks the place with
the label in braces after the number, for instance `34.4 months {os_median}`, or says the `text`.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb

from schemas.errors import Refused
from warehouse.account import trace
from warehouse.engine.connections import connection
from warehouse.releases import query

MARK = re.compile(r"\{([a-z][a-z0-9_]*)\}")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(\"'])|\n\s*\n")
KEYS = {"text", "statistic_id", "sql", "value", "release"}
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Number:
    """One number that a draft has taken from a release."""

    label: str
    value: float | None
    release: str
    statistic_id: str | None = None
    sql: str | None = None
    text: str | None = None


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
    try:
        text = draft.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(f"{draft}: not a readable UTF-8 text. Name the draft.") from None
    sentences: list[Sentence] = []
    unknown: list[str] = []
    for line, sentence in _sentences(text):
        marked = MARK.findall(sentence)
        unknown += [_unknown(draft, line, name, lock) for name in marked if name not in lock]
        said = [n.label for n in lock.values() if n.text and _says(sentence, n.text)]
        for label in dict.fromkeys([*(m for m in marked if m in lock), *said]):
            printed = _printed(sentence, lock[label])
            sentences.append(_judged(line, sentence, printed, lock[label], release, locked_at))
    if unknown:
        raise Refused("\n".join(unknown))
    return sentences


def value_of(number: Number, release: Path) -> float | None:
    """What a number is in a release.

    Raises:
        Refused: the release has no such statistic, or the query does not give one number.
    """
    if number.statistic_id is not None:
        with connection() as con:
            row = trace.statistic_row(con, release, number.statistic_id)
        return None if row["value"] is None else float(row["value"])
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


def _problems(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ["not a table. Write [numbers.<label>] and its keys below."]
    told = [
        f"{name}: unknown key. Did you mean {get_close_matches(name, KEYS, 1, 0)[0]}?"
        for name in entry.keys() - KEYS
    ]
    if ("statistic_id" in entry) == ("sql" in entry):
        told.append("give exactly one of statistic_id and sql.")
    if not isinstance(entry.get("release"), str):
        told.append('release is required. Write release = "ID" of the release it was taken from.')
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
    return re.search(rf"(?<![\w.]){re.escape(text)}(?![\w]|\.\d)", sentence) is not None


def _printed(sentence: str, number: Number) -> str | None:
    """What the draft prints: the last number before the mark, or the locked text."""
    mark = sentence.find("{" + number.label + "}")
    if mark < 0:
        return number.text
    before = NUMBER.findall(MARK.sub("", sentence[:mark]))
    return before[-1] if before else None


def _judged(
    line: int,
    sentence: str,
    printed: str | None,
    number: Number,
    release: Path,
    locked_at: Callable[[str], Path],
) -> Sentence:
    then, why = value_of(number, locked_at(number.release)), ""
    now = value_of(number, release)
    if not _equal(then, number.value):
        why = f"the lock says {number.value}, but {number.release} has {then}"
    elif printed is None:
        why = "no number is printed before the mark"
    elif not _prints(printed, now):
        why = f"{release.name} has {now}, which is not printed {printed}"
    return Sentence(
        line=line,
        sentence=sentence,
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


def _prints(printed: str, value: float | None) -> bool:
    """Whether a value, rounded half away from zero to the printed decimals, is what is printed."""
    match = NUMBER.search(printed)
    if value is None or match is None:
        return False
    try:
        shown = Decimal(match[0])
        step = Decimal(1).scaleb(int(shown.as_tuple().exponent))
        return Decimal(repr(value)).quantize(step, rounding=ROUND_HALF_UP) == shown
    except InvalidOperation:
        return False


def _unknown(draft: Path, line: int, name: str, lock: dict[str, Number]) -> str:
    near = get_close_matches(name, lock, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]}?" if near else "Add it to the lock file."
    return f"{draft} line {line}, {{{name}}}: the lock file has no such label. {hint}"

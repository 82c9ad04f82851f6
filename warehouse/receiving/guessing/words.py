"""Take names and labels apart: their words, what these mean, and the unit that they end with."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from html import unescape

from schemas.naming.codes import NEGATIONS
from schemas.naming.concepts import CONCEPTS, PARTS, STOP
from schemas.records.lab_words import UNITS, plain_unit

COLUMN_UNITS = {
    "mm": "mm",
    "cm": "cm",
    "m": "m",
    "kg": "kg",
    "g": "g",
    "gr": "g",
    "lb": "lb",
    "lbs": "lb",
    "gbq": "GBq",
    "mbq": "MBq",
    "mci": "mCi",
    "gy": "Gy",
    "cgy": "cGy",
    "ml": "mL",
    "cc": "cm3",
    "cm3": "cm3",
    "cm^3": "cm3",
    "ccm": "cm3",
    "l": "L",
    "%": "%",
    "pct": "%",
    "perc": "%",
    "percent": "%",
    "prozent": "%",
    "porc": "%",
}
"""What ends a name -> the unit of a registry column, in UCUM."""
LONGEST = 12
"""A longer word is no abbreviation."""
SHORT = 6
JOINED = 20
"""The strength of a code of which two words stand together."""
BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,24})[)\]]")
CHOICE = re.compile(
    r"[(\[]\s*(?:[a-z]{1,4}(?:[/|.-][a-z]{1,4})+|\d+\s*[-–/]\s*\d+)\s*[)\]]", re.IGNORECASE
)
"""What a name says of its own form in brackets: (y/n), (0-4), (dd/mm/yyyy)."""
TAG = re.compile(r"<[^>]+>")


def text_of(label: str) -> str:
    """A label without HTML."""
    return " ".join(unescape(TAG.sub(" ", label)).split())


@cache
def folded(text: str) -> str:
    """A text in lower case without accents."""
    low = text.casefold().replace("œ", "oe").replace("ø", "o")
    return "".join(c for c in unicodedata.normalize("NFKD", low) if not unicodedata.combining(c))


@cache
def tokens(text: str) -> tuple[str, ...]:
    """The words of a name or label, without case and accents, and without those that say nothing.

    `gebDatum`, `geb_datum` and `Geb.-Datum` have the same words.
    """
    parted = re.sub(r"(?<=[a-zà-ÿ])(?=[A-Z])", " ", text_of(text))
    found = re.findall(r"[^\W_]+|%", folded(parted))
    return tuple(t for t in found if t not in STOP) or tuple(found)


@cache
def _compiled(
    words: str,
) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Exact words, beginnings, ends and middles of a list of words."""
    exact, begins, ends, middles = set(), [], [], []
    for word in words.split():
        bare = word.strip("*")
        if word.startswith("*") and word.endswith("*"):
            middles.append(bare)
        elif word.endswith("*"):
            begins.append(bare)
        elif word.startswith("*"):
            ends.append(bare)
        else:
            exact.add(bare)
    return frozenset(exact), tuple(begins), tuple(ends), tuple(middles)


@cache
def means(words: str, token: str) -> bool:
    """Whether a word is one of a list of words."""
    exact, begins, ends, middles = _compiled(words)
    bare = token.rstrip("0123456789")
    for one in {token, bare} if len(bare) > 1 else {token}:
        if one in exact or one.startswith(begins) or one.endswith(ends):
            return True
        if any(m in one for m in middles):
            return True
    return False


@cache
def concepts(token: str) -> frozenset[str]:
    """The concepts that a word can mean."""
    whole = frozenset(n for n, words in CONCEPTS.items() if means(words, token))
    exact = any(token in _compiled(words)[0] for words in CONCEPTS.values())
    return whole if exact else _put_together(token, known=bool(whole)) or whole


@cache
def _put_together(token: str, *, known: bool) -> frozenset[str]:
    """The concepts of a name of few letters that is put together of short forms; none if not.

    Two letters are a form in short names only that mean nothing else: `examen` is one word.
    """
    if not 4 <= len(token) <= LONGEST or not token.isalpha():
        return frozenset()
    best = _segments(token)
    if any(len(part) < 3 for part in best) and (known or len(token) > SHORT):
        return frozenset()
    return frozenset().union(*map(_part, best)) if len(best) > 1 else frozenset()


def _segments(token: str) -> tuple[str, ...]:
    """The fewest short forms of which a token is put together."""
    found = [
        (first, *rest)
        for place in range(2, len(token) - 1)
        if _part(first := token[:place]) and (rest := _segments(token[place:]))
    ]
    whole = [(token,)] if _part(token) else []
    return min([*whole, *found], key=len, default=())


@cache
def _part(text: str) -> frozenset[str]:
    return frozenset(n for n, words in PARTS.items() if text in words.split())


def unit_text(text: str) -> str:
    """What a name or label has as its unit, as it stands there: in brackets, or a last word."""
    for inner in reversed(BRACKETS.findall(text_of(text))):
        if is_unit(inner):
            return inner.strip()
    parts = re.split(r"[\s_,;:]+", text_of(text).strip())
    last = parts[-1] if len(parts) > 1 else ""
    if last and folded(last) in COLUMN_UNITS:
        sized = {"mass", "volume", "height", "axis"} & {c for w in parts[:-1] for c in _all(w)}
        return last if sized or len(last) > 1 or last == "%" else ""
    return last if last and "/" in last and plain_unit(last) in UNITS else ""


def unit_of_note(note: str) -> str:
    """What a field note has as the unit: all of it, as `mg/dL` or `in mg/dL`, or its end."""
    alone = re.sub(r"^(?:in|en|unit|unite|einheit)[ :]+", "", text_of(note), flags=re.IGNORECASE)
    return alone if alone and is_unit(alone) else unit_text(note)


def _all(text: str) -> set[str]:
    return {c for t in tokens(text) for c in concepts(t)}


def is_unit(text: str) -> bool:
    """Whether a text is a unit that we know."""
    return folded(text.strip()) in COLUMN_UNITS or (
        plain_unit(text) in UNITS and text.strip() != ""
    )


def column_unit(text: str) -> str:
    """The UCUM code of a column's unit."""
    return COLUMN_UNITS.get(folded(text.strip()), "")


def without_unit(text: str) -> str:
    """A name without the unit that it ends with."""
    text = CHOICE.sub(" ", text_of(text))
    unit = unit_text(text)
    if not unit:
        return BRACKETS.sub(lambda m: m[0] if len(tokens(m[1])) else " ", text_of(text))
    bare = BRACKETS.sub(lambda m: " " if m[1].strip() == unit else m[0], text_of(text))
    return bare.removesuffix(unit).rstrip(" _") if bare.endswith(unit) else bare


def code_of(label: str, codes: Mapping[str, str]) -> str | None:
    """The one of our codes that a label means; none where it holds words of several."""
    return _code_of(label, tuple(codes.items()))


@cache
def _code_of(label: str, codes: tuple[tuple[str, str], ...]) -> str | None:
    words = tokens(label) or tuple(re.findall(r"[^\W_]+", folded(label)))
    plain = "_".join(words)
    for code, _ in codes:
        if plain == "_".join(tokens(code.replace("_", " "))) or folded(label.strip()) == folded(
            code
        ):
            return code
    found: dict[str, float] = {}
    everything = tuple(re.findall(r"[^\W_]+", folded(text_of(label))))
    for code, listed in codes:
        strength = max((_holds(one, everything) for one in listed.split()), default=0)
        if strength:
            found[code] = strength
    if not found:
        return None
    best = max(found.values())
    if best < JOINED and len(everything) > 1 and NEGATIONS & set(everything):
        return None
    top = [code for code, strength in found.items() if strength == best]
    return top[0] if len(top) == 1 else None


def _holds(word: str, there: tuple[str, ...]) -> float:
    """How strongly words stand among others: joined words beat one, whole words beginnings."""
    parts = word.split("&")
    if not all(any(means(p, t) for t in there) for p in parts):
        return 0
    strength = max(_strength(parts[0], t) for t in there)
    first = _strength(parts[0], there[0]) > 0
    return JOINED / 2 * len(parts) + 2 * strength + 3 * first + len(word) / 100


def _strength(word: str, token: str) -> int:
    """A whole word says more than the beginning of one, that more than its end or a part of it."""
    if not means(word, token):
        return 0
    return 1 + (not word.startswith("*")) + (word == token)

"""Find adverse events that have a field each, which says their grade or yes and no."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from schemas.naming.columns import TABLES
from schemas.records.ctcae_terms import TERMS
from schemas.words import plain_name
from warehouse.receiving.guessing import words
from warehouse.receiving.guessing.blocks import View
from warehouse.receiving.guessing.fields import Field
from warehouse.receiving.guessing.fit import Match, says_yes
from warehouse.receiving.guessing.therapies import Flag, each

AT_LEAST = 2
"""So many fields must be named as events are, where nothing else says that they are."""
EVENTS = "adverse_events"


def events(view: View, named: Sequence[str]) -> list[Flag]:
    """The events of a view; none where a single field is named like one by chance."""
    found = list(_events(view))
    texts = [*named, *(f.said.label for f in found)]
    told = any(words.means(TABLES[EVENTS], t) for x in texts for t in words.tokens(x))
    return found if len(found) >= AT_LEAST and told else []


def _events(view: View) -> Iterator[Flag]:
    days = [f for f in view.fields if f.is_day]
    for one in each(view):
        term = _term(one)
        if not term:
            continue
        onset = _onset(one, days)
        yes = says_yes(one)
        grades = {v for v in one.values if re.fullmatch(r"[0-5]", v)}
        if len(grades) == len(one.values) and (onset or _says_grade(one)):
            yield Flag(EVENTS, one, {"term": term}, (), (Match("grade", one, 1.0), *onset))
        elif yes and onset:
            yield Flag(EVENTS, one, {"term": term}, yes, onset)


def _onset(one: Field, days: Sequence[Field]) -> tuple[Match, ...]:
    """The event's own day; that of a visit says when it was asked for, and not when it began."""
    stem = one.name.rsplit("_", 1)[0]
    own = [f for f in days if f.name.startswith(f"{stem}_")]
    return (Match("onset_date", own[0], 1.0),) if len(own) == 1 else ()


def _says_grade(one: Field) -> bool:
    """Whether its own name says that it holds grades: a sheet's name alone says too little."""
    there = words.tokens(f"{one.label} {one.shown}")
    return any(words.concepts(t) & {"grade", "ctcae"} for t in there)


def _term(one: Field) -> str | None:
    """The term that name or label say, without words for grades and events."""
    for text in filter(None, (one.label, one.shown)):
        rest = [
            t
            for t in words.tokens(words.without_unit(text))
            if not words.concepts(t) & {"grade", "event", "ctcae"} and not t.isdigit()
        ]
        if term := _spelled().get(plain_name("".join(rest))):
            return term
    return None


@cache
def _spelled() -> dict[str, str]:
    return {words.folded(s): r.term for r in TERMS for s in r.spellings()}

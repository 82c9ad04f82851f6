"""Tell therapies before the first treatment from those after it, and read yes and no by class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from schemas.contract import columns
from schemas.naming.codes import CODES, LATER, PRIOR
from schemas.naming.columns import TABLES
from schemas.site_rules import CONTRACTS
from warehouse.receiving.guessing import words
from warehouse.receiving.guessing.blocks import View
from warehouse.receiving.guessing.fields import Field
from warehouse.receiving.guessing.fit import Match, labels, match, says_yes
from warehouse.receiving.guessing.tables import BY_NAME, Guess

BEFORE, AFTER = "prior_therapies", "subsequent_therapies"
SIDES = ((BEFORE, PRIOR), (AFTER, LATER))


@dataclass(frozen=True, slots=True)
class Flag:
    """A therapy or an event that has a field of its own, which says whether and how."""

    table: str
    said: Field
    constants: dict[str, str]
    yes: tuple[str, ...] = ()
    """The values that say so; without them every number above 0 does."""
    matches: tuple[Match, ...] = ()


def parted(several: Sequence[Guess], view: View, named: Sequence[str]) -> list[Guess]:
    """The guesses of a view with its therapies on the right side of the first treatment.

    A field whose values say before and after parts the rows; else a name says it. Where nothing
    does, neither table is written.
    """
    both = [g for g in several if g.table in (BEFORE, AFTER)]
    rest = [g for g in several if g not in both]
    whole = [g for g in both if "therapy_class" in g.matches]
    if not whole:
        return [*rest, *both]
    one = max(whole, key=lambda g: (len(g.matches), g.sure))
    used = {m.field.name for m in one.matches.values()}
    for by in view.fields:
        sides = _sides(by) if by.name not in used else {}
        if set(sides) == {BEFORE, AFTER}:
            return [*rest, *(_as(one, t, {by.name: v}) for t, v in sides.items())]
    field = one.matches["therapy_class"].field
    texts = [*named, view.block, view.numbered, field.block, field.shown, field.label]
    told = [
        t for t, said in SIDES if any(words.means(said, w) for x in texts for w in words.tokens(x))
    ]
    if len(told) == 1:
        return [*rest, _as(one, told[0], {})]
    return [*rest, *(replace(g, sure=min(g.sure, 0.5)) for g in both)]


def _sides(by: Field) -> dict[str, list[str]]:
    """Table -> the values of a field that say so; empty where one value says neither or both."""
    if not by.repeats or not 2 <= len(labels(by)) <= 4:
        return {}
    found: dict[str, list[str]] = {}
    for value, label in labels(by).items():
        met = [t for t, said in SIDES if any(words.means(said, w) for w in words.tokens(label))]
        if len(met) != 1:
            return {}
        found.setdefault(met[0], []).append(value)
    return found


def _as(one: Guess, table: str, where: dict[str, list[str]]) -> Guess:
    """The same fields as therapies of one side; only that side's columns are kept."""
    ours = {c.name: c for c in columns(CONTRACTS[table])}
    kept = {n: m for n, m in one.matches.items() if n in ours}
    if table == AFTER and "therapy_class" in kept:
        again = match(table, ours["therapy_class"], kept["therapy_class"].field, ".")
        kept["therapy_class"] = again or kept["therapy_class"]
    sure = 1 - 0.5 ** (kept["therapy_class"].sure + BY_NAME)
    lacking = ("start_date",) if table == AFTER and "start_date" not in kept else ()
    return replace(one, table=table, matches=kept, where=where, sure=sure, lacking=lacking)


def flags(view: View, named: Sequence[str]) -> Iterator[Flag]:
    """Fields that say yes or no to one class of therapy before treatment."""
    days = [(f, _therapy(f)) for f in view.fields if f.dated]
    for one in each(view):
        text = f"{one.label} {one.shown}"
        met = [t for t, said in SIDES if any(words.means(said, w) for w in words.tokens(text))]
        met = met or [
            t
            for t in TABLES
            if any(words.means(TABLES[t], w) for x in named for w in words.tokens(x))
        ]
        therapy = _therapy(one)
        vessels = any("vessels" in words.concepts(t) for t in words.tokens(text))
        if met != [BEFORE] or not therapy or one.dated or vessels:
            continue
        yes = says_yes(one)
        if yes:
            starts = [f for f, what in days if what == therapy and f is not one]
            since = tuple(Match("start_date", f, 1.0) for f in starts[:1] if len(starts) == 1)
            yield Flag(BEFORE, one, {"therapy_class": therapy}, yes, since)


def each(view: View) -> Iterator[Field]:
    """The fields, and every column of a checkbox by itself."""
    for one in view.fields:
        if not one.ticks:
            yield one
        for name, said in one.ticks.items():
            cells = ["0", "1"]
            yield Field(name, one.shown, cells, label=f"{one.label} {said}", of=(name,))


def _therapy(one: Field) -> str | None:
    """The class of therapy that a name or label says."""
    listed = CODES["prior_therapies.therapy_class"]
    for text in filter(None, (one.label, one.shown)):
        bare = " ".join(
            t
            for t in words.tokens(text)
            if not words.means(PRIOR, t)
            and not words.concepts(t) & {"date", "begin"}
            and t not in ("sirt", "tare", "radioembolisation", "ct", "tx")
        )
        if bare and (code := words.code_of(bare, listed)) and code != "other":
            return code
    return None

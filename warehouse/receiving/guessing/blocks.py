"""Find the fields that repeat in a row: lesions, sessions, draws or events side by side.

Fields that differ by one number in their names are one field with `{n}`. Fields that begin, or
end, with one of several words and go on alike (basal_, m1_, m3_) are blocks, each by itself.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from warehouse.receiving.guessing.fields import Field

PARTED = re.compile(r"[_ .\-]+")
NUMBERED = re.compile(r"\d+")


@dataclass(frozen=True)
class View:
    """Fields of one table of an export that are looked at together.

    `own` are those that repeat, and for whose sake the view is; `kin` stand once in a row.
    """

    kin: tuple[Field, ...]
    own: tuple[Field, ...] = ()
    block: str = ""
    numbered: str = ""
    """The word before the number, as l of l{n}_mm."""
    numbers: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """All of them."""
        return (*self.own, *self.kin)


def views(fields: Sequence[Field]) -> Iterator[View]:
    """The fields that stand once, and every block with them."""
    blocks = _blocks(fields)
    inside = {f.name for block in blocks.values() for f in block}
    outside = [f for f in fields if f.name not in inside]
    families = _families(outside)
    numbered = {n for family in families for f in family.own for n in f.of}
    kin = tuple(f for f in outside if f.name not in numbered)
    yield View(kin)
    for family in families:
        yield replace(family, kin=kin)
    for name, block in blocks.items():
        inner = _families(block)
        counted = {n for family in inner for f in family.own for n in f.of}
        plain = tuple(f for f in block if f.name not in counted)
        if plain:
            yield View(kin, plain, name)
        for family in inner:
            yield replace(family, kin=(*plain, *kin), block=name)


def _families(fields: Sequence[Field]) -> list[View]:
    """Groups of fields that differ by one number only."""
    shapes: dict[tuple[str, str], dict[str, tuple[Field, int]]] = {}
    for one in (f for f in fields if not f.ticks):
        for place, met in enumerate(NUMBERED.finditer(one.shown)):
            shape = (one.shown[: met.start()], one.shown[met.end() :])
            shapes.setdefault(shape, {})[met[0]] = (one, place)
    groups: dict[str, list[tuple[tuple[str, str], dict[str, tuple[Field, int]]]]] = {}
    for shape, found in shapes.items():
        if len(found) > 1:
            word = PARTED.split(shape[0].rstrip("_ .-"))[-1] if _stands_before(shape) else ""
            groups.setdefault(word, []).append((shape, found))
    return [_family(word, members) for word, members in groups.items() if _is_family(members)]


def _stands_before(shape: tuple[str, str]) -> bool:
    """Whether the number is one of a word that comes first, and is no end of each name."""
    return bool(shape[1].strip("_ .-"))


def _is_family(members: Sequence[tuple[tuple[str, str], dict[str, tuple[Field, int]]]]) -> bool:
    return len(members) > 1 or len(members[0][1]) > 2


def _family(
    word: str, members: Sequence[tuple[tuple[str, str], dict[str, tuple[Field, int]]]]
) -> View:
    numbers = sorted({n for _, found in members for n in found}, key=int)
    own = tuple(_merged(shape, found) for shape, found in members)
    return View((), own, numbered=word or "n", numbers=tuple(numbers))


def _merged(shape: tuple[str, str], found: dict[str, tuple[Field, int]]) -> Field:
    """One field for all numbers."""
    first, place = next(iter(found.values()))
    stem = shape[0].rstrip("_ .-")
    before = PARTED.split(stem)
    shown = " ".join([*before[:-1], shape[1].strip("_ .-")]) if _stands_before(shape) else stem
    return replace(
        first,
        name=_pattern(first, place),
        shown=shown.strip() or stem,
        label=re.sub(r"\b\d+\b", "", first.label),
        cells=[c for f, _ in found.values() for c in f.cells],
        of=tuple(f.name for f, _ in found.values()),
        block=before[-1],
    )


def _pattern(one: Field, place: int) -> str:
    """The field's whole name with `{n}` for a number of the part that is shown."""
    numbers = list(NUMBERED.finditer(one.name))
    met = numbers[len(numbers) - len(NUMBERED.findall(one.shown)) + place]
    if one.block and one.name.endswith(one.block):
        met = numbers[place]
    return f"{one.name[: met.start()]}{{n}}{one.name[met.end() :]}"


def _blocks(fields: Sequence[Field]) -> dict[str, list[Field]]:
    """Word -> the fields that begin or end with it, where several words have like fields.

    Words that differ by their number only are blocks where nothing else is, and where another
    number counts inside of them.
    """
    return _ended(fields, counted=False) or _ended(fields, counted=True)


def _ended(fields: Sequence[Field], *, counted: bool) -> dict[str, list[Field]]:
    met: dict[str, list[Field]] = {}
    for last in (False, True):
        taken = {f.name for several in met.values() for f in several}
        rests: dict[str, dict[str, Field]] = {}
        for one in (f for f in fields if f.name not in taken):
            parts = PARTED.split(one.name.strip())
            if len(parts) > 1:
                word, rest = (parts[-1], parts[:-1]) if last else (parts[0], parts[1:])
                rests.setdefault(word, {})["_".join(rest)] = one
        words = _kin(rests)
        fits = _by_numbers(words) == counted and (not counted or _counted_inside(rests, words))
        for w in words if fits else ():
            inside = [_inside(f, rest, w) for rest, f in rests[w].items()]
            met[f"{w} " if w in met else w] = inside
    return met


def _kin(rests: dict[str, dict[str, Field]]) -> list[str]:
    """Words after, or before, which at least three fields go on alike."""
    found: set[str] = set()
    for a, b in combinations(rests, 2):
        left, right = ({NUMBERED.sub("{n}", r) for r in rests[w]} for w in (a, b))
        shared = len(left & right)
        if shared >= 3 and 2 * shared >= min(len(left), len(right)):
            found |= {a, b}
    return [w for w in rests if w in found]


def _by_numbers(words: Sequence[str]) -> bool:
    """Whether the words differ by their number only, as l1 and l2: these are no blocks."""
    return len({NUMBERED.sub("", w) for w in words}) == 1 and all(NUMBERED.search(w) for w in words)


def _counted_inside(rests: dict[str, dict[str, Field]], words: Sequence[str]) -> bool:
    """Whether fields of a word differ by another number, as those of v1_l1_mm and v1_l2_mm."""
    inside = (list(rests[w]) for w in words)
    return any(len({NUMBERED.sub("{n}", r) for r in several}) < len(several) for several in inside)


def _inside(one: Field, rest: str, word: str) -> Field:
    return replace(one, shown=rest, block=word, of=(one.name,))

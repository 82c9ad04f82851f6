"""When two column names, or two words, are one to us.

Column names are one without case, blanks, hyphens, low lines and full stops; words without case and
with one blank between their parts.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache

JOINERS = ("Zs", "Zl", "Zp", "Cc", "Cf", "Pd", "Pc")
"""Unicode categories that part words: blanks, invisible signs, hyphens and low lines."""


def folded(text: str) -> str:
    """A word in lower case with one blank between its parts: `Control  arm` is `control arm`."""
    return " ".join(text.split()).lower()


@cache
def plain(name: str) -> str:
    """A column's name without case and without what parts its words."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if c != "." and unicodedata.category(c) not in JOINERS)


def meant(wanted: str, names: Iterable[str]) -> list[str]:
    """The columns that a name can mean: the one spelled so, else all that are alike."""
    names = list(names)
    return [wanted] if wanted in names else alike(wanted, names)


def alike(wanted: str, names: Iterable[str]) -> list[str]:
    """The columns of an export whose names are one with a name."""
    return [n for n in names if plain(n) == plain(wanted)]

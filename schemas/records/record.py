"""What every record must have: a code of its own, a source, thresholds in order, units that exist.

A record that breaks a rule is refused when its module is imported, with its name and what to do.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

R = TypeVar("R")


class BadRecord(ValueError):
    """A record that cannot be used: which, what rule it breaks, what to do."""


def checked(
    kind: str,
    records: tuple[R, ...],
    *,
    code: Callable[[R], str],
    source: Callable[[R], str | Sequence[str]],
    problems: Callable[[R], Iterable[str]] = lambda _: (),
) -> tuple[R, ...]:
    """The records, if each has a code of its own, a source and no problem.

    Args:
        kind: where the records stand, for instance `criteria`.
        records: all records of the kind.
        code: what a record is called.
        source: whose definition it is.
        problems: what else is wrong with a record, one sentence each, with what to do.

    Raises:
        BadRecord: all that is wrong, a line each.
    """
    told: list[str] = []
    seen: set[str] = set()
    for record in records:
        name = code(record)
        where = f"schemas/records/{kind}.py, {name or 'a record without a code'}"
        if not name.strip():
            told.append(f"{where}: no code. Give it the code that the tables will hold.")
        if name.lower() in seen:
            told.append(f"{where}: the code stands twice. Give each record a code of its own.")
        seen.add(name.lower())
        given = source(record)
        named = [given] if isinstance(given, str) else list(given)
        if not named or not all(s.strip() for s in named):
            told.append(f"{where}: no source. Name author, year, and table or page.")
        told += [f"{where}: {problem}" for problem in problems(record)]
    if told:
        raise BadRecord("\n".join(told))
    return records


def in_order(values: Sequence[object], what: str, *, falling: bool = False) -> Iterable[str]:
    """A problem where values do not rise, or fall, from one to the next."""
    ordered = sorted(values, reverse=falling)  # type: ignore[type-var]
    if list(values) != ordered or len(set(values)) != len(values):
        way = "fall" if falling else "rise"
        yield f"{what} {', '.join(map(str, values))} do not {way}. Put them in order."

"""Bounds of the numbers of one outcome table, from what each patient with held rows may add."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ibis.expr.types as ir
import numpy as np

from analytics.bounds.curves import (
    CurveBounds,
    Exit,
    Option,
    curve_bounds,
    mean_bounds,
    median_bounds,
    with_exits,
)
from analytics.bounds.quotients import Pair, count_bounds, limits, quotient_bounds
from analytics.estimators.event_counts import NAMES, groups
from analytics.estimators.kaplan_meier import (
    EventTable,
    kaplan_meier,
    median,
    restricted_mean,
    survival_at,
)
from analytics.outcomes.survival import DAYS_PER_MONTH, NOBODY, in_months
from schemas.settings import OutcomeSettings
from schemas.statistic_ids import StatisticName, slug
from warehouse.building.held_options import HeldRow
from warehouse.building.scratch_subjects import OF_CURVES, Copies
from warehouse.engine.protocol import Engine

NEARLY = 1e-12
NOT_PUBLISHED = "the number has no value"
NOT_MADE = "no bounds are made of this number"
NO_NUMBER = "in some world it has no value"
NAMELESS = "a held row names no patient"
OPEN_LESIONS = "the lesions of a patient are not known"
UNLIKE = frozenset({"baseline_characteristics"})
"""Tables that list the levels that somebody has: of one patient alone the others have no row, and
his share of their total is not told."""
VANISHING = frozenset({"toxicity_summary"})
"""Tables of which one patient can take a number from all: an event without a grade. In others a
patient without a number, who could not be evaluated, counts in the total alone."""
NOTHING = Copies({}, {}, {})
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Published:
    """A number as the night publishes it."""

    name: StatisticName
    statistic_id: str
    value: float | None
    n: int | None
    total: int | None
    unit: str
    without_population: str = field(init=False)
    """The id of its row without the population."""

    def __post_init__(self) -> None:
        """Join the id once: it is asked for by every patient with held rows."""
        parts = [self.name.table, *list(self.name.key.values())[1:]]
        object.__setattr__(self, "without_population", ".".join(parts))

    @property
    def population(self) -> str:
        """The slug of its population."""
        return self.name.key["population"]


@dataclass(frozen=True, slots=True)
class Mover:
    """A patient with held rows: the copies of his worlds, or nothing where he is a stranger.

    Attributes:
        held: His held rows.
        populations: Of a stranger, the populations that he may be in.
        names: The copies of his worlds; the first is the night's.
        copies: What each copy adds.
        closed: The worlds are all there are.
        unknown: Of this table, anything may be true of him.
        lesions: Lesions that he may have besides.
    """

    held: tuple[HeldRow, ...]
    populations: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    copies: Copies = NOTHING
    closed: bool = True
    unknown: bool = False
    lesions: int = 0

    def distinct(self, added: Mapping[str, Any]) -> "Mover":
        """With one copy for all that add the same; the first stays the night's."""
        told = {(id(added.get(n)), self.copies.populations.get(n)): n for n in self.names[::-1]}
        return replace(self, names=tuple(n for n in self.names if n in set(told.values())))

    def counted(self, table: str, name: str) -> Mapping[str, tuple[int | None, int | None]]:
        """What a copy adds to the numbers of a table."""
        return self.copies.counted.get(table, {}).get(name, {})

    def is_member(self, name: str, population: str) -> bool:
        """Whether a copy is in a population."""
        return population in self.copies.populations.get(name, ())


@dataclass(frozen=True, slots=True)
class Bounded:
    """A number with its bounds."""

    published: Published
    held: tuple[HeldRow, ...]
    lower: float | None
    upper: float | None
    excluded: float | None
    method: str
    ci: tuple[float | None, float | None] = (None, None)
    reason: str | None = None

    @property
    def width(self) -> float:
        """Upper less lower; 0 where an end is missing."""
        return self.upper - self.lower if self.upper is not None and self.lower is not None else 0.0

    def record(self) -> Record:
        """As a row of outcomes.bounds."""
        return {
            "statistic_id": self.published.statistic_id,
            "value": self.published.value,
            "lower": self.lower,
            "upper": self.upper,
            "excluded": self.excluded,
            "method": self.method,
            "held_rows": len({id(r) for r in self.held}),
            "patients": len({r.subject_id or id(r) for r in self.held}),
            "ci_lower": self.ci[0],
            "ci_upper": self.ci[1],
            "reason": self.reason,
        }


def bounded(
    con: Engine,
    tables: Mapping[str, ir.Table],
    settings: OutcomeSettings,
    table: str,
    listed: Sequence[Published],
    movers: Sequence[Mover],
    nameless: tuple[HeldRow, ...],
) -> Iterator[Bounded]:
    """The numbers of one table that held rows move; the others keep their width of nothing."""
    del con
    if table in OF_CURVES:
        yield from _of_curves(tables, settings, listed, movers, nameless)
        return
    movers = [m.distinct(m.copies.counted.get(table, {})) for m in movers]
    opened = {id(m): _opened(m, listed) for m in movers}
    for number in listed:
        if named := _of_nobody(number, nameless):
            yield named
        else:
            yield from _counted(number, movers, opened)


def _of_nobody(number: Published, nameless: tuple[HeldRow, ...]) -> Bounded | None:
    """A row that names no patient can be anybody's of its site."""
    here = tuple(
        r for r in nameless
        if number.population in ("all", "per_criteria", slug(f"site:{r.site_id}"))
    )  # fmt: skip
    return _none(number, here, NAMELESS) if here else None


def _snapped(end: float | None, value: float | None) -> float | None:
    """An end that is the number but for rounding is the number."""
    if end is None or value is None or abs(end - value) > NEARLY * max(1.0, abs(value)):
        return end
    return value


def _none(number: Published, held: tuple[HeldRow, ...], reason: str) -> Bounded:
    return Bounded(number, held, None, None, None, "none", reason=reason)


def _counted(
    number: Published, movers: Sequence[Mover], opened: Mapping[int, frozenset[str]]
) -> Iterator[Bounded]:
    """A share or a count; of other numbers, that no bounds are made where something moves."""
    kind = _kind(number)
    if kind == "none" or number.n is None:
        held = tuple(r for m in movers if _may_be_there(m, number.population) for r in m.held)
        if held:
            yield _none(number, held, NOT_PUBLISHED if number.value is None else NOT_MADE)
        return
    choices = [_choices(m, number, opened[id(m)]) for m in movers]
    held = tuple(r for c in choices if len(c.options) > 1 for r in c.mover.held)
    if lost := [c.mover for c in choices if c.lost]:
        yield _none(number, tuple(r for m in lost for r in m.held), NO_NUMBER)
    elif held and kind == "count":
        yield _bounded_count(number, [c for c in choices if len(c.options) > 1], held)
    elif held:
        yield _bounded_share(number, [c for c in choices if len(c.options) > 1], held)


@dataclass(frozen=True, slots=True)
class _Choices:
    """What one patient can add to a number.

    Attributes:
        mover: The patient.
        first: What the night has of him.
        options: All that he can add.
        outer: Some of it may be in no world.
        lost: In some world there is no such number.
    """

    mover: Mover
    first: Pair
    options: frozenset[Pair]
    outer: bool
    lost: bool


def _choices(mover: Mover, number: Published, opened: frozenset[str]) -> _Choices:
    pairs = _pairs(mover, number)
    options = {p for p in pairs if p is not None}
    open_ = not mover.names or mover.unknown or _group_of(number) in opened
    everything = _everything(mover, number, options) if open_ else set()
    first = (pairs[0] if pairs else None) or (0, 0)
    return _Choices(
        mover, first, frozenset(options | everything), bool(everything), lost=None in pairs
    )


def _bounded_count(
    number: Published, choices: Sequence[_Choices], held: tuple[HeldRow, ...]
) -> Bounded:
    first = sum(c.first[0] for c in choices)
    rest = (number.n or 0) - first
    ends = count_bounds(rest, [c.options for c in choices])
    low, high = map(float, ends)
    return Bounded(number, held, low, high, float(rest + first), _method(choices))


def _bounded_share(
    number: Published, choices: Sequence[_Choices], held: tuple[HeldRow, ...]
) -> Bounded:
    n, total = (sum(c.first[i] for c in choices) for i in (0, 1))
    rest = ((number.n or 0) - n, (number.total or 0) - total)
    ends = quotient_bounds(rest, [sorted(c.options) for c in choices])
    lower, upper = (100 * e[0] / e[1] if e else None for e in (ends.lower, ends.upper))
    return Bounded(
        published=number,
        held=held,
        lower=lower,
        upper=upper,
        excluded=100 * (rest[0] + n) / (rest[1] + total),
        method=_method(choices),
        ci=(None, None) if _by_lesion(number) else limits(ends),
    )


def _method(choices: Sequence[_Choices]) -> str:
    return "outer" if any(c.outer for c in choices) else "exact"


def _by_lesion(number: Published) -> bool:
    """Lesions of one patient are not independent: their exact interval is not the number's."""
    return number.name.key.get("level") == "lesion"


def _kind(number: Published) -> str:
    """What sort of number it is: a share of its total, a count, or neither."""
    if number.value is None or number.n is None or number.name.value is not None:
        return "none"
    if number.name.table in UNLIKE:
        return "none"
    if number.unit == "%" and number.total and number.value == 100 * number.n / number.total:
        return "share"
    return "count" if number.value == number.n and number.unit != "%" else "none"


def _pairs(mover: Mover, number: Published) -> list[Pair | None]:
    """What each world adds; None where a world has no such number."""
    found: list[Pair | None] = []
    for name in mover.names:
        if not mover.is_member(name, number.population):
            found.append((0, 0))
            continue
        n, total = mover.counted(number.name.table, name).get(number.without_population, (0, 0))
        lost = n is None and bool(total) and number.name.table in VANISHING
        found.append(None if lost else (n or 0, total or 0))
    return found


def _everything(mover: Mover, number: Published, options: set[Pair]) -> set[Pair]:
    """All that a patient can add: nothing, or every unit of his, counted or not."""
    if not _may_be_there(mover, number.population):
        return set()
    known = max((total for _, total in options), default=0) + mover.lesions
    units = known if _by_lesion(number) else 1
    return {(0, 0), (0, units), (units, units)}


def _group_of(number: Published) -> str:
    """Numbers that differ in the last part of their key alone: the grades of one term."""
    return number.without_population.rpartition(".")[0]


def _opened(mover: Mover, listed: Sequence[Published]) -> frozenset[str]:
    """Groups of numbers in which probes differ: between two probes anything may be true."""
    if mover.closed or not mover.names:
        return frozenset()
    counted = [mover.counted(listed[0].name.table, n) for n in mover.names]
    names = {p.without_population: _group_of(p) for p in listed}
    return frozenset(
        group for name, group in names.items()
        if len({c.get(name, (0, 0)) for c in counted}) > 1
    )  # fmt: skip


def _of_curves(
    tables: Mapping[str, ir.Table],
    settings: OutcomeSettings,
    listed: Sequence[Published],
    movers: Sequence[Mover],
    nameless: tuple[HeldRow, ...],
) -> Iterator[Bounded]:
    """Landmarks, medians and restricted means; each curve is bounded once."""
    curves = {
        tuple(slug(p) for p in g.key.record().values()): (tuple(g.key.record().values()), g.table)
        for g in groups(tables["event_counts"])
    }
    movers = [m.distinct(m.copies.exits) for m in movers]
    made: dict[tuple[str, ...], _Open | None] = {}
    for number in listed:
        if named := _of_nobody(number, nameless):
            yield named
            continue
        name = tuple(number.name.key[part] for part in NAMES)
        if name not in made:
            made[name] = _open(name, curves, movers)
        if (curve := made[name]) is not None:
            yield _read(number, curve, settings)


@dataclass(frozen=True, slots=True)
class _Open:
    """A curve that held rows can move."""

    held: tuple[HeldRow, ...]
    limits: CurveBounds | None
    table: EventTable
    closed: bool
    reason: str | None = field(default=None)


def _open(
    name: tuple[str, ...],
    curves: Mapping[tuple[str, ...], tuple[tuple[str, ...], EventTable]],
    movers: Sequence[Mover],
) -> _Open | None:
    key, table = curves.get(name, ((), NOBODY))
    population, level = name[0], name[2]
    options, base, moving, closed = list[set[Option]](), list[Exit](), list[Mover](), True
    for mover in movers:
        own, first = _exits(mover, population, name[1:], key[1:])
        anything = not mover.names or mover.unknown
        if anything and _may_be_there(mover, population):
            if level == "lesion":
                return _Open(mover.held, None, table, False, OPEN_LESIONS)
            own |= {(), *_any_exit(table, 0.0, _end(table, own))}
            closed = False
        elif not mover.closed and len(own) > 1:
            if any(len(option) > 1 for option in own):
                return _Open(mover.held, None, table, False, OPEN_LESIONS)
            own |= set(_between(table, own))
            closed = False
        if len(own) > 1:
            options.append(own)
            base += first
            moving.append(mover)
    if not moving:
        return None
    sure = with_exits(table, base, -1)
    held = tuple(r for m in moving for r in m.held)
    return _Open(held, curve_bounds(sure, options), with_exits(sure, base), closed)


def _may_be_there(mover: Mover, population: str) -> bool:
    if not mover.names:
        return population in mover.populations
    return any(mover.is_member(n, population) for n in mover.names)


def _exits(
    mover: Mover, population: str, slugs: tuple[str, ...], codes: tuple[str, ...]
) -> tuple[set[Option], Option]:
    """What each world adds to a curve, and what the night's does."""
    found: list[Option] = []
    for name in mover.names:
        exits: Option = ()
        if mover.is_member(name, population):
            own = mover.copies.exits.get(name, {})
            exits = own.get(codes, ()) if codes else _by_slugs(own, slugs)
        found.append(exits)
    return set(found), found[0] if found else ()


def _by_slugs(
    own: Mapping[tuple[str, ...], tuple[Exit, ...]], slugs: tuple[str, ...]
) -> tuple[Exit, ...]:
    return next((e for c, e in own.items() if tuple(map(slug, c)) == slugs), ())


def _end(table: EventTable, own: Iterable[Option]) -> float:
    """Later than every known time: whoever leaves then was at risk throughout."""
    known = [t for option in own for t, _ in option]
    return max([*known, *(table.time[-1:].tolist())], default=0.0) + 1


def _any_exit(table: EventTable, first: float, last: float) -> Iterator[Option]:
    """Every exit between two times that can make a difference: on each time and just after it."""
    within = table.time[(table.time >= first) & (table.time <= last)]
    for t in np.unique(np.concatenate([[first, last], within, within + 1])).tolist():
        if first <= t <= last:
            yield ((t, True),)
            yield ((t, False),)


def _between(table: EventTable, own: set[Option]) -> Iterator[Option]:
    """Exits between those of probes, with the states that probes have."""
    times = [t for option in own for t, _ in option]
    states = {event for option in own for _, event in option}
    yield from (
        option for option in _any_exit(table, min(times), max(times)) if option[0][1] in states
    )


def _read(number: Published, curve: _Open, settings: OutcomeSettings) -> Bounded:
    """A number of a curve between its limits."""
    if number.value is None and number.name.table != "survival_medians":
        return _none(number, curve.held, NOT_PUBLISHED)
    if curve.limits is None:
        return _none(number, curve.held, curve.reason or NOT_MADE)
    exact = curve.closed and curve.limits.exact
    drawn = kaplan_meier(curve.table, settings.survival.conf_type, settings.survival.conf_level)
    key = number.name.key
    if number.name.table == "survival_landmarks":
        t = int(key["months"]) * DAYS_PER_MONTH
        ends = [_snapped(e, number.value) for e in curve.limits.at(t)]
        excluded = survival_at(drawn, t).value
        method = "exact" if exact else "outer"
        return Bounded(number, curve.held, ends[0], ends[1], excluded, method)
    if number.name.table == "restricted_means":
        tau = int(key["months"]) * DAYS_PER_MONTH
        areas = (e / DAYS_PER_MONTH for e in mean_bounds(curve.limits, tau))
        ends = [_snapped(e, number.value) for e in areas]
        mean = in_months(restricted_mean(drawn, tau).value)
        return Bounded(number, curve.held, ends[0], ends[1], mean, "outer")
    rule = "midpoint" if key["rule"] == "midpoint" else "first_at_or_below"
    first, last = (in_months(t) for t in median_bounds(curve.limits, rule))  # type: ignore[arg-type]
    found = in_months(median(drawn, rule).value)  # type: ignore[arg-type]
    method = "exact" if exact and rule != "midpoint" else "outer"
    return Bounded(number, curve.held, first, last, found, method)

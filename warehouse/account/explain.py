"""Explain a changed number by its causes, then its patients, then the cells of the deliveries.

The change between two releases is split over what differs between their worlds: deliveries, site
files, settings, data cutoff. Every mixture of the two worlds is rebuilt, and each cause gets its
Shapley value (Shapley 1953, "A value for n-person games"): no order is preferred, and the shares
sum to the change exactly. What today's code does not give back is named as code or engine.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

from schemas.errors import Refused
from schemas.settings import Registry
from warehouse.account import scenarios as worlds
from warehouse.account import trace
from warehouse.account.patients import PatientShares, patients
from warehouse.account.scenarios import Answer, Workshop, World
from warehouse.engine.connections import connection, of_registry
from warehouse.releases import releases
from warehouse.store import Store

MOST_CAUSES = 4
"""Sixteen worlds; with more causes than these, those of one kind are taken together."""
DELIVERY, SITE_FILE, SETTINGS, CUTOFF = "delivery", "site file", "settings", "data cutoff"


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that differs: its kind, and the sites that it is about."""

    kind: str
    sites: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} of {', '.join(self.sites)}" if self.sites else self.kind


@dataclass(frozen=True, slots=True)
class Share:
    """What a cause contributed, in the statistic's unit."""

    cause: str
    contribution: Fraction


@dataclass(frozen=True, slots=True)
class Explanation:
    """An account of one change; the shares of causes and rest sum to it exactly."""

    statistic: Mapping[str, Any]
    left: str
    right: str
    old: float | None
    new: float | None
    causes: tuple[Share, ...]
    rest: tuple[Share, ...]
    note: str
    data: PatientShares | None

    @property
    def change(self) -> Fraction | None:
        """New less old, exactly; None where a side has no value."""
        if self.old is None or self.new is None:
            return None
        return Fraction(self.new) - Fraction(self.old)


def explain(
    store: Store, registry: Registry, key: bytes, statistic: str, left: Path, right: Path
) -> Explanation:
    """Account for the change of a statistic from one release to another.

    Args:
        store: the store with both releases and their deliveries.
        registry: today's registry: threads and memory, and who has withdrawn consent.
        key: the registry's key.
        statistic: its id.
        left: the earlier release.
        right: the later one.

    Raises:
        Refused: neither release has it, or a delivery of theirs is no longer kept.
    """
    statistic = statistic.lower()
    row, old, new = _published(left, right, statistic)
    sides = [releases.manifest(p)["content"] for p in (left, right)]
    options = of_registry(registry).as_options()
    with worlds.workshop(store, key, options) as shop:
        ours, theirs = (worlds.of_release(c, registry) for c in sides)
        differences = causes(ours, theirs)
        value = _rebuilt(shop, ours, theirs, differences, statistic)
        every = frozenset(differences)
        note = ""
        shares: tuple[Share, ...] = ()
        rest: tuple[Share, ...] = ()
        if old is not None and new is not None:
            try:
                split = shapley(differences, value)
                shares = tuple(Share(str(c), split[c]) for c in differences)
                total = value(every) - value(frozenset())
                rest = _rest(Fraction(new) - Fraction(old) - total, *sides)
            except NoNumber:
                note = "a mixture of the two releases has no such number, so nothing is split"
        else:
            note = f"only {right.name if old is None else left.name} has this number"
        data = _data(shop, ours, theirs, differences, row) if not note else None
    return Explanation(row, left.name, right.name, old, new, shares, rest, note, data)


class NoNumber(Exception):
    """A mixed world in which the statistic cannot be derived."""


def causes(left: World, right: World) -> list[Cause]:
    """What differs between two worlds, site by site, or kind by kind where that is too much."""
    sites = sorted(left.sites.keys() | right.sites.keys())
    joined = [s for s in sites if (s in left.sites) != (s in right.sites)]
    moved = [s for s in sites if left.deliveries.get(s) != right.deliveries.get(s) or s in joined]
    remapped = [s for s in sites if s not in joined and left.sites[s] != right.sites[s]]
    common = [Cause(SETTINGS)] if left.settings != right.settings else []
    common += [Cause(CUTOFF)] if left.data_cutoff != right.data_cutoff else []
    single = [Cause(DELIVERY, (s,)) for s in moved] + [Cause(SITE_FILE, (s,)) for s in remapped]
    if len(single) + len(common) <= MOST_CAUSES:
        return single + common
    grouped = ((DELIVERY, moved), (SITE_FILE, remapped))
    return [Cause(kind, tuple(names)) for kind, names in grouped if names] + common


def mixture(left: World, right: World, chosen: Iterable[Cause]) -> World:
    """The left world with the chosen causes taken from the right."""
    mixed = replace(left, deliveries=dict(left.deliveries), sites=dict(left.sites))
    for cause in chosen:
        if cause.kind == SETTINGS:
            mixed = replace(mixed, settings=right.settings)
        elif cause.kind == CUTOFF:
            mixed = replace(mixed, data_cutoff=right.data_cutoff)
        else:
            mixed = _with_sites(mixed, left, right, cause)
    return mixed


def shapley(
    players: Sequence[Cause], value: Callable[[frozenset[Cause]], Fraction]
) -> dict[Cause, Fraction]:
    """Exact Shapley values; they sum to value(all) - value(none).

    Source: Shapley LS, A value for n-person games, 1953.
    """
    k = len(players)
    shares: dict[Cause, Fraction] = {}
    for player in players:
        others = [p for p in players if p != player]
        total = Fraction(0)
        for size in range(k):
            weight = Fraction(factorial(size) * factorial(k - size - 1), factorial(k))
            for group in combinations(others, size):
                before = frozenset(group)
                total += weight * (value(before | {player}) - value(before))
        shares[player] = total
    return shares


def _with_sites(mixed: World, left: World, right: World, cause: Cause) -> World:
    """Take deliveries or site files of some sites; a site that joins brings both at once."""
    deliveries, files = dict(mixed.deliveries), dict(mixed.sites)
    for site in cause.sites:
        joined = (site in left.sites) != (site in right.sites)
        if cause.kind == DELIVERY:
            _take(deliveries, right.deliveries, site)
        if cause.kind == SITE_FILE or joined:
            _take(files, right.sites, site)
    return replace(mixed, deliveries=deliveries, sites=files)


def _take(ours: dict[str, Any], theirs: Mapping[str, Any], name: str) -> None:
    if name in theirs:
        ours[name] = theirs[name]
    else:
        ours.pop(name, None)


def _published(
    left: Path, right: Path, statistic: str
) -> tuple[Mapping[str, Any], float | None, float | None]:
    rows: list[Mapping[str, Any] | None] = []
    with connection() as con:
        for side in (left, right):
            try:
                rows.append(trace.statistic_row(con, side, statistic))
            except Refused:
                rows.append(None)
        row = rows[1] or rows[0]
        if row is None:
            raise trace.unknown_statistic(con, right, statistic)
    old, new = (r["value"] if r else None for r in rows)
    return row, old, new


def _rebuilt(
    shop: Workshop, left: World, right: World, differences: Sequence[Cause], statistic: str
) -> Callable[[frozenset[Cause]], Fraction]:
    """The statistic in the mixture that takes these causes from the right."""
    answers: dict[frozenset[Cause], Answer | None] = {}

    def value(chosen: frozenset[Cause]) -> Fraction:
        if chosen not in answers:
            ordered = [c for c in differences if c in chosen]
            answers[chosen] = worlds.answer(shop, mixture(left, right, ordered), statistic)
        answer = answers[chosen]
        if answer is None or answer.value is None:
            raise NoNumber
        return Fraction(answer.value)

    return value


def _rest(amount: Fraction, left: Mapping[str, Any], right: Mapping[str, Any]) -> tuple[Share, ...]:
    """What the worlds do not account for, by name: code, engine, key, or a fault."""
    named = []
    if left["code_sha256"] != right["code_sha256"]:
        named.append("code")
    engines = left["engines"].keys() | right["engines"].keys()
    versions = [
        f"{n} {left['engines'].get(n)} to {right['engines'].get(n)}"
        for n in sorted(engines)
        if left["engines"].get(n) != right["engines"].get(n)
    ]
    named += [f"engine ({', '.join(versions)})"] if versions else []
    withdrawn = left.get("excluded", {}) != right.get("excluded", {})
    named += ["patients who withdrew consent"] if withdrawn else []
    named += ["key"] if left["key_fingerprint"] != right["key_fingerprint"] else []
    if not named and not amount:
        return ()
    return (Share(" and ".join(named) or "code since both releases", amount),)


def _data(
    shop: Workshop,
    left: World,
    right: World,
    differences: Sequence[Cause],
    statistic: Mapping[str, Any],
) -> PatientShares | None:
    """The part of the deliveries, over patients; all other causes as on the right."""
    moved = [c for c in differences if c.kind == DELIVERY]
    if not moved:
        return None
    before = mixture(left, right, [c for c in differences if c.kind != DELIVERY])
    return patients(shop, before, right, statistic)

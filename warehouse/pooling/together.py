"""Say whether bundles may be pooled together, and which of their statistics mean the same.

Two numbers are comparable where every key of their definitions has the same value. Where one
differs, that statistic is refused and the others are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.errors import Refused, all_at_once
from schemas.house_settings import PoolFile
from warehouse.pooling.reading import Bundle

APART_DAYS = 183
"""Data cutoffs further apart than this are told."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A key in which a statistic of one registry differs from that of the first."""

    statistic_id: str
    key: str
    first: str
    left: str | None
    registry: str
    right: str | None


def refuse(bundles: Sequence[Bundle], pool: PoolFile, last: Mapping[str, Any] | None) -> None:
    """Stop where these bundles must not be pooled at all.

    Args:
        bundles: those that were read.
        pool: pool.toml.
        last: registry -> number, night and hash of the bundle pooled last; None before the first.

    Raises:
        Refused: with every reason.
    """
    faults = [
        *_twice(bundles),
        *_future(bundles),
        *_mixed(bundles),
        *(fault for b in bundles for fault in _replayed(b, last or {})),
        *_gone(bundles, pool, last or {}),
    ]
    if len(bundles) < pool.min_registries:
        faults.append(
            f"{len(bundles)} registries: fewer than min_registries, {pool.min_registries}. Of two, "
            "each learns the other's numbers by subtraction. Wait for more."
        )
    if faults:
        raise Refused(all_at_once("bundles", faults))


def warnings(bundles: Sequence[Bundle]) -> list[str]:
    """What a reader should know, and what does not keep them apart."""
    found: list[str] = []
    cutoffs = {b.registry: date.fromisoformat(b.facts["data_cutoff"]) for b in bundles}
    early, late = min(cutoffs, key=lambda r: cutoffs[r]), max(cutoffs, key=lambda r: cutoffs[r])
    apart = (cutoffs[late] - cutoffs[early]).days
    if apart > APART_DAYS:
        found.append(
            f"data cutoffs are {apart} days apart: {cutoffs[early]} in {early}, "
            f"{cutoffs[late]} in {late}"
        )
    for name, said in (
        ("engines", "versions of the engines differ"),
        ("code_sha256", "the code differs"),
        ("small_cell", "small cells differ"),
        ("homogeneous_bins", "some withhold bins of one kind and some do not"),
    ):
        if len({str(b.facts.get(name)) for b in bundles}) > 1:
            found.append(said)
    held = sorted(
        {
            b.registry
            for b in bundles
            for t in ("counts", "levels", "comparisons")
            for r in b.tables[t]
            if r["as_of"] != b.facts["as_of"]
        }
    )
    if held:
        found.append(f"some numbers are of an earlier night, held back in {', '.join(held)}")
    found.append("a patient treated in two registries counts twice")
    return found


def differences(bundles: Sequence[Bundle]) -> list[Difference]:
    """Every statistic that two registries define differently, by key."""
    found: list[Difference] = []
    defined = {b.registry: definitions(b) for b in bundles}
    statistics = sorted({s for own in defined.values() for s in own})
    for statistic in statistics:
        telling = [r for r in sorted(defined) if statistic in defined[r]]
        first, *others = telling
        left = defined[first][statistic]
        for other in others:
            right = defined[other][statistic]
            if right == left:
                continue
            found += [
                Difference(statistic, key, first, left.get(key), other, right.get(key))
                for key in sorted({*left, *right})
                if left.get(key) != right.get(key)
            ]
    return found


def definitions(bundle: Bundle) -> dict[str, dict[str, str]]:
    """Statistic -> key -> value."""
    found: dict[str, dict[str, str]] = {}
    for row in bundle.tables["definitions"]:
        found.setdefault(row["statistic_id"], {})[row["key"]] = row["value"]
    return found


def told(found: Sequence[Difference]) -> list[str]:
    """Differences in lines, one for each key and pair of values, with how many they concern."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for d in found:
        named = (d.key, d.first, d.left, d.registry, d.right)
        groups.setdefault(named, []).append(d.statistic_id)
    lines = []
    for (key, first, left, other, right), statistics in groups.items():
        more = f" (and {len(statistics) - 1} statistics more)" if len(statistics) > 1 else ""
        lines.append(
            f"{statistics[0]}: {key} is {_value(left)} in {first}, {_value(right)} in {other}{more}"
        )
    return lines


def _value(value: str | None) -> str:
    return "not there" if value is None else value


def _twice(bundles: Sequence[Bundle]) -> Iterator[str]:
    for registry, times in Counter(b.registry for b in bundles).items():
        if times > 1:
            yield f"{registry}: {times} bundles. Name one, its newest."
    keys: dict[str, set[str]] = {}
    deliveries: dict[str, set[str]] = {}
    for b in bundles:
        keys.setdefault(b.key_sha256, set()).add(b.registry)
        for delivery in b.facts["deliveries"]:
            deliveries.setdefault(delivery, set()).add(b.registry)
    for registries in keys.values():
        if len(registries) > 1:
            yield f"{', '.join(sorted(registries))}: one signing key. Each registry has its own."
    for twice in {tuple(sorted(r)) for r in deliveries.values() if len(r) > 1}:
        yield f"{', '.join(twice)}: one delivery in both. Its patients would count twice."


def _future(bundles: Sequence[Bundle]) -> Iterator[str]:
    """A night that has not come, anywhere on earth, or data that are later than their release."""
    latest = (datetime.now(UTC) + timedelta(hours=14)).date().isoformat()
    for b in bundles:
        if b.facts["as_of"] > latest:
            yield f"{b.registry}: of {b.facts['as_of']}, which has not come yet. Check its clock."
        if b.facts["data_cutoff"] > b.facts["as_of"]:
            yield (
                f"{b.registry}: its data cutoff, {b.facts['data_cutoff']}, is later than its "
                f"night, {b.facts['as_of']}. Ask for it again."
            )


def _mixed(bundles: Sequence[Bundle]) -> Iterator[str]:
    for name, said in (("origin", "origins"), ("ctcae_version", "CTCAE versions")):
        by: dict[str, list[str]] = {}
        for b in bundles:
            by.setdefault(str(b.facts[name]), []).append(b.registry)
        if len(by) > 1:
            parts = "; ".join(f"{k} in {', '.join(v)}" for k, v in sorted(by.items()))
            yield f"different {said}: {parts}. They are not pooled with each other."


def _replayed(bundle: Bundle, last: Mapping[str, Any]) -> Iterator[str]:
    before = last.get(bundle.registry)
    if before is None or bundle.sha256 == before["sha256"]:
        return
    number, facts = int(before["number"]), bundle.facts
    if int(facts["number"]) <= number or facts["as_of"] < before["as_of"]:
        yield (
            f"{bundle.registry}: bundle {facts['number']} of {facts['as_of']} is older than the "
            f"one pooled last, {number} of {before['as_of']}. Ask for its newest."
        )
    elif int(facts["number"]) == number + 1 and facts["before"] != before["sha256"]:
        yield (
            f"{bundle.registry}: its bundle does not follow the one pooled last. Ask what became "
            "of that one: what they tell together was not compared."
        )


def _gone(bundles: Sequence[Bundle], pool: PoolFile, last: Mapping[str, Any]) -> Iterator[str]:
    here = {b.registry for b in bundles}
    for registry in sorted(set(last) - here - set(pool.left)):
        yield (
            f"{registry}: pooled last time, and no bundle of it now. The difference would be its "
            f'patients. Name its bundle, or `left = ["{registry}"]` in pool.toml.'
        )

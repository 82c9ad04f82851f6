"""Who has every bundle and everybody's days learns nobody's level, and loses by each guard alone.

A guard that can be switched off without the attacker gaining is no guard, or the attacker is blind.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.pooled import attacker, world
from tests.pooled.attacker import Certain
from tests.pooled.world import World, lived
from warehouse.bundles import bundle, comparisons, counts, curves, memory, policy
from warehouse.bundles.policy import Limit
from warehouse.store import Store

HALF_YEARLY = range(6, 37, 6)
LATE = range(24, 37, 12)


def live(folder: Path, size: int, seed: int, months: range = HALF_YEARLY) -> World:
    return lived(size, seed, months, Store.open(folder / f"{size}-{seed}"))


def levels_found(known: World) -> list[Certain]:
    """What A finds in differences, and in small registries by counting."""
    found = attacker.levels_by_differences(known.nights, known.told)
    for night, told in zip(known.nights, known.told, strict=True):
        by: dict[str, list[attacker.Row]] = {}
        for row in told.tables["comparisons"]:
            if row["as_of"] == night and row["n"] <= 22:
                by.setdefault(row["factor"], []).append(row)
        for rows in by.values():
            found += attacker.levels_by_counting(known.nights[night], rows)
    return found


def states_found(known: World) -> list[Certain]:
    """What B finds in the bins and levels of each bundle."""
    found: list[Certain] = []
    for night, told in zip(known.nights, known.told, strict=True):
        for endpoint in ("OS",):
            own = [
                [r for r in told.tables[t] if r["endpoint"] == endpoint and r["as_of"] == night]
                for t in ("steps", "levels")
            ]
            found += attacker.states_by_counting(known.nights[night], *own)
    return found


@pytest.mark.parametrize(("size", "seed"), [(20, 1), (24, 2), (40, 3), (100, 4)])
def test_nobodys_level_is_found(tmp_path: Path, size: int, seed: int) -> None:
    known = live(tmp_path, size, seed)
    assert levels_found(known) == []


@pytest.mark.parametrize(("size", "seed"), [(24, 5), (40, 6), (100, 7)])
def test_nobodys_state_is_found_but_in_bins_that_are_alike(
    tmp_path: Path, size: int, seed: int
) -> None:
    known = live(tmp_path, size, seed)
    assert any(t.tables["steps"] for t in known.told)
    assert states_found(known) == []


@pytest.mark.long
@pytest.mark.parametrize(("size", "seed"), [(20, 11), (40, 12), (80, 13), (120, 14), (200, 15)])
def test_nobody_is_found_in_three_years_of_monthly_bundles(
    tmp_path: Path, size: int, seed: int
) -> None:
    known = live(tmp_path, size, seed, range(1, 37))
    assert levels_found(known) == []
    assert states_found(known) == []


def loosen(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Switch limits of the policy off."""
    loose = replace(policy.POLICY, **{n: Limit(v, "off") for n, v in limits.items()})
    for module in (bundle, comparisons, counts, curves, memory, policy, world):
        if hasattr(module, "POLICY"):
            monkeypatch.setattr(module, "POLICY", loose)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_held", lambda *_: iter(()))


def test_without_differencing_levels_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(monkeypatch)
    assert levels_found(live(tmp_path, 40, 3))


def test_without_a_least_change_levels_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change by one patient at each level tells of one patient."""
    loosen(monkeypatch, small_cell=1)
    assert levels_found(live(tmp_path, 40, 3))


def test_without_asking_for_both_levels_levels_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody who comes during these years is at the bad level."""

    def grown(folder: Path) -> World:
        store = Store.open(folder)
        return lived(40, 3, range(12, 37, 12), store, late_are_bad=True)

    assert levels_found(grown(tmp_path / "guarded")) == []
    why: Callable[..., memory.HeldBack | None] = memory._why

    def not_mixed(*given: object) -> memory.HeldBack | None:
        held = why(*given)
        return None if held and held.frees == memory.NOT_MIXED else held

    monkeypatch.setattr(memory, "_why", not_mixed)
    assert levels_found(grown(tmp_path / "open"))


@pytest.mark.parametrize(
    "limits",
    [
        {"bits_left": -99, "level_patients": 5, "level_events": 2},
        {"bits_left": 0, "level_patients": 2, "level_events": 0},
    ],
)
def test_without_a_budget_or_least_levels_levels_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    loosen(monkeypatch, patients=10, events=4, **limits)
    worlds = (live(tmp_path, 14, seed, range(36, 37)) for seed in range(12))
    assert any(levels_found(known) for known in worlds)


def test_without_a_budget_of_states_states_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The level at a landmark tells which exits of the bins before were events."""
    loosen(monkeypatch, bits_left=-99)
    monkeypatch.setattr(curves, "_hidden", lambda *_, **__: True)
    assert any(states_found(live(tmp_path, 24, seed)) for seed in range(4))


def test_with_small_bins_states_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bin of one exit says how it was."""
    loosen(monkeypatch, bin_exits=1, left_behind=0)
    known = live(tmp_path, 40, 6)
    single = [r for t in known.told for r in t.tables["steps"] if r["events"] + r["censored"] == 1]
    assert single


def test_bins_that_are_alike_are_withheld_where_a_house_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [attacker.alike(t.tables["steps"]) for t in live(tmp_path, 100, 7, LATE).told]
    assert sum(shown) > 0
    monkeypatch.setattr(world, "CHOSEN", replace(world.CHOSEN, homogeneous=False))
    told = live(tmp_path / "mixed", 100, 7, LATE).told
    assert any(t.tables["steps"] for t in told)
    assert [attacker.alike(t.tables["steps"]) for t in told] == [0] * len(told)


def test_the_attacker_counts_as_r_does() -> None:
    """U of ten patients by hand: days 1 to 10, all died, the first two are bad."""
    days, event = np.arange(1.0, 11), np.ones(10, bool)
    bad = np.zeros((1, 10), bool)
    bad[0, :2] = True
    u, v, events = attacker.tested(days, event, bad)
    assert (u[0], events[0]) == (pytest.approx(2 - 2 / 10 - 1 / 9), 2)
    assert v[0] == pytest.approx(2 / 10 * 8 / 10 + 1 / 9 * 8 / 9)

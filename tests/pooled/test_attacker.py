"""Who has every bundle and everybody's days learns nobody's level, and loses by each guard alone.

A guard that can be switched off without the attacker gaining is no guard, or the attacker is blind.
"""

import math
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tests.pooled import attacker, attacks, world
from tests.pooled.attacker import Certain, Night
from tests.pooled.world import World, lived
from warehouse.bundles import answers, bundle, comparisons, counts, curves, linking, memory, policy
from warehouse.bundles.policy import Limit
from warehouse.sharing.withholding import withheld
from warehouse.store import Store

HALF_YEARLY = range(6, 37, 6)
LATE = range(24, 37, 12)


def live(folder: Path, size: int, seed: int, months: range = HALF_YEARLY) -> World:
    return lived(size, seed, months, Store.open(folder / f"{size}-{seed}"))


def levels_found(known: World) -> list[Certain]:
    """What A finds in differences, and in small registries by counting."""
    found = attacker.levels_by_differences(known.nights, known.told)
    found += attacks.levels_by_programming(known.nights, known.told)
    for night, told in zip(known.nights, known.told, strict=True):
        by: dict[str, list[attacker.Row]] = {}
        for row in told.tables["comparisons"]:
            if row["as_of"] == night and row["n"] <= 22:
                by.setdefault(row["factor"], []).append(row)
        found += attacks.levels_by_linking(known.nights[night], told.tables["steps"])
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
    return [*found, *attacks.states_by_programming(known.nights, known.told)]


def searched(
    known: World, decimals: tuple[int, int] = (1, 2), steps: Sequence[int] = (300, 300, 1_500)
) -> list[Certain]:
    """Of whom A, by searching in the last bundle that told of a factor, finds no other level."""
    found: list[Certain] = []
    last = {r["factor"]: r["as_of"] for t in known.told for r in t.tables["comparisons"]}
    for factor, name in last.items():
        night = known.nights[name]
        told = known.told[[*known.nights].index(name)]
        rows = [r for r in told.tables["comparisons"]
                if (r["factor"], r["as_of"]) == (factor, name)]  # fmt: skip
        truth = known.levels[factor][: len(night.days)]
        found += attacks.levels_by_search(night, rows, truth, steps=steps, decimals=decimals)
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


REGISTRIES = ((20, 11), (40, 12), (80, 13), (120, 14), (200, 15))
MEASURED = Path(__file__).with_name("measured.toml")
LOST_MONTHS = 60.0
LONG = (300, 300, 1_500, 3_000)


def measured(folder: Path, size: int, seed: int) -> dict[str, int]:
    """What three years of monthly bundles of a registry tell the attacker; patients, by means."""
    store = Store.open(folder / f"{size}-{seed}")
    known = lived(size, seed, range(1, 37), store, lost_months=LOST_MONTHS)
    followed = attacks.states_by_programming(known.nights, known.told, follows=True)
    rows = [r for t in known.told for r in t.tables["comparisons"]]
    fresh = {(r["statistic_id"], r["as_of"]): r for r in rows}
    last = known.told[-1].tables["steps"]
    return {
        "patients": size,
        "bundles": len(known.told),
        "comparisons": len(fresh),
        "answers": sum(1 for r in rows if "answers" in r),
        "levels": patients_in(levels_found(known)),
        "levels_searched": patients_in(searched(known, steps=LONG)),
        "states": patients_in(states_found(known)),
        "alike": attacker.alike([r for r in last if r["endpoint"] == "OS"]),
        "followed": patients_in(followed),
    }


def patients_in(found: list[Certain]) -> int:
    return len({p for c in found for p in c.patients})


@pytest.mark.long
@pytest.mark.parametrize(("size", "seed"), REGISTRIES)
def test_nobody_is_found_in_three_years_of_monthly_bundles(
    tmp_path: Path, size: int, seed: int
) -> None:
    """And the page on privacy says what was measured."""
    found = measured(tmp_path, size, seed)
    assert (found["levels"], found["states"]) == (0, 0)
    assert found == tomllib.loads(MEASURED.read_text("utf-8"))[f"of_{size}"]


@pytest.mark.parametrize(("size", "seed"), [(40, 3), (60, 4)])
def test_a_search_finds_others_that_give_the_same_numbers(
    tmp_path: Path, size: int, seed: int
) -> None:
    """Of everybody there is an assignment in which he is at the other level."""
    known = live(tmp_path, size, seed, LATE)
    assert any(r.get("answers") for t in known.told for r in t.tables["comparisons"])
    assert searched(known) == []


def loosen(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Switch limits of the policy off."""
    loose = replace(policy.POLICY, **{n: Limit(v, "off") for n, v in limits.items()})
    for module in (answers, bundle, linking, comparisons, counts, curves, memory, policy, world):
        if hasattr(module, "POLICY"):
            monkeypatch.setattr(module, "POLICY", loose)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_held", lambda *_: iter(()))
    monkeypatch.setattr(linking.Factors, "few", lambda *_: None)


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
    monkeypatch.setattr(linking.Factors, "few", lambda *_: None)
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


def test_with_more_decimals_a_search_finds_no_other_assignment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounding is what hides a level among forty: with more decimals only the truth is left."""
    loosen(monkeypatch, decimals_test=6, decimals_ratio=6, bits_left=-999)
    assert searched(live(tmp_path, 40, 3, LATE), (6, 6), ())


def test_without_differencing_a_program_finds_levels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums of all bundles at once: whose event came alone between two is certain."""
    forget(monkeypatch)
    known = live(tmp_path, 40, 3)
    assert attacks.levels_by_programming(known.nights, known.told)


def test_a_count_of_one_night_and_a_comparison_of_another_are_subtracted() -> None:
    """Eight of twenty are bad, then nine of twenty-one: who came is bad. Both are held apart."""
    days, event = np.arange(1.0, 22), np.arange(21) % 2 == 0
    bad = np.arange(21) % 5 < 2
    nights = {"1": Night(days[:20], event[:20]), "2": Night(days, event)}
    u, _, events = attacks.summed(days, event, bad[None])
    count = {"statistic_id": "level.f", "as_of": "1", "n": int(bad[:20].sum()), "total": 20}
    row = {"statistic_id": "c", "as_of": "2", "factor": "f", "n": 21, "n_bad": int(bad.sum())}
    row |= {"events_bad": int(events[0]), "u": round(float(u[0]), 1)}
    told = [
        attacker.Told({"counts": [count], "comparisons": []}),
        attacker.Told({"counts": [], "comparisons": [row]}),
    ]
    (found,) = attacks.levels_by_programming(nights, told)
    assert 20 in found.patients
    groups = [
        (frozenset((f"p{k}", 0) for k in range(n)),
         frozenset((f"p{k}", 0) for k in range(n) if bad[k]))
        for n in (20, 21)
    ]  # fmt: skip
    assert linking.apart(groups[0], groups[1]) == 1


@pytest.mark.long
def test_without_comparing_exits_a_program_finds_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new exits of a bin are few and all alike: so the events of two bundles say."""
    monkeypatch.setattr(linking, "alike_exits", lambda *_: 0)
    known = lived(40, 12, range(1, 37), Store.open(tmp_path), lost_months=LOST_MONTHS)
    assert attacks.states_by_programming(known.nights, known.told)


def test_bins_by_level_are_linked_by_month(tmp_path: Path) -> None:
    """Why steps carry no factor: in bins of both levels told apart, many are of one level."""
    known = live(tmp_path, 40, 3, LATE)
    name = max(known.nights)
    night, bad = known.nights[name], known.levels["ecog0"]
    months = np.maximum(np.ceil(night.days / attacker.MONTH), 1)
    rows = [
        {"factor": "ecog0", "bad": level, "from_month": m - 1, "to_month": m}
        | {"events": int(((months == m) & (bad[: len(months)] == level)).sum()), "censored": 0}
        for m in range(1, int(months.max()) + 1)
        for level in (True, False)
    ]
    found = attacks.levels_by_linking(night, rows)
    assert len({p for c in found for p in c.patients}) > 10
    assert attacks.levels_by_linking(night, known.told[-1].tables["steps"]) == []


LEVELS = {"a": 9, "b": 3, "c": 13, "d": 2, "e": 13}


def hidden(*, second: bool) -> dict[str, int | None]:
    """A characteristic of 40 patients as it is shown, with or without secondary suppression."""
    members = {k: frozenset((f"{k}{i}", 0) for i in range(n)) for k, n in LEVELS.items()}
    groups = {k: frozenset({k}) for k in LEVELS}
    out = withheld(groups, members, frozenset(LEVELS), 5)
    if not second:
        out = {k for k, n in LEVELS.items() if n < 3}
    return {k: None if k in out else n for k, n in LEVELS.items()}


def test_a_withheld_count_does_not_follow_from_the_others() -> None:
    assert attacks.counts_by_programming(40, hidden(second=True)) == []


def test_without_secondary_suppression_a_count_follows() -> None:
    assert attacks.counts_by_programming(40, hidden(second=False))


def test_with_split_bins_states_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bins that move from bundle to bundle cut each other into pieces of one patient."""
    monkeypatch.setattr(memory, "edges", lambda *_: None)
    forget(monkeypatch)
    known = [live(tmp_path, 40, seed, range(18, 37)) for seed in range(2)]
    assert any(attacks.states_by_programming(k.nights, k.told) for k in known)


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


def test_answered_again_and_again_levels_are_found() -> None:
    """One answer leaves everybody's level open; at every coefficient anew, a few are certain."""
    draw = np.random.default_rng(5)
    night = Night(draw.permutation(20).astype(float) + 1, draw.random(20) < 0.8)
    truth = np.zeros(20, bool)
    truth[draw.choice(20, 8, replace=False)] = True
    every = np.zeros((math.comb(20, 8), 20), bool)
    for place, chosen in enumerate(combinations(range(20), 8)):
        every[place, list(chosen)] = True
    left = []
    for coefficients in ([], [0.4], np.arange(-6, 6.1, 0.25)):
        ways = every
        for at in coefficients:
            mine = attacks.scored(night.days, night.event, truth[None], np.array([at]))
            told = attacks.scored(night.days, night.event, ways, np.full(len(ways), at))
            near = [np.abs(x - np.round(y, 1)) < 0.0501 for x, y in zip(told, mine, strict=True)]
            ways = ways[near[0] & near[1]]
        left.append(int((ways.all(axis=0) | ~ways.any(axis=0)).sum()))
    assert left[:2] == [0, 0]
    assert left[2] > 0


def test_a_small_count_is_shown_if_nothing_is_small() -> None:
    """What the least number of patients withholds: three of a level among forty."""
    members = {k: frozenset((f"{k}{i}", 0) for i in range(n)) for k, n in LEVELS.items()}
    groups = {k: frozenset({k}) for k in LEVELS}
    assert withheld(groups, members, frozenset(LEVELS), 1) == set()
    shown: dict[str, int | None] = dict(LEVELS)
    assert len(attacks.counts_by_programming(40, shown)) == 2


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
    assert [x[0] for x in attacks.summed(days, event, bad)] == pytest.approx(
        [x[0] for x in attacker.tested(days, event, bad)]
    )
    u, v, events = attacker.tested(days, event, bad)
    assert (u[0], events[0]) == (pytest.approx(2 - 2 / 10 - 1 / 9), 2)
    assert v[0] == pytest.approx(2 / 10 * 8 / 10 + 1 / 9 * 8 / 9)


def write() -> None:
    """Measure again and write measured.toml: `python -m tests.pooled.test_attacker`, an hour."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for size, seed in REGISTRIES:
            found = measured(Path(folder), size, seed)
            lines += [f"[of_{size}]", *(f"{name} = {n}" for name, n in found.items()), ""]
            MEASURED.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    write()

"""A number that an earlier bundle told otherwise leaves again only once enough have changed."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from schemas.errors import Held
from warehouse.bundles import bundle, linking, memory
from warehouse.bundles.draft import Unit
from warehouse.engine.connections import connection
from warehouse.store import Store


def some(numbers: Iterable[int]) -> frozenset[tuple[str, int]]:
    return frozenset((f"p{n}", 0) for n in numbers)


def count(those: Iterable[int], asked: int = 100) -> Unit:
    members = some(those)
    n = len(members)
    rows = [{"statistic_id": "s", "n": n, "total": asked, "suppressed": False}]
    return Unit(
        {"counts": rows}, {"with": n, "without": asked - n, "asked": asked}, {"with": members}
    )


def compared(bad: Iterable[int], good: Iterable[int]) -> Unit:
    parts = {"events/bad/ecog0": some(bad), "events/good/ecog0": some(good)}
    return Unit({"comparisons": [{"statistic_id": "c", "u": 1.0}]}, {}, parts, {"ecog0": 11.0})


def tell(store: Store, *nights: dict[str, Unit]) -> memory.Compared:
    """Tell of nights one after the other; gives what became of the last."""
    found = memory.Compared()
    for number, units in enumerate(nights):
        with connection() as con:
            found = memory.compare(con, memory.earlier(store), units)
        memory.keep(store, {"bundle_sha256": str(number)}, found, units, bundle._bits(found))
    return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.mark.parametrize(("more", "held"), [(0, False), (1, True), (4, True), (5, False)])
def test_a_count_moves_by_none_or_by_five(store: Store, more: int, *, held: bool) -> None:
    """Of 100 asked, or of 110 if there are five more with it: so that some new ones lack it."""
    asked = 100 if more < 5 else 110
    found = tell(store, {"s": count(range(20))}, {"s": count(range(20 + more), asked)})
    assert (found.fresh == {}) is held
    if held:
        assert found.held[0].changed == more
        assert str(5 - more) in found.held[0].frees


def test_a_count_of_others_is_told_apart_by_who_they_are(store: Store) -> None:
    """20 and 20, but two left and two came: their difference is of four."""
    others = [*range(2, 22)]
    assert tell(store, {"s": count(range(20))}, {"s": count(others)}).held[0].changed == 4


def test_those_without_it_and_those_asked_are_counts_too(store: Store) -> None:
    """Six more are asked, five of them have it: one has it not."""
    found = tell(store, {"s": count(range(20), 40)}, {"s": count(range(25), 46)})
    assert found.held[0].changed == 1


@pytest.mark.parametrize(
    ("n", "asked", "held"),
    [(26, 106, True), (20, 106, True), (26, 112, False), (26, 100, False)],
)
def test_new_patients_must_not_be_all_alike(
    store: Store, n: int, asked: int, *, held: bool
) -> None:
    """20 of 100, then six more patients: all of them with it or none, and everybody knows it."""
    found = tell(store, {"s": count(range(20))}, {"s": count(range(n), asked)})
    assert bool(found.held) is held
    if held:
        assert "all of one kind" in found.held[0].frees


def test_a_side_where_nobody_is_may_stay_empty(store: Store) -> None:
    """As in one bundle: that none of 40 has it says so of each."""
    assert tell(store, {"s": count([], 40)}, {"s": count([], 46)}).fresh


@pytest.mark.parametrize(
    ("bad", "good", "held"),
    [(5, 5, False), (5, 0, True), (0, 7, True), (9, 1, True), (0, 0, False)],
)
def test_new_patients_of_a_factor_are_enough_at_each_level(
    store: Store, bad: int, good: int, *, held: bool
) -> None:
    def unit(more_bad: int, more_good: int) -> Unit:
        parts = {"level/bad/ecog0": some(range(10 + more_bad))}
        parts |= {"level/good/ecog0": some(range(50, 60 + more_good))}
        return Unit({"comparisons": [{"statistic_id": "c"}]}, {}, parts)

    assert bool(tell(store, {"c": unit(0, 0)}, {"c": unit(bad, good)}).held) is held


def test_every_earlier_bundle_is_compared(store: Store) -> None:
    """20 of 100, 26 of 112, then 21 of 106: five from the last and one from the first."""
    nights = [{"s": count(range(n), m)} for n, m in ((20, 100), (26, 112), (21, 106))]
    assert tell(store, *nights).held[0].changed == 1


def test_what_is_held_back_is_repeated_and_remembered_as_it_was(store: Store) -> None:
    """20, 22 is held, 24 is four from the 20 that left and not two from the 22 that did not."""
    found = tell(store, *({"s": count(range(n))} for n in (20, 22, 24)))
    assert found.held[0].changed == 4
    assert found.repeated["s"]["counts"][0]["n"] == 20
    assert tell(store, {"s": count(range(25), 110)}).fresh


@pytest.mark.parametrize(
    ("bad", "good", "held"),
    [(0, 0, False), (3, 1, True), (5, 0, True), (0, 6, True), (4, 1, False)],
)
def test_new_events_of_a_factor_are_enough_and_of_both_levels(
    store: Store, bad: int, good: int, *, held: bool
) -> None:
    first = compared(range(10), range(50, 60))
    second = compared(range(10 + bad), range(50, 60 + good))
    assert bool(tell(store, {"c": first}, {"c": second}).held) is held


def test_bits_are_summed_and_only_those_that_leave(store: Store) -> None:
    first = compared(range(10), range(50, 60))
    tell(store, {"c": first}, {"c": compared(range(11), range(50, 60))})
    assert memory.spent(memory.earlier(store)) == {"ecog0": 11.0}
    tell(store, {"c": compared(range(14), range(50, 63))})
    assert memory.spent(memory.earlier(store)) == {"ecog0": 22.0}
    memory.keep_answer(store, {}, {"ecog0": 3.5})
    assert memory.spent(memory.earlier(store)) == {"ecog0": 25.5}


def test_bins_end_where_those_of_every_earlier_bundle_did(store: Store) -> None:
    assert memory.edges(memory.earlier(store), "OS") is None
    for edges in ((6, 12, 20), (6, 20, 26)):
        unit = Unit({"steps": []}, {}, {"events": some(range(9))}, {}, edges)
        tell(store, {"curve OS": unit})
    assert memory.edges(memory.earlier(store), "OS") == (6, 20, 26)


def test_a_bundle_with_nothing_new_but_what_is_held_is_held(store: Store) -> None:
    tell(store, {"s": count(range(20)), "t": count(range(30))})
    units = {"s": count(range(21)), "t": count(range(30))}
    before = memory.earlier(store)
    with connection() as con:
        found = memory.compare(con, before, units)
        with pytest.raises(Held, match="s: 1 changed, 4 more patients"):
            bundle._refuse_nothing_new(before, found)
        units["t"] = count(range(36))
        bundle._refuse_nothing_new(before, memory.compare(con, before, units))


def of_factor(bad: Iterable[int], good: Iterable[int]) -> linking.Counted:
    return some([*bad, *good]), some(bad)


@pytest.mark.parametrize(
    ("one", "other", "told_of"),
    [
        (of_factor(range(10), range(50, 60)), of_factor(range(10), range(50, 60)), None),
        (of_factor(range(10), range(50, 60)), of_factor(range(9), range(50, 60)), 1),
        (of_factor(range(10), range(50, 60)), of_factor(range(5), range(50, 60)), 5),
        (of_factor(range(10), range(50, 60)), of_factor(range(7), range(50, 57)), None),
        (of_factor(range(10), range(50, 60)), of_factor(range(10), [*range(50, 59), 9 + 90]), 2),
        (of_factor(range(10), range(50, 60)), of_factor(range(9), [*range(50, 60), 9]), 1),
    ],
)
def test_two_numbers_of_a_factor_differ_by_none_or_by_some_of_both_levels(
    one: linking.Counted, other: linking.Counted, told_of: int | None
) -> None:
    """The same; one less; five less, all bad; three of each; another; one at another level."""
    assert linking.apart(one, other) == told_of
    assert linking.apart(other, one) == told_of


def test_events_of_another_endpoint_are_subtracted_too(store: Store) -> None:
    """PFS counts two more events than OS: that they are both bad would follow."""
    os, pfs = compared(range(10), range(50, 60)), compared(range(12), range(50, 60))
    found = tell(store, {"comparison OS": os, "comparison PFS": pfs})
    assert [h.unit for h in found.held] == ["comparison PFS"]
    assert found.repeated["comparison PFS"] == {}
    later = tell(store, {"comparison TTP": compared(range(10), range(50, 61))})
    assert [h.unit for h in later.held] == ["comparison TTP"]


def curve(days: dict[int, int], *bins: tuple[int, int]) -> Unit:
    steps = [
        {"statistic_id": "c", "to_month": 6 * (k + 1), "events": events, "censored": censored}
        for k, (events, censored) in enumerate(bins)
    ]
    left = frozenset((f"p{who}", 30 * month) for who, month in days.items())
    return Unit({"steps": steps}, {}, {"days/": left, "events": some(range(9))})


@pytest.mark.parametrize(
    ("later", "events", "held"),
    [
        ({}, 2, False),
        ({5: 2}, 3, True),
        ({5: 2}, 2, True),
        ({5: 2, 6: 3}, 3, False),
        (dict.fromkeys(range(5, 10), 2), 7, False),
    ],
)
def test_new_exits_of_a_bin_are_not_few_and_all_alike(
    store: Store, later: dict[int, int], events: int, *, held: bool
) -> None:
    """Five left by month 6, two of them dead. One more, dead or not; two, one dead; five dead."""
    first = dict.fromkeys(range(5), 3)
    now = curve(first | later, (events, 5 + len(later) - events))
    found = tell(store, {"curve OS": curve(first, (2, 3))}, {"curve OS": now})
    assert bool(found.held) is held

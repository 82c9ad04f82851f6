"""Free subgroups that would single out a few patients are refused; vectors worked by hand."""

import pytest

from warehouse.exploring.guard import refusal

COHORT = frozenset(f"p{n:02}" for n in range(40))
LEAST = 5


def first(n: int, start: int = 0) -> frozenset[str]:
    """So many patients of the cohort, from one on."""
    return frozenset(f"p{k:02}" for k in range(start, start + n))


def asked(
    *groups: frozenset[str],
    selected: frozenset[str] | None = None,
    known: tuple[frozenset[str], ...] = (),
) -> str:
    """What is said of groups of a look at the cohort."""
    mine = {f"level {n}": group for n, group in enumerate(groups)}
    whole = frozenset().union(*groups) if selected is None else selected
    return refusal(mine, whole, COHORT, known, LEAST)


@pytest.mark.parametrize(("n", "shown"), [(4, False), (5, True), (35, True), (36, False)])
def test_a_group_and_what_remains_of_the_population_are_of_at_least_five(
    n: int, shown: bool
) -> None:
    """4 are few; 36 of 40 leave 4."""
    assert (asked(first(n)) == "") == shown


def test_everybody_leaves_nobody_and_is_shown() -> None:
    assert asked(COHORT) == ""


def test_nobody_is_said_to_be_nobody() -> None:
    assert asked(selected=frozenset()) == "Nobody is in this selection."


@pytest.mark.parametrize(("second", "shown"), [(4, False), (5, True)])
def test_every_level_of_a_split_is_of_at_least_five(second: int, shown: bool) -> None:
    assert (asked(first(20), first(second, 20)) == "") == shown


@pytest.mark.parametrize(("unknown", "shown"), [(0, True), (2, False), (5, True)])
def test_those_of_unknown_level_follow_from_the_rest(unknown: int, shown: bool) -> None:
    """20 selected less two levels: what is left is known, and must not be few."""
    levels = first(10), first(10 - unknown, 10)
    assert (asked(*levels, selected=first(20)) == "") == shown


@pytest.mark.parametrize(("known", "shown"), [(17, False), (16, False), (15, True), (20, True)])
def test_two_looks_do_not_differ_by_a_few(known: int, shown: bool) -> None:
    """20 patients after a known group of 17 of them tell of the 3; the same 20 tell nothing new."""
    assert (asked(first(20), known=(first(known),)) == "") == shown


def test_a_larger_known_group_is_compared_too() -> None:
    assert "differs by fewer than 5" in asked(first(20), known=(first(23),))


def test_groups_that_only_overlap_tell_nothing_of_a_few() -> None:
    """p00-p19 and p02-p21: sums over parts of 2, 18 and 2 do not give the parts."""
    assert asked(first(20), known=(first(20, 2),)) == ""


def test_a_refusal_says_what_to_do_and_no_number_of_patients() -> None:
    told = asked(first(3))
    assert "fewer than 5" in told
    assert "Choose" in told
    assert "3" not in told

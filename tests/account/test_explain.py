"""Shares of an explanation add up, and it names exactly the planted cells."""

from fractions import Fraction
from itertools import permutations
from pathlib import Path

import pytest

from schemas.errors import Refused
from schemas.settings import OutcomeSettings
from tests.conftest import NIGHT
from tests.support.corrections import REGISTRY, corrected, restated
from warehouse.account import explain, patients
from warehouse.account.explain import Cause
from warehouse.account.scenarios import Delivered, World
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.store import Store

PARTIAL = "response_summary.all.who.lesion.all.all.unconfirmed.pr"
MEDIAN = "survival_medians.all.os.subject.overall.overall.midpoint"
DEATH = 323
"""Row of a death within the first year after treatment."""


def release_of(store: Store) -> Path:
    return store.release(f"{NIGHT:%Y.%m.%d}")


def test_shares_are_the_mean_over_all_orders() -> None:
    """Shapley's definition, written out: the mean marginal contribution over every order."""
    a, b, c = players = [Cause("delivery", (s,)) for s in ("a", "b", "c")]
    worth = {
        frozenset(): 7, frozenset({a}): 9, frozenset({b}): 4, frozenset({c}): 7,
        frozenset({a, b}): 30, frozenset({a, c}): 8, frozenset({b, c}): 1,
        frozenset({a, b, c}): 12,
    }  # fmt: skip
    found = explain.shapley(players, lambda s: Fraction(worth[s]))
    for player in players:
        gains = []
        for order in permutations(players):
            before = frozenset(order[: order.index(player)])
            gains.append(worth[before | {player}] - worth[before])
        assert found[player] == Fraction(sum(gains), 6)
    assert sum(found.values()) == 12 - 7


def test_a_quotient_is_shared_exactly() -> None:
    """Two of 10 become 4 of 9: p gains two in the numerator, q leaves with a zero."""
    found = patients.split_quotient((2, 10), (4, 9), {"p": (2, 0), "q": (0, -1)})
    assert sum(found.values()) == 100 * (Fraction(4, 9) - Fraction(2, 10))
    assert found["p"] == 100 * (Fraction(2, 10) + Fraction(2, 9)) / 2
    without_q = Fraction(2, 9) - Fraction(2, 10) + Fraction(4, 9) - Fraction(4, 10)
    assert found["q"] == 100 * without_q / 2


def world(**deliveries: str) -> World:
    made = {s: Delivered(s, "2020-01-01", d) for s, d in deliveries.items()}
    return World(made, dict.fromkeys(deliveries), OutcomeSettings(), NIGHT)  # type: ignore[arg-type]


def test_many_causes_are_taken_together_by_kind() -> None:
    left = world(a="1", b="1", c="1", d="1", e="1")
    right = world(a="2", b="2", c="1", d="2", e="2")
    assert [str(c) for c in explain.causes(left, right)] == [f"delivery of {s}" for s in "abde"]
    more = world(a="2", b="2", c="2", d="2", e="2")
    assert [str(c) for c in explain.causes(left, more)] == ["delivery of a, b, c, d, e"]


def test_a_site_that_joins_brings_file_and_delivery_at_once() -> None:
    left, right = world(a="1"), world(a="1", b="1")
    (cause,) = explain.causes(left, right)
    assert str(cause) == "delivery of b"
    assert explain.mixture(left, right, [cause]) == right
    assert explain.mixture(left, right, []) == left


def test_one_edited_diameter_is_named_with_its_row(own_store: Store) -> None:
    """A stable lesion measured 1 mm across becomes a partial response: 52 of 83 are then 53."""
    delivery = corrected(own_store, {(1648, "perp_mm"): "1"})
    left = release_of(own_store)
    right = restated(own_store, left, delivery, {PARTIAL: 100 * 53 / 83})
    found = explain.explain(own_store, REGISTRY, DEMONSTRATION_KEY, PARTIAL, left, right)
    assert (found.old, found.new) == (100 * 52 / 83, 100 * 53 / 83)
    shares = {s.cause: s.contribution for s in found.causes}
    assert set(shares) == {"delivery of memon2012", "data cutoff"}
    assert shares["data cutoff"] == 0
    assert sum(shares.values()) == found.change
    assert found.rest == ()
    assert found.data is not None
    (patient,) = found.data.patients
    assert (found.data.method, found.data.remainder) == ("exact", 0)
    assert patient.contribution == Fraction(100, 83)
    (cell,) = patient.cells
    assert (cell.kind, cell.table, cell.columns) == (
        "edited",
        "measurements",
        ("perpendicular_mm",),
    )
    assert cell.cells == ("perp_mm",)
    assert cell.left == cell.right == ("data.csv", 1648)


def test_what_today_s_code_does_not_give_back_is_named(own_store: Store) -> None:
    """The same delivery, another number, other code: the rest is the code's."""
    left = release_of(own_store)
    delivery = corrected(own_store, {})
    right = restated(own_store, left, delivery, {"attrition.all.3": 39.0}, code_sha256="0" * 64)
    found = explain.explain(own_store, REGISTRY, DEMONSTRATION_KEY, "attrition.all.3", left, right)
    assert sum(s.contribution for s in found.causes) == 0
    assert [(s.cause, s.contribution) for s in found.rest] == [("code", Fraction(-1))]


def test_an_unknown_statistic_names_its_neighbours(own_store: Store) -> None:
    left = release_of(own_store)
    mistyped = PARTIAL.replace("confirmed", "confrimed")
    with pytest.raises(Refused, match=r"who\.lesion\.all\.all\.unconfirmed\.pr"):
        explain.explain(own_store, REGISTRY, DEMONSTRATION_KEY, mistyped, left, left)


def test_a_death_that_vanished_is_named_for_a_median(own_store: Store) -> None:
    """Without the line of its death, a patient is censored: one change, put back, is all of it."""
    delivery = corrected(own_store, {(DEATH, ""): ""})
    left = release_of(own_store)
    right = restated(own_store, left, delivery, {})
    found = explain.explain(own_store, REGISTRY, DEMONSTRATION_KEY, MEDIAN, left, right)
    assert found.data is not None
    assert found.data.method == "leave one change out"
    (patient,) = found.data.patients
    assert patient.contribution == found.data.change > 0
    assert found.data.remainder == 0
    (cell,) = patient.cells
    assert (cell.kind, cell.table) == ("vanished", "contacts")
    assert (cell.left, cell.right) == (("data.csv", DEATH), None)
    assert sum(s.contribution for s in (*found.causes, *found.rest)) == found.change == 0

"""A history with planted changes holds exactly the nights it should, and names each change.

The script is tests/sixty_nights/script.toml. Expected lines are found by comparing the exports as
text; nothing here asks the pipeline what to expect.
"""

from fractions import Fraction
from pathlib import Path

import pytest

from tests.sixty_nights import page, script
from tests.sixty_nights.exports import Line
from tests.sixty_nights.replay import History, Night, replay, subjects
from tests.support.few_readings import few_readings
from warehouse.account.history import nights
from warehouse.account.patients import PatientShares

SCRIPT = script.read()


def test_every_kind_of_change_is_held_or_not_as_it_should_be_and_named(tmp_path: Path) -> None:
    """Released, held and degraded, one night of each.

    A diameter corrected, a record vanished and a unit mistaken, one by one, are in
    tests/account/test_explain.py and tests/audit/test_telling.py.
    """
    with few_readings():
        _judge(replay(SCRIPT.shortened(), tmp_path, verified=1))


@pytest.mark.long
def test_sixty_nights_hold_and_name_what_they_should_and_make_the_page(tmp_path: Path) -> None:
    found = replay(SCRIPT, tmp_path, figures=page.FIGURES)
    _judge(found)
    for figure in found.figures:
        _divided(figure)
    assert set(found.verified) == {n.release for n in found.nights}
    assert page.text(found) == page.PAGE.read_text("utf-8")


def test_the_page_tells_of_everything_that_is_planted() -> None:
    told = page.PAGE.read_text("utf-8")
    assert not [p.words for p in SCRIPT.planted if p.words not in told]


def _divided(figure: nights.History) -> None:
    """Every night is divided exactly; only before the change of a rule do rules move a number."""
    changed = SCRIPT.day(next(p.night for p in SCRIPT.planted if p.outcome and p.sites == ()))
    assert figure.now is not None
    for night in figure.nights:
        assert night.reasons == ()
        assert night.then_then is not None
        parts = (night.rules or 0) + (night.lag or 0) + (night.accrual or 0)
        assert parts == Fraction(figure.now.value or 0) - Fraction(night.then_then.value or 0)
        if night.night >= changed:
            assert night.rules == 0


def _judge(found: History) -> None:
    last = {n.night: n for n in found.nights}
    assert {n for n, night in last.items() if night.held} == found.script.must_be_held()
    assert found.verified
    assert all(found.verified.values())
    for planted in found.script.planted:
        nights = [n for n in found.nights if n.planted is planted]
        assert nights
        for night in nights:
            _as_planted(night)


def _as_planted(night: Night) -> None:
    planted = night.planted
    assert planted is not None
    assert bool(night.degraded) is (planted.outcome == "degraded")
    assert night.made is not bool(night.degraded)
    if planted.explain:
        _named(night)


def _named(night: Night) -> None:
    """The shares add up, the causes are those planted, and the lines are those that differ."""
    planted, found = night.planted, night.explained
    assert planted is not None
    assert found is not None
    assert found.rest == ()
    assert sum(s.contribution for s in found.causes) == found.change != 0
    moving = {s.cause for s in found.causes if s.contribution}
    wanted = {f"delivery of {site}" for site in planted.sites}
    assert moving == (wanted or {"settings"})
    if wanted:
        assert found.data is not None
        _lines_named(night, found.data)


def _lines_named(night: Night, data: PatientShares) -> None:
    planted, expected = night.planted, subjects(night.lines)
    assert planted is not None
    named: dict[str, set[tuple[object, ...]]] = {
        p.subject_id: {(c.site_id, c.left, c.right) for c in p.cells} for p in data.patients
    }
    assert named
    if not planted.some:
        assert set(named) == set(expected)
    for subject, lines in named.items():
        assert lines == {_place(line) for line in expected[subject]}
    total = sum((p.contribution for p in data.patients), Fraction(0)) + data.remainder
    assert total == data.change


def _place(line: Line) -> tuple[object, ...]:
    return line.site, line.left, line.right

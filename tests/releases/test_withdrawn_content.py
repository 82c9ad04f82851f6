"""Content that was withdrawn is not published again by itself: it waits for news or an approval."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows import backfill, steps
from flows.__main__ import main
from flows.backfill import Ask, Place
from tests.support import quick_nights as quick
from warehouse.building.plan import Published
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.releases import decisions, releases, retention
from warehouse.store import Store

NOW = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
N1, N2, N3, N4 = (date(2016, 1, n) for n in range(1, 5))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """One published night, withdrawn."""
    quick.invent(monkeypatch.setattr)
    made = Store.open(tmp_path / "store")
    quick.deliver(made, N1, 10)
    steps.nightly(quick.job(made, N1))
    decisions.withdraw(made, "current", "bilirubin in the wrong unit", NOW, "ada")
    return made


def night(store: Store, on: date) -> tuple[str, bool, bool]:
    """The release, whether it is new, and whether the night waits."""
    done: Published = steps.nightly(quick.job(store, on)).published
    return done.release_id, done.created, done.held


def current(store: Store) -> str | None:
    pointer = releases.channel(store, "current")
    return pointer and pointer["release_id"]


def words(store: Store, command: str, *more: str) -> list[str]:
    where = ["--store", str(store.root), "--config", str(quick.REGISTRY)]
    return [command, *more, *where]


@pytest.mark.parametrize("on", [N1, N2])
def test_the_same_delivery_does_not_bring_a_withdrawn_release_back(store: Store, on: date) -> None:
    assert night(store, on) == ("2016.01.01", False, True)
    assert current(store) is None
    assert [r.status for r in releases.listing(store)] == ["withdrawn"]


def test_the_same_rows_in_a_later_export_do_not_either(store: Store) -> None:
    """Its date differs, so it is built; then its content is known."""
    quick.deliver(store, N2, 10)
    assert night(store, N2) == ("2016.01.01", False, True)
    assert current(store) is None
    assert not store.release("2016.01.02").exists()


def test_another_delivery_is_published_and_the_bad_one_stays_blocked(store: Store) -> None:
    quick.deliver(store, N2, 11)
    assert night(store, N2) == ("2016.01.02", True, False)
    quick.deliver(store, N3, 10)
    assert night(store, N3) == ("2016.01.01", False, True)
    assert current(store) == "2016.01.02"


def test_what_is_published_under_another_id_is_not_blocked(store: Store) -> None:
    """A, B, A: the first A is withdrawn for its night, the second stands."""
    decisions.approve(store, "2016.01.01", "it was right", NOW, "ada")
    quick.deliver(store, N2, 11)
    quick.deliver(store, N3, 10)
    assert [night(store, n)[:2] for n in (N2, N3)] == [("2016.01.02", True), ("2016.01.03", True)]
    decisions.withdraw(store, "2016.01.01", "not that night", NOW, "ada")
    quick.deliver(store, N4, 10)
    assert night(store, N4) == ("2016.01.03", False, False)


def test_an_approval_with_a_reason_lets_it_back(store: Store) -> None:
    night(store, N2)
    decisions.approve(store, "2016.01.01", "the unit was right", NOW, "ada")
    assert night(store, N3) == ("2016.01.01", False, False)
    assert current(store) == "2016.01.01"


def test_run_exits_3_and_says_who_withdrew_it_and_why(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(store, "run", "--direct", "--as-of", f"{N2}")) == 3
    out, err = capsys.readouterr()
    assert "ada withdrew it on 2026-04-01: bilirubin in the wrong unit" in err
    assert "y90 release approve 2016.01.01 --reason" in err
    assert "2016-01-02: nothing published" in out


def test_status_names_the_release_that_the_last_night_met(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    night(store, N2)
    assert main(words(store, "status", "--json")) == 1
    assert json.loads(capsys.readouterr().out)["held"] == ["2016.01.01"]


def test_a_backfill_stops_there_with_exit_3_and_the_reason(store: Store) -> None:
    quick.deliver(store, N3, 11)
    where = Place(store, quick.registry(), DEMONSTRATION_KEY)
    asked = Ask(N1, N3, "made again")
    assert [n.reason for n in backfill.planned(where, asked)][:2] == ["withdrawn", "withdrawn"]
    state = backfill.begin(where, asked, date(2016, 6, 1))
    assert [n["status"] for n in state["nights"]] == ["held", "skipped", "skipped"]
    assert "bilirubin in the wrong unit" in state["nights"][0]["why"]
    assert backfill.exit_code(state) == 3
    decisions.approve(store, "2016.01.01", "the unit was right", NOW, "ada")
    after = backfill.resume(where, state["backfill_id"])
    assert [n["status"] for n in after["nights"]] == ["unchanged", "unchanged", "published"]
    assert backfill.exit_code(after) == 0


def test_a_withdrawn_release_is_never_pruned(store: Store) -> None:
    """Without it nobody would know what must not come back."""
    for on, patients in ((N2, 11), (N3, 12)):
        quick.deliver(store, on, patients)
        night(store, on)
    assert [r.release_id for r in retention.prunable(store, 1)] == ["2016.01.02"]

"""Who may publish, take back or promote what, and where the channels then point."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.__main__ import main
from schemas.errors import Refused
from tests.support.literal_releases import publish
from warehouse.releases import decisions, releases
from warehouse.store import Store

NOW = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two published nights and a held one; `current` is the second."""
    made = Store.open(tmp_path / "store")
    publish(made, "2026.03.29")
    publish(made, "2026.03.30")
    publish(made, "2026.03.31", held=True)
    releases.point(made, "current", "2026.03.29", NOW, date(2026, 3, 29))
    releases.point(made, "current", "2026.03.30", NOW, date(2026, 3, 30))
    return made


def status(store: Store) -> dict[str, str]:
    return {r.release_id: r.status for r in releases.listing(store)}


def channel(store: Store, name: str) -> str | None:
    pointer = releases.channel(store, name)
    return pointer and pointer["release_id"]


def test_approval_publishes_a_held_release_and_keeps_who_when_and_why(store: Store) -> None:
    decisions.approve(store, "2026.03.31", "the site confirmed", NOW, "ada")
    assert status(store)["2026.03.31"] == "published"
    assert channel(store, "current") == "2026.03.31"
    (file,) = (store.release("2026.03.31") / "decisions").iterdir()
    assert file.name == "0001-approve.json"
    kept = json.loads(file.read_text())
    assert (kept["decision"], kept["who"], kept["reason"], kept["when"]) == (
        "approve",
        "ada",
        "the site confirmed",
        "2026-04-01T09:30:00+00:00",
    )
    assert len(kept["manifest_sha256"]) == 64


def test_a_published_release_cannot_be_approved(store: Store) -> None:
    with pytest.raises(Refused, match="it is published, and only a held or withdrawn one"):
        decisions.approve(store, "2026.03.30", "again", NOW, "ada")


def test_a_held_release_older_than_current_cannot_be_approved(store: Store) -> None:
    publish(store, "2026.04.01")
    releases.point(store, "current", "2026.04.01", NOW, date(2026, 4, 1))
    with pytest.raises(Refused, match=r"`current` is 2026\.04\.01, which is newer"):
        decisions.approve(store, "2026.03.31", "late", NOW, "ada")
    assert status(store)["2026.03.31"] == "held"
    assert not (store.release("2026.03.31") / "decisions").exists()


def test_an_older_version_of_the_current_night_cannot_be_approved(store: Store) -> None:
    publish(store, "2026.03.31.2")
    releases.point(store, "current", "2026.03.31.2", NOW, date(2026, 3, 31))
    with pytest.raises(Refused, match="newer"):
        decisions.approve(store, "2026.03.31", "late", NOW, "ada")


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_no_decision_without_a_reason(store: Store, reason: str) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        decisions.approve(store, "2026.03.31", reason, NOW, "ada")
    with pytest.raises(Refused, match="needs a reason"):
        decisions.withdraw(store, "2026.03.30", reason, NOW, "ada")
    with pytest.raises(Refused, match="needs a reason"):
        decisions.promote(store, "2026.03.30", reason, NOW, "ada")
    assert channel(store, "current") == "2026.03.30"


def test_withdrawing_the_current_release_falls_back_to_the_newest_published(store: Store) -> None:
    decisions.withdraw(store, "current", "wrong unit", NOW, "ada")
    assert status(store)["2026.03.30"] == "withdrawn"
    pointer = releases.channel(store, "current")
    assert pointer is not None
    assert (pointer["release_id"], pointer["fresh_as_of"]) == ("2026.03.29", "2026-03-29")
    assert [h["release_id"] for h in pointer["history"]] == [
        "2026.03.29",
        "2026.03.30",
        "2026.03.29",
    ]


def test_withdrawing_another_release_leaves_current(store: Store) -> None:
    decisions.withdraw(store, "2026.03.29", "wrong unit", NOW, "ada")
    assert channel(store, "current") == "2026.03.30"


def test_withdrawing_the_last_published_release_empties_the_channel(store: Store) -> None:
    decisions.withdraw(store, "2026.03.29", "wrong", NOW, "ada")
    decisions.withdraw(store, "2026.03.30", "wrong", NOW, "ada")
    assert channel(store, "current") is None
    with pytest.raises(Refused, match="nothing is published on it yet"):
        releases.resolve(store)


def test_a_withdrawn_release_stays_withdrawn_until_it_is_approved(store: Store) -> None:
    decisions.withdraw(store, "2026.03.31", "not needed", NOW, "ada")
    assert status(store)["2026.03.31"] == "withdrawn"
    for decide in (decisions.withdraw, decisions.promote):
        with pytest.raises(Refused, match="withdrawn"):
            decide(store, "2026.03.31", "after all", NOW, "ada")
    decisions.approve(store, "2026.03.31", "after all", NOW, "ada")
    assert status(store)["2026.03.31"] == "published"
    assert channel(store, "current") == "2026.03.31"


def test_an_old_withdrawn_release_is_approved_without_taking_current(store: Store) -> None:
    decisions.withdraw(store, "2026.03.29", "wrong unit", NOW, "ada")
    decisions.approve(store, "2026.03.29", "the unit was right", NOW, "ada")
    assert status(store)["2026.03.29"] == "published"
    assert channel(store, "current") == "2026.03.30"


def test_promotion_labels_by_month_and_counts_from_zero(store: Store) -> None:
    assert decisions.promote(store, "2026.03.29", "report", NOW, "ada")["label"] == "v2026.3.0"
    assert decisions.promote(store, "2026.03.30", "report", NOW, "ada")["label"] == "v2026.3.1"
    assert channel(store, "stable") == "2026.03.30"
    assert releases.resolve(store, "v2026.3.0").name == "2026.03.29"
    again = decisions.promote(store, "2026.03.29", "back", NOW, "ada")
    assert again["label"] == "v2026.3.0"
    assert channel(store, "stable") == "2026.03.29"


def test_a_held_release_cannot_be_promoted(store: Store) -> None:
    with pytest.raises(Refused, match="it is held"):
        decisions.promote(store, "2026.03.31", "report", NOW, "ada")
    assert channel(store, "stable") is None


def test_withdrawing_the_stable_release_falls_back_to_the_one_promoted_before(
    store: Store,
) -> None:
    decisions.promote(store, "2026.03.29", "report", NOW, "ada")
    decisions.promote(store, "2026.03.30", "report", NOW, "ada")
    decisions.withdraw(store, "stable", "wrong", NOW, "ada")
    assert channel(store, "stable") == "2026.03.29"
    decisions.withdraw(store, "stable", "wrong too", NOW, "ada")
    assert channel(store, "stable") is None


def test_decisions_are_added_and_never_rewritten(store: Store) -> None:
    decisions.approve(store, "2026.03.31", "one", NOW, "ada")
    folder = store.release("2026.03.31") / "decisions"
    before = (folder / "0001-approve.json").read_bytes()
    decisions.promote(store, "2026.03.31", "two", NOW, "bo")
    assert sorted(p.name for p in folder.iterdir()) == ["0001-approve.json", "0002-promote.json"]
    assert (folder / "0001-approve.json").read_bytes() == before


def test_an_unknown_release_suggests_the_nearest_names(store: Store) -> None:
    with pytest.raises(Refused, match=r"Did you mean 2026\.03\.3"):
        decisions.approve(store, "2026.03.32", "typo", NOW, "ada")


def test_the_commands_decide_and_exit(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--store", str(store.root), "release"]
    assert main([*words, "approve", "2026.03.31", "--reason", "confirmed"]) == 0
    assert "2026.03.31 approved. Channels: current: 2026.03.31" in capsys.readouterr().out
    assert main([*words, "promote", "2026.03.31", "--reason", "report"]) == 0
    assert "promoted as v2026.3.0" in capsys.readouterr().out
    assert main([*words, "withdraw", "2026.03.31", "--reason", "wrong"]) == 0
    assert "current: 2026.03.30, stable: nothing" in capsys.readouterr().out
    assert main([*words, "approve", "2026.03.30", "--reason", "no"]) == 2
    assert main([*words, "approve", "2026.03.31"]) == 2

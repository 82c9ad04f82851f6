"""A backfill plans its nights with reasons, makes them in order, and goes on after a stop."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from flows import backfill, steps
from flows.__main__ import main
from flows.backfill import Ask, Place
from schemas.errors import Locked, Refused
from tests.support import quick_nights as quick
from warehouse.building.plan import Plan
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.releases import decisions, ledger, releases
from warehouse.store import Store, lock_file

TODAY = date(2016, 6, 1)
D1, D2, D3, D4, D5 = (quick.FIRST + timedelta(days=n) for n in range(5))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    quick.invent(monkeypatch.setattr)
    return Store.open(tmp_path / "store")


def place(store: Store) -> Place:
    return Place(store, quick.registry(), DEMONSTRATION_KEY)


def ask(first: date = D1, last: date = D4, **given: object) -> Ask:
    return Ask(first, last, "a reason", **given)  # type: ignore[arg-type]


def ends(state: dict[str, object]) -> list[tuple[str, str]]:
    """Status and release of every night."""
    return [(n["status"], n.get("release_id", "")) for n in state["nights"]]  # type: ignore[attr-defined]


def reasons(store: Store, **given: object) -> list[tuple[str, bool]]:
    return [(n.reason, n.wanted) for n in backfill.planned(place(store), ask(**given))]


def current(store: Store) -> str:
    pointer = releases.channel(store, "current")
    return pointer["release_id"] if pointer else ""


def test_nights_with_a_delivery_are_made_and_those_between_have_what_was_before(
    store: Store,
) -> None:
    quick.deliver(store, D1, 10)
    quick.deliver(store, D3, 20)
    state = backfill.begin(place(store), ask(), TODAY)
    assert ends(state) == [
        ("published", "2015.12.31"),
        ("unchanged", "2015.12.31"),
        ("published", "2016.01.02"),
        ("unchanged", "2016.01.02"),
    ]
    assert state["state"] == "done"
    assert current(store) == "2016.01.02"
    assert {r["as_of"] for r in ledger.runs(store)} == {d.isoformat() for d in (D1, D2, D3, D4)}


def test_nights_before_the_first_delivery_are_left_and_the_others_made(store: Store) -> None:
    """A range may begin before anything was delivered; one that ends there has nothing to make."""
    quick.deliver(store, D3, 10)
    assert reasons(store) == [("no delivery", False)] * 2 + [("missing", True)] * 2
    state = backfill.begin(place(store), ask(), TODAY)
    assert ends(state) == [
        ("left", ""),
        ("left", ""),
        ("published", "2016.01.02"),
        ("unchanged", "2016.01.02"),
    ]
    assert state["state"] == "done"
    with pytest.raises(Refused, match="nothing is visible"):
        backfill.begin(place(store), ask(D1, D2), TODAY)


def test_the_deployment_makes_the_same_nights_and_goes_on_by_its_id(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Prefect's page starts, without Prefect around it; a reason is asked for there, too."""
    from flows.nightly import StepFailed
    from flows.serve import backfill_nights

    quick.deliver(store, D1, 10)
    quick.deliver(store, D3, 20)
    monkeypatch.setenv("Y90_CONFIG", str(quick.REGISTRY))
    monkeypatch.setenv("Y90_STORE", str(store.root))
    span = {"from_date": D1.isoformat(), "to_date": D4.isoformat()}
    with pytest.raises(StepFailed):
        backfill_nights.fn(**span)
    assert releases.listing(store) == []
    made = backfill_nights.fn(**span, reason="a reason")
    assert backfill.load(store, made)["state"] == "done"
    assert current(store) == "2016.01.02"
    assert backfill_nights.fn(resume=made) == made


def test_the_reason_stands_in_the_manifest_of_every_release(store: Store) -> None:
    quick.deliver(store, D1, 10)
    state = backfill.begin(place(store), ask(D1, D1), TODAY)
    record = releases.manifest(store.release("2015.12.31"))["record"]
    assert (record["reason"], record["backfill"]) == ("a reason", state["backfill_id"])


def test_a_late_delivery_restates_its_night_and_leaves_current_where_it_is(store: Store) -> None:
    quick.deliver(store, D1, 10)
    quick.deliver(store, D3, 20)
    backfill.begin(place(store), ask(), TODAY)
    quick.deliver(store, D2, 15)
    quick.deliver(store, D1, 11)
    steps.receive(quick.job(store, D4))
    assert reasons(store) == [
        ("new inputs", True), ("missing", True), ("new inputs", True), ("unchanged", False),
    ]  # fmt: skip
    state = backfill.begin(place(store), ask(D1, D2), TODAY)
    assert ends(state) == [("published", "2015.12.31.2"), ("published", "2016.01.01")]
    assert current(store) == "2016.01.02"


def test_a_dry_run_tells_reasons_and_tables_and_writes_nothing(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    quick.deliver(store, D1, 10)
    steps.receive(quick.job(store, D1))
    quick.deliver(store, D3, 20)
    before = sorted(p for p in store.root.rglob("*"))
    words = ["backfill", "--from-date", f"{D1}", "--to-date", f"{D4}", "--dry-run", "--json"]
    assert main([*words, "--store", str(store.root), "--config", str(quick.REGISTRY)]) == 0
    assert sorted(p for p in store.root.rglob("*")) == before
    told = json.loads(capsys.readouterr().out)
    assert [(n["reason"], n["wanted"]) for n in told["nights"]] == [
        ("missing", True), ("unchanged", False), ("missing", True), ("unchanged", False),
    ]  # fmt: skip
    assert "survival_medians" in told["may_move"]


def test_what_failed_is_made_again_only_when_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.deliver(store, D1, 10)
    with monkeypatch.context() as broken:
        quick.invent(broken.setattr, build=_fail)
        state = backfill.begin(place(store), ask(D1, D1), TODAY)
        assert (ends(state), backfill.exit_code(state)) == ([("failed", "")], 1)
        assert "SECRET" not in json.dumps(state)
    quick.invent(monkeypatch.setattr)
    assert reasons(store, last=D1) == [("failed", False)]
    assert backfill.exit_code(backfill.begin(place(store), ask(D1, D1), TODAY)) == 0
    again = backfill.begin(place(store), ask(D1, D1, reprocess="failed"), TODAY)
    assert ends(again) == [("published", "2015.12.31")]


def _fail(_: date) -> None:
    raise ValueError("SECRET")


def test_what_was_made_with_other_code_is_made_again_only_when_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.deliver(store, D1, 10)
    backfill.begin(place(store), ask(D1, D2), TODAY)
    monkeypatch.setattr("warehouse.fingerprints.code_sha256", lambda: "other code")
    assert reasons(store, last=D1) == [("redefined", False)]
    assert reasons(store, last=D1, reprocess="completed") == [("redefined", True)]
    state = backfill.begin(place(store), ask(D1, D1, reprocess="completed"), TODAY)
    assert ends(state) == [("unchanged", "2015.12.31")], "the tables are equal: no new release"


def test_a_hold_stops_the_backfill_and_resuming_goes_on_after_approval(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day, n in ((D1, 10), (D2, 20), (D3, 30)):
        quick.deliver(store, day, n)
    quick.invent(monkeypatch.setattr, held=lambda night: night == D2)
    state = backfill.begin(place(store), ask(D1, D3), TODAY)
    assert [s for s, _ in ends(state)] == ["published", "held", "skipped"]
    assert (state["state"], backfill.exit_code(state)) == ("stopped", 3)
    assert current(store) == "2015.12.31"
    again = backfill.resume(place(store), state["backfill_id"])
    assert [s for s, _ in ends(again)] == ["published", "held", "skipped"], "it is still held"
    decisions.approve(store, "2016.01.01", "it is right", _now(), "a person")
    again = backfill.resume(place(store), state["backfill_id"])
    assert [s for s, _ in ends(again)] == ["published", "unchanged", "published"]
    assert current(store) == "2016.01.02"


def _now() -> "object":
    from datetime import UTC, datetime

    return datetime.now(UTC)


def test_with_continue_a_hold_does_not_stop_the_nights_after_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day, n in ((D1, 10), (D2, 20), (D3, 30)):
        quick.deliver(store, day, n)
    quick.invent(monkeypatch.setattr, held=lambda night: night == D2)
    state = backfill.begin(place(store), ask(D1, D3, go_on=True), TODAY)
    assert [s for s, _ in ends(state)] == ["published", "held", "published"]


@pytest.mark.parametrize(
    ("publish", "moves"), [("none", []), ("each", ["2015.12.31", "2016.01.01"]),
                           ("last", ["2016.01.01"])],
)  # fmt: skip
def test_current_moves_as_the_policy_says(store: Store, publish: str, moves: list[str]) -> None:
    quick.deliver(store, D1, 10)
    quick.deliver(store, D2, 20)
    backfill.begin(place(store), ask(D1, D2, publish=publish), TODAY)
    pointer = releases.channel(store, "current")
    assert [h["release_id"] for h in (pointer or {"history": []})["history"]] == moves
    assert len(releases.listing(store)) == 2


def test_an_interrupted_backfill_goes_on_by_its_id(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day, n in ((D1, 10), (D2, 20), (D3, 30)):
        quick.deliver(store, day, n)

    def cancel(night: date) -> None:
        if night == D2:
            raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        quick.invent(broken.setattr, build=cancel)
        with pytest.raises(KeyboardInterrupt):
            backfill.begin(place(store), ask(D1, D3), TODAY)
    (known,) = backfill.listing(store)
    assert known["state"] == "interrupted"
    quick.invent(monkeypatch.setattr)
    state = backfill.resume(place(store), known["backfill_id"])
    assert [s for s, _ in ends(state)] == ["published"] * 3
    assert [r.release_id for r in releases.listing(store)] == [
        "2015.12.31", "2016.01.01", "2016.01.02",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from-date", "2016-01-02", "--to-date", "2016-01-01", "--reason", "r"], "after --to"),
        (["--from-date", "2016-01-02", "--to-date", "2999-01-01", "--reason", "r"], "future"),
        (["--from-date", "2015-01-02", "--to-date", "2015-12-30", "--reason", "r"], "visible"),
        (["--from-date", "2015-12-31", "--to-date", "2016-01-01"], "--reason missing"),
        (["--from-date", "2015-12-31", "--to-date", "2016-01-01", "--reason", " "], "a reason"),
        (["--resume", "2016-01-01-9"], "there is none of that id"),
        (["--resume", "x", "--reason", "r"], "keeps its range"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    store: Store, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    quick.deliver(store, D1, 10)
    before = sorted(p for p in store.root.rglob("*"))
    where = ["--store", str(store.root), "--config", str(quick.REGISTRY)]
    assert main(["backfill", *words, *where]) == 2
    assert told in capsys.readouterr().err
    assert sorted(p for p in store.root.rglob("*")) == before


def test_a_second_backfill_is_told_that_one_is_running(store: Store) -> None:
    quick.deliver(store, D1, 10)
    with lock_file(store.state / "backfill", wait=False), pytest.raises(Locked):
        backfill.begin(place(store), ask(), TODAY)


def test_nothing_to_make_is_no_error(store: Store) -> None:
    quick.deliver(store, D1, 10)
    backfill.begin(place(store), ask(), TODAY)
    state = backfill.begin(place(store), ask(), TODAY)
    assert {s for s, _ in ends(state)} == {"unchanged"}
    assert backfill.exit_code(state) == 0


def test_a_first_delivery_that_comes_again_is_in_force_again(store: Store) -> None:
    """A, B, then A again for one night: the night's last version is made from A."""
    for patients in (10, 20, 10):
        quick.deliver(store, D1, patients)
        steps.nightly(quick.job(store, D1))
    contents = [
        releases.manifest(r.path)["content"]["tables"]["outcomes/statistics"]["content_sha256"]
        for r in releases.listing(store)
    ]
    assert len(contents) == 3
    assert contents[0] == contents[2] != contents[1]
    assert current(store) == "2015.12.31.3"


def test_nights_without_news_hold_up_no_build(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A month of confirmed nights between two builds; both are begun before the first is ended."""
    begun: list[date] = []

    @contextmanager
    def workers(_: int) -> Iterator[Callable[[steps.Job], "Future[Plan]"]]:
        yield lambda job: begun.append(job.as_of) or Future()  # type: ignore[func-returns-value]

    monkeypatch.setattr(backfill, "_workers", workers)
    wanted = [n % 30 == 0 for n in range(91)]
    nights = [
        {"night": (D1 + timedelta(days=n)).isoformat(), "status": "waiting", "wanted": w}
        for n, w in enumerate(wanted)
    ]
    state = {"backfill_id": "2016-06-01-1", "nights": nights}
    (store.state / "backfills").mkdir(parents=True)
    built = backfill._built(place(store), ask(max_active_runs=2), state, [])
    seen = [(night["night"], len(begun)) for night, _ in built]
    assert [night for night, _ in seen] == [n["night"] for n in nights]
    assert [so_far for _, so_far in seen] == [2] + [3] * 30 + [4] * 60

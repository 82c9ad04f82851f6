"""Several at once, a full disk, a wrong clock: no reader notices, and nothing is lost.

The concurrency matrix of docs/reliability.md is these tests' names.
"""

import errno
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows import backfill, steps
from flows.__main__ import main
from schemas.errors import BadDelivery, Locked
from tests.crash import campaign
from tests.support import quick_nights as quick
from warehouse import pipeline
from warehouse import store as store_module
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.intake.raw import raw_tables
from warehouse.intake.receipts import visible
from warehouse.releases import ledger, releases
from warehouse.releases.query import open_release
from warehouse.store import Store

D1, D2, D3, D4 = (quick.FIRST + timedelta(days=n) for n in range(4))
ROOT = Path(__file__).resolve().parents[2]
TODAY = datetime(2016, 6, 1, tzinfo=UTC).date()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    quick.invent(monkeypatch.setattr)
    made = Store.open(tmp_path / "store")
    quick.deliver(made, D1, 10)
    steps.nightly(quick.job(made, D1))
    return made


@contextmanager
def reader(store: Store) -> Iterator[list[str]]:
    """Somebody who queries `current` all the while; what went wrong is listed."""
    wrong: list[str] = []
    going = threading.Event()
    going.set()

    def look() -> None:
        while going.is_set():
            try:
                with open_release(releases.resolve(store)) as con:
                    con.execute("SELECT * FROM outcomes.statistics").fetchall()
            except Exception as fault:
                wrong.append(repr(fault))
            time.sleep(0.005)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield wrong
    finally:
        going.clear()
        thread.join()


def whole(store: Store) -> bool:
    """Every visible release is what its manifest says, and nothing of a dead run is left."""
    return campaign._broken(store) == []


SCRIPT = """
import sys
from datetime import date
from pathlib import Path
from flows import steps
from tests.support import quick_nights as quick
from warehouse.store import Store
quick.invent(setattr)
done = steps.nightly(quick.job(Store(Path(sys.argv[1])), date.fromisoformat(sys.argv[2])))
print(done.published.release_id, done.published.created)
"""


def another(store: Store, night: object) -> "subprocess.Popen[str]":
    """A nightly in a process of its own that takes half a second to build."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(store.root), f"{night}"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "QUICK_SECONDS": "0.5"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_of_two_nightlies_at_once_one_builds_and_the_other_finds_nothing_to_do(
    store: Store,
) -> None:
    quick.deliver(store, D2, 20)
    with reader(store) as wrong, another(store, D2) as first, another(store, D2) as second:
        told = sorted(p.communicate()[0].strip() for p in (first, second))
    assert told == ["2016.01.01 False", "2016.01.01 True"]
    assert wrong == []
    assert whole(store)


def test_a_nightly_that_does_not_wait_is_told_who_holds_the_store(store: Store) -> None:
    with store_module.lock_file(store.state / "nightly", wait=True), pytest.raises(Locked) as told:
        steps.nightly(quick.job(store, D2, wait=False))
    assert f"process {os.getpid()}" in str(told.value)


def test_a_nightly_during_a_backfill_and_a_reader_during_both(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both publish; `current` ends at the later night, whoever came first."""
    for day, patients in ((D2, 20), (D3, 30), (D4, 40)):
        quick.deliver(store, day, patients)
    steps.receive(quick.job(store, D4))
    where = backfill.Place(store, quick.registry(), DEMONSTRATION_KEY)
    quick.invent(monkeypatch.setattr, build=lambda _: time.sleep(0.2))
    with reader(store) as wrong, another(store, D4) as nightly:
        state = backfill.begin(where, backfill.Ask(D2, D3, "both at once"), TODAY)
        nightly.communicate()
    assert state["state"] == "done"
    assert [r.release_id for r in releases.listing(store)] == [
        "2015.12.31", "2016.01.01", "2016.01.02", "2016.01.03",
    ]  # fmt: skip
    pointer = releases.channel(store, "current")
    assert pointer is not None
    assert pointer["release_id"] == "2016.01.03"
    assert wrong == []
    assert whole(store)


def test_a_backfill_waits_while_a_nightly_runs(store: Store) -> None:
    quick.deliver(store, D2, 20)
    steps.receive(quick.job(store, D2))
    with another(store, D1) as _:
        pass
    begun = threading.Event()
    holder = threading.Thread(target=_hold, args=(store, begun, 0.5))
    holder.start()
    begun.wait()
    started = time.monotonic()
    steps.after_nightly(store)
    assert time.monotonic() - started > 0.3
    holder.join()


def _hold(store: Store, begun: threading.Event, seconds: float) -> None:
    with store_module.lock_file(store.state / "nightly", wait=True):
        begun.set()
        time.sleep(seconds)


@pytest.mark.parametrize("at", ["parquet", "manifest.json", "channel"])
def test_a_full_disk_fails_the_night_and_the_next_run_completes_it(
    store: Store, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.deliver(store, D2, 20)
    with monkeypatch.context() as full:
        _fill(full, at)
        with pytest.raises(OSError, match="No space left"), reader(store) as wrong:
            steps.nightly(quick.job(store, D2))
    assert wrong == []
    assert whole(store)
    steps.nightly(quick.job(store, D2))
    pointer = releases.channel(store, "current")
    assert pointer is not None
    assert pointer["release_id"] == "2016.01.01"
    assert [r.release_id for r in releases.listing(store)] == ["2015.12.31", "2016.01.01"]


def _fill(full: pytest.MonkeyPatch, at: str) -> None:
    """From here on there is no room: while tables are copied, for the manifest, for the pointer."""

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write = releases.write_atomically

    def some_room(path: Path, data: bytes, **given: bool) -> None:
        if path.name == at:
            no_room()
        write(path, data, **given)

    if at == "parquet":
        full.setattr("warehouse.pipeline.shutil.copytree", no_room)
    elif at == "channel":
        full.setattr(releases, "_replace", no_room)
    else:
        full.setattr(releases, "write_atomically", some_room)


def test_a_full_disk_is_told_without_traceback(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quick.deliver(store, D2, 20)
    _fill(monkeypatch, "parquet")
    where = ["--store", str(store.root), "--config", str(quick.REGISTRY)]
    assert main(["run", "--direct", "--as-of", f"{D2}", *where]) == 1
    told = capsys.readouterr().err
    assert "No space left on device" in told
    assert "Traceback" not in told


def test_a_store_that_cannot_be_written_is_told_without_traceback(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tests may run as root, whom no mode stops: the first write is refused as a mount would."""

    def read_only(path: object, *_: object, **__: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(store_module.os, "open", read_only)
    where = ["--store", str(store.root), "--config", str(quick.REGISTRY)]
    code = main(["run", "--direct", "--as-of", f"{D2}", *where])
    told = capsys.readouterr().err
    assert code in (1, 2)
    assert "Read-only file system" in told
    assert "Traceback" not in told


def test_a_clock_set_back_changes_neither_release_nor_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in force and what is newest follow from nights and numbers, not from the clock."""
    monkeypatch.setattr(steps, "_now", lambda: datetime(1999, 1, 1, tzinfo=UTC))
    quick.deliver(store, D1, 11)
    steps.nightly(quick.job(store, D1))
    quick.deliver(store, D2, 20)
    steps.nightly(quick.job(store, D2))
    assert [r.release_id for r in releases.listing(store)] == [
        "2015.12.31", "2015.12.31.2", "2016.01.01",
    ]  # fmt: skip
    assert steps.nightly(quick.job(store, D2)).nothing_to_do
    pointer = releases.channel(store, "current")
    assert pointer is not None
    assert pointer["release_id"] == "2016.01.01"


def test_a_raw_file_that_changed_is_refused_by_name(store: Store) -> None:
    receipt = visible(store, quick.SITE, D1)
    assert receipt is not None
    path = store.payload(quick.SITE, receipt.delivery_id) / f"{quick.SITE}.csv"
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(BadDelivery, match=r"radiant4_os.csv: not as it was received"):
        raw_tables(store, receipt, quick.registry().sites[quick.SITE])
    path.unlink()
    with pytest.raises(BadDelivery, match=r"radiant4_os.csv: not as it was received"):
        raw_tables(store, receipt, quick.registry().sites[quick.SITE])


def test_a_lost_ledger_costs_no_release(store: Store) -> None:
    store.ledger.unlink()
    assert steps.nightly(quick.job(store, D1)).nothing_to_do
    assert [r["outcome"] for r in ledger.runs(store)] == ["published", "unchanged"]


def test_a_run_killed_between_placing_and_pointing_is_completed_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.deliver(store, D2, 20)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(releases, "point", die)
        with pytest.raises(KeyboardInterrupt):
            steps.nightly(quick.job(store, D2))
    pointer = releases.channel(store, "current")
    assert pointer is not None
    assert pointer["release_id"] == "2015.12.31"
    assert steps.nightly(quick.job(store, D2)).nothing_to_do
    pointer = releases.channel(store, "current")
    assert pointer is not None
    assert pointer["release_id"] == "2016.01.01"


def test_a_candidate_judged_against_another_release_is_judged_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a night was built, an earlier one was published: movement counts from that."""
    for day, patients in ((D2, 20), (D3, 30)):
        quick.deliver(store, day, patients)
    judged: list[tuple[str | None, str]] = []
    judge = pipeline._judged

    def note(*given: object) -> object:
        found = judge(*given)  # type: ignore[arg-type]
        judged.append((found["compared_with"], found["release"]))
        return found

    monkeypatch.setattr(pipeline, "_judged", note)
    later = quick.job(store, D3)
    steps.receive(later)
    plan = steps.again(later)
    steps.nightly(quick.job(store, D2))
    pipeline.publish(store, plan, datetime.now(UTC))
    assert judged == [("2015.12.31", "2016.01.01"), ("2016.01.01", "2016.01.02")]

"""A migration that is killed is finished or taken back; what cannot be migrated stays as it is."""

import os
import shutil
import signal
from collections import namedtuple
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flows.__main__ import main
from schemas.errors import Locked, Refused
from tests.upgrading.conftest import photograph, small_store
from warehouse import store as store_module
from warehouse.store import LAYOUT_VERSION, Store
from warehouse.upgrading import layouts, migration
from warehouse.upgrading.edits import Edit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REPLACED = '{"release_id": null, "history": []}'
MOST = 80
"""More moments than a migration of the small store has."""
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return small_store(tmp_path / "store")


def killed_at(moment: int, work: Callable[[], Any]) -> bool:
    """Whether a process that does the work was killed at the n-th change of a path."""
    child = os.fork()
    if child == 0:
        count = 0

        def counted(change: Callable[..., Any]) -> Callable[..., Any]:
            def changed(*given: Any, **named: Any) -> Any:
                nonlocal count
                count += 1
                if count == moment:
                    os.kill(os.getpid(), signal.SIGKILL)
                return change(*given, **named)

            return changed

        for name in ("rename", "replace", "chmod", "mkdir", "unlink"):
            setattr(Path, name, counted(getattr(Path, name)))
        shutil.rmtree = counted(shutil.rmtree)  # type: ignore[assignment]
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def moments(work: Callable[[], Any], anew: Callable[[], None]) -> Iterator[int]:
    """Kill the work at every change of a path, one after the other, each time begun anew."""
    for moment in range(1, MOST):
        anew()
        if not killed_at(moment, work):
            return
        yield moment
    pytest.fail("the work has more moments than were tried")


def test_a_migration_killed_at_any_moment_is_finished_or_taken_back(tmp_path: Path) -> None:
    root = tmp_path / "store"

    def anew() -> None:
        shutil.rmtree(root, ignore_errors=True)
        small_store(root)

    anew()
    store = Store(root)
    before = photograph(store)
    migration.apply(store, NOW)
    wanted = photograph(store)
    tried = 0
    for moment in moments(lambda: migration.apply(store, NOW), anew):
        copy = Store(Path(shutil.copytree(root, tmp_path / f"copy{moment}")))
        migration.apply(store, NOW)
        assert photograph(store) == wanted, moment
        if copy.migration.exists():
            migration.rollback(copy)
        assert photograph(copy) == before, moment
        tried += 1
    assert tried > 20


def test_a_way_back_killed_at_any_moment_is_finished_or_gone_again(tmp_path: Path) -> None:
    root = tmp_path / "store"

    def anew() -> None:
        shutil.rmtree(root, ignore_errors=True)
        migration.apply(small_store(root), NOW)

    store = small_store(root)
    before = photograph(store)
    anew()
    wanted = in_use(store)
    tried = 0
    for moment in moments(lambda: migration.rollback(store), anew):
        copy = Store(Path(shutil.copytree(root, tmp_path / f"copy{moment}")))
        if store.migration.exists():
            migration.rollback(store)
        assert photograph(store) == before, moment
        migration.apply(copy, NOW)
        assert in_use(copy) == wanted, moment
        tried += 1
    assert tried > 20


def in_use(store: Store) -> dict[str, tuple[int, bytes]]:
    """A store without what is kept to go back."""
    return {n: p for n, p in photograph(store).items() if not n.startswith("migration/")}


def test_no_version_opens_a_store_between_two_layouts(store: Store) -> None:
    assert killed_at(14, lambda: migration.apply(store, NOW))
    assert store.layout_version() == "1 to 2"
    with pytest.raises(Refused, match="was interrupted"):
        Store.open(store.root)
    assert migration.plan(store).interrupted


def test_a_store_in_use_is_left_alone(store: Store) -> None:
    before = photograph(store)
    with store.lock(wait=False), pytest.raises(Locked):
        migration.apply(store, NOW)
    with store.lock(wait=False):
        assert main(["migrate", "--apply", "--store", str(store.root)]) == 4
    assert photograph(store) == before


def test_a_disk_without_room_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = photograph(store)
    monkeypatch.setattr(migration.shutil, "disk_usage", lambda _: Usage(10, 10, 0))
    with pytest.raises(Refused, match="Make room; nothing was changed"):
        migration.apply(store, NOW)
    assert photograph(store) == before


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ("3", "newer version of y90"),
        ("0", "layout version '0'"),
        ("", "names no layout"),
        ("quatre", "names no layout"),
    ],
)
@pytest.mark.parametrize("word", ["--plan", "--apply", "--rollback"])
def test_a_layout_that_no_record_leads_from_is_refused(
    store: Store, layout: str, told: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store.layout_file.write_text(layout)
    before = photograph(store)
    assert main(["migrate", word, "--store", str(store.root)]) == 2
    assert told in capsys.readouterr().err
    assert photograph(store) == before


@pytest.mark.parametrize("word", ["--plan", "--apply", "--rollback"])
def test_a_folder_that_is_no_store_is_refused(
    tmp_path: Path, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    assert main(["migrate", word, "--store", str(tmp_path)]) == 2
    assert "no store of y90" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_all_damage_is_told_at_once_and_nothing_is_changed(store: Store) -> None:
    (store.release("2020.01.01") / "manifest.json").write_text("{")
    receipt = store.receipts("north") / "2020-01-01-1.json"
    receipt.parent.mkdir(parents=True)
    receipt.write_text("{")
    store.channel("stable").write_text('{"release_id": "2019.01.01"}')
    before = photograph(store)
    with pytest.raises(Refused) as told:
        migration.apply(store, NOW)
    for words in ("2020.01.01/manifest.json", "2020-01-01-1", "names 2019.01.01", "from a copy"):
        assert words in str(told.value)
    assert photograph(store) == before


def test_a_journal_that_is_lost_is_said(store: Store) -> None:
    store.layout_file.write_text("1 to 2\n")
    with pytest.raises(Refused, match="its journal is missing"):
        migration.apply(store, NOW)


def test_records_lead_from_each_layout_to_the_next_and_to_todays() -> None:
    names = [change.before for change in layouts.CHANGES]
    assert [change.after for change in layouts.CHANGES] == [*names[1:], LAYOUT_VERSION]


def test_a_further_layout_is_one_record(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def edits(_store: Store, _group: int | None) -> Iterator[Edit]:
        yield Edit("write", "state/new/file.json", text="{}")
        yield Edit("write", "channels/current.json", text=REPLACED)
        yield Edit("remove", "inbox/north/2020-01-01/patients.csv")

    step = layouts.Step("invented", "Three kinds of edits.", edits)
    further = layouts.Change(LAYOUT_VERSION, "3", (step,), ())
    for module in (migration, store_module):
        monkeypatch.setattr(module, "LAYOUT_VERSION", "3")
    monkeypatch.setattr(layouts, "CHANGES", (*layouts.CHANGES, further))
    before = photograph(store)
    assert [s.change for s in migration.plan(store).steps] == ["1-2"] * 3 + ["2-3"]
    assert migration.apply(store, NOW) == ("1-2", "2-3")
    assert store.channel("current").read_text() == REPLACED
    assert (store.state / "new" / "file.json").read_text() == "{}"
    assert migration.rollback(store) == ("2-3", "1-2")
    left = photograph(store)
    left.pop("state/new", None)
    assert left == before


def test_migrations_past_layout_9_are_taken_back_newest_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As text 9-10 would come after 10-11, and be passed over."""

    def edits(_store: Store, _group: int | None) -> Iterator[Edit]:
        yield Edit("write", "channels/current.json", text=REPLACED)

    step = layouts.Step("invented", "An edit.", edits)
    versions = [str(n) for n in range(2, 12)]
    further = [layouts.Change(a, b, (step,), ()) for a, b in pairwise(versions)]
    for module in (migration, store_module):
        monkeypatch.setattr(module, "LAYOUT_VERSION", versions[-1])
    monkeypatch.setattr(layouts, "CHANGES", (layouts.CHANGES[0], *further))
    before = photograph(store)
    names = migration.apply(store, NOW)
    assert names[-2:] == ("9-10", "10-11")
    assert migration.rollback(store) == tuple(reversed(names))
    assert photograph(store) == before


def test_the_group_of_the_analysts_gets_what_was_published_before(store: Store) -> None:
    """And loses it again on the way back."""
    before = photograph(store)
    group = 1 if os.geteuid() == 0 else os.getgid()
    migration.apply(store, NOW, group)
    release = store.release("2020.01.01")
    assert release.stat().st_mode & 0o7777 == 0o2750
    assert {p.stat().st_gid for p in (release, *release.rglob("*"))} == {group}
    migration.rollback(store)
    assert photograph(store) == before
    assert {p.stat().st_gid for p in release.rglob("*")} == {store.layout_file.stat().st_gid}

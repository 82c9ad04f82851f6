"""What another Unix user of the machine can reach of a store, tried as that user.

The user is a number without an account and, for the analyst, a group; root becomes them in a child
process. Without root there is no second user, and nothing is tested.
"""

import grp
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import steps
from flows.prefect import server
from schemas.errors import Refused
from schemas.settings import Registry, StoreSettings
from tests.support import quick_nights as quick
from warehouse.releases import decisions
from warehouse.store import Store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
OTHER = 64321
ANALYSTS = "users"
CLOSED = ("raw", "work", "state", "prefect")
OPEN = ("releases", "channels")


def registry(group: str | None) -> Registry:
    """The quick registry, with a group of analysts."""
    known = quick.registry()
    return replace(known, file=known.file.model_copy(update={"store": StoreSettings(group=group)}))


@pytest.fixture(params=[0o022, 0o077], ids=["umask 022", "umask 077"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store with a release, a decision and a credential, in a folder that all may pass."""
    before = os.umask(request.param)
    folder = Path(tempfile.mkdtemp(prefix="y90-second-user-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        quick.invent(monkeypatch.setattr)
        made = Store.open(folder / "store")
        made.root.chmod(0o755)
        quick.deliver(made, quick.FIRST, 10)
        steps.nightly(replace(quick.job(made, quick.FIRST), registry=registry(ANALYSTS)))
        decisions.promote(made, "current", "a paper", datetime.now(UTC), "ada")
        (made.prefect).mkdir(mode=0o755, exist_ok=True)
        server.credential(made)
        made.work.mkdir(exist_ok=True)
        (made.work / "scratch").write_text("a row")
        steps.receive(replace(quick.job(made, quick.FIRST), registry=registry(ANALYSTS)))
        yield made
    finally:
        os.umask(before)
        shutil.rmtree(folder)


def as_other(tried: Callable[[], list[str]], *groups: int) -> list[str]:
    """What a function says when another user calls it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(list(groups))
            os.setgid(OTHER)
            os.setuid(OTHER)
            os.write(writing, json.dumps(tried()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return list(json.loads(told))


def below(store: Store, *rooms: str) -> list[Path]:
    """Every file of these rooms, as their owner sees them."""
    found = [p for room in rooms for p in sorted((store.root / room).rglob("*")) if p.is_file()]
    assert {p.relative_to(store.root).parts[0] for p in found} == set(rooms)
    return found


def readable(paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        try:
            path.read_bytes()
        except PermissionError:
            continue
        found.append(str(path))
    return found


def writable(folders: list[Path]) -> list[str]:
    found = []
    for folder in folders:
        try:
            (folder / "planted").write_text("x")
        except PermissionError:
            continue
        found.append(str(folder))
    return found


def test_another_user_reads_nothing_and_writes_nowhere(store: Store) -> None:
    files = below(store, *CLOSED, *OPEN)
    assert as_other(lambda: readable(files)) == []
    folders = [store.root, *{p.parent for p in files}]
    assert as_other(lambda: writable(folders)) == []


def test_an_analyst_reads_releases_and_channels_alone_and_writes_nowhere(store: Store) -> None:
    analysts = grp.getgrnam(ANALYSTS).gr_gid
    published, rest = below(store, *OPEN), below(store, *CLOSED)
    assert as_other(lambda: readable(published), analysts) == [str(p) for p in published]
    assert as_other(lambda: readable(rest), analysts) == []
    folders = [store.root, *{p.parent for p in published}]
    assert as_other(lambda: writable(folders), analysts) == []


def test_releases_are_0640_and_0750(store: Store) -> None:
    for path in store.releases.rglob("*"):
        wanted = 0o750 if path.is_dir() else 0o640
        assert path.stat().st_mode & 0o777 == wanted, path


def test_the_credential_is_for_its_owner_alone(store: Store) -> None:
    path = server.credential_file(store)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(server.credential(store)) > 40
    assert server.credential(store) == server.credential(store)


def test_a_group_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(Refused, match="nobody-has-this: this machine has no such group"):
        steps.receive(replace(quick.job(store, quick.FIRST), registry=registry("nobody-has-this")))

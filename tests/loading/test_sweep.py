"""What a crash leaves half-written is removed; what a living process writes is not."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.site import Site
from warehouse.receiving.inbox import receive
from warehouse.store import Store, create_atomically, new_folder, sweep

WRITER = """
import sys
from pathlib import Path
from warehouse.store import new_folder
with new_folder(Path(sys.argv[1])) as fresh:
    (fresh / "part").write_text("half")
    print(fresh, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of writing a folder."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "whole")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        yield running, Path(running.stdout.readline().strip())
        running.kill()


def test_what_a_living_process_writes_is_left_and_becomes_whole(tmp_path, writer):
    running, fresh = writer
    sweep(tmp_path)
    assert (fresh / "part").read_text() == "half"
    running.communicate("go on\n")
    assert (tmp_path / "whole" / "part").read_text() == "half"


def test_what_a_killed_process_wrote_is_removed(tmp_path, writer):
    running, fresh = writer
    running.kill()
    running.wait()
    assert fresh.is_dir()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_swept_before_it_is_held_is_made_again(tmp_path, monkeypatch):
    """Between making and holding it another process may look."""
    from warehouse import store

    hold, swept = store.fcntl.flock, []

    def late(handle, how):
        if not swept:
            swept.append(handle)
            for path in tmp_path.iterdir():
                path.rmdir()
        hold(handle, how)

    monkeypatch.setattr(store.fcntl, "flock", late)
    with new_folder(tmp_path / "whole") as fresh:
        (fresh / "part").touch()
    assert [p.name for p in (tmp_path / "whole").iterdir()] == ["part"]


def test_receiving_sweeps_the_site_and_leaves_what_centres_sent(tmp_path):
    """Left-overs hold patients: a purge would not find them."""
    store, site = Store.open(tmp_path), Site(site_id="north")
    folder = store.site_inbox("north") / "2026-02-01"
    folder.mkdir(parents=True)
    (folder / "patients.csv").write_text("patient_id,sex\n1,female\n")
    left = [
        store.deliveries("north") / ".tmp-a" / "files",
        store.receipts("north"),
        store.raw_tables("north", "d") / ".tmp-b",
        store.payload("north", "d") / ".tmp-theirs",
    ]
    for path in left:
        path.mkdir(parents=True)
        (path / ".tmp-c").touch()
    (receipt,) = receive(store, site, now=datetime(2026, 2, 1, tzinfo=UTC)).receipts
    assert receipt.accepted
    unfinished = {p.relative_to(store.raw).as_posix() for p in store.raw.rglob(".tmp-*")}
    assert unfinished == {
        "north/deliveries/d/files/.tmp-theirs",
        "north/deliveries/d/files/.tmp-theirs/.tmp-c",
    }


def test_a_file_that_exists_is_not_replaced_and_leaves_nothing(tmp_path):
    create_atomically(tmp_path / "a", b"1")
    with pytest.raises(FileExistsError):
        create_atomically(tmp_path / "a", b"2")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]

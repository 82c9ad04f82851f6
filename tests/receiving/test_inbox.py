"""Arrivals become receipts: once per content, in force by date, refused with a reason."""

import gzip
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.errors import Locked, Refused
from schemas.site import Site
from warehouse.intake.formats import archives
from warehouse.intake.raw import raw_tables
from warehouse.receiving import inbox
from warehouse.receiving.inbox import in_force, receipts, receive, visible
from warehouse.store import Store, lock_file, write_atomically

SITE = Site(site_id="north", tables={"patients": [{}]})
A, B = b"patient_id,sex\n1,female\n", b"patient_id,sex\n1,male\n"
NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "store")


def drop(store, day, site=SITE, **files):
    """Put files into a date folder; `patients` becomes patients.csv."""
    folder = store.site_inbox(site.site_id) / day
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / (name if "." in name else f"{name}.csv")).write_bytes(data)
    return folder


def look(store, hours=0, site=SITE):
    return receive(store, site, now=NOW + timedelta(hours=hours))


def refused(store, site=SITE):
    """The reason of the one receipt written now, which must be a refusal."""
    (receipt,) = look(store, site=site).receipts
    assert receipt.status == "refused"
    assert visible(store, site.site_id, date(2030, 1, 1)) is None
    return receipt.reason


def test_an_export_is_kept_as_received_and_answered_by_a_receipt(store):
    folder = drop(store, "2026-02-01", patients=A)
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}
    (receipt,) = look(store).receipts
    assert (receipt.receipt_id, receipt.status, receipt.arrival) == (
        "2026-02-01-1",
        "accepted",
        NOW,
    )
    assert (store.payload("north", receipt.delivery_id) / "patients.csv").read_bytes() == A
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()} == before
    facts = json.loads((store.receipts("north") / "2026-02-01-1.json").read_text())
    assert facts["files"] == [
        {
            "name": "patients.csv",
            # printf 'patient_id,sex\n1,female\n' | sha256sum
            "sha256": "2d3e839042c2510e7b918d5fe7e7ab83137e4b657556634247ebab8ef45086fa",
            "size": 24,
        }
    ]


def test_a_delivery_id_is_the_hash_of_the_sorted_names_and_hashes(store):
    drop(store, "2026-02-01", patients=A, labs=b"x\n")
    drop(store, "2026-02-02", labs=b"x\n", patients=A)
    one, two = look(store).receipts
    assert one.delivery_id == two.delivery_id
    assert len(list(store.deliveries("north").iterdir())) == 1


def test_what_is_kept_is_for_its_owner_only(store):
    drop(store, "2026-02-01", patients=A)
    look(store)
    for path in store.raw.rglob("*"):
        if path.name != "contents.json" and path.suffix != ".parquet":
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_same_bytes_again_are_a_recorded_no_op(store):
    folder = drop(store, "2026-02-01", patients=A)
    look(store)
    assert look(store, 1) == inbox.Received("north", unchanged=1)
    (folder / "patients.csv").write_bytes(A)
    assert look(store, 2).unchanged == 1
    for cache in store.state.glob("inbox-*"):
        cache.unlink()
    assert look(store, 3).unchanged == 1
    assert len(receipts(store, "north")) == 1


def test_files_that_were_only_touched_are_not_judged_again(store, monkeypatch):
    """The content was accepted before: it is read, held against who was purged, and no more."""
    folder = drop(store, "2026-02-01", patients=A)
    look(store)

    def never(*_):
        raise AssertionError("judged again")

    monkeypatch.setattr("warehouse.receiving.worth.judged", never)
    monkeypatch.setattr("warehouse.receiving.fit.refuse_misfit", never)
    (folder / "patients.csv").unlink()
    (folder / "patients.csv").write_bytes(A)
    received = look(store, 1)
    assert (received.unchanged, received.receipts, received.faults) == (1, (), ())
    (folder / "patients.csv").write_bytes(B)
    (fault,) = look(store, 2).faults
    assert fault.kind == "AssertionError"


def test_a_folder_that_changed_is_a_further_arrival_of_its_date(store):
    drop(store, "2026-02-01", patients=A)
    look(store)
    drop(store, "2026-02-01", patients=B)
    look(store, 1)
    assert [r.receipt_id for r in receipts(store, "north")] == ["2026-02-01-1", "2026-02-01-2"]
    assert visible(store, "north", date(2026, 2, 1)).receipt_id == "2026-02-01-2"


def test_a_correction_that_is_reverted_is_in_force_again(store):
    for day, data in (("2026-02-01", A), ("2026-02-02", B), ("2026-02-03", A)):
        drop(store, day, patients=data)
        look(store)
    first, second, third = (visible(store, "north", date(2026, 2, n)) for n in (1, 2, 3))
    assert first.delivery_id == third.delivery_id != second.delivery_id
    assert third.receipt_id == "2026-02-03-1"
    assert visible(store, "north", date(2026, 1, 31)) is None
    assert len(list(store.deliveries("north").iterdir())) == 2


def test_a_late_arrival_is_in_force_only_from_its_extraction_date(store):
    drop(store, "2026-02-02", patients=B)
    look(store)
    drop(store, "2026-02-01", patients=A)
    look(store, 1)
    assert visible(store, "north", date(2026, 2, 1)).receipt_id == "2026-02-01-1"
    assert visible(store, "north", date(2026, 2, 3)).receipt_id == "2026-02-02-1"


def test_a_refused_arrival_leaves_the_last_good_one_in_force(store):
    drop(store, "2026-02-01", patients=A)
    drop(store, "2026-02-02", patients=b"patient_id,sex\n1,female,extra\n")
    good, bad = look(store).receipts
    assert (good.status, bad.status) == ("accepted", "refused")
    assert "patients.csv row 1: too many fields" in bad.reason
    assert visible(store, "north", date(2026, 2, 9)) == good
    assert look(store, 1).receipts == ()
    drop(store, "2026-02-02", patients=B)
    (mended,) = look(store, 2).receipts
    assert (mended.receipt_id, mended.status) == ("2026-02-02-2", "accepted")
    assert [r.receipt_id for r in in_force(store, "north", date(2026, 2, 9))] == [
        "2026-02-02-2",
        "2026-02-01-1",
    ]


def test_a_refused_arrival_is_tried_again_when_the_site_file_reads_otherwise(store):
    drop(store, "2026-02-01", patients=A)
    asking = Site(site_id="north", tables={"patients": [{}], "labs": [{}]})
    (bad,) = look(store, site=asking).receipts
    assert "labs: declared in the site file, but missing" in bad.reason
    (good,) = look(store).receipts
    assert good.accepted


def test_every_problem_is_told_at_once(store):
    folder = drop(store, "2026-02-01", patients=b"a,a\n", labs=b"")
    (folder / "lesions.csv").write_bytes(b"x,y\n1\n")
    reason = refused(store)
    assert reason.startswith("north/2026-02-01: 3 problems.")
    for part in ("patients.csv: column 2", "labs.csv: the file is empty", "lesions.csv row 1"):
        assert part in reason


def test_a_folder_name_that_is_no_date_is_told(store):
    for name in ("2026-13-01", "march", "20260301", "2026-02-30"):
        drop(store, name, patients=A)
    drop(store, "README").joinpath("x").write_bytes(b"")
    drop(store, ".hidden")
    (store.site_inbox("north") / "loose.csv").write_bytes(A)
    found = look(store)
    assert found.receipts == ()
    assert len(found.problems) == 5
    assert all("YYYY-MM-DD" in p for p in found.problems)


def test_an_empty_folder_is_refused(store):
    drop(store, "2026-02-01", **{"README.txt": b"hello", ".DS_Store": b"x"})
    assert "the folder is empty" in refused(store)


def test_files_that_nobody_declared_are_kept_and_told(store):
    drop(store, "2026-02-01", patients=A, **{"notes.pdf": b"%PDF", "other.csv": b"x\n"})
    (receipt,) = look(store).receipts
    assert receipt.accepted
    assert sorted(receipt.notices) == [
        "notes.pdf: not declared in the site file, kept but not read",
        "other.csv: not declared in the site file, kept but not read",
    ]


def test_a_file_that_changes_while_it_is_read_is_refused_and_tried_again(store, monkeypatch):
    folder = drop(store, "2026-02-01", patients=A)
    digest = inbox._digest

    def growing(path, to=None):
        result = digest(path, to)
        if path.parent == folder:
            with path.open("ab") as file:
                file.write(b"2,male\n")
        return result

    monkeypatch.setattr(inbox, "_digest", growing)
    assert "changed while it was read" in refused(store)
    assert receipts(store, "north")[0].delivery_id == ""
    monkeypatch.undo()
    (receipt,) = look(store, 1).receipts
    assert receipt.accepted


def test_a_file_that_arrives_while_the_folder_is_read_is_refused(store, monkeypatch):
    folder = drop(store, "2026-02-01", patients=A)
    digest = inbox._digest

    def arriving(path, to=None):
        (folder / "labs.csv").write_bytes(b"x\n")
        return digest(path, to)

    monkeypatch.setattr(inbox, "_digest", arriving)
    assert "changed while it was read" in refused(store)


def test_an_upload_that_is_not_finished_is_refused(store):
    drop(store, "2026-02-01", patients=A, **{"labs.csv.part": b"x"})
    assert "not finished" in refused(store)


def test_a_symlink_that_leads_outside_is_refused(store, tmp_path):
    (tmp_path / "secret.csv").write_bytes(A)
    folder = drop(store, "2026-02-01")
    (folder / "patients.csv").symlink_to(tmp_path / "secret.csv")
    assert "symbolic link that leads elsewhere" in refused(store)
    assert not store.deliveries("north").exists()


@pytest.mark.parametrize("target", ["..", "/etc", "nowhere", "patients.csv"])
def test_a_symlink_to_a_folder_or_to_nothing_or_to_itself_is_refused(store, target):
    folder = drop(store, "2026-02-01", labs=b"x\n")
    (folder / "patients.csv").symlink_to(target)
    assert "symbolic link" in refused(store)


def test_a_date_folder_that_is_a_symlink_is_refused(store, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "patients.csv").write_bytes(A)
    store.site_inbox("north").mkdir(parents=True)
    (store.site_inbox("north") / "2026-02-01").symlink_to(tmp_path / "elsewhere")
    assert "the folder is a symbolic link" in refused(store)


def test_a_symlink_within_the_folder_is_followed(store):
    folder = drop(store, "2026-02-01", **{"export.dat": A})
    (folder / "patients.csv").symlink_to("export.dat")
    (receipt,) = look(store).receipts
    assert receipt.accepted
    kept = store.payload("north", receipt.delivery_id) / "patients.csv"
    assert not kept.is_symlink()
    assert kept.read_bytes() == A


def test_a_pipe_is_refused_without_waiting_for_it(store):
    folder = drop(store, "2026-02-01", patients=A)
    os.mkfifo(folder / "labs.csv")
    assert "labs.csv: not a file" in refused(store)


def packed(*members):
    """A zip archive of (name, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    "name", ["../patients.csv", "a/../../patients.csv", "/tmp/patients.csv", "C:\\patients.csv"]
)
def test_an_archive_whose_names_climb_is_refused(store, tmp_path, name):
    drop(store, "2026-02-01", **{"export.zip": packed((name, A), ("labs.csv", b"x\n"))})
    assert "climbs out of the archive" in refused(store)
    assert not list(tmp_path.rglob("patients.csv"))


def test_an_archive_that_explodes_is_refused(store, monkeypatch):
    monkeypatch.setattr(archives, "RATIO_FROM_BYTES", 2**20)
    bomb = b"\0" * (3 * 2**20)
    drop(store, "2026-02-01", **{"export.zip": packed(("patients.csv", bomb))})
    assert "unpacks to more than" in refused(store)
    drop(store, "2026-02-02", **{"patients.csv.gz": gzip.compress(bomb)})
    assert "unpacks to more than" in refused(store)


def test_an_archive_larger_than_the_limit_is_refused_whatever_its_ratio(store, monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 2**20)
    data = os.urandom(2 * 2**20)
    drop(store, "2026-02-01", **{"export.zip": packed(("patients.csv", data))})
    assert "unpacks to more than" in refused(store)


def test_raw_tables_are_text_with_file_and_row(store):
    drop(
        store, "2026-02-01", **{"export.zip": packed(("d/patients.csv", b"patient_id,sex\n007,\n"))}
    )
    (receipt,) = look(store).receipts
    (path,) = raw_tables(store, receipt, SITE).values()
    assert pq.read_table(path).to_pylist() == [
        {
            "patient_id": "007",
            "sex": None,
            "source_file": "export.zip/d/patients.csv",
            "source_row": 1,
        }
    ]
    assert raw_tables(store, receipt, SITE) == {"patients": path}


ORDINARY = """
import os, sys
from datetime import datetime
from pathlib import Path
from schemas.site import Site
from warehouse.receiving.inbox import receive
from warehouse.store import Store
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
site = Site(site_id="north", tables={"patients": [{}]})
found = receive(Store.open(Path(sys.argv[1])), site, now=datetime(2026, 3, 1))
print(*[r.status + ": " + r.reason for r in found.receipts], *found.problems, sep="\\n")
"""


def as_ordinary_user(root):
    """Receive in a process that is not root."""
    done = subprocess.run(
        [sys.executable, "-c", ORDINARY, str(root)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def open_store(tmp_path):
    """A store that an ordinary user may write to, also when the tests run as root."""
    root = Path(tempfile.mkdtemp(dir="/tmp"))
    store = Store.open(root / "store")
    drop(store, "2026-02-01", patients=A)
    yield store
    for path in root.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(root)


def hand_over(store):
    if os.getuid() == 0:
        for path in [store.root.parent, *store.root.parent.rglob("*")]:
            os.chown(path, 65534, 65534)


def test_a_file_without_read_permission_is_refused(open_store):
    hand_over(open_store)
    (open_store.site_inbox("north") / "2026-02-01" / "patients.csv").chmod(0)
    said = as_ordinary_user(open_store.root)
    assert "refused" in said
    assert "patients.csv: cannot be read. Give this user read access." in said


def test_a_folder_without_read_permission_is_refused(open_store):
    hand_over(open_store)
    (open_store.site_inbox("north") / "2026-02-01").chmod(0)
    assert "cannot be listed. Give this user read access." in as_ordinary_user(open_store.root)


def test_an_inbox_without_read_permission_is_told(open_store):
    hand_over(open_store)
    open_store.site_inbox("north").chmod(0)
    assert "inbox/north: cannot be listed" in as_ordinary_user(open_store.root)


def test_a_crash_while_copying_leaves_nothing_that_is_read(store, monkeypatch):
    drop(store, "2026-02-01", patients=A)

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(inbox, "_copy_all", crash)
    with pytest.raises(KeyboardInterrupt):
        look(store)
    assert receipts(store, "north") == []
    monkeypatch.undo()
    (receipt,) = look(store).receipts
    assert receipt.accepted


def test_a_store_of_another_layout_is_refused(store):
    write_atomically(store.layout_file, b"3\n")
    with pytest.raises(Refused, match=r"layout version '3'.*newer"):
        Store.open(store.root)


def test_the_lock_is_refused_without_waiting_while_another_holds_it(store):
    with (
        store.lock(wait=False),
        pytest.raises(Locked, match="held by another run"),
        store.lock(wait=False),
    ):
        pytest.fail("two runs held the store")
    with store.lock(wait=True):
        pass


def test_a_file_system_without_locks_is_refused(store, monkeypatch):
    monkeypatch.setattr("warehouse.store.fcntl.flock", lambda *_: None)
    with pytest.raises(Refused, match="keeps no locks"), lock_file(store.state / "x", wait=True):
        pytest.fail("went on without a lock")

"""The person on duty hears what is wrong, and only that."""

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from flows import backfill, schedule, steps
from flows.__main__ import main
from flows.telling import digest, journal, notify, status
from schemas.errors import Locked
from schemas.settings import Registry, RegistryFile
from schemas.tables.changes import Changes, StatisticChange
from tests.support import quick_nights as quick
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.releases import decisions, ledger, releases, retention
from warehouse.store import Store

D1, D2, D3 = (quick.FIRST + timedelta(days=n) for n in range(3))
NOON = datetime(2016, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    quick.invent(monkeypatch.setattr)
    return Store.open(tmp_path / "store")


def registry(**given: object) -> Registry:
    known = quick.registry()
    return Registry(known.file.model_copy(update=given), known.sites, known.folder)


def expecting(days: int) -> Registry:
    known = quick.registry()
    site = known.sites[quick.SITE].model_copy(update={"expected_every_days": days})
    return Registry(known.file, {quick.SITE: site}, known.folder)


def run(store: Store, night: date, patients: int = 0) -> steps.Outcome:
    if patients:
        quick.deliver(store, night, patients)
    return steps.nightly(quick.job(store, night))


def test_age_counts_from_the_hour_at_which_the_night_was_due(store: Store) -> None:
    run(store, D1, 10)
    found = status.status(store, registry(schedule="0 4 * * *"), NOON)
    assert (found.current, found.fresh_as_of, found.age_hours) == ("2015.12.31", "2015-12-31", 32.0)
    assert not status.stale(found, timedelta(hours=32))
    assert status.stale(found, timedelta(hours=31))
    run(store, D2)
    found = status.status(store, registry(), NOON)
    assert (found.as_of, found.fresh_as_of, found.age_hours) == ("2015-12-31", "2016-01-01", 8.0)


def test_nothing_published_is_stale(store: Store) -> None:
    assert status.stale(status.status(store, registry(), NOON), None)


def test_a_refused_delivery_shows_although_the_night_had_nothing_to_do(store: Store) -> None:
    """The release in force was made before it; whoever is on duty must hear of it all the same."""
    run(store, D1, 10)
    folder = store.site_inbox(quick.SITE) / D2.isoformat()
    folder.mkdir()
    (folder / "other.csv").write_text("patient_id\n1\n")
    assert run(store, D2).nothing_to_do
    (why,) = status.status(store, registry(), NOON).degraded.values()
    assert "declared in the site file, but missing" in why
    quick.deliver(store, D3, 10)
    run(store, D3)
    after = datetime(2016, 1, 2, 12, tzinfo=UTC)
    assert status.status(store, registry(), after).degraded == {}


def test_missed_nights_are_those_of_the_schedule_without_a_run(store: Store) -> None:
    run(store, D1, 10)
    later = datetime(2016, 1, 4, 12, tzinfo=UTC)
    found = status.status(store, registry(), later)
    assert found.missed_nights == ["2016-01-01", "2016-01-02", "2016-01-03", "2016-01-04"]
    before_four = datetime(2016, 1, 4, 3, tzinfo=UTC)
    assert status.status(store, registry(), before_four).missed_nights[-1] == "2016-01-03"
    run(store, date(2016, 1, 4))
    where = backfill.Place(store, quick.registry(), DEMONSTRATION_KEY)
    backfill.begin(
        where, backfill.Ask(D1, date(2016, 1, 3), "the machine was down"), D3 + timedelta(9)
    )
    assert status.status(store, registry(), later).missed_nights == []


def test_a_site_is_late_from_the_day_after_it_was_expected(store: Store) -> None:
    run(store, D1, 10)
    assert status.late_sites(store, expecting(7), date(2016, 1, 7)) == {}
    assert status.late_sites(store, expecting(7), date(2016, 1, 8)) == {quick.SITE: "2016-01-07"}


def test_a_late_delivery_for_a_released_night_proposes_a_restatement(store: Store) -> None:
    run(store, D1, 10)
    assert status.status(store, registry(), NOON).restatements_due == []
    quick.deliver(store, D1, 11)
    steps.receive(quick.job(store, D2))
    assert status.status(store, registry(), NOON).restatements_due == ["2015-12-31"]


def test_status_exits_1_for_what_is_stale_held_or_failed(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--store", str(store.root), "--config", str(quick.REGISTRY)]
    run(store, D1, 10)
    assert main(["status", *where]) == 0
    assert main(["status", "--max-age", "26h", *where]) == 1
    quick.invent(monkeypatch.setattr, held=lambda _: True)
    run(store, D2, 20)
    assert main(["status", "--json", *where]) == 1
    text = capsys.readouterr().out
    told = json.loads(text[text.rindex("\n{\n") :])
    assert (told["held"], told["ok"]) == (["2016.01.01"], False)


@pytest.mark.parametrize(
    ("cron", "wanted"),
    [
        ("0 4 * * *", ["01", "02", "03", "04", "05", "06", "07"]),
        ("0 4 * * mon-fri", ["01", "04", "05", "06", "07"]),
        ("0 4 * * 1-5", ["01", "04", "05", "06", "07"]),
        ("0 4 */3 * *", ["01", "04", "07"]),
        ("0 4 2,5 * *", ["02", "05"]),
        ("0 4 2 * sun", ["02", "03"]),
        ("0 4 * feb *", []),
        ("0 4 * * 7", ["03"]),
        # as Prefect's scheduler takes them, which is croniter
        ("@weekly", ["03"]),
        ("0 4 * * tue#1", ["05"]),
        ("0 4 ? * MON,wed", ["04", "06"]),
        ("*/15 * 2-3 * *", ["02", "03"]),
        ("0 4 * * fri-sun", ["01", "02", "03"]),
        ("0 4 5 1 * 0 2016", ["05"]),
        ("0 4 5 1 * 0 2015", []),
    ],
)
def test_nights_of_a_cron_expression(cron: str, wanted: list[str]) -> None:
    """The first week of January 2016 began on a Friday."""
    found = schedule.nights(cron, date(2016, 1, 1), date(2016, 1, 7))
    assert [f"{n:%d}" for n in found] == wanted


CRONS = [
    *("@daily", "0 4 L * *", "0 4 * * L5", "0 4 29 2 *", "0 4 * * sun-tue", "0 22-4 * * *"),
    *("\t0 4 * * *", "0 4 1 1 ? 0 2030", "0 0 4 * * *", "0 4 * * 1#2", "0 4 * * 0-7"),
    *("H 4 * * *", "0 25 * * *", "0 4 * *", "", "@reboot", "0-59/0 4 * * *", "0 4 * * 5l"),
    *("nightly", "0 4 * * * * * *", "0 4 32 * *", "0 4 * foo *", "R 4 * * *", "- - - - -"),
]


@pytest.mark.parametrize("cron", [*CRONS, RegistryFile.model_fields["schedule"].default])
def test_a_schedule_is_taken_exactly_where_prefect_takes_it(cron: str) -> None:
    """What Prefect says is asked of Prefect."""
    from prefect.client.schemas.schedules import CronSchedule

    try:
        CronSchedule(cron=cron)
        taken = True
    except ValueError:
        taken = False
    if not taken:
        with pytest.raises(ValueError, match="no cron expression"):
            schedule.checked(cron)
        return
    assert schedule.checked(cron) == cron
    list(schedule.nights(cron, date(2016, 1, 1), date(2016, 12, 31)))
    schedule.start(cron, date(2040, 1, 1))


@pytest.mark.parametrize("cron", ["0 4 30 2 *", "R(0-5) 4 * * *", "0 25 * * *"])
def test_a_schedule_that_starts_no_run_or_at_random_is_refused_when_the_registry_is_read(
    tmp_path: Path, cron: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prefect takes the first two, and never starts a run, or starts it by chance."""
    shutil.copytree(quick.REGISTRY.parent, tmp_path / "registry")
    config = tmp_path / "registry" / "registry.toml"
    config.write_text(f'schedule = "{cron}"\n{config.read_text()}')
    for command, code in (("status", 2), ("doctor", 1), ("run", 2)):
        assert main([command, "--config", str(config), "--store", str(tmp_path)]) == code
        told = capsys.readouterr()
        assert "line 1, schedule: " in told.out + told.err


class Hook(BaseHTTPRequestHandler):
    """Keeps what it was told; or never answers."""

    told: list[dict[str, str]] = []  # noqa: RUF012
    silent = False

    def do_POST(self) -> None:
        """Listen."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.silent:
            time.sleep(1)
        self.told.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hook]]:
    server = HTTPServer(("127.0.0.1", 0), Hook)
    monkeypatch.setenv("A_WEBHOOK", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setattr(Hook, "told", [])
    monkeypatch.setattr(Hook, "silent", False)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Hook
    server.shutdown()
    server.server_close()


def told_job(store: Store, night: date) -> steps.Job:
    listening = registry(webhook_url_env="A_WEBHOOK")
    return steps.Job(store, listening, DEMONSTRATION_KEY, night, night)


def test_the_webhook_hears_of_a_held_and_of_a_failed_night(
    store: Store, hook: type[Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.deliver(store, D1, 10)
    quick.invent(monkeypatch.setattr, held=lambda _: True)
    job = told_job(store, D1)
    notify.ended(job, steps.nightly(job))
    with pytest.raises(ValueError, match="SECRET"), notify.failures(told_job(store, D2)):
        raise ValueError("SECRET")
    assert [(t["kind"], t["night"]) for t in hook.told] == [
        ("held", "2015-12-31"), ("failed", "2016-01-01"),
    ]  # fmt: skip
    assert "SECRET" not in json.dumps(hook.told), "the words of a fault could hold a row"


def test_the_webhook_hears_of_a_degraded_site(store: Store, hook: type[Hook]) -> None:
    """Its latest delivery is refused, the one before stays in force; not where it is not wanted."""
    run(store, D1, 10)
    folder = store.site_inbox(quick.SITE) / D2.isoformat()
    folder.mkdir()
    (folder / "other.csv").write_text("patient_id\n1\n")
    job = told_job(store, D2)
    notify.ended(job, steps.nightly(job))
    ((kind, night, text),) = [(t["kind"], t["night"], t["text"]) for t in hook.told]
    assert (kind, night) == ("degraded", "2016-01-01")
    assert text.startswith(f"2016-01-01: {quick.SITE} is degraded. ")
    assert "declared in the site file, but missing" in text
    quiet = registry(webhook_url_env="A_WEBHOOK", monitor_degraded=False)
    notify.degraded(store, quiet, D2)
    assert len(hook.told) == 1


def test_another_runs_lock_is_no_failure(store: Store, hook: type[Hook]) -> None:
    with pytest.raises(Locked), notify.failures(told_job(store, D2)):
        raise Locked("held")
    assert hook.told == []


def test_a_webhook_that_does_not_answer_stops_nothing(
    store: Store, hook: type[Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "TIMEOUT_SECONDS", 0.1)
    hook.silent = True
    begun = time.monotonic()
    assert not notify.tell(store, told_job(store, D1).registry, D1, "late", "late")
    assert time.monotonic() - begun < 1
    monkeypatch.setenv("A_WEBHOOK", "http://127.0.0.1:1/")
    assert not notify.tell(store, told_job(store, D1).registry, D1, "late", "late")


def test_the_journal_names_steps_and_no_words_of_a_fault(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store, D1, 10)
    with pytest.raises(ValueError, match="SECRET"), journal.step(store, D2, "build"):
        raise ValueError("SECRET")
    (file,) = (store.state / "logs").glob("*.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [x["step"] for x in lines] == [
        f"receive {quick.SITE}", "plan", "start", f"load {quick.SITE}", "build", "estimate",
        "audit", "report", "publish", "build",
    ]  # fmt: skip
    assert lines[-1]["kind"] == "ValueError"
    assert "SECRET" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_the_digest_names_what_moved(store: Store) -> None:
    run(store, D1, 10)
    moved = StatisticChange(
        statistic_id="survival_medians.all.os.subject.overall.overall.midpoint",
        label="Median OS",
        unit="months",
        kind="changed",
        redefined=False,
        old=34.4,
        new=35.1,
        change=0.7,
        old_lower=None,
        new_lower=None,
        old_upper=None,
        new_upper=None,
        old_n=40,
        new_n=41,
        old_total=None,
        new_total=None,
    )
    changes = Changes(left="2015.12.30", right="2015.12.31", statistics=(moved,))
    (store.release("2015.12.31") / "changes.json").write_text(changes.model_dump_json())
    told = digest.evening(digest.moved(store, NOON), 24)
    assert "2015.12.31 (published), after 2015.12.30" in told
    assert "Median OS: 34.4 -> 35.1 months" in told
    assert digest.moved(store, datetime.now(UTC) + timedelta(hours=1)) == []


def test_doctor_finds_what_others_can_read(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    run(store, D1, 10)
    where = ["--store", str(store.root), "--config", str(quick.REGISTRY), "--json"]
    main(["doctor", *where])
    found = {f["check"]: f["state"] for f in json.loads(capsys.readouterr().out)}
    assert [found[c] for c in ("permissions", "clock", "schedule", "extensions")] == ["good"] * 4
    store.raw.chmod(0o755)
    assert main(["doctor", *where]) == 1
    found = {f["check"]: f["state"] for f in json.loads(capsys.readouterr().out)}
    assert found["permissions"] == "wrong"


def test_pruning_keeps_new_nights_channels_labels_and_what_is_cited(
    store: Store, tmp_path: Path
) -> None:
    days = [quick.FIRST + timedelta(days=n) for n in range(6)]
    for n, day in enumerate(days):
        run(store, day, 10 + n)
    ids = [r.release_id for r in releases.listing(store)]
    decisions.promote(store, ids[0], "a paper", datetime.now(UTC), "a person")
    lock = tmp_path / "numbers.lock"
    lock.write_text(f'[numbers.os]\nstatistic_id = "x"\nrelease = "{ids[2]}"\n')
    where = ["--store", str(store.root), "--lock", str(lock), "--keep-nights", "2"]
    assert main(["release", "prune", "--dry-run", *where]) == 0
    assert [r.release_id for r in releases.listing(store)] == ids
    assert main(["release", "prune", *where]) == 0
    assert [r.release_id for r in releases.listing(store)] == [ids[0], ids[2], *ids[4:]]
    assert releases.next_id(store, days[1]) == f"{ids[1]}.2", "an id is never given again"
    grave = json.loads((store.release(ids[1]) / retention.TOMBSTONE).read_text())
    assert grave["manifest"]["record"]["release_id"] == ids[1]
    assert [p.name for p in store.release(ids[1]).iterdir()] == [retention.TOMBSTONE]


@pytest.mark.parametrize("damage", ["lost", "no database"])
def test_a_ledger_that_is_lost_is_made_again_by_the_next_run(store: Store, damage: str) -> None:
    for n, day in enumerate((D1, D2, D3)):
        run(store, day, 10 + n)
    steps.nightly(quick.job(store, D3 + timedelta(days=2)))
    before = _told(store)
    assert [outcome for *_, outcome in before] == ["published"] * 3 + ["unchanged"]
    store.ledger.unlink()
    if damage == "no database":
        store.ledger.write_bytes(b"not a database" * 100)
    covered = (D3 + timedelta(days=1)).isoformat()
    known = [t for t in _told(store) if t[0] != covered]
    assert known == before, "reading recovers it"
    assert covered in {night for night, *_ in _told(store)}, "the release was right then, too"
    run(store, D3 + timedelta(days=3), 20)
    assert len(_told(store)) == 6
    with closing(sqlite3.connect(store.ledger)) as con:
        assert con.execute("SELECT count(*) FROM runs").fetchone() == (6,)


def _told(store: Store) -> list[tuple[str, str, str]]:
    return sorted((r["as_of"], r["release_id"], r["outcome"]) for r in ledger.runs(store))

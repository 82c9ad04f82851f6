"""No patient leaves the registry layer: planted markers are searched for in all that a run leaves.

Also what follows for a patient whose treatment was set aside, who is excluded, or who is purged.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from flows import settings, steps
from flows.__main__ import main
from schemas.errors import BadConfiguration
from tests.support.few_readings import few_readings
from warehouse import pipeline
from warehouse.account import verify
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY, pseudonym
from warehouse.releases import releases
from warehouse.releases.consent import tombstones
from warehouse.store import Store

NIGHT = date(2021, 6, 1)
PEOPLE = [f"QZIDENT{n}" for n in range(1, 9)]
REJECTED, LEAVING = PEOPLE[6], PEOPLE[7]
MARKERS = ("QZIDENT", "QZNAME", "2019-07-23", "2019-08-29", "2020-11-17", "23/07/2019")
APART = ("inbox", "raw", "work")
REGISTRY = 'registry = "small"\nsites = ["north"]\n'
SITE = 'site_id = "north"\norigin = "synthetic"\nexcluded_patients_file = "excluded.txt"\n'


def rows(head: str, line: str, people: list[str] = PEOPLE) -> str:
    return "\n".join([head, *(line.replace("ID", p) for p in people)]) + "\n"


def export(people: list[str] = PEOPLE) -> dict[str, str]:
    """Markers in every identifying field: ids, free text, and dates that nothing else has."""
    treated = rows(
        "patient_id,session_id,target_id,treatment_date,device,lobe,segments,dose_gy",
        "ID,QZNAMEs,QZNAMEt,2019-07-23,glass,right,QZNAME seg,110",
        people,
    )
    return {
        "patients": rows(
            "patient_id,sex,birth_year,diagnosis_date,family_name",
            "ID,female,1947,2019-07-23,QZNAME Smith",
            people,
        ),
        "treatments": treated.replace(
            f"{REJECTED},QZNAMEs,QZNAMEt,2019-07-23,glass",
            f"{REJECTED},QZNAMEs,QZNAMEt,QZNAMEdate,glass",
        ),
        "labs": rows(
            "patient_id,lab_date,analyte,value,unit,upper_limit",
            "ID,2019-08-29,bilirubin,1.1,mg/dL,1.2",
            people,
        ),
        "lesions": rows("patient_id,lesion_id,segment", "ID,QZNAMEl,QZNAME", people),
        "scans": rows(
            "patient_id,scan_date,modality,reader", "ID,2019-08-29,CT,QZNAMEreader", people
        ),
        "measurements": rows(
            "patient_id,lesion_id,scan_date,modality,reader,longest_mm,status",
            "ID,QZNAMEl,2019-08-29,CT,QZNAMEreader,30,measured",
            people,
        ),
        "medications": rows("patient_id,drug,route", "ID,QZNAME drug,QZNAME route", people),
        "adverse_events": rows(
            "patient_id,term,onset_date,grade,procedure",
            "ID,QZNAME fell ill,2019-08-29,2,QZNAME operation",
            people,
        ),
        "contacts": rows(
            "patient_id,contact_date,contact_type,vital_status",
            "ID,2020-11-17,death,dead",
            people,
        ),
        "reported_endpoints": rows(
            "patient_id,endpoint,time,time_unit,event,group", "ID,OS,12,months,1,arm A", people
        ),
    }


def deliver(store: Store, day: str, tables: dict[str, str]) -> None:
    folder = store.site_inbox("north") / day
    folder.mkdir(parents=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)


def night(folder: Path, as_of: date = NIGHT) -> steps.Outcome:
    registry = settings.load_registry(folder / "registry.toml")
    store = Store.open(folder / "store")
    with few_readings():
        return steps.nightly(steps.Job(store, registry, DEMONSTRATION_KEY, as_of, as_of))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with one published night; not to be written to."""
    folder = tmp_path_factory.mktemp("privacy")
    (folder / "sites").mkdir()
    (folder / "registry.toml").write_text(REGISTRY)
    (folder / "sites" / "north.toml").write_text(SITE)
    (folder / "excluded.txt").write_text("# nobody yet\n")
    deliver(Store.open(folder / "store"), "2021-05-01", export())
    night(folder)
    return folder


def everything(root: Path) -> Iterator[tuple[Path, str]]:
    """Every cell of every table, and every byte of the rest, that a run left outside."""
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        if path.relative_to(root).parts[0] in APART:
            continue
        if path.suffix == ".parquet":
            yield path, str(duckdb.sql(f"SELECT * FROM '{path}'").fetchall())
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as con:
                for schema, name in con.execute(
                    "SELECT table_schema, table_name FROM information_schema.tables"
                ).fetchall():
                    yield path, str(con.execute(f'FROM "{schema}"."{name}"').fetchall())
        elif path.suffix in (".sqlite", ".db"):
            with sqlite3.connect(path) as con:
                for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type='table'"):
                    yield path, str(con.execute(f'SELECT * FROM "{name}"').fetchall())
        yield path, path.name + path.read_bytes().decode("latin-1")


def readable(date_text: str) -> str:
    """A calendar date as Python shows it in a cell."""
    day = date.fromisoformat(date_text)
    return f"datetime.date({day.year}, {day.month}, {day.day})"


def test_no_marker_is_found_outside_inbox_raw_and_work(made: Path) -> None:
    wanted = [*MARKERS, *(readable(m) for m in MARKERS if m.startswith("20"))]
    found = {
        (path.name, marker)
        for path, text in everything(made / "store")
        for marker in wanted
        if marker in text
    }
    assert sorted(found) == []


def test_what_holds_patients_is_for_its_owner_only(made: Path) -> None:
    for path in (made / "store" / "raw").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0, path


def answers(folder: Path, query: str) -> list[tuple[object, ...]]:
    path = releases.resolve(Store.open(folder / "store")) / "release.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(query).fetchall()


def test_a_rejected_treatment_leaves_its_patient_without_t0_and_in_the_attrition(
    made: Path,
) -> None:
    subject = pseudonym(DEMONSTRATION_KEY, "north", REJECTED)
    assert answers(made, "SELECT table_name, rule_id, column_name FROM quality.quarantine") == [
        ("treatments", "not_a_date", "treatment_date")
    ]
    assert answers(made, f"SELECT treated FROM marts.subjects WHERE subject_id = '{subject}'") == [
        (False,)
    ]
    steps_of = (
        "SELECT n_in, n_excluded, n_out FROM outcomes.attrition "
        "WHERE population = 'all' AND step = 1"
    )
    assert answers(made, steps_of) == [(8, 1, 7)]


@pytest.fixture
def own(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may change, and is in."""
    folder = tmp_path / "own"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


def purge() -> int:
    words = ["release", "purge", "--site", "north", "--patient", LEAVING, "--reason", "withdrew"]
    return main([*words, "--store", "store"])


def test_a_purge_takes_a_patient_out_of_payloads_and_releases_and_leaves_a_tombstone(
    own: Path,
) -> None:
    store, subject = Store.open(own / "store"), pseudonym(DEMONSTRATION_KEY, "north", LEAVING)
    assert any(subject in text for _, text in everything(store.root))
    assert purge() == 0
    assert not [path.name for path, text in everything(store.root) if subject in text]
    for path in store.raw.rglob("*.parquet"):
        assert LEAVING not in str(duckdb.sql(f"SELECT * FROM '{path}'").fetchall())
    assert not [p for p in store.raw.rglob("*") if p.is_file() and p.suffix == ".csv"]
    (tombstone,) = tombstones(store, "north")
    assert (tombstone["reason"], tombstone["releases"]) == ("withdrew", ["2021.06.01"])
    assert LEAVING not in json.dumps(tombstone)
    assert answers(own, "SELECT count(*) FROM marts.subjects") == [(7,)]
    assert purge() == 2


def test_verify_tells_a_purge_from_damage(own: Path) -> None:
    assert purge() == 0
    verified = verify.verify(
        Store.open(own / "store"),
        settings.load_registry(own / "registry.toml"),
        DEMONSTRATION_KEY,
        None,
        rebuild=False,
    )
    assert verified.damaged == ()


def test_the_night_after_a_purge_counts_without_the_patient(own: Path) -> None:
    assert purge() == 0
    outcome = night(own)
    assert outcome.published.release_id == "2021.06.01.2"
    counted = "SELECT n_in FROM outcomes.attrition WHERE population = 'all' AND step = 1"
    assert answers(own, counted) == [(7,)]


def test_an_export_that_holds_a_purged_patient_again_is_refused_and_not_kept(own: Path) -> None:
    assert purge() == 0
    store = Store.open(own / "store")
    kept = sorted(p.name for p in store.deliveries("north").iterdir())
    deliver(store, "2021-05-02", export(PEOPLE[1:]))
    registry = settings.load_registry(own / "registry.toml")
    (receipt,) = pipeline.receive(store, registry, "north", datetime.now(UTC)).receipts
    assert "hold a patient who withdrew consent" in receipt.reason
    assert LEAVING not in receipt.reason
    assert sorted(p.name for p in store.deliveries("north").iterdir()) == kept
    deliver(store, "2021-05-03", export(PEOPLE[:7]))
    (receipt,) = pipeline.receive(store, registry, "north", datetime.now(UTC)).receipts
    assert receipt.accepted


def test_the_exclusion_list_makes_another_night_without_the_patient(own: Path) -> None:
    (own / "excluded.txt").write_text(f"{LEAVING}  # withdrew\n")
    registry = settings.load_registry(own / "registry.toml")
    store = Store.open(own / "store")
    plan = pipeline.plan(store, registry, DEMONSTRATION_KEY, NIGHT, NIGHT)
    assert plan.already is None
    assert LEAVING not in json.dumps(plan.ingredients)
    pipeline.start(store, plan)
    pipeline.load_site(store, registry, DEMONSTRATION_KEY, plan, "north")
    loaded = store.run(plan.run_id) / "sites" / "north"
    for path in loaded.rglob("*.parquet"):
        assert LEAVING not in str(duckdb.sql(f"SELECT * FROM '{path}'").fetchall())
    path = loaded / "quality" / "row_counts.parquet"
    counts = duckdb.sql(f"SELECT received, empty + accepted + quarantined FROM '{path}'").fetchall()
    assert {received for received, _ in counts} == {7}
    assert all(received == told for received, told in counts)


def test_an_exclusion_list_that_is_missing_stops_the_run(own: Path) -> None:
    """A night made without the list would publish who withdrew."""
    (own / "excluded.txt").unlink()
    with pytest.raises(BadConfiguration, match="excluded_patients_file"):
        settings.load_registry(own / "registry.toml")

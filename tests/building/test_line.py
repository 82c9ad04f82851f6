"""From one export to one published release: what the whole line promises."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from flows import steps
from schemas.contract import columns, options, published_name
from schemas.errors import Refused
from tests.conftest import NIGHT, SITE, deliver, job
from warehouse.engine import compiled
from warehouse.releases import releases
from warehouse.releases.database import RELEASED
from warehouse.releases.query import open_release
from warehouse.store import Store


def content(store: Store) -> dict[str, dict[str, object]]:
    """What a manifest says of each table."""
    found = releases.manifest(releases.resolve(store))["content"]["tables"]
    return dict(found)


def answers(store: Store, query: str) -> list[tuple[object, ...]]:
    """The rows of a query on `current`."""
    with open_release(releases.resolve(store)) as con:
        return con.execute(query).fetchall()


def test_the_reference_cohort_gives_the_published_counts(reference_store: Store) -> None:
    found = answers(
        reference_store,
        """
        SELECT criterion, category, n, total FROM outcomes.response_summary
        WHERE population = 'all' AND level = 'lesion' AND lesions = 'all'
          AND organ = 'all' AND confirmation = 'unconfirmed'
          AND criterion IN ('WHO', 'EASL') AND category IN ('CR', 'PR') ORDER BY ALL
        """,
    )
    assert found == [
        ("EASL", "CR", 17, 83),
        ("EASL", "PR", 36, 83),
        ("WHO", "CR", 1, 83),
        ("WHO", "PR", 52, 83),
    ]


def test_the_reference_cohort_gives_the_published_survival(reference_store: Store) -> None:
    found = answers(
        reference_store,
        """
        SELECT months, at_risk, n FROM outcomes.survival_landmarks
        WHERE population = 'all' AND endpoint = 'OS' AND factor = '' AND months <= 36 ORDER BY ALL
        """,
    )
    assert found == [(12, 29, 40), (24, 25, 40), (36, 18, 40)]


def test_two_shapes_of_one_registry_give_equal_tables(
    published_store: Callable[[str], Store],
) -> None:
    """Other units, names, codes, date formats and files; the same patients, the same content."""
    redcap, plain = (content(published_store(shape)) for shape in ("redcap", "csv"))
    compared = [n for n in redcap if not n.startswith("quality/")]
    assert len(compared) > 30
    for name in compared:
        assert redcap[name]["content_sha256"] == plain[name]["content_sha256"], name


def test_a_second_run_has_nothing_to_do(own_store: Store) -> None:
    before = sorted(p.name for p in own_store.releases.iterdir())
    outcome = steps.nightly(job(own_store, "redcap"))
    assert outcome.nothing_to_do
    assert sorted(p.name for p in own_store.releases.iterdir()) == before


def test_a_later_night_without_a_delivery_only_confirms(own_store: Store) -> None:
    later = date(2011, 4, 2)
    outcome = steps.nightly(job(own_store, "redcap", later))
    assert outcome.nothing_to_do
    pointer = releases.channel(own_store, "current")
    assert pointer is not None
    assert (pointer["release_id"], pointer["fresh_as_of"]) == ("2011.03.31", "2011-04-02")


def test_every_row_received_is_accounted_for(reference_store: Store) -> None:
    broken = answers(
        reference_store,
        "SELECT * FROM quality.row_counts "
        "WHERE received <> empty + accepted + quarantined + other_group",
    )
    assert broken == []
    assert answers(reference_store, "SELECT sum(accepted) FROM quality.row_counts") == [(4058,)]


def test_a_bad_row_is_set_aside_and_the_rest_is_published(
    published_store: Callable[[str], Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a new store, which compiles nothing that another store of this machine has compiled."""

    def never(*_: Any) -> compiled.Query:
        raise AssertionError("compiled again")

    published_store("csv")
    compiled.of_this_machine().queries.clear()
    monkeypatch.setattr(compiled, "compiled", never)
    store = Store.open(tmp_path / "store")
    deliver(store, "csv")
    labs = store.site_inbox(SITE) / NIGHT.isoformat() / "labs.csv"
    lines = labs.read_text().splitlines()
    header = lines[0].split(";")
    cells = lines[5].split(";")
    cells[header.index("value")] = "twelve"
    labs.write_text("\n".join([*lines[:5], ";".join(cells), *lines[6:]]) + "\n")
    steps.nightly(job(store, "csv"))
    assert answers(
        store,
        "SELECT table_name, source_file, source_row, rule_id, column_name FROM quality.quarantine",
    ) == [("labs", "labs.csv", 5, "not_a_number", "value")]


def test_an_export_that_cannot_be_read_leaves_the_last_good_one_in_force(own_store: Store) -> None:
    before = content(own_store)
    later = date(2011, 4, 30)
    deliver(own_store, "redcap", later)
    export = own_store.site_inbox(SITE) / later.isoformat() / "data.csv"
    export.write_bytes(export.read_bytes()[:100_001])
    outcome = steps.nightly(job(own_store, "redcap", later))
    assert outcome.plan.degraded.keys() == {SITE}
    assert releases.resolve(own_store).exists()
    assert {
        n: t["content_sha256"] for n, t in content(own_store).items() if "quality" not in n
    } == {n: t["content_sha256"] for n, t in before.items() if "quality" not in n}


def test_nothing_visible_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    with pytest.raises(Refused, match="nothing is visible"):
        steps.nightly(job(store, "redcap"))
    assert not store.releases.exists() or not list(store.releases.iterdir())


def test_a_first_delivery_that_is_refused_is_told_with_its_reasons(tmp_path: Path) -> None:
    """The reasons stand in the refusal of the night, not in the receipt alone."""
    store = Store.open(tmp_path / "store")
    deliver(store, "csv")
    for export in (store.site_inbox(SITE) / NIGHT.isoformat()).glob("*.csv"):
        export.write_text("who,when\n1,2011-01-01\n")
    with pytest.raises(Refused, match="nothing is visible") as told:
        steps.nightly(job(store, "csv"))
    assert f"{SITE}/{NIGHT}" in str(told.value)
    assert "[tables.labs.columns] analyte: the export has" in str(told.value)


def test_the_database_repeats_the_parquet_and_carries_every_meaning(reference_store: Store) -> None:
    release = releases.resolve(reference_store)
    with open_release(release) as con:
        for contract in RELEASED:
            place, name = options(contract).schema, published_name(contract)
            rows = pq.read_metadata(release / "parquet" / place / f"{name}.parquet").num_rows
            assert con.execute(f"SELECT count(*) FROM {place}.{name}").fetchone() == (rows,), name
            comments = dict(
                con.execute(
                    "SELECT column_name, comment FROM duckdb_columns() "
                    "WHERE schema_name = ? AND table_name = ?",
                    [place, name],
                ).fetchall()
            )
            assert all(c.meaning in comments[c.name] for c in columns(contract)), name


def test_a_release_cannot_be_written_through_the_query_command(reference_store: Store) -> None:
    with (
        open_release(releases.resolve(reference_store)) as con,
        pytest.raises(duckdb.Error, match="read-only"),
    ):
        con.execute("DELETE FROM outcomes.statistics")


def test_the_manifest_names_what_the_numbers_are_a_function_of(reference_store: Store) -> None:
    found = releases.manifest(releases.resolve(reference_store))
    assert found["content"].keys() >= {
        "settings",
        "sites",
        "receipts",
        "code_sha256",
        "engines",
        "key_fingerprint",
        "as_of",
        "data_cutoff",
        "tables",
    }
    assert found["record"]["release_id"] == "2011.03.31"
    assert found["record"]["previous"] is None
    assert "store" not in json.dumps(found["content"])


def test_work_is_cleared_away(reference_store: Store) -> None:
    assert not reference_store.work.exists() or not list(reference_store.work.iterdir())


def test_a_release_survives_without_the_rest_of_the_store(
    reference_store: Store, tmp_path: Path
) -> None:
    copied = tmp_path / "elsewhere"
    shutil.copytree(releases.resolve(reference_store), copied)
    with open_release(copied) as con:
        assert con.execute("SELECT count(*) FROM outcomes.statistics").fetchone() != (0,)


def test_every_statistic_counts_its_members(reference_store: Store) -> None:
    """A statistic's n is the size of its numerator set within its population sets.

    Sessions and targets are more units than patients: each patient has one at least.
    """
    sets: dict[str, set[tuple[object, object]]] = {}
    subjects: dict[str, set[object]] = {}
    for name, subject, lesion in answers(reference_store, "SELECT * FROM members.member_sets"):
        sets.setdefault(str(name), set()).add((subject, lesion))
        subjects.setdefault(str(name), set()).add(subject)
    query = (
        "SELECT s.statistic_id, s.n, population_set, numerator_set, "
        "coalesce(coalesce(d.grain, c.grain) IN ('session', 'target'), "
        "s.method = 'proportion of sessions') FROM outcomes.statistics s "
        "LEFT JOIN outcomes.dosimetry_summary d ON s.statistic_id = d.statistic_id "
        "LEFT JOIN outcomes.compartment_dosimetry c ON s.statistic_id = c.statistic_id "
        "WHERE s.n IS NOT NULL AND numerator_set IS NOT NULL"
    )
    wrong = []
    for name, n, population, numerator, finer in answers(reference_store, query):
        within = set.intersection(*(subjects.get(p, set()) for p in str(population).split(" & ")))
        members = set[tuple[object, object]]().union(
            *(sets.get(part, set()) for part in str(numerator).split(" | "))
        )
        counted = len([m for m in members if m[0] in within])
        if counted != n and not (finer and 0 < counted <= int(str(n))):
            wrong.append((name, n, counted))
    assert wrong == []

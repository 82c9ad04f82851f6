"""A store that an earlier version made is migrated, keeps its releases, and goes back."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from flows import settings, steps
from flows.__main__ import main
from schemas.errors import Refused
from simulation import registry_folder
from tests.support import quick_nights as quick
from tests.upgrading.conftest import photograph
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.fingerprints import file_sha256
from warehouse.releases import decisions, integrity
from warehouse.store import Store
from warehouse.upgrading import migration

CONFIG = registry_folder("memon2012", "csv") / "registry.toml"
COMMIT = "104952d3e0b449289017d800bbcec690d4807dc4"
OLD = "2011.03.31"
MEDIAN = "survival_medians.all.os.subject.overall.overall.midpoint"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ask(store: Store, *words: str) -> int:
    return main([*words, "--store", str(store.root), "--config", str(CONFIG)])


@pytest.fixture
def migrated(old_store: Store) -> Store:
    migration.apply(old_store, NOW)
    return old_store


def test_a_store_of_an_older_layout_is_refused_and_told_how_it_is_migrated(
    old_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photograph(old_store)
    assert ask(old_store, "release", "list") == 2
    assert "layout version '1'" in (told := capsys.readouterr().err)
    assert "`y90 migrate --plan`" in told
    assert photograph(old_store) == before


def test_the_plan_says_what_each_step_touches_and_changes_nothing(
    old_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photograph(old_store)
    assert ask(old_store, "migrate", "--plan") == 0
    told = capsys.readouterr().out
    for words in (
        "1, to become 2",
        "bytes needed",
        "close releases",
        "state/compiled.sqlite",
        "raw/memon2012/loaded",
        "Stays as it is:",
        "outcomes.duckdb",
        f"2 (2010.12.31 to {OLD}): files are verified here, made again only by commit ",
        COMMIT[:12],
    ):
        assert words in told
    assert photograph(old_store) == before


def test_a_migration_changes_no_byte_of_a_release_and_closes_it(old_store: Store) -> None:
    before = photograph(old_store)
    assert ask(old_store, "migrate", "--apply") == 0
    after = photograph(old_store)
    kept = (
        "inbox/",
        "raw/memon2012/deliveries",
        "raw/memon2012/receipts",
        "releases/",
        "channels/",
    )
    assert {n: b for n, (_, b) in before.items() if n.startswith(kept)} == {
        n: b for n, (_, b) in after.items() if n.startswith(kept)
    }
    rights = {m for n, (m, _) in after.items() if n.startswith(("releases", "channels"))}
    assert rights == {0o750, 0o640}
    assert not {"state/compiled.sqlite", "state/lineage", "raw/memon2012/loaded"} & after.keys()
    assert old_store.layout_version() == "2"
    assert ask(old_store, "migrate", "--apply") == 0
    assert photograph(old_store) == after


def test_going_back_gives_every_byte_and_right_of_before(
    old_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photograph(old_store)
    migration.apply(old_store, NOW)
    assert ask(old_store, "migrate", "--rollback") == 0
    assert "bytes of before" in capsys.readouterr().out
    assert photograph(old_store) == before
    assert ask(old_store, "migrate", "--rollback") == 2


def test_an_older_release_is_read_compared_and_verified_here(
    migrated: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(migrated, "sql", "SELECT count(*) AS n FROM marts.subjects", "--json") == 0
    assert '"n": 8' in capsys.readouterr().out
    assert ask(migrated, "diff", "2010.12.31", OLD) == 1
    assert "statistics" in capsys.readouterr().out
    assert ask(migrated, "report", "--release", OLD) == 0
    assert ask(migrated, "verify", OLD, "--files-only") == 0
    assert "files whole" in capsys.readouterr().out
    assert ask(migrated, "verify", OLD) == 2
    assert f"Check out commit {COMMIT}" in capsys.readouterr().err


def test_a_changed_byte_of_an_older_release_is_noticed(migrated: Store) -> None:
    path = migrated.release(OLD) / "outcomes.duckdb"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert ask(migrated, "verify", OLD, "--files-only") == 1
    assert ask(migrated, "sql", "SELECT 1", "--release", OLD) == 2


def test_published_figures_are_found_under_the_names_of_an_older_release(
    migrated: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(migrated, "reproduce", "--release", OLD)
    told = capsys.readouterr().out
    lines = {line.split()[0]: line for line in told.splitlines() if line.startswith("F")}
    assert " 8 " in lines["F01"]
    assert " - " not in lines["F32"]  # the median, whose id had empty parts
    assert " - " not in lines["F21"]  # lesions, whose criterion was `who`


@pytest.mark.parametrize("words", [("trace", MEDIAN), ("show",), ("export", "--adam")])
def test_what_an_older_release_cannot_answer_is_said_with_what_can(
    migrated: Store, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first of them imports the engine, which takes some seconds."""
    table = migrated.release(OLD) / "parquet" / "marts" / "subjects.parquet"
    (subject,) = duckdb.sql(f"SELECT min(subject_id) FROM '{table}'").fetchall()[0]
    of = ("--release", OLD)
    asked = {
        "show": ("show", subject, *of),
        "trace": (*words, *of),
        "export": (*words, OLD, "--to", str(tmp_path / "bundle")),
    }[words[0]]
    assert ask(migrated, *asked) == 2
    told = capsys.readouterr().err
    assert f"made by commit {COMMIT}" in told
    assert "`y90 sql`" in told
    assert not (tmp_path / "bundle").exists()


def test_a_query_for_a_table_that_came_later_says_so(
    migrated: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(migrated, "sql", "SELECT * FROM outcomes.early_mortality", "--release", OLD) == 2
    assert "made by other code and lacks outcomes.early_mortality" in capsys.readouterr().err


def test_the_next_night_runs_on_a_migrated_store_and_ends_the_way_back(
    migrated: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its export is received and planned for real, which takes some seconds."""
    quick.invent(monkeypatch.setattr)
    night = date(2011, 6, 30)
    before = migrated.site_inbox("memon2012")
    shutil.copytree(before / "2011-03-31", before / night.isoformat())
    job = steps.Job(migrated, settings.load_registry(CONFIG), DEMONSTRATION_KEY, night, night)
    done = steps.nightly(job).published
    assert done.release_id == "2011.06.30"
    assert integrity.opened(migrated.release(OLD))
    assert file_sha256(migrated.release(OLD) / "manifest.json")
    assert not migrated.migration.exists()
    with pytest.raises(Refused, match="nothing is kept to go back to"):
        migration.rollback(migrated)


def test_a_decision_since_the_migration_is_not_lost(migrated: Store) -> None:
    decisions.withdraw(migrated, OLD, "wrong unit", NOW, "somebody")
    with pytest.raises(Refused, match="would be lost"):
        migration.rollback(migrated)
    assert migrated.layout_version() == "2"

"""A release's database can be opened under any name, and every query means the same in it."""

# ruff: noqa: E501 (pipe tables are read better whole)

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.support.literal_releases import write_tables
from warehouse.releases.database import BEFORE, DATABASE, database, write_database
from warehouse.releases.query import open_release

STATISTIC = "survival_medians.all.os.subject.overall.overall.midpoint"
TABLES = {
    "outcomes.statistics": f"""
        | statistic_id | label                   | value | unit   | method       | definition | population_set |
        | {STATISTIC}  | median overall survival | 34.4  | months | Kaplan-Meier | d          | population.all |
        """,
    "marts.toxicity": """
        | subject_id | source | term | ctcae_version | time_window | worst_grade |
        | A          | lab    | ast  | 3.0           | any         | 2           |
        """,
    "members.member_sets": """
        | set_id         | subject_id | lesion_number |
        | population.all | A          | 0             |
        """,
}  # fmt: skip


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The folder of a release with a row in each schema."""
    folder = tmp_path / "2020.06.01"
    write_tables(folder, TABLES, only=False)
    write_database(folder / "parquet", folder / DATABASE)
    return folder


def asked(path: Path, catalogue: str = "") -> list[tuple[object, ...]]:
    """The same questions, whatever the file is called."""
    with duckdb.connect(str(path), read_only=True) as con:
        return _answers(con, catalogue)


def _answers(con: duckdb.DuckDBPyConnection, catalogue: str = "") -> list[tuple[object, ...]]:
    questions = (
        f"SELECT value FROM {catalogue}outcomes.statistics",
        f"SELECT worst_grade FROM {catalogue}marts.toxicity WHERE time_window = 'any'",
        f"SELECT set_id FROM {catalogue}members.member_sets",
    )
    return [row for q in questions for row in con.execute(q).fetchall()]


EXPECTED = [(34.4,), (2,), ("population.all",)]


def test_a_release_is_asked_as_it_is(release: Path) -> None:
    assert asked(release / DATABASE) == EXPECTED
    assert asked(release / DATABASE, "release.") == EXPECTED


@pytest.mark.parametrize("name", ["memon.duckdb", "2020-06-01.db", "statistics.duckdb"])
def test_a_copied_or_renamed_file_is_asked_the_same(
    release: Path, tmp_path: Path, name: str
) -> None:
    copied = shutil.copy(release / DATABASE, tmp_path / name)
    assert asked(Path(copied)) == EXPECTED
    renamed = (release / DATABASE).rename(release / name)
    assert asked(renamed) == EXPECTED


def test_two_releases_are_attached_side_by_side(release: Path, tmp_path: Path) -> None:
    other = shutil.copy(release / DATABASE, tmp_path / "other.duckdb")
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{release / DATABASE}' AS old (READ_ONLY)")
        con.execute(f"ATTACH '{other}' AS new (READ_ONLY)")
        assert con.execute("SELECT value FROM old.outcomes.statistics").fetchall() == [(34.4,)]
        assert _answers(con, "old.") == _answers(con, "new.") == EXPECTED
        con.execute("USE new")
        assert _answers(con) == EXPECTED


def test_a_release_published_under_the_former_name_still_opens(release: Path) -> None:
    with duckdb.connect(str(release / BEFORE)) as con:
        con.execute("CREATE TABLE statistics AS SELECT 1.0 AS value")
    (release / DATABASE).unlink()
    (release / "manifest.json").write_text('{"content": {}, "record": {}}')
    assert database(release) == release / BEFORE
    with open_release(release) as con:
        assert con.execute("SELECT value FROM outcomes.statistics").fetchall() == [(1,)]

"""A release that a patient was purged from: what leaves, what stays, and who says so."""

import json
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from flows.__main__ import main
from report.figures.model import Exhibit
from report.sections import OF_ROWS, REDRAWN, Section, sections
from schemas.settings import OutcomeSettings
from simulation import registry_folder
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY, pseudonym
from warehouse.releases import expunge, releases
from warehouse.releases.expunge import PURGED, STAGED
from warehouse.releases.integrity import recorded
from warehouse.releases.query import open_release
from warehouse.store import Store

SETTINGS = OutcomeSettings().model_dump(mode="json")
CONFIG = str(registry_folder("memon2012", "redcap") / "registry.toml")
PATIENT = "P01"
RELEASE = "2011.03.31"
SAID = "n includes 1 purged"


@pytest.fixture(scope="module")
def purged(reference_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The reference cohort, without its first patient since; not to be written to."""
    folder = tmp_path_factory.mktemp("purged") / "store"
    shutil.copytree(reference_store.root, folder)
    assert ask(Store.open(folder), "release", "purge", *who()) == 0
    return Store.open(folder)


def ask(store: Store, *words: str) -> int:
    return main([*words, "--store", str(store.root), "--config", CONFIG])


def who() -> list[str]:
    return ["--site", "memon2012", "--patient", PATIENT, "--reason", "withdrew"]


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    with open_release(store.release(RELEASE)) as con:
        return con.execute(query).fetchall()


def page(store: Store) -> str:
    return (store.release(RELEASE) / "report" / "index.html").read_text("utf-8")


def test_rows_and_members_leave_and_published_numbers_stay(
    purged: Store, reference_store: Store
) -> None:
    subject = pseudonym(DEMONSTRATION_KEY, "memon2012", PATIENT)
    counted = "SELECT count(*) FROM marts.subjects"
    assert (rows(reference_store, counted), rows(purged, counted)) == ([(40,)], [(39,)])
    named = f"SELECT count(*) FROM members.member_sets WHERE subject_id = '{subject}'"
    assert rows(reference_store, named) != [(0,)]
    assert rows(purged, named) == [(0,)]
    numbers = "FROM outcomes.statistics ORDER BY statistic_id"
    assert rows(purged, numbers) == rows(reference_store, numbers)


def test_the_report_keeps_its_numbers_and_draws_one_patient_less(
    purged: Store, reference_store: Store
) -> None:
    before, after = page(reference_store), page(purged)
    assert SAID in after
    assert SAID not in before
    headline = re.compile(r'<ul class="cards">.*?</ul>', re.DOTALL)
    assert headline.search(after)[0] == headline.search(before)[0]  # type: ignore[index]
    lesions = re.compile(r"<desc>(\d+) of \d+ lesions drawn")
    drawn = [int(lesions.search(text)[1]) for text in (before, after)]  # type: ignore[index]
    theirs = rows(
        reference_store,
        "SELECT count(*) FROM marts.lesion_response WHERE confirmation = 'unconfirmed' "
        "AND lower(criterion) = 'who' AND best_change_pct IS NOT NULL AND subject_id = "
        f"'{pseudonym(DEMONSTRATION_KEY, 'memon2012', PATIENT)}'",
    )
    assert drawn[0] - drawn[1] == theirs[0][0] > 0  # type: ignore[operator]
    assert after.count(REDRAWN) == len(OF_ROWS)
    assert REDRAWN not in before


def test_every_changed_file_stands_in_purged_json_with_its_hash(purged: Store) -> None:
    release = purged.release(RELEASE)
    told = json.loads((release / PURGED).read_text())
    assert {"report/index.html", "parquet/marts/subjects.parquet"} <= told["files"].keys()
    assert len(told["subjects"]) == expunge.purged_subjects(release) == 1
    subject = pseudonym(DEMONSTRATION_KEY, "memon2012", PATIENT)
    assert subject not in (release / PURGED).read_text()
    published = releases.manifest(release)["record"]["files"]
    assert recorded(release)["report/index.html"] != published["report/index.html"]
    assert not (release / STAGED).exists()


def test_verify_says_whole_except_for_the_purged_files(
    purged: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(purged, "verify", RELEASE) == 0
    n = len(expunge.purged_files(purged.release(RELEASE)))
    out = capsys.readouterr().out
    assert f"whole except for {n} purged files" in out
    assert "not built again" in out


def test_report_and_sql_say_it_and_reproduce_refuses(
    purged: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(purged, "report") == 0
    assert ask(purged, "sql", "SELECT count(*) FROM marts.subjects") == 0
    assert capsys.readouterr().err.count(SAID) == 2
    assert ask(purged, "reproduce") == 2
    assert "cannot be reproduced" in capsys.readouterr().err


def test_only_what_is_said_to_be_drawn_from_rows_needs_rows(
    reference_store: Store, tmp_path: Path
) -> None:
    """Every other part of the page is the same without a single row of a patient."""
    path = shutil.copy2(next(reference_store.release(RELEASE).glob("*.duckdb")), tmp_path)
    with duckdb.connect(str(path)) as con:
        before = exhibits(sections(con, SETTINGS))
        names = con.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'marts'"
        ).fetchall()
        for (name,) in names:
            con.execute(f'DELETE FROM marts."{name}"')
        after = exhibits(sections(con, SETTINGS))
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == set(OF_ROWS)


def exhibits(parts: list[Section]) -> dict[str, Exhibit]:
    """Every figure and table of the page by its name."""
    return {e.id: e for part in parts for e in (*part.exhibits, *part.folded)}


def test_a_purge_that_was_killed_is_finished_by_the_next(own_store: Store) -> None:
    """Killed after purged.json was written: staged files take their places later."""
    release = own_store.release(RELEASE)
    subject = pseudonym(DEMONSTRATION_KEY, "memon2012", PATIENT)
    finish = expunge._finish
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(expunge, "_finish", lambda path: finish(path) and False)
        patched.setattr(expunge.Path, "replace", _killed)
        with pytest.raises(KeyboardInterrupt):
            expunge.expunge(release, subject, lambda *_: None)
    assert expunge.expunge(release, subject, lambda *_: None)
    assert rows(own_store, "SELECT count(*) FROM marts.subjects") == [(39,)]
    assert expunge.purged_subjects(release) == 1
    assert ask(own_store, "verify", RELEASE, "--files-only") == 0


def _killed(*_: object) -> None:
    raise KeyboardInterrupt

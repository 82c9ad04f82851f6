"""The commands and the Python of the tutorials do what the pages say, on the reference cohort."""

import csv
import shlex
import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.__main__ import main
from simulation.reference import records
from tests.support.entry import exported, shown
from tests.support.tutorials import PAGES, blocks, carried_out, commands
from warehouse.releases import releases
from warehouse.sharing import entry_workbook
from warehouse.store import Store


@pytest.fixture
def here(
    reference_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """A folder with a store in it, where nothing is configured."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("Y90_CONFIG", raising=False)
    (tmp_path / "store").symlink_to(reference_store.root)
    return monkeypatch


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "command", [c for page in ("first_run.md", "analyst.md") for c in commands(page)]
)
def test_each_command_answers(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    program, *words = shlex.split(command)
    assert program == "y90"
    assert main(words) == 0
    assert capsys.readouterr().out.strip()


def test_each_of_four_walks_is_walked_to_its_end(
    here: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command answers something, and ends with the exit code that the page says."""
    Path("simulation").symlink_to(PAGES.parents[1] / "simulation")
    here.setenv("Y90_CONFIG", "simulation/memon2012/registry.toml")  # that of the last run
    Path("network").mkdir()
    (told,) = blocks("../walks.md", r"toml network/registry\.toml")
    Path("network/registry.toml").write_text(told)
    walked = commands("../walks.md")
    assert len(walked) > 15
    for line in walked:
        command, _, told = line.partition(" # ")
        program, *words = shlex.split(command)
        assert program == "y90"
        code = int(told.removeprefix("exit ")[0]) if told else 0
        assert main(words) == code, line
        assert capsys.readouterr().out.strip(), line


@pytest.mark.usefixtures("here")
def test_the_python_of_the_analyst_runs() -> None:
    (code,) = blocks("analyst.md", "python")
    exec(code, {})


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and nothing configured."""
    monkeypatch.chdir(tmp_path)
    for name in ("Y90_CONFIG", "Y90_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


DIFFERS = (
    *("attrition", "criterion_agreement", "prognosis_multivariable"),  # eligibility, tumour burden
    "survival_by_response.all.os.easl",
    "survival_by_response.all.os.mrecist",
)
"""Statistics that rest on what SDTM has no place for. The same holds of responses by EASL and by
mRECIST, and of lesions outside the liver, whose classes nobody gave."""


@pytest.mark.usefixtures("nowhere")
def test_from_sdtm_to_a_release_with_the_numbers_of_the_same_patients(
    reference_store: Store, tmp_path: Path
) -> None:
    """Every number of WHO, RECIST, survival and toxicity is the REDCap export's."""
    carried_out("sdtm.md", main)
    here = Store.open(tmp_path / "store")
    with duckdb.connect() as con:
        for name, store in (("sdtm", here), ("redcap", reference_store)):
            path = next(releases.resolve(store).glob("*.duckdb"))
            con.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        pairs = con.execute(
            "SELECT statistic_id, a.value, b.value FROM sdtm.outcomes.statistics a "
            "JOIN redcap.outcomes.statistics b USING (statistic_id) "
            "WHERE a.value IS NOT NULL AND b.value IS NOT NULL AND statistic_id LIKE '%.all.%'"
        ).fetchall()
    compared = [pair for pair in pairs if not _rests_on_more(pair[0])]
    assert [pair for pair in compared if pair[1] != pair[2]] == []
    assert len({name.split(".")[0] for name, _, _ in compared}) > 15
    assert len(compared) > 2400


def _rests_on_more(name: str) -> bool:
    of = {"easl", "mrecist", "extrahepatic"} & set(name.split("."))
    return bool(of and name.startswith("response")) or name.startswith(DIFFERS)


@pytest.mark.long
@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("page", ["workbook.md", "redcap.md", "plain_csv.md"])
def test_from_an_export_to_a_release(page: str, tmp_path: Path) -> None:
    """Every command of the page succeeds, `check` among them; so nothing is found."""
    carried_out(page, main)
    release = releases.resolve(Store.open(tmp_path / "store"))
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{next(release.glob('*.duckdb'))}' AS r (READ_ONLY)")
        told = dict(
            con.execute(
                "SELECT criterion, sum(n) FROM r.outcomes.response_summary "
                "WHERE population = 'all' AND level = 'lesion' GROUP BY ALL"
            ).fetchall()
        )
    assert {"WHO", "RECIST 1.1", "EASL"} <= set(told)
    assert all(told.values())


@pytest.mark.usefixtures("nowhere")
def test_our_own_project_gives_the_marts_of_the_same_patients(
    reference_store: Store, tmp_path: Path
) -> None:
    """What is entered into it gives what the reference cohort's own project gives, row by row."""

    def run(words: list[str]) -> int:
        if words[0] == "check":
            _entered(Path(words[1]))
        return main(words)

    carried_out("own_project.md", run)
    assert_equal_marts(Store.open(tmp_path / "store"), reference_store)


@pytest.mark.long
@pytest.mark.usefixtures("nowhere")
def test_our_workbook_gives_the_marts_of_the_same_patients(
    reference_store: Store, tmp_path: Path
) -> None:
    """The same of the workbook."""
    inbox = Path("store/inbox/north/2011-03-31")
    inbox.mkdir(parents=True)
    entry_workbook.write_workbook(inbox / "y90.xlsx", _as_entered())
    Path("registry.toml").write_text('registry = "network"\nsites = ["north"]\ntimezone = "UTC"\n')
    Path("sites").mkdir()
    Path("sites/north.toml").write_text(entry_workbook.SITE_FILE.format(site="north"))
    assert main(["key", "new"]) == 0
    assert main(["run", "--direct", "--as-of", "2011-03-31"]) == 0
    assert_equal_marts(Store.open(tmp_path / "store"), reference_store)


def _as_entered() -> dict[str, list[dict[str, str]]]:
    """The reference cohort as somebody enters it."""
    return {
        table: [{n: shown(v) for n, v in row.items()} for row in several]
        for table, several in records(date(2011, 3, 31)).items()
    }


def _entered(inbox: Path) -> None:
    """Put there what REDCap exports once the reference cohort was entered."""
    inbox.mkdir(parents=True)
    with (inbox / "data.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(exported(_as_entered()))
    shutil.copyfile("project/dictionary.csv", inbox / "dictionary.csv")


def assert_equal_marts(one: Store, other: Store) -> None:
    """Every mart has the same rows, but for whose they are and where they stand."""
    with duckdb.connect() as con:
        for name, store in (("a", one), ("b", other)):
            path = next(releases.resolve(store).glob("*.duckdb"))
            con.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        marts = con.execute(
            "SELECT table_name, list(column_name) FROM duckdb_columns() WHERE database_name = 'b' "
            "AND schema_name = 'marts' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        assert len(marts) > 20
        for table, names in marts:
            kept = ", ".join(f'"{n}"' for n in names if not n.endswith(("_id", "_ids", "_key")))
            rows = [
                Counter(
                    tuple("here" if c in ("north", "memon2012") else c for c in row)
                    for row in con.execute(f"SELECT {kept} FROM {d}.marts.{table}").fetchall()
                )
                for d in ("a", "b")
            ]
            assert rows[0] == rows[1], table

"""The commands and the Python of the tutorials do what the pages say, on the reference cohort."""

import re
import shlex
from pathlib import Path

import duckdb
import pytest

from flows.__main__ import main
from tests.support.tutorials import PAGES, blocks, commands
from warehouse.releases import releases
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


DIFFERS = (
    *("attrition", "criterion_agreement", "prognosis_multivariable"),  # eligibility, tumour burden
    "survival_by_response.all.os.easl",
    "survival_by_response.all.os.mrecist",
)
"""Statistics that rest on what SDTM has no place for. The same holds of responses by EASL and by
mRECIST, and of lesions outside the liver, whose classes nobody gave."""


def test_from_sdtm_to_a_release_with_the_numbers_of_the_same_patients(
    reference_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every number of WHO, RECIST, survival and toxicity is the REDCap export's."""
    monkeypatch.chdir(tmp_path)
    for name in ("Y90_CONFIG", "Y90_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    _connected()
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


def _connected() -> None:
    """Carry out the page: its files, its commands, and what a person adds to the site file."""
    page = (PAGES / "sdtm.md").read_text("utf-8")
    files = dict(re.findall(r"```toml (\S+)\n(.*?)```", page, re.DOTALL))
    (version,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    site, added = Path("sites/north.toml"), files.pop("sites/north.toml")
    for name, text in files.items():
        Path(name).write_text(text)
    for command in commands("sdtm.md"):
        program, *words = shlex.split(command)
        assert program == "y90"
        assert main(words) == 0, command
        if words[:2] == ["site", "new"]:
            events = "[tables.adverse_events.columns]\n"
            site.write_text(site.read_text().replace(events, events + version) + "\n" + added)

"""The commands and the Python of the tutorials do what the pages say, on the reference cohort."""

import shlex
from pathlib import Path

import pytest

from flows.__main__ import main
from tests.support.tutorials import blocks, commands
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


@pytest.mark.usefixtures("here")
def test_the_python_of_the_analyst_runs() -> None:
    (code,) = blocks("analyst.md", "python")
    exec(code, {})

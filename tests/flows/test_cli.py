"""Every command explains itself, and every fault has its exit code."""

import errno
import json
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from flows import __main__ as cli
from flows import settings
from flows.commands.command import Command, Context
from schemas.errors import Failed, Held, Locked, Refused

ROOT = Path(__file__).resolve().parents[2]
DEMONSTRATION = ROOT / "simulation" / "memon2012" / "registry.toml"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in settings.foreign_variables("Y90_"):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def y90(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "flows", *words], capture_output=True, text=True, check=False
    )


def helped(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What --help prints."""
    with pytest.raises(SystemExit) as left:
        cli.main([*words, "--help"])
    assert left.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda c: c.name)
def test_help_of_every_command_ends_with_an_example_that_is_understood(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    text = helped(capsys, *command.name.split())
    assert text.rstrip().endswith(f"example:\n  {command.example}")
    program, *words = shlex.split(command.example)
    assert program == "y90"
    assert cli.parser().parse_args(words).command is command
    for option in ("--json", "--quiet", "--store", "--config"):
        assert option in text


@pytest.mark.parametrize("group", ["", *cli.GROUPS])
def test_help_of_every_group_ends_with_an_example(
    group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    last = helped(capsys, *([group] if group else [])).rstrip().splitlines()[-2:]
    assert last[0] == "example:"
    assert last[1].startswith("  y90 ")


def test_the_commands_of_the_contract_are_there() -> None:
    names = {command.name for command in cli.COMMANDS}
    assert names >= {
        "simulate", "run", "release list", "release show", "sql", "identify", "key new",
        "redcap inspect", "doctor", "migrate", "certificate", "regrade",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "COMMAND"),
        (["rn"], "'rn' is unknown. Did you mean run?"),
        (["release", "lst"], "'lst' is unknown. Did you mean list?"),
        (["release"], "COMMAND"),
        (["run", "--as-of", "31.3.2011"], "is not a date. Write YYYY-MM-DD."),
        (["run", "--asof", "2011-03-31"], "unrecognized arguments"),
        (["sql", "--format", "xml", "SELECT 1"], "Choose from table, csv, json, parquet."),
        (["simulate", "--preset", "memon", "--to", "x"], "Use one of memon2012"),
        (["simulate", "--preset", "sirflox_pfs", "--format", "redcap", "--to", "x"], "csv"),
        (["run"], "--config simulation/memon2012/registry.toml"),
        (["run", "--config", "absent.toml"], "absent.toml: there is no such file"),
        (["release", "list"], "there is no store"),
        (["sql", "SELECT 1"], "there is no store"),
        (["run", "--config", str(DEMONSTRATION), "--as-of", "2999-01-01"], "in the future"),
        (
            ["run", "--config", str(DEMONSTRATION), "--as-of", "2011-03-31",
             "--data-cutoff", "2011-04-01"],
            "after the night",
        ),
        (["key", "new", "--config", str(DEMONSTRATION)], "demonstration key"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_exits_with_2_and_writes_nothing(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(words) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def _raising(fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: Context) -> int:
        raise fault

    made = Command(name="fall", help="fall", example="y90 fall", answer=answer)
    monkeypatch.setattr(cli, "COMMANDS", (made,))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Failed("where: what. do."), 1),
        (Refused("where: what. do."), 2),
        (Held("where: what. do."), 3),
        (Locked("where: what. do."), 4),
        (OSError(errno.ENOSPC, "No space left on device", "where"), 1),
        (OSError(errno.EROFS, "Read-only file system", "where"), 1),
    ],
)
def test_a_users_fault_has_its_exit_code_and_no_traceback(
    fault: Exception,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _raising(fault, monkeypatch)
    assert cli.main(["fall"]) == code
    said = capsys.readouterr()
    assert said.err.startswith("where: ")
    assert len(said.err.splitlines()) == 1
    assert cli.main(["fall", "--json"]) == code
    found = json.loads(capsys.readouterr().out)["error"]
    assert found["exit_code"] == code
    assert found["message"].startswith("where: ")


def test_our_own_fault_shows_its_traceback_and_exits_with_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _raising(ZeroDivisionError("ours"), monkeypatch)
    assert cli.main(["--json", "fall"]) == 70
    said = capsys.readouterr()
    assert "Traceback" in said.err
    assert json.loads(said.out)["error"]["exit_code"] == 70


def test_an_interrupt_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _raising(KeyboardInterrupt(), monkeypatch)
    assert cli.main(["fall"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_reader_who_has_seen_enough_is_no_fault() -> None:
    """As in `y90 ... | head -1`."""
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m flows doctor --config "
         f"{DEMONSTRATION} | true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")


def test_help_is_instant_and_imports_nothing_heavy() -> None:
    watched = ["duckdb", "ibis", "pandera", "prefect", "pydantic", "pyarrow", "numpy"]
    code = (
        "import sys\nfrom flows.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"sys.exit(', '.join(m for m in {watched} if m in sys.modules) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_simulate_writes_an_export_and_names_the_file_that_reads_it(tmp_path: Path) -> None:
    ended = y90("simulate", "--as-of", "2011-03-31", "--to", str(tmp_path / "out"), "--json")
    found = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert found["config"] == str(DEMONSTRATION)
    assert sorted(Path(f).name for f in found["files"]) == sorted(
        p.name for p in (tmp_path / "out").iterdir()
    )


def test_the_doctor_finds_this_environment_fit(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["--quiet", "certificate"]) == 0  # as set-up does for this state of the code
    capsys.readouterr()
    assert cli.main(["doctor", "--json", "--config", str(DEMONSTRATION)]) == 0
    found = {f["check"]: f["state"] for f in json.loads(capsys.readouterr().out)}
    assert {"python", "prefect", "configuration", "key", "store", "disk"} <= set(found)
    assert set(found.values()) == {"good"}
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_finds_a_wrong_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "registry.toml"
    config.write_text('registry = "good"\nsites = ["north"]\n', "utf-8")
    assert cli.main(["doctor", "--json", "--config", str(config)]) == 1
    found = {f["check"]: f["state"] for f in json.loads(capsys.readouterr().out)}
    assert found["configuration"] == "wrong"


def test_a_new_key_is_for_its_owner_only_and_never_overwritten(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The site files may be written afterwards: `south` has none yet."""
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "north.toml").write_text('site_id = "north"\n', "utf-8")
    config = tmp_path / "registry.toml"
    sites = 'sites = ["north", "south"]'
    config.write_text(f'registry = "good"\n{sites}\nkey_file = "own.key"\n', "utf-8")
    assert cli.main(["key", "new", "--config", str(config), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    key = tmp_path / "own.key"
    assert made["key_file"] == str(key)
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    assert cli.main(["key", "new", "--config", str(config)]) == 2
    assert key.read_bytes() == before
    assert made["fingerprint"] not in before.decode()


def test_the_documentation_is_listed_by_page_and_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder is one line with its number of pages, so that the list can be read."""
    assert cli.main(["docs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 30
    n = len(list((ROOT / "docs/findings").glob("*.md")))
    assert f"  findings/  {n} pages" in lines
    assert "  commands.md" in lines


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"y90-outcomes {project['project']['version']}\n"

"""The files for systemd, cron and Prefect are what those programs read."""

import inspect
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from flows import schedule
from flows.__main__ import parser

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service")) + sorted(DEPLOY.glob("*.timer"))


def commands(path: Path) -> list[list[str]]:
    """The words after y90 of every line that starts it."""
    found = []
    for line in path.read_text().splitlines():
        if "bin/y90 " in line and not line.startswith("#"):
            words = line.partition("bin/y90 ")[2].partition(" >")[0]
            found.append(shlex.split(words))
    return found


@pytest.mark.parametrize("path", [DEPLOY / "crontab", *DEPLOY.glob("*.service")], ids=str)
def test_every_command_is_understood(path: Path) -> None:
    words = commands(path)
    assert words
    for given in words:
        parser().parse_args(given)


def test_cron_starts_the_nightly_every_night() -> None:
    line = next(x for x in (DEPLOY / "crontab").read_text().splitlines() if " run " in x)
    assert schedule.start(" ".join(line.split()[:5])) == (4, 0)


def test_prefect_finds_the_flows_and_their_parameters() -> None:
    from flows import nightly, serve

    known = {
        "flows/nightly.py:nightly": nightly.nightly,
        "flows/serve.py:backfill_nights": serve.backfill_nights,
    }
    declared = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert {d["entrypoint"] for d in declared} == set(known)
    for one in declared:
        taken = inspect.signature(known[one["entrypoint"]].fn).parameters
        assert set(one["parameters"]) <= set(taken)


@pytest.mark.extra
@pytest.mark.parametrize("unit", UNITS, ids=lambda p: p.name)
def test_systemd_reads_the_units(unit: Path, tmp_path: Path) -> None:
    """The programs named stand elsewhere on this machine: everything else must be right."""
    verify = shutil.which("systemd-analyze")
    assert verify, "install Debian's systemd"
    for each in UNITS:
        text = each.read_text().replace("/opt/y90-outcomes/.venv/bin/y90", "/bin/true")
        (tmp_path / each.name).write_text(text.replace("User=y90\n", ""))
    done = subprocess.run(
        [verify, "verify", str(tmp_path / unit.name)], capture_output=True, text=True, check=False
    )
    told = [x for x in done.stderr.splitlines() if unit.name in x]
    assert (done.returncode, told) == (0, [])

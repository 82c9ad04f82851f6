"""The files for systemd, cron and Prefect are what those programs read."""

import inspect
import json
import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

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


def test_the_container_runs_the_nightly_of_the_python_that_the_project_asks_for() -> None:
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    words = dict(line.split(maxsplit=1) for line in lines if line and line[0].isupper())
    asked = re.search(r'requires-python = ">=(3\.\d+)', (ROOT / "pyproject.toml").read_text())
    assert asked is not None
    assert words["FROM"].endswith(f"python:{asked[1]}-slim")
    assert words["USER"] == "y90"
    parser().parse_args(json.loads(words["CMD"]))
    made = re.findall(r"^RUN make (\w+)$", "\n".join(lines), re.MULTILINE)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert made
    assert set(made) <= set(targets)


@pytest.mark.parametrize("day", ["2026-03-29", "2026-07-01", "2026-10-25"])
def test_cron_starts_the_nightly_once_a_day_at_four_in_the_registrys_zone(
    day: str, tmp_path: Path
) -> None:
    """Asked every hour of a machine in UTC, also on the days of 23 and of 25 hours."""
    line = next(x for x in (DEPLOY / "crontab").read_text().splitlines() if " run " in x)
    assert line.split()[:5] == ["0", "*", "*", "*", "*"]
    guard = " ".join(line.split()[5:]).partition(" && ")[0].replace("\\%", "%")
    fake = tmp_path / "date"
    fake.write_text('#!/bin/sh\nexec /bin/date -d "@$NOW" "$@"\n')
    fake.chmod(0o755)
    berlin = ZoneInfo("Europe/Berlin")
    begin = datetime.fromisoformat(day).replace(tzinfo=berlin).astimezone(UTC)
    started = []
    for hour in range(25):
        now = begin + timedelta(hours=hour)
        there = now.astimezone(berlin)
        said = subprocess.run(
            ["/bin/sh", "-c", guard],
            env={"PATH": f"{tmp_path}:/bin", "NOW": f"{now.timestamp():.0f}", "TZ": "UTC"},
            check=False,
        )
        if said.returncode == 0 and there.date().isoformat() == day:
            started.append((there.hour, there.minute))
    assert started == [(4, 0)]


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
        assert set(one.get("parameters", {})) <= set(taken)
        assert not {"config", "store"} & set(taken), "fixed in the process that serves"


def test_every_line_of_the_security_page_names_a_test_that_exists() -> None:
    """A claim without its test is struck out, or tested."""
    held = (ROOT / "docs" / "security.md").read_text().partition("## What holds it")[2]
    lines = [line for line in held.splitlines() if line.startswith("| ")][1:]
    known = "".join(p.read_text() for p in (ROOT / "tests").rglob("test_*.py"))
    for line in lines:
        named = re.findall(r"`(test_\w+)`", line)
        assert named, line
        assert [n for n in named if f"def {n}(" not in known] == []


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


@pytest.mark.extra
@pytest.mark.parametrize(
    ("after", "then"),
    [
        ("2026-01-10 12:00:00 UTC", "2026-01-11 03:00:00 UTC"),
        ("2026-03-28 12:00:00 UTC", "2026-03-29 02:00:00 UTC"),
        ("2026-10-24 12:00:00 UTC", "2026-10-25 03:00:00 UTC"),
    ],
)
def test_the_timer_starts_at_four_in_the_registrys_zone(after: str, then: str) -> None:
    """By systemd's own reading: in winter, and on the days when the clocks change."""
    analyze = shutil.which("systemd-analyze")
    assert analyze, "install Debian's systemd"
    (line,) = (
        x.partition("=")[2]
        for x in (DEPLOY / "y90-nightly.timer").read_text().splitlines()
        if x.startswith("OnCalendar=")
    )
    told = subprocess.run(
        [analyze, "calendar", f"--base-time={after}", line],
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert then in told

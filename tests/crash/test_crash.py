"""A night that is killed, wherever it is, leaves the old state or the new, and can be run again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def campaign(*words: str) -> dict[str, Any]:
    """Run a campaign in a process of its own, since it forks."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.campaign", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return dict(json.loads(done.stdout))


def check(found: dict[str, Any], kills: int) -> None:
    """Nothing wrong, and there was something to see."""
    assert found["kills"] >= kills
    assert found["mismatches"] == []
    assert found["failed_reads"] == []
    assert found["reads"] > 0
    assert found["recoveries"] == found["trials"] > 0


def test_a_night_killed_at_every_step_boundary_ends_like_one_undisturbed() -> None:
    found = campaign("--quick", "--boundaries")
    check(found, kills=10)
    assert len(found["killed_after"]) == 10


def test_a_night_killed_at_random_moments_ends_like_one_undisturbed() -> None:
    check(campaign("--quick", "--random", "4"), kills=4)


@pytest.mark.long
def test_hundreds_of_kills() -> None:
    check(campaign("--boundaries"), kills=10)
    check(campaign("--quick", "--random", "300"), kills=300)
    check(campaign("--random", "60"), kills=60)

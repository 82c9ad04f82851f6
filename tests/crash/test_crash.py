"""A night that is killed, wherever it is, leaves the old state or the new, and can be run again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def campaign(*words: str) -> dict[str, Any]:
    """Run a campaign in a process of its own, since it forks."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "crash" / "campaign.py"), *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return dict(json.loads(done.stdout))


def check(found: dict[str, Any], trials: int) -> None:
    """Nothing wrong, and there was something to see."""
    assert found["mismatches"] == []
    assert found["failed_reads"] == []
    assert found["reads"] > 0
    assert found["recoveries"] == trials


def test_a_night_killed_at_every_step_boundary_ends_like_one_undisturbed() -> None:
    found = campaign("--boundaries")
    check(found, trials=1)
    assert found["kills"] == 10
    assert len(found["killed_after"]) == 10


def test_a_night_killed_at_random_moments_ends_like_one_undisturbed() -> None:
    found = campaign("--quick", "--random", "15")
    check(found, trials=5)
    assert found["kills"] + found["ended_before_the_kill"] == 15


@pytest.mark.long
def test_hundreds_of_kills() -> None:
    check(campaign("--quick", "--random", "300"), trials=100)
    check(campaign("--random", "60"), trials=20)

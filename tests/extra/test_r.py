"""R's scripts, run again in a copy, give the committed answers number for number."""

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.extra
ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = Path("warehouse/concordance/r")
TOLERANCE = 1e-9


@pytest.mark.parametrize(
    "name",
    [
        "survival",
        "prognosis",
        "firth",
        "clustered",
        "by_response",
        "kappa",
        "proportions",
        "signed_rank",
        "dose_response",
        "pooled",
    ],
)
def test_r_gives_the_committed_answers(tmp_path: Path, name: str) -> None:
    assert shutil.which("Rscript"), (
        "R is missing: apt-get install r-base-core r-cran-survival r-cran-numderiv r-cran-vcd "
        "r-cran-metafor r-cran-lme4 r-cran-sandwich r-cran-proc"
    )
    for folder in (GOLDEN, Path("simulation/kmdata")):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    answers = tmp_path / GOLDEN / f"{name}.json"
    answers.unlink()
    script = str(GOLDEN / f"{name}.R")
    subprocess.run(["Rscript", script], cwd=tmp_path, check=True, capture_output=True, timeout=300)
    committed = json.loads((ROOT / GOLDEN / f"{name}.json").read_text("utf-8"))
    again = json.loads(answers.read_text("utf-8"))
    committed.pop("versions", None), again.pop("versions", None)
    assert list(differences(committed, again)) == []


def differences(left: Any, right: Any, where: str = "") -> Any:
    """Every place at which two answers differ by more than the tolerance."""
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        for name in left:
            yield from differences(left[name], right[name], f"{where}.{name}")
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for number, pair in enumerate(zip(left, right, strict=True)):
            yield from differences(*pair, f"{where}[{number}]")
    elif not _equal(left, right):
        yield where, left, right


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, int | float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(left == right)


def test_a_difference_in_any_number_is_seen() -> None:
    left, right = {"a": [1.0, {"b": None}]}, {"a": [1.00001, {"b": 2}]}
    assert [d[0] for d in differences(left, right)] == [".a[0]", ".a[1].b"]

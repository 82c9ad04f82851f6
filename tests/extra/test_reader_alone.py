"""The reader, installed with its own dependencies and nothing else, reads a release."""

import re
import subprocess
import venv
from pathlib import Path

import pytest

from warehouse.releases import releases
from warehouse.store import Store

pytestmark = pytest.mark.extra
ROOT = Path(__file__).resolve().parents[2]
NEEDS = ("duckdb", "pyarrow", "matplotlib")
ASKED = """
import importlib.util, sys, y90
r = y90.open(sys.argv[1])
print(r.stat("survival_medians.all.os.subject.overall.overall.midpoint").text)
r.km("OS", by="ecog0").save(sys.argv[2])
absent = ("prefect", "ibis", "pandera", "flows", "warehouse")
print([m for m in absent if importlib.util.find_spec(m)])
"""


def test_it_reads_and_draws_where_nothing_of_the_pipeline_is(
    reference_store: Store, tmp_path: Path
) -> None:
    venv.create(tmp_path / "alone", with_pip=True)
    python = tmp_path / "alone" / "bin" / "python"
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = [f"{n}=={re.search(rf'^{n}==([^ ;]+)', lock, re.MULTILINE)[1]}" for n in NEEDS]
    _done(str(python), "-m", "pip", "install", "-q", *pinned)
    copy = tmp_path / "y90"
    _done("cp", "-r", str(ROOT / "y90"), str(copy))
    _done(str(python), "-m", "pip", "install", "-q", str(copy))
    release = releases.resolve(reference_store, "current")
    picture = tmp_path / "os.svg"
    told = _done(str(python), "-I", "-c", ASKED, str(release), str(picture)).splitlines()
    assert told[0].startswith("34.4 months")
    assert told[1] == "[]"
    assert picture.read_text("utf-8").count("<svg") == 1


def _done(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout

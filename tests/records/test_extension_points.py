"""One record of each kind, written into a copy of the package, is everywhere after one night.

The copy gets a table, a criterion, an analyte with its CTCAE thresholds, an endpoint, a numeric
factor and a clinical term, each in the one file that README names, and nothing else. One night of
the reference cohort is then run in it.
"""

# ruff: noqa: E501 (records are read better whole)

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.conftest import NIGHT, SITE
from warehouse.releases import releases
from warehouse.store import Store

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "schemas",
    "transforms",
    "analytics",
    "warehouse",
    "flows",
    "report",
    "simulation",
    "docs",
)
CRITERION = """
    Criterion(
        code="RECIST 1.0",
        paramcd="R10",
        quantity="sum of longest diameters",
        measure="diameter",
        unit="mm",
        lesions="recist_target",
        arterial_phase=False,
        partial_response=Ratio(7, 10),
        progression=Ratio(6, 5),
        operator=">=",
        complete="All targets are gone.",
        partial="The sum is at most 70 % of the baseline's.",
        stable="Neither.",
        progressive="The sum is at least 20 % above the smallest so far.",
        sources=("Therasse et al. 2000, J Natl Cancer Inst 92:205",),
        measurable_mm=10,
    ),
"""
ANALYTE = """
    Analyte(
        "fibrinogen",
        "Fibrinogen",
        "FIBRINO",
        "g/L",
        {"g/L": F(1), "mg/dL": F(1, 100)},
        "low",
        (F("0.1"), F(20)),
        "CTCAE v3.0",
        synonyms=("fib",),
    ),
"""
THRESHOLDS = """
    LabCriterion("fibrinogen", "Fibrinogen decreased", _ALL, "low", _times(LLN, "1", "0.75", "0.5", "0.25"), _SAME),
"""
ENDPOINT = """
    Endpoint(
        "TFS",
        "transplant-free survival",
        "subject",
        start="t0",
        events=("death", "transplant"),
        censored="last_alive",
        needs=("contacts",),
        source="the test",
    ),
"""
FACTOR = """
    Factor(
        "ki67_20", "Ki-67, %", "ki67_pct", (), "20 belongs to the good level", "WHO 2019",
        limit=Limit("20"),
    ),
"""
TERM = """
    ClinicalTerm("hiccups", "Hiccups", "Hiccoughs (hiccups, singultus)", 10020039, _grades((1, 4), (1, 3))),
"""
FEWER_READINGS = "\nTRIED = TRIED[:1]"
"""Other readings of settings are compiled anew in the copy: half of its night, and not asked here."""
CONTRACT = '''
class SessionDays(Mart):
    """One row per treated subject: its last day of treatment."""

    last_session_day: Int = column("Days from T0 to the last session.", unit="days", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


TABLES: tuple'''
FUNCTION = '''"""The last day of treatment."""

from schemas.contract import Table, conform
from schemas.tables.intermediate import Anchors
from schemas.tables.marts import SessionDays


def session_days(anchors: Table[Anchors]) -> Table[SessionDays]:
    """Count the days to the last session of the first course."""
    day = anchors.last_session_date.delta(anchors.t0_date, unit="day")
    return conform(anchors.mutate(last_session_day=day), SessionDays)
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with one record more of each kind."""
    to = tmp_path_factory.mktemp("extended")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "specs", to / "tests" / "specs")
    shutil.copytree(ROOT / "tests" / "support", to / "tests" / "support")
    records = to / "schemas" / "records"
    for file, mark, text in (
        ("criteria.py", "(WHO, EASL, RECIST11, MRECIST)", f"(WHO, EASL, RECIST11, MRECIST,{CRITERION})"),
        ("analytes.py", "\n    ),\n    code=lambda", ANALYTE + "\n    ),\n    code=lambda"),
        ("ctcae.py", "\n)\nLAB_CRITERIA", THRESHOLDS + "\n)\nLAB_CRITERIA"),
        ("endpoints.py", "\n)\nRECORDS", ENDPOINT + "\n)\nRECORDS"),
        ("factors.py", "\n)\n\"\"\"How else", FACTOR + "\n)\n\"\"\"How else"),
        ("ctcae_terms.py", "\n)\nTERMS", TERM + "\n)\nTERMS"),
        ("../tables/marts.py", "TABLES: tuple", CONTRACT),
        ("alternatives.py", "\nALTERNATIVES =", FEWER_READINGS + "\nALTERNATIVES ="),
    ):  # fmt: skip
        path = records / file
        source = path.read_text("utf-8")
        assert source.count(mark) == 1, (file, mark, source.count(mark))
        path.write_text(source.replace(mark, text), "utf-8")
    (to / "transforms" / "time" / "session_days.py").write_text(FUNCTION, "utf-8")
    return to


def _run(copy: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flows", *words],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return done.stdout


@pytest.fixture(scope="module")
def extended(copy: Path) -> Path:
    """The release that the copy makes of the reference cohort."""
    store, night = copy / "store", NIGHT.isoformat()
    inbox = store / "inbox" / SITE / night
    _run(
        copy, "--quiet", "--store", str(store), "simulate", "--preset", "memon2012",
        "--format", "redcap", "--as-of", night, "--to", str(inbox),
    )  # fmt: skip
    config = copy / "simulation" / "memon2012" / "registry.toml"
    _run(
        copy, "--store", str(store), "--config", str(config), "run", "--as-of", night,
        "--data-cutoff", night,
    )  # fmt: skip
    return store / "releases" / night.replace("-", ".")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT count(*) > 0 FROM marts.session_days", True),
        ("SELECT count(*) FROM marts.lesion_response WHERE criterion = 'RECIST 1.0' AND "
         "confirmation = 'unconfirmed'", 83),
        ("SELECT count(*) > 0 FROM outcomes.response_summary WHERE criterion = 'RECIST 1.0'", True),
        ("SELECT count(*) > 0 FROM outcomes.toxicity_summary WHERE term = 'fibrinogen'", True),
        ("SELECT count(*) FROM marts.time_to_event WHERE endpoint = 'TFS'", 40),
        ("SELECT count(*) > 0 FROM outcomes.survival_medians WHERE endpoint = 'TFS'", True),
        ("SELECT count(*) > 0 FROM marts.factor_levels WHERE factor = 'ki67_20'", None),
        ("SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = 'session_days' "
         "AND comment LIKE 'One row per%'", True),
    ],
)  # fmt: skip
def test_each_is_in_the_database(extended: Path, query: str, found: object) -> None:
    with duckdb.connect(str(extended / "release.duckdb"), read_only=True) as con:
        row = con.execute(query).fetchone()
    assert row
    assert found is None or row[0] == found


def test_each_is_in_adam(copy: Path, extended: Path) -> None:
    to = copy / "adam"
    store = str(copy / "store")
    config = str(copy / "simulation" / "memon2012" / "registry.toml")
    _run(copy, "--store", store, "--config", config, "export", "current", "--adam", "--to", str(to))
    with duckdb.connect() as con:
        adrs, adtte = (next(to.rglob(f"{n}.parquet")) for n in ("adrs", "adtte"))
        codes = con.execute(f"SELECT DISTINCT PARAMCD FROM '{adrs}'").fetchall()
        assert {"OVRR10", "BORR10", "CBRR10"} <= {c for (c,) in codes}
        assert ("TFS",) in con.execute(f"SELECT DISTINCT PARAMCD FROM '{adtte}'").fetchall()


def test_each_is_in_the_pages(copy: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import docs.write as w; from docs.writing import records, tables; "
         "p = records.pages() | tables.pages(); print('\\n'.join(p.values()))"],
        cwd=copy, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for word in (
        "RECIST 1.0",
        "FIBRINO",
        "transplant-free survival",
        "ki67_20",
        "hiccups",
        "session_days",
    ):
        assert word in done.stdout, word


def test_everything_else_is_unchanged(
    extended: Path, published_store: Callable[[str], Store]
) -> None:
    """Marts of the reference cohort hold the same rows, but for the new codes."""
    plain = releases.resolve(published_store("redcap"), "current")
    with duckdb.connect() as con:
        for table, new in (
            ("marts/lesion_response", "criterion = 'RECIST 1.0'"),
            ("marts/subject_response", "criterion = 'RECIST 1.0'"),
            ("marts/lab_grades", "analyte = 'fibrinogen'"),
            ("marts/time_to_event", "endpoint = 'TFS'"),
            ("marts/factor_levels", "factor = 'ki67_20'"),
            ("marts/toxicity", "term = 'fibrinogen'"),
            ("outcomes/response_summary", "criterion = 'RECIST 1.0'"),
            ("outcomes/survival_medians", "endpoint = 'TFS' OR factor = 'ki67_20'"),
            ("outcomes/toxicity_summary", "term = 'fibrinogen'"),
        ):
            ours, theirs = (r / "parquet" / f"{table}.parquet" for r in (plain, extended))
            left = f"FROM '{ours}'"
            right = f"FROM '{theirs}' WHERE NOT coalesce({new}, false)"
            for a, b in ((left, right), (right, left)):
                gone = con.execute(f"SELECT count(*) FROM ({a} EXCEPT ALL {b})").fetchone()
                assert gone == (0,), table

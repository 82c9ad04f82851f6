"""The toxicity of the reference cohort is as the publication prints it.

Memon et al. 2012: fatigue 25 of 40, nausea or vomiting 16, abdominal pain 7, fever or chills 3,
diarrhea and weight loss 2, cholecystectomy 1; bilirubin grade 3 in two patients and grade 4 in one,
lymphocytes grade 3 in 15. The other counts are those the invented cohort was made for, taken from
its files by hand, not by this code.
"""

from collections import Counter
from datetime import date
from statistics import median
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest
from scipy.stats import wilcoxon  # type: ignore[import-untyped, unused-ignore]

from analytics.classes.lab_changes import lab_changes
from analytics.outcomes.toxicity import toxicity_shift, toxicity_summary
from schemas.contract import empty, rows, table_name
from schemas.settings import BaselineSettings, ToxicitySettings
from schemas.tables.intermediate import DeathClaims, LastAlive, PopulationMembers, RowsSetAside
from schemas.tables.marts import LesionAssessments, SubjectAssessments
from schemas.tables.registry import TABLES
from simulation import reference
from transforms.baseline.anchors import anchors, sessions, subject_lesions
from transforms.baseline.baseline import baseline_labs
from transforms.toxicity.lab_grades import lab_grades
from transforms.toxicity.lab_time_points import lab_time_points
from transforms.toxicity.regrade import regrade
from transforms.toxicity.reild import reild_candidates
from transforms.toxicity.subject_events import subject_events
from transforms.toxicity.toxicity import toxicity

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
"""Ibis 12.0.0 calls it to look up a table's columns; DuckDB 1.5 has renamed it."""

EVERYTHING = date(2011, 3, 31)
BASELINE = BaselineSettings()
TOXICITY = ToxicitySettings()
Tables = dict[str, ir.Table]
DERIVATIONS = (
    (sessions, {"settings": BASELINE}),
    (anchors, {"settings": BASELINE}),
    (subject_lesions, {}),
    (baseline_labs, {"settings": BASELINE}),
    (lab_grades, {"settings": TOXICITY}),
    (toxicity, {"settings": TOXICITY}),
    (reild_candidates, {"settings": TOXICITY, "baseline": BASELINE}),
    (subject_events, {"settings": TOXICITY}),
    (toxicity_summary, {"settings": TOXICITY}),
    (lab_time_points, {"settings": TOXICITY, "baseline": BASELINE}),
    (lab_changes, {"settings": TOXICITY}),
    (toxicity_shift, {}),
)
VERSIONS = ("3.0", "4.03", "5.0")


@pytest.fixture(scope="module")
def derived() -> Tables:
    """The cohort's records and its toxicity, as tables of one database."""
    con = ibis.duckdb.connect()
    given = reference.records(EVERYTHING)
    tables: Tables = {}
    for contract in TABLES:
        name = table_name(contract)
        named = [
            r | {"subject_id": r["patient_id"], "site_id": "memon2012", "row_id": f"{name}:{n}"}
            for n, r in enumerate(given.get(name, []))
        ]
        tables[name] = con.create_table(name, rows(named, contract))
    everyone = [{"population": "all", "subject_id": r["patient_id"]} for r in given["patients"]]
    tables["population_members"] = rows(everyone, PopulationMembers)
    tables["rows_set_aside"] = empty(RowsSetAside)
    tables["death_claims"], tables["last_alive"] = empty(DeathClaims), empty(LastAlive)
    tables["lesion_assessments"] = empty(LesionAssessments)
    tables["subject_assessments"] = empty(SubjectAssessments)
    for derivation, settings in DERIVATIONS:
        name = derivation.__name__
        reads = [p for p in derivation.__annotations__ if p not in (*settings, "return")]
        tables[name] = con.create_table(name, derivation(*(tables[n] for n in reads), **settings))
    return tables


def worst(derived: Tables, source: str, version: str, window: str) -> dict[str, Counter[Any]]:
    """Term -> worst grade -> patients, counted from the mart."""
    found: dict[str, Counter[Any]] = {}
    for r in derived["toxicity"].to_pyarrow().to_pylist():
        if (r["source"], r["ctcae_version"], r["time_window"]) == (source, version, window):
            found.setdefault(r["term"], Counter())[r["worst_grade"]] += 1
    return found


def test_bilirubin_is_grade_3_in_two_patients_and_grade_4_in_one(derived: Tables) -> None:
    for window in ("primary", "any"):
        for version in ("3.0", "4.03"):
            found = worst(derived, "lab", version, window)["bilirubin"]
            assert found == {0: 22, 1: 10, 2: 5, 3: 2, 4: 1}
        assert worst(derived, "lab", "5.0", window)["bilirubin"] == {0: 24, 1: 10, 2: 4, 3: 1, 4: 1}


def test_lymphocytes_are_grade_3_in_15_patients_in_every_version(derived: Tables) -> None:
    for version in VERSIONS:
        found = worst(derived, "lab", version, "primary")["lymphocytes"]
        assert found == {0: 6, 1: 7, 2: 12, 3: 15}


def test_clinical_events_are_those_printed_in_every_version(derived: Tables) -> None:
    printed = {
        "fatigue": 25,
        "nausea": 13,
        "vomiting": 6,
        "nausea or vomiting": 16,
        "abdominal pain": 7,
        "fever": 2,
        "chills": 2,
        "fever or chills": 3,
        "diarrhea": 2,
        "weight loss": 2,
        "diarrhea or weight loss": 2,
        "diarrhea and weight loss": 2,
        "cholecystitis": 1,
    }
    summary = derived["toxicity_summary"].to_pyarrow().to_pylist()
    for version in VERSIONS:
        found = {
            r["term"]: (r["n"], r["total"])
            for r in summary
            if (r["source"], r["ctcae_version"], r["grade"]) == ("event", version, "any")
            and r["time_window"] == "primary"
        }
        assert found.pop("post-embolisation syndrome") == (_with_its_symptoms(derived), 40)
        assert found == {term: (n, 40) for term, n in printed.items()}


def _with_its_symptoms(derived: Tables) -> int:
    """Patients with one of the six symptoms since treatment, read off the cohort's rows by hand.

    All but one clinical event begin within its primary window; that one was before treatment.
    """
    started: dict[str, date] = {}
    for row in derived["treatments"].to_pyarrow().to_pylist():
        who, day = row["subject_id"], row["treatment_date"]
        started[who] = min(day, started.get(who, day))
    symptoms = {"fatigue", "nausea", "vomiting", "anorexia", "fever", "abdominal pain"}
    events = derived["adverse_events"].to_pyarrow().to_pylist()
    had = [e for e in events if e["term"].lower() in symptoms]
    return len({e["subject_id"] for e in had if e["onset_date"] >= started[e["subject_id"]]})


def test_the_cholecystectomy_is_grade_3(derived: Tables) -> None:
    assert worst(derived, "event", "3.0", "primary")["cholecystitis"] == {3: 1}


def test_the_baseline_of_bilirubin_and_what_emerged(derived: Tables) -> None:
    found = derived["toxicity"].to_pyarrow().to_pylist()
    bilirubin = [
        r
        for r in found
        if (r["term"], r["ctcae_version"], r["time_window"]) == ("bilirubin", "3.0", "any")
    ]
    assert Counter(r["baseline_grade"] for r in bilirubin) == {0: 32, 1: 7, 2: 1}
    emergent = Counter(r["worst_grade"] for r in bilirubin if r["emergent"])
    assert emergent == {1: 7, 2: 4, 3: 2, 4: 1}


def test_four_patients_move_between_version_3_and_5(derived: Tables) -> None:
    moved = regrade(derived["lab_grades"], from_version="3.0", to_version="5.0")
    found = {
        (r["subject_id"], r["analyte"]): (r["worst_grade_from"], r["worst_grade_to"])
        for r in moved.to_pyarrow().to_pylist()
    }
    assert found == {
        ("P07", "bilirubin"): (1, 0),
        ("P08", "bilirubin"): (3, 2),
        ("P14", "bilirubin"): (2, 1),
        ("P27", "bilirubin"): (2, 0),
    }


def test_nobody_has_the_picture_of_reild(derived: Tables) -> None:
    assert derived["reild_candidates"].count().to_pyarrow().as_py() == 0


def test_the_shift_table_counts_every_patient_once(derived: Tables) -> None:
    cells = derived["toxicity_shift"].to_pyarrow().to_pylist()
    totals = Counter()
    for r in cells:
        totals[r["term"], r["ctcae_version"]] += r["n"]
    assert set(totals.values()) == {40}
    assert {term for term, _ in totals} == {"albumin", "bilirubin", "lymphocytes"}


def _nearest(analyte: str, first: int, at: int, last: int) -> tuple[list[float], list[float]]:
    """Values near a day, and changes from before treatment: from the cohort's files, row by row."""
    given = reference.records(EVERYTHING)
    start: dict[str, date] = {}
    for r in given["treatments"]:
        start[r["patient_id"]] = min(
            start.get(r["patient_id"], r["treatment_date"]), r["treatment_date"]
        )
    values, changes = [], []
    for patient, t0 in start.items():
        own = [r for r in given["labs"] if (r["patient_id"], r["analyte"]) == (patient, analyte)]
        days = {(r["lab_date"] - t0).days: r["value"] for r in own}
        assert len(days) == len(own)
        before = [day for day in days if day <= 0]
        near = [day for day in days if first <= day <= last]
        if near:
            value = days[min(near, key=lambda day: (abs(day - at), day))]
            values.append(float(value))
            changes += [float(value - days[max(before)])] if before else []
    return values, changes


def test_laboratory_values_change_as_in_the_cohort_s_files(derived: Tables) -> None:
    """Every analyte that it delivers at every time point; p by SciPy."""
    found = {
        (r["quantity"], r["at_days"]): r for r in derived["lab_changes"].to_pyarrow().to_pylist()
    }
    tested = 0
    for analyte in ("bilirubin", "albumin", "lymphocytes"):
        for window in TOXICITY.lab_windows:
            values, changes = _nearest(analyte, *window)
            row = found[analyte, window[1]]
            assert (row["n"], row["n_pairs"]) == (len(values), len(changes))
            assert row["n_equal"] == changes.count(0.0)
            assert row["median"] == pytest.approx(median(values), rel=1e-12)
            assert row["median_change"] == pytest.approx(median(changes), abs=1e-9)
            if any(changes):
                theirs = wilcoxon(changes, correction=True, method="approx")
                rises = [c > 0 for c in changes if c]
                assert row["method"] != "exact"
                assert row["p"] == pytest.approx(theirs.pvalue, rel=1e-9)
                assert (row["v"] > 0) == any(rises)
                tested += 1
    assert tested > 5

"""Doses, symptoms and reviews of the reference cohort are as the publication prints them.

Memon et al. 2012: median 113 Gy, range 29 to 299; 21 of 25 symptomatic patients improved; first
review at 4 weeks, then every 2 to 3 months. Further digits are those the invented cohort was made
for, counted from its files by hand and by R, not by this code.
"""

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from analytics.doses.dosimetry import dosimetry_summary
from analytics.outcomes.follow_up import adherence_summary, symptom_summary
from schemas.contract import Contract, empty, rows, table_name
from schemas.settings import (
    BaselineSettings,
    DosimetrySettings,
    EligibilitySettings,
    FollowUpSettings,
    SymptomSettings,
    ToxicitySettings,
)
from schemas.tables.intermediate import (
    EndpointCriterion,
    Extractions,
    Milestones,
    PopulationMembers,
)
from schemas.tables.marts import (
    SubjectResponse,
    Subjects,
    SymptomResponse,
    Toxicity,
    TreatmentTargets,
)
from schemas.tables.registry import TABLES
from simulation import cohort, reference
from transforms.baseline.anchors import anchors, sessions
from transforms.dosimetry.dosimetry import treatment_targets
from transforms.time.follow_up import follow_up_adherence
from transforms.toxicity.symptoms import symptom_response

EVERYTHING = date(2011, 3, 31)
Tables = dict[str, ir.Table]


def _kept(table: ir.Table) -> ir.Table:
    return ibis.memtable(ibis.duckdb.connect().to_pyarrow(table))


@pytest.fixture(scope="module")
def registry() -> Tables:
    """The cohort's records, each patient under its own name, with T0 and sessions derived."""
    given = reference.records(EVERYTHING)
    tables = {table_name(c): _registry(c, given.get(table_name(c), [])) for c in TABLES}
    tables["sessions"] = _kept(sessions(tables["treatments"], settings=BaselineSettings()))
    tables["anchors"] = _kept(
        anchors(tables["treatments"], tables["sessions"], settings=BaselineSettings())
    )
    members = [{"population": "all", "subject_id": p.patient_id} for p in cohort.patients()]
    tables["population_members"] = rows(members, PopulationMembers)
    return tables


def _registry(contract: type[Contract], records: list[dict[str, Any]]) -> ir.Table:
    named = [
        r | {"subject_id": r["patient_id"], "site_id": "memon2012", "row_id": str(n)}
        for n, r in enumerate(records)
    ]
    return rows(named, contract)


def _targets(registry: Tables, constant: str) -> list[dict[str, Any]]:
    names = ("treatments", "sessions", "anchors", "mappings", "assessments")
    found = treatment_targets(
        *(registry[n] for n in names),
        settings=DosimetrySettings(mird_constant=constant),
        eligibility=EligibilitySettings(),
    )
    return [dict(r) for r in ibis.duckdb.connect().to_pyarrow(found).to_pylist()]


def _doses(registry: Tables, constant: str) -> dict[tuple[str, str], dict[str, Any]]:
    summary = dosimetry_summary(
        rows(_targets(registry, constant), TreatmentTargets),
        empty(SubjectResponse),
        empty(Toxicity),
        registry["population_members"],
        empty(EndpointCriterion),
        settings=ToxicitySettings(),
    )
    found = summary.to_pyarrow().to_pylist()
    return {(r["measure"], r["grain"]): r for r in found if r["patient_group"] == ""}


def test_every_dose_is_recomputed_within_0_05_gy_of_the_record(registry: Tables) -> None:
    targets = _targets(registry, "50")
    assert len(targets) == 78
    assert {t["difference_class"] for t in targets} == {"agrees"}
    assert max(abs(t["dose_gy"] - float(t["dose_gy_recorded"])) for t in targets) < 0.05
    assert not any(t["lung_dose_over_session_limit"] for t in targets)
    assert not any(t["lung_dose_over_cumulative_limit"] for t in targets)


@pytest.mark.parametrize(
    ("measure", "grain", "n", "median", "least", "greatest"),
    [
        ("dose_gy_recorded", "target", 78, 113.4, 29.2, 299.2),
        ("dose_gy_recorded", "session", 72, 113.4, 29.2, 299.2),
        ("dose_gy_recorded", "subject", 40, 113.375, 38.6, 221.25),
    ],
)
def test_recorded_doses_have_the_median_and_range_at_each_grain(
    registry: Tables, measure: str, grain: str, n: int, median: float, least: float, greatest: float
) -> None:
    found = _doses(registry, "50")[measure, grain]
    assert found["n"] == n
    assert (found["median"], found["minimum"], found["maximum"]) == pytest.approx(
        (median, least, greatest), abs=1e-9
    )


def test_weighting_by_mass_moves_the_median_of_patients_to_113_384(registry: Tables) -> None:
    found = _doses(registry, "50")["dose_gy_recorded_mass_weighted", "subject"]
    assert found["median"] == pytest.approx(113.384, abs=5e-4)


def test_the_largest_lung_dose_is_28_57_and_36_03_cumulated(registry: Tables) -> None:
    found = _doses(registry, "50")
    assert found["lung_dose_gy", "session"]["maximum"] == pytest.approx(28.57, abs=0.005)
    assert found["cumulative_lung_dose_gy", "subject"]["maximum"] == pytest.approx(36.03, abs=0.005)


def test_only_the_constant_of_50_reproduces_the_printed_range(registry: Tables) -> None:
    """With 49.67 the median still prints 113, but the greatest dose is 297 in place of 299."""
    fifty = _doses(registry, "50")["dose_gy", "target"]
    other = _doses(registry, "49.67")["dose_gy", "target"]
    printed = [f"{fifty[n]:.0f}" for n in ("median", "minimum", "maximum")]
    assert printed == ["113", "29", "299"]
    assert other["median"] == pytest.approx(112.63, abs=0.005)
    assert other["minimum"] == pytest.approx(29.0, abs=0.05)
    assert other["maximum"] == pytest.approx(297.2, abs=0.05)


def test_21_of_25_symptomatic_patients_improved(registry: Tables) -> None:
    subjects = rows(
        [
            {"subject_id": p.patient_id, "site_id": "memon2012", "treated": True}
            | {"carcinoid_symptoms": p.symptomatic}
            for p in cohort.patients()
        ],
        Subjects,
    )
    answers = symptom_response(
        registry["assessments"], registry["anchors"], subjects, settings=SymptomSettings()
    )
    given = ibis.duckdb.connect().to_pyarrow(answers).to_pylist()
    summary = symptom_summary(
        rows(given, SymptomResponse), subjects, registry["population_members"]
    )
    counts = {r["measure"]: (r["n"], r["total"]) for r in summary.to_pyarrow().to_pylist()}
    assert counts["symptomatic"] == (25, 40)
    assert counts["improved"] == counts["improved_of_known"] == (21, 25)
    assert (counts["unchanged"], counts["worse"], counts["unknown"]) == ((3, 25), (1, 25), (0, 25))


def test_every_review_of_the_cohort_is_on_time(registry: Tables) -> None:
    """First scans on days 26 to 32 and gaps of 56 to 94 days, with laboratory and visit."""
    names = ("scans", "measurements", "labs", "assessments", "contacts", "anchors")
    reviews = follow_up_adherence(
        *(registry[n] for n in names),
        _milestones(),
        empty(Extractions),
        settings=FollowUpSettings(),
    )
    given = _kept(reviews)
    summary = adherence_summary(given, registry["population_members"]).to_pyarrow().to_pylist()
    found = {r["measure"]: r for r in summary}
    for measure in ("first_visit_on_time", "every_gap_on_time", "imaging_always_measured"):
        assert (found[measure]["n"], found[measure]["total"]) == (40, 40)
    gaps = given.to_pyarrow()
    assert min(gaps["first_review_day"].to_pylist()) == 26
    assert max(gaps["first_review_day"].to_pylist()) == 32
    assert max(gaps["max_gap_days"].to_pylist()) == 94
    assert sum(gaps["n_observed"].to_pylist()) == 377


def _milestones() -> ir.Table:
    """Followed to the end, without regard to progression, so that every scan is judged."""
    last = [
        {"subject_id": p.patient_id, "site_id": "memon2012", "last_alive_day": p.exit_day}
        for p in cohort.patients()
    ]
    return rows([r | {"last_alive_imputed": False, "lost": False} for r in last], Milestones)

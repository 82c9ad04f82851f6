"""What must hold for any recorded activity, shunt and mass: exact limits, and named mistakes.

Each example is a registry of many patients, because one query costs as much as a hundred rows.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.contract import empty, rows
from schemas.settings import DosimetrySettings, EligibilitySettings
from schemas.tables.intermediate import Anchors, Sessions
from schemas.tables.registry import Assessments, Mappings, Treatments
from tests.support.pipe_tables import EPOCH
from transforms.dosimetry.dosimetry import treatment_targets

FEW = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
MIRD = Fraction(50)


def decimals(least, greatest, places):
    return st.decimals(least, greatest, places=places, allow_nan=False, allow_infinity=False)


SESSION = st.tuples(
    decimals("0.1", "20", 6),
    decimals("0.01", "0.3", 6),
    decimals("0.001", "0.1", 6),
    decimals("0.1", "3", 6),
)
PATIENTS = st.lists(st.lists(SESSION, min_size=1, max_size=3), min_size=1, max_size=100)


def derived(patients, spoilt=lambda record: record):
    """The mart's rows, by patient and session; one target a session, recorded without fault."""
    treatments, sessions = [], []
    for patient, given_sessions in enumerate(patients):
        for number, (activity, shunt, residual, mass) in enumerate(given_sessions, start=1):
            name = {"subject_id": f"{patient:04}", "session_id": f"s{number}"}
            record = name | {
                "patient_id": f"{patient}",
                "row_id": f"{patient}.{number}",
                "target_id": "t",
                "treatment_date": EPOCH,
                "device": "glass",
                "lobe": "right",
                "activity_administered_gbq": activity,
                "lung_shunt_fraction": shunt,
                "residual_fraction": residual,
                "target_mass_kg": mass,
                "dose_gy": round(mird_gy(activity, shunt, residual, mass), 6),
            }
            treatments.append(spoilt(record))
            sessions.append(name | {"session_number": number, "course": 1, "session_date": EPOCH})
    table = treatment_targets(
        rows(treatments, Treatments),
        rows(sessions, Sessions),
        rows([{"subject_id": f"{n:04}", "t0_date": EPOCH} for n in range(len(patients))], Anchors),
        empty(Mappings),
        empty(Assessments),
        settings=DosimetrySettings(),
        eligibility=EligibilitySettings(),
    )
    found = ibis.duckdb.connect().to_pyarrow(table).to_pylist()
    return {(int(r["subject_id"]), r["session_number"]): r for r in found}


def mird_gy(activity, shunt, residual, mass):
    return Decimal(50) * activity * (1 - shunt) * (1 - residual) / mass


def lung_gy(session):
    activity, shunt, residual, _ = map(Fraction, session)
    return MIRD * activity * shunt * (1 - residual)


@FEW
@given(PATIENTS)
def test_limits_are_those_of_exact_fractions(patients):
    found = derived(patients)
    assert len(found) == sum(map(len, patients))
    for patient, sessions in enumerate(patients):
        for number in range(1, len(sessions) + 1):
            row = found[patient, number]
            own, so_far = lung_gy(sessions[number - 1]), sum(map(lung_gy, sessions[:number]))
            assert row["lung_dose_over_session_limit"] == (own > 30)
            assert row["lung_dose_over_cumulative_limit"] == (so_far > 50)
            assert row["lung_dose_gy"] == pytest.approx(float(own), rel=1e-12)
            assert row["cumulative_lung_dose_gy"] == pytest.approx(float(so_far), rel=1e-12)
            assert row["difference_class"] == "agrees"


@FEW
@given(st.lists(st.tuples(st.integers(1, 999), st.integers(-1, 1)), min_size=1, max_size=100))
def test_one_kbq_decides_at_exactly_30_gy(cases):
    """A x shunt = 0.6 GBq is 30 Gy: every shunt that divides it, one kBq below, at and above."""
    sessions, over = [], []
    for number, step in cases:
        shunt = Decimal(number) / 1000
        activity = Decimal(600_000_000 // number) / 1_000_000 + Decimal(step) / 1_000_000
        sessions.append([(activity, shunt, Decimal(0), Decimal(1))])
        over.append(Fraction(activity) * Fraction(shunt) * MIRD > 30)
    found = derived(sessions)
    assert [found[n, 1]["lung_dose_over_session_limit"] for n in range(len(cases))] == over


@FEW
@given(PATIENTS, st.randoms(use_true_random=False))
def test_the_order_of_patients_changes_nothing(patients, random):
    order = random.sample(range(len(patients)), len(patients))
    straight = derived(patients)
    shuffled = derived([patients[n] for n in order])
    for place, patient in enumerate(order):
        for number in range(1, len(patients[patient]) + 1):
            one = dict(straight[patient, number]) | {"subject_id": "", "source_row_id": ""}
            other = dict(shuffled[place, number]) | {"subject_id": "", "source_row_id": ""}
            assert one == other


FAULTS = {
    "MBq": ("unit", lambda r: {"activity_administered_gbq": r["activity_administered_gbq"] * 1000}),
    "rad": ("unit", lambda r: {"dose_gy": r["dose_gy"] * 100}),
    "g": ("unit", lambda r: {"target_mass_kg": r["target_mass_kg"] * 1000}),
    "residual": ("percent_or_fraction", lambda _: {"residual_fraction": PERCENT}),
    "volume": (
        "mass",
        lambda r: (
            {"target_volume_ml": r["target_mass_kg"] / Decimal("1.03") * 1000}
            | {"target_mass_kg": r["target_mass_kg"] * Decimal("1.7")}
        ),
    ),
}
PERCENT = Decimal("0.6")


@pytest.mark.parametrize("fault", FAULTS)
@settings(parent=FEW, max_examples=1)
@given(patients=PATIENTS)
def test_an_injected_fault_is_named(fault, patients):
    """The dose is recorded rightly and one field is spoilt, or the other way round."""
    expected, spoil = FAULTS[fault]

    def spoilt(record):
        if fault == "residual":
            activity, shunt = record["activity_administered_gbq"], record["lung_shunt_fraction"]
            right = mird_gy(activity, shunt, PERCENT / 100, record["target_mass_kg"])
            record = record | {"dose_gy": round(right, 6)}
        spoils = {name: round(value, 6) for name, value in spoil(record).items()}
        return record | spoils

    assert {r["difference_class"] for r in derived(patients, spoilt).values()} == {expected}

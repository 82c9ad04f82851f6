"""What must hold for any recorded activity, shunt and mass: exact limits, and named mistakes.

Each example is a registry of many patients, drawn from a seed: of a few examples Hypothesis would
try little but its simplest values. How many are not trivial is asserted in every example.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.settings import DosimetrySettings, EligibilitySettings
from tests.support.compiled_derivation import CompiledDerivation
from tests.support.pipe_tables import EPOCH
from transforms.dosimetry.dosimetry import treatment_targets

FEW = settings(max_examples=8, deadline=None, database=None, derandomize=True)
MIRD = Fraction(50)
PATIENTS = 100
LEAST = 20
"""Of the patients of an example, so many lie on either side of each limit."""


def _patients(seed):
    """One to three sessions each: activity in GBq, lung shunt, residual, mass in kg."""
    chance = Random(seed)

    def decimal(least, greatest):
        return Decimal(chance.randint(least, greatest)) / 1_000_000

    return [
        [
            (
                decimal(100_000, 20_000_000),
                decimal(10_000, 300_000),
                decimal(1_000, 100_000),
                decimal(100_000, 3_000_000),
            )
            for _ in range(chance.randint(1, 3))
        ]
        for _ in range(PATIENTS)
    ]


SEEDS = st.integers(0, 2**32)


@cache
def _compiled():
    return CompiledDerivation(
        treatment_targets, settings=DosimetrySettings(), eligibility=EligibilitySettings()
    )


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
    found = _compiled()(
        treatments=treatments,
        sessions=sessions,
        anchors=[{"subject_id": f"{n:04}", "t0_date": EPOCH} for n in range(len(patients))],
    )
    return {(int(r["subject_id"]), r["session_number"]): r for r in found}


def mird_gy(activity, shunt, residual, mass):
    return Decimal(50) * activity * (1 - shunt) * (1 - residual) / mass


def lung_gy(session):
    activity, shunt, residual, _ = map(Fraction, session)
    return MIRD * activity * shunt * (1 - residual)


@FEW
@given(SEEDS)
def test_limits_are_those_of_exact_fractions(seed):
    patients = _patients(seed)
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
    for limit in ("session", "cumulative"):
        over = sum(row[f"lung_dose_over_{limit}_limit"] for row in found.values())
        assert LEAST <= over <= len(found) - LEAST


@FEW
@given(SEEDS)
def test_one_kbq_decides_at_exactly_30_gy(seed):
    """A x shunt = 0.6 GBq is 30 Gy: every shunt that divides it, one kBq below, at and above."""
    chance = Random(seed)
    cases = [(chance.randint(1, 999), chance.randint(-1, 1)) for _ in range(PATIENTS)]
    sessions, over = [], []
    for number, step in cases:
        shunt = Decimal(number) / 1000
        activity = Decimal(600_000_000 // number) / 1_000_000 + Decimal(step) / 1_000_000
        sessions.append([(activity, shunt, Decimal(0), Decimal(1))])
        over.append(Fraction(activity) * Fraction(shunt) * MIRD > 30)
    found = derived(sessions)
    assert LEAST <= sum(over) <= len(over) - LEAST
    assert [found[n, 1]["lung_dose_over_session_limit"] for n in range(len(cases))] == over


@FEW
@given(SEEDS, SEEDS)
def test_the_order_of_patients_changes_nothing(seed, other_seed):
    patients = _patients(seed)
    order = Random(other_seed).sample(range(len(patients)), len(patients))
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
@FEW
@given(seed=SEEDS)
def test_an_injected_fault_is_named(fault, seed):
    """The dose is recorded rightly and one field is spoilt, or the other way round."""
    patients = _patients(seed)
    expected, spoil = FAULTS[fault]

    def spoilt(record):
        if fault == "residual":
            activity, shunt = record["activity_administered_gbq"], record["lung_shunt_fraction"]
            right = mird_gy(activity, shunt, PERCENT / 100, record["target_mass_kg"])
            record = record | {"dose_gy": round(right, 6)}
        spoils = {name: round(value, 6) for name, value in spoil(record).items()}
        return record | spoils

    named = [r["difference_class"] for r in derived(patients, spoilt).values()]
    assert named == [expected] * sum(map(len, patients))
    assert len({session for sessions in patients for session in sessions}) >= PATIENTS

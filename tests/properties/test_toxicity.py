"""What must hold for any laboratory result: monotone grades, units, row order, added results.

Each example is a registry of many results, because one query costs as much as a hundred rows.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import ibis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.contract import empty, rows
from schemas.records.analytes import ANALYTES, CANONICAL_LAB_UNIT
from schemas.settings import ToxicitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, RowsSetAside
from schemas.tables.marts import LabGrades
from schemas.tables.registry import AdverseEvents, Labs, Medications
from tests.support.pipe_tables import EPOCH
from transforms.toxicity.lab_grades import lab_grades
from transforms.toxicity.toxicity import toxicity

FEW = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
FALLING = {"albumin", "haemoglobin", "wbc", "neutrophils", "lymphocytes", "platelets"}
SETTINGS = ToxicitySettings()


def decimals(least, greatest, places):
    return st.decimals(least, greatest, places=places, allow_nan=False, allow_infinity=False)


LIMIT = st.none() | decimals("0.1", "60", 2)
VALUES = st.lists(decimals("0", "400", 2), min_size=2, max_size=12)
PATIENT = st.fixed_dictionaries(
    {
        "analyte": st.sampled_from(ANALYTES),
        "lower": LIMIT,
        "upper": LIMIT,
        "baseline": st.none() | decimals("0.1", "60", 2),
        "values": VALUES,
    }
)


def query(expression):
    return ibis.duckdb.connect().to_pyarrow(expression).to_pylist()


def registry(patients, unit=None, factor=1):
    """Labs, baselines and anchors of patients who each have one analyte, one result a day."""
    labs, baselines, anchors = [], [], []
    for number, p in enumerate(patients):
        of = {
            "subject_id": f"{number}",
            "analyte": p["analyte"],
            "unit": unit or CANONICAL_LAB_UNIT[p["analyte"]],
            "lower_limit": times(p["lower"], factor),
            "upper_limit": times(p["upper"], factor),
        }
        anchors.append({"subject_id": f"{number}", "t0_date": EPOCH, "last_session_date": EPOCH})
        if p["baseline"] is not None:
            known = {"row_id": f"{number}:b", "value": times(p["baseline"], factor)}
            baselines.append(of | known)
        for day, value in enumerate(p["values"], start=1):
            labs.append(
                of
                | {
                    "row_id": f"{number}:{day}",
                    "lab_date": EPOCH + timedelta(days=day),
                    "sequence": 1,
                    "value": times(value, factor),
                }
            )
    return labs, baselines, anchors


def times(value, factor):
    return None if value is None else value * factor


def graded(labs, baselines, anchors):
    return lab_grades(
        rows(labs, Labs),
        rows(anchors, Anchors),
        rows(baselines, BaselineLabs),
        empty(Medications),
        empty(RowsSetAside),
        settings=SETTINGS,
    )


def worst(labs, baselines, anchors):
    table = toxicity(
        graded(labs, baselines, anchors),
        empty(AdverseEvents),
        rows(anchors, Anchors),
        settings=SETTINGS,
    )
    return query(table)


@FEW
@given(st.lists(PATIENT, min_size=30, max_size=60))
def test_a_worse_value_never_has_a_milder_grade(patients):
    found = {}
    for r in query(graded(*registry(patients))):
        key = r["subject_id"], r["analyte"], r["ctcae_version"]
        found.setdefault(key, []).append((r["value"], r["grade"]))
    assert found
    for (_, analyte, _), results in found.items():
        ordered = sorted(results, key=lambda r: r[0], reverse=analyte in FALLING)
        grades = [grade for _, grade in ordered if grade is not None]
        assert grades == sorted(grades)


@FEW
@given(st.lists(PATIENT, min_size=20, max_size=40))
def test_exports_in_mg_dl_and_in_umol_l_have_the_same_grades(patients):
    for analyte, factor in (("bilirubin", Decimal("17.1")), ("creatinine", Decimal("88.4"))):
        same = [p | {"analyte": analyte} for p in patients]
        mg_dl = query(graded(*registry(same)))
        umol_l = query(graded(*registry(same, "umol/L", factor)))
        assert verdicts(mg_dl) == verdicts(umol_l)


def verdicts(found):
    shown = ("source_row_id", "ctcae_version", "grade", "rule", "reason")
    return sorted([tuple(str(r[c]) for c in shown) for r in found])


@FEW
@given(st.lists(PATIENT, min_size=20, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(patients, random):
    labs, baselines, anchors = registry(patients)
    first = worst(labs, baselines, anchors)
    for table in (labs, baselines, anchors):
        random.shuffle(table)
    assert in_order(worst(labs, baselines, anchors)) == in_order(first)


def in_order(found):
    return sorted(found, key=lambda r: [str(v) for v in r.values()])


@FEW
@given(st.lists(PATIENT, min_size=20, max_size=40))
def test_a_further_result_never_makes_the_worst_grade_milder(patients):
    fewer = [p | {"values": p["values"][:-1]} for p in patients]
    before = by_key(worst(*registry(fewer)))
    after = by_key(worst(*registry(patients)))
    assert set(before) <= set(after)
    assert all(after[key] >= grade for key, grade in before.items())


def by_key(found):
    key = ("subject_id", "term", "ctcae_version", "time_window")
    return {tuple(r[c] for c in key): r["worst_grade"] for r in found}


@FEW
@given(
    st.lists(
        st.tuples(st.integers(-20, 400), st.integers(0, 3), st.none() | st.integers(0, 4)),
        min_size=1,
        max_size=80,
        unique_by=lambda r: r[:2],
    ),
    st.integers(0, 90),
)
def test_the_worst_is_the_greatest_grade_on_its_earliest_day(results, last):
    """Against the definition written out for one patient, draw by draw."""
    session = EPOCH + timedelta(days=last)
    anchor = {"subject_id": "A", "t0_date": EPOCH, "last_session_date": session}
    labs = [
        {
            "subject_id": "A",
            "analyte": "ast",
            "ctcae_version": "3.0",
            "rel_day": day,
            "sequence": sequence,
            "grade": grade,
            "is_baseline": False,
            "source_row_id": f"{day}:{sequence}",
        }
        for day, sequence, grade in results
    ]
    derived = toxicity(
        rows(labs, LabGrades), empty(AdverseEvents), rows([anchor], Anchors), settings=SETTINGS
    )
    shown = ("worst_grade", "worst_day", "source_row_id")
    found = {r["time_window"]: tuple(r[c] for c in shown) for r in query(derived)}
    spans = {
        "acute": lambda d: 0 < d <= 30 or last < d <= last + 30,
        "primary": lambda d: 0 < d <= last + 90,
        "late": lambda d: last + 90 < d <= last + 183,
        "any": lambda d: d > 0,
    }
    expected = {}
    for window, inside in spans.items():
        known = [r for r in results if r[2] is not None and inside(r[0])]
        if known:
            day, sequence, grade = min(known, key=lambda r: (-r[2], r[0], r[1]))
            expected[window] = (grade, day, f"{day}:{sequence}")
    assert found == expected

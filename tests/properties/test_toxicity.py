"""What must hold for any laboratory result: monotone grades, units, row order, added results.

Each example is a registry of many results, drawn from a seed: of a few examples Hypothesis would
try little but its simplest values. How many are not trivial is asserted in every example.
"""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from functools import cache
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.contract import Table
from schemas.records.analytes import ANALYTES, CANONICAL_LAB_UNIT
from schemas.settings import ToxicitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, RowsSetAside
from schemas.tables.marts import Toxicity
from schemas.tables.registry import AdverseEvents, Labs, Medications
from tests.support.compiled_derivation import CompiledDerivation
from tests.support.pipe_tables import EPOCH
from transforms.toxicity.lab_grades import lab_grades
from transforms.toxicity.toxicity import toxicity

FEW = settings(max_examples=4, deadline=None, database=None, derandomize=True)
SEEDS = st.integers(0, 2**32)
LEAST = 20
"""Of the results of an example, so many have each grade from 0 to 4 in each version."""
FALLING = {"albumin", "haemoglobin", "wbc", "neutrophils", "lymphocytes", "platelets"}
SETTINGS = ToxicitySettings()


def _patients(seed, analyte=None):
    """Each with one analyte, limits and a baseline that may be missing, and a few results."""
    chance = Random(seed)

    def decimal(least, greatest):
        return Decimal(chance.randint(least, greatest)) / 100

    def perhaps(value):
        return value if chance.random() < 0.8 else None

    def patient():
        upper = decimal(10, 6000)
        highest = chance.choice([200, 2000, 40_000])
        return {
            "analyte": analyte or chance.choice(ANALYTES),
            "lower": perhaps(decimal(10, 6000)),
            "upper": perhaps(upper),
            "baseline": perhaps(decimal(10, 6000)),
            "values": [decimal(0, highest) for _ in range(chance.randint(2, 12))],
        }

    return [patient() for _ in range(300)]


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


def _worst_of(
    labs: Table[Labs],
    anchors: Table[Anchors],
    baseline_labs: Table[BaselineLabs],
    medications: Table[Medications],
    rows_set_aside: Table[RowsSetAside],
    adverse_events: Table[AdverseEvents],
) -> Table[Toxicity]:
    grades = lab_grades(
        labs, anchors, baseline_labs, medications, rows_set_aside, settings=SETTINGS
    )
    return toxicity(grades, adverse_events, anchors, settings=SETTINGS)


@cache
def _compiled(derivation, **sections):
    return CompiledDerivation(derivation, **sections)


def graded(labs, baselines, anchors):
    run = _compiled(lab_grades, settings=SETTINGS)
    return run(labs=labs, anchors=anchors, baseline_labs=baselines)


def worst(labs, baselines, anchors):
    return _compiled(_worst_of)(labs=labs, anchors=anchors, baseline_labs=baselines)


def every_grade(results):
    """The results, of which enough have each grade."""
    seen = Counter((r["ctcae_version"], r["grade"]) for r in results)
    for version in SETTINGS.ctcae_versions:
        for grade in range(5):
            assert seen[version, grade] >= LEAST, (version, grade)
    return results


@FEW
@given(SEEDS)
def test_a_worse_value_never_has_a_milder_grade(seed):
    found = {}
    for r in every_grade(graded(*registry(_patients(seed)))):
        key = r["subject_id"], r["analyte"], r["ctcae_version"]
        found.setdefault(key, []).append((r["value"], r["grade"]))
    for (_, analyte, _), results in found.items():
        ordered = sorted(results, key=lambda r: r[0], reverse=analyte in FALLING)
        grades = [grade for _, grade in ordered if grade is not None]
        assert grades == sorted(grades)


@FEW
@given(SEEDS)
def test_exports_in_mg_dl_and_in_umol_l_have_the_same_grades(seed):
    for analyte, factor in (("bilirubin", Decimal("17.1")), ("creatinine", Decimal("88.4"))):
        same = _patients(seed, analyte)
        mg_dl = every_grade(graded(*registry(same)))
        umol_l = graded(*registry(same, "umol/L", factor))
        assert verdicts(mg_dl) == verdicts(umol_l)


def verdicts(found):
    shown = ("source_row_id", "ctcae_version", "grade", "rule", "reason")
    return sorted([tuple(str(r[c]) for c in shown) for r in found])


@FEW
@given(SEEDS, SEEDS)
def test_the_order_of_the_rows_changes_nothing(seed, other_seed):
    labs, baselines, anchors = registry(_patients(seed))
    first = worst(labs, baselines, anchors)
    assert len({r["worst_grade"] for r in first}) == 5
    for table in (labs, baselines, anchors):
        Random(other_seed).shuffle(table)
    assert in_order(worst(labs, baselines, anchors)) == in_order(first)


def in_order(found):
    return sorted(found, key=lambda r: [str(v) for v in r.values()])


@FEW
@given(SEEDS)
def test_a_further_result_never_makes_the_worst_grade_milder(seed):
    patients = _patients(seed)
    fewer = [p | {"values": p["values"][:-1]} for p in patients]
    before = by_key(worst(*registry(fewer)))
    after = by_key(worst(*registry(patients)))
    assert set(before) <= set(after)
    assert all(after[key] >= grade for key, grade in before.items())
    assert sum(after[key] > grade for key, grade in before.items()) >= LEAST


def by_key(found):
    key = ("subject_id", "term", "ctcae_version", "time_window")
    return {tuple(r[c] for c in key): r["worst_grade"] for r in found}


@FEW
@given(SEEDS)
def test_the_worst_is_the_greatest_grade_on_its_earliest_day(seed):
    """Against the definition written out for one patient, draw by draw."""
    chance = Random(seed)
    last = chance.randint(0, 90)
    draws = {(chance.randint(-20, 1000), chance.randint(0, 3)) for _ in range(250)}
    results = [(*draw, chance.choice([None, 0, 0, 1, 1, 2, 3, 4])) for draw in sorted(draws)]
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
    derived = _compiled(toxicity, settings=SETTINGS)(lab_grades=labs, anchors=[anchor])
    shown = ("worst_grade", "worst_day", "source_row_id")
    found = {r["time_window"]: tuple(r[c] for c in shown) for r in derived}
    spans = {
        "acute": lambda d: 0 < d <= 30 or last < d <= last + 30,
        "primary": lambda d: 0 < d <= last + 90,
        "late": lambda d: last + 90 < d <= last + 183,
        "late_6_to_12_months": lambda d: last + 183 < d <= last + 365,
        "late_1_year": lambda d: d > last + 365,
        "late_2_years": lambda d: d > last + 730,
        "any": lambda d: d > 0,
    }
    expected = {}
    for window, inside in spans.items():
        known = [r for r in results if r[2] is not None and inside(r[0])]
        if known:
            day, sequence, grade = min(known, key=lambda r: (-r[2], r[0], r[1]))
            expected[window] = (grade, day, f"{day}:{sequence}")
    assert len(expected) == len(spans)
    assert found == expected

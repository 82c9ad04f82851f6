"""What must hold of response whatever the sizes are.

An example is a cohort of many patients, drawn from a seed: Hypothesis tries the simplest values
first, and of a few examples it would see lesions of 0 x 0 mm and little else. How much of a cohort
is not trivial is asserted in every example.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import ibis.expr.types as ir
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.contract import rows
from schemas.records.criteria import CRITERIA
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, Sessions, SubjectLesions
from schemas.tables.registry import Measurements, Patients, Scans, SubsequentTherapies
from tests.support.compiled_derivation import arrow_of
from tests.support.pipe_tables import EPOCH
from tests.support.tumours import classes_of_lesions, classes_of_subjects, steps

DAYS = (-10, 30, 90, 150, 240)
PATIENTS = 240
FEW = settings(
    max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate), derandomize=True
)
LEAST = {"CR": 60, "PR": 50, "SD": 100, "PD": 200, "NE": 300}
"""Of each cohort, so many lesions have each class at some scan, under each criterion."""
STATUSES = ["measured"] * 12 + ["too_small", "absent", "absent", "not_evaluable", "not_imaged"]
Reading = dict[str, Any]
Sizes = tuple[Decimal, Decimal, str]
Lesions = list[list[Sizes]]
Cohort = list[Lesions]
Classes = tuple[list[Reading], list[Reading]]
"""Of lesions, and of patients."""


def _cohort(seed: int) -> Cohort:
    """Many patients of one to three lesions, each read at every day."""
    chance = Random(seed)

    def reading(size: int) -> Sizes:
        a, b = (Decimal(max(0, size + chance.randint(-30, 30))) / 2 for _ in range(2))
        return a, b, chance.choice(STATUSES)

    return [
        [
            [reading(size) for _ in DAYS]
            for size in (chance.randint(20, 90) for _ in range(chance.randint(1, 3)))
        ]
        for _ in range(PATIENTS)
    ]


SEEDS = st.integers(0, 2**32)


def _readings(cohort: Cohort) -> list[Reading]:
    return [
        {
            "subject_id": f"P{patient}",
            "lesion_id": f"L{number}",
            "scan_date": EPOCH + dt.timedelta(days=day),
            "modality": "CT",
            "reader": "local",
            "longest_mm": max(a, b),
            "perpendicular_mm": min(a, b),
            "enhancing_longest_mm": min(a, b),
            "enhancing_perpendicular_mm": min(a, b) / 2,
            "status": seen,
            "row_id": f"P{patient}L{number}d{day}",
        }
        for patient, lesions in enumerate(cohort)
        for number, readings in enumerate(lesions, start=1)
        for day, (a, b, seen) in zip(DAYS, readings, strict=True)
    ]


def _derived(*registries: list[Reading]) -> list[Classes]:
    """The classes of each registry, all derived at once: patients do not meet."""
    readings = [
        reading | {"subject_id": f"{n}:{reading['subject_id']}"}
        for n, registry in enumerate(registries)
        for reading in registry
    ]
    lesions = sorted({(r["subject_id"], r["lesion_id"]) for r in readings})
    given = {
        Measurements: readings,
        SubjectLesions: [_lesion(subject, name) for subject, name in lesions],
        Anchors: [_anchor(subject) for subject in sorted({subject for subject, _ in lesions})],
    }
    settings = ResponseSettings()
    measured, scans, known, anchors, sessions, therapies, patients = (
        rows(given.get(contract, []), contract)
        for contract in (
            *(Measurements, Scans, SubjectLesions, Anchors, Sessions, SubsequentTherapies),
            Patients,
        )
    )
    made = steps(measured, scans, known, anchors, sessions, therapies, settings)
    of_lesions = classes_of_lesions(made, sessions, therapies, settings)
    subjects = classes_of_subjects(made, patients, sessions, therapies, settings)
    of_subjects = subjects.filter(subjects.organ == "all")
    return list(zip(_parted(of_lesions, registries), _parted(of_subjects, registries), strict=True))


def _parted(table: ir.Table, registries: Sequence[list[Reading]]) -> list[list[Reading]]:
    """The rows of each registry, in an order of their own."""
    found: list[list[Reading]] = [[] for _ in registries]
    for row in arrow_of(table).to_pylist():
        number, _, subject = row["subject_id"].partition(":")
        found[int(number)].append(row | {"subject_id": subject})
    return [
        sorted(part, key=lambda r: (*map(str, _key(r)), r.get("lesion_number", 0)))
        for part in found
    ]


def _lesion(subject: str, name: str) -> Reading:
    return {
        "subject_id": subject,
        "lesion_number": int(name[1:]),
        "lesion_id": name,
        "organ": "liver",
        "index_lesion": True,
        "recist_target": True,
    }


def _anchor(subject: str) -> Reading:
    return {
        "subject_id": subject,
        "site_id": "s1",
        "t0_date": EPOCH,
        "last_session_date": EPOCH,
    }


def _various(classes: Classes) -> Classes:
    """The same, of which enough lesions are of every kind."""
    seen = Counter((r["criterion"], r["response"]) for r in classes[0])
    for criterion in CRITERIA:
        for response, least in LEAST.items():
            assert seen[criterion, response] >= least, (criterion, response)
    return classes


@FEW
@given(seed=SEEDS, order=SEEDS)
def test_the_order_of_rows_changes_nothing(seed: int, order: int) -> None:
    """Deliveries come in any order."""
    readings = _readings(_cohort(seed))
    shuffled = Random(order).sample(readings, len(readings))
    assert _derived(shuffled)[0] == _various(_derived(readings)[0])


@FEW
@given(seed=SEEDS)
def test_a_later_scan_changes_no_earlier_assessment(seed: int) -> None:
    """What was known on a day stays what was known on that day."""
    readings = _readings(_cohort(seed))
    last = EPOCH + dt.timedelta(days=DAYS[-1])
    before = [r for r in readings if r["scan_date"] < last]
    whole, part = _derived(readings, before)
    for later, earlier in zip(_various(whole), part, strict=True):
        assert [r for r in later if r["rel_day"] < DAYS[-1]] == earlier


@FEW
@given(seed=SEEDS)
def test_the_numbering_of_lesions_does_not_matter_to_the_patient(seed: int) -> None:
    """A sum has no order."""
    cohort = _cohort(seed)
    assert sum(len(lesions) > 1 for lesions in cohort) >= PATIENTS / 2
    shown = ("subject_id", "criterion", "rel_day", "value", "nadir", "response", "rule")
    backwards = [lesions[::-1] for lesions in cohort]
    one, other = (
        sorted(tuple(str(r[k]) for k in shown) for r in subjects)
        for _, subjects in _derived(_readings(cohort), _readings(backwards))
    )
    assert one == other


@FEW
@given(seed=SEEDS)
def test_an_unchanged_lesion_more_never_betters_the_patient(seed: int) -> None:
    """A patient with one more lesion that stays as it is never responds better, nor completely."""
    cohort = _cohort(seed)
    order = ["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"]
    unchanged = [(Decimal(20), Decimal(20), "measured")] * len(DAYS)
    more = [[*lesions, unchanged] for lesions in cohort]
    before, after = (
        {_key(r): r["response"] for r in subjects}
        for _, subjects in _derived(_readings(cohort), _readings(more))
    )
    responders = [key for key, response in after.items() if response == "PR"]
    assert len(responders) >= PATIENTS / 4
    assert "CR" in before.values()
    assert "CR" not in after.values()
    for key in responders:
        assert order.index(before[key]) <= order.index("PR") or before[key] == "PD"


def _key(row: Reading) -> tuple[Any, ...]:
    return row["subject_id"], row["criterion"], row["rel_day"]


@FEW
@given(seed=SEEDS)
def test_what_was_not_seen_is_never_stable(seed: int) -> None:
    """A class other than NE rests on a value; a patient's PD may rest on part of the lesions."""
    lesions, subjects = _various(_derived(_readings(_cohort(seed)))[0])
    for row in lesions:
        assert (row["response"] == "NE") or row["value"] is not None
        assert row["criterion"] in CRITERIA
    for row in subjects:
        assert row["response"] in ("NE", "PD") or row["value"] is not None


@FEW
@given(seed=SEEDS, scale=st.sampled_from([2, 3, 10]))
def test_who_and_easl_classes_do_not_depend_on_the_scale(seed: int, scale: int) -> None:
    """Both are ratios: every size times ten, as centimetres read as millimetres, changes nothing.

    Lesions too small to measure have a size of their own, so they are left out.
    """
    exact = [
        [[(a, b, "measured" if seen == "too_small" else seen) for a, b, seen in r] for r in lesions]
        for lesions in _cohort(seed)
    ]
    larger = [
        [[(a * scale, b * scale, seen) for a, b, seen in r] for r in lesions] for lesions in exact
    ]
    one, other = (
        [
            (*_key(r), r["lesion_number"], r["response"], r["rule"])
            for r in lesions
            if r["criterion"] in ("WHO", "EASL")
        ]
        for lesions, _ in _derived(_readings(exact), _readings(larger))
    )
    assert sorted(one) == sorted(other)
    assert len({response for *_, response, _ in one}) == len(LEAST)

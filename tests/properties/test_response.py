"""What must hold of response whatever the sizes are."""

import datetime as dt
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.contract import empty, rows
from schemas.records.criteria import CRITERIA
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, Sessions, SubjectLesions
from schemas.tables.registry import Measurements, Scans, SubsequentTherapies
from tests.support.pipe_tables import EPOCH
from tests.support.tumours import lesion_classes, subject_classes

DAYS = (-10, 30, 90, 150, 240)
PATIENTS = 120
"""Many patients in one table: an expression costs more to compile than they cost to derive."""
QUICK = settings(max_examples=1, deadline=None, phases=(Phase.explicit, Phase.generate))
STATUSES = ["measured"] * 6 + ["too_small", "absent", "not_evaluable", "not_imaged"]
Reading = dict[str, Any]
Sizes = tuple[Decimal, Decimal, str]
Lesions = list[list[Sizes]]
Cohort = list[Lesions]


@st.composite
def cohorts(draw: st.DrawFn) -> Cohort:
    """Many patients of one to three lesions, each read at every day."""
    chance = draw(st.randoms(use_true_random=False))

    def reading() -> Sizes:
        a, b = (Decimal(chance.randint(0, 60)) / 2 for _ in range(2))
        return a, b, chance.choice(STATUSES)

    return [
        [[reading() for _ in DAYS] for _ in range(chance.randint(1, 3))] for _ in range(PATIENTS)
    ]


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


def _derived(derivation: Any, readings: list[Reading]) -> list[Reading]:
    lesions = sorted({(r["subject_id"], r["lesion_id"]) for r in readings})
    known = [_lesion(subject, name) for subject, name in lesions]
    anchors = [_anchor(subject) for subject in sorted({subject for subject, _ in lesions})]
    found: ir.Table = derivation(
        measurements=rows(readings, Measurements),
        scans=empty(Scans),
        subject_lesions=rows(known, SubjectLesions),
        anchors=rows(anchors, Anchors),
        sessions=empty(Sessions),
        subsequent_therapies=empty(SubsequentTherapies),
        settings=ResponseSettings(),
    )
    con = ibis.duckdb.connect()
    con.raw_sql("SET disabled_optimizers = 'join_filter_pushdown'")  # as warehouse.engine
    result = con.to_pyarrow(found).to_pylist()
    return sorted(result, key=lambda row: str(sorted(row.items(), key=str)))


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


@QUICK
@given(cohort=cohorts(), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(cohort: Cohort, order: Any) -> None:
    """Deliveries come in any order."""
    readings = _readings(cohort)
    shuffled = list(readings)
    order.shuffle(shuffled)
    for derivation in (lesion_classes, subject_classes):
        assert _derived(derivation, readings) == _derived(derivation, shuffled)


@QUICK
@given(cohort=cohorts())
def test_a_later_scan_changes_no_earlier_assessment(cohort: Cohort) -> None:
    """What was known on a day stays what was known on that day."""
    readings = _readings(cohort)
    last = EPOCH + dt.timedelta(days=DAYS[-1])
    before = [r for r in readings if r["scan_date"] < last]
    for derivation in (lesion_classes, subject_classes):
        later = [r for r in _derived(derivation, readings) if r["rel_day"] < DAYS[-1]]
        assert later == _derived(derivation, before)


@QUICK
@given(cohort=cohorts())
def test_the_numbering_of_lesions_does_not_matter_to_the_patient(cohort: Cohort) -> None:
    """A sum has no order."""
    keep = ("subject_id", "criterion", "rel_day", "value", "nadir", "response", "rule")
    one, other = (
        sorted(tuple(str(r[k]) for k in keep) for r in _derived(subject_classes, _readings(given)))
        for given in (cohort, [lesions[::-1] for lesions in cohort])
    )
    assert one == other


@QUICK
@given(cohort=cohorts())
def test_an_unchanged_lesion_more_never_betters_the_patient(cohort: Cohort) -> None:
    """A patient with one more lesion that stays as it is never responds better, nor completely."""
    order = ["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"]
    unchanged = [(Decimal(20), Decimal(20), "measured")] * len(DAYS)
    before = {_key(r): r["response"] for r in _derived(subject_classes, _readings(cohort))}
    after = {
        _key(r): r["response"]
        for r in _derived(subject_classes, _readings([[*lesions, unchanged] for lesions in cohort]))
    }
    for key, response in after.items():
        assert response != "CR"
        if response == "PR":
            assert order.index(before[key]) <= order.index("PR") or before[key] == "PD"


def _key(row: Reading) -> tuple[Any, ...]:
    return row["subject_id"], row["criterion"], row["rel_day"]


@QUICK
@given(cohort=cohorts())
def test_what_was_not_seen_is_never_stable(cohort: Cohort) -> None:
    """A class other than NE rests on a value; a patient's PD may rest on part of the lesions."""
    for row in _derived(lesion_classes, _readings(cohort)):
        assert (row["response"] == "NE") or row["value"] is not None
        assert row["criterion"] in CRITERIA
    for row in _derived(subject_classes, _readings(cohort)):
        assert row["response"] in ("NE", "PD") or row["value"] is not None


@QUICK
@given(cohort=cohorts(), scale=st.sampled_from([2, 3, 10]))
def test_who_and_easl_classes_do_not_depend_on_the_scale(cohort: Cohort, scale: int) -> None:
    """Both are ratios: every size times ten, as centimetres read as millimetres, changes nothing.

    Lesions too small to measure have a size of their own, so they are left out.
    """
    exact = [
        [[(a, b, "measured" if seen == "too_small" else seen) for a, b, seen in r] for r in lesions]
        for lesions in cohort
    ]
    larger = [
        [[(a * scale, b * scale, seen) for a, b, seen in r] for r in lesions] for lesions in exact
    ]
    one, other = (
        [
            (*_key(r), r["lesion_number"], r["response"], r["rule"])
            for r in _derived(lesion_classes, _readings(given))
            if r["criterion"] in ("WHO", "EASL")
        ]
        for given in (exact, larger)
    )
    assert sorted(one) == sorted(other)

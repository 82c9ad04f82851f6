"""What must hold of response whatever the sizes are."""

import datetime as dt
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.contract import empty, rows
from schemas.intermediate import Anchors, Sessions, SubjectLesions
from schemas.marts import CRITERIA
from schemas.registry import Measurements, Scans, SubsequentTherapies
from schemas.settings import ResponseSettings
from tests.specs.tables import EPOCH
from tests.specs.tumours import lesion_classes, subject_classes

DAYS = (-10, 30, 90, 150, 240)
QUICK = settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
size = st.integers(0, 60).map(lambda tenths: Decimal(tenths) / 2)
status = st.sampled_from(["measured"] * 6 + ["too_small", "absent", "not_evaluable", "not_imaged"])
reading = st.tuples(size, size, status)
lesion = st.lists(reading, min_size=len(DAYS), max_size=len(DAYS))
patient = st.lists(lesion, min_size=1, max_size=3)
Reading = dict[str, Any]


def _readings(lesions: list[list[tuple[Decimal, Decimal, str]]]) -> list[Reading]:
    return [
        {
            "subject_id": "A",
            "lesion_id": f"L{number}",
            "scan_date": EPOCH + dt.timedelta(days=day),
            "modality": "CT",
            "reader": "local",
            "longest_mm": max(a, b),
            "perpendicular_mm": min(a, b),
            "enhancing_longest_mm": min(a, b),
            "enhancing_perpendicular_mm": min(a, b) / 2,
            "status": seen,
            "row_id": f"L{number}d{day}",
        }
        for number, readings in enumerate(lesions, start=1)
        for day, (a, b, seen) in zip(DAYS, readings, strict=True)
    ]


def _derived(derivation: Any, readings: list[Reading]) -> list[Reading]:
    given = {"measurements": rows(readings, Measurements), "scans": empty(Scans)}
    lesions = sorted({r["lesion_id"] for r in readings})
    found: ir.Table = derivation(
        **given,
        subject_lesions=rows(
            [
                {
                    "subject_id": "A",
                    "lesion_number": int(name[1:]),
                    "lesion_id": name,
                    "organ": "liver",
                    "index_lesion": True,
                    "recist_target": True,
                }
                for name in lesions
            ],
            SubjectLesions,
        ),
        anchors=rows(
            [
                {
                    "subject_id": "A",
                    "site_id": "s1",
                    "t0_date": EPOCH,
                    "last_session_date": EPOCH,
                }
            ],
            Anchors,
        ),
        sessions=empty(Sessions),
        subsequent_therapies=empty(SubsequentTherapies),
        settings=ResponseSettings(),
    )
    result = ibis.duckdb.connect().to_pyarrow(found).to_pylist()
    return sorted(result, key=lambda row: str(sorted(row.items(), key=str)))


@QUICK
@given(lesions=patient, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(lesions: list[Any], order: Any) -> None:
    """Deliveries come in any order."""
    readings = _readings(lesions)
    shuffled = list(readings)
    order.shuffle(shuffled)
    for derivation in (lesion_classes, subject_classes):
        assert _derived(derivation, readings) == _derived(derivation, shuffled)


@QUICK
@given(lesions=patient)
def test_a_later_scan_changes_no_earlier_assessment(lesions: list[Any]) -> None:
    """What was known on a day stays what was known on that day."""
    readings = _readings(lesions)
    last = EPOCH + dt.timedelta(days=DAYS[-1])
    before = [r for r in readings if r["scan_date"] < last]
    for derivation in (lesion_classes, subject_classes):
        later = [r for r in _derived(derivation, readings) if r["rel_day"] < DAYS[-1]]
        assert later == _derived(derivation, before)


@QUICK
@given(lesions=patient)
def test_the_numbering_of_lesions_does_not_matter_to_the_patient(lesions: list[Any]) -> None:
    """A sum has no order."""
    keep = ("criterion", "rel_day", "value", "nadir", "response", "rule")
    one, other = (
        sorted(tuple(str(r[k]) for k in keep) for r in _derived(subject_classes, _readings(given)))
        for given in (lesions, lesions[::-1])
    )
    assert one == other


@QUICK
@given(lesions=patient)
def test_an_unchanged_lesion_more_never_betters_the_patient(lesions: list[Any]) -> None:
    """A patient with one more lesion that stays as it is never responds better, nor completely."""
    order = ["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"]
    unchanged = [(Decimal(20), Decimal(20), "measured")] * len(DAYS)
    before = {_key(r): r["response"] for r in _derived(subject_classes, _readings(lesions))}
    after = {
        _key(r): r["response"] for r in _derived(subject_classes, _readings([*lesions, unchanged]))
    }
    for key, response in after.items():
        assert response != "CR"
        if response == "PR":
            assert order.index(before[key]) <= order.index("PR") or before[key] == "PD"


def _key(row: Reading) -> tuple[Any, ...]:
    return row["criterion"], row["rel_day"]


@QUICK
@given(lesions=patient)
def test_what_was_not_seen_is_never_stable(lesions: list[Any]) -> None:
    """A class other than NE rests on a value; a patient's PD may rest on part of the lesions."""
    for row in _derived(lesion_classes, _readings(lesions)):
        assert (row["response"] == "NE") or row["value"] is not None
        assert row["criterion"] in CRITERIA
    for row in _derived(subject_classes, _readings(lesions)):
        assert row["response"] in ("NE", "PD") or row["value"] is not None


@QUICK
@given(lesions=patient, scale=st.sampled_from([2, 3, 10]))
def test_who_and_easl_classes_do_not_depend_on_the_scale(lesions: list[Any], scale: int) -> None:
    """Both are ratios: every size times ten, as centimetres read as millimetres, changes nothing.

    Lesions too small to measure have a size of their own, so they are left out.
    """
    exact = [
        [(a, b, "measured" if seen == "too_small" else seen) for a, b, seen in readings]
        for readings in lesions
    ]
    larger = [[(a * scale, b * scale, seen) for a, b, seen in readings] for readings in exact]
    one, other = (
        [
            (r["criterion"], r["rel_day"], r["lesion_number"], r["response"], r["rule"])
            for r in _derived(lesion_classes, _readings(given))
            if r["criterion"] in ("who", "easl")
        ]
        for given in (exact, larger)
    )
    assert sorted(one) == sorted(other)

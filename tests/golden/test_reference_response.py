"""The reference cohort responds as published, computed from sizes alone.

The sizes of simulation/memon2012 are turned into registry tables here, without the pipeline's
readers. Lesion counts are those of Memon et al. 2012 (by way of their percentages of 83); patient
counts and the joint table are the cohort's own design, computed apart with exact fractions.
"""

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pytest

from analytics.outcomes.response import criterion_agreement, response_summary, response_summary_sets
from schemas.contract import Contract, columns, empty, rows
from schemas.settings import ResponseSettings
from schemas.tables.class_marts import CountedReaders
from schemas.tables.intermediate import Anchors, PopulationMembers, Sessions, SubjectLesions
from schemas.tables.registry import Measurements, Patients, Scans, SubsequentTherapies
from tests.support.tumours import classes_of_lesions, classes_of_subjects, derived, steps
from transforms.response.best_response import lesion_response, subject_response

COHORT = Path(__file__).parents[2] / "simulation" / "memon2012"
ALL = ResponseSettings()
READINGS = (
    ALL,
    ResponseSettings(baseline_anchor="T0"),
    ResponseSettings(who_pd_operator=">="),
    ResponseSettings(sd_min_days=42),
)


def _read(name: str) -> list[dict[str, str]]:
    with (COHORT / name).open(newline="") as lines:
        next(lines)
        return list(csv.DictReader(lines))


def _day(patient: dict[str, str], day: int) -> dt.date:
    return dt.date.fromisoformat(patient["t0_date"]) + dt.timedelta(days=day)


def _lobe_day(patient: dict[str, str], lobe: str) -> int:
    targets = [target.split(":") for target in patient["targets"].split(";")]
    return min((int(t[0]) for t in targets if t[1] in (lobe, "whole")), default=0)


def _sized(
    patient: dict[str, str], lesion: dict[str, str], day: int, size: str, enhancing: str
) -> dict[str, Any]:
    longest, perpendicular = (Decimal(x) for x in size.split("x"))
    enhancing_longest, enhancing_perpendicular = (Decimal(x) for x in enhancing.split("x"))
    return {
        "subject_id": patient["patient_id"],
        "lesion_id": lesion["lesion_id"],
        "scan_date": _day(patient, day),
        "modality": "CT",
        "reader": "local",
        "longest_mm": longest,
        "perpendicular_mm": perpendicular,
        "enhancing_longest_mm": enhancing_longest,
        "enhancing_perpendicular_mm": enhancing_perpendicular,
        "status": "measured" if longest else "absent",
        "row_id": f"{patient['patient_id']}{lesion['lesion_id']}d{day}",
    }


def _measurements(patients: dict[str, dict[str, str]]) -> Iterator[dict[str, Any]]:
    for lesion in _read("cohort_lesions.csv"):
        patient = patients[lesion["patient_id"]]
        days = [int(patient["baseline_scan_day"]), *map(int, patient["scan_days"].split(";"))]
        sizes = [lesion["baseline_mm"], *lesion["scans_mm"].split(";")]
        enhancing = [lesion["baseline_enh_mm"], *lesion["scans_enh_mm"].split(";")]
        for day, size, viable in zip(days, sizes, enhancing, strict=True):
            yield _sized(patient, lesion, day, size, viable)


def _scans(patient: dict[str, str]) -> Iterator[dict[str, Any]]:
    when, _, kind = patient["progression"].partition(":")
    for day in [patient["baseline_scan_day"], *patient["scan_days"].split(";")]:
        new = kind.removeprefix("new_") if kind.startswith("new_") and day == when else "none"
        yield {
            "subject_id": patient["patient_id"],
            "scan_date": _day(patient, int(day)),
            "modality": "CT",
            "reader": "local",
            "arterial_phase": True,
            "new_lesion": new,
            "evaluable": True,
        }


def _lesion(patient: dict[str, str], lesion: dict[str, str]) -> dict[str, Any]:
    return {
        "subject_id": lesion["patient_id"],
        "lesion_number": int(lesion["lesion_id"][1:]),
        "lesion_id": lesion["lesion_id"],
        "organ": "liver",
        "index_lesion": True,
        "recist_target": lesion["recist_target"] == "1",
        "lobe_date": _day(patient, _lobe_day(patient, lesion["lobe"])),
    }


def _therapies(patient: dict[str, str]) -> Iterator[dict[str, Any]]:
    when = patient["progression"].partition(":")[0]
    if when and int(when) + 28 < int(patient["exit_day"]):
        yield {
            "subject_id": patient["patient_id"],
            "therapy_class": "other",
            "start_date": _day(patient, int(when) + 28),
        }


@cache
def _marts(settings: ResponseSettings) -> tuple[ir.Table, ir.Table, ir.Table]:
    patients = {p["patient_id"]: p for p in _read("cohort_patients.csv")}
    anchors = rows(
        [{"subject_id": k, "site_id": "memon", "t0_date": _day(p, 0)} for k, p in patients.items()],
        Anchors,
    )
    lesions = rows(
        [_lesion(patients[x["patient_id"]], x) for x in _read("cohort_lesions.csv")],
        SubjectLesions,
    )
    scans = rows([s for p in patients.values() for s in _scans(p)], Scans)
    therapies = rows([t for p in patients.values() for t in _therapies(p)], SubsequentTherapies)
    given = (rows(list(_measurements(patients)), Measurements), scans, lesions, anchors)
    others = (empty(Sessions), therapies)
    made = steps(*given, *others, settings)
    by_lesion = classes_of_lesions(made, *others, settings)
    by_subject = classes_of_subjects(made, empty(Patients), *others, settings)
    members = rows([{"population": "all", "subject_id": k} for k in patients], PopulationMembers)
    return (
        derived(lesion_response, settings, by_lesion, made.quantities, made.followed, made.days),
        derived(
            subject_response,
            settings,
            by_subject,
            lesions,
            empty(Patients),
            anchors,
            empty(CountedReaders),
        ),
        members,
    )


def _best(table: ir.Table, criterion: str, confirmation: str = "unconfirmed") -> dict[str, int]:
    if "organ" in table.columns:
        table = table.filter(table.organ == "all")
    chosen = table.filter(
        (table.criterion == criterion) & (table.confirmation == confirmation)
    ).to_pyarrow()
    return dict(Counter(chosen["best_response"].to_pylist()))


@pytest.mark.parametrize("confirmation", ["unconfirmed", "confirmed"])
@pytest.mark.parametrize("settings", READINGS)
def test_lesions_respond_as_published(settings: ResponseSettings, confirmation: str) -> None:
    """1.2 and 62.7 % by WHO, 20.5 and 43.4 % by EASL, of 83 lesions, under every open reading."""
    lesions, _, _ = _marts(settings)
    assert _best(lesions, "WHO", confirmation) == {"CR": 1, "PR": 52, "SD": 27, "PD": 3}
    assert _best(lesions, "EASL", confirmation) == {"CR": 17, "PR": 36, "SD": 27, "PD": 3}


def test_patients_respond_as_designed() -> None:
    """The paper does not give patients; the cohort's design does."""
    _, subjects, _ = _marts(ALL)
    assert _best(subjects, "WHO") == {"PR": 26, "SD": 12, "PD": 2}
    assert _best(subjects, "EASL") == {"CR": 2, "PR": 25, "SD": 11, "PD": 2}
    assert _best(subjects, "RECIST 1.1") == {"PR": 26, "SD": 14}


def test_depth_is_as_published() -> None:
    """94 % of the lesions shrank at all, 64 % by more than half."""
    lesions, _, _ = _marts(ALL)
    who = lesions.filter((lesions.criterion == "WHO") & (lesions.confirmation == "unconfirmed"))
    counted = who.to_pyarrow()
    assert sum(counted["any_decrease"].to_pylist()) == 78
    assert sum(counted["over_50_decrease"].to_pylist()) == 53


def test_size_and_enhancement_disagree_as_designed() -> None:
    """The joint table of WHO and EASL over the same 83 lesions."""
    lesions, subjects, members = _marts(ALL)
    found = criterion_agreement(lesions, subjects, members).to_pyarrow().to_pylist()
    joint = {
        (r["category_a"], r["category_b"]): r["n"]
        for r in found
        if (r["criterion_a"], r["criterion_b"], r["level"]) == ("WHO", "EASL", "lesion")
    }
    assert joint == {
        ("CR", "CR"): 1,
        ("PR", "CR"): 12,
        ("PR", "PR"): 32,
        ("PR", "SD"): 8,
        ("SD", "CR"): 4,
        ("SD", "PR"): 4,
        ("SD", "SD"): 19,
        ("PD", "PD"): 3,
    }


def test_every_published_count_can_be_listed() -> None:
    """A category's member sets have as many members as the category counts.

    Objective response and disease control list nobody again: they are unions of best responses;
    and how far a lesion shrank asks for no confirmation.
    """
    unions = {"orr": ("cr", "pr"), "dcr": ("cr", "pr", "sd")}
    lesions, subjects, members = _marts(ALL)
    summary = response_summary(lesions, subjects, members, settings=ALL).to_pyarrow().to_pylist()
    sets = Counter(response_summary_sets(lesions, subjects).to_pyarrow()["set_id"].to_pylist())
    for row in summary:
        stem, _, category = row["statistic_id"].replace("summary.all.", "summary.").rpartition(".")
        if category.endswith("_decrease") or category == "pd_before_course_end":
            stem = stem.replace(".confirmed", ".unconfirmed")
        kinds = ("treated", "untreated") if ".lesion.all.all." in stem else ("",)
        stems = [stem.replace("lesion.all.all", f"lesion.all.{k}") if k else stem for k in kinds]
        parts = unions.get(category, (category,))
        counted = sum(sets[f"{name}.{part}"] for name in stems for part in parts)
        assert counted == (row["n"] or 0), row["statistic_id"]


def test_response_shares_and_their_limits() -> None:
    """53 of 83 lesions respond, 26 of 40 patients; RECIST judges the 71 targets only."""
    lesions, subjects, members = _marts(ALL)
    found = {
        r["statistic_id"]: r
        for r in response_summary(lesions, subjects, members, settings=ALL).to_pyarrow().to_pylist()
    }
    lesion = found["response_summary.all.who.lesion.all.all.unconfirmed.orr"]
    assert (lesion["n"], lesion["total"], lesion["n_evaluable"]) == (53, 83, 83)
    assert lesion["pct"] == pytest.approx(63.855421686746985)
    assert lesion["lower"] < lesion["pct"] < lesion["upper"]
    patient = found["response_summary.all.who.subject.all.all.unconfirmed.orr"]
    assert (patient["n"], patient["total"], patient["method"]) == (26, 40, "Clopper-Pearson")
    assert found["response_summary.all.recist_1_1.lesion.all.all.unconfirmed.ne"]["n"] == 12


def test_the_contracts_are_kept() -> None:
    """No column is missing, none is too many."""
    from schemas.tables.marts import LesionResponse, SubjectResponse

    lesions, subjects, _ = _marts(ALL)
    for table, contract in ((lesions, LesionResponse), (subjects, SubjectResponse)):
        assert _names(contract) == list(table.columns)


def _names(contract: type[Contract]) -> list[str]:
    return [c.name for c in columns(contract)]

"""The reference cohort's classes at 91 and 183 days, read off its design by hand-written rules.

The cohort's sizes and days (simulation/memon2012) are judged here a second time, lesion by lesion
and in whole numbers, without the pipeline.
"""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from warehouse.releases.query import open_release
from warehouse.releases.releases import resolve
from warehouse.store import Store

COHORT = Path(__file__).parents[2] / "simulation" / "memon2012"
WINDOWS = {91: (61, 122), 183: (153, 213)}


def _read(name: str) -> list[dict[str, str]]:
    with (COHORT / name).open(newline="") as lines:
        next(lines)
        return list(csv.DictReader(lines))


def _product(size: str) -> int:
    longest, perpendicular = (round(float(x) * 1000) for x in size.split("x"))
    return longest * perpendicular


def _sessions(patient: dict[str, str], lobe: str) -> list[int]:
    targets = [target.split(":") for target in patient["targets"].split(";")]
    return sorted({int(t[0]) for t in targets if t[1] in (lobe, "whole")})


def _closed(patient: dict[str, str], own: list[int]) -> int:
    """The last day that counts: therapy 28 days after progression, or the own second session."""
    when = patient["progression"].partition(":")[0]
    therapy = int(when) + 28 if when and int(when) + 28 < int(patient["exit_day"]) else 10**6
    return min([therapy, *own[1:]])


def _class_at(patient: dict[str, str], lesion: dict[str, str], at: int) -> str:
    """The WHO class of one lesion at a time point, from its two diameters."""
    own = _sessions(patient, lesion["lobe"])
    days = [int(patient["baseline_scan_day"]), *map(int, patient["scan_days"].split(";"))]
    sizes = [lesion["baseline_mm"], *lesion["scans_mm"].split(";")]
    scans = sorted((d, _product(s)) for d, s in zip(days, sizes, strict=True))
    baseline = nadir = [p for d, p in scans if d <= own[0]][-1]
    first, last = WINDOWS[at]
    near: dict[int, str] = {}
    for day, product in (s for s in scans if own[0] < s[0] <= min(_closed(patient, own), last)):
        if 4 * product > 5 * nadir:
            return "PD"
        shrunk = "PR" if 2 * product <= baseline else "SD"
        near[day] = "CR" if product == 0 else shrunk
        nadir = min(nadir, product)
    inside = [d for d in near if d >= first]
    return near[min(inside, key=lambda d: (abs(d - at), d))] if inside else "NE"


@pytest.mark.parametrize("at", list(WINDOWS))
def test_lesions_are_classed_at_the_time_as_by_hand(reference_store: Store, at: int) -> None:
    """WHO, all 83 lesions."""
    patients = {p["patient_id"]: p for p in _read("cohort_patients.csv")}
    lesions = _read("cohort_lesions.csv")
    by_hand = Counter(_class_at(patients[x["patient_id"]], x, at) for x in lesions)
    published: dict[str, Any] = {}
    with open_release(resolve(reference_store, "current")) as con:
        published = dict(
            con.execute(
                "SELECT category, n FROM outcomes.response_at_window WHERE population = 'all' "
                "AND criterion = 'WHO' AND level = 'lesion' AND lesions = 'all' AND at_days = ?",
                [at],
            ).fetchall()
        )
    assert sum(by_hand.values()) == 83
    assert {c: published[c] for c in ("CR", "PR", "SD", "PD", "NE")} == {
        c: by_hand[c] for c in ("CR", "PR", "SD", "PD", "NE")
    }
    assert published["ORR"] == by_hand["CR"] + by_hand["PR"]

"""What is lost without a column, as the derivations told it once: the quick answer of every check.

`python -m warehouse.receiving.needs` blanks each column of an invented patient in turn, once with
glass and once with resin microspheres, and writes needs.json beside this file; a test holds that it
says what the derivations say now.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from schemas.records.criteria import CRITERIA
from schemas.records.endpoints import RECORDS
from schemas.settings import OutcomeSettings
from warehouse.receiving.complete_patient import Rows, complete_patient
from warehouse.receiving.outlook import Given, without_each

NEEDS = Path(__file__).with_name("needs.json")
DEVICES = ("glass", "resin")
RESPONSES, TIMES, TARGETS = "subject_response", "time_to_event", "treatment_targets"
DOSES = {
    "dose_gy": "the dose of a target of glass",
    "mean_dose_gy": "the mean dose of a target",
    "lung_dose_gy": "the lung dose",
    "activity_bsa_gbq": "the activity by body surface",
}
"""Column of a target -> what it is called to a person."""
Needs = Mapping[str, Mapping[str, Sequence[str]]]
"""Device -> table.column -> criteria, endpoints and doses that cannot be derived without it."""


def warnings(given: Given, devices: Collection[str]) -> Iterator[str]:
    """What a centre's columns cost, a line for each that nothing gives.

    Args:
        given: registry table -> the columns in which some accepted row has a value.
        devices: those that its treatments have; without one, what either needs is told.
    """
    lost: dict[str, list[str]] = {}
    for device, needs in recorded().items():
        if device in devices or not set(devices) & set(DEVICES):
            for place, parts in needs.items():
                table, _, column = place.partition(".")
                if column not in given.get(table, frozenset()):
                    lost.setdefault(place if table in given else table, []).extend(parts)
    for place, parts in lost.items():
        what = f"nothing gives {place}" if "." in place else f"no row of {place}"
        yield f"{what}: without it not {', '.join(dict.fromkeys(parts))}"


@cache
def recorded() -> Needs:
    """What was written of it."""
    found: Needs = json.loads(NEEDS.read_text("utf-8"))
    return found


def derived(settings: OutcomeSettings) -> Needs:
    """The same, asked of the derivations."""
    return {device: _of(_treated_with(device), settings) for device in DEVICES}


def _treated_with(device: str) -> Rows:
    patient = complete_patient()
    targets = [row | {"device": device} for row in patient["treatments"]]
    return patient | {"treatments": targets}


def _of(patient: Rows, settings: OutcomeSettings) -> dict[str, list[str]]:
    lost: dict[str, list[str]] = {}
    for (table, part), places in sorted(without_each(patient, settings).items()):
        if told := _told(table, part):
            for place in places:
                lost.setdefault(place, []).append(told)
    return dict(sorted(lost.items()))


def _told(table: str, part: str) -> str:
    if (table == RESPONSES and part in CRITERIA) or (
        table == TIMES and part in {r.code for r in RECORDS}
    ):
        return part
    return DOSES.get(part, "") if table == TARGETS else ""


if __name__ == "__main__":
    NEEDS.write_text(json.dumps(derived(OutcomeSettings()), indent=1) + "\n", "utf-8")

"""What `auto` chooses is part of a number's definition: another choice holds the night.

Four patients, longest diameters 40, 44 and 50 mm on days 0, 90 and 180; all die on day 450. In the
first export the products are 1600, 2024 (+26.5 %) and 2500 mm2: progression by WHO on day 90. The
second export has lost the column of the second diameter, so that WHO judges nobody; by RECIST 1.1
+10 % is stable and +25 % progression, on day 180.

Two nights from the inbox to the audit, since the choice passes through every step between them:
some ten seconds, shared by the tests of this file. Other readings are not tried and the candidate
alone is not asked, as neither is what is tested.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from schemas.contract import rows
from schemas.settings import AuditSettings
from schemas.site import Site
from schemas.tables.outcomes import Sensitivity
from tests.support.clinical_night import night
from warehouse.audit import judge as audit
from warehouse.audit.questions import QUESTIONS
from warehouse.building import sensitivity as readings

PATIENTS = ("1", "2", "3", "4")
DAYS = ("2018-01-01", "2018-04-01", "2018-06-30")
DIED = "2019-03-27"
"""Days 0, 90, 180 and 450."""
LONGEST, ACROSS = (40, 44, 50), (40, 46, 50)
PFS = "survival_medians.all.pfs.subject.overall.overall.midpoint"
OS = "survival_medians.all.os.subject.overall.overall.midpoint"


class Nights(NamedTuple):
    """The runs of both nights, and the account of the audit."""

    first: Path
    second: Path
    account: dict[str, Any]


def _export(*, across: bool) -> dict[str, str]:
    measured = "\n".join(
        f"{p},l1,{day},CT,measured,{long}" + (f",{wide}" if across else "")
        for p in PATIENTS
        for day, long, wide in zip(DAYS, LONGEST, ACROSS, strict=True)
    )
    second = ",perpendicular_mm" if across else ""
    return {
        "patients": "patient_id,sex\n" + "\n".join(f"{p},female" for p in PATIENTS),
        "treatments": "patient_id,session_id,target_id,treatment_date,device,lobe\n"
        + "\n".join(f"{p},s1,t1,{DAYS[0]},glass,right" for p in PATIENTS),
        "lesions": "patient_id,lesion_id,organ,lobe,recist_target\n"
        + "\n".join(f"{p},l1,liver,right,1" for p in PATIENTS),
        "scans": "patient_id,scan_date,modality,new_lesion,non_target\n"
        + "\n".join(f"{p},{day},CT,none,none" for p in PATIENTS for day in DAYS),
        "measurements": f"patient_id,lesion_id,scan_date,modality,status,longest_mm{second}\n"
        + measured,
        "contacts": "patient_id,contact_date,contact_type,vital_status\n"
        + "\n".join(f"{p},{DIED},death,dead" for p in PATIENTS),
    }


def _run(root: Path, day: str, *, across: bool) -> Path:
    site = Site(site_id="north", origin="synthetic")
    centre = (site, _export(across=across))
    chosen = {"endpoint_criterion": "auto"}
    return night(root, date.fromisoformat(day), centre, survival=chosen).work


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    root = tmp_path_factory.mktemp("choice")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readings, "sensitivity", lambda *_: rows([], Sensitivity))
        patch.setattr(audit, "_asked", lambda *_: {q.audit_id: True for q in QUESTIONS})
        first = _run(root / "first", "2020-01-01", across=True)
        second = _run(root / "second", "2020-01-02", across=False)
        audit.answer(first)
        audit.answer(second)
        audit.judge(second, first, ("2020.01.01", "2020.01.02"), AuditSettings())
    return Nights(first, second, json.loads((second / "audit.json").read_text()))


def _median(run: Path, statistic_id: str) -> tuple[float, str]:
    path = run / "parquet" / "outcomes" / "statistics.parquet"
    query = f"SELECT value::DOUBLE, method FROM '{path}' WHERE statistic_id = ?"
    (found,) = duckdb.execute(query, [statistic_id]).fetchall()
    return found


def test_another_choice_of_auto_holds_the_night(nights: Nights) -> None:
    """It names the setting. Survival, which rests on no response, keeps definition and number."""
    why = {s["statistic_id"]: s["why"] for s in nights.account["statistics"]}
    assert nights.account["held"]
    assert why[PFS] == "a setting that defines it changed: survival.endpoint_criterion"
    assert OS not in why


def test_each_night_prints_its_choice_beside_the_number(nights: Nights) -> None:
    """Day 90 is 2.957 months, day 180 is 5.914 and day 450 is 14.784, of 30.4375 days.

    With deaths as its only events, progression-free survival would be published as 14.78 months.
    """
    found = {
        name: _median(run, statistic)
        for name, run, statistic in (
            ("WHO", nights.first, PFS),
            ("RECIST 1.1", nights.second, PFS),
            ("survival", nights.second, OS),
        )
    }
    assert found == {
        "WHO": (pytest.approx(2.957, abs=5e-4), "Kaplan-Meier, response by WHO"),
        "RECIST 1.1": (pytest.approx(5.914, abs=5e-4), "Kaplan-Meier, response by RECIST 1.1"),
        "survival": (pytest.approx(14.784, abs=5e-4), "Kaplan-Meier"),
    }

"""Dates before birth, or before any care that is believed: the rule, and what becomes of it.

A key or a required date sets its row aside, an optional one is marked. Of a patient whose year of
birth is known, care may be as old as he is; of another not older than `earliest_care`.
"""

from datetime import date
from pathlib import Path

import pytest

from schemas.site import Site
from warehouse.receiving.check import Checked, check

TABLES = {
    "patients": """
        patient_id,birth_year,diagnosis_date
        born1950,1950,1951
        unknown,,1985
        other,,1995
    """,
    "labs": """
        patient_id,lab_date,analyte,value,unit
        born1950,1949-12-31,bilirubin,1,mg/dL
        born1950,1950-01-01,bilirubin,1,mg/dL
        unknown,1989-12-31,bilirubin,1,mg/dL
        unknown,1990-01-01,bilirubin,1,mg/dL
    """,
    "treatments": """
        patient_id,session_id,target_id,treatment_date,device,lobe,calibrated_at
        born1950,s1,t1,2020-01-01,glass,right,1949-12-31 10:00
        unknown,s1,t1,1989-06-01,glass,right,
        other,s1,t1,2020-01-01,glass,right,1989-12-31 10:00
    """,
    "medications": """
        patient_id,drug,purpose,start_date,stop_date
        born1950,a,other,1949,2020-01-01
        unknown,b,other,1989-05,1989-06
        other,c,other,1990,2020-01-01
    """,
}
ASIDE = {
    ("labs", 1, "lab_date", "before_birth"),
    ("labs", 3, "lab_date", "before_care"),
    ("treatments", 2, "treatment_date", "before_care"),
}
MARKED = {
    ("patients", 2, "diagnosis_date", "before_care"),
    ("treatments", 1, "calibrated_at", "before_birth"),
    ("treatments", 3, "calibrated_at", "before_care"),
    ("medications", 1, "start_date", "before_birth"),
    ("medications", 2, "start_date", "before_care"),
    ("medications", 2, "stop_date", "before_care"),
}


def checked(folder: Path, **site: object) -> Checked:
    for name, text in TABLES.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    known = Site.model_validate({"site_id": "north", "origin": "synthetic"} | site)
    return check(folder, known, date(2022, 1, 1))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return checked(tmp_path_factory.mktemp("export"))


def places(found: Checked, severity: str) -> set[tuple[str, int, str, str]]:
    return {(f.table, f.row, f.column, f.rule) for f in found.findings if f.severity == severity}


def test_a_required_date_sets_its_row_aside_and_an_optional_one_is_marked(found: Checked) -> None:
    assert places(found, "reject") == ASIDE
    assert places(found, "warn") == MARKED


def test_every_row_is_accounted_for(found: Checked) -> None:
    accepted = {t.table: (t.received, t.accepted) for t in found.tables}
    assert accepted == {
        "patients": (3, 3), "labs": (4, 2), "treatments": (3, 2), "medications": (3, 3),
    }  # fmt: skip


def test_the_site_file_says_how_old_care_can_be(tmp_path: Path) -> None:
    """From 1980 on, nothing of a patient of unknown age is too old."""
    found = checked(tmp_path, earliest_care=1980)
    assert {rule for *_, rule in places(found, "reject")} == {"before_birth"}
    assert {rule for *_, rule in places(found, "warn")} == {"before_birth"}

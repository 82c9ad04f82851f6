"""A spelling that is none of ours is told once, with its rows and the nearest of our words."""

from datetime import date
from pathlib import Path

import pytest

from schemas.site import Site
from warehouse.receiving.check import Checked, check

PATIENTS = "patient_id\na\nb\nc\n"
EVENTS = """patient_id,term,onset_date
a,Vomitting,2020-01-01
b,VOMITTING,2020-01-01
c,vomitting,2020-01-01
a,mild nausea at night,2020-01-02
b,Zahnschmerz,2020-01-02
c,Nausea,2020-01-02
"""
LABS = """patient_id,lab_date,analyte,value,unit
a,2020-01-01,bilirubine tot,1,mg/dL
b,2020-01-01,Bilirubine Tot,1,mg/dL
c,2020-01-01,magnesium,1,ng/L
a,2020-01-01,albumin,4,ZQSECRET
b,2020-01-01,albumin,4,zqsecret
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    folder: Path = tmp_path_factory.mktemp("export")
    for name, text in {"patients": PATIENTS, "adverse_events": EVENTS, "labs": LABS}.items():
        (folder / f"{name}.csv").write_text(text)
    return check(folder, Site(site_id="north", origin="synthetic"), date(2022, 1, 1))


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            "adverse_events.unknown_term",
            {
                (1, "3 rows; nearest of ours: vomiting"),
                (4, "1 row; nearest of ours: nausea"),
                (5, "1 row"),
            },
        ),
        (
            "labs.unknown_analyte",
            {(1, "2 rows; nearest of ours: bilirubin"), (3, "1 row")},
        ),
        ("labs.unknown_unit", {(4, "2 rows")}),
    ],
)
def test_it_is_told_once_with_how_many_rows_and_what_is_near(
    checked: Checked, rule: str, told: set[tuple[int, str]]
) -> None:
    assert {(f.row, f.cause) for f in checked.findings if f.rule == rule} == told
    assert all(g.number == 1 for g in checked.groups if g.first.rule == rule)

"""Seven patients of the Mayo Clinic's trial have an alkaline phosphatase above 10,000 U/L.

They are real, and alive at baseline: nothing is proven wrong of their values by being unusual.
Source: alk.phos of the first 60 patients in R's survival::pbc (Therneau and Grambsch 2000).
"""

from datetime import date
from pathlib import Path

from schemas.settings import ToxicitySettings
from schemas.site import Site
from tests.support.pipe_tables import run
from transforms.toxicity.lab_grades import lab_grades
from warehouse.receiving.check import check

ALP = (
    "1:1718 2:7394.8 3:516 4:6121.8 5:671 6:944 7:824 8:4651.2 9:2276 10:918 11:1104 12:591 "
    "13:1181 14:728 15:9009.8 16:685 17:1533 18:961 19:1881 20:1919 21:843 22:1376 23:6064.8 "
    "24:5719 25:661 26:3228 27:3697.4 28:1975 29:5833 30:7277 31:9933.2 32:7277 33:1592 34:1840 "
    "35:12258.8 36:558 37:6931.2 38:1234 39:9066.8 40:11046.6 41:1215 42:8778 43:5430.2 44:1029 "
    "45:1826 46:11552 47:1716 48:10396.8 49:678 50:1080 51:4332 52:5084.4 53:6456.2 54:5487.2 "
    "55:10165 56:13862.4 57:11320.2 58:5890 59:7622.8 60:876"
)
VALUES = dict(pair.split(":") for pair in ALP.split())
SEVEN = ("35", "40", "46", "48", "55", "56", "57")
UPPER_LIMIT = 115
"""A usual one in adults; the trial publishes none. 10,165 is 88 times as much."""


def test_they_are_kept_and_warned_of(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("patient_id\n" + "\n".join(VALUES) + "\n")
    lines = [f"{who},2020-01-01,alp,{value},U/L,{UPPER_LIMIT}" for who, value in VALUES.items()]
    head = "patient_id,lab_date,analyte,value,unit,upper_limit\n"
    (tmp_path / "labs.csv").write_text(head + "\n".join(lines) + "\n")
    found = check(tmp_path, Site(site_id="mayo", origin="public"), date(2022, 1, 1))
    (labs,) = (t for t in found.tables if t.table == "labs")
    assert (labs.received, labs.accepted, labs.quarantined) == (60, 60, 0)
    assert {(q.record, q.finding.rule, q.finding.severity) for q in found.queries} == {
        (who, "labs.magnitude", "warn") for who in SEVEN
    }


def test_they_are_graded() -> None:
    """More than 20 times the upper limit of normal: grade 4 at baseline, in every version."""
    lines = "\n".join(
        f"| {who} | labs:{who} | alp | d0 | {VALUES[who]} | U/L | {UPPER_LIMIT} |" for who in SEVEN
    )
    rows = run(
        lab_grades,
        {
            "labs": "| subject_id | row_id | analyte | lab_date | value | unit | upper_limit |\n"
            + lines,
            "anchors": "| subject_id | t0_date |\n" + "\n".join(f"| {who} | d0 |" for who in SEVEN),
        },
        ToxicitySettings(ctcae_versions=("3.0", "4.03", "5.0")),
    )
    assert sorted((r["subject_id"], r["grade"]) for r in rows) == sorted(
        (who, 4) for who in SEVEN * 3
    )

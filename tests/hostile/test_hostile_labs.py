"""Laboratory results that are unusual and true, wrong and provable, or spelled in their own way.

The seven patients of centre `mayo` are real: the ALP of 10,165 to 13,862 U/L that seven of the
Mayo Clinic's trial in primary biliary cholangitis had at baseline (Therneau and Grambsch 2000).
Their values after treatment equal the baseline, so that version 5.0 grades them 0, and two others
rise from normal to more than five times ULN: grade 3 or worse is 2 patients.
"""

from datetime import date

import pytest

from schemas.site import Site
from tests.support.clinical_night import Night, night

DAY = date(2021, 3, 20)
ALP = ("13862", "12258.8", "11552", "11320.2", "11046.6", "10396.8", "10165")


def _treated(patients: list[str]) -> dict[str, str]:
    return {
        "patients": "patient_id,sex\n" + "\n".join(f"{p},female" for p in patients),
        "treatments": "patient_id,session_id,target_id,treatment_date,device,lobe\n"
        + "\n".join(f"{p},s1,t1,2020-03-20,glass,right" for p in patients),
    }


def _mayo() -> dict[str, str]:
    high = {f"p{n}": value for n, value in enumerate(ALP, 1)}
    rows = [
        f"{p},{day},alp,{value},U/L,120"
        for p, value in high.items()
        for day in ("2020-03-01", "2020-04-20")
    ]
    for p in ("p8", "p9"):
        rows += [f"{p},2020-03-01,alp,100,U/L,120", f"{p},2020-04-20,alp,601,U/L,120"]
    for n in range(10, 20):
        rows += [f"p{n},{day},alp,100,U/L,120" for day in ("2020-03-01", "2020-04-20")]
    return _treated([f"p{n}" for n in range(1, 20)]) | {
        "labs": "patient_id,lab_date,analyte,value,unit,upper_limit\n" + "\n".join(rows)
    }


def _wrong() -> dict[str, str]:
    """Albumin in g/L under g/dL: a whole column is set aside, and with it every baseline."""
    rows = [
        f"w{n},{day},{analyte},{value},{unit},{limit}"
        for n in range(1, 5)
        for day in ("2020-03-01", "2020-04-20")
        for analyte, value, unit, limit in (
            ("creatinine", 88 + n, "mg/dL", "1.2"),
            ("alp", 200, "U/L", "120"),
        )
    ]
    return _treated([f"w{n}" for n in range(1, 5)]) | {
        "labs": "patient_id,lab_date,analyte,value,unit,upper_limit\n"
        + "\n".join(rows)
        + "\nw1,2020-05-01,creatinine,1.5,mg/dL,1.2\n"
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return night(
        tmp_path_factory.mktemp("labs"),
        DAY,
        (Site(site_id="mayo", origin="synthetic"), _mayo()),
        (Site(site_id="wrong", origin="synthetic"), _wrong()),
    )


@pytest.mark.parametrize("number", range(1, 8))
def test_a_living_patient_lies_outside_the_window_and_keeps_the_baseline(
    number: int, found: Night
) -> None:
    """Loaded, with a warning; 0 in version 5.0, more than 20 times ULN in the others."""
    graded = found.patient("mayo", f"p{number}", "lab_grades", "ctcae_version", "rel_day", "grade")
    assert [r for r in graded if r[1] > 0] == [("3.0", 31, 4), ("4.03", 31, 4), ("5.0", 31, 0)]
    warned = found.rows(
        "SELECT count(*) FROM '{quality}/findings.parquet' "
        "WHERE site_id = 'mayo' AND rule_id = 'labs.magnitude'"
    )
    assert warned == [(14,)]


def test_grade_3_or_worse_is_two_patients_and_not_nine(found: Night) -> None:
    rows = found.rows(
        "SELECT n, total FROM '{outcomes}/toxicity_summary.parquet' WHERE population LIKE '%mayo' "
        "AND statistic_id LIKE '%.alp.5%0.any.ge3'"
    )
    assert rows == [(2, 19)]


def test_a_whole_column_of_another_unit_is_set_aside_and_its_baselines_are_named(
    found: Night,
) -> None:
    """Eight creatinines of 89 to 92 mg/dL are umol/L: 88.4 brings all of them back inside.

    The one result that is in mg/dL is loaded; from version 4.03 on it has no baseline to be held
    against, and says so.
    """
    aside = found.rows(
        "SELECT count(*) FROM '{quality}/quarantine.parquet' "
        "WHERE site_id = 'wrong' AND rule_id = 'labs.unit_error'"
    )
    assert aside == [(8,)]
    graded = found.patient(
        "wrong", "w1", "lab_grades", "analyte", "ctcae_version", "grade", "reason"
    )
    assert [r for r in graded if r[0] == "creatinine"] == [
        ("creatinine", "3.0", 1, None),
        ("creatinine", "4.03", None, "baseline_set_aside"),
        ("creatinine", "5.0", None, "baseline_set_aside"),
    ]


def test_the_other_reading_of_a_missing_baseline_is_published(found: Night) -> None:
    """Nobody's ALP baseline is missing: the number stands under either reading."""
    rows = found.rows(
        "SELECT alternative, value = base_value FROM '{outcomes}/sensitivity.parquet' "
        "WHERE setting = 'toxicity.missing_baseline' AND base_statistic_id LIKE '%.alp.%'"
    )
    assert rows == [("not_gradable", True)]

"""Who meets the inclusion and exclusion rules of the series."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import ibis.expr.types as ir

from schemas.settings import BaselineSettings, EligibilitySettings
from tests.specs.tables import check
from transforms.eligibility import eligibility, population_members

T0 = """
    | subject_id | t0_date |
    | A          | d0      |
    | B          | d0      |
    | C          | d0      |
    | D          | d0      |
    | E          | d0      |
"""
FIVE = """
    | subject_id |
    | A          |
    | B          |
    | C          |
    | D          |
    | E          |
"""
SESSIONS = """
    | subject_id | session_number | session_id | session_date | course |
    | A          | 1              | s1         | d0           | 1      |
    | A          | 2              | s2         | d35          | 1      |
    | B          | 1              | s1         | d0           | 1      |
    | C          | 1              | s1         | d0           | 1      |
    | D          | 1              | s1         | d0           | 1      |
    | E          | 1              | s1         | d0           | 1      |
    | E          | 2              | s2         | d200         | 2      |
"""


def only(rule_id: str) -> Callable[..., ir.Table]:
    """One rule of the derivation, so that its table shows what the test is about."""

    @wraps(eligibility)
    def asked(**tables: Any) -> ir.Table:
        answers = eligibility(**tables)
        return answers.filter(answers.rule_id == rule_id)

    return asked


def test_every_rule_is_asked_of_every_patient_and_nothing_known_is_unknown() -> None:
    """A patient of whom nothing is recorded neither passes nor fails; organ function has no limits.

    The source asks for adequate organ function without numbers, so that rule is not assessed.
    Source: Memon 2012, patients.
    """
    check(
        eligibility,
        {"patients": "| subject_id |\n| A |", "anchors": T0},
        """
        | subject_id | rule_id | status  | value                                          | reason                  |
        | A          | E1      | unknown | liver metastases missing, unresectable missing | missing                 |
        | A          | E2      | unknown |                                                | missing                 |
        | A          | E3      | unknown |                                                | missing                 |
        | A          | E4      | unknown |                                                | missing                 |
        | A          | E5      | unknown |                                                | missing                 |
        | A          | E6      | unknown |                                                | not specified by source |
        | A          | X1      | unknown |                                                | missing                 |
        | A          | X2      | unknown |                                                | missing                 |
        | A          | X3      | unknown |                                                | missing                 |
        | A          | X4      | unknown |                                                | therapies not delivered |
        | A          | W1      | unknown |                                                | missing                 |
        """,  # noqa: E501 - one row per rule, with its reason
    )


def test_a_patient_who_was_not_treated_is_still_asked_what_needs_no_t0() -> None:
    """What has to be known at T0 is unknown, with the reason; the rest may show why."""
    check(
        eligibility,
        {
            "patients": """
                | subject_id | extrahepatic_disease | refractory_to_systemic |
                | A          | significant          | yes                    |
            """,
            "mappings": """
                | subject_id | mapping_date | gi_shunt      | planned_lung_dose_gy |
                | A          | d0           | none          | 12                   |
                | A          | d9           | uncorrectable | 31                   |
            """,
            "assessments": """
                | subject_id | assessment_date | ecog |
                | A          | d0              | 3    |
            """,
        },
        """
        | subject_id | rule_id | status  | limit                | reason                  |
        | A          | E1      | unknown | yes, yes             | missing                 |
        | A          | E2      | pass    | yes                  |                         |
        | A          | E3      | unknown | yes                  | missing                 |
        | A          | E4      | unknown | at most 2            | not_treated             |
        | A          | E5      | unknown | at most 2.0 mg/dL    | not_treated             |
        | A          | E6      | unknown |                      | not specified by source |
        | A          | X1      | fail    | none, minimal        |                         |
        | A          | X2      | fail    | none, corrected      |                         |
        | A          | X3      | fail    | at most 30 Gy        |                         |
        | A          | X4      | unknown | day -14 to 14        | not_treated             |
        | A          | W1      | unknown | at most 60 days before | not_treated             |
        """,
    )


def test_metastases_must_be_in_the_liver_and_unresectable() -> None:
    """One flag that says no is enough to fail, whether or not the other is known."""
    inputs = {
        "patients": """
            | subject_id | liver_metastases | unresectable |
            | A          | yes              | yes          |
            | B          | yes              | no           |
            | C          |                  | no           |
            | D          | yes              |              |
        """
    }
    check(
        only("E1"),
        inputs,
        """
        | subject_id | status  |
        | A          | pass    |
        | B          | fail    |
        | C          | fail    |
        | D          | unknown |
        """,
    )


def test_refractory_disease_progression_and_organ_function_are_flags() -> None:
    """Organ function is asked only where the registry has limits of its own."""
    inputs = {
        "patients": """
        | subject_id | refractory_to_systemic | progression_confirmed | organ_function_adequate |
        | A          | yes                    | no                    | yes                     |
        | B          | no                     |                       | no                      |
        | C          |                        | yes                   |                         |
        """
    }
    asked = EligibilitySettings(assess_organ_function=True)
    check(
        only("E2"),
        inputs,
        """
        | subject_id | status  |
        | A          | pass    |
        | B          | fail    |
        | C          | unknown |
        """,
    )
    check(
        only("E3"),
        inputs,
        """
        | subject_id | status  |
        | A          | fail    |
        | B          | unknown |
        | C          | pass    |
        """,
    )
    check(
        only("E6"),
        inputs,
        """
        | subject_id | status  |
        | A          | pass    |
        | B          | fail    |
        | C          | unknown |
        """,
        asked,
    )
    check(
        only("E6"),
        inputs,
        """
        | subject_id | status  | value | reason                  |
        | A          | unknown | yes   | not specified by source |
        | B          | unknown | no    | not specified by source |
        | C          | unknown |       | not specified by source |
        """,
    )


def test_ecog_2_passes_and_ecog_3_fails() -> None:
    """The last value up to T0 decides; 28 days old it counts, 29 days old it is unknown."""
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "assessments": """
            | subject_id | assessment_date | ecog |
            | A          | d-40            | 3    |
            | A          | d-28            | 2    |
            | B          | d0              | 3    |
            | B          | d1              | 0    |
            | C          | d-29            | 1    |
            | D          | d-3             | 1    |
            | D          | d-1             |      |
            | E          | d1              | 0    |
        """,
    }
    check(
        only("E4"),
        inputs,
        """
        | subject_id | status  | value | reason  |
        | A          | pass    | 2     |         |
        | B          | fail    | 3     |         |
        | C          | unknown | 1     | stale   |
        | D          | pass    | 1     |         |
        | E          | unknown |       | missing |
        """,
    )
    older = BaselineSettings(stale_days=29)
    check(
        only("E4"),
        inputs,
        """
        | subject_id | status  | value |
        | A          | pass    | 2     |
        | B          | fail    | 3     |
        | C          | pass    | 1     |
        | D          | pass    | 1     |
        | E          | unknown |       |
        """,
        older,
    )


def test_bilirubin_of_2_mg_dl_passes_in_either_unit() -> None:
    """2.0 mg/dL is 34.2 umol/L at 17.1; the next hundredth fails. Source: Memon 2012, patients."""
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "baseline_labs": """
            | subject_id | analyte   | value | value_comparator | unit   | age_days | stale |
            | A          | bilirubin | 2.0   |                  | mg/dL  | 1        | no    |
            | B          | bilirubin | 2.01  |                  | mg/dL  | 1        | no    |
            | C          | bilirubin | 34.2  |                  | umol/L | 28       | no    |
            | D          | bilirubin | 34.21 |                  | umol/L | 1        | no    |
            | E          | bilirubin | 0.5   |                  | mg/dL  | 29       | yes   |
        """,
    }
    check(
        only("E5"),
        inputs,
        """
        | subject_id | status  | value        | reason |
        | A          | pass    | 2 mg/dL      |        |
        | B          | fail    | 2.01 mg/dL   |        |
        | C          | pass    | 34.2 umol/L  |        |
        | D          | fail    | 34.21 umol/L |        |
        | E          | unknown | 0.5 mg/dL    | stale  |
        """,
    )
    heavier = BaselineSettings(bilirubin_umol_per_mg_dl="17.2")
    check(
        only("E5"),
        inputs,
        """
        | subject_id | status  | value        |
        | A          | pass    | 2 mg/dL      |
        | B          | fail    | 2.01 mg/dL   |
        | C          | pass    | 34.2 umol/L  |
        | D          | pass    | 34.21 umol/L |
        | E          | unknown | 0.5 mg/dL    |
        """,
        heavier,
    )


def test_a_censored_bilirubin_decides_only_where_every_value_it_stands_for_agrees() -> None:
    """`<0.2` is below 2.0; `>1.5` may be anything; `>2.0` fails. An unknown unit tells nothing."""
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "baseline_labs": """
            | subject_id | analyte   | value | value_comparator | unit   | age_days | stale |
            | A          | bilirubin | 0.2   | <                | mg/dL  | 1        | no    |
            | B          | bilirubin | 1.5   | >                | mg/dL  | 1        | no    |
            | C          | bilirubin | 2.0   | >                | mg/dL  | 1        | no    |
            | D          | bilirubin | 2.5   | <                | mg/dL  | 1        | no    |
            | E          | bilirubin | 1.0   |                  | mmol/L | 1        | no    |
        """,
    }
    check(
        only("E5"),
        inputs,
        """
        | subject_id | status  | value      |
        | A          | pass    | <0.2 mg/dL |
        | B          | unknown | >1.5 mg/dL |
        | C          | fail    | >2 mg/dL   |
        | D          | unknown | <2.5 mg/dL |
        | E          | unknown | 1 mmol/L   |
        """,
    )


def test_minimal_disease_outside_the_liver_passes_and_significant_fails() -> None:
    """The source draws no line between them: the recorded word decides."""
    inputs = {
        "patients": """
            | subject_id | extrahepatic_disease |
            | A          | none                 |
            | B          | minimal              |
            | C          | significant          |
            | D          | unknown              |
        """
    }
    check(
        only("X1"),
        inputs,
        """
        | subject_id | status  |
        | A          | pass    |
        | B          | pass    |
        | C          | fail    |
        | D          | unknown |
        """,
    )


def test_a_shunt_corrected_by_embolisation_passes() -> None:
    """The last mapping up to each session serves it; one mapping may serve several sessions.

    A: the second session's own mapping is uncorrectable. B: corrected in a second angiogram.
    C: only mapped after treatment. D: unknown. E: the mapping before re-treatment is not asked.
    """
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "sessions": SESSIONS,
        "mappings": """
            | subject_id | mapping_date | gi_shunt      |
            | A          | d-10         | none          |
            | A          | d30          | uncorrectable |
            | B          | d-20         | uncorrectable |
            | B          | d-10         | corrected     |
            | C          | d1           | none          |
            | D          | d-5          | unknown       |
            | E          | d0           | none          |
            | E          | d190         | uncorrectable |
        """,
    }
    check(
        only("X2"),
        inputs,
        """
        | subject_id | status  | value         | reason  |
        | A          | fail    | uncorrectable |         |
        | B          | pass    | corrected     |         |
        | C          | unknown |               | missing |
        | D          | unknown |               | missing |
        | E          | pass    | none          |         |
        """,
    )


def test_a_planned_lung_dose_of_exactly_30_gy_passes() -> None:
    """In one session. Without a planned dose the dose recorded for the session stands in.

    C: the plan of the second mapping replaced that of the first before the session.
    """
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "sessions": SESSIONS,
        "mappings": """
            | subject_id | mapping_date | planned_lung_dose_gy |
            | A          | d-10         | 30                   |
            | B          | d-10         | 30.01                |
            | C          | d-20         | 44                   |
            | C          | d-10         | 22                   |
        """,
        "treatments": """
            | subject_id | session_id | target_id | lung_dose_gy |
            | A          | s1         | t1        | 31           |
            | D          | s1         | t1        | 30.5         |
            | E          | s1         | t1        | 12           |
            | E          | s2         | t1        | 35           |
        """,
    }
    check(
        only("X3"),
        inputs,
        """
        | subject_id | status | value    | reason |
        | A          | pass   | 30 Gy    |        |
        | B          | fail   | 30.01 Gy |        |
        | C          | pass   | 22 Gy    |        |
        | D          | fail   | 30.5 Gy  |        |
        | E          | pass   | 12 Gy    |        |
        """,
    )


def test_chemotherapy_that_ended_15_days_before_treatment_is_not_concurrent() -> None:
    """A course that ends on day -14, or begins on day 14, overlaps; day -15 and day 15 do not."""
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "prior_therapies": """
            | subject_id | therapy_class | start_date | stop_date |
            | A          | chemotherapy  | d-90       | d-15      |
            | B          | radiotherapy  | d-90       | d-14      |
            | C          | surgery       | d-90       | d0        |
        """,
        "subsequent_therapies": """
            | subject_id | therapy_class | start_date |
            | A          | chemotherapy  | d15        |
            | D          | chemotherapy  | d14        |
        """,
    }
    check(
        only("X4"),
        inputs,
        """
        | subject_id | status | value        | reason |
        | A          | pass   |              |        |
        | B          | fail   | radiotherapy |        |
        | C          | pass   |              |        |
        | D          | fail   | chemotherapy |        |
        | E          | pass   |              |        |
        """,
    )
    narrow = EligibilitySettings(concurrent_before_days=13, concurrent_after_days=13)
    check(
        only("X4"),
        inputs,
        """
        | subject_id | status |
        | A          | pass   |
        | B          | pass   |
        | C          | pass   |
        | D          | pass   |
        | E          | pass   |
        """,
        narrow,
    )


def test_octreotide_is_allowed_and_another_concurrent_drug_is_not() -> None:
    """Octreotide was not stopped for treatment; purposes other than concurrent are not asked."""
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "medications": """
            | subject_id | drug           | purpose    | start_date | stop_date |
            | A          | octreotide lar | concurrent | d-90       | d90       |
            | B          | capecitabine   | concurrent | d-90       |           |
            | C          | capecitabine   | concurrent | d-90       | d-60      |
            | D          | warfarin       | other      | d-90       | d90       |
            | E          | capecitabine   | concurrent |            |           |
        """,
    }
    check(
        only("X4"),
        inputs,
        """
        | subject_id | status | value        | reason |
        | A          | pass   |              |        |
        | B          | fail   | capecitabine |        |
        | C          | pass   |              |        |
        | D          | pass   |              |        |
        | E          | fail   | capecitabine |        |
        """,
    )


def test_a_course_whose_dates_leave_the_overlap_open_is_unknown() -> None:
    """A missing last day, or one known to the month only, neither passes nor fails.

    The month of B's last day (imputed as its 15th) reaches into the window; C's is over before.
    """
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "prior_therapies": """
            | subject_id | therapy_class | start_date | stop_date | stop_date_precision |
            | A          | chemotherapy  | d-90       |           |                     |
            | B          | chemotherapy  | d-90       | d-17      | month               |
            | C          | chemotherapy  | d-90       | d-31      | month               |
            | D          | chemotherapy  | d-400      | d-150     | year                |
            | E          | chemotherapy  |            | d-15      | day                 |
        """,
    }
    check(
        only("X4"),
        inputs,
        """
        | subject_id | status  | value        | reason                     |
        | A          | unknown | chemotherapy | dates missing or not exact |
        | B          | unknown | chemotherapy | dates missing or not exact |
        | C          | pass    |              |                            |
        | D          | unknown | chemotherapy | dates missing or not exact |
        | E          | pass    |              |                            |
        """,
    )


def test_the_work_up_needs_an_maa_scan_in_the_60_days_before_the_first_session() -> None:
    """Day -60 and the day of treatment pass, day -61 and a scan after T0 fail.

    Without the scan's date it is unknown. Source: Memon 2012, treatment.
    """
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "mappings": """
            | subject_id | mapping_date | maa_date |
            | A          | d-60         | d-60     |
            | B          | d-61         | d-61     |
            | C          | d-9          |          |
            | D          | d1           | d1       |
            | E          | d-90         | d-90     |
            | E          | d0           | d0       |
        """,
    }
    check(
        only("W1"),
        inputs,
        """
        | subject_id | status  | value          | reason  |
        | A          | pass    | 60 days before |         |
        | B          | fail    | 61 days before |         |
        | C          | unknown |                | missing |
        | D          | fail    |                |         |
        | E          | pass    | 0 days before  |         |
        """,
    )


def test_the_per_criteria_population_passed_every_rule_that_was_assessed() -> None:
    """Unknown is not pass; a rule that the source left open removes nobody.

    A subject that has only reported endpoints is in `all` and in its site.
    """
    check(
        population_members,
        {
            "anchors": """
                | subject_id | site_id |
                | A          | north   |
                | B          | north   |
                | C          | south   |
            """,
            "eligibility": """
                | subject_id | rule_id | status  | reason                  |
                | A          | E1      | pass    |                         |
                | A          | E6      | unknown | not specified by source |
                | B          | E1      | pass    |                         |
                | B          | E4      | unknown | stale                   |
                | C          | E1      | fail    |                         |
                | D          | E1      | pass    |                         |
            """,
            "reported_endpoints": """
                | subject_id | site_id | endpoint |
                | T          | trial   | OS       |
                | T          | trial   | PFS      |
            """,
        },
        """
        | population   | subject_id |
        | all          | A          |
        | all          | B          |
        | all          | C          |
        | all          | T          |
        | per_criteria | A          |
        | site:north   | A          |
        | site:north   | B          |
        | site:south   | C          |
        | site:trial   | T          |
        """,
    )

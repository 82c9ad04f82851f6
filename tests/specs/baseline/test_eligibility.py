"""Who meets the inclusion and exclusion rules of the series."""

from schemas.settings import BaselineSettings, EligibilitySettings
from tests.support.eligible import FIVE, T0, only
from tests.support.pipe_tables import check
from transforms.baseline.eligibility import eligibility, population_members


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
        """,
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
        | subject_id | rule_id | status  | allowed              | reason                  |
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
    """`<2.0` is below 2.0; `>1.5` may be anything; `>2.0` fails. An unknown unit tells nothing."""
    inputs = {
        "patients": FIVE,
        "anchors": T0,
        "baseline_labs": """
            | subject_id | analyte   | value | value_comparator | unit   | age_days | stale |
            | A          | bilirubin | 2.0   | <                | mg/dL  | 1        | no    |
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
        | A          | pass    | <2 mg/dL   |
        | B          | unknown | >1.5 mg/dL |
        | C          | fail    | >2 mg/dL   |
        | D          | unknown | <2.5 mg/dL |
        | E          | unknown | 1 mmol/L   |
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

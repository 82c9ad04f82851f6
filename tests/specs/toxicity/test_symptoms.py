"""Whether symptomatic patients felt better, and what a missing answer means."""

from analytics.outcomes.follow_up import symptom_summary, symptom_summary_sets
from tests.support.pipe_tables import check
from transforms.toxicity.symptoms import symptom_response

FIVE = """
    | subject_id | treated | carcinoid_symptoms |
    | A          | yes     | yes                |
    | B          | yes     | yes                |
    | C          | yes     | yes                |
    | D          | yes     | yes                |
    | E          | yes     | yes                |
"""
FIVE_T0 = """
    | subject_id | t0_date |
    | A          | d0      |
    | B          | d0      |
    | C          | d0      |
    | D          | d0      |
    | E          | d0      |
"""


def test_the_best_change_of_any_review_counts() -> None:
    """A improves once between worse reports, B improves twice, C is unchanged, D is worse.

    E was asked and could not say. Improvement goes before unchanged, that before worse, and an
    unknown answer is taken only where there is no other.
    Source: Kanani on Memon 2012 (subjective improvement at any follow-up).
    """
    check(
        symptom_response,
        {
            "subjects": FIVE,
            "anchors": FIVE_T0,
            "assessments": """
                | subject_id | assessment_date | symptom_change |
                | A          | d28             | worse          |
                | A          | d90             | improved       |
                | A          | d150            | worse          |
                | B          | d90             | improved       |
                | B          | d28             | improved       |
                | C          | d28             | worse          |
                | C          | d90             | unchanged      |
                | C          | d150            | unknown        |
                | D          | d28             | unknown        |
                | D          | d90             | worse          |
                | E          | d28             | unknown        |
                | E          | d90             |                |
            """,
        },
        """
        | subject_id | best_change | improved | first_improved_day |
        | A          | improved    | yes      | 90                 |
        | B          | improved    | yes      | 28                 |
        | C          | unchanged   | no       |                    |
        | D          | worse       | no       |                    |
        | E          | unknown     | no       |                    |
        """,
    )


def test_improvement_counts_from_day_1_to_day_183() -> None:
    """A on the day of treatment is too early, B the day after counts, as does C on day 183.

    D on day 184 is too late, and E is not asked again: both are unknown.
    The window is this registry's choice; no source gives one.
    """
    check(
        symptom_response,
        {
            "subjects": FIVE,
            "anchors": FIVE_T0,
            "assessments": """
                | subject_id | assessment_date | symptom_change |
                | A          | d0              | improved       |
                | B          | d1              | improved       |
                | C          | d183            | improved       |
                | D          | d184            | improved       |
            """,
        },
        """
        | subject_id | best_change | improved |
        | A          | unknown     | no       |
        | B          | improved    | yes      |
        | C          | improved    | yes      |
        | D          | unknown     | no       |
        | E          | unknown     | no       |
        """,
    )


def test_only_treated_patients_with_symptoms_at_baseline_are_asked() -> None:
    """The 21 who improved are 21 of 25 symptomatic patients, not of 40.

    Without symptoms (B), or with it unknown (C), or untreated (D), there is nothing to improve. E's
    site never records a change, so its silence is not an answer.
    """
    check(
        symptom_response,
        {
            "subjects": """
                | subject_id | treated | carcinoid_symptoms | site_id |
                | A          | yes     | yes                | s1      |
                | B          | yes     | no                 | s1      |
                | C          | yes     |                    | s1      |
                | D          | no      | yes                | s1      |
                | E          | yes     | yes                | s2      |
            """,
            "anchors": FIVE_T0,
            "assessments": """
                | subject_id | assessment_date | symptom_change | site_id |
                | A          | d28             | improved       | s1      |
                | B          | d28             | improved       | s1      |
                | C          | d28             | improved       | s1      |
                | D          | d28             | improved       | s1      |
                | E          | d28             |                | s2      |
            """,
        },
        """
        | subject_id | best_change |
        | A          | improved    |
        """,
    )


ANSWERS = """
    | subject_id | best_change | improved | first_improved_day |
    | A          | improved    | yes      | 28                 |
    | B          | improved    | yes      | 91                 |
    | C          | unchanged   | no       |                    |
    | D          | unknown     | no       |                    |
"""
ASKED = """
    | subject_id | treated | carcinoid_symptoms |
    | A          | yes     | yes                |
    | B          | yes     | yes                |
    | C          | yes     | yes                |
    | D          | yes     | yes                |
    | E          | yes     | no                 |
    | F          | yes     |                    |
    | G          | no      | yes                |
"""


def test_an_unknown_answer_is_no_improvement_and_left_out_in_the_sensitivity() -> None:
    """2 of 4 in the primary, 2 of 3 without the unknown one; 4 of 5 are symptomatic at baseline.

    Limits are exact (Clopper-Pearson 1934): 2 of 4 is 6.8 to 93.2 %, 2 of 3 is 9.4 to 99.2 %. The
    population without symptomatic patients has nothing to derive, which is not a zero.
    """
    check(
        symptom_summary,
        {
            "symptom_response": ANSWERS,
            "subjects": ASKED,
            "population_members": """
                | population | subject_id |
                | all        | A          |
                | all        | B          |
                | all        | C          |
                | all        | D          |
                | all        | E          |
                | all        | F          |
                | site:s9    | F          |
            """,
        },
        """
        | statistic_id                               | n | total | value        | lower       | upper       | unit | reason |
        | symptom_summary.all.symptomatic            | 4 | 5     | 80           | 28.3582064  | 99.4949237  | %    |  |
        | symptom_summary.all.improved               | 2 | 4     | 50           | 6.75859865  | 93.2414014  | %    |  |
        | symptom_summary.all.improved_of_known      | 2 | 3     | 66.666666667 | 9.42993241  | 99.1596241  | %    |  |
        | symptom_summary.all.unchanged              | 1 | 4     | 25           | 0.630946321 | 80.587955   | %    |  |
        | symptom_summary.all.worse                  | 0 | 4     | 0            | 0           | 60.2364636  | %    |  |
        | symptom_summary.all.unknown                | 1 | 4     | 25           | 0.630946321 | 80.587955   | %    |  |
        | symptom_summary.all.days_to_improvement    | 2 | 2     | 59.5         | 43.75       | 75.25       | days |  |
        | symptom_summary.site:s9.symptomatic         |  |  |  |  |  | % | known of no patient: carcinoid symptoms at baseline, of treated patients in whom it is known |
        | symptom_summary.site:s9.improved            |  |  |  |  |  | % | known of no patient: improved, unknown counted as not improved |
        | symptom_summary.site:s9.improved_of_known   |  |  |  |  |  | % | known of no patient: improved, unknown left out |
        | symptom_summary.site:s9.unchanged           |  |  |  |  |  | % | known of no patient: at best unchanged |
        | symptom_summary.site:s9.worse               |  |  |  |  |  | % | known of no patient: only worse |
        | symptom_summary.site:s9.unknown             |  |  |  |  |  | % | known of no patient: no change reported |
        | symptom_summary.site:s9.days_to_improvement |  |  |  |  |  | days | known of no patient: first day of improvement, of those who improved |
        """,
    )


def test_each_measure_of_symptoms_lists_the_patients_that_it_counts() -> None:
    """The set of a proportion holds those who answer yes, of a median those who answer."""
    check(
        symptom_summary_sets,
        {"symptom_response": ANSWERS, "subjects": ASKED},
        """
        | set_id                              | subject_id | lesion_number |
        | symptom_summary.symptomatic         | A          | 0             |
        | symptom_summary.symptomatic         | B          | 0             |
        | symptom_summary.symptomatic         | C          | 0             |
        | symptom_summary.symptomatic         | D          | 0             |
        | symptom_summary.improved            | A          | 0             |
        | symptom_summary.improved            | B          | 0             |
        | symptom_summary.improved_of_known   | A          | 0             |
        | symptom_summary.improved_of_known   | B          | 0             |
        | symptom_summary.unchanged           | C          | 0             |
        | symptom_summary.unknown             | D          | 0             |
        | symptom_summary.days_to_improvement | A          | 0             |
        | symptom_summary.days_to_improvement | B          | 0             |
        """,
    )

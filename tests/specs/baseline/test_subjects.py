"""What a patient's row says of baseline, history and treatment."""

from tests.support.pipe_tables import check
from tests.support.seven import SEVEN, T0
from transforms.baseline.subjects import subjects


def test_every_patient_delivered_has_a_row_treated_or_not() -> None:
    """A patient without a session has no T0, hence no age and no baseline.

    Treated is at least one administered session; age is counted in years of the calendar.
    """
    check(
        subjects,
        {
            "patients": """
                | subject_id | birth_year | sex    |
                | A          | 1950       | female |
                | B          | 1960       | male   |
            """,
            "anchors": """
                | subject_id | t0_date |
                | A          | d0      |
            """,
            "sessions": """
                | subject_id | session_number | session_date | covers_right | covers_left |
                | A          | 1              | d0           | yes          | no          |
            """,
            "assessments": """
                | subject_id | assessment_date | ecog |
                | B          | d-1             | 1    |
            """,
        },
        """
        | subject_id | treated | t0_year | age_years | sex    | n_sessions | ecog | bilobar |
        | A          | yes     | 2020    | 70        | female | 1          |      | no      |
        | B          | no      |         |           | male   | 0          |      |         |
        """,
    )


def test_per_criteria_needs_treatment_and_every_assessed_rule_passed() -> None:
    """Unknown is not pass; a rule without limits in the source takes nobody out."""
    check(
        subjects,
        {
            "patients": SEVEN,
            "anchors": """
                | subject_id | t0_date |
                | A          | d0      |
                | B          | d0      |
                | C          | d0      |
                | D          | d0      |
            """,
            "eligibility": """
                | subject_id | rule_id | status  | reason                  |
                | A          | E4      | pass    |                         |
                | A          | E6      | unknown | not specified by source |
                | B          | E4      | unknown | stale                   |
                | C          | E4      | pass    |                         |
                | C          | X1      | fail    |                         |
                | D          | E4      | pass    |                         |
                | E          | E4      | pass    |                         |
            """,
        },
        """
        | subject_id | treated | per_criteria |
        | A          | yes     | yes          |
        | B          | yes     | no           |
        | C          | yes     | no           |
        | D          | yes     | yes          |
        | E          | no      | no           |
        | F          | no      | no           |
        | G          | no      | no           |
        """,
    )


def test_ecog_burden_and_symptoms_are_the_last_known_up_to_t0() -> None:
    """Each is looked for by itself; an old value is used and flagged."""
    check(
        subjects,
        {
            "patients": "| subject_id |\n| A |\n| B |",
            "anchors": T0,
            "assessments": """
                | subject_id | assessment_date | ecog | ascites | carcinoid_symptoms |
                | A          | d-28            | 1    | slight  | yes                |
                | A          | d0              |      |         | no                 |
                | A          | d1              | 4    | none    | yes                |
                | B          | d-29            | 0    |         |                    |
            """,
        },
        """
        | subject_id | ecog | ecog_age_days | ecog_stale | ascites | carcinoid_symptoms |
        | A          | 1    | 28            | no         | slight  | no                 |
        | B          | 0    | 29            | yes        |         |                    |
        """,
    )


def test_tumour_burden_of_25_pct_is_in_the_first_category() -> None:
    """Categories are closed on the right. A number gives its category; a category gives no number.

    G: the later reading counts, whichever kind it is. Source: Dunfee 2010.
    """
    check(
        subjects,
        {
            "patients": SEVEN,
            "anchors": T0,
            "assessments": """
                | subject_id | assessment_date | tumour_burden_pct | tumour_burden_category |
                | A          | d-1             | 25                | 26-50                  |
                | B          | d-1             | 25.1              |                        |
                | C          | d-1             | 50                |                        |
                | D          | d-1             | 75                |                        |
                | E          | d-1             | 75.1              |                        |
                | F          | d-1             |                   | 51-75                  |
                | G          | d-9             | 20                |                        |
                | G          | d-1             |                   | 26-50                  |
            """,
        },
        """
        | subject_id | tumour_burden_pct | tumour_burden_category |
        | A          | 25                | 0-25                   |
        | B          | 25.1              | 26-50                  |
        | C          | 50                | 26-50                  |
        | D          | 75                | 51-75                  |
        | E          | 75.1              | 76-100                 |
        | F          |                   | 51-75                  |
        | G          |                   | 26-50                  |
        """,
    )


def test_bilirubin_of_1_2_mg_dl_is_at_most_1_2_in_either_unit() -> None:
    """20.52 umol/L is exactly 1.2 mg/dL at 17.1: at most, but not below. Source: Memon 2012 (X01).

    F: a result below 0.2 is below 1.2. G: a result above 1.0 may be either.
    """
    check(
        subjects,
        {
            "patients": SEVEN,
            "anchors": T0,
            "baseline_labs": """
                | subject_id | analyte   | value | value_comparator | unit   | age_days | stale |
                | A          | bilirubin | 1.2   |                  | mg/dL  | 1        | no    |
                | B          | bilirubin | 20.52 |                  | umol/L | 1        | no    |
                | C          | bilirubin | 20.5  |                  | umol/L | 29       | yes   |
                | D          | bilirubin | 20.6  |                  | umol/L | 1        | no    |
                | E          | bilirubin | 1.19  |                  | mg/dL  | 1        | no    |
                | F          | bilirubin | 0.2   | <                | mg/dL  | 1        | no    |
                | G          | bilirubin | 1.0   | >                | mg/dL  | 1        | no    |
            """,
        },
        """
        | subject_id | bilirubin_mg_dl | bilirubin_stale | bilirubin_le_1_2 | bilirubin_lt_1_2 |
        | A          | 1.2             | no              | yes              | no               |
        | B          | 1.2             | no              | yes              | no               |
        | C          | 1.19883         | yes             | yes              | yes              |
        | D          | 1.204678        | no              | no               | no               |
        | E          | 1.19            | no              | yes              | yes              |
        | F          | 0.2             | no              | yes              | yes              |
        | G          | 1               | no              |                  |                  |
        """,
    )


def test_albumin_of_3_5_g_dl_is_not_above_3_5() -> None:
    """35 g/L belongs to the bad level; a hundredth of a g/L more does not. Source: Memon 2012."""
    check(
        subjects,
        {
            "patients": SEVEN,
            "anchors": T0,
            "baseline_labs": """
                | subject_id | analyte | value | unit  | age_days | stale |
                | A          | albumin | 3.5   | g/dL  | 3        | no    |
                | B          | albumin | 35    | g/L   | 3        | no    |
                | C          | albumin | 35.01 | g/L   | 3        | no    |
                | D          | albumin | 3.51  | g/dL  | 3        | no    |
                | E          | albumin | 3.5   | mg/mL | 3        | no    |
            """,
        },
        """
        | subject_id | albumin_g_dl | albumin_gt_3_5 | albumin_age_days |
        | A          | 3.5          | no             | 3                |
        | B          | 3.5          | no             | 3                |
        | C          | 3.501        | yes            | 3                |
        | D          | 3.51         | yes            | 3                |
        | E          |              |                | 3                |
        | F          |              |                |                  |
        | G          |              |                |                  |
        """,
    )


def test_inr_and_lymphocytes_are_shown_in_their_canonical_unit() -> None:
    """Lymphocytes per microlitre are thousandths of 10*9 per litre."""
    check(
        subjects,
        {
            "patients": "| subject_id |\n| A |",
            "anchors": T0,
            "baseline_labs": """
                | subject_id | analyte     | value | unit | age_days | stale |
                | A          | inr         | 1.1   | 1    | 2        | no    |
                | A          | lymphocytes | 850   | /uL  | 40       | yes   |
            """,
        },
        """
        | inr | inr_age_days | lymphocytes_10e9_l | lymphocytes_age_days | lymphocytes_stale |
        | 1.1 | 2            | 0.85               | 40                   | yes               |
        """,
    )


def test_prior_therapy_began_before_t0_and_is_null_where_a_site_delivers_none() -> None:
    """A course without an exact first day counts as before: the table declares it so.

    F had none, at a site that delivers them. E's site delivers none: nothing is known, not `no`.
    """
    check(
        subjects,
        {
            "patients": """
                | subject_id | site_id |
                | A          | north   |
                | B          | north   |
                | C          | north   |
                | D          | north   |
                | E          | south   |
                | F          | north   |
                | H          | north   |
            """,
            "anchors": T0,
            "prior_therapies": """
                | subject_id | site_id | therapy_class | start_date | start_date_precision |
                | A          | north   | liver_directed | d-1       | day                  |
                | B          | north   | liver_directed | d0        | day                  |
                | B          | north   | targeted       | d-400     | month                |
                | C          | north   | liver_directed |           |                      |
                | D          | north   | surgery        | d-9       | day                  |
                | H          | north   | chemotherapy   | d-9       | day                  |
            """,
        },
        """
        | subject_id | prior_liver_directed | prior_systemic | prior_surgery | prior_targeted | prior_chemotherapy | prior_prrt |
        | A          | yes                  | no             | no            | no             | no                 | no         |
        | B          | no                   | yes            | no            | yes            | no                 | no         |
        | C          | yes                  | no             | no            | no             | no                 | no         |
        | D          | no                   | no             | yes           | no             | no                 | no         |
        | E          |                      |                |               |                |                    |            |
        | F          | no                   | no             | no            | no             | no                 | no         |
        | H          |                      |                |               |                |                    |            |
        """,
    )


def test_octreotide_continues_over_t0_and_protects_every_session_day() -> None:
    """A continuing course without an end runs on; prophylaxis on one session of two is not enough.

    Source: Memon 2012 (octreotide was not stopped, and was given before each treatment).
    """
    check(
        subjects,
        {
            "patients": SEVEN,
            "anchors": T0,
            "sessions": """
                | subject_id | session_number | session_date | covers_right | covers_left |
                | A          | 1              | d0           | yes          | no          |
                | A          | 2              | d35          | no           | yes         |
                | B          | 1              | d0           | yes          | no          |
                | B          | 2              | d35          | no           | yes         |
                | C          | 1              | d0           | yes          | yes         |
            """,
            "medications": """
                | subject_id | drug           | purpose     | start_date | stop_date |
                | A          | octreotide lar | continuing  | d-180      |           |
                | A          | octreotide     | prophylaxis | d0         |           |
                | A          | octreotide     | prophylaxis | d35        | d35       |
                | B          | octreotide     | continuing  | d-180      | d-1       |
                | B          | octreotide     | prophylaxis | d0         | d1        |
                | C          | octreotide     | continuing  | d-180      | d0        |
                | C          | octreotide     | prophylaxis | d-1        | d1        |
                | D          | octreotide     | continuing  |            |           |
                | E          | octreotide     | continuing  | d1         |           |
                | F          | lanreotide     | continuing  | d-90       |           |
            """,
        },
        """
        | subject_id | octreotide_continued | octreotide_prophylaxis |
        | A          | yes                  | yes                    |
        | B          | no                   | no                     |
        | C          | yes                  | yes                    |
        | D          |                      | no                     |
        | E          | no                   | no                     |
        | F          | no                   | no                     |
        | G          | no                   | no                     |
        """,
    )


def test_bilobar_is_the_union_of_all_sessions_and_staged_means_different_days() -> None:
    """Source: Memon 2012: 38 of 40 were treated in both lobes, lobe after lobe."""
    check(
        subjects,
        {
            "patients": "| subject_id |\n| A |\n| B |\n| C |\n| D |",
            "anchors": T0,
            "sessions": """
                | subject_id | session_id | session_date | covers_right | covers_left |
                | A          | s1         | d0           | yes          | no          |
                | A          | s2         | d35          | no           | yes         |
                | B          | s1         | d0           | yes          | no          |
                | B          | s2         | d0           | no           | yes         |
                | C          | s1         | d0           | yes          | no          |
                | C          | s2         | d90          | yes          | no          |
                | D          | s1         | d0           | yes          | yes         |
                | D          | s2         | d90          | yes          | no          |
            """,
            "treatments": """
                | subject_id | session_id | target_id | device |
                | A          | s1         | t1        | glass  |
                | A          | s2         | t1        | resin  |
                | B          | s1         | t1        | resin  |
                | C          | s1         | t1        | glass  |
                | C          | s2         | t1        | glass  |
                | C          | s9         | t1        | resin  |
            """,
        },
        """
        | subject_id | n_sessions | bilobar | staged | device |
        | A          | 2          | yes     | yes    | mixed  |
        | B          | 2          | yes     | no     | resin  |
        | C          | 2          | no      | no     | glass  |
        | D          | 2          | yes     | no     |        |
        """,
    )


def test_the_device_of_t0_is_known_at_t0_and_the_planned_course_ends_on_a_day_of_its_own() -> None:
    """A's second session was of another device: mixed in the end, glass at T0. B's T0 had both."""
    check(
        subjects,
        {
            "patients": "| subject_id |\n| A |\n| B |\n| C |",
            "anchors": """
                | subject_id | t0_date | last_session_date |
                | A          | d0      | d35               |
                | B          | d0      | d0                |
                | C          | d0      | d0                |
            """,
            "sessions": """
                | subject_id | session_id | session_date |
                | A          | s1         | d0           |
                | A          | s2         | d35          |
                | B          | s1         | d0           |
                | C          | s1         | d0           |
            """,
            "treatments": """
                | subject_id | session_id | target_id | treatment_date | device  |
                | A          | s1         | t1        | d0             | glass   |
                | A          | s2         | t1        | d35            | resin   |
                | B          | s1         | t1        | d0             | glass   |
                | B          | s1         | t2        | d0             | resin   |
                | C          | s1         | t1        | d0             | unknown |
            """,
        },
        """
        | subject_id | device | device_at_t0 | course_end_day |
        | A          | mixed  | glass        | 35             |
        | B          | mixed  | mixed        | 0              |
        | C          |        |              | 0              |
        """,
    )


def test_what_rests_on_a_lobe_or_a_device_that_is_not_known_is_not_known() -> None:
    """Unless the rest decides it: both lobes treated are both lobes, two devices are mixed."""
    check(
        subjects,
        {
            "patients": "| subject_id |\n| A |\n| B |\n| C |",
            "anchors": T0,
            "sessions": """
                | subject_id | session_id | session_date | covers_right | covers_left | covers_unknown |
                | A          | s1         | d0           | yes          | no          | no             |
                | A          | s2         | d35          | no           | no          | yes            |
                | B          | s1         | d0           | yes          | no          | no             |
                | B          | s2         | d35          | no           | yes         | yes            |
                | C          | s1         | d0           | no           | no          | yes            |
            """,
            "treatments": """
                | subject_id | session_id | target_id | device  |
                | A          | s1         | t1        | glass   |
                | A          | s2         | t1        | unknown |
                | B          | s1         | t1        | glass   |
                | B          | s2         | t1        | resin   |
                | B          | s2         | t2        | unknown |
                | C          | s1         | t1        |         |
            """,
        },
        """
        | subject_id | n_sessions | bilobar | staged | device |
        | A          | 2          |         |        |        |
        | B          | 2          | yes     |        | mixed  |
        | C          | 1          |         |        |        |
        """,
    )


def test_lesions_scans_and_reported_groups_are_counted_where_they_are_delivered() -> None:
    """Index lesions only. The last scan ends the imaging follow-up; without one there is none.

    C is in a source that holds only times: its lesions are unknown, not none.
    """
    check(
        subjects,
        {
            "patients": """
                | subject_id | site_id |
                | A          | north   |
                | B          | north   |
                | C          | trial   |
                | D          | north   |
            """,
            "anchors": """
                | subject_id | t0_date |
                | A          | d0      |
                | B          | d0      |
            """,
            "subject_lesions": """
                | subject_id | lesion_number | index_lesion |
                | A          | 1             | yes          |
                | A          | 2             | yes          |
                | A          | 3             | no           |
            """,
            "scans": """
                | subject_id | scan_date |
                | A          | d-17      |
                | A          | d874      |
                | A          | d122      |
                | B          | d-17      |
                | D          | d30       |
            """,
            "reported_endpoints": """
                | subject_id | endpoint | group |
                | C          | OS       | resin |
            """,
        },
        """
        | subject_id | treated | n_lesions | imaging_day | reported_group |
        | A          | yes     | 2         | 874         |                |
        | B          | yes     | 0         | 0           |                |
        | C          | no      |           |             | resin          |
        | D          | no      | 0         |             |                |
        """,
    )

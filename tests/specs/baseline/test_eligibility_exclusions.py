"""The exclusion rules of the series, and the work-up before treatment."""

from schemas.settings import EligibilitySettings
from tests.support.eligible import FIVE, SESSIONS, T0, only
from tests.support.pipe_tables import check


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

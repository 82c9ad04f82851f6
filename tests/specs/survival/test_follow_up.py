"""Whether patients were seen on schedule: 4 weeks after treatment, then every 2 to 3 months."""

import itertools

from analytics.outcomes.follow_up import adherence_summary, adherence_summary_sets
from schemas.settings import FollowUpSettings
from tests.support.pipe_tables import check
from transforms.time.follow_up import follow_up_adherence

Visits = dict[str, tuple[int, ...]]


def _reviews(visits: Visits) -> dict[str, str]:
    """Scan, laboratory and assessment on each of the days."""
    days = [(s, d) for s, given in visits.items() for d in given]
    return {
        "scans": _table("scan_date", days),
        "labs": _table("lab_date", days),
        "assessments": _table("assessment_date", days),
    }


def _table(date: str, days: list[tuple[str, int]]) -> str:
    return "\n".join([f"| subject_id | {date} |", *(f"| {s} | d{d} |" for s, d in days)])


def _t0(subjects: str) -> str:
    return "\n".join(["| subject_id | t0_date |", *(f"| {s} | d0 |" for s in subjects)])


def _ends(alive: dict[str, int], **events: dict[str, int]) -> str:
    names = ["last_alive_day", *events]
    found = [
        [s, str(day), *(str(e.get(s, "")) for e in events.values())] for s, day in alive.items()
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [["subject_id", *names], *found])


def test_nothing_is_expected_before_the_first_review_is_due() -> None:
    """Followed for 20 days (A), or dead on day 25 (B) or 27 (C): nothing is missed.

    From day 28 one review is expected (D, E on day 118), from day 119 two (F), and so on every 91
    days. Source: Kanani on Memon 2012 (4 weeks, then every 2 to 3 months).
    """
    check(
        follow_up_adherence,
        {
            **_reviews({"A": (10,)}),
            "anchors": _t0("ABCDEFG"),
            "milestones": _ends(
                {"A": 20, "B": 25, "C": 27, "D": 28, "E": 118, "F": 119, "G": 210},
                death_day={"B": 25, "C": 27},
            ),
        },
        """
        | subject_id | fu_days | n_expected | n_observed | adherence | first_visit_on_time |
        | A          | 20      | 0          | 0          |           |                     |
        | B          | 25      | 0          | 0          |           |                     |
        | C          | 27      | 0          | 0          |           |                     |
        | D          | 28      | 1          | 0          | 0         |                     |
        | E          | 118     | 1          | 0          | 0         | no                  |
        | F          | 119     | 2          | 0          | 0         | no                  |
        | G          | 210     | 3          | 0          | 0         | no                  |
        """,
    )


def test_an_interval_of_61_days_is_the_strict_reading() -> None:
    """Every 2 months rather than every 3: days 89 and 150 open the second and third review."""
    check(
        follow_up_adherence,
        {
            **_reviews({"A": (28,), "B": (28, 89), "C": (28, 89)}),
            "anchors": _t0("ABC"),
            "milestones": _ends({"A": 88, "B": 89, "C": 150}),
        },
        """
        | subject_id | n_expected | n_observed | adherence    |
        | A          | 1          | 1          | 1            |
        | B          | 2          | 2          | 1            |
        | C          | 3          | 2          | 0.6666666667 |
        """,
        FollowUpSettings(interval_days=61),
    )


def test_follow_up_ends_at_death_progression_new_therapy_or_the_last_contact() -> None:
    """Whichever comes first; reviews after it are neither expected nor counted.

    A review on the day of the progression itself is counted (B).
    """
    check(
        follow_up_adherence,
        {
            **_reviews(dict.fromkeys("ABCD", (28, 119, 210))),
            "anchors": _t0("ABCD"),
            "milestones": _ends(
                {"A": 400, "B": 400, "C": 400, "D": 150},
                death_day={"A": 200},
                progression_day={"A": 300, "B": 119},
                new_therapy_day={"C": 118},
            ),
        },
        """
        | subject_id | fu_days | n_expected | n_observed |
        | A          | 200     | 2          | 2          |
        | B          | 119     | 2          | 2          |
        | C          | 118     | 1          | 1          |
        | D          | 150     | 2          | 2          |
        """,
    )


def test_the_first_review_is_on_time_from_day_14_to_day_56() -> None:
    """Day 13 (A) is a check after the procedure, no review; 14 (B) and 56 (C) count, 57 (D) not.

    Until day 56 has passed nobody is late: E is followed for 55 days, F for 56.
    """
    check(
        follow_up_adherence,
        {
            **_reviews({"A": (13,), "B": (14,), "C": (56,), "D": (57,)}),
            "anchors": _t0("ABCDEF"),
            "milestones": _ends({"A": 200, "B": 200, "C": 200, "D": 200, "E": 55, "F": 56}),
        },
        """
        | subject_id | first_review_day | first_visit_on_time | n_observed |
        | A          |                  | no                  | 0          |
        | B          | 14               | yes                 | 1          |
        | C          | 56               | yes                 | 1          |
        | D          | 57               | no                  | 1          |
        | E          |                  |                     | 0          |
        | F          |                  | no                  | 0          |
        """,
    )


def test_a_review_needs_imaging_laboratory_and_contact_within_14_days() -> None:
    """A has all three 14 days apart at most; B's laboratory is 15 days from its scan.

    C's are within 14 days of the scan, on either side of it, but 15 days apart. D was only
    telephoned, E visited. F has no scan. The parts are counted alone, too.
    """
    check(
        follow_up_adherence,
        {
            "scans": _table("scan_date", [(s, 30) for s in "ABCDE"]),
            "labs": _table(
                "lab_date",
                [("A", 44), ("B", 45), ("C", 22), ("D", 30), ("E", 30), ("F", 30)],
            ),
            "assessments": _table("assessment_date", [("A", 30), ("B", 30), ("C", 37), ("F", 30)]),
            "contacts": """
                | subject_id | contact_date | contact_type |
                | D          | d30          | phone        |
                | E          | d30          | visit        |
            """,
            "anchors": _t0("ABCDEF"),
            "milestones": _ends(dict.fromkeys("ABCDEF", 100)),
        },
        """
        | subject_id | n_observed | first_review_day | n_imaging | n_labs | n_contacts |
        | A          | 1          | 30               | 1         | 1      | 1          |
        | B          | 0          |                  | 1         | 1      | 1          |
        | C          | 0          |                  | 1         | 1      | 1          |
        | D          | 0          |                  | 1         | 1      | 0          |
        | E          | 1          | 30               | 1         | 1      | 1          |
        | F          | 0          |                  | 0         | 1      | 1          |
        """,
    )


def test_imaging_within_14_days_is_one_review() -> None:
    """CT on day 30 and MRI on day 44 are one review (A); on day 45 they are two (B)."""
    check(
        follow_up_adherence,
        {
            **_reviews({"A": (30, 44), "B": (30, 45)}),
            "anchors": _t0("AB"),
            "milestones": _ends({"A": 100, "B": 100}),
        },
        """
        | subject_id | n_observed | n_gaps | n_imaging |
        | A          | 1          | 0      | 2         |
        | B          | 2          | 1      | 2         |
        """,
    )


def test_gaps_between_reviews_are_on_time_from_46_to_106_days() -> None:
    """A: 45 days is too soon, 46 and 106 are on time, 107 is late, 120 not yet long, 121 is long.

    More reviews than expected are not more than full adherence. B has a single review, no gap.
    """
    gaps = (28, 45, 46, 106, 107, 120, 121)
    check(
        follow_up_adherence,
        {
            **_reviews({"A": tuple(itertools.accumulate(gaps)), "B": (28,)}),
            "anchors": _t0("AB"),
            "milestones": _ends({"A": 573, "B": 118}),
        },
        """
        | subject_id | n_gaps | n_gaps_on_time | n_gaps_long | median_gap_days | max_gap_days | n_expected | n_observed | adherence |
        | A          | 6      | 2              | 1           | 106.5           | 121          | 6          | 7          | 1         |
        | B          | 0      | 0              | 0           |                 |              | 1          | 1          | 1         |
        """,
    )


def test_the_next_review_is_overdue_at_the_extraction_not_today() -> None:
    """The first review may come until day 56, a later one until 106 days after the last.

    A was reviewed on day 28 and the site was extracted on day 134, B on 135. C was never reviewed
    by day 56, D by day 57. E is dead, F progressed and G has new therapy: nothing is due. H's site
    has no extraction date.
    """
    check(
        follow_up_adherence,
        {
            "anchors": """
                | subject_id | t0_date | site_id |
                | A          | d0      | s134    |
                | B          | d0      | s135    |
                | C          | d0      | s56     |
                | D          | d0      | s57     |
                | E          | d0      | s135    |
                | F          | d0      | s135    |
                | G          | d0      | s135    |
                | H          | d0      | s0      |
            """,
            "scans": _by_site("scan_date"),
            "labs": _by_site("lab_date"),
            "assessments": _by_site("assessment_date"),
            "milestones": _ends(
                dict.fromkeys("ABCDEFGH", 60),
                death_day={"E": 60},
                progression_day={"F": 60},
                new_therapy_day={"G": 60},
            ),
            "extractions": """
                | site_id | extraction_date |
                | s134    | d134            |
                | s135    | d135            |
                | s56     | d56             |
                | s57     | d57             |
            """,
        },
        """
        | subject_id | overdue |
        | A          | no      |
        | B          | yes     |
        | C          | no      |
        | D          | yes     |
        | E          | no      |
        | F          | no      |
        | G          | no      |
        | H          |         |
        """,
    )


def _by_site(date: str) -> str:
    rows = [
        ("A", "d28", "s134"),
        ("B", "d28", "s135"),
        ("X", "d0", "s56"),
        ("X", "d0", "s57"),
        ("X", "d0", "s0"),
    ]
    lines = [f"| {subject} | {day} | {site} |" for subject, day, site in rows]
    return "\n".join([f"| subject_id | {date} | site_id |", *lines])


def test_a_table_that_a_site_does_not_deliver_is_no_missed_review() -> None:
    """Without laboratory results nobody can tell a review; imaging is still counted alone."""
    check(
        follow_up_adherence,
        {
            "scans": _table("scan_date", [("A", 30)]),
            "assessments": _table("assessment_date", [("A", 30)]),
            "anchors": _t0("A"),
            "milestones": _ends({"A": 200}),
            "extractions": "| site_id | extraction_date |\n| s1 | d300 |",
        },
        """
        | subject_id | n_expected | n_observed | adherence | first_visit_on_time | overdue | n_imaging | n_labs | reason                               |
        | A          | 2          |            |           |                     |         | 1         |        | no laboratory results are delivered  |
        """,
    )


def test_a_scan_is_measured_when_a_lesion_on_it_was() -> None:
    """A lesion gone or too small was measured; one that could not be evaluated was not."""
    check(
        follow_up_adherence,
        {
            **_reviews({"A": (28, 119, 210)}),
            "measurements": """
                | subject_id | lesion_id | scan_date | status        |
                | A          | L1        | d28       | not_imaged    |
                | A          | L2        | d28       | measured      |
                | A          | L1        | d119      | absent        |
                | A          | L1        | d210      | not_evaluable |
            """,
            "anchors": _t0("A"),
            "milestones": _ends({"A": 210}),
        },
        """
        | subject_id | n_imaging | n_imaging_measured |
        | A          | 3         | 2                  |
        """,
    )


PATIENTS = """
    | subject_id | first_visit_on_time | first_review_day | n_expected | n_observed | adherence | n_gaps | n_gaps_on_time | n_gaps_long | median_gap_days | max_gap_days | n_imaging | n_imaging_measured | n_labs | n_contacts | overdue |
    | A          | yes                 | 28               | 4          | 4          | 1         | 3      | 3              | 0           | 91              | 95           | 5         | 5                  | 3      | 4          | no      |
    | B          | no                  | 60               | 4          | 2          | 0.5       | 1      | 0              | 1           | 130             | 130          | 2         | 1                  | 2      | 1          | yes     |
    | C          |                     |                  | 0          | 0          |           | 0      | 0              | 0           |                 |              | 0         | 0                  | 0      | 0          | no      |
"""


def test_a_patient_who_is_not_asked_is_not_in_the_total() -> None:
    """C was followed too briefly: no first review, no adherence and no gap to judge.

    Limits of proportions are exact; medians over patients come with quartiles (type 7).
    """
    check(
        adherence_summary,
        {
            "follow_up_adherence": PATIENTS,
            "population_members": """
                | population | subject_id |
                | all        | A          |
                | all        | B          |
                | all        | C          |
            """,
        },
        """
        | statistic_id                                  | n | total | value        | lower       | upper      | unit |
        | adherence_summary.all.first_visit_on_time     | 1 | 2     | 50           | 1.25791171  | 98.7420883 | %    |
        | adherence_summary.all.all_reviews_held        | 1 | 2     | 50           | 1.25791171  | 98.7420883 | %    |
        | adherence_summary.all.every_gap_on_time       | 1 | 2     | 50           | 1.25791171  | 98.7420883 | %    |
        | adherence_summary.all.a_long_gap              | 1 | 2     | 50           | 1.25791171  | 98.7420883 | %    |
        | adherence_summary.all.overdue                 | 1 | 3     | 33.333333333 | 0.840375866 | 90.5700676 | %    |
        | adherence_summary.all.imaging_always_measured | 1 | 2     | 50           | 1.25791171  | 98.7420883 | %    |
        | adherence_summary.all.adherence               | 2 | 2     | 75           | 62.5        | 87.5       | %    |
        | adherence_summary.all.imaging                 | 2 | 2     | 75           | 62.5        | 87.5       | %    |
        | adherence_summary.all.labs                    | 2 | 2     | 62.5         | 56.25       | 68.75      | %    |
        | adherence_summary.all.contacts                | 2 | 2     | 62.5         | 43.75       | 81.25      | %    |
        | adherence_summary.all.imaging_measured        | 2 | 2     | 75           | 62.5        | 87.5       | %    |
        | adherence_summary.all.first_review_day        | 2 | 2     | 44           | 36          | 52         | days |
        | adherence_summary.all.median_gap              | 2 | 2     | 110.5        | 100.75      | 120.25     | days |
        | adherence_summary.all.max_gap                 | 2 | 2     | 112.5        | 103.75      | 121.25     | days |
        """,
    )


def test_each_measure_of_adherence_lists_the_patients_that_it_counts() -> None:
    """B alone is late, overdue and has a long gap; the medians list both who have a value."""
    check(
        adherence_summary_sets,
        {"follow_up_adherence": PATIENTS},
        """
        | set_id                                    | subject_id |
        | adherence_summary.first_visit_on_time     | A          |
        | adherence_summary.all_reviews_held        | A          |
        | adherence_summary.every_gap_on_time       | A          |
        | adherence_summary.a_long_gap              | B          |
        | adherence_summary.overdue                 | B          |
        | adherence_summary.imaging_always_measured | A          |
        | adherence_summary.adherence               | A          |
        | adherence_summary.adherence               | B          |
        | adherence_summary.imaging                 | A          |
        | adherence_summary.imaging                 | B          |
        | adherence_summary.labs                    | A          |
        | adherence_summary.labs                    | B          |
        | adherence_summary.contacts                | A          |
        | adherence_summary.contacts                | B          |
        | adherence_summary.imaging_measured        | A          |
        | adherence_summary.imaging_measured        | B          |
        | adherence_summary.first_review_day        | A          |
        | adherence_summary.first_review_day        | B          |
        | adherence_summary.median_gap              | A          |
        | adherence_summary.median_gap              | B          |
        | adherence_summary.max_gap                 | A          |
        | adherence_summary.max_gap                 | B          |
        """,
    )

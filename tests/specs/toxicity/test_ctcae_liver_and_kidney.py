"""CTCAE grades of analytes that rise: bilirubin, enzymes, INR, creatinine.

Every threshold has a result just below, at and just above it. A threshold belongs to the milder
grade, unless the criterion prints it as reached.
"""

from tests.support.grading import ALL, graded


def test_bilirubin_is_graded_by_multiples_of_the_upper_limit() -> None:
    """At ULN 1.2 mg/dL binary floating point would make 3.6 a false grade 3, and 1.8 a grade 2.

    Source: CTCAE v3.0, v4.03 and (normal baseline) v5.0: > 1, 1.5, 3 and 10 x ULN.
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte   | value | unit  | upper_limit |
        | A          | d1       | bilirubin | 1.19  | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 1.2   | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 1.21  | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 1.79  | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 1.8   | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 1.81  | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 3.59  | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 3.6   | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 3.61  | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 11.99 | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 12    | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 12.01 | mg/dL | 1.2         |
        """,
        """
        | value | grade | rule        |
        | 1.19  | 0     | <= 1 x ULN  |
        | 1.2   | 0     | <= 1 x ULN  |
        | 1.21  | 1     | > 1 x ULN   |
        | 1.79  | 1     | > 1 x ULN   |
        | 1.8   | 1     | > 1 x ULN   |
        | 1.81  | 2     | > 1.5 x ULN |
        | 3.59  | 2     | > 1.5 x ULN |
        | 3.6   | 2     | > 1.5 x ULN |
        | 3.61  | 3     | > 3 x ULN   |
        | 11.99 | 3     | > 3 x ULN   |
        | 12    | 3     | > 3 x ULN   |
        | 12.01 | 4     | > 10 x ULN  |
        """,
    )


def test_multiples_of_a_limit_are_compared_in_the_unit_delivered() -> None:
    """61.5 umol/L at ULN 20.5 is exactly 3 x ULN; rounded to mg/dL it would be a false grade 3.

    Source: CTCAE v3.0, v4.03, v5.0; factor 17.1 of the CDISC pilot's laboratory data.
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte   | value | unit   | upper_limit |
        | A          | d1       | bilirubin | 20.5  | umol/L | 20.5        |
        | A          | d1       | bilirubin | 61.4  | umol/L | 20.5        |
        | A          | d1       | bilirubin | 61.5  | umol/L | 20.5        |
        | A          | d1       | bilirubin | 61.6  | umol/L | 20.5        |
        | A          | d1       | alt       | 2     | ukat/L | 0.66        |
        """,
        """
        | analyte   | value | grade |
        | bilirubin | 20.5  | 0     |
        | bilirubin | 61.4  | 2     |
        | bilirubin | 61.5  | 2     |
        | bilirubin | 61.6  | 3     |
        | alt       | 2     | 2     |
        """,
    )


def test_transaminases_reach_grade_2_earlier_in_version_3() -> None:
    """More than 2.5 x ULN is grade 2 in version 3.0 and grade 1 in the later ones.

    Source: CTCAE v3.0: > 1, 2.5, 5, 20 x ULN; v4.03: > 1, 3, 5, 20 x ULN.
    """
    labs = """
        | subject_id | lab_date | analyte | value | unit | upper_limit |
        | A          | d1       | ast     | 40    | U/L  | 40          |
        | A          | d1       | ast     | 40.1  | U/L  | 40          |
        | A          | d1       | ast     | 99.9  | U/L  | 40          |
        | A          | d1       | ast     | 100   | U/L  | 40          |
        | A          | d1       | ast     | 100.1 | U/L  | 40          |
        | A          | d1       | ast     | 112   | U/L  | 40          |
        | A          | d1       | ast     | 120   | U/L  | 40          |
        | A          | d1       | ast     | 120.1 | U/L  | 40          |
        | A          | d1       | ast     | 200   | U/L  | 40          |
        | A          | d1       | ast     | 200.1 | U/L  | 40          |
        | A          | d1       | ast     | 800   | U/L  | 40          |
        | A          | d1       | ast     | 800.1 | U/L  | 40          |
    """
    common = """
        | value | grade | rule        |
        | 40    | 0     | <= 1 x ULN  |
        | 40.1  | 1     | > 1 x ULN   |
        | 99.9  | 1     | > 1 x ULN   |
        | 100   | 1     | > 1 x ULN   |
        | 200.1 | 3     | > 5 x ULN   |
        | 800   | 3     | > 5 x ULN   |
        | 800.1 | 4     | > 20 x ULN  |
    """
    version_3 = """
        | 100.1 | 2     | > 2.5 x ULN |
        | 112   | 2     | > 2.5 x ULN |
        | 120   | 2     | > 2.5 x ULN |
        | 120.1 | 2     | > 2.5 x ULN |
        | 200   | 2     | > 2.5 x ULN |
    """
    later = """
        | 100.1 | 1     | > 1 x ULN   |
        | 112   | 1     | > 1 x ULN   |
        | 120   | 1     | > 1 x ULN   |
        | 120.1 | 2     | > 3 x ULN   |
        | 200   | 2     | > 3 x ULN   |
    """
    for analyte in ("ast", "alt"):
        graded(("3.0",), labs.replace("ast", analyte), common + version_3)
        graded(("4.03", "5.0"), labs.replace("ast", analyte), common + later)


def test_alkaline_phosphatase_and_ggt_are_alike_in_all_versions() -> None:
    """After a normal baseline.

    Source: CTCAE v3.0, v4.03, v5.0: > 1, 2.5, 5, 20 x ULN.
    """
    labs = """
        | subject_id | lab_date | analyte | value  | unit | upper_limit |
        | A          | d1       | alp     | 120    | U/L  | 120         |
        | A          | d1       | alp     | 120.1  | U/L  | 120         |
        | A          | d1       | alp     | 300    | U/L  | 120         |
        | A          | d1       | alp     | 300.1  | U/L  | 120         |
        | A          | d1       | alp     | 600    | U/L  | 120         |
        | A          | d1       | alp     | 600.1  | U/L  | 120         |
        | A          | d1       | alp     | 2400   | U/L  | 120         |
        | A          | d1       | alp     | 2400.1 | U/L  | 120         |
    """
    expected = """
        | value  | grade |
        | 120    | 0     |
        | 120.1  | 1     |
        | 300    | 1     |
        | 300.1  | 2     |
        | 600    | 2     |
        | 600.1  | 3     |
        | 2400   | 3     |
        | 2400.1 | 4     |
    """
    for analyte in ("alp", "ggt"):
        graded(ALL, labs.replace("alp", analyte), expected)


def test_after_an_abnormal_baseline_version_5_counts_from_the_baseline() -> None:
    """Bilirubin 3.0 after a baseline of 2.0 is 1.5 x baseline: grade 1, though 2.5 x ULN.

    Source: CTCAE v5.0, blood bilirubin increased: > 1, 1.5, 3, 10 x baseline if it was abnormal.
    """
    labs = """
        | subject_id | lab_date | analyte   | value | unit  | upper_limit |
        | A          | d1       | bilirubin | 1.3   | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 2     | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 2.01  | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 3     | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 3.01  | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 6     | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 6.01  | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 20    | mg/dL | 1.2         |
        | A          | d1       | bilirubin | 20.01 | mg/dL | 1.2         |
    """
    baseline = """
        | subject_id | analyte   | rel_day | value | unit  | upper_limit |
        | A          | bilirubin | -1      | 2     | mg/dL | 1.2         |
    """
    graded(
        ("5.0",),
        labs,
        """
        | value | grade | rule             |
        | 1.3   | 0     | <= 1 x baseline  |
        | 2     | 0     | <= 1 x baseline  |
        | 2.01  | 1     | > 1 x baseline   |
        | 3     | 1     | > 1 x baseline   |
        | 3.01  | 2     | > 1.5 x baseline |
        | 6     | 2     | > 1.5 x baseline |
        | 6.01  | 3     | > 3 x baseline   |
        | 20    | 3     | > 3 x baseline   |
        | 20.01 | 4     | > 10 x baseline  |
        """,
        baseline_labs=baseline,
    )
    graded(
        ("3.0", "4.03"),
        labs,
        """
        | value | grade |
        | 1.3   | 1     |
        | 2     | 2     |
        | 2.01  | 2     |
        | 3     | 2     |
        | 3.01  | 2     |
        | 6     | 3     |
        | 6.01  | 3     |
        | 20    | 4     |
        | 20.01 | 4     |
        """,
        baseline_labs=baseline,
    )


def test_enzymes_after_an_abnormal_baseline_begin_where_version_5_prints_a_reached_bound() -> None:
    """Grade 1 is 1.5 - 3.0 x baseline for transaminases, 2.0 - 2.5 for ALP and GGT.

    The lower bound belongs to it. A coded form with > 2.0 for GGT exists; the printed text decides.

    Source: CTCAE v5.0, aspartate and alanine aminotransferase, alkaline phosphatase, GGT.
    """
    labs = """
        | subject_id | lab_date | analyte | value  | unit | upper_limit |
        | A          | d1       | ast     | 112    | U/L  | 40          |
        | A          | d1       | ast     | 119.9  | U/L  | 40          |
        | A          | d1       | ast     | 120    | U/L  | 40          |
        | A          | d1       | ast     | 240    | U/L  | 40          |
        | A          | d1       | ast     | 240.1  | U/L  | 40          |
        | A          | d1       | ast     | 400    | U/L  | 40          |
        | A          | d1       | ast     | 400.1  | U/L  | 40          |
        | A          | d1       | ast     | 1600   | U/L  | 40          |
        | A          | d1       | ast     | 1600.1 | U/L  | 40          |
        | A          | d1       | ggt     | 159.9  | U/L  | 40          |
        | A          | d1       | ggt     | 160    | U/L  | 40          |
        | A          | d1       | ggt     | 200    | U/L  | 40          |
        | A          | d1       | ggt     | 200.1  | U/L  | 40          |
        | A          | d1       | ggt     | 400.1  | U/L  | 40          |
        | A          | d1       | ggt     | 1600.1 | U/L  | 40          |
    """
    baseline = """
        | subject_id | analyte | rel_day | value | unit | upper_limit |
        | A          | ast     | -1      | 80    | U/L  | 40          |
        | A          | ggt     | -1      | 80    | U/L  | 40          |
    """
    expected = """
        | analyte | value  | grade | rule              |
        | ast     | 112    | 0     | < 1.5 x baseline  |
        | ast     | 119.9  | 0     | < 1.5 x baseline  |
        | ast     | 120    | 1     | >= 1.5 x baseline |
        | ast     | 240    | 1     | >= 1.5 x baseline |
        | ast     | 240.1  | 2     | > 3 x baseline    |
        | ast     | 400    | 2     | > 3 x baseline    |
        | ast     | 400.1  | 3     | > 5 x baseline    |
        | ast     | 1600   | 3     | > 5 x baseline    |
        | ast     | 1600.1 | 4     | > 20 x baseline   |
        | ggt     | 159.9  | 0     | < 2 x baseline    |
        | ggt     | 160    | 1     | >= 2 x baseline   |
        | ggt     | 200    | 1     | >= 2 x baseline   |
        | ggt     | 200.1  | 2     | > 2.5 x baseline  |
        | ggt     | 400.1  | 3     | > 5 x baseline    |
        | ggt     | 1600.1 | 4     | > 20 x baseline   |
    """
    graded(("5.0",), labs, expected, baseline_labs=baseline)
    swapped = {"ast": "alt", "ggt": "alp"}
    for old, new in swapped.items():
        labs, baseline = labs.replace(old, new), baseline.replace(old, new)
        expected = expected.replace(old, new)
    graded(("5.0",), labs, expected, baseline_labs=baseline)


def test_a_baseline_is_abnormal_only_above_its_own_upper_limit() -> None:
    """A baseline at the limit, without a limit, or missing, counts as normal.

    Source: CTCAE v5.0; admiral, baseline indicator HIGH.
    """
    for baseline in ("1.2   | 1.2", "1.5   |    ", "0.1   | 1.2"):
        graded(
            ("5.0",),
            """
            | subject_id | lab_date | analyte   | value | unit  | upper_limit |
            | A          | d1       | bilirubin | 1.9   | mg/dL | 1.2         |
            """,
            """
            | value | grade | rule        |
            | 1.9   | 2     | > 1.5 x ULN |
            """,
            baseline_labs=f"""
            | subject_id | analyte   | rel_day | unit  | value | upper_limit |
            | A          | bilirubin | -1      | mg/dL | {baseline} |
            """,
        )


def test_a_baseline_in_another_unit_is_compared_exactly() -> None:
    """34.2 umol/L is 2.0 mg/dL: 3.0 mg/dL is 1.5 times it, 3.01 is more.

    Source: factor 17.1 of the CDISC pilot's laboratory data.
    """
    graded(
        ("5.0",),
        """
        | subject_id | lab_date | analyte   | value | unit    | upper_limit |
        | A          | d1       | bilirubin | 3     | mg/dL   | 1.2         |
        | A          | d1       | bilirubin | 3.01  | mg/dL   | 1.2         |
        | A          | d1       | bilirubin | 51.3  | umol/L  | 20.5        |
        | A          | d1       | bilirubin | 9     | unknown | 1           |
        """,
        """
        | value | baseline_value | grade | rule             | reason       |
        | 3     | 2              | 1     | > 1 x baseline   |              |
        | 3.01  | 2              | 2     | > 1.5 x baseline |              |
        | 51.3  | 34.2           | 1     | > 1 x baseline   |              |
        | 9     |                |       |                  | unknown unit |
        """,
        baseline_labs="""
        | subject_id | analyte   | rel_day | value | unit   | upper_limit |
        | A          | bilirubin | -1      | 34.2  | umol/L | 20.5        |
        """,
    )


def test_the_baseline_itself_is_graded_against_the_upper_limit_in_every_version() -> None:
    """Taken literally, version 5.0 would call every abnormal baseline grade 0: 1.0 x baseline.

    Results up to T0 that are not the baseline, and those of day 0, are graded in the same way.
    """
    graded(
        ALL,
        """
        | row_id | subject_id | lab_date | analyte    | value | unit  | upper_limit |
        | early  | A          | d-9      | bilirubin  | 2.5   | mg/dL | 1.2         |
        | base   | A          | d-1      | bilirubin  | 2     | mg/dL | 1.2         |
        | day0   | A          | d0       | bilirubin  | 2.2   | mg/dL | 1.2         |
        """,
        """
        | source_row_id | rel_day | is_baseline | grade | rule        |
        | early         | -9      | no          | 2     | > 1.5 x ULN |
        | base          | -1      | yes         | 2     | > 1.5 x ULN |
        | day0          | 0       | no          | 2     | > 1.5 x ULN |
        """,
        baseline_labs="""
        | subject_id | analyte    | row_id | rel_day | value | unit  | upper_limit |
        | A          | bilirubin  | base   | -1      | 2     | mg/dL | 1.2         |
        """,
    )


def test_without_upper_limit_nothing_relative_can_be_graded() -> None:
    """Bilirubin of 9 mg/dL is not grade 0 because a limit is missing; a limit of zero is a blank.

    Source: admiral, vignette Lab grading (GRADE_NA_CODE).
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte    | value | unit  | upper_limit |
        | A          | d1       | bilirubin  | 9     | mg/dL |             |
        | A          | d1       | bilirubin  | 8     | mg/dL | 0           |
        | A          | d1       | creatinine | 9     | mg/dL |             |
        """,
        """
        | analyte    | value | grade | rule | reason         |
        | bilirubin  | 9     |       |      | no upper limit |
        | bilirubin  | 8     |       |      | no upper limit |
        | creatinine | 9     |       |      | no upper limit |
        """,
    )

"""Every threshold of every analyte, with a result just below, at and just above it.

The bounds are written out here, in the unit of the result, from the printed criteria; results lie
0.001 on either side. A bound belongs to the milder grade, unless the criterion prints it as
reached.

Source: CTCAE v3.0 (NCI 2006), v4.03 (NCI 2010) and v5.0 (NCI 2017).
"""

from tests.support.grading import straddled

FALLING = """
    | albumin     | g/dL   | 3.5 | 3.5 | 3   | 2   |     |
    | wbc         | 10*9/L | 4   | 4   | 3   | 2   | 1   |
    | neutrophils | 10*9/L | 2   | 2   | 1.5 | 1   | 0.5 |
    | lymphocytes | 10*9/L | 1   | 1   | 0.8 | 0.5 | 0.2 |
    | platelets   | 10*9/L | 150 | 150 | 75  | 50  | 25  |
"""
RISING = """
    | bilirubin   | mg/dL  | 1.2 | 1.2 | 1.8 | 3.6 | 12   |
    | alp         | U/L    | 120 | 120 | 300 | 600 | 2400 |
    | ggt         | U/L    | 60  | 60  | 150 | 300 | 1200 |
    | creatinine  | mg/dL  | 1.2 | 1.2 | 1.8 | 3.6 | 7.2  |
"""
NORMAL_CREATININE = """
    | subject_id | analyte    | rel_day | value | unit  | upper_limit |
    | A          | creatinine | -1      | 1.2   | mg/dL | 1.2         |
"""
"""At the upper limit, so that limit and baseline bind alike."""


def test_version_3_by_the_limits_of_the_laboratory() -> None:
    """Transaminases reach grade 2 above 2.5 x ULN, INR grade 3 above 2 x ULN.

    Source: CTCAE v3.0, NCI 2006.
    """
    rising = """
        | ast | U/L | 35  | 35  | 87.5 | 175 | 700 |
        | alt | U/L | 40  | 40  | 100  | 200 | 800 |
        | inr | 1   | 1.1 | 1.1 | 1.65 | 2.2 |     |
    """
    falling = "| haemoglobin | g/dL | 12 | 12 | 10 | 8 | 6.5 |"
    straddled("3.0", RISING + rising, FALLING + falling)


def test_version_4_by_the_limits_of_the_laboratory() -> None:
    """Transaminases reach grade 2 above 3 x ULN, INR grade 3 above 2.5 x ULN.

    Source: CTCAE v4.03, NCI 2010.
    """
    rising = """
        | ast | U/L | 35  | 35  | 105  | 175  | 700 |
        | alt | U/L | 40  | 40  | 120  | 200  | 800 |
        | inr | 1   | 1.1 | 1.1 | 1.65 | 2.75 |     |
    """
    falling = "| haemoglobin | g/dL | 12 | 12 | 10 | 8 | |"
    straddled("4.03", RISING + rising, FALLING + falling, baseline_labs=NORMAL_CREATININE)


def test_version_5_after_a_normal_baseline() -> None:
    """INR has bounds of its own, whatever the laboratory's limit.

    Source: CTCAE v5.0, NCI 2017.
    """
    rising = """
        | ast | U/L | 35  | 35  | 105 | 175 | 700 |
        | alt | U/L | 40  | 40  | 120 | 200 | 800 |
        | inr | 1   | 1.1 | 1.2 | 1.5 | 2.5 |     |
    """
    falling = "| haemoglobin | g/dL | 12 | 12 | 10 | 8 | |"
    straddled("5.0", RISING + rising, FALLING + falling, baseline_labs=NORMAL_CREATININE)


def test_version_5_after_a_baseline_above_the_limit() -> None:
    """Multiples of the baseline; grade 1 of the enzymes has its own lower bound, which is reached.

    Source: CTCAE v5.0: bilirubin > 1, 1.5, 3, 10; AST and ALT from 1.5, > 3, 5, 20; ALP and GGT
    from 2.0, > 2.5, 5, 20 x baseline.
    """
    baselines = """
        | subject_id | analyte   | rel_day | value | unit  | upper_limit |
        | A          | bilirubin | -1      | 2     | mg/dL | 1.2         |
        | A          | ast       | -1      | 80    | U/L   | 40          |
        | A          | alt       | -1      | 60    | U/L   | 40          |
        | A          | alp       | -1      | 200   | U/L   | 120         |
        | A          | ggt       | -1      | 80    | U/L   | 60          |
    """
    rising = """
        | bilirubin | mg/dL | 1.2 | 2      | 3   | 6    | 20   |
        | ast       | U/L   | 40  | >= 120 | 240 | 400  | 1600 |
        | alt       | U/L   | 40  | >= 90  | 180 | 300  | 1200 |
        | alp       | U/L   | 120 | >= 400 | 500 | 1000 | 4000 |
        | ggt       | U/L   | 60  | >= 160 | 200 | 400  | 1600 |
    """
    straddled("5.0", rising, "", baseline_labs=baselines)


def test_creatinine_against_a_low_baseline() -> None:
    """Version 4.03 begins above the baseline, 5.0 above 1.5 x baseline, which is grade 2 at once.

    Source: CTCAE v4.03: or > 1, 1.5, 3 x baseline; v5.0: or > 1.5, 3 x baseline; both > 6 x ULN.
    """
    baseline = NORMAL_CREATININE.replace("| 1.2   | mg/dL", "| 0.6   | mg/dL")
    straddled("4.03", "| creatinine | mg/dL | 1.2 | 0.6 | 0.9 | 1.8 | 7.2 |", "", baseline)
    straddled("5.0", "| creatinine | mg/dL | 1.2 | | 0.9 | 1.8 | 7.2 |", "", baseline)


def test_inr_under_anticoagulation_against_the_baseline() -> None:
    """With a baseline of 0.8 the multiples of the baseline come first.

    Source: CTCAE v4.03 and v5.0, INR increased: > 1, 1.5, 2.5 x baseline if on anticoagulation.
    """
    baseline = """
        | subject_id | analyte | rel_day | value | unit | upper_limit |
        | A          | inr     | -1      | 0.8   | 1    | 2           |
    """
    running = """
        | subject_id | drug     | purpose         |
        | A          | warfarin | anticoagulation |
    """
    for version in ("4.03", "5.0"):
        straddled(version, "| inr | 1 | 2 | 0.8 | 1.2 | 2 | |", "", baseline, running)

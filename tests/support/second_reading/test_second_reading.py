"""Hand-worked checks of the second reading: published vectors and the cases of the issue."""

from dataclasses import replace
from fractions import Fraction

import pytest

from .evaluate import evaluate
from .history import (
    CRITERIA,
    Death,
    History,
    Lesion,
    Measurement,
    Scan,
    Session,
    Therapy,
    micrometres,
)
from .settings import Settings

WHOLE = (Session(0, "whole"),)
ZERO = Settings(sd_min_days=dict.fromkeys(CRITERIA, 0))


def row(
    day,
    longest=None,
    across=None,
    lesion="A",
    modality="CT",
    inner=None,
    status="measured",
    necrosis=None,
):
    """Return a measurement from millimetres; the enhancing part is the whole lesion unless stated."""
    longest, across = micrometres(longest), micrometres(across if across is not None else longest)
    inner = (longest, across) if inner is None and necrosis is None else inner or (None, None)
    return Measurement(lesion, day, modality, "local", status, longest, across, *inner, necrosis)


def course(*rows, lesions=None, scans=(), **changes):
    """Return a history with one whole-liver session; scans are made where none is given."""
    stated = {(scan.day, scan.modality) for scan in scans}
    made = [
        Scan(day, modality)
        for day, modality in sorted({(r.day, r.modality) for r in rows} - stated)
    ]
    names = sorted({r.lesion_id for r in rows})
    lesions = lesions or tuple(Lesion(name, "liver", "right", True, True) for name in names)
    return History(
        "P", changes.pop("sessions", WHOLE), tuple(lesions), (*scans, *made), rows, **changes
    )


def patient(history, criterion, settings=ZERO, organ="all"):
    """Return the classes of the patient's assessments."""
    result = evaluate(history, settings).criteria[criterion].organs[organ]
    return [item.response for item in result.assessments]


def lesion(history, criterion, lesion_id="A", settings=ZERO):
    """Return the classes of one lesion's assessments."""
    results = evaluate(history, settings).criteria[criterion].lesions
    return [
        item.response
        for result in results
        if result.lesion_id == lesion_id
        for item in result.assessments
    ]


def lesion_result(history, criterion, lesion_id):
    """Return one lesion's result."""
    return next(
        item
        for item in evaluate(history, ZERO).criteria[criterion].lesions
        if item.lesion_id == lesion_id
    )


@pytest.mark.parametrize(
    ("sizes", "classes"),
    [
        (((20, 10), (10, 10)), ["PR"]),
        (((20, 10), (10.1, 10)), ["SD"]),
        (((20, 10), (25, 10)), ["SD"]),
        (((20, 10), (25.001, 10)), ["PD"]),
        (((40, 25), (20, 10), (25, 10.1)), ["PR", "PD"]),
    ],
)
def test_who_vectors(sizes, classes):
    """WHO: PR at -50 %, PD above +25 % over the nadir (Riaz 2011)."""
    days = (-10, 30, 95)
    history = course(*(row(day, *size) for day, size in zip(days, sizes, strict=False)))
    assert lesion(history, "WHO") == classes
    assert patient(history, "WHO") == classes


def test_who_progression_at_exactly_25_pct_when_configured():
    """Miller 1981 calls an increase of 25 % progression."""
    history = course(row(-10, 20, 10), row(30, 25, 10))
    assert patient(history, "WHO", replace(ZERO, who_pd_at_least=True)) == ["PD"]


def test_absent_is_complete_response():
    """An absent lesion is CR by size and by enhancement."""
    history = course(row(-10, 20, 10), row(30, status="absent"))
    assert lesion(history, "WHO") == lesion(history, "EASL") == patient(history, "WHO") == ["CR"]


def test_no_enhancement_at_unchanged_size():
    """EASL is CR where no tissue enhances, whatever the size (Riaz 2011)."""
    history = course(row(-10, 30, 20), row(30, 30, 20, inner=(0, 0)))
    assert lesion(history, "WHO") == ["SD"]
    assert lesion(history, "EASL") == ["CR"]


def test_necrosis_is_not_thresholded_alone():
    """Half necrosis of 30 x 20, then 70 % of 40 x 30: 300 to 360 is SD, 600 to 1200 is PD."""
    history = course(
        row(-10, 30, 20, necrosis=Fraction(50)), row(30, 40, 30, necrosis=Fraction(70))
    )
    assert lesion(history, "EASL") == ["SD"]
    assert lesion(history, "WHO") == ["PD"]


@pytest.mark.parametrize(
    ("sizes", "classes"),
    [
        ((33, 23.1), ["PR"]),
        ((33.04, 23.14), ["SD"]),
        ((33, 20, 24), ["PR", "SD"]),
        ((40, 25, 30), ["PR", "PD"]),
        ((40, 25, 29.999), ["PR", "SD"]),
        ((25.04, 30.04), ["SD"]),
        ((25.04, 30.048), ["PD"]),
        ((10, 7), ["PR"]),
        ((9.96, 5), ["NE"]),
    ],
)
def test_recist_thresholds_on_delivered_lengths(sizes, classes):
    """RECIST 1.1 compares what was delivered; nothing is rounded to 0.1 mm."""
    history = course(*(row(day, size) for day, size in zip((-10, 60, 130), sizes, strict=False)))
    assert lesion(history, "RECIST 1.1") == classes
    assert patient(history, "RECIST 1.1") == classes


def test_small_growth_over_nadir_is_stable():
    """20 to 24 is +20 % and only +4 mm: SD against a baseline of 24."""
    history = course(row(-10, 24), row(60, 20), row(130, 24))
    assert patient(history, "RECIST 1.1") == ["SD", "SD"]


def test_missing_target_is_not_shrinkage():
    """Two targets, one missing, the other halved: NE."""
    history = course(
        row(-10, 20),
        row(-10, 20, lesion="B"),
        row(60, 10),
        row(60, lesion="B", status="not_imaged"),
    )
    assert patient(history, "RECIST 1.1") == patient(history, "WHO") == ["NE"]
    assert lesion(history, "WHO") == ["PR"]


def test_measured_lesions_alone_prove_progression():
    """Two targets of 20 mm, one missing, the other 50 mm: PD."""
    history = course(
        row(-10, 20),
        row(-10, 20, lesion="B"),
        row(60, 50),
        row(60, lesion="B", status="not_evaluable"),
    )
    assert patient(history, "RECIST 1.1") == ["PD"]


def test_stated_new_lesion_is_progression_of_the_patient_only():
    """A new liver lesion is PD; the lesions stay PR."""
    history = course(row(-10, 20), row(60, 8), scans=(Scan(60, new_lesion="hepatic"),))
    assert patient(history, "WHO") == ["PD"]
    assert lesion(history, "WHO") == ["PR"]


def test_no_baseline_enhancement():
    """EASL does not apply to a lesion that never enhanced."""
    history = course(row(-10, 20, inner=(0, 0)), row(60, 8))
    result = lesion_result(history, "EASL", "A")
    assert (result.unconfirmed.response, result.unconfirmed.reason) == (
        "NE",
        "no_baseline_enhancement",
    )
    assert result.in_denominator


def test_stable_disease_needs_its_minimum():
    """A lone SD on day 28 is SD without a minimum and NE with 42 days."""
    history = course(row(-10, 20), row(28, 19))
    best = evaluate(history, Settings()).criteria
    assert best["WHO"].organs["all"].unconfirmed.response == "SD"
    assert best["RECIST 1.1"].organs["all"].unconfirmed.response == "NE"


def test_stable_disease_between_leaves_a_response_unconfirmed():
    """PR on day 90, SD on 120, PR on 150: unconfirmed PR, confirmed SD."""
    history = course(row(-10, 30), row(90, 20), row(120, 22), row(150, 20))
    organ = evaluate(history, ZERO).criteria["RECIST 1.1"].organs["all"]
    assert [item.response for item in organ.assessments] == ["PR", "SD", "PR"]
    assert organ.unconfirmed.response == "PR"
    assert organ.confirmed.response == "SD"


# New lesions from measurements.


def appearing(stated, **changes):
    """Return a patient with A in response and N1 of 25 x 25 mm first measured on day 90."""
    lesions = (
        Lesion("A", "liver", "right", True, True),
        Lesion("N1", "liver", "right", True, True, **changes),
    )
    return course(
        row(-10, 30),
        row(90, 15),
        row(90, 25, 25, lesion="N1"),
        row(150, 15),
        row(150, 10, lesion="N1"),
        lesions=lesions,
        scans=(Scan(90, new_lesion=stated),),
    )


@pytest.mark.parametrize("criterion", CRITERIA)
def test_lesion_first_measured_after_treatment_is_new(criterion):
    """Blank: PD from that scan under every criterion, and never in the denominator."""
    history = appearing(None)
    result = evaluate(history, ZERO).criteria[criterion]
    assert result.organs["all"].unconfirmed.response == "PD"
    assert result.progression_day == result.hepatic_progression_day == 90
    late = lesion_result(history, criterion, "N1")
    assert (late.in_denominator, late.unconfirmed.reason) == (False, "new_after_treatment")


def test_denied_new_lesion_is_a_finding():
    """`none` on that scan denies: no PD and a finding; the setting decides."""
    history = appearing("none")
    assert patient(history, "WHO") == ["PR", "PR"]
    assert [item.kind for item in evaluate(history).findings] == ["new_lesion_denied"]
    always = replace(ZERO, new_lesion_from_measurements="always")
    assert patient(history, "WHO", always)[0] == "PD"
    never = replace(ZERO, new_lesion_from_measurements="never")
    assert patient(appearing(None), "WHO", never) == ["PR", "PR"]


@pytest.mark.parametrize("status", ["measured", "too_small", "not_evaluable", "not_imaged"])
def test_lesion_with_an_earlier_row_is_not_new(status):
    """Any row at or before the first session except `absent` shows that the lesion was there."""
    history = appearing(None)
    early = row(-10, 5 if status == "measured" else None, lesion="N1", status=status)
    history = replace(history, measurements=(*history.measurements, early))
    assert lesion_result(history, "WHO", "N1").in_denominator


def test_lesion_absent_at_baseline_is_new():
    """`absent` is no sign of the lesion."""
    history = appearing(None)
    history = replace(
        history, measurements=(*history.measurements, row(-10, lesion="N1", status="absent"))
    )
    assert patient(history, "WHO") == ["PD", "PR"]


def test_present_at_baseline_is_not_new():
    """`baseline_present` says so."""
    assert patient(appearing(None, baseline_present=True), "WHO") == ["PR", "PR"]


def test_first_reading_in_a_modality_without_baseline_is_a_finding():
    """A change of technique makes no new lesion (Eisenhauer 2009, 4.3.5)."""
    lesions = (
        Lesion("A", "liver", "right", True, True),
        Lesion("N1", "liver", "right", True, False),
    )
    history = course(
        row(-10, 30), row(90, 15), row(90, 25, lesion="N1", modality="MRI"), lesions=lesions
    )
    assert patient(history, "WHO") == ["PR"]
    assert [item.kind for item in evaluate(history).findings] == ["first_read_in_other_modality"]


# Two modalities.


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([("CT", -20, 20), ("MRI", -15, 25), ("CT", 90, 16)], ["SD"]),
        ([("CT", -20, 40), ("MRI", -15, 38), ("MRI", 90, 20), ("CT", 150, 27)], ["PR", "PR"]),
        ([("CT", -10, 40), ("CT", 90, 30), ("MRI", 97, 27)], ["SD"]),
    ],
)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_two_modalities_have_one_rule(readings, expected, criterion):
    """Each value is compared with its own modality, at both levels."""
    history = course(*(row(day, size, modality=modality) for modality, day, size in readings))
    assert lesion(history, criterion) == patient(history, criterion) == expected


# Organs, lobes, windows.


def test_extrahepatic_growth_is_not_hepatic():
    """A growing node is the patient's progression and not the liver's."""
    lesions = (Lesion("A", "liver", "right", True, True), Lesion("X", "other", None, True, True))
    history = course(
        row(-10, 30),
        row(-10, 30, lesion="X"),
        row(90, 28),
        row(90, 60, lesion="X"),
        lesions=lesions,
    )
    result = evaluate(history, ZERO).criteria["RECIST 1.1"]
    assert (result.progression_day, result.hepatic_progression_day) == (90, None)
    assert patient(history, "RECIST 1.1", organ="liver") == ["SD"]
    assert patient(history, "RECIST 1.1", organ="extrahepatic") == ["PD"]


def test_unlocated_progression_is_shown_both_ways():
    """With extrahepatic disease, non-target progression without organ is hepatic in one of two readings."""
    history = course(row(-10, 30), row(90, 28), scans=(Scan(90, non_target="progression"),))
    assert evaluate(history).criteria["WHO"].hepatic_progression_day == 90
    result = evaluate(replace(history, extrahepatic_disease="minimal")).criteria["WHO"]
    assert (result.hepatic_progression_day, result.hepatic_progression_day_other_way) == (None, 90)


def staged(day, planned=None):
    """Return right lobe on day 0 and left later; the left lesion grows before its session and then shrinks."""
    lesions = (Lesion("R", "liver", "right", True, True), Lesion("L", "liver", "left", True, True))
    return course(
        row(-10, 20, lesion="R"),
        row(-10, 40, lesion="L"),
        row(30, 15, lesion="R"),
        row(30, 60, lesion="L"),
        row(150, 8, lesion="R"),
        row(150, 20, lesion="L"),
        lesions=lesions,
        sessions=(Session(0, "right", planned), Session(day, "left")),
    )


def test_growth_in_an_untreated_lobe_closes_the_first_session_window():
    """By default the patient is PD on day 30 while both lesions end in PR."""
    history = staged(40)
    result = evaluate(history, ZERO).criteria["WHO"]
    assert (result.organs["all"].unconfirmed.response, result.progression_day) == ("PD", 30)
    assert result.progressed_before_course_end
    assert lesion(history, "WHO", "R") == ["SD", "PR"]
    assert lesion(history, "WHO", "L") == ["PR"]


def test_planned_course_excuses_growth_in_a_waiting_lobe():
    """Under planned_course the lobe's growth before its session is not the patient's progression."""
    planned = replace(ZERO, patient_window="planned_course")
    assert evaluate(staged(40), planned) is None
    assert patient(staged(40, ("right", "left")), "WHO", planned) == ["SD", "PR"]


def test_planned_course_compares_with_the_lobe_baseline():
    """Growth before the session sets the lobe's reference; it never counts afterwards."""
    planned = replace(ZERO, patient_window="planned_course")
    history = staged(40, ("whole",))
    rows = tuple(
        replace(r, longest=60_000, perpendicular=60_000)
        if (r.lesion_id, r.day) == ("L", 150)
        else r
        for r in history.measurements
    )
    assert patient(replace(history, measurements=rows), "WHO", planned) == ["SD", "SD"]


def test_lobe_treated_on_day_95_can_respond():
    """A lesion's window closes with the second session of its territory, never with its first."""
    history = staged(95)
    assert lesion(history, "WHO", "L") == ["PR"]
    assert evaluate(history).window_closes == 95


def test_second_session_of_a_territory_closes_the_lesion_window():
    """Retreatment of the lobe ends the lesion's assessments."""
    history = course(
        row(-10, 30),
        row(60, 28),
        row(150, 10),
        sessions=(Session(0, "right"), Session(100, "whole")),
    )
    assert lesion(history, "WHO") == patient(history, "WHO") == ["SD"]


# Merging, splitting, return.


@pytest.mark.parametrize("criterion", ["RECIST 1.1", "mRECIST"])
def test_merged_lesion_replaces_both(criterion):
    """25 + 25 merge into 40: -20 %, SD for the sum and for both members."""
    lesions = tuple(Lesion(name, "liver", "right", True, True, merged_into="M") for name in "AB")
    lesions += (Lesion("M", "liver", "right", True, True),)
    history = course(
        row(-10, 25), row(-10, 25, lesion="B"), row(90, 40, lesion="M"), lesions=lesions
    )
    assert (
        patient(history, criterion)
        == lesion(history, criterion)
        == lesion(history, criterion, "B")
        == ["SD"]
    )
    assert not lesion_result(history, criterion, "M").in_denominator


def test_fragments_are_added():
    """40 splits into 15 and 12: 27 is -32.5 %, PR."""
    lesions = (
        Lesion("A", "liver", "right", True, True),
        Lesion("F", "liver", "right", True, True, split_from="A"),
        Lesion("G", "liver", "right", True, True, split_from="A"),
    )
    history = course(
        row(-10, 40), row(90, 15, lesion="F"), row(90, 12, lesion="G"), lesions=lesions
    )
    assert patient(history, "RECIST 1.1") == lesion(history, "RECIST 1.1") == ["PR"]
    assert patient(history, "WHO") == ["PR"]


def test_return_is_progression_only_after_overall_complete_response():
    """Non-target disease remains: a target back at 4 mm is not PD under RECIST 1.1; WHO calls it growth."""
    rows = (row(-10, 20), row(60, status="absent"), row(130, 4))
    alone = course(*rows)
    assert patient(alone, "RECIST 1.1") == lesion(alone, "RECIST 1.1") == ["CR", "PD"]
    remains = course(
        *rows, scans=tuple(Scan(day, non_target="non_cr_non_pd") for day in (-10, 60, 130))
    )
    assert patient(remains, "RECIST 1.1") == ["PR", "PR"]
    assert patient(remains, "WHO") == ["PR", "PD"]
    assert lesion(remains, "RECIST 1.1") == ["CR", "PD"]


# Endpoints.


def test_endpoints_of_a_responder_who_progresses_and_dies():
    """TTR 60, PD 200, death 300: PFS 200, DOR 140, OS 300."""
    history = course(row(-10, 30), row(60, 20), row(200, 40), deaths=(Death.on(300),))
    result = evaluate(history, ZERO)
    ends = {
        name: end.days
        for (name, policy), end in result.criteria["RECIST 1.1"].endpoints.items()
        if policy == "treatment_policy"
    }
    assert ends == {"PFS": 200, "HPFS": 200, "TTP": 200, "HTTP": 200, "TTR": 60, "DOR": 140}
    assert (result.overall_survival.days, result.overall_survival.event) == (300, True)


def test_death_without_progression_is_censored_for_time_to_progression():
    """TTP is censored at the last evaluable assessment; PFS counts the death."""
    history = course(row(-10, 30), row(60, 29), deaths=(Death.on(100),))
    ends = evaluate(history, ZERO).criteria["WHO"].endpoints
    assert (ends["TTP", "treatment_policy"].days, ends["TTP", "treatment_policy"].event) == (
        60,
        False,
    )
    assert (ends["PFS", "treatment_policy"].days, ends["PFS", "treatment_policy"].event) == (
        100,
        True,
    )


def test_new_therapy_closes_the_window():
    """A response after chemotherapy is nobody's; progression is followed or censored."""
    history = course(row(-10, 30), row(60, 29), row(130, 60), therapies=(Therapy(90),))
    result = evaluate(history, ZERO).criteria["WHO"]
    assert result.organs["all"].unconfirmed.response == "SD"
    assert result.endpoints["TTP", "treatment_policy"].days == 130
    assert not result.endpoints["TTP", "censor_at_new_therapy"].event


@pytest.mark.parametrize(
    ("deaths", "alive", "day", "event"),
    [
        ((Death(-19, 11, -5),), (), 0, True),
        ((Death(80, 109, 94),), (99,), 99, True),
        ((Death.on(50),), (99,), 0, False),
        ((Death.on(50), Death.on(60)), (40,), 40, False),
    ],
)
def test_death_dates(deaths, alive, day, event):
    """A death is compared by its precision; one that cannot be believed is a death at an unknown day."""
    end = evaluate(History("P", WHOLE, deaths=deaths, alive_days=alive)).overall_survival
    assert (end.days, end.event) == (day, event)

"""The derivations of response against a second reading of the rules, in plain Python.

The second reading (tests/support/second_reading) was written from the clinical rules by somebody
who had not read the derivations, and imports nothing of them. Both judge the same invented
histories: staged lobes, two modalities, lesions that are new, merge or split, and what every
registry has.
"""

from collections import Counter

import pytest

from tests.support.second_reading.chart import Chart
from tests.support.second_reading.generate import histories
from tests.support.second_reading.history import History
from tests.support.second_reading.plan import changes_while_waiting
from tests.support.second_reading.settings import Settings
from tests.support.two_readings import FIRST, PLANNED, differences, project, second

FAMILIES = ("staged_lobes", "modalities", "new_lesion", "merger", "splitting")
SEED = 1


def test_both_readings_agree_on_every_lesion_and_patient() -> None:
    """Most of its time goes into making the SQL of the derivations, once."""
    assert differences(histories(200, SEED)) == []


def test_both_readings_agree_on_planned_courses() -> None:
    """Every history of 800 whose lobes were planned; in many one grows before its own session.

    Its time goes into making the SQL of the patient's assessments for another window; lesions are
    judged the same way in both.
    """
    planned = _planned(histories(800, SEED))
    assert len(planned) >= 70
    assert len(_changing(planned)) >= 30
    assert differences(planned, PLANNED, lesions=FIRST) == []


def test_a_patient_with_one_lesion_has_its_class() -> None:
    """With one target, no other disease and equal windows there is one truth for both levels."""
    assert _unequal(_with_one_lesion(histories(2400, SEED))) == []


@pytest.mark.long
def test_both_readings_agree_on_two_thousand_histories() -> None:
    every = histories(2400, SEED)
    counts = Counter(name for h in every for name in h.situations)
    assert min(counts[name] for name in FAMILIES) >= 200
    for first in range(0, len(every), 600):
        assert differences(every[first : first + 600]) == []


@pytest.mark.long
def test_both_readings_agree_on_patients_judged_by_the_planned_course() -> None:
    """Every history of 2,400 whose lobes were planned at the first session."""
    planned = _planned(histories(2400, SEED))
    assert len(planned) >= 200
    assert len(_changing(planned)) >= 100
    assert len(_otherwise(planned)) >= 50
    assert differences(planned, PLANNED) == []


def _planned(every: list[History]) -> list[History]:
    return [h for h in every if any(s.planned_lobes for s in h.sessions[:1])]


def _changing(planned: list[History]) -> list[History]:
    """Histories in which a planned lobe grows or shows a new lesion before its own session."""
    course = Settings(patient_window=PLANNED)
    return [h for h in planned if changes_while_waiting(Chart(h, course))]


def _otherwise(planned: list[History]) -> set[str]:
    """Patients whom the second reading judges otherwise by the planned course."""
    first, course = second(planned), second(planned, PLANNED)
    keys = course.assessments.keys()
    return {k[0] for k in keys if first.assessments[k] != course.assessments[k]}


def _with_one_lesion(every: list[History]) -> list[History]:
    """Histories in which the issue of two levels cannot arise."""
    return [h for h in every if _is_single(h)]


def _is_single(history: History) -> bool:
    first = {s.day for s in history.sessions}
    silent = all(
        s.new_lesion in (None, "none")
        and {s.non_target, s.non_target_liver, s.non_target_elsewhere} <= {None, "none"}
        for s in history.scans
    )
    targets = [x for x in history.lesions if x.index_lesion and x.recist_target]
    return len(history.lesions) == len(targets) == 1 and silent and len(first) == 1


def _unequal(single: list[History]) -> list[tuple[str, str]]:
    """Patients and criteria whose lesion and patient differ, in class or best response."""
    found = project(single)
    unequal = []
    for history in single:
        (lesion,) = history.lesions
        for patient, unit, criterion in list(found.best):
            if patient != history.patient_id or unit != lesion.id:
                continue
            levels = [(patient, u, criterion) for u in (lesion.id, "all")]
            classes = [[r for _, r in found.assessments[k] if r != "NE"] for k in levels]
            if classes[0] != classes[1] or found.best[levels[0]] != found.best[levels[1]]:
                unequal.append((patient, criterion))
    return unequal

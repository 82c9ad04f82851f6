"""Deliberate faults of meaning, each with the one file of tests that must notice it by itself."""

from pathlib import Path
from typing import NamedTuple

from tests.mutants.operators import Mutant

RESPONSE = ("tests/properties/test_response.py",)
DOSES = ("tests/properties/test_dosimetry.py",)
TOXICITY = ("tests/properties/test_toxicity.py",)
PARTITION = ("tests/specs/dosimetry/test_compartments.py",)


class Fault(NamedTuple):
    """A change of meaning, as text."""

    meaning: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


FAULTS = (
    Fault(
        "the nadir looks at later scans too",
        "transforms/response/lesion_assessments.py",
        'smallest = {m: compared[f"{name}_of_{m}"].min().over(before) for m in MODALITIES}',
        'smallest = {m: compared[f"{name}_of_{m}"].min().over(ibis.window(group_by=_LESION)) '
        "for m in MODALITIES}",
        RESPONSE,
    ),
    Fault(
        "WHO progression needs 300 mm2 of growth besides",
        "transforms/response/ladder.py",
        "criterion.least_growth_mm * MILLIONTHS)",
        "(300 if criterion.code == 'WHO' else criterion.least_growth_mm) * MILLIONTHS)",
        RESPONSE,
    ),
    Fault(
        "partition takes the tumour as if it took up no more than normal liver",
        "transforms/dosimetry/compartments.py",
        "weighted = t.ratio * t.tumour_kg + t.normal_kg",
        "weighted = t.tumour_kg + t.normal_kg",
        PARTITION,
    ),
    Fault(
        "energies of a course are divided by the mass of its smallest target",
        "transforms/dosimetry/compartments.py",
        "(both, t.kg_right + t.kg_left))\n    name",
        "(both, t.least_kg))\n    name",
        PARTITION,
    ),
    Fault(
        "a session is complete though nothing is recorded of one of its targets",
        "transforms/dosimetry/procedures.py",
        ".sum().fill_null(0) == t.count()",
        ".sum().fill_null(0) > 0",
        ("tests/specs/dosimetry/test_procedures.py",),
    ),
    Fault(
        "an event belongs to the first session before it",
        "transforms/toxicity/session_events.py",
        "latest = pairs.session_number.max(where=before)",
        "latest = pairs.session_number.min(where=before)",
        ("tests/specs/toxicity/test_procedure_events.py",),
    ),
    Fault(
        "an event without a day is each session's",
        "transforms/toxicity/session_events.py",
        "(undated & (pairs.n_sessions > 1))",
        "(undated & (pairs.n_sessions > 9))",
        ("tests/specs/toxicity/test_procedure_events.py",),
    ),
    Fault(
        "of two results as near to a time point the later counts",
        "transforms/toxicity/lab_time_points.py",
        "draw = inside.value_day * _DRAWS +",
        "draw = -inside.value_day * _DRAWS +",
        ("tests/specs/toxicity/test_lab_time_points.py",),
    ),
    Fault(
        "a time point may be taken by a censored result beside an exact one",
        "transforms/toxicity/lab_time_points.py",
        'order = distance + inside.value.isnull().cast("int64") * _WITHOUT',
        "order = distance",
        ("tests/specs/toxicity/test_lab_time_points.py",),
    ),
    Fault(
        "courses that begin on one day are lines of their own",
        "transforms/baseline/therapies.py",
        'own = undated.ifelse(each.therapy_class.concat(each.sequence.cast("string")), "")',
        'own = each.therapy_class.concat(each.sequence.cast("string"))',
        ("tests/specs/baseline/test_therapies.py",),
    ),
    Fault(
        "a prior course may end after T0",
        "transforms/baseline/therapies.py",
        "end = ibis.least(stop.coalesce(start), 0)",
        "end = stop.coalesce(start)",
        ("tests/specs/baseline/test_therapies.py",),
    ),
    Fault(
        "the dose as computed goes before the one recorded",
        "transforms/baseline/settled_factors.py",
        "dose = ibis.coalesce(doses.dose_gy_recorded, doses.dose_gy)",
        "dose = ibis.coalesce(doses.dose_gy, doses.dose_gy_recorded)",
        ("tests/specs/baseline/test_settled_factors.py",),
    ),
    Fault(
        "two sessions on one day are more than one",
        "transforms/baseline/settled_factors.py",
        'days = planned.select("subject_id", "day").distinct()',
        'days = planned.select("subject_id", "day")',
        ("tests/specs/baseline/test_settled_factors.py",),
    ),
    Fault(
        "a progression recorded before the derived one is said to be later",
        "transforms/classes/recorded_progression.py",
        "apart = both.recorded_day - both.derived_day",
        "apart = both.derived_day - both.recorded_day",
        ("tests/specs/survival/test_further_endpoints.py",),
    ),
    Fault(
        "of two causes of one death the first by its letters is taken",
        "transforms/time/causes_of_death.py",
        "one = (t.named == 1).fill_null(False)",
        "one = (t.named >= 1).fill_null(False)",
        ("tests/specs/survival/test_death_causes.py",),
    ),
    Fault(
        "a death of treatment counts as related only with a fatal event",
        "transforms/time/causes_of_death.py",
        '((one & (t.first_cause == "treatment")) | (relation == RELATED), True)',
        "(relation == RELATED, True)",
        ("tests/specs/survival/test_death_causes.py",),
    ),
    Fault(
        "bilirubin need not rise above its baseline to be REILD",
        "transforms/toxicity/reild.py",
        "met = t.filter(high & rise)",
        "met = t.filter(high)",
        ("tests/specs/toxicity/test_reild.py",),
    ),
    Fault(
        "whoever had no bilirubin in the days of REILD had none",
        "transforms/toxicity/reild.py",
        "candidate=ibis.ifelse(looked, t.meets.fill_null(False), None)",
        "candidate=t.meets.fill_null(False)",
        ("tests/specs/toxicity/test_reild_summary.py",),
    ),
    Fault(
        "two readers agree though their days of progression differ",
        "transforms/classes/counted_readers.py",
        "same = (t.a_best == t.b_best) & (t.a_progressed == t.b_progressed)",
        "same = t.a_best == t.b_best",
        ("tests/specs/response/test_counted_readers.py",),
    ),
)


def located(root: Path, fault: Fault) -> Mutant:
    """The fault as a mutant of its file, in which its text stands once."""
    source = (root / fault.path).read_bytes()
    start = source.find(fault.old.encode())
    assert source.count(fault.old.encode()) == 1, f"{fault.path}: not once: {fault.old}"
    return Mutant(
        path=fault.path,
        line=source.count(b"\n", 0, start) + 1,
        column=0,
        operator="deliberate",
        old=fault.old,
        new=fault.new,
        start=start,
        function=fault.meaning,
    )

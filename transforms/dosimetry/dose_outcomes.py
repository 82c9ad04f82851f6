"""The dose of each lesion and patient in the planned course, beside response and liver toxicity.

A patient's dose is that of `transforms.dosimetry.compartments.course_doses`. A lesion's is the mean
dose of the one target that holds it: of its lobe, of the whole liver, or, where its lobe or the
target's is not known, of the only target that there is. Where several targets hold it, it has none,
as Gy of different volumes are never added. No dose of a single lesion is a registry column.
Response is the best, unconfirmed, by the criterion of the endpoints; where that judges too few,
there is none. Whoever could not be evaluated has no known outcome, and is no non-responder here.

Source: EANM standard operational procedure, Chiesa et al., EJNMMI Phys 2021;8:77. Tertiles are of
type 7 after Hyndman and Fan, Am Stat 1996;50:361-365, a dose on their edge in the lower.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.records.field.dose_questions import RECORDS
from schemas.settings import ToxicitySettings
from schemas.tables.dose_marts import CompartmentDoses, CourseDoses, DoseOutcomes
from schemas.tables.event_marts import SubjectReild
from schemas.tables.intermediate import EndpointCriterion
from schemas.tables.liver_function import LiverFunctionChanges
from schemas.tables.marts import FollowedLesions, LesionResponse, SubjectResponse, Toxicity
from transforms.joins import looked_up

GRADE = 2
_UNIT = ("subject_id", "lesion_number")
_SAME = ("device", "measure", "outcome", "level")


def dose_outcomes(
    compartment_doses: Table[CompartmentDoses],
    course_doses: Table[CourseDoses],
    followed_lesions: Table[FollowedLesions],
    lesion_response: Table[LesionResponse],
    subject_response: Table[SubjectResponse],
    endpoint_criterion: Table[EndpointCriterion],
    toxicity: Table[Toxicity],
    liver_function_changes: Table[LiverFunctionChanges],
    subject_reild: Table[SubjectReild],
    *,
    settings: ToxicitySettings,
) -> Table[DoseOutcomes]:
    """Set every outcome beside every dose that is asked of it."""
    of_patients = _measured(
        course_doses.mutate(lesion_number=ibis.literal(0, "int64")), ("subject",)
    )
    of_lesions = _measured(_of_lesions(compartment_doses, followed_lesions), ("lesion",))
    judged = endpoint_criterion.filter(endpoint_criterion.judged).select("criterion")
    happened = ibis.union(
        _responded(lesion_response, judged, "lesion"),
        _responded(subject_response.filter(subject_response.organ == "all"), judged, "subject"),
        _bilirubin(toxicity, settings),
        _albi(liver_function_changes),
        _reild(subject_reild),
    )
    known = looked_up(of_patients.union(of_lesions), happened, (*_UNIT, "outcome"))
    asked = known.filter((known.outcome != "response") | known.unit.fill_null(False))
    return conform(_in_thirds(asked), DoseOutcomes)


def _of_lesions(doses: ir.Table, followed_lesions: ir.Table) -> ir.Table:
    """Lesions of the liver with the doses of the one target that holds them."""
    planned = doses.filter(doses.course == 1)
    number = planned.session_number * 1000 + planned.target_number
    own = planned.mutate(target=number).rename(target_lobe="lobe")
    counted = own.group_by("subject_id").agg(n_targets=own.target.nunique())
    liver = followed_lesions.filter(followed_lesions.organ == "liver")
    pairs = liver.select(*_UNIT, "lobe").inner_join(own, "subject_id")
    pairs = pairs.inner_join(counted, "subject_id")
    sides = ("right", "left")
    open_ = ~(pairs.lobe.isin(sides).fill_null(False) & pairs.target_lobe.isin(sides))
    holds = (
        (pairs.target_lobe == "whole")
        | (pairs.target_lobe == pairs.lobe).fill_null(False)
        | ((pairs.n_targets == 1) & open_.fill_null(True))
    )
    held = pairs.filter(holds)
    return (
        held.group_by(*_UNIT, "compartment")
        .having(held.target.nunique() == 1)
        .agg(
            device=held.device.max(),
            dose_gy=held.dose_gy.max(),
            dose_gy_recorded=held.dose_gy_recorded.cast("float64").max(),
        )
    )


def _measured(doses: ir.Table, levels: tuple[str, ...]) -> ir.Table:
    """One row per unit, dose that it has and outcome that is asked of it."""
    parts = [
        doses.filter(doses.compartment + f"_{column}" == measure).select(
            *_UNIT,
            "device",
            measure=ibis.literal(measure),
            outcome=ibis.literal(record.code),
            level=ibis.literal(level),
            dose_gy=doses[column].cast("float64"),
        )
        for record in RECORDS
        for level in record.levels
        if level in levels
        for measure in record.measures
        for column in ("dose_gy", "dose_gy_recorded")
        if measure.endswith(column)
    ]
    every = ibis.union(*parts)
    return every.filter(every.dose_gy.notnull())


def _responded(responses: ir.Table, judged: ir.Table, level: str) -> ir.Table:
    best = responses.filter(responses.confirmation == "unconfirmed").inner_join(judged, "criterion")
    number = best.lesion_number if level == "lesion" else ibis.literal(0, "int64")
    response = best.best_response.isin(["CR", "PR"])
    return _outcome(best, number, "response", ibis.ifelse(best.evaluable, response, None))


def _bilirubin(toxicity: ir.Table, settings: ToxicitySettings) -> ir.Table:
    graded = toxicity.filter(
        toxicity.source == "lab",
        toxicity.term == "bilirubin",
        toxicity.ctcae_version == settings.primary_version,
        toxicity.time_window == "primary",
    )
    zero = ibis.literal(0, "int64")
    return _outcome(graded, zero, "bilirubin_grade_2", graded.worst_grade >= GRADE)


def _albi(changes: ir.Table) -> ir.Table:
    own = changes.filter(changes.score == "ALBI", changes.course == 1)
    worse = own.group_by("subject_id").agg(worse=own.worse.any())
    return _outcome(worse, ibis.literal(0, "int64"), "albi_grade_worse", worse.worse)


def _reild(subject_reild: ir.Table) -> ir.Table:
    zero = ibis.literal(0, "int64")
    return _outcome(subject_reild, zero, "reild_candidate", subject_reild.candidate)


def _outcome(
    table: ir.Table, number: ir.IntegerValue, code: str, happened: ir.BooleanValue
) -> ir.Table:
    """Units with an outcome; `unit` is true for all, and null for those that are not looked up."""
    return table.select(
        "subject_id",
        lesion_number=number,
        outcome=ibis.literal(code),
        happened=happened.cast("boolean"),
        unit=ibis.literal(True),
    )


def _in_thirds(t: ir.Table) -> ir.Table:
    known = t.filter(t.happened.notnull())
    edges = known.group_by(_SAME).agg(
        first=known.dose_gy.quantile(1 / 3), second=known.dose_gy.quantile(2 / 3)
    )
    beside = looked_up(t, edges, _SAME)
    tertile = ibis.cases(
        (beside.happened.isnull(), ibis.null("int64")),
        (beside.dose_gy <= beside.first, 1),
        (beside.dose_gy <= beside.second, 2),
        else_=3,
    )
    return beside.mutate(tertile=tertile)

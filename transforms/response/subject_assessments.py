"""The class of each patient at each assessment, under each criterion: as a whole, and by organ.

A patient's quantity is the sum over all lesions of the baseline set. It is never taken over some of
them: an assessment that lacks a lesion is not evaluable, unless the lesions seen already exceed the
limit of progression by themselves, a new lesion was seen, or non-target disease progressed.

A response dates from the last scan of its assessment, progression from the first that shows it.
The baseline of a patient is at T0, also where lobes were treated one after the other.

Lesions that are back after all were gone are progression if the patient was in complete response;
otherwise their growth decides, by RECIST 1.1 with its 5 mm. WHO and EASL have no such least growth:
after a sum of zero any size is growth.

Source: Riaz et al. 2011, J Hepatol 54:695, Table 1; RECIST 1.1 as tabulated in PMC2755245 Table 3
and PMC5392484 Table 3. EASL is given by lesion; for patients it is used by analogy with WHO.
"""

import ibis
import ibis.expr.types as ir

from schemas.codes import UNREADABLE
from schemas.contract import Table, conform
from schemas.records.criteria import (
    MAX_TARGETS,
    MAX_TARGETS_PER_ORGAN,
    RECORDS,
    WHO,
    Criterion,
)
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import (
    Anchors,
    AssessedDays,
    LesionQuantities,
    NewLesions,
    Sessions,
    SubjectLesions,
)
from schemas.tables.marts import SubjectAssessments
from schemas.tables.registry import Patients, Scans, SubsequentTherapies
from transforms.joins import dated, looked_up
from transforms.response.baselines import MODALITIES, of_modality
from transforms.response.ladder import (
    PROGRESSIVE_UP_TO,
    baseline_rules,
    code,
    grown,
    shrunk,
)
from transforms.response.lesion_sets import lesion_sets, too_many_targets
from transforms.response.lesion_sums import documents, lesion_sums
from transforms.response.long import long, published
from transforms.response.planned_course import (
    excused_days,
    waiting_lobes,
    with_later_baselines,
)
from transforms.response.window import closing_days, in_window
from transforms.scans.scan_findings import NON_TARGET, WORST, findings

_SERIES = ("subject_id", "reader")
_UNIT = (*_SERIES, "organ")
_ASSESSMENT = (*_SERIES, "first_day")
_BEST = 0
_TOO_MANY = f" (more than {MAX_TARGETS} targets, or {MAX_TARGETS_PER_ORGAN} in an organ)"
_LIMITED = [c.code for c in RECORDS if c.limits_targets]


def subject_assessments(
    lesion_quantities: Table[LesionQuantities],
    assessed_days: Table[AssessedDays],
    new_lesions: Table[NewLesions],
    scans: Table[Scans],
    patients: Table[Patients],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[SubjectAssessments]:
    """Class the sum of lesions at every assessment, with new lesions and non-target disease."""
    sets = lesion_sets(lesion_quantities, settings)
    lesions = with_later_baselines(sets, lesion_quantities, anchors, settings)
    found = findings(
        dated(scans, anchors, "scan_date"),
        assessed_days,
        new_lesions,
        excused_days(lesion_quantities, anchors, settings),
        _elsewhere(patients, lesion_quantities),
        settings,
    )
    sums = lesion_sums(lesion_quantities, assessed_days, lesions, settings)
    spine = _joined(
        found,
        (sums, (*_ASSESSMENT, "organ")),
        (documents(lesion_quantities, assessed_days, lesions, new_lesions), _ASSESSMENT),
        (too_many_targets(sets), _SERIES),
        (_flagged(subject_lesions), ("subject_id", "organ")),
        (waiting_lobes(anchors), ("subject_id",)),
        (_modalities(assessed_days), _ASSESSMENT),
    )
    judged = _judged(_with_history(_complete(spine)), settings)
    closing = closing_days(anchors, sessions, subsequent_therapies, settings)
    rows = long(_windowed(_placed(judged), closing), "rel_day", "n", "in_window", "changed")
    return conform(_described(rows, settings), SubjectAssessments)


def _joined(found: ir.Table, *parts: tuple[ir.Table, tuple[str, ...]]) -> ir.Table:
    for part, by in parts:
        found = looked_up(found, part, by)
    return found


def _elsewhere(patients: ir.Table, quantities: ir.Table) -> ir.Table:
    """Subjects with known disease outside the liver at T0."""
    recorded = patients.filter(patients.extrahepatic_disease.isin(["minimal", "significant"]))
    measured = quantities.filter(~quantities.liver, quantities.rel_day <= 0)
    return recorded.select("subject_id").union(measured.select("subject_id"), distinct=True)


def _modalities(assessed_days: ir.Table) -> ir.Table:
    names = [f"{c.name}_modality" for c in RECORDS]
    return assessed_days.select(*_ASSESSMENT, *names).distinct()


def _flagged(subject_lesions: ir.Table) -> ir.Table:
    """Per subject and organ: lesions that were flagged for each criterion, measured or not."""
    liver = (subject_lesions.organ == "liver").fill_null(True)
    own = subject_lesions.mutate(organ=liver.ifelse("liver", "extrahepatic"))
    each = own.union(own.mutate(organ=ibis.literal("all")))
    return each.group_by("subject_id", "organ").agg(
        **{f"{c.name}_flagged": each[c.lesions].sum() for c in RECORDS}
    )


def _complete(spine: ir.Table) -> ir.Table:
    """Sum and baseline, only where every lesion of the set was seen, or has a baseline."""
    parts: dict[str, ir.Value] = {}
    for criterion in RECORDS:
        name = criterion.name
        n = spine[f"{name}_n"]
        seen, valued = spine[f"{name}_seen"] == n, (spine[f"{name}_n_valued"] == n) & (n > 0)
        parts[f"{name}_value"] = seen.ifelse(spine[f"{name}_seen_sum"], None).cast("int64")
        parts[f"{name}_baseline"] = valued.ifelse(spine[f"{name}_base_sum"], None).cast("int64")
    return spine.mutate(**parts)


def _with_history(spine: ir.Table) -> ir.Table:
    """The nadir of whole sums in the same modalities, and whether the patient was in CR before.

    An organ was in complete response when the patient was: the clarification speaks of the overall
    response.
    """
    unit = ibis.range_window(group_by=_UNIT, order_by="first_day", preceding=(None, 1))
    patient = ibis.range_window(group_by=_SERIES, order_by="first_day", preceding=(None, 1))
    overall = spine.organ == "all"
    parts: dict[str, ir.Value] = {}
    for criterion in RECORDS:
        name = criterion.name
        baseline = spine[f"{name}_baseline"]
        least = {m: _change(spine, name, m).min().over(unit).fill_null(0) for m in MODALITIES}
        lowest = ibis.least(of_modality(spine[f"{name}_modality"], least), 0)
        parts[f"{name}_nadir"] = baseline + lowest
        complete = overall & _is_complete(spine, name)
        parts[f"{name}_was_complete"] = complete.any().over(patient)
    return spine.mutate(**parts)


def _change(spine: ir.Table, name: str, modality: str) -> ir.IntegerValue:
    """How far the whole sum in a modality lies from its baseline; nothing for a partial sum."""
    whole = spine[f"{name}_seen_{modality}"] == spine[f"{name}_n"]
    change = spine[f"{name}_sum_{modality}"] - spine[f"{name}_base_{modality}"]
    return whole.ifelse(change, ibis.null("int64")).cast("int64")


def _is_complete(spine: ir.Table, name: str) -> ir.BooleanValue:
    """All lesions are gone, and nothing else speaks against an overall complete response."""
    whole = (spine[f"{name}_gone"] == spine[f"{name}_n"]) & (spine[f"{name}_baseline"] > 0)
    new = spine.new_day.notnull() | spine.measured_day.notnull()
    return (whole & ~new & (_status(spine) <= _COMPLETE)).fill_null(False)


_COMPLETE = NON_TARGET.index("complete_response")


def _judged(spine: ir.Table, settings: ResponseSettings) -> ir.Table:
    larger = spine.mutate(**{f"{c.name}_growth": _growth(spine, c, settings) for c in RECORDS})
    return larger.mutate(**{f"{c.name}_code": _rule(larger, c, settings) for c in RECORDS})


def _growth(spine: ir.Table, criterion: Criterion, settings: ResponseSettings) -> ir.IntegerValue:
    """The rule of progression that the lesions seen meet, whatever the others hold."""
    name = criterion.name
    some = spine[f"{name}_baseline"] > 0
    seen, nadir = spine[f"{name}_seen_sum"].cast("int64"), spine[f"{name}_nadir"]
    single = settings.who_pd_any_lesion and criterion is WHO
    back = spine[f"{name}_was_complete"] & spine[f"{name}_back"]
    return ibis.cases(
        *([(spine.any_lesion_grew, code("growth_of_a_lesion"))] if single else []),
        (some & back, code("reappearance")),
        (some & grown(criterion, seen, nadir, settings), code("growth_over_nadir")),
        else_=ibis.null("int64"),
    )


def _rule(spine: ir.Table, criterion: Criterion, settings: ResponseSettings) -> ir.IntegerValue:
    name = criterion.name
    value, baseline, n = spine[f"{name}_value"], spine[f"{name}_baseline"], spine[f"{name}_n"]
    oldest = (spine[f"{name}_n_dated"] == n).ifelse(spine[f"{name}_oldest"], None)
    all_gone = spine[f"{name}_gone"] == n
    planned = ibis.literal(settings.patient_window == "planned_course")
    return ibis.cases(
        (planned & ~spine.plan_known.fill_null(False), code("plan_not_recorded")),
        (spine.new_day.notnull(), code("new_lesion")),
        (spine.measured_day.notnull(), code("new_lesion_measured")),
        (spine.status == WORST, code("non_target_progression")),
        (spine[f"{name}_growth"].notnull(), spine[f"{name}_growth"]),
        (spine.marked, code(UNREADABLE)),
        *_without_set(spine, criterion),
        *baseline_rules(criterion, known=n > 0, day=oldest, value=baseline),
        (value.isnull(), code("lesions_not_evaluable")),
        (all_gone & (_status(spine) <= _COMPLETE), code("gone")),
        (all_gone, code("non_target_remains")),
        (shrunk(criterion, value, baseline), code("decrease_from_baseline")),
        else_=code("neither"),
    )


def _status(spine: ir.Table) -> ir.IntegerValue:
    """Non-target status; where nothing was recorded there is no non-target disease."""
    return spine.status.fill_null(_BEST)


def _without_set(
    spine: ir.Table, criterion: Criterion
) -> list[tuple[ir.BooleanValue, ir.IntegerValue]]:
    """No lesion is in the set: RECIST 1.1 then goes by non-target disease alone.

    Source: RECIST 1.1 time-point table for patients without targets; secondary tables do not print
    these rows, and that "not evaluated" stays not evaluable is our reading.
    """
    name = criterion.name
    recorded = spine[f"{name}_recorded"].fill_null(0)
    flagged = spine[f"{name}_flagged"].fill_null(0)
    empty = (spine[f"{name}_n"].fill_null(0) == 0) & (recorded == flagged)
    by_status = [
        (empty & (spine.status == _COMPLETE), code("non_target_gone")),
        (empty & (spine.status == NON_TARGET.index("non_cr_non_pd")), code("non_target_persists")),
    ]
    return [
        *(by_status if criterion.non_target_alone else []),
        (empty & (flagged > 0), code("not_measurable")),
        (empty, code("no_target")),
    ]


def _placed(judged: ir.Table) -> ir.Table:
    """Progression on the first day that shows it, everything else on the assessment's last."""
    return judged.mutate(**{f"{c.name}_rel_day": _day(judged, c.name) for c in RECORDS})


def _day(judged: ir.Table, criterion: str) -> ir.IntegerValue:
    grew = judged[f"{criterion}_growth"].notnull()
    growth_day = grew.ifelse(judged[f"{criterion}_seen_day"], ibis.null("int64"))
    never = judged.last_day
    first = ibis.least(
        judged.new_day.fill_null(never),
        judged.measured_day.fill_null(never),
        judged.status_day.fill_null(never),
        growth_day.fill_null(never),
    )
    return (judged[f"{criterion}_code"] <= PROGRESSIVE_UP_TO).ifelse(first, judged.last_day)


def _windowed(placed: ir.Table, closing: ir.Table) -> ir.Table:
    unit = ibis.window(group_by=_UNIT)
    first = placed.left_join(closing, "subject_id").mutate(
        **{f"{c.name}_first": _progression_day(placed, c.name).min().over(unit) for c in RECORDS}
    )
    return first.mutate(
        **{f"{c.name}_baseline_day": first[f"{c.name}_oldest"] for c in RECORDS},
        **{
            f"{c.name}_in_window": in_window(
                first[f"{c.name}_rel_day"], first[f"{c.name}_first"], first.closed_day
            )
            for c in RECORDS
        },
    )


def _progression_day(placed: ir.Table, criterion: str) -> ir.IntegerValue:
    progressive = placed[f"{criterion}_code"] <= PROGRESSIVE_UP_TO
    return progressive.ifelse(placed[f"{criterion}_rel_day"], ibis.null("int64"))


def _described(rows: ir.Table, settings: ResponseSettings) -> ir.Table:
    named = published(rows, settings)
    first = ibis.least(rows.scan_modality, rows.read_modality)
    last = ibis.greatest(rows.scan_modality_2, rows.read_modality_2)
    excess = rows.criterion.isin(_LIMITED) & rows.too_many_targets.fill_null(False)
    return named.mutate(
        rule=excess.ifelse(named.rule + _TOO_MANY, named.rule),
        modality=(first == last).ifelse(first, "mixed"),
        modality_changed=rows.changed.fill_null(False),
        baseline_stale=-rows.baseline_day > settings.baseline_stale_days,
        n_lesions=rows.n.fill_null(0),
        new_lesion=_new_lesion(rows),
        non_target=ibis.cases(*((rows.status == n, s) for n, s in enumerate(NON_TARGET))),
    )


def _new_lesion(rows: ir.Table) -> ir.StringValue:
    return ibis.cases(
        (rows.hepatic & rows.extrahepatic, "both"),
        (rows.hepatic, "hepatic"),
        (rows.extrahepatic, "extrahepatic"),
        (rows.looked, "none"),
        else_=ibis.null("string"),
    )

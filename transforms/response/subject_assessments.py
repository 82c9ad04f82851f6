"""The class of each patient at each assessment, under each criterion.

A patient's quantity is the sum over all lesions of the baseline set. It is never taken over some of
them: an assessment that lacks a lesion is not evaluable, unless the lesions seen already exceed the
limit of progression by themselves, a new lesion was seen, or non-target disease progressed.

A response dates from the last scan of its assessment, progression from the first that shows it.
The baseline of a patient is at T0, also where lobes were treated one after the other.

Source: Riaz et al. 2011, J Hepatol 54:695, Table 1; RECIST 1.1 as tabulated in PMC2755245 Table 3
and PMC5392484 Table 3. EASL is given by lesion; for patients it is used by analogy with WHO.
"""

from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.records.criteria import (
    MAX_TARGETS,
    MAX_TARGETS_PER_ORGAN,
    RECORDS,
    WHO,
    Criterion,
)
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, LesionQuantities, Sessions, SubjectLesions
from schemas.tables.marts import SubjectAssessments
from schemas.tables.registry import Scans, SubsequentTherapies
from transforms.response.baselines import nadir
from transforms.response.ladder import (
    PROGRESSIVE_UP_TO,
    baseline_rules,
    code,
    progression_rules,
    shrunk,
)
from transforms.response.lesion_sums import lesion_sums
from transforms.response.long import long, published
from transforms.response.scan_groups import scan_groups
from transforms.response.subject_baselines import lesion_baselines, subject_baselines
from transforms.response.window import closing_days, in_window

_SERIES = ("subject_id", "reader")
_ASSESSMENT = (*_SERIES, "first_day")
_NON_TARGET = ("none", "complete_response", "not_evaluated", "non_cr_non_pd", "progression")
"""From best to worst: the worst status among the scans of an assessment is the assessment's."""
_BEST, _WORST = 0, len(_NON_TARGET) - 1
_TOO_MANY = f" (more than {MAX_TARGETS} targets, or {MAX_TARGETS_PER_ORGAN} in an organ)"
_LIMITED = [c.code for c in RECORDS if c.limits_targets]


def subject_assessments(
    lesion_quantities: Table[LesionQuantities],
    scans: Table[Scans],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[SubjectAssessments]:
    """Class the sum of lesions at every assessment, with new lesions and non-target disease."""
    dated = _dated(scans, anchors)
    groups = scan_groups(dated, lesion_quantities, settings.scan_group_days)
    lesions = lesion_baselines(lesion_quantities, settings)
    sums = lesion_sums(lesion_quantities, groups, lesions, settings)
    spine = (
        _scanned(dated, groups)
        .left_join(sums, _ASSESSMENT)
        .drop("subject_id_right", "reader_right", "first_day_right")
        .left_join(subject_baselines(lesions), _SERIES)
        .drop("subject_id_right", "reader_right")
        .left_join(_flagged(subject_lesions), "subject_id")
        .drop("subject_id_right")
    )
    judged = _judged(_with_nadir(_complete(spine)), settings)
    closing = closing_days(anchors, sessions, subsequent_therapies, settings)
    rows = long(_windowed(_placed(judged), closing), "rel_day", "n", "in_window")
    return conform(_described(rows, settings), SubjectAssessments)


def _dated(scans: ir.Table, anchors: ir.Table) -> ir.Table:
    joined = scans.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    return joined.mutate(rel_day=joined.scan_date.delta(joined.t0_date, unit="day"))


def _scanned(dated: ir.Table, groups: ir.Table) -> ir.Table:
    """One row per assessment: its last day, and what its scans say beside the measurements.

    Of a scan whose cells cannot be read nobody knows that there is no new lesion.
    """
    day = (*_SERIES, "rel_day")
    marks = [unreadable(dated, n) for n in ("new_lesion", "non_target", "evaluable")]
    said = dated.mutate(marked=reduce(or_, marks))
    told = said.select(*day, "modality", "new_lesion", "non_target", "marked")
    scans = groups.left_join(told, day)
    new = scans.new_lesion.isin(["hepatic", "extrahepatic", "both"])
    rank = ibis.cases(*((scans.non_target == s, n) for n, s in enumerate(_NON_TARGET)))
    return scans.group_by(_ASSESSMENT).agg(
        last_day=scans.rel_day.max(),
        scan_modality=scans.modality.min(),
        scan_modality_2=scans.modality.max(),
        marked=scans.marked.any().fill_null(False),
        looked=scans.new_lesion.notnull().any(),
        hepatic=scans.new_lesion.isin(["hepatic", "both"]).fill_null(False).any(),
        extrahepatic=scans.new_lesion.isin(["extrahepatic", "both"]).fill_null(False).any(),
        new_day=new.ifelse(scans.rel_day, None).min(),
        status=rank.max(),
        status_day=(rank == _WORST).ifelse(scans.rel_day, None).min(),
    )


def _flagged(subject_lesions: ir.Table) -> ir.Table:
    return subject_lesions.group_by("subject_id").agg(
        **{f"{c.name}_flagged": subject_lesions[c.lesions].sum() for c in RECORDS}
    )


def _complete(spine: ir.Table) -> ir.Table:
    """The value is the sum, only where every lesion of the set was seen."""
    whole = {c.name: spine[f"{c.name}_seen"] == spine[f"{c.name}_n"] for c in RECORDS}
    return spine.mutate(
        **{
            f"{name}_value": every.ifelse(spine[f"{name}_seen_sum"], ibis.null("int64"))
            for name, every in whole.items()
        }
    )


def _with_nadir(spine: ir.Table) -> ir.Table:
    before = ibis.range_window(group_by=_SERIES, order_by="first_day", preceding=(None, 1))
    smallest = spine.mutate(
        **{f"{c.name}_before": spine[f"{c.name}_value"].min().over(before) for c in RECORDS}
    )
    return smallest.mutate(**{f"{c.name}_nadir": nadir(smallest, c.name) for c in RECORDS})


def _judged(spine: ir.Table, settings: ResponseSettings) -> ir.Table:
    grown = spine.mutate(**{f"{c.name}_growth": _growth(spine, c, settings) for c in RECORDS})
    return grown.mutate(**{f"{c.name}_code": _rule(grown, c) for c in RECORDS})


def _growth(spine: ir.Table, criterion: Criterion, settings: ResponseSettings) -> ir.IntegerValue:
    """The rule of progression that the lesions seen meet, whatever the others hold."""
    name = criterion.name
    seen = spine[f"{name}_seen_sum"]
    by_sum = progression_rules(criterion, seen, spine[f"{name}_nadir"], settings)
    single = settings.who_pd_any_lesion and criterion is WHO
    return ibis.cases(
        *([(spine.any_lesion_grew, code("growth_of_a_lesion"))] if single else []),
        *(((spine[f"{name}_baseline"] > 0) & grew, rule) for grew, rule in by_sum),
        else_=ibis.null("int64"),
    )


def _rule(spine: ir.Table, criterion: Criterion) -> ir.IntegerValue:
    name = criterion.name
    value, baseline, n = spine[f"{name}_value"], spine[f"{name}_baseline"], spine[f"{name}_n"]
    dated = (spine[f"{name}_n_dated"] == n).ifelse(spine[f"{name}_oldest"], None)
    all_gone = spine[f"{name}_gone"] == n
    return ibis.cases(
        (spine.new_day.notnull(), code("new_lesion")),
        (spine.status == _WORST, code("non_target_progression")),
        (spine[f"{name}_growth"].notnull(), spine[f"{name}_growth"]),
        (spine.marked, code("unreadable")),
        *_without_set(spine, criterion),
        *baseline_rules(criterion, known=n > 0, day=dated, value=baseline),
        (value.isnull(), code("lesions_not_evaluable")),
        (all_gone & (_status(spine) <= _NON_TARGET.index("complete_response")), code("gone")),
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
        (empty & (spine.status == _NON_TARGET.index("complete_response")), code("non_target_gone")),
        (empty & (spine.status == _NON_TARGET.index("non_cr_non_pd")), code("non_target_persists")),
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
        judged.status_day.fill_null(never),
        growth_day.fill_null(never),
    )
    return (judged[f"{criterion}_code"] <= PROGRESSIVE_UP_TO).ifelse(first, judged.last_day)


def _windowed(placed: ir.Table, closing: ir.Table) -> ir.Table:
    series = ibis.window(group_by=_SERIES)
    first = placed.left_join(closing, "subject_id").mutate(
        **{f"{c.name}_first": _progression_day(placed, c.name).min().over(series) for c in RECORDS}
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
    named = published(rows)
    first = ibis.least(rows.scan_modality, rows.read_modality)
    last = ibis.greatest(rows.scan_modality_2, rows.read_modality_2)
    excess = rows.criterion.isin(_LIMITED) & rows.too_many_targets.fill_null(False)
    return named.mutate(
        rule=excess.ifelse(named.rule + _TOO_MANY, named.rule),
        modality=(first == last).ifelse(first, "mixed"),
        modality_changed=rows.modality_changed.fill_null(False),
        baseline_stale=-rows.baseline_day > settings.baseline_stale_days,
        n_lesions=rows.n.fill_null(0),
        new_lesion=_new_lesion(rows),
        non_target=ibis.cases(*((rows.status == n, s) for n, s in enumerate(_NON_TARGET))),
    )


def _new_lesion(rows: ir.Table) -> ir.StringValue:
    return ibis.cases(
        (rows.hepatic & rows.extrahepatic, "both"),
        (rows.hepatic, "hepatic"),
        (rows.extrahepatic, "extrahepatic"),
        (rows.looked, "none"),
        else_=ibis.null("string"),
    )

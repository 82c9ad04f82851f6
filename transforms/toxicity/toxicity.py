"""Each patient's worst toxicity in each window, and whether it began with treatment.

Windows are those of the first course: `acute` up to 30 days after a session, `primary` from T0 to
90 days after the last session, `late` from there to 183 days, `any` for all time; those of
`schemas.records.field.event_windows` that count from the last session begin later. Laboratory
results count from the day after, clinical events on the day itself. A first course has at most two
treatment days (`transforms.baseline.anchors`), so T0 and the last session are all its sessions.
Re-treatment neither opens nor closes these windows: what follows it is in `any`, and in the others
only as far as they reach.

Worst is the greatest grade, on its earliest day. Emergent means worse than at baseline in the same
version; it is unknown where the baseline is, unless nothing is left to be worse than.

Source: NCI CTCAE v3.0, v4.03, v5.0; admiral template ad_adlb (BTOXGR, ATOXGR). The windows are this
registry's choice, among 0-90 days, 0-180 days and any time in published 90Y series.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.records.ctcae_terms import UNIONS
from schemas.settings import ToxicitySettings
from schemas.tables.intermediate import Anchors
from schemas.tables.marts import LabGrades, Toxicity
from schemas.tables.registry import AdverseEvents
from transforms.toxicity.clinical_events import event_versions
from transforms.toxicity.toxicity_windows import clock, event_windows, lab_windows, worst_by_window


def toxicity(
    lab_grades: Table[LabGrades],
    adverse_events: Table[AdverseEvents],
    anchors: Table[Anchors],
    *,
    settings: ToxicitySettings,
) -> Table[Toxicity]:
    """Take the worst grade of every analyte, term and union in every window."""
    labs = _lab_toxicity(lab_grades, clock(anchors), settings)
    events = _event_toxicity(adverse_events, anchors, settings)
    return labs.union(events)


def _lab_toxicity(
    lab_grades: ir.Table, days: ir.Table, settings: ToxicitySettings
) -> Table[Toxicity]:
    graded = lab_grades.filter(lab_grades.grade.notnull())
    counted = graded.filter((graded.rel_day > 0) | graded.is_baseline)
    dated = counted.inner_join(days, "subject_id").rename(term="analyte")
    windows = lab_windows(dated.rel_day, dated.last_day, settings)
    before = {"baseline_grade": dated.grade.max(where=dated.is_baseline)}
    worst = worst_by_window(dated, windows, dated.sequence, before)
    emergent = ibis.cases(
        (worst.grade == 0, False),
        (worst.baseline_grade.isnull(), None),
        else_=worst.grade > worst.baseline_grade,
    )
    return conform(
        worst.mutate(
            source=ibis.literal("lab"),
            worst_grade="grade",
            worst_day="rel_day",
            emergent=emergent,
            related=None,
            reason=None,
        ),
        Toxicity,
    )


def _event_toxicity(
    adverse_events: ir.Table, anchors: ir.Table, settings: ToxicitySettings
) -> Table[Toxicity]:
    events = event_versions(adverse_events, anchors, settings).rename(
        recorded_before="baseline_grade"
    )
    windows = event_windows(events.rel_day, events.last_day, settings)
    before = {"baseline_grade": events.recorded_before.max(), "asks": events.needs.max()}

    def together(inside: ir.BooleanValue) -> Mapping[str, ir.Value]:
        return {
            "relations": events.relation.max(where=inside),
            "terms": _bits(events.bit, inside),
        }

    worst = worst_by_window(events, windows, events.number, before, together)
    met = worst.filter((worst.terms & worst.asks) == worst.asks)
    return conform(
        met.mutate(
            source=ibis.literal("event"),
            worst_grade="grade",
            worst_day="rel_day",
            emergent=met.undecided.ifelse(ibis.null("boolean"), True),
            related=ibis.cases((met.relations == 2, True), (met.relations == 0, False)),
            reason=met.reason.nullif(""),
        ),
        Toxicity,
    )


def _bits(bit: ir.IntegerValue, inside: ir.BooleanValue) -> ir.IntegerValue:
    """Which terms of a union lie inside, as the sum of their bits: no aggregate `or` on Spark."""
    powers = [2**place for place in range(max(len(union.members) for union in UNIONS))]
    return sum((bit == power).cast("int64").max(where=inside) * power for power in powers)

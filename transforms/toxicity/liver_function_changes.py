"""Change of liver function after each session: ALBI grade, Child-Pugh class and band of MELD.

The same days and the same baseline as candidates for REILD: a day belongs to the latest session
that lies two weeks to four months before it, and the baseline is the last value of each item on or
before the first session of that session's course. A score of a day takes each item from that day
or, where the day has none, the last one of so many days before (a setting) after the same session:
an item from before the session is never mixed into what followed it. The worst score of a session
is the greatest, of equals the earliest. A missing item gives no score.

Source: ALBI: Johnson et al., J Clin Oncol 2015;33:550-558. Child-Pugh: Pugh et al., Br J Surg
1973;60:646-649. MELD: Kamath et al., Hepatology 2001;33:464-470. Days 14 to 122: Braat's definition
of REILD, as cited by van Roekel 2020 (thesis, p. 39). No source says how old the items of one score
may be: a review's 14 days are the default.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.settings import BaselineSettings, ToxicitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, Sessions
from schemas.tables.liver_function import LiverFunctionChanges
from schemas.tables.registry import Assessments, Labs
from transforms.baseline.baseline import last_up_to_t0
from transforms.joins import looked_up
from transforms.toxicity.after_sessions import begun_courses, in_days, placed_sessions
from transforms.toxicity.liver_scores import (
    LABS,
    SCORES,
    SIGNS,
    items_by_day,
    lab_items,
    of_days,
    scored,
    sign_items,
)


def liver_function_changes(
    labs: Table[Labs],
    baseline_labs: Table[BaselineLabs],
    assessments: Table[Assessments],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    *,
    settings: ToxicitySettings,
    baseline: BaselineSettings,
) -> Table[LiverFunctionChanges]:
    """Compare the worst score after each session with that before its course."""
    placed = placed_sessions(sessions, anchors)
    courses = begun_courses(sessions, anchors)
    before = scored(before_courses(labs, baseline_labs, assessments, courses, baseline), ["course"])
    after = in_days(items_by_day(labs, assessments, anchors, baseline), placed, settings)
    worst = _worst(
        scored(of_days(after, settings.liver_function_days), ["session_number", "rel_day"])
    )
    asked = placed.cross_join(ibis.memtable({"score": list(SCORES)}))
    first = before.rename(baseline_value="value", baseline_class="class")
    known = looked_up(asked, first, ["subject_id", "course", "score"])
    return conform(
        _compared(looked_up(known, worst, ["subject_id", "session_number", "score"])),
        LiverFunctionChanges,
    )


def _compared(t: ir.Table) -> ir.Table:
    return t.mutate(
        worse=t.worst_class > t.baseline_class,
        reason=ibis.cases(
            (t.baseline_value.isnull(), "no_baseline"), (t.worst_value.isnull(), "no_later_score")
        ),
    )


def before_courses(
    labs: ir.Table,
    baseline_labs: ir.Table,
    assessments: ir.Table,
    courses: ir.Table,
    baseline: BaselineSettings,
) -> ir.Table:
    """Each item's last value up to the first session of each course."""
    certain = baseline_labs.filter(~unreadable(baseline_labs, "lab_time"))
    first = certain.mutate(course=ibis.literal(1, type="int64"))
    again = last_up_to_t0(
        labs.filter(labs.analyte.isin(LABS)),
        "value",
        "lab_date",
        courses.filter(courses.course > 1),
        by=["analyte"],
        ties=["sequence"],
        of=["course"],
    )
    key = ["subject_id", "course"]
    found = [lab_items(first, key, baseline), lab_items(again, key, baseline)]
    for name in SIGNS:
        marked = unreadable(assessments, name)
        last = last_up_to_t0(
            assessments, name, "assessment_date", courses, of=["course"], marked=marked
        )
        found.append(sign_items(last, name, key))
    return ibis.union(*found)


def _worst(scored: ir.Table) -> ir.Table:
    """The greatest score after each session; of equals the earliest."""
    place = ibis.row_number().over(
        group_by=["subject_id", "session_number", "score"],
        order_by=[ibis.desc("value"), "rel_day"],
    )
    ranked = scored.mutate(place=place)
    return ranked.filter(ranked.place == 0).select(
        "subject_id",
        "session_number",
        "score",
        worst_value="value",
        worst_class="class",
        worst_day="rel_day",
    )

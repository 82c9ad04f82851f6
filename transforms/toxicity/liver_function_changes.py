"""Change of liver function after each session: ALBI grade and Child-Pugh class.

The same days and the same baseline as candidates for REILD: a day belongs to the latest session
that lies two weeks to four months before it, and the baseline is the last value of each item on or
before the first session of that session's course. A score of a day takes each item from that day
or, where the day has none, the last one of so many days before (a setting) after the same session:
an item from before the session is never mixed into what followed it. The worst score of a session
is the greatest, of equals the earliest. A missing item gives no score.

Source: ALBI: Johnson et al., J Clin Oncol 2015;33:550-558. Child-Pugh: Pugh et al., Br J Surg
1973;60:646-649. Days 14 to 122: Braat's definition of REILD, as cited by van Roekel 2020 (thesis,
p. 39). No source says how old the items of one score may be: a review's 14 days are the default.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.settings import BaselineSettings, ToxicitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, Sessions
from schemas.tables.liver_function import LiverFunctionChanges
from schemas.tables.registry import Assessments, Labs
from transforms.baseline.baseline import last_up_to_t0
from transforms.baseline.lab_limits import at_most, below, exact_value, factors
from transforms.baseline.liver_function import (
    albi_grade,
    albi_score,
    albumin_points,
    ascites_points,
    bilirubin_points,
    child_pugh_class,
    encephalopathy_points,
    inr_points,
)
from transforms.joins import dated, looked_up
from transforms.toxicity.after_sessions import begun_courses, in_days, placed_sessions

GRAMS_PER_LITRE = 10.0
LABS = ("bilirubin", "albumin", "inr")
SIGNS = ("ascites", "encephalopathy_grade")
ITEMS = (*LABS, *SIGNS)
SCORES = ("ALBI", "Child-Pugh")


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
    before = _scored(_before(labs, baseline_labs, assessments, courses, baseline), ["course"])
    after = in_days(_dated(labs, assessments, anchors, baseline), placed, settings)
    worst = _worst(
        _scored(_of_days(after, settings.liver_function_days), ["session_number", "rel_day"])
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


def _before(
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
    found = [_lab_items(first, key, baseline), _lab_items(again, key, baseline)]
    for name in SIGNS:
        marked = unreadable(assessments, name)
        last = last_up_to_t0(
            assessments, name, "assessment_date", courses, of=["course"], marked=marked
        )
        found.append(_sign(last, name, key))
    return ibis.union(*found)


def _dated(
    labs: ir.Table, assessments: ir.Table, anchors: ir.Table, baseline: BaselineSettings
) -> ir.Table:
    """Every value of every item with its day; of one day the last, as for a baseline."""
    key = ["subject_id", "rel_day"]
    drawn = dated(labs.filter(labs.analyte.isin(LABS), labs.value.notnull()), anchors, "lab_date")
    found = [_lab_items(_last(drawn, ["analyte"], ["sequence"]), key, baseline)]
    seen = dated(assessments, anchors, "assessment_date")
    for name in SIGNS:
        told = seen.filter(seen[name].notnull() | unreadable(seen, name))
        found.append(_sign(_last(told), name, key))
    return ibis.union(*found)


def _last(table: ir.Table, by: list[str] | None = None, ties: list[str] | None = None) -> ir.Table:
    order = [ibis.desc(name) for name in (*(ties or []), "row_id")]
    place = ibis.row_number().over(group_by=["subject_id", "rel_day", *(by or [])], order_by=order)
    ranked = table.mutate(place=place)
    return ranked.filter(ranked.place == 0)


def _lab_items(results: ir.Table, key: list[str], baseline: BaselineSettings) -> ir.Table:
    """Bilirubin in umol/L, albumin in g/L, and the points of all three analytes."""
    to_mg_dl = factors("bilirubin", baseline.bilirubin_umol_per_mg_dl)
    to_umol_l = {unit: factor / to_mg_dl["umol/L"] for unit, factor in to_mg_dl.items()}
    to_g_dl = factors("albumin", baseline.bilirubin_umol_per_mg_dl)
    ratio = factors("inr", baseline.bilirubin_umol_per_mg_dl)
    analyte = results.analyte
    return results.filter(analyte.isin(LABS)).select(
        *key,
        item=analyte,
        amount=ibis.cases(
            (analyte == "bilirubin", exact_value(results, to_umol_l)),
            (analyte == "albumin", exact_value(results, to_g_dl) * GRAMS_PER_LITRE),
        ),
        points=ibis.cases(
            (
                analyte == "bilirubin",
                bilirubin_points(below(results, to_mg_dl, "2"), at_most(results, to_mg_dl, "3")),
            ),
            (
                analyte == "albumin",
                albumin_points(at_most(results, to_g_dl, "3.5"), below(results, to_g_dl, "2.8")),
            ),
            (
                analyte == "inr",
                inr_points(
                    below(results, ratio, "1.7"),
                    at_most(results, ratio, baseline.child_pugh_inr_upper),
                ),
            ),
        ).cast("int64"),
    )


def _sign(seen: ir.Table, name: str, key: list[str]) -> ir.Table:
    points = ascites_points if name == "ascites" else encephalopathy_points
    return seen.select(
        *key,
        item=ibis.literal(name),
        amount=ibis.null("float64"),
        points=points(seen[name]).cast("int64"),
    )


def _of_days(items: ir.Table, days: int) -> ir.Table:
    """For each day with any item, the last of each item of the days up to it."""
    asked = items.select("subject_id", "session_number", "rel_day").distinct()
    own = items.select(
        "subject_id", "session_number", "item", "amount", "points", item_day="rel_day"
    )
    pairs = asked.inner_join(own, ["subject_id", "session_number"])
    near = pairs.filter((pairs.rel_day - pairs.item_day).between(0, days))
    place = ibis.row_number().over(
        group_by=["subject_id", "session_number", "rel_day", "item"],
        order_by=ibis.desc("item_day"),
    )
    ranked = near.mutate(place=place)
    return ranked.filter(ranked.place == 0)


def _scored(items: ir.Table, key: list[str]) -> ir.Table:
    """Both scores wherever all their items are known, a row each."""
    by = ["subject_id", *key]
    whole = items.group_by(by).agg(
        **{f"{n}_amount": items.amount.max(where=items.item == n) for n in LABS[:2]},
        **{f"{n}_points": items.points.max(where=items.item == n) for n in ITEMS},
    )
    albi = albi_score(whole.bilirubin_amount, whole.albumin_amount)
    points = sum((whole[f"{n}_points"] for n in ITEMS[1:]), start=whole.bilirubin_points)
    parts = (
        whole.select(*by, score=ibis.literal("ALBI"), value=albi),
        whole.select(*by, score=ibis.literal("Child-Pugh"), value=points.cast("float64")),
    )
    either = parts[0].union(parts[1])
    either = either.filter(either.value.notnull())
    grade = albi_grade(either.value).cast("string")
    letter = child_pugh_class(either.value.cast("int64"))
    return either.mutate(**{"class": ibis.ifelse(either.score == "ALBI", grade, letter)})


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

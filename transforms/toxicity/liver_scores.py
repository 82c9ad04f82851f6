"""The items of ALBI, Child-Pugh and MELD by day, and the scores wherever all items are known.

A score takes each item from its day or the last one of so many days before (a setting) after the
same session. A missing item gives no score.

Source: as in `transforms.baseline.liver_function`.
"""

from functools import reduce
from operator import add

import ibis
import ibis.expr.types as ir

from schemas.contract import unreadable
from schemas.settings import BaselineSettings
from transforms.baseline.lab_limits import Factors, at_most, below, exact_value, factors
from transforms.baseline.liver_function import (
    albi_grade,
    albi_score,
    albumin_points,
    ascites_points,
    bilirubin_points,
    child_pugh_class,
    encephalopathy_points,
    inr_points,
    meld_band,
    meld_item,
    meld_score,
)
from transforms.joins import dated

GRAMS_PER_LITRE = 10.0
LABS = ("bilirubin", "albumin", "inr", "creatinine")
SIGNS = ("ascites", "encephalopathy_grade")
ALBI_ITEMS = ("bilirubin", "albumin")
CHILD_PUGH_ITEMS = ("bilirubin", "albumin", "inr", *SIGNS)
MELD_ITEMS = ("bilirubin", "creatinine", "inr")
SCORES = ("ALBI", "Child-Pugh", "MELD")


def items_by_day(
    labs: ir.Table, assessments: ir.Table, anchors: ir.Table, baseline: BaselineSettings
) -> ir.Table:
    """Every value of every item with its day; of one day the last, as for a baseline."""
    key = ["subject_id", "rel_day"]
    drawn = dated(labs.filter(labs.analyte.isin(LABS), labs.value.notnull()), anchors, "lab_date")
    found = [lab_items(_last(drawn, ["analyte"], ["sequence"]), key, baseline)]
    seen = dated(assessments, anchors, "assessment_date")
    for name in SIGNS:
        told = seen.filter(seen[name].notnull() | unreadable(seen, name))
        found.append(sign_items(_last(told), name, key))
    return ibis.union(*found)


def _last(table: ir.Table, by: list[str] | None = None, ties: list[str] | None = None) -> ir.Table:
    order = [ibis.desc(name) for name in (*(ties or []), "row_id")]
    place = ibis.row_number().over(group_by=["subject_id", "rel_day", *(by or [])], order_by=order)
    ranked = table.mutate(place=place)
    return ranked.filter(ranked.place == 0)


def lab_items(results: ir.Table, key: list[str], baseline: BaselineSettings) -> ir.Table:
    """What each result counts in the scores.

    Returns:
        `amount`: bilirubin in umol/L, albumin in g/L; `points`: of Child-Pugh; `meld`: as MELD
        counts it.
    """
    to_mg_dl = factors("bilirubin", baseline.bilirubin_umol_per_mg_dl)
    to_umol_l = {unit: factor / to_mg_dl["umol/L"] for unit, factor in to_mg_dl.items()}
    to_g_dl = factors("albumin", baseline.bilirubin_umol_per_mg_dl)
    ratio = factors("inr", baseline.bilirubin_umol_per_mg_dl)
    creatinine = factors("creatinine", baseline.bilirubin_umol_per_mg_dl)
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
        meld=ibis.cases(
            (analyte == "bilirubin", _meld(results, to_mg_dl)),
            (analyte == "inr", _meld(results, ratio)),
            (
                analyte == "creatinine",
                _meld(results, creatinine, below(results, creatinine, "4")),
            ),
        ),
    )


def _meld(
    results: ir.Table, units: Factors, below_4: ir.BooleanValue | None = None
) -> ir.FloatingValue:
    return meld_item(exact_value(results, units), at_most(results, units, "1"), below_4)


def sign_items(seen: ir.Table, name: str, key: list[str]) -> ir.Table:
    """What ascites or encephalopathy counts in Child-Pugh; in the other scores nothing."""
    points = ascites_points if name == "ascites" else encephalopathy_points
    return seen.select(
        *key,
        item=ibis.literal(name),
        amount=ibis.null("float64"),
        points=points(seen[name]).cast("int64"),
        meld=ibis.null("float64"),
    )


def of_days(items: ir.Table, days: int) -> ir.Table:
    """For each day with any item, the last of each item of the days up to it."""
    asked = items.select("subject_id", "session_number", "rel_day").distinct()
    counted = ("item", "amount", "points", "meld")
    own = items.select("subject_id", "session_number", *counted, item_day="rel_day")
    pairs = asked.inner_join(own, ["subject_id", "session_number"])
    near = pairs.filter((pairs.rel_day - pairs.item_day).between(0, days))
    place = ibis.row_number().over(
        group_by=["subject_id", "session_number", "rel_day", "item"],
        order_by=ibis.desc("item_day"),
    )
    ranked = near.mutate(place=place)
    return ranked.filter(ranked.place == 0)


def scored(items: ir.Table, key: list[str]) -> ir.Table:
    """Each score wherever all its items are known, a row each, with its grade, class or band."""
    by = ["subject_id", *key]
    whole = items.group_by(by).agg(
        **{f"{n}_amount": items.amount.max(where=items.item == n) for n in ALBI_ITEMS},
        **{f"{n}_points": items.points.max(where=items.item == n) for n in CHILD_PUGH_ITEMS},
        **{f"{n}_meld": items.meld.max(where=items.item == n) for n in MELD_ITEMS},
    )
    points = reduce(add, (whole[f"{n}_points"] for n in CHILD_PUGH_ITEMS))
    values = {
        "ALBI": albi_score(*(whole[f"{n}_amount"] for n in ALBI_ITEMS)),
        "Child-Pugh": points.cast("float64"),
        "MELD": meld_score(*(whole[f"{n}_meld"] for n in MELD_ITEMS)),
    }
    parts = [whole.select(*by, score=ibis.literal(n), value=v) for n, v in values.items()]
    each = ibis.union(*parts)
    known = each.filter(each.value.notnull())
    named = ibis.cases(
        (known.score == "ALBI", albi_grade(known.value).cast("string")),
        (known.score == "MELD", meld_band(known.value)),
        else_=child_pugh_class(known.value.cast("int64")),
    )
    return known.mutate(**{"class": named})

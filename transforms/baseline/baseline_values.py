"""Baseline values in a patient's row: performance, burden, liver function, blood.

Each is the last value up to T0 that is not missing, with its age where the series sets a limit.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894; tumour burden in quarters of the
liver's volume as reported by Dunfee et al., J Vasc Interv Radiol 2010.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import any_unreadable, unreadable
from schemas.settings import BaselineSettings
from transforms.baseline.baseline import last_up_to_t0
from transforms.baseline.lab_limits import at_most, below, displayed, exact_value, factors
from transforms.baseline.liver_function import albumin_points, bilirubin_points, inr_points

GRAMS_PER_LITRE = 10.0


def assessment_values(
    assessments: ir.Table, anchors: ir.Table, settings: BaselineSettings
) -> list[ir.Table]:
    """The last ECOG, tumour burden, ascites, encephalopathy and symptoms, a table each."""
    ecog = _last(assessments, "ecog", anchors)
    others = ("ascites", "encephalopathy_grade", "carcinoid_symptoms")
    return [
        ecog.select(
            "subject_id",
            "ecog",
            ecog_age_days=ecog.age_days,
            ecog_stale=ecog.age_days > settings.stale_days,
        ),
        _burden(assessments, anchors),
        *(_last(assessments, name, anchors).select("subject_id", name) for name in others),
    ]


def _last(assessments: ir.Table, name: str, anchors: ir.Table) -> ir.Table:
    marked = unreadable(assessments, name)
    return last_up_to_t0(assessments, name, "assessment_date", anchors, marked=marked)


def laboratory_values(baseline_labs: ir.Table, settings: BaselineSettings) -> list[ir.Table]:
    """The four analytes of the patient's row, and what the liver scores need of them."""
    return [
        _bilirubin(baseline_labs, settings),
        _albumin(baseline_labs, settings),
        _inr(baseline_labs, settings),
        _shown(_of(baseline_labs, "lymphocytes"), "lymphocytes", "lymphocytes_10e9_l", settings),
    ]


def _burden(assessments: ir.Table, anchors: ir.Table) -> ir.Table:
    """The number where there is one, else the reader's category; of one day, never of two.

    A number that cannot be read leaves the category, if the reader gave one.
    """
    seen = assessments.mutate(
        burden=ibis.coalesce(
            assessments.tumour_burden_pct.cast("string"), assessments.tumour_burden_category
        )
    )
    marked = any_unreadable(seen, "tumour_burden_pct", "tumour_burden_category")
    last = last_up_to_t0(seen, "burden", "assessment_date", anchors, marked=marked)
    pct = last.tumour_burden_pct
    return last.select(
        "subject_id",
        "tumour_burden_pct",
        tumour_burden_category=ibis.cases(
            (pct.isnull(), last.tumour_burden_category),
            (pct <= 25, "0-25"),
            (pct <= 50, "26-50"),
            (pct <= 75, "51-75"),
            else_="76-100",
        ),
    )


def _of(baseline_labs: ir.Table, analyte: str) -> ir.Table:
    """The baseline of an analyte; a draw that is perhaps later than the injection is none."""
    certain = ~unreadable(baseline_labs, "lab_time")
    return baseline_labs.filter(baseline_labs.analyte == analyte, certain)


def _bilirubin(baseline_labs: ir.Table, settings: BaselineSettings) -> ir.Table:
    drawn = _of(baseline_labs, "bilirubin")
    to_mg_dl = factors("bilirubin", settings.bilirubin_umol_per_mg_dl)
    to_umol_l = {unit: factor / to_mg_dl["umol/L"] for unit, factor in to_mg_dl.items()}
    return _shown(
        drawn,
        "bilirubin",
        "bilirubin_mg_dl",
        settings,
        bilirubin_le_1_2=at_most(drawn, to_mg_dl, "1.2"),
        bilirubin_lt_1_2=below(drawn, to_mg_dl, "1.2"),
        bilirubin_umol_l=exact_value(drawn, to_umol_l),
        bilirubin_points=bilirubin_points(
            below(drawn, to_mg_dl, "2"), at_most(drawn, to_mg_dl, "3")
        ),
    )


def _albumin(baseline_labs: ir.Table, settings: BaselineSettings) -> ir.Table:
    drawn = _of(baseline_labs, "albumin")
    to_g_dl = factors("albumin", settings.bilirubin_umol_per_mg_dl)
    return _shown(
        drawn,
        "albumin",
        "albumin_g_dl",
        settings,
        albumin_gt_3_5=~at_most(drawn, to_g_dl, "3.5"),
        albumin_g_l=exact_value(drawn, to_g_dl) * GRAMS_PER_LITRE,
        albumin_points=albumin_points(at_most(drawn, to_g_dl, "3.5"), below(drawn, to_g_dl, "2.8")),
    )


def _inr(baseline_labs: ir.Table, settings: BaselineSettings) -> ir.Table:
    drawn = _of(baseline_labs, "inr")
    ratio = factors("inr", settings.bilirubin_umol_per_mg_dl)
    points = inr_points(
        below(drawn, ratio, "1.7"), at_most(drawn, ratio, settings.child_pugh_inr_upper)
    )
    return _shown(drawn, "inr", "inr", settings, inr_points=points)


def _shown(
    drawn: ir.Table, analyte: str, name: str, settings: BaselineSettings, **more: ir.Value
) -> ir.Table:
    units = factors(analyte, settings.bilirubin_umol_per_mg_dl)
    return drawn.select(
        "subject_id",
        **{
            name: displayed(drawn, units),
            f"{analyte}_age_days": drawn.age_days,
            f"{analyte}_stale": drawn.stale,
        },
        **more,
    )

"""ALBI and Child-Pugh scores from the baseline.

Both are functions of columns. A missing item gives no score: it is not scored 1, nor 3. Child-Pugh
was made for cirrhosis; in liver metastases it only describes.

Source: ALBI: Johnson et al., J Clin Oncol 2015;33:550-558. Child-Pugh: Pugh et al., Br J Surg
1973;60:646-649; its INR classes as in current implementations, which stop at 2.2 or at 2.3.
"""

import ibis
import ibis.expr.types as ir

ALBI_GRADE_1 = -2.60
ALBI_GRADE_2 = -1.39
"""The greatest score of the grade, compared on the unrounded score."""


def albi_score(bilirubin_umol_l: ir.FloatingValue, albumin_g_l: ir.FloatingValue) -> ir.Value:
    """ALBI score, 0.66 log10(bilirubin) - 0.085 albumin; null unless both are above zero.

    Args:
        bilirubin_umol_l: bilirubin in umol/L, not mg/dL.
        albumin_g_l: albumin in g/L, not g/dL.

    Source: Johnson 2015.
    """
    above_zero = ibis.ifelse(bilirubin_umol_l > 0, bilirubin_umol_l, ibis.null("float64"))
    albumin = ibis.ifelse(albumin_g_l > 0, albumin_g_l, ibis.null("float64"))
    return 0.66 * above_zero.log10() - 0.085 * albumin


def albi_grade(score: ir.FloatingValue) -> ir.IntegerValue:
    """ALBI grade 1 to 3: up to -2.60, up to -1.39, above. Source: Johnson 2015."""
    return ibis.cases(
        (score.isnull(), None), (score <= ALBI_GRADE_1, 1), (score <= ALBI_GRADE_2, 2), else_=3
    )


def bilirubin_points(below_2: ir.BooleanValue, at_most_3: ir.BooleanValue) -> ir.IntegerValue:
    """Child-Pugh points of bilirubin: below 2, 2 to 3, above 3 mg/dL. Source: Pugh 1973."""
    return _three(below_2, at_most_3)


def albumin_points(at_most_3_5: ir.BooleanValue, below_2_8: ir.BooleanValue) -> ir.IntegerValue:
    """Child-Pugh points of albumin: above 3.5, 2.8 to 3.5, below 2.8 g/dL. Source: Pugh 1973."""
    return 4 - _three(below_2_8, at_most_3_5)


def inr_points(below_1_7: ir.BooleanValue, at_most_upper: ir.BooleanValue) -> ir.IntegerValue:
    """Child-Pugh points of the INR: below 1.7, up to the upper limit (a setting), above."""
    return _three(below_1_7, at_most_upper)


def ascites_points(ascites: ir.StringValue) -> ir.IntegerValue:
    """Child-Pugh points of ascites: none, slight, moderate or severe. Source: Pugh 1973."""
    return ibis.cases(
        (ascites == "none", 1), (ascites == "slight", 2), (ascites == "moderate_severe", 3)
    )


def encephalopathy_points(grade: ir.IntegerValue) -> ir.IntegerValue:
    """Child-Pugh points of encephalopathy: none, grade 1 or 2, grade 3 or 4. Source: Pugh 1973."""
    return _three(grade == 0, grade <= 2)


def child_pugh_class(points: ir.IntegerValue) -> ir.StringValue:
    """Child-Pugh class: A 5 to 6, B 7 to 9, C 10 to 15 points. Source: Pugh 1973."""
    return ibis.cases(
        (points.isnull(), ibis.null("string")), (points <= 6, "A"), (points <= 9, "B"), else_="C"
    )


def _three(first: ir.BooleanValue, second: ir.BooleanValue) -> ir.IntegerValue:
    """1 in the first class, 2 within the second's limit, 3 beyond; null where it is open."""
    return ibis.cases(
        (first, 1), (first.isnull(), None), (second, 2), (second.isnull(), None), else_=3
    )

"""ALBI, Child-Pugh and MELD scores.

All are functions of columns. A missing item gives no score: it is not scored 1, nor 3. Child-Pugh
and MELD were made for cirrhosis; in liver metastases they only describe.

MELD is the classic one, before sodium (2016) and before MELD 3.0 (2022), with the limits of UNOS:
values below 1 count as 1, creatinine above 4 mg/dL as 4, the score at most as 40. Dialysis, which
sets creatinine to 4, is no registry column: a dialysed patient's score is too low. The score is not
rounded; its band is that of the nearest whole number, halves upwards.

Source: ALBI: Johnson et al., J Clin Oncol 2015;33:550-558. Child-Pugh: Pugh et al., Br J Surg
1973;60:646-649; its INR classes as in current implementations, which stop at 2.2 or at 2.3. MELD:
Kamath et al., Hepatology 2001;33:464-470, with the constant and the limits of UNOS 2002; bands of
mortality in three months: Wiesner et al., Gastroenterology 2003;124:91-96, whose bands are given
from memory: the beginning of the paper alone could be read.
"""

import ibis
import ibis.expr.types as ir

ALBI_GRADE_1 = -2.60
ALBI_GRADE_2 = -1.39
"""The greatest score of the grade, compared on the unrounded score."""
MELD_MOST = 40.0
MELD_BANDS = ("06-09", "10-19", "20-29", "30-39", "40")
"""From best to worst, also in the order of their letters."""


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


def meld_item(
    value: ir.FloatingValue,
    at_most_1: ir.BooleanValue,
    below_4: ir.BooleanValue | None = None,
) -> ir.FloatingValue:
    """What MELD counts of bilirubin, of the INR or, with `below_4`, of creatinine (mg/dL).

    A censored result that lies beyond a limit for certain is the limit.
    """
    least = (at_most_1, ibis.literal(1.0))
    if below_4 is None:
        return ibis.cases(least, else_=value)
    return ibis.cases(least, (~below_4, ibis.literal(4.0)), else_=value)


def meld_score(
    bilirubin_mg_dl: ir.FloatingValue, creatinine_mg_dl: ir.FloatingValue, inr: ir.FloatingValue
) -> ir.FloatingValue:
    """MELD of items as `meld_item` gives them; null where one is. Source: Kamath 2001, UNOS."""
    score = 3.78 * bilirubin_mg_dl.ln() + 11.2 * inr.ln() + 9.57 * creatinine_mg_dl.ln() + 6.43
    return ibis.cases((score > MELD_MOST, MELD_MOST), else_=score)


def meld_band(score: ir.FloatingValue) -> ir.StringValue:
    """Band of the score: 6 to 9, 10 to 19, 20 to 29, 30 to 39, 40. Source: Wiesner 2003, unread."""
    bands = [(score < end - 0.5, b) for end, b in zip((10, 20, 30, 40), MELD_BANDS, strict=False)]
    return ibis.cases((score.isnull(), ibis.null("string")), *bands, else_=MELD_BANDS[-1])


def _three(first: ir.BooleanValue, second: ir.BooleanValue) -> ir.IntegerValue:
    """1 in the first class, 2 within the second's limit, 3 beyond; null where it is open."""
    return ibis.cases(
        (first, 1), (first.isnull(), None), (second, 2), (second.isnull(), None), else_=3
    )

"""What is asked of each patient about symptoms, reviews and the liver, and what it means."""

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

Question = Callable[[ir.Table], ir.Value]


@dataclass(frozen=True, slots=True)
class Measure:
    """What is asked of each patient; null where it is not asked."""

    name: str
    meaning: str
    answer: Question
    unit: str = "%"
    proportion: bool = True


BASELINE_MEASURES = (
    Measure(
        "symptomatic",
        "carcinoid symptoms at baseline, of treated patients in whom it is known",
        lambda t: ibis.ifelse(t.treated, t.carcinoid_symptoms, None),
    ),
)

SYMPTOM_MEASURES = (
    Measure("improved", "improved, unknown counted as not improved", lambda t: t.improved),
    Measure(
        "improved_of_known",
        "improved, unknown left out",
        lambda t: ibis.ifelse(t.best_change == "unknown", None, t.improved),
    ),
    Measure("unchanged", "at best unchanged", lambda t: t.best_change == "unchanged"),
    Measure("worse", "only worse", lambda t: t.best_change == "worse"),
    Measure("unknown", "no change reported", lambda t: t.best_change == "unknown"),
    Measure(
        "days_to_improvement",
        "first day of improvement, of those who improved",
        lambda t: t.first_improved_day,
        unit="days",
        proportion=False,
    ),
)

LIVER_MEASURES = (
    Measure("albi_grade_worse", "ALBI grade worse after any session", lambda t: t.albi_worse),
    Measure(
        "child_pugh_class_worse",
        "Child-Pugh class worse after any session",
        lambda t: t.child_pugh_worse,
    ),
    Measure(
        "meld_band_worse",
        "MELD in a worse band (6 to 9, 10 to 19, 20 to 29, 30 to 39, 40) after any session",
        lambda t: t.meld_worse,
    ),
    Measure(
        "albi_grade_worse_again",
        "ALBI grade worse after a re-treatment, of those with known values around one",
        lambda t: t.albi_worse_again,
    ),
    Measure(
        "child_pugh_class_worse_again",
        "Child-Pugh class worse after a re-treatment, of those with known values around one",
        lambda t: t.child_pugh_worse_again,
    ),
    Measure(
        "meld_band_worse_again",
        "MELD in a worse band after a re-treatment, of those with known values around one",
        lambda t: t.meld_worse_again,
    ),
    Measure(
        "albi_change",
        "greatest rise of the ALBI score after a session",
        lambda t: t.albi_change,
        unit="points",
        proportion=False,
    ),
    Measure(
        "child_pugh_change",
        "greatest rise of the Child-Pugh points after a session",
        lambda t: t.child_pugh_change,
        unit="points",
        proportion=False,
    ),
    Measure(
        "meld_change",
        "greatest rise of MELD after a session",
        lambda t: t.meld_change,
        unit="points",
        proportion=False,
    ),
)


def _of_expected(count: str) -> Question:
    def share(t: ir.Table) -> ir.Value:
        pct = 100.0 * t[count] / t.n_expected.nullif(0)
        return ibis.ifelse(pct > 100, 100.0, pct)

    return share


ADHERENCE_MEASURES = (
    Measure("first_visit_on_time", "first review in its window", lambda t: t.first_visit_on_time),
    Measure("all_reviews_held", "as many reviews as expected", lambda t: t.adherence >= 1),
    Measure(
        "every_gap_on_time",
        "every gap between reviews in its window, of patients with a gap",
        lambda t: ibis.ifelse(t.n_gaps > 0, t.n_gaps_on_time == t.n_gaps, None),
    ),
    Measure(
        "a_long_gap",
        "at least one gap longer than the setting, of patients with a gap",
        lambda t: ibis.ifelse(t.n_gaps > 0, t.n_gaps_long > 0, None),
    ),
    Measure("overdue", "next review overdue at the site's extraction", lambda t: t.overdue),
    Measure(
        "imaging_always_measured",
        "lesions measured on every day of imaging",
        lambda t: ibis.ifelse(t.n_imaging > 0, t.n_imaging_measured == t.n_imaging, None),
    ),
    Measure(
        "adherence",
        "reviews of those expected",
        lambda t: 100 * t.adherence,
        proportion=False,
    ),
    Measure("imaging", "imaging of reviews expected", _of_expected("n_imaging"), proportion=False),
    Measure("labs", "laboratory of reviews expected", _of_expected("n_labs"), proportion=False),
    Measure(
        "contacts",
        "clinical contact of reviews expected",
        _of_expected("n_contacts"),
        proportion=False,
    ),
    Measure(
        "imaging_measured",
        "days of imaging with a lesion measured",
        lambda t: 100.0 * t.n_imaging_measured / t.n_imaging.nullif(0),
        proportion=False,
    ),
    Measure(
        "first_review_day",
        "day of the first review",
        lambda t: t.first_review_day,
        unit="days",
        proportion=False,
    ),
    Measure(
        "median_gap",
        "median gap of a patient",
        lambda t: t.median_gap_days,
        unit="days",
        proportion=False,
    ),
    Measure(
        "max_gap",
        "greatest gap of a patient",
        lambda t: t.max_gap_days,
        unit="days",
        proportion=False,
    ),
)

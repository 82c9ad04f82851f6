"""Symptom response after treatment, as patients reported it.

Asked only of patients with carcinoid symptoms at baseline; no scale is published, so the answer is
what the patient reports at a review. One report of improvement in the window is a response, and a
patient of whom nothing is known has not improved. The window starts the day after T0. A site that
never records a change has no answers to count: its patients are left out, not taken as unimproved.
Where a report cannot be read and none tells of improvement, it is not known whether there was one.

Source: Kanani on Memon 2012: subjective improvement in 21 of 25 symptomatic patients. The window
and the rule for unknown answers are this registry's choice. Comparator: 15 of 23
at three months (resin after peptide receptor therapy, PMC6965040).
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.settings import SymptomSettings
from schemas.tables.intermediate import Anchors
from schemas.tables.marts import Subjects, SymptomResponse
from schemas.tables.registry import Assessments
from transforms.joins import dated


def symptom_response(
    assessments: Table[Assessments],
    anchors: Table[Anchors],
    subjects: Table[Subjects],
    *,
    settings: SymptomSettings,
) -> Table[SymptomResponse]:
    """Take the best change that each symptomatic patient reports in the window."""
    recording = (
        assessments.filter(assessments.symptom_change.notnull()).select("site_id").distinct()
    )
    symptomatic = subjects.filter(subjects.treated & subjects.carcinoid_symptoms).semi_join(
        recording, "site_id"
    )
    reports = _reports_in_window(assessments, anchors, settings.window_days)
    found = reports.group_by("subject_id").agg(
        first_improved_day=reports.rel_day.min(where=reports.symptom_change == "improved"),
        unchanged=(reports.symptom_change == "unchanged").any(),
        worse=(reports.symptom_change == "worse").any(),
        unread=unreadable(reports, "symptom_change").any(),
    )
    joined = symptomatic.select("subject_id").left_join(found, "subject_id")
    improved = joined.first_improved_day.notnull()
    best = ibis.cases(
        (improved, "improved"),
        (joined.unchanged.fill_null(False), "unchanged"),
        (joined.worse.fill_null(False), "worse"),
        else_="unknown",
    )
    open_ = ~improved & joined.unread.fill_null(False)
    told = joined.mutate(
        best_change=open_.ifelse("unknown", best),
        improved=open_.ifelse(ibis.null("boolean"), improved),
    )
    return conform(told, SymptomResponse)


def _reports_in_window(assessments: ir.Table, anchors: ir.Table, last_day: int) -> ir.Table:
    there = assessments.symptom_change.notnull() | unreadable(assessments, "symptom_change")
    told = assessments.filter(there)
    placed = dated(told, anchors, "assessment_date")
    return placed.filter(placed.rel_day.between(1, last_day))

"""Patients whose worst grade changes when the same results are graded by another version.

Both grades stand in `lab_grades` already; this compares the worst after treatment of two versions.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table
from schemas.tables.marts import LabGrades


def regrade(lab_grades: Table[LabGrades], *, from_version: str, to_version: str) -> ir.Table:
    """List subjects and analytes whose worst grade after treatment differs.

    Returns:
        subject_id, analyte, and for each version (`_from`, `_to`) worst_grade, rel_day, rule and
        source_row_id of the deciding result; a version in which nothing was gradable has nulls.
    """
    before = _worst(lab_grades, from_version)
    after = _worst(lab_grades, to_version)
    both = before.outer_join(
        after, ["subject_id", "analyte"], lname="{name}_from", rname="{name}_to"
    )
    moved = both.filter(~both.worst_grade_from.identical_to(both.worst_grade_to))
    return moved.select(
        subject_id=moved.subject_id_from.coalesce(moved.subject_id_to),
        analyte=moved.analyte_from.coalesce(moved.analyte_to),
        **{
            f"{name}_{side}": moved[f"{name}_{side}"]
            for name in ("worst_grade", "rel_day", "rule", "source_row_id")
            for side in ("from", "to")
        },
    ).order_by("subject_id", "analyte")


def _worst(lab_grades: ir.Table, version: str) -> ir.Table:
    after = lab_grades.filter(
        lab_grades.ctcae_version == version, lab_grades.rel_day > 0, lab_grades.grade.notnull()
    )
    first = ibis.row_number().over(
        group_by=["subject_id", "analyte"],
        order_by=[ibis.desc("grade"), "rel_day", "sequence", "source_row_id"],
    )
    ranked = after.mutate(place=first)
    return ranked.filter(ranked.place == 0).select(
        "subject_id",
        "analyte",
        "rel_day",
        "rule",
        "source_row_id",
        worst_grade="grade",
    )

"""From literal measurements to classes and best responses, with what a specification leaves out.

Every subject was treated on day 0; a lesion lies in the liver, counts for WHO and EASL, and is a
target; a reading is a measurement by CT; a scan has an arterial phase. What a specification writes
down goes before.
"""

import functools
from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.types as ir

from schemas.contract import Contract, Table, columns, conform
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, LesionQuantities, Sessions, SubjectLesions
from schemas.tables.marts import (
    LesionAssessments,
    LesionResponse,
    SubjectAssessments,
    SubjectResponse,
)
from schemas.tables.registry import Measurements, Scans, SubsequentTherapies
from tests.support.pipe_tables import EPOCH
from transforms.response import (
    best_response,
    lesion_assessments,
    lesion_quantities,
    subject_assessments,
)


@functools.cache
def only(derivation: Callable[..., Any], *criteria: str, **values: str) -> Callable[..., Any]:
    """The same derivation, showing only these criteria and values."""

    @functools.wraps(derivation)
    def chosen(**arguments: Any) -> ir.Table:
        found = derivation(**arguments)
        kept = found.filter(found.criterion.isin(criteria))
        for name, value in values.items():
            kept = kept.filter(kept[name] == value)
        return kept

    return chosen


def quantities(
    measurements: Table[Measurements],
    scans: Table[Scans],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    *,
    settings: ResponseSettings,
) -> Table[LesionQuantities]:
    """What each criterion makes of every measurement."""
    read = _measurements(measurements)
    return lesion_quantities.lesion_quantities(
        read,
        _scans(scans, read),
        _lesions(subject_lesions, read),
        _anchors(anchors, read, scans),
        settings=settings,
    )


def lesion_classes(
    measurements: Table[Measurements],
    scans: Table[Scans],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[LesionAssessments]:
    """The class of every lesion at every scan."""
    return lesion_assessments.lesion_assessments(
        quantities(measurements, scans, subject_lesions, anchors, settings=settings),
        _anchors(anchors, _measurements(measurements), scans),
        sessions,
        subsequent_therapies,
        settings=settings,
    )


def subject_classes(
    measurements: Table[Measurements],
    scans: Table[Scans],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[SubjectAssessments]:
    """The class of every patient at every assessment."""
    read = _measurements(measurements)
    return subject_assessments.subject_assessments(
        quantities(measurements, scans, subject_lesions, anchors, settings=settings),
        _scans(scans, read),
        _lesions(subject_lesions, read),
        _anchors(anchors, read, scans),
        sessions,
        subsequent_therapies,
        settings=settings,
    )


def lesion_best(
    measurements: Table[Measurements],
    scans: Table[Scans],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[LesionResponse]:
    """The best response of every lesion."""
    read = _measurements(measurements)
    return best_response.lesion_response(
        lesion_classes(
            measurements,
            scans,
            subject_lesions,
            anchors,
            sessions,
            subsequent_therapies,
            settings=settings,
        ),
        quantities(measurements, scans, subject_lesions, anchors, settings=settings),
        _lesions(subject_lesions, read),
        _anchors(anchors, read, scans),
        settings=settings,
    )


def subject_best(
    measurements: Table[Measurements],
    scans: Table[Scans],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[SubjectResponse]:
    """The best response of every patient."""
    read = _measurements(measurements)
    return best_response.subject_response(
        subject_classes(
            measurements,
            scans,
            subject_lesions,
            anchors,
            sessions,
            subsequent_therapies,
            settings=settings,
        ),
        _lesions(subject_lesions, read),
        _anchors(anchors, read, scans),
        settings=settings,
    )


def lesion_best_of(
    lesion_assessments: Table[LesionAssessments], *, settings: ResponseSettings
) -> Table[LesionResponse]:
    """The best response of lesions whose classes are given by day, read as the settings say."""
    given = lesion_assessments.mutate(
        criterion=ibis.coalesce(lesion_assessments.criterion, "WHO"),
        lesion_number=ibis.literal(1, "int64"),
        reader=ibis.literal(settings.reader),
        in_window=lesion_assessments.in_window.fill_null(True),
        rule=ibis.coalesce(lesion_assessments.rule, "not_imaged"),
    )
    subjects = given.select("subject_id").distinct()
    lesions = subjects.mutate(
        lesion_number=ibis.literal(1, "int64"),
        index_lesion=ibis.literal(True),
        recist_target=ibis.literal(True),
    )
    read = lesions.mutate(reader=ibis.literal(settings.reader))
    best = best_response.lesion_response(given, read, lesions, subjects, settings=settings)
    return best.filter(best.criterion == "WHO")


def _measurements(given: ir.Table) -> ir.Table:
    return given.mutate(
        modality=ibis.coalesce(given.modality, "CT"), status=ibis.coalesce(given.status, "measured")
    )


def _scans(given: ir.Table, measurements: ir.Table) -> ir.Table:
    scan = ["subject_id", "scan_date", "modality", "reader"]
    written = given.mutate(modality=ibis.coalesce(given.modality, "CT"))
    left_out = measurements.select(*scan).distinct().anti_join(written, scan)
    return written.union(
        conform(_filled(left_out, Scans).mutate(arterial_phase=True, evaluable=True), Scans)
    )


def _lesions(given: ir.Table, measurements: ir.Table) -> ir.Table:
    lesion = ["subject_id", "lesion_id"]
    left_out = measurements.select(*lesion).distinct().anti_join(given, lesion)
    usual = _filled(left_out, SubjectLesions).mutate(
        lesion_number=left_out.lesion_id.substr(1).cast("int64"),
        organ=ibis.literal("liver"),
        index_lesion=True,
        recist_target=True,
    )
    return given.union(conform(usual, SubjectLesions))


def _anchors(given: ir.Table, measurements: ir.Table, scans: ir.Table) -> ir.Table:
    subjects = measurements.select("subject_id").union(scans.select("subject_id"), distinct=True)
    left_out = subjects.anti_join(given, "subject_id")
    usual = left_out.mutate(site_id=ibis.literal("s1"), t0_date=EPOCH, last_session_date=EPOCH)
    return given.union(conform(usual, Anchors))


def _filled(table: ir.Table, contract: type[Contract]) -> ir.Table:
    lacking = [c for c in columns(contract) if c.name not in table.columns]
    return table.mutate(**{c.name: ibis.null(c.dtype) for c in lacking})

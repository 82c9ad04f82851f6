"""From literal measurements to classes and best responses, with what a specification leaves out.

Every subject was treated on day 0; a lesion lies in the liver, counts for WHO and EASL, and is a
target; a reading is a measurement by CT; a scan has an arterial phase. What a specification writes
down goes before.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from schemas.contract import Contract, Table, columns, conform, empty
from schemas.section import Section
from schemas.sections.reading import ReadingSettings
from schemas.settings import ResponseSettings
from schemas.tables.class_marts import CountedReaders
from schemas.tables.intermediate import (
    Anchors,
    AssessedDays,
    LesionQuantities,
    Sessions,
    SubjectLesions,
)
from schemas.tables.marts import (
    FollowedLesions,
    LesionAssessments,
    LesionResponse,
    SubjectAssessments,
    SubjectResponse,
)
from schemas.tables.registry import Measurements, Patients, Scans, SubsequentTherapies
from tests.support.compiled_derivation import arrow_of, computed
from tests.support.pipe_tables import EPOCH
from transforms.lesions import followed_lesions, new_lesions
from transforms.response import (
    assessed_days,
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


@dataclass(frozen=True)
class Steps:
    """The tables between measurements and classes, each computed once."""

    quantities: ir.Table
    scans: ir.Table
    lesions: ir.Table
    anchors: ir.Table
    days: ir.Table
    new: ir.Table
    followed: ir.Table


def steps(
    measurements: ir.Table,
    scans: ir.Table,
    subject_lesions: ir.Table,
    anchors: ir.Table,
    sessions: ir.Table,
    therapies: ir.Table,
    settings: ResponseSettings,
) -> Steps:
    """From measurements to what the classes are derived from."""
    read = kept(_measurements(measurements))
    every = kept(_scans(scans, read))
    known = kept(_anchors(anchors, read, scans))
    lesions = kept(_lesions(subject_lesions, read))
    sizes = derived(lesion_quantities.lesion_quantities, settings, read, every, lesions, known)
    new = derived(new_lesions.new_lesions, None, sizes, lesions, every, known)
    followed = derived(followed_lesions.followed_lesions, settings, lesions, sizes, new, known)
    days = derived(assessed_days.assessed_days, settings, sizes, every, known, sessions, therapies)
    return Steps(sizes, every, lesions, known, days, new, followed)


def kept(table: ir.Table) -> ir.Table:
    """The same table, computed."""
    _has_rows(table)
    return ibis.memtable(arrow_of(table))


def derived(
    function: Callable[..., ir.Table], settings: Section | None, *tables: ir.Table
) -> ir.Table:
    """What a derivation makes of tables; its SQL is made once for all tables, as in a night."""
    for table in tables:
        _has_rows(table)
    names = list(inspect.signature(function).parameters)[: len(tables)]
    chosen: dict[str, Section] = {"settings": settings} if settings else {}
    if "reading" in inspect.signature(function).parameters:
        chosen["reading"] = ReadingSettings()
    return computed(function, dict(zip(names, tables, strict=True)), **chosen)


def _has_rows(table: ir.Table) -> None:
    """Refuse a table without rows.

    Raises:
        IbisError: there are none: a chain of derivations cannot be compiled as one.
    """
    if table.op().find(ibis.expr.operations.UnboundTable):
        raise ibis.common.exceptions.IbisError("a chain of derivations is computed step by step")


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
    """The class of every lesion at every assessment."""
    made = steps(
        measurements, scans, subject_lesions, anchors, sessions, subsequent_therapies, settings
    )
    return classes_of_lesions(made, sessions, subsequent_therapies, settings)


def subject_classes(
    measurements: Table[Measurements],
    scans: Table[Scans],
    patients: Table[Patients],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[SubjectAssessments]:
    """The class of every patient at every assessment, as a whole."""
    made = steps(
        measurements, scans, subject_lesions, anchors, sessions, subsequent_therapies, settings
    )
    found = classes_of_subjects(made, patients, sessions, subsequent_therapies, settings)
    return found.filter(found.organ == "all")


def organ_classes(
    measurements: Table[Measurements],
    scans: Table[Scans],
    patients: Table[Patients],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[SubjectAssessments]:
    """The class of every patient at every assessment, as a whole and by organ."""
    made = steps(
        measurements, scans, subject_lesions, anchors, sessions, subsequent_therapies, settings
    )
    return classes_of_subjects(made, patients, sessions, subsequent_therapies, settings)


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
    made = steps(
        measurements, scans, subject_lesions, anchors, sessions, subsequent_therapies, settings
    )
    classes = classes_of_lesions(made, sessions, subsequent_therapies, settings)
    return derived(
        best_response.lesion_response,
        settings,
        classes,
        made.quantities,
        made.followed,
        made.days,
    )


def lesions_listed(
    measurements: Table[Measurements],
    scans: Table[Scans],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[FollowedLesions]:
    """Every lesion, counted or not."""
    return steps(
        measurements, scans, subject_lesions, anchors, sessions, subsequent_therapies, settings
    ).followed


def subject_best(
    measurements: Table[Measurements],
    scans: Table[Scans],
    patients: Table[Patients],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[SubjectResponse]:
    """The best response of every patient, as a whole."""
    made = steps(
        measurements, scans, subject_lesions, anchors, sessions, subsequent_therapies, settings
    )
    classes = classes_of_subjects(made, patients, sessions, subsequent_therapies, settings)
    best = derived(
        best_response.subject_response,
        settings,
        classes,
        made.lesions,
        patients,
        made.anchors,
        empty(CountedReaders),
    )
    return best.filter(best.organ == "all")


def classes_of_lesions(
    made: Steps, sessions: ir.Table, therapies: ir.Table, settings: ResponseSettings
) -> ir.Table:
    """The class of every lesion at every assessment, from the steps before."""
    return derived(
        lesion_assessments.lesion_assessments,
        settings,
        made.quantities,
        made.days,
        made.new,
        made.anchors,
        sessions,
        therapies,
    )


def classes_of_subjects(
    made: Steps,
    patients: ir.Table,
    sessions: ir.Table,
    therapies: ir.Table,
    settings: ResponseSettings,
) -> ir.Table:
    """The class of every patient, as a whole and by organ, from the steps before."""
    return derived(
        subject_assessments.subject_assessments,
        settings,
        made.quantities,
        made.days,
        made.new,
        made.scans,
        patients,
        made.lesions,
        made.anchors,
        sessions,
        therapies,
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
    followed = lesions.mutate(treated=ibis.literal(True), counted=ibis.literal(True))
    seen = given.select("subject_id", "reader", "rel_day", first_day="rel_day").distinct()
    days = conform(_filled(seen, AssessedDays), AssessedDays)
    best = derived(best_response.lesion_response, settings, given, read, followed, days)
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
    usual = _filled(left_out, Anchors).mutate(
        site_id=ibis.literal("s1"), t0_date=EPOCH, last_session_date=EPOCH
    )
    return given.union(conform(usual, Anchors))


def _filled(table: ir.Table, contract: type[Contract]) -> ir.Table:
    lacking = [c for c in columns(contract) if c.name not in table.columns]
    return table.mutate(**{c.name: ibis.null(c.dtype) for c in lacking})

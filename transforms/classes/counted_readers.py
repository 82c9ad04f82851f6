"""Whose reading of the scans counts, patient by patient.

One reader's whole reading of a patient counts, so that baselines, least sums and new lesions are of
one hand. What is said of single lesions is always the reading of `response.reader`: readers choose
their own lesions, and trials adjudicate patients.
Where two readers and an adjudicator read, the two agree on a patient if best response and day of
first progression are the same, unconfirmed, by the criterion that the settings name; then the first
one's reading stands, which is as good as the other's. Where they differ the adjudicator's stands,
and without one the first reader's, marked. Who was read by one of the two alone has that reading.

Source: Ford et al., J Clin Trials 2016;6:289 (two readers and an adjudicator in 79 trials, 42 % of
cases adjudicated); FDA, Guidance for Industry, Clinical Trial Imaging Endpoint Process Standards,
2018, from memory. That the day of the first response is not compared is this registry's choice.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.sections.reading import ReadingSettings
from schemas.settings import ResponseSettings
from schemas.tables.class_marts import CountedReaders
from schemas.tables.intermediate import Anchors
from schemas.tables.marts import SubjectAssessments
from transforms.joins import looked_up

CLASSES = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD")
EARLY = ("SD", "NON-CR/NON-PD")
"""Classes that count from the minimum day of stable disease on."""


def counted_readers(
    subject_assessments: Table[SubjectAssessments],
    anchors: Table[Anchors],
    *,
    settings: ResponseSettings,
    reading: ReadingSettings,
) -> Table[CountedReaders]:
    """Choose the reader of each treated subject, and say how."""
    if reading.rule == "named":
        named = anchors.select(
            "subject_id", reader=ibis.literal(settings.reader), chosen=ibis.literal("named")
        )
        return conform(named, CountedReaders)
    if reading.rule == "first":
        return conform(_first(subject_assessments, reading), CountedReaders)
    return conform(_adjudicated(subject_assessments, settings, reading), CountedReaders)


def counted(
    table: ir.Table, readers: ir.Table, settings: ResponseSettings, reading: ReadingSettings
) -> ir.Table:
    """The rows of a table with a `reader` that are those of each subject's counted reader.

    A subject whom none of them read has the rows of `response.reader`.
    """
    if reading.rule == "named":
        return table.filter(table.reader == settings.reader)
    chosen = readers.select("subject_id", counted_reader="reader")
    known = looked_up(table, chosen, "subject_id")
    mine = known.filter(known.reader == known.counted_reader.fill_null(settings.reader))
    return mine.drop("counted_reader")


def _first(assessments: ir.Table, reading: ReadingSettings) -> ir.Table:
    read = assessments.filter(assessments.reader.isin(reading.readers))
    place = ibis.cases(*((read.reader == name, n) for n, name in enumerate(reading.readers)))
    least = read.group_by("subject_id").agg(place=place.min())
    named = ibis.cases(*((least.place == n, name) for n, name in enumerate(reading.readers)))
    return least.select("subject_id", reader=named, chosen=ibis.literal("first"))


def _adjudicated(
    assessments: ir.Table, settings: ResponseSettings, reading: ReadingSettings
) -> ir.Table:
    one, two = (_read_by(assessments, name, settings, reading) for name in reading.readers)
    third = _read_by(assessments, reading.adjudicator, settings, reading)
    everyone = assessments.filter(assessments.reader.isin([*reading.readers, reading.adjudicator]))
    subjects = everyone.select("subject_id").distinct()
    t = subjects
    for name, found in (("a", one), ("b", two), ("c", third)):
        t = looked_up(t, found.rename({f"{name}_{c}": c for c in _FACTS}), "subject_id")
    same = (t.a_best == t.b_best) & (t.a_progressed == t.b_progressed)
    both = t.a_best.notnull() & t.b_best.notnull()
    chosen = ibis.cases(
        (both & same, "agreed"),
        (both & t.c_best.notnull(), "adjudicated"),
        (both, "not_adjudicated"),
        else_="one_reader",
    )
    first, second = reading.readers
    reader = ibis.cases(
        (chosen == "adjudicated", reading.adjudicator),
        (t.a_best.notnull(), first),
        (t.b_best.notnull(), second),
        else_=reading.adjudicator,
    )
    return t.select("subject_id", reader=reader, chosen=chosen)


_FACTS = ("best", "progressed")
_NEVER = 10**7
"""Day of a progression that has not been."""


def _read_by(
    assessments: ir.Table, reader: str, settings: ResponseSettings, reading: ReadingSettings
) -> ir.Table:
    """One row per subject of a reader: the best class, or NE, and the day of first progression."""
    read = assessments.filter(
        assessments.reader == reader,
        assessments.organ == "all",
        assessments.criterion == reading.criterion,
    )
    late = read.rel_day >= settings.sd_min_days
    had = {
        c: (read.in_window & (read.response == c) & (late if c in EARLY else True)).any()
        for c in CLASSES
    }
    return read.group_by("subject_id").agg(
        best=ibis.cases(*((had[c], c) for c in CLASSES), else_="NE"),
        progressed=read.rel_day.min(where=read.response == "PD").fill_null(_NEVER),
    )

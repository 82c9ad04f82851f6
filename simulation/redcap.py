"""Write the reference records as a centre does that keeps a REDCap project.

The flat export as REDCap writes it, data.csv, with its data dictionary: one row per record, event,
instrument and instance; radio fields as codes, checkboxes as a column per choice (0 also on a form
that was never opened), missing-data codes inside numbers and dates, `[not completed]` for a survey
that was sent and not answered, records never filled in, and a data access group. The conventions
are those of the test projects of the R package REDCapR.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path

from schemas import redcap_dictionary
from schemas.contract import options
from simulation.plain import plain
from simulation.redcap_project import (
    ACCESS_GROUP,
    BASELINE,
    ENROLMENT,
    EVENTS,
    FOLLOW_UP,
    FORMS,
    RECORD,
    Field,
    Form,
)
from simulation.reference import CONTRACTS, Record, Value, records

README = """SYNTHETIC: no real person.

A flat REDCap export of an invented registry of 40 patients and 83 liver lesions treated with 90Y
radioembolization, made from simulation/memon2012/ so that its raw records give the published counts
of Memon et al. 2012. Nothing in it may be quoted as patient data. data.csv repeats it in the field
`synthetic`, dictionary.csv in every field note.
"""
STRUCTURE = (
    RECORD,
    "redcap_event_name",
    "redcap_repeat_instrument",
    "redcap_repeat_instance",
    "redcap_data_access_group",
    "redcap_survey_identifier",
)
UNOPENED, COMPLETE = "0", "2"
NEVER_FILLED_IN = "X1"
TRAINING_RECORD, TRAINING_GROUP = "X2", "training"

Row = dict[str, str]
Tables = dict[str, list[Record]]


def write(as_of: date, folder: Path) -> None:
    """Write the export of `as_of`: data.csv, dictionary.csv and a README.txt."""
    write_project([records(as_of)], README, folder)


def write_project(parts: Iterable[Tables], readme: str, folder: Path) -> None:
    """Write the project of any cohort, part by part; the rows of one patient stand in one part."""
    (folder / "README.txt").write_text(readme, encoding="utf-8")
    _write(folder / "dictionary.csv", redcap_dictionary.COLUMNS, _dictionary())
    header = (*STRUCTURE, *(column for form in FORMS for column in form.columns()))
    rows = (row for part in parts for row in _data(_by_form(part)))
    _write(folder / "data.csv", header, chain(rows, _never_filled_in()))


def _write(path: Path, header: tuple[str, ...], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _dictionary() -> list[Row]:
    record = Field(RECORD, "Record", None)
    first = replace(FORMS[0], fields=(record, *FORMS[0].fields))
    return [
        dict(
            zip(
                redcap_dictionary.COLUMNS,
                (
                    *(field.name, form.name, "", field.kind, field.label, _choices(field)),
                    *("SYNTHETIC: no real person.", field.validation, "", ""),
                    *("y" if field.identifier else "", "", "", "", "", "", "", ""),
                ),
                strict=True,
            )
        )
        for form in (first, *FORMS[1:])
        for field in form.fields
    ]


def _choices(field: Field) -> str:
    return " | ".join(
        f"{code}, {value.replace('_', ' ').capitalize()}" for code, value in field.choices.items()
    )


def _by_form(tables: Tables) -> dict[str, list[tuple[str, Record]]]:
    """Each instrument's rows with their event: what precedes the first treatment is baseline.

    Rows stand in the order in which they happened, so that an export of a later day numbers the
    instances of an earlier one as that did: REDCap never numbers a saved instance anew.
    """
    treated: dict[Value, date] = {}
    for row in tables["treatments"]:
        treated.setdefault(row["patient_id"], _day(row, "treatment_date"))
    tables = tables | {"labs": list(_draws(tables["labs"]))}
    return {
        form.name: [
            (event, row)
            for row in _in_order(form, tables[form.table])
            if (event := _event(form, row, treated.get(row["patient_id"], date.max))) in form.events
        ]
        for form in FORMS
    }


def _in_order(form: Form, rows: list[Record]) -> list[Record]:
    """The rows by their date; those without one where they are, before the others."""
    dated = options(CONTRACTS[form.table]).dated_by
    return sorted(rows, key=lambda r: _day(r, dated)) if dated else rows


def _event(form: Form, row: Record, first_treatment: date) -> str:
    """The only event of the instrument, or the one that the row's date decides."""
    if form.dated is None:
        return form.events[0]
    return BASELINE if _day(row, form.dated) < first_treatment else FOLLOW_UP


def _day(row: Record, column: str) -> date:
    day = row[column]
    if not isinstance(day, date):
        raise TypeError(f"{column}: not a date.")
    return day


def _draws(labs: list[Record]) -> Iterator[Record]:
    """One row per draw with a column per analyte."""
    draws: dict[tuple[Value, Value], Record] = {}
    for lab in labs:
        draw = draws.setdefault(
            (lab["patient_id"], lab["lab_date"]),
            {"patient_id": lab["patient_id"], "lab_date": lab["lab_date"]},
        )
        draw[str(lab["analyte"])] = lab["value"]
        if lab["analyte"] == "bilirubin":
            draw["bilirubin_upper_limit"] = lab["upper_limit"]
    yield from draws.values()


def _data(by_form: dict[str, list[tuple[str, Record]]]) -> Iterator[Row]:
    """The records in order; within a record by event, then the event's row, then instruments."""
    for patient in (str(row["patient_id"]) for _, row in by_form["demographics"]):
        for event in EVENTS:
            for form in sorted(FORMS, key=lambda f: f.repeating):
                if event not in form.events:
                    continue
                here = (event, patient)
                rows = [r for e, r in by_form[form.name] if (e, r["patient_id"]) == here]
                yield from _instances(form, event, patient, rows)
                if form.survey and rows and not _died(by_form, patient):
                    yield _unanswered(form, event, patient, len(rows) + 1)


def _instances(form: Form, event: str, patient: str, rows: list[Record]) -> Iterator[Row]:
    if not form.repeating:
        yield _structure(patient, event) | (
            _filled_in(form, rows[0]) if rows else _never_opened(form)
        )
        return
    for instance, row in enumerate(rows, start=1):
        yield _structure(patient, event, form.name, str(instance)) | _filled_in(form, row)


def _died(by_form: dict[str, list[tuple[str, Record]]], patient: str) -> bool:
    return any(
        r["vital_status"] == "dead" for _, r in by_form["contact"] if r["patient_id"] == patient
    )


def _structure(
    patient: str,
    event: str,
    instrument: str = "",
    instance: str = "",
    group: str = ACCESS_GROUP,
) -> Row:
    return dict(zip(STRUCTURE, (patient, event, instrument, instance, group, ""), strict=True)) | (
        {"synthetic": "SYNTHETIC"} if event == ENROLMENT and not instrument else {}
    )


def _filled_in(form: Form, row: Record) -> Row:
    cells: Row = {f"{form.name}_complete": COMPLETE}
    for field in form.fields:
        if field.column is not None:
            cells |= _cells(field, row.get(field.column))
    if form.survey:
        cells[f"{form.name}_timestamp"] = f"{cells[form.fields[0].name]} 12:00:00"
    return cells


def _never_opened(form: Form) -> Row:
    """What REDCap exports of a form that nobody opened: every checkbox 0, and incomplete."""
    boxes = [c for f in form.fields if f.kind == "checkbox" for c in f.columns()]
    return dict.fromkeys([*boxes, f"{form.name}_complete"], UNOPENED)


def _unanswered(form: Form, event: str, patient: str, instance: int) -> Row:
    return (
        _structure(patient, event, form.name, str(instance))
        | _never_opened(form)
        | {f"{form.name}_timestamp": "[not completed]"}
    )


def _never_filled_in() -> Iterator[Row]:
    """A record that was opened and left, and one of a training group that is no patient."""
    for form in (f for f in FORMS if not f.repeating):
        yield _structure(NEVER_FILLED_IN, form.events[0]) | _never_opened(form)
    yield (
        _structure(TRAINING_RECORD, ENROLMENT, group=TRAINING_GROUP)
        | _never_opened(FORMS[0])
        | {"gender": "1", "yob": "1900"}
    )


def _cells(field: Field, value: Value) -> Row:
    """The field's columns; of the carcinoid symptoms only flushing is ever ticked."""
    if field.kind == "checkbox":
        first, *others = field.columns()
        return {first: "1" if value else "0"} | dict.fromkeys(others, "0")
    if value is None:
        return {field.name: field.missing}
    if field.choices:
        codes = {ours: code for code, ours in field.choices.items()}
        return {field.name: codes[str(value)]}
    if isinstance(value, bool):
        return {field.name: "1" if value else "0"}
    return {field.name: plain(value) if isinstance(value, Decimal) else str(value)}

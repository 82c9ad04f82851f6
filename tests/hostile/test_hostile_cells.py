"""Damaged exports, cell by cell: which rows are set aside by which rule, and never one is lost.

Each case changes a sound export of three treated patients, and says what must become of it: which
rows are set aside by which rule, and which are only doubtful. All other rows are accepted or empty,
and received = empty + accepted + quarantined. The cases share one export, each with its patients.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.errors import BadConfiguration, BadDelivery
from schemas.site import Site
from warehouse.receiving.check import Checked, check

TABLES = {
    "patients": """
        patient_id,sex,birth_year,diagnosis_date,ki67_pct,functioning
        007,female,1950,2019,5,1
        8,male,1951,2019-05,12.5,no
        9,unknown,,,,
    """,
    "treatments": """
        patient_id,session_id,target_id,treatment_date,device,lobe,lung_shunt_fraction
        007,s1,t1,2020-03-01,glass,right,0.05
        8,s1,t1,2020-03-02,glass,left,0.05
        9,s1,t1,2020-03-03,glass,whole,
    """,
    "lesions": """
        patient_id,lesion_id,organ,lobe
        007,l1,liver,right
        8,l1,liver,left
    """,
    "scans": """
        patient_id,scan_date,modality
        007,2020-02-01,CT
        8,2020-02-02,MRI
    """,
    "measurements": """
        patient_id,lesion_id,scan_date,modality,longest_mm,perpendicular_mm,status
        007,l1,2020-02-01,CT,30,20,measured
        8,l1,2020-02-02,MRI,40,30,measured
    """,
    "labs": """
        patient_id,lab_date,analyte,value,unit,upper_limit
        007,2020-02-28,bilirubin,1.1,mg/dL,1.2
        8,2020-02-28,albumin,41,g/L,
    """,
    "contacts": """
        patient_id,contact_date,contact_type,vital_status
        007,2021-01-01,death,dead
        8,2021-02-01,visit,alive
    """,
}
DAY = date(2022, 1, 1)
SITE = Site(site_id="north", origin="synthetic", missing=("UNK",))


@dataclass(frozen=True)
class Case:
    """One damage: cells (table, row, column) -> what stands there; rows added; what follows."""

    cells: dict[tuple[str, int, str], str] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)
    aside: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()


def cell(where: str, text: str, *aside: str, warned: tuple[str, ...] = ()) -> Case:
    """One damaged cell, `table.row.column`."""
    table, row, column = where.split(".")
    return Case({(table, int(row), column): text}, aside=aside, warned=warned)


GONE_007 = tuple(
    f"{name}.1.no_such_patient"
    for name in ("contacts", "labs", "lesions", "measurements", "scans", "treatments")
)
CASES = {
    "sound": Case(),
    "id with spaces around it": cell("treatments.1.patient_id", "  007 "),
    "id without its zeros": cell("treatments.1.patient_id", "7", "treatments.1.no_such_patient"),
    "id missing": cell("treatments.1.patient_id", "", "treatments.1.missing"),
    "id is a missing code": cell("treatments.1.patient_id", "UNK", "treatments.1.missing"),
    "patient's own id missing": cell("patients.1.patient_id", "", "patients.1.missing", *GONE_007),
    "row repeated": Case(
        more={"labs": "007,2020-02-28,bilirubin,1.1,mg/dL,1.2"}, aside=("labs.3.duplicate_row",)
    ),
    "two draws of a day": Case(more={"labs": "007,2020-02-28,bilirubin,9.9,mg/dL,1.2"}),
    "row contradicted": Case(
        more={"lesions": "007,l1,liver,left"},
        aside=(
            "lesions.1.conflicting_key",
            "lesions.3.conflicting_key",
            "measurements.1.no_such_lesion",
        ),
    ),
    "patient contradicted": Case(
        more={"patients": "007,male,1950,2019,5,1"},
        aside=("patients.1.conflicting_key", "patients.4.conflicting_key", *GONE_007),
    ),
    "blank line": Case(more={"labs": ",,,,,"}),
    "line of missing codes": Case(more={"labs": "UNK,UNK,UNK,UNK,UNK,UNK"}),
    "orphan": Case(
        more={"labs": "99,2020-02-28,bilirubin,1,mg/dL,1"}, aside=("labs.3.no_such_patient",)
    ),
    "measurement of no lesion": cell(
        "measurements.1.lesion_id", "l9", "measurements.1.no_such_lesion"
    ),
    "measurement of no scan": cell(
        "measurements.1.modality", "other", "measurements.1.no_such_scan"
    ),
    "scan set aside takes its measurement": cell(
        "scans.1.modality", "PET", "scans.1.unknown_code", "measurements.1.no_such_scan"
    ),
    "date of another format": cell(
        "treatments.1.treatment_date", "01/03/2020", "treatments.1.not_a_date"
    ),
    "day that does not exist": cell(
        "treatments.1.treatment_date", "2019-02-29", "treatments.1.not_a_date"
    ),
    "leap day": cell("labs.1.lab_date", "2020-02-29"),
    "month 13": cell("labs.1.lab_date", "2020-13-01", "labs.1.not_a_date"),
    "partial date where none is allowed": cell("labs.1.lab_date", "2020-02", "labs.1.not_a_date"),
    "partial date where one is allowed": cell("contacts.2.contact_date", "2021-02"),
    "date is a serial number": cell("labs.1.lab_date", "43889", "labs.1.not_a_date"),
    "date is 0000": cell("labs.1.lab_date", "0000-00-00", "labs.1.not_a_date"),
    "date is a word": cell("labs.1.lab_date", "yesterday", "labs.1.not_a_date"),
    "date in the future": cell("labs.1.lab_date", "2022-01-02", "labs.1.after_extraction"),
    "date on the day of extraction": cell("labs.2.lab_date", "2022-01-01"),
    "date in the year 9999": cell("labs.1.lab_date", "9999-12-31", "labs.1.after_extraction"),
    "date missing": cell("treatments.1.treatment_date", "", "treatments.1.missing"),
    "treated before birth": cell(
        "patients.1.birth_year",
        "2021",
        "patients.1.patients.diagnosis_before_birth",
        *GONE_007,
    ),
    "lab after death": cell("labs.1.lab_date", "2021-01-02", warned=("labs.1.labs.after_death",)),
    "death before treatment": cell(
        "contacts.1.contact_date", "2020-02-29", "contacts.1.contacts.death_before_treatment"
    ),
    "two deaths": Case(
        more={"contacts": "007,2021-01-02,death,dead"},
        aside=("contacts.1.contacts.two_deaths", "contacts.3.contacts.two_deaths"),
    ),
    "alive after death": Case(
        more={"contacts": "007,2021-01-02,visit,alive"},
        aside=("contacts.1.contacts.alive_after_death", "contacts.3.contacts.alive_after_death"),
    ),
    "a living death": cell(
        "contacts.1.vital_status", "alive", "contacts.1.contacts.status_of_a_death"
    ),
    "number is text": cell("labs.1.value", "high", "labs.1.not_a_number"),
    "number with a comma": cell("labs.1.value", '"1,1"', "labs.1.not_a_number"),
    "number with a unit": cell("labs.1.value", "1.1 mg/dL", "labs.1.not_a_number"),
    "number with spaces": cell("labs.1.value", " 1.1 "),
    "number with a comparator": cell("labs.1.value", "<0.2"),
    "comparator without a number": cell("labs.1.value", "<", "labs.1.not_a_number"),
    "number with an exponent": cell("labs.1.value", "1e3", "labs.1.not_a_number"),
    "number is nan": cell("labs.1.value", "nan", "labs.1.not_a_number"),
    "number is infinite": cell("labs.1.value", "inf", "labs.1.not_a_number"),
    "number is a formula": cell("labs.1.value", "=1+1", "labs.1.not_a_number"),
    "number of fifty digits": cell("labs.1.value", "9" * 50, "labs.1.not_a_number"),
    "number in Arabic digits": cell("labs.1.value", "١", "labs.1.not_a_number"),
    "number missing": cell("labs.1.value", "", "labs.1.missing"),
    "negative number": cell("labs.1.value", "-1.1", "labs.1.below_minimum"),
    "whole number with decimals": cell("patients.1.birth_year", "1950.0"),
    "whole number that is none": cell(
        "patients.1.birth_year", "1950.5", warned=("patients.1.not_a_number",)
    ),
    "percentage over 100": cell("patients.1.ki67_pct", "101", warned=("patients.1.above_maximum",)),
    "percent for a fraction": cell(
        "treatments.1.lung_shunt_fraction", "5", warned=("treatments.1.above_maximum",)
    ),
    "optional date in the future": cell(
        "patients.1.diagnosis_date", "2023", warned=("patients.1.after_extraction",)
    ),
    "optional date before care": Case(
        {("patients", 3, "diagnosis_date"): "1971"}, warned=("patients.3.before_care",)
    ),
    "fraction divided twice": cell(
        "treatments.1.lung_shunt_fraction",
        "0.0005",
        warned=("treatments.1.treatments.small_shunt",),
    ),
    "a thousandfold, and nothing to prove it by": cell(
        "labs.2.value", "41000", warned=("labs.2.labs.magnitude",)
    ),
    "perhaps another's unit": cell("labs.2.unit", "g/dL", warned=("labs.2.labs.magnitude",)),
    "a thousandfold of the patient's others": Case(
        {("labs", 2, "value"): "41000"},
        more={"labs": "8,2020-02-20,albumin,40,g/L,\n8,2020-02-21,albumin,42,g/L,"},
        aside=("labs.2.labs.unit_error",),
    ),
    "a typed point too few": Case(
        more={
            "labs": "007,2020-02-20,bilirubin,1.0,mg/dL,1.2\n"
            "007,2020-02-21,bilirubin,110,mg/dL,1.2\n007,2020-02-22,bilirubin,1.2,mg/dL,1.2"
        },
        aside=("labs.4.labs.unit_error",),
    ),
    "unit spelled otherwise": cell("labs.1.unit", "MG/DL"),
    "unit unknown": cell("labs.1.unit", "stone", warned=("labs.1.labs.unknown_unit",)),
    "unit missing": cell("labs.1.unit", "", "labs.1.missing"),
    "analyte unknown": cell("labs.1.analyte", "magnesium", warned=("labs.1.labs.unknown_analyte",)),
    "code unknown": cell("treatments.1.device", "cobalt", warned=("treatments.1.unknown_code",)),
    "code in capitals": cell("treatments.1.device", "GLASS", warned=("treatments.1.unknown_code",)),
    "code missing": cell("treatments.1.device", "", warned=("treatments.1.treatments.no_device",)),
    "yes in another language": cell(
        "patients.1.functioning", "oui", warned=("patients.1.not_yes_or_no",)
    ),
    "diameters swapped": cell(
        "measurements.1.perpendicular_mm",
        "31",
        warned=("measurements.1.measurements.perpendicular_longer",),
    ),
    "diameter in metres": cell(
        "measurements.1.longest_mm", "3000", warned=("measurements.1.above_maximum",)
    ),
    "a quote inside": cell(
        "patients.1.diagnosis_date", '"20""19"', warned=("patients.1.not_a_date",)
    ),
    "a newline inside": cell("labs.1.unit", '"mg/dL\n"'),
    "SQL inside": cell(
        "labs.1.analyte", "'; DROP TABLE labs; --", warned=("labs.1.labs.unknown_analyte",)
    ),
    "text of 100,000 letters": cell(
        "labs.1.analyte", "x" * 100_000, warned=("labs.1.labs.unknown_analyte",)
    ),
    "an emoji": cell("labs.1.analyte", "🩸", warned=("labs.1.labs.unknown_analyte",)),
}


def tables_of(case: Case, prefix: str = "") -> dict[str, list[str]]:
    """The sound export with one damage: lines of each table, header first.

    A prefix gives the case patients of its own, so that many cases stand in one export.
    """
    made = {}
    for name, text in TABLES.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        rows = [line.split(",") for line in [*lines, *case.more.get(name, "").splitlines()]]
        for (table, row, column), value in case.cells.items():
            if table == name:
                rows[row][rows[0].index(column)] = value
        for row in rows[1:]:
            row[0] = _own(row[0], prefix)
        made[name] = [",".join(row) for row in rows]
    return made


def _own(patient: str, prefix: str) -> str:
    bare = patient.strip()
    return patient if bare in ("", "UNK") else patient.replace(bare, prefix + bare)


@contextmanager
def written(tables: dict[str, str]) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    try:
        for name, text in tables.items():
            (folder / f"{name}.csv").write_text(text, "utf-8")
        yield folder
    finally:
        shutil.rmtree(folder)


def assert_nothing_lost(found: Checked) -> None:
    for t in found.tables:
        assert t.received == t.empty + t.accepted + t.quarantined, t
        aside = {(f.row) for f in found.findings if f.table == t.table and f.severity == "reject"}
        assert t.quarantined == len(aside), t


Place = tuple[str, int]


@pytest.fixture(scope="module")
def found() -> tuple[Checked, dict[Place, tuple[str, Place]]]:
    """All cases checked in one export, and which row of it is whose."""
    tables: dict[str, list[str]] = {}
    owner: dict[Place, tuple[str, Place]] = {}
    for number, (name, case) in enumerate(CASES.items()):
        for table, lines in tables_of(case, f"c{number}-").items():
            whole = tables.setdefault(table, lines[:1])
            for row, line in enumerate(lines[1:], 1):
                whole.append(line)
                owner[table, len(whole) - 1] = (name, (table, row))
    with written({name: "\n".join(lines) + "\n" for name, lines in tables.items()}) as folder:
        return check(folder, SITE, DAY), owner


def rules(
    found: tuple[Checked, dict[Place, tuple[str, Place]]], name: str, severity: str
) -> list[str]:
    """`table.row.rule` of one case's findings, rows counted within the case."""
    checked, owner = found
    told = []
    for finding in (f for f in checked.findings if f.severity == severity):
        whose, (table, row) = owner[finding.table, finding.row]
        told += [f"{table}.{row}.{finding.rule}"] if whose == name else []
    return sorted(told)


@pytest.mark.parametrize("name", CASES)
def test_a_damaged_cell_sets_its_row_aside_and_nothing_else(
    name: str, found: tuple[Checked, dict[Place, tuple[str, Place]]]
) -> None:
    assert rules(found, name, "reject") == sorted(CASES[name].aside)
    assert rules(found, name, "warn") == sorted(CASES[name].warned)


def test_received_is_empty_and_accepted_and_quarantined(
    found: tuple[Checked, dict[Place, tuple[str, Place]]],
) -> None:
    checked, owner = found
    assert_nothing_lost(checked)
    assert sum(t.received for t in checked.tables) == len(owner)
    assert {t.table: t.empty for t in checked.tables}["labs"] == 2


def test_a_column_of_another_kind_is_refused() -> None:
    case = Case({("patients", n, "sex"): "x" for n in (1, 2, 3)})
    site = SITE.model_copy(update={"unreadable_from": 3})
    tables = {n: "\n".join(lines) + "\n" for n, lines in tables_of(case).items()}
    with written(tables) as folder, pytest.raises(BadDelivery, match="sex: 3 of 3 filled-in cells"):
        check(folder, site, DAY)


def test_there_are_sixty_of_them() -> None:
    assert len(CASES) >= 60


ODD = st.sampled_from(
    [
        "",
        " ",
        "0",
        "-1",
        "1e9",
        "NaN",
        "<0.2",
        ">",
        "=1",
        "UNK",
        "2020-02-30",
        "1900-01-01",
        "é",
        "\u202e",
        "null",
        "None",
        "'",
        "%",
        "%s",
        "true",
        "99999999999999999999",
        "0x1",
        "１２",
    ]
)
CELLS = st.one_of(
    ODD,
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='",'), max_size=9
    ),
    st.dates().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
)
SMALL = ("patients", "labs")


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.lists(st.tuples(*[CELLS] * 6), min_size=1, max_size=12))
@example([("007", "x" * 5, "٣", "2020-01-01", "5", "maybe")])
def test_whatever_stands_in_the_cells_no_row_is_lost(rows: list[tuple[str, ...]]) -> None:
    """No traceback either: what is not a refusal in words is our own fault, and fails here."""
    tables = {}
    for name in SMALL:
        head = TABLES[name].strip().splitlines()[0].strip()
        tables[name] = "\n".join([head, *(",".join(r) for r in rows)]) + "\n"
    with written(tables) as folder:
        try:
            found = check(folder, SITE, DAY)
        except (BadDelivery, BadConfiguration):
            return  # told in words
    assert_nothing_lost(found)
    assert {t.received for t in found.tables} == {len(rows)}

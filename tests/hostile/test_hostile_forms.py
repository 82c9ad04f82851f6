"""Cells and headers of every odd form: what is read, what is not, and that nothing else happens.

The right answers are what a person reads in the cell under the declared signs and formats.
"""

import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.contract import Column, columns, table_name
from schemas.errors import BadConfiguration, BadDelivery
from schemas.site import Site, TableSource
from schemas.tables.registry import (
    TABLES,
    Assessments,
    Labs,
    Lesions,
    Mappings,
    Measurements,
    Patients,
    RegistryTable,
    Scans,
    Treatments,
)
from tests.support.small_site import deliver, loaded, receive
from transforms.intake.harmonise import harmonise
from transforms.intake.names import OURS_ALONE
from warehouse.receiving.check import check
from warehouse.store import Store

POINT: dict[str, Any] = {}
COMMA: dict[str, Any] = {"decimal": ","}
GERMAN: dict[str, Any] = {"decimal": ",", "grouping": "."}
ENGLISH: dict[str, Any] = {"grouping": ","}
FRENCH: dict[str, Any] = {"decimal": ",", "grouping": " "}
SWISS: dict[str, Any] = {"grouping": "'"}
DOTTED: dict[str, Any] = {"date_format": "%d.%m.%Y"}
NUMBERS: list[tuple[dict[str, Any], str, str | None]] = [
    (COMMA, "1.100", None),
    (COMMA, "2.450", None),
    (COMMA, "1,100", "1.1"),
    (COMMA, "1100", "1100"),
    (COMMA, "1.1", None),
    (COMMA, "1.100,5", None),
    (COMMA, ",5", "0.5"),
    (POINT, "1,100", None),
    (POINT, "1.100", "1.1"),
    (POINT, "1,100.5", None),
    (POINT, "1 100", None),
    (GERMAN, "1.100", "1100"),
    (GERMAN, "1.100,5", "1100.5"),
    (GERMAN, "12.345.678", "12345678"),
    (GERMAN, "1.10", None),
    (GERMAN, "1.1000", None),
    (GERMAN, "1100.5", None),
    (GERMAN, "1100,5", "1100.5"),
    (GERMAN, "1,100.5", None),
    (ENGLISH, "1,100", "1100"),
    (ENGLISH, "1,1", None),
    (ENGLISH, "1,100.25", "1100.25"),
    (FRENCH, "1 100,5", "1100.5"),
    (FRENCH, "1\u00a0100,5", "1100.5"),
    (FRENCH, "1\u202f100", "1100"),
    (FRENCH, "1 10", None),
    (SWISS, "1'100.5", "1100.5"),
    (SWISS, "1’100.5", "1100.5"),
    (POINT, "1e3", None),
    (POINT, "--1", None),
    (POINT, "9" * 13, None),
    (POINT, "9" * 60, None),
]  # fmt: skip
DATES: list[tuple[dict[str, Any], str, date | None]] = [
    (DOTTED, "01.03.2020", date(2020, 3, 1)),
    (DOTTED, "1.3.2020", date(2020, 3, 1)),
    (DOTTED, "01.03.20", None),
    (DOTTED, "01.03.206", None),
    (DOTTED, "01.03.0016", None),
    (DOTTED, "2020-03-01 00:00:00", date(2020, 3, 1)),
    (DOTTED, "2020-03-01 14:30:00", date(2020, 3, 1)),
    (DOTTED, "2020-03-01T14:30", date(2020, 3, 1)),
    (DOTTED, "2020-03-01T23:30:00Z", None),
    (DOTTED, "2020-03-01", None),
    (DOTTED, "31.02.2020", None),
    (POINT, "16-03-01", None),
    (POINT, "206-03-01", None),
    (POINT, "0016-03-01", None),
    (POINT, "2016-03-01", date(2016, 3, 1)),
    (POINT, "2016-3-1", date(2016, 3, 1)),
]
YEARS: list[tuple[str, tuple[date | None, str | None]]] = [
    ("2016", (date(2016, 7, 1), "year")),
    ("16", (None, None)),
    ("206", (None, None)),
    ("0016", (None, None)),
    ("2016-03", (date(2016, 3, 15), "month")),
    ("16-03", (None, None)),
]
WIDE: list[tuple[type[RegistryTable], str, str, str, Decimal | None]] = [
    (Measurements, "longest_mm", "cm", "491701234567", None),
    (Measurements, "longest_mm", "cm", "49.17", Decimal("491.7")),
    (Treatments, "activity_administered_gbq", "MBq", "1234567890123456", None),
    (Treatments, "activity_administered_gbq", "MBq", "1850", Decimal("1.85")),
    (Treatments, "lung_shunt_fraction", "%", "123456789012345", None),
    (Treatments, "lung_shunt_fraction", "%", "5", Decimal("0.05")),
    (Treatments, "target_volume_ml", "L", "9" * 30, None),
    (Assessments, "weight_kg", "lb", "9" * 15, None),
    (Assessments, "weight_kg", "lb", "154.5", Decimal("70.080021")),
]
PERCENT: list[tuple[type[RegistryTable], str, str, Decimal | None]] = [
    (Patients, "ki67_pct", "5%", Decimal(5)),
    (Patients, "ki67_pct", "5 %", Decimal(5)),
    (Mappings, "lung_shunt_fraction", "5%", Decimal("0.05")),
    (Mappings, "lung_shunt_fraction", "0.05", Decimal("0.05")),
    (Measurements, "longest_mm", "5%", None),
]


def harmonised(
    cells: dict[str, list[str | None]],
    contract: type[RegistryTable],
    site: dict[str, Any],
    **source: Any,
) -> list[dict[str, Any]]:
    """The harmonised rows of raw text columns."""
    number = len(next(iter(cells.values())))
    place = {"source_file": ["f.csv"] * number, "source_row": list(range(1, number + 1))}
    table = harmonise(
        ibis.memtable(cells | place),
        contract,
        TableSource(**source),
        Site(**{"site_id": "north"} | site),
        "r",
    )
    return list(ibis.duckdb.connect().to_pyarrow(table).to_pylist())


def test_a_number_is_read_by_the_declared_signs_or_not_at_all() -> None:
    for site in {repr(s): s for s, _, _ in NUMBERS}.values():
        rows = [(cell, right) for s, cell, right in NUMBERS if s == site]
        cells: list[str | None] = [cell for cell, _ in rows]
        found = harmonised({"patient_id": cells, "value": cells}, Labs, site)
        read = {c: (r["value"], r["unread_value"]) for c, r in zip(cells, found, strict=True)}
        assert read == {
            cell: (Decimal(right), None) if right else (None, "number") for cell, right in rows
        }, site


@pytest.mark.parametrize(
    ("site", "cell", "right"), [(GERMAN, "1.950", 1950), (COMMA, "1.950", None)]
)
def test_whole_numbers_follow_the_same_signs(
    site: dict[str, Any], cell: str, right: int | None
) -> None:
    (row,) = harmonised({"patient_id": ["1"], "birth_year": [cell]}, Patients, site)
    assert row["birth_year"] == right


def test_a_year_has_four_digits_where_the_format_has_a_year() -> None:
    for site in (DOTTED, POINT):
        rows = [(cell, right) for s, cell, right in DATES if s == site]
        cells: list[str | None] = [cell for cell, _ in rows]
        found = harmonised({"patient_id": cells, "scan_date": cells}, Scans, site)
        read = [(r["scan_date"], r["unread_scan_date"]) for r in found]
        assert read == [(right, None if right else "date") for _, right in rows]


def test_a_year_by_itself_has_four_digits() -> None:
    cells: list[str | None] = [cell for cell, _ in YEARS]
    found = harmonised({"patient_id": cells, "diagnosis_date": cells}, Patients, POINT)
    read = [(r["diagnosis_date"], r["diagnosis_date_precision"]) for r in found]
    assert read == [right for _, right in YEARS]


@pytest.mark.parametrize(("contract", "name", "unit", "cell", "right"), WIDE)
def test_a_number_too_long_for_its_unit_is_not_read_and_stops_nothing(
    contract: type[RegistryTable], name: str, unit: str, cell: str, right: Decimal | None
) -> None:
    mapped = {name: {"from": "theirs", "unit": unit}}
    (row,) = harmonised({"patient_id": ["1"], "theirs": [cell]}, contract, POINT, columns=mapped)
    assert row[name] == right
    assert row[f"unread_{name}"] == (None if right else "number")


@pytest.mark.parametrize(("contract", "name", "cell", "right"), PERCENT)
def test_a_percent_sign_says_the_unit(
    contract: type[RegistryTable], name: str, cell: str, right: Decimal | None
) -> None:
    (row,) = harmonised({"patient_id": ["1"], name: [cell]}, contract, POINT)
    assert (row[name], row[f"unread_{name}"]) == (right, None if right else "number")


@pytest.mark.parametrize("value", ["1000000", "1500000.5", "999999999999", "0.000001"])
@pytest.mark.parametrize("analyte", ["chromogranin_a", "bilirubin", "haemoglobin", "platelets"])
def test_canonical_units_hold_the_largest_result(value: str, analyte: str) -> None:
    """An unknown analyte keeps its unit; a result too large to convert exactly keeps it too."""
    cells: dict[str, list[str | None]] = {
        "patient_id": ["1"], "analyte": [analyte], "value": [value], "unit": ["umol/L"],
        "upper_limit": [value],
    }  # fmt: skip
    (row,) = harmonised(cells, Labs, POINT, canonical_units=True)
    assert row["value"] is not None
    if row["unit"] == "umol/L":
        assert row["value"] == Decimal(value)


MISSING: dict[str, Any] = {"missing": ("UNK", "-999"), "format": "redcap", "redcap": {}}
FORM = {"instrument": "form"}
ANY = FORM | {"columns": {"functioning": {"any_of": ["sym___1", "sym___2"]}}}
ONE = FORM | {"columns": {"functioning": "sym___1"}}
YES = FORM | {"columns": {"functioning": "flushing"}}
REDCAP: list[tuple[str, dict[str, Any], dict[str, str | None], bool | None]] = [
    ("ticked", ANY, {"sym___1": "1", "sym___2": "0", "form_complete": "2"}, True),
    ("ticked on a form that is not complete", ANY, {"sym___1": "1", "form_complete": "0"}, True),
    ("not ticked on a complete form", ANY, {"sym___1": "0", "form_complete": "2"}, False),
    ("not ticked on an unverified form", ANY, {"sym___1": "0", "form_complete": "1"}, False),
    ("an untouched form", ANY, {"sym___1": "0", "form_complete": "0"}, None),
    ("an untouched form, status left blank", ANY, {"sym___1": "0", "form_complete": None}, None),
    ("blank boxes", ANY, {"sym___1": None, "sym___2": None, "form_complete": "2"}, None),
    ("the code in the box", ANY, {"sym___1": "UNK", "sym___2": "UNK", "form_complete": "2"}, None),
    (
        "the code's own box",
        ANY,
        {"sym___1": "0", "sym___2": "0", "sym___unk": "1", "form_complete": "2"},
        None,
    ),
    (
        "a negative code's own box",
        ANY,
        {"sym___1": "0", "sym___2": "0", "sym____999": "1", "form_complete": "2"},
        None,
    ),
    (
        "the code's own box is not ticked",
        ANY,
        {"sym___1": "0", "sym___unk": "0", "form_complete": "2"},
        False,
    ),
    ("one box by itself, ticked", ONE, {"sym___1": "1", "form_complete": "2"}, True),
    ("one box by itself, not ticked", ONE, {"sym___1": "0", "form_complete": "2"}, False),
    ("one box by itself, untouched", ONE, {"sym___1": "0", "form_complete": "0"}, None),
    (
        "one box by itself, the code's own box",
        ONE,
        {"sym___1": "0", "sym___unk": "1", "form_complete": "2"},
        None,
    ),
    ("a yes or no", YES, {"flushing": "0", "form_complete": "0"}, False),
    ("a yes or no that is unknown", YES, {"flushing": "UNK", "form_complete": "2"}, None),
    ("a yes or no that is -999", YES, {"flushing": "-999", "form_complete": "2"}, None),
]


@pytest.mark.parametrize(
    ("mapped", "cells", "right"), [case[1:] for case in REDCAP], ids=[case[0] for case in REDCAP]
)
def test_a_missing_data_code_of_redcap_is_never_no(
    mapped: dict[str, Any], cells: dict[str, str | None], right: bool | None
) -> None:
    whole: dict[str, str | None] = {"sym___1": "0", "sym___2": "0", "flushing": None} | cells
    raw: dict[str, Any] = {"record_id": ["1"]} | {
        n: ibis.memtable({"c": [v]}, schema={"c": "string"}).c.to_pyarrow() if v is None else [v]
        for n, v in whole.items()
    }
    (row,) = _redcap({n: v if isinstance(v, list) else [None] for n, v in raw.items()}, mapped)
    assert (row["functioning"], row["unread_functioning"]) == (right, None)


def _redcap(cells: dict[str, list[str | None]], mapped: dict[str, Any]) -> list[dict[str, Any]]:
    schema = dict.fromkeys(cells, "string") | {"source_file": "string", "source_row": "int64"}
    rows = cells | {"source_file": ["data.csv"], "source_row": [1]}
    raw = ibis.memtable(rows, schema=schema)
    table = harmonise(raw, Patients, TableSource(**mapped), Site(site_id="north", **MISSING), "r")
    return list(ibis.duckdb.connect().to_pyarrow(table).to_pylist())


FIELDS = {
    "radio": ("sex", {"codes": {"1": "female", "2": "male"}}, "UNK"),
    "date": ("diagnosis_date", {}, "-999"),
    "number": ("ki67_pct", {}, "UNK"),
    "integer": ("birth_year", {}, "-999"),
    "a survey nobody finished": ("diagnosis_date", {}, "[not completed]"),
}


@pytest.mark.parametrize("kind", FIELDS)
def test_a_missing_data_code_in_any_type_of_field_is_null_without_a_mark(kind: str) -> None:
    name, facts, code = FIELDS[kind]
    source = FORM | {"columns": {name: {"from": "field", **facts}}}
    (row,) = _redcap({"record_id": ["1"], "field": [code]}, source)
    assert (row[name], row[f"unread_{name}"], row["unreadable"]) == (None, None, None)


def test_an_optional_cell_that_cannot_be_read_is_named_and_gets_no_default() -> None:
    cells: dict[str, list[str | None]] = {
        "patient_id": ["1", "2", "3"],
        "lesion_id": ["a", "b", "c"],
        "organ": ["liverr", "", "node"],
        "index_lesion": ["perhaps", "", "0"],
    }
    found = harmonised(cells, Lesions, POINT)
    assert [(r["organ"], r["index_lesion"], r["unreadable"]) for r in found] == [
        (None, None, "|organ|index_lesion|"),
        ("liver", True, None),
        ("node", False, None),
    ]


def test_two_columns_that_meet_are_refused_by_name() -> None:
    cells: dict[str, list[str | None]] = {"patient_id": ["1"], "sex": ["male"], "S E-X": ["female"]}
    with pytest.raises(BadConfiguration, match=r"columns sex and S E-X, which are one name to us"):
        harmonised(cells, Patients, POINT)
    with pytest.raises(BadConfiguration, match=r"gender can be the column Gen\.der or the column"):
        harmonised(
            {"patient_id": ["1"], "Gen.der": ["male"], "GENDER ": ["female"]},
            Patients,
            POINT,
            columns={"sex": "gender"},
        )


def test_a_name_that_the_site_file_spells_exactly_is_in_no_doubt() -> None:
    cells: dict[str, list[str | None]] = {"patient_id": ["1"], "a_1": ["male"], "a1": ["female"]}
    (row,) = harmonised(cells, Patients, POINT, columns={"sex": "a1"})
    assert row["sex"] == "female"


HEADERS = ["Sex", "SEX", "sex ", "S E X", "s.e.x", "se-x", "s\u00a0ex", "S_e_X", "\u200bsex"]


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_is_ours_whatever_its_case_and_separators(header: str) -> None:
    (row,) = harmonised({"PATIENT-ID": ["007"], header: ["banana"]}, Patients, POINT)
    assert (row["patient_id"], row["sex"], row["unread_sex"]) == ("007", None, "code")


def test_every_column_of_every_table_in_other_cases_gives_the_same_rows(tmp_path: Path) -> None:
    """Received and loaded as a night does it."""
    found = []
    for number, case in enumerate((str, str.title, str.upper)):
        store = Store.open(tmp_path / f"store-{number}")
        deliver(store, "2021-01-01", **{table_name(c): _one_row(c, case) for c in TABLES})
        receive(store)
        folder = loaded(store, "2021-01-01") / "registry"
        found.append({n: _rows(folder / f"{n}.parquet") for n in map(table_name, TABLES)})
    assert all(len(rows) == 1 for rows in found[0].values()), found[0]
    assert found[1] == found[0]
    assert found[2] == found[0]


def _rows(path: Path) -> list[tuple[Any, ...]]:
    return duckdb.sql(f"SELECT * FROM '{path}'").fetchall()


VALUES = {
    "patient_id": "1", "birth_year": "1950", "contact_type": "visit", "vital_status": "alive",
    "dose_unit": "ug", "dose": "100", "unit": "mg/dL", "analyte": "bilirubin",
    "lower_limit": "0.1", "upper_limit": "1.2", "calibrated_at": "2020-02-28 12:00",
    "administered_at": "2020-03-01 12:00", "lung_shunt_fraction": "0.05", "birth": "1950",
    "diagnosis_date": "2019-05-01", "modality": "CT", "lesion_id": "l1", "status": "measured",
}  # fmt: skip


def _one_row(contract: type[RegistryTable], case: Any) -> str:
    """A header in some case, and a row that keeps every rule."""
    ours = [c for c in columns(contract) if c.name not in OURS_ALONE]
    return (
        "\n".join(",".join(line) for line in ([case(c.name) for c in ours], map(_sound, ours)))
        + "\n"
    )


def _sound(column: Column) -> str:
    if column.name in VALUES:
        return VALUES[column.name]
    if column.codes:
        return "day" if column.name.endswith("_precision") else column.codes[0]
    if column.dtype.is_date():
        return "2020-03-01"
    if column.dtype.is_boolean():
        return "1"
    return "1" if column.dtype.is_numeric() else "x"


CELL = st.one_of(
    st.sampled_from(
        ["", "0", "1", "-1", "1.100", "1,5", "9" * 20, "1e9", "nan", "UNK", "16", "2016", "2016-13",
         "0016-01-01", "2020-03-01 00:00:00", "9999-12-31", "true", "<1", "5%", "\u00a0", "\u200b",
         "'", "none", "CT", "|", "|evaluable|", "2020-02-30", "1e-07", "１２"]
    ),
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='",'), max_size=6
    ),
    st.dates().map(str),
    st.integers(-(10**20), 10**20).map(str),
)  # fmt: skip
HEADER = st.one_of(
    st.sampled_from([str.upper, str.title, lambda n: n.replace("_", " "), lambda n: f" {n}\u00a0"]),
    st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='",'), max_size=5)
    .map(lambda text: lambda name: name + text),
)  # fmt: skip


def _fuzz(data: st.DataObject, contract: type[RegistryTable]) -> None:
    """Cells and headers of one table: no traceback, no lost row."""
    ours = [c for c in columns(contract) if c.name not in OURS_ALONE]
    drawn = data.draw(st.lists(st.tuples(*[CELL] * len(ours)), min_size=1, max_size=3))
    styled = [data.draw(HEADER)(c.name) if data.draw(st.booleans()) else c.name for c in ours]
    site = Site(site_id="north", **data.draw(st.sampled_from([POINT, COMMA, GERMAN, DOTTED])))
    lines = [",".join(f'"{cell}"' for cell in row) for row in (styled, *drawn)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / f"{table_name(contract)}.csv").write_text("\n".join(lines) + "\n", "utf-8")
        if contract is not Patients:
            (folder / "patients.csv").write_text(_one_row(Patients, str), "utf-8")
        try:
            found = check(folder, site, date(2022, 1, 1))
        except (BadDelivery, BadConfiguration):
            return  # told in words
    (counts,) = [t for t in found.tables if t.table == table_name(contract)]
    assert counts.received == len(drawn)
    assert counts.received == counts.empty + counts.accepted + counts.quarantined


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.data())
def test_whatever_stands_in_any_column_of_any_table_no_row_is_lost(data: st.DataObject) -> None:
    _fuzz(data, data.draw(st.sampled_from(TABLES)))


@pytest.mark.long
@pytest.mark.parametrize("contract", TABLES, ids=table_name)
def test_whatever_stands_in_the_columns_of_a_table_no_row_is_lost(
    contract: type[RegistryTable],
) -> None:
    @settings(
        max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.data())
    def fuzzed(data: st.DataObject) -> None:
        _fuzz(data, contract)

    fuzzed()

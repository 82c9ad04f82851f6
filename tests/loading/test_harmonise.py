"""A centre's text becomes our types, and nothing that was filled in becomes null in silence."""

from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import pytest

from schemas.errors import BadConfiguration
from schemas.site import Site, TableSource
from schemas.tables.registry import (
    Labs,
    Measurements,
    Medications,
    Patients,
    RegistryTable,
    ReportedEndpoints,
)
from transforms.intake.harmonise import harmonise

SITE = {"site_id": "north", "missing": ("UNK", "-999")}


def harmonised(
    cells: dict[str, list[str | None]], contract: type[RegistryTable], **source: Any
) -> list[dict[str, Any]]:
    """Harmonise raw text columns."""
    site = Site(**SITE | source.pop("site", {}))
    number = len(next(iter(cells.values())))
    raw = ibis.memtable(
        cells | {"source_file": ["f.csv"] * number, "source_row": list(range(1, number + 1))}
    )
    table = harmonise(raw, contract, TableSource(**source), site, "2020-01-01-1")
    return list(ibis.duckdb.connect().to_pyarrow(table).to_pylist())


def column(name: str, cells: list[str | None], contract: type[RegistryTable], **source: Any) -> Any:
    """(value, broken rule) of one column."""
    patients = {"patient_id": [f"{i}" for i in range(len(cells))]}
    found = harmonised(patients | {name: cells}, contract, **source)
    return [(row[name], row[f"unread_{name}"]) for row in found]


def test_text_is_trimmed_and_leading_zeros_are_kept() -> None:
    assert harmonised({"patient_id": [" 007 "]}, Patients)[0]["patient_id"] == "007"


def test_missing_codes_and_blanks_are_null_without_a_mark() -> None:
    cells = ["UNK", " -999 ", "", None, "  "]
    assert column("ki67_pct", cells, Patients) == [(None, None)] * 5


def test_codes_of_reported_endpoints_have_one_spelling_before_keys_are_judged() -> None:
    """`OS` and `os`, `Control` and ` control`: a patient has one endpoint, and one group for it."""
    (first, second) = harmonised(
        {
            "patient_id": ["a", "a"],
            "endpoint": ["OS", " os "],
            "group": ["Best  supportive care", "best supportive CARE "],
        },
        ReportedEndpoints,
    )
    assert (first["endpoint"], first["group"]) == ("OS", "best supportive care")
    assert (second["endpoint"], second["group"]) == ("OS", "best supportive care")
    assert first["natural_key"] == second["natural_key"]


def test_a_reported_time_keeps_the_decimals_that_were_delivered() -> None:
    """A length in mm has six; a time has twelve, and a rule says where that is not exact."""
    cells = ["24", "23.95071869", "0.123456789012"]
    wanted = [(Decimal(cell), None) for cell in cells]
    assert column("time", cells, ReportedEndpoints) == wanted
    assert column("longest_mm", ["0.1234567"], Measurements) == [(Decimal("0.123457"), None)]


@pytest.mark.parametrize("cell", ["abc", "1,5", "1.2.3", "12 mm", "1e3", "NaN", "inf", "--1", "٣"])
def test_what_is_no_number_is_marked(cell: str) -> None:
    assert column("ki67_pct", [cell], Patients) == [(None, "number")]


def test_numbers_are_exact_and_decimal_commas_are_declared() -> None:
    comma = {"site": {"decimal": ","}}
    assert column("ki67_pct", ["1,54"], Patients, **comma) == [(Decimal("1.540000"), None)]
    assert column("ki67_pct", [".5", "5.", "+2"], Patients) == [
        (Decimal("0.500000"), None),
        (Decimal("5.000000"), None),
        (Decimal("2.000000"), None),
    ]


@pytest.mark.parametrize("cell", ["1960.5", "12a", "1 960"])
def test_an_integer_is_not_rounded_to(cell: str) -> None:
    assert column("birth_year", [cell], Patients) == [(None, "number")]


def test_yes_and_no_in_their_usual_spellings() -> None:
    cells: list[str | None] = ["1", "No", "TRUE", "f", "maybe"]
    assert column("functioning", cells, Patients) == [
        (True, None),
        (False, None),
        (True, None),
        (False, None),
        (None, "boolean"),
    ]


def test_dates_follow_the_declared_format_and_the_calendar() -> None:
    source = {"site": {"date_format": "%d/%m/%Y"}}
    cells: list[str | None] = ["05/04/2003", "31/02/2003", "2003-04-05", "29/02/2004"]
    assert column("diagnosis_date", cells, Patients, **source) == [
        (date(2003, 4, 5), None),
        (None, "date"),
        (None, "date"),
        (date(2004, 2, 29), None),
    ]


def test_a_partial_date_is_imputed_and_says_so_where_the_contract_allows_it() -> None:
    """A missing day becomes the 15th, a missing month 1 July."""
    patients = {"patient_id": ["1", "2", "3"], "diagnosis_date": ["2003-02-11", "2003-02", "2004"]}
    found = harmonised(patients, Patients)
    assert [(r["diagnosis_date"], r["diagnosis_date_precision"]) for r in found] == [
        (date(2003, 2, 11), "day"),
        (date(2003, 2, 15), "month"),
        (date(2004, 7, 1), "year"),
    ]


def test_a_partial_date_is_refused_where_the_contract_does_not_allow_it() -> None:
    assert column("scan_date", ["2003-02"], Measurements) == [(None, "date")]


def test_codes_are_mapped_and_one_that_is_not_listed_is_marked() -> None:
    source = {"columns": {"sex": {"from": "sex", "codes": {"1": "female", "2": "male", "9": ""}}}}
    cells: list[str | None] = ["1", "2", "9", "3"]
    assert column("sex", cells, Patients, **source) == [
        ("female", None),
        ("male", None),
        (None, None),
        (None, "code"),
    ]


def test_units_are_converted_exactly() -> None:
    source = {"columns": {"longest_mm": {"from": "longest_mm", "unit": "cm"}}}
    cells: list[str | None] = ["3.3", "0.07"]
    assert column("longest_mm", cells, Measurements, **source) == [
        (Decimal("33.000000"), None),
        (Decimal("0.700000"), None),
    ]


def test_an_unknown_unit_is_refused_with_those_we_know() -> None:
    source = {"columns": {"longest_mm": {"from": "longest_mm", "unit": "inch"}}}
    with pytest.raises(BadConfiguration, match=r"no conversion from inch to mm. Use one of mm, cm"):
        column("longest_mm", ["1"], Measurements, **source)


def test_a_mapped_column_that_the_export_lacks_is_refused_by_name() -> None:
    with pytest.raises(BadConfiguration, match="sex: the export has no column geschlecht"):
        column("birth_year", ["1960"], Patients, columns={"sex": "geschlecht"})


def test_a_comparator_is_kept_beside_its_number() -> None:
    cells = {"patient_id": ["1"], "analyte": ["bilirubin"], "value": ["< 0.2"], "unit": ["mg/dL"]}
    (row,) = harmonised(cells, Labs)
    assert (row["value"], row["value_comparator"], row["unread_value"]) == (
        Decimal("0.200000"),
        "<",
        None,
    )


def test_canonical_units_only_where_they_are_exact() -> None:
    """20.52 umol/L is 1.2 mg/dL; 61.5 is 3.596..., so that row stays in umol/L."""
    cells = {
        "patient_id": ["1", "2"],
        "analyte": ["bilirubin"] * 2,
        "value": ["20.52", "61.5"],
        "unit": ["µmol/L", "umol/l"],
        "upper_limit": ["20.52", "20.5"],
    }
    found = harmonised(cells, Labs, canonical_units=True)
    assert [(r["value"], r["unit"], r["upper_limit"]) for r in found] == [
        (Decimal("1.200000"), "mg/dL", Decimal("1.200000")),
        (Decimal("61.500000"), "umol/L", Decimal("20.500000")),
    ]


def test_wide_labs_become_one_row_per_analyte_and_blank_ones_are_empty() -> None:
    cells = {
        "patient_id": ["1"],
        "lab_date": ["2003-02-11"],
        "bili": ["1.1"],
        "alb": [""],
    }
    wide = [
        {"analyte": "bilirubin", "value": "bili", "unit": "mg/dL", "upper_limit": 1.2},
        {"analyte": "albumin", "value": "alb", "unit": "g/dL"},
    ]
    found = harmonised(cells, Labs, wide=wide)
    assert [(r["analyte"], r["value"], r["upper_limit"], r["is_empty"]) for r in found] == [
        ("bilirubin", Decimal("1.100000"), Decimal("1.200000"), False),
        ("albumin", None, None, True),
    ]


def test_an_untouched_form_answers_no_question() -> None:
    """Every checkbox of a form that nobody opened is exported as 0."""
    cells = {
        "patient_id": ["1", "2", "3"],
        "symptoms___1": ["0", "0", "1"],
        "form_complete": ["0", "2", "0"],
    }
    source = {"functioning": {"any_of": ["symptoms___1"], "complete": "form_complete"}}
    found = harmonised(cells, Patients, columns=source)
    assert [r["functioning"] for r in found] == [None, False, True]


def test_drug_names_are_lower_case_and_micrograms_have_one_spelling() -> None:
    cells = {"patient_id": ["1"], "drug": ["Octreotide"], "dose": ["200"], "dose_unit": ["mcg"]}
    (row,) = harmonised(cells, Medications)
    assert (row["drug"], row["dose_unit"]) == ("octreotide", "ug")

"""Bad rows are found by one compiled expression, and pandera finds the same ones."""

from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import pandera.errors
import pytest

from schemas.contract import Contract, columns, options, rows, table_name
from schemas.tables.outcomes import MemberSets
from schemas.tables.registry import (
    TABLES,
    Contacts,
    Labs,
    Medications,
    Patients,
    RegistryTable,
    ReportedEndpoints,
)
from tests.support.pipe_tables import table
from warehouse.engine.lineage import derivations
from warehouse.loading import validate

FINISHED = [d.contract for d in derivations().values() if d.contract is not MemberSets]
EXTRACTED = date(2030, 1, 1)


def found(contract: type[RegistryTable], text: str) -> list[tuple[int, str, str]]:
    """(row, rule, column) of every breach in a pipe table, rows counted from 1."""
    given = numbered(contract, text)
    bad = validate.bad_rows(given, contract, EXTRACTED)
    marked = ibis.duckdb.connect().to_pyarrow(bad).to_pylist()
    return sorted((r["_row"], r["rule_id"], r["column_name"]) for r in marked)


def numbered(contract: type[RegistryTable], text: str) -> Any:
    """The pipe table with row numbers and an id that is not missing."""
    given = table(contract, text)
    given = given.mutate(patient_id=ibis.coalesce(given.patient_id, "p"))
    return given.mutate(_row=given.source_row)


def test_every_kind_of_column_rule() -> None:
    text = """
    | sex    | birth_year | ki67_pct |
    | female | 1960       | 10       |
    | boy    | 1960       | 10       |
    | male   | 1879       | 10       |
    | male   | 1960       | 100.1    |
    |        |            |          |
    """
    assert found(Patients, text) == [
        (2, "unknown_code", "sex"),
        (3, "below_minimum", "birth_year"),
        (4, "above_maximum", "ki67_pct"),
    ]


def test_a_row_tells_all_its_breaches_at_once() -> None:
    text = """
    | lab_date | analyte   | value | unit |
    |          | bilirubin | -1    |      |
    """
    assert found(Labs, text) == [
        (1, "below_minimum", "value"),
        (1, "missing", "lab_date"),
        (1, "missing", "unit"),
    ]


def test_a_date_after_the_extraction_is_not_believed() -> None:
    text = """
    | contact_date | contact_type | vital_status |
    | 2030-01-01   | visit        | alive        |
    | 2030-01-02   | visit        | alive        |
    """
    assert found(Contacts, text) == [(2, "after_extraction", "contact_date")]


def test_milligrams_of_octreotide_are_micrograms() -> None:
    """X04 of the founding series: 200 mg subcutaneous is a thousand-fold error."""
    text = """
    | drug       | dose | dose_unit | route        |
    | octreotide | 200  | ug        | subcutaneous |
    | octreotide | 200  | mg        | subcutaneous |
    | octreotide | 0.2  | mg        | subcutaneous |
    | octreotide | 1    | mg        | sc           |
    | octreotide | 1001 | ug        | sc           |
    | octreotide | 20   | mg        | im           |
    """
    assert found(Medications, text) == [
        (2, "medications.octreotide_unit", "dose_unit"),
        (5, "medications.octreotide_unit", "dose_unit"),
    ]


def test_of_identical_rows_the_first_stays_and_of_conflicting_ones_none() -> None:
    given = numbered(
        Patients,
        """
        | patient_id | sex    |
        | a          | male   |
        | a          | male   |
        | b          | male   |
        | b          | female |
        | c          | male   |
        """,
    )
    bad = ibis.duckdb.connect().to_pyarrow(validate.duplicates(given, Patients)).to_pylist()
    assert sorted((r["_row"], r["rule_id"]) for r in bad) == [
        (2, "duplicate_row"),
        (3, "conflicting_key"),
        (4, "conflicting_key"),
    ]


def test_two_groups_of_one_patient_and_endpoint_conflict() -> None:
    given = numbered(
        ReportedEndpoints,
        """
        | patient_id | endpoint | group   |
        | a          | OS       | drug    |
        | a          | OS       | placebo |
        | b          | OS       | drug    |
        | b          | PFS      | placebo |
        """,
    )
    bad = ibis.duckdb.connect().to_pyarrow(validate.duplicates(given, ReportedEndpoints))
    assert sorted((r["_row"], r["rule_id"]) for r in bad.to_pylist()) == [
        (1, "conflicting_key"),
        (2, "conflicting_key"),
    ]


def test_a_row_without_its_parent_is_an_orphan() -> None:
    parents = table(Patients, "| patient_id |\n| a |")
    given = numbered(
        Labs,
        """
        | patient_id | lab_date | analyte   | value | unit  |
        | a          | d0       | bilirubin | 1     | mg/dL |
        | z          | d0       | bilirubin | 1     | mg/dL |
        """,
    )
    lost = validate.orphans(given, Labs, "patients", parents)
    bad = ibis.duckdb.connect().to_pyarrow(lost).to_pylist()
    assert [(r["_row"], r["rule_id"]) for r in bad] == [(2, "no_such_patient")]


@pytest.mark.parametrize("contract", TABLES, ids=table_name)
def test_pandera_refuses_what_the_compiled_rules_refuse(contract: type[RegistryTable]) -> None:
    """Two readings of one declaration: for each column, a value that breaks it breaks both."""
    for bad in _rounds(contract):
        given = _with(contract, bad)
        compiled = validate.bad_rows(given.mutate(_row=1), contract, EXTRACTED)
        marked = ibis.duckdb.connect().to_pyarrow(compiled).to_pylist()
        assert set(bad) <= {r["column_name"] for r in marked}
        with pytest.raises(pandera.errors.SchemaErrors) as refused:
            contract.validate(given, lazy=True)
        assert {e.schema.name for e in refused.value.schema_errors} == set(bad)


@pytest.mark.parametrize("contract", FINISHED, ids=table_name)
def test_a_finished_table_is_refused_for_each_of_its_columns(contract: type[Contract]) -> None:
    """A whole row is counted under no rule, and each breach under its rule and column."""
    by_name = {c.name: c for c in columns(contract)}
    whole = {n: _value(c) for n, c in by_name.items() if not c.nullable}
    assert not any(_tally(contract, [whole]).values())
    breaking = [(name, _number(by_name[name], bad)) for name, bad in _breaking(contract)]
    missing = [(name, None) for name in whole]
    found = _tally(contract, [whole | {name: bad} for name, bad in breaking + missing])
    for name in by_name:
        broken = sum(n or 0 for rule, n in found.items() if rule.endswith(f" {name}"))
        assert broken == [n for n, _ in breaking + missing].count(name), name


def _tally(contract: type[Contract], records: list[dict[str, Any]]) -> dict[str, int]:
    counted = validate.tally(rows(records, contract), contract)
    (found,) = ibis.duckdb.connect().to_pyarrow(counted).to_pylist()
    return dict(found)


def _value(column: Any) -> Any:
    if column.codes:
        return column.codes[0]
    if column.dtype.is_date():
        return date(2020, 1, 1)
    if column.dtype.is_boolean():
        return True
    if column.dtype.is_string():
        return "x"
    bounds = (column.minimum, column.maximum, 0.5 if column.dtype.is_floating() else 1)
    return _number(column, next(n for n in bounds if n is not None))


def _number(column: Any, value: Any) -> Any:
    """Arrow takes no float for a decimal or a whole number."""
    if not column.dtype.is_numeric() or isinstance(value, str):
        return value
    return value if column.dtype.is_floating() else Decimal(str(value))


def _breaking(contract: type[Contract]) -> list[tuple[str, Any]]:
    bad: list[tuple[str, Any]] = []
    for c in columns(contract):
        bad += [(c.name, "no such code")] if c.codes else []
        bad += [(c.name, c.minimum - 1)] if c.minimum is not None else []
        bad += [(c.name, c.maximum + 1)] if c.maximum is not None else []
        bad += [(c.name, c.above)] if c.above is not None else []
        bad += [(c.name, c.below)] if c.below is not None else []
    assert bad or not any(c.codes or c.minimum for c in columns(contract))
    return bad


def _rounds(contract: type[RegistryTable]) -> list[dict[str, Any]]:
    """Every breaking value once: in each round at most one of a column."""
    left = _breaking(contract)
    found: list[dict[str, Any]] = []
    while left:
        found.append(dict(reversed(left)))
        left = [(name, bad) for name, bad in left if found[-1][name] != bad]
    return found


def _with(contract: type[RegistryTable], bad: dict[str, Any]) -> Any:
    """One row whose only breaches of value are these."""
    given = table(contract, f"| {' | '.join(bad)} |\n| {' | '.join(map(str, bad.values()))} |")
    required = {c.name: _some(c) for c in columns(contract) if not c.nullable and c.name not in bad}
    moments = {c.name: c.dtype for c in columns(contract) if c.dtype.is_timestamp()}
    return given.mutate(**required).cast(moments)  # the engine calls them timestamp(6)


def _some(column: Any) -> Any:
    if column.codes:
        return ibis.literal(column.codes[0])
    if column.dtype.is_date():
        return ibis.literal("2020-01-01").cast("date")
    if column.dtype.is_boolean():
        return ibis.literal(True)
    return ibis.literal("x" if column.dtype.is_string() else 1).cast(column.dtype)


def test_rules_of_one_table_are_about_its_columns() -> None:
    for contract in TABLES:
        names = {c.name for c in columns(contract)}
        assert all(rule.column in names for rule in options(contract).rules)

"""What held rows may say: the worlds of a patient, by the declared alternatives of each rule."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.contract import options, table_name
from schemas.held_rows import ALTERNATIVES
from schemas.records.findings import CROSS_RULES, GENERAL
from schemas.tables.registry import TABLES
from warehouse.building.held_options import AS_NOW, MOST_WORLDS, Around, HeldRow, worlds_of
from warehouse.loading.validate import NO_DAY, UNREAD

EXTRACTED = date(2024, 6, 30)
AROUND = Around({}, EXTRACTED, date(2020, 3, 1))
PLACE = {"source_file": "f.csv", "source_row": 1, "row_id": "held-1"}


def row(table: str, rule: str, column: str, *, stands: bool = False, **cells: Any) -> HeldRow:
    return HeldRow("north", table, "A", ((rule, column),), PLACE | cells, stands, "key")


def said(held: list[HeldRow], column: str, around: Around = AROUND) -> list[Any]:
    """What the cell is in each world that has the row."""
    worlds = worlds_of(held, around).worlds
    return [record[column] for world in worlds for _, record in world.added]


def test_every_rule_that_sets_aside_or_marks_says_what_its_rows_may_be() -> None:
    own = [r for c in TABLES for r in options(c).rules]
    rules = {r.rule_id for r in (*GENERAL, *own, *CROSS_RULES) if r.severity == "reject"}
    rules |= {*UNREAD.values(), *NO_DAY}
    assert rules == set(ALTERNATIVES)


def test_the_cells_of_the_records_are_columns_of_the_tables() -> None:
    for rule, may in ALTERNATIVES.items():
        (contract,) = [c for c in TABLES if table_name(c) == rule.partition(".")[0]] or [None]
        for cells in may.says:
            assert contract is not None
            assert cells.keys() <= contract.to_schema().columns.keys()


def test_a_code_is_any_of_the_list_and_these_are_all() -> None:
    held = [row("measurements", "unknown_code", "status", status=None, unreadable=None)]
    told = ["measured", "too_small", "absent", "not_evaluable", "not_imaged"]
    assert said(held, "status") == told
    found = worlds_of(held, AROUND)
    assert found.closed
    assert found.worlds[0] == AS_NOW


def test_a_grade_is_any_whole_number_between_its_limits() -> None:
    held = [row("adverse_events", "not_a_number", "grade", stands=True, grade=None,
                unreadable="|grade|")]  # fmt: skip
    assert said(held, "grade") == [None, 1, 2, 3, 4, 5]
    worlds = worlds_of(held, AROUND).worlds
    assert all(r["unreadable"] is None for w in worlds for _, r in w.added)
    assert all(w.gone == (("adverse_events", "held-1"),) for w in worlds[1:])


def test_a_result_is_tried_at_its_extremes_and_near_the_patients_own() -> None:
    own = [{"analyte": "alt", "unit": "U/L", "value": Decimal(v)} for v in (20, 30)]
    other = {"analyte": "alt", "unit": "ukat/L", "value": Decimal(9)}
    name = ("labs", "value", "alt|U/L")
    around = Around(
        {"labs": [*own, other]}, EXTRACTED, None, {name: Decimal(5)}, {name: Decimal(900)}
    )
    held = [row("labs", "not_a_number", "value", analyte="alt", unit="U/L", value=None)]
    assert said(held, "value", around) == [0, 5, 900, 20, 30]
    assert not worlds_of(held, around).closed


def test_a_day_lies_between_the_first_and_the_extraction() -> None:
    held = [row("contacts", "not_a_date", "contact_date", contact_date=None)]
    days = said(held, "contact_date")
    assert days == [date(2020, 3, 1), date(2020, 3, 2), EXTRACTED]
    assert not worlds_of(held, AROUND).closed


def test_of_two_dates_in_the_wrong_order_one_is_not_known() -> None:
    onset, end = date(2021, 2, 1), date(2021, 1, 1)
    held = [row("adverse_events", "adverse_events.dates_in_order", "end_date",
                onset_date=onset, end_date=end)]  # fmt: skip
    assert said(held, "onset_date") == [None, onset]
    assert said(held, "end_date") == [end, None]


def test_swapped_limits_are_exchanged_or_one_is_wrong() -> None:
    held = [row("labs", "labs.limits_in_order", "upper_limit", lower_limit=Decimal(9),
                upper_limit=Decimal(2), analyte="alt", unit="U/L")]  # fmt: skip
    assert said(held, "lower_limit") == [2, None, 9]
    assert said(held, "upper_limit") == [9, 2, None]


def test_a_unit_error_is_undone_by_each_factor() -> None:
    """Bilirubin: 1 mg/dL is 17.1 umol/L, and powers of ten are tried for every analyte."""
    held = [row("labs", "labs.unit_error", "value", analyte="albumin", unit="g/dL",
                value=Decimal(40))]  # fmt: skip
    assert Decimal(4) in said(held, "value")


def test_of_conflicting_versions_one_is_right_or_none() -> None:
    held = [row("scans", "conflicting_key", "reader", evaluable=e) for e in (True, False)]
    worlds = worlds_of(held, AROUND).worlds
    assert [[r["evaluable"] for _, r in w.added] for w in worlds] == [[], [], [True], [False]]


def test_a_death_and_a_later_contact_leave_three_stories() -> None:
    """Dead on that day; alive at the contact; alive then and dead later."""
    held = {
        "death": {"contact_date": date(2021, 1, 1), "vital_status": "dead"},
        "phone": {"contact_date": date(2021, 5, 1), "vital_status": "alive"},
    }
    death, alive = (
        row("contacts", "contacts.alive_after_death", "contact_date", contact_type=kind, **cells)
        for kind, cells in held.items()
    )
    worlds = worlds_of([death, alive], AROUND).worlds
    told = [sorted((r["vital_status"], r["contact_date"]) for _, r in w.added) for w in worlds]
    assert [("dead", date(2021, 1, 1))] in told
    assert [("alive", date(2021, 5, 1))] in told
    assert [("alive", date(2021, 5, 1)), ("dead", EXTRACTED)] in told


@pytest.mark.parametrize("rule", ["no_such_scan", "no_such_lesion", "a_rule_without_a_record"])
def test_what_nobody_knows_is_named_by_its_table(rule: str) -> None:
    found = worlds_of([row("measurements", rule, "scan_date")], AROUND)
    assert (found.worlds, found.unknown) == ((AS_NOW,), {"measurements"})


def test_many_held_rows_vary_one_at_a_time_and_are_not_closed() -> None:
    held = [
        row("measurements", "unknown_code", "status", status=None, source_row=n) for n in range(6)
    ]
    found = worlds_of(held, AROUND)
    assert not found.closed
    assert len(found.worlds) <= MOST_WORLDS
    assert all(len(w.added) <= 1 for w in found.worlds)

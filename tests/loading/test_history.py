"""The memory of the past: what vanished, what was edited, which findings stay."""

from datetime import date
from pathlib import Path

import pytest

from schemas.site import Site
from tests.support.small_site import PATIENTS, SITE, deliver, loaded, quality, receive
from warehouse.store import Store

HEAD = "patient_id,lab_date,analyte,value,unit\n"
JAN, FEB, MAR = "2021-01-01", "2021-02-01", "2021-03-01"
DAY = {day: date.fromisoformat(day) for day in (JAN, FEB, MAR)}
EDIT = ("table_name", "column_name", "kind", "direction", "extraction_date", "since_date")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def night(store: Store, day: str, site: Site = SITE) -> Path:
    receive(store, site)
    return loaded(store, day, site)


def test_an_edited_cell_is_told_with_its_direction_and_without_its_value(store: Store) -> None:
    """Bilirubin down and albumin down: the one reads better, the other worse."""
    first = "1,2020-03-01,bilirubin,3.1,mg/dL\n1,2020-03-01,albumin,4.0,g/dL\n"
    then = "1,2020-03-01,bilirubin,1.1,mg/dL\n1,2020-03-01,albumin,3.0,g/dL\n"
    deliver(store, JAN, patients=PATIENTS, labs=HEAD + first)
    deliver(store, FEB, patients=PATIENTS.replace("2,male", "2,"), labs=HEAD + then)
    folder = night(store, FEB)
    assert quality(folder, "edits", *EDIT) == [
        ("labs", "value", "changed", "better", DAY[FEB], DAY[JAN]),
        ("labs", "value", "changed", "worse", DAY[FEB], DAY[JAN]),
        ("patients", "sex", "cleared", "unclear", DAY[FEB], DAY[JAN]),
    ]
    assert quality(folder, "vanished", "table_name") == []


def test_a_value_in_another_unit_reads_neither_better_nor_worse(store: Store) -> None:
    deliver(store, JAN, patients=PATIENTS, labs=HEAD + "1,2020-03-01,bilirubin,1,mg/dL\n")
    deliver(store, FEB, patients=PATIENTS, labs=HEAD + "1,2020-03-01,bilirubin,17.1,umol/L\n")
    assert quality(night(store, FEB), "edits", "column_name", "direction") == [
        ("unit", "unclear"),
        ("value", "unclear"),
    ]


def test_a_code_further_down_the_list_is_worse_and_unknown_has_no_place(store: Store) -> None:
    head = "patient_id,assessment_date,ascites,symptom_change\n"
    deliver(store, JAN, patients=PATIENTS, assessments=head + "1,2020-03-01,slight,worse\n")
    deliver(store, FEB, patients=PATIENTS, assessments=head + "1,2020-03-01,none,unknown\n")
    assert quality(night(store, FEB), "edits", "column_name", "direction") == [
        ("ascites", "better"),
        ("symptom_change", "unclear"),
    ]


def test_a_record_that_is_no_longer_delivered_has_vanished(store: Store) -> None:
    deliver(store, JAN, patients=PATIENTS)
    deliver(store, FEB, patients="patient_id,sex\n1,female\n")
    found = quality(
        night(store, FEB), "vanished", "table_name", "extraction_date", "last_seen_date"
    )
    assert found == [("patients", DAY[FEB], DAY[JAN])]


def test_a_record_that_is_set_aside_has_not_vanished(store: Store) -> None:
    deliver(store, JAN, patients=PATIENTS)
    deliver(store, FEB, patients=PATIENTS.replace("2,male", "2,boy"))
    assert quality(night(store, FEB), "vanished", "table_name") == []


def test_a_delivery_that_arrives_late_takes_its_place_and_invents_no_edit(store: Store) -> None:
    """January arrives after March: the order of extraction decides, not that of arrival."""
    female, male, gone = PATIENTS, PATIENTS.replace("female", "male"), "patient_id,sex\n1,male\n"
    deliver(store, FEB, patients=male)
    receive(store)
    deliver(store, MAR, patients=gone)
    receive(store)
    deliver(store, JAN, patients=female)
    late = night(store, MAR)
    other = Store.open(store.root.parent / "in_order")
    for day, text in ((JAN, female), (FEB, male), (MAR, gone)):
        deliver(other, day, patients=text)
        receive(other)
    in_order = loaded(other, MAR)
    for table in ("edits", "vanished"):
        assert quality(late, table, "*") == quality(in_order, table, "*")
    assert quality(late, "edits", *EDIT) == [
        ("patients", "sex", "changed", "unclear", DAY[FEB], DAY[JAN])
    ]


def test_a_correction_of_the_same_day_leaves_no_edit(store: Store) -> None:
    deliver(store, JAN, patients=PATIENTS)
    receive(store)
    deliver(store, JAN, patients=PATIENTS.replace("female", "male"))
    assert quality(night(store, JAN), "edits", "*") == []


def test_a_night_does_not_know_what_was_extracted_after_it(store: Store) -> None:
    deliver(store, JAN, patients=PATIENTS)
    deliver(store, FEB, patients=PATIENTS.replace("female", "male"))
    assert quality(night(store, JAN), "edits", "*") == []


def test_a_finding_is_new_then_persists_and_is_resolved(store: Store) -> None:
    bad = PATIENTS.replace("female", "girl")
    known = ("rule_id", "status", "first_seen_date", "last_seen_date", "source_row")
    deliver(store, JAN, patients=bad)
    assert quality(night(store, JAN), "finding_history", *known) == [
        ("unknown_code", "new", DAY[JAN], DAY[JAN], 1)
    ]
    deliver(store, FEB, patients="patient_id,sex\n2,male\n1,girl\n")
    assert quality(night(store, FEB), "finding_history", *known) == [
        ("unknown_code", "persisting", DAY[JAN], DAY[FEB], 2)
    ]
    deliver(store, MAR, patients=PATIENTS)
    assert quality(night(store, MAR), "finding_history", *known) == [
        ("unknown_code", "resolved", DAY[JAN], DAY[FEB], None)
    ]


CONTACT = {
    "instrument": "contact",
    "columns": {
        "contact_date": "ct_date",
        "contact_type": {"constant": "visit"},
        "vital_status": {"constant": "alive"},
    },
}
REDCAP = Site.model_validate(
    {
        "site_id": "north",
        "origin": "synthetic",
        "format": "redcap",
        "redcap": {"data": "data.csv", "dictionary": None, "record": "record_id"},
        "tables": {"contacts": [CONTACT]},
    }
)


def test_a_record_with_another_date_is_the_same_record_where_redcap_names_it(
    store: Store,
) -> None:
    """The natural key of a contact is its date; REDCap's instance says that it was edited."""
    head = "record_id,redcap_repeat_instrument,redcap_repeat_instance,ct_date,contact_complete\n"
    deliver(store, JAN, data=head + "1,contact,1,2020-01-02,2\n1,contact,2,2020-05-02,2\n")
    deliver(store, FEB, data=head + "1,contact,1,2020-01-03,2\n1,contact,2,2020-05-02,2\n")
    folder = night(store, FEB, REDCAP)
    assert quality(folder, "edits", "table_name", "column_name", "kind") == [
        ("contacts", "contact_date", "changed")
    ]
    assert quality(folder, "vanished", "table_name") == []

"""Rows without a number of their own: two episodes are two rows, in whatever order they come."""

import random
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.small_site import PATIENTS, counts, deliver, loaded, quality, receive
from warehouse.store import Store

DAY, NEXT = "2021-01-01", "2021-02-01"
EVENTS = "patient_id,term,onset_date,end_date,grade\n"
TWO = ("1,nausea,2020-04-01,2020-04-03,1", "1,nausea,2020-06-01,,2")
LABS = "patient_id,lab_date,lab_time,analyte,value,unit\n"
Case = tuple[str, str, tuple[str, ...], list[tuple[Any, ...]], list[str]]

CASES: dict[str, Case] = {
    "two episodes": ("adverse_events", EVENTS, TWO, [(1, 1), (2, 2)], []),
    "three, one of them copied": (
        "adverse_events",
        EVENTS,
        (*TWO, "1,nausea,2020-05-01,,3", TWO[0]),
        [(1, 1), (2, 3), (3, 2)],
        ["duplicate_row"],
    ),
    "an unknown first day comes last": (
        "adverse_events",
        EVENTS,
        ("1,nausea,,,3", *TWO),
        [(1, 1), (2, 2), (3, 3)],
        [],
    ),
    "copies alone": ("adverse_events", EVENTS, (TWO[0], TWO[0]), [(1, 1)], ["duplicate_row"]),
    "one day, told apart by the grade": (
        "adverse_events",
        EVENTS,
        ("1,nausea,2020-04-01,,2", "1,nausea,2020-04-01,,1"),
        [(1, 1), (2, 2)],
        [],
    ),
    "draws by their time": (
        "labs",
        LABS,
        ("1,2020-03-01,16:00,alt,30,U/L", "1,2020-03-01,08:00,alt,90,U/L"),
        [(1, 90), (2, 30)],
        [],
    ),
    "draws without a time, by their value": (
        "labs",
        LABS,
        ("1,2020-03-01,,alt,90,U/L", "1,2020-03-01,,alt,30,U/L"),
        [(1, 30), (2, 90)],
        [],
    ),
    "a number given keeps its place": (
        "labs",
        LABS.replace("lab_time", "sequence"),
        ("1,2020-03-01,1,alt,90,U/L", "1,2020-03-01,,alt,30,U/L"),
        [(1, 90), (2, 30)],
        [],
    ),
    "numbers given twice": (
        "labs",
        LABS.replace("lab_time", "sequence"),
        ("1,2020-03-01,1,alt,90,U/L", "1,2020-03-01,1,alt,30,U/L"),
        [],
        ["conflicting_key", "conflicting_key"],
    ),
    "two courses of a drug": (
        "medications",
        "patient_id,drug,dose,start_date\n",
        ("1,octreotide,20,2020-03-01", "1,octreotide,30,2020-02-01"),
        [(1, 30), (2, 20)],
        [],
    ),
    "two further therapies": (
        "subsequent_therapies",
        "patient_id,therapy_class,start_date\n",
        ("1,chemotherapy,2020-09-01", "1,chemotherapy,2020-08-01"),
        [(1, "2020-08-01"), (2, "2020-09-01")],
        [],
    ),
    "two earlier therapies": (
        "prior_therapies",
        "patient_id,therapy_class,start_date\n",
        ("1,surgery,2019-09-01", "1,surgery,2018-09-01"),
        [(1, "2018-09-01"), (2, "2019-09-01")],
        [],
    ),
}
SHOWN = {
    "adverse_events": "grade",
    "labs": "value::INT",
    "medications": "dose::INT",
    "subsequent_therapies": "start_date::DATE::VARCHAR",
    "prior_therapies": "start_date::DATE::VARCHAR",
}


@pytest.mark.parametrize("name", CASES)
def test_rows_without_a_number_are_numbered_by_date_and_content(name: str, tmp_path: Path) -> None:
    """What stands where in the file decides nothing: every order gives the same rows and ids."""
    table, head, rows, expected, aside = CASES[name]
    made = []
    for turn in range(2):
        lines = list(rows)
        random.Random(turn).shuffle(lines)
        lines = lines if turn else list(rows)
        store = Store.open(tmp_path / f"store{turn}")
        deliver(store, DAY, patients=PATIENTS, **{table: head + "\n".join(lines) + "\n"})
        receive(store)
        folder = loaded(store, DAY)
        assert [r for (r,) in quality(folder, "quarantine", "rule_id")] == aside
        _, _, accepted, quarantined = counts(folder)[table]
        assert (accepted, quarantined) == (len(rows) - len(aside), len(aside))
        made.append(_rows(folder, table, f"sequence, {SHOWN[table]}, row_id"))
    assert [r[:2] for r in made[0]] == expected
    assert made[0] == made[1]


def _rows(folder: Path, table: str, names: str) -> list[tuple[Any, ...]]:
    path = folder / "registry" / f"{table}.parquet"
    return duckdb.sql(f"SELECT {names} FROM '{path}' ORDER BY ALL").fetchall()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def _nights(store: Store, before: tuple[str, ...], after: tuple[str, ...]) -> Path:
    for day, rows in ((DAY, before), (NEXT, after)):
        text = EVENTS + "\n".join(rows) + "\n"
        deliver(store, day, patients=PATIENTS, adverse_events=text)
    receive(store)
    return loaded(store, NEXT)


EARLIER = "1,nausea,2020-03-15,,1"


@pytest.mark.parametrize("before", [TWO, TWO[:1], TWO[1:]])
def test_an_earlier_episode_told_later_edits_and_removes_nothing(
    store: Store, before: tuple[str, ...]
) -> None:
    """It takes the first number; the others are the same rows, whatever number they have now."""
    folder = _nights(store, before, (*before, EARLIER))
    assert quality(folder, "edits", "column_name") == []
    assert quality(folder, "vanished", "table_name") == []


def test_of_several_rows_the_one_that_is_gone_has_vanished(store: Store) -> None:
    """The first of two is gone; the second stands alone now and is no edit of the first."""
    folder = _nights(store, TWO, TWO[1:])
    gone = quality(folder, "vanished", "table_name", "extraction_date")
    assert gone == [("adverse_events", date.fromisoformat(NEXT))]
    assert quality(folder, "edits", "column_name") == []


def test_a_single_row_that_is_changed_is_edited_as_before(store: Store) -> None:
    folder = _nights(store, TWO[:1], ("1,nausea,2020-04-01,2020-04-03,2",))
    assert quality(folder, "edits", "column_name", "direction") == [("grade", "worse")]
    assert quality(folder, "vanished", "table_name") == []

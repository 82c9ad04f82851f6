"""Exports that lose something without a word, in every format: what becomes of each.

A delivery is a few tables, written as CSV, as a workbook, as Parquet or as a REDCap export. What
must become of it is said beside it; every row that was received is empty, accepted, set aside or of
another group.
"""

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest

from schemas.site import Site
from tests.support.damaged_deliveries import parquet, sheet_row, workbook
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.intake.receipts import visible
from warehouse.loading import delivery_cache
from warehouse.receiving.inbox import receive
from warehouse.store import Store

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
FORMATS = ("csv", "xlsx", "parquet", "redcap")
PLAIN = ("csv", "xlsx", "parquet")
DICTIONARY = """field_name,form_name,field_type,select_choices_or_calculations
record_id,patients,text,
sex,patients,text,
birth_year,patients,text,
remark,patients,text,
contact_date,contacts,text,
contact_type,contacts,text,
vital_status,contacts,text,
seen,contacts,text,
hobby,leisure,text,
"""


def people(number, *, name="sex", remark=False):
    """The table of so many patients."""
    found = {"patient_id": [f"P{n}" for n in range(1, number + 1)], name: ["male"] * number}
    found["birth_year"] = ["1950"] * number
    return found | ({"remark": ["x"] * number} if remark else {})


def seen(number, *, day="2020-01-01"):
    """A contact of each of so many patients."""
    return {
        "patient_id": [f"P{n}" for n in range(1, number + 1)],
        "contact_date": [day] * number,
        "contact_type": ["visit"] * number,
        "vital_status": ["alive"] * number,
    }


WHOLE = {"patients": people(100), "contacts": seen(100)}


@dataclass(frozen=True)
class Case:
    """Tables, what must become of them after WHOLE was received, and what must be told."""

    tables: dict
    status: str
    told: str = ""
    unused: str = ""
    formats: tuple = FORMATS


CASES = {
    "the same again, and more": Case({"patients": people(120), "contacts": seen(120)}, "accepted"),
    "a column that nobody uses": Case(
        {"patients": people(100, remark=True), "contacts": seen(100)},
        "accepted",
        unused="patients: not used: remark",
    ),
    "an optional column that was renamed": Case(
        {"patients": people(100, name="gender"), "contacts": seen(100)},
        "accepted",
        unused="patients: gone since the last good delivery: sex; not used: gender",
        formats=PLAIN,
    ),
    "79 of 100 rows": Case(
        {"patients": people(79), "contacts": seen(79)},
        "held",
        "79 of 100: under 80 percent of the rows",
    ),
    "80 of 100 rows": Case({"patients": people(80), "contacts": seen(80)}, "accepted"),
    "one table of which two thirds are gone": Case(
        {"patients": people(100), "contacts": seen(33)}, "held", "contacts 33 of 100"
    ),
    "a table that is gone": Case({"patients": people(100)}, "held", "contacts 0 of 100"),
    "a table with its header only": Case(
        {"patients": people(100), "contacts": seen(0)}, "held", "contacts 0 of 100"
    ),
    "contacts of other patients": Case(
        {
            "patients": people(100),
            "contacts": seen(100) | {"patient_id": [f"Q{n}" for n in range(100)]},
        },
        "refused",
        "contacts: 100 rows, and none can be taken",
        formats=PLAIN,
    ),
    "contacts after the extraction": Case(
        {"patients": people(100), "contacts": seen(100, day="2027-01-01")},
        "refused",
        "contacts: 100 rows, and none can be taken",
    ),
    "dates in another format": Case(
        {"patients": people(100), "contacts": seen(100, day="01.02.2020")},
        "refused",
        "100 of 100 filled-in cells cannot be read",
    ),
    "a table under other names": Case(
        {
            "patients": people(100),
            "contacts": {"Patient": ["P1"] * 100, "When": ["x"] * 100, "State": ["y"] * 100},
        },
        "refused",
        "contacts: none of its columns is one of ours",
        formats=PLAIN,
    ),
    "a title above the names": Case(
        {"patients": people(100), "contacts": {"Contacts until March": ["contact_date"] * 100}},
        "refused",
        "contacts: none of its columns is one of ours",
        formats=PLAIN,
    ),
    "a first column without a name": Case(
        {"patients": {"": [str(n) for n in range(100)]} | people(100), "contacts": seen(100)},
        "accepted",
        unused="patients: not used: unnamed_column_1",
        formats=PLAIN,
    ),
    "a file that matches no table": Case(
        WHOLE | {"follow": {"a": ["1"], "b": ["2"]}},
        "accepted",
        "matches no table",
        unused="follow",
    ),
    "a form that nobody uses": Case(
        WHOLE | {"leisure": {"patient_id": ["P1"], "hobby": ["chess"]}},
        "accepted",
        unused="form leisure: nothing of it is used",
        formats=("redcap",),
    ),
    "a form of which one field is unused": Case(
        {"patients": people(100), "contacts": seen(100) | {"seen": ["x"] * 100}},
        "accepted",
        unused="form contacts: not used: seen",
        formats=("redcap",),
    ),
}
EVERY = [(name, form) for name, case in CASES.items() for form in case.formats]


def site_of(form):
    """A site whose names are ours, in one of the formats."""
    if form != "redcap":
        return Site(site_id="north", origin="synthetic")
    tables = {name: [{"instrument": name}] for name in ("patients", "contacts")}
    return Site(site_id="north", origin="synthetic", format="redcap", redcap={}, tables=tables)


def written(form, tables):
    """The files of an export in one of the formats."""
    if form == "redcap":
        return of_project(tables)
    if form == "xlsx":
        return {"export.xlsx": workbook(**{n: _sheet(t) for n, t in tables.items()})}
    if form == "parquet":
        return {f"{n}.parquet": parquet(**t) for n, t in tables.items()}
    return {f"{n}.csv": _csv(list(t), zip(*t.values(), strict=True)) for n, t in tables.items()}


def of_project(tables):
    """The flat export of a project with a form of patients and repeating ones; files beside it."""
    beside = {n: t for n, t in tables.items() if "patient_id" not in t}
    forms = {n: t for n, t in tables.items() if n not in beside}
    keys = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance"]
    fields = [n for t in forms.values() for n in t if n != "patient_id"]
    header = [*keys, *dict.fromkeys(fields)]
    rows = []
    for name, table in forms.items():
        for place, record in enumerate(table["patient_id"]):
            cells = {n: column[place] for n, column in table.items()} | {"record_id": record}
            cells |= {} if name == "patients" else {keys[1]: name, keys[2]: "1"}
            rows.append([cells.get(column, "") for column in header])
    files = {"data.csv": _csv(header, rows), "dictionary.csv": DICTIONARY.encode()}
    return files | written("csv", beside)


def _csv(header, rows):
    out = io.StringIO()
    for row in [header, *rows]:
        out.write(",".join(row) + "\n")
    return out.getvalue().encode()


def _sheet(table):
    rows = [list(table), *map(list, zip(*table.values(), strict=True))]
    cells = [
        "".join(
            f'<c r="{"ABCDEFGH"[place]}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
            for place, cell in enumerate(row)
            if cell
        )
        for number, row in enumerate(rows, 1)
    ]
    return "".join(sheet_row(number, cell) for number, cell in enumerate(cells, 1))


def received(store, form, day, tables):
    """The receipt of tables that a site delivers in one of the formats."""
    folder = store.site_inbox("north") / f"2026-02-{day:02}"
    folder.mkdir(parents=True)
    for name, data in written(form, tables).items():
        (folder / name).write_bytes(data)
    (receipt,) = receive(store, site_of(form), now=NOW).receipts
    return receipt


@pytest.mark.parametrize(("name", "form"), EVERY)
def test_nothing_is_lost_without_a_word(tmp_path, name, form):
    case, store = CASES[name], Store.open(tmp_path / "store")
    first = received(store, form, 1, WHOLE)
    assert (first.status, first.wrong) == ("accepted", "")
    receipt = received(store, form, 2, case.tables)
    assert receipt.status == case.status
    assert case.told in receipt.wrong
    assert case.told or not receipt.wrong
    assert case.unused.removeprefix("form ") in " ".join(receipt.unused)
    in_force = visible(store, "north", date(2026, 2, 9))
    assert in_force == (receipt if case.status == "accepted" else first)
    loaded = delivery_cache.ready(store, site_of(form), in_force, DEMONSTRATION_KEY, {})
    for row in pq.read_table(loaded / "quality" / "row_counts.parquet").to_pylist():
        parts = ("empty", "accepted", "quarantined", "other_group")
        assert row["received"] == sum(row[n] for n in parts)

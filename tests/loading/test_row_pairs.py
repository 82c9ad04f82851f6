"""Which row of a later delivery is which of an earlier one, on rows written by hand."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.contract import Contract, schema, table_name
from schemas.tables.registry import AdverseEvents, Contacts
from warehouse.loading import row_pairs

Row = Mapping[str, object]


def contact(subject: str, day: str, kind: str = "visit", key: str = "") -> Row:
    """An accepted row of contacts; its ids tell the natural key and the source key."""
    ids = {"row_id": f"{subject} {day} {kind}", "source_key": key or f"{subject} {day} {kind}"}
    return ids | {"subject_id": subject, "contact_date": day, "contact_type": kind}


def event(sequence: int, start: str, grade: int) -> Row:
    """An accepted row of adverse events of one patient, numbered by us."""
    said = {"subject_id": "p", "term": "nausea", "start_date": start, "grade": grade}
    return said | {"sequence": sequence, "row_id": f"n {sequence}", "source_key": f"s {sequence}"}


def delivery(folder: Path, contract: type[Contract], rows: list[Row], aside: list[Row]) -> Path:
    """A loaded delivery: the accepted rows, and the index of all."""
    kinds = schema(contract).to_pyarrow()
    for name in ("row_id", "subject_id", "source_key"):
        kinds = kinds if name in kinds.names else kinds.append(pa.field(name, pa.string()))
    texts = pa.schema([pa.field(f.name, pa.string()) for f in kinds])
    records = [{n: None if r.get(n) is None else str(r[n]) for n in texts.names} for r in rows]
    name = table_name(contract)
    (folder / "registry").mkdir(parents=True)
    pq.write_table(
        pa.Table.from_pylist(records, texts).cast(kinds), folder / "registry" / f"{name}.parquet"
    )
    index = [{"table_name": name, "source_key": str(r["source_key"])} for r in [*rows, *aside]]
    named = pa.schema([("table_name", pa.string()), ("source_key", pa.string())])
    pq.write_table(pa.Table.from_pylist(index, named), folder / "rows.parquet")
    return folder


def matched(
    root: Path,
    contract: type[Contract],
    before: list[Row],
    after: list[Row],
    aside: tuple[list[Row], list[Row]] = ([], []),
) -> set[tuple[str, str]]:
    """Old and new id of every row that is known again under another natural key."""
    sides = [
        delivery(root / side, contract, rows, gone)
        for side, rows, gone in zip(("before", "after"), (before, after), aside, strict=True)
    ]
    with duckdb.connect() as con:
        row_pairs.start(con.execute)
        assert row_pairs.match(con.execute, contract, *sides)
        return set(con.execute("SELECT old_id, new_id FROM matched").fetchall())


def test_a_corrected_date_is_a_part_of_the_key_and_the_row_is_the_same(tmp_path: Path) -> None:
    stays = contact("p", "2020-01-01")
    old, new = contact("p", "2020-12-15", "death"), contact("p", "2021-09-15", "death")
    found = matched(tmp_path, Contacts, [stays, old], [stays, new])
    assert found == {("p 2020-12-15 death", "p 2021-09-15 death")}


@pytest.mark.parametrize(
    "right",
    [
        pytest.param([contact("q", "2021-09-15", "death")], id="another patient"),
        pytest.param([contact("p", "2021-09-15", "visit")], id="two columns differ"),
        pytest.param(
            [contact("p", "2021-09-15", "death"), contact("p", "2021-10-15", "death")], id="which"
        ),
    ],
)
def test_a_row_that_could_be_another_is_no_other(tmp_path: Path, right: list[Row]) -> None:
    assert matched(tmp_path, Contacts, [contact("p", "2020-12-15", "death")], right) == set()


def test_a_row_that_was_set_aside_is_no_other(tmp_path: Path) -> None:
    old, new = contact("p", "2020-12-15", "death"), contact("p", "2021-09-15", "death")
    assert matched(tmp_path, Contacts, [old], [new], ([], [old])) == set()


def test_a_redcap_instance_names_its_row_whatever_changes_in_it(tmp_path: Path) -> None:
    old = contact("p", "2020-12-15", "visit", "p|e|contact|2")
    new = contact("p", "2021-09-15", "death", "p|e|contact|2")
    found = matched(tmp_path, Contacts, [old], [new])
    assert found == {("p 2020-12-15 visit", "p 2021-09-15 death")}


def test_instances_that_were_numbered_anew_change_no_row(tmp_path: Path) -> None:
    """A visit entered between two others takes the second's number; all that was said stands."""
    first, second = "p|e|contact|1", "p|e|contact|2"
    before = [contact("p", "2020-01-01", key=first), contact("p", "2020-03-01", key=second)]
    after = [
        contact("p", "2020-01-01", key=first),
        contact("p", "2020-02-01", key=second),
        contact("p", "2020-03-01", key="p|e|contact|3"),
    ]
    assert matched(tmp_path, Contacts, before, after) == set()


def test_a_number_that_we_made_moves_with_a_further_row_of_the_day(tmp_path: Path) -> None:
    before = [event(1, "2020-01-05", 2)]
    after = [event(1, "2020-01-02", 1), event(2, "2020-01-05", 2)]
    assert matched(tmp_path, AdverseEvents, before, after) == {("n 1", "n 2")}


def test_a_number_that_we_made_moves_when_an_earlier_row_is_taken_back(tmp_path: Path) -> None:
    before = [event(1, "2020-01-02", 1), event(2, "2020-01-05", 2)]
    after = [event(1, "2020-01-05", 2)]
    assert matched(tmp_path, AdverseEvents, before, after) == {("n 2", "n 1")}

"""What a centre may leave out of a treatment or a contact, and what stands in its place."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.small_site import PATIENTS, counts, deliver, loaded, quality, receive
from warehouse.store import Store

DAY = "2021-01-01"


def rows(folder: Path, table: str, names: str) -> list[tuple[Any, ...]]:
    path = folder / "registry" / f"{table}.parquet"
    return duckdb.sql(f"SELECT {names} FROM '{path}' ORDER BY ALL").fetchall()


def delivered(tmp_path: Path, **tables: str) -> Path:
    store = Store.open(tmp_path / "store")
    deliver(store, DAY, patients=PATIENTS, **tables)
    receive(store)
    return loaded(store, DAY)


def test_a_treatment_without_device_or_lobe_stays_and_is_told(tmp_path: Path) -> None:
    """The day of the first treatment is what survival is counted from: it is not lost."""
    text = (
        "patient_id,session_id,target_id,treatment_date,device,lobe\n"
        "1,s1,t1,2020-03-01,,right\n2,s1,t1,2020-03-02,glass,\n2,s2,t1,2020-06-02,glas,left\n"
    )
    folder = delivered(tmp_path, treatments=text)
    assert counts(folder)["treatments"] == (3, 0, 3, 0)
    assert rows(folder, "treatments", "patient_id, session_id, device, lobe") == [
        ("1", "s1", "unknown", "right"),
        ("2", "s1", "glass", "unknown"),
        ("2", "s2", None, "left"),
    ]
    assert quality(folder, "findings", "column_name", "rule_id", "source_row") == [
        ("device", "treatments.no_device", 1),
        ("device", "unknown_code", 3),
        ("lobe", "treatments.no_lobe", 2),
    ]


def test_a_file_without_device_lobe_session_and_target_is_taken(tmp_path: Path) -> None:
    """A day is a session; targets that nothing else tells apart are numbered by what they say."""
    text = (
        "patient_id,treatment_date,target_volume_ml\n"
        "1,2020-03-01,900\n1,2020-03-01,400\n1,2020-05-01,300\n2,2020-03-02,\n2,2020-03-02,\n"
    )
    folder = delivered(tmp_path, treatments=text)
    found = rows(folder, "treatments", "patient_id, session_id, target_id, target_volume_ml::INT")
    assert found == [
        ("1", "2020-03-01", "1", 400),
        ("1", "2020-03-01", "2", 900),
        ("1", "2020-05-01", "1", 300),
        ("2", "2020-03-02", "1", None),
    ]
    assert quality(folder, "quarantine", "rule_id") == [("duplicate_row",)]


def test_targets_keep_their_ids_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    head = "patient_id,treatment_date,lobe\n"
    lines = ["1,2020-03-01,right\n", "1,2020-03-01,left\n"]
    made = [
        rows(delivered(tmp_path / str(n), treatments=head + "".join(order)), "treatments", "*")
        for n, order in enumerate((lines, lines[::-1]))
    ]
    ids = [
        {r[columns.index("lobe")]: r[columns.index("row_id")] for r in rs}
        for rs, columns in ((m, _columns(tmp_path)) for m in made)
    ]
    assert ids[0] == ids[1]
    assert len(set(ids[0].values())) == 2


def _columns(tmp_path: Path) -> list[str]:
    path = next(tmp_path.rglob("registry/treatments.parquet"))
    return duckdb.sql(f"FROM '{path}' LIMIT 0").columns


@pytest.mark.parametrize(
    "head", ["contact_date,vital_status", "contact_date,contact_type,vital_status"]
)
def test_the_kind_of_a_contact_follows_the_vital_status(tmp_path: Path, head: str) -> None:
    blank = "," if "contact_type" in head else ""
    text = (
        f"patient_id,{head}\n1,2020-06-01,{blank}alive\n1,2020-07-01,{blank}dead\n"
        f"2,2020-06-01,{blank}\n"
    )
    folder = delivered(tmp_path, contacts=text)
    assert rows(folder, "contacts", "contact_date::DATE::VARCHAR, contact_type") == [
        ("2020-06-01", "visit"),
        ("2020-07-01", "death"),
    ]
    assert ("vital_status", "missing") in quality(folder, "quarantine", "column_name", "rule_id")

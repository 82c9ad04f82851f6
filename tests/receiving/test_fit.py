"""A site file that does not fit its export refuses the delivery: how many cells, which codes."""

from pathlib import Path

import pytest

from schemas.site import Site
from tests.support.small_site import PATIENTS, deliver, loaded, quality, receive
from warehouse.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def site(**columns: object) -> Site:
    facts = {"site_id": "north", "origin": "synthetic", "tables": {"patients": [{}]}}
    facts["tables"] = {"patients": [{"columns": columns}]}
    return Site.model_validate(facts)


def patients(*cells: str) -> str:
    return "patient_id,gender\n" + "".join(f"{n},{c}\n" for n, c in enumerate(cells, 1))


def refused(store: Store, text: str, mapped: Site) -> str:
    deliver(store, "2021-01-01", patients=text)
    (receipt,) = receive(store, mapped).receipts
    assert receipt.accepted is (receipt.reason == "")
    return str(receipt.reason)


CODES = {"from": "gender", "codes": {"f": "female"}}


def test_a_column_that_the_export_lacks_refuses_it_and_all_are_told(store: Store) -> None:
    told = refused(store, patients("f"), site(sex="sexe", birth_year="yob"))
    assert "the export has no column sexe" in told
    assert "the export has no column yob" in told


def test_a_coded_column_of_unmapped_codes_is_told_with_count_and_codes(store: Store) -> None:
    told = refused(store, patients(*"mmmmmff"), site(sex=CODES))
    assert "sex: 5 of 7 filled-in cells cannot be read (codes m)" in told


@pytest.mark.parametrize("cells", ["mmmmff", "mmmmmfffff"])
def test_few_or_half_unreadable_cells_are_a_matter_of_rows(store: Store, cells: str) -> None:
    """Four are fewer than five; five of ten are not more than half."""
    assert refused(store, patients(*cells), site(sex=CODES)) == ""


def test_empty_cells_are_no_fault_of_the_mapping(store: Store) -> None:
    assert refused(store, patients("f", *[""] * 9), site(sex=CODES)) == ""


def test_values_of_a_column_that_is_not_coded_are_never_told(store: Store) -> None:
    names = [f"Secret{n}" for n in range(6)]
    told = refused(store, patients(*names), site(birth_year="gender"))
    assert "birth_year: 6 of 6" in told
    assert "Secret" not in told


def test_names_in_a_coded_column_are_never_told_as_codes(store: Store) -> None:
    told = refused(store, patients(*[f"Secret{n}" for n in range(6)]), site(sex="gender"))
    assert "sex: 6 of 6" in told
    assert "Secret" not in told


def test_a_table_without_a_patient_is_refused(store: Store) -> None:
    told = refused(store, "id,gender\n1,f\n", site(sex=CODES))
    assert "patient_id: no column gives it" in told


def test_a_table_that_is_not_ours_is_refused(store: Store) -> None:
    other = Site.model_validate({"site_id": "north", "tables": {"patients": [{}], "labz": [{}]}})
    deliver(store, "2021-01-01", patients=PATIENTS, labz="a\n1\n")
    (receipt,) = receive(store, other).receipts
    assert "[tables.labz]: no such table" in receipt.reason


def test_the_last_good_delivery_stays_and_a_corrected_site_file_tries_again(store: Store) -> None:
    ours, theirs = "patient_id,sex\n1,female\n", patients(*"mmmmm")
    plain = site()
    deliver(store, "2021-01-01", patients=ours)
    deliver(store, "2021-02-01", patients=theirs.replace("gender", "sex"))
    good, bad = receive(store, plain).receipts
    assert (good.accepted, bad.accepted) == (True, False)
    assert quality(loaded(store, "2021-02-01", plain), "row_counts", "accepted") == [(1,)]
    assert receive(store, plain).receipts == ()
    mapped = site(sex={"from": "sex", "codes": {"m": "male", "female": "female"}})
    (again,) = receive(store, mapped).receipts
    assert again.accepted
    assert quality(loaded(store, "2021-02-01", mapped), "row_counts", "accepted") == [(5,)]

"""The right mappings of the foreign exports name fields that stand in them."""

import csv
from pathlib import Path

import pytest

from schemas.contract import columns, table_name
from schemas.tables.registry import TABLES

HERE = Path(__file__).parent
CENTRES = sorted(p.parent for p in HERE.rglob("mapping.csv"))
OURS = {table_name(t): {c.name for c in columns(t)} for t in TABLES}


def mapping(centre: Path) -> list[dict[str, str]]:
    """The lines of a centre's right mapping."""
    with (centre / "mapping.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_twelve_open_centres_and_four_blind_ones() -> None:
    assert len([c for c in CENTRES if c.parent == HERE]) == 12
    assert len([c for c in CENTRES if c.parent == HERE / "blind"]) == 4


@pytest.mark.parametrize("centre", CENTRES, ids=lambda c: c.name)
def test_every_line_names_a_column_of_ours_and_a_file_of_theirs(centre: Path) -> None:
    lines = mapping(centre)
    assert lines
    for line in lines:
        assert line["column"] in OURS[line["table"]] | {"patient_id"}, line
        assert (centre / line["file"]).is_file(), line


@pytest.mark.parametrize("centre", CENTRES, ids=lambda c: c.name)
def test_every_field_of_a_text_file_stands_in_its_header(centre: Path) -> None:
    for line in mapping(centre):
        path = centre / line["file"]
        if path.suffix == ".csv" and line["field"]:
            missing = set(line["field"].split(" + ")) - header(path)
            assert not missing, line


def header(path: Path) -> set[str]:
    """The names in the first line of a file, whichever of three delimiters divides them."""
    data = path.read_bytes()
    try:
        first = data.decode("utf-8-sig").splitlines()[0]
    except UnicodeDecodeError:
        first = data.decode("cp1252").splitlines()[0]
    delimiter = max(",;\t", key=first.count)
    return set(next(csv.reader([first], delimiter=delimiter)))

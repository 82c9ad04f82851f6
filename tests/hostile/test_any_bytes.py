"""Whatever bytes arrive: no traceback, and no row lost. Fuzzed, also where a file is cut small."""

import csv
import io
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.errors import Y90Error
from tests.support.damaged_deliveries import (
    PLAIN,
    SMALL_SHEET,
    TWO,
    deliver,
    gz,
    packed,
    parquet,
    workbook,
)


@contextmanager
def cut_every(size):
    """Cut files after so many bytes, and count them in pieces smaller still."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warehouse.intake.formats.records.SLICE_BYTES", size)
        patch.setattr("warehouse.intake.formats.records.CHUNK", max(1, size // 2))
        yield


SIZES = st.sampled_from([2, 7, 2**20])
QUICK = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
PIECES = st.sampled_from(
    [
        b"1",
        b",",
        b";",
        b"\t",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b'""',
        b"x",
        b" ",
        b"\xe9",
        b"\0",
        b"\xef",
    ]
)


@QUICK
@given(st.lists(PIECES, max_size=40).map(b"".join) | st.binary(max_size=60), SIZES)
@example(b",,1\r\n", 2**20)
@example(b'1,"x"\n2,3" \n4,5"\n', 2**20)
@example(b'1,"x" \n\n2,3\n', 7)
@example(b'"1",\n,"2\r"\r3,4\n', 2)
def test_any_bytes_are_accepted_without_a_lost_row_or_refused(tmp_path_factory, data, size):
    try:
        with cut_every(size):
            tables, _ = deliver(
                tmp_path_factory.mktemp("fuzz"), {"patients.csv": b"patient_id,sex\n" + data}
            )
    except Y90Error:
        return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(tables["patients"]) == len(rows)
    filled = [[c.strip(' "') for c in row if c.strip(' "')] for row in rows]
    found = [[c.strip(' "') for c in row if c and c.strip(' "')] for row in tables["patients"]]
    assert found == filled


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=12
)


@QUICK
@given(
    st.lists(st.tuples(CELL, CELL, CELL), max_size=12),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    SIZES,
)
def test_whatever_stands_in_the_cells_comes_back(
    tmp_path_factory, rows, delimiter, end, encoding, size
):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("patient_id", "sex", "tumour_grade"), *rows])
    with cut_every(size):
        tables, _ = deliver(
            tmp_path_factory.mktemp("cells"),
            {"patients.csv": out.getvalue().encode(encoding)},
            delimiter=delimiter,
        )
    assert tables["patients"] == [tuple(c or None for c in row) for row in rows]


@QUICK
@given(
    st.binary(max_size=200), st.integers(0, 500), st.sampled_from(["gz", "zip", "xlsx", "parquet"])
)
def test_a_damaged_container_is_refused_or_whole(tmp_path_factory, junk, place, kind):
    whole = {
        "gz": ("patients.csv.gz", gz(PLAIN)),
        "zip": ("export.zip", packed(("patients.csv", PLAIN))),
        "xlsx": ("patients.xlsx", workbook(s=SMALL_SHEET)),
        "parquet": ("patients.parquet", parquet(patient_id=["1", "2"], sex=["female", "male"])),
    }
    name, data = whole[kind]
    place %= len(data)
    damaged = data[:place] + junk + data[place + len(junk) :]
    try:
        tables, _ = deliver(tmp_path_factory.mktemp("damage"), {name: damaged})
    except Y90Error:
        return
    if kind != "parquet":  # it has no checksums, so a damaged value cannot be told
        assert tables["patients"] == TWO

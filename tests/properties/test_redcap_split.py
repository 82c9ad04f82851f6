"""However an export is filled, each cell goes to one instrument and each row to at least one.

The oracle is Python's csv module over the same file; where a cell must go is REDCap's rule, written
anew here: a repeating row belongs to the form it names, any other to the forms that it fills.
"""

import csv
import io
from collections import Counter

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.intake.formats.delimited import survey
from warehouse.intake.redcap.instruments import UNASSIGNED, split

KEYS = ["id", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group"]
FORMS = {"base": ["sex", "base_complete"], "lab": ["bili", "note", "lab_complete"]}
LOOSE = ["stray"]
CELL = st.sampled_from(["", "", "", "1", 'a "b"', "x,\ny", "é"])
ROW = st.tuples(
    st.sampled_from(["", "lab", "base"]), st.lists(CELL, min_size=6, max_size=6), st.booleans()
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ROW, max_size=12), st.sampled_from([5, 60, 2**20]))
def test_no_cell_and_no_row_of_an_export_is_lost(tmp_path_factory, rows, slice_bytes):
    folder = tmp_path_factory.mktemp("split")
    columns = [*FORMS["base"], *FORMS["lab"], *LOOSE]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*KEYS, *columns])
    given_rows = [
        [str(n), repeat, "1" if repeat else "", "north" if grouped else "", *cells]
        for n, (repeat, cells, grouped) in enumerate(rows, 1)
    ]
    writer.writerows(given_rows)
    (folder / "data.csv").write_text(out.getvalue(), encoding="utf-8", newline="")
    (folder / "to").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warehouse.intake.formats.records.SLICE_BYTES", slice_bytes)
        patch.setattr("warehouse.intake.formats.records.CHUNK", max(1, slice_bytes // 3))
        text = survey(folder / "data.csv", "data.csv", folder, delimiter=None, encoding=None)
        split(text, None, None, folder / "to", folder)
    tables = {p.stem: pq.read_table(p).to_pylist() for p in (folder / "to").glob("*.parquet")}
    expected, belongs = set(), set()
    for number, row in enumerate(given_rows, 1):
        repeat, filled = row[1], {c for c, v in zip(columns, row[4:], strict=True) if v}
        forms = {f for f, own in FORMS.items() if filled & set(own)}
        takes = {repeat} if repeat else forms or ({"base"} if "stray" not in filled else set())
        foreign = {c for f in forms - takes for c in FORMS[f]} | set(LOOSE)
        belongs |= {(f, number) for f in takes}
        belongs |= {(UNASSIGNED, number)} if filled & foreign else set()
        for column in filled:
            form = next((f for f, own in FORMS.items() if column in own), None)
            place = form if form in takes else UNASSIGNED
            expected.add((place, number, column, row[4 + columns.index(column)]))
    found = [
        (name, r["source_row"], c, v)
        for name, several in tables.items()
        for r in several
        for c, v in r.items()
        if c in columns and v is not None
    ]
    assert Counter(found) == Counter(expected)
    assert {(name, r["source_row"]) for name, several in tables.items() for r in several} == belongs
    for several in tables.values():
        for r in several:
            assert [r[k] or "" for k in KEYS] == given_rows[r["source_row"] - 1][:4]

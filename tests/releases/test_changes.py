"""What `y90 diff` finds between two releases, and what it does not."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from flows.__main__ import main
from schemas.errors import Refused
from schemas.tables.changes import Changes
from tests.support.literal_releases import publish, write_tables
from warehouse.releases import change_pages as pages
from warehouse.releases import changes
from warehouse.store import Store

SCHEMA = Path(__file__).parents[2] / "schemas" / "json" / "changes.schema.json"

SUBJECTS = """
| subject_id | site_id | treated | per_criteria | ecog | ki67_pct |
| aa         | north   | yes     | yes          | 0    | 5        |
| bb         | north   | yes     | yes          | 1    | 12.5     |
| cc         | south   | yes     | no           |      |          |
"""
LATER = """
| subject_id | site_id | treated | per_criteria | ecog | ki67_pct |
| aa         | north   | yes     | yes          | 0    | 5        |
| bb         | north   | yes     | no           | 2    | 12.5     |
| dd         | south   | yes     | no           |      |          |
"""
HEAD = (
    "| statistic_id | label | value | lower | upper | n | total | unit | method | definition "
    "| population_set | numerator_set |"
)


def statistics(*lines: str) -> str:
    """Lines `id value n total definition`; the other columns do not matter here."""
    rows = (line.split() for line in lines)
    return "\n".join(
        [HEAD]
        + [
            f"| {i} | Share {i} | {v} | | | {n} | {t} | % | proportion | {d} | p | s |"
            for i, v, n, t, d in rows
        ]
    )


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders that differ in one subject's cells, one added and one removed subject."""
    left = write_tables(tmp_path / "left", {"marts.subjects": SUBJECTS})
    return left, write_tables(tmp_path / "right", {"marts.subjects": LATER})


def test_rows_are_matched_by_key_and_cells_counted_by_column(pair: tuple[Path, Path]) -> None:
    (table,) = changes.diff(*pair).tables
    assert table.table == "marts.subjects"
    assert (table.left_rows, table.right_rows) == (3, 3)
    assert (table.added, table.removed, table.changed) == (1, 1, 1)
    assert table.columns == {"per_criteria": 1, "ecog": 1}
    assert [(r.key["subject_id"], r.kind, r.columns) for r in table.rows] == [
        ("bb", "changed", ("per_criteria", "ecog")),
        ("cc", "removed", ()),
        ("dd", "added", ()),
    ]


def test_row_level_tables_show_no_values(pair: tuple[Path, Path]) -> None:
    (table,) = changes.diff(*pair).tables
    assert table.cells == ()


def test_a_release_is_equal_to_itself_and_to_its_rows_in_another_order(tmp_path: Path) -> None:
    head, *rows = SUBJECTS.strip().splitlines()
    left = write_tables(tmp_path / "left", {"marts.subjects": SUBJECTS})
    turned = "\n".join([head, *reversed(rows)])
    right = write_tables(tmp_path / "right", {"marts.subjects": turned})
    assert changes.diff(left, left).equal
    assert changes.diff(left, right).equal


def test_null_and_value_differ_whatever_the_tolerance(tmp_path: Path) -> None:
    known = "| subject_id | site_id | treated | per_criteria | ecog |\n| a | s | yes | yes | 0 |"
    blank = known.replace("| 0 |", "|  |")
    left = write_tables(tmp_path / "left", {"marts.subjects": known})
    right = write_tables(tmp_path / "right", {"marts.subjects": blank})
    (table,) = changes.diff(left, right, {"ecog": 5}).tables
    assert table.columns == {"ecog": 1}


@pytest.mark.parametrize(
    ("tolerance", "columns"),
    [
        ({"ecog": 0.5}, {"per_criteria": 1, "ecog": 1}),
        ({"ecog": 1}, {"per_criteria": 1}),
        ({"subjects.ecog": 1}, {"per_criteria": 1}),
        ({"lab_grades.grade": 9}, {"per_criteria": 1, "ecog": 1}),
    ],
)
def test_a_tolerance_is_by_column_and_includes_its_limit(
    tmp_path: Path, tolerance: dict[str, float], columns: dict[str, int]
) -> None:
    grades = "| subject_id | analyte | ctcae_version | rel_day | sequence |"
    both = {"marts.lab_grades": grades}
    left = write_tables(tmp_path / "left", both | {"marts.subjects": SUBJECTS})
    right = write_tables(tmp_path / "right", both | {"marts.subjects": LATER})
    (table,) = changes.diff(left, right, tolerance).tables
    assert table.columns == columns


def test_a_tolerance_for_no_column_suggests_the_nearest(pair: tuple[Path, Path]) -> None:
    with pytest.raises(Refused, match="Did you mean ecog"):
        changes.diff(*pair, {"ecogg": 1})


def test_aggregates_show_old_and_new_and_statistics_their_change(tmp_path: Path) -> None:
    before = statistics("orr 50 20 40 d1", "pd 10 4 40 d1", "sd 25 10 40 d1", "gone 1 1 9 d1")
    after = statistics("orr 52.5 21 40 d1", "pd 10 4 40 d2", "sd 25 10 40 d1", "new 2 2 9 d1")
    left = write_tables(tmp_path / "left", {"outcomes.statistics": before})
    right = write_tables(tmp_path / "right", {"outcomes.statistics": after})
    found = changes.diff(left, right)
    (table,) = found.tables
    assert [(c.key["statistic_id"], c.column, c.old, c.new) for c in table.cells] == [
        ("orr", "value", 50.0, 52.5),
        ("orr", "n", 20, 21),
        ("pd", "definition", "d1", "d2"),
    ]
    assert [
        (s.statistic_id, s.kind, s.redefined, s.old, s.new, s.change) for s in found.statistics
    ] == [
        ("gone", "removed", False, 1.0, None, None),
        ("new", "added", False, None, 2.0, None),
        ("orr", "changed", False, 50.0, 52.5, 2.5),
        ("pd", "changed", True, 10.0, 10.0, 0.0),
    ]
    tolerated = changes.diff(left, right, {"value": 2.5, "n": 1})
    assert [s.statistic_id for s in tolerated.statistics] == ["gone", "new", "pd"]


def test_a_table_that_one_side_lacks_is_added_whole(tmp_path: Path) -> None:
    left = write_tables(tmp_path / "left", {"marts.toxicity": ""})
    both = {"marts.toxicity": "", "marts.subjects": SUBJECTS}
    right = write_tables(tmp_path / "right", both)
    (table,) = changes.diff(left, right).tables
    assert (table.left_rows, table.right_rows, table.added, table.removed) == (None, 3, 3, 0)


def test_listed_rows_are_limited_and_counts_are_not(pair: tuple[Path, Path]) -> None:
    (table,) = changes.diff(*pair, limit=1).tables
    assert (len(table.rows), table.rows_left_out) == (1, 2)
    assert (table.added, table.removed, table.changed) == (1, 1, 1)


def test_a_damaged_table_is_refused_without_a_traceback(pair: tuple[Path, Path]) -> None:
    left, right = pair
    (right / "parquet" / "marts" / "subjects.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(Refused, match="a table cannot be read"):
        changes.diff(left, right)


def test_the_json_keeps_its_published_schema(pair: tuple[Path, Path]) -> None:
    """The file is `Changes.model_json_schema()`; a change of the format changes it knowingly."""
    published: dict[str, Any] = json.loads(SCHEMA.read_text())
    assert published == Changes.model_json_schema()
    found = json.loads(changes.diff(*pair).model_dump_json())
    jsonschema.validate(found, published)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found | {"clock": "04:00"}, published)


def test_markdown_tells_numbers_apart_and_the_page_needs_no_network(tmp_path: Path) -> None:
    here, near = statistics("t.all.x<y 50 20 40 d1"), statistics("t.all.x<y 50.0004 20 40 d1")
    left = write_tables(tmp_path / "a", {"outcomes.statistics": here})
    right = write_tables(tmp_path / "b", {"outcomes.statistics": near})
    found = changes.diff(left, right, names=("2026.03.30", "2026.03.31"))
    text = pages.markdown(found)
    assert text.startswith("# 2026.03.30 to 2026.03.31\n")
    assert "| 50.0000 | 50.0004 |" in text
    page = pages.changes_page(found)
    assert "t.all.x&lt;y" in page
    assert "<script" not in page
    assert "://" not in page


def test_what_moved_most_is_listed_first_and_the_registry_before_its_sites(tmp_path: Path) -> None:
    ids = ("t.all.near", "t.all.far", "t.site:north.farthest")
    before = statistics(*(f"{i} 50 20 40 d1" for i in ids), "t.all.gone 9 9 9 d1")
    moved = zip(ids, ("51", "60", "90"), strict=True)
    after = statistics(*(f"{i} {value} 20 40 d1" for i, value in moved))
    left = write_tables(tmp_path / "a", {"outcomes.statistics": before})
    right = write_tables(tmp_path / "b", {"outcomes.statistics": after})
    lines = pages.statistic_lines(changes.diff(left, right))
    assert [line[0] for line in lines] == [
        "t.all.far",
        "t.all.near",
        "t.all.gone",
        "t.site:north.farthest",
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three nights, of which the last two are the same."""
    made = Store.open(tmp_path / "store")
    publish(made, "2026.03.29", {"marts.subjects": SUBJECTS})
    publish(made, "2026.03.30", {"marts.subjects": LATER})
    publish(made, "2026.03.31", {"marts.subjects": LATER})
    return made


def test_the_command_exits_with_its_answer(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--store", str(store.root), "diff"]
    assert main([*words, "2026.03.30", "2026.03.31"]) == 0
    assert "Nothing differs." in capsys.readouterr().out
    assert main([*words, "2026.03.29", "2026.03.30"]) == 1
    assert "marts.subjects | 3 to 3 | 1     | 1       | 1" in capsys.readouterr().out
    assert main([*words, "2026.03.29", "2026.03.30", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["left"] == "2026.03.29"
    assert main([*words, "2026.03.29", "2026.03.30", "--format", "html"]) == 1
    assert capsys.readouterr().out.startswith("<!doctype html>")
    for wrong in (["2026.03.29", "2026.03.3"], ["2026.03.29", "2026.03.30", "--tolerance", "x"]):
        assert main([*words, *wrong]) == 2
    assert "Did you mean 2026.03.3" in capsys.readouterr().err

"""Real REDCap exports are split into their instruments, and no cell is lost.

The exports are REDCapR's test projects (tests/sites/redcapr). What must come out was read off the
files with Python's csv module and by eye, never with the code under test.
"""

import csv
from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.errors import BadDelivery
from simulation.redcap import write
from warehouse.intake.formats.delimited import survey
from warehouse.intake.redcap.dictionary import parse_choices, read_dictionary
from warehouse.intake.redcap.inspect import inspect, render
from warehouse.intake.redcap.instruments import UNASSIGNED, split
from warehouse.receiving.site_guess import first_site_file

SAMPLES = Path(__file__).parent / "redcapr"
PROJECTS = sorted(p.name for p in SAMPLES.iterdir() if p.is_dir())
KEYS = (
    "redcap_event_name",
    "redcap_repeat_instrument",
    "redcap_repeat_instance",
    "redcap_data_access_group",
)
PROVENANCE = ("source_file", "source_row", "source_key")
DICTIONARY = """field_name,form_name,field_type,select_choices_or_calculations
id,base,text,
sex,base,radio,"1, Female | 2, Male"
tick,base,checkbox,"a, Left lobe | b, Right lobe"
value,lab,text,
"""


def divide(tmp_path, data, dictionary=None, record=None):
    """Split an export given as text or path; tables as lists of dicts, and the notices."""
    to, scratch = tmp_path / "to", tmp_path / "scratch"
    for folder in (to, scratch):
        folder.mkdir(exist_ok=True)
    paths = []
    for name, source in (("data.csv", data), ("dictionary.csv", dictionary)):
        if isinstance(source, str):
            (tmp_path / name).write_text(source, encoding="utf-8", newline="")
            source = tmp_path / name
        paths.append(source)
    known = read_dictionary(paths[1], "dictionary.csv", scratch) if paths[1] else None
    text = survey(paths[0], "data.csv", scratch, delimiter=None, encoding=None)
    _, notices = split(text, known, record, to, scratch)
    tables = {p.stem: pq.read_table(p).to_pylist() for p in sorted(to.glob("*.parquet"))}
    return tables, notices


def cells_of_export(path):
    """(row, column) -> value of every filled cell that is no key, as Python's csv reads it."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    record = next(iter(rows[0]))
    keys = (record, *KEYS)
    return {
        (n, column): value
        for n, row in enumerate(rows, 1)
        for column, value in row.items()
        if value and column not in keys
    }, keys


def cells_of_tables(tables, keys):
    """The same, from the instruments' tables; a cell that stands in two is counted twice."""
    found = [
        ((row["source_row"], column), value)
        for rows in tables.values()
        for row in rows
        for column, value in row.items()
        if value is not None and column not in (*keys, *PROVENANCE)
    ]
    assert max(Counter(place for place, _ in found).values()) == 1
    return dict(found)


@pytest.mark.parametrize("project", PROJECTS)
@pytest.mark.parametrize("with_dictionary", [True, False])
def test_every_cell_of_a_real_export_stands_in_exactly_one_instrument(
    tmp_path, project, with_dictionary
):
    folder = SAMPLES / project
    dictionary = folder / "dictionary.csv" if with_dictionary else None
    tables, notices = divide(tmp_path, folder / "data.csv", dictionary)
    expected, keys = cells_of_export(folder / "data.csv")
    assert cells_of_tables(tables, keys) == expected
    assert UNASSIGNED not in tables
    assert notices == []


@pytest.mark.parametrize("project", PROJECTS)
def test_the_bytes_of_all_cells_are_those_of_the_export(tmp_path, project):
    folder = SAMPLES / project
    tables, _ = divide(tmp_path, folder / "data.csv", folder / "dictionary.csv")
    expected, keys = cells_of_export(folder / "data.csv")
    found = cells_of_tables(tables, keys)
    assert sum(len(v.encode()) for v in found.values()) == sum(
        len(v.encode()) for v in expected.values()
    )


@pytest.mark.parametrize("project", PROJECTS)
def test_every_row_of_a_real_export_stands_somewhere(tmp_path, project):
    folder = SAMPLES / project
    tables, _ = divide(tmp_path, folder / "data.csv", folder / "dictionary.csv")
    with (folder / "data.csv").open(encoding="utf-8", newline="") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    assert {r["source_row"] for t in tables.values() for r in t} == set(range(1, rows + 1))


ROWS = {
    "blank-for-gray-status": {"demographics": 6, "health": 6, "race_and_ethnicity": 6},
    "checkboxes-1": {"form_1": 4, "form_2": 4},
    "dag": {"demographics": 3},
    "decimal-comma": {"demographics": 4},
    "longitudinal": {
        "demographics": 3,
        "contact_info": 5,
        "baseline_data": 3,
        "visit_lab_data": 4,
        "patient_morale_questionnaire": 10,
        "visit_blood_workup": 4,
        "visit_observed_behavior": 6,
        "completion_data": 2,
        "completion_project_questionnaire": 3,
    },
    "repeating-instruments": {"demographics": 2, "bp": 4},
    "survey": {
        "prescreening_survey": 2,
        "participant_info_survey": 2,
        "participant_morale_questionnaire": 2,
        "completion_data": 2,
    },
}


@pytest.mark.parametrize("project", PROJECTS)
def test_each_instrument_has_its_rows_and_the_form_order_gives_the_same(tmp_path, project):
    folder = SAMPLES / project
    tables, _ = divide(tmp_path, folder / "data.csv", folder / "dictionary.csv")
    assert {name: len(rows) for name, rows in tables.items()} == ROWS[project]
    (tmp_path / "again").mkdir()
    guessed, _ = divide(tmp_path / "again", folder / "data.csv")
    assert guessed == tables


def test_a_repeating_instrument_has_one_row_per_instance(tmp_path):
    folder = SAMPLES / "repeating-instruments"
    tables, _ = divide(tmp_path, folder / "data.csv", folder / "dictionary.csv")
    assert [(r["source_key"], r["bp_systolic"], r["source_row"]) for r in tables["bp"]] == [
        ("1||bp|1", "110", 2),
        ("1||bp|2", "111", 3),
        ("1||bp|3", "112", 4),
        ("2||bp|1", "114", 6),
    ]
    assert "first_name" not in tables["bp"][0]
    assert [r["source_key"] for r in tables["demographics"]] == [
        "1||demographics|",
        "2||demographics|",
    ]


def test_survey_columns_stay_as_they_are_and_go_with_their_form(tmp_path):
    folder = SAMPLES / "survey"
    tables, _ = divide(tmp_path, folder / "data.csv", folder / "dictionary.csv")
    name = "participant_morale_questionnaire_timestamp"
    assert [r[name] for r in tables["participant_morale_questionnaire"]] == [
        "[not completed]",
        None,
    ]
    assert "redcap_survey_identifier" in tables["prescreening_survey"][0]


def test_record_ids_and_groups_are_text_in_every_instrument(tmp_path):
    folder = SAMPLES / "blank-for-gray-status"
    tables, _ = divide(tmp_path, folder / "data.csv", folder / "dictionary.csv")
    groups = ["dag_1", "dag_1", "dag_1", None, "dag_2", None]
    for rows in tables.values():
        assert [r["record_id"] for r in rows] == list("123456")
        assert [r["redcap_data_access_group"] for r in rows] == groups


def test_an_empty_shell_of_a_record_stands_in_the_first_instrument(tmp_path):
    data = "id,sex,tick___a,tick___b,base_complete,value,lab_complete\n7,,,,,,\n8,1,0,1,2,5,2\n"
    tables, _ = divide(tmp_path, data, DICTIONARY)
    assert [r["id"] for r in tables["base"]] == ["7", "8"]
    assert [r["id"] for r in tables["lab"]] == ["8"]


def test_a_repeating_event_keeps_its_instance_in_the_key(tmp_path):
    data = (
        "id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,sex,tick___a,tick___b,"
        "base_complete,value,lab_complete\n"
        "1,visit_arm_1,,1,,,,,4,2\n"
        "1,visit_arm_1,,3,,,,,5,2\n"
    )
    tables, _ = divide(tmp_path, data, DICTIONARY)
    assert [r["source_key"] for r in tables["lab"]] == [
        "1|visit_arm_1|lab|1",
        "1|visit_arm_1|lab|3",
    ]
    assert tables["base"] == []


def test_columns_outside_the_dictionary_and_cells_in_foreign_rows_are_kept_as_unassigned(tmp_path):
    data = (
        "id,redcap_repeat_instrument,redcap_repeat_instance,sex,tick___a,tick___b,base_complete,"
        "value,lab_complete,extra\n"
        "1,,,1,0,0,2,,,note\n"
        "1,lab,1,2,,,,9,2,\n"
    )
    tables, notices = divide(tmp_path, data, DICTIONARY)
    assert [(r["extra"], r["sex"], r["source_row"]) for r in tables[UNASSIGNED]] == [
        ("note", None, 1),
        (None, "2", 2),
    ]
    assert [r["sex"] for r in tables["base"]] == ["1"]
    assert [r["value"] for r in tables["lab"]] == ["9"]
    assert any("extra" in n for n in notices)


def test_a_key_that_is_there_twice_is_reported_and_both_rows_stay(tmp_path):
    data = "id,sex,tick___a,tick___b,base_complete\n1,1,0,0,2\n1,2,0,0,2\n"
    tables, notices = divide(tmp_path, data, DICTIONARY)
    assert len(tables["base"]) == 2
    assert any("base has 1 rows" in n for n in notices)


def test_a_missing_data_code_of_a_checkbox_belongs_to_its_field(tmp_path):
    data = "id,sex,tick___a,tick___b,tick___unk,base_complete\n1,UNK,0,0,1,2\n"
    tables, notices = divide(tmp_path, data, DICTIONARY)
    assert tables["base"][0]["tick___unk"] == "1"
    assert tables["base"][0]["sex"] == "UNK"
    assert notices == []


LABELS = {
    "form status": "id,sex,tick___a,tick___b,base_complete\n1,1,0,1,Complete\n",
    "checkbox": "id,sex,tick___a,tick___b,base_complete\n1,1,Checked,Unchecked,2\n",
    "choice": "id,sex,tick___a,tick___b,base_complete\n1,Female,0,0,2\n2,Male,0,0,2\n",
    "event": "id,redcap_event_name,sex,base_complete\n1,First visit,1,2\n",
    "repeating instrument": (
        "id,redcap_repeat_instrument,redcap_repeat_instance,sex,value\n1,Lab values,1,,3\n"
    ),
    "header": "Study ID,Event Name,Gender,Complete?\n1,Visit,Female,Complete\n",
}


@pytest.mark.parametrize("where", LABELS)
def test_a_label_export_is_refused_with_what_to_do(tmp_path, where):
    with pytest.raises(BadDelivery, match="Export raw data") as caught:
        divide(tmp_path, LABELS[where], DICTIONARY)
    assert "Female" not in str(caught.value)


def test_one_mistyped_choice_is_no_label_export(tmp_path):
    data = "id,sex,tick___a,tick___b,base_complete\n1,Female,0,0,2\n2,2,0,0,2\n3,1,1,0,2\n"
    tables, _ = divide(tmp_path, data, DICTIONARY)
    assert [r["sex"] for r in tables["base"]] == ["Female", "2", "1"]


HEAD = "field_name,form_name,field_type,select_choices_or_calculations\n"
MALFORMED = {
    "no form column": ("field_name,field_type\nid,text\n", "form name missing"),
    "a field twice": (f"{HEAD}id,base,text,\nid,base,text,\n", "row 2: a field that was there"),
    "no name": (f"{HEAD},base,text,\n", "row 1: no field name"),
    "a form that climbs": (f"{HEAD}id,../base,text,\n", "row 1: no form name"),
    "unknown type": (f"{HEAD}id,base,teleport,\n", "row 1: field type"),
    "no choices": (f"{HEAD}id,base,radio,\n", "row 1: a coded field without choices"),
    "empty code": (f'{HEAD}id,base,radio,", Yes | 2, No"\n', "a choice without a code"),
    "code twice": (f'{HEAD}id,base,radio,"1, Yes | 1, No"\n', "code that was there before"),
    "ragged": (f"{HEAD}id,base,text\n", "row 1: not 4 fields"),
    "cut off": (f'{HEAD}id,base,text,"open\n', "quote is not closed"),
    "empty": (HEAD, "no field in it"),
    "of another project": (f"{HEAD}other,base,text,\n", "not those of the dictionary"),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_dictionary_is_refused(tmp_path, fault):
    dictionary, message = MALFORMED[fault]
    with pytest.raises(BadDelivery, match=message):
        divide(tmp_path, "id,sex,base_complete\n1,1,2\n", dictionary)


def test_a_coded_field_without_choices_is_refused_only_where_it_is_used(tmp_path):
    (tmp_path / "dictionary.csv").write_text(f"{HEAD}id,base,text,\nodd,base,dropdown,\n")
    read = partial(read_dictionary, tmp_path / "dictionary.csv", "dictionary.csv", tmp_path)
    assert read(["id"]).notices == (
        "dictionary.csv: coded fields without choices, taken as they stand: odd",
    )
    with pytest.raises(BadDelivery, match="row 2: a coded field without choices"):
        read(["id", "odd"])


COLUMNS_MOVED = {
    "first": "id,sex,base_complete\n1,1,2\n2,2,2\n",
    "in the middle": "sex,id,base_complete\n1,1,2\n2,2,2\n",
    "last": "sex,base_complete,id\n1,2,1\n2,2,2\n",
}


@pytest.mark.parametrize("place", COLUMNS_MOVED)
def test_the_record_id_is_the_dictionarys_first_field_wherever_it_stands(tmp_path, place):
    data, dictionary = tmp_path / "d.csv", tmp_path / "dictionary.csv"
    data.write_text(COLUMNS_MOVED[place])
    dictionary.write_text(DICTIONARY)
    found = inspect(data, dictionary)
    assert (found.record, found.rows, found.records) == ("id", 2, 2)
    text, _ = first_site_file(data, dictionary, "north")
    assert 'record = "id"' in text


BLANK_LINES = {
    "blank last lines": "id,sex,base_complete\n1,1,2\n2,2,2\n\n\n\n",
    "lines of delimiters": "id,sex,base_complete\n1,1,2\n,,\n2,2,2\n,,\n",
    "CR alone": "id,sex,base_complete\r1,1,2\r2,2,2\r",
    "CRLF, and CR alone at the end": "id,sex,base_complete\r\n1,1,2\r\n2,2,2\r\n\r\r",
}


@pytest.mark.parametrize("lines", BLANK_LINES)
def test_inspect_counts_no_line_that_holds_nothing(tmp_path, lines):
    (tmp_path / "d.csv").write_text(BLANK_LINES[lines], newline="")
    (tmp_path / "dictionary.csv").write_text(DICTIONARY)
    found = inspect(tmp_path / "d.csv", tmp_path / "dictionary.csv")
    assert (found.rows, found.records) == (2, 2)
    assert [i.rows for i in found.instruments if i.name == "base"] == [2]
    assert found.notices == ()


def test_choices_are_split_on_the_bar_and_then_on_the_first_comma():
    assert parse_choices("1, Yes, always | 0, No|-9,  Unknown |") == [
        ("1", "Yes, always"),
        ("0", "No"),
        ("-9", "Unknown"),
    ]


def test_without_dictionary_and_without_form_status_the_export_is_refused(tmp_path):
    with pytest.raises(BadDelivery, match="Deliver the data dictionary"):
        divide(tmp_path, "id,sex\n1,2\n")


def test_inspect_tells_what_is_in_an_export():
    folder = SAMPLES / "longitudinal"
    found = inspect(folder / "data.csv", folder / "dictionary.csv")
    assert (found.record, found.rows, found.records) == ("study_id", 18, 3)
    assert found.keys == ("study_id", "redcap_event_name")
    assert found.events["final_visit_arm_2"] == 1
    assert {i.name: i.rows for i in found.instruments} == ROWS["longitudinal"]
    demographics = found.instruments[0]
    assert demographics.name == "demographics"
    assert demographics.columns[0] == "date_enrolled"
    assert found.choices["sex"] == {"0": "Female", "1": "Male"}
    shown = render(found)
    assert "demographics" in shown
    assert "Zharko" not in shown


def saved_instances(day: date, folder: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """Every saved instance of the reference export of a day, by what names it."""
    folder.mkdir()
    write(day, folder)
    with (folder / "data.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    named = [(tuple(list(r.values())[:4]), r) for r in rows]
    return {name: r for name, r in named if r["follow_up_timestamp"] != "[not completed]"}


def test_a_later_export_numbers_the_instances_as_an_earlier_one_did(tmp_path: Path) -> None:
    """REDCap never numbers a saved instance anew, so neither does the invented centre."""
    early = saved_instances(date(2009, 12, 31), tmp_path / "early")
    late = saved_instances(date(2011, 3, 31), tmp_path / "late")
    assert len(late) > len(early) > 3_000
    assert {name: late[name] for name in early} == early

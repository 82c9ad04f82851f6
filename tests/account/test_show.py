"""`y90 show` gives rule, value and source behind every call, and `regrade` names who moves."""

# ruff: noqa: E501 (pipe tables are read better whole)

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import __main__ as cli
from tests.support.literal_releases import publish, write_tables
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY, pseudonym
from warehouse.releases import releases
from warehouse.releases.database import write_database
from warehouse.store import Store

DEMONSTRATION = Path(__file__).resolve().parents[2] / "simulation/memon2012/registry.toml"
ANNA = pseudonym(DEMONSTRATION_KEY, "memon2012", "P01")
BERT = "bbbbbbbbbbbbbbbb"
TABLES = {
    "marts.subjects": f"""
        | subject_id | site_id   | treated | per_criteria | t0_year |
        | {ANNA}     | memon2012 | yes     | no           | 2020    |
        | {BERT}     | memon2012 | no      | no           |         |
        """,
    "marts.eligibility": f"""
        | subject_id | rule_id | status | value | allowed   | reason |
        | {ANNA}     | E4      | fail   | 3     | at most 2 |        |
        | {ANNA}     | E5      | pass   | 1     | at most 2 |        |
        """,
    "marts.lesion_assessments": f"""
        | subject_id | lesion_number | criterion | rel_day | reader | modality | modality_changed | baseline_day | baseline | nadir | value | change_from_baseline_pct | change_from_nadir_pct | response | rule                   | in_window | source_row_ids |
        | {ANNA}     | 1             | WHO       | 30      | local  | CT       | no               | -7           | 100      | 100   | 50    | -50                      | -50                   | PR       | decrease_from_baseline | yes       | aaaa           |
        | {ANNA}     | 1             | EASL      | 30      | local  | CT       | no               | -7           | 80       | 80    | 0     | -100                     | -100                  | CR       | gone                   | yes       | aaaa           |
        | {ANNA}     | 1             | WHO       | 90      | local  | CT       | no               | -7           | 100      | 50    | 63    | -37                      | 26                    | PD       | growth_over_nadir      | no        | aabb           |
        """,
    "marts.lesion_response": f"""
        | subject_id | lesion_number | criterion | confirmation | best_response | best_response_day | progression_day | evaluable |
        | {ANNA}     | 1             | WHO       | unconfirmed  | PR            | 30                | 90              | yes       |
        | {ANNA}     | 1             | EASL      | unconfirmed  | CR            | 30                |                 | yes       |
        """,
    "marts.subject_assessments": f"""
        | subject_id | criterion | rel_day | reader | modality | response | rule    | in_window | n_lesions |
        | {BERT}     | WHO       | 90      | local  | CT       | SD       | neither | yes       | 2         |
        """,
    "marts.subject_response": f"""
        | subject_id | criterion | confirmation | best_response | best_response_day | evaluable |
        | {BERT}     | WHO       | unconfirmed  | SD            | 90                | yes       |
        """,
    "marts.recorded_assessments": f"""
        | subject_id | criterion   | rel_day | response | source | in_window | source_row_id |
        | {BERT}     | WHO         | 90      | PR       | report | yes       | rrrr          |
        | {BERT}     | unspecified | 90      | SD       |        | no        | ssss          |
        """,
    "marts.recorded_response": f"""
        | subject_id | criterion | best_response | best_response_day | evaluable |
        | {BERT}     | WHO       | PR            | 90                | yes       |
        """,
    "marts.progression_differences": f"""
        | subject_id | derived_day | recorded_day | days_apart | agreement      | derived_row_id | recorded_row_id |
        | {ANNA}     |             |              |            | neither        |                |                 |
        | {BERT}     | 90          | 120          | 30         | recorded_later | scan           | pppp            |
        """,
    "marts.lab_grades": f"""
        | subject_id | analyte   | ctcae_version | rel_day | sequence | value | unit  | upper_limit | baseline_value | is_baseline | grade | rule             | reason         | source_row_id |
        | {ANNA}     | bilirubin | 3.0           | 60      | 1        | 4     | mg/dL | 1.2         | 1.6            | no          | 3     | > 3 x ULN        |                | cccc          |
        | {ANNA}     | bilirubin | 5.0           | 60      | 1        | 4     | mg/dL | 1.2         | 1.6            | no          | 2     | > 1.5 x baseline |                | cccc          |
        | {ANNA}     | ast       | 3.0           | 60      | 1        | 99    | U/L   |             |                | no          |       |                  | no upper limit | dddd          |
        | {ANNA}     | alp       | 5.0           | 60      | 1        | 900   | U/L   | 120         |                | no          |       |                  | baseline_set_aside | alp1      |
        | {ANNA}     | bilirubin | 5.0           | 61      | 1        | 9     | mg/dL | 1.2         |                | no          |       |                  | baseline_set_aside | bili      |
        | {BERT}     | bilirubin | 3.0           | 9       | 1        | 1     | mg/dL | 1.2         | 1.0            | no          | 0     | <= 1 x ULN       |                | eeee          |
        | {BERT}     | bilirubin | 5.0           | 9       | 1        | 1     | mg/dL | 1.2         | 1.0            | no          | 0     | <= 1 x ULN       |                | eeee          |
        """,
    "marts.toxicity": f"""
        | subject_id | source | term      | ctcae_version | time_window | baseline_grade | worst_grade | worst_day | emergent | source_row_id |
        | {ANNA}     | lab    | bilirubin | 3.0           | any         | 1              | 3           | 60        | yes      | cccc          |
        | {ANNA}     | lab    | bilirubin | 3.0           | primary     | 1              | 3           | 60        | yes      | cccc          |
        | {ANNA}     | lab    | bilirubin | 5.0           | any         | 1              | 2           | 60        | yes      | cccc          |
        | {ANNA}     | event  | fatigue   | 3.0           | any         |                | 2           | 8         | yes      | ffff          |
        """,
    "marts.time_to_event": f"""
        | subject_id | lesion_number | endpoint | start_day | time_days | event | cause | competing | source_table | source_column | source_row_id |
        | {ANNA}     | 0             | OS       | 0         | 104       | yes   | death | no        | contacts     | contact_date  | abab          |
        """,
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store with one literal release."""
    store = Store.open(tmp_path / "store")
    release = publish(store, "2020.06.01")
    write_tables(release, TABLES, only=False)
    write_database(release / "parquet", release / "release.duckdb")
    published = releases.listing(store)[0]
    releases.point(store, "current", published.release_id, datetime.now(UTC), published.as_of)
    return store.root


def told(capsys: pytest.CaptureFixture[str], root: Path, *words: str) -> str:
    """What a command prints."""
    assert cli.main([*words, "--store", str(root), "--config", str(DEMONSTRATION)]) == 0
    return capsys.readouterr().out


def lines(text: str, part: str) -> list[list[str]]:
    """The lines of one part of the page, as cells."""
    (found,) = (p for p in text.split("\n\n") if p.startswith(part))
    return [[c for c in line.split("  ") if c] for line in found.splitlines()[1:]]


def test_a_time_point_stands_with_baseline_nadir_class_and_rule_of_each_criterion(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    cells = [
        [c.strip() for c in line] for line in lines(told(capsys, root, "show", ANNA), "Lesion")
    ]
    assert cells == [
        ["day", "reader", "scan", "WHO", "EASL"],
        ["30", "local", "CT", "baseline", "100", "80"],
        ["nadir before", "100", "80"],
        ["measured", "50", "0"],
        ["from baseline", "-50.0 %", "-100.0 %"],
        ["from nadir", "-50.0 %", "-100.0 %"],
        ["class", "PR", "CR"],
        ["rule", "decrease_from_baseline", "gone"],
        ["row", "aaaa", "aaaa"],
        ["90", "local", "CT", "baseline", "100"],
        ["nadir before", "50"],
        ["measured", "63"],
        ["from baseline", "-37.0 %"],
        ["from nadir", "+26.0 %"],
        ["class", "PD"],
        ["rule", "growth_over_nadir"],
        ["row", "aabb"],
        ["after its end", "yes"],
        ["best", "unconfirmed", "best response", "PR", "CR"],
        ["on day", "30", "30"],
        ["progression", "90"],
    ]


def test_every_rule_that_decided_is_explained(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    rules = dict(line[:2] for line in lines(told(capsys, root, "show", ANNA), "Rules")[:-1])
    assert [name.strip() for name in rules] == [
        "rule", "growth_over_nadir", "gone", "decrease_from_baseline",
    ]  # fmt: skip


def test_a_grade_stands_with_result_limit_baseline_and_rule_in_each_version(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    assert [
        [c.strip() for c in line]
        for line in lines(told(capsys, root, "show", ANNA), "Laboratory")[1:]
    ] == [
        ["alp", "5.0", "not gradable", "any", "1 result", "baseline_set_aside"],
        ["ast", "3.0", "not gradable", "any", "1 result", "no upper limit"],
        ["bilirubin", "3.0", "3", "1", "primary any", "60", "4", "mg/dL", "? to 1.2", "1.6",
         "> 3 x ULN", "cccc"],
        ["bilirubin", "5.0", "not gradable", "any", "1 result", "baseline_set_aside"],
        ["bilirubin", "5.0", "2", "1", "any", "60", "4", "mg/dL", "? to 1.2", "1.6",
         "> 1.5 x baseline", "cccc"],
    ]  # fmt: skip


def test_failed_rules_events_and_the_source_of_an_endpoint_are_told(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    text = told(capsys, root, "show", ANNA)
    assert "eligible  E4 fail (3)" in text
    assert "E5" not in text
    assert lines(text, "Clinical")[1][0] == "fatigue"
    assert lines(text, "Endpoints")[1][-1].strip() == "abab"
    assert "contacts.contact_date" in text


def test_a_patient_is_found_by_site_and_id_under_the_key(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    words = ("show", "--site", "memon2012", "--patient", "P01", "--json")
    facts = json.loads(told(capsys, root, *words))
    assert facts["subject"]["subject_id"] == ANNA
    assert facts["assessments"][0]["criteria"]["WHO"]["rule"] == "decrease_from_baseline"
    assert "P01" not in json.dumps(facts)


def test_a_subject_without_treatment_is_shown(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    text = told(capsys, root, "show", BERT)
    assert "treated   no" in text
    assert "No endpoint." in text


def test_no_other_patient_is_offered_for_one_that_is_unknown(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    """A pseudonym that looks alike is somebody else's."""
    for words in (["K-001"], [BERT[:-1] + "c"], ["--site", "memon2012", "--patient", "K-001"]):
        where = ["--store", str(root), "--config", str(DEMONSTRATION)]
        assert cli.main(["show", *words, *where]) == 2
        said = "".join(capsys.readouterr())
        assert not [s for s in (ANNA, BERT) if s in said]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "bbbbbbbbbbbbbbbc"], "name a patient by --site and --patient"),
        (["show", "--site", "memon2012", "--patient", "P99"], "no such patient of memon2012"),
        (["show", "--site", "memon2013", "--patient", "P01"], "Did you mean memon2012?"),
        (["show"], "name a SUBJECT, or a patient by --site and --patient"),
        (["show", ANNA, "--site", "memon2012"], "name a SUBJECT, or a patient"),
        (["regrade", "--from", "3.0", "--to", "7.0"], "'7.0' is unknown"),
        (
            ["regrade", "--from", "3.0", "--to", "6.0"],
            "holds no grades of CTCAE 6.0, but of 3.0, 5.0",
        ),
        (["docs", "lab_grade"], "Did you mean lab_grades"),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest(
    capsys: pytest.CaptureFixture[str], root: Path, words: list[str], message: str
) -> None:
    assert cli.main([*words, "--store", str(root), "--config", str(DEMONSTRATION)]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "P99" not in told


def test_regrading_lists_who_moves_from_what_to_what_and_why(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    facts = json.loads(told(capsys, root, "regrade", "--from", "3.0", "--to", "5.0", "--json"))
    assert facts == {
        "from": "3.0",
        "to": "5.0",
        "moved": [
            {
                "subject_id": ANNA, "analyte": "bilirubin",
                "worst_grade_from": 3, "worst_grade_to": 2, "rel_day_from": 60, "rel_day_to": 60,
                "rule_from": "> 3 x ULN", "rule_to": "> 1.5 x baseline",
                "source_row_id_from": "cccc", "source_row_id_to": "cccc",
            }
        ],
    }  # fmt: skip
    text = told(capsys, root, "regrade", "--from", "3.0", "--to", "5.0")
    assert text.rstrip().endswith("1 subject: 1 worst grade after treatment moves.")


def test_regrading_by_the_same_version_moves_nobody(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    text = told(capsys, root, "regrade", "--from", "5.0", "--to", "5.0")
    assert text == "Nobody's worst grade moves from CTCAE 5.0 to 5.0.\n"


def test_the_report_is_named_and_a_missing_one_is_a_failure(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    assert cli.main(["report", "--store", str(root)]) == 1
    assert "y90 verify 2020.06.01" in capsys.readouterr().err
    for name in ("report", "audit"):
        page = root / "releases/2020.06.01" / name / "index.html"
        page.parent.mkdir()
        page.write_text("page")
    assert told(capsys, root, "report") == f"{root}/releases/2020.06.01/report/index.html\n"


def test_a_table_is_explained_from_its_contract(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    facts = json.loads(told(capsys, root, "docs", "lab_grades", "--json"))
    assert facts["table"] == "marts.lab_grades"
    assert facts["meaning"] == "One row per laboratory result and CTCAE version."
    by_name = {c["column"]: c for c in facts["columns"]}
    assert by_name["analyte"]["presence"] == "key"
    assert by_name["unit"]["meaning"] == "Unit as delivered."
    assert told(capsys, root, "docs", "marts.lab_grades").startswith("marts.lab_grades\n")


def test_the_documentation_is_found(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    assert "  glossary.md" in told(capsys, root, "docs").splitlines()


def test_recorded_classes_stand_beside_the_derived_ones_with_the_kind_of_disagreement(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    cells = [
        [c.strip() for c in line] for line in lines(told(capsys, root, "show", BERT), "Recorded")
    ]
    assert cells == [
        [
            "criterion",
            "day",
            "reader",
            "source",
            "recorded",
            "derived",
            "on day",
            "differs by",
            "row",
        ],
        ["WHO", "90", "local", "report", "PR", "SD", "90", "measurement", "rrrr"],
        ["unspecified", "90", "local", "SD (after its end)", "ssss"],
        ["WHO", "90", "best", "PR", "SD", "90", "measurement"],
    ]
    assert "Recorded" not in told(capsys, root, "show", ANNA)


def test_progression_as_recorded_stands_beside_that_derived(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    """Of whom neither was seen nothing is printed."""
    text = told(capsys, root, "show", BERT)
    cells = [[c.strip() for c in line] for line in lines(text, "Progression as derived")]
    assert cells[1] == ["90", "120", "30", "recorded later", "scan", "pppp"]
    assert "Progression as derived" not in told(capsys, root, "show", ANNA)

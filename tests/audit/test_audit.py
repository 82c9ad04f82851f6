"""What holds a release, and what a night may do without anybody being woken."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.records.eligibility import RULES
from schemas.settings import AuditSettings, OutcomeSettings, RegistryFile
from schemas.tables.changes import StatisticChange
from tests.support.literal_releases import CONTRACTS, write_tables
from warehouse.audit import judge as audit
from warehouse.audit import movement
from warehouse.audit.expectations import frames
from warehouse.audit.questions import DECLARED, QUESTIONS

ROOT = Path(__file__).parents[2]
SETTINGS = AuditSettings()

SUBJECTS = """
| subject_id | site_id | treated | per_criteria |
| aa         | north   | yes     | yes          |
| bb         | north   | yes     | yes          |
"""
MEMBERS = """
| set_id                               | subject_id | lesion_number |
| population.all                       | aa         | 0             |
| population.all                       | bb         | 0             |
| population.site:north                | aa         | 0             |
| population.site:north                | bb         | 0             |
| toxicity_summary.lab.alt.3_0.any.any | aa         | 0             |
"""
STATISTICS = """
| statistic_id | label | value | lower | upper | n | total | unit | method     | definition \
| population_set | numerator_set                        |
| {id}         | ALT   | {pct} | 1.3   | 98.7  | 1 | 2     | %    | proportion | d          \
| population.all | toxicity_summary.lab.alt.3_0.any.any |
"""
ANY = "toxicity_summary.all.lab.alt.3_0.any.any"
TOXICITY = """
| population | source | term | ctcae_version | time_window | grade | statistic_id | n | total \
| n_treated | pct |
| all | lab | alt | 3.0 | any | 1   | toxicity_summary.all.lab.alt.3_0.any.1   | {n} | 2 | 2 | 50 |
| all | lab | alt | 3.0 | any | any | toxicity_summary.all.lab.alt.3_0.any.any | 1   | 2 | 2 | 50 |
"""
RESPONSE_HEAD = (
    "| population | criterion | level | confirmation | category | statistic_id | n | total "
    "| n_evaluable | method |"
)
COUNTS = """
| site_id | table_name | received | empty | accepted | quarantined | other_group |
| north   | patients   | 7        | 1     | 2        | {aside}     | 4           |
"""
CURVE = """
| population | endpoint | level   | factor | factor_level | time_days | at_risk | events \
| censored | survival |
| all        | OS       | subject |        |              | 10        | 2       | 1      \
| 0        | 0.5      |
| all        | OS       | subject |        |              | 20        | 1       | 0      \
| 1        | {last}   |
"""
ASKED = RULES


def candidate(folder: Path, **changed: str) -> Path:
    """A consistent release of two treated subjects; `changed` replaces whole tables."""
    rules = "\n".join(f"| {s} | {r.rule_id} | pass |" for s in ("aa", "bb") for r in ASKED)
    tables = {
        "marts.subjects": SUBJECTS,
        "marts.eligibility": "| subject_id | rule_id | status |\n" + rules,
        "marts.follow_up_adherence": "| subject_id | fu_days | n_expected |\n| aa | 1 | 0 |\n"
        "| bb | 1 | 0 |",
        "members.member_sets": MEMBERS,
        "outcomes.statistics": STATISTICS.format(id=ANY, pct=50),
        "outcomes.toxicity_summary": TOXICITY.format(n=1),
        "outcomes.survival_curves": CURVE.format(last="0.5"),
        "quality.row_counts": COUNTS.format(aside=0),
    }
    named = {name.replace("__", "."): text for name, text in changed.items()}
    return write_tables(folder, tables | named, only=False)


def broken(folder: Path) -> set[str]:
    """The questions that a candidate fails."""
    return {q for q, passed in _asked(folder).items() if not passed}


def _asked(folder: Path) -> dict[str, bool]:
    scratch = folder / "scratch"
    scratch.mkdir()
    found = {}
    for question, path in frames(folder / "parquet", scratch).items():
        found[question.audit_id] = path is not None and _true(question, path)
    return found


def _true(question: Any, path: Path) -> bool:
    """The meaning of each kind, written a second time without Great Expectations."""
    rows = duckdb.sql(f"SELECT * FROM '{path}'")
    cells = [dict(zip(rows.columns, r, strict=True)) for r in rows.fetchall()]
    match question.kind:
        case "no_rows":
            return not cells
        case "equal":
            return all(c["found"] == c["expected"] for c in cells)
        case "ordered":
            pairs = [(c["smaller"], c["greater"]) for c in cells]
            return all(a <= b for a, b in pairs if a is not None and b is not None)
        case "within":
            low = -1e300 if question.low is None else question.low
            high = 1e300 if question.high is None else question.high
            return all(low <= c["value"] <= high for c in cells if c["value"] is not None)
        case _:
            return set(question.values) <= {c["value"] for c in cells}


ROW_AGAIN = COUNTS.format(aside=0).splitlines()[2]
FAULTS = {
    "keys": {
        "quality__row_counts": COUNTS.format(aside=0) + COUNTS.format(aside=0).splitlines()[2]
    },
    "treated_in_population": {"members__member_sets": MEMBERS.replace("site:north", "site:south")},
    "rules_asked": {"marts__eligibility": "| subject_id | rule_id | status |\n| aa | E1 | pass |"},
    "treated_followed": {"marts__follow_up_adherence": "| subject_id |"},
    "rows_accounted": {"quality__row_counts": COUNTS.format(aside=1)},
    "patients_are_subjects": {"marts__subjects": SUBJECTS + "| cc | north | no | no |"},
    "toxicity_grades": {"outcomes__toxicity_summary": TOXICITY.format(n=2)},
    "statistics_have_rows": {
        "outcomes__statistics": STATISTICS.format(
            id="toxicity_summary.all.lab.ast.3_0.any.any", pct=50
        )
    },
    "shares": {"outcomes__statistics": STATISTICS.format(id=ANY, pct=101)},
    "above_lower_limits": {"outcomes__statistics": STATISTICS.format(id=ANY, pct=1.2)},
    "below_upper_limits": {"outcomes__statistics": STATISTICS.format(id=ANY, pct=98.8)},
    "members_counted": {
        "members__member_sets": MEMBERS + "| toxicity_summary.lab.alt.3_0.any.any | bb | 0 |"
    },
    "curves_fall": {"outcomes__survival_curves": CURVE.format(last="0.51")},
    "response_totals": {
        "outcomes__response_summary": f"{RESPONSE_HEAD}\n"
        "| all | WHO| subject | confirmed | ORR | x | 0 | 1 | 0 | none |"
    },
}


def test_a_consistent_release_answers_every_question(tmp_path: Path) -> None:
    assert broken(candidate(tmp_path)) == set()


@pytest.mark.parametrize("question", FAULTS)
def test_each_fault_fails_the_question_about_it(tmp_path: Path, question: str) -> None:
    assert question in broken(candidate(tmp_path, **FAULTS[question]))


def test_a_missing_table_fails_what_is_asked_of_it(tmp_path: Path) -> None:
    folder = candidate(tmp_path)
    (folder / "parquet" / "outcomes" / "survival_curves.parquet").unlink()
    assert broken(folder) == {"tables", "keys", "curves_fall", "curve_units"}


def test_every_released_table_but_the_answers_is_declared() -> None:
    assert set(DECLARED) == set(CONTRACTS) - {"quality.audit"}
    assert len({q.audit_id for q in QUESTIONS}) == len(QUESTIONS)


def test_the_audit_asks_in_a_process_that_leaves_nothing_behind(tmp_path: Path) -> None:
    """No telemetry, no project folder, no file in the home directory; one true or false each.

    It answers one candidate after the other, so that a backfill imports it once.
    """
    right, wrong = candidate(tmp_path / "right"), candidate(tmp_path / "wrong", **FAULTS["shares"])
    home = tmp_path / "home"
    home.mkdir()
    for folder in (right, wrong):
        (folder / "frames").mkdir()
    answers = _process([right, wrong], home)
    assert [q for q, passed in answers[0].items() if not passed] == []
    assert [q for q, passed in answers[1].items() if not passed] == ["below_upper_limits", "shares"]
    assert list(home.iterdir()) == []


def _process(folders: list[Path], home: Path) -> list[dict[str, bool]]:
    done = subprocess.run(
        [sys.executable, "-m", "warehouse.audit.expectations"],
        cwd=ROOT,
        env=os.environ | {"HOME": str(home)},
        input="".join(_line(f) + "\n" for f in folders),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [json.loads(line)["answers"] for line in done.stdout.splitlines()]


def _line(folder: Path) -> str:
    resources = {"threads": 1, "memory_limit": "1GiB"}
    places = {"parquet": str(folder / "parquet"), "scratch": str(folder / "frames")}
    return json.dumps(places | {"resources": resources})


SHARE = StatisticChange(
    statistic_id="response_summary.all.who.subject.all.all.unconfirmed.orr",
    label="ORR",
    unit="%",
    kind="changed",
    redefined=False,
    old=50.0,
    new=50.0,
    change=0.0,
    old_lower=33.8,
    new_lower=None,
    old_upper=66.2,
    new_upper=None,
    old_n=20,
    new_n=20,
    old_total=40,
    new_total=40,
)


def moved(**facts: Any) -> StatisticChange:
    """A statistic that moved; change is computed here."""
    made = SHARE.model_copy(update=facts)
    known = made.old is not None and made.new is not None
    return made.model_copy(update={"change": made.new - made.old if known else None})


ALL_OF_15 = {"old": 1.0, "old_lower": 1.0, "old_upper": 1.0, "old_total": 15, "new_total": 27}
OF_100 = {"old_total": 100, "new_total": 100}


@pytest.mark.parametrize(
    ("case", "held"),
    [
        # 10 points of 100 patients are allowed, 11 outside the limits are not, inside they are
        (
            {"new": 60.0, **OF_100, "old_lower": 45.0, "old_upper": 55.0},
            False,
        ),
        (
            {"new": 61.0, **OF_100, "old_lower": 45.0, "old_upper": 55.0},
            True,
        ),
        (
            {"new": 61.0, **OF_100, "old_lower": 45.0, "old_upper": 61.0},
            False,
        ),
        # 3 of 12 patients explain 25 points, 4 of 12 make 33
        ({"new": 75.0, "old_total": 12, "new_total": 12, "old_upper": 55.0}, False),
        ({"new": 83.4, "old_total": 12, "new_total": 12, "old_upper": 55.0}, True),
        # without limits of its own a share has the exact ones: 20 of 40 is 33.8 to 66.2 %
        ({"new": 66.0, "old_lower": None, "old_upper": None}, False),
        ({"new": 66.5, "old_lower": None, "old_upper": None}, True),
        # a fifth of the patients may go, and 3 of a few
        ({"new_total": 32}, False),
        ({"new_total": 31}, True),
        ({"old_total": 5, "new_total": 2}, False),
        ({"old_total": 5, "new_total": 1}, True),
        ({"new_total": 400}, False),
        # a number that is gone counts nobody
        ({"kind": "removed", "new": None, "new_n": None, "new_total": None}, True),
        ({"kind": "added", "old": None, "old_total": None}, False),
        # lesions come and go with their patient
        (
            {
                "statistic_id": "response_summary.all.who.lesion.all.all.unconfirmed.orr",
                "new_total": 9,
            },
            False,
        ),
    ],
)
def test_a_share_is_outside_when_neither_few_patients_nor_its_limits_explain_it(
    case: dict[str, Any], held: bool
) -> None:
    assert bool(movement.why_outside(moved(**case), SETTINGS)) is held


MEDIAN = {"unit": "months", "old": 30.0, "old_lower": 25.0, "old_upper": 40.0, "new": 30.0}


@pytest.mark.parametrize(
    ("case", "held"),
    [
        ({"new": 39.0}, False),
        ({"new": 41.0}, True),
        ({"new": 41.0, "old_upper": None}, False),
        ({"new": 24.0}, True),
        ({"new": 27.0, "old_lower": 28.0}, False),
        ({"new": None}, False),
        ({"old_n": 20, "new_n": 16}, False),
        ({"old_n": 20, "new_n": 15}, True),
        # of fewer than 20 on either side any patient moves it
        ({"new": 41.0, "old_total": 19}, False),
        ({"new": 41.0, "old_total": 20, "new_total": 20}, True),
        ({"new": 41.0, "old_total": 20, "new_total": 19}, False),
        # what was no number and is none does not move, whoever its empty row counted
        ({"old": None, "new": None, "new_total": 0, "new_n": 0}, False),
        ({"old": None, "new": None, "kind": "removed", "new_total": None}, False),
    ],
)
def test_a_median_is_outside_beyond_its_months_and_limits_or_when_events_vanish(
    case: dict[str, Any], held: bool
) -> None:
    assert bool(movement.why_outside(moved(**MEDIAN | case), SETTINGS)) is held


@pytest.mark.parametrize(
    ("case", "held"),
    [
        (
            {
                "unit": "1",
                "old": 0.60,
                "new": 0.70,
                "old_upper": 0.65,
                "old_total": 99,
                "new_total": 99,
            },
            False,
        ),
        (
            {
                "unit": "1",
                "old": 0.60,
                "new": 0.71,
                "old_upper": 0.65,
                "old_total": 99,
                "new_total": 99,
            },
            True,
        ),
        # of 15 who all survive, the exact limits are 0.782 to 1 (R 4.2.2, binom.test)
        ({"unit": "1", **ALL_OF_15, "new": 0.79}, False),
        ({"unit": "1", **ALL_OF_15, "new": 0.78, "new_total": 30}, True),
        ({"unit": "p", "old": 0.9, "new": 0.001}, False),
        ({"unit": "mg/dL", "old": 0.8, "new": 1.0, "old_lower": 0.6, "old_upper": 0.9}, False),
        ({"unit": "mg/dL", "old": 0.8, "new": 1.1, "old_lower": 0.6, "old_upper": 0.9}, True),
        ({"unit": "patients", "old": 9.0, "new": 99.0, "old_n": 9, "new_n": 99}, False),
        ({"unit": "patients", "old": 9.0, "new": 5.0, "old_n": 9, "new_n": 5}, True),
    ],
)
def test_the_tolerance_follows_the_unit(case: dict[str, Any], held: bool) -> None:
    assert bool(movement.why_outside(moved(**case), SETTINGS)) is held


def test_a_number_that_a_setting_redefines_is_never_published_unread() -> None:
    redefined = moved(redefined=True, new=50.1)
    assert movement.why_outside(redefined, SETTINGS) == "a setting that defines it changed"
    assert movement.why_outside(moved(redefined=True), SETTINGS) is None
    relaxed = SETTINGS.model_copy(update={"hold_redefined": False})
    assert movement.why_outside(redefined, relaxed) is None


def test_a_statistic_may_declare_its_own_tolerance() -> None:
    own = {"response_summary.all.*": 5.0, "response_summary.all.who.*.orr": 1.0}
    declared = SETTINGS.model_copy(update={"statistics": own})
    assert movement.why_outside(moved(new=51.0), declared) is None
    assert movement.why_outside(moved(new=51.1), declared) == "more than its own tolerance of 1"
    free = SETTINGS.model_copy(update={"statistics": {"*": float("inf")}})
    assert movement.why_outside(moved(new=0.0, redefined=True), free) is None


def test_tolerances_are_no_part_of_what_a_number_is_made_from() -> None:
    assert "audit" in RegistryFile.model_fields
    assert "audit" not in OutcomeSettings.model_fields


def night(folder: Path, accepted: int, *, aside: int = 0, ecog: bool = False) -> Path:
    """A release in which the rows of labs and one class vary; the rest is as in `candidate`."""
    counts = (
        COUNTS.format(aside=0)
        + f"| north | labs | {accepted + aside} | 0 | {accepted} | {aside} | 0 |"
    )
    quarantine = (
        "| site_id | table_name | source_file | source_row | rule_id | column_name \
| row_number | category |\n"
        + "\n".join(
            f"| north | labs | labs.csv | {n} | implausible | value | {n} | plausibility |"
            for n in range(1, aside + 1)
        )
    )
    deliveries = (
        "| site_id | delivery_id | extraction_date | n_files | degraded |\n"
        "| north | d | 2026-03-30 | 1 | no |"
    )
    subjects = (
        SUBJECTS.replace("| yes          |\n| bb", "| no           |\n| bb") if ecog else SUBJECTS
    )
    return candidate(
        folder,
        quality__row_counts=counts,
        quality__quarantine=quarantine,
        quality__deliveries=deliveries,
        marts__subjects=subjects,
    )


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question is true; the process itself is tested above."""
    monkeypatch.setattr(audit, "_asked", lambda *_: {q.audit_id: True for q in QUESTIONS})


def judged(before: Path, work: Path, **settings: Any) -> dict[str, Any]:
    audit.answer(work)
    audit.judge(work, before, ("2026.03.29", "2026.03.30"), SETTINGS.model_copy(update=settings))
    return dict(json.loads((work / "audit.json").read_text()))


@pytest.mark.usefixtures("answered")
def test_a_halved_file_is_held_and_its_rows_are_named(tmp_path: Path) -> None:
    account = judged(night(tmp_path / "a", 400), night(tmp_path / "b", 200))
    assert account["held"] is True
    assert account["reasons"] == ["north: accepted rows of labs fall from 400 to 200"]
    assert "Held." in (tmp_path / "b" / "audit" / "index.html").read_text()


@pytest.mark.parametrize(("old", "new"), [(400, 320), (400, 900), (19, 1)])
@pytest.mark.usefixtures("answered")
def test_growth_a_small_fall_and_a_small_table_are_not_held(
    tmp_path: Path, old: int, new: int
) -> None:
    account = judged(night(tmp_path / "a", old), night(tmp_path / "b", new))
    assert account["held"] is False
    assert account["reasons"] == []


@pytest.mark.usefixtures("answered")
def test_the_impact_names_reclassified_and_vanished_patients_and_quarantined_rows(
    tmp_path: Path,
) -> None:
    before, work = night(tmp_path / "a", 40), night(tmp_path / "b", 38, aside=2, ecog=True)
    account = judged(before, work)
    assert account["reclassified"] == [
        {"table": "subjects", "column": "per_criteria", "n": 1, "subjects": ["aa"]}
    ]
    assert account["subjects"] == {"added": [], "vanished": []}
    assert account["set_aside"] == [
        {"site_id": "north", "table": "labs", "rule_id": "implausible", "old": 0, "new": 2}
    ]
    assert account["sites"] == [
        {"site_id": "north", "old": "2026-03-30", "new": "2026-03-30", "degraded": False}
    ]


def test_a_failed_question_holds_even_the_first_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {q.audit_id: q.audit_id != "shares" for q in QUESTIONS}
    monkeypatch.setattr(audit, "_asked", lambda *_: given)
    work = candidate(tmp_path)
    audit.answer(work)
    assert audit.judge(work, None, (None, "2026.03.29"), SETTINGS) is True
    account = json.loads((work / "audit.json").read_text())
    assert account["compared_with"] is None
    assert account["reasons"] == [
        "A proportion and its limits lie between 0 and 100 %. This is not so (shares)."
    ]
    assert json.loads((work / "changes.json").read_text())["left"] is None
    assert "The first release" in (work / "CHANGES.md").read_text()


@pytest.mark.usefixtures("answered")
def test_the_account_of_the_same_night_is_the_same_bytes(tmp_path: Path) -> None:
    before = night(tmp_path / "a", 400)
    works = [night(tmp_path / n, 200) for n in ("b", "c")]
    written = [audit.answer(work) for work in works]
    assert written[0] == written[1]
    for work in works:
        judged(before, work)
    for name in ("audit.json", "audit/index.html", "changes.json", "CHANGES.md"):
        assert (works[0] / name).read_bytes() == (works[1] / name).read_bytes()


@pytest.mark.usefixtures("answered")
def test_the_page_needs_no_network_and_escapes_what_it_shows(tmp_path: Path) -> None:
    before, work = night(tmp_path / "a", 400), night(tmp_path / "b", 200)
    judged(before, work)
    page = (work / "audit" / "index.html").read_text()
    assert "://" not in page
    assert "<script" not in page
    assert "labs" in page


def test_changes_against_another_release_are_computed_again(tmp_path: Path) -> None:
    """If another night was published meanwhile, the account is against that one."""
    before, other = night(tmp_path / "a", 400), night(tmp_path / "o", 200)
    work = night(tmp_path / "b", 200)
    first = audit.changes_of(work, before, ("2026.03.28", "2026.03.30"))
    assert not first.equal
    again = audit.changes_of(work, other, ("2026.03.29", "2026.03.30"))
    assert (again.left, again.equal) == ("2026.03.29", True)

"""A held night is told in the order of what matters: cause by site, headline numbers, the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.telling import digest
from schemas.settings import AuditSettings
from schemas.tables.changes import Changes, StatisticChange
from tests.support.literal_releases import write_tables
from warehouse.audit import judge as audit
from warehouse.audit import movement, telling
from warehouse.audit.questions import QUESTIONS
from warehouse.releases import change_pages as pages

PEOPLE = 24


def changed(statistic_id: str, old: float, new: float, **facts: Any) -> StatisticChange:
    """A share of a hundred that moved; the rest is given."""
    given: dict[str, Any] = {
        "statistic_id": statistic_id,
        "kind": "changed",
        "label": statistic_id.split(".")[0].replace("_", " "),
        "unit": "%",
        "old": old,
        "new": new,
        "old_n": 50,
        "new_n": 50,
        "old_total": 100,
        "new_total": 100,
        "redefined": False,
        "change": new - old,
        **dict.fromkeys(("old_lower", "new_lower", "old_upper", "new_upper")),
    }
    return StatisticChange(**(given | facts))


RESPONSE = changed("response_summary.all.who.lesion.unconfirmed.orr", 63.9, 40.1)
SURVIVAL = changed(
    "survival_medians.all.os.subject.overall.overall.midpoint", 34.4, 20.0, unit="months"
)
TOXICITY = changed("toxicity_summary.all.lab.bilirubin.3_0.any.ge3", 5, 40)
AT_A_SITE = changed("response_summary.site:lyon.who.lesion.unconfirmed.orr", 60, 10)
ADHERENCE = [changed(f"adherence_summary.all.a_{n:04d}", 0, 90) for n in range(6179)]
WHY = "more than 10 points"


def told(*statistics: StatisticChange) -> list[str]:
    return telling.moves([(s, WHY) for s in statistics])


def test_headline_numbers_are_named_first_with_old_and_new_and_the_rest_are_counted() -> None:
    lines = told(*ADHERENCE, AT_A_SITE, TOXICITY, SURVIVAL, RESPONSE)
    assert [line.split(" (")[0] for line in lines[:3]] == [
        "response summary",
        "survival medians",
        "toxicity summary",
    ]
    assert "moves from 63.9 to 40.1 %" in lines[0]
    assert "moves from 34.4 to 20.0 months" in lines[1]
    assert len(lines) == telling.SHOWN + 1
    assert lines[-1] == (
        "6173 more statistics are outside their tolerances: adherence_summary 6172, "
        "response_summary 1"
    )


def test_a_value_that_stays_is_told_by_what_fell() -> None:
    same = changed("adherence_summary.all.a_long_gap", 0.0, 0.0, new_total=28, label="a long gap")
    (line,) = telling.moves([(same, "patients or units fall from 39 to 28")])
    assert line == (
        "a long gap (adherence_summary.all.a_long_gap) stays at 0.0 %: "
        "patients or units fall from 39 to 28"
    )


def release(folder: Path, people: int, value: float, aside: int = 0) -> Path:
    """Two sites; at lyon so many patients, each with one bilirubin of the value."""
    ids = [f"l{n:02d}" for n in range(people)]
    subjects = [f"| {s} | lyon | yes | yes |" for s in ids] + ["| bb | north | yes | yes |"]
    labs = [f"| {s} | bilirubin | 5.0 | -1 | {value} | umol/L |" for s in ids]
    quarantine = [
        f"| lyon | labs | labs.csv | {n} | labs.implausible | value | {n} | plausibility |"
        for n in range(1, aside + 1)
    ]
    rows = f"| lyon | patients | {people} | 0 | {people} | 0 | 0 |"
    return write_tables(
        folder,
        {
            "marts.subjects": "| subject_id | site_id | treated | per_criteria |\n"
            + "\n".join(subjects),
            "marts.lab_grades": "| subject_id | analyte | ctcae_version | rel_day | value | unit |"
            "\n" + "\n".join(labs),
            "quality.row_counts": "| site_id | table_name | received | empty | accepted "
            "| quarantined | other_group |\n" + rows,
            "quality.quarantine": "| site_id | table_name | source_file | source_row | rule_id "
            "| column_name | row_number | category |\n" + "\n".join(quarantine),
            "quality.deliveries": "| site_id | delivery_id | extraction_date | n_files | degraded |"
            "\n| lyon | d | 2026-03-30 | 1 | no |",
        },
        only=False,
    )


def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *after: Any) -> dict[str, Any]:
    """The account of a night against one of whole patients and usual results."""
    monkeypatch.setattr(audit, "_asked", lambda *_: {q.audit_id: True for q in QUESTIONS})
    before, work = release(tmp_path / "a", PEOPLE, 17.1), release(tmp_path / "b", *after)
    audit.answer(work)
    audit.judge(work, before, ("2026.03.29", "2026.03.30"), AuditSettings())
    return dict(json.loads((work / "audit.json").read_text()))


def test_a_halved_centre_is_announced_by_its_rows_and_its_vanished_patients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = account(tmp_path, monkeypatch, PEOPLE // 2, 17.1)
    assert found["reasons"][:2] == [
        "lyon: accepted rows of patients fall from 24 to 12",
        "lyon: 12 of 24 patients vanished",
    ]


def test_a_unit_switch_and_rows_set_aside_are_named_beside_what_they_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """17.1 umol/L is 1 mg/dL of bilirubin: 1.0 under the name umol/L."""
    found = account(tmp_path, monkeypatch, PEOPLE // 2, 1.0, 3)
    assert found["reasons"][1:4] == [
        "lyon: rows newly set aside: 3 of labs by labs.implausible",
        "lyon: the middle result of bilirubin was 17.1 and is 1 umol/L; perhaps it is in another "
        "unit",
        "lyon: 12 of 24 patients vanished",
    ]


def test_a_cause_alone_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A patient may leave: the tolerances decide, the causes explain."""
    found = account(tmp_path, monkeypatch, PEOPLE - 1, 17.1)
    assert (found["held"], found["reasons"]) == (False, [])


def test_the_page_of_a_night_that_moved_everything_is_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = account(tmp_path, monkeypatch, PEOPLE // 2, 17.1)
    found["statistics"] = [s.model_dump(mode="json") | {"why": WHY} for s in (RESPONSE, *ADHERENCE)]
    page = pages.audit_page(found)
    assert len(page.encode()) < 200_000
    assert page.index("response_summary.all") < page.index("adherence_summary.all")
    assert "6080 more are in audit.json" in page


def test_the_digest_names_what_matters_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = Changes(left="a", right="b", statistics=(*ADHERENCE[:20], TOXICITY, RESPONSE))
    ordered = sorted(moved.statistics, key=pages.importance)
    assert ordered[:2] == [RESPONSE, TOXICITY]
    one = {
        "release_id": "b",
        "status": "held",
        "compared_with": "a",
        "summary": "",
        "n_statistics": 22,
        "reasons": ["lyon: 12 of 24 patients vanished"],
        "statistics": ["response: 63.9 -> 40.1 %"],
    }
    lines = digest.evening([one], 24).splitlines()
    assert lines[1:3] == ["  lyon: 12 of 24 patients vanished", "  response: 63.9 -> 40.1 %"]


def test_a_redefined_number_that_differs_by_rounding_alone_holds_no_night() -> None:
    """The last digits of a sum follow the order of its terms; the setting is told of the others."""
    named = {"redefined": True, "redefined_by": ("response.lesion_start",)}
    same = changed("a.all", 0.638554216867469, 0.6385542168674693, **named)
    assert movement.why_outside(same, AuditSettings()) is None
    moved = changed("a.all", 0.6385542, 0.6385543, **named)
    said = "a setting that defines it changed: response.lesion_start"
    assert movement.why_outside(moved, AuditSettings()) == said

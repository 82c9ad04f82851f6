"""A release published under the former names is compared by what it says, not by its names.

The ids on the left are those that releases held before the naming changed.
"""

# ruff: noqa: E501 (pipe tables are read better whole)

from pathlib import Path

import duckdb
import pytest

from flows.__main__ import main
from tests.support.literal_releases import publish
from warehouse.account import trace
from warehouse.releases import change_pages, changes, former_names
from warehouse.releases.database import BEFORE
from warehouse.store import Store

IDS = [
    (
        "survival_medians.all.os.subject...midpoint",
        "survival_medians.all.os.subject.overall.overall.midpoint",
    ),
    (
        "response_summary.all.recist11.lesion.unconfirmed.ne",
        "response_summary.all.recist_1_1.lesion.all.all.unconfirmed.ne",
    ),
    (
        "criterion_agreement.all.recist11.mrecist.lesion.sd.non-cr/non-pd",
        "criterion_agreement.all.recist_1_1.mrecist.lesion.sd.non-cr_non-pd",
    ),
    (
        "toxicity_summary.site:north.event.nausea or vomiting.4.03.primary.any",
        "toxicity_summary.site:north.event.nausea_or_vomiting.4_03.primary.any",
    ),
    ("toxicity_shift.all.ast.3.0.1.3", "toxicity_shift.all.ast.3_0.1.3"),
    ("prognosis_univariate.all.os.bili12.>1.2", "prognosis_univariate.all.os.bili12.gt1_2"),
    ("prognosis_univariate.all.os.alb35.<=3.5", "prognosis_univariate.all.os.alb35.le3_5"),
    ("prognosis_univariate.all.os.burden25.>25", "prognosis_univariate.all.os.burden25.gt25"),
    ("prognosis_univariate.all.os.ecog0.>=1", "prognosis_univariate.all.os.ecog0.ge1"),
    (
        "baseline_characteristics.all.age_years....median",
        "baseline_characteristics.all.age_years.overall.overall.overall.median",
    ),
    (
        "baseline_characteristics.all.child_pugh_class.b..",
        "baseline_characteristics.all.child_pugh_class.b.overall.overall",
    ),
    ("dosimetry_summary.all.dose_gy.target.", "dosimetry_summary.all.dose_gy.target.overall"),
    (
        "dosimetry_summary.all.dose_gy.subject.who:responder",
        "dosimetry_summary.all.dose_gy.subject.who:responder",
    ),
    ("survival_landmarks.os.subject...12", "survival_landmarks.os.subject.overall.overall.12"),
    ("population.site:north", "population.site:north"),
]
HEAD = (
    "| statistic_id | label | value | n | total | unit | method | definition | population_set "
    "| numerator_set |"
)


@pytest.mark.parametrize(("before", "now"), IDS)
def test_a_former_id_is_read_as_todays(before: str, now: str) -> None:
    with duckdb.connect() as con:
        sql = f"SELECT {former_names.renamed_id('id')} FROM (SELECT $before AS id)"
        assert con.execute(sql, {"before": before}).fetchone() == (now,)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two releases with the same numbers but one, the first under the former names."""
    store = Store.open(tmp_path / "store")
    old = publish(
        store,
        "2020.06.01",
        {
            "outcomes.statistics": f"""{HEAD}
            | survival_medians.all.os.subject...midpoint   | Median OS | 30 | 4 | 9 | months | m | old | population.all | events.os.subject |
            | response_summary.all.recist11.lesion.unconfirmed.ne | recist11 NE | 10 | 1 | 10 | % | p | old | population.all | response_summary.recist11.lesion.unconfirmed.ne |
            """,
            "outcomes.response_summary": """
            | population | criterion | level  | confirmation | category | statistic_id | n | total | n_evaluable | pct | method |
            | all | RECIST 1.1 | lesion | unconfirmed | NE | response_summary.all.recist11.lesion.unconfirmed.ne | 1 | 10 | 9 | 10 | x |
            """,
            "marts.toxicity": """
            | subject_id | source | term | ctcae_version | time_window | worst_grade |
            | aa         | lab    | ast  | 3.0           | any         | 2           |
            """,
        },
    )
    _as_formerly(old)
    publish(
        store,
        "2020.06.02",
        {
            "outcomes.statistics": f"""{HEAD}
            | survival_medians.all.os.subject.overall.overall.midpoint   | Median overall survival (OS) | 31 | 4 | 9 | months | m | new | population.all | events.os.subject |
            | response_summary.all.recist_1_1.lesion.all.all.unconfirmed.ne | RECIST 1.1 not evaluable (NE) | 10 | 1 | 10 | % | p | new | population.all | response_summary.recist_1_1.lesion.all.all.unconfirmed.ne |
            """,
            "outcomes.response_summary": """
            | population | criterion  | level  | organ | lesions | confirmation | category | statistic_id | n | total | n_evaluable | pct | method |
            | all | RECIST 1.1 | lesion | all | all | unconfirmed | NE | response_summary.all.recist_1_1.lesion.all.all.unconfirmed.ne | 1 | 10 | 9 | 10 | x |
            """,
            "marts.toxicity": """
            | subject_id | source | term | ctcae_version | time_window | worst_grade |
            | aa         | lab    | ast  | 3.0           | any         | 2           |
            """,
        },
    )
    return store


def _as_formerly(release: Path) -> None:
    """Give a release the names that it would have been published under."""
    with duckdb.connect(str(release / BEFORE)) as con:
        for name, select in (
            ("marts/toxicity", 'SELECT * RENAME (time_window AS "window")'),
            (
                "outcomes/response_summary",
                "SELECT * EXCLUDE (organ, lesions) REPLACE ('recist11' AS criterion)",
            ),
        ):
            path = release / "parquet" / f"{name}.parquet"
            con.execute(f"CREATE OR REPLACE TABLE t AS {select} FROM '{path}'")
            con.execute(f"COPY t TO '{path}' (FORMAT parquet)")


def test_only_what_moved_is_listed_and_the_renaming_is_said(store: Store) -> None:
    left, right = store.release("2020.06.01"), store.release("2020.06.02")
    found = changes.diff(left, right)
    assert [(s.statistic_id, s.old, s.new, s.redefined) for s in found.statistics] == [
        ("survival_medians.all.os.subject.overall.overall.midpoint", 30, 31, False)
    ]
    assert [(t.table, t.added, t.removed, t.changed) for t in found.tables] == [
        ("outcomes.statistics", 0, 0, 1)
    ]
    assert found.left == "2020.06.01"
    assert found.note
    assert found.note.startswith("2020.06.01 was published under the former names")
    assert found.note in change_pages.markdown(found)
    assert "former names" in change_pages.changes_page(found)


def test_both_ways_and_not_between_releases_of_one_naming(store: Store) -> None:
    left, right = store.release("2020.06.01"), store.release("2020.06.02")
    back = changes.diff(right, left)
    assert [(s.old, s.new) for s in back.statistics] == [(31, 30)]
    assert back.note
    assert back.note.startswith("2020.06.01")
    assert changes.diff(left, left).note is None
    assert changes.diff(right, right).note is None


def test_the_command_says_it(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "2020.06.01", "2020.06.02", "--store", str(store.root)]) == 1
    told = capsys.readouterr().out
    assert "1 statistic and 1 table differ." in told
    assert "former names" in told


def test_a_former_release_is_asked_for_a_statistic_by_todays_id(store: Store) -> None:
    with duckdb.connect() as con:
        row = trace.statistic_row(
            con,
            store.release("2020.06.01"),
            "survival_medians.all.os.subject.overall.overall.midpoint",
        )
    assert row["value"] == 30


def test_a_column_whose_name_needed_quotes_is_compared_under_todays(tmp_path: Path) -> None:
    """`group` of dosimetry_summary and `limit` of eligibility: nothing moved, and nothing is listed."""
    store = Store.open(tmp_path / "store")
    given = {
        "outcomes.dosimetry_summary": """
            | population | measure | grain   | patient_group | statistic_id | n | median |
            | all        | dose_gy | subject | who:responder | d            | 4 | 102.3  |
            """,
        "marts.eligibility": """
            | subject_id | rule_id | status | allowed   |
            | aa         | E4      | pass   | at most 2 |
            """,
    }
    left, right = (publish(store, day, given) for day in ("2020.06.01", "2020.06.02"))
    with duckdb.connect() as con:
        for place, (old, new) in former_names.RESERVED.items():
            path = left / "parquet" / f"{place}.parquet"
            con.execute(
                f"CREATE OR REPLACE TABLE t AS SELECT * RENAME ({new} AS \"{old}\") FROM '{path}'"
            )
            con.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    assert changes.diff(left, right).tables == ()
    assert changes.diff(right, left).tables == ()

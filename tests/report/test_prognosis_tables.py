"""The registry's own model as the page shows it: levels, references, counts, and what is not in."""

from typing import Any

import duckdb
import pyarrow as pa

from analytics.prognosis.chosen import prognosis_models, prognosis_residuals
from report.tables import prognosis
from schemas.contract import Contract, rows
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from schemas.tables.outcomes.prognosis import PrognosisModels, PrognosisResiduals
from tests.support.pipe_tables import Row, run

GIVEN = {
    "population_members": "| population | subject_id |\n"
    + "\n".join(f"| all | {k} |" for k in range(1, 6)),
    "time_to_event": """
        | subject_id | lesion_number | endpoint | start_day | time_days | event |
        | 1          | 0             | OS       | 0         | 10        | yes   |
        | 2          | 0             | OS       | 0         | 20        | yes   |
        | 3          | 0             | OS       | 0         | 30        | yes   |
        | 4          | 0             | OS       | 0         | 40        | yes   |
        | 5          | 0             | OS       | 0         | 40        | yes   |
    """,
    "factor_levels": """
        | subject_id | factor | factor_level | level_number |
        | 1          | sex    | male         | 1            |
        | 2          | sex    | female       | 0            |
        | 3          | sex    | male         | 1            |
        | 4          | sex    | female       | 0            |
        | 1          | site   | north        | 0            |
        | 2          | site   | north        | 0            |
        | 3          | site   | north        | 0            |
        | 4          | site   | north        | 0            |
        | 5          | site   | north        | 0            |
    """,
    "subjects": """
        | subject_id | course_end_day | age_years |
        | 1          | 0              | 60        |
        | 2          | 0              | 61        |
        | 3          | 0              | 58        |
        | 4          | 0              | 70        |
        | 5          | 0              | 66        |
    """,
}


def _release(**chosen: Any) -> duckdb.DuckDBPyConnection:
    """A database with the tables of the model."""
    asked = PrognosisSettings(**chosen)
    con = duckdb.connect()
    con.execute("CREATE SCHEMA outcomes")
    models = run(prognosis_models, GIVEN, SurvivalSettings(), asked)
    residuals = run(prognosis_residuals, GIVEN, asked)
    made: tuple[tuple[str, type[Contract], list[Row]], ...] = (
        ("prognosis_models", PrognosisModels, models),
        ("prognosis_residuals", PrognosisResiduals, residuals),
    )
    for name, contract, found in made:
        held = rows(found, contract).to_pyarrow()
        assert isinstance(held, pa.Table)
        con.register("held", held)
        con.execute(f"CREATE TABLE outcomes.{name} AS SELECT * FROM held")
    return con


def test_the_own_model_names_references_counts_events_per_variable_and_reasons() -> None:
    """Two deaths a coefficient are few, and said to be."""
    con = _release(terms=("sex", "age", "ki67"), continuous=("age",), strata=("site",))
    shown = prognosis.own_model(con)
    told = [row.cells[:4] for row in shown.rows]
    assert [cells[:3] for cells in told] == [
        ("Age, years", "per year, linear", ""),
        ("Sex", "female", "2/2"),
        ("", "male", "2/2"),
        ("Centre", "stratum", ""),
        ("Ki-67, %", "not in the model", ""),
    ]
    assert [told[k][3] for k in (1, 3, 4)] == [
        "reference",
        "stratum: a baseline hazard of its own",
        "nobody has it",
    ]
    assert "4 patients with 4 events and 2 coefficients: 2.0 events per variable." in shown.notes[0]
    assert "Fewer than 10" in shown.notes[0]
    assert "1 for a missing covariate" in shown.notes[0]
    fifths = prognosis.linearity(con)
    assert [row.cells[:3] for row in fifths.rows] == [
        ("Age, years", "1", "1"), ("", "2", "1"), ("", "3", "1"), ("", "4", "1"),
    ]  # fmt: skip


def test_without_a_model_the_page_names_the_setting() -> None:
    """No table stands empty without a reason."""
    con = _release()
    assert "prognosis.terms" in prognosis.own_model(con).empty
    assert "prognosis.continuous" in prognosis.linearity(con).empty

"""`y90 sql-of`: the SQL that a table is made with, to be read, and run by hand."""

import json
import typing

import duckdb
import pyarrow as pa
import pytest

from flows.__main__ import main
from schemas.contract import schema
from schemas.settings import OutcomeSettings
from tests.support.pipe_tables import records
from warehouse.engine.lineage import contract_of, derivations
from warehouse.engine.sql_text import sql_of

TREATED = """
| subject_id | session_id | target_id | treatment_date | device | lobe  |
| a          | s1         | t1        | d0             | glass  | right |
| a          | s2         | t1        | d40            | glass  | left  |
"""
SESSIONS = """
| subject_id | session_number | session_id | session_date | course |
| a          | 1              | s1         | d0           | 1      |
| a          | 2              | s2         | d40          | 1      |
"""


def test_its_sql_run_by_hand_gives_the_first_session() -> None:
    derivation = derivations()["anchors"]
    hints = typing.get_type_hints(derivation.function, include_extras=True)
    with duckdb.connect() as con:
        for name in derivation.reads:
            contract = contract_of(hints[name])
            assert contract
            own = {"treatments": TREATED, "sessions": SESSIONS}.get(name)
            shape = schema(contract).to_pyarrow()
            con.register(name, pa.Table.from_pylist(records(contract, own), schema=shape))
        text = sql_of("anchors", OutcomeSettings()).sql
        assert text
        rows = con.sql(f"SELECT subject_id, t0_date FROM ({text})").fetchall()
    assert [(subject, f"{day}") for subject, day in rows] == [("a", "2020-01-01")]


def test_an_estimate_has_none_and_an_unknown_name_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sql-of", "outcomes.survival_medians", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sql"] is None
    assert "event_counts" in told["reads"]
    assert main(["sql-of", "lesion_assesments"]) == 2
    assert "Did you mean lesion_assessments" in capsys.readouterr().err

"""The numbers at the top of the page say of whom they are."""

from pathlib import Path

import duckdb
import pytest

from report.headline import headlines
from tests.support.literal_releases import write_tables

ROW = "| response_summary.all.{}.lesion.all.{}.unconfirmed.orr | all | {} | {} | {} | {} |"
HEAD = "| statistic_id | population | n | total | n_evaluable | pct |"
ROWS = "\n".join(
    [
        HEAD,
        ROW.format("who", "treated", 5, 8, 7, "62.5"),
        ROW.format("who", "all", 5, 10, 7, "50"),
        ROW.format("easl", "treated", "", 8, 0, ""),
        ROW.format("easl", "all", "", 10, 0, ""),
    ]
)


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A release's tables with a share of responders among both kinds of lesions."""
    names = ("attrition", "survival_medians", "follow_up")
    tables = {f"outcomes.{name}": "" for name in names} | {"outcomes.response_summary": ROWS}
    folder: Path = write_tables(tmp_path_factory.mktemp("release"), tables)
    opened = duckdb.connect()
    opened.execute("CREATE SCHEMA outcomes")
    for name in tables:
        path = folder / "parquet" / f"{name.replace('.', '/')}.parquet"
        opened.execute(f"CREATE VIEW {name} AS FROM '{path}'")
    return opened


@pytest.mark.parametrize(
    ("lesions", "value", "told"),
    [
        ("treated", "62.5 %", "5 of 8 lesions in a treated lobe"),
        ("all", "50.0 %", "5 of 10 all lesions"),
    ],
)
def test_the_share_of_responders_says_of_which_lesions(
    con: duckdb.DuckDBPyConnection, lesions: str, value: str, told: str
) -> None:
    (found,) = [h for h in headlines(con, lesions) if h.words == "WHO response by lesion"]
    assert found.value == value
    assert found.definition.startswith(told)


def test_where_nothing_can_be_evaluated_there_is_no_share(con: duckdb.DuckDBPyConnection) -> None:
    """Never 0 %: none of eight lesions could be judged."""
    (found,) = [h for h in headlines(con, "treated") if h.words == "EASL response by lesion"]
    assert (found.value, found.around) == ("not evaluable", "")
    assert found.definition == "0 of 8 evaluable; lesions in a treated lobe"


def test_without_patients_nothing_is_derivable(con: duckdb.DuckDBPyConnection) -> None:
    told = {h.words: h.value for h in headlines(con, "treated")}
    assert told["Treated patients"] == told["Median overall survival"] == "not derivable"

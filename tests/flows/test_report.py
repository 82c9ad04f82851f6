"""The numbers on the page that clinicians open are those of the publication."""

from collections.abc import Iterator

import duckdb
import pytest

from report import survival
from report.content import blocks
from warehouse.releases import releases
from warehouse.store import Store


@pytest.fixture(scope="module")
def con(reference_store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of the reference cohort's release."""
    path = releases.resolve(reference_store, "current") / "release.duckdb"
    with duckdb.connect(str(path), read_only=True) as opened:
        yield opened


def test_the_landmarks_are_those_of_the_series(con: duckdb.DuckDBPyConnection) -> None:
    """Survival at one, two and three years.

    Source: Memon et al. 2012, Int J Radiat Oncol Biol Phys 83:887-894.
    """
    shown = {r[:3]: r[3] for r in survival.landmarks(con).rows}
    found = [shown["OS", "subject", months] for months in ("12", "24", "36")]
    assert found == ["72.5", "62.5", "45.0"]


def test_every_tested_factor_has_its_curves(con: duckdb.DuckDBPyConnection) -> None:
    """A factor of one level has nothing to compare; numbers at risk begin with everybody's."""
    pictures = dict(survival.by_factor(con).pictures)
    assert len(pictures) == 5
    (bilirubin,) = (p for caption, p in pictures.items() if caption.startswith("Bilirubin"))
    assert bilirubin.count('class="line') == 2
    assert "&lt;=1.2" in bilirubin
    assert ">32<" in bilirubin
    assert ">8<" in bilirubin


def test_a_mean_is_within_its_horizon_and_what_came_first_adds_up_to_no_more_than_all(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Events that rule each other out are shares of one whole."""
    assert all(float(r[3]) <= float(r[2]) for r in survival.means(con).rows)
    first: dict[tuple[str, ...], float] = {}
    for endpoint, level, _, months, share, *_ in survival.incidence(con).rows:
        key = (endpoint, level, months)
        first[key] = first.get(key, 0.0) + float(share)
    assert first
    assert max(first.values()) <= 100.2  # each share is rounded to a tenth


def test_every_part_says_something(con: duckdb.DuckDBPyConnection) -> None:
    """A heading and a sentence, and no cell that is not text."""
    for block in blocks(con, "3.0"):
        assert block.heading
        assert block.about
        assert all(isinstance(cell, str) for row in block.rows for cell in row)
        assert all(len(row) == len(block.names) for row in block.rows)


def test_a_conclusion_that_rests_on_a_reading_is_shown(con: duckdb.DuckDBPyConnection) -> None:
    """The sentence counts what flips; the table names it."""
    block = survival.readings(con)
    (flips,) = con.sql("SELECT count(*) FROM outcomes.sensitivity WHERE flips").fetchone() or (0,)
    assert f"{flips} of them change" in block.about
    assert len(block.rows) == flips

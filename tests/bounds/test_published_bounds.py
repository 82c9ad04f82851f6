"""What a release says of bounds: nothing held, nothing moves; and no value of a held row."""

import json

import pytest

from flows.__main__ import main
from warehouse.releases.query import open_release
from warehouse.releases.releases import resolve
from warehouse.store import Store


def test_where_nothing_is_held_every_number_is_its_own_bounds(reference_store: Store) -> None:
    with open_release(resolve(reference_store, None)) as con:
        held = con.execute("FROM quality.held").fetchall()
        counts = con.execute(
            "SELECT count(*), count(*) FILTER (s.value IS NOT DISTINCT FROM b.lower "
            "AND s.value IS NOT DISTINCT FROM b.upper AND s.value IS NOT DISTINCT FROM b.excluded "
            "AND b.method = 'exact') FROM outcomes.statistics s "
            "LEFT JOIN outcomes.bounds b USING (statistic_id)"
        ).fetchone()
    assert held == []
    assert counts is not None
    assert counts[0] == counts[1] > 0


def test_the_command_says_that_nothing_is_held(
    reference_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bounds", "--store", str(reference_store.root)]) == 0
    assert "No row is held" in capsys.readouterr().out
    name = "survival_medians.all.os.subject.overall.overall.midpoint"
    assert main(["bounds", name, "--store", str(reference_store.root)]) == 0
    assert capsys.readouterr().out == f"{name}: 34.3984. No row is held.\n"


def test_the_command_refuses_what_it_does_not_know(
    reference_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--store", str(reference_store.root)]
    assert main(["bounds", "survival_medians.all.ox", *where]) == 2
    assert "Did you mean" in capsys.readouterr().err
    assert main(["bounds", "--rule", "not_a_date", *where]) == 2
    assert "No row is held." in capsys.readouterr().err


def test_the_command_gives_json(reference_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bounds", "--json", "--store", str(reference_store.root)]) == 0
    assert json.loads(capsys.readouterr().out) == {"held": [], "widest": []}

"""The number of the whole export lies between the bounds that the broken one gives.

Each centre of an invented registry is broken in one way, so that a night tries as many breakages
as it has centres, each against the numbers of its own site and of all.
"""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from flows import settings
from schemas.held_rows import ALTERNATIVES
from simulation.registry import sites as registry_sites
from simulation.registry.whole import Shape, simulate_registry
from tests.bounds.breakages import BREAKAGES, break_centre
from warehouse import pipeline
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.store import Store

DAY = date(2024, 6, 30)
PATIENTS = 4
"""Of each centre."""
CENTRES = 5
RUNS = 40
"""So that each of 25 breakages is tried eight times: 200 centres."""


def night(registry_folder: Path, root: Path) -> Path:
    """The tables of a night."""
    registry = settings.load_registry(
        registry_folder / "registry.toml", {"held_below_pct": 0, "bounds": {"worlds": True}}
    )
    store = Store.open(root)
    shutil.copytree(registry_folder / "inbox", store.inbox, dirs_exist_ok=True)
    for site in registry.sites:
        pipeline.receive(store, registry, site, datetime.now(UTC))
    plan = pipeline.plan(store, registry, DEMONSTRATION_KEY, DAY, DAY)
    pipeline.start(store, plan)
    for site in registry.sites:
        pipeline.load_site(store, registry, DEMONSTRATION_KEY, plan, site)
    pipeline.build(store, registry, plan)
    pipeline.estimate(store, registry, plan)
    return store.run(plan.run_id) / "parquet"


OUTSIDE = """
    SELECT b.statistic_id, t.value, b.lower, b.upper, b.method
    FROM read_parquet($bounds) b JOIN read_parquet($truth) t USING (statistic_id)
    WHERE b.method IN ('exact', 'outer') AND t.value IS NOT NULL
      AND (b.lower > t.value + 1e-9 * greatest(1, abs(t.value))
           OR b.upper < t.value - 1e-9 * greatest(1, abs(t.value)))
      AND NOT (b.held_rows = 0 AND b.value IS NULL)
    ORDER BY ALL"""


@pytest.mark.long
@pytest.mark.parametrize("run", range(RUNS))
def test_the_truth_lies_inside(run: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five centres, all in one dialect, each broken in another way."""
    every = list(BREAKAGES.values())
    edits = [every[(CENTRES * run + n) % len(every)] for n in range(CENTRES)]
    monkeypatch.setattr(registry_sites, "PLAIN", registry_sites.PLAIN[:1])
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    shape = Shape(CENTRES, PATIENTS * CENTRES, seed=run + 1, format="csv")
    simulate_registry(shape, DAY, whole)
    shutil.copytree(whole, broken)
    for site, edit in zip(shape.site_ids(), edits, strict=True):
        break_centre(broken / "inbox" / site / DAY.isoformat(), edit, 7 * run + 3)
    truth, bounded = (night(f, tmp_path / f"store_{f.name}") for f in (whole, broken))
    given = {
        "bounds": str(bounded / "outcomes" / "bounds.parquet"),
        "truth": str(truth / "outcomes" / "statistics.parquet"),
    }
    assert duckdb.execute(OUTSIDE, given).fetchall() == []
    held = str(bounded / "quality" / "held.parquet")
    rules = duckdb.execute("SELECT DISTINCT rule_id FROM read_parquet(?)", [held]).fetchall()
    assert {r for (r,) in rules} <= ALTERNATIVES.keys()
    excluded = duckdb.execute(
        "SELECT statistic_id FROM read_parquet($bounds) WHERE method <> 'none' "
        "AND excluded IS DISTINCT FROM value",
        {"bounds": given["bounds"]},
    ).fetchall()
    assert excluded == []
    wide = duckdb.execute(
        "SELECT count(*) FROM read_parquet(?) WHERE method <> 'none' AND upper > lower",
        [given["bounds"]],
    ).fetchone()
    assert wide is not None
    assert wide[0] > 0

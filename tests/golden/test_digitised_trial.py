"""A registry that has only times: RADIANT-4 overall survival, 302 patients, digitised.

The whole line runs on a time, a status and an arm. Expected values are R's (survfit, survdiff,
coxph on the months delivered): prognosis.R in warehouse/concordance/r/ made prognosis.json.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows import settings, steps
from simulation import registry_folder, simulate
from tests.support.few_readings import few_readings
from warehouse.concordance.answers import R_ANSWERS
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.releases import releases
from warehouse.releases.query import open_release
from warehouse.store import Store

NIGHT = date(2026, 1, 31)
R = json.loads((R_ANSWERS / "prognosis.json").read_text())["radiant4_os"]
ARMS = pytest.mark.parametrize("number", [0, 1], ids=R["arm"])


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trial, published."""
    store = Store.open(tmp_path_factory.mktemp("trial") / "store")
    simulate("radiant4_os", "csv", NIGHT, store.site_inbox("radiant4_os") / NIGHT.isoformat())
    registry = settings.load_registry(registry_folder("radiant4_os", "csv") / "registry.toml")
    with few_readings():
        steps.nightly(steps.Job(store, registry, DEMONSTRATION_KEY, NIGHT, NIGHT))
    return releases.resolve(store)


def answers(release: Path, query: str, *given: object) -> list[Any]:
    """The rows of a query on the release."""
    with open_release(release) as con:
        return con.execute(query, list(given)).fetchall()


@ARMS
def test_survival_by_arm_is_r_s(release: Path, number: int) -> None:
    found = answers(
        release,
        "SELECT n, survival, lower, upper, at_risk FROM outcomes.survival_landmarks "
        "WHERE population = 'all' AND endpoint = 'OS' AND factor_level = ? AND months = 12",
        R["arm"][number],
    )
    (n, survival, lower, upper, at_risk), *others = found
    assert not others
    assert (n, at_risk) == (R["n"][number], R["at_risk_12"][number])
    assert (survival, lower, upper) == pytest.approx(
        (R["survival_12"][number], R["lower_12"][number], R["upper_12"][number]), rel=1e-9
    )


@ARMS
def test_medians_and_events_by_arm_are_r_s(release: Path, number: int) -> None:
    ((n, events, median, lower, upper, not_reached),) = answers(
        release,
        "SELECT n, events, median_months, lower, upper, not_reached FROM outcomes.survival_medians "
        "WHERE population = 'all' AND endpoint = 'OS' AND factor_level = ? AND rule = 'midpoint'",
        R["arm"][number],
    )
    assert (n, events) == (R["n"][number], R["events"][number])
    assert (median, not_reached) == (None, True)
    assert lower == pytest.approx(R["lower"][number], rel=1e-9)
    assert upper is None


def test_the_arms_are_compared_as_r_compares_them(release: Path) -> None:
    found = answers(
        release,
        "SELECT chi2, p, hr, lower, upper FROM outcomes.prognosis_univariate "
        "WHERE population = 'all' AND endpoint = 'OS' AND factor_level = 'placebo'",
    )
    ((chi2, p, hr, lower, upper),) = found
    assert (chi2, p) == pytest.approx((R["logrank"]["chi2"][0], R["logrank"]["p"][0]), rel=1e-9)
    cox = R["cox"]
    assert (lower, upper) == pytest.approx((cox["lower"][0], cox["upper"][0]), rel=1e-7)
    assert hr == pytest.approx(2.718281828459045 ** cox["coef"][0], rel=1e-7)


def test_no_t0_is_invented_and_nothing_else_is_derived(release: Path) -> None:
    assert answers(release, "SELECT count(*) FROM marts.time_to_event") == [(302,)]
    assert answers(
        release, "SELECT count(*) FROM marts.subjects WHERE treated OR t0_year IS NOT NULL"
    ) == [(0,)]


@pytest.mark.parametrize("table", ["response_summary", "toxicity_summary"])
def test_what_cannot_be_derived_says_so_and_is_never_zero(release: Path, table: str) -> None:
    found = answers(release, f"SELECT pct, reason FROM outcomes.{table} WHERE population = 'all'")
    assert found
    assert all(pct is None and reason for pct, reason in found)

"""The certificate of concordance: what it compares, when it fails, and where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import analytics.estimators
from flows import steps
from flows.__main__ import main
from schemas.errors import Failed
from tests.support import quick_nights as quick
from warehouse.concordance import cases, certificate
from warehouse.releases import releases
from warehouse.store import Store

OF_OTHERS = {"event_counts", "shares", "cluster_bootstrap", "reporting_delay"}
"""Counting, and resampling from a seed: R has no number to compare them with. The delay of reports
is no published number: `tests/estimators/test_reporting_delay.py` holds it to lifelines."""
NO_DIFFERENCE = 1e-12
NEAR = {
    "Cox model": 1e-9,
    "Cox model of numbers, strata and levels that come with time": 1e-9,
    "Firth's Cox model": 1e-8,
    "groups that are joined with time": 1e-9,
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this test's own, with a certificate made: some seconds, mostly imports."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        certificate.make()
        yield folder


def test_every_estimator_is_nearer_to_r_than_its_tolerance(cache: Path) -> None:
    found = certificate.read()
    assert found is not None
    assert found["passed"] is True
    assert found["of_r"] == {"R": "4.2.2", "survival": "3.5.3"}
    for row in found["estimators"]:
        assert row["numbers"] > 0
        near = NEAR.get(row["estimator"], NO_DIFFERENCE)
        assert row["largest_difference_to_r"] <= near, row["estimator"]
        assert row["conventions"]
        assert row["second"].startswith("none: ") == (row["largest_difference_to_second"] is None)


def test_every_module_of_estimators_is_compared_or_says_why_not() -> None:
    """A new module needs a case, or a reason here."""
    folder = Path(analytics.estimators.__file__).parent
    modules = {p.stem for p in folder.rglob("*.py")} - {"__init__"} - OF_OTHERS
    source = "".join(p.read_text() for p in Path(cases.__file__).parent.glob("*.py"))
    assert {m for m in modules if m not in source} == set()


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 4e-9], 2e-9),
        ([0.0], [1e-15], 1e-10),  # next to nothing: absolutely, over 1e-5
        ([1.0, np.nan], [1.0, np.nan], 0.0),
        ([1.0, np.nan], [1.0, 2.0], np.inf),
        ([1.0], [1.0, 2.0], np.inf),
        ([np.inf], [np.inf], 0.0),
        ([], [], np.inf),
    ],
)
def test_the_largest_difference_is_relative_and_a_missing_number_is_infinite(
    ours: list[float], theirs: list[float], told: float
) -> None:
    found, _ = certificate._largest(lambda: iter([(ours, theirs)]))
    assert found == pytest.approx(told, rel=1e-6)


def _case(ours: list[float], second: list[float]) -> cases.Case:
    return cases.Case(
        "invented", "f", lambda: iter([(ours, [1.0])]), 1e-9, "none",
        second="other", by_second=lambda: iter([(second, [1.0])]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "second", "passed"),
    [
        ([1.0], [1.0], True),
        ([1.0 + 2e-9], [1.0], False),
        ([1.0], [1.0 + 2e-9], False),
        ([np.nan], [1.0], False),
    ],
)
def test_set_up_fails_above_the_tolerance(
    ours: list[float],
    second: list[float],
    passed: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cases, "CASES", (_case(ours, second),))
    assert main(["certificate", "--quiet"]) == (0 if passed else Failed.exit_code)
    assert ("invented" in capsys.readouterr().err) is not passed
    text = certificate.place().read_text()
    assert json.loads(text)["passed"] is passed
    assert "Infinity" not in text
    assert "NaN" not in text


def test_it_is_read_again_and_belongs_to_its_code(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(certificate, "make", lambda: pytest.fail("made again"))
    assert main(["certificate"]) == 0
    told = capsys.readouterr().out
    for words in ("Kaplan-Meier curve", "agrees", "Efron's ties", "lifelines 0.30.3", "R 4.2.2"):
        assert words in told
    monkeypatch.setattr(certificate.fingerprints, "code_sha256", lambda: "other code")
    assert certificate.read() is None
    assert certificate.for_record() == certificate.NOT_MADE


@pytest.mark.parametrize("there", [True, False])
def test_the_record_of_a_release_carries_it_and_no_hash_does(
    there: bool, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "make", lambda: pytest.fail("a night makes none"))
    if not there:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    quick.invent(monkeypatch.setattr)
    store = Store.open(tmp_path / "store")
    quick.deliver(store, quick.FIRST, 10)
    path = steps.nightly(quick.job(store, quick.FIRST)).published.path
    facts = releases.manifest(path)
    assert facts["record"]["certificate"]["passed"] is (True if there else None)
    assert "certificate" not in json.dumps(facts["content"])

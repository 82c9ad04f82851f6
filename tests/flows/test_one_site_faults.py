"""An error of our own over one site's delivery refuses that site, and no other."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import steps
from schemas.settings import Registry, RegistryFile
from schemas.site import Site
from tests.support import quick_nights
from tests.support.small_site import PATIENTS, TREATMENTS
from warehouse import pipeline
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.receiving import fit
from warehouse.releases import releases
from warehouse.store import Store

VALUE = "491701234567"
SITES = ("north", "south")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Two sites have delivered; nothing is computed."""
    quick_nights.invent(monkeypatch.setattr)
    made = Store.open(tmp_path / "store")
    for site_id in SITES:
        _deliver(made, site_id, "2021-01-01")
    return made


def _deliver(store: Store, site_id: str, day: str) -> None:
    folder = store.site_inbox(site_id) / day
    folder.mkdir(parents=True)
    (folder / "patients.csv").write_text(f"{PATIENTS}{day},male\n")
    (folder / "treatments.csv").write_text(TREATMENTS)


def _night(store: Store, day: str) -> steps.Outcome:
    sites = {name: Site(site_id=name, origin="synthetic") for name in SITES}
    registry = Registry(file=RegistryFile(registry="two", sites=SITES), sites=sites, folder=Path())
    night = date.fromisoformat(day)
    return steps.nightly(steps.Job(store, registry, DEMONSTRATION_KEY, night, night))


def _overflow(*_: Any) -> None:
    raise duckdb.ConversionException(f"Could not cast value {VALUE} to DECIMAL(18,6)")


def _failing_for(day: str) -> Any:
    def load_site(store: Store, registry: Registry, key: bytes, plan: Any, site_id: str) -> str:
        (receipt,) = [r for r in plan.receipts if r.site_id == site_id]
        if site_id == "north" and receipt.extraction_date.isoformat() == day:
            _overflow()
        return "loaded"

    return load_site


def _logs(store: Store) -> str:
    return "".join(p.read_text() for p in (store.state / "logs").iterdir())


def test_a_site_that_cannot_be_loaded_is_left_out_and_the_rest_is_published(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "load_site", _failing_for("2021-01-01"))
    outcome = _night(store, "2021-01-01")
    content = releases.manifest(outcome.published.path)["content"]
    assert [r["site_id"] for r in content["receipts"]] == ["south"]
    assert [(f.site_id, f.kind) for f in outcome.faults] == [("north", "ConversionException")]
    assert outcome.plan.absent == ("north",)
    assert any("north/2021-01-01: an error of ours" in n for n in outcome.notices)
    assert "_overflow" in _logs(store)
    assert VALUE not in _logs(store) + repr(outcome)


def test_a_site_that_cannot_be_loaded_keeps_its_last_good_delivery(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _night(store, "2021-01-01")
    _deliver(store, "north", "2021-02-01")
    monkeypatch.setattr(pipeline, "load_site", _failing_for("2021-02-01"))
    outcome = _night(store, "2021-02-01")
    used = {r.site_id: r.extraction_date.isoformat() for r in outcome.plan.receipts}
    assert used == {"north": "2021-01-01", "south": "2021-01-01"}
    assert len(outcome.faults) == 1
    assert "north" in outcome.plan.degraded


def test_where_no_site_is_left_the_error_is_raised(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "load_site", _overflow)
    with pytest.raises(duckdb.ConversionException):
        _night(store, "2021-01-01")


def test_a_delivery_over_which_receiving_stumbles_is_refused_and_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = fit.refuse_misfit

    def stumbling(tables: Any, site: Site, where: str) -> None:
        if site.site_id == "north":
            _overflow()
        refuse(tables, site, where)

    monkeypatch.setattr(fit, "refuse_misfit", stumbling)
    outcome = _night(store, "2021-01-01")
    assert [(f.site_id, f.kind) for f in outcome.faults] == [("north", "ConversionException")]
    assert [r.site_id for r in outcome.plan.receipts] == ["south"]
    monkeypatch.setattr(fit, "refuse_misfit", refuse)
    again = _night(store, "2021-01-01")
    assert (again.faults, len(again.plan.receipts)) == ((), 2)

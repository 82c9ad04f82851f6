"""A subject is led back to its patient only by the key and the raw data."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.settings import load_registry
from schemas.errors import Refused
from schemas.settings import Registry
from simulation import registry_folder, simulate
from warehouse.account.identify import identify
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY, pseudonym
from warehouse.receiving import inbox
from warehouse.store import Store

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def delivered(store: Store, preset: str, form: str, night: date) -> Registry:
    """A store that has received an export of a registry with known answers."""
    registry = load_registry(registry_folder(preset, form) / "registry.toml")
    (site,) = registry.sites.values()
    simulate(preset, form, night, store.site_inbox(site.site_id) / night.isoformat())
    inbox.receive(store, site, now=NOW)
    return registry


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.mark.parametrize("form", ["redcap", "csv"])
def test_a_subject_is_led_back_to_the_patient_as_delivered(store: Store, form: str) -> None:
    registry = delivered(store, "memon2012", form, date(2011, 3, 31))
    subject = pseudonym(DEMONSTRATION_KEY, "memon2012", "P07")
    assert identify(store, registry, DEMONSTRATION_KEY, subject) == ("memon2012", "P07")


def test_a_patient_of_a_source_that_holds_only_times_keeps_leading_zeros(store: Store) -> None:
    registry = delivered(store, "radiant4_os", "csv", date(2015, 12, 31))
    subject = pseudonym(DEMONSTRATION_KEY, "radiant4_os", "007")
    assert identify(store, registry, DEMONSTRATION_KEY, subject) == ("radiant4_os", "007")


def test_a_patient_who_vanished_from_the_latest_export_is_still_found(
    store: Store, tmp_path: Path
) -> None:
    registry = delivered(store, "memon2012", "csv", date(2011, 3, 31))
    later = store.site_inbox("memon2012") / "2011-04-30"
    simulate("memon2012", "csv", date(2011, 3, 31), later)
    for path in later.glob("*.csv"):
        kept = [r for r in path.read_text("utf-8").splitlines() if not r.startswith("P07")]
        path.write_text("\n".join(kept) + "\n", "utf-8")
    found = inbox.receive(store, registry.sites["memon2012"], now=NOW)
    assert [r.status for r in found.receipts] == ["accepted"]
    subject = pseudonym(DEMONSTRATION_KEY, "memon2012", "P07")
    assert identify(store, registry, DEMONSTRATION_KEY, subject) == ("memon2012", "P07")


def test_another_key_opens_nothing(store: Store) -> None:
    registry = delivered(store, "memon2012", "csv", date(2011, 3, 31))
    subject = pseudonym(DEMONSTRATION_KEY, "memon2012", "P07")
    with pytest.raises(Refused, match="nobody in this store has it under this key"):
        identify(store, registry, b"another key, of another registry", subject)


@pytest.mark.parametrize("subject", ["P07", "", "' OR 1=1 --", "ABCDEF0123456789", "0" * 17])
def test_what_is_no_subject_id_is_refused(store: Store, subject: str) -> None:
    registry = load_registry(registry_folder("memon2012", "csv") / "registry.toml")
    with pytest.raises(Refused, match="not a subject_id"):
        identify(store, registry, DEMONSTRATION_KEY, subject)

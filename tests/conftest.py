"""Stores that tests share: the reference cohort, published once per worker from each shape."""

import gc
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import ibis
import pytest
from hypothesis import settings as hypothesis_settings

from flows import settings, steps
from simulation import registry_folder, simulate
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.store import Store

hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

os.environ.setdefault("Y90_SETTLE_S", "0")
"""Tests deliver a moment before they run; what settling does has tests of its own."""
ibis.options.sql.fuse_selects = False
gc.set_threshold(200_000, 20, 20)
"""Expressions are compiled as the engine compiles them, also where a test has one of its own."""
NIGHT = date(2011, 3, 31)
SITE = "memon2012"


def deliver(store: Store, shape: str, as_of: date = NIGHT) -> None:
    """Put the reference cohort's export of a day into a store's inbox."""
    simulate("memon2012", shape, as_of, store.site_inbox(SITE) / as_of.isoformat())


def job(store: Store, shape: str, as_of: date = NIGHT) -> steps.Job:
    """One night of the reference registry."""
    registry = settings.load_registry(registry_folder("memon2012", shape) / "registry.toml")
    return steps.Job(store, registry, DEMONSTRATION_KEY, as_of, as_of)


@pytest.fixture(scope="session")
def published_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Store]:
    """A store with one published release of the reference cohort; not to be written to."""
    made: dict[str, Store] = {}

    def store(shape: str) -> Store:
        if shape not in made:
            made[shape] = Store.open(tmp_path_factory.mktemp(f"store_{shape}") / "store")
            deliver(made[shape], shape)
            steps.nightly(job(made[shape], shape))
        return made[shape]

    return store


@pytest.fixture(scope="session")
def reference_store(published_store: Callable[[str], Store]) -> Store:
    """The reference cohort, published from its REDCap export; not to be written to."""
    return published_store("redcap")


@pytest.fixture
def own_store(reference_store: Store, tmp_path: Path) -> Store:
    """A copy of it that a test may change."""
    shutil.copytree(reference_store.root, tmp_path / "store")
    return Store.open(tmp_path / "store")

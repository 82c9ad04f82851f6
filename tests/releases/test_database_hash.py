"""Who answers from a release's database answers only from the one that was published."""

import os
from pathlib import Path

import duckdb
import pytest

from flows.__main__ import main
from simulation import registry_folder
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY, pseudonym
from warehouse.releases import integrity, releases
from warehouse.store import Store

CONFIG = str(registry_folder("memon2012", "redcap") / "registry.toml")
ASKED = (
    ["sql", "SELECT count(*) FROM marts.subjects"],
    ["reproduce"],
    ["show", pseudonym(DEMONSTRATION_KEY, "memon2012", "P01")],
    ["report"],
)


def ask(store: Store, words: list[str]) -> int:
    return main([*words, "--store", str(store.root), "--config", CONFIG])


def database(store: Store) -> Path:
    (path,) = releases.resolve(store).glob("*.duckdb")
    return path


def edit(store: Store) -> None:
    """Another number in the database alone, as somebody who opens it to try something leaves it."""
    with duckdb.connect(str(database(store))) as con:
        con.execute("UPDATE outcomes.statistics SET value = 99 WHERE unit = 'months'")


def test_the_hash_size_and_time_of_the_database_stand_in_the_record(
    reference_store: Store,
) -> None:
    record = releases.manifest(releases.resolve(reference_store))["record"]
    path = database(reference_store)
    assert len(record["files"][path.name]) == 64
    facts = path.stat()
    assert record["database"] == {
        "name": path.name,
        "size": facts.st_size,
        "mtime_ns": facts.st_mtime_ns,
    }


@pytest.mark.parametrize("words", ASKED[:3], ids=lambda w: w[0])
def test_a_changed_database_is_not_answered_from(
    own_store: Store, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    edit(own_store)
    assert ask(own_store, words) == 2
    err = capsys.readouterr().err
    assert f"damaged since it was published ({database(own_store).name})" in err
    assert "y90 verify" in err


@pytest.mark.parametrize("words", ASKED[:3], ids=lambda w: w[0])
def test_a_whole_one_is(own_store: Store, words: list[str]) -> None:
    assert ask(own_store, words) == 0


def test_a_changed_report_is_not_named(
    own_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    page = releases.resolve(own_store) / "report" / "index.html"
    page.write_text(page.read_text().replace("34.4", "43.4"))
    assert ask(own_store, ["report"]) == 2
    assert "report/index.html" in capsys.readouterr().err


def test_a_small_change_that_keeps_size_and_time_is_seen_in_a_small_database(
    own_store: Store,
) -> None:
    path = database(own_store)
    facts = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert ask(own_store, ASKED[0]) == 2


def test_a_large_database_is_hashed_only_where_size_or_time_differ(
    own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []
    monkeypatch.setattr(integrity, "ALWAYS_HASHED", 0)
    real = integrity.fingerprints.file_sha256
    monkeypatch.setattr(
        integrity.fingerprints, "file_sha256", lambda p: (hashed.append(p), real(p))[1]
    )
    path = database(own_store)
    integrity.opened_database(path.parent, path)
    assert hashed == []
    os.utime(path)
    integrity.opened_database(path.parent, path)
    assert hashed == [path]

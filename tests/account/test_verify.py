"""Every change of a published file is found, and a release builds again on any machine."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import Refused
from tests.conftest import NIGHT
from tests.support.corrections import REGISTRY
from warehouse.account import verify
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.store import Store

ROOT = Path(__file__).resolve().parents[2]
ID = f"{NIGHT:%Y.%m.%d}"
TABLE = "parquet/outcomes/response_summary.parquet"


def checked(store: Store) -> tuple[str, ...]:
    """What is damaged; nothing is built."""
    found = verify.verify(store, REGISTRY, DEMONSTRATION_KEY, ID, rebuild=False)
    assert found.passed is not bool(found.damaged)
    return found.damaged


def changed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def edited(path: Path, edit: Callable[[dict[str, dict[str, object]]], None]) -> None:
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))


def test_an_untouched_release_is_whole(reference_store: Store) -> None:
    assert checked(reference_store) == ()


@pytest.mark.parametrize("name", [TABLE, "release.duckdb", "changes.json", "audit/index.html"])
def test_one_bit_of_any_file_is_found_and_the_file_named(name: str, own_store: Store) -> None:
    changed(own_store.release(ID) / name)
    assert checked(own_store) == (f"{name}: changed since it was published",)


def test_a_missing_and_an_added_file_are_named(own_store: Store) -> None:
    release = own_store.release(ID)
    (release / TABLE).rename(release / "parquet" / "outcomes" / "other.parquet")
    assert checked(own_store) == (
        "parquet/outcomes/other.parquet: not of this release; the manifest does not name it",
        f"{TABLE}: missing",
    )


def test_a_decision_is_no_damage(own_store: Store) -> None:
    folder = own_store.release(ID) / "decisions"
    folder.mkdir(exist_ok=True)
    (folder / "0009-withdraw.json").write_text('{"decision": "withdraw"}')
    assert checked(own_store) == ()


def test_ingredients_cannot_be_changed_without_the_run_key(own_store: Store) -> None:
    manifest = own_store.release(ID) / "manifest.json"
    edited(manifest, lambda m: m["content"].update(registry="another"))
    assert checked(own_store) == ("manifest.json: its ingredients do not give its run key",)


def test_a_changed_manifest_is_found_by_the_release_after_it(own_store: Store) -> None:
    before = own_store.release(ID)
    after = own_store.release("2011.04.01")
    after.mkdir()
    manifest = json.loads((before / "manifest.json").read_text())
    manifest["record"] |= {
        "previous": ID,
        "previous_manifest_sha256": verify.fingerprints.file_sha256(before / "manifest.json"),
    }
    (after / "manifest.json").write_text(json.dumps(manifest))
    assert checked(own_store) == ()
    edited(before / "manifest.json", lambda m: m["record"].update(published_by="nobody"))
    assert checked(own_store) == ("manifest.json: changed since 2011.04.01 was published after it",)


def test_a_manifest_that_cannot_be_read_is_named(own_store: Store) -> None:
    (own_store.release(ID) / "manifest.json").write_text("{")
    assert checked(own_store) == ("manifest.json: missing or not readable",)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("code_sha256", "0" * 64, "Check out commit abc"),
        ("key_fingerprint", "0" * 16, "another key"),
        ("engines", {"duckdb": "1.4.0"}, r"duckdb 1\.4\.0"),
    ],
)
def test_what_this_code_cannot_build_again_is_refused_with_what_can(
    name: str, value: object, told: str, own_store: Store
) -> None:
    """A release of other code, key or engines, consistent in itself: its hashes are made anew."""
    path = own_store.release(ID) / "manifest.json"
    manifest = json.loads(path.read_text())
    content = manifest["content"] | {name: value}
    content["inputs_key"] = verify.fingerprints.sha256_of(
        {n: content[n] for n in verify.INGREDIENTS}
    )
    night = [content["inputs_key"], content["as_of"], content["data_cutoff"]]
    content["run_key"] = verify.fingerprints.sha256_of(night)
    manifest |= {"content": content, "record": manifest["record"] | {"commit": "abc"}}
    path.write_text(json.dumps(manifest))
    with pytest.raises(Refused, match=told):
        verify.verify(own_store, REGISTRY, DEMONSTRATION_KEY, ID)


def test_another_machine_builds_the_same_content(own_store: Store) -> None:
    """One thread, another time zone, locale and hash seed, in a process of its own."""
    config = ROOT / "simulation" / "memon2012" / "registry.toml"
    words = ["verify", ID, "--config", str(config), "--store", str(own_store.root), "--json"]
    elsewhere = {
        "Y90_THREADS": "1",
        "TZ": "Pacific/Chatham",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "4711",
    }
    done = subprocess.run(
        [sys.executable, "-m", "flows", *words],
        cwd=ROOT,
        env=os.environ | elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["rebuilt"]

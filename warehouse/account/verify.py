"""Verify a release: its files against its manifest, then everything made again.

Three questions, each cheaper than the next: does every file have the hash that was recorded, does
the chain of manifests hold together, and do the same receipts, settings and code give the same
content? The last can only be answered by the code that made the release.
"""

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.errors import Refused
from schemas.settings import Registry
from warehouse import fingerprints
from warehouse.engine import pseudonyms as identity
from warehouse.releases import expunge, releases
from warehouse.releases import integrity as intact
from warehouse.store import Store

INGREDIENTS = (
    "registry",
    "settings",
    "sites",
    "excluded",
    "purged",
    "receipts",
    "earlier",
    "code_sha256",
    "engines",
    "key_fingerprint",
)
UNLISTED = {"manifest.json", "decisions", expunge.PURGED}
"""What a release may hold beside the files that its manifest names."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; nothing in `damaged` or `different` means that all is well."""

    release_id: str
    files: int
    damaged: tuple[str, ...]
    rebuilt: bool
    different: tuple[str, ...] = ()
    purged: int = 0
    """Files that are whole as a purge left them; such a release is not built again."""

    @property
    def passed(self) -> bool:
        """The release is whole, and what was made again is equal."""
        return not self.damaged and not self.different


def verify(
    store: Store, registry: Registry, key: bytes, name: str | None, *, rebuild: bool = True
) -> Verdict:
    """Check a release's files and chain, then build it again and compare its content.

    Args:
        store: the store.
        registry: today's registry, for threads and memory only; all else is in the manifest.
        key: the registry's key.
        name: the release.
        rebuild: also build it again.

    Raises:
        Refused: it was made by other code, engines or another key: this code cannot make it again.
    """
    path = named(store, name)
    try:
        content = releases.manifest(path)["content"]
    except Refused:
        return Verdict(path.name, 0, ("manifest.json: missing or not readable",), False)
    damaged = tuple(sorted([*_files(path), *_chain(store, path)]))
    n_recorded, purged = len(intact.recorded(path)), len(expunge.purged_files(path))
    if damaged or purged or not rebuild:
        return Verdict(path.name, n_recorded, damaged, False, purged=purged)
    _can_be_made(path, registry, key)
    rebuilt = made_again(store, registry, key, content)
    recorded = {place: t["content_sha256"] for place, t in content["tables"].items()}
    different = tuple(
        sorted(p for p in recorded.keys() | rebuilt if recorded.get(p) != rebuilt.get(p))
    )
    return Verdict(path.name, n_recorded, (), True, different)


def named(store: Store, name: str | None) -> Path:
    """The folder of a release; also of one whose manifest is damaged or missing."""
    if name and name not in releases.CHANNELS and (store.releases / name).is_dir():
        return store.releases / name
    return releases.resolve(store, name)


def made_again(
    store: Store, registry: Registry, key: bytes, content: Mapping[str, Any]
) -> dict[str, str]:
    """Content hashes of every table, built from what the manifest names."""
    from warehouse import pipeline
    from warehouse.audit import judge as audit
    from warehouse.building.plan import Plan
    from warehouse.loading import row_index as rows

    then = rows.registry_of(content, registry)
    plan = Plan(
        run_id=f"verify-{secrets.token_hex(6)}",
        run_key=content["run_key"],
        inputs_key=content["inputs_key"],
        as_of=date.fromisoformat(content["as_of"]),
        data_cutoff=date.fromisoformat(content["data_cutoff"]),
        receipts=tuple(rows.receipt_of(store, facts) for facts in content["receipts"]),
        degraded=content["degraded"],
        absent=tuple(content["absent"]),
        already=None,
        held=False,
        ingredients={n: content[n] for n in INGREDIENTS},
        earlier=_earlier(store, content["earlier"]),
    )
    work = pipeline.start(store, plan)
    try:
        for receipt in plan.receipts:
            pipeline.load_site(store, then, key, plan, receipt.site_id)
        pipeline.build(store, then, plan)
        pipeline.estimate(store, then, plan)
        audited = audit.answer(work)
        tables = json.loads((work / "estimated.json").read_text())
    finally:
        shutil.rmtree(work, ignore_errors=True)
    hashes = {place: str(t["content_sha256"]) for place, t in tables.items()}
    return hashes | {"quality/audit": audited.content_sha256}


def _earlier(store: Store, facts: list[dict[str, str]]) -> dict[str, tuple[Any, ...]]:
    """The deliveries before those in force, by site."""
    from warehouse.loading import row_index as rows

    sites = dict.fromkeys(f["site_id"] for f in facts)
    return {s: tuple(rows.receipt_of(store, f) for f in facts if f["site_id"] == s) for s in sites}


def _files(path: Path) -> Iterator[str]:
    recorded = intact.recorded(path)
    for name, sha256 in recorded.items():
        file = path / name
        if not file.is_file():
            yield f"{name}: missing"
        elif fingerprints.file_sha256(file) != sha256:
            yield f"{name}: changed since it was published"
    there = {p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()}
    listed = "files" in releases.manifest(path)["record"]
    for name in sorted(there - recorded.keys()):
        if name.split("/")[0] not in UNLISTED and (listed or name.startswith("parquet/")):
            yield f"{name}: not of this release; the manifest does not name it"


def _chain(store: Store, path: Path) -> Iterator[str]:
    """The manifest against itself, its decisions, the release before and those after."""
    facts = releases.manifest(path)
    content, record = facts["content"], facts["record"]
    inputs = fingerprints.sha256_of({n: content[n] for n in INGREDIENTS})
    night = [content["inputs_key"], content["as_of"], content["data_cutoff"]]
    if content["inputs_key"] != inputs or content["run_key"] != fingerprints.sha256_of(night):
        yield "manifest.json: its ingredients do not give its run key"
    own = fingerprints.file_sha256(path / "manifest.json")
    for file in sorted((path / "decisions").glob("*.json")):
        if json.loads(file.read_text("utf-8")).get("manifest_sha256", own) != own:
            yield f"manifest.json: changed since decisions/{file.name} was made"
    if record["previous"]:
        yield from _link(store, path, str(record["previous"]))
    for other in releases.listing(store):
        after = releases.manifest(other.path)["record"]
        if after.get("previous") == path.name and after["previous_manifest_sha256"] != own:
            yield f"manifest.json: changed since {other.release_id} was published after it"


def _link(store: Store, path: Path, before: str) -> Iterator[str]:
    manifest = store.release(before) / "manifest.json"
    recorded = releases.manifest(path)["record"]["previous_manifest_sha256"]
    if manifest.exists() and fingerprints.file_sha256(manifest) != recorded:
        yield f"../{before}/manifest.json: changed since {path.name} was published after it"


def _can_be_made(path: Path, registry: Registry, key: bytes) -> None:
    """Refuse what this code cannot make again, naming what can."""
    facts = releases.manifest(path)
    content, commit = facts["content"], facts["record"].get("commit")
    where = f"release {path.name}: its files are whole, but"
    if content["key_fingerprint"] != identity.fingerprint(key):
        raise Refused(
            f"{where} it was made under another key (fingerprint {content['key_fingerprint']}). "
            "Set key_file to that key to build it again."
        )
    if content["excluded"] != identity.excluded(key, registry.sites):
        raise Refused(
            f"{where} the list of patients who withdrew their consent has changed since, so it "
            "cannot be built again with the same patients. Add --files-only."
        )
    if content["code_sha256"] != fingerprints.code_sha256():
        can = f"Check out commit {commit}" if commit else "Check out the code of its date"
        raise Refused(
            f"{where} it was made by other code ({content['code_sha256'][:12]}). {can} and run "
            "`y90 verify` there, or add --files-only."
        )
    other = {
        n: v for n, v in content["engines"].items() if fingerprints.engine_versions().get(n) != v
    }
    if other:
        told = ", ".join(f"{n} {v}" for n, v in sorted(other.items()))
        raise Refused(
            f"{where} it was made with {told}. Install those versions (the commit's "
            "requirements.lock has them), or add --files-only."
        )

"""What the explorer's page asks: which releases, what can be chosen, a look, a trace, a patient."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from flows.commands.answers.accounting import statistic_text
from flows.commands.answers.show import shown_text
from flows.exploring import view
from report.figures import words
from schemas.errors import Refused, Y90Error
from schemas.settings import Registry
from warehouse.account import show, trace
from warehouse.exploring import answers, guard, python, selection
from warehouse.exploring.selection import Selection
from warehouse.releases import expunge, older, query, releases
from warehouse.releases.database import database
from warehouse.releases.integrity import seen
from warehouse.store import Store

LABELS = {
    "population": {"all": "all treated", "per_criteria": "meet every criterion"},
    "window": view.WINDOWS,
}


@dataclass(frozen=True, slots=True)
class Explorer:
    """The store that is looked into, and who may be named.

    Attributes:
        store: the store.
        registry_of: the registry of a release.
        key_of: its key; raises where this user may not read it.
        busy: one answer at a time: what draws is not made for several.
        kept: the groups of each release that were read before; of a purged one they are read again.
    """

    store: Store
    registry_of: Callable[[Path], Registry]
    key_of: Callable[[Path], bytes]
    busy: Lock = field(default_factory=Lock)
    kept: dict[str, guard.Kept] = field(default_factory=dict)

    def releases(self) -> dict[str, Any]:
        """Every release, the newest first, and the one that is current."""
        pointer = releases.channel(self.store, "current") or {}
        return {
            "current": pointer.get("release_id"),
            "releases": [
                {"id": r.release_id, "status": r.status}
                for r in reversed(releases.listing(self.store))
            ],
        }

    def choices(self, name: str) -> dict[str, Any]:
        """What can be chosen in a release, with its words, and what stands above its page."""
        release = self._release(name)
        content = releases.manifest(release)["content"]
        with self._opened(release) as con:
            known = selection.choices(con)
        labels = LABELS | {
            "endpoint": {code: words.endpoint(code) for code in known["endpoint"]},
            "competing": {code: words.endpoint(code) for code in known["competing"]},
            "factor": {code: words.FACTOR.get(code, code) for code in known["factor"]},
            "level": {code: words.level(code) for own in known["factor"].values() for code in own},
        }
        return {
            "choices": known,
            "labels": labels,
            "defaults": {
                "endpoint": "OS",
                "competing": "TTP" if "TTP" in known["competing"] else "",
                "version": content["settings"].get("toxicity", {}).get("primary_version", ""),
                "criterion": content["settings"].get("survival", {}).get("endpoint_criterion", ""),
                "unit": "patients",
            },
            "source": _source(release),
            "notes": self._notes(release),
            "synthetic": releases.is_synthetic(content),
            "may_trace": not self._closed(release),
            "small_cell": self._small_cell(release),
        }

    def look(
        self, name: str, chosen: Selection, *, take: bool = False, narrow: bool = False
    ) -> dict[str, Any]:
        """One look at a release."""
        release = self._release(name)
        content = releases.manifest(release)["content"]
        small_cell = self._small_cell(release)
        kept = self.kept.setdefault(str((release, seen(database(release)))), {})
        at = answers.Release(release.name, content["settings"], small_cell, self.store, kept)
        with self._opened(release) as con:
            asked = selection.checked(chosen, selection.choices(con))
            answer = answers.answer(con, at, asked, take=take)
        facts = view.shown(asked, answer, narrow=narrow)
        queries = answer.found.queries
        store = str(self.store.root)
        program = python.program(asked, queries, release.name, store) if queries else ""
        return facts | {"release": release.name, "python": program, "source": _source(release)}

    def trace(self, name: str, statistic: str) -> dict[str, Any]:
        """A statistic back to its members and lines; only where the key may be read."""
        release = self._release(name)
        registry, key = self._opened_key(release)
        try:
            found = trace.of_statistic(self.store, registry, key, release, statistic)
        except PermissionError:
            raise Refused(
                "explore: this user may not read what centres delivered, so numbers are not "
                "traced. Ask whoever runs y90."
            ) from None
        subjects = dict.fromkeys(m.subject_id for m in found.members if m.counted)
        others = dict.fromkeys(m.subject_id for m in found.members)
        return {
            "text": statistic_text(found),
            "counted": list(subjects),
            "others": [s for s in others if s not in subjects],
        }

    def patient(self, name: str, subject: str) -> dict[str, Any]:
        """What a release says of a patient; only where the key may be read."""
        release = self._release(name)
        self._opened_key(release)
        return {"text": shown_text(release.name, show.show(release, subject))}

    def _release(self, name: str) -> Path:
        known = {r.release_id: r.path for r in releases.listing(self.store)}
        if name not in known:
            raise Refused("explore: the store has no such release. Choose one from the list.")
        return known[name]

    @contextmanager
    def _opened(self, release: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
        """The release's database for one answer, read-only, and nothing held afterwards."""
        try:
            with query.open_release(release) as con:
                yield con
        except (duckdb.CatalogException, duckdb.BinderException):
            if lacks := older.lacking(release):
                raise Refused(older.told(release, lacks)) from None
            raise

    def _small_cell(self, release: Path) -> int | None:
        """The house's rule; None where its file cannot be read here."""
        try:
            return self.registry_of(release).file.export.small_cell
        except Refused:
            return None

    def _opened_key(self, release: Path) -> tuple[Registry, bytes]:
        try:
            return self.registry_of(release), self.key_of(release)
        except Y90Error:
            raise Refused(
                "explore: the key of this registry cannot be read here, so numbers are not traced "
                "and patients are not shown. Ask whoever keeps the key."
            ) from None

    def _closed(self, release: Path) -> bool:
        try:
            self._opened_key(release)
        except Refused:
            return True
        return False

    def _notes(self, release: Path) -> list[str]:
        """What a reader must know of a release before its numbers."""
        facts = releases.manifest(release)
        status = releases.status(facts, releases.decisions(release))
        said = [] if status == "published" else [f"This release is {status}."]
        said += [f"Degraded: {s}: {why}" for s, why in facts["content"]["degraded"].items()]
        purged = expunge.note(expunge.purged_subjects(release))
        return [*said, *([purged] if purged else [])]


def _source(release: Path) -> str:
    """Where what is shown comes from."""
    content = releases.manifest(release)["content"]
    said = (content["registry"], f"release {release.name}", f"cutoff {content['data_cutoff']}")
    return " · ".join((*said, *(["SYNTHETIC DATA"] if releases.is_synthetic(content) else [])))

"""Run every night of the script, explain its changes, and verify every release."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows import settings, steps
from schemas.settings import Registry
from tests.sixty_nights import exports
from tests.sixty_nights.exports import Line
from tests.sixty_nights.script import Centre, Planted, Script
from warehouse.account import explain, verify
from warehouse.account.explain import Explanation
from warehouse.account.history.nights import History as FigureHistory
from warehouse.account.history.nights import history
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY, pseudonym
from warehouse.releases import decisions, releases
from warehouse.store import Store

Heard = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Night:
    """What came of one night."""

    night: int
    delivered: tuple[str, ...]
    planted: Planted | None
    release: str
    made: bool
    held: bool
    degraded: tuple[str, ...]
    reasons: tuple[str, ...]
    current: str | None
    explained: Explanation | None
    lines: frozenset[Line]
    """What differs as text between the exports that are compared by the explanation."""


@dataclass(slots=True)
class History:
    """All of it."""

    script: Script
    nights: list[Night] = field(default_factory=list)
    verified: dict[str, bool] = field(default_factory=dict)
    figures: list[FigureHistory] = field(default_factory=list)
    """The history of each figure that was asked for, after the last night."""


def replay(
    script: Script,
    root: Path,
    heard: Heard = lambda _: None,
    verified: int | None = None,
    figures: Sequence[str] = (),
) -> History:
    """Play the script in an empty folder, which becomes the store.

    Args:
        script: what happens.
        root: the folder.
        heard: told of every night and release.
        verified: how many releases are built again, the last ones; default all.
        figures: statistics whose history is asked for.
    """
    found = History(script)
    player = _Player(script, Store.open(root))
    for number in range(1, script.nights + 1):
        for night in player.play(number):
            found.nights.append(night)
            heard(f"night {number}: {'held' if night.held else night.release}")
    for release in releases.listing(player.store)[-(verified or script.nights) :]:
        verdict = verify.verify(
            player.store, player.registry, DEMONSTRATION_KEY, release.release_id
        )
        found.verified[release.release_id] = verdict.passed and verdict.rebuilt
        heard(f"verify {release.release_id}: {verdict.passed}")
    for statistic in figures:
        asked = (player.store, player.registry, DEMONSTRATION_KEY, statistic)
        found.figures.append(history(*asked))
        heard(f"history of {statistic}")
    return found


def subjects(lines: frozenset[Line]) -> dict[str, set[Line]]:
    """Lines by the pseudonym of their patient."""
    found: dict[str, set[Line]] = {}
    for line in lines:
        who = pseudonym(DEMONSTRATION_KEY, line.site, line.patient)
        found.setdefault(who, set()).add(line)
    return found


class _Player:
    """The store, and which export of each centre is in force."""

    def __init__(self, script: Script, store: Store) -> None:
        self.script, self.store = script, store
        self.exports: dict[str, Path] = {}
        self.compared: dict[str, dict[str, Path]] = {}
        """Release -> the exports that it was made from."""
        self.registry: Registry

    def play(self, number: int) -> Iterator[Night]:
        """One night, and its restatement where a centre delivers twice."""
        planted = self.script.of(number)
        config = exports.write_registry(self.script, number, self.store.root)
        self.registry = settings.load_registry(config)
        due = [c for c in self.script.centres if self.script.delivers(c, number)]
        yield self._night(number, due, planted, without=None)
        if planted and planted.twice:
            again = [c for c in due if c.site in planted.sites]
            yield self._night(number, again, planted, without=planted)

    def _night(
        self, number: int, due: list[Centre], planted: Planted | None, without: Planted | None
    ) -> Night:
        day = self.script.day(number)
        before = releases.channel(self.store, "current")
        sent = dict(self.exports)
        for centre in due:
            sent[centre.site] = self._deliver(centre, number, without)
        outcome = steps.nightly(steps.Job(self.store, self.registry, DEMONSTRATION_KEY, day, day))
        done, degraded = outcome.published, tuple(outcome.plan.degraded)
        self.exports = sent | {s: p for s, p in self.exports.items() if s in degraded}
        if done.created:
            self.compared[done.release_id] = dict(self.exports)
        explained, lines = None, frozenset[Line]()
        if before and done.created and planted and planted.explain:
            explained, lines = self._explained(planted, before["release_id"], done.release_id)
        night = Night(
            night=number,
            delivered=tuple(c.site for c in due),
            planted=planted,
            release=done.release_id,
            made=done.created,
            held=done.held,
            degraded=degraded,
            reasons=self._reasons(done.path) if done.held else (),
            current=(releases.channel(self.store, "current") or {}).get("release_id"),
            explained=explained,
            lines=lines,
        )
        if planted and planted.approve and done.held:
            now = datetime.now(UTC)
            decisions.approve(self.store, done.release_id, planted.approve, now, "the registry")
        return night

    def _deliver(self, centre: Centre, number: int, without: Planted | None) -> Path:
        """Put the export into the inbox; a copy stays to be compared."""
        day = self.script.day(number).isoformat()
        name = f"{day}-again" if without else day
        kept = self.store.root / "exports" / centre.site / name
        exports.write(self.script, centre, number, kept, without=without)
        inbox = self.store.site_inbox(centre.site) / day
        inbox.mkdir(parents=True, exist_ok=True)
        for path in kept.iterdir():
            (inbox / path.name).write_bytes(path.read_bytes())
        return kept

    def _explained(
        self, planted: Planted, left: str, right: str
    ) -> tuple[Explanation, frozenset[Line]]:
        paths = [self.store.release(name) for name in (left, right)]
        found = explain.explain(
            self.store, self.registry, DEMONSTRATION_KEY, str(planted.explain), *paths
        )
        sides = [self.compared[name] for name in (left, right)]
        lines = {
            line
            for site in sides[0].keys() & sides[1].keys()
            for line in exports.differing(site, sides[0][site], sides[1][site])
            if not planted.files or (line.left or ("",))[0] in planted.files
        }
        return found, frozenset(lines)

    def _reasons(self, path: Path) -> tuple[str, ...]:
        account: dict[str, Any] = json.loads((path / "audit" / "audit.json").read_text("utf-8"))
        return tuple(account["reasons"])

"""Make the nights of a range again, several at once, and publish them in their order.

A worker process builds a night up to its publishing (`steps.again`), each in a work directory of
its own; this process publishes what they built, night after night. What became of each night stands
in state/backfills/<id>.json, replaced after every change, so that a backfill that was killed goes
on by its id. A nightly goes first: no night is begun while one runs.

    waiting -> building -> published | unchanged | held | failed
                           skipped: an earlier night was held or failed
                           left: not asked for
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, TypeAlias

from flows import backfill_plan, steps
from flows.backfill_plan import Night, Reprocess
from flows.telling import journal
from schemas.errors import Failed, Held, Refused, Y90Error
from schemas.settings import Registry
from warehouse import pipeline
from warehouse.building.plan import Plan
from warehouse.releases import decisions, releases
from warehouse.store import Store, create_atomically, lock_file, make_private, write_atomically

Publish = Literal["none", "each", "last"]
DONE = frozenset({"published", "unchanged", "left"})
Build: TypeAlias = "Future[Plan] | None"


@dataclass(frozen=True, slots=True)
class Ask:
    """What was asked for."""

    first: date
    last: date
    reason: str
    reprocess: Reprocess = "none"
    publish: Publish = "each"
    """When `current` moves: never, after each night, or once at the end. Never backwards."""
    max_active_runs: int = 1
    go_on: bool = False
    """Go on after a night that is held or fails."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happens."""

    store: Store
    registry: Registry
    key: bytes


def planned(place: Place, ask: Ask) -> list[Night]:
    """What would be done; nothing is written."""
    where = (place.store, place.registry, place.key)
    return backfill_plan.nights(*where, ask.first, ask.last, ask.reprocess)


def begin(place: Place, ask: Ask, today: date) -> dict[str, Any]:
    """Receive, plan, and make the wanted nights.

    Returns:
        The state as it is kept: backfill_id, asked, state, nights.

    Raises:
        Refused: the range is none, nothing is visible, or there is no reason.
        Locked: another backfill of the store is running.
    """
    backfill_plan.check(place.store, ask.first, ask.last, today)
    _reason(ask)
    with _alone(place.store):
        steps.receive(replace(_job(place, ask.last), settle_s=place.registry.file.settle_s))
        return _carry_on(place, ask, _new(place, ask, today))


def resume(place: Place, backfill_id: str) -> dict[str, Any]:
    """Go on with a backfill that was killed, cancelled, held or failed.

    Raises:
        Refused: there is none of that id.
        Locked: it, or another one, is running.
    """
    state = load(place.store, backfill_id)
    with _alone(place.store):
        for night in state["nights"]:
            if night["status"] not in DONE:
                night["status"] = "waiting"
        return _carry_on(place, _asked(state), state)


def load(store: Store, backfill_id: str) -> dict[str, Any]:
    """The state of a backfill.

    Raises:
        Refused: there is none of that id.
    """
    for known in listing(store):
        if known["backfill_id"] == backfill_id:
            return known
    names = [k["backfill_id"] for k in listing(store)]
    told = f"Known: {', '.join(names[-5:])}." if names else "None was ever begun here."
    raise Refused(f"backfill {backfill_id}: there is none of that id. {told}")


def listing(store: Store) -> list[dict[str, Any]]:
    """Every backfill of the store, oldest first."""
    found = [json.loads(p.read_text("utf-8")) for p in _folder(store).glob("*.json")]
    return sorted(found, key=lambda b: str(b["begun"]))


def exit_code(state: dict[str, Any]) -> int:
    """0 done, 1 a night failed, 3 a night is held."""
    ends = {n["status"] for n in state["nights"]}
    if "failed" in ends:
        return Failed.exit_code
    return Held.exit_code if "held" in ends else 0


def _carry_on(place: Place, ask: Ask, state: dict[str, Any]) -> dict[str, Any]:
    _save(place.store, state | {"state": "running"})
    try:
        _nights(place, ask, state)
        if ask.publish == "last":
            _lead(place.store, state)
        ends = {n["status"] for n in state["nights"]}
        stopped = ends & {"failed", "held", "skipped"}
        state["state"] = "stopped" if stopped else "done"
    except BrokenExecutor:
        state["state"] = "interrupted"
        raise Failed(
            f"backfill {state['backfill_id']}: a worker was killed, perhaps for want of memory. Go "
            f"on with `y90 backfill --resume {state['backfill_id']}`."
        ) from None
    except BaseException:
        state["state"] = "interrupted"
        raise
    finally:
        _save(place.store, state)
    return state


def _nights(place: Place, ask: Ask, state: dict[str, Any]) -> None:
    stopped: list[str] = []
    for night, build in _built(place, ask, state, stopped):
        if stopped:
            night["status"] = "skipped"
        else:
            _end(place, ask, state, night, build)
            if night["status"] in ("held", "failed") and not ask.go_on:
                stopped.append(night["night"])
        _save(place.store, state)


def _built(
    place: Place, ask: Ask, state: dict[str, Any], stopped: list[str]
) -> Iterator[tuple[dict[str, Any], Build]]:
    """Nights in order, with what builds them; so many builds at once as were asked for.

    Nights that are only confirmed wait in the line for those before them, and hold up no build.
    """
    line: deque[tuple[dict[str, Any], Build]] = deque()
    with _workers(ask.max_active_runs) as begun:
        for night in [n for n in state["nights"] if n["status"] == "waiting"]:
            build: Build = None
            while night["wanted"] and sum(b is not None for _, b in line) >= ask.max_active_runs:
                yield line.popleft()
            if night["wanted"] and not stopped:
                steps.after_nightly(place.store)
                night["status"] = "building"
                _save(place.store, state)
                build = begun(_job(place, date.fromisoformat(night["night"])))
            line.append((night, build))
        yield from line


def _end(
    place: Place, ask: Ask, state: dict[str, Any], night: dict[str, Any], build: Build
) -> None:
    """Publish a night, or note why not."""
    day = date.fromisoformat(night["night"])
    lead, now = ask.publish == "each", datetime.now(UTC)
    note = {"backfill": state["backfill_id"], "reason": ask.reason}
    try:
        with journal.step(place.store, day, "backfill"):
            plan = build.result() if build else _plan(place, day)
            if plan.already:
                done = pipeline.confirm(place.store, plan, now, lead=lead)
            elif build:
                done = pipeline.publish(place.store, plan, now, note, lead=lead)
            else:
                night["status"] = "skipped"
                return
    except BrokenExecutor:
        raise
    except Exception as fault:
        night["status"], night["why"] = "failed", _told(fault)
        return
    night["release_id"] = done.release_id
    night["status"] = "held" if done.held else "published" if done.created else "unchanged"
    if done.held:
        night["why"] = " ".join(decisions.why_waiting(done.path))


def _plan(place: Place, day: date) -> Plan:
    """A night that should have what the night before has; it is only confirmed."""
    return pipeline.plan(place.store, place.registry, place.key, day, day)


def _told(fault: Exception) -> str:
    """What may be kept of a fault: our own words; another's could hold a row."""
    return str(fault) if isinstance(fault, Y90Error) else type(fault).__name__


@contextmanager
def _workers(n: int) -> Iterator[Callable[[steps.Job], "Future[Plan]"]]:
    """Something that builds nights: here, or in processes that keep what they have compiled."""
    if n == 1:
        yield _here
        return
    with ProcessPoolExecutor(n, mp_context=get_context("spawn")) as pool:
        try:
            yield lambda job: pool.submit(steps.again, _shared(job, n))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _here(job: steps.Job) -> "Future[Plan]":
    """The same in this process, when it is asked for."""
    made: Future[Plan] = Future()
    try:
        made.set_result(steps.again(job))
    except Exception as fault:
        made.set_exception(fault)
    return made


def _shared(job: steps.Job, n: int) -> steps.Job:
    """The machine's threads, divided among so many workers."""
    file = job.registry.file
    threads = max(1, (file.threads or os.cpu_count() or 1) // n)
    shared = file.model_copy(update={"threads": threads})
    return replace(job, registry=replace(job.registry, file=shared))


def _lead(store: Store, state: dict[str, Any]) -> None:
    """Let `current` name the last release of the range, unless it names a later one."""
    made = {n.get("release_id") for n in state["nights"]}
    with store.lock(wait=True):
        mine = [r for r in releases.listing(store) if r.release_id in made]
        published = [r for r in mine if r.status == "published"]
        if published and pipeline.leads(store, published[-1].order):
            last = published[-1]
            releases.point(store, "current", last.release_id, datetime.now(UTC), last.as_of)


def _new(place: Place, ask: Ask, today: date) -> dict[str, Any]:
    """Plan, and give the backfill its id: the day and a number."""
    nights = planned(place, ask)
    state: dict[str, Any] = {
        "asked": asdict(ask) | {"first": ask.first.isoformat(), "last": ask.last.isoformat()},
        "who": decisions.user(),
        "begun": datetime.now(UTC).isoformat(),
        "state": "planned",
        "nights": [n.facts() | {"status": _first(n)} for n in nights],
    }
    make_private(_folder(place.store))
    taken = len(list(_folder(place.store).glob(f"{today.isoformat()}-*.json")))
    state["backfill_id"] = f"{today.isoformat()}-{taken + 1}"
    create_atomically(_path(place.store, state["backfill_id"]), _text(state), private=True)
    return state


def _first(night: Night) -> str:
    """A night that changes nothing is confirmed in its turn, so that it is not missed."""
    if night.wanted or night.reason in ("unchanged", "withdrawn"):
        return "waiting"
    return "held" if night.reason == "held" else "left"


def _job(place: Place, night: date) -> steps.Job:
    return steps.Job(place.store, place.registry, place.key, night, night)


def _reason(ask: Ask) -> None:
    if not ask.reason.strip():
        raise Refused("backfill: it needs a reason, kept with every release. Add --reason TEXT.")


def _asked(state: dict[str, Any]) -> Ask:
    asked = dict(state["asked"])
    first, last = (date.fromisoformat(asked.pop(n)) for n in ("first", "last"))
    return Ask(first, last, **asked)


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    with lock_file(store.state / "backfill", wait=False):
        yield


def _folder(store: Store) -> Path:
    return store.state / "backfills"


def _path(store: Store, backfill_id: str) -> Path:
    return _folder(store) / f"{backfill_id}.json"


def _save(store: Store, state: dict[str, Any]) -> None:
    write_atomically(_path(store, state["backfill_id"]), _text(state), private=True)


def _text(state: dict[str, Any]) -> bytes:
    return json.dumps(state, ensure_ascii=False, default=list).encode() + b"\n"

"""The steps of a night in their order: one list, with Prefect and without.

`do` carries each step out: directly, as a Prefect task, or with a kill after it in the crash tests.
What passes between steps is names, paths and hashes; rows stay in files.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

from flows import pulling, settings
from flows.telling import journal, progress
from schemas.errors import Fault, Y90Error, places
from schemas.settings import Registry
from warehouse import access, pipeline
from warehouse.building.plan import Plan, Published
from warehouse.intake.receipts import Receipt
from warehouse.receiving.inbox import Received
from warehouse.releases import ledger, releases
from warehouse.store import Store, lock_file

P = ParamSpec("P")
T = TypeVar("T")
OWN_FAULT = "a part of its delivery gives nothing"


@dataclass(frozen=True, slots=True)
class Job:
    """One night of one registry."""

    store: Store
    registry: Registry
    key: bytes
    as_of: date
    data_cutoff: date
    wait: bool = True
    """Wait for another run of the store, or raise Locked."""
    settle_s: float = 0
    """For how many seconds the files of a delivery must have rested."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a night ended."""

    plan: Plan
    published: Published
    nothing_to_do: bool
    notices: tuple[str, ...] = ()
    """What the people who deliver should hear of; files and rows, never a patient."""
    faults: tuple[Fault, ...] = ()
    """Errors of our own, each of which stopped one site's delivery and no other."""


class Do(Protocol):
    """Carries out one step: its name, how often to try again, the call."""

    def __call__(self, name: str, retries: int, step: Callable[[], T], /) -> T:
        """Call the step, and give what it gives."""


def directly(name: str, retries: int, step: Callable[[], T], /) -> T:
    """Carry a step out here and now, again where the outside failed."""
    del name
    for _ in range(retries):
        try:
            return step()
        except Exception as fault:
            if not from_outside(fault):
                raise
            time.sleep(pulling.RETRY_SECONDS)
    return step()


def from_outside(fault: BaseException) -> bool:
    """Return whether to try again: a network or a disk may recover, a refused file does not."""
    return isinstance(fault, OSError) and not isinstance(fault, Y90Error)


def nightly(job: Job, do: Do = directly) -> Outcome:
    """Receive, and make the night's release if there is anything new.

    Raises:
        Refused: nothing is visible at the night.
        Locked: another night is being made, and the job does not wait.
    """
    store, do = job.store, _told(do, job)
    with _alone(store, wait=job.wait):
        store.forget_rollback()
        access.protect(store, job.registry.file.store.group)
        settings.judge_sites(job.registry, store.state / "sites-judged")
        arrived = [_receive(job, site_id, do) for site_id in sorted(job.registry.sites)]
        problems = tuple(p for received in arrived for p in received.problems)
        plan, of_loading = _loaded(job, problems, do)
        faults = (*(f for r in arrived for f in r.faults), *of_loading)
        for fault in faults:
            journal.note(store, {"night": f"{job.as_of}", "step": "fault"} | asdict(fault))
        notices = (*_notices(arrived, plan), *map(str, of_loading))
        if plan.already:
            done = do("confirm", 0, lambda: pipeline.confirm(store, plan, _now()))
            return Outcome(plan, done, nothing_to_do=True, notices=notices, faults=faults)
        with _failure_noted(store, plan):
            _make(job, plan, do)
            done = do("publish", 0, lambda: pipeline.publish(store, plan, _now()))
            return Outcome(plan, done, nothing_to_do=False, notices=notices, faults=faults)


def _loaded(job: Job, problems: tuple[str, ...], do: Do) -> tuple[Plan, tuple[Fault, ...]]:
    """A plan whose sites are all loaded; who cannot be is taken as last delivered, or left out.

    Raises:
        Refused: nothing is visible at the night.
        Exception: what stopped the last site, if no site is left.
    """
    faulty: dict[Receipt, Fault] = {}
    errors: dict[Receipt, Exception] = {}
    while True:
        reasons = {r: str(f) for r, f in faulty.items()}
        try:
            plan = do("plan", 0, partial(_plan, job, reasons, problems))
        except Exception:
            if errors:
                raise next(iter(errors.values())) from None
            raise
        if plan.already:
            return plan, tuple(faulty.values())
        with _failure_noted(job.store, plan):
            do("start", 0, partial(pipeline.start, job.store, plan))
            found = {r: _load(job, plan, r.site_id, do) for r in plan.receipts}
        errors = {r: error for r, error in found.items() if error}
        if not errors:
            return plan, tuple(faulty.values())
        faulty |= {r: _fault(r, error) for r, error in errors.items()}


def _fault(receipt: Receipt, error: Exception) -> Fault:
    day = receipt.extraction_date.isoformat()
    return Fault(receipt.site_id, day, type(error).__name__, places(error))


def _notices(arrived: list[Received], plan: Plan) -> Iterator[str]:
    """What is to be heard of the night; every line names its site, and each is told once."""
    told = dict.fromkeys(_heard(arrived))
    yield from told
    in_force = {r.site_id: r for r in plan.receipts}
    for site_id, reason in sorted(plan.degraded.items()):
        own = in_force[site_id].wrong == reason
        why = OWN_FAULT if own else "its last good delivery stays in force"
        yield f"{site_id}: degraded, {why}. {reason}"
    for site_id in plan.absent:
        yield f"{site_id}: no delivery is visible at this night; the site is absent."


def _heard(arrived: list[Received]) -> Iterator[str]:
    for received in arrived:
        yield from received.problems
        for receipt in received.receipts:
            yield from (f"{receipt.name}: {notice}" for notice in receipt.notices)
            yield from (f"{receipt.name}: {unused}" for unused in receipt.unused)


def again(job: Job, do: Do = directly) -> Plan:
    """Build one night of a backfill up to its publishing, unless there is nothing to do.

    Builds need no lock, so that several nights are built at once; whoever started them publishes in
    the order of the nights.
    """
    do = _told(do, job)
    plan = do("plan", 0, lambda: _plan(job))
    if not plan.already:
        with _failure_noted(job.store, plan):
            do("start", 0, lambda: pipeline.start(job.store, plan))
            for receipt in plan.receipts:
                if error := _load(job, plan, receipt.site_id, do):
                    raise error
            _make(job, plan, do)
    return plan


def receive(job: Job, do: Do = directly) -> tuple[str, ...]:
    """Receive what is new in every inbox; returns what the people who deliver should hear of."""
    do = _told(do, job)
    with _alone(job.store, wait=job.wait):
        job.store.forget_rollback()
        access.protect(job.store, job.registry.file.store.group)
        settings.judge_sites(job.registry, job.store.state / "sites-judged")
        arrived = [_receive(job, site_id, do) for site_id in sorted(job.registry.sites)]
    return tuple(_heard(arrived))


def after_nightly(store: Store) -> None:
    """Wait until no nightly runs: it goes first."""
    with _alone(store, wait=True):
        pass


def _make(job: Job, plan: Plan, do: Do) -> None:
    """Everything from the loaded sites to a candidate that can be published."""
    store, registry = job.store, job.registry
    do("build", 0, lambda: pipeline.build(store, registry, plan))
    do("estimate", 0, lambda: pipeline.estimate(store, registry, plan))
    do("audit", 0, lambda: pipeline.audit(store, registry, plan))
    do("report", 0, lambda: report(job, plan))


def report(job: Job, plan: Plan) -> None:
    """Write the report into the run's folder; imported late, a quiet night draws none."""
    from report import page

    page.write(job.store.run(plan.run_id), _told_of(job), plan.ingredients["settings"])


def _told_of(job: Job) -> dict[str, str]:
    """What the report says of the run that made it."""
    registry = job.registry.file.registry
    release_id = releases.next_id(job.store, job.as_of)
    origins = {site.origin for site in job.registry.sites.values()}
    nights = (job.as_of.isoformat(), job.data_cutoff.isoformat())
    return report_facts(registry, release_id, *nights, origins)


def report_facts(
    registry: str, release_id: str, night: str, data_cutoff: str, origins: Iterable[str]
) -> dict[str, str]:
    """What stands above the report's tables; `synthetic` where a centre was invented."""
    return {
        "registry": registry,
        "release": release_id,
        "night": night,
        "data cutoff": data_cutoff,
        "synthetic": "yes" if "synthetic" in origins else "",
    }


def _receive(job: Job, site_id: str, do: Do) -> Received:
    def step() -> Received:
        problems = pulling.pulled_for(job.store, job.registry, site_id, job.as_of)
        pulled = job.registry.sites[site_id].pulled  # a pull appears whole
        settle_s = 0 if pulled else job.settle_s
        found = pipeline.receive(
            job.store, job.registry, site_id, _now(), key=job.key, settle_s=settle_s
        )
        return replace(found, problems=(*problems, *found.problems))

    return do(f"receive {site_id}", job.registry.file.receive_retries, step)


def _plan(
    job: Job, without: Mapping[Receipt, str] | None = None, problems: tuple[str, ...] = ()
) -> Plan:
    return pipeline.plan(
        job.store, job.registry, job.key, job.as_of, job.data_cutoff, without or {}, problems
    )


def _load(job: Job, plan: Plan, site_id: str, do: Do) -> Exception | None:
    """Load one site; an error of our own is given back, since it is no other site's matter."""
    caught: list[Exception] = []

    def step() -> str:
        try:
            return pipeline.load_site(job.store, job.registry, job.key, plan, site_id)
        except (Y90Error, OSError):
            raise
        except Exception as error:
            caught.append(error)
            return f"{site_id}: {type(error).__name__}"

    do(f"load {site_id}", 0, step)
    return caught[0] if caught else None


def _told(do: Do, job: Job) -> Do:
    """The same, with a line in the journal, and one on the terminal for steps that take long."""

    def told(name: str, retries: int, step: Callable[[], T], /) -> T:
        with progress.doing(name), journal.step(job.store, job.as_of, name):
            return do(name, retries, step)

    return told


@contextmanager
def _alone(store: Store, *, wait: bool) -> Iterator[None]:
    """One night at a time; without waiting, not while a release is being published either."""
    with lock_file(store.state / "nightly", wait=wait):
        if not wait:
            with store.lock(wait=False):
                pass
        yield


@contextmanager
def _failure_noted(store: Store, plan: Plan) -> Iterator[None]:
    try:
        yield
    except Exception:
        ledger.record_failure(store, plan, _now())
        raise


def _now() -> datetime:
    return datetime.now(UTC)

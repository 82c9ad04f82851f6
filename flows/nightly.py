"""Run the steps of `flows.steps` as tasks of one Prefect flow.

Prefect keeps the parameters, the states and a digest: names, paths and hashes. A fault's own words
could hold a row, so Prefect is told only its kind; the fault itself goes to whoever started the
flow.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

from prefect import Flow, flow, runtime, tags, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    TaskRunFilter,
    TaskRunFilterFlowRunId,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import TERMINAL_STATES, FlowRun, State
from prefect.events.worker import EventsWorker
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)
from prefect.states import Completed

from flows import pulling, schedule, settings, steps
from flows.prefect import dead_runs
from flows.telling import digest, notify
from schemas.errors import Y90Error
from schemas.settings import Registry
from warehouse.store import Store

RECORD_SECONDS = 20
T = TypeVar("T")
DATES = ("as_of", "data_cutoff")
"""All that a run may be given: config and store are fixed in the process that carries it out."""


@dataclass(slots=True)
class Run:
    """How one run is carried out, which is no parameter of its night.

    Attributes:
        wait: wait for another run of the store.
        settle: leave out what is still being written.
        begun: names of the tasks that were begun.
    """

    wait: bool = True
    settle: bool = True
    begun: list[str] = field(default_factory=list)

    def as_task(self, name: str, retries: int, step: Callable[[], T], /) -> T:
        """Carry a step out as a Prefect task, and note it."""
        self.begun.append(name)
        return as_task(name, retries, step)


class StepFailed(Exception):
    """What Prefect is told of a fault: the step and the kind, never its words."""

    def __init__(self, step: str, fault: Exception) -> None:
        super().__init__(
            f"{step}: {fault if isinstance(fault, Y90Error) else type(fault).__name__}"
        )
        self.fault = fault


def as_task(name: str, retries: int, step: Callable[[], T], /) -> T:
    """Carry a step out as a Prefect task, again where the outside failed."""

    @task(
        name=name.split()[0],
        task_run_name=name,
        retries=retries,
        retry_delay_seconds=pulling.RETRY_SECONDS,
        retry_condition_fn=_worth_another_try,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    def carried() -> T:
        try:
            return step()
        except Exception as fault:
            raise StepFailed(name, fault) from None

    return carried()


def run(night: dict[str, str], url: str, *, wait: bool, settle: bool = True) -> steps.Outcome:
    """Run a night as a flow; a fault arrives as it was raised.

    Args:
        night: config and store, and the dates that Prefect is to remember: as_of, data_cutoff.
        url: the API of the server that keeps the record.
        wait: wait for another run of the store.
        settle: leave out what is still being written.
    """
    # A heartbeat holds a short flow up for most of a second, and nobody watches it here.
    quick = {PREFECT_API_URL: url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    here = Run(wait, settle)
    store = Store.open(Path(night["store"]))
    dates = {name: night[name] for name in DATES if name in night}
    with (
        temporary_settings(quick),
        settings.fixed(Path(night["config"]), store.root),
        tags(dead_runs.tag(store)),
    ):
        dead_runs.bury(store)
        state = flow_of(here)(**dates, return_state=True)
        _wait_until_recorded(state.state_details.flow_run_id, len(here.begun))
        try:
            return state.result()
        except StepFailed as failed:
            raise failed.fault from None


def _wait_until_recorded(flow_run: UUID | None, tasks: int) -> None:
    """Tasks reach the record as events, after the fact: the server must not be stopped before."""
    logging.getLogger(EventsWorker.__name__).setLevel(logging.CRITICAL)  # it tells what is left
    EventsWorker.drain_all(timeout=RECORD_SECONDS, at_exit=False)
    until = time.monotonic() + RECORD_SECONDS
    wanted = TaskRunFilter(
        flow_run_id=TaskRunFilterFlowRunId(any_=[flow_run]),
        state=TaskRunFilterState(type=TaskRunFilterStateType(any_=list(TERMINAL_STATES))),
    )
    with get_client(sync_client=True) as client:
        while time.monotonic() < until:
            if len(client.read_task_runs(task_run_filter=wanted)) >= tasks:
                return
            time.sleep(0.1)


def _worth_another_try(_task: object, _run: object, state: State[Any]) -> bool:
    fault = state.result(raise_on_failure=False)
    return isinstance(fault, StepFailed) and steps.from_outside(fault.fault)


def _night() -> str:
    """A run is named by its night."""
    given = runtime.flow_run.parameters
    return given.get("as_of") or _scheduled(settings.place()[0]).isoformat()


def _scheduled(registry: Registry) -> date:
    """The night of the scheduled start: a late run keeps its night."""
    start: datetime = runtime.flow_run.scheduled_start_time
    return schedule.day(registry, start)


def _tell(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Prefect's hook: tell of a night that failed, crashed, is held, or shows a site late."""
    del flow
    with suppress(Exception):  # telling must not change how the night ended
        given = flow_run.parameters
        registry, root = settings.place()
        store = Store.open(root)
        night = (
            date.fromisoformat(given["as_of"]) if given.get("as_of") else _on(registry, flow_run)
        )
        if state.is_completed():
            notify.late(store, registry, night)
            notify.degraded(store, registry, night)
            if state.name == "Held":
                notify.tell(store, registry, night, "held", f"{night}: held until approved.")
        else:
            kind = state.name or "failed"
            notify.tell(store, registry, night, "failed", f"{night}: {kind.lower()}.")


def _on(registry: Registry, run: FlowRun) -> date:
    start = run.expected_start_time or run.created or datetime.now(UTC)
    return schedule.day(registry, start)


def flow_of(here: Run) -> Flow[[str | None, str | None], steps.Outcome]:
    """The flow of a night as this run carries it out; its parameters are the dates alone."""

    @flow(
        name="nightly",
        flow_run_name=_night,
        persist_result=False,
        validate_parameters=False,
        on_completion=[_tell],
        on_failure=[_tell],
        on_crashed=[_tell],
    )
    def nightly(as_of: str | None = None, data_cutoff: str | None = None) -> steps.Outcome:
        """Make the release of one night, by default of the night of the scheduled start."""
        return _made(here, as_of, data_cutoff)

    return nightly


nightly = flow_of(Run())
"""The flow that is deployed and started by the clock."""


def _made(here: Run, as_of: str | None, data_cutoff: str | None) -> steps.Outcome:
    try:
        registry, root = settings.place()
        night = date.fromisoformat(as_of) if as_of else _scheduled(registry)
        job = steps.Job(
            store=Store.open(root),
            registry=registry,
            key=settings.registry_key(registry),
            as_of=night,
            data_cutoff=date.fromisoformat(data_cutoff) if data_cutoff else night,
            wait=here.wait,
            settle_s=registry.file.settle_s if here.settle else 0,
        )
        outcome = steps.nightly(job, here.as_task)
        create_markdown_artifact(digest.markdown(outcome), key="nightly")
    except StepFailed:
        raise
    except Exception as fault:
        raise StepFailed("nightly", fault) from None
    for told in map(str, outcome.faults):
        notify.tell(job.store, registry, night, "failed", f"{night}: {told}")
    held = outcome.published.held
    return cast(steps.Outcome, Completed(name="Held", data=outcome)) if held else outcome

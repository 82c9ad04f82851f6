"""Tell Prefect which runs crashed, where it still believes them to be running.

A killed process tells nobody. Whoever comes next and finds that no night and no backfill of the
store is running says it in its place: the run crashed.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

from schemas.errors import Locked
from warehouse.store import Store, lock_file

TOLD = "Its process was killed."
BEGUN = timedelta(minutes=1)
"""A run that has begun by now holds the store's lock."""


def bury(store: Store) -> int:
    """Mark the dead runs of the store as crashed; returns how many.

    Args:
        store: the store, whose locks tell whether anything is running.
    """
    with (
        suppress(Locked),
        lock_file(store.state / "nightly", wait=False),
        lock_file(store.state / "backfill", wait=False),
        get_client(sync_client=True) as client,
    ):
        dead = [r for r in _running(client) if tag(store) in r.tags]
        for run in dead:
            client.set_flow_run_state(run.id, Crashed(message=TOLD), force=True)
        return len(dead)
    return 0


def tag(store: Store) -> str:
    """What marks a run as one of this store, where several share a server."""
    return f"store {store.root.absolute()}"


def _running(client: SyncPrefectClient) -> list[FlowRun]:
    types = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=types))
    begun = FlowRunFilterStartTime(before_=datetime.now(UTC) - BEGUN)
    return client.read_flow_runs(flow_run_filter=FlowRunFilter(state=state, start_time=begun))

"""One process with Prefect's server, schedule and deployments, which starts every night.

The server is the store's own, on loopback, and asks for the store's credential. Registry and store
are fixed in this process: a run is given dates and a backfill's words, and one that is given
anything else is refused. Two deployments are served: `nightly`, on the registry's
schedule in its zone, and `backfill`, to be started from Prefect's page. At most
`max_concurrent_runs` run at once, and the store's locks hold besides.

Prefect plans runs ahead and starts every late one when it comes back. Here a downtime ends with one
nightly, for the latest night that was due; those between are dropped, `y90 status` lists them, and
`y90 backfill` makes them.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.callables import ParameterSchema

from flows import backfill, schedule, settings
from flows.backfill_plan import Reprocess
from flows.nightly import StepFailed, nightly
from flows.prefect import dead_runs
from flows.telling import status
from schemas.errors import Held
from schemas.settings import Registry
from warehouse.releases import ledger
from warehouse.store import Store


@flow(name="backfill", persist_result=False, validate_parameters=False)
def backfill_nights(
    from_date: str = "",
    to_date: str = "",
    reason: str = "",
    reprocess: str = "none",
    publish: str = "each",
    max_active_runs: int = 1,
    go_on: bool = False,
    resume: str = "",
) -> str:
    """Make a range of nights, with the parameters of `y90 backfill`; returns the backfill's id."""
    try:
        registry, root = settings.place()
        place = backfill.Place(Store.open(root), registry, settings.registry_key(registry))
        if resume:
            state = backfill.resume(place, resume)
        else:
            ask = backfill.Ask(
                date.fromisoformat(from_date),
                date.fromisoformat(to_date),
                reason,
                cast(Reprocess, reprocess),
                cast(backfill.Publish, publish),
                max_active_runs,
                go_on,
            )
            state = backfill.begin(place, ask, schedule.today(registry))
        if backfill.exit_code(state):
            told = f"backfill {state['backfill_id']}: a night failed or is held. See `y90 status`."
            raise Held(told)
    except Exception as fault:
        raise StepFailed("backfill", fault) from None
    return str(state["backfill_id"])


def deployments(registry: Registry, store: Store) -> list[RunnerDeployment]:
    """The two deployments of a registry; neither takes a path."""
    marks = [dead_runs.tag(store)]
    name = registry.file.registry
    zone = registry.file.timezone
    made = [
        nightly.to_deployment(
            name,
            schedule=Cron(registry.file.schedule, timezone=zone),
            tags=marks,
            description=f"The nightly of {name}: {registry.file.schedule} in {zone}.",
            entrypoint_type=EntrypointType.MODULE_PATH,
        ),
        backfill_nights.to_deployment(
            name,
            tags=marks,
            description=f"A range of nights of {name}, as `y90 backfill` makes it.",
            entrypoint_type=EntrypointType.MODULE_PATH,
        ),
    ]
    known = [cast(RunnerDeployment, d) for d in made]  # coroutines only where a loop runs
    for one in known:
        one._parameter_openapi_schema = _Closed(
            **one._parameter_openapi_schema.model_dump(exclude_unset=True),
            additionalProperties=False,
        )
    return known


class _Closed(ParameterSchema):
    """The parameters of a deployment, and no others: Prefect's API refuses a run with more."""

    additionalProperties: bool = False


def serve(registry: Registry, config: Path, store: Store, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Args:
        registry: the registry.
        config: its file.
        store: its store.
        ready: called when the deployments are there.
    """
    with settings.fixed(config, store.root):
        dead_runs.bury(store)
        drop_late(registry)
        runner = _Served(limit=registry.file.max_concurrent_runs)
        known = [runner.add_deployment(d) for d in deployments(registry, store)]
        catch_up(registry, store, UUID(str(known[0])))
        ready()
        try:
            asyncio.run(runner.serve())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


class _Served(Runner):
    """Ends on SIGTERM as on Ctrl-C: schedules are paused, nothing is printed.

    Prefect 3.8.8 leaves from within its signal handler, with two tracebacks of its event loop. A
    SIGINT to ourselves would do, but not in the background of a shell, where it is ignored.
    """

    async def serve(self) -> None:
        """Start, and remember what is to be ended."""
        self.serving = asyncio.current_task()
        await self.start()

    def handle_sigterm(self, *_: object, **__: object) -> None:
        """Ask the event loop to end."""
        if self.serving and not self.serving.done():
            self.serving.get_loop().call_soon_threadsafe(self.serving.cancel)


def drop_late(registry: Registry) -> int:
    """Forget runs planned before a downtime; returns how many."""
    wanted = DeploymentFilter(name=DeploymentFilterName(any_=[registry.file.registry]))
    waiting = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
    )
    with get_client(sync_client=True) as client:
        dropped = client.read_flow_runs(flow_run_filter=waiting, deployment_filter=wanted)
        for run in dropped:
            client.delete_flow_run(run.id)
    return len(dropped)


def catch_up(registry: Registry, store: Store, deployment: UUID) -> date | None:
    """Start the nightly of the latest night that was due, unless it ran; returns that night."""
    night = status.last_due(registry, datetime.now(UTC))
    ran = {run["as_of"] for run in ledger.runs(store)}
    if night is None or not ran or night.isoformat() in ran:
        return None
    with get_client(sync_client=True) as client:
        client.create_flow_run_from_deployment(
            deployment, parameters={"as_of": night.isoformat()}, name=night.isoformat()
        )
    return night

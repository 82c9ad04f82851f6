"""y90 serve: the nightly on its schedule, with a server of the store's own."""

import argparse
import signal
import sys
from types import FrameType
from typing import NoReturn

from flows.commands.command import Command, Context


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        metavar="N",
        help="the port of Prefect's page (default: a free one)",
    )


def _answer(context: Context) -> int:
    from flows.prefect import server

    registry, store = context.registry, context.new_store
    _ = context.key  # a registry without its key is refused now, not at four in the morning
    signal.signal(signal.SIGTERM, _leave)
    try:
        with server.prefect_api(store, schedules=True, port=context.arguments.port) as url:
            from flows.serve import serve

            page = url.removesuffix("/api")
            told = f"serving {registry.file.registry}: {registry.file.schedule} in "
            told += f"{registry.file.timezone}; Prefect's page: {page}; what it asks for stands "
            told += f"in {server.credential_file(store)}"
            facts = {"registry": registry.file.registry, "page": page}
            facts["credential"] = str(server.credential_file(store))

            def ready() -> None:
                context.report(facts, told)
                sys.stdout.flush()  # to a journal it would come when the service stops

            serve(registry, context.config, store, ready)
    except KeyboardInterrupt:
        context.say("stopped")
    return 0


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """A request to end is no fault."""
    raise KeyboardInterrupt


COMMANDS = (
    Command(
        name="serve",
        help="run the nightly on its schedule and backfills from Prefect's page, until stopped",
        example="y90 serve --config simulation/memon2012/registry.toml",
        answer=_answer,
        arguments=_arguments,
    ),
)

"""y90 explore: a page on loopback that looks into releases, until it is stopped."""

import argparse
import secrets
import signal
import socket
import sys
from types import FrameType
from typing import NoReturn

from flows.commands.command import Command, Context
from schemas.errors import Refused

LOOPBACK = "127.0.0.1"


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="its port (default: a free one)"
    )


def _explore(context: Context) -> int:
    import uvicorn

    from flows.exploring.app import application
    from flows.exploring.explorer import Explorer
    from warehouse.releases import releases

    store = context.store
    releases.resolve(store, None)
    token = secrets.token_urlsafe(32)
    signal.signal(signal.SIGTERM, _leave)
    with _listening(context.arguments.port) as door:
        port = door.getsockname()[1]
        app = application(Explorer(store, context.registry_of, context.key_of), token, port)
        address = f"http://{LOOPBACK}:{port}/{token}/"
        told = f"{address}\nOpen it in a browser on this machine; Ctrl-C ends it. Whoever has the "
        told += "address sees what you see."
        context.give({"address": address}, address if context.quiet else told)
        sys.stdout.flush()
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off",
            proxy_headers=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = uvicorn.Server(config)
        try:
            server.run(sockets=[door])
        except KeyboardInterrupt:
            context.say("stopped")
    return 0


def _listening(port: int) -> socket.socket:
    """A socket on loopback alone.

    Raises:
        Refused: the port is taken, or not one.
    """
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((LOOPBACK, port))
        door.listen()  # before the address is told: whoever opens it at once waits, and is answered
    except (OSError, OverflowError):
        door.close()
        raise Refused(f"y90 explore: port {port} is not free. Name another with --port.") from None
    return door


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """A request to end is no fault."""
    raise KeyboardInterrupt


COMMANDS = (
    Command(
        name="explore",
        help="open a page on this machine that looks into releases: published numbers, subgroups",
        example="y90 explore",
        answer=_explore,
        arguments=_arguments,
    ),
)

"""y90 delivery accept: let a held delivery in."""

import argparse
from datetime import UTC, datetime

from flows.commands.command import Command, Context


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="ID", help="the delivery: SITE/YYYY-MM-DD-N")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it is whole")


def _accept(context: Context) -> int:
    from warehouse.receiving.accept import accept
    from warehouse.releases.decisions import user

    given = context.arguments
    new = accept(context.store, given.name, given.reason, datetime.now(UTC), user())
    context.report(
        {"accepted": given.name, "receipt": new.name, "decision": new.decision},
        f"{given.name} is let in as {new.name}. The next night uses it; `y90 backfill` makes "
        "earlier ones again.",
    )
    return 0


COMMANDS = (
    Command(
        name="delivery accept",
        help="let a delivery in that is held because it may be cut off",
        example="y90 delivery accept north/2026-11-20-1 --reason 'two patients were merged'",
        answer=_accept,
        arguments=_arguments,
    ),
)

"""y90 redcap inspect, pull: what is in an export, and the project's newest one."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from flows.commands.command import Command, Context


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="the flat export (csv)")
    parser.add_argument("--dictionary", type=Path, metavar="FILE", help="its data dictionary")
    parser.add_argument("--record", metavar="COLUMN", help="the record id (default: the first)")


def _answer(context: Context) -> int:
    from flows.telling import progress
    from warehouse.intake.redcap.inspect import inspect, render

    given = context.arguments
    with progress.doing("inspect"):
        found = inspect(given.data, given.dictionary, given.record)
    context.give(asdict(found), render(found))
    sys.stdout.flush()
    return 0


def _pull_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", help="the site whose file names the API and the token")


def _pull(context: Context) -> int:
    from flows.commands.centres.check import site_named
    from flows.pulling import pulled
    from flows.telling import progress

    site = site_named(context, context.arguments.site)
    with progress.doing(f"pull {site.site_id}"):
        folder = pulled(context.new_store, context.registry, site.site_id)
    files = {p.name: p.stat().st_size for p in sorted(folder.iterdir())}
    context.report(
        {"folder": folder, "files": files},
        f"{folder}: {', '.join(files)}. The next `y90 run` receives it.",
    )
    return 0


COMMANDS = (
    Command(
        name="redcap pull",
        help="pull a whole project into today's folder of its site's inbox",
        example="y90 redcap pull north",
        answer=_pull,
        arguments=_pull_arguments,
    ),
    Command(
        name="redcap inspect",
        help=("list the instruments, events and columns of a REDCap export; names and counts only"),
        example="y90 redcap inspect data.csv --dictionary dictionary.csv",
        answer=_answer,
        arguments=_arguments,
    ),
)

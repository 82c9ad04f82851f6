"""y90 sql: ask a release."""

import argparse
import sys
from pathlib import Path

from flows.commands.command import Command, Context


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", help="SQL over the schemas marts, outcomes, members and quality")
    parser.add_argument(
        "--release", metavar="ID", help="id, channel, stable label or night (default: current)"
    )
    parser.add_argument(
        "--format",
        choices=("table", "csv", "json", "parquet"),
        help="how the rows are given (default: table, or json with --json)",
    )
    parser.add_argument("--to", type=Path, metavar="FILE", help="file for parquet")


def _answer(context: Context) -> int:
    from flows.telling import progress
    from warehouse.releases import query, releases

    given = context.arguments
    form = given.format or ("json" if context.json else "table")
    release = releases.resolve(context.store, given.release)
    context.note_purged(release)
    with progress.doing("query"):
        query.sql(release, given.query, form, sys.stdout, given.to)
    return 0


COMMANDS = (
    Command(
        name="sql",
        help="run a query on a release; its database is opened read-only",
        example='y90 sql "SELECT endpoint, months, survival FROM outcomes.survival_landmarks '
        "WHERE population = 'all' AND factor = ''\"",
        answer=_answer,
        arguments=_arguments,
    ),
)

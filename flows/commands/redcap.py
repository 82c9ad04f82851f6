"""y90 redcap inspect: what is in an export, before a site file is written for it?"""

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
    from flows import progress
    from warehouse.redcap_inspect import inspect, render

    given = context.arguments
    with progress.doing("inspect"):
        found = inspect(given.data, given.dictionary, given.record)
    context.give(asdict(found), render(found))
    sys.stdout.flush()
    return 0


COMMANDS = (
    Command(
        name="redcap inspect",
        help="the instruments, events and columns of a REDCap export; names and counts only",
        example="y90 redcap inspect data.csv --dictionary dictionary.csv",
        answer=_answer,
        arguments=_arguments,
    ),
)

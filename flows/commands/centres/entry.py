"""y90 redcap project, y90 workbook: what a centre that begins now enters its patients into."""

import argparse
from pathlib import Path

from flows.commands.command import Command, Context
from schemas.errors import Refused


def _project_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")


def _project(context: Context) -> int:
    from warehouse.sharing.entry_redcap import BASE, write_project

    folder = context.arguments.to
    if folder.exists():
        raise Refused(f"{folder}: there is one already. Name a new folder.")
    made = write_project(folder)
    context.report(
        {"files": made},
        f"{', '.join(map(str, made))}: written. Upload dictionary.csv as the data dictionary of a "
        "new project and let the instruments of repeating_instruments.csv repeat. Put "
        f'{BASE} beside the site file, which needs site_id and extends = "{BASE}".',
    )
    return 0


def _workbook_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="a new .xlsx")


def _workbook(context: Context) -> int:
    from warehouse.sharing.entry_workbook import SITE_FILE, write_workbook

    path = context.arguments.to
    if path.suffix.lower() != ".xlsx":
        raise Refused(f"{path}: no workbook's name. Write one that ends with .xlsx.")
    if path.exists():
        raise Refused(f"{path}: there is one already. Name a new file.")
    write_workbook(path)
    site_file = SITE_FILE.format(site="SITE")
    context.report(
        {"path": path, "site_file": site_file},
        f"{path}: written. The site file that reads it, with the site's name:\n\n{site_file}",
    )
    return 0


COMMANDS = (
    Command(
        name="redcap project",
        help="write a REDCap project whose exports need no mapping, with its codebook",
        example="y90 redcap project --to y90-project",
        answer=_project,
        arguments=_project_arguments,
    ),
    Command(
        name="workbook",
        help="write an empty workbook that needs no mapping, with lists to choose from",
        example="y90 workbook --to y90.xlsx",
        answer=_workbook,
        arguments=_workbook_arguments,
    ),
)

"""y90 simulate: write a registry with known answers."""

import argparse
from datetime import date
from pathlib import Path

from flows.commands.command import Command, Context, a_date
from schemas.errors import Refused


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset",
        default="memon2012",
        help="which registry: memon2012 (the reference cohort, invented), or a digitised trial: "
        "radiant4_os, radiant4_pfs, sirflox_pfs (default memon2012)",
    )
    parser.add_argument(
        "--format", help="redcap or csv, where the preset has it (default: its first)"
    )
    parser.add_argument(
        "--as-of", type=a_date, metavar="DATE", help="nothing later is in the export"
    )
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder to make")


def _answer(context: Context) -> int:
    from flows import progress
    from simulation import PRESETS, registry_folder, simulate

    given = context.arguments
    if given.preset not in PRESETS:
        raise Refused(f"--preset {given.preset}: unknown. Use one of {', '.join(PRESETS)}.")
    preset = PRESETS[given.preset]
    form: str = given.format or next(iter(preset.formats))
    as_of: date = given.as_of or preset.default_as_of
    config = registry_folder(given.preset, form) / "registry.toml"
    with progress.doing(f"simulate {given.preset}"):
        files = simulate(given.preset, form, as_of, given.to)
    context.report(
        {"preset": given.preset, "format": form, "as_of": as_of, "files": files, "config": config},
        "\n".join([*map(str, files), f"These are read with --config {config}"]),
    )
    return 0


COMMANDS = (
    Command(
        name="simulate",
        help="write the export of a registry with known answers, as it looked on a date",
        example="y90 simulate --preset memon2012 --format redcap --as-of 2011-03-31 "
        "--to store/inbox/memon2012/2011-03-31",
        answer=_answer,
        arguments=_arguments,
    ),
)

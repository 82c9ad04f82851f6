"""y90 simulate: write a registry with known answers."""

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from flows.commands.command import Command, Context, a_date
from schemas.errors import Refused

REGISTRY = "registry"
"""The preset that is a whole registry, not one export."""
NETWORK = "network"
"""The preset that is five registries."""
CENTRE = "centre"
"""The preset that is a centre's export with no site file."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset",
        default="memon2012",
        help="which registry: memon2012 (the reference cohort, invented), a digitised trial "
        "(radiant4_os, radiant4_pfs, sirflox_pfs), registry (invented, many centres, with its site "
        "files), network (five such registries, to be pooled), or centre (ten patients, as a "
        "centre keeps them that nobody has connected) (default memon2012)",
    )
    parser.add_argument(
        "--format",
        help="redcap, csv or sdtm, where the preset has it (default: its first); registry also "
        "mixed; centre has german, a workbook of eleven sheets, and french, a REDCap project of "
        "seven instruments",
    )
    parser.add_argument("--sites", type=int, metavar="N", help="registry: centres (default 5)")
    parser.add_argument(
        "--patients", type=int, metavar="N", help="registry: patients of all centres (default 2000)"
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="registry, network: its seed (default 1)"
    )
    parser.add_argument(
        "--as-of", type=a_date, metavar="DATE", help="the export holds nothing later than this day"
    )
    parser.add_argument(
        "--to",
        type=Path,
        required=True,
        metavar="DIR",
        help="the folder to write",
    )


def _answer(context: Context) -> int:
    from flows.telling import progress
    from simulation import PRESETS, registry_folder, simulate

    given = context.arguments
    if given.preset == REGISTRY:
        return _registry(context)
    if given.preset == NETWORK:
        return _network(context)
    if given.preset == CENTRE:
        return _centre(context)
    if given.preset not in PRESETS:
        known = ", ".join([*PRESETS, REGISTRY, NETWORK, CENTRE])
        raise Refused(f"--preset {given.preset}: unknown. Use one of {known}.")
    _without_shape(given)
    preset = PRESETS[given.preset]
    form: str = given.format or next(iter(preset.formats))
    as_of: date = given.as_of or preset.default_as_of
    config = registry_folder(given.preset, form) / "registry.toml"
    with progress.doing(f"simulate {given.preset}"):
        files = simulate(given.preset, form, as_of, given.to)
        whole = given.to / ".done"
        whole.touch()
    context.report(
        {
            "preset": given.preset,
            "format": form,
            "as_of": as_of,
            "files": [*files, whole],
            "config": config,
        },
        "\n".join([*map(str, files), f"These are read with --config {config}"]),
    )
    return 0


def _centre(context: Context) -> int:
    """The export of a centre that knows nothing of our names."""
    from flows.telling import progress
    from simulation import PRESETS, put
    from simulation.centres import CENTRES

    given = context.arguments
    _without_shape(given)
    form = given.format or next(iter(CENTRES))
    if form not in CENTRES:
        raise Refused(f"--format {form}: {CENTRE} has none. Use one of {', '.join(CENTRES)}.")
    as_of: date = given.as_of or PRESETS["memon2012"].default_as_of
    with progress.doing(f"simulate {CENTRE}"):
        files = put(CENTRES[form], as_of, given.to)
        whole = given.to / ".done"
        whole.touch()
    told = "\n".join(
        [*map(str, files), f"Write its site file: y90 site new NAME --from {given.to}"]
    )
    facts = {"preset": CENTRE, "format": form, "as_of": as_of, "files": [*files, whole]}
    context.report(facts, told)
    return 0


def _without_shape(given: argparse.Namespace) -> None:
    if shape := _shape(given):
        names = ", ".join(f"--{name}" for name in shape)
        raise Refused(f"{names}: only for --preset {REGISTRY}. Leave out, or name that preset.")


def _registry(context: Context) -> int:
    """A registry of many centres, whose folder is its own store."""
    from flows.telling import progress
    from simulation.registry.sites import FORMATS
    from simulation.registry.whole import DEFAULT_AS_OF, Shape, simulate_registry

    given = context.arguments
    form = given.format or FORMATS[0]
    if form not in FORMATS:
        raise Refused(f"--format {form}: {REGISTRY} has none. Use one of {', '.join(FORMATS)}.")
    shape = Shape(**_shape(given), format=form)
    as_of: date = given.as_of or DEFAULT_AS_OF
    with progress.doing(f"simulate {REGISTRY}"):
        made = simulate_registry(shape, as_of, given.to)
    config = given.to / "registry.toml"
    facts = {"preset": REGISTRY, "format": form, "sites": shape.sites, "patients": shape.patients}
    facts |= {"seed": shape.seed, "as_of": as_of, "files": made, "config": config}
    run = f"Run it with: y90 run --config {config} --as-of {as_of}"
    context.report(facts, "\n".join([*map(str, made), run]))
    return 0


def _network(context: Context) -> int:
    """Five registries, each in a folder that is its own store."""
    from flows.telling import progress
    from simulation.registry.network import DEFAULT_AS_OF, simulate_network

    given = context.arguments
    shape = _shape(given)
    if given.format or shape.keys() - {"seed"}:
        raise Refused(
            f"--preset {NETWORK}: its registries have their sizes and formats. Leave out --format, "
            "--sites and --patients."
        )
    as_of: date = given.as_of or DEFAULT_AS_OF
    with progress.doing(f"simulate {NETWORK}"):
        made = simulate_network(as_of, given.to, **shape)
    configs = [path for path in made if path.name == "registry.toml"]
    facts = {"preset": NETWORK, "as_of": as_of, "files": made, "configs": configs}
    runs = [f"Run it with: y90 run --config {config} --as-of {as_of}" for config in configs]
    context.report(facts, "\n".join([*map(str, made), *runs]))
    return 0


def _shape(given: argparse.Namespace) -> dict[str, Any]:
    """What was said of a registry's size."""
    named = {name: getattr(given, name) for name in ("sites", "patients", "seed")}
    return {name: value for name, value in named.items() if value is not None}


COMMANDS = (
    Command(
        name="simulate",
        help="write the export of an invented registry as it looked on a date",
        example="y90 simulate --preset memon2012 --format redcap --as-of 2011-03-31 "
        "--to store/inbox/memon2012/2011-03-31",
        answer=_answer,
        arguments=_arguments,
    ),
)

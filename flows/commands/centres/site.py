"""y90 site new: a first site file, guessed from an export."""

import argparse
import re
import shlex
from pathlib import Path

from flows.commands.command import Command, Context
from schemas.errors import Refused


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the site's name: small letters, digits, _ and -")
    parser.add_argument("--from", dest="export", type=Path, required=True, metavar="EXPORT")
    parser.add_argument("--dictionary", type=Path, metavar="FILE", help="REDCap data dictionary")
    parser.add_argument(
        "--preset",
        choices=("sdtm", "omop"),
        help="the export is in this published format: CDISC SDTM domains, or OMOP CDM tables",
    )


def _new(context: Context) -> int:
    from warehouse.receiving.presets import from_preset
    from warehouse.receiving.site_guess import first_site_file
    from warehouse.store import create_atomically

    given = context.arguments
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", given.name):
        raise Refused(f"site {given.name}: write small letters, digits, _ and -, a letter first.")
    for path in filter(None, (given.export, given.dictionary)):
        if not path.exists():
            raise Refused(f"{path}: there is no such file or folder. Name the export.")
    beside = (context.arguments.config or Path("registry.toml")).parent
    to = beside / "sites" / f"{given.name}.toml"
    if to.exists():
        raise Refused(f"{to}: there is one already. Move it away for a new one.")
    together = given.dictionary and given.dictionary.parent == given.export.parent
    whole = given.export.parent if together else given.export
    if given.preset and given.dictionary:
        raise Refused("--dictionary: a REDCap project is in no published format. Leave one out.")
    text, missed = (
        from_preset(given.export, given.preset, given.name)
        if given.preset
        else first_site_file(given.export, given.dictionary, given.name)
    )
    to.parent.mkdir(parents=True, exist_ok=True)
    create_atomically(to, text.encode())
    left = "1 thing is" if missed == 1 else f"{missed} things are"
    marks = "`# could not`" + (" or `# A person must say`" if given.preset else "")
    context.report(
        {"path": to, "not_guessed": missed},
        f"{to}: written. Read every line; {left} left to you, in comments that begin "
        f"with {marks}.\nName the site in registry.toml, then run `y90 check "
        f"{shlex.quote(str(whole))} --site {given.name}`.",
    )
    return 0


COMMANDS = (
    Command(
        name="site new",
        help=(
            "write a first site file from an export, with a comment wherever nothing could be "
            "guessed"
        ),
        example="y90 site new north --from export.csv --dictionary dictionary.csv",
        answer=_new,
        arguments=_arguments,
    ),
)

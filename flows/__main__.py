"""The command line: read the words after `y90`, run that command, and return its exit code.

0   done, or nothing to do        4   another run holds the store, and --no-wait was given
1   the answer is no, or failed   70  our bug: its traceback is shown
2   cannot: usage, unknown name   130 interrupted
3   built, but held
"""

import argparse
import os
import re
import sys
from difflib import get_close_matches
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from flows.commands.answers import (
    accounting,
    bounds,
    changes,
    consent,
    explore,
    history,
    pages,
    paper,
    release,
    sharing,
    show,
    sql,
)
from flows.commands.centres import check, delivery, entry, keys, redcap, site
from flows.commands.command import Command, Context, as_json
from flows.commands.nights import (
    backfill,
    certificate,
    doctor,
    migrate,
    operations,
    reproduce,
    run,
    serve,
    simulate,
)
from flows.commands.pool import pooling
from schemas.errors import OUR_FAULT, Refused, Y90Error, places

COMMANDS: tuple[Command, ...] = (
    *simulate.COMMANDS,
    *run.COMMANDS,
    *backfill.COMMANDS,
    *serve.COMMANDS,
    *operations.COMMANDS,
    *doctor.COMMANDS,
    *certificate.COMMANDS,
    *migrate.COMMANDS,
    *check.COMMANDS,
    *delivery.COMMANDS,
    *site.COMMANDS,
    *redcap.COMMANDS,
    *entry.COMMANDS,
    *keys.COMMANDS,
    *release.COMMANDS,
    *consent.COMMANDS,
    *sql.COMMANDS,
    *show.COMMANDS,
    *pages.COMMANDS,
    *paper.COMMANDS,
    *explore.COMMANDS,
    *changes.COMMANDS,
    *reproduce.COMMANDS,
    *accounting.COMMANDS,
    *bounds.COMMANDS,
    *history.COMMANDS,
    *sharing.COMMANDS,
    *pooling.COMMANDS,
)
GROUPS = {
    "release": "releases: what was published",
    "delivery": "deliveries: what centres sent",
    "key": "the key of the registry's pseudonyms",
    "pool": "several registries, no shared patients",
    "redcap": "REDCap exports",
    "site": "a centre's site file",
    "numbers": "the numbers that a manuscript takes from releases",
}
INTERRUPTED = 130
ENVIRONMENT = {ENOSPC, EDQUOT, EROFS, EACCES, EPERM}
"""Faults of the machine, not ours: no room, no permission."""


class Parser(argparse.ArgumentParser):
    """Help that ends with an example, and usage errors of our own family."""

    def __init__(self, *, example: str = "", **options: Any) -> None:
        super().__init__(
            **options,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog=f"example:\n  {example}",
        )

    def error(self, message: str) -> NoReturn:
        """Refuse, naming the help that helps."""
        raise Refused(f"{self.prog}: {_nearest(message)} See `{self.prog} --help`.")


class Version(argparse.Action):
    """Print the version; read only where it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        """Print it and leave."""
        from importlib.metadata import version

        print(f"y90-outcomes {version('y90-outcomes')}")
        parser.exit()


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def main(words: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = sys.argv[1:] if words is None else words
    try:
        return _run(given)
    except Y90Error as error:
        return _fail(error, error.exit_code, as_facts="--json" in given)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as fault:
        if fault.errno not in ENVIRONMENT:
            return _our_fault(fault, as_facts="--json" in given)
        told = f"{fault.filename or 'disk'}: {fault.strerror}. Make room or correct permissions."
        return _fail(Y90Error(told), Y90Error.exit_code, as_facts="--json" in given)
    except Exception as fault:
        return _our_fault(fault, as_facts="--json" in given)


def parser() -> Parser:
    """All commands with their arguments; every help ends with an example."""
    shared = _shared()
    root = Parser(
        prog="y90",
        description="Registry exports of 90Y radioembolization in, published releases out.",
        example="y90 run --config simulation/memon2012/registry.toml --as-of 2011-03-31",
        parents=[shared],
    )
    root.add_argument("--version", action=Version, nargs=0, help="print the version")
    top = root.add_subparsers(metavar="COMMAND", required=True, title="commands")
    groups: dict[str, Commands] = {}
    for command in COMMANDS:
        *group, name = command.name.split()
        if group and group[0] not in groups:
            groups[group[0]] = _group(top, group[0], command.example)
        made = (groups[group[0]] if group else top).add_parser(
            name,
            help=command.help,
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            example=command.example,
            parents=[shared],
        )
        if command.arguments:
            command.arguments(made)
        made.set_defaults(command=command)
    return root


def _run(words: list[str]) -> int:
    from flows.telling import progress

    defaults = argparse.Namespace(json=False, quiet=False, store=None, config=None)
    arguments = parser().parse_args(words, defaults)
    progress.on_terminal(quiet=arguments.quiet)
    command: Command = arguments.command
    context = Context(arguments)
    try:
        code = command.answer(context)
    except Exception as fault:
        context.refuse_older(fault)
        raise
    sys.stdout.flush()
    return code


def _shared() -> Parser:
    """Options of every command, before it or after it."""
    shared = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    options = shared.add_argument_group("options of every command")
    options.add_argument("--json", action="store_true", help="answers and errors as JSON")
    options.add_argument("--quiet", action="store_true", help="print only the answer and errors")
    options.add_argument("--store", type=Path, metavar="DIR", help="default: Y90_STORE or ./store")
    options.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="default: Y90_CONFIG, ./registry.toml, or the last run's",
    )
    return shared


def _group(top: Commands, name: str, example: str) -> Commands:
    about = GROUPS[name]
    made = top.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}.", example=example
    )
    return made.add_subparsers(metavar="COMMAND", required=True, title="commands")


def _nearest(message: str) -> str:
    """A usage message with the nearest of the words that are known."""
    found = re.search(r"invalid choice: '?(.*?)'? \(choose from (.*)\)", message)
    if not found:
        return f"{message.rstrip('.')}."
    known = [word.strip(" '") for word in found[2].split(",")]
    near = get_close_matches(found[1], known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"Choose from {', '.join(known)}."
    return f"{found[1]!r} is unknown. {hint}"


def _fail(error: Exception, code: int, *, as_facts: bool) -> int:
    message = str(error)
    if as_facts:
        kind = type(error).__name__
        facts = {"kind": kind, "message": message, "exit_code": code}
        sys.stdout.write(as_json({"error": facts}))
    else:
        sys.stderr.write(message + "\n")
    return code


def _our_fault(fault: Exception, *, as_facts: bool) -> int:
    sys.stderr.write("Traceback, without the words, which could hold a patient's value:\n")
    sys.stderr.write("".join(f"  {line}\n" for line in places(fault)))
    if as_facts:
        kind = type(fault).__name__
        facts = {"kind": kind, "message": "a bug of y90", "exit_code": OUR_FAULT}
        sys.stdout.write(as_json({"error": facts}))
    return OUR_FAULT


if __name__ == "__main__":
    sys.exit(main())

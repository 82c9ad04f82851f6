"""The command reference: the help of every command, as the program prints it."""

import argparse
import os
from collections.abc import Iterator

from flows.__main__ import parser


def pages() -> dict[str, str]:
    """Path below docs/ -> text, as on a terminal of 90 columns."""
    os.environ["COLUMNS"] = "90"
    parts = ["# Commands", "What `y90 COMMAND --help` prints."]
    for name, command in _commands(parser(), "y90"):
        parts += [f"## {name}", "```\n" + command.format_help().strip() + "\n```"]
    return {"commands.md": "\n\n".join(parts) + "\n"}


def _commands(
    command: argparse.ArgumentParser, name: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield name, command
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, child in action.choices.items():
                yield from _commands(child, f"{name} {word}")

"""The declaration of a command: its words, arguments, example and the function that answers.

A command answers through its context, which opens store and registry only when they are asked for.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from schemas.errors import Refused

if TYPE_CHECKING:
    from schemas.settings import Registry
    from warehouse.store import Store

OF_ANOTHER_SHAPE = {"BinderException", "CatalogException", "IOException", "FileNotFoundError"}
"""What is raised where a table or a column is missing."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command, for instance `release list`."""

    name: str
    help: str
    example: str
    answer: Callable[["Context"], int]
    arguments: Callable[[argparse.ArgumentParser], None] | None = None


class Context:
    """What a command is given: its arguments, where to look, and how to answer."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.json: bool = arguments.json
        self.quiet: bool = arguments.quiet
        self.opened: list[Path] = []

    @cached_property
    def config(self) -> Path:
        """The registry's file; Refused if there is none."""
        from flows.settings import config_path

        return config_path(self.arguments.config, self.arguments.store)

    @cached_property
    def registry(self) -> "Registry":
        """The registry, read and checked."""
        from flows.settings import load_registry

        return load_registry(self.config)

    def release(self, name: str | None) -> Path:
        """The folder of a release to be read.

        Raises:
            Refused: there is none of that name, or its tables are damaged.
        """
        from warehouse.releases import integrity as intact
        from warehouse.releases import releases

        self.opened.append(intact.opened(releases.resolve(self.store, name)))
        return self.opened[-1]

    def refuse_older(self, fault: Exception) -> None:
        """Say of a fault of the engine that a release made by other code lacks what is read.

        Raises:
            Refused: a release that was opened lacks tables or columns of today.
        """
        if type(fault).__name__ not in OF_ANOTHER_SHAPE:
            return
        from warehouse.releases import older

        for release in self.opened:
            if lacks := older.lacking(release):
                raise Refused(older.told(release, lacks)) from None

    def registry_of(self, release: Path) -> "Registry":
        """The registry; where no file of it is named, as the release tells it.

        Raises:
            Refused: there is no file, and the release is of a clinical site.
        """
        from flows.settings import config_path

        if self.arguments.config is None:
            try:
                config_path(None, self.arguments.store)
            except Refused:
                from warehouse.loading import row_index as rows
                from warehouse.releases import releases

                return rows.registry_of(releases.manifest(release)["content"])
        return self.registry

    def key_of(self, release: Path) -> bytes:
        """The key of the registry that a release is of."""
        from flows.settings import registry_key

        return registry_key(self.registry_of(release))

    @cached_property
    def key(self) -> bytes:
        """The registry's key."""
        from flows.settings import registry_key

        return registry_key(self.registry)

    @cached_property
    def store_path(self) -> Path:
        """Where the store is; the registry's file has a say only if nothing else has."""
        from flows.settings import config_path, store_named, store_path

        named = store_named(self.arguments.store)
        if named:
            return named
        if self.arguments.config is None:
            try:
                config_path(None)  # a store that remembers is the one in ./store
            except Refused:
                return store_path(None)
        return store_path(self.registry)

    @cached_property
    def new_store(self) -> "Store":
        """The store, laid out if it is new."""
        from warehouse.store import Store

        return Store.open(self.store_path)

    @cached_property
    def store(self) -> "Store":
        """The store, which must exist.

        Raises:
            Refused: there is none.
        """
        if not self.store_path.is_dir():
            raise Refused(
                f"{self.store_path}: there is no store. Name one with --store or Y90_STORE, or "
                "make one with `y90 run`."
            )
        return self.new_store

    def say(self, text: str) -> None:
        """Tell a person how it went; scripts (--json) and the quiet are spared."""
        if not (self.quiet or self.json):
            sys.stdout.write(text.rstrip("\n") + "\n")

    def warn(self, text: str) -> None:
        """Tell a person what to look at, beside the answer."""
        if not (self.quiet or self.json):
            sys.stderr.write(text.rstrip("\n") + "\n")

    def note_purged(self, release: Path) -> None:
        """Say beside an answer that somebody was taken out of the release since."""
        from warehouse.releases import expunge

        if told := expunge.note(expunge.purged_subjects(release)):
            self.warn(f"note: release {release.name}: {told}")

    def give(self, facts: Any, text: str) -> None:
        """Give what was asked for: as JSON, or as text."""
        sys.stdout.write(as_json(facts) if self.json else text.rstrip("\n") + "\n")

    def report(self, facts: Any, text: str) -> None:
        """Tell how a piece of work went: as JSON, or as text unless quiet."""
        if self.json:
            sys.stdout.write(as_json(facts))
        else:
            self.say(text)


def as_json(facts: Any) -> str:
    """Facts as JSON, dates and paths as text."""
    return json.dumps(facts, indent=1, ensure_ascii=False, default=str) + "\n"


def table(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """Rows as aligned text; the first line names the columns."""
    cells = [names, *(tuple("" if v is None else str(v) for v in row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def pairs(facts: Mapping[str, Any]) -> str:
    """Names and values, one pair a line."""
    width = max(map(len, facts))
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in facts.items())


def a_date(text: str) -> date:
    """An argument YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        _wrong(f"{text!r} is not a date. Write YYYY-MM-DD.")


def _wrong(message: str) -> NoReturn:
    raise argparse.ArgumentTypeError(message)

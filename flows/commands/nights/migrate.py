"""The command y90 migrate: bring a store of an older layout to this one, and back."""

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flows.commands.command import Command, Context, pairs, table
from schemas.errors import Refused

if TYPE_CHECKING:
    from warehouse.upgrading.migration import MigrationPlan

SHOWN = 3


def _arguments(parser: argparse.ArgumentParser) -> None:
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        "--plan",
        action="store_true",
        help="list each step, what it touches, the disk it needs, and what stays; change nothing",
    )
    chosen.add_argument(
        "--apply", action="store_true", help="migrate; one that was killed is finished"
    )
    chosen.add_argument(
        "--rollback",
        action="store_true",
        help="give the store its bytes of before back, until the next night runs",
    )


def _answer(context: Context) -> int:
    given = context.arguments
    if given.plan:
        return _plan(context)
    return _apply(context) if given.apply else _rollback(context)


def _plan(context: Context) -> int:
    from warehouse.store import Store
    from warehouse.upgrading import migration

    found = migration.plan(Store(context.store_path), _group(context))
    context.give(asdict(found), _plan_text(found))
    return 0


def _plan_text(found: "MigrationPlan") -> str:
    if not found.steps and not found.interrupted:
        return f"The store has layout {found.found}, today's: there is nothing to do."
    rows = [
        (s.change, s.name, len(s.touches), s.bytes_needed, _some(s.touches)) for s in found.steps
    ]
    told = {
        "layout": f"{found.found}, to become {found.wanted}",
        "disk": f"{found.bytes_needed} bytes needed, {found.bytes_free} free",
    }
    lines = [
        *(["A migration was interrupted: --apply finishes it, --rollback takes it back.", ""]
          if found.interrupted else []),
        pairs(told), "",
        table(("change", "step", "paths", "bytes", "touches"), rows), "",
        *(f"{s.name}: {s.meaning}" for s in found.steps), "",
        "Stays as it is:", *(f"  {line}" for line in found.stays), "",
        "Releases:", *(f"  {line}" for line in found.releases or ("none",)), "",
        "`y90 migrate --apply` does it; `y90 migrate --rollback` takes it back until the next "
        "night runs.",
    ]  # fmt: skip
    return "\n".join(lines)


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more


def _apply(context: Context) -> int:
    from warehouse.store import LAYOUT_VERSION, Store
    from warehouse.upgrading import migration

    done = migration.apply(Store(context.store_path), datetime.now(UTC), _group(context))
    told = (
        f"Migrated {', '.join(done)}: the store has layout {LAYOUT_VERSION}. "
        "`y90 migrate --rollback` takes it back until the next night runs."
        if done
        else f"The store has layout {LAYOUT_VERSION}, today's: there is nothing to do."
    )
    context.report({"done": done, "layout": LAYOUT_VERSION}, told)
    return 0


def _rollback(context: Context) -> int:
    from warehouse.store import Store
    from warehouse.upgrading import migration

    store = Store(context.store_path)
    done = migration.rollback(store)
    version = store.layout_version()
    told = f"Taken back {', '.join(done)}: the store has its bytes of before, and layout {version}."
    if not done:
        told = f"No migration had changed anything: the store has layout {version}."
    context.report({"taken_back": done, "layout": version}, told)
    return 0


def _group(context: Context) -> int | None:
    """The number of the analysts' group; groups stay where no registry file is found."""
    from warehouse.access import number_of_group

    if context.arguments.config is None:
        try:
            context.config  # noqa: B018 a migration needs no registry, and takes one that is there
        except Refused:
            return None
    group = context.registry.file.store.group
    return number_of_group(group) if group else None


COMMANDS = (
    Command(
        name="migrate",
        help="bring a store that an older version made to the layout of this one, and back",
        example="y90 migrate --plan --store /srv/y90/store",
        answer=_answer,
        arguments=_arguments,
    ),
)

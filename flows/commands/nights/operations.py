"""y90 status, y90 digest, y90 release prune: what the person on duty asks."""

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.command import Command, Context, pairs

if TYPE_CHECKING:
    from flows.telling.status import Status

LONGEST = 300
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _status_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-age",
        type=_age,
        metavar="AGE",
        help=(
            "exit 1 if `current` was last confirmed longer ago than this, for instance 26h or 2d"
        ),
    )
    parser.add_argument(
        "--monitor",
        action="store_true",
        help="exit 1 for a degraded site too, unless `monitor_degraded` is false",
    )


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no age. Write it like 26h, 90m or 2d.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _status(context: Context) -> int:
    from flows.telling import status

    found = status.status(context.store, context.registry, datetime.now(UTC))
    wrong = bool(
        status.stale(found, context.arguments.max_age)
        or found.held
        or found.failed_nights
        or (context.arguments.monitor and context.registry.file.monitor_degraded and found.degraded)
    )
    context.give(found.facts() | {"ok": not wrong}, _status_text(found))
    return 1 if wrong else 0


def _status_text(found: "Status") -> str:
    age = "" if found.age_hours is None else f", {_ago(found.age_hours)} ago"
    late = ", ".join(f"{s} (expected {d})" for s, d in found.late_sites.items())
    shown = {
        "current": found.current or "nothing is published",
        "as-of": found.as_of or "-",
        "last found true at": f"{found.fresh_as_of or '-'}{age}",
        "held": ", ".join(found.held) or "none",
        "failed nights": ", ".join(found.failed_nights) or "none",
        "missed nights": _some(found.missed_nights),
        "sites late": late or "none",
        "sites degraded": ", ".join(found.degraded) or "none",
        "deliveries held": ", ".join(found.held_deliveries) or "none",
        "late deliveries for": _some(found.restatements_due),
    }
    told = [f"{site}: {why}" for site, why in found.degraded.items()]
    told += [f"{site}: {_short(line)}" for site, lines in found.unused.items() for line in lines]
    hints = [*told]
    if found.held:
        hints.append("`y90 release approve ID --reason TEXT` publishes a held release.")
    if found.missed_nights or found.restatements_due or found.failed_nights:
        hints.append("`y90 backfill --dry-run` plans nights that are missing, late or failed.")
    return "\n".join([pairs(shown), *([""] if hints else []), *hints])


def _ago(hours: float) -> str:
    """Hours up to two days, then days, then more than two years: as one would say it."""
    if hours < 48:
        return f"{hours:.0f} hours"
    days = hours / 24
    return f"{days:.0f} days" if days < 730 else "more than two years"


def _short(line: str) -> str:
    """A line that stays readable: the whole of it stands in the receipt."""
    return line if len(line) <= LONGEST else f"{line[:LONGEST].rpartition(',')[0]} ..."


def _some(nights: list[str]) -> str:
    """A list of nights that stays on a line."""
    if len(nights) <= 6:
        return ", ".join(nights) or "none"
    return f"{len(nights)} nights, {nights[0]} to {nights[-1]}"


def _digest_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hours",
        type=int,
        default=24,
        metavar="N",
        help="list the releases of so many hours (default: 24)",
    )


def _digest(context: Context) -> int:
    from flows.telling import digest, status

    now = datetime.now(UTC)
    since = now - timedelta(hours=max(context.arguments.hours, 0))
    found = status.status(context.store, context.registry, now)
    moved = digest.moved(context.store, since)
    facts = {"since": since.isoformat(timespec="seconds"), "releases": moved}
    text = digest.evening(moved, context.arguments.hours)
    context.give(facts | {"status": found.facts()}, f"{text}\n\n{_status_text(found)}")
    return 0


def _prune_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keep-nights",
        type=_nights,
        required=True,
        metavar="N",
        help="the number of newest nights to keep",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="list what would be removed; remove nothing"
    )
    parser.add_argument(
        "--lock",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a numbers.lock whose releases are kept; may be given again",
    )


def _nights(text: str) -> int:
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of nights from 1 on.")


def _prune(context: Context) -> int:
    from warehouse.releases import decisions, retention

    given = context.arguments
    cites = retention.cited(given.lock)
    if given.dry_run:
        going = [r.release_id for r in retention.prunable(context.store, given.keep_nights, cites)]
    else:
        now = datetime.now(UTC)
        going = retention.prune(context.store, given.keep_nights, cites, now, decisions.user())
    done = "would go" if given.dry_run else "pruned"
    listed = "\n".join(going)
    context.report(
        {"dry_run": given.dry_run, "releases": going}, f"{listed}\n{len(going)} {done}.".strip()
    )
    sys.stdout.flush()
    return 0


COMMANDS = (
    Command(
        name="status",
        help=(
            "show the state of the registry: age, holds, failures, missed nights, late sites; "
            "exits 1 if a person has to look"
        ),
        example="y90 status --max-age 26h --config simulation/memon2012/registry.toml",
        answer=_status,
        arguments=_status_arguments,
    ),
    Command(
        name="digest",
        help="summarise recent releases and the state of the registry, to be sent by e-mail",
        example="y90 digest --hours 24 --config simulation/memon2012/registry.toml",
        answer=_digest,
        arguments=_digest_arguments,
    ),
    Command(
        name="release prune",
        help=("remove old releases, but never one that a channel, a label or a numbers.lock names"),
        example="y90 release prune --keep-nights 365 --dry-run",
        answer=_prune,
        arguments=_prune_arguments,
    ),
)

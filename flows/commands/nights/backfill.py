"""y90 backfill: the nights of a range, made again or for the first time."""

import argparse
from typing import TYPE_CHECKING, Any

from flows import schedule
from flows.commands.command import Command, Context, a_date, table
from schemas.errors import Refused

NO_DELIVERY = "no delivery"
"""The reason of a night before the first delivery."""

if TYPE_CHECKING:
    from flows.backfill import Ask, Place
    from flows.backfill_plan import Night


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from-date", type=a_date, metavar="DATE", help="first night, inclusive")
    parser.add_argument("--to-date", type=a_date, metavar="DATE", help="last night, inclusive")
    parser.add_argument(
        "--reprocess",
        choices=("none", "failed", "completed"),
        default="none",
        help="besides nights that are missing or have new inputs: none, those that failed, or also "
        "those completed with other settings or code (default: none)",
    )
    parser.add_argument("--dry-run", action="store_true", help="list the plan; write nothing")
    parser.add_argument(
        "--max-active-runs",
        type=_count,
        default=1,
        metavar="N",
        help="nights built at the same time (default: 1)",
    )
    parser.add_argument(
        "--publish",
        choices=("none", "each", "last"),
        default="each",
        help=(
            "when `current` moves: never, after each night, or once at the end; it never "
            "moves backwards (default: each)"
        ),
    )
    parser.add_argument(
        "--reason", metavar="TEXT", help="the reason, required; it is kept with every release"
    )
    parser.add_argument(
        "--continue", dest="go_on", action="store_true", help="go on after a hold or a failure"
    )
    parser.add_argument("--resume", metavar="ID", help="go on with a backfill that was stopped")


def _count(text: str) -> int:
    if text.isdigit() and 1 <= int(text) <= 64:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 64.")


def _answer(context: Context) -> int:
    from flows import backfill

    given = context.arguments
    if given.resume:
        _alone(given)
        place = backfill.Place(context.store, context.registry, context.key)
        return _told(context, backfill.resume(place, given.resume))
    ask = _ask(given)
    place = backfill.Place(context.store, context.registry, context.key)
    if given.dry_run:
        return _dry(context, place, ask)
    return _told(context, backfill.begin(place, ask, schedule.today(context.registry)))


def _alone(given: argparse.Namespace) -> None:
    if given.from_date or given.to_date or given.dry_run or given.reason:
        raise Refused(
            "--resume: the backfill keeps its range and reason. Leave the other options out."
        )


def _ask(given: argparse.Namespace) -> "Ask":
    from flows.backfill import Ask

    needed = ("from_date", "to_date") if given.dry_run else ("from_date", "to_date", "reason")
    missing = [n for n in needed if not getattr(given, n)]
    if missing:
        named = ", ".join(f"--{n.replace('_', '-')}" for n in missing)
        raise Refused(f"y90 backfill: {named} missing. See `y90 backfill --help`.")
    return Ask(
        given.from_date,
        given.to_date,
        given.reason or "",
        given.reprocess,
        given.publish,
        given.max_active_runs,
        given.go_on,
    )


def _dry(context: Context, place: "Place", ask: "Ask") -> int:
    from flows import backfill, backfill_plan

    today = schedule.today(context.registry)
    backfill_plan.check(place.store, ask.first, ask.last, today)
    nights = backfill.planned(place, ask)
    moving = backfill_plan.tables(context.registry, nights)
    facts = {"dry_run": True, "nights": [n.facts() for n in nights], "may_move": moving}
    context.give(facts, "\n".join(_plan_text(nights, moving)))
    return 0


def _plan_text(nights: "list[Night]", moving: list[str]) -> list[str]:
    after = [n for n in nights if n.reason != NO_DELIVERY]
    rows = [
        (n.night, n.reason, "make" if n.wanted else "leave", " ".join(n.changed)) for n in after
    ]
    told = [table(("night", "reason", "plan", "changed since the release before"), rows), ""]
    count = sum(n.wanted for n in nights)
    told += _before(len(nights) - len(after))
    told.append(f"{count} of {len(nights)} nights to make; nothing was written.")
    return [*told, f"Tables that may move: {', '.join(moving)}."] if moving else told


def _before(count: int) -> list[str]:
    """A line for nights of which nothing more is to be told."""
    nights = "night lies" if count == 1 else "nights lie"
    return [f"{count} {nights} before the first delivery."] if count else []


def _told(context: Context, state: dict[str, Any]) -> int:
    from flows.backfill import exit_code

    rows = [
        (n["night"], n["reason"], n["status"], n.get("release_id", n.get("why", "")))
        for n in state["nights"]
        if n["reason"] != NO_DELIVERY
    ]
    text = [f"Backfill {state['backfill_id']}: {state['state']}.", ""]
    text.append(table(("night", "reason", "status", "release"), rows))
    text += _before(len(state["nights"]) - len(rows))
    if state["state"] != "done":
        text.append(f"\nGo on with `y90 backfill --resume {state['backfill_id']}`.")
    context.report(state, "\n".join(text))
    return exit_code(state)


COMMANDS = (
    Command(
        name="backfill",
        help="make the nights of a range, or make them again; plan first with --dry-run",
        example="y90 backfill --from-date 2011-03-28 --to-date 2011-03-31 --dry-run "
        '--reason "a late delivery"',
        answer=_answer,
        arguments=_arguments,
    ),
)

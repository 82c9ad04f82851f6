"""y90 diff, and the decisions on releases: what changed, and who says that it may be published."""

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from flows.commands.command import Command, Context
from schemas.errors import Refused

if TYPE_CHECKING:
    from schemas.tables.changes import Changes

Decision = Literal["approve", "withdraw", "promote"]


def _diff_arguments(parser: argparse.ArgumentParser) -> None:
    named = "id, channel, stable label or night"
    parser.add_argument("left", metavar="LEFT", help=f"the earlier release: {named}")
    parser.add_argument("right", metavar="RIGHT", help=f"the later release: {named}")
    parser.add_argument(
        "--format",
        choices=("table", "json", "html"),
        help="the form of the answer (default: table, or json with --json)",
    )
    parser.add_argument(
        "--tolerance",
        action="append",
        default=[],
        metavar="COL=X",
        help="a column, or table.column, whose values may differ by X; may be given again",
    )
    parser.add_argument(
        "--rows", type=int, default=1000, metavar="N", help="rows listed per table (default: 1000)"
    )


def _diff(context: Context) -> int:
    from warehouse.releases import changes

    given = context.arguments
    left, right = (context.release(n) for n in (given.left, given.right))
    tolerances = dict(map(_tolerance, given.tolerance))
    found = changes.diff(left, right, tolerances, limit=max(given.rows, 0))
    sys.stdout.write(_shown(found, given.format or ("json" if context.json else "table")))
    return 0 if found.equal else 1


def _tolerance(text: str) -> tuple[str, float]:
    column, _, value = text.partition("=")
    try:
        tolerance = float(value)
    except ValueError:
        tolerance = -1.0
    if not column or not tolerance >= 0:
        raise Refused(
            f"--tolerance {text}: not a column and a number from 0 on. Write it like "
            "--tolerance median_months=0.1."
        )
    return column, tolerance


def _shown(found: "Changes", form: str) -> str:
    from warehouse.releases import change_pages as pages

    if form == "json":
        return found.model_dump_json(indent=1) + "\n"
    return pages.changes_page(found) if form == "html" else pages.markdown(found)


def _decision_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="ID", help="id, channel, stable label or night")
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="the reason; it is kept with the release"
    )


def _decide(context: Context, decision: Decision) -> int:
    from warehouse.releases import decisions, releases

    take = {
        "approve": decisions.approve,
        "withdraw": decisions.withdraw,
        "promote": decisions.promote,
    }[decision]
    given = context.arguments
    made = take(context.store, given.release, given.reason, datetime.now(UTC), decisions.user())
    channels = {n: releases.channel(context.store, n) for n in releases.CHANNELS}
    named = {n: p["release_id"] if p else None for n, p in channels.items()}
    context.report(made | {"channels": named}, _told(made, named))
    return 0


def _told(made: dict[str, Any], named: dict[str, str | None]) -> str:
    done = {"approve": "approved", "withdraw": "withdrawn", "promote": "promoted"}
    label = f" as {made['label']}" if made.get("label") else ""
    now = ", ".join(f"{n}: {release or 'nothing'}" for n, release in named.items())
    return f"{made['release_id']} {done[made['decision']]}{label}. Channels: {now}."


COMMANDS = (
    Command(
        name="diff",
        help=(
            "compare two releases; exits 0 if they are equal, 1 if they differ, 2 if they "
            "cannot be compared"
        ),
        example="y90 diff 2011.03.30 current --tolerance median_months=0.1",
        answer=_diff,
        arguments=_diff_arguments,
    ),
    Command(
        name="release approve",
        help="publish a held release, or a withdrawn one again",
        example='y90 release approve 2011.03.31 --reason "the site confirmed its deletions"',
        answer=lambda context: _decide(context, "approve"),
        arguments=_decision_arguments,
    ),
    Command(
        name="release withdraw",
        help=(
            "take a release back: its channels go back to the release before, and its content "
            "is not published again"
        ),
        example='y90 release withdraw 2011.03.31 --reason "bilirubin in the wrong unit"',
        answer=lambda context: _decide(context, "withdraw"),
        arguments=_decision_arguments,
    ),
    Command(
        name="release promote",
        help="make `stable` point at a published release, under a label vYYYY.M.p",
        example='y90 release promote 2011.03.31 --reason "tables of the annual report"',
        answer=lambda context: _decide(context, "promote"),
        arguments=_decision_arguments,
    ),
)

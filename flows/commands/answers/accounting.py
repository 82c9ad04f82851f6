"""The commands that account for a number: y90 verify, y90 trace and y90 explain."""

import argparse
from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flows.commands.command import Command, Context, pairs, table
from schemas.errors import Refused

if TYPE_CHECKING:
    from warehouse.account.cells import CellChanges
    from warehouse.account.explain import Explanation
    from warehouse.account.trace import RowTrace, StatisticTrace

NAMED = "id, channel, stable label or night"


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", nargs="?", metavar="ID", help=f"{NAMED} (default: current)")
    parser.add_argument(
        "--files-only", action="store_true", help="check hashes and chain only; build nothing"
    )


def _verify(context: Context) -> int:
    from flows.telling import progress
    from warehouse.account import verify

    given = context.arguments
    path = verify.named(context.store, given.release)
    with progress.doing("verify"):
        found = verify.verify(
            context.store,
            context.registry_of(path),
            context.key_of(path),
            given.release,
            rebuild=not given.files_only,
        )
    built = "built again with equal content" if found.rebuilt else "not built again"
    whole = f"{found.files} files whole"
    if found.purged:
        whole += f" except for {found.purged} purged files, which are as the purge left them"
        built = "not built again: a patient who withdrew consent was purged"
    lines = [f"  {d}" for d in found.damaged]
    lines += [f"  {d}: built again, its content differs" for d in found.different]
    head = f"release {found.release_id}: "
    head += f"{whole}, {built}." if found.passed else "not what it says it is."
    context.give({**asdict(found), "passed": found.passed}, "\n".join([head, *lines]))
    return 0 if found.passed else 1


def _trace_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("statistic", nargs="?", metavar="STATISTIC", help="a statistic_id")
    parser.add_argument("--release", metavar="ID", help=f"{NAMED} (default: current)")
    parser.add_argument("--site", metavar="S", help="instead of a statistic: a delivered line of S")
    parser.add_argument("--file", metavar="F", help="the file inside the delivery")
    parser.add_argument("--row", type=int, metavar="N", help="its row, from 1 after the header")


def _trace(context: Context) -> int:
    from warehouse.account import trace

    given = context.arguments
    line = (given.site, given.file, given.row)
    beside = any(part is not None for part in line)
    if beside if given.statistic else None in line:
        raise Refused("y90 trace: name a statistic, or --site, --file and --row of a line.")
    release = context.release(given.release)
    where = (context.store, context.registry_of(release), context.key_of(release))
    if given.statistic:
        found = trace.of_statistic(*where, release, given.statistic)
        context.give(asdict(found), statistic_text(found))
    else:
        touched = trace.of_line(*where, release, *line)
        context.give(asdict(touched), _line_text(touched))
    return 0


def statistic_text(found: "StatisticTrace") -> str:
    """A statistic, its members, what decided for each and where it was delivered, for people."""
    s = found.statistic
    rows = [
        (m.subject_id, m.lesion_number or "", d.mart, _words(d.told), "; ".join(map(str, d.lines)))
        for m in found.members
        for d in m.decisions
    ]
    counted = sum(m.counted for m in found.members)
    head = f"{s['statistic_id']}\n{s['label']}: {s['value']} {s['unit']} ({s['method']})\n"
    whom = f"{counted} counted" if counted else f"{len(found.members)} in its population"
    names = ("subject", "lesion", "mart", "decided", "delivered in")
    return f"{head}{whom}\n\n{table(names, rows)}"


def _words(told: dict[str, Any]) -> str:
    return ", ".join(f"{n} {v}" for n, v in told.items())


def _line_text(found: "RowTrace") -> str:
    from schemas.statistic_ids import table_of  # slow to import

    made = [(m.table, m.row_id, m.subject_id, m.rule_id or "accepted") for m in found.made]
    decides = [(mart, _words(key)) for mart, key in found.decides]
    by_table: dict[str, int] = {}
    for name in found.statistics:
        by_table[table_of(name)] = by_table.get(table_of(name), 0) + 1
    touch = [
        (m, n, "and of its whole site" * (m in found.site_wide)) for m, n in found.marts.items()
    ]
    parts = [
        table(("made from it", "row_id", "subject", "judged"), made),
        table(("named by", "key"), decides) if decides else "No mart row names it.",
        table(("can touch", "rows of its subject", ""), touch),
        table(("can move", "statistics"), list(by_table.items())),
    ]
    return "\n\n".join(parts)


def _explain_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("statistic", metavar="STATISTIC", help="a statistic_id")
    parser.add_argument("left", metavar="LEFT", help=f"the earlier release: {NAMED}")
    parser.add_argument("right", metavar="RIGHT", help=f"the later release: {NAMED}")


def _explain(context: Context) -> int:
    from flows.telling import progress
    from warehouse.account import explain

    given = context.arguments
    left, right = (context.release(n) for n in (given.left, given.right))
    with progress.doing("explain"):
        found = explain.explain(
            context.store,
            context.registry_of(right),
            context.key_of(right),
            given.statistic,
            left,
            right,
        )
    context.give(as_facts(found), explanation_text(found))
    return 0


def as_facts(found: "Explanation") -> dict[str, Any]:
    """An explanation as plain facts, exact shares as decimals."""
    return dict(_plain(asdict(found))) | {"change": _plain(found.change)}


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def explanation_text(found: "Explanation") -> str:
    """An explanation for people."""
    s = found.statistic
    told = {
        "statistic": s["statistic_id"],
        "in words": s["label"],
        found.left: _number(found.old, s["unit"]),
        found.right: _number(found.new, s["unit"]),
        "change": _signed(found.change),
    }
    shares = [(x.cause, _signed(x.contribution)) for x in (*found.causes, *found.rest)]
    parts = [pairs(told)]
    parts += [table(("cause", "share"), shares)] if shares else []
    parts += [f"Not split: {found.note}."] if found.note else []
    parts += [_patients_text(found)] if found.data else []
    return "\n\n".join(parts)


def _patients_text(found: "Explanation") -> str:
    data = found.data
    if data is None:
        return ""
    rows: list[tuple[Any, ...]] = []
    for p in data.patients:
        cells = [_cell(c) for c in p.cells] or ["no row of this patient differs"]
        rows += [(p.subject_id, _signed(p.contribution), cells[0])]
        rows += [("", "", cell) for cell in cells[1:]]
    rows += [("remainder", _signed(data.remainder), "")] if data.remainder else []
    head = f"Of the deliveries, {_signed(data.change)} over patients ({data.method}):"
    more = [f"{data.n_without_effect} more patients changed without effect."]
    more += [f"{data.n_left_out} more were not tried one by one."] if data.n_left_out else []
    return "\n".join([head, table(("subject", "share", "cells"), rows), *more])


def _cell(c: "CellChanges") -> str:
    names = ", ".join(c.cells or c.columns)
    places = " -> ".join(f"{p[0]} row {p[1]}" for p in (c.left, c.right) if p)
    rule = f" by {c.rule}" if c.rule else ""
    return f"{c.table} {c.kind}{rule}: {names + ', ' if names else ''}{c.site_id} {places}"


def _number(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{value:.6g} {unit}"


def _signed(value: Fraction | None) -> str:
    return "none" if value is None else f"{float(value):+.6g}"


COMMANDS = (
    Command(
        name="verify",
        help="check a release's files and chain, build it again and compare its content",
        example="y90 verify current",
        answer=_verify,
        arguments=_verify_arguments,
    ),
    Command(
        name="trace",
        help=(
            "list the patients and delivered lines behind a statistic, or the statistics that "
            "a line can move"
        ),
        example="y90 trace response_summary.all.who.lesion.all.all.unconfirmed.pr",
        answer=_trace,
        arguments=_trace_arguments,
    ),
    Command(
        name="explain",
        help=(
            "explain why a statistic changed: its causes, then patients, then cells of the exports"
        ),
        example="y90 explain response_summary.all.who.lesion.all.all.unconfirmed.pr 2011.03.30 "
        "current",
        answer=_explain,
        arguments=_explain_arguments,
    ),
)

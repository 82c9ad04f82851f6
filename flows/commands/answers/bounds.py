"""The command y90 bounds: what a published number could be, were held rows otherwise."""

import argparse
from typing import Any

from flows.commands.command import Command, Context, pairs, table
from schemas.errors import Refused

METHODS = {
    "exact": "exact: both ends are reached in some world",
    "outer": "outer: no world passes them; the ends may not be reached",
    "searched": "searched: at least this far apart; no bound",
    "none": "none: no bound is known",
}
NAMES = ("statistic_id", "value", "lower", "upper", "excluded", "method", "held_rows", "patients")
LISTED = 20
"""Numbers that are listed where none is named."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("statistic", nargs="?", metavar="STATISTIC", help="a statistic_id")
    parser.add_argument("--release", metavar="ID", help="id, channel, label or night")
    parser.add_argument("--rule", metavar="R", help="list held rows of this rule alone")
    parser.add_argument("--site", metavar="S", help="list held rows of this site alone")


def _bounds(context: Context) -> int:
    from warehouse.releases.query import open_release

    given = context.arguments
    release = context.release(given.release)
    with open_release(release) as con:
        held = _records(con, "FROM quality.held ORDER BY ALL")
        listed = _matching(held, given)
        if given.statistic:
            row = _row(con, release, given.statistic)
            context.give({"bounds": row, "held": listed}, _of_one(row, listed, held))
            return 0
        widest = _records(
            con,
            "FROM outcomes.bounds WHERE held_rows > 0 AND statistic_id IN "
            "(SELECT widest FROM quality.held WHERE rule_id = coalesce($rule, rule_id) "
            f"AND site_id = coalesce($site, site_id)) ORDER BY statistic_id LIMIT {LISTED}",
            {"rule": given.rule, "site": given.site},
        )
    context.give({"held": listed, "widest": widest}, _of_all(listed, widest))
    return 0


def _matching(held: list[dict[str, Any]], given: argparse.Namespace) -> list[dict[str, Any]]:
    """Held rows of the rule and the site that were named.

    Raises:
        Refused: no held row is of that rule, or of that site.
    """
    for option, column in (("rule", "rule_id"), ("site", "site_id")):
        wanted = getattr(given, option)
        known = sorted({str(h[column]) for h in held})
        if wanted and wanted not in known:
            there = f"There are {', '.join(known)}." if known else "No row is held."
            raise Refused(f"--{option} {wanted}: no held row is of that {option}. {there}")
    return [
        h
        for h in held
        if h["rule_id"] == (given.rule or h["rule_id"])
        and h["site_id"] == (given.site or h["site_id"])
    ]


def _row(con: Any, release: Any, statistic: str) -> dict[str, Any]:
    from warehouse.account.trace import unknown_statistic

    query = "FROM outcomes.bounds WHERE statistic_id = $id"
    found = _records(con, query, {"id": statistic.lower()})
    if not found:
        from warehouse.engine.connections import connection

        with connection() as other:
            raise unknown_statistic(other, release, statistic)
    return found[0]


def _records(con: Any, query: str, given: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    answer = con.execute(query, given or {})
    names = [d[0] for d in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _of_one(row: dict[str, Any], listed: list[dict[str, Any]], held: list[dict[str, Any]]) -> str:
    if not row["held_rows"]:
        there = "Rows are held, and none of them can move it." if held else "No row is held."
        return f"{row['statistic_id']}: {_said(row['value'])}. {there}"
    facts = {
        "number": row["statistic_id"],
        "published": _said(row["value"]),
        "could be": f"{_said(row['lower'])} to {_said(row['upper'])}",
        "held rows out": _said(row["excluded"]),
        "method": METHODS[row["method"]],
        "held": f"{row['held_rows']} rows of {row['patients']} patients can move it",
    }
    if row["ci_lower"] is not None:
        facts["95 % CI in every world"] = f"{_said(row['ci_lower'])} to {_said(row['ci_upper'])}"
    if row["reason"]:
        facts["could be"] = f"not known: {row['reason']}"
    return f"{pairs(facts)}\n\n{_held_text(listed)}"


def _of_all(listed: list[dict[str, Any]], widest: list[dict[str, Any]]) -> str:
    if not listed:
        return "No row is held: every number is what it is."
    rows = [tuple(_said(row[n]) for n in NAMES) for row in widest]
    numbers = f"\n\nThe widest percentages:\n{table(NAMES, rows)}" if rows else ""
    return _held_text(listed) + numbers


def _held_text(listed: list[dict[str, Any]]) -> str:
    names = ("site_id", "table_name", "rule_id", "held_rows", "patients", "statistics")
    return table(names, [tuple(h[n] for n in names) for h in listed])


def _said(value: Any) -> str:
    if value is None:
        return "not reached"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


COMMANDS = (
    Command(
        name="bounds",
        help="show what a published number could be, were held rows otherwise",
        example="y90 bounds survival_medians.all.os.subject.overall.overall.midpoint",
        answer=_bounds,
        arguments=_arguments,
    ),
)

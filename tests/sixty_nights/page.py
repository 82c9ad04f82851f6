"""Write docs/history.md from what a run of the script gives."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby
from pathlib import Path

from tests.sixty_nights.replay import History, Night
from warehouse.account.cells import CellChanges
from warehouse.account.explain import Explanation
from warehouse.account.history import nights

PAGE = Path(__file__).resolve().parents[2] / "docs" / "history.md"
NAMED = 3
"""Lines and patients of one explanation that the page lists."""
FIGURES = (
    "response_summary.all.who.lesion.all.all.unconfirmed.orr",
    "survival_medians.all.os.subject.overall.overall.midpoint",
)
"""Numbers whose history stands on the page."""
HEAD = """# Sixty nights

Three invented centres deliver for sixty nights; one keeps a REDCap project, two plain tables in
different units. Besides the exports of their rhythm some are planted: corrections, a unit switch, a
halved file, a change of a rule, vanished records. What is planted stands in
`tests/sixty_nights/script.toml`, and this page was written by playing it:

    .venv/bin/python -m tests.sixty_nights

The long tests play it again and compare this page with what they get, byte for byte; `make test`
plays every kind of change once. They hold that no other night is held than those that must be, that
the shares of every explanation add up to the change and name the lines that differ between the two
exports as text and no others, and that every release, built again from its receipts, has the same
content.

"""
FIGURE = """`y90 history STATISTIC` says of every release what was published, what its deliveries
give by today's rules, and what today's deliveries give of the time up to its night. The differences
are what separates the published number from today's, and add up to it exactly: the rules, what was
reported late or corrected, and what happened since."""


def text(found: History) -> str:
    """The page."""
    rows = [_row(list(nights)) for _, nights in groupby(found.nights, key=_group)]
    names = ("night", "delivered", "planted", "the audit", "`current`")
    lines = [_line(names), _line(tuple("---" for _ in names)), *(_line(r) for r in rows)]
    told = [p for n in found.nights if n.explained for p in _explained(n, n.explained)]
    parts = [HEAD + "\n".join(lines), "## What `explain` names", *told, "## Releases"]
    parts += [_releases(found)]
    parts += ["## The history of a figure", FIGURE] if found.figures else []
    return "\n\n".join([*parts, *(_figure(f) for f in found.figures)]) + "\n"


def _figure(found: nights.History) -> str:
    """One figure over the releases, and what separates each from the number of the last."""
    unit = str(found.statistic["unit"])
    names = ("release", "published", "rules now", "cut at then", "rules", "lag and corrections",
             "accrual", "known then")  # fmt: skip
    rows = [
        (
            n.release + ("" if n.status == "published" else f" ({n.status})"),
            *(_number(a.value if a else None) for a in (n.then_then, n.then_now, n.now_cut)),
            *(_signed(p) for p in (n.rules, n.lag, n.accrual)),
            "" if n.known is None else f"{float(100 * n.known):.0f} %",
        )
        for n in found.nights
    ]
    told = f"`{found.statistic['statistic_id']}` ({unit}), {found.newest}: "
    told += _number(found.now.value if found.now else None)
    return "\n".join([told, "", _line(names), _line(tuple("---" for _ in names)),
                      *(_line(r) for r in rows)])  # fmt: skip


def _group(night: Night) -> tuple[object, ...]:
    """Nights in a row on which nothing came and nothing changed are one line."""
    quiet = not (night.delivered or night.planted or night.made)
    return ("quiet", night.held) if quiet else (night.night, night.release)


def _row(nights: list[Night]) -> tuple[str, ...]:
    first, last = nights[0], nights[-1]
    which = str(first.night) if len(nights) == 1 else f"{first.night} to {last.night}"
    planted = first.planted.words if first.planted else ""
    if first.planted and first.planted.twice and first.release.count(".") == 3:
        planted = "the second time with the diameter as it is"
    return which, ", ".join(first.delivered), planted, _audit(first), first.current or "nothing"


def _audit(night: Night) -> str:
    if night.degraded:
        return f"degraded: {', '.join(night.degraded)} stays as it was"
    if not night.made:
        return "still held" if night.held else "nothing to do"
    if not night.held:
        return "passed"
    others = ", and more" * (len(night.reasons) > 1)
    approved = night.planted.approve if night.planted else None
    then = f"; approved: {approved}" if approved else ""
    return f"**held**: {night.reasons[0].rstrip('.')}{others}{then}"


def _explained(night: Night, found: Explanation) -> Iterator[str]:
    unit = str(found.statistic["unit"])
    sign = {"%": " points", "1": ""}.get(unit, f" {unit}")
    yield (
        f"**Night {night.night}**, `{found.statistic['statistic_id']}`, from {found.left} to "
        f"{found.right}: {_number(found.old)} to {_number(found.new)}, a change of "
        f"{_signed(found.change)}{sign}."
    )
    causes = [f"* {s.cause}: {_signed(s.contribution)}" for s in (*found.causes, *found.rest)]
    if found.data:
        shown = found.data.patients[:NAMED]
        causes += [f"* {len(found.data.patients)} patients, {found.data.method}:"]
        for p in shown:
            causes += [f"    * `{p.subject_id}`: {_signed(p.contribution)}"]
            causes += [f"        * {_cell(c)}" for c in p.cells[:NAMED]]
            causes += _more(len(p.cells), "lines", 8)
        causes += _more(len(found.data.patients), "patients", 4)
    yield "\n".join(causes)


def _more(n: int, what: str, indent: int) -> list[str]:
    return [f"{' ' * indent}* and {n - NAMED} more {what}"] if n > NAMED else []


def _cell(c: CellChanges) -> str:
    names = ", ".join(c.cells or c.columns)
    places = " to ".join(f"{file} row {row}" for file, row in dict.fromkeys(_places(c)))
    return f"{c.site_id}, {places}: {c.table} {c.kind}{', ' + names if names else ''}"


def _places(c: CellChanges) -> Iterator[tuple[str, int]]:
    yield from (p for p in (c.left, c.right) if p)


def _releases(found: History) -> str:
    made = [n for n in found.nights if n.made]
    held = sum(n.held for n in made)
    passed = sum(found.verified.values())
    return (
        f"{len(made)} releases in {found.script.nights} nights, {held} of them held. `verify` "
        "found every file as published, and the content equal when built again, for "
        f"{passed} of {len(found.verified)}."
    )


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _signed(value: Fraction | None) -> str:
    return "none" if value is None else f"{float(value):+.4g}" if value else "0"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(c.replace('|', '/') for c in cells)} |"

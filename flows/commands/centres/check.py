"""The command y90 check: report what is wrong with an export before it is delivered."""

import argparse
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.command import Command, Context, a_date, table
from schemas.errors import Refused, Y90Error

if TYPE_CHECKING:
    from schemas.site import Site
    from warehouse.receiving.check import Checked, Finding, Group

PREVIEWED = 200
SHOWN = 8
"""So many columns of a kind are named; JSON names all."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("export", type=Path, help="the export: a folder, or a file")
    parser.add_argument("--site", required=True, help="the site whose file maps it")
    parser.add_argument(
        "--extracted",
        type=a_date,
        metavar="DATE",
        help="extraction date (default: the folder's name, else today)",
    )
    parser.add_argument(
        "--preview",
        nargs="?",
        const="",
        metavar="TABLE",
        help="for this machine only: show what stands in cells with findings, and how a number "
        "could be read; of a table named, its first five rows as they will stand",
    )
    parser.add_argument("--rows", action="store_true", help="a line for every finding")
    parser.add_argument(
        "--columns",
        action="store_true",
        help="how full each column is, from which month to which, its unit and its codes",
    )
    parser.add_argument(
        "--outcomes",
        action="store_true",
        help="what you will get: what can be published, and which column is missing",
    )
    parser.add_argument(
        "--watch", action="store_true", help="again whenever the site file or the export changes"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write all of it as a page to send to the centre"
    )
    sheets = parser.add_argument_group("query sheets, which hold record ids and values")
    sheets.add_argument("--csv", type=Path, metavar="FILE", help="write the queries as CSV")
    sheets.add_argument("--xlsx", type=Path, metavar="FILE", help="write the queries as a workbook")


def _answer(context: Context) -> int:
    """Check once, or again and again."""
    if not context.arguments.watch:
        return _checked(context)
    from flows.commands.centres.watching import watch

    given = context.arguments
    watched = [given.export, context.config, context.config.parent / "sites"]
    with suppress(KeyboardInterrupt):
        watch(watched, lambda: _once(Context(given)))
    return 0


def _once(context: Context) -> None:
    """Check, and tell of what cannot be read instead of ending."""
    try:
        _checked(context)
    except Y90Error as fault:
        context.warn(str(fault))


def _checked(context: Context) -> int:
    from flows.settings import judge_sites
    from flows.telling import progress
    from warehouse.receiving.check import check
    from warehouse.store import Store

    given = context.arguments
    site = site_named(context, given.site)
    judge_sites(context.registry)
    _known_table(given.preview)
    if not given.export.exists():
        raise Refused(f"{given.export}: there is no such file or folder. Name the export.")
    for path in filter(None, (given.csv, given.xlsx, given.html)):
        _outside_store(context, path)
    with progress.doing("check"):
        extracted = given.extracted or _extracted(given.export)
        past = Store(context.store_path)
        pct = context.registry.file.held_below_pct
        past_ = past if past.raw.is_dir() else None
        wanted = context.registry.outcome_settings if given.outcomes or given.html else None
        table_ = given.preview or ""
        found = check(given.export, site, extracted, past_, pct, wanted, table_)
    _write_sheets(found, given.csv, given.xlsx)
    if given.html:
        from flows.commands.centres.check_page import page

        given.html.write_text(page(found), "utf-8")
    shown = _columns(found) if given.columns else ""
    shown += _prospects(found) if given.outcomes else ""
    if not context.json:
        shown += _preview(found) if given.preview == "" else ""
        shown += _first_rows(found) if given.preview else ""
    context.give(_facts(found), _text(found, rows=given.rows) + shown)
    worth = found.worth
    return 1 if found.queries or found.fewer or worth.refused or worth.held or worth.doubts else 0


def site_named(context: Context, name: str) -> "Site":
    """A site of the registry.

    Raises:
        Refused: it has none of that name.
    """
    known = context.registry.sites
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0.5) or sorted(known)
        raise Refused(f"site {name}: the registry has none. Did you mean {', '.join(near)}?")
    return known[name]


def _extracted(export: Path) -> date:
    name = export.resolve().name
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", name):
        try:
            return date.fromisoformat(name)
        except ValueError:
            pass
    return datetime.now(UTC).date()


def _outside_store(context: Context, path: Path) -> None:
    """A query sheet names patients: it has no place in a store."""
    if path.resolve().is_relative_to(context.store_path.resolve()):
        raise Refused(
            f"{path}: inside the store. A query sheet holds record ids and values: write it to a "
            "place that only you can read."
        )
    if not path.resolve().parent.is_dir():
        raise Refused(f"{path}: its folder does not exist. Make it first.")


def _write_sheets(found: "Checked", csv: Path | None, xlsx: Path | None) -> None:
    from warehouse.receiving.check import SHEET
    from warehouse.sharing.sheets import write_csv, write_xlsx

    rows = [query.cells(n) for n, query in enumerate(found.queries, 1)]
    if csv:
        write_csv(csv, SHEET, rows)
    if xlsx:
        write_xlsx(xlsx, SHEET, rows, "queries")


def _facts(found: "Checked") -> dict[str, Any]:
    worth = found.worth
    return {
        "site_id": found.site_id,
        "extracted": found.extracted,
        "tables": [asdict(t) for t in found.tables],
        "notices": found.notices,
        "unused": [asdict(u) for u in worth.unused],
        "would_be_refused": worth.refused,
        "would_be_held": worth.held,
        "doubts": worth.doubts,
        "fewer_rows": [asdict(f) for f in found.fewer],
        "groups": [asdict(g) for g in found.groups],
        "findings": [asdict(f) for f in found.findings],
        "costs": [asdict(c) for c in found.costs],
        "lacking": found.lacking,
        "columns": [asdict(c) for c in found.columns],
        "outcomes": [asdict(p) for p in found.prospects],
    }


def _text(found: "Checked", *, rows: bool) -> str:
    names: tuple[str, ...] = ("table", "received", "empty", "accepted", "quarantined")
    names += ("other_group",) if any(t.other_group for t in found.tables) else ()
    counts = table(names, [tuple(asdict(t)[n] for n in names) for t in found.tables])
    site, worth = found.site_id, found.worth
    parts = [counts, *(f"{site}: notice: {n}" for n in found.notices)]
    parts += [f"{site}: {u.told(SHOWN)}" for u in worth.unused]
    parts += [f"{site}: {line}" for line in found.lacking]
    parts += [f"{site}: {f}" for f in found.fewer]
    parts += _every_row(found) if rows else _grouped(found)
    parts += ["What this costs:", *(f"  {c}" for c in found.costs)] if found.costs else []
    parts += [f"{site}: the delivery would be refused. {m}" for m in worth.refused]
    parts += [f"{site}: the delivery would be held. {m}" for m in worth.held]
    parts += [f"{site}: the site would be degraded. {m}" for m in worth.doubts]
    number = len(found.findings) + len(found.fewer)
    kinds = len(found.groups) + len(found.fewer)
    of = f" of {kinds} kind{'s' if kinds != 1 else ''}; --rows lists them" if kinds < number else ""
    parts.append(f"{number} finding{'s' if number != 1 else ''}{of}." if number else "No findings.")
    return "\n".join(parts)


def _columns(found: "Checked") -> str:
    rows = [c.cells() for c in found.columns if c.filled]
    never = [f"{c.table}.{c.column}" for c in found.columns if not c.filled and c.rows]
    told = table(("column", "filled in", "months", "unit", "codes"), rows)
    return "\n".join(["", "", told, *([f"Never filled in: {', '.join(never)}."] if never else [])])


def _prospects(found: "Checked") -> str:
    """What the centre will get, and first the columns that cost it most."""
    from warehouse.receiving.outlook import by_column, by_outcome

    lines = ["", "", "What you will get:"]
    for name, several in by_outcome(found.prospects).items():
        lost = [p for p in several if not p.derivable]
        told = f"{len(several) - len(lost)} of {len(several)}"
        lines.append(f"  {name}: {told}{f'; not {_few(p.part for p in lost)}' if lost else ''}")
    lacking = by_column(found.prospects)
    lines += ["What is missing:"] if lacking else []
    there = {c.table for c in found.columns if c.rows}
    whole: dict[str, list[str]] = {}
    for name, parts in lacking.items():
        of = name.partition(".")[0]
        whole.setdefault(name if of in there else f"{of} (no row at all)", []).extend(parts)
    lines += [f"  {name}: without it not {_few(parts)}" for name, parts in whole.items()]
    return "\n".join(lines)


def _few(parts: Iterable[str]) -> str:
    """Each once; JSON names all."""
    names = list(dict.fromkeys(parts))
    more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return ", ".join([*names[:SHOWN], *more])


def _known_table(name: str | None) -> None:
    from schemas.site_rules import CONTRACTS

    if name and name not in CONTRACTS:
        near = get_close_matches(name, CONTRACTS, n=1, cutoff=0.5) or list(CONTRACTS)
        raise Refused(f"--preview {name}: no table of ours. Did you mean {', '.join(near)}?")


def _first_rows(found: "Checked") -> str:
    """The first rows of a table as they will stand."""
    if not found.preview:
        return "\n\nNo row of it can be taken."
    head, *rows = found.preview
    return f"\n\nAs it will stand (patients' data: keep it on this machine):\n{table(head, rows)}"


def _preview(found: "Checked") -> str:
    """Cells with findings as they stand there; both readings of a number that could be two."""
    from warehouse.receiving.check import readings

    lines = ["", "", "What stands in the cells (patients' data: keep it on this machine):"]
    for query in found.queries[:PREVIEWED]:
        f, numbers = query.finding, readings(query.value)
        either = f", read as {' or '.join(numbers)}" if len(numbers) > 1 else ""
        lines.append(f"  {f.file} row {f.row}, {f.table}.{f.column}: {query.value}{either}")
    return "\n".join(lines)


def _grouped(found: "Checked") -> Iterator[str]:
    """A line for each rule, column and cause; advice that was given is not repeated."""
    given: set[str] = set()
    for group in found.groups:
        f = group.first
        number = "" if group.number == 1 else f"{group.number} rows: "
        cause = f"; {f.cause}" if f.cause else ""
        remedy = "" if f.remedy in given else f" {f.remedy}"
        given.add(f.remedy)
        yield (
            f"{found.site_id}: {_places(group)}, {_column(f)}: {number}{f.meaning}{cause} "
            f"[{f.rule}, {_kind(f)}].{remedy}"
        )


def _every_row(found: "Checked") -> Iterator[str]:
    for f in found.findings:
        cause = f"; {f.cause}" if f.cause else ""
        yield (
            f"{found.site_id}: {f.file} row {f.row}, {_column(f)}: {f.meaning}{cause} "
            f"[{f.rule}, {_kind(f)}]. {f.remedy}"
        )


def _places(group: "Group") -> str:
    shown = ", ".join(f"{file} row {row}" for file, row in group.examples)
    more = group.number - len(group.examples)
    return f"{shown} and {more} more" if more else shown


def _column(finding: "Finding") -> str:
    theirs = finding.their_column
    also = f" ({theirs})" if theirs and theirs != finding.column else ""
    return f"{finding.table}.{finding.column}{also}"


def _kind(finding: "Finding") -> str:
    kind = "set aside" if finding.severity == "reject" else "warning"
    return f"{kind}, cell {finding.pattern}" if finding.pattern else kind


COMMANDS = (
    Command(
        name="check",
        help="receive and validate an export without loading it; exits 1 if there are findings",
        example="y90 check exports/2026-11-20 --site north --xlsx queries.xlsx",
        answer=_answer,
        arguments=_arguments,
    ),
)

"""The commands y90 report, docs and sql-of: the path of a page, the meaning of a table, its SQL."""

import argparse
from collections import Counter
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.command import Command, Context, table
from schemas.errors import Failed, Refused

if TYPE_CHECKING:
    from schemas.contract import Contract
    from schemas.settings import OutcomeSettings

DOCS = Path(__file__).resolve().parents[3] / "docs"


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--release", metavar="ID", help="id, channel, stable label or night (default: current)"
    )


def _report(context: Context) -> int:
    from warehouse.releases import expunge, integrity, releases

    release = releases.resolve(context.store, context.arguments.release)
    names = {"report": "report/index.html", "audit": "audit/index.html"}
    integrity.opened_files(release, names.values())
    pages = {name: release / inside for name, inside in names.items()}
    if missing := [path for path in pages.values() if not path.is_file()]:
        raise Failed(f"{missing[0]}: missing. Run `y90 verify {release.name}`.")
    context.note_purged(release)
    purged = expunge.purged_subjects(release)
    context.give({"release_id": release.name, **pages, "purged": purged}, str(pages["report"]))
    return 0


def _docs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table",
        nargs="?",
        metavar="TABLE",
        help="a table, for instance lab_grades or marts.lab_grades: its columns and their meaning",
    )


def _docs(context: Context) -> int:
    if context.arguments.table:
        return _table(context, context.arguments.table)
    if not DOCS.is_dir():
        raise Failed(f"{DOCS}: missing. y90 runs from its checkout: install it with `make setup`.")
    pages = sorted(DOCS.rglob("*.md"))
    context.give({"docs": DOCS, "pages": pages}, f"{DOCS}\n{_listed(pages)}")
    return 0


def _listed(pages: list[Path]) -> str:
    """The pages beside each other by name, and each folder in one line with its number of pages."""
    alone = [page.name for page in pages if page.parent == DOCS]
    folders = Counter(page.parent.relative_to(DOCS) for page in pages if page.parent != DOCS)
    lines = [*alone, *(f"{folder}/  {n} pages" for folder, n in sorted(folders.items()))]
    return "\n".join(f"  {line}" for line in lines)


def _table(context: Context, name: str) -> int:
    from schemas.contract import columns, options, published_name

    contract = _contract(name)
    about = " ".join((contract.__doc__ or "").split())
    full = f"{options(contract).schema}.{published_name(contract)}"
    rows = [
        (c.name, str(c.dtype), c.unit, "key" if c.key else "" if c.nullable else "never null",
         c.meaning, ", ".join(c.codes), c.source)
        for c in columns(contract)
    ]  # fmt: skip
    names = ("column", "type", "unit", "", "meaning", "codes", "source")
    facts = [dict(zip((*names[:3], "presence", *names[4:]), row, strict=True)) for row in rows]
    context.give(
        {"table": full, "meaning": about, "columns": facts}, f"{full}\n{about}\n\n"
        + table(names[:5], [(*row[:4], _explained(row)) for row in rows]),
    )  # fmt: skip
    return 0


def _explained(row: tuple[str | None, ...]) -> str:
    """The meaning, with the codes and the source where there are some."""
    meaning, codes, source = (part or "" for part in row[4:7])
    told = [meaning, f"One of {codes}." if codes else "", f"Source: {source}." if source else ""]
    return " ".join(filter(None, told))


def _contract(name: str) -> "type[Contract]":
    """The contract of a table, named with or without its schema.

    Raises:
        Refused: there is none; the nearest names are suggested.
    """
    from schemas.contract import options, published_name
    from schemas.tables import intermediate, registry
    from warehouse.releases.database import RELEASED

    every = (*RELEASED, *registry.TABLES, *intermediate.TABLES)
    known = {f"{options(c).schema}.{published_name(c)}": c for c in every}
    by_table = {full.split(".")[1]: contract for full, contract in known.items()}
    if found := known.get(name) or by_table.get(name):
        return found
    near = get_close_matches(name, [*by_table, *known], n=3, cutoff=0.5) or sorted(by_table)
    raise Refused(f"table {name}: there is none. Did you mean {', '.join(near)}?")


def _sql_of_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table", metavar="TABLE", help="what a derivation makes, for instance lesion_assessments"
    )


def _sql_of(context: Context) -> int:
    from schemas.settings import OutcomeSettings
    from warehouse.engine.lineage import derivations
    from warehouse.engine.sql_text import sql_of

    name = context.arguments.table.rpartition(".")[2]
    if name not in derivations():
        near = get_close_matches(name, derivations(), n=3, cutoff=0.5) or sorted(derivations())
        raise Refused(f"table {name}: no derivation makes it. Did you mean {', '.join(near)}?")
    found = sql_of(name, _settings(context) or OutcomeSettings())
    head = [
        f"-- {found.table}: made by {found.function}",
        f"-- reads {', '.join(found.reads)}",
        *([f"-- settings {', '.join(found.settings)}"] if found.settings else []),
    ]
    if found.sql is None:
        head.append("-- estimated in Python: it has no SQL of its own. `y90 trace` shows its rows.")
    context.give(asdict(found), "\n".join([*head, *([found.sql] if found.sql else [])]))
    return 0


def _settings(context: Context) -> "OutcomeSettings | None":
    """Those of the registry, where one is named or remembered."""
    from flows.settings import config_path

    try:
        config_path(context.arguments.config, context.arguments.store)
    except Refused:
        return None
    return context.registry.outcome_settings


COMMANDS = (
    Command(
        name="report",
        help="print the path of a release's report, one page that needs no network",
        example="y90 report --release current",
        answer=_report,
        arguments=_report_arguments,
    ),
    Command(
        name="docs",
        help="print the path of the documentation, or the meaning of a table and its columns",
        example="y90 docs lab_grades",
        answer=_docs,
        arguments=_docs_arguments,
    ),
    Command(
        name="sql-of",
        help="print the SQL that makes a table, with the registry's settings or the defaults",
        example="y90 sql-of lesion_assessments",
        answer=_sql_of,
        arguments=_sql_of_arguments,
    ),
)

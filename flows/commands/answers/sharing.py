"""y90 export and y90 numbers check: what leaves the house, and whether a draft is still true."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.answers.accounting import NAMED, as_facts, explanation_text
from flows.commands.command import Command, Context
from schemas.errors import Refused

if TYPE_CHECKING:
    from warehouse.account.explain import Explanation
    from warehouse.account.numbers import Sentence

NAMED_HELD = 5
"""Numbers held back that are named one by one."""


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="ID", help=NAMED)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--public", action="store_true", help="guarded aggregates only; small cells are withheld"
    )
    parser.add_argument(
        "--pool",
        action="store_true",
        help="guarded aggregates that `y90 pool` adds to those of other registries; signed",
    )
    parser.add_argument(
        "--adam",
        action="store_true",
        help="also ADaM datasets (Parquet, XPT, Dataset-JSON) with define.xml",
    )


def _export(context: Context) -> int:
    from flows.telling import progress
    from warehouse.sharing import export

    given = context.arguments
    release = context.release(given.release)
    if given.pool:
        return _export_pool(context, release)
    with progress.doing("export"):
        warnings = export.export(
            context.store,
            context.registry,
            release,
            given.to,
            for_public=given.public,
            with_adam=given.adam,
            add=_public_page(context, release) if given.public else None,
        )
    for warning in warnings:
        context.warn(warning)
    kind = "public bundle" if given.public else "bundle"
    facts = {"release": release.name, "to": given.to, "public": given.public, "warnings": warnings}
    context.report(facts, f"{kind} of {release.name} in {given.to}")
    return 0


def _public_page(context: Context, release: Path) -> Callable[[Path], None]:
    """What writes the page and the Word tables of a public bundle."""
    from report.public import page
    from warehouse.engine.connections import connection
    from warehouse.releases import releases

    content = releases.manifest(release)["content"]
    facts = {
        "registry": content["registry"],
        "release": release.name,
        "data cutoff": content["data_cutoff"],
        "synthetic": "yes" if releases.is_synthetic(content) else "",
    }
    threshold = context.registry.file.export.small_cell
    night = date.fromisoformat(content["as_of"])

    def write(folder: Path) -> None:
        with connection(folder / "release.duckdb") as con:
            page.write(con, folder, facts, threshold, night)

    return write


def _export_pool(context: Context, release: Path) -> int:
    from flows.settings import signing_key_path
    from flows.telling import progress
    from warehouse.bundles import bundle, signatures

    given = context.arguments
    if given.public or given.adam:
        raise Refused("--pool: a bundle for pooling is neither --public nor --adam. Name one.")
    key = signatures.read_key(signing_key_path(context.registry))
    with progress.doing("export"):
        made = bundle.export_pool(context.store, context.registry, release, given.to, key)
    for held in made.held[:NAMED_HELD]:
        context.warn(f"held back: {held.unit}, {held.changed} changed; {held.frees}")
    if len(made.held) > NAMED_HELD:
        context.warn(f"held back: {len(made.held) - NAMED_HELD} more, with their old values")
    facts = {"release": release.name, "to": given.to, "sha256": made.sha256, "rows": made.rows}
    facts |= {"held": [asdict(h) for h in made.held]}
    context.report(facts, f"bundle for pooling of {release.name} in {given.to}, {made.sha256}")
    return 0


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("draft", type=Path, metavar="DRAFT", help="the text, for instance Markdown")
    parser.add_argument(
        "--lock", type=Path, metavar="FILE", help="default: numbers.lock beside the draft"
    )
    parser.add_argument("--release", metavar="ID", help=f"{NAMED} (default: current)")
    parser.add_argument("--no-explain", action="store_true", help="do not explain why")


def _check(context: Context) -> int:
    from warehouse.account import numbers
    from warehouse.releases import releases

    given = context.arguments
    lock = numbers.read(given.lock or given.draft.parent / "numbers.lock")
    release = context.release(given.release)
    found = numbers.check(
        given.draft, lock, release, lambda name: releases.resolve(context.store, name)
    )
    wrong = [s for s in found if not s.true]
    why = {} if given.no_explain else _explained(context, wrong, release)
    facts = [asdict(s) | {"explanation": _facts(why.get(s.label))} for s in found]
    text = [_told(given.draft, s, why.get(s.label)) for s in wrong]
    head = f"{len(found) - len(wrong)} of {len(found)} numbers are as printed in {release.name}."
    context.give(facts, "\n\n".join([*text, head]))
    return 1 if wrong else 0


def _explained(
    context: Context, wrong: "list[Sentence]", release: Path
) -> "dict[str, Explanation]":
    """Why each number that has moved did so."""
    from warehouse.account import explain
    from warehouse.releases import releases

    found: dict[str, Explanation] = {}
    for s in wrong:
        before = releases.resolve(context.store, s.release)
        if s.statistic_id and s.locked != s.now and before != release and s.label not in found:
            found[s.label] = explain.explain(
                context.store,
                context.registry_of(release),
                context.key_of(release),
                s.statistic_id,
                before,
                release,
            )
    return found


def _facts(found: "Explanation | None") -> dict[str, Any] | None:
    return as_facts(found) if found else None


def _told(draft: Path, s: "Sentence", why: "Explanation | None") -> str:
    lines = [f"{draft} line {s.line}, {s.label}: {s.why}.", f"  {s.sentence}"]
    lines += [f"  {line}" for line in explanation_text(why).splitlines()] if why else []
    return "\n".join(lines)


COMMANDS = (
    Command(
        name="export",
        help="write a bundle of a release to share: Parquet, CSV, one database, ADaM; or to pool",
        example="y90 export current --to bundle --public",
        answer=_export,
        arguments=_export_arguments,
    ),
    Command(
        name="numbers check",
        help="list the sentences of a draft whose numbers have changed, and why",
        example="y90 numbers check paper/draft.md --release current",
        answer=_check,
        arguments=_check_arguments,
    ),
)

"""The command y90 release: list releases and show what one of them holds."""

import argparse
from pathlib import Path
from typing import Any

from flows.commands.command import Command, Context, pairs, table


def _list(context: Context) -> int:
    from warehouse.releases import releases

    pointers = {n: releases.channel(context.store, n) for n in releases.CHANNELS}
    rows = [
        (r.release_id, r.as_of, r.data_cutoff, r.status, r.published_at, _named(r, pointers))
        for r in releases.listing(context.store)
    ]
    names = ("release", "as_of", "data_cutoff", "status", "published_at", "channels")
    context.give(
        [dict(zip(names, row, strict=True)) for row in rows],
        table(names, rows) if rows else "No release yet: make one with `y90 run`.",
    )
    return 0


def _named(release: Any, pointers: dict[str, Any]) -> str:
    return " ".join(n for n, p in pointers.items() if p and p["release_id"] == release.release_id)


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "release", nargs="?", help="id, channel, stable label or night (default: current)"
    )


def _show(context: Context) -> int:
    from warehouse.releases import releases

    path: Path = releases.resolve(context.store, context.arguments.release)
    found, decided = releases.manifest(path), releases.decisions(path)
    content, record = found["content"], found["record"]
    summary = {
        "release": path.name,
        "status": releases.status(found, decided),
        "as-of": content["as_of"],
        "data cutoff": content["data_cutoff"],
        "published": record["published_at"],
        "previous": record["previous"] or "none",
        "degraded": ", ".join(content["degraded"]) or "no site",
        "run key": content["run_key"],
        "path": path,
    }
    rows = [(n, t["rows"], t["content_sha256"]) for n, t in sorted(content["tables"].items())]
    text = f"{pairs(summary)}\n\n{table(('table', 'rows', 'content_sha256'), rows)}"
    context.give({**found, "decisions": decided, "path": path}, text)
    return 0


COMMANDS = (
    Command(
        name="release list",
        help="list every release, oldest night first",
        example="y90 release list --json",
        answer=_list,
    ),
    Command(
        name="release show",
        help="show what a release was made from, and its tables",
        example="y90 release show current",
        answer=_show,
        arguments=_show_arguments,
    ),
)

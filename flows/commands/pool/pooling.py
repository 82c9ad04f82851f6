"""y90 pool: check, ask, answer, run, show, diff, verify; several registries, no shared patients."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.commands.command import Command, Context, table

SHOWN = ("method", "registries", "n", "total", "value", "lower", "upper", "exact", "note")
REGISTRY = ("registry", "as_of", "n", "total", "value", "lower", "upper", "suppressed")


def _folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "bundles", nargs="+", type=Path, metavar="DIR", help="the bundles, one a registry"
    )


def _check(context: Context) -> int:
    from flows.pool_settings import load_pool
    from warehouse.pooling import reading, release, together

    pool, releases = load_pool(context.arguments.config)
    bundles = reading.read_all(context.arguments.bundles, pool)
    together.refuse(bundles, pool, release.last(releases))
    found = together.differences(bundles)
    lines = together.told(found)
    for warning in together.warnings(bundles):
        context.warn(f"note: {warning}")
    listed = [
        (b.registry, b.facts["release"], b.facts["as_of"], b.facts["number"],
         len({r["statistic_id"] for r in b.tables["definitions"]}))
        for b in bundles
    ]  # fmt: skip
    facts: dict[str, Any] = {
        "registries": [b.registry for b in bundles],
        "differences": [
            {"statistic_id": d.statistic_id, "key": d.key}
            | {"first": d.first, "left": d.left, "registry": d.registry, "right": d.right}
            for d in found
        ],
    }
    head = table(("registry", "release", "night", "bundle", "statistics"), listed)
    said = "\n".join(lines) if lines else "Every statistic means the same in every registry."
    context.give(facts, f"{head}\n\n{said}")
    return 1 if found else 0


def _ask_arguments(parser: argparse.ArgumentParser) -> None:
    _folders(parser)
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="the request, new")


def _ask(context: Context) -> int:
    from flows.pool_settings import load_pool
    from schemas.errors import Refused
    from warehouse.pooling import reading, release, rounds, together
    from warehouse.store import create_atomically

    given = context.arguments
    pool, releases = load_pool(given.config)
    bundles = reading.read_all(given.bundles, pool)
    together.refuse(bundles, pool, release.last(releases))
    asked = rounds.request(bundles, pool, together.differences(bundles))
    questions = [(q["endpoint"], ", ".join(q["terms"]), ", ".join(q["registries"]))
                 for q in json.loads(asked)["questions"]]  # fmt: skip
    if not questions:
        raise Refused(
            "pool ask: no two registries told a comparable hazard ratio. There is nothing to ask."
        )
    try:
        create_atomically(given.to, asked)
    except FileExistsError:
        raise Refused(f"{given.to}: there is something already. Name a new file.") from None
    facts = {"to": given.to, "questions": len(questions)}
    context.report(facts, f"{table(('endpoint', 'terms', 'registries'), questions)}\n\n{given.to}")
    return 0


def _answer_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("request", type=Path, metavar="REQUEST", help="what `y90 pool ask` wrote")
    parser.add_argument("--to", required=True, type=Path, metavar="DIR", help="the answer, new")


def _answer(context: Context) -> int:
    from flows.settings import signing_key_path
    from flows.telling import progress
    from warehouse.bundles import answers, signatures

    given = context.arguments
    key = signatures.read_key(signing_key_path(context.registry))
    with progress.doing("answer"):
        made = answers.answer(context.store, context.registry, given.request, given.to, key)
    for line in made.withheld:
        context.warn(f"withheld: {line}")
    facts = {"to": given.to, "sha256": made.sha256, "told": made.told, "withheld": made.withheld}
    context.report(facts, f"answer of {len(made.told)} questions in {given.to}, {made.sha256}")
    return 0


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    _folders(parser)
    parser.add_argument(
        "--answer",
        action="append",
        default=[],
        type=Path,
        metavar="ANSWER",
        help="a registry's answer to what `y90 pool ask` asked; once for each registry",
    )
    parser.add_argument(
        "--strict", action="store_true", help="publish nothing if a statistic is not comparable"
    )


def _run(context: Context) -> int:
    from flows.pool_settings import load_pool
    from flows.telling import progress
    from report.pooled import page
    from warehouse.pooling import release

    given = context.arguments
    pool, releases = load_pool(given.config)
    with progress.doing("pool"):
        made = release.run(
            given.bundles, pool, releases, page.write, answers=given.answer, strict=given.strict
        )
    for line in made.refused:
        context.warn(f"not comparable: {line}")
    for warning in made.warnings:
        context.warn(f"note: {warning}")
    facts = {"release": made.folder.name, "folder": made.folder, "new": made.new}
    facts |= {"rows": made.rows, "refused": made.refused, "warnings": made.warnings}
    if not made.new:
        context.report(facts, f"nothing to do: pooled before as {made.folder}")
        return 0
    context.report(
        facts,
        f"release   {made.folder}\ndatabase  {made.folder / 'release.duckdb'}\n"
        f"report    {made.folder / 'report' / 'index.html'}",
    )
    return 0


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "statistic", nargs="?", metavar="STATISTIC", help="trace this one to its registries"
    )
    parser.add_argument("--release", metavar="ID", help="default: the newest")


def _show(context: Context) -> int:
    from flows.pool_settings import load_pool
    from schemas.errors import Refused
    from warehouse.pooling import release

    given = context.arguments
    _, releases = load_pool(given.config)
    folder = release.resolve(releases, given.release)
    estimates = release.rows(folder, "estimates")
    if given.statistic is None:
        listed = [(r["statistic_id"], *(_cell(r[n]) for n in SHOWN[:-1])) for r in estimates]
        context.give(estimates, table(("statistic", *SHOWN[:-1]), listed))
        return 0
    own = {
        name: [r for r in release.rows(folder, name) if r["statistic_id"] == given.statistic]
        for name in ("estimates", "heterogeneity", "by_registry", "leave_one_out", "refused")
    }
    if not any(own.values()):
        raise Refused(
            f"{given.statistic}: not in pooled release {folder.name}. `y90 pool show` lists those "
            "that are."
        )
    sources = {s["registry"]: s for s in release.rows(folder, "sources")}
    context.give(own | {"sources": sources}, _traced(own, sources))
    return 0


def _traced(own: Mapping[str, list[Any]], sources: Mapping[str, Any]) -> str:
    """A statistic, its registries, and the releases that told it."""
    parts = []
    if own["estimates"]:
        parts.append(own["estimates"][0]["label"])
        parts.append(table(SHOWN, [tuple(_cell(r[n]) for n in SHOWN) for r in own["estimates"]]))
        told = [
            (*(_cell(r[n]) for n in REGISTRY), sources[r["registry"]]["release"])
            for r in own["by_registry"]
        ]
        parts.append(table((*REGISTRY, "release"), told))
        parts.append("In a registry: `y90 trace` of the same statistic names its source rows.")
    parts += [
        f"not comparable: {r['key']} is {r['left']} in {r['first']}, "
        f"{r['right']} in {r['registry']}"
        for r in own["refused"]
    ]
    return "\n\n".join(parts)


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)


def _diff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("left", metavar="LEFT", help="a pooled release")
    parser.add_argument("right", metavar="RIGHT", help="another")


def _diff(context: Context) -> int:
    from flows.pool_settings import load_pool
    from warehouse.pooling import release

    given = context.arguments
    _, releases = load_pool(given.config)
    left, right = (release.resolve(releases, name) for name in (given.left, given.right))
    changed = release.changes(left, right)
    listed = [tuple(_cell(v) for v in c.values()) for c in changed]
    head = ("statistic", "method", "left", "right", "registries that moved")
    same = "Every number is the same in both."
    context.give(changed, table(head, listed) if changed else same)
    return 1 if changed else 0


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", nargs="?", metavar="ID", help="default: the newest")


def _verify(context: Context) -> int:
    from flows.pool_settings import load_pool
    from warehouse.pooling import release

    pool, releases = load_pool(context.arguments.config)
    folder = release.resolve(releases, context.arguments.release)
    wrong = release.verify(releases, folder, pool)
    said = "\n".join(wrong) if wrong else f"{folder.name}: as published, and the same made again."
    context.give({"release": folder.name, "wrong": wrong}, said)
    return 1 if wrong else 0


COMMANDS = (
    Command(
        name="pool check",
        help="say whether bundles of several registries may be pooled, and what differs",
        example="y90 pool check bundles/* --config pool.toml",
        answer=_check,
        arguments=_folders,
    ),
    Command(
        name="pool ask",
        help="write what a second round asks each registry, for hazard ratios near one whole fit",
        example="y90 pool ask bundles/* --to request.json --config pool.toml",
        answer=_ask,
        arguments=_ask_arguments,
    ),
    Command(
        name="pool answer",
        help="answer a second round from this registry's store, within its budget of bits; signed",
        example="y90 pool answer request.json --to answer --config registry.toml",
        answer=_answer,
        arguments=_answer_arguments,
    ),
    Command(
        name="pool run",
        help="pool the comparable numbers of several registries' bundles into a release",
        example="y90 pool run bundles/* --config pool.toml",
        answer=_run,
        arguments=_run_arguments,
    ),
    Command(
        name="pool show",
        help="list pooled numbers, or trace one to the registries that told it",
        example="y90 pool show survival_landmarks.all.os.subject.overall.overall.12",
        answer=_show,
        arguments=_show_arguments,
    ),
    Command(
        name="pool diff",
        help="list the numbers in which two pooled releases differ, and whose bundles moved them",
        example="y90 pool diff 2024.05.31 2024.06.30",
        answer=_diff,
        arguments=_diff_arguments,
    ),
    Command(
        name="pool verify",
        help="check a pooled release's hashes, and make it again from its bundles",
        example="y90 pool verify",
        answer=_verify,
        arguments=_verify_arguments,
    ),
)

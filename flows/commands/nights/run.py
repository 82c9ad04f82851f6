"""y90 run: from what was delivered to a published release."""

import argparse
from contextlib import ExitStack
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import schedule
from flows.commands.command import Command, Context, a_date, pairs, table
from flows.commands.nights.reproduce import of_publication
from schemas.errors import OUR_FAULT, Held, Refused

if TYPE_CHECKING:
    from flows.steps import Job, Outcome

HEADLINES = tuple(f"F{n}" for n in (17, 19, 21, 22, 23, 24, 27, 28, 31, 32, 33, 34, 35))
"""The published figures that a run ends with; all stand in outcomes.literature_comparison."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as-of",
        type=a_date,
        metavar="DATE",
        help="the night; later deliveries are left out (default: today in the registry's zone)",
    )
    parser.add_argument(
        "--data-cutoff",
        type=a_date,
        metavar="DATE",
        help="the last day of events that count (default: the night)",
    )
    parser.add_argument("--direct", action="store_true", help="run the same steps without Prefect")
    parser.add_argument(
        "--no-settle",
        action="store_true",
        help="receive files although they were written a moment ago",
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="exit 4 if another run holds the store"
    )


def _answer(context: Context) -> int:
    from flows.telling import digest

    job = _job(context)
    outcome = _directly(job) if context.arguments.direct else _as_flow(context, job)
    for notice in outcome.notices:
        context.warn(f"note: {notice}")
    if outcome.published.held:
        context.warn(_held(outcome))
    for told in _costs(context, outcome):
        context.warn(told)
    found = _comparison(context, outcome)
    context.report(
        _facts(outcome, found), "\n".join([digest.headline(outcome), *_text(outcome, found)])
    )
    if outcome.faults:
        return OUR_FAULT
    return Held.exit_code if outcome.published.held else 0


def _job(context: Context) -> "Job":
    from flows.settings import remember
    from flows.steps import Job

    given, registry = context.arguments, context.registry
    today = schedule.today(registry)
    as_of: date = given.as_of or today
    data_cutoff: date = given.data_cutoff or as_of
    if as_of > today:
        raise Refused(f"--as-of {as_of}: in the future. Name a night up to {today}.")
    if data_cutoff > as_of:
        raise Refused(
            f"--data-cutoff {data_cutoff}: after the night {as_of}, when it was not yet known. "
            "Name a date up to the night."
        )
    key = context.key
    remember(context.new_store.root, context.config)
    settle_s = 0 if given.no_settle else registry.file.settle_s
    wait = not given.no_wait
    return Job(context.new_store, registry, key, as_of, data_cutoff, wait, settle_s)


def _directly(job: "Job") -> "Outcome":
    from flows import steps
    from flows.telling import notify

    with notify.failures(job):
        outcome = steps.nightly(job)
    notify.ended(job, outcome)
    return outcome


def _as_flow(context: Context, job: "Job") -> "Outcome":
    from flows.prefect import server
    from flows.telling import progress

    night = {
        "config": str(context.config.absolute()),
        "store": str(job.store.root),
        "as_of": job.as_of.isoformat(),
        "data_cutoff": job.data_cutoff.isoformat(),
    }
    with ExitStack() as stack:
        with progress.doing("start Prefect's server"):
            url = stack.enter_context(server.prefect_api(job.store, meanwhile=_imported))
        from flows import nightly

        return nightly.run(night, url, wait=job.wait, settle=job.settle_s > 0)


def _imported() -> None:
    """Import the flow while its server starts; a quiet night needs neither engine nor contract."""
    from flows import nightly

    del nightly


def _held(outcome: "Outcome") -> str:
    """Why a release waits, and what to do."""
    from warehouse.releases import decisions

    path, name = outcome.published.path, outcome.published.release_id
    reasons = decisions.why_waiting(path)
    return "\n".join(
        [
            *(f"held: {reason}" for reason in reasons),
            f"Read {path / 'audit' / 'index.html'}; if it is right all the same, "
            f"`y90 release approve {name} --reason TEXT`.",
        ]
    )


def _costs(context: Context, outcome: "Outcome") -> list[str]:
    """What the rows set aside cost, by site and root cause; a quiet night looks at none."""
    if outcome.nothing_to_do:
        return []
    from warehouse.loading import delivery_cache
    from warehouse.loading.costs import costs

    told = []
    for receipt in outcome.plan.receipts:
        site = context.registry.sites[receipt.site_id]
        index = delivery_cache.place(context.new_store, site, receipt, context.key) / "rows.parquet"
        told += [f"  {site.site_id}: {c}" for c in costs(index)] if index.exists() else []
    return ["What this costs:", *told] if told else []


def _comparison(context: Context, outcome: "Outcome") -> list[tuple[Any, ...]]:
    """Published beside computed, for the cohort that was made after the publication."""
    origins = {s.origin for s in context.registry.sites.values()}
    if outcome.nothing_to_do or not of_publication(context.registry.file.registry, origins):
        return []
    from warehouse.releases.query import open_release

    names = ", ".join(f"'{f}'" for f in HEADLINES)
    with open_release(outcome.published.path) as con:
        return con.execute(
            "SELECT quantity, unit, published, own_value FROM outcomes.literature_comparison "
            f"WHERE population = 'all' AND figure_id IN ({names}) ORDER BY figure_id"
        ).fetchall()


def _text(outcome: "Outcome", found: list[tuple[Any, ...]]) -> list[str]:
    path = outcome.published.path
    places = {"release": _from_here(path), "database": _from_here(path / "release.duckdb")}
    report = path / "report" / "index.html"
    if report.exists():
        places["report"] = _from_here(report)
    shown = [(q, u, p, "not derivable" if v is None else f"{v:.4g}") for q, u, p, v in found]
    beside = [table(("published beside computed", "unit", "published", "computed"), shown)]
    return ["", *beside, "", pairs(places)] if found else ["", pairs(places)]


def _from_here(path: Path) -> Path:
    """A path as one would type it where one stands."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _facts(outcome: "Outcome", found: list[tuple[Any, ...]]) -> dict[str, Any]:
    plan, published = outcome.plan, outcome.published
    return {
        "as_of": plan.as_of,
        "data_cutoff": plan.data_cutoff,
        "run_key": plan.run_key,
        "release_id": published.release_id,
        "path": published.path,
        "created": published.created,
        "held": published.held,
        "nothing_to_do": outcome.nothing_to_do,
        "degraded": dict(plan.degraded),
        "notices": list(outcome.notices),
        "faults": list(map(asdict, outcome.faults)),
        "comparison": [
            dict(zip(("quantity", "unit", "published", "computed"), row, strict=True))
            for row in found
        ],
    }


COMMANDS = (
    Command(
        name="run",
        help="receive new deliveries and publish the night's release, if anything is new",
        example="y90 run --as-of 2011-03-31 --config simulation/memon2012/registry.toml",
        answer=_answer,
        arguments=_arguments,
    ),
)

"""y90 release purge: a patient withdrew consent, and must be in nothing that is kept."""

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from flows.commands.centres.check import site_named
from flows.commands.command import Command, Context


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--site", required=True, help="the patient's site")
    parser.add_argument(
        "--patient", required=True, metavar="ID", help="the patient's id as delivered"
    )
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="the reason, without a patient's name"
    )


def _purge(context: Context) -> int:
    from warehouse.releases.consent import purge
    from warehouse.releases.decisions import user

    given = context.arguments
    site = site_named(context, given.site)
    now = datetime.now(UTC)
    what = (context.store, site, context.key, given.patient, given.reason)
    done = purge(*what, now, user(), _draw)
    context.report(
        asdict(done),
        f"Tombstone {done.tombstone}: {done.rows} rows out of {len(done.deliveries)} deliveries, "
        f"and the patient out of {len(done.releases)} releases.\n"
        "Run `y90 run` for a release without the patient. The inbox is yours: remove the patient "
        f"from {context.store.site_inbox(given.site)}, and from backups.",
    )
    return 0


def _draw(folder: Path, release: Path, purged: int) -> None:
    """Draw the report of a release again; one of an older layout only says that it is gone."""
    from flows.steps import report_facts
    from report import page
    from warehouse.releases import expunge, releases

    content = releases.manifest(release)["content"]
    facts = report_facts(
        content["registry"],
        release.name,
        content["as_of"],
        content["data_cutoff"],
        [site.get("origin", "clinical") for site in content["sites"].values()],
    )
    page.redraw(folder, facts, content["settings"], expunge.note(purged))


COMMANDS = (
    Command(
        name="release purge",
        help="remove a patient who withdrew consent from kept deliveries and past releases",
        example='y90 release purge --site north --patient 0017 --reason "consent withdrawn"',
        answer=_purge,
        arguments=_arguments,
    ),
)

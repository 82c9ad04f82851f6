"""Write a night's summary in one page: names, counts and paths, and nothing of a patient."""

from datetime import datetime
from typing import Any

from flows.steps import Outcome
from warehouse.releases import releases
from warehouse.store import Store

SHOWN = 10
"""Statistics of a release that an evening's digest names."""


def headline(outcome: Outcome) -> str:
    """One sentence about how the night ended."""
    release, night = outcome.published.release_id, outcome.plan.as_of
    if outcome.published.held and releases.withdrawal(outcome.published.path):
        return (
            f"{night}: nothing published, release {release} has this content and is withdrawn. The "
            "night waits for another delivery or for someone to approve it."
        )
    if outcome.published.held:
        return f"{night}: release {release} is held until someone approves it."
    if outcome.nothing_to_do:
        return f"{night}: nothing to do, release {release} has these inputs."
    if not outcome.published.created:
        return f"{night}: built, and every table equals release {release}: no new release."
    return f"{night}: release {release} published."


def markdown(outcome: Outcome) -> str:
    """The night as a Markdown page: receipts, tables and their rows."""
    content = releases.manifest(outcome.published.path)["content"]
    receipts = [
        f"| {r.site_id} | {r.receipt_id} | {_degraded(outcome, r.site_id)} |"
        for r in outcome.plan.receipts
    ]
    tables = [f"| {name} | {t['rows']} |" for name, t in sorted(content["tables"].items())]
    return "\n".join(
        [
            f"# {headline(outcome)}",
            "",
            f"As-of {outcome.plan.as_of}, data cutoff {outcome.plan.data_cutoff}.",
            "",
            "| site | receipt | |",
            "|---|---|---|",
            *receipts,
            "",
            "| table | rows |",
            "|---|---|",
            *tables,
        ]
    )


def _degraded(outcome: Outcome, site_id: str) -> str:
    return "a later delivery was refused" if site_id in outcome.plan.degraded else ""


def moved(store: Store, since: datetime) -> list[dict[str, Any]]:
    """What each release published since then moved: from its changes.json."""
    from schemas.tables.changes import Changes
    from warehouse.releases.change_pages import importance, old_and_new, summary

    told = []
    for release in releases.listing(store):
        path = release.path / "changes.json"
        if datetime.fromisoformat(release.published_at) < since or not path.is_file():
            continue
        changes = Changes.model_validate_json(path.read_bytes())
        lines = [
            f"{s.label}: {' -> '.join(old_and_new(s))} {s.unit}"
            for s in sorted(changes.statistics, key=importance)[:SHOWN]
        ]
        told.append(
            {
                "release_id": release.release_id,
                "status": release.status,
                "reasons": _reasons(release),
                "compared_with": changes.left,
                "summary": summary(changes) if changes.left else "The first release.",
                "n_statistics": len(changes.statistics),
                "statistics": lines,
            }
        )
    return told


def _reasons(release: releases.ReleaseInfo) -> list[str]:
    """Why a release waits, its causes first; nothing of one that does not."""
    from warehouse.releases import decisions

    return [] if release.status == "published" else decisions.why_waiting(release.path)


def evening(told: list[dict[str, Any]], hours: int) -> str:
    """The same as text."""
    if not told:
        return f"Nothing was published in the last {hours} hours."
    parts = []
    for one in told:
        head = f"{one['release_id']} ({one['status']}), after {one['compared_with'] or 'nothing'}"
        left = one["n_statistics"] - len(one["statistics"])
        more = [f"  and {left} more: y90 diff, or CHANGES.md of the release"] if left > 0 else []
        lines = [f"  {line}" for line in (*one["reasons"], *one["statistics"])]
        parts.append("\n".join([f"{head}: {one['summary']}", *lines, *more]))
    return "\n\n".join(parts)

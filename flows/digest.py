"""What happened tonight, in a page? Names, counts and paths; nothing of a patient."""

from flows.steps import Outcome
from warehouse import releases


def headline(outcome: Outcome) -> str:
    """One sentence about how the night ended."""
    release, night = outcome.published.release_id, outcome.plan.as_of
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

"""The command y90 history: how a published number came to be what it is, night by night."""

import argparse
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.command import Command, Context, a_date, table
from schemas.errors import Refused

if TYPE_CHECKING:
    from warehouse.account.history.nights import History, Night
    from warehouse.account.history.reports import SiteReports
    from warehouse.account.patients import PatientShares
    from warehouse.account.scenarios import Answer

NAMES = (
    "night", "release", "published", "rules now", "cut at then",
    "rules", "lag and corrections", "accrual", "known then",
)  # fmt: skip
SERIES = """published    known then, by the rules then
rules now    known then, by the rules now
cut at then  known now, up to the night's data cutoff
known then   share of what the number counts up to the night that was counted then; * under 90 %"""
KINDS = {"added": "first known late", "vanished": "vanished", "edited": "edited"}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("statistic", metavar="STATISTIC", help="a statistic_id")
    parser.add_argument(
        "--from", dest="first", type=a_date, metavar="DATE", help="leave earlier nights out"
    )
    parser.add_argument(
        "--to", dest="last", type=a_date, metavar="DATE", help="leave later nights out"
    )
    parser.add_argument(
        "--lag",
        metavar="ID",
        help="of one release: whose rows were reported late, edited or vanished since",
    )
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write it as a page with a figure, no patient in it",
    )


def _history(context: Context) -> int:
    from flows.telling import progress
    from warehouse.account.history import nights

    given = context.arguments
    where = (context.store, context.registry, context.key, given.statistic)
    if given.lag:
        with progress.doing("history"):
            found = nights.late(*where, context.release(given.lag))
        context.give(_lag_facts(found), _lag_text(given.statistic, given.lag, found))
        return 0
    with progress.doing("history"):
        history = nights.history(*where, given.first, given.last)
    facts = _facts(history)
    if given.html:
        _write(context, given.html, facts)
        context.report({"html": given.html}, f"{given.html}: written.")
        return 0
    context.give(facts, _text(history))
    return 0


def _write(context: Context, to: Path, facts: dict[str, Any]) -> None:
    from report import figure_history
    from warehouse.releases import releases

    content = releases.manifest(context.release(facts["newest"]))["content"]
    about = {
        "registry": content["registry"],
        "release": facts["newest"],
        "data cutoff": content["data_cutoff"],
        "synthetic": "yes" if releases.is_synthetic(content) else "",
    }
    page = figure_history.page(facts, about)
    try:
        to.write_text(page, "utf-8")
    except OSError as fault:
        raise Refused(f"{to}: {fault.strerror}. Name another file with --html.") from None


def _facts(history: "History") -> dict[str, Any]:
    """The history as plain facts; parts of a change are floats, their sum is exact in the text."""
    return {
        "statistic_id": history.statistic["statistic_id"],
        "label": history.statistic["label"],
        "unit": history.statistic["unit"],
        "newest": history.newest,
        "now": asdict(history.now) if history.now else None,
        "nights": [_night_facts(history, night) for night in history.nights],
        "sites": [_plain(asdict(site)) for site in history.sites],
    }


def _night_facts(history: "History", night: "Night") -> dict[str, Any]:
    before = history.mature_before(night) if night.immature else None
    return _plain(asdict(night)) | {"immature": night.immature, "mature_before": before}


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {n: float(v) if isinstance(v, Fraction) else v for n, v in facts.items()}


def _text(history: "History") -> str:
    head = f"{history.statistic['label']} ({history.statistic['unit']}), release {history.newest}: "
    head += _value(history.now)
    rows = [_row(night) for night in history.nights]
    parts = [head, table(NAMES, rows), SERIES]
    notes = [f"{n.release}: {reason}" for n in history.nights for reason in n.reasons]
    notes += [
        f"{n.release}: {n.undated_edits} cells without a date were edited since; they are as today "
        "in the number cut at then"
        for n in history.nights
        if n.undated_edits
    ]
    notes += [_immature(history, n) for n in history.nights if n.immature]
    parts += ["\n".join(notes)] if notes else []
    parts += ["Reporting of deaths:\n" + _sites_text(history.sites)]
    return "\n\n".join(parts)


def _row(night: "Night") -> tuple[Any, ...]:
    share = "" if night.known is None else f"{float(100 * night.known):.0f} %"
    held = "" if night.status == "published" else f" ({night.status})"
    return (
        night.night,
        night.release + held,
        _value(night.then_then),
        _value(night.then_now),
        _value(night.now_cut),
        *(_part(p) for p in (night.rules, night.lag, night.accrual)),
        f"{share} *" if night.immature else share,
    )


def _immature(history: "History", night: "Night") -> str:
    before = history.mature_before(night)
    known = f"the last night before with 90 % is {before}" if before else "no night before had 90 %"
    share = float(100 * (night.known or 0))
    return f"{night.release}: {share:.0f} % of the events up to the night were known; {known}"


def _sites_text(sites: "tuple[SiteReports, ...]") -> str:
    names = (
        "site", "deliveries", "deaths", "with a delay", "half within", "90 % within", "follow-up",
    )  # fmt: skip
    rows = [
        (
            s.site_id,
            s.deliveries,
            s.deaths,
            s.delays_seen,
            _days(s.median_days),
            _days(s.most_days),
            "" if s.completeness is None else f"{float(100 * s.completeness):.1f} %",
        )
        for s in sites
    ]
    told = [
        f"{s.site_id}: deaths of the last {s.most_days} days are under 90 % known"
        for s in sites
        if s.most_days
    ]
    legend = "follow-up  observed of potential person-time up to the data cutoff (Clark's C)"
    return "\n".join([table(names, rows), legend, *told])


def _days(days: int | None) -> str:
    return "" if days is None else f"{days} days"


def _value(answer: "Answer | None") -> str:
    if answer is None:
        return "-"
    return "not reached" if answer.value is None else f"{answer.value:.6g}"


def _part(part: Fraction | None) -> str:
    if part is None:
        return "-"
    return f"{float(part):+.6g}" if part else "0"


def _lag_facts(found: "PatientShares | None") -> Any:
    if found is None:
        return None
    return {
        "change": float(found.change),
        "method": found.method,
        "remainder": float(found.remainder),
        "patients": [
            {
                "subject_id": p.subject_id,
                "contribution": float(p.contribution),
                "kinds": _kinds(p),
            }
            for p in found.patients
        ],
    }


def _kinds(share: Any) -> list[str]:
    return sorted({KINDS.get(c.kind, c.kind) for c in share.cells}) or ["another patient's rows"]


def _lag_text(statistic: str, release: str, found: "PatientShares | None") -> str:
    if found is None:
        raise Refused(
            f"{statistic}: release {release} or today's rows cut at its night have no such number, "
            "so there is no lag to divide."
        )
    head = f"{statistic}, {release}: lag and corrections {_part(found.change)}"
    rows = [(p.subject_id, _part(p.contribution), ", ".join(_kinds(p))) for p in found.patients]
    listed = table(("patient", "contribution", "rows"), rows) if rows else "No patient moves it."
    rest = f"\njoint: {_part(found.remainder)}" if found.remainder else ""
    return f"{head}\n{listed}{rest}"


COMMANDS = (
    Command(
        name="history",
        help="show how a published number came to be: rules, late reports, time going on",
        example="y90 history survival_medians.all.os.subject.overall.overall.midpoint",
        answer=_history,
        arguments=_arguments,
    ),
)

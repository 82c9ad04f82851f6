"""The commands y90 show and y90 regrade: the rule behind each class and grade of a patient."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flows.commands.command import Command, Context, pairs, table
from schemas.errors import Refused

if TYPE_CHECKING:
    from warehouse.account.show import Facts, Shown

NAMED = "id, channel, stable label or night (default: current)"
QUANTITIES = {
    "baseline": "baseline",
    "nadir": "nadir before",
    "value": "measured",
    "change_from_baseline_pct": "from baseline",
    "change_from_nadir_pct": "from nadir",
    "response": "class",
    "rule": "rule",
    "source_row_ids": "row",
}
BESIDE = {"new_lesion": "new lesion", "non_target": "non-target", "n_lesions": "lesions"}
CLOSED = "after its end"
"""Of a time point after the response window: it is told, and does not count."""
BEST = {
    "best_response": "best response",
    "best_response_day": "on day",
    "first_response_day": "first response",
    "progression_day": "progression",
    "reason": "not evaluable",
}


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", nargs="?", metavar="SUBJECT", help="a subject_id")
    parser.add_argument("--site", metavar="S", help="instead of a subject: a patient of S")
    parser.add_argument("--patient", metavar="ID", help="the patient's id there; needs the key")
    parser.add_argument("--release", metavar="ID", help=NAMED)


def _show(context: Context) -> int:
    from warehouse.account import show

    given = context.arguments
    release = context.release(given.release)
    subject = _subject(context)
    try:
        found = show.show(release, subject)
    except Refused:
        if given.subject:
            raise
        raise Refused(  # pseudonyms that look alike belong to other patients
            f"y90 show: release {release.name} has no such patient of {given.site}. Write the id "
            "as the centre delivers it; a release made with another key has other pseudonyms."
        ) from None
    facts = show.plain({"release_id": release.name, **asdict(found)})
    context.give(facts, shown_text(release.name, found))
    return 0


def _subject(context: Context) -> str:
    """The subject asked for, or the pseudonym of the patient asked for."""
    given = context.arguments
    if given.subject and not (given.site or given.patient):
        return str(given.subject)
    if given.subject or not (given.site and given.patient):
        raise Refused("y90 show: name a SUBJECT, or a patient by --site and --patient.")
    from flows.commands.centres.check import site_named
    from warehouse.engine.pseudonyms import pseudonym

    site = site_named(context, given.site).site_id
    return pseudonym(context.key, site, given.patient.strip())


def shown_text(release: str, found: "Shown") -> str:
    """What a release says of a subject, for people."""
    parts = [_head(release, found)]
    for lesion in sorted({entry["lesion_number"] for entry in found.best + found.assessments}):
        parts += [_lesion(found, lesion)]
    parts += [_recorded(found.recorded)] if found.recorded else []
    parts += [_progression(found.progression)] if found.progression else []
    parts += [_meanings(found.rules)] if found.rules else []
    parts += [_labs(found.labs)] if found.labs else ["No laboratory result after treatment."]
    parts += [_events(found.events)] if found.events else []
    parts += [_endpoints(found.endpoints)] if found.endpoints else ["No endpoint."]
    return "\n\n".join(parts)


def _head(release: str, found: "Shown") -> str:
    s = found.subject
    told = {
        "subject": s["subject_id"],
        "release": release,
        "site": s["site_id"],
        "treated": f"yes, T0 in {s['t0_year']}" if s["treated"] else "no",
        "eligible": "every rule passed" if s["per_criteria"] else _not_passed(found.eligibility),
    }
    return pairs(told)


def _not_passed(rules: "tuple[Facts, ...]") -> str:
    told = (f"{r['rule_id']} {r['status']} ({r['reason'] or r['value']})" for r in rules)
    return ", ".join(told) or "not treated"


def _lesion(found: "Shown", lesion: int) -> str:
    """Every time point of a lesion, the criteria side by side, then the best responses."""
    name = f"Lesion {lesion}" if lesion else "Subject: sums of lesions, new lesions, other disease"
    seen = [e for e in found.assessments if e["lesion_number"] == lesion]
    criteria = list(dict.fromkeys(c for e in found.assessments + found.best for c in e["criteria"]))
    lines = [line for entry in seen for line in _time_point(entry, criteria)]
    for entry in (e for e in found.best if e["lesion_number"] == lesion):
        lines += _grid(("best", entry["confirmation"], ""), entry["criteria"], criteria, BEST)
    return f"{name}\n{table(('day', 'reader', 'scan', '', *criteria), lines)}"


def _time_point(entry: "Facts", criteria: list[str]) -> list[tuple[Any, ...]]:
    place = (entry["rel_day"], entry["reader"], entry["modality"])
    said = next(iter(entry["criteria"].values()))
    lines = _grid(place, entry["criteria"], criteria, QUANTITIES)
    if entry["lesion_number"] == 0:
        lines = [line for line in lines if line[3] != QUANTITIES["source_row_ids"]]
        lines += _grid(("", "", ""), entry["criteria"], criteria, BESIDE)
    if not said["in_window"]:
        yes = ("yes" if name in entry["criteria"] else "" for name in criteria)
        lines += [("", "", "", CLOSED, *yes)]
    return lines


def _grid(
    place: tuple[Any, ...], said: "Facts", criteria: list[str], words: dict[str, str]
) -> list[tuple[Any, ...]]:
    """One line per quantity that any criterion knows."""
    lines = [
        (word, *(_cell(said.get(criterion, {}).get(name), name) for criterion in criteria))
        for name, word in words.items()
    ]
    known = [line for line in lines if any(line[1:])]
    first = [place, *([("",) * len(place)] * (len(known) - 1))]
    return [(*where, *line) for where, line in zip(first, known, strict=False)]


def _cell(value: Any, name: str) -> str:
    if value is None:
        return ""
    return f"{value:+.1f} %" if name.endswith("_pct") else _number(value)


def _number(value: Any) -> str:
    from decimal import Decimal

    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _recorded(entries: "tuple[Facts, ...]") -> str:
    """Recorded classes beside the derived ones; the kind of a disagreement stands last."""
    names = (
        "criterion", "day", "reader", "source", "recorded", "derived", "on day", "differs by",
        "row",
    )  # fmt: skip
    rows = [
        (
            e["criterion"],
            e["rel_day"],
            "best" if e["entry"] == "best" else e["reader"],
            e["source"],
            e["recorded"] if e["in_window"] else f"{e['recorded']} ({CLOSED})",
            e["derived"],
            e["derived_day"],
            e["disagreement"],
            e["source_row_id"],
        )
        for e in entries
    ]
    return f"Recorded classes beside the derived ones\n{table(names, rows)}"


AGREEMENT = {
    "same_day": "the same day",
    "recorded_earlier": "recorded earlier",
    "recorded_later": "recorded later",
    "recorded_only": "recorded, and not derived",
    "derived_only": "derived, and not recorded",
}


def _progression(entries: "tuple[Facts, ...]") -> str:
    """The first progression as recorded and as derived, and how they differ."""
    names = ("derived on day", "recorded on day", "days apart", "", "derived from", "recorded in")
    rows = [
        (
            e["derived_day"],
            e["recorded_day"],
            e["days_apart"],
            AGREEMENT[e["agreement"]],
            e["derived_row_id"],
            e["recorded_row_id"],
        )
        for e in entries
    ]
    return f"Progression as derived and as recorded\n{table(names, rows)}"


def _meanings(rules: dict[str, str]) -> str:
    sizes = "Sizes: products in mm2 (WHO, EASL), lengths in mm (RECIST 1.1, mRECIST)."
    return f"Rules\n{table(('rule', 'means'), list(rules.items()))}\n{sizes}"


def _labs(labs: "tuple[Facts, ...]") -> str:
    names = (
        "analyte", "version", "grade", "at baseline", "window", "day", "result", "unit", "limits",
        "baseline", "rule", "row",
    )  # fmt: skip
    return (
        f"Laboratory: the result behind each worst grade\n{table(names, [_lab(r) for r in labs])}"
    )


def _lab(row: "Facts") -> tuple[Any, ...]:
    if row["grade"] is None:
        head = (row["analyte"], row["ctcae_version"], "not gradable", None)
        return (
            *head,
            "any",
            None,
            f"{row['n']} result{'s' * (row['n'] > 1)}",
            None,
            None,
            None,
            row["reason"],
            None,
        )
    return (
        row["analyte"],
        row["ctcae_version"],
        row["grade"],
        row["baseline_grade"],
        " ".join(row["windows"]),
        row["rel_day"],
        f"{row['value_comparator'] or ''}{_cell(row['value'], 'value')}",
        row["unit"],
        _limits(row),
        _cell(row["baseline_value"], "value"),
        row["rule"],
        row["source_row_id"],
    )


def _limits(row: "Facts") -> str:
    low, high = (_cell(row[name], name) for name in ("lower_limit", "upper_limit"))
    return f"{low or '?'} to {high or '?'}" if low or high else "none"


def _events(events: "tuple[Facts, ...]") -> str:
    names = (
        "term", "version", "grade", "at baseline", "window", "day", "emergent", "related", "reason",
        "row",
    )  # fmt: skip
    rows = [
        (
            e["term"],
            e["ctcae_version"],
            e["worst_grade"],
            e["baseline_grade"],
            " ".join(e["windows"]),
            e["worst_day"],
            _yes(e["emergent"]),
            _yes(e["related"]),
            e["reason"],
            e["source_row_id"],
        )
        for e in events
    ]
    return f"Clinical events: the event behind each worst grade\n{table(names, rows)}"


def _yes(statement: bool | None) -> str:
    return {True: "yes", False: "no", None: "unknown"}[statement]


def _endpoints(endpoints: "tuple[Facts, ...]") -> str:
    names = ("endpoint", "lesion", "from day", "days", "", "cause", "reason", "decided by", "row")
    rows = [
        (
            e["endpoint"],
            e["lesion_number"] or "",
            e["start_day"],
            _number(e["time_days"]),
            "event" if e["event"] else "censored",
            e["cause"],
            e["reason"],
            ".".join(filter(None, (e["source_table"], e["source_column"]))),
            e["source_row_id"],
        )
        for e in endpoints
    ]
    return f"Endpoints\n{table(names, rows)}"


def _regrade_arguments(parser: argparse.ArgumentParser) -> None:
    for name, words in (("from", "the version to leave"), ("to", "the version to grade by")):
        parser.add_argument(
            f"--{name}",
            dest=f"{name}_version",
            required=True,
            type=_version,
            metavar="VERSION",
            help=words,
        )
    parser.add_argument("--release", metavar="ID", help=NAMED)


def _version(text: str) -> str:
    from schemas.settings import VERSIONS

    if text not in VERSIONS:
        raise argparse.ArgumentTypeError(
            f"the CTCAE version '{text}' is unknown. Use one of {', '.join(VERSIONS)}"
        )
    return text


def _regrade(context: Context) -> int:
    from warehouse.account.regrading import moved

    given = context.arguments
    release = context.release(given.release)
    found = moved(release, given.from_version, given.to_version)
    facts = {"from": given.from_version, "to": given.to_version, "moved": found}
    context.give(facts, _moved_text(given.from_version, given.to_version, found))
    return 0


def _moved_text(before: str, after: str, found: "list[Facts]") -> str:
    if not found:
        return f"Nobody's worst grade moves from CTCAE {before} to {after}."
    names = ("subject", "analyte", before, "day", "rule", after, "day", "rule")
    sides = [f"{n}_{side}" for side in ("from", "to") for n in ("worst_grade", "rel_day", "rule")]
    rows = [(r["subject_id"], r["analyte"], *(_grade(r, n) for n in sides)) for r in found]
    people = len({row["subject_id"] for row in found})
    moves = "grades after treatment move" if len(found) > 1 else "grade after treatment moves"
    told = f"{people} subject{'s' * (people > 1)}: {len(found)} worst {moves}."
    return f"{table(names, rows)}\n{told}"


def _grade(row: "Facts", name: str) -> Any:
    absent = row[name] is None and name.startswith("worst_grade")
    return row[name.replace("worst_grade", "why")] if absent else row[name]


COMMANDS = (
    Command(
        name="show",
        help=(
            "show a patient's classes and grades with the measurements, limits and rules "
            "behind them"
        ),
        example="y90 show 045f3b4239e26eab",
        answer=_show,
        arguments=_show_arguments,
    ),
    Command(
        name="regrade",
        help="list the patients whose grade changes under another CTCAE version, and why",
        example="y90 regrade --from 3.0 --to 5.0",
        answer=_regrade,
        arguments=_regrade_arguments,
    ),
)

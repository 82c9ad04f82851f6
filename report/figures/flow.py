"""Who was studied: the flow of patients, and each criterion asked of every treated patient.

Follows the flow diagrams of STROBE (von Elm 2007, item 13) and CONSORT (Schulz 2010, item 13).
"""

from dataclasses import dataclass

from report.figures.model import Exhibit, Number, Row, Table
from report.figures.source import Connection, Record, counted, records

UNNAMED_STEPS = ("delivered", "treated")


@dataclass(frozen=True, slots=True)
class Step:
    """One box of the flow, and the box beside the arrow that leads to the next one."""

    lines: tuple[str, ...]
    aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow(Exhibit):
    """The boxes from above to below, and the analyses side by side under the last one."""

    steps: tuple[Step, ...] = ()
    analyses: tuple[tuple[str, ...], ...] = ()


def flow(con: Connection) -> Flow:
    """Patients delivered, treated, within every criterion, and in each analysis."""
    title = "Flow of patients"
    found = records(con, "SELECT * FROM outcomes.attrition WHERE population = 'all' ORDER BY step")
    by_rule = {r["rule_id"]: r for r in found}
    if not found or "delivered" not in by_rule or "treated" not in by_rule:
        return Flow(id="flow", title=title, empty="No patient was delivered.")
    delivered, treated = by_rule["delivered"], by_rule["treated"]
    rules = [r for r in found if r["rule_id"] not in UNNAMED_STEPS]
    last = rules[-1]["n_out"] if rules else treated["n_out"]
    steps = (
        Step(
            (f"Delivered by the centres (n\u00a0=\u00a0{delivered['n_out']})",),
            (_not_treated(treated),),
        ),
        Step(
            (f"At least one ⁹⁰Y treatment (n\u00a0=\u00a0{treated['n_out']})", "population “all”"),
            _outside(rules),
        ),
        Step((f"Meets every criterion (n\u00a0=\u00a0{last})", "population “per criteria”")),
    )
    analyses, numbers = _analyses(con)
    return Flow(
        id="flow",
        title=title,
        description=f"{delivered['n_out']} delivered, {treated['n_out']} treated, {last} meet "
        f"every criterion of the protocol. {' '.join('; '.join(a) for a in analyses)}",
        n=delivered["n_out"],
        notes=(
            "Analyses are of all treated patients. Criteria are asked in turn, so that a patient "
            "leaves at the first one that is not met; the table asks each of everybody. Not known "
            "is neither met nor failed.",
        ),
        numbers=(*(Number(r["statistic_id"], "n_out", str(r["n_out"])) for r in found), *numbers),
        steps=steps,
        analyses=analyses,
    )


def _not_treated(treated: Record) -> str:
    unknown = f"; not known n\u00a0=\u00a0{treated['n_unknown']}" if treated["n_unknown"] else ""
    return f"Not treated (n\u00a0=\u00a0{treated['n_excluded']}{unknown})"


def _outside(rules: list[Record]) -> tuple[str, ...]:
    """The box of who leaves: each criterion by which anybody leaves, then the others in a line."""
    if not rules:
        return ("No criterion was asked",)
    out, unknown = (sum(r[c] for r in rules) for c in ("n_excluded", "n_unknown"))
    lines = [f"Outside a criterion (n\u00a0=\u00a0{out}); not known (n\u00a0=\u00a0{unknown})"]
    for r in rules:
        if r["n_excluded"] or r["n_unknown"]:
            told = [f"n\u00a0=\u00a0{r['n_excluded']}"] if r["n_excluded"] else []
            told += [f"not known {r['n_unknown']}"] if r["n_unknown"] else []
            lines.append(f"• {r['rule_id']} {r['label']} ({'; '.join(told)})")
    none = [r["rule_id"] for r in rules if not r["n_excluded"] and not r["n_unknown"]]
    if none:
        lines.append(f"• nobody by {', '.join(none)}")
    return tuple(lines)


def _analyses(con: Connection) -> tuple[tuple[tuple[str, ...], ...], list[Number]]:
    """What each analysis is of: survival, response, toxicity."""
    survival = records(
        con,
        "SELECT statistic_id, n, events FROM outcomes.survival_medians WHERE population = 'all' "
        "AND endpoint = 'OS' AND factor = '' AND rule = 'midpoint' AND n > 0",
    )
    response = records(
        con,
        "SELECT statistic_id, criterion, n, total FROM outcomes.response_summary "
        "WHERE population = 'all' AND level = 'subject' AND organ = 'all' "
        "AND confirmation = 'unconfirmed' AND category = 'NE' ORDER BY criterion",
    )
    boxes = [
        _survival_box(survival),
        _response_box([r for r in response if r["total"]]),
        _toxicity_box(con),
    ]
    numbers = [Number(r["statistic_id"], c, str(r[c])) for r in survival for c in ("n", "events")]
    numbers += [
        Number(r["statistic_id"], c, str(r[c]))
        for r in response
        if r["total"]
        for c in ("n", "total")
    ]
    return tuple(boxes), numbers


def _survival_box(found: list[Record]) -> tuple[str, ...]:
    if not found:
        return ("Overall survival", "not derivable")
    n, events = found[0]["n"], found[0]["events"]
    return ("Overall survival", f"n\u00a0=\u00a0{n}: {events} died, {n - events} censored")


def _response_box(found: list[Record]) -> tuple[str, ...]:
    if not found:
        return ("Best response", "not derivable")
    lines = [
        f"{r['criterion']}: {r['total'] - r['n']} evaluable, {r['n']} not evaluable" for r in found
    ]
    return (f"Best response (n\u00a0=\u00a0{found[0]['total']})", *lines)


def _toxicity_box(con: Connection) -> tuple[str, ...]:
    found = records(
        con,
        "SELECT source, max(total) AS most, max(n_treated) AS treated "
        "FROM outcomes.toxicity_summary WHERE population = 'all' AND time_window = 'any' "
        "AND grade = 'any' GROUP BY source ORDER BY source",
    )
    names = {"event": "adverse events", "lab": "a laboratory value"}
    lines = [f"{names.get(r['source'], r['source'])}: {r['most'] or 0} assessed" for r in found]
    treated = max((r["treated"] or 0 for r in found), default=0)
    return (
        (f"Toxicity (n\u00a0=\u00a0{treated})", *lines) if found else ("Toxicity", "not derivable")
    )


def criteria(con: Connection) -> Table:
    """Each criterion: in turn of who is left, and of every treated patient."""
    found = records(
        con,
        "SELECT a.rule_id, a.label, a.note, n_in, n_excluded, n_unknown, n_out, "
        "count(*) FILTER (e.status = 'pass') AS met, "
        "count(*) FILTER (e.status = 'fail') AS failed, "
        "count(*) FILTER (e.status = 'unknown') AS unknown FROM outcomes.attrition a "
        "LEFT JOIN (SELECT e.* FROM marts.eligibility e JOIN marts.subjects s USING (subject_id) "
        "WHERE s.treated) e USING (rule_id) WHERE population = 'all' "
        "GROUP BY a.rule_id, a.label, a.note, n_in, n_excluded, n_unknown, n_out, step "
        "ORDER BY step",
    )
    rows = [
        Row(
            (
                f"{r['rule_id']} {r['label']}" + (f" ({r['note']})" if r["note"] else "")
                if r["rule_id"] not in UNNAMED_STEPS
                else r["label"],
                *(str(r[c]) for c in ("n_in", "n_excluded", "n_unknown", "n_out")),
                *(
                    ("", "", "")
                    if r["rule_id"] in UNNAMED_STEPS
                    else (str(r["met"]), str(r["failed"]), str(r["unknown"]))
                ),
            )
        )
        for r in found
    ]
    return Table(
        id="criteria",
        title="The criteria, one by one",
        description=f"{counted(len(rows), 'step')}.",
        notes=(
            "In turn: of the patients who are left. Of everybody: of all treated patients, so that "
            "the numbers say how many fail a criterion, wherever it stands.",
        ),
        empty="" if rows else "No patient was delivered.",
        columns=(
            "criterion",
            "in turn: in",
            "outside",
            "not known",
            "left",
            "of everybody: met",
            "failed",
            "not known",
        ),
        rows=tuple(rows),
    )

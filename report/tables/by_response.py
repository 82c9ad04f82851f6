"""Survival by response, by each method, and how far readers agree on the response."""

from report.figures import words
from report.figures.model import Number, Row, Table
from report.figures.source import Connection, Record, interval, number, p_value, records

SAID = {
    "landmark": "landmark, {at_days} days",
    "time_dependent": "response as it comes with time",
    "immortal_time": "by best response from T0 (wrong: immortal time)",
}
COLUMNS = (
    "",
    "responders, events",
    "median (months)",
    "others, events",
    "median (months)",
    "hazard ratio",
    "p",
    "left out: died, not followed",
    "not evaluable",
)


def survival_by_response(con: Connection) -> Table:
    """Responders beside the others under every criterion that can be judged."""
    found = records(con, "SELECT * FROM outcomes.survival_by_response WHERE population = 'all'")
    methods: dict[tuple[str, str, int], dict[str, Record]] = {}
    for r in found:
        methods.setdefault((r["criterion"], r["method"], r["at_days"]), {})[r["category"]] = r
    rows: list[Row] = []
    numbers: list[Number] = []
    for criterion in sorted({c for c, _, _ in methods}):
        own = {k: g for k, g in methods.items() if k[0] == criterion}
        if not any(g["responders"]["n"] for g in own.values()):
            continue
        rows.append(Row((criterion, *[""] * (len(COLUMNS) - 1)), heading=True))
        for _, groups in sorted(own.items(), key=lambda k: (list(SAID).index(k[0][1]), k[0][2])):
            rows.append(_row(groups))
            numbers += _numbers(groups)
    return Table(
        id="survival-by-response",
        title="Overall survival by response",
        notes=(
            "Responders are patients with CR or PR, the others those evaluable without. At a "
            "landmark the response up to that day parts those who are alive and followed beyond "
            "it, and survival counts from it. With time, everyone is among the others until the "
            "response. Who responds has lived until then, so that the comparison from T0 by best "
            "response flatters responders whatever treatment does: it is shown as the wrong one.",
        ),
        abbreviations=("CR", "PR", "EASL", "mRECIST", "RECIST", "WHO"),
        numbers=tuple(numbers),
        empty="" if rows else "No patient responded under any criterion.",
        columns=COLUMNS,
        rows=tuple(rows),
    )


def _row(groups: dict[str, Record]) -> Row:
    responders, others = groups["responders"], groups["others"]
    ratio = responders["hr"]
    said = (
        f"{number(ratio, 2)} ({interval(responders['hr_lower'], responders['hr_upper'], 2)})"
        if ratio is not None
        else "not derivable"
    )
    left = f"{responders['left_out_dead']}, {responders['left_out_censored']}"
    return Row(
        (
            SAID[responders["method"]].format(**responders),
            f"{responders['n']}, {responders['events']}",
            _median(responders),
            f"{others['n']}, {others['events']}",
            _median(others),
            said,
            p_value(responders["hr_p"]),
            left if responders["method"] == "landmark" else "",
            str(groups["NE"]["n"]) if "NE" in groups else "",
        ),
        1,
    )


def _median(r: Record) -> str:
    if r["method"] == "time_dependent" or not r["n"]:
        return ""
    around = interval(r["lower"], r["upper"])
    return f"{number(r['median_months']) or 'NR'} ({around})" if around else "NR"


def _numbers(groups: dict[str, Record]) -> list[Number]:
    said = []
    for group in ("responders", "others"):
        r = groups[group]
        said += [Number(r["statistic_id"], c, str(r[c])) for c in ("n", "events")]
        said += [
            Number(r["statistic_id"], c, number(r[c]))
            for c in ("median_months", "lower", "upper")
            if r[c] is not None
        ]
        said += [
            Number(r["statistic_id"], c, number(r[c], 2))
            for c in ("hr", "hr_lower", "hr_upper")
            if r[c] is not None
        ]
    return said


COEFFICIENTS = {
    "cohen": "Cohen's kappa",
    "cohen_linear": "Cohen's kappa, linear weights",
    "fleiss": "Fleiss's kappa",
}


def readers(con: Connection) -> Table:
    """How far readers agree on the best response, beyond chance."""
    found = records(
        con,
        "SELECT * FROM outcomes.reader_agreement WHERE population = 'all' AND n > 0 "
        "ORDER BY level DESC, criterion, reader_a = 'all', reader_a, reader_b, coefficient",
    )
    rows = [
        Row(
            (
                f"{r['criterion']} by {words.unit(r['level'])}",
                "all readers" if r["reader_a"] == "all" else f"{r['reader_a']}, {r['reader_b']}",
                COEFFICIENTS[r["coefficient"]],
                f"{r['agreed']} of {r['n']}",
                number(r["kappa"], 2) or "not derivable",
                interval(r["lower"], r["upper"], 2),
            )
        )
        for r in found
    ]
    numbers = [
        Number(r["statistic_id"], c, number(r[c], 2))
        for r in found
        for c in ("kappa", "lower", "upper")
        if r[c] is not None
    ]
    return Table(
        id="readers",
        title="Agreement of readers",
        notes=(
            "Best responses, unconfirmed, in CR, PR, SD and PD; whoever one of the readers could "
            "not evaluate is left out. Limits by Fleiss, Cohen and Everitt by patient, by "
            "resampling of patients by lesion and of all readers.",
        ),
        abbreviations=("CR", "PR", "SD", "PD", "EASL", "mRECIST", "RECIST", "WHO"),
        numbers=tuple(numbers),
        empty="" if rows else "One reader only.",
        columns=("", "readers", "coefficient", "same class", "kappa", "95 % CI"),
        rows=tuple(rows),
    )

"""Ids, statistics and member sets of the published numbers; the only place that rounds.

Statistics are made from the `Statistic` declarations of the outcome contracts, one row per number,
whatever table it stands in.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from string import Formatter
from typing import Any

import ibis.expr.types as ir

from analytics.fetched import fetched_records, whole
from schemas.contract import Contract, Statistic, options, rows
from schemas.records.analytes import BY_CODE
from schemas.records.endpoints import LABEL, RESTING_ON_RESPONSE
from schemas.records.factors import BY_ENDPOINT, FACTORS, SETTLED
from schemas.records.field.dose_questions import DOSE_LABELS
from schemas.records.field.journals import PLAIN, Journal
from schemas.records.field.markers import MARKER_LABELS
from schemas.settings import OutcomeSettings
from schemas.statistic_ids import joined, set_id, slug
from schemas.tables.outcomes import Outcome, Statistics

Define = Callable[[type[Contract], Statistic, Mapping[str, Any]], str]
"""Gives the number of a row of an outcome table, by its declaration, the hash of its definition."""

SIGNIFICANT = 0.05
CLASSES = {
    "CR": "complete response",
    "PR": "partial response",
    "SD": "stable disease",
    "PD": "progressive disease",
    "NE": "not evaluable",
    "ORR": "objective response rate",
    "DCR": "disease control rate",
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "endpoint": LABEL,
    "factor": {record.factor: record.label for record in FACTORS},
    "category": CLASSES,
    "category_a": CLASSES,
    "category_b": CLASSES,
    "marker": MARKER_LABELS,
    "outcome": DOSE_LABELS,
    "quantity": {r.code: r.label for r in BY_CODE.values()},
}
"""Column of an outcome -> its codes in words, as a statistic's label says them."""


def p_value(p: float | None, journal: Journal = PLAIN) -> str:
    """A p-value as a journal prints it: 0.0019, 0.017, < 0.0001; empty where there is none.

    Of two digits a p below 0.05 is never printed as 0.05: it has a third.
    """
    if p is None:
        return ""
    if p < journal.p_least:
        return _as_p(f"< {format(journal.p_least, 'f').rstrip('0')}", journal)
    digits = next(d for limit, d in journal.p_digits if p < limit)
    if digits == 2 and p < SIGNIFICANT and float(rounded(p, 2)) == SIGNIFICANT:
        digits += 1
    text = rounded(p, digits)
    if not journal.p_zero and float(text) == 1:
        text = "> 0.99"
    return _as_p(text, journal)


def _as_p(text: str, journal: Journal) -> str:
    shown = text if journal.p_zero else text.replace("0.", ".", 1)
    return shown.replace(".", journal.decimal)


def printed(value: float, digits: int, journal: Journal = PLAIN) -> str:
    """A number as a journal prints it, half away from zero, with a true minus."""
    return rounded(value, digits).replace("-", "−").replace(".", journal.decimal)


def rounded(value: float, digits: int) -> str:
    """Round half away from zero on the decimal value, as printed tables do; zero has no sign."""
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(repr(value)).quantize(step, rounding=ROUND_HALF_UP) + 0)


def as_chosen(settings: OutcomeSettings, criterion: str) -> OutcomeSettings:
    """The settings with the criterion of the endpoints that a release chose, so that it defines."""
    survival = settings.survival.model_copy(update={"endpoint_criterion": criterion})
    return settings.model_copy(update={"survival": survival})


def undefined(_: type[Contract], __: Statistic, ___: Mapping[str, Any]) -> str:
    """No definition, for numbers that are compared and not published."""
    return ""


def statistics(
    outcomes: Mapping[type[Outcome], ir.Table], define: Define, judged_by: str = ""
) -> ir.Table:
    """Every published number as one row, with what it was computed over and what it counts.

    Args:
        outcomes: the tables by contract.
        define: gives the number of a row its definition.
        judged_by: the criterion by which endpoints judge response; empty where none can.
    """
    listed: list[dict[str, Any]] = []
    for contract, table in outcomes.items():
        listed += statistics_of(contract, fetched_records(whole, table), define, judged_by)
    return rows(listed, Statistics)


def statistics_of(
    contract: type[Outcome],
    published: Sequence[Mapping[str, Any]],
    define: Define = undefined,
    judged_by: str = "",
) -> list[dict[str, Any]]:
    """The numbers in rows of one outcome table, as rows of the statistics."""
    listed: list[dict[str, Any]] = []
    for number, declared in enumerate(options(contract).statistics):
        listed += [
            _statistic(contract, declared, number, r, define(contract, declared, r))
            | _judged(declared, r, judged_by)
            for r in published
            if r[declared.value] is not None or r.get("reason") or _not_reached(declared, r)
        ]
    return listed


def _judged(declared: Statistic, record: Mapping[str, Any], judged_by: str) -> dict[str, str]:
    """The method of an endpoint that rests on response names the criterion."""
    if not judged_by or record.get("endpoint") not in RESTING_ON_RESPONSE:
        return {}
    return {"method": f"{declared.method.format(**record)}, response by {judged_by}"}


def _not_reached(declared: Statistic, record: Mapping[str, Any]) -> bool:
    """A median of somebody that the curve does not reach: the number is there, if without value."""
    return declared.unit == "months" and bool(declared.total and record[declared.total])


def _statistic(
    contract: type[Outcome],
    declared: Statistic,
    number: int,
    record: Mapping[str, Any],
    digest: str,
) -> dict[str, Any]:
    suffix = "" if number == 0 else f".{declared.value}"
    take = {
        part: record[column] if (column := getattr(declared, part)) else None
        for part in ("value", "lower", "upper", "n", "total")
    }
    return take | {
        "statistic_id": record["statistic_id"] + suffix,
        "label": " ".join(declared.label.format(**_worded(record)).split()),
        "unit": declared.unit.format(**record),
        "method": declared.method.format(**record),
        "definition": digest,
        "population_set": _population(declared, record),
        "numerator_set": _numerator(contract, declared, record),
    }


def _worded(record: Mapping[str, Any]) -> dict[str, Any]:
    """A row's codes as words to search for, each with its code: `overall survival (OS)`."""
    worded = dict(record)
    for column, words in WORDS.items():
        code = str(record.get(column))
        if code in words:
            worded[column] = f"{words[code]} ({code})"
    if record.get("level") == "subject":
        worded["level"] = "patient"
    return worded


def _numerator(
    contract: type[Outcome], declared: Statistic, record: Mapping[str, Any]
) -> str | None:
    if declared.numerator is not None:
        return _named(declared.numerator, record) or None
    for where, parts in declared.made_of:
        if all(record[name] == value for name, value in where.items()):
            return " | ".join(set_id(contract, {**record, **part}) for part in parts)
    return set_id(contract, record)


SETTLED_CODES = frozenset(record.factor for record in SETTLED)
"""Factors of which no member set is kept beside the table that compares them."""


def _population(declared: Statistic, record: Mapping[str, Any]) -> str:
    sets = [_named(declared.population, record)]
    if record.get("factor") and record["factor"] not in SETTLED_CODES:
        of_endpoint = record["factor"] in BY_ENDPOINT and "endpoint" in record
        endpoint = (record["endpoint"],) if of_endpoint else ()
        sets.append(joined("factor", record["factor"], record["factor_level"], *endpoint))
    return " & ".join(sets)


def _named(template: str, record: Mapping[str, Any]) -> str:
    """The id of a set, with the row's codes as slugs in the template's braces."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    return template.format(**{name: slug(record[name]) for name in names})

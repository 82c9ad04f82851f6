"""The file numbers.lock: which statistic each number of a document stands for.

[numbers.os_median]
text = "34.4"
statistic_id = "survival_medians.all.os.subject.overall.overall.midpoint"
field = "median_months"
value = 34.39835728952772
release = "2011.03.31"
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """One number that a document has taken from a release.

    Attributes:
        label: its name in the document.
        value: what it was, unrounded.
        release: the release it was taken from.
        statistic_id: the statistic; None where `sql` says what it is.
        sql: a query that gives one value.
        text: as it is printed.
        field: a column of the statistic's outcome table, such as `lower`; None for its value.
        scale: it is printed times this: a survival of 0.725 is 72.5 %.
        style: the journal that it is printed for; None for none.
    """

    label: str
    value: float | None
    release: str
    statistic_id: str | None = None
    sql: str | None = None
    text: str | None = None
    field: str | None = None
    scale: int = 1
    style: str | None = None


KEYS = ("text", "statistic_id", "field", "sql", "scale", "style", "value", "release")
"""Keys of an entry, in the order in which they are written."""


def written(numbers: Iterable[Number]) -> str:
    """Return a lock file, sorted by label; what is not said is left out."""
    return "\n".join(map(_entry, sorted(numbers, key=lambda n: n.label)))


def _entry(number: Number) -> str:
    facts = {key: getattr(number, key) for key in KEYS}
    said = {k: v for k, v in facts.items() if v is not None and (k, v) != ("scale", 1)}
    lines = [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in said.items()]
    return "\n".join([f"[numbers.{number.label}]", *lines, ""])

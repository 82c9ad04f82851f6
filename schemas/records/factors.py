"""By what patients are compared: the prognostic factors of the series, and a few descriptive ones.

Each factor is a record: its column in `subjects`, its levels with the good one first (it is the
reference, so that a hazard ratio above 1 means worse), and what happens on the boundary. A numeric
factor has an exact limit in place of levels.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894, univariate analysis.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from schemas.contract import column_names
from schemas.records.record import checked
from schemas.tables.marts import Subjects

MEMON = "Memon 2012, univariate analysis"
REGISTRY = "this registry"
GROUP = "group"
"""Code of the factor whose levels a source names with its times."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level: its published name and the values of the column that belong to it."""

    label: str
    values: tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """An exact limit of a numeric column, and which values belong to the good level."""

    value: str
    good: Literal["<=", "<", ">=", ">"] = "<="

    @property
    def labels(self) -> tuple[str, str]:
        """The names of the good and of the bad level: `<=20` and `>20`."""
        other = {"<=": ">", "<": ">=", ">=": "<", ">": "<="}[self.good]
        return f"{self.good}{self.value}", f"{other}{self.value}"


@dataclass(frozen=True, slots=True)
class Factor:
    """One way to split patients: by levels, by a limit, or by each value of the column.

    `ordered` says that the second of two levels is expected to be the worse one; of a limit it is.
    `by_endpoint` says that a patient's level may differ between endpoints: where times to an event
    are compared, the level is that of the endpoint, and elsewhere the column's.
    """

    factor: str
    label: str
    column: str
    levels: tuple[Level, ...]
    boundary: str
    source: str
    ordered: bool = False
    limit: Limit | None = None
    by_endpoint: bool = False


def _problems(record: Factor) -> Iterator[str]:
    """What is wrong with a factor beside its code and source."""
    if record.column not in column_names(Subjects):
        yield f"subjects has no column {record.column}. Name a column of marts.subjects."
    if record.limit and record.levels:
        yield "levels and a limit. Give one of them."
    if record.limit and not _is_number(record.limit.value):
        yield f"limit {record.limit.value} is not a number. Write it as text, for instance 3.5."


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


ECOG = Factor(
    "ecog0",
    "ECOG performance status",
    "ecog",
    (Level("0", (0,)), Level(">=1", (1, 2, 3, 4))),
    "last ECOG up to T0; 1 belongs to the bad level",
    MEMON,
    ordered=True,
)
BURDEN = Factor(
    "burden25",
    "Tumour burden, % of the liver",
    "tumour_burden_category",
    (Level("<=25", ("0-25",)), Level(">25", ("26-50", "51-75", "76-100"))),
    "25.0 belongs to the good level; a reader's category stands in for the number",
    MEMON,
    ordered=True,
)
ALBUMIN = Factor(
    "alb35",
    "Albumin, g/dL",
    "albumin_gt_3_5",
    (Level(">3.5", (True,)), Level("<=3.5", (False,))),
    "3.5 belongs to the bad level",
    MEMON,
    ordered=True,
)
BILIRUBIN = Factor(
    "bili12",
    "Bilirubin, mg/dL",
    "bilirubin_le_1_2",
    (Level("<=1.2", (True,)), Level(">1.2", (False,))),
    "1.2 belongs to the good level, as in the synopsis",
    MEMON,
    ordered=True,
)
BILIRUBIN_BELOW = Factor(
    "bili12",
    "Bilirubin, mg/dL",
    "bilirubin_lt_1_2",
    (Level("<1.2", (True,)), Level(">=1.2", (False,))),
    "1.2 belongs to the bad level, as in the last line of the review",
    MEMON,
    ordered=True,
)
"""Takes the place of BILIRUBIN where the setting says that the limit is not good."""

PROGNOSTIC: tuple[Factor, ...] = (ECOG, BURDEN, ALBUMIN, BILIRUBIN)
"""The four univariate factors of the series, in its order."""

DESCRIPTIVE: tuple[Factor, ...] = (
    Factor(
        "extrahepatic",
        "Disease outside the liver",
        "extrahepatic_disease",
        tuple(Level(code, (code,)) for code in ("none", "minimal", "significant")),
        "as recorded: the source defines neither minimal nor significant",
        "Memon 2012, patients",
    ),
    Factor(
        "primary_site",
        "Primary tumour",
        "primary_site",
        (
            Level("pancreas", ("pancreas",)),
            Level("small_bowel", ("small_bowel",)),
            Level("other", ("colorectal", "gastric", "lung", "other")),
        ),
        "an unknown primary is missing, not `other`",
        REGISTRY,
    ),
    Factor(
        "device",
        "Microspheres",
        "device",
        tuple(Level(code, (code,)) for code in ("glass", "resin", "mixed")),
        "mixed where both were used",
        REGISTRY,
    ),
    Factor("site", "Centre", "site_id", (), "as delivered", REGISTRY),
    Factor(
        GROUP,
        "Treatment group",
        "reported_group",
        (),
        "spelled in lower case; the reference is the first of `survival.reference_groups`",
        REGISTRY,
        by_endpoint=True,
    ),
)
"""How else a registry's first table is split."""

FACTORS: tuple[Factor, ...] = checked(
    "factors",
    PROGNOSTIC + DESCRIPTIVE,
    code=lambda r: r.factor,
    source=lambda r: r.source,
    problems=_problems,
)

BY_ENDPOINT = frozenset(record.factor for record in FACTORS if record.by_endpoint)
"""Factors whose level belongs to patient and endpoint."""

"""By what patients are compared: the prognostic factors of the series, and those of later ones.

Each factor is a record: its column, its levels with the good one first (it is the reference, so
that a hazard ratio above 1 means worse), what happens on the boundary, and when it is known. A
numeric factor has exact limits in place of levels.

What is settled only after T0 (the sessions that a course had, a dose, a later therapy) is no level
of a patient at T0: whoever came to it has lived until then. It is compared from the end of the
planned course on, or joins a model as a covariate that changes with time.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894, univariate analysis; immortal
time: Anderson, Cain and Gelber, J Clin Oncol 1983;1:710-719.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Literal

from schemas.codes import THERAPY_CLASSES
from schemas.contract import column_names
from schemas.records.record import checked
from schemas.tables.factors.levels import SettledFactors
from schemas.tables.marts import Subjects

MEMON = "Memon 2012, univariate analysis"
REGISTRY = "this registry"
WHO_2019 = "WHO Classification of Tumours, Digestive System Tumours, 5th ed. 2019"
CIRT = "CIRT 2021, prognostic factors"
Known = Literal["t0", "course_end", "later"]
"""When a factor is known: at T0; once the planned course has ended; at a day of its own."""
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

    Attributes:
        factor: Its code.
        label: In words.
        column: Of `subjects`; of what is known later, of `settled_factors`.
        levels: The good one first.
        boundary: What happens on the boundary.
        source: Whose factor it is.
        second_is_worse: Of two levels the second is expected to be the worse one; of a limit it is.
        limit: An exact limit of a numeric column, in place of levels.
        bands: Limits of a numeric column in its order, the good stretch first, in place of levels.
        by_endpoint: A patient's level may differ between endpoints: where times to an event are
            compared, the level is that of the endpoint, and elsewhere the column's.
        known: When its level is settled.
        number: The numeric column that stands for it where it is entered per unit; none where it
            has no number.
        every_endpoint: It splits the curves of every endpoint; else those that the settings name.
    """

    factor: str
    label: str
    column: str
    levels: tuple[Level, ...]
    boundary: str
    source: str
    second_is_worse: bool = False
    limit: Limit | None = None
    by_endpoint: bool = False
    bands: tuple[Limit, ...] = ()
    known: Known = "t0"
    number: str | None = None
    every_endpoint: bool = False

    @property
    def ordered(self) -> bool:
        """The second of two levels is expected to be the worse one."""
        return self.second_is_worse or self.limit is not None

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Every limit of the column; none where it has levels."""
        return (self.limit,) if self.limit else self.bands

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its levels, the good one first; none where each value is a level."""
        if not self.limits:
            return tuple(level.label for level in self.levels)
        if self.limit:
            return self.limit.labels
        between = [f"{a.value}-{b.value}" for a, b in pairwise(self.limits)]
        return self.limits[0].labels[0], *between, self.limits[-1].labels[1]


def _problems(record: Factor) -> Iterator[str]:
    """What is wrong with a factor beside its code and source."""
    table, held = ("subjects", Subjects) if record.known == "t0" else _SETTLED
    named = (record.column, record.number) if record.number else (record.column,)
    for name in named:
        if name not in column_names(held):
            yield f"{table} has no column {name}. Name a column of marts.{table}."
    if record.limits and record.levels:
        yield "levels and a limit. Give one of them."
    for limit in record.limits:
        if not _is_number(limit.value):
            yield f"limit {limit.value} is not a number. Write it as text, for instance 3.5."
    if record.bands and not _rising(record.bands):
        yield "bands that do not rise. Give limits with < or <=, the lowest first."


_SETTLED = ("settled_factors", SettledFactors)


def _rising(bands: tuple[Limit, ...]) -> bool:
    values = [Decimal(limit.value) for limit in bands if _is_number(limit.value)]
    upward = all(limit.good in ("<", "<=") for limit in bands)
    return upward and all(a < b for a, b in pairwise(values))


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
    second_is_worse=True,
    number="ecog",
    every_endpoint=True,
)
BURDEN = Factor(
    "burden25",
    "Tumour burden, % of the liver",
    "tumour_burden_category",
    (Level("<=25", ("0-25",)), Level(">25", ("26-50", "51-75", "76-100"))),
    "25.0 belongs to the good level; a reader's category stands in for the number",
    MEMON,
    second_is_worse=True,
    number="tumour_burden_pct",
    every_endpoint=True,
)
ALBUMIN = Factor(
    "alb35",
    "Albumin, g/dL",
    "albumin_gt_3_5",
    (Level(">3.5", (True,)), Level("<=3.5", (False,))),
    "3.5 belongs to the bad level",
    MEMON,
    second_is_worse=True,
    number="albumin_g_dl",
    every_endpoint=True,
)
BILIRUBIN = Factor(
    "bili12",
    "Bilirubin, mg/dL",
    "bilirubin_le_1_2",
    (Level("<=1.2", (True,)), Level(">1.2", (False,))),
    "1.2 belongs to the good level, as in the synopsis",
    MEMON,
    second_is_worse=True,
    number="bilirubin_mg_dl",
    every_endpoint=True,
)
BILIRUBIN_BELOW = Factor(
    "bili12",
    "Bilirubin, mg/dL",
    "bilirubin_lt_1_2",
    (Level("<1.2", (True,)), Level(">=1.2", (False,))),
    "1.2 belongs to the bad level, as in the last line of the review",
    MEMON,
    second_is_worse=True,
    number="bilirubin_mg_dl",
    every_endpoint=True,
)
"""Takes the place of BILIRUBIN where the setting says that the limit is not good."""

PROGNOSTIC: tuple[Factor, ...] = (ECOG, BURDEN, ALBUMIN, BILIRUBIN)
"""The four univariate factors of the series, in its order."""

_PRIOR = {
    "liver_directed": "liver-directed therapy",
    "somatostatin_analogue": "somatostatin analogue",
    "targeted": "targeted therapy",
    "prrt": "PRRT",
    "other": "therapy of another class",
}

DESCRIPTIVE: tuple[Factor, ...] = (
    Factor(
        "extrahepatic",
        "Disease outside the liver",
        "extrahepatic_disease",
        tuple(Level(code, (code,)) for code in ("none", "minimal", "significant")),
        "as recorded: the source defines neither minimal nor significant",
        "Memon 2012, patients",
        every_endpoint=True,
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
        every_endpoint=True,
    ),
    Factor(
        "device",
        "Microspheres",
        "device_at_t0",
        tuple(Level(code, (code,)) for code in ("glass", "resin", "mixed")),
        "that of T0; mixed where both were used on that day",
        REGISTRY,
        every_endpoint=True,
    ),
    Factor("site", "Centre", "site_id", (), "as delivered", REGISTRY, every_endpoint=True),
    Factor(
        GROUP,
        "Treatment group",
        "reported_group",
        (),
        "spelled in lower case; the reference is the first of `survival.reference_groups`",
        REGISTRY,
        by_endpoint=True,
        every_endpoint=True,
    ),
    Factor(
        "tumour_grade",
        "WHO grade",
        "tumour_grade",
        tuple(Level(code, (code,)) for code in ("G1", "G2", "G3", "NEC")),
        "as recorded; an unknown grade is missing",
        "RESiN 2022; " + WHO_2019,
    ),
    Factor(
        "ki67",
        "Ki-67, %",
        "ki67_pct",
        (),
        "3 and 20 belong to the middle level",
        WHO_2019,
        bands=(Limit("3", "<"), Limit("20", "<=")),
        number="ki67_pct",
    ),
    Factor(
        "functioning",
        "Hormones",
        "functioning",
        (Level("non-functioning", (False,)), Level("functioning", (True,))),
        "as recorded",
        REGISTRY,
    ),
    Factor(
        "ascites",
        "Ascites",
        "ascites",
        (Level("none", ("none",)), Level("any", ("slight", "moderate_severe"))),
        "last record up to T0; slight ascites is any",
        CIRT,
    ),
    Factor(
        "albi",
        "ALBI grade",
        "albi_grade",
        tuple(Level(str(grade), (grade,)) for grade in (1, 2, 3)),
        "grade 1 up to -2.60, grade 2 up to -1.39",
        "Johnson et al., J Clin Oncol 2015;33:550-558",
        number="albi_score",
    ),
    Factor(
        "age",
        "Age, years",
        "age_years",
        (),
        "65 belongs to the second level; the limit is this registry's",
        REGISTRY,
        limit=Limit("65", "<"),
        number="age_years",
    ),
    Factor(
        "sex",
        "Sex",
        "sex",
        (Level("female", ("female",)), Level("male", ("male",))),
        "as recorded",
        REGISTRY,
    ),
    *(
        Factor(
            f"prior_{name}",
            f"Prior {_PRIOR.get(name, name)}",
            f"prior_{name}",
            (Level("no", (False,)), Level("yes", (True,))),
            "begun before T0",
            "Braat 2020 (PRRT); this registry" if name == "prrt" else REGISTRY,
        )
        for name in THERAPY_CLASSES
    ),
)
"""How else a registry's first table is split."""

SETTLED: tuple[Factor, ...] = (
    Factor(
        "lobes",
        "Lobes treated",
        "factor_level",
        (Level("one", ("one",)), Level("both", ("both",))),
        "by the end of the planned course; missing where a lobe is not known",
        REGISTRY,
        known="course_end",
    ),
    Factor(
        "sessions",
        "Sessions of the planned course",
        "number",
        (),
        "of the planned course, re-treatment not counted",
        REGISTRY,
        limit=Limit("1"),
        known="course_end",
        number="number",
    ),
    Factor(
        "tumour_dose",
        "Tumour dose, Gy",
        "number",
        (),
        "of the planned course, recorded before computed; the limit is `prognosis.tumour_dose_gy`",
        "three of 26 series read; none fixes a limit for this disease",
        known="course_end",
        number="number",
    ),
    Factor(
        "retreatment",
        "Re-treatment with 90Y",
        "factor_level",
        (Level("no", ("no",)), Level("yes", ("yes",))),
        "from the first session after the planned course on",
        REGISTRY,
        known="later",
    ),
    Factor(
        "new_therapy",
        "New anticancer therapy",
        "factor_level",
        (Level("no", ("no",)), Level("yes", ("yes",))),
        "from its first day on",
        REGISTRY,
        known="later",
    ),
)
"""What is settled only after T0: no level of a patient at T0."""

FACTORS: tuple[Factor, ...] = checked(
    "factors",
    PROGNOSTIC + DESCRIPTIVE,
    code=lambda r: r.factor,
    source=lambda r: r.source,
    problems=_problems,
)

BY_ENDPOINT = frozenset(record.factor for record in FACTORS if record.by_endpoint)
"""Factors whose level belongs to patient and endpoint."""
EVERY_ENDPOINT = frozenset(record.factor for record in FACTORS if record.every_endpoint)
"""Factors that split the curves of every endpoint."""

BY_CODE = {record.factor: record for record in (*FACTORS, *SETTLED)}
"""Every factor by its code, whenever it is known."""

checked(
    "factors",
    tuple(BY_CODE.values()),
    code=lambda r: r.factor,
    source=lambda r: r.source,
    problems=_problems,
)

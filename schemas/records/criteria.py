"""The response criteria WHO, EASL, RECIST 1.1 and mRECIST, each a record.

A record holds the quantity that is followed, its thresholds as ratios of whole numbers, and the
guideline in our words. Thresholds are compared by cross-multiplication of whole numbers, so that a
decrease of exactly 30 % is 30 %: as binary fractions (23.1 - 33) / 33 is -29.999999999999993 %.

Where sources differ:
    Progression under WHO is growth of more than 25 % over the smallest size (Riaz 2011) or of at
    least 25 % (WHO 1979): setting `who_pd_operator`. For EASL the source does not say whether
    growth counts from baseline or from the smallest value: the smallest is taken, as for WHO.
    Riaz 2011 prints "> 20 %" for RECIST; RECIST 1.1 is at least 20 % and at least 5 mm.
    mRECIST's "> 20 %" (Radiol Oncol 2018) is read as at least 20 %, coherent with RECIST:
    setting `mrecist_pd_operator`. The 5 mm of RECIST 1.1 are not part of mRECIST.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, get_args

from schemas.records.record import checked, in_order
from schemas.statistic_ids import slug

MILLIONTHS = 10**6
"""Quantities are whole millionths of mm or mm2: what DECIMAL(18, 6) holds, without a fraction."""
THOUSANDTHS = 10**3
"""Lengths are compared as delivered, to a thousandth of a millimetre."""
PER_THOUSANDTH_MM = MILLIONTHS // THOUSANDTHS

TOO_SMALL_MM = 5
"""Size of a lesion that is seen but too small to measure.

Source: EORTC, RECIST questions and clarifications (default 5 mm; a real measurement is kept).
"""
NODE_NORMAL_MM = 10
"""A node is normal below this short axis. Source: PMC2755245 Table 3 (RECIST 1.1)."""
MAX_TARGETS = 5
MAX_TARGETS_PER_ORGAN = 2
"""Most targets, in all and per organ; liver is one organ, all nodes are one.

Source: PMC2755245 Table 3 (RECIST 1.1); EORTC, RECIST questions and clarifications.
"""

_RIAZ = "Riaz et al. 2011, J Hepatol 54:695, Table 1"
_RADIOL_ONCOL = "Radiol Oncol 2018, PMC6287184, Table 4"
_RECIST = "RECIST 1.1 as tabulated in PMC2755245 Table 3"


Measure = Literal["product", "enhancing_product", "diameter", "enhancing_diameter"]
"""What a criterion takes from one measurement of a lesion."""


class Ratio(NamedTuple):
    """An exact share of a reference value."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Criterion:
    """One response criterion.

    Attributes:
        code: what the tables say, as the field writes it.
        paramcd: what follows OVR, BOR and CBR in the PARAMCD of CDISC's ADRS.
        quantity: what is measured and summed, in words; `unit` mm or mm2.
        measure: how it is taken from a measurement.
        lesions: the lesions that count, a column of subject_lesions.
        arterial_phase: the quantity needs an arterial phase.
        partial_response: PR at or below this share of the baseline.
        progression: PD beyond this share of the nadir.
        operator: how growth is compared with `progression`.
        operator_setting: key of the section response that chooses it where sources differ.
        least_growth_mm: PD also needs this absolute growth.
        measurable_mm: least baseline of a target; `measurable_node_mm` for a node's short axis.
        nodes_normalise: a node is gone when it is normal.
        limits_targets: more than five targets, or two in an organ, are noted beside the rule.
        non_target_alone: where no target was recorded, non-target disease alone gives the class.
        zero_baseline: the rule that says why a baseline of nothing cannot be evaluated.
        complete, partial, stable, progressive: the guideline's classes in our words.
        sources: where the thresholds stand.
    """

    code: str
    paramcd: str
    quantity: str
    measure: Measure
    unit: str
    lesions: str
    arterial_phase: bool
    partial_response: Ratio
    progression: Ratio
    operator: str
    complete: str
    partial: str
    stable: str
    progressive: str
    sources: tuple[str, ...]
    operator_setting: str | None = None
    least_growth_mm: int = 0
    measurable_mm: int = 0
    measurable_node_mm: int = 0
    nodes_normalise: bool = False
    limits_targets: bool = False
    non_target_alone: bool = False
    zero_baseline: str = "baseline_zero"

    @property
    def name(self) -> str:
        """The code as a part of names of columns and ids: `recist_1_1`."""
        return slug(self.code)


WHO = Criterion(
    code="WHO",
    paramcd="WHO",
    quantity="longest diameter times its perpendicular",
    measure="product",
    unit="mm2",
    lesions="index_lesion",
    arterial_phase=False,
    partial_response=Ratio(1, 2),
    progression=Ratio(5, 4),
    operator=">",
    operator_setting="who_pd_operator",
    complete="The lesion is gone.",
    partial="The product is at most half of the baseline's.",
    stable="Neither.",
    progressive="The product exceeds the smallest so far by more than a quarter.",
    sources=(_RIAZ, _RADIOL_ONCOL, "WHO 1979 as tabulated in PMC2755245 Table 3"),
)
EASL = Criterion(
    code="EASL",
    paramcd="EASL",
    quantity="enhancing longest diameter times its perpendicular, or viable share of the product",
    measure="enhancing_product",
    unit="mm2",
    lesions="index_lesion",
    arterial_phase=True,
    partial_response=Ratio(1, 2),
    progression=Ratio(5, 4),
    operator=">",
    complete="No enhancing tissue is left, whatever the size.",
    partial="Enhancing tissue is at most half of the baseline's.",
    stable="Neither.",
    progressive="Enhancing tissue exceeds the smallest so far by more than a quarter, or is new.",
    sources=(_RIAZ, _RADIOL_ONCOL),
    zero_baseline="no_baseline_enhancement",
)
RECIST11 = Criterion(
    code="RECIST 1.1",
    paramcd="R11",
    quantity="sum of longest diameters, of short axes for nodes",
    measure="diameter",
    unit="mm",
    lesions="recist_target",
    arterial_phase=False,
    partial_response=Ratio(7, 10),
    progression=Ratio(6, 5),
    operator=">=",
    complete="All targets are gone and every node is below 10 mm in its short axis.",
    partial="The sum is at most 70 % of the baseline's.",
    stable="Neither.",
    progressive="The sum is at least 20 % and at least 5 mm above the smallest so far.",
    sources=(_RECIST, "PMC5392484 Table 3"),
    least_growth_mm=5,
    measurable_mm=10,
    measurable_node_mm=15,
    nodes_normalise=True,
    limits_targets=True,
    non_target_alone=True,
)
MRECIST = Criterion(
    code="mRECIST",
    paramcd="MR",
    quantity="sum of longest diameters of the enhancing part",
    measure="enhancing_diameter",
    unit="mm",
    lesions="recist_target",
    arterial_phase=True,
    partial_response=Ratio(7, 10),
    progression=Ratio(6, 5),
    operator=">=",
    operator_setting="mrecist_pd_operator",
    complete="No target enhances.",
    partial="The enhancing sum is at most 70 % of the baseline's.",
    stable="Neither.",
    progressive="The enhancing sum is at least 20 % above the smallest so far.",
    sources=(_RADIOL_ONCOL, "PMC5771991 Table 4"),
    measurable_mm=10,
    measurable_node_mm=10,
    zero_baseline="no_baseline_enhancement",
)


def _problems(record: Criterion) -> Iterator[str]:
    """What is wrong with a criterion beside its code and sources."""
    thresholds = [Fraction(*record.partial_response), Fraction(1), Fraction(*record.progression)]
    yield from in_order(thresholds, "partial response, no change and progression")
    if record.measure not in get_args(Measure):
        yield f"measure {record.measure} is not known. Use one of {', '.join(get_args(Measure))}."
    if record.unit not in ("mm", "mm2"):
        yield f"unit {record.unit} is not known. Use mm or mm2."
    if record.operator not in (">", ">="):
        yield f"operator {record.operator} is not known. Use > or >=."
    if len(record.paramcd) > 5 or not (record.paramcd.isalnum() and record.paramcd.isupper()):
        yield "no code for CDISC. Give `paramcd` at most five capitals and digits."
    if not all((record.complete, record.partial, record.stable, record.progressive)):
        yield "a class without words. Say what complete, partial, stable and progressive mean."


RECORDS: tuple[Criterion, ...] = checked(
    "criteria",
    (WHO, EASL, RECIST11, MRECIST),
    code=lambda r: r.code,
    source=lambda r: r.sources,
    problems=_problems,
)
CRITERIA: tuple[str, ...] = tuple(c.code for c in RECORDS)
"""The codes that the tables hold."""
PARAMETER_CODES: Mapping[str, str] = {c.code: c.paramcd for c in RECORDS}
"""Criterion -> its part of CDISC's PARAMCD."""

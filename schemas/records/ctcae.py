"""The laboratory criteria of the Common Terminology Criteria for Adverse Events, by version.

A grade is the highest whose threshold is crossed: strictly,
unless `reached` says that the threshold itself belongs to the grade, as three criteria of
version 5.0 print it. Grade 5 is never a number, and grade 4 of haemoglobin (from 4.0 on), albumin
and INR is a clinical state: laboratory grading stops below it.

Source: National Cancer Institute, CTCAE v3.0 (2006), v4.03 (2010), v5.0 (2017).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from schemas.records.analytes import BY_CODE
from schemas.records.record import checked, in_order

V3 = "CTCAE v3.0 (NCI 2006), grade text of NCIP/caAERS CTCAEv3Grades.txt"
V4 = "CTCAE v4.03 (NCI 2010), as coded in pharmaverse/admiral ncictcaev4"
V5 = "CTCAE v5.0 (NCI 2017), as coded in pharmaverse/admiral ncictcaev5"

ULN = "ULN"
LLN = "LLN"
BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One grade's threshold: `factor` times ULN, LLN or the baseline, or `factor` of a unit."""

    grade: int
    factor: str
    of: str
    reached: bool = False


@dataclass(frozen=True, slots=True)
class LabCriterion:
    """One analyte's thresholds in the versions that share them.

    `baseline_abnormal` replaces the thresholds after a baseline above ULN; `anticoagulated` adds to
    them while the patient is anticoagulated.
    """

    analyte: str
    term: str
    versions: tuple[str, ...]
    direction: Literal["high", "low"]
    thresholds: tuple[Threshold, ...]
    source: str
    baseline_abnormal: tuple[Threshold, ...] = ()
    anticoagulated: tuple[Threshold, ...] = ()


def _times(
    of: str, *factors: str, first: int = 1, reached: Sequence[int] = ()
) -> tuple[Threshold, ...]:
    """Thresholds of consecutive grades from `first`; `reached` names grades whose bound counts."""
    grades = enumerate(factors, start=first)
    return tuple(Threshold(grade, factor, of, grade in reached) for grade, factor in grades)


def _below(unit: str, *factors: str) -> tuple[Threshold, ...]:
    """Grade 1 below the laboratory's LLN, further grades below fixed values."""
    return (*_times(LLN, "1"), *_times(unit, *factors, first=2))


def _enzyme(analyte: str, term: str, second: str, abnormal: str) -> tuple[LabCriterion, ...]:
    """An enzyme: grade 2 above `second` x ULN; in v5.0 grade 1 from `abnormal` x baseline."""
    common = _times(ULN, "1", second, "5", "20")
    before = _times(ULN, "1", "2.5", "5", "20")
    v5 = LabCriterion(
        analyte,
        term,
        ("5.0",),
        "high",
        common,
        V5,
        baseline_abnormal=_times(BASELINE, abnormal, second, "5", "20", reached=(1,)),
    )
    return (
        LabCriterion(analyte, term, ("3.0",), "high", before, V3),
        LabCriterion(analyte, term, ("4.03",), "high", common, V4),
        v5,
    )


_ALL = ("3.0", "4.03", "5.0")
_SAME = f"{V3}; {V4}; {V5}"


def _problems(record: LabCriterion) -> Iterator[str]:
    """What is wrong with a laboratory criterion beside its name and source."""
    analyte = BY_CODE.get(record.analyte)
    if analyte is None:
        yield f"analyte {record.analyte} has no record. Add it to schemas/records/analytes.py."
        return
    if record.direction != analyte.worse:
        yield f"direction {record.direction}, but of {analyte.code} the {analyte.worse} are worse."
    for version in set(record.versions) - set(_ALL):
        yield f"version {version} is not known. Use one of {', '.join(_ALL)}."
    falling = record.direction == "low"
    for part in ("thresholds", "baseline_abnormal", "anticoagulated"):
        given: tuple[Threshold, ...] = getattr(record, part)
        for of in dict.fromkeys(x.of for x in given):
            same = [x for x in given if x.of == of]
            if of not in (ULN, LLN, BASELINE, analyte.unit):
                yield f"unit {of} is not {analyte.unit}. Give thresholds in the analyte's unit."
            yield from in_order([x.grade for x in same], f"the grades of {part}")
            factors = [Fraction(x.factor) for x in same]
            yield from in_order(factors, f"the {part} of {of}", falling=falling)


_LAB_CRITERIA: tuple[LabCriterion, ...] = (
    LabCriterion(
        "bilirubin",
        "Blood bilirubin increased",
        ("3.0", "4.03"),
        "high",
        _times(ULN, "1", "1.5", "3", "10"),
        f"{V3}; {V4}",
    ),
    LabCriterion(
        "bilirubin",
        "Blood bilirubin increased",
        ("5.0",),
        "high",
        _times(ULN, "1", "1.5", "3", "10"),
        V5,
        baseline_abnormal=_times(BASELINE, "1", "1.5", "3", "10"),
    ),
    *_enzyme("ast", "Aspartate aminotransferase increased", "3", "1.5"),
    *_enzyme("alt", "Alanine aminotransferase increased", "3", "1.5"),
    *_enzyme("alp", "Alkaline phosphatase increased", "2.5", "2"),
    # admiral codes GGT grade 1 after an abnormal baseline as > 2.0; the printed range is 2.0 - 2.5.
    *_enzyme("ggt", "GGT increased", "2.5", "2"),
    LabCriterion("inr", "INR increased", ("3.0",), "high", _times(ULN, "1", "1.5", "2"), V3),
    LabCriterion(
        "inr",
        "INR increased",
        ("4.03",),
        "high",
        _times(ULN, "1", "1.5", "2.5"),
        V4,
        anticoagulated=_times(BASELINE, "1", "1.5", "2.5"),
    ),
    LabCriterion(
        "inr",
        "INR increased",
        ("5.0",),
        "high",
        _times("1", "1.2", "1.5", "2.5"),
        V5,
        anticoagulated=_times(BASELINE, "1", "1.5", "2.5"),
    ),
    LabCriterion(
        "creatinine",
        "Creatinine increased",
        ("3.0",),
        "high",
        _times(ULN, "1", "1.5", "3", "6"),
        V3,
    ),
    LabCriterion(
        "creatinine",
        "Creatinine increased",
        ("4.03",),
        "high",
        (*_times(ULN, "1", "1.5", "3", "6"), *_times(BASELINE, "1", "1.5", "3")),
        V4,
    ),
    LabCriterion(
        "creatinine",
        "Creatinine increased",
        ("5.0",),
        "high",
        (*_times(ULN, "1", "1.5", "3", "6"), *_times(BASELINE, "1.5", "3", first=2)),
        V5,
    ),
    LabCriterion("albumin", "Hypoalbuminemia", _ALL, "low", _below("g/dL", "3", "2"), _SAME),
    LabCriterion("haemoglobin", "Anemia", ("3.0",), "low", _below("g/dL", "10", "8", "6.5"), V3),
    LabCriterion(
        "haemoglobin",
        "Anemia",
        ("4.03", "5.0"),
        "low",
        _below("g/dL", "10", "8"),
        f"{V4}; {V5}",
    ),
    LabCriterion(
        "wbc", "White blood cell decreased", _ALL, "low", _below("10*9/L", "3", "2", "1"), _SAME
    ),
    LabCriterion(
        "neutrophils",
        "Neutrophil count decreased",
        _ALL,
        "low",
        _below("10*9/L", "1.5", "1", "0.5"),
        _SAME,
    ),
    LabCriterion(
        "lymphocytes",
        "Lymphocyte count decreased",
        _ALL,
        "low",
        _below("10*9/L", "0.8", "0.5", "0.2"),
        _SAME,
    ),
    LabCriterion(
        "platelets",
        "Platelet count decreased",
        _ALL,
        "low",
        _below("10*9/L", "75", "50", "25"),
        _SAME,
    ),
)
LAB_CRITERIA: tuple[LabCriterion, ...] = checked(
    "ctcae",
    _LAB_CRITERIA,
    code=lambda r: f"{r.analyte} in {' and '.join(r.versions)}",
    source=lambda r: r.source,
    problems=_problems,
)


def criteria_of(version: str) -> tuple[LabCriterion, ...]:
    """The laboratory criteria of one version, one per analyte."""
    return tuple(c for c in LAB_CRITERIA if version in c.versions)

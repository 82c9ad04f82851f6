"""The laboratory criteria of the Common Terminology Criteria for Adverse Events, by version.

A grade is the highest whose threshold is crossed: strictly,
unless `reached` says that the threshold itself belongs to the grade, as three criteria of
version 5.0 print it. Grade 5 is never a number, and grade 4 of haemoglobin (from 4.0 on), albumin
and INR is a clinical state: laboratory grading stops below it.

Version 6.0 was read in admiral's transcription alone (Apache-2.0; its facts, none of its code),
which holds the printed text beside what it codes; NCI's own file was not at hand. Where what is
coded differs from that text, or the text leaves a choice:

    AST, ALT    The text of grade 3 ends "up to 5 x ULN" after an abnormal baseline; admiral codes
                no such end, and neither do we.
    lymphocytes The transcription has no term for a decrease: not defined in 6.0, never grade 0. It
                has left a term out before (Eosinophilia, admiral issue 3191).
    platelets   Now Thrombocytopenia; the text of grade 4 prints "10.0 x 10^9/L" without a sign.
    creatinine  "If baseline is below LLN" is read as admiral does: instead of 1.5 and 3 x ULN.
    ALP         Grade 1 alone, above both baseline and ULN.
    INR         Only in anticoagulated patients is the baseline looked at; admiral takes everybody
                as anticoagulated. So in every version.

Source: National Cancer Institute, CTCAE v3.0 (2006), v4.03 (2010), v5.0 (2017), v6.0 (2025).
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

V6 = "CTCAE v6.0 (NCI 2025), as transcribed in pharmaverse/admiral ncictcaev6"

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

    `baseline_abnormal` replaces the thresholds after a baseline above ULN, `baseline_low` after
    one below LLN; `anticoagulated` adds to them while the patient is anticoagulated. Where a grade
    needs a value `above_baseline` as well, any other after T0 is grade 0.
    """

    analyte: str
    term: str
    versions: tuple[str, ...]
    direction: Literal["high", "low"]
    thresholds: tuple[Threshold, ...]
    source: str
    baseline_abnormal: tuple[Threshold, ...] = ()
    anticoagulated: tuple[Threshold, ...] = ()
    baseline_low: tuple[Threshold, ...] = ()
    above_baseline: bool = False


def _times(
    of: str, *factors: str, first: int = 1, reached: Sequence[int] = ()
) -> tuple[Threshold, ...]:
    """Thresholds of consecutive grades from `first`; `reached` names grades whose bound counts."""
    grades = enumerate(factors, start=first)
    return tuple(Threshold(grade, factor, of, grade in reached) for grade, factor in grades)


def _below(unit: str, *factors: str) -> tuple[Threshold, ...]:
    """Grade 1 below the laboratory's LLN, further grades below fixed values."""
    return (*_times(LLN, "1"), *_times(unit, *factors, first=2))


def _v6(analyte: str, term: str, usual: tuple[str, ...], abnormal: tuple[str, ...]) -> LabCriterion:
    """A rising analyte in version 6.0: grade 1 from the baseline itself where that was abnormal."""
    after = _times(BASELINE, *abnormal, reached=(1,))
    return LabCriterion(
        analyte, term, ("6.0",), "high", _times(ULN, *usual), V6, baseline_abnormal=after
    )


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


_TO_5 = ("3.0", "4.03", "5.0")
_ALL = (*_TO_5, "6.0")
_SAME_TO_5 = f"{V3}; {V4}; {V5}"
_SAME = f"{_SAME_TO_5}; {V6}"


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
    for part in ("thresholds", "baseline_abnormal", "anticoagulated", "baseline_low"):
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
    _v6(
        "bilirubin", "Blood bilirubin increased", ("1", "1.5", "3", "10"), ("1", "1.5", "2.5", "10")
    ),
    _v6(
        "ast", "Aspartate aminotransferase increased", ("1", "3", "5", "20"), ("1", "1.5", "2", "4")
    ),
    _v6("alt", "Alanine aminotransferase increased", ("1", "3", "5", "20"), ("1", "1.5", "2", "4")),
    _v6("ggt", "GGT increased", ("1", "2.5", "5", "20"), ("1", "1.5", "3", "10")),
    LabCriterion(
        "alp",
        "Alkaline phosphatase increased",
        ("6.0",),
        "high",
        _times(ULN, "1"),
        V6,
        above_baseline=True,
    ),
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
        ("5.0", "6.0"),
        "high",
        _times("1", "1.2", "1.5", "2.5"),
        f"{V5}; {V6}",
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
    LabCriterion(
        "creatinine",
        "Creatinine increased",
        ("6.0",),
        "high",
        _times(ULN, "1", "1.5", "3", "6"),
        V6,
        baseline_low=(
            Threshold(1, "1", ULN),
            *_times(BASELINE, "1.5", "3", first=2),
            Threshold(4, "6", ULN),
        ),
    ),
    LabCriterion("albumin", "Hypoalbuminemia", _ALL, "low", _below("g/dL", "3", "2"), _SAME),
    LabCriterion("haemoglobin", "Anemia", ("3.0",), "low", _below("g/dL", "10", "8", "6.5"), V3),
    LabCriterion(
        "haemoglobin",
        "Anemia",
        ("4.03", "5.0", "6.0"),
        "low",
        _below("g/dL", "10", "8"),
        f"{V4}; {V5}; {V6}",
    ),
    LabCriterion(
        "wbc", "White blood cell decreased", _ALL, "low", _below("10*9/L", "3", "2", "1"), _SAME
    ),
    LabCriterion(
        "neutrophils",
        "Neutrophil count decreased",
        _TO_5,
        "low",
        _below("10*9/L", "1.5", "1", "0.5"),
        _SAME_TO_5,
    ),
    LabCriterion(
        "neutrophils",
        "Neutrophil count decreased",
        ("6.0",),
        "low",
        _times("10*9/L", "1.5", "1", "0.5", "0.1"),
        V6,
    ),
    LabCriterion(
        "lymphocytes",
        "Lymphocyte count decreased",
        _TO_5,
        "low",
        _below("10*9/L", "0.8", "0.5", "0.2"),
        _SAME_TO_5,
    ),
    LabCriterion(
        "platelets",
        "Platelet count decreased",
        _TO_5,
        "low",
        _below("10*9/L", "75", "50", "25"),
        _SAME_TO_5,
    ),
    LabCriterion(
        "platelets", "Thrombocytopenia", ("6.0",), "low", _below("10*9/L", "75", "50", "10"), V6
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
    """The laboratory criteria of one version, one per analyte that the version has a term for."""
    return tuple(c for c in LAB_CRITERIA if version in c.versions)


def not_defined(analyte: str, version: str) -> str | None:
    """What to say where a version has no term for an analyte; None where it has one."""
    if any(c.analyte == analyte for c in criteria_of(version)):
        return None
    return f"not defined in CTCAE {version}"

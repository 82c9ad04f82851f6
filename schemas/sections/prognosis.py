"""Which factors are compared, and what the registry's own model of survival takes.

A factor that is settled only after T0 is no level at T0 (`schemas.records.factors`): asked for as
one it is refused, with what to write instead.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from schemas.records.endpoints import COMPARED
from schemas.records.factors import BY_CODE, BY_ENDPOINT, FACTORS, PROGNOSTIC
from schemas.section import Section

Codes = tuple[str, ...]
ALWAYS = "OS"
"""The endpoint that every factor splits."""
SERIES = tuple(record.factor for record in PROGNOSTIC)
IMMORTAL = "is settled only after T0, so that it is no level at T0 (immortal time)"
NO_DATED_LEVEL = frozenset({"tumour_dose"})
"""What is settled after T0 and is at no level before: it cannot come with time."""


def _each_a_factor(codes: Codes) -> Codes:
    """Codes of factors, none twice."""
    for code in codes:
        if code not in BY_CODE:
            raise ValueError(f"no factor {code}. Name some of {', '.join(BY_CODE)}")
    if len(set(codes)) < len(codes):
        raise ValueError("a factor stands twice")
    return codes


def _each_compared(codes: Codes) -> Codes:
    """Codes of endpoints whose curves are compared, none twice."""
    for code in codes:
        if code not in COMPARED:
            raise ValueError(f"no endpoint {code} is compared. Name some of {', '.join(COMPARED)}")
    if len(set(codes)) < len(codes):
        raise ValueError("an endpoint stands twice")
    if ALWAYS not in codes:
        raise ValueError(f"{ALWAYS} is always among them. Name it too")
    return codes


FactorCodes = Annotated[Codes, AfterValidator(_each_a_factor)]
EndpointCodes = Annotated[Codes, AfterValidator(_each_compared)]


class PrognosisSettings(Section):
    """Prognostic factors beyond the four of the series, and the registry's own model."""

    factors: FactorCodes = Field(
        tuple(record.factor for record in FACTORS if record not in PROGNOSTIC),
        description="Factors known at T0 by which survival is compared, beside the four of the "
        "series: one at a time, nothing adjusted.",
    )
    endpoints: EndpointCodes = Field(
        ("OS",),
        description="Endpoints that these factors split and that the registry's own model is of; "
        "extrahepatic, primary_site, device, site and group split every endpoint.",
    )
    tumour_dose_gy: Annotated[str, Field(pattern=r"^\d+(\.\d{1,4})?$")] = Field(
        "150",
        description="Tumour dose of the planned course that parts patients in two: at least this, "
        "or less. No source read fixes one for this disease.",
    )
    start: Literal["t0", "course_end"] = Field(
        "t0",
        description="Where the clock of the registry's own model starts: at T0, or at the end of "
        "the planned course, of those observed beyond it. What the course settles (lobes, "
        "sessions, tumour_dose) can be a term from there on.",
    )
    terms: FactorCodes = Field(
        (),
        description="Factors that may enter the registry's own model, which stands beside the "
        "models of the series. Empty, with p_enter: all that are compared. Empty without: no "
        "model, unless forced or time_dependent names a term.",
    )
    p_enter: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None,
        description="A term enters where its likelihood-ratio p alone is below this; default every "
        "term enters.",
    )
    forced: FactorCodes = Field((), description="Factors that enter whatever their p.")
    time_dependent: FactorCodes = Field(
        (),
        description="Factors settled after the clock's start (lobes, sessions, retreatment, "
        "new_therapy) that enter as levels that come with time: before its day a patient is at the "
        "reference.",
    )
    continuous: FactorCodes = Field(
        (),
        description="Terms that enter as a number, per unit and linear, in place of levels; the "
        "martingale residuals in the report say whether that fits.",
    )
    strata: FactorCodes = Field(
        (),
        description="Factors by whose levels the baseline hazard of the model is stratified: they "
        "have no hazard ratio.",
    )

    @field_validator("factors")
    @classmethod
    def _levels_at_t0(cls, codes: Codes) -> Codes:
        for code in codes:
            if BY_CODE[code].known != "t0":
                raise ValueError(
                    f"{code} {IMMORTAL}. Leave it out: it is compared from the end of the planned "
                    "course on, or comes with time in the model"
                )
        return codes

    @field_validator("terms", "forced", "strata")
    @classmethod
    def _known_at_the_start(cls, codes: Codes, info: ValidationInfo) -> Codes:
        start = info.data.get("start", "t0")
        for code in codes:
            known = BY_CODE[code].known
            if code in BY_ENDPOINT:
                raise ValueError(f"the levels of {code} belong to an endpoint. Leave it out")
            if known == "later":
                raise ValueError(f"{code} {IMMORTAL}. Name it in time_dependent")
            if known == "course_end" and start == "t0":
                other = "" if code in NO_DATED_LEVEL else ", or name it in time_dependent"
                raise ValueError(f'{code} {IMMORTAL}. Write start = "course_end"{other}')
        return codes

    @field_validator("time_dependent")
    @classmethod
    def _settled_after_the_start(cls, codes: Codes, info: ValidationInfo) -> Codes:
        for code in codes:
            known = BY_CODE[code].known
            if known == "t0":
                raise ValueError(f"{code} is known at T0. Name it in terms")
            if code in NO_DATED_LEVEL:
                raise ValueError(
                    f"{code} is a number of the whole course and at no level before. Write start = "
                    '"course_end" and name it in terms'
                )
            if known == "course_end" and info.data.get("start") == "course_end":
                raise ValueError(f"{code} is settled when the clock starts. Name it in terms")
        return codes

    @field_validator("continuous")
    @classmethod
    def _have_a_number(cls, codes: Codes, info: ValidationInfo) -> Codes:
        named = {*info.data.get("terms", ()), *info.data.get("forced", ())}
        every = not info.data.get("terms") and info.data.get("p_enter") is not None
        for code in codes:
            if BY_CODE[code].number is None:
                raise ValueError(f"{code} has levels and no number. Leave it out")
            if code not in named and not (every and BY_CODE[code].known == "t0"):
                raise ValueError(f"{code} is no term. Name it in terms or forced too")
        return codes

    @field_validator("strata")
    @classmethod
    def _are_no_terms(cls, codes: Codes, info: ValidationInfo) -> Codes:
        terms = {c for key in ("terms", "forced", "continuous") for c in info.data.get(key, ())}
        for code in codes:
            if code in terms:
                raise ValueError(f"{code} is a term as well. Name it in one of them")
        return codes


def compared(prognosis: PrognosisSettings) -> frozenset[str]:
    """Factors known at T0 whose levels are needed."""
    named = {*prognosis.factors, *prognosis.terms, *prognosis.forced, *prognosis.strata}
    return frozenset(code for code in named if BY_CODE[code].known == "t0")


def candidates(prognosis: PrognosisSettings) -> Codes:
    """What may enter the registry's own model, each once; none where there is no such model."""
    terms = prognosis.terms
    if not terms and prognosis.p_enter is not None:
        everything = (*SERIES, *prognosis.factors)
        terms = tuple(c for c in everything if c not in BY_ENDPOINT and c not in prognosis.strata)
    return tuple(dict.fromkeys((*prognosis.forced, *terms, *prognosis.time_dependent)))

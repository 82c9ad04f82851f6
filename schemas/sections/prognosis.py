"""Which factors are compared, and what the registry's own model of survival takes.

A factor that is settled only after T0 is no level at T0 (`schemas.records.factors`): asked for as
one it is refused, with what to write instead.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from schemas.records.endpoints import COMPARED
from schemas.records.factors import BY_CODE, FACTORS, PROGNOSTIC
from schemas.section import Section

Codes = tuple[str, ...]
ALWAYS = "OS"
"""The endpoint that every factor splits."""


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

    @field_validator("factors")
    @classmethod
    def _known_at_t0(cls, codes: Codes) -> Codes:
        for code in codes:
            if BY_CODE[code].known != "t0":
                raise ValueError(
                    f"{code} is settled only after T0, so that it is no level at T0 (immortal "
                    "time). Leave it out: it is compared from the end of the planned course on"
                )
        return codes

    @property
    def compared(self) -> frozenset[str]:
        """Factors known at T0 whose levels are needed."""
        return frozenset(self.factors)

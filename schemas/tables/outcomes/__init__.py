"""Aggregates by population that can be published, and the statistics in them."""

from importlib import import_module
from pkgutil import iter_modules

from schemas.contract import declared
from schemas.tables.outcomes.base import (
    BOUND_METHODS,
    LEVELS,
    Bounds,
    MemberSets,
    Outcome,
    Statistics,
    statistic_id_column,
)
from schemas.tables.outcomes.by_response import SurvivalByResponse
from schemas.tables.outcomes.clinical import (
    AT_WINDOW_CATEGORIES,
    LESIONS,
    OF_PATIENTS_ONLY,
    RESPONSE_CATEGORIES,
    CriterionAgreement,
    ResponseAtWindow,
    ResponseSummary,
    ToxicityShift,
    ToxicitySummary,
)
from schemas.tables.outcomes.cohort import (
    AdherenceSummary,
    Attrition,
    BaselineCharacteristics,
    DosimetrySummary,
    LiteratureComparison,
    LiverFunctionSummary,
    ProportionSummary,
    SymptomSummary,
)
from schemas.tables.outcomes.mortality import DeathCauses, EarlyMortality, ReildSummary
from schemas.tables.outcomes.readers import ReaderAgreement
from schemas.tables.outcomes.recorded import (
    RecordedAgreement,
    RecordedKappa,
    RecordedResponseSummary,
)
from schemas.tables.outcomes.survival import (
    MEDIAN_RULES,
    CumulativeIncidence,
    FollowUp,
    IncidenceCurves,
    PrognosisMultivariable,
    PrognosisUnivariate,
    RestrictedMeans,
    Sensitivity,
    SurvivalCurves,
    SurvivalKey,
    SurvivalLandmarks,
    SurvivalMedians,
)

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)

TABLES: tuple[type[Outcome], ...] = declared("outcomes", Outcome)
"""Every outcome that is declared in a module of this room."""

__all__ = [
    "AT_WINDOW_CATEGORIES",
    "BOUND_METHODS",
    "LESIONS",
    "LEVELS",
    "MEDIAN_RULES",
    "OF_PATIENTS_ONLY",
    "RESPONSE_CATEGORIES",
    "TABLES",
    "AdherenceSummary",
    "Attrition",
    "BaselineCharacteristics",
    "Bounds",
    "CriterionAgreement",
    "CumulativeIncidence",
    "DeathCauses",
    "DosimetrySummary",
    "EarlyMortality",
    "FollowUp",
    "IncidenceCurves",
    "LiteratureComparison",
    "LiverFunctionSummary",
    "MemberSets",
    "Outcome",
    "PrognosisMultivariable",
    "PrognosisUnivariate",
    "ProportionSummary",
    "ReaderAgreement",
    "RecordedAgreement",
    "RecordedKappa",
    "RecordedResponseSummary",
    "ReildSummary",
    "ResponseAtWindow",
    "ResponseSummary",
    "RestrictedMeans",
    "Sensitivity",
    "Statistics",
    "SurvivalByResponse",
    "SurvivalCurves",
    "SurvivalKey",
    "SurvivalLandmarks",
    "SurvivalMedians",
    "SymptomSummary",
    "ToxicityShift",
    "ToxicitySummary",
    "statistic_id_column",
]

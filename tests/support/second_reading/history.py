"""Dataclasses that hold one patient's history as whole days, integer micrometres and closed codes."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

CRITERIA = ("WHO", "EASL", "RECIST 1.1", "mRECIST")
EPOCH = date(2015, 1, 1)  # the calendar date of day 0 in generated histories
ORGANS = ("all", "liver", "extrahepatic")


@dataclass(frozen=True)
class Session:
    """One perfused target of one 90Y session; two targets of one day are two rows of one session."""

    day: int
    lobe: str  # right, left, whole
    planned_lobes: tuple | None = None  # lobes planned at the first session; None when not recorded


@dataclass(frozen=True)
class Lesion:
    """One lesion as it was named by the centre."""

    id: str
    organ: str = "liver"  # liver, node, other
    lobe: str | None = None  # right, left, caudate, None when unknown
    index_lesion: bool = True  # counts under WHO and EASL
    recist_target: bool = False  # counts under RECIST 1.1 and mRECIST
    baseline_present: bool | None = None
    merged_into: str | None = None
    split_from: str | None = None


@dataclass(frozen=True)
class Scan:
    """One imaging examination read by one reader."""

    day: int
    modality: str = "CT"  # CT, MRI, other
    reader: str = "local"
    arterial_phase: bool | None = True
    new_lesion: str | None = None  # none, hepatic, extrahepatic, both, None when blank
    non_target: str | None = (
        None  # complete_response, non_cr_non_pd, progression, not_evaluated, none
    )
    non_target_liver: str | None = None
    non_target_elsewhere: str | None = None
    evaluable: bool | None = None


@dataclass(frozen=True)
class Measurement:
    """One lesion on one scan; every length is a whole number of micrometres."""

    lesion_id: str
    day: int
    modality: str = "CT"
    reader: str = "local"
    status: str = "measured"  # measured, too_small, absent, not_evaluable, not_imaged
    longest: int | None = None
    perpendicular: int | None = None
    enhancing_longest: int | None = None
    enhancing_perpendicular: int | None = None
    necrosis_pct: Fraction | None = None


@dataclass(frozen=True)
class Therapy:
    """One anticancer therapy started after the first 90Y session."""

    day: int
    therapy_class: str = "chemotherapy"


@dataclass(frozen=True)
class Death:
    """One claimed death; a partial date spans first to last, and `imputed` is None below month precision."""

    first: int
    last: int
    imputed: int | None

    @classmethod
    def on(cls, day: int) -> "Death":
        """Return a death whose date is known to the day."""
        return cls(day, day, day)

    @classmethod
    def in_month_of(cls, day: int) -> "Death":
        """Return a death known to the month; the 15th stands for it."""
        when = date.fromordinal(EPOCH.toordinal() + day)
        first = day - when.day + 1
        return cls(first, first + monthrange(when.year, when.month)[1] - 1, first + 14)


@dataclass(frozen=True)
class History:
    """Everything delivered about one patient; day 0 may be any day, T0 is the first session."""

    patient_id: str
    sessions: tuple
    lesions: tuple = ()
    scans: tuple = ()
    measurements: tuple = ()
    therapies: tuple = ()
    deaths: tuple = ()
    alive_days: tuple = ()  # contacts at which the patient was alive
    extrahepatic_disease: str | None = None  # none, minimal, significant, unknown
    situations: frozenset = field(default_factory=frozenset)


def micrometres(millimetres) -> int | None:
    """Return a delivered length in whole micrometres; refuse more than three decimals."""
    if millimetres is None:
        return None
    length = Fraction(str(millimetres)) * 1000
    if length.denominator != 1:
        raise ValueError("length: finer than 0.001 mm. Deliver at most three decimals.")
    return int(length)

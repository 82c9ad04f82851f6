"""Every choice that the sources leave open, with its default."""

from dataclasses import dataclass, field

FIVE_MM = 5_000
TEN_MM = 10_000
FIFTEEN_MM = 15_000


def _sd_minimum() -> dict:
    """Return the days that stable disease must last: none for the WHO replication, 42 for RECIST reports."""
    return {"WHO": 0, "EASL": 0, "RECIST 1.1": 42, "mRECIST": 42}


@dataclass(frozen=True)
class Settings:
    """The open choices; the defaults are those argued for in NOTES.md."""

    new_lesion_from_measurements: str = "unless_denied"  # unless_denied, always, never
    patient_window: str = "first_session"  # first_session, planned_course
    who_pd_at_least: bool = False  # True: an increase of exactly 25 % is PD (Miller 1981)
    baseline_fresh_days: int = 28
    baseline_limit_days: int = 90
    assessment_days: int = 14
    course_days: int = 90
    sd_min_days: dict = field(default_factory=_sd_minimum)
    confirm_days: int = 28
    confirm_max_ne: int = 1
    confirm_accept_sd: bool = False
    sum_nadir: str = "smallest_sum"  # smallest_sum, sum_of_nadirs
    unlocated_progression_is_hepatic: bool = False  # used only where extrahepatic disease is known
    reader: str = "local"

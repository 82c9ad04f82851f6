"""Codes that several tables share."""

from typing import Literal

Version = Literal["3.0", "4.03", "5.0", "6.0"]
VERSIONS: tuple[Version, ...] = ("3.0", "4.03", "5.0", "6.0")
"""Versions of CTCAE."""

THERAPY_CLASSES = (
    "surgery",
    "liver_directed",
    "somatostatin_analogue",
    "chemotherapy",
    "targeted",
    "prrt",
    "radiotherapy",
    "other",
)
PRECISIONS = ("day", "month", "year")

UNREADABLE = "unreadable"
"""Why something is not known: a cell that decides is filled in and cannot be read."""

DEAD = "dead_date_unknown"
ASIDE = "follow_up_set_aside"
"""Why a clock stopped whose end nobody knows: dead at an unknown date; contacts set aside."""

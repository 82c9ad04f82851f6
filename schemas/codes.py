"""Codes that several registry tables share."""

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

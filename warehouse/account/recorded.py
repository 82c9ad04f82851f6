"""The classes that were recorded of a patient beside the derived ones, and how they differ.

Each recorded class stands beside the derived one of the same criterion whose day is nearest, of two
as near the earlier. The kind of a disagreement is decided from the rows alone, the first that fits:
one of the two could not be evaluated; only one of them lies in its response window; one is
progression and the derived assessment has a new lesion; they are of different days; else the same
day was measured differently. A new lesion that nobody delivered cannot be told from a measurement.
"""

from collections.abc import Iterable
from typing import Any

Facts = dict[str, Any]
NEW_LESION = ("new_lesion", "new_lesion_measured")
"""Rules by which a derived assessment is progressive for a new lesion."""


def reconciled(
    recorded: Iterable[Facts],
    derived: Iterable[Facts],
    best_recorded: Iterable[Facts],
    best_derived: Iterable[Facts],
) -> tuple[Facts, ...]:
    """One entry per recorded class, and per criterion one of the best responses, last.

    Args:
        recorded: rows of marts.recorded_assessments of one subject as a whole.
        derived: rows of marts.subject_assessments of the same.
        best_recorded: rows of marts.recorded_response of the same.
        best_derived: rows of marts.subject_response of the same, unconfirmed.
    """
    seen = list(derived)
    points = [_point(row, _nearest(row, seen)) for row in recorded]
    unconfirmed = {row["criterion"]: row for row in best_derived}
    best = [_best(row, unconfirmed.get(row["criterion"]), points) for row in best_recorded]
    return (*points, *best)


def _nearest(row: Facts, seen: list[Facts]) -> Facts | None:
    """The derived assessment that stands beside a recorded class; its own reader's, if any."""
    alike = [s for s in seen if s["criterion"] == row["criterion"]]
    own = [s for s in alike if s["reader"] == row["reader"]] or alike

    def place(s: Facts) -> tuple[Any, ...]:
        return abs(s["rel_day"] - row["rel_day"]), s["rel_day"], s["reader"], s["modality"]

    return min(own, key=place, default=None)


def _point(row: Facts, beside: Facts | None) -> Facts:
    said = {name: row[name] for name in ("criterion", "rel_day", "reader", "source", "in_window")}
    return {
        "entry": "assessment",
        **said,
        "recorded": row["response"],
        "derived": beside["response"] if beside else None,
        "derived_day": beside["rel_day"] if beside else None,
        "disagreement": _kind(row, beside) if beside else None,
        "source_row_id": row["source_row_id"],
    }


def _kind(row: Facts, beside: Facts) -> str | None:
    """How a recorded class and the derived one beside it differ."""
    classes = {row["response"], beside["response"]}
    if row["in_window"] != beside["in_window"]:
        return "window"
    if len(classes) == 1:
        return None
    if "NE" in classes:
        return "not evaluable"
    seen = beside["new_lesion"] not in (None, "none") or beside["rule"] in NEW_LESION
    if "PD" in classes and seen:
        return "new lesion"
    return "measurement" if row["rel_day"] == beside["rel_day"] else "timing"


def _best(row: Facts, beside: Facts | None, points: list[Facts]) -> Facts:
    """The best responses; they differ as the classes of the deciding day do, else in time."""
    kind = None
    if beside and beside["best_response"] != row["best_response"]:
        classes = {row["best_response"], beside["best_response"]}
        days = {row["best_response_day"], beside["best_response_day"]}
        own = [p for p in points if p["criterion"] == row["criterion"] and p["disagreement"]]
        deciding = [p["disagreement"] for p in own if days & {p["rel_day"], p["derived_day"]}]
        kind = "not evaluable" if "NE" in classes else next(iter(deciding), "timing")
    return {
        "entry": "best",
        "criterion": row["criterion"],
        "rel_day": row["best_response_day"],
        "reader": None,
        "source": None,
        "in_window": True,
        "recorded": row["best_response"],
        "derived": beside["best_response"] if beside else None,
        "derived_day": beside["best_response_day"] if beside else None,
        "disagreement": kind,
        "source_row_id": None,
    }

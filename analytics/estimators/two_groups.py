"""The hazard of one group of patients against that of another, who may join it with time.

A patient who changes groups on a day s is at risk in the first up to and on s, and in the second
after s: an event on s itself is one of the first group, as R's intervals (start, stop] have it. In
counts per day the patient leaves the first group on s, and is taken from the second one's risk sets
up to s.

Source: Cox 1972; Crowley and Hu 1977; R 4.2.2, survival 3.5-3 (coxph of Surv(start, stop, event),
tmerge), against which it is held.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from analytics.estimators.cox import SEPARATED, Patterns, fit
from analytics.estimators.kaplan_meier import EventTable, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Switched:
    """How many joined the second group on each day.

    Attributes:
        time: Shape (S,), strictly ascending.
        n: Shape (S,), whole numbers >= 1.
    """

    time: FloatArray
    n: IntArray


def compared(
    reference: EventTable, group: EventTable, conf_level: float, switched: Switched | None = None
) -> dict[str, Any]:
    """Hazard ratio of a group against a reference, with Wald limits and p; or why there is none.

    Args:
        reference: its patients; with `switched`, each who left it is censored on the day.
        group: the other patients, by the day on which their observation ended.
        conf_level: coverage, in (0, 1).
        switched: who joined the group after the start; None where nobody can.
    """
    if not (reference.n and group.n):
        return {"reason": "one group only"}
    if not (reference.events.any() or group.events.any()):
        return {"reason": "no events"}
    if not (reference.events.any() and group.events.any()):
        return {"reason": SEPARATED}
    model = fit(_patterns(reference, group, switched))
    if not model.converged:
        return {"reason": SEPARATED}
    coef, se = float(model.coef[0]), float(model.se[0])
    z = NormalDist().inv_cdf(1 - (1 - conf_level) / 2)
    return {
        "hr": math.exp(coef),
        "hr_lower": math.exp(coef - z * se),
        "hr_upper": math.exp(coef + z * se),
        "hr_p": math.erfc(abs(coef / se) / math.sqrt(2)),
    }


def _patterns(reference: EventTable, group: EventTable, switched: Switched | None) -> Patterns:
    joined = switched or Switched(np.empty(0), np.empty(0, np.int64))
    time = np.unique(np.concatenate([reference.time, group.time, joined.time]))
    events = np.zeros((time.size, 2), np.int64)
    leaving = np.zeros_like(events)
    for column, table in enumerate((reference, group)):
        at = np.searchsorted(time, table.time)
        events[at, column] = table.events
        leaving[at, column] = table.censored
    leaving[np.searchsorted(time, joined.time), 1] -= joined.n
    return Patterns(np.array([[0.0], [1.0]]), time, events, leaving)

"""Patients with factors, as tables and as counts, and the derivations asked of them."""

import csv
import functools
from typing import Any

import ibis.expr.types as ir
import numpy as np

from analytics.estimators.cox import Patterns
from analytics.estimators.event_counts import event_counts
from analytics.estimators.kaplan_meier import tabulate
from analytics.prognosis.alone import prognosis_univariate
from analytics.prognosis.series import prognosis_multivariable
from schemas.contract import Table
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import FactorLevels, TimeToEvent
from schemas.tables.outcomes import PrognosisMultivariable, PrognosisUnivariate
from warehouse.concordance.answers import R_ANSWERS as FROM_R


def alone(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    factor_levels: Table[FactorLevels],
    *,
    settings: SurvivalSettings,
) -> Table[PrognosisUnivariate]:
    counted = event_counts(
        population_members, time_to_event, factor_levels, prognosis=PrognosisSettings()
    )
    return prognosis_univariate(counted, settings=settings)


def together(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    factor_levels: Table[FactorLevels],
    *,
    settings: SurvivalSettings,
) -> Table[PrognosisMultivariable]:
    tables = population_members, time_to_event, factor_levels
    one_by_one = alone(*tables, settings=settings)
    return prognosis_multivariable(*tables, one_by_one, settings=settings)


@functools.cache
def of_model(model: str) -> Any:
    """The models, showing one."""

    @functools.wraps(together)
    def chosen(**arguments: Any) -> ir.Table:
        table = together(**arguments)
        return table.filter(table.model == model)

    return chosen


def patients(*given: str, terms: tuple[str, ...] = ("ecog0",)) -> dict[str, str]:
    """Tables of patients: `day event level level ...`; a level of `-` is missing."""
    members = ["| population | subject_id |"]
    clocks = ["| subject_id | lesion_number | endpoint | time_days | event |"]
    levels = ["| subject_id | factor | factor_level | level_number |"]
    for number, patient in enumerate(given, start=1):
        day, event, *own = patient.split()
        members.append(f"| all | {number} |")
        clocks.append(f"| {number} | 0 | OS | {day} | {event} |")
        levels += [
            f"| {number} | {term} | {'good' if level == '0' else 'bad'} | {level} |"
            for term, level in zip(terms, own, strict=True)
            if level != "-"
        ]
    return {
        "population_members": "\n".join(members),
        "time_to_event": "\n".join(clocks),
        "factor_levels": "\n".join(levels),
    }


def read(name: str) -> list[dict[str, str]]:
    with (FROM_R / name).open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def patterns(given: list[dict[str, str]], *names: str) -> Patterns:
    x = np.array([[float(r[name]) for name in names] for r in given])
    covariates, pattern = np.unique(x, axis=0, return_inverse=True)
    size = len(covariates)
    codes = pattern.reshape(-1) + size * np.array([int(r["event"]) for r in given])
    time, table = tabulate([float(r["time"]) for r in given], codes, 2 * size)
    return Patterns(covariates, time, events=table[:, size:], censored=table[:, :size])

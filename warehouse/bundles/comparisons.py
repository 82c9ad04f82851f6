"""Log-rank sums and log hazard ratios of factors, as far as a budget of bits allows, and models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from analytics.estimators.cox import Patterns, derivatives, faults, fit
from analytics.estimators.kaplan_meier import FloatArray, event_table
from analytics.estimators.logrank import logrank
from schemas.records.endpoints import COMPARED
from schemas.statistic_ids import joined
from warehouse.bundles import guesses
from warehouse.bundles.counts import to_digits
from warehouse.bundles.curves import enough
from warehouse.bundles.draft import EVENTS, LEVEL, Row, Unit, patients
from warehouse.bundles.policy import POLICY
from warehouse.bundles.sources import BoolArray, Curve, Factor, Source

FULL = 400
"""Bits from which nothing is drawn: at most what the numbers can hold is charged."""
RATIO = (10.0, 0.01)
"""Width and step of a log hazard ratio and of its error."""
COVARIANCE = 13.0
"""Bits in a number of three significant digits and its sign."""


def units(source: Source, before: Mapping[str, float]) -> Iterator[tuple[str, Unit]]:
    """Each endpoint and factor that the budget of the factor allows, in the order of endpoints.

    Args:
        source: the release.
        before: factor -> bits that earlier bundles and answers gave.
    """
    spent = dict(before)
    for endpoint, curve in source.curves.items():
        for factor in source.factors:
            if not (enough(curve) and endpoint in COMPARED):
                continue
            unit = _compared(endpoint, curve, factor, spent.get(factor.name, 0.0))
            if unit is not None:
                spent[factor.name] = spent.get(factor.name, 0.0) + unit.bits[factor.name]
                yield f"comparison {endpoint} {factor.name}", unit
    yield from _models(source, spent)


def possible(factor: Factor, curve: Curve) -> float:
    """Bits of the ways to assign a factor's levels."""
    known, bad = factor.of(curve)
    return guesses.bits_of_choice(int(known.sum()), int(bad[known].sum()))


def _compared(endpoint: str, curve: Curve, factor: Factor, spent: float) -> Unit | None:
    known, bad = factor.of(curve)
    days, event, bad = curve.days[known], curve.event[known], bad[known]
    if not _large_enough(event, bad):
        return None
    row = _row(endpoint, factor, days, event, bad)
    for ratio in (True, False):
        told_row = row if ratio else row | {"b": None, "se": None}
        bits = _bits(days, event, bad, ratio=ratio and row["b"] is not None)
        if possible(factor, curve) - spent - bits >= POLICY.bits_left.value:
            parts = _parts(curve, factor)
            return Unit({"comparisons": [told_row]}, {}, parts, {factor.name: bits})
    return None


def _large_enough(event: BoolArray, bad: BoolArray) -> bool:
    least, events = POLICY.level_patients.value, POLICY.level_events.value
    return all(
        own.sum() >= least and events <= event[own].sum() <= own.sum() - events
        for own in (bad, ~bad)
    )


def _row(endpoint: str, factor: Factor, days: FloatArray, event: BoolArray, bad: BoolArray) -> Row:
    test = guesses.tests(days, event)(bad[None])[0]
    kept = logrank([event_table(days[~bad], event[~bad]), event_table(days[bad], event[bad])])
    u = kept.observed[1] - kept.expected[1]
    estimate = fit(patterns(days, event, bad[:, None].astype(float)))
    ratio = estimate.converged
    decimals = POLICY.decimals_ratio.value
    return {
        "statistic_id": joined(
            "prognosis_univariate", "all", endpoint, factor.name, factor.bad_level
        ),
        "endpoint": endpoint,
        "factor": factor.name,
        "n": int(bad.size),
        "n_bad": int(bad.sum()),
        "events": int(event.sum()),
        "events_bad": int(event[bad].sum()),
        "u": round(float(u), POLICY.decimals_test.value),
        "v": round(float(test[1]), POLICY.decimals_test.value),
        "b": round(float(estimate.coef[0]), decimals) if ratio else None,
        "se": round(float(estimate.se[0]), decimals) if ratio else None,
    }


def patterns(days: FloatArray, event: BoolArray, covariates: FloatArray) -> Patterns:
    """Counts per distinct time and pattern of covariates."""
    distinct, pattern = np.unique(covariates, axis=0, return_inverse=True)
    time, row = np.unique(days, return_inverse=True)
    table = np.zeros((2, time.size, len(distinct)), np.int64)
    np.add.at(table, (event.astype(int), row, pattern.reshape(-1)), 1)
    return Patterns(distinct, time, events=table[1], censored=table[0])


def _bits(days: FloatArray, event: BoolArray, bad: BoolArray, *, ratio: bool) -> float:
    size, events = bad.size, int(event.sum())
    test = 10.0**-POLICY.decimals_test.value
    small = 10.0**-POLICY.decimals_ratio.value
    if guesses.bits_of_choice(size, int(bad.sum())) > FULL:
        told_of = [(2.0 * events, test), (events / 4, test), (float(events), 1.0)]
        return guesses.bits_of_values(*told_of, *([RATIO] * 2 if ratio else []))
    tell = guesses.tests(days, event)
    kept = 5 if ratio else 3
    return guesses.given_of_sum(
        guesses.residuals(days, event),
        bad,
        lambda those: tell(those)[:, :kept],
        np.array([test, test, 1.0, small, small])[:kept],
    )


def bits_at(days: FloatArray, event: BoolArray, bad: BoolArray, at: float) -> float:
    """Bits of score and information at a coefficient, beyond those of the comparison itself."""
    size, events = bad.size, int(event.sum())
    test = 10.0**-POLICY.decimals_test.value
    if guesses.bits_of_choice(size, int(bad.sum())) > FULL:
        return guesses.bits_of_values((2.0 * events, test), (events / 4, test))
    tell, more = guesses.tests(days, event), guesses.scores(days, event, at)
    small = 10.0**-POLICY.decimals_ratio.value
    steps = np.array([test, test, 1.0, small, small, test, test])
    both = guesses.given_of_sum(
        guesses.residuals(days, event),
        bad,
        lambda those: np.column_stack([tell(those), more(those)]),
        steps,
    )
    return max(0.0, both - _bits(days, event, bad, ratio=True))


def bits_of_scores(events: int, terms: int) -> float:
    """At most so many bits of one factor are in score and information of a model of several."""
    test = 10.0**-POLICY.decimals_test.value
    shared = [(events / 2, test)] * (terms - 1)
    return guesses.bits_of_values((2.0 * events, test), (events / 4, test), *shared)


def _parts(curve: Curve, factor: Factor) -> dict[str, frozenset[tuple[str, int]]]:
    known, bad = factor.of(curve)
    levels = {"bad": known & bad, "good": known & ~bad}
    parts = {
        f"{LEVEL}{name}/{factor.name}": patients(curve.those(those))
        for name, those in levels.items()
    }
    return parts | {
        f"{EVENTS}{name}/{factor.name}": patients(curve.those(those & curve.event))
        for name, those in levels.items()
    }


def _models(source: Source, spent: Mapping[str, float]) -> Iterator[tuple[str, Unit]]:
    """A model of all factors, where its whole covariance fits into every factor's budget."""
    factors = source.factors
    charge = guesses.bits_of_values(RATIO) + COVARIANCE * len(factors)
    left = dict(spent)
    for endpoint, curve in source.curves.items():
        if len(factors) < 2 or endpoint not in COMPARED or not enough(curve):
            continue
        known = np.logical_and.reduce([f.of(curve)[0] for f in factors])
        x = np.column_stack([f.of(curve)[1][known] for f in factors])
        if not all(_large_enough(curve.event[known], column) for column in x.T):
            continue
        room = min(possible(f, curve) - left.get(f.name, 0.0) - charge for f in factors)
        rows = _model_rows(endpoint, factors, curve, known)
        if room < POLICY.bits_left.value or not rows:
            continue
        left = {f.name: left.get(f.name, 0.0) + charge for f in factors}
        parts = {name: those for f in factors for name, those in _parts(curve, f).items()}
        yield (
            f"model {endpoint}",
            Unit({"models": rows}, {}, parts, {f.name: charge for f in factors}),
        )


def _model_rows(endpoint: str, factors: list[Factor], curve: Curve, known: BoolArray) -> list[Row]:
    x = np.column_stack([f.of(curve)[1][known] for f in factors]).astype(float)
    counted = patterns(curve.days[known], curve.event[known], x)
    if faults(counted, [f.name for f in factors]):
        return []
    estimate = fit(counted)
    if not estimate.converged:
        return []
    covariance = np.linalg.inv(derivatives(counted, estimate.coef)[2])
    shared = {"endpoint": endpoint, "n": int(known.sum())}
    shared |= {"events": int(curve.event[known].sum())}
    rows: list[Row] = []
    for place, factor in enumerate(factors):
        name = joined("prognosis_multivariable", "all", endpoint, "all", factor.name)
        own = shared | {"statistic_id": name, "term": factor.name}
        value = round(float(estimate.coef[place]), POLICY.decimals_ratio.value)
        rows.append(own | {"other": "", "value": value})
        rows += [
            own
            | {"other": other.name}
            | {"value": to_digits(float(covariance[place, column]), POLICY.digits.value)}
            for column, other in enumerate(factors)
            if column >= place
        ]
    return rows

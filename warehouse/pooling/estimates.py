"""Pool what comparable bundles tell: one number for all, how far registries differ, each alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np

from analytics.estimators.proportions import exact
from analytics.pooled import averages, effects, ratios, shares
from analytics.pooled.effects import Limits
from analytics.pooled.steps import Bin, Binned, limits, median_limits
from warehouse.bundles.policy import POLICY
from warehouse.pooling.reading import Bundle

Row = dict[str, Any]
Z = NormalDist().inv_cdf(0.975)
WEIGHTED = (
    "each registry's own level by its patients: within 0.07 standard errors of the curve of all "
    "patients where this was measured"
)
ROUNDED = "U and V leave at one decimal: the limits are what that leaves open"
ONE_FILE = "coefficients by their variance: within 0.02 standard errors of one fit of all patients"
ONE_FILE_OF_SEVERAL = "approximate: 0.36 standard errors from one fit of all patients, up to 1.5"
BINNED = "the median lies between these limits, which the binned counts leave open; no interval"
ALL_OR_NONE = "all or none have it: the exact limits alone"


@dataclass(slots=True)
class Result:
    """Rows of the pooled tables."""

    tables: dict[str, list[Row]] = field(
        default_factory=lambda: {
            name: []
            for name in ("estimates", "heterogeneity", "by_registry", "leave_one_out", "curves")
        }
    )

    def add(self, table: str, **row: Any) -> None:
        """One row more."""
        self.tables[table].append(row)


@dataclass(frozen=True, slots=True)
class Asked:
    """A statistic, its words, and which registries there are."""

    statistic_id: str
    label: str
    registries: tuple[str, ...]

    def note(self, telling: Sequence[str], note: str = "") -> str | None:
        """What a reader must know of a number that not every registry told."""
        few = f"{len(telling)} of {len(self.registries)} registries told it"
        parts = [few] if len(telling) < len(self.registries) else []
        return "; ".join([*parts, *([note] if note else [])]) or None


def pool(bundles: Sequence[Bundle], refused: frozenset[str]) -> Result:
    """Pool every statistic that is not refused.

    Args:
        bundles: those that may be pooled, in the order of their registries.
        refused: statistics that are not comparable.
    """
    named = labels(bundles)
    registries = tuple(b.registry for b in bundles)
    result = Result()
    methods: tuple[tuple[str, Callable[[Result, Asked, dict[str, Row]], None]], ...] = (
        ("counts", _share),
        ("moments", _moment),
        ("levels", _level),
        ("comparisons", _comparison),
    )
    for table, method in methods:
        for statistic, by in by_statistic(bundles, table).items():
            if statistic not in refused:
                method(result, Asked(statistic, named[statistic], registries), by)
    for statistic, steps in _steps(bundles).items():
        if statistic not in refused:
            _curve(result, Asked(statistic, named[statistic], registries), steps)
    for rows in models(bundles, refused).values():
        _model(result, named, registries, rows)
    return result


def labels(bundles: Sequence[Bundle]) -> dict[str, str]:
    """Statistic -> its words, as the first registry has them."""
    return {
        r["statistic_id"]: r["label"] for b in reversed(bundles) for r in b.tables["definitions"]
    }


def by_statistic(bundles: Sequence[Bundle], table: str) -> dict[str, dict[str, Row]]:
    """Statistic -> registry -> its row."""
    found: dict[str, dict[str, Row]] = {}
    for b in bundles:
        for row in b.tables[table]:
            found.setdefault(row["statistic_id"], {})[b.registry] = row
    return dict(sorted(found.items()))


def _share(result: Result, asked: Asked, by: dict[str, Row]) -> None:
    told = {r: row for r, row in by.items() if not row["suppressed"] and row["total"]}
    whole = sum(row["total"] for row in told.values())
    for registry in asked.registries:
        row = told.get(registry)
        own = exact(row["n"], row["total"]) if row else (None, None, None)
        weight = 100 * row["total"] / whole if row else None
        _registry(result, asked, registry, row, own, weight, ("n", "total"))
    if not told:
        return
    n, total = [r["n"] for r in told.values()], [r["total"] for r in told.values()]
    together = shares.together(n, total)
    common = {"registries": len(told), "n": sum(n), "total": sum(total), "unit": "%"}
    silent = [r for r in asked.registries if r not in by or by[r]["suppressed"]]
    alike = ALL_OR_NONE if sum(n) in (0, sum(total)) else ""
    note = asked.note([r for r in asked.registries if r not in silent], alike)
    estimate(result, asked, "together", together, common, exact=not silent, note=note)
    model = shares.intercepts(n, total)
    if model is None:
        return
    lower, upper = model.limits
    value = (100 * model.share, 100 * lower, 100 * upper)
    estimate(result, asked, "random_intercept", value, common, note=asked.note([*told]))
    new = model.new or (None, None)
    result.add(
        "heterogeneity",
        statistic_id=asked.statistic_id,
        scale="log odds",
        registries=len(told),
        q=model.q,
        df=model.df,
        p=model.p,
        i2_pct=model.i2_pct,
        tau2=model.tau2,
        new_lower=None if new[0] is None else 100 * new[0],
        new_upper=None if new[1] is None else 100 * new[1],
    )
    for registry, left in zip(told, shares.left_out(n, total), strict=True):
        _left_out(result, asked, registry, "together", left, None)


def _moment(result: Result, asked: Asked, by: dict[str, Row]) -> None:
    parts = [averages.Moments(r["n"], r["mean"], r["sd"]) for r in by.values()]
    found = averages.all_moments(parts)
    for registry in asked.registries:
        row = by.get(registry)
        value = (
            (row["mean"], row["mean"] - row["sd"], row["mean"] + row["sd"]) if row else (None,) * 3
        )
        weight = 100 * row["n"] / found.n if row else None
        _registry(result, asked, registry, row, value, weight, ("n", "n"))
    spread = found.sd or 0.0
    value3 = (found.mean, found.mean - spread, found.mean + spread)
    common = {"registries": len(by), "n": found.n, "total": found.n, "unit": "mean, sd"}
    note = asked.note([*by], "mean, less and plus one standard deviation, of three digits each")
    estimate(result, asked, "weighted", value3, common, note=note)


def _level(result: Result, asked: Asked, by: dict[str, Row]) -> None:
    rows = list(by.values())
    n, value, se = ([r[name] for r in rows] for name in ("n", "value", "se"))
    probability = rows[0]["kind"] != "rmst"
    whole = sum(n)
    for registry in asked.registries:
        row = by.get(registry)
        own = (row["value"], *_limits(row["value"], row["se"], probability)) if row else (None,) * 3
        weight = 100 * row["n"] / whole if row else None
        _registry(result, asked, registry, row, own, weight, ("at_risk", "n"))
    together, error = averages.weighted(n, value, se)
    unit = "1" if probability else "months"
    common = {"registries": len(rows), "n": sum(r["at_risk"] for r in rows), "total": whole}
    common |= {"unit": unit}
    three = (together, *_limits(together, error, probability))
    estimate(result, asked, "weighted", three, common, note=asked.note([*by], WEIGHTED))
    points = [averages.log_log(v, s) for v, s in zip(value, se, strict=True)]
    if probability and all(points):
        kept = [p for p in points if p]
        y, e = [p[0] for p in kept], [p[1] for p in kept]
        _varying(result, asked, y, e, common, "log(-log S)", _falling, [*by])
    elif not probability and all(s > 0 for s in se):
        _varying(result, asked, value, se, common, "months", lambda x: x, [*by])
    for place, registry in enumerate(by):
        others = [k for k in range(len(rows)) if k != place]
        if others:
            v, s = averages.weighted(
                [n[k] for k in others], [value[k] for k in others], [se[k] for k in others]
            )
            _left_out(result, asked, registry, "weighted", (v, *_limits(v, s, probability)), None)


def _falling(value: float) -> float:
    return averages.from_log_log(value)


def _limits(value: float, se: float, probability: bool) -> tuple[float | None, float | None]:
    """Limits of a level, by log(-log) as those of releases; of a mean, plain."""
    if not probability:
        return value - Z * se, value + Z * se
    point = averages.log_log(value, se)
    if point is None:
        return None, None
    y, error = point
    return averages.from_log_log(y + Z * error), averages.from_log_log(y - Z * error)


def _comparison(result: Result, asked: Asked, by: dict[str, Row]) -> None:
    rows = list(by.values())
    half = 10.0**-POLICY.decimals_test.value / 2
    test = ratios.stratified([r["u"] for r in rows], [r["v"] for r in rows], half)
    common = {"registries": len(rows), "unit": "p"}
    common |= {"n": sum(r["events"] for r in rows), "total": sum(r["n"] for r in rows)}
    note = asked.note([*by], ROUNDED)
    estimate(result, asked, "log_rank", (test.p, *test.p_limits), common, note=note)
    fitted = {r: row for r, row in by.items() if row["b"] is not None and row["se"]}
    weights = {r: row["se"] ** -2 for r, row in fitted.items()}
    for registry in asked.registries:
        row = fitted.get(registry)
        own = ratio(row["b"], row["se"]) if row else (None,) * 3
        weight = 100 * weights[registry] / sum(weights.values()) if row else None
        told = by.get(registry)
        _registry(result, asked, registry, told, own, weight, ("events", "n"))
    if not fitted:
        return
    y, se = [r["b"] for r in fitted.values()], [r["se"] for r in fitted.values()]
    one = effects.common(y, se)
    common = {"registries": len(fitted), "unit": "HR"}
    common |= {"n": sum(r["events"] for r in fitted.values())}
    common |= {"total": sum(r["n"] for r in fitted.values())}
    note = asked.note([*fitted], ONE_FILE)
    estimate(result, asked, "common_effect", ratio(one.mu, one.se), common, note=note)
    _varying(result, asked, y, se, common, "log hazard ratio", math.exp, [*fitted])
    for place, registry in enumerate(fitted):
        others = [k for k in range(len(y)) if k != place]
        if len(others) > 1:
            left = effects.varying([y[k] for k in others], [se[k] for k in others])
            value = _through(math.exp, left.mu, left.limits)
            _left_out(result, asked, registry, "varying_effects", value, left.tau2)


def ratio(b: float, se: float) -> tuple[float, float, float]:
    """A hazard ratio and its limits."""
    return math.exp(b), math.exp(b - Z * se), math.exp(b + Z * se)


def _varying(
    result: Result,
    asked: Asked,
    y: Sequence[float],
    se: Sequence[float],
    common: Mapping[str, Any],
    scale: str,
    back: Callable[[float], float],
    telling: Sequence[str],
) -> None:
    """Effects that vary between registries, and how much; nothing of one registry."""
    if len(y) < 2:
        return
    one, several = effects.common(y, se), effects.varying(y, se)
    value = _through(back, several.mu, several.limits)
    estimate(result, asked, "varying_effects", value, common, note=asked.note(telling))
    new = sorted(map(back, several.new)) if several.new else [None, None]
    tau2 = several.tau2_limits or (None, None)
    result.add(
        "heterogeneity",
        statistic_id=asked.statistic_id,
        scale=scale,
        registries=len(y),
        q=one.q,
        df=one.df,
        p=one.p,
        i2_pct=one.i2_pct,
        tau2=several.tau2,
        tau2_lower=tau2[0],
        tau2_upper=tau2[1],
        new_lower=new[0],
        new_upper=new[1],
    )


def _through(
    back: Callable[[float], float], mu: float, given: Limits | None
) -> tuple[float, float | None, float | None]:
    """A number and its limits on their own scale, which may turn them round."""
    if given is None:
        return back(mu), None, None
    lower, upper = sorted(map(back, given))
    return back(mu), lower, upper


def _steps(bundles: Sequence[Bundle]) -> dict[str, dict[str, list[Row]]]:
    found: dict[str, dict[str, list[Row]]] = {}
    for b in bundles:
        for row in b.tables["steps"]:
            found.setdefault(row["statistic_id"], {}).setdefault(b.registry, []).append(row)
    return dict(sorted(found.items()))


def _curve(result: Result, asked: Asked, by: dict[str, list[Row]]) -> None:
    binned = [
        Binned(rows[0]["at_risk"], tuple(
            Bin(r["from_month"], r["to_month"], r["events"], r["censored"]) for r in rows
        ))
        for rows in (sorted(own, key=lambda r: r["from_month"]) for own in by.values())
    ]  # fmt: skip
    levels = limits(binned)
    endpoint = next(iter(by.values()))[0]["endpoint"]
    for level in levels:
        result.add(
            "curves",
            statistic_id=asked.statistic_id,
            months=level.months,
            endpoint=endpoint,
            level=(level.least + level.greatest) / 2,
            least=level.least,
            greatest=level.greatest,
        )
    lower, upper = median_limits(levels)
    common: dict[str, Any] = {"registries": len(by), "unit": "months"}
    common |= {"total": sum(b.n for b in binned)}
    common |= {"n": sum(x.events for b in binned for x in b.bins)}
    note = asked.note([*by], BINNED)
    estimate(result, asked, "steps", (None, lower, upper), common, note=note)
    by_name = dict(zip(by, binned, strict=True))
    for registry in asked.registries:
        own = by_name.get(registry)
        ends = median_limits(limits([own])) if own else (None, None)
        row = own and by[registry][0] | {"events": sum(b.events for b in own.bins)}
        weight = 100 * own.n / common["total"] if own else None
        value = (None, *ends)
        _registry(result, asked, registry, row or None, value, weight, ("events", "at_risk"))


def models(bundles: Sequence[Bundle], refused: frozenset[str]) -> dict[str, dict[str, list[Row]]]:
    """Endpoint -> registry -> rows, of models of which no term is refused."""
    found: dict[str, dict[str, list[Row]]] = {}
    for b in bundles:
        for row in b.tables["models"]:
            found.setdefault(row["endpoint"], {}).setdefault(b.registry, []).append(row)
    return {
        endpoint: by
        for endpoint, by in sorted(found.items())
        if not {r["statistic_id"] for own in by.values() for r in own} & refused
    }


def coefficients(rows: Iterable[Row]) -> tuple[tuple[str, ...], ratios.Coefficients]:
    """The terms of a registry's model, in order, and its coefficients with their covariance."""
    listed = list(rows)
    terms = tuple(sorted({r["term"] for r in listed}))
    b, covariance = np.zeros(len(terms)), np.zeros((len(terms), len(terms)))
    for r in listed:
        at = terms.index(r["term"])
        if not r["other"]:
            b[at] = r["value"]
        else:
            to = terms.index(r["other"])
            covariance[at, to] = covariance[to, at] = r["value"]
    return terms, ratios.Coefficients(b, covariance)


def pooled_model(
    fits: Mapping[str, tuple[tuple[str, ...], ratios.Coefficients]],
) -> tuple[tuple[str, ...], tuple[str, ...], ratios.Coefficients] | None:
    """The most terms that a registry told, which registries told all of them, and their model."""
    terms = max((t for t, _ in fits.values()), key=len)
    kept = {r: fit for r, (own, fit) in fits.items() if own == terms}
    try:
        return terms, tuple(kept), ratios.one_file([*kept.values()])
    except ValueError:
        return None


def _model(
    result: Result,
    named: Mapping[str, str],
    registries: tuple[str, ...],
    by: dict[str, list[Row]],
) -> None:
    """A model of several factors, from the registries that have all of its terms."""
    fits = {registry: coefficients(rows) for registry, rows in by.items()}
    found = pooled_model(fits)
    if found is None:
        return
    terms, telling, pooled = found
    kept = {r: fits[r][1] for r in telling}
    first = {r: by[r][0] for r in kept}
    names = {r["term"]: r["statistic_id"] for r in by[next(iter(kept))]}
    for at, term in enumerate(terms):
        asked = Asked(names[term], named[names[term]], registries)
        common = {"registries": len(kept), "unit": "HR"}
        common |= {"n": sum(r["events"] for r in first.values())}
        common |= {"total": sum(r["n"] for r in first.values())}
        value = ratio(float(pooled.b[at]), float(pooled.se[at]))
        note = asked.note([*kept], ONE_FILE_OF_SEVERAL)
        estimate(result, asked, "one_file", value, common, note=note)
        for registry in registries:
            fit = kept.get(registry)
            own = ratio(float(fit.b[at]), float(fit.se[at])) if fit else (None,) * 3
            row = first.get(registry)
            _registry(result, asked, registry, row, own, None, ("events", "n"))


def estimate(
    result: Result,
    asked: Asked,
    method: str,
    value: Sequence[float | None],
    common: Mapping[str, Any],
    *,
    exact: bool = False,
    note: str | None = None,
) -> None:
    """Add a pooled number."""
    value_, lower, upper = value
    result.add(
        "estimates",
        statistic_id=asked.statistic_id,
        method=method,
        label=asked.label,
        value=value_,
        lower=lower,
        upper=upper,
        exact=exact,
        note=note,
        **common,
    )


def _registry(
    result: Result,
    asked: Asked,
    registry: str,
    row: Row | None,
    value: Sequence[float | None],
    weight: float | None,
    counts: tuple[str, str],
) -> None:
    """What one registry told; `counts` names the columns with units that have it, and all."""
    own, lower, upper = value
    result.add(
        "by_registry",
        statistic_id=asked.statistic_id,
        registry=registry,
        as_of=row["as_of"] if row else None,
        n=row[counts[0]] if row else None,
        total=row[counts[1]] if row else None,
        value=own,
        lower=lower,
        upper=upper,
        weight_pct=weight,
        suppressed=row is None,
    )


def _left_out(
    result: Result,
    asked: Asked,
    registry: str,
    method: str,
    value: Sequence[float | None],
    tau2: float | None,
) -> None:
    own, lower, upper = value
    result.add(
        "leave_one_out",
        statistic_id=asked.statistic_id,
        left_out=registry,
        method=method,
        value=own,
        lower=lower,
        upper=upper,
        tau2=tau2,
    )

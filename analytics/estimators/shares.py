"""Shares of units of subjects: of all, and of those that could be judged, each with its limits.

The engine counts profiles: how many subjects have so many units, of which so many in each category.
A subject is one unit and its limits are exact; lesions of one patient are not independent, so that
theirs come from a bootstrap over subjects.

Source: Clopper and Pearson, Biometrika 1934;26:404 (exact limits); Efron and Tibshirani 1993, An
Introduction to the Bootstrap, chapter 13 (percentile interval).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from analytics.estimators.cluster_bootstrap import cluster_limits, cluster_weights
from analytics.estimators.proportions import exact
from schemas.settings import ResponseSettings

NOTHING_EVALUABLE = "nothing evaluable under this criterion"
Limits = tuple[float | None, float | None]


class Profiles(NamedTuple):
    """Subjects of one population by how many units they have in each category.

    `clusters`, `total` and `evaluable` have shape (P,); `n` and `n_evaluable` hold one such array
    per category.
    """

    clusters: Any
    total: Any
    evaluable: Any
    n: Mapping[str, Any]
    n_evaluable: Mapping[str, Any]


def cut(
    profiles: pa.Table, by: Sequence[str], categories: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], Profiles]]:
    """Profiles of one key each, in an order of their own: the draw depends on it.

    Args:
        profiles: one row per key and distinct profile, with `clusters`, `total`, `evaluable` and,
            per category, `n_` and `e_` before its name.
        by: the key's columns.
        categories: what is counted.
    """
    ordered = profiles.sort_by([(name, "ascending") for name in profiles.column_names])
    keys = list(zip(*(ordered[name].to_pylist() for name in by), strict=True))
    arrays = {
        name: ordered[name].to_numpy().astype(np.int64)
        for name in ordered.column_names
        if name not in by
    }
    for key in dict.fromkeys(keys):
        at = np.array([k == key for k in keys])
        yield key, _profile({name: values[at] for name, values in arrays.items()}, categories)


def weights_of(found: Profiles, settings: ResponseSettings) -> Any:
    """The weights of the profiles in each resample."""
    return cluster_weights(
        found.clusters, seed=settings.bootstrap_seed, samples=settings.bootstrap_samples
    )


def share(
    found: Profiles,
    category: str,
    weights: Any,
    settings: ResponseSettings,
    *,
    of_evaluable: bool,
) -> dict[str, Any]:
    """What a published row says of one category.

    Args:
        found: the profiles.
        category: the category.
        weights: those of the bootstrap; None for exact limits.
        settings: seed and samples, which the method names.
        of_evaluable: whether the category is a share of the evaluable, too.
    """
    n = _total(found.clusters, found.n[category])
    total = _total(found.clusters, found.total)
    n_evaluable = _total(found.clusters, found.evaluable)
    if not n_evaluable and of_evaluable:
        nothing = {"total": total, "n_evaluable": 0, "method": "none"}
        return nothing | {"reason": NOTHING_EVALUABLE}
    responding = _total(found.clusters, found.n_evaluable[category])
    limits = _limits(weights, found.clusters, found.n[category], found.total)
    evaluable = (
        _limits(weights, found.clusters, found.n_evaluable[category], found.evaluable)
        if of_evaluable
        else (None, None)
    )
    return {
        "n": n,
        "total": total,
        "n_evaluable": n_evaluable,
        "pct": _percent(n, total),
        "lower": limits[0],
        "upper": limits[1],
        "pct_evaluable": _percent(responding, n_evaluable) if of_evaluable else None,
        "lower_evaluable": evaluable[0],
        "upper_evaluable": evaluable[1],
        "method": _method(weights, limits, settings),
    }


def _profile(arrays: Mapping[str, Any], categories: Sequence[str]) -> Profiles:
    return Profiles(
        arrays["clusters"],
        arrays["total"],
        arrays["evaluable"],
        {c: arrays[f"n_{c}"] for c in categories},
        {c: arrays[f"e_{c}"] for c in categories},
    )


def _total(clusters: Any, units: Any) -> int:
    return int((clusters * units).sum())


def _percent(n: int, total: int) -> float | None:
    return 100 * n / total if total else None


def _limits(weights: Any, clusters: Any, n: Any, total: Any) -> Limits:
    if weights is not None:
        return cluster_limits(weights, n, total)
    units = _total(clusters, total)
    return exact(_total(clusters, n), units)[1:] if units else (None, None)


def _method(weights: Any, limits: Limits, settings: ResponseSettings) -> str:
    if weights is None:
        return "Clopper-Pearson"
    name = (
        f"cluster bootstrap over subjects, percentile, {settings.bootstrap_samples} samples, "
        f"seed {settings.bootstrap_seed}"
    )
    return name if limits[0] is not None else f"{name}: no spread, all or none"

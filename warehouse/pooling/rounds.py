"""The second round: ask for score and information at the pooled coefficients, and use them.

A request is a function of the bundles, so that whoever has these can make it again: an answer to
any other request is refused. Answers come from registries and are believed as bundles are, by their
signature.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analytics.pooled import effects, ratios
from schemas.errors import Refused, all_at_once
from schemas.house_settings import PoolFile
from warehouse.bundles.answers import ANSWER, REQUEST, SHEET, SIGNATURE
from warehouse.bundles.signatures import signed_by
from warehouse.pooling import estimates, together
from warehouse.pooling.reading import Bundle, Row, plain_bytes
from warehouse.store import new_folder

DECIMALS = 4
"""Of the coefficients asked for: the step is from these, whatever they are."""
CLOSE = (
    "second round: within 0.02 standard errors of one stratified fit of these registries' patients "
    "where this was measured, 0.09 at most"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A registry's answer that was read and believed."""

    folder: Path
    registry: str
    sha256: str
    rows: tuple[Row, ...]


def request(
    bundles: Sequence[Bundle], pool: PoolFile, differences: Iterable[together.Difference]
) -> bytes:
    """What a second round asks, as a file: each model once, where it is comparable.

    Args:
        bundles: those that may be pooled.
        pool: pool.toml.
        differences: the statistics that are not comparable.
    """
    refused = frozenset(d.statistic_id for d in differences)
    questions = [*_comparisons(bundles, refused), *_models(bundles, refused)]
    facts = {
        "format": REQUEST,
        "pool": pool.name,
        "bundles": {b.registry: b.sha256 for b in bundles},
        "questions": questions,
    }
    return (json.dumps(facts, indent=1, sort_keys=True) + "\n").encode()


def _comparisons(bundles: Sequence[Bundle], refused: frozenset[str]) -> list[Row]:
    found: list[Row] = []
    for statistic, by in estimates.by_statistic(bundles, "comparisons").items():
        fitted = [r for r in by.values() if r["b"] is not None and r["se"]]
        if statistic in refused or not fitted or len(by) < 2:
            continue
        at = effects.common([r["b"] for r in fitted], [r["se"] for r in fitted]).mu
        first = fitted[0]
        found.append(_question(first["endpoint"], [first["factor"]], [statistic], [at], by))
    return found


def _models(bundles: Sequence[Bundle], refused: frozenset[str]) -> list[Row]:
    found: list[Row] = []
    for endpoint, by in estimates.models(bundles, refused).items():
        fits = {registry: estimates.coefficients(rows) for registry, rows in by.items()}
        pooled = estimates.pooled_model(fits)
        if pooled is None or len(pooled[1]) < 2:
            continue
        terms, registries, fit = pooled
        names = {r["term"]: r["statistic_id"] for r in by[registries[0]]}
        statistics = [names[t] for t in terms]
        found.append(_question(endpoint, list(terms), statistics, fit.b.tolist(), registries))
    return found


def _question(
    endpoint: str, terms: list[str], statistics: list[str], at: list[float], by: Iterable[str]
) -> Row:
    return {
        "endpoint": endpoint,
        "terms": terms,
        "statistics": statistics,
        "b": [round(float(b), DECIMALS) for b in at],
        "registries": sorted(by),
    }


def read_answers(folders: Iterable[Path], pool: PoolFile, asked: bytes) -> list[Answer]:
    """Read answers to a request, in the order of their registries.

    Raises:
        Refused: any of them cannot be believed, or is of another request.
    """
    found: list[Answer] = []
    faults: list[str] = []
    for folder in folders:
        try:
            found.append(_read(folder, pool, asked))
        except Refused as fault:
            faults.append(str(fault))
    names = [a.registry for a in found]
    faults += [
        f"{n}: two answers. Name one." for n in sorted({n for n in names if names.count(n) > 1})
    ]
    if faults:
        raise Refused(all_at_once("answers", faults))
    return sorted(found, key=lambda a: a.registry)


def _read(folder: Path, pool: PoolFile, asked: bytes) -> Answer:
    sheet = plain_bytes(folder, SHEET)
    try:
        facts = json.loads(sheet)
        registry, kind = str(facts["registry"]), facts["format"]
        rows, sha256 = facts["answers"], facts["request_sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unreadable(folder) from None
    if kind != ANSWER:
        raise _unreadable(folder)
    member = pool.registries.get(registry)
    if member is None:
        raise Refused(f"{folder}: of the registry {registry}, which pool.toml does not name.")
    signature = plain_bytes(folder, SIGNATURE).decode("utf-8", "replace")
    if not signed_by(member.key, sheet, signature):
        raise Refused(
            f"{folder}: not signed by the key that pool.toml names for {registry}. It was changed, "
            f"or the key was: ask {registry}, over another way, for its public key."
        )
    if sha256 != hashlib.sha256(asked).hexdigest():
        raise Refused(
            f"{folder}: answers another request than these bundles make. Name the bundles that "
            "`y90 pool ask` was given, or ask again."
        )
    questions = {tuple(q["statistics"]): q for q in json.loads(asked)["questions"]}
    if not isinstance(rows, list) or not all(_answers_one(r, registry, questions) for r in rows):
        raise _unreadable(folder)
    if len({tuple(r["statistics"]) for r in rows}) < len(rows):
        raise _unreadable(folder)
    return Answer(folder, registry, hashlib.sha256(sheet).hexdigest(), tuple(rows))


def _unreadable(folder: Path) -> Refused:
    return Refused(f"{folder}/{SHEET}: not what `y90 pool answer` writes. Ask for it again.")


def _answers_one(row: Any, registry: str, questions: Mapping[tuple[str, ...], Row]) -> bool:
    """Whether a row is of a question that this registry was asked, with numbers of its shape."""
    try:
        question = questions[tuple(row["statistics"])]
        size = len(question["terms"])
        score, information = (np.array(row[n], float) for n in ("score", "information"))
        whole = score.shape == (size,) and information.shape == (size, size)
        finite = bool(np.isfinite(score).all() and np.isfinite(information).all())
        same = row["terms"] == question["terms"] and registry in question["registries"]
        counts = isinstance(row["n"], int) and isinstance(row["events"], int)
        return bool(
            whole and finite and same and counts and 0 < row["events"] <= row["n"]
            and (information == information.T).all() and isinstance(row["as_of"], str)
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return False


def add(
    result: dict[str, list[Row]], bundles: Sequence[Bundle], answers: Sequence[Answer], asked: bytes
) -> None:
    """Add what the second round gives to the estimates: one step of the stratified model."""
    labels = estimates.labels(bundles)
    registries = tuple(b.registry for b in bundles)
    more = estimates.Result()
    for question in json.loads(asked)["questions"]:
        wanted = question["statistics"]
        told = {a.registry: r for a in answers for r in a.rows if r["statistics"] == wanted}
        if len(told) < 2:
            continue
        try:
            found = ratios.next_round(
                question["b"],
                [np.array(r["score"], float) for r in told.values()],
                [np.array(r["information"], float) for r in told.values()],
            )
        except ValueError:
            continue
        common = {"registries": len(told), "unit": "HR"}
        common |= {"n": sum(r["events"] for r in told.values())}
        common |= {"total": sum(r["n"] for r in told.values())}
        for place, statistic in enumerate(wanted):
            asked_of = estimates.Asked(statistic, labels[statistic], registries)
            value = estimates.ratio(float(found.b[place]), float(found.se[place]))
            if all(map(math.isfinite, value)):
                note = asked_of.note([*told], CLOSE)
                estimates.estimate(more, asked_of, "second_round", value, common, note=note)
    result["estimates"] = [*result["estimates"], *more.tables["estimates"]]


def keep(answer: Answer, releases: Path) -> None:
    """Keep an answer as it came, under its hash."""
    place = releases / "answers" / answer.sha256
    if place.exists():
        return
    with new_folder(place) as folder:
        for name in (SHEET, SIGNATURE):
            shutil.copyfile(answer.folder / name, folder / name)

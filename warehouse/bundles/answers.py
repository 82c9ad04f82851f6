"""Answer the second round of a pool: score and information at coefficients that are common to all.

A request names the bundles that it was made from. It is answered once, from the release of the very
numbers that the bundle told, so that no patient is in the answer who was not in the bundle. What it
gives is charged to the same budget of bits, and it is kept before it appears.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from analytics.estimators.cox import derivatives
from schemas.errors import Held, Refused
from schemas.settings import Registry
from warehouse.bundles import comparisons, memory, signatures
from warehouse.bundles.draft import Row
from warehouse.bundles.policy import ENDPOINTS, POLICY
from warehouse.bundles.sources import Curve, Factor, Source
from warehouse.engine.connections import connection
from warehouse.fingerprints import file_sha256
from warehouse.store import Store, lock_file, new_folder

REQUEST, ANSWER = "y90-pool-request-1", "y90-pool-answer-1"
SHEET, SIGNATURE = "answer.json", "answer.json.sig"
GREATEST = 2**20
"""A request is never larger."""
FARTHEST = 10.0
"""A log hazard ratio beyond this is no question."""


@dataclass(frozen=True, slots=True)
class Question:
    """A model, and the coefficients at which its score and information are asked."""

    endpoint: str
    terms: tuple[str, ...]
    statistics: tuple[str, ...]
    b: tuple[float, ...]
    registries: tuple[str, ...]

    @property
    def several(self) -> bool:
        """Whether it is the model of all factors."""
        return "prognosis_multivariable" in self.statistics[0]

    @property
    def unit(self) -> str:
        """What it is called in bundles."""
        if self.several:
            return f"model {self.endpoint}"
        return f"comparison {self.endpoint} {self.terms[0]}"


@dataclass(frozen=True, slots=True)
class Request:
    """What a pool asks, and the bundles that it rests on."""

    pool: str
    sha256: str
    bundles: Mapping[str, str]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: where it is, its hash, what it tells and what it withholds."""

    folder: Path
    sha256: str
    told: tuple[str, ...]
    withheld: tuple[str, ...]


def read_request(path: Path) -> Request:
    """Read what a pool asks.

    Raises:
        Refused: it is not what `y90 pool ask` writes.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= GREATEST else b""
    except OSError as fault:
        raise Refused(f"{path}: cannot be read ({fault.strerror}). Name the request.") from None
    try:
        facts = json.loads(data)
        return _request(facts, hashlib.sha256(data).hexdigest())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused(
            f"{path}: not a request that `y90 pool ask` of this version wrote. Ask for it again."
        ) from None


def _request(facts: Any, sha256: str) -> Request:
    if facts["format"] != REQUEST:
        raise ValueError("another format")
    questions = tuple(
        Question(
            str(q["endpoint"]),
            tuple(map(str, q["terms"])),
            tuple(map(str, q["statistics"])),
            tuple(map(float, q["b"])),
            tuple(map(str, q["registries"])),
        )
        for q in facts["questions"]
    )
    whole = all(
        q.endpoint in ENDPOINTS
        and len(q.terms) == len(q.b) == len(q.statistics) == len(set(q.terms)) > 0
        and all(math.isfinite(b) and abs(b) <= FARTHEST for b in q.b)
        for q in questions
    )
    if not whole or len({q.unit for q in questions}) < len(questions):
        raise ValueError("no question, or one twice")
    bundles = {str(k): str(v) for k, v in facts["bundles"].items()}
    return Request(str(facts["pool"]), sha256, bundles, questions)


def answer(
    store: Store, registry: Registry, path: Path, to: Path, sign_with: Ed25519PrivateKey
) -> Answered:
    """Answer a request into a new folder, and remember it.

    Raises:
        Refused: the folder is there, or the request is foreign, old, or was answered.
        Held: nothing of it can be answered.
    """
    if to.exists():
        raise Refused(f"{to}: there is something already. Name a folder that does not exist yet.")
    asked = read_request(path)
    name = registry.file.registry
    with lock_file(store.state / "pool" / ".lock", wait=True):
        before = memory.earlier(store)
        _check(path, asked, name, before)
        found = _answers(store, name, asked, before)
        if not found.rows:
            listed = "; ".join(found.withheld) or "it asks nothing of this registry"
            raise Held(
                f"{path}: nothing can be answered: {listed}. Tell the pool to go on without."
            )
        facts = {
            "format": ANSWER,
            "pool": asked.pool,
            "registry": name,
            "request_sha256": asked.sha256,
            "bundle_sha256": asked.bundles[name],
            "answers": found.rows,
            "withheld": found.withheld,
        }
        text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)
        sheet = (text + "\n").encode()
        files = {SHEET: sheet, SIGNATURE: signatures.sign(sign_with, sheet).encode()}
        kept = {"request_sha256": asked.sha256, "answered": found.units}
        memory.keep_answer(store, kept, found.bits, files)
        to.parent.mkdir(parents=True, exist_ok=True)
        with new_folder(to.absolute()) as folder:
            for file, content in files.items():
                (folder / file).write_bytes(content)
    to.chmod(0o755)
    told = tuple(unit for unit, _ in found.units)
    return Answered(to, file_sha256(to / SHEET), told, tuple(found.withheld))


def _check(path: Path, asked: Request, registry: str, before: list[memory.Told]) -> None:
    """Refuse a request that is not of this registry's last bundle, or that was answered."""
    bundles = [t.facts["bundle_sha256"] for t in before if t.facts.get("bundle_sha256")]
    own = asked.bundles.get(registry)
    if own is None:
        raise Refused(
            f"{path}: asks nothing of {registry}: it was made from other registries' bundles. "
            "Nothing is to be answered."
        )
    if own not in bundles:
        raise Refused(
            f"{path}: made from a bundle that this store never told. Answer from the store that "
            "told it, or ask the pool which bundle it has."
        )
    if own != bundles[-1]:
        raise Refused(
            f"{path}: made from an older bundle than the last one. Send the newest, and let the "
            "pool ask again."
        )
    for told in before:
        if told.facts.get("request_sha256") == asked.sha256:
            raise Refused(
                f"{path}: answered before; the answer is kept in {told.folder}. Send that one: "
                "another would be charged again."
            )


@dataclass(slots=True)
class _Found:
    rows: list[Row]
    withheld: list[str]
    units: list[tuple[str, str]]
    bits: dict[str, float]


def _answers(store: Store, registry: str, asked: Request, before: list[memory.Told]) -> _Found:
    found = _Found([], [], [], {})
    spent = memory.spent(before)
    already = {tuple(a) for t in before for a in t.facts.get("answered", ())}
    with connection() as con:
        sources: dict[str, Source] = {}
        for question in _in_order(asked.questions):
            if registry not in question.registries:
                continue
            told = next((t for t in reversed(before) if question.unit in t.units), None)
            if told is None:
                found.withheld.append(f"{question.unit}: never told in a bundle")
                continue
            as_of, release = str(told.facts["as_of"]), str(told.facts["release"])
            if (question.unit, as_of) in already:
                found.withheld.append(f"{question.unit}: answered before, at other coefficients")
            elif not store.release(release).is_dir():
                found.withheld.append(f"{question.unit}: release {release} is no longer there")
            else:
                source = sources.setdefault(release, Source(con, store.release(release)))
                _one(source, question, told, spent, found)
    return found


def _in_order(questions: Sequence[Question]) -> Iterator[Question]:
    """In the order in which a budget is spent: by endpoint, models last."""
    yield from sorted(questions, key=lambda q: (q.several, ENDPOINTS.index(q.endpoint), q.terms))


def _one(
    source: Source,
    question: Question,
    told: memory.Told,
    spent: dict[str, float],
    found: _Found,
) -> None:
    """Add one answer, or why it is withheld."""
    unit, as_of = question.unit, str(told.facts["as_of"])
    curve = source.curves.get(question.endpoint)
    by_name = {f.name: f for f in source.factors}
    if curve is None or not set(question.terms) <= by_name.keys():
        found.withheld.append(f"{unit}: not in release {source.release.name}")
        return
    factors = [by_name[t] for t in question.terms]
    row, bits = told_at(curve, factors, question)
    if not _same(told.units[unit]["rows"], row):
        found.withheld.append(f"{unit}: the release no longer holds the patients that were told")
        return
    for factor in factors:
        left = comparisons.possible(factor, curve) - spent.get(factor.name, 0.0) - bits[factor.name]
        if left < POLICY.bits_left.value:
            found.withheld.append(f"{unit}: beyond the budget of {factor.name}")
            return
    for name, given in bits.items():
        spent[name] = spent.get(name, 0.0) + given
        found.bits[name] = found.bits.get(name, 0.0) + given
    found.rows.append(row | {"as_of": as_of})
    found.units.append((unit, as_of))


def told_at(
    curve: Curve, factors: Sequence[Factor], question: Question
) -> tuple[Row, dict[str, float]]:
    """Score and information at common coefficients, and the bits that they give of each factor."""
    known = np.logical_and.reduce([f.of(curve)[0] for f in factors])
    x = np.column_stack([f.of(curve)[1][known] for f in factors])
    days, event = curve.days[known], curve.event[known]
    counted = comparisons.patterns(days, event, x.astype(float))
    _, score, information = derivatives(counted, np.array(question.b))
    decimals = POLICY.decimals_test.value
    row: Row = {
        "endpoint": question.endpoint,
        "terms": list(question.terms),
        "statistics": list(question.statistics),
        "n": int(known.sum()),
        "events": int(event.sum()),
        "score": [round(float(u), decimals) for u in score],
        "information": [[round(float(i), decimals) for i in own] for own in information],
    }
    if question.several:
        charge = comparisons.bits_of_scores(int(event.sum()), len(factors))
        return row, {f.name: charge for f in factors}
    return row, {factors[0].name: comparisons.bits_at(days, event, x[:, 0], question.b[0])}


def _same(rows: Mapping[str, list[Row]], row: Row) -> bool:
    """Whether an answer is of as many patients and events as what was told."""
    listed = [r for table in ("comparisons", "models") for r in rows.get(table, [])]
    return bool(listed) and all((r["n"], r["events"]) == (row["n"], row["events"]) for r in listed)

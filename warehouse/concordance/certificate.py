"""Make, keep and read the certificate of concordance: how near this machine comes to R.

It belongs to one state of the code, the engines and the machine, and lies in the user's cache. A
night only reads it; it stands in a manifest's `record` and in no hash of content.
"""

import json
import platform
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warehouse import fingerprints
from warehouse.store import make_private, user_cache, write_atomically

FLOOR = 1e-5
"""Smaller numbers are compared absolutely: a difference of 1e-14 in 1e-9 is no difference."""
KEPT = 8
NOT_MADE = {
    "passed": None,
    "reason": "no certificate was made for this code on this machine. Run `y90 certificate`.",
}


def make() -> dict[str, Any]:
    """Compare every estimator with its witnesses, and keep the certificate."""
    from warehouse.concordance.answers import answers
    from warehouse.concordance.cases import CASES

    found = [_judged(case) for case in CASES]
    facts = {
        "passed": all(f["passed"] for f in found),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_sha256": fingerprints.code_sha256(),
        "machine": f"{platform.machine()}, {platform.system()}",
        "versions": dict(fingerprints.engine_versions()),
        "of_r": answers("survival")["versions"],
        "estimators": found,
    }
    with suppress(OSError):  # a cache that cannot be written: it is made again
        _keep(facts)
    return facts


def read() -> dict[str, Any] | None:
    """The certificate of this code, these engines and this machine, if one was made."""
    try:
        return dict(json.loads(place().read_text("utf-8")))
    except (OSError, ValueError):
        return None


def for_record() -> dict[str, Any]:
    """What a manifest's record carries."""
    return read() or dict(NOT_MADE)


def place() -> Path:
    """Where the certificate of this code, these engines and this machine lies."""
    facts = [
        fingerprints.code_sha256(),
        dict(fingerprints.engine_versions()),
        platform.machine(),
        platform.node(),
    ]
    return user_cache() / "certificates" / f"{fingerprints.sha256_of(facts)[:24]}.json"


def _judged(case: Any) -> dict[str, Any]:
    to_r, n = _largest(case.r)
    to_second = _largest(case.by_second)[0] if case.by_second else 0.0
    return {
        "estimator": case.estimator,
        "numbers": n,
        "largest_difference_to_r": _told(to_r),
        "tolerance": case.tolerance,
        "of_r": case.of_r,
        "second": case.second or f"none: {case.no_second}",
        "largest_difference_to_second": _told(to_second) if case.by_second else None,
        "second_tolerance": case.second_tolerance if case.by_second else None,
        "conventions": case.conventions,
        "passed": bool(to_r <= case.tolerance and to_second <= case.second_tolerance),
    }


def _told(difference: float) -> float | str:
    return difference if difference < float("inf") else "a number is missing on one side"


def _largest(pairs: Callable[[], Any]) -> tuple[float, int]:
    """The largest relative difference of a case, and how many numbers were compared.

    A number on one side alone is an infinite difference, and so is a case without any number.
    """
    import numpy as np

    largest, n = 0.0, 0
    for ours, theirs in pairs():
        a, b = (np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (ours, theirs))
        if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
            return float("inf"), n
        there = ~np.isnan(a) & (a != b)
        off = np.abs(a[there] - b[there]) / np.maximum(np.abs(b[there]), FLOOR)
        largest, n = max(largest, float(off.max(initial=0.0))), n + a.size
    return (largest, n) if n else (float("inf"), 0)


def _keep(facts: dict[str, Any]) -> None:
    path = place()
    make_private(path.parent)
    write_atomically(path, json.dumps(facts, indent=1).encode() + b"\n", private=True)
    kept = sorted(path.parent.glob("*.json"), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in kept[KEPT:]:
        old.unlink(missing_ok=True)

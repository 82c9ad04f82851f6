"""Judge whether a candidate is published, or held for someone to read and approve.

Two kinds of question. The first are asked of the candidate alone; their answers are a table of the
release (quality.audit). The second compare it with the release before; what they find depends on
the store's history, so it stands beside the tables: changes.json, and audit/ with its page.
"""

import atexit
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.contract import rows
from schemas.settings import AuditSettings
from schemas.tables.changes import Changes, StatisticChange
from schemas.tables.quality import Audit
from warehouse.audit import movement, telling
from warehouse.audit.questions import QUESTIONS
from warehouse.engine.connections import UNLIMITED, Resources
from warehouse.engine.embedded import Written, engine, write_parquet
from warehouse.releases import change_pages as pages
from warehouse.releases import changes as compare
from warehouse.store import write_atomically

KEPT = 200
"""Rows of one table that changes.json lists; `y90 diff --rows` lists more."""


@dataclass(slots=True)
class _Waiting:
    """The process that imports while the tables are still being built, and waits for the next."""

    process: "subprocess.Popen[str] | None" = field(default=None)
    owner: int = 0
    """Whose it is: two processes must not write into one pipe after a fork."""


_waiting = _Waiting()


def prepare() -> None:
    """Start the process that will ask, so that its imports cost no time later."""
    _waiting.process, _waiting.owner = _taken() or _start(), os.getpid()


def answer(work: Path, resources: Resources = UNLIMITED) -> Written:
    """Ask the candidate every question and write quality/audit.parquet.

    Args:
        work: the run's directory, with the candidate's parquet/.
        resources: what the engine may use, here and in the process that asks.
    """
    answered = _asked(work, resources)
    records = [
        {
            "audit_id": q.audit_id,
            "suite": q.suite,
            "table_name": q.table,
            "question": q.question,
            "passed": answered[q.audit_id],
        }
        for q in QUESTIONS
    ]
    with engine(work / "audit.duckdb", **resources.as_options()) as con:
        path = work / "parquet" / "quality" / "audit.parquet"
        return write_parquet(con, rows(records, Audit), Audit, path)


def judge(
    work: Path,
    before: Path | None,
    names: tuple[str | None, str],
    settings: AuditSettings,
    absent: Sequence[str] = (),
) -> bool:
    """Compare the candidate with the release before, write the account, and say whether to hold.

    Args:
        work: the run's directory.
        before: the release that `current` named at the same night, if any.
        names: ids of that release and of the candidate.
        settings: the tolerances.
        absent: sites of the registry without any visible delivery.
    """
    differences = changes_of(work, before, names)
    moved = sorted(
        movement.outside(differences, settings), key=lambda pair: pages.importance(pair[0])
    )
    shown = movement.impact(differences, before, work)
    reasons = _reasons(_failed(work), moved, shown, settings)
    account = {
        "format": "y90-audit-1",
        "release": names[1],
        "compared_with": names[0],
        "held": bool(reasons),
        "reasons": reasons,
        "questions": _answers(work),
        "tolerances": settings.model_dump(mode="json"),
        "n_statistics_changed": len(differences.statistics),
        "statistics": [s.model_dump(mode="json") | {"why": why} for s, why in moved],
        "absent_sites": list(absent),
        **shown,
    }
    _write(work, account)
    return bool(reasons)


def changes_of(work: Path, before: Path | None, names: tuple[str | None, str]) -> Changes:
    """What differs from the release before; written as changes.json and CHANGES.md.

    Written already for the same two releases, it is only read.
    """
    path = work / "changes.json"
    if path.exists():
        stored = Changes.model_validate_json(path.read_bytes())
        if (stored.left, stored.right) == names:
            return stored
    if before is None or names[0] is None:
        changes = compare.first(names[1])
    else:
        changes = compare.diff(before, work, names=(names[0], names[1]), limit=KEPT)
    write_atomically(path, changes.model_dump_json().encode() + b"\n")
    write_atomically(work / "CHANGES.md", pages.markdown(changes).encode())
    return changes


def _start() -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "warehouse.audit.expectations"],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"GX_ANALYTICS_ENABLED": "false", "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(_stop, process)
    return process


def _taken() -> "subprocess.Popen[str] | None":
    """The process that waits, if one still does."""
    process, _waiting.process = _waiting.process, None
    own = process is not None and _waiting.owner == os.getpid()
    return process if own and process is not None and process.poll() is None else None


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.kill()
        process.communicate()


def _asked(work: Path, resources: Resources) -> Mapping[str, bool]:
    scratch = work / "audit-frames"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    process = _taken() or _start()
    asked = {
        "parquet": str(work / "parquet"),
        "scratch": str(scratch),
        "resources": resources.as_options(),
    }
    told = _told(process, json.dumps(asked) + "\n")
    if "fault" in told:
        raise RuntimeError(f"the audit's process failed:\n{told['fault']}")
    _waiting.process, _waiting.owner = process, os.getpid()
    shutil.rmtree(scratch)
    return dict(told["answers"])


def _told(process: "subprocess.Popen[str]", asked: str) -> dict[str, Any]:
    """One question and its answer; the process goes on waiting."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the audit's process was started without pipes")
    try:
        process.stdin.write(asked)
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it ended: its exit code says so below
    line = process.stdout.readline()
    return dict(json.loads(line)) if line else {"fault": f"it ended with {process.wait()}"}


def _answers(work: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    table = pq.read_table(work / "parquet" / "quality" / "audit.parquet")
    return list(table.to_pylist())


def _failed(work: Path) -> list[dict[str, Any]]:
    return [a for a in _answers(work) if not a["passed"]]


def _reasons(
    failed: Sequence[Mapping[str, Any]],
    moved: Sequence[tuple[StatisticChange, str]],
    shown: Mapping[str, Any],
    settings: AuditSettings,
) -> list[str]:
    """Why the candidate is held, causes first; nothing where nothing holds it."""
    fallen = movement.fallen(shown["rows"], settings)
    if not (failed or moved or fallen):
        return []
    answers = [f"{q['question']} This is not so ({q['audit_id']})." for q in failed]
    return [*telling.causes(shown, fallen), *answers, *telling.moves(moved)]


def _write(work: Path, account: Mapping[str, Any]) -> None:
    text = json.dumps(account, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
    folder = work / "audit"
    folder.mkdir(exist_ok=True)
    write_atomically(folder / "index.html", pages.audit_page(account).encode())
    write_atomically(folder / "audit.json", text)
    write_atomically(work / "audit.json", text)

"""Everything that a release says of one subject, with the rule behind each class and grade.

It reads the release's marts and nothing else: the classes of each lesion at each time point under
every criterion side by side, the laboratory result behind each grade, the source of each endpoint.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from schemas.errors import Refused
from schemas.records.criteria import CRITERIA
from schemas.tables.marts import WINDOWS
from warehouse.account.recorded import reconciled
from warehouse.releases.query import open_release

Facts = dict[str, Any]
PLACE = ("lesion_number", "rel_day", "reader", "modality")
SAID = (
    "baseline_day",
    "baseline",
    "nadir",
    "value",
    "change_from_baseline_pct",
    "change_from_nadir_pct",
    "response",
    "rule",
    "in_window",
    "source_row_ids",
)
BEST = (
    "best_response",
    "best_response_day",
    "first_response_day",
    "progression_day",
    "evaluable",
    "reason",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a release says of one subject; lesion 0 is the subject as a whole."""

    subject: Facts
    eligibility: tuple[Facts, ...]
    """Rules that were not passed."""
    assessments: tuple[Facts, ...]
    """One per lesion, day, reader and modality, with `criteria`: criterion -> what it says."""
    best: tuple[Facts, ...]
    """One per lesion and confirmation, with `criteria`."""
    labs: tuple[Facts, ...]
    """One per analyte, version and deciding result, with the windows that it decides."""
    events: tuple[Facts, ...]
    endpoints: tuple[Facts, ...]
    recorded: tuple[Facts, ...]
    """Recorded classes beside the derived ones, with the kind of a disagreement."""
    progression: tuple[Facts, ...]
    """First progression as recorded beside that derived; nothing where neither was seen."""
    rules: dict[str, str]
    """What each rule means that decided a time point."""


def show(release: Path, subject_id: str) -> Shown:
    """Collect one subject's rows.

    Raises:
        Refused: the release has no such subject; names that look alike are of other patients.
    """
    with open_release(release) as con:
        subject = _subject(con, subject_id)
        seen = [*_rows(con, SUBJECT_ASSESSMENTS, subject_id)]
        seen += _rows(con, LESION_ASSESSMENTS, subject_id)
        best = [*_rows(con, SUBJECT_RESPONSE, subject_id)]
        best += _rows(con, LESION_RESPONSE, subject_id)
        return Shown(
            subject=subject,
            eligibility=_rows(con, NOT_PASSED, subject_id),
            assessments=_side_by_side(seen, PLACE, (*SAID, *SEEN_BESIDE)),
            best=_side_by_side(best, ("lesion_number", "confirmation"), BEST),
            labs=_labs(con, subject_id),
            events=tuple(sorted(_windowed(con, EVENTS, subject_id), key=_event_order)),
            endpoints=_rows(con, ENDPOINTS, subject_id),
            recorded=_recorded(con, subject_id, seen, best),
            progression=_progression(con, subject_id),
            rules=_meanings(str(row["rule"]) for row in seen),
        )


SEEN_BESIDE = ("n_lesions", "new_lesion", "non_target")
"""What an assessment of the whole subject says besides."""
NOT_PASSED = """
SELECT rule_id, status, value, allowed, reason FROM marts.eligibility
WHERE subject_id = $subject AND status <> 'pass' ORDER BY rule_id
"""
SUBJECT_ASSESSMENTS = """
SELECT 0 AS lesion_number, * EXCLUDE (subject_id) FROM marts.subject_assessments
WHERE subject_id = $subject AND organ = 'all' ORDER BY rel_day, reader, modality
"""
LESION_ASSESSMENTS = """
SELECT * EXCLUDE (subject_id) FROM marts.lesion_assessments
WHERE subject_id = $subject ORDER BY lesion_number, rel_day, reader, modality
"""
SUBJECT_RESPONSE = """
SELECT 0 AS lesion_number, * EXCLUDE (subject_id) FROM marts.subject_response
WHERE subject_id = $subject AND organ = 'all' ORDER BY confirmation DESC
"""
LESION_RESPONSE = """
SELECT * EXCLUDE (subject_id) FROM marts.lesion_response
WHERE subject_id = $subject ORDER BY lesion_number, confirmation DESC
"""
DECIDING = """
SELECT t.term AS analyte, t.ctcae_version, list(t.time_window) AS windows, t.worst_grade AS grade,
  t.baseline_grade, t.emergent, g.rel_day, g.value, g.value_comparator, g.unit, g.lower_limit,
  g.upper_limit, g.baseline_value, g.rule, g.reason, t.source_row_id
FROM marts.toxicity t LEFT JOIN marts.lab_grades g ON g.subject_id = t.subject_id
  AND g.analyte = t.term AND g.ctcae_version = t.ctcae_version AND g.source_row_id = t.source_row_id
WHERE t.subject_id = $subject AND t.source = 'lab' GROUP BY ALL
"""
NOT_GRADED = """
SELECT analyte, ctcae_version, count(*) AS n, reason FROM marts.lab_grades g
WHERE subject_id = $subject AND rel_day > 0 AND grade IS NULL AND (
  reason IN ('baseline_set_aside', 'unreadable') OR NOT EXISTS (
    FROM marts.toxicity t WHERE t.subject_id = g.subject_id AND t.source = 'lab'
    AND t.term = g.analyte AND t.ctcae_version = g.ctcae_version))
GROUP BY ALL
"""
EVENTS = """
SELECT term, ctcae_version, list(time_window) AS windows, worst_grade, baseline_grade, worst_day,
  emergent, related, reason, source_row_id FROM marts.toxicity
WHERE subject_id = $subject AND source = 'event' GROUP BY ALL
"""
ENDPOINTS = """
SELECT * EXCLUDE (subject_id) FROM marts.time_to_event WHERE subject_id = $subject
ORDER BY lesion_number, endpoint
"""


HAS = """
SELECT 1 FROM duckdb_tables() WHERE schema_name = 'marts' AND table_name = $name
UNION SELECT 1 FROM duckdb_views() WHERE schema_name = 'marts' AND view_name = $name
"""
PROGRESSION = """
SELECT * EXCLUDE (subject_id) FROM marts.progression_differences
WHERE subject_id = $subject AND agreement <> 'neither'
"""
RECORDED_ASSESSMENTS = """
SELECT * EXCLUDE (subject_id) FROM marts.recorded_assessments
WHERE subject_id = $subject AND organ = 'all' ORDER BY criterion, rel_day, reader
"""
RECORDED_RESPONSE = """
SELECT * EXCLUDE (subject_id) FROM marts.recorded_response
WHERE subject_id = $subject AND organ = 'all' ORDER BY criterion
"""


def _rows(con: duckdb.DuckDBPyConnection, query: str, subject_id: str) -> tuple[Facts, ...]:
    result = con.execute(query, {"subject": subject_id})
    names = [column[0] for column in result.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in result.fetchall())


def _recorded(
    con: duckdb.DuckDBPyConnection, subject_id: str, seen: list[Facts], best: list[Facts]
) -> tuple[Facts, ...]:
    """The recorded classes; a release of before they were taken in has none."""
    if not con.execute(HAS, {"name": "recorded_response"}).fetchall():
        return ()
    return reconciled(
        _rows(con, RECORDED_ASSESSMENTS, subject_id),
        [row for row in seen if row["lesion_number"] == 0],
        _rows(con, RECORDED_RESPONSE, subject_id),
        [r for r in best if r["lesion_number"] == 0 and r["confirmation"] == "unconfirmed"],
    )


def _progression(con: duckdb.DuckDBPyConnection, subject_id: str) -> tuple[Facts, ...]:
    """The two progressions; a release of before they were compared has none."""
    known = con.execute(HAS, {"name": "progression_differences"}).fetchall()
    return _rows(con, PROGRESSION, subject_id) if known else ()


def _subject(con: duckdb.DuckDBPyConnection, subject_id: str) -> Facts:
    subjects = _rows(con, "SELECT * FROM marts.subjects WHERE subject_id = $subject", subject_id)
    if subjects:
        return subjects[0]
    raise Refused(
        f"subject {subject_id}: this release has none. Copy a subject_id from the release, or name "
        "a patient by --site and --patient."
    )


def _side_by_side(
    rows: Iterable[Facts], place: tuple[str, ...], said: tuple[str, ...]
) -> tuple[Facts, ...]:
    """One entry per place, in the order of the rows, with what each criterion says of it."""
    entries: dict[tuple[Any, ...], Facts] = {}
    for row in rows:
        where = tuple(row.get(name) for name in place)
        entry = entries.setdefault(where, {**dict(zip(place, where, strict=True)), "criteria": {}})
        entry["criteria"][row["criterion"]] = {n: row[n] for n in said if n in row}
    for entry in entries.values():
        by_criterion = entry["criteria"]
        entry["criteria"] = {name: by_criterion[name] for name in CRITERIA if name in by_criterion}
    return tuple(entries.values())


def _labs(con: duckdb.DuckDBPyConnection, subject_id: str) -> tuple[Facts, ...]:
    """The deciding results, and why others could not be graded.

    What was delivered and is not in the number is named even where another result has a grade.
    """
    graded = _windowed(con, DECIDING, subject_id)
    without = [{**row, "windows": [], "grade": None} for row in _rows(con, NOT_GRADED, subject_id)]
    return tuple(sorted([*graded, *without], key=_lab_order))


def _windowed(con: duckdb.DuckDBPyConnection, query: str, subject_id: str) -> list[Facts]:
    """Rows with their windows in order."""
    rows = _rows(con, query, subject_id)
    return [{**row, "windows": sorted(row["windows"], key=WINDOWS.index)} for row in rows]


def _lab_order(row: Facts) -> tuple[Any, ...]:
    return row["analyte"], row["ctcae_version"], _places(row), row["reason"] or ""


def _event_order(row: Facts) -> tuple[Any, ...]:
    return row["term"], row["ctcae_version"], _places(row)


def _places(row: Facts) -> list[int]:
    return [WINDOWS.index(name) for name in row["windows"]]


def _meanings(codes: Iterable[str]) -> dict[str, str]:
    from transforms.response.ladder import RULES

    used = set(codes)
    return {rule.name: f"{rule.response}: {rule.meaning}" for rule in RULES if rule.name in used}


def plain(value: Any) -> Any:
    """A fact as JSON holds it: decimals as numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value

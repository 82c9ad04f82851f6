"""What rows set aside and cells marked cost: by root cause, and whose numbers lose members.

A row that is set aside because its patient, lesion or scan was, is counted under the cause of that
one. Nothing here names a patient or a value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.engine.connections import connection
from warehouse.loading.validate import NO_DAY, UNREAD

NAMED = 3
"""Published numbers that a line names."""
MARKS = (*UNREAD.values(), *NO_DAY)
"""Rules of a cell that, where its row can do without it, is marked."""

ROOTS = """
WITH aside AS (
    SELECT table_name, row_id, subject_id, source_file, source_row,
        min(rule_id || '|' || table_name || '|' || column_name) AS cause
    FROM read_parquet(?) WHERE rule_id IS NOT NULL GROUP BY ALL
), linked AS (
    SELECT *, CASE split_part(cause, '|', 1)
        WHEN 'no_such_patient' THEN 'patients' WHEN 'no_such_lesion' THEN 'lesions'
        WHEN 'no_such_scan' THEN 'scans' END AS parent
    FROM aside
), first AS (
    SELECT table_name AS parent, subject_id, min(cause) AS cause FROM linked
    WHERE table_name IN ('patients', 'lesions', 'scans') GROUP BY ALL
), up AS (
    SELECT linked.* EXCLUDE (cause, parent), coalesce(first.cause, linked.cause) AS cause
    FROM linked LEFT JOIN first USING (parent, subject_id)
), top AS (
    SELECT up.* EXCLUDE (cause), CASE WHEN up.cause LIKE 'no_such_patient|%'
        THEN coalesce(first.cause, up.cause) ELSE up.cause END AS cause
    FROM up LEFT JOIN first ON first.parent = 'patients' AND first.subject_id = up.subject_id
)
SELECT cause, table_name, count(*) AS n, count(DISTINCT subject_id) AS n_patients
FROM top GROUP BY ALL ORDER BY cause, table_name
"""


MARKED = """
SELECT rule_id || '|' || table_name || '|' || column_name AS cause, count(*) AS n
FROM read_parquet(?) WHERE severity = 'warn' AND list_contains(?, rule_id) GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """One root cause: where it is, and what is lost by it."""

    table: str
    column: str
    rule: str
    patients: int
    rows: int
    tables: tuple[str, ...]
    outcomes: tuple[str, ...]
    """Outcome tables whose statistics rest on a table that lost rows or cells."""
    numbers: tuple[str, ...] = ()
    """Their published numbers, as table.column; those that a reader asks for first stand first."""
    cells: int = 0
    """Cells that are marked: their rows stay."""

    def __str__(self) -> str:
        """One line for a person."""
        people = f"{_number(self.patients, 'patient')} lost and " if self.patients else ""
        lost = f"{people}{_number(self.rows, 'row')} set aside ({', '.join(self.tables)})"
        marked = f"{_number(self.cells, 'cell')} not read, each row stays"
        return (
            f"{self.table}.{self.column} [{self.rule}]: {lost if self.rows else marked}; "
            f"members may be lacking in {_first(self.numbers) or 'no published number'}"
        )


def _first(numbers: Sequence[str]) -> str:
    """The first numbers by name, and how many more there are."""
    more = len(numbers) - NAMED
    return ", ".join([*numbers[:NAMED], *([f"{more} more"] if more > 0 else [])])


def _number(n: int, what: str) -> str:
    return f"{n} {what}{'s' if n != 1 else ''}"


def costs(index: Path) -> tuple[Cost, ...]:
    """The root causes of a loaded delivery, the dearest first.

    Args:
        index: rows.parquet of the delivery (`warehouse.loading.row_index`), beside its findings.
    """
    with connection() as con:
        roots = con.execute(ROOTS, [str(index)]).fetchall()
        findings = [str(index.with_name("findings.parquet")), list(MARKS)]
        marked = con.execute(MARKED, findings).fetchall()
    by_cause: dict[str, list[tuple[str, int, int]]] = {}
    for cause, table, n, n_patients in roots:
        by_cause.setdefault(cause, []).append((table, n, n_patients))
    listed = [_cost(cause, parts) for cause, parts in by_cause.items()]
    listed += [_marked(cause, n) for cause, n in marked]
    return tuple(sorted(listed, key=lambda c: (-c.patients, -c.rows, -c.cells, c.table, c.column)))


def _cost(cause: str, parts: list[tuple[str, int, int]]) -> Cost:
    rule, table, column = cause.split("|")
    lost = sum(p for t, _, p in parts if t == "patients") if table == "patients" else 0
    return Cost(
        table=table,
        column=column,
        rule=rule,
        patients=lost,
        rows=sum(n for _, n, _ in parts),
        tables=tuple(f"{n} of {t}" for t, n, _ in parts),
        **_published([t for t, _, _ in parts]),
    )


def _marked(cause: str, n: int) -> Cost:
    rule, table, column = cause.split("|")
    return Cost(table, column, rule, patients=0, rows=0, tables=(), cells=n, **_published([table]))


def _published(tables: Iterable[str]) -> dict[str, Any]:
    """Outcome tables with statistics that are made from these tables, and those statistics."""
    from schemas.contract import options
    from schemas.statistic_ids import headline_rank
    from warehouse.engine.lineage import derivations, downstream

    by_name = derivations()
    known = {n: options(by_name[n].contract).statistics for n in sorted(downstream(tables))}
    outcomes = tuple(sorted((n for n, told in known.items() if told), key=headline_rank))
    numbers = (f"{n}.{s.value}" for n in outcomes for s in known[n])
    return {"outcomes": outcomes, "numbers": tuple(dict.fromkeys(numbers))}

"""Find the bad rows of a harmonised table by its contract, compiled to one expression.

Pandera's own row-level answers cannot be used on Ibis (docs/decisions/pandera.md): unique and
not-null failures come back as expressions, and the index is not the row. So the same declarations
become one array of broken rules per row, evaluated in one scan that yields only bad rows. Rules
over several rows (unique key, foreign key, cross-table) are one aggregate or anti-join each.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir

from schemas.contract import Column, Contract, columns, key, options, table_name
from schemas.records.findings import BY_ID
from schemas.tables.registry import RegistryTable
from transforms.intake.cells import beyond

PARENTS = ("patients", "lesions", "scans")
ROW = "_row"


@dataclass(frozen=True, slots=True)
class Breach:
    """One compiled rule: where it is broken."""

    rule_id: str
    column: str
    category: str
    severity: str
    expression: ir.BooleanValue


OWN_RULE = {("patients", "diagnosis_date"), ("treatments", "treatment_date")}
"""Dates that a rule of their own holds against the year of birth."""
UNREAD = {
    "number": "not_a_number",
    "date": "not_a_date",
    "boolean": "not_yes_or_no",
    "code": "unknown_code",
    "value": "not_readable",
    "below": "below_minimum",
    "above": "above_maximum",
}
"""What harmonising could not read or believe -> the rule that is broken."""
NO_DAY = ("after_extraction", "before_birth", "before_care")
"""Rules that say that something cannot have been on that day."""


def breaches(
    table: ir.Table, contract: type[RegistryTable], extracted: date | ir.DateValue
) -> list[Breach]:
    """Every row rule of the contract, as expressions over a harmonised table."""
    mapped = [c for c in columns(contract) if c.name in table.columns]
    broken = [b for c in mapped for b in _column_breaches(table, c)]
    for c in dates(contract):
        if c.name in table.columns:
            broken.append(_breach("after_extraction", c.name, _day(table, c) > extracted))
    return broken + [
        Breach(r.rule_id, r.column, r.category, r.severity, r.breaks(table).fill_null(False))
        for r in options(contract).rules
    ]


def bad_rows(
    table: ir.Table, contract: type[RegistryTable], extracted: date | ir.DateValue
) -> ir.Table:
    """One row per bad row and rule: `_row`, rule_id, column_name, category, severity."""
    compiled = breaches(table, contract, extracted)
    marks = [
        b.expression.ifelse(
            "|".join((b.rule_id, b.column, b.category, b.severity)), ibis.null("string")
        )
        for b in compiled
    ]
    broken = table.filter(reduce(or_, (b.expression for b in compiled)))
    each = broken.select(ROW, mark=ibis.array(marks).filter(lambda m: m.notnull()).unnest())
    parts = each.mark.split("|")
    return each.select(
        ROW, rule_id=parts[0], column_name=parts[1], category=parts[2], severity=parts[3]
    )


def dates(contract: type[RegistryTable]) -> list[Column]:
    """The columns that hold a day or a moment."""
    return [c for c in columns(contract) if c.dtype.is_date() or c.dtype.is_timestamp()]


def too_early(
    table: ir.Table,
    contract: type[RegistryTable],
    column: Column,
    patients: ir.Table,
    earliest: ir.IntegerValue,
    bound: ir.IntegerValue,
) -> ir.Table:
    """Rows with a date before the patient's year of birth, or before care is believed.

    Args:
        table: a harmonised table.
        contract: its contract.
        column: one that holds a date.
        patients: the patients that are accepted; of patients themselves those delivered.
        earliest: no care of a patient whose year of birth is not known is older.
        bound: the later of that year and the latest year of birth; only older rows are looked up.
    """
    born = patients.select("site_id", "patient_id", _born=patients.birth_year)
    year = _day(table, column).year()
    old = table.filter(year < bound).select(ROW, "site_id", "patient_id", _year=year)
    with_birth = old.left_join(born, ["site_id", "patient_id"])
    early = with_birth.filter(with_birth._year < with_birth._born.fill_null(earliest))
    if (table_name(contract), column.name) in OWN_RULE:
        early = early.filter(early._born.isnull())
    rule_id = early._born.notnull().ifelse("before_birth", "before_care")
    return early.select(
        ROW,
        rule_id=rule_id,
        column_name=ibis.literal(column.name),
        **_judgement("before_birth", optional=column.nullable),
    )


def too_late(table: ir.Table, column: Column, extracted: date | ir.DateValue) -> ir.Table:
    """Rows with an optional date after the day on which the site extracted the data."""
    late = table.filter(_day(table, column) > extracted)
    return late.select(
        ROW,
        rule_id=ibis.literal("after_extraction"),
        column_name=ibis.literal(column.name),
        **_judgement("after_extraction", optional=True),
    )


def _day(table: ir.Table, column: Column) -> ir.DateValue:
    value = table[column.name]
    return value.date() if column.dtype.is_timestamp() else value


def tally(table: ir.Table, contract: type[Contract]) -> ir.Table:
    """One row for a finished table: how many of its values break each of the columns' rules."""
    broken = [b for c in columns(contract) for b in _column_breaches(table, c, finished=True)]
    counts = {
        f"{b.rule_id} {b.column}": b.expression.sum() for b in broken if b.severity == "reject"
    }
    return table.aggregate(**counts)


def duplicates(table: ir.Table, contract: type[RegistryTable]) -> ir.Table:
    """Rows that share a key: of identical ones the first stays, of conflicting ones none."""
    names = list(key(contract))
    shared = table.group_by(names).agg(_n=table.count()).filter(ibis._._n > 1)
    among = table.semi_join(shared, names)
    facts = [c.name for c in columns(contract) if c.name in table.columns and not _provenance(c)]
    same = ibis.window(group_by=facts, order_by=[ROW])
    within = ibis.window(group_by=names, order_by=[ROW])
    ranked = among.mutate(copy=ibis.row_number().over(same), place=ibis.row_number().over(within))
    kinds = (
        ranked.group_by(names)
        .agg(_kinds=(ranked.copy == 0).sum())
        .rename({f"key_{n}": n for n in names})
    )
    judged = ranked.join(kinds, [ranked[n] == kinds[f"key_{n}"] for n in names])
    conflicting = judged._kinds > 1
    return judged.filter(conflicting | (judged.place > 0)).select(
        ROW,
        rule_id=conflicting.ifelse("conflicting_key", "duplicate_row"),
        column_name=ibis.literal(names[-1]),
        **_judgement("conflicting_key"),
    )


def orphans(
    table: ir.Table, contract: type[RegistryTable], parent: str, accepted: ir.Table
) -> ir.Table:
    """Rows whose parent, by one of the contract's references, was not accepted."""
    names = options(contract).references[parent]
    lost = table.anti_join(accepted, list(names))
    return lost.select(
        ROW,
        rule_id=ibis.literal(f"no_such_{parent.removesuffix('s')}"),
        column_name=ibis.literal(names[-1]),
        **_judgement(f"no_such_{parent.removesuffix('s')}"),
    )


def _judgement(rule_id: str, *, optional: bool = False) -> dict[str, ir.StringScalar]:
    rule = BY_ID[rule_id]
    severity = "warn" if optional else rule.severity
    return {"category": ibis.literal(rule.category), "severity": ibis.literal(severity)}


def in_order(tables: Iterable[str]) -> list[str]:
    """Parents first, so that orphans are judged against accepted rows."""
    return sorted(tables, key=lambda n: (PARENTS.index(n) if n in PARENTS else len(PARENTS), n))


def _column_breaches(
    table: ir.Table, column: Column, *, finished: bool = False
) -> Iterator[Breach]:
    value, name = table[column.name], column.name
    mark = f"unread_{name}"
    unread = table[mark] if mark in table.columns else ibis.null("string")
    if mark in table.columns:
        for kind, rule_id in UNREAD.items():
            yield _breach(rule_id, name, unread == kind, optional=column.nullable)
    if not column.nullable and (finished or not _provenance(column)):
        yield _breach("missing", name, value.isnull() & unread.isnull())
    if column.codes:
        yield _breach("unknown_code", name, value.notnull() & ~value.isin(column.codes))
    for rule_id, expression in _limits(column, value):
        unusual = rule_id == "implausible" and "status" in table.columns
        yield _breach(
            rule_id, name, expression & ~_vanished(table, value) if unusual else expression
        )


def _vanished(table: ir.Table, value: ir.Value) -> ir.BooleanValue:
    """A size of 0 of a lesion that is said to have gone."""
    return ((value == 0) & (table["status"] == "absent")).fill_null(False)


def _breach(
    rule_id: str, column: str, expression: ir.BooleanValue, *, optional: bool = False
) -> Breach:
    """One breach; of a cell that the row can do without, a warning."""
    rule = BY_ID[rule_id]
    severity = "warn" if optional else rule.severity
    return Breach(rule_id, column, rule.category, severity, expression.fill_null(False))


def _limits(column: Column, value: ir.Value) -> Iterator[tuple[str, ir.BooleanValue]]:
    for side, out in beyond(column, value):
        yield UNREAD[side], out
    if column.plausible:
        least, most = column.plausible
        yield "implausible", (value < least) | (value > most)


def _provenance(column: Column) -> bool:
    return column.name in (
        "subject_id",
        "row_id",
        "source_key",
        "receipt_id",
        "source_file",
        "source_row",
    )

"""Turn a centre's rows into our names, codes, units and dates, as its site file maps them.

Everything arrives as text. A cell that is filled in but cannot be read is never made null in
silence: it leaves a mark, `unread_<column>`, with the rule that it broke, and validation sets the
row aside.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce
from operator import and_
from typing import Any

import ibis
import ibis.expr.types as ir

from schemas.contract import DECIMAL, Column, columns, key, table_name
from schemas.errors import BadConfiguration
from schemas.records.units import CANONICAL_LAB_UNIT, COLUMN_UNITS, LAB_UNITS, SPELLINGS
from schemas.site import ColumnSource, Site, TableSource, WideLab
from schemas.tables.registry import RegistryTable

PROVENANCE = ("subject_id", "row_id", "source_key", "receipt_id", "source_file", "source_row")
NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$"
WHOLE = r"^[+-]?[0-9]+(\.0*)?$"
COMPARATOR = r"^\s*(<=|>=|<|>)"
TRUE = ("1", "true", "yes", "y", "t")
FALSE = ("0", "false", "no", "n", "f")
LOWER_CASE = {("medications", "drug")}
UNIT_COLUMNS = {
    ("labs", "unit"): SPELLINGS,
    ("medications", "dose_unit"): {
        "ug": "ug",
        "µg": "ug",
        "μg": "ug",
        "mcg": "ug",
        "microgram": "ug",
        "micrograms": "ug",
        "mg": "mg",
        "g": "g",
        "milligram": "mg",
        "milligrams": "mg",
    },
}
GROUP = "redcap_data_access_group"
WIDE = ("analyte", "value", "unit", "lower_limit", "upper_limit")


@ibis.udf.scalar.builtin(signature=(("string", "string"), "timestamp"))
def try_strptime(text, pattern):  # type: ignore[no-untyped-def]
    """Parse as DuckDB does, giving null where Ibis' `as_date` would fail the whole query."""


def harmonise(
    raw: ir.Table, contract: type[RegistryTable], source: TableSource, site: Site, receipt_id: str
) -> ir.Table:
    """Map one raw table onto one registry table, without judging it.

    Args:
        raw: text columns and source_file, source_row, and for REDCap source_key.
        contract: the registry table.
        source: how the site file maps it.
        site: the site's formats and missing codes.
        receipt_id: the receipt that made the delivery visible.

    Returns:
        The contract's columns but subject_id and row_id, `unread_<column>` (null, or the rule that
        the cell broke) for each column, `is_empty`, and `in_no_group`: the site takes one data
        access group of a project, and the record belongs to none.

    Raises:
        BadConfiguration: a column that the site file names is not in the export, or is not ours.
    """
    known = mapping(raw, contract, source, site)
    chosen = _where(raw, source, site)
    if not source.wide:
        return _rows(chosen, contract, known, source, site, receipt_id)
    parts = [
        _rows(chosen, contract, known | _wide(lab), source, site, receipt_id) for lab in source.wide
    ]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def of_other_groups(raw: ir.Table, source: TableSource, site: Site) -> ir.Table:
    """The rows of an export that another data access group's site would take."""
    group = access_group(raw, site)
    chosen = _chosen(raw, source)
    return chosen.filter(raw[GROUP] != group) if group else chosen.limit(0)


def access_group(raw: ir.Table, site: Site) -> str | None:
    """The data access group that a site takes of an export that has any."""
    group = site.redcap.access_group if site.redcap else None
    return group if GROUP in raw.columns else None


def mapping(
    raw: ir.Table, contract: type[RegistryTable], source: TableSource, site: Site
) -> dict[str, ColumnSource]:
    """Our column -> where it comes from; unmapped columns are taken from the same name."""
    ours = {c.name for c in columns(contract)} - set(PROVENANCE) - {"site_id"}
    given = {n: _as_source(s) for n, s in source.columns.items()}
    same = {n: _as_source(n) for n in ours - set(given) if n in raw.columns}
    if "patient_id" not in given | same and site.redcap:
        same["patient_id"] = _as_source(site.redcap.record or raw.columns[0])
    known = same | given
    problems = [
        f"[tables.{table_name(contract)}.columns] {name}: the table has no such column. Choose one "
        f"of {', '.join(sorted(ours))}."
        for name in given
        if name not in ours
    ]
    wide = [c for lab in source.wide for c in _wide_columns(lab)]
    named = [(n, c) for n, s in known.items() for c in _their_columns(s)]
    problems += [
        f"[tables.{table_name(contract)}.columns] {ours_}: the export has no column {theirs}. "
        "Correct the site file, or the export."
        for ours_, theirs in [*named, *(("wide", c) for c in wide)]
        if theirs not in raw.columns
    ]
    if problems:
        raise BadConfiguration("\n".join(f"sites/{site.site_id}.toml {p}" for p in problems))
    return known


def cell_texts(
    raw: ir.Table, contract: type[RegistryTable], source: TableSource, site: Site
) -> dict[str, ir.StringValue]:
    """Our column -> the cell as trimmed text before it is read; null where nothing was entered."""
    known = mapping(raw, contract, source, site)
    return {name: _text(raw, given, site) for name, given in known.items()}


def _as_source(given: str | ColumnSource) -> ColumnSource:
    return ColumnSource(**{"from": given}) if isinstance(given, str) else given


def _their_columns(source: ColumnSource) -> list[str]:
    several = (source.from_,) if isinstance(source.from_, str) else source.from_ or ()
    return [*several, *source.any_of, *([source.complete] if source.complete else [])]


def _wide_columns(lab: WideLab) -> list[str]:
    limits = [c for c in (lab.lower_limit, lab.upper_limit) if isinstance(c, str)]
    return [lab.value, *limits]


def _wide(lab: WideLab) -> dict[str, ColumnSource]:
    def limit(given: str | float | None) -> ColumnSource | None:
        if given is None:
            return None
        return _as_source(given) if isinstance(given, str) else ColumnSource(constant=given)

    given = {
        "analyte": ColumnSource(constant=lab.analyte),
        "value": _as_source(lab.value),
        "unit": ColumnSource(constant=lab.unit),
        "lower_limit": limit(lab.lower_limit),
        "upper_limit": limit(lab.upper_limit),
    }
    return {name: source for name, source in given.items() if source is not None}


def _where(raw: ir.Table, source: TableSource, site: Site) -> ir.Table:
    """The rows of the site's own patients and of nobody's, in the events and values asked for."""
    group = access_group(raw, site)
    chosen = _chosen(raw, source)
    return chosen.filter((raw[GROUP] == group) | raw[GROUP].isnull()) if group else chosen


def _chosen(raw: ir.Table, source: TableSource) -> ir.Table:
    conditions = [raw[name] == value for name, value in source.where.items()]
    if source.events:
        conditions.append(raw.redcap_event_name.isin(source.events))
    return raw.filter(*conditions) if conditions else raw


def _rows(
    raw: ir.Table,
    contract: type[RegistryTable],
    mapping: Mapping[str, ColumnSource],
    source: TableSource,
    site: Site,
    receipt_id: str,
) -> ir.Table:
    ours = [c for c in columns(contract) if c.name not in (*PROVENANCE, "site_id")]
    text = {c.name: _text(raw, mapping[c.name], site) for c in ours if c.name in mapping}
    read: dict[str, ir.Value] = {}
    for c in ours:
        read |= _column(contract, c, mapping, text, site)
    table = raw.mutate(
        **read,
        site_id=ibis.literal(site.site_id),
        receipt_id=ibis.literal(receipt_id),
        is_empty=_is_empty(mapping, text, bool(source.wide), site),
        in_no_group=raw[GROUP].isnull() if access_group(raw, site) else ibis.literal(False),
    )
    if source.canonical_units:
        table = _canonical(table)
    return _arranged(table, contract, raw)


def _text(raw: ir.Table, source: ColumnSource, site: Site) -> ir.StringValue:
    """The cell as trimmed text, null where it is blank or a missing-data code."""
    if source.constant is not None:
        return ibis.literal(str(source.constant))
    if source.any_of:
        return _ticked(raw, source)
    names = (source.from_,) if isinstance(source.from_, str) else source.from_ or ()
    return ibis.coalesce(*(_cell(raw[name], site) for name in names))


def _cell(cell: ir.StringValue, site: Site) -> ir.StringValue:
    trimmed = cell.cast("string").strip().nullif("")
    return (
        trimmed.isin(site.missing).ifelse(ibis.null("string"), trimmed) if site.missing else trimmed
    )


def _ticked(raw: ir.Table, source: ColumnSource) -> ir.StringValue:
    """Checkboxes: 0 is an answer only where the form was completed (an untouched form is all 0)."""
    ticked = reduce(lambda a, b: a | b, (raw[name].strip() == "1" for name in source.any_of))
    answered = (
        raw[source.complete].strip().isin(["1", "2"]) if source.complete else ibis.literal(True)
    )
    return ibis.cases((ticked, "1"), (answered, "0"), else_=ibis.null("string"))


def _column(
    contract: type[RegistryTable],
    column: Column,
    mapping: Mapping[str, ColumnSource],
    text: Mapping[str, ir.StringValue],
    site: Site,
) -> dict[str, ir.Value]:
    """The typed value of one column and its `unread_` mark."""
    name = column.name
    if name.endswith("_precision") and name not in mapping:
        of = name.removesuffix("_precision")
        value = _precision(text[of], mapping[of], site) if of in text else ibis.null("string")
        return {name: value, f"unread_{name}": ibis.null("string")}
    if (table_name(contract), name) == ("labs", "value_comparator") and name not in mapping:
        result = text.get("value", ibis.null("string"))
        found = result.re_extract(COMPARATOR, 1).nullif("")
        return {name: found, f"unread_{name}": ibis.null("string")}
    if name not in mapping:
        return {
            name: _default(column, ibis.null(column.dtype)),
            f"unread_{name}": ibis.null("string"),
        }
    given, rule = text[name], "value"
    if mapping[name].codes:
        given, rule = _coded(given, mapping[name].codes), "code"
    value = _typed(contract, column, given, mapping[name], site)
    unread = (text[name].notnull() & value.isnull()).fill_null(False)
    unread &= ~text[name].isin([k for k, v in mapping[name].codes.items() if v in (None, "")])
    return {
        name: _default(column, value),
        f"unread_{name}": unread.ifelse(_rule_of(column, rule), ibis.null("string")),
    }


def _rule_of(column: Column, rule: str) -> str:
    if rule == "code" or column.codes:
        return "code"
    if column.dtype.is_date() or column.dtype.is_timestamp():
        return "date"
    return (
        "boolean" if column.dtype.is_boolean() else "number" if column.dtype.is_numeric() else rule
    )


def _default(column: Column, value: ir.Value) -> ir.Value:
    return value if column.default is None else value.fill_null(column.default)


def _coded(text: ir.StringValue, codes: Mapping[str, Any]) -> ir.StringValue:
    branches = [
        (text == theirs, str(ours)) for theirs, ours in codes.items() if ours not in (None, "")
    ]
    return ibis.cases(*branches, else_=ibis.null("string"))


def _typed(
    contract: type[RegistryTable],
    column: Column,
    text: ir.StringValue,
    source: ColumnSource,
    site: Site,
) -> ir.Value:
    dtype, place = column.dtype, (table_name(contract), column.name)
    if dtype.is_date():
        return _date(text, column, source, site)
    if dtype.is_timestamp():
        return ibis.coalesce(*(try_strptime(text, f) for f in _datetime_formats(source, site)))
    if dtype.is_boolean():
        low = text.lower()
        return ibis.cases(
            (low.isin(TRUE), True), (low.isin(FALSE), False), else_=ibis.null("boolean")
        )
    if dtype.is_integer():
        return text.re_search(WHOLE).ifelse(text, ibis.null("string")).try_cast("int64")
    if dtype.is_decimal():
        return _decimal(text, column, source, site, place)
    if spellings := UNIT_COLUMNS.get(place):
        low = text.lower().replace(" ", "")
        return ibis.cases(*((low == k, v) for k, v in spellings.items()), else_=text)
    return text.lower() if place in LOWER_CASE else text


def _decimal(
    text: ir.StringValue, column: Column, source: ColumnSource, site: Site, place: tuple[str, str]
) -> ir.DecimalValue:
    if place == ("labs", "value"):
        text = text.re_replace(COMPARATOR, "").strip()
    if site.decimal == ",":
        text = text.replace(",", ".")
    number = text.re_search(NUMBER).ifelse(text, ibis.null("string"))
    if source.unit is None or source.unit == column.unit:
        return number.try_cast(DECIMAL)
    return _scaled(number, factor(source.unit, column))


def factor(unit: str, column: Column) -> Fraction:
    """What a value in their unit is multiplied by to be in the column's unit.

    Raises:
        BadConfiguration: we do not know the conversion.
    """
    known = COLUMN_UNITS.get((unit, column.unit or ""))
    if known is None:
        choices = sorted(theirs for theirs, ours in COLUMN_UNITS if ours == column.unit)
        raise BadConfiguration(
            f"{column.name}: no conversion from {unit} to {column.unit}. Use one of "
            f"{', '.join([column.unit or 'no unit', *choices])}."
        )
    return known


def _scaled(number: ir.StringValue, by: Fraction) -> ir.DecimalValue:
    """Multiply exactly; every known column factor is a terminating decimal."""
    digits = f"{by.numerator / by.denominator:.12f}"
    wide = number.try_cast("decimal(38, 9)")
    return (wide * ibis.literal(digits).cast("decimal(38, 9)")).cast(DECIMAL)


def _date(text: ir.StringValue, column: Column, source: ColumnSource, site: Site) -> ir.DateValue:
    full = source.date_format or site.date_format
    tries = [try_strptime(text, full).date()]
    if column.partial:
        tries.append(try_strptime(text, _without_day(full)).date() + ibis.interval(days=14))
    if column.partial == "year":
        tries.append(try_strptime(text + "-07-01", "%Y-%m-%d").date())
    return ibis.coalesce(*tries)


def _precision(text: ir.StringValue, source: ColumnSource, site: Site) -> ir.StringValue:
    full = source.date_format or site.date_format
    return ibis.cases(
        (text.isnull(), ibis.null("string")),
        (try_strptime(text, full).notnull(), "day"),
        (try_strptime(text, _without_day(full)).notnull(), "month"),
        (try_strptime(text, "%Y").notnull(), "year"),
        else_=ibis.null("string"),
    )


def _without_day(pattern: str) -> str:
    """The same date format for a date whose day is missing: %d/%m/%Y -> %m/%Y."""
    at = pattern.find("%d")
    if at < 0:
        return pattern
    left, right = pattern[:at], pattern[at + 2 :]
    return left + right.lstrip("-/. ") if not left else left.rstrip("-/. ") + right


def _datetime_formats(source: ColumnSource, site: Site) -> Iterable[str]:
    first = source.date_format or site.datetime_format
    return (first, first + ":%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


def _is_empty(
    mapping: Mapping[str, ColumnSource],
    text: Mapping[str, ir.StringValue],
    wide: bool,
    site: Site,
) -> ir.BooleanValue:
    """Nothing was entered: no value of a wide lab, no cell of an instrument, a blank line."""
    if wide:
        return text["value"].isnull()
    given = [n for n, s in mapping.items() if s.constant is None]
    if site.redcap:
        structural = {"patient_id", "sequence"}
        given = [n for n in given if n not in structural] or given
    return reduce(and_, (text[n].isnull() for n in given), ibis.literal(True))


def _canonical(table: ir.Table) -> ir.Table:
    """Labs in the analyte's conventional unit, where that is exact for result and limits."""
    known = [(a, u, by) for a, units in LAB_UNITS.items() for u, by in units.items() if by != 1]
    here = [(table.analyte == a) & (table.unit == u) for a, u, _ in known]
    times = ibis.cases(*((h, by.numerator) for h, (*_, by) in zip(here, known, strict=True)))
    per = ibis.cases(*((h, by.denominator) for h, (*_, by) in zip(here, known, strict=True)))
    unit = ibis.cases(*((table.analyte == a, u) for a, u in CANONICAL_LAB_UNIT.items()))
    table = table.mutate(_times=times.cast("int64"), _per=per.cast("int64"), _unit=unit)
    return _converted(table, ("value", "lower_limit", "upper_limit")).drop(
        "_times", "_per", "_unit"
    )


def _converted(table: ir.Table, names: tuple[str, ...]) -> ir.Table:
    micro = {n: (table[n] * 1_000_000).cast("int64") * table._times for n in names}
    exact = reduce(and_, ((micro[n] % table._per == 0).fill_null(True) for n in names))
    apply = (table._times.notnull() & exact).fill_null(False)
    return table.mutate(
        **{n: apply.ifelse(_from_micro(micro[n] // table._per), table[n]) for n in names},
        unit=apply.ifelse(table._unit, table.unit),
    )


def _from_micro(micro: ir.IntegerValue) -> ir.DecimalValue:
    """Whole millionths as a decimal, without passing through floating point."""
    return (micro.cast("decimal(38, 6)") * ibis.literal("0.000001").cast("decimal(38, 6)")).cast(
        DECIMAL
    )


def _arranged(table: ir.Table, contract: type[RegistryTable], raw: ir.Table) -> ir.Table:
    names = [
        c.name for c in columns(contract) if c.name not in ("subject_id", "row_id", "source_key")
    ]
    parts = [table[n].cast("string").fill_null("") for n in key(contract) if n != "site_id"]
    natural = ibis.literal(f"{table_name(contract)}|") + reduce(lambda a, b: a + "|" + b, parts)
    source_key = natural
    if "source_key" in raw.columns:
        within = [table[n].cast("string").fill_null("") for n in key(contract) if n == "analyte"]
        source_key = reduce(lambda a, b: a + "|" + b, [table.source_key, *within])
    marks = [c for c in table.columns if c.startswith("unread_")]
    return table.mutate(source_key=source_key, natural_key=natural).select(
        *names, "source_key", "natural_key", "is_empty", "in_no_group", *marks
    )

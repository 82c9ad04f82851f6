"""Turn a centre's rows into our names, codes, units and dates, as its site file maps them.

Everything arrives as text. A cell that is filled in but cannot be read is never made null in
silence: it leaves a mark, `unread_<column>`, with the rule that it broke. Of a key or a required
cell validation sets the row aside; an optional one is named in `unreadable`, gets no default, and
the row stays. So it does where the value lies beyond its column's limits.

Text is trimmed first, then read, then judged, each in a projection of its own, so that no cell is
read twice. Only our columns leave: the engine takes a centre's `Sex` for our `sex`.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import and_, or_
from typing import Any

import ibis
import ibis.expr.types as ir

from schemas.contract import DECIMAL, Column, columns, key, table_name
from schemas.records.analytes import CANONICAL_LAB_UNIT, LAB_UNITS
from schemas.site import ColumnSource, Site, TableSource
from schemas.tables.registry import RegistryTable
from transforms.intake import cells, lab_words
from transforms.intake.names import OURS_ALONE, fitted, mapping, wide_mapping
from transforms.intake.texts import taken, texts_of

LOWER_CASE = {("medications", "drug"), ("reported_endpoints", "group")}
UPPER_CASE = {("reported_endpoints", "endpoint")}
ONE_BLANK = {("reported_endpoints", "group")}
"""Columns in which words are parted by one blank, however many were written."""
TIMES = {("labs", "lab_time")}
LAB_WORDS = {
    ("labs", "analyte"): (lab_words.plain_analyte, lab_words.analyte),
    ("labs", "unit"): (lab_words.plain_unit, lab_words.unit),
}
"""How a word is made plain, and what the plain word means."""
UNIT_COLUMNS = {
    ("medications", "dose_unit"): {
        **dict.fromkeys(("ug", "µg", "μg", "mcg", "microgram", "micrograms"), "ug"),
        **dict.fromkeys(("mg", "milligram", "milligrams"), "mg"),
        "g": "g",
    },
}
NUMBERED = {"treatments": "target_id"}
"""Of which column rows get a number where nothing else tells them apart; `sequence` elsewhere."""
MADE: Mapping[tuple[str, str], Callable[[Any], ir.Value]] = {
    ("contacts", "contact_type"): lambda v: v.cases(("dead", "death"), ("alive", "visit")),
    ("treatments", "session_id"): lambda v: cells.believed(v).cast("string"),
    ("measurements", "status"): lambda v: (v > 0).ifelse("measured", ibis.null("string")),
}
"""How a column is told by the one that it is made of."""


def harmonise(
    raw: ir.Table,
    contract: type[RegistryTable],
    source: TableSource,
    site: Site,
    receipt_id: str | ir.StringValue,
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
        BadConfiguration: a column that the site file names is not in the export, or is not ours;
            two columns of the export can be meant by one name.
    """
    known = mapping(raw, contract, source, site)
    theirs = fitted(raw.columns, source)
    chosen = taken(raw, theirs, site)
    if not theirs.wide:
        return _rows(chosen, contract, known, theirs, site, receipt_id)
    parts = [
        _rows(chosen, contract, known | wide_mapping(lab), theirs, site, receipt_id)
        for lab in theirs.wide
    ]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _rows(
    raw: ir.Table,
    contract: type[RegistryTable],
    mapped: Mapping[str, ColumnSource],
    source: TableSource,
    site: Site,
    receipt_id: str | ir.StringValue,
) -> ir.Table:
    ours = [c for c in columns(contract) if c.name not in OURS_ALONE]
    texts = texts_of(raw, ours, mapped, source, site)
    read = _read(texts, contract, ours, mapped, site)
    judged: dict[str, ir.Value] = {}
    for c in ours:
        judged |= _judged(read, c, mapped, filled=c.key or not source.merge)
    table = read.select(
        "source_file",
        "source_row",
        "their_key",
        "is_empty",
        "in_no_group",
        **judged,
        unreadable=_unreadable(ours, mapped, judged),
        site_id=ibis.literal(site.site_id),
        receipt_id=receipt_id if isinstance(receipt_id, ir.Value) else ibis.literal(receipt_id),
        no_sequence=_lacks_sequence(read, contract),
    )
    if table_name(contract) == "measurements" and site.zero_mm:
        table = _gone(table, site.zero_mm)
    if table_name(contract) == "labs":
        table = table.mutate(unit=lab_words.of_cells(table.analyte, table.unit))
    if source.canonical_units:
        table = _canonical(table)
    within = ("analyte", "lesion_id") if source.if_filled else ("analyte",)
    return _arranged(table, contract, within if "source_key" in raw.columns else None)


def _lacks_sequence(read: ir.Table, contract: type[RegistryTable]) -> ir.BooleanValue:
    """The row is told from others like it by no number of its own."""
    numbered = f"text_{NUMBERED.get(table_name(contract), 'sequence')}"
    if numbered not in read.columns:
        return ibis.literal(True)
    return read[numbered].isnull()


def _read(
    texts: ir.Table,
    contract: type[RegistryTable],
    ours: list[Column],
    mapped: Mapping[str, ColumnSource],
    site: Site,
) -> ir.Table:
    """The cells as values of our types, `read_<column>`; null where they are none.

    Plain forms of words are made first: the engine sets up every occurrence of an expression.
    """
    plain = {
        f"plain_{c.name}": LAB_WORDS[place][0](_said(texts, c, mapped[c.name]))
        for c in ours
        if c.name in mapped and (place := (table_name(contract), c.name)) in LAB_WORDS
    }
    texts = texts.mutate(**plain) if plain else texts
    read: dict[str, ir.Value] = {}
    for c in ours:
        if c.made_of and c.made_of in mapped and (c.name not in mapped or c.key):
            read[f"read_{c.name}"] = _told(texts, contract, c, mapped, site)
        elif c.name in mapped:
            read[f"read_{c.name}"] = _value(texts, contract, c, mapped[c.name], site)
        elif (made := _made_from_others(texts, contract, c, mapped, site)) is not None:
            read[f"read_{c.name}"] = made
    return texts.mutate(**read)


def _made_from_others(
    texts: ir.Table,
    contract: type[RegistryTable],
    column: Column,
    mapped: Mapping[str, ColumnSource],
    site: Site,
) -> ir.Value | None:
    """What no column gives and another one tells: a date's precision, a result's comparator."""
    of = column.name.removesuffix("_precision")
    if of != column.name and of in mapped:
        return cells.precision(texts[f"text_{of}"], mapped[of], site)
    if (table_name(contract), column.name) == ("labs", "value_comparator") and "value" in mapped:
        return texts.text_value.re_extract(cells.COMPARATOR, 1).nullif("")
    return None


def _told(
    texts: ir.Table,
    contract: type[RegistryTable],
    column: Column,
    mapped: Mapping[str, ColumnSource],
    site: Site,
) -> ir.Value:
    """A cell, or where it is blank what the column tells that it can be made of."""
    of = next(c for c in columns(contract) if c.name == column.made_of)
    other = _value(texts, contract, of, mapped[of.name], site)
    made = MADE[(table_name(contract), column.name)](other)
    if column.name not in mapped:
        return made
    own = _value(texts, contract, column, mapped[column.name], site)
    said = _said(texts, column, mapped[column.name])
    return (texts[f"text_{column.name}"].isnull() & said.isnull()).ifelse(made, own)


def _value(
    texts: ir.Table,
    contract: type[RegistryTable],
    column: Column,
    given: ColumnSource,
    site: Site,
) -> ir.Value:
    text = _said(texts, column, given)
    if found := LAB_WORDS.get((table_name(contract), column.name)):
        return found[1](text, texts[f"plain_{column.name}"])
    return _typed(contract, column, text, given, site)


def _said(texts: ir.Table, column: Column, given: ColumnSource) -> ir.StringValue:
    """The cell's text, its codes and words as the site file maps them."""
    text = texts[f"text_{column.name}"]
    if given.codes:
        text = _coded(text, given.codes)
    if given.words:
        said = ((text.lower() == theirs.lower(), ours) for theirs, ours in given.words.items())
        text = ibis.cases(*said, else_=text)
    return ibis.coalesce(texts[f"case_{column.name}"], text) if given.when else text


def _judged(
    read: ir.Table, column: Column, mapped: Mapping[str, ColumnSource], *, filled: bool
) -> dict[str, ir.Value]:
    """The value of one column and its `unread_` mark; `filled` with its default where it is blank.

    Rows that are merged get their defaults afterwards: a default contradicts no value.
    """
    name = column.name
    unmarked = ibis.null("string")
    if f"read_{name}" not in read.columns:
        value = ibis.null(column.dtype)
        return {name: _default(column, value) if filled else value, f"unread_{name}": unmarked}
    value = read[f"read_{name}"]
    if column.dtype.is_date() or column.dtype.is_timestamp():
        value = cells.believed(value)
    if name not in mapped:
        of = f"read_{name.removesuffix('_precision')}"
        dated = of in read.columns and of != f"read_{name}"
        value = cells.believed(read[of]).notnull().ifelse(value, unmarked) if dated else value
        return {name: value, f"unread_{name}": unmarked}
    if column.codes:
        value = value.isin(column.codes).ifelse(value, ibis.null(column.dtype))
    text, codes = read[f"text_{name}"], mapped[name].codes
    unread = text.notnull() & value.isnull()
    if silent := [theirs for theirs, ours in codes.items() if ours in (None, "")]:
        unread &= ~text.isin(silent).fill_null(False)
    marks = [(unread, _rule_of(column, bool(codes)))]
    if column.nullable:
        marks += [(out.fill_null(False), side) for side, out in cells.beyond(column, value)]
        value = reduce(or_, (is_ for is_, _ in marks)).ifelse(ibis.null(column.dtype), value)
    mark = ibis.cases(*marks, else_=unmarked)
    if column.default is not None and filled:
        value = unread.ifelse(value, value.fill_null(column.default))
    return {name: value, f"unread_{name}": mark}


def _unreadable(
    ours: list[Column], mapped: Mapping[str, ColumnSource], judged: Mapping[str, ir.Value]
) -> ir.StringValue:
    """The optional columns whose cell could not be read, as |one|other|; null where all could."""
    optional = [c.name for c in ours if c.nullable and c.name in mapped]
    if not optional:
        return ibis.null("string")
    marks = {n: judged[f"unread_{n}"].notnull() for n in optional}
    named = reduce(lambda a, b: a + b, (m.ifelse(f"|{n}", "") for n, m in marks.items()))
    return reduce(or_, marks.values()).ifelse(named + "|", ibis.null("string"))


def _rule_of(column: Column, coded: bool) -> str:
    if coded or column.codes:
        return "code"
    if column.dtype.is_date() or column.dtype.is_timestamp():
        return "date"
    if column.dtype.is_boolean():
        return "boolean"
    return "number" if column.dtype.is_numeric() else "value"


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
    given: ColumnSource,
    site: Site,
) -> ir.Value:
    dtype, place = column.dtype, (table_name(contract), column.name)
    if dtype.is_date():
        return cells.day(text, column.partial, given, site)
    if dtype.is_timestamp():
        return cells.moment(text, given, site)
    if dtype.is_boolean():
        return cells.yes_or_no(text)
    if dtype.is_integer():
        return cells.whole_number(text, given, site)
    if dtype.is_decimal():
        result = place == ("labs", "value")
        bare = text.re_replace(cells.COMPARATOR, "").strip() if result else text
        return cells.decimal_number(bare, column, given, site)
    if place in TIMES:
        return text.re_search(cells.TIME).ifelse(text, ibis.null("string"))
    if spellings := UNIT_COLUMNS.get(place):
        low = text.lower().replace(" ", "")
        return ibis.cases(*((low == k, v) for k, v in spellings.items()), else_=text)
    return _folded(text, place)


def _folded(text: ir.StringValue, place: tuple[str, str]) -> ir.StringValue:
    """One spelling of what is written in several."""
    if place in ONE_BLANK:
        text = text.re_replace(r"\s+", " ")
    if place in UPPER_CASE:
        return text.upper()
    return text.lower() if place in LOWER_CASE else text


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
    """The results where they are exact; too large a number for whole millionths keeps its unit."""
    micro = {n: _micro(table, n) for n in names}
    read = table.mutate(**{f"_micro_{n}": m for n, m in micro.items()})
    exact = reduce(
        and_,
        (read[n].isnull() | (read[f"_micro_{n}"] % read._per == 0).fill_null(False) for n in names),
    )
    read = read.mutate(_apply=(read._times.notnull() & exact).fill_null(False))
    results = {
        n: read._apply.ifelse(_from_micro(read[f"_micro_{n}"] // read._per), read[n]) for n in names
    }
    return read.mutate(**results, unit=read._apply.ifelse(read._unit, read.unit)).drop(
        "_apply", *(f"_micro_{n}" for n in names)
    )


def _micro(table: ir.Table, name: str) -> ir.IntegerValue:
    """A value times the factor's numerator in whole millionths; null where it is too large."""
    million = ibis.literal("1000000").cast("decimal(7, 0)")
    wide = table[name].cast("decimal(24, 6)") * million
    return (wide * table._times.cast("decimal(7, 0)")).try_cast("int64")


def _from_micro(micro: ir.IntegerValue) -> ir.DecimalValue:
    """Whole millionths as a decimal, without passing through floating point."""
    wide = micro.cast("decimal(38, 6)") * ibis.literal("0.000001").cast("decimal(38, 6)")
    return wide.try_cast(DECIMAL)


def _gone(table: ir.Table, said: str) -> ir.Table:
    """A diameter of 0 says what the site file declares, unless the status says something else."""
    zero = (table.longest_mm == 0).fill_null(False)
    plain = table.status.isnull() & table.unread_status.isnull()
    return table.mutate(
        status=(zero & (plain | (table.status == "measured").fill_null(False))).ifelse(
            said, table.status
        )
    )


def _arranged(
    table: ir.Table, contract: type[RegistryTable], keyed: tuple[str, ...] | None
) -> ir.Table:
    """The contract's columns, and the row's keys.

    Args:
        table: the columns as read.
        contract: whose.
        keyed: of a row with a REDCap key, the columns that tell rows of one instance apart.
    """
    names = [
        c.name for c in columns(contract) if c.name not in ("subject_id", "row_id", "source_key")
    ]
    parts = [table[n].cast("string").fill_null("") for n in key(contract) if n != "site_id"]
    natural = ibis.literal("|").join([ibis.literal(table_name(contract)), *parts])
    source_key = natural
    if keyed is not None:
        within = [table[n].cast("string").fill_null("") for n in key(contract) if n in keyed]
        source_key = reduce(lambda a, b: a + "|" + b, [table.their_key, *within])
    marks = [c for c in table.columns if c.startswith("unread_")]
    return table.mutate(source_key=source_key, natural_key=natural).select(
        *names, "source_key", "natural_key", "is_empty", "in_no_group", "no_sequence", *marks
    )

"""Take the rows of an export that a source asks for, and their cells as trimmed text.

Nothing is read here: a cell is what stands in it, and null where it is blank or a word for missing.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from operator import and_, ge, gt, le, lt, or_

import ibis
import ibis.expr.types as ir

from schemas.contract import Column, columns
from schemas.site import Code, ColumnSource, Condition, Site, TableSource, Where
from schemas.tables.registry import RegistryTable
from transforms.intake import cells
from transforms.intake.names import CHECKBOX, mapping

GROUP = "redcap_data_access_group"
COMPARED = {"above": gt, "at_least": ge, "below": lt, "at_most": le}
NOT_COMPLETED = "[not completed]"
"""What REDCap writes for the time of a survey that nobody finished."""


def of_other_groups(raw: ir.Table, source: TableSource, site: Site) -> ir.Table:
    """The rows of an export that another data access group's site would take."""
    group = access_group(raw, site)
    chosen = _chosen(raw, source, site)
    return chosen.filter(raw[GROUP] != group) if group else chosen.limit(0)


def access_group(raw: ir.Table, site: Site) -> str | None:
    """The data access group that a site takes of an export that has any."""
    group = site.redcap.access_group if site.redcap else None
    return group if GROUP in raw.columns else None


def cell_texts(
    raw: ir.Table, contract: type[RegistryTable], source: TableSource, site: Site
) -> dict[str, ir.StringValue]:
    """Our column -> the cell as trimmed text before it is read; null where nothing was entered."""
    known = mapping(raw, contract, source, site)
    ours = {c.name: c for c in columns(contract)}
    return {name: _text(raw, ours[name], given, source, site) for name, given in known.items()}


def taken(raw: ir.Table, source: TableSource, site: Site) -> ir.Table:
    """The rows of the site's own patients and of nobody's, in the events and values asked for."""
    group = access_group(raw, site)
    chosen = _chosen(raw, source, site)
    return chosen.filter((raw[GROUP] == group) | raw[GROUP].isnull()) if group else chosen


def _chosen(raw: ir.Table, source: TableSource, site: Site) -> ir.Table:
    conditions = _conditions(raw, source.where, site)
    if source.if_filled:
        filled = (_cell(raw[name], site).notnull() for name in source.if_filled)
        conditions.append(reduce(or_, filled))
    if source.events:
        conditions.append(raw.redcap_event_name.isin(source.events))
    return raw.filter(*conditions) if conditions else raw


def _conditions(raw: ir.Table, where: Where, site: Site) -> list[ir.BooleanValue]:
    return [c for name, asked in where.items() for c in _asked(raw[name], asked, site)]


def _asked(cell: ir.StringValue, asked: Code | Condition, site: Site) -> list[ir.BooleanValue]:
    """What must hold of a cell; one that is no number is not above or below any."""
    if not isinstance(asked, Condition):
        return [(cell.strip() == str(asked)).fill_null(False)]
    trimmed, given = _cell(cell, site), ColumnSource(constant="")
    found = [trimmed.isin(list(map(str, asked.in_)))] if asked.in_ else []
    if asked.not_in:
        found.append(~trimmed.isin(list(map(str, asked.not_in))))
    if asked.filled is not None:
        found.append(trimmed.notnull() if asked.filled else trimmed.isnull())
    for name, compare in COMPARED.items():
        if (bound := getattr(asked, name)) is not None:
            limit = ibis.literal(Decimal(str(bound)), type=cells.SIDE)
            found.append(compare(cells.number(trimmed, given, site), limit))
    return [f.fill_null(False) for f in found]


def texts_of(
    raw: ir.Table,
    ours: list[Column],
    mapped: Mapping[str, ColumnSource],
    source: TableSource,
    site: Site,
) -> ir.Table:
    """Every mapped cell as trimmed text, `text_<column>`, and where the row stands.

    A value that a condition gives is `case_<column>`: no code or word of theirs.
    """
    here = [c for c in ours if c.name in mapped]
    text = {c.name: _text(raw, c, mapped[c.name], source, site) for c in here}
    cases = {c.name: _case(raw, mapped[c.name], site) for c in here if mapped[c.name].when}
    return raw.select(
        "source_file",
        "source_row",
        their_key=raw.source_key if "source_key" in raw.columns else ibis.null("string"),
        is_empty=_is_empty(mapped, text, bool(source.wide), site),
        in_no_group=raw[GROUP].isnull() if access_group(raw, site) else ibis.literal(False),
        **{f"text_{name}": cell for name, cell in text.items()},
        **{f"case_{name}": cell for name, cell in cases.items()},
    )


def _case(raw: ir.Table, given: ColumnSource, site: Site) -> ir.StringValue:
    held = [(reduce(and_, _conditions(raw, c.where, site)), str(c.constant)) for c in given.when]
    return ibis.cases(*held, else_=ibis.null("string"))


def _text(
    raw: ir.Table, column: Column, given: ColumnSource, source: TableSource, site: Site
) -> ir.StringValue:
    """The cell as trimmed text, null where it is blank or a missing-data code."""
    if given.constant is not None:
        return ibis.literal(str(given.constant))
    if given.any_of:
        return _ticked(raw, given, source, site)
    read = {name: _cell(raw[name], site, given.missing) for name in given.read}
    if given.earliest or given.latest:
        return _extreme(list(read.values()), column, given, site)
    if given.year_of:
        day = cells.day(read[given.year_of], "year", given, site)
        return ibis.coalesce(day.year().cast("string"), read[given.year_of])
    if given.age and given.at:
        return _born(read[given.age], read[given.at], given, site)
    if len(read) == 1 and site.redcap and _choice(given.firsts[0]):
        return _box(raw, given.firsts[0], given, source, site)
    if not read:
        return ibis.null("string")
    return ibis.coalesce(*read.values()) if len(read) > 1 else next(iter(read.values()))


def _extreme(
    texts: list[ir.StringValue], column: Column, given: ColumnSource, site: Site
) -> ir.StringValue:
    """The text of the first or last of several days; of one that is none, so that it is told."""
    days = [cells.day(text, column.partial, given, site) for text in texts]
    wanted = (ibis.least if given.earliest else ibis.greatest)(*days)
    pairs = list(zip(texts, days, strict=True))
    return ibis.cases(
        *((text.notnull() & day.isnull(), text) for text, day in pairs),
        *(((day == wanted).fill_null(False), text) for text, day in pairs),
        else_=ibis.null("string"),
    )


def _born(
    age: ir.StringValue, at: ir.StringValue, given: ColumnSource, site: Site
) -> ir.StringValue:
    """The year of a date less an age; what cannot be read stays as it is, so that it is told."""
    year = cells.day(at, "year", given, site).year()
    whole = cells.number(age, given, site).floor().cast("int64")
    return ibis.cases(
        (age.isnull() | at.isnull(), ibis.null("string")),
        (year.notnull() & whole.notnull(), (year - whole).cast("string")),
        else_=age + " / " + at,
    )


def _cell(cell: ir.StringValue, site: Site, words: tuple[str, ...] = ()) -> ir.StringValue:
    trimmed = cell.cast("string").strip().nullif("")
    missing = [*site.missing, *words, *([NOT_COMPLETED] if site.redcap else [])]
    return trimmed.isin(missing).ifelse(ibis.null("string"), trimmed) if missing else trimmed


def _choice(name: str) -> bool:
    return CHECKBOX.fullmatch(name) is not None


def _ticked(raw: ir.Table, given: ColumnSource, source: TableSource, site: Site) -> ir.StringValue:
    """Checkboxes: 1 if one is ticked; 0 only where somebody looked at the question."""
    boxes = [_cell(raw[name], site) for name in given.any_of]
    ticked = reduce(or_, ((box == "1").fill_null(False) for box in boxes))
    seen = reduce(or_, (box.notnull() for box in boxes))
    return ibis.cases(
        (_said_missing(raw, given.any_of, site), ibis.null("string")),
        (ticked, "1"),
        (seen & _answered(raw, given, source, site), "0"),
        else_=ibis.null("string"),
    )


def _box(
    raw: ir.Table, name: str, given: ColumnSource, source: TableSource, site: Site
) -> ir.StringValue:
    """One column of a checkbox by itself: its 0 is an answer as far as that of `any_of` is."""
    text = _cell(raw[name], site)
    unanswered = (text == "0").fill_null(False) & ~_answered(raw, given, source, site)
    return ibis.cases(
        (_said_missing(raw, (name,), site) | unanswered, ibis.null("string")), else_=text
    )


def _answered(
    raw: ir.Table, given: ColumnSource, source: TableSource, site: Site
) -> ir.BooleanValue:
    """0 is an answer only where the form was completed: an untouched form is all 0."""
    status = given.complete
    if status is None and site.redcap and source.instrument:
        status = f"{source.instrument}_complete"
        status = status if status in raw.columns else None
    if status is None:
        return ibis.literal(True)
    return raw[status].strip().isin(["1", "2"]).fill_null(False)


def _said_missing(raw: ir.Table, names: tuple[str, ...], site: Site) -> ir.BooleanValue:
    """A missing-data code chosen for a checkbox: REDCap ticks a column `field___<code>` for it.

    The code stands there in lower case, and what is no letter or digit as a low line.
    """
    fields = {m[1] for n in names if (m := CHECKBOX.fullmatch(n))}
    ticks = [
        (raw[column].strip() == "1").fill_null(False)
        for field in sorted(fields)
        for code in site.missing
        if (column := f"{field}___{_as_suffix(code)}") in raw.columns and column not in names
    ]
    return reduce(or_, ticks, ibis.literal(False))


def _as_suffix(code: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in code.lower())


def _is_empty(
    mapping: Mapping[str, ColumnSource],
    text: Mapping[str, ir.StringValue],
    wide: bool,
    site: Site,
) -> ir.BooleanValue:
    """Nothing was entered: no value of a wide lab, no cell of an instrument, a blank line."""
    if wide:
        return text["value"].isnull()
    given = [n for n, s in mapping.items() if s.read and not s.borrowed]
    if site.redcap:
        structural = {"patient_id", "sequence"}
        given = [n for n in given if n not in structural] or given
    return reduce(and_, (text[n].isnull() for n in given), ibis.literal(True))

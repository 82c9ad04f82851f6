"""Take the rows of an export that a source asks for, and their cells as trimmed text.

Nothing is read here: a cell is what stands in it, and null where it is blank or a word for missing.
"""

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_

import ibis
import ibis.expr.types as ir

from schemas.contract import Column
from schemas.site import ColumnSource, Site, TableSource
from schemas.tables.registry import RegistryTable
from transforms.intake.names import CHECKBOX, mapping, their_names

GROUP = "redcap_data_access_group"
NOT_COMPLETED = "[not completed]"
"""What REDCap writes for the time of a survey that nobody finished."""


def of_other_groups(raw: ir.Table, source: TableSource, site: Site) -> ir.Table:
    """The rows of an export that another data access group's site would take."""
    group = access_group(raw, site)
    chosen = _chosen(raw, source)
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
    return {name: _text(raw, given, source, site) for name, given in known.items()}


def taken(raw: ir.Table, source: TableSource, site: Site) -> ir.Table:
    """The rows of the site's own patients and of nobody's, in the events and values asked for."""
    group = access_group(raw, site)
    chosen = _chosen(raw, source)
    return chosen.filter((raw[GROUP] == group) | raw[GROUP].isnull()) if group else chosen


def _chosen(raw: ir.Table, source: TableSource) -> ir.Table:
    conditions = [raw[name] == value for name, value in source.where.items()]
    if source.events:
        conditions.append(raw.redcap_event_name.isin(source.events))
    return raw.filter(*conditions) if conditions else raw


def texts_of(
    raw: ir.Table,
    ours: list[Column],
    mapped: Mapping[str, ColumnSource],
    source: TableSource,
    site: Site,
) -> ir.Table:
    """Every mapped cell as trimmed text, `text_<column>`, and where the row stands."""
    text = {c.name: _text(raw, mapped[c.name], source, site) for c in ours if c.name in mapped}
    return raw.select(
        "source_file",
        "source_row",
        their_key=raw.source_key if "source_key" in raw.columns else ibis.null("string"),
        is_empty=_is_empty(mapped, text, bool(source.wide), site),
        in_no_group=raw[GROUP].isnull() if access_group(raw, site) else ibis.literal(False),
        **{f"text_{name}": cell for name, cell in text.items()},
    )


def _text(raw: ir.Table, given: ColumnSource, source: TableSource, site: Site) -> ir.StringValue:
    """The cell as trimmed text, null where it is blank or a missing-data code."""
    if given.constant is not None:
        return ibis.literal(str(given.constant))
    if given.any_of:
        return _ticked(raw, given, source, site)
    names = their_names(given)
    if len(names) == 1 and site.redcap and _choice(names[0]):
        return _box(raw, names[0], given, source, site)
    read = [_cell(raw[name], site) for name in names]
    return ibis.coalesce(*read) if len(read) > 1 else read[0]


def _cell(cell: ir.StringValue, site: Site) -> ir.StringValue:
    trimmed = cell.cast("string").strip().nullif("")
    missing = [*site.missing, *([NOT_COMPLETED] if site.redcap else [])]
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
    given = [n for n, s in mapping.items() if s.constant is None]
    if site.redcap:
        structural = {"patient_id", "sequence"}
        given = [n for n in given if n not in structural] or given
    return reduce(and_, (text[n].isnull() for n in given), ibis.literal(True))

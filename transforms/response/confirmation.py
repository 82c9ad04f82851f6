"""Responses that a later assessment confirms.

    CR  a later CR at least k days after; between them only CR and not evaluable, at most m of
        these.
    PR  a later CR or PR at least k days after; between them only CR, PR and not evaluable, at
        most m of these, one SD if the settings accept it, and no PR after a CR.

Source: pharmaverse admiralonco, derive_param_confirmed_bor (conditions, m = 1, k = 28); WHO 1979 as
tabulated in PMC2755245 Table 3 (confirmed after at least 4 weeks).
"""

import ibis
import ibis.expr.types as ir

from schemas.settings import ResponseSettings

_COUNT = 2**10
"""More assessments than one unit has: a day and two counts are packed into one number, so that the
smallest such number is the first day together with its counts."""
_DAY = _COUNT * _COUNT


def confirmed_days(rows: ir.Table, by: tuple[str, ...], settings: ResponseSettings) -> ir.Table:
    """One row per unit with a response: `confirmed_cr` and `confirmed_pr`, the earliest days.

    Args:
        rows: assessments inside the window: `by`, `rel_day`, `response`.
        by: the unit and the criterion.
        settings: k, m, and whether one SD is accepted.
    """
    responses = rows.filter(rows.response.isin(["CR", "PR"])).select(*by).distinct()
    counted = _counted(rows.semi_join(responses, by), by)
    looked = _looked_ahead(counted, by, settings)
    complete = _is(looked, "CR") & _reached(looked, looked.next_complete, looked.after_cr, settings)
    partial = _is(looked, "PR") & _reached(looked, looked.next_any, looked.after_pr, settings)
    if settings.confirmation_accept_sd:
        partial = partial & (looked.next_any % _COUNT - looked.n_sd <= 1)
    return looked.group_by(by).agg(
        confirmed_cr=complete.ifelse(looked.rel_day, None).min(),
        confirmed_pr=partial.ifelse(looked.rel_day, None).min(),
    )


def _counted(rows: ir.Table, by: tuple[str, ...]) -> ir.Table:
    """Count what was not evaluable and stable so far; tell a PR that follows a CR."""
    so_far = ibis.range_window(group_by=by, order_by="rel_day", preceding=(None, 0))
    before = ibis.range_window(group_by=by, order_by="rel_day", preceding=(None, 1))
    counted = rows.mutate(
        n_ne=_is(rows, "NE").cast("int64").sum().over(so_far).cast("int64"),
        n_sd=_is(rows, "SD").cast("int64").sum().over(so_far).cast("int64"),
        last_cr=_on(rows, _is(rows, "CR")).max().over(before),
        last_pr=_on(rows, _is(rows, "PR")).max().over(before),
    )
    fell = _is(counted, "PR") & (counted.last_cr > counted.last_pr.fill_null(-1))
    return counted.mutate(
        fell_from_cr=fell.fill_null(False),
        packed=counted.rel_day * _DAY + counted.n_ne * _COUNT + counted.n_sd,
    )


def _looked_ahead(counted: ir.Table, by: tuple[str, ...], settings: ResponseSettings) -> ir.Table:
    """The first later assessment that would confirm, and the first that would spoil it."""
    late_enough = ibis.range_window(
        group_by=by, order_by="rel_day", following=(max(settings.confirmation_days, 1), None)
    )
    later = ibis.range_window(group_by=by, order_by="rel_day", following=(1, None))
    allowed = ["CR", "PR", "NE", *(["SD"] if settings.confirmation_accept_sd else [])]
    complete, response = _is(counted, "CR"), counted.response.isin(["CR", "PR"])
    spoils_cr = ~counted.response.isin(["CR", "NE"])
    spoils_pr = ~counted.response.isin(allowed) | counted.fell_from_cr
    return counted.mutate(
        next_complete=complete.ifelse(counted.packed, None).min().over(late_enough),
        next_any=response.ifelse(counted.packed, None).min().over(late_enough),
        after_cr=_on(counted, spoils_cr).min().over(later),
        after_pr=_on(counted, spoils_pr).min().over(later),
    )


def _reached(
    looked: ir.Table,
    next_one: ir.IntegerValue,
    spoiled: ir.IntegerValue,
    settings: ResponseSettings,
) -> ir.BooleanValue:
    """The confirming assessment comes before anything that spoils it, with few enough gaps."""
    day = next_one // _DAY
    gaps = next_one // _COUNT % _COUNT - looked.n_ne
    unspoiled = (day < spoiled).fill_null(True)
    return next_one.notnull() & unspoiled & (gaps <= settings.confirmation_max_ne)


def _is(rows: ir.Table, response: str) -> ir.BooleanValue:
    return rows.response == response


def _on(rows: ir.Table, condition: ir.BooleanValue) -> ir.IntegerValue:
    return condition.ifelse(rows.rel_day, ibis.null("int64"))

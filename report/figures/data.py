"""The data of a figure as a table, for those who read numbers rather than pictures."""

from report.figures.incidence import Incidence
from report.figures.model import Exhibit, Row, Table
from report.figures.survival import Curves


def drawn(model: Exhibit) -> Table | None:
    """Return what stands in a figure as a table; nothing where it holds patients' rows alone."""
    if isinstance(model, Curves):
        return _risk(model)
    if isinstance(model, Incidence):
        return _left(model)
    if not model.numbers:
        return None
    return Table(
        id=f"{model.id}-data",
        title=f"Data of: {model.title}",
        columns=("statistic", "field", "printed"),
        rows=tuple(Row((n.statistic_id, n.field, n.text)) for n in model.numbers),
    )


def _risk(model: Curves) -> Table:
    """At risk, events and censored of each curve at each half year."""
    return Table(
        id=f"{model.id}-data",
        title=f"Data of: {model.title}",
        columns=("curve", "months", "at risk", model.happened.lower(), "censored"),
        rows=tuple(
            Row((c.name or "all", *map(str, (r.months, r.at_risk, r.events, r.censored))))
            for c in model.curves
            for r in c.risk
        ),
    )


def _left(model: Incidence) -> Table:
    """At risk, and by what the others left, at each half year."""
    return Table(
        id=f"{model.id}-data",
        title=f"Data of: {model.title}",
        columns=("months", "at risk", *(c.name.lower() for c in model.curves), "censored"),
        rows=tuple(
            Row(tuple(map(str, (r.months, r.at_risk, *r.by_cause, r.censored)))) for r in model.left
        ),
    )

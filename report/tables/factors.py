"""Prognostic factors in numbers: what the forest draws."""

from report.figures.model import Cell, Table, numbers_in, row
from report.figures.prognosis import Estimate, Forest


def factors(model: Forest) -> Table:
    """Return each level of each factor against its reference, alone and together.

    Args:
        model: the forest, whose lines these are.
    """
    rows = tuple(
        row(
            (
                line.factor,
                line.level,
                Cell(line.counts, line.counted),
                *_cells(line.alone, ""),
                *_cells(line.together, line.why),
            )
        )
        for line in model.lines
    )
    return Table(
        id=f"{model.id}-table",
        title=model.title,
        n=model.n,
        notes=model.notes,
        abbreviations=model.abbreviations,
        numbers=numbers_in(rows),
        empty=model.empty,
        columns=("factor", "level", "died/n", "HR alone (95 % CI)", "p", "HR together", "p"),
        rows=rows,
    )


def _cells(estimate: Estimate | None, why: str) -> tuple[Cell, Cell]:
    if estimate is None:
        return Cell(why), Cell("")
    ratio = tuple(n for n in estimate.numbers if n.field != "p")
    return Cell(estimate.printed, ratio), Cell(
        estimate.p, tuple(n for n in estimate.numbers if n.field == "p")
    )

"""Which figures and tables a manuscript has, by the number that it calls them."""

from collections.abc import Iterator
from dataclasses import dataclass

from report.figures import (
    baseline,
    course,
    flow,
    incidence,
    prognosis,
    response,
    survival,
    toxicity,
)
from report.figures.model import Exhibit, Table
from report.figures.source import Connection
from report.tables import compared, endpoints, measured
from report.tables.factors import factors
from schemas.errors import Refused


@dataclass(frozen=True, slots=True)
class Numbered:
    """A figure or table under the number that the manuscript gives it.

    `patient_level` shows single patients, if without a name.
    """

    number: str
    exhibit: Exhibit
    patient_level: bool = False

    @property
    def is_table(self) -> bool:
        """Whether it is a table and no figure."""
        return isinstance(self.exhibit, Table)

    @property
    def name(self) -> str:
        """The number in words: `Figure 4`, `Table 1`, `Figure S1`."""
        kind = "Table" if self.is_table else "Figure"
        place = self.number.removeprefix("F").removeprefix("T")
        return f"{kind} {place}"


Made = Iterator[Numbered]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def exhibits(
    con: Connection,
    version: str,
    *,
    by: str = "",
    only: tuple[str, ...] = (),
    patient_level: bool = False,
) -> list[Numbered]:
    """Return the figures and tables of a manuscript, in order.

    Args:
        con: a release's database.
        version: the CTCAE version of the report.
        by: a factor by which Table 1 is split beside everybody; empty for none.
        only: numbers that are wanted; empty for all. `F5` is all of F5a, F5b, ...
        patient_level: also figures that show single patients.

    Raises:
        Refused: a number or factor that there is not.
    """
    made = [*_main(con, version), *_further(con, version, by)]
    unknown = [n for n in only if not any(_is(item, n) for item in made)]
    if unknown:
        there = ", ".join(item.number for item in made)
        raise Refused(f"--only {', '.join(unknown)}: there is none. There are {there}.")
    wanted = [item for item in made if not only or any(_is(item, n) for n in only)]
    hidden = [item.number for item in wanted if item.patient_level and not patient_level]
    if only and hidden:
        raise Refused(
            f"--only {', '.join(hidden)}: shows single patients. Add --patient-level, and keep "
            "the folder inside the house."
        )
    return [item for item in wanted if patient_level or not item.patient_level]


def _is(item: Numbered, number: str) -> bool:
    return item.number == number or item.number.rstrip(LETTERS) == number


def _main(con: Connection, version: str) -> Made:
    yield Numbered("F1", flow.flow(con))
    yield Numbered("T1", baseline.table_1(con))
    yield Numbered("T2", measured.dose(con))
    yield Numbered("T3", response.matrix(con, "unconfirmed"))
    yield Numbered("F2", response.waterfalls(con)[0], patient_level=True)
    yield Numbered("F3", course.swimmer(con), patient_level=True)
    yield Numbered("F4", survival.overall(con))
    yield from _lettered("F5", survival.by_factor(con))
    yield from _lettered("F6", incidence.incidences(con))
    forest = prognosis.forest(con)
    yield Numbered("F7", forest)
    yield Numbered("T4", toxicity.by_grade(con, version))
    yield Numbered("F8", toxicity.bars(con, version))
    yield Numbered("T5", factors(forest))


def _further(con: Connection, version: str, by: str) -> Made:
    yield Numbered("FS1", course.spider(con), patient_level=True)
    yield Numbered("TS1", response.matrix(con, "confirmed"))
    yield Numbered("TS2", compared.agreement(con))
    yield Numbered("TS3", endpoints.medians(con))
    yield Numbered("TS4", endpoints.landmarks(con))
    yield Numbered("TS5", compared.shift(con, version))
    yield Numbered("TS6", measured.symptoms(con))
    yield Numbered("TS7", measured.follow_up(con))
    yield Numbered("TS8", measured.adherence(con))
    yield Numbered("TS9", compared.literature(con))
    yield Numbered("TS10", compared.readings(con))
    yield Numbered("TS12", response.at_windows(con))
    if by:
        yield Numbered("TS11", _split(con, by))
    yield from _lettered("FS2", survival.endpoints(con, competing=False))
    yield Numbered("FS3", response.waterfalls(con)[1], patient_level=True)


def _lettered(number: str, models: "list[survival.Curves] | list[incidence.Incidence]") -> Made:
    for letter, model in zip(LETTERS, models, strict=False):
        yield Numbered(number + letter, model)


def _split(con: Connection, factor: str) -> Table:
    tables = {t.id.removeprefix("table-1-by-"): t for t in baseline.by_factor(con)}
    if factor not in tables:
        raise Refused(f"--by {factor}: there is no such factor. There are {', '.join(tables)}.")
    return tables[factor]

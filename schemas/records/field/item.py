"""What an item of a list of reporting has: whose it is, where we answer it, and what it needs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Status = Literal["computed", "partly", "not supported", "by the authors"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list.

    Attributes:
        number: As its list numbers it.
        item: What is reported, in our own words.
        source: Who reports it, or asks for it.
        status: `computed` where its columns are delivered; `by the authors` where no table can say.
        tables: Where a release holds it, as `outcomes.survival_medians`.
        columns: What a centre must deliver for it, as `treatments.tumour_volume_ml`.
        reason: What is missing, or why it is not supported.
    """

    number: str
    item: str
    source: str
    status: Status = "computed"
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    reason: str = ""
    statistics: tuple[str, ...] = ()
    """How the ids of its statistics begin after the population; default every one of its tables."""

    def beginnings(self) -> tuple[str, ...]:
        """How the ids of its statistics in the population `all` begin."""
        whole = (t.removeprefix("outcomes.") + "." for t in self.tables if t.startswith("outcomes"))
        return self.statistics or tuple(f"{name}all." for name in whole)


def problems(record: Item) -> Iterator[str]:
    """What is wrong with an item beside its number and source."""
    if record.status in ("computed", "partly") and not record.tables:
        yield "no table. Name where a release holds it."
    if record.status in ("partly", "not supported") and not record.reason:
        yield "no reason. Say what is missing."
    if record.status in ("not supported", "by the authors") and (record.tables or record.columns):
        yield "tables or columns. Name none where nothing is computed."


def column_of(name: str) -> tuple[str, str]:
    """Table and column of a name."""
    table, _, column = name.partition(".")
    return table, column


def tables_of(items: Iterable[Item]) -> list[str]:
    """Every table that items name, each once."""
    return list(dict.fromkeys(t for i in items for t in i.tables))

"""Name the columns and files of a delivery that no table is made from.

Every column of an export is used or named here. What the delivery before had and this one lacks
comes first: a renamed optional column is one that is gone and one that is not used.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import ibis

from schemas.errors import BadConfiguration
from schemas.site import Site, TableSource
from schemas.spelling import plain
from transforms.intake.names import PROVENANCE, mapping
from warehouse.intake.reading_key import loans, named_columns
from warehouse.intake.redcap.instruments import FORM_COLUMNS, UNASSIGNED
from warehouse.loading.load import CONTRACTS, raw_name, raw_shapes, sources

FILE = "columns.json"
NOTE = "unused.txt"
NAME = re.compile(r"[^\W\d_][\w .()/%+-]{0,39}")
"""A column's name as it may be told; another one could be a cell in a header's place."""
STRUCTURE = re.compile(rf"redcap_.*|.*({'|'.join(FORM_COLUMNS)})")
"""What REDCap adds to every export."""


@dataclass(frozen=True, slots=True)
class Unused:
    """What of a file, sheet or form is not used, and what is gone since the delivery before.

    Several of which the same is to be told are told of together.
    """

    source: str
    gone: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    whole: bool = False

    def __str__(self) -> str:
        return self.told(None)

    def told(self, shown: int | None) -> str:
        """A sentence that names so many columns of a kind, default all."""
        if self.whole:
            return f"{self.source}: nothing of it is used"
        gone, columns = (_some(names, shown) for names in (self.gone, self.columns))
        parts = [f"gone since the last good delivery: {gone}"] if gone else []
        parts += [f"not used: {columns}"] if columns else []
        return f"{self.source}: {'; '.join(parts)}"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a delivery by file or form, those that are used, and the files left unread."""

    there: dict[str, list[str]]
    used: dict[str, list[str]]
    unread: list[str]
    forms: bool = False

    def write(self, folder: Path) -> None:
        """Keep them beside what was loaded."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Columns":
        """As they were kept."""
        return cls(**json.loads((folder / FILE).read_text("utf-8")))

    def foreign(self) -> list[str]:
        """Files and forms none of whose columns is used."""
        return [source for source in self.there if not self.used[source]]


def columns_of(raw: Mapping[str, Path], site: Site, unread: Iterable[str]) -> Columns:
    """Which columns of raw tables a site file uses."""
    shapes = raw_shapes(raw)
    by_table: dict[str, set[str]] = {name: set() for name in shapes}
    for table, parts in sources(site, shapes).items():
        for source in parts:
            name = raw_name(table, source)
            if name in shapes and table in CONTRACTS:
                by_table[name] |= _used(shapes[name], table, source, site)
    for loan, lent in loans(site).items():
        asked = (name for name, _ in loan.among)
        for name, called in ((loan.here, loan.on), (loan.there, (*lent, *loan.on, *asked))):
            by_table.get(name, set()).update(map(plain, called))
    known = {plain(name) for name in site.ignored_columns}
    there = {
        n: [c for c in names if not _ours(c, names, site) and plain(c) not in known]
        for n, names in shapes.items()
    }
    used = {n: [c for c in names if plain(c) in by_table[n]] for n, names in there.items()}
    return Columns(there, used, sorted(unread), site.format == "redcap")


def unused(now: Columns, before: Columns | None) -> tuple[Unused, ...]:
    """What is not used, with what the delivery before had and this one lacks first."""
    told = [_told(name, now, before) for name in now.there]
    told += [Unused(_safe(name), whole=True) for name in now.unread]
    alike: dict[Unused, list[str]] = {}
    for one in (t for t in told if t.whole or t.gone or t.columns):
        alike.setdefault(replace(one, source=""), []).append(one.source)
    listed = [replace(one, source=", ".join(names)) for one, names in alike.items()]
    return tuple(sorted(listed, key=lambda t: (not t.gone, not t.whole)))


def _some(names: Sequence[str], shown: int | None) -> str:
    first = names[:shown]
    more = [f"{len(names) - len(first)} more"] if len(names) > len(first) else []
    return ", ".join([*first, *more])


def note(chain: Sequence[Path], to: Path) -> None:
    """Note what of the last of some loaded deliveries is not used, against the one before it."""
    *earlier, last = chain
    left = unused(Columns.read(last), Columns.read(earlier[-1]) if earlier else None)
    (to / NOTE).write_text("\n".join(map(str, left)), "utf-8")


def noted(folder: Path) -> str:
    """What was noted of a site in a run's folder."""
    return (folder / NOTE).read_text("utf-8")


def _told(source: str, now: Columns, before: Columns | None) -> Unused:
    there = now.there[source]
    label = f"form {source}" if now.forms else source
    if not now.used[source] and source != UNASSIGNED:
        return Unused(label, whole=bool(there))
    plain_names = {plain(name) for name in there}
    past = before.there.get(source, []) if before else []
    mattered = set(before.used.get(source, [])) if before else set()
    gone = [name for name in past if plain(name) not in plain_names]
    gone.sort(key=lambda name: name not in mattered)
    left = [name for name in there if name not in now.used[source]]
    return Unused(label, tuple(_shown(gone)), tuple(_shown(left)))


def _used(names: Sequence[str], table: str, source: TableSource, site: Site) -> set[str]:
    raw = ibis.table(dict.fromkeys(names, "string"), name="raw")
    try:
        by_column: dict[str, Any] = dict(mapping(raw, CONTRACTS[table], source, site))
    except BadConfiguration:  # told where the delivery is held against its site file
        by_column = dict(source.columns)
    return {plain(n) for n in named_columns(source.model_copy(update={"columns": by_column}))}


def _ours(column: str, names: Sequence[str], site: Site) -> bool:
    """Whether a column says where a row stands, and not what was observed."""
    if column in PROVENANCE:
        return True
    return site.format == "redcap" and bool(column == names[0] or STRUCTURE.fullmatch(column))


def _shown(names: Iterable[str]) -> list[str]:
    return [_safe(name) for name in names]


def _safe(name: str) -> str:
    shown = NAME.fullmatch(name) or name.startswith("unnamed_column_")
    return name if shown else "one whose name is not shown"

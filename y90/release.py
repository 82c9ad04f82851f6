"""One release, opened for reading."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from y90.curves import Curves
from y90.pictures import Swimmer, Waterfall
from y90.printing import interval, number
from y90.tables import Table1

Row = dict[str, Any]


class NotThere(LookupError):
    """A release, table, statistic or code that there is not; the message names the nearest."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One published number.

    `value`, `lower` and `upper` are in `unit`, unrounded; None where there is none.
    """

    id: str
    label: str
    value: float | None
    lower: float | None
    upper: float | None
    n: int | None
    total: int | None
    unit: str
    method: str
    definition: str
    release: str

    @property
    def text(self) -> str:
        """The number as a paper prints it: `34.4 months (19.8 to 52.0)`."""
        if self.value is None:
            return "not evaluable"
        around = interval(self.lower, self.upper)
        return f"{number(self.value)} {self.unit}" + (f" ({around})" if around else "")

    def _repr_html_(self) -> str:
        return f"<b>{escape(self.text)}</b> {escape(self.label)}<br><code>{escape(self.id)}</code>"


@dataclass(frozen=True)
class Release:
    """A release: its folder, and what its manifest says of it."""

    path: Path
    manifest: Row = field(repr=False)

    @property
    def id(self) -> str:
        """Its id: `2011.03.31`."""
        return self.path.name

    @property
    def registry(self) -> str:
        """The registry it is of."""
        return str(self.manifest["content"]["registry"])

    @property
    def data_cutoff(self) -> str:
        """The day up to which it knows, YYYY-MM-DD."""
        return str(self.manifest["content"]["data_cutoff"])

    @property
    def settings(self) -> Row:
        """The conventions that it was made with, by section and key."""
        return dict(self.manifest["content"]["settings"])

    @property
    def synthetic(self) -> bool:
        """Whether a centre of it was invented."""
        sites = self.manifest["content"]["sites"].values()
        return any(site.get("origin") == "synthetic" for site in sites)

    @property
    def tables(self) -> list[str]:
        """Its tables, as `schema.table`."""
        found = (self.path / "parquet").glob("*/*.parquet")
        return sorted(f"{place.parent.name}.{place.stem}" for place in found)

    def table(self, name: str, **where: object) -> pa.Table:
        """The rows of a table.

        Args:
            name: with or without its schema: `outcomes.attrition`, `attrition`.
            where: column = value; a list of values is any of them.

        Raises:
            NotThere: no such table or column.
        """
        place = self._place(name)
        there = pq.read_schema(place).names
        if missing := sorted(where.keys() - set(there)):
            raise NotThere(f"column {', '.join(missing)}: {name} has {', '.join(there)}.")
        return self._asked(f"SELECT * FROM read_parquet('{_quoted(place)}')", where)

    def sql(self, query: str) -> pa.Table:
        """The rows of a query; every table is there under its schema and name."""
        with duckdb.connect() as con:
            for name in self.tables:
                schema, _, table = name.partition(".")
                place = _quoted(self.path / "parquet" / schema / f"{table}.parquet")
                con.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
                con.execute(f"CREATE VIEW {name} AS FROM read_parquet('{place}')")
            return con.execute(query).to_arrow_table()

    def stat(self, statistic: str) -> Statistic:
        """A published number by its id.

        Raises:
            NotThere: no such statistic; the nearest are named.
        """
        row = self._statistics.get(statistic.lower())
        if row is None:
            near = get_close_matches(statistic.lower(), self._statistics, n=3, cutoff=0.3)
            raise NotThere(f"statistic {statistic}: there is none. Near: {', '.join(near)}.")
        return Statistic(
            id=row["statistic_id"],
            release=self.id,
            **{
                name: row[name]
                for name in Statistic.__dataclass_fields__
                if name not in ("id", "release")
            },
        )

    def find(self, *words: str) -> pa.Table:
        """The statistics whose label or id holds every word, whatever its case."""
        wanted = [word.lower() for word in words]
        rows = [
            {name: row[name] for name in ("statistic_id", "label", "value", "unit", "n", "total")}
            for row in self._statistics.values()
            if all(word in f"{row['label']} {row['statistic_id']}".lower() for word in wanted)
        ]
        return pa.Table.from_pylist(rows, schema=self._found)

    def km(
        self,
        endpoint: str = "OS",
        by: str = "",
        *,
        population: str = "all",
        level: str = "subject",
    ) -> Curves:
        """The Kaplan-Meier curves of an endpoint, in all or by a factor.

        Raises:
            NotThere: no such endpoint, factor, population or level.
        """
        where = {"population": population, "endpoint": endpoint, "level": level, "factor": by}
        steps = self.table("survival_curves", **where).to_pylist()
        medians = self.table("survival_medians", rule="midpoint", **where).to_pylist()
        if not medians:
            raise NotThere(self._no_curve(endpoint, by, population, level))
        return Curves.of(medians, steps, endpoint, by, self.source)

    def waterfall(self, criterion: str = "WHO", unit: str = "subject") -> Waterfall:
        """The best change of each patient (`subject`) or treated lesion (`lesion`).

        Raises:
            NotThere: no such criterion or unit.
        """
        units = {
            "subject": ("subject_response", "organ", "all"),
            "lesion": ("lesion_response", "treated", True),
        }
        if unit not in units:
            raise NotThere(f"unit {unit}: there are {', '.join(units)}.")
        name, column, code = units[unit]
        where = {"criterion": criterion, "confirmation": "unconfirmed", str(column): code}
        rows = self.table(str(name), **where).to_pylist()
        if not rows:
            there = self.table(str(name)).column("criterion").unique().to_pylist()
            raise NotThere(f"criterion {criterion}: there are {', '.join(sorted(there))}.")
        return Waterfall.of(rows, criterion, unit, self.source)

    def swimmer(self, criterion: str = "WHO") -> Swimmer:
        """Each treated patient's follow-up with response, progression and death."""
        ends = self.table("time_to_event", endpoint="OS").to_pylist()
        where = {"criterion": criterion, "confirmation": "unconfirmed", "organ": "all"}
        responses = self.table("subject_response", **where).to_pylist()
        return Swimmer.of(ends, responses, criterion, self.source)

    def table1(self, by: str = "", *, population: str = "all") -> Table1:
        """The patients before treatment, in all or by a factor.

        Raises:
            NotThere: no such factor or population.
        """
        found = self.table("baseline_characteristics", population=population, factor=by)
        rows = found.to_pylist()
        if not rows:
            raise NotThere(f"table1(by={by!r}, population={population!r}): nothing is published.")
        return Table1.of(rows, by, self.source)

    def diff(self, other: "Release | str | Path") -> pa.Table:
        """The statistics that differ from an earlier release: id, label, old and new.

        A statistic that only one of them has is null in the other.
        """
        before = other if isinstance(other, Release) else open(other, store=self.path.parents[1])
        old, new = before._statistics, self._statistics
        rows = [
            {
                "statistic_id": name,
                "label": (new.get(name) or old[name])["label"],
                "old": old.get(name, {}).get("value"),
                "new": new.get(name, {}).get("value"),
            }
            for name in sorted(old.keys() | new.keys())
            if old.get(name, {}).get("value") != new.get(name, {}).get("value")
            or (name in old) != (name in new)
        ]
        types = [("statistic_id", pa.string()), ("label", pa.string())]
        numbers = [("old", pa.float64()), ("new", pa.float64())]
        return pa.Table.from_pylist(rows, schema=pa.schema([*types, *numbers]))

    @property
    def source(self) -> str:
        """What stands below every picture and table."""
        said = (self.registry, f"release {self.id}", f"data cutoff {self.data_cutoff}")
        return " · ".join((*said, *(["SYNTHETIC DATA"] if self.synthetic else [])))

    def cite(self) -> str:
        """How the release is cited."""
        run_key = str(self.manifest["content"]["run_key"])[:16]
        return f"{self.source.replace(' · ', ', ')}, run {run_key}. Made with y90-outcomes."

    def _repr_html_(self) -> str:
        return f"<b>{escape(self.source)}</b><br>{len(self.tables)} tables"

    def _place(self, name: str) -> Path:
        wanted = [full for full in self.tables if name in (full, full.split(".")[1])]
        if not wanted:
            names = [full.split(".")[1] for full in self.tables]
            near = get_close_matches(name, names, n=3, cutoff=0.3)
            raise NotThere(f"table {name}: release {self.id} has none. Near: {', '.join(near)}.")
        schema, _, table = wanted[0].partition(".")
        return self.path / "parquet" / schema / f"{table}.parquet"

    def _asked(self, query: str, where: Row) -> pa.Table:
        parts, values = [], []
        for column, value in where.items():
            several = isinstance(value, Iterable) and not isinstance(value, str)
            parts.append(f'list_contains(?, "{column}")' if several else f'"{column}" = ?')
            values.append(list(value) if several else value)
        if parts:
            query += f" WHERE {' AND '.join(parts)}"
        with duckdb.connect() as con:
            return con.execute(query, values).to_arrow_table()

    def _no_curve(self, endpoint: str, by: str, population: str, level: str) -> str:
        rows = self.table("survival_medians").to_pylist()
        asked = {"endpoint": endpoint, "factor": by, "population": population, "level": level}
        for column, code in asked.items():
            there = sorted({row[column] for row in rows})
            if code not in there:
                return f"{column} {code!r}: there are {', '.join(c or 'none' for c in there)}."
        return f"{endpoint} by {by or level}: nothing is published."

    @cached_property
    def _statistics(self) -> dict[str, Row]:
        return {row["statistic_id"]: row for row in self.table("statistics").to_pylist()}

    @property
    def _found(self) -> pa.Schema:
        texts = [(name, pa.string()) for name in ("statistic_id", "label", "unit")]
        whole = [(name, pa.int64()) for name in ("n", "total")]
        types = dict([*texts, *whole, ("value", pa.float64())])
        order = ("statistic_id", "label", "value", "unit", "n", "total")
        return pa.schema([(name, types[name]) for name in order])


def open(name: str | Path = "current", *, store: str | Path = "store") -> Release:
    """A release by id, channel (`current`, `stable`) or the path of its folder.

    Args:
        name: the id, channel or path.
        store: the store that holds it; not read where a path is given.

    Raises:
        NotThere: there is none; those that there are are named.
    """
    path = Path(name)
    if not (path / "manifest.json").is_file():
        path = _in_store(str(name), Path(store))
    return Release(path.resolve(), json.loads((path / "manifest.json").read_text("utf-8")))


def _in_store(name: str, store: Path) -> Path:
    channel = store / "channels" / f"{name}.json"
    with suppress(OSError, KeyError):
        name = json.loads(channel.read_text("utf-8"))["release_id"]
    path = store / "releases" / name
    if not (path / "manifest.json").is_file():
        there = sorted(p.parent.name for p in (store / "releases").glob("*/manifest.json"))
        told = f"There are {', '.join(there)}." if there else f"{store} holds no release."
        raise NotThere(f"release {name}: there is none. {told}")
    return path


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")

"""Write bundles of one release that may leave the house.

A bundle for colleagues holds every table as Parquet, CSV and one database, with a dictionary, and
on demand ADaM datasets with define.xml. A public one holds guarded aggregates only
(warehouse.public). Public bundles are remembered with whom they were about, since two of them that
differ by a few patients give these away.
"""

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.contract import Contract, columns, options, published_name
from schemas.errors import Refused
from schemas.settings import Registry
from warehouse.engine.connections import connection
from warehouse.fingerprints import file_sha256, sha256_of
from warehouse.releases import releases
from warehouse.releases.database import RELEASED, write_database
from warehouse.releases.query import neutral
from warehouse.sharing import public
from warehouse.sharing.standards import results, writing
from warehouse.sharing.standards.study import Study
from warehouse.store import Store, make_private, new_folder, write_atomically

SUPPRESSED = "Withheld, since it is of few patients or would give such a count away."
AGGREGATES = "Guarded aggregates. No row is about a patient."
MICRODATA = (
    "Rows of patients under pseudonyms, and curves that are microdata as well: joined by day, the "
    "curves by factor give every factor of nearly every patient. For colleagues who may see "
    "patients' data; --public makes a bundle for others."
)
NAMED = 3
"""Statistics that a warning names."""
DICTIONARY = ("schema", "table", "column", "type", "key", "unit", "codes", "meaning", "source")

READER_IN_R = Path(__file__).with_name("y90.R")


def export(
    store: Store,
    registry: Registry,
    release: Path,
    to: Path,
    *,
    for_public: bool = False,
    with_adam: bool = False,
    add: Callable[[Path], None] | None = None,
) -> list[str]:
    """Write a bundle into a new folder.

    Args:
        store: the store, which remembers public bundles.
        registry: its settings: the small cell, and the CTCAE version that is shown.
        release: the release's folder.
        to: a folder that does not exist yet.
        for_public: guarded aggregates only.
        add: writes further files into the folder, which are listed with the others.
        with_adam: also ADaM datasets with define.xml, which are row level.

    Returns:
        Warnings: earlier public bundles that differ by few patients, in whom they are about or in
        whom a number counts.

    Raises:
        Refused: the folder is there, or row-level datasets were asked for in a public bundle.
    """
    if to.exists():
        raise Refused(f"{to}: there is something already. Name a folder that does not exist yet.")
    if for_public and with_adam:
        raise Refused("--adam: its datasets are row level, so never public. Leave out one of both.")
    to.parent.mkdir(parents=True, exist_ok=True)
    with new_folder(to.absolute()) as folder:
        shown: list[str] = []
        if for_public:
            shown = _public(release, folder, registry)
        else:
            _whole(release, folder)
        if with_adam:
            (folder / "adam").mkdir()
            writing.write(release, _study(release), folder / "adam")
        if add is not None:
            add(folder)
        _describe(release, folder, for_public=for_public, threshold=_threshold(registry))
    to.chmod(0o755 if for_public else 0o700)
    return _remember(store, release, shown, _threshold(registry)) if for_public else []


def _threshold(registry: Registry) -> int:
    return registry.file.export.small_cell


def _study(release: Path) -> Study:
    facts = releases.manifest(release)
    record = facts["record"]
    version = str(record["commit"] or "unknown")
    return Study(facts["content"]["registry"], release.name, record["published_at"], version)


def _whole(release: Path, folder: Path) -> None:
    shutil.copytree(release / "parquet", folder / "parquet")
    for path in sorted((folder / "parquet").glob("*/*.parquet")):
        place = path.relative_to(folder / "parquet").with_suffix(".csv")
        _csv(path, folder / "csv" / place)
    write_database(folder / "parquet", folder / "release.duckdb")
    _write_csv(folder / "csv" / "dictionary.csv", DICTIONARY, _dictionary(folder, RELEASED))
    rows = (tuple(map(neutral, row)) for row in results.results(release))
    _write_csv(folder / "csv" / "ard.csv", results.NAMES, rows)
    shutil.copyfile(READER_IN_R, folder / READER_IN_R.name)


def _public(release: Path, folder: Path, registry: Registry) -> list[str]:
    """Write the guarded tables; returns the statistics that are shown."""
    version = registry.file.toxicity.primary_version
    place = folder / "parquet" / "outcomes"
    place.mkdir(parents=True)
    by_name = {published_name(c): c for c in RELEASED}
    shown: list[str] = []
    for name, rows in public.tables(release, _threshold(registry), version).items():
        path = place / f"{name}.parquet"
        shown += [r["statistic_id"] for r in rows if not r["suppressed"]]
        pq.write_table(_arrow(by_name[name], rows), path, compression="zstd")
        _csv(path, folder / "csv" / "outcomes" / f"{name}.csv")
    _database(folder)
    _write_csv(folder / "csv" / "dictionary.csv", DICTIONARY, _dictionary(folder, RELEASED))
    return shown


def _arrow(contract: type[Contract], rows: list[dict[str, Any]]) -> pa.Table:
    types = {c.name: c.dtype.to_pyarrow() for c in columns(contract)} | {"suppressed": pa.bool_()}
    names = list(rows[0]) if rows else ["statistic_id", "suppressed"]
    return pa.Table.from_pylist(rows, schema=pa.schema([(n, types[n]) for n in names]))


def _database(folder: Path) -> None:
    with connection(folder / "release.duckdb") as con:
        for path in sorted((folder / "parquet").glob("*/*.parquet")):
            schema = path.parent.name
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            con.execute(
                f"CREATE TABLE {schema}.{path.stem} AS SELECT * FROM read_parquet(?)", [str(path)]
            )


def _csv(path: Path, to: Path) -> None:
    """A table as CSV that a spreadsheet does not run."""
    table = pq.read_table(path)
    rows = (tuple(neutral(v) for v in r.values()) for r in table.to_pylist())
    _write_csv(to, tuple(table.column_names), rows)


def _write_csv(to: Path, names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def _dictionary(folder: Path, contracts: Iterable[type[Contract]]) -> Iterable[tuple[Any, ...]]:
    """Every column of every table that is there."""
    for contract in contracts:
        schema, name = options(contract).schema, published_name(contract)
        path = folder / "parquet" / schema / f"{name}.parquet"
        if not path.exists():
            continue
        there = pq.read_schema(path).names
        for c in columns(contract):
            if c.name in there:
                facts = (str(c.dtype), c.key, c.unit or "", " ".join(c.codes), c.meaning)
                yield schema, name, c.name, *facts, c.source or ""
        if "suppressed" in there:
            yield schema, name, "suppressed", "boolean", False, "", "", SUPPRESSED, ""


def _describe(release: Path, folder: Path, *, for_public: bool, threshold: int) -> None:
    """What the bundle is, with a hash of every file."""
    content = releases.manifest(release)["content"]
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    facts: dict[str, Any] = {
        "format": "y90-bundle-1",
        "registry": content["registry"],
        "release": release.name,
        "as_of": content["as_of"],
        "data_cutoff": content["data_cutoff"],
        "public": for_public,
        "files": {p.relative_to(folder).as_posix(): file_sha256(p) for p in files},
    }
    facts["contains"] = AGGREGATES if for_public else MICRODATA
    if for_public:
        facts["small_cell"] = threshold
        facts["rule"] = (
            f"Counts of fewer than {threshold} patients are withheld, and every count that would "
            "give one back by adding and subtracting. Landmarks stand in place of curves."
        )
    text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)
    write_atomically(folder / "bundle.json", text.encode() + b"\n")


def _remember(store: Store, release: Path, shown: list[str], threshold: int) -> list[str]:
    """Keep whom a public bundle is about and counts, and warn of those that differ by few.

    Who is purged later stays in what is remembered, under the pseudonym that the tombstone keeps as
    well: that bundle is in the world, and a further one without the patient tells of one patient.
    """
    folder = store.state / "exports"
    make_private(folder)
    with connection() as con:
        now = public.people(con, release)
        facts: Mapping[str, Any] = {"release": release.name, "patients": sorted(now)}
        own = folder / f"{sha256_of([facts, sorted(shown)])[:16]}.json"
        con.register("now", counted := public.counted(con, release, shown))
        warnings = [
            warning
            for path in sorted(folder.glob("*.json"))
            for warning in _warnings(con, path, now, threshold)
        ]
    write_atomically(own.with_suffix(".parquet"), _parquet(counted), private=True)
    write_atomically(own, json.dumps(facts, indent=1).encode() + b"\n", private=True)
    return warnings


def _warnings(
    con: duckdb.DuckDBPyConnection, path: Path, now: frozenset[str], threshold: int
) -> Iterator[str]:
    """Why an earlier public bundle should not stand beside this one."""
    remembered = json.loads(path.read_text("utf-8"))
    name = f"public bundle of {remembered['release']}"
    apart = len(now ^ frozenset(remembered["patients"]))
    if 0 < apart < threshold:
        yield (
            f"{name}: it differs from this one by fewer than {threshold} patients, who can be told "
            "from the two together. Publish only one."
        )
    counted = path.with_suffix(".parquet")
    if not counted.exists():
        return
    told = public.told_apart(con, counted, "now", threshold)
    if told:
        more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
        yield (
            f"{name}: {', '.join(told[:NAMED])}{more} count the same but for fewer than "
            f"{threshold} patients, who can be told from the two together. Publish only one, or "
            "wait until more have changed."
        )


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())

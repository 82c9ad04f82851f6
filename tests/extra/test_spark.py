"""Each derivation gives the same rows on Spark as on DuckDB.

The accepted rows of the reference cohort are handed over as Parquet. Each derivation of transforms/
is then computed by Spark from Spark's own tables, written to Parquet and compared. Whole numbers,
decimals, texts and statements must be equal; floats to 12 digits, because the logarithms of the JVM
and of the C library differ in the last place. Spark interprets its plans here: for forty patients,
compiling them to Java takes longer than all the rest.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.contract import key, schema
from tests import conftest
from warehouse import pipeline
from warehouse.building import build
from warehouse.engine.embedded import engine
from warehouse.engine.lineage import derivations
from warehouse.store import Store

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore"),  # pyspark's own warnings are not ours to mend
]
DERIVED = tuple(name for name, d in derivations().items() if d.room == "transforms")
TOLERANCE = 1e-12
OPTIONS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The reference registry's settings."""
    store = Store.open(tmp_path_factory.mktemp("settings") / "store")
    return conftest.job(store, "redcap").registry.outcome_settings


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Path:
    """A folder with the registry tables, and with every derived table, by DuckDB."""
    folder = tmp_path_factory.mktemp("duckdb")
    store = Store.open(folder / "store")
    job = conftest.job(store, "redcap")
    conftest.deliver(store, "redcap")
    pipeline.receive(store, job.registry, conftest.SITE, datetime.now(UTC))
    plan = pipeline.plan(store, job.registry, job.key, job.as_of, job.data_cutoff)
    pipeline.start(store, plan)
    pipeline.load_site(store, job.registry, job.key, plan, conftest.SITE)
    (receipt,) = plan.receipts
    accepted = store.run(plan.run_id) / "sites" / conftest.SITE
    site = build.Loaded(
        conftest.SITE, receipt.extraction_date, receipt.delivery_id, accepted, len(receipt.files)
    )
    with engine(folder / "scratch.duckdb") as con:
        tables = build.registry_tables(con, [site], job.data_cutoff)
        for name, table in (tables | build.derive(con, tables, settings, "transforms")).items():
            con.to_parquet(table, folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Spark on two local cores: ANSI as it is by default, plans interpreted."""
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    builder = SparkSession.builder.master("local[2]").appName("y90")
    places = {"spark.sql.warehouse.dir": str(folder / "house"), "spark.local.dir": str(folder)}
    for name, value in (OPTIONS | places).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")  # it tells at length when it interprets a long query
    yield session
    session.stop()


@pytest.fixture(scope="module")
def on_spark(
    spark: Any, on_duckdb: Path, settings: Any, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path | Exception]:
    """Derived table -> Spark's Parquet, or why there is none."""
    import ibis

    con, folder = ibis.pyspark.connect(spark), tmp_path_factory.mktemp("derived")
    known = {
        path.stem: con.read_parquet(path, table_name=path.stem)
        for path in on_duckdb.glob("*.parquet")
        if path.stem not in DERIVED
    }
    made: dict[str, Path | Exception] = {}
    for name in DERIVED:
        path = folder / name
        try:
            con.to_parquet(derivations()[name](known, settings), path)
            known[name] = con.read_parquet(path, table_name=name)
            made[name] = path
        except Exception as fault:
            made[name] = fault
    return made


def test_spark_is_strict_as_it_comes(spark: Any) -> None:
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"


def test_every_derivation_runs_on_spark(on_spark: dict[str, Path | Exception]) -> None:
    faults = {n: repr(f)[:300] for n, f in on_spark.items() if isinstance(f, Exception)}
    assert faults == {}


@pytest.mark.parametrize("name", DERIVED)
def test_spark_and_duckdb_derive_the_same_rows(
    on_spark: dict[str, Path | Exception], on_duckdb: Path, name: str
) -> None:
    found = on_spark[name]
    assert isinstance(found, Path), found
    expected = records(on_duckdb / f"{name}.parquet", name)
    assert differences(records(found, name), expected) == []


def records(path: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a table, typed by its contract, in the order of its key."""
    contract = derivations()[name].contract
    types = schema(contract).to_pyarrow()
    rows = pq.read_table(path).select(types.names).cast(pa.schema(list(types))).to_pylist()
    places = list(key(contract)) or types.names
    return sorted(rows, key=lambda row: [(row[n] is None, str(row[n])) for n in places])


def differences(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> list[Any]:
    """Rows too many or too few, then cells that differ; the first ten."""
    if len(left) != len(right):
        return [(len(left), len(right))]
    pairs = ((a, b, n) for a, b in zip(left, right, strict=True) for n in a)
    found = [(n, a[n], b[n]) for a, b, n in pairs if not _equal(a[n], b[n])]
    return found[:10]


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=TOLERANCE)
    return bool(left == right)

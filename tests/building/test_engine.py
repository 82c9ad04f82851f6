"""What a release is compared by: equal rows and types give equal hashes, and nothing else does."""

from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.contract import Contract, Float, Int, Text, column, rows
from schemas.contract import Decimal as Dec
from warehouse.engine.embedded import ContentHash, arrow_schema, engine, write_parquet


class Things(Contract):
    """One row per thing."""

    name: Text = column("Name.", key=True)
    size: Dec = column("Size.", unit="mm")
    share: Float = column("Share.")
    number: Int = column("Number.")


ROWS = [
    {"name": "b", "size": Decimal("1.5"), "share": 0.1, "number": 1},
    {"name": "a", "size": None, "share": -0.0, "number": None},
    {"name": "ü", "size": Decimal(2), "share": None, "number": 3},
]


def hash_of(records: list[dict[str, object]], batches: int = 1) -> str:
    digest = ContentHash(Things)
    table = pa.Table.from_pylist(records, schema=arrow_schema(Things))
    step = -(-len(records) // batches)
    for start in range(0, len(records), step):
        digest.update(table.slice(start, step))
    return digest.hexdigest()


def test_batches_do_not_matter() -> None:
    assert hash_of(ROWS) == hash_of(ROWS, batches=3)


def test_zero_has_one_sign() -> None:
    assert hash_of(ROWS) == hash_of([ROWS[0], ROWS[1] | {"share": 0.0}, ROWS[2]])


def test_every_value_matters() -> None:
    changes = [
        {"name": "c"},
        {"size": Decimal("1.500001")},
        {"share": 0.1000000001},
        {"number": None},
        {"size": None},
    ]
    hashes = {hash_of([ROWS[0] | c, *ROWS[1:]]) for c in changes}
    assert len(hashes) == len(changes)
    assert hash_of(ROWS) not in hashes


def test_text_cannot_flow_from_row_to_row() -> None:
    assert hash_of([{"name": "ab"}, {"name": "c"}]) != hash_of([{"name": "a"}, {"name": "bc"}])


def test_null_is_not_zero() -> None:
    assert hash_of([{"name": "a", "number": 0}]) != hash_of([{"name": "a", "number": None}])


def test_a_written_table_is_sorted_typed_described_and_repeats_its_bytes(tmp_path: Path) -> None:
    with engine(tmp_path / "scratch.duckdb") as con:
        written = write_parquet(con, rows(ROWS, Things), Things, tmp_path / "a.parquet")
        again = write_parquet(con, rows(ROWS[::-1], Things), Things, tmp_path / "b.parquet")
    assert written == again
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    table = pq.read_table(tmp_path / "a.parquet")
    assert table["name"].to_pylist() == ["a", "b", "ü"]
    assert table.schema.field("size").metadata[b"unit"] == b"mm"
    assert written.rows == 3


def test_threads_do_not_matter(tmp_path: Path) -> None:
    many = ibis.range(300_000).unnest().name("number").as_table()
    table = many.mutate(
        name=many.number.cast("string"), size=ibis.null("decimal(18, 6)"), share=many.number / 7
    )
    found = []
    for threads in (1, 2):
        with engine(tmp_path / f"{threads}.duckdb", threads=threads) as con:
            found.append(write_parquet(con, table, Things, tmp_path / f"{threads}.parquet"))
    assert found[0] == found[1]

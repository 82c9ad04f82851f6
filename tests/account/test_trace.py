"""A trace leads to the delivered lines, and is wide enough for everything that moves.

Soundness is tested by mutation: cells of a delivery are changed at random, the marts are built
again, and every row that differs must lie within the trace of a changed line.
"""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import Refused
from tests.conftest import NIGHT, SITE
from tests.support.corrections import REGISTRY
from warehouse.account import scenarios as worlds
from warehouse.account import trace
from warehouse.account.scenarios import PROVENANCE, Known, Workshop
from warehouse.building.build import Loaded
from warehouse.engine.embedded import engine
from warehouse.engine.lineage import derivations, released
from warehouse.engine.lineage_facts import reach
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.intake import receipts
from warehouse.intake.raw import raw_tables
from warehouse.loading import row_index as rows
from warehouse.loading.load import load
from warehouse.store import Store

STABLE = "response_summary.all.who.lesion.all.all.unconfirmed.sd"
Line = tuple[str, int]


def release_of(store: Store) -> Path:
    return store.release(f"{NIGHT:%Y.%m.%d}")


def test_a_count_leads_to_its_members_their_rule_and_their_lines(reference_store: Store) -> None:
    """27 of 83 lesions are stable by WHO (Memon 2012); each rests on lines of measurements."""
    found = trace.of_statistic(
        reference_store, REGISTRY, DEMONSTRATION_KEY, release_of(reference_store), STABLE
    )
    assert len(found.members) == 27
    for member in found.members:
        assert member.counted
        lines = [line for d in member.decisions for line in d.lines]
        assert {line.table for line in lines} == {"measurements"}
        assert {d.told["rule"] for d in member.decisions if d.mart == "lesion_assessments"}


def test_the_line_of_a_member_leads_back_to_its_statistic(reference_store: Store) -> None:
    release = release_of(reference_store)
    found = trace.of_statistic(reference_store, REGISTRY, DEMONSTRATION_KEY, release, STABLE)
    member = found.members[0]
    line = next(line for d in member.decisions for line in d.lines)
    back = trace.of_line(
        reference_store, REGISTRY, DEMONSTRATION_KEY, release, SITE, line.file, line.row
    )
    assert {m.subject_id for m in back.made} == {member.subject_id}
    assert STABLE in back.statistics
    assert "lesion_assessments" in {mart for mart, _ in back.decides}


def test_a_median_leads_to_the_rows_that_ended_or_censored_each_clock(
    reference_store: Store,
) -> None:
    """28 of 40 patients died (Memon 2012); each death is a line of the contacts."""
    release = release_of(reference_store)
    statistic = "survival_medians.all.os.subject.overall.overall.midpoint"
    found = trace.of_statistic(reference_store, REGISTRY, DEMONSTRATION_KEY, release, statistic)
    assert len(found.members) == 28
    for member in found.members:
        (decision,) = member.decisions
        assert decision.mart == "time_to_event"
        assert [line.table for line in decision.lines] == ["contacts"]


def test_a_trace_takes_less_than_a_second(reference_store: Store) -> None:
    started = time.process_time()
    trace.of_statistic(
        reference_store, REGISTRY, DEMONSTRATION_KEY, release_of(reference_store), STABLE
    )
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("site", "file", "row", "told"),
    [
        ("memon2021", "data.csv", 1, "Did you mean memon2012"),
        (SITE, "date.csv", 1, r"Did you mean data\.csv"),
        (SITE, "data.csv", 999_999, "beyond the last row"),
    ],
)
def test_an_unknown_line_is_told_with_what_is_known(
    site: str, file: str, row: int, told: str, reference_store: Store
) -> None:
    release = release_of(reference_store)
    with pytest.raises(Refused, match=told):
        trace.of_line(reference_store, REGISTRY, DEMONSTRATION_KEY, release, site, file, row)


def test_the_index_is_for_its_owner_only(reference_store: Store) -> None:
    found = list(reference_store.raw.rglob("rows.parquet"))
    assert found
    assert all(path.stat().st_mode & 0o077 == 0 for path in found)


def test_what_moves_lies_within_the_trace(reference_store: Store) -> None:
    """50 cells: 25 at a time, each of another patient and all of one table."""
    _mutate(reference_store, random.Random(2), rounds=2, cells=25)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))  # 20 seeds x 5 rounds x 20 cells
def test_what_moves_lies_within_the_trace_in_thousands(seed: int, reference_store: Store) -> None:
    _mutate(reference_store, random.Random(seed), rounds=5, cells=20)


def _mutate(store: Store, chance: random.Random, rounds: int, cells: int) -> None:
    moved = 0
    with _bench(store) as (shop, raw):
        before = _built(shop, raw, "before")
        for number in range(rounds):
            name, changed, lines = _changed(raw, chance, cells, shop.folder / f"raw-{number}")
            after = _built(shop, {**raw, name: changed}, f"after-{number}")
            moved += _hold(shop, before, after, lines, ["before", f"after-{number}"])
    assert moved > cells


@contextmanager
def _bench(store: Store) -> Iterator[tuple[Workshop, dict[str, Path]]]:
    receipt = receipts.visible(store, SITE, NIGHT)
    assert receipt is not None
    raw = raw_tables(store, receipt, REGISTRY.sites[SITE])
    with worlds.workshop(store, DEMONSTRATION_KEY, {}) as shop:
        yield shop, raw


def _built(shop: Workshop, raw: Mapping[str, Path], name: str) -> Known:
    """Every mart, from raw tables."""
    receipt = receipts.visible(shop.store, SITE, NIGHT)
    assert receipt is not None
    folder = shop.folder / name
    folder.mkdir()
    with engine(folder / "load.duckdb") as con:
        counts = load(con, REGISTRY.sites[SITE], raw, receipt, shop.key, folder)
        rows.write(con, [c.table for c in counts], shop.key, folder / "rows.parquet")
    known = worlds.registry(shop, [Loaded(SITE, NIGHT, "", folder, 0)], NIGHT)
    settings = REGISTRY.outcome_settings
    everything = frozenset(derivations())
    return worlds.derive(shop, known, settings, everything, "transforms")


def _changed(
    raw: Mapping[str, Path], chance: random.Random, cells: int, to: Path
) -> tuple[str, Path, set[Line]]:
    """One raw table with single cells changed, in rows of different patients."""
    name = chance.choice(sorted(n for n in raw if pq.read_metadata(raw[n]).num_rows))
    table = pq.read_table(raw[name])
    records: list[dict[str, Any]] = table.to_pylist()
    chance.shuffle(records)
    seen: set[str] = set()
    lines: set[Line] = set()
    for record in records:
        patient = record[table.column_names[0]]
        if patient in seen or len(seen) == cells:
            continue
        seen.add(patient)
        column = chance.choice([n for n in record if not n.startswith("source_")])
        other = chance.choice(records)[column]
        record[column] = chance.choice([None, "1", "999", "nonsense", other])
        lines.add((record["source_file"], record["source_row"]))
    records.sort(key=lambda r: r["source_row"])
    to.mkdir()
    path = to / f"{name}.parquet"
    pq.write_table(pa.Table.from_pylist(records, schema=table.schema), path)
    return name, path, lines


def _hold(shop: Workshop, before: Known, after: Known, lines: set[Line], folders: list[str]) -> int:
    """Every mart row that differs belongs to the trace of a changed line, before or after.

    Returns:
        How many times a subject moved in a mart.
    """
    made = [
        (record["subject_id"], record["table_name"])
        for folder in folders
        for record in pq.read_table(shop.folder / folder / "rows.parquet").to_pylist()
        if (record["source_file"], record["source_row"]) in lines
    ]
    known = reach(shop.store)
    touched = {table: trace.touched(known, {table}) for _, table in made}
    own = {(subject, mart) for subject, table in made for mart in touched[table][0]}
    wide = {mart for _, marts, _ in touched.values() for mart in marts}
    n_moved = 0
    for name, derivation in derivations().items():
        if derivation.room != "transforms" or not released(derivation.contract):
            continue
        moved = _moved(shop, before, after, name)
        n_moved += len(moved)
        outside = {s for s in moved if (s, name) not in own and name not in wide}
        assert not outside, f"{name}: {len(outside)} subjects moved outside the trace of {lines}"
    return n_moved


def _moved(shop: Workshop, before: Known, after: Known, name: str) -> set[str]:
    mine, theirs = before[name], after[name]
    if mine.digest == theirs.digest:
        return set()
    columns = ", ".join(f'"{c}"' for c in mine.table.columns if c not in PROVENANCE)
    a, b = (f"SELECT {columns} FROM {t.table.get_name()}" for t in (mine, theirs))
    found = shop.con.raw_sql(
        f"SELECT DISTINCT subject_id FROM (({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a}))"
    ).fetchall()
    return {s for (s,) in found}

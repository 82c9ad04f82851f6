"""The rooms stay apart, and every declared table has one derivation."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from schemas.contract import columns, options, table_name
from schemas.tables import intermediate, marts, outcomes
from tests.support.layering import (
    MAY_IMPORT,
    ROOM_SIZE,
    WAREHOUSE,
    imports,
    modules,
    packages,
    rooms,
)
from warehouse.engine.lineage import PROVIDED, derivations, downstream, upstream

ROOT = Path(__file__).parents[2]
PURE = {"open", "print", "input", "exec", "eval"}
CLOCKS = {"os", "time", "random", "socket", "subprocess"}


@pytest.mark.parametrize("room", ["schemas", "transforms", "analytics"])
def test_what_decides_a_number_opens_nothing_and_reads_no_clock(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        assert not {m.split(".")[0] for m in imports(path)} & CLOCKS, path.relative_to(ROOT)
        tree = ast.parse(path.read_text("utf-8"))
        called = {
            n.func.id
            for n in ast.walk(tree)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        methods = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        assert not called & PURE, path.relative_to(ROOT)
        assert not methods & {"today", "now", "utcnow", "read_text", "write_text"}, path


def test_every_declared_table_has_a_derivation() -> None:
    declared = {table_name(c) for c in (*intermediate.TABLES, *marts.TABLES, *outcomes.TABLES)}
    assert declared - PROVIDED <= set(derivations())


def test_a_derivation_reads_only_what_comes_before_it() -> None:
    known = set(PROVIDED)
    for name, derivation in derivations().items():
        assert set(derivation.reads) <= known, name
        known.add(name)


def test_lineage_is_read_both_ways() -> None:
    assert "measurements" in upstream("response_summary")
    assert "response_summary" in downstream(["measurements"])
    assert "response_summary" not in downstream(["contacts"])


def test_no_calendar_date_and_no_patient_in_what_is_released() -> None:
    for contract in (*marts.TABLES, *outcomes.TABLES, outcomes.Statistics, outcomes.MemberSets):
        assert not options(contract).internal
        for c in columns(contract):
            assert not c.dtype.is_date(), f"{table_name(contract)}.{c.name}"
            assert not c.dtype.is_timestamp(), f"{table_name(contract)}.{c.name}"
            assert not c.identifying, f"{table_name(contract)}.{c.name}"
            assert c.name != "patient_id"


def test_no_file_grows_beyond_reading() -> None:
    for room in (*MAY_IMPORT, "tests", "docs", "benchmarks"):
        for path in (ROOT / room).rglob("*.py"):
            assert len(path.read_text("utf-8").splitlines()) <= 500, path.relative_to(ROOT)


def test_imports_between_packages_go_one_way() -> None:
    for package, allowed in MAY_IMPORT.items():
        for path in (ROOT / package).rglob("*.py"):
            others = {m.split(".")[0] for m in imports(path)} & set(MAY_IMPORT) - {package}
            assert others <= allowed, path.relative_to(ROOT)


def test_imports_between_the_rooms_of_the_warehouse_go_one_way() -> None:
    arrows = {room: others for room, others in rooms().items() if room.startswith("warehouse/")}
    order = {f"warehouse/{name}": place for place, name in enumerate(WAREHOUSE)}
    assert set(arrows) == set(order), "name the room in tests.support.layering.WAREHOUSE"
    for room, others in arrows.items():
        for other in others & set(order):
            assert order[other] < order[room], f"{room} imports {other}: that room lies above it"


def test_no_two_modules_import_each_other() -> None:
    graph = {name: {m for m in imports(path) if m in modules()} for name, path in modules().items()}
    TopologicalSorter(graph).prepare()


def test_every_room_is_small_and_says_what_lies_in_it() -> None:
    for folder in packages():
        held = [p for p in folder.glob("*.py") if p.name != "__init__.py"]
        assert len(held) <= ROOM_SIZE, f"{folder.relative_to(ROOT)}: {len(held)} modules"
        said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
        assert said, f"{folder.relative_to(ROOT)}/__init__.py says nothing"
        assert "?" not in said.splitlines()[0], folder.relative_to(ROOT)


def test_every_connection_of_the_warehouse_has_its_own_spill_folder() -> None:
    opened = {
        path.relative_to(ROOT).as_posix()
        for room in ("warehouse", "flows", "report")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"duckdb\.connect\(", path.read_text("utf-8"))
    }
    assert opened == {
        "report/page.py",  # it reads the run's own database, and spills beside it
        "warehouse/engine/connections.py",
    }

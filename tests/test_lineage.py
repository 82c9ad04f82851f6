"""The rooms stay apart, and every declared table has one derivation."""

import ast
from pathlib import Path

import pytest

from schemas import intermediate, marts, outcomes
from schemas.contract import columns, options, table_name
from warehouse.lineage import PROVIDED, derivations, downstream, upstream

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "schemas": set(),
    "transforms": {"schemas"},
    "analytics": {"schemas"},
    "simulation": {"schemas"},
    "report": {"schemas", "analytics"},
    "warehouse": {"schemas", "transforms", "analytics"},
    "flows": {"schemas", "analytics", "warehouse", "report", "simulation"},
}
PURE = {"open", "print", "input", "exec", "eval"}
CLOCKS = {"os", "time", "random", "socket", "subprocess"}


def imports(path: Path) -> set[str]:
    """The top-level names that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_go_one_way(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        others = imports(path) & set(MAY_IMPORT) - {room}
        assert others <= MAY_IMPORT[room], path.relative_to(ROOT)


@pytest.mark.parametrize("room", ["schemas", "transforms", "analytics"])
def test_what_decides_a_number_opens_nothing_and_reads_no_clock(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        assert not imports(path) & CLOCKS, path.relative_to(ROOT)
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

"""The rooms of the code and which of them import which, read from the imports themselves.

python -m tests.support.layering    print the rooms and their arrows
"""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "schemas": set[str](),
    "transforms": {"schemas"},
    "analytics": {"schemas"},
    "simulation": {"schemas"},
    "report": {"schemas", "analytics"},
    "warehouse": {"schemas", "transforms", "analytics"},
    "flows": {"schemas", "analytics", "warehouse", "report", "simulation"},
    "y90": set(),
}
"""Which package may import which."""
WAREHOUSE = (
    "concordance",
    "engine",
    "intake",
    "loading",
    "building",
    "releases",
    "receiving",
    "audit",
    "account",
    "sharing",
    "bundles",
    "pooling",
    "exploring",
    "upgrading",
)
"""The rooms of the warehouse: each may import those before it."""
ROOM_SIZE = 14
"""The most modules that a room may hold."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the product by its dotted name."""
    paths = (p for package in MAY_IMPORT for p in sorted((ROOT / package).rglob("*.py")))
    return {_dotted(p): p for p in paths}


@cache
def imports(path: Path) -> frozenset[str]:
    """The dotted names that a file imports, those inside functions included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            inner = {f"{node.module}.{a.name}" for a in node.names}
            held = inner & modules().keys()
            names |= held
            if held != inner:
                names.add(node.module)
    return frozenset(names)


def packages() -> list[Path]:
    """Every folder of the product that holds modules."""
    folders = {p.parent for p in modules().values()}
    return sorted(folders)


def rooms() -> dict[str, set[str]]:
    """Room -> the other rooms that it imports."""
    arrows: dict[str, set[str]] = {}
    for path in modules().values():
        room = _room(path)
        others = {_room(modules()[m]) for m in imports(path) if m in modules()}
        arrows.setdefault(room, set()).update(others - {room})
    return arrows


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _room(path: Path) -> str:
    return "/".join(path.relative_to(ROOT).parts[:-1][:2])


if __name__ == "__main__":
    for room, others in sorted(rooms().items()):
        print(f"{room:22} -> {', '.join(sorted(others)) or 'nothing'}")  # noqa: T201

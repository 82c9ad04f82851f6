"""The page on architecture names functions that exist and rooms as they are."""

import importlib
import re

import pytest

from tests.support.layering import ROOT, packages

PAGES = ("docs/architecture.md", "docs/decisions/scenarios.md")
NAMED = re.compile(r"`((?:schemas|transforms|analytics|warehouse|flows)(?:\.\w+){2,})`")


@pytest.mark.parametrize("page", PAGES)
def test_every_function_that_a_page_names_exists(page: str) -> None:
    names = NAMED.findall((ROOT / page).read_text("utf-8"))
    assert names, page
    missing = [name for name in names if not _exists(name)]
    assert missing == [], f"{page}: correct these names"


def test_every_room_of_the_warehouse_stands_in_the_table() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    rooms = {p.relative_to(ROOT).parts[1] for p in packages() if "warehouse" in p.parts[-2:-1]}
    assert [room for room in sorted(rooms) if f"`warehouse/{room}/`" not in text] == []


def _exists(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        return False

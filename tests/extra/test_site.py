"""The documentation site: built without a warning, and nothing in it is fetched from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.extra
ROOT = Path(__file__).resolve().parents[2]
LOADED = re.compile(r'<(?:script|img|iframe|link)[^>]*?(?:src|href)="(https?:)?//[^"]*"')


def test_every_page_is_built_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-d", str(tmp_path)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    sources = [p for p in (ROOT / "docs").rglob("*.md") if p.parent.name != "writing"]
    assert len(pages) >= len(sources)
    for page in pages:
        assert not LOADED.search(page.read_text("utf-8")), page.name
    assert (tmp_path / "search" / "search_index.json").is_file()

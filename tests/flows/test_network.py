"""The tutorial of a network does what its page says, and the preset writes what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.__main__ import COMMANDS, main
from tests.support.tutorials import blocks


def _bash(block: str, bin_: Path) -> int:
    """The exit code of a block that is carried out by a shell, as a reader would."""
    environment = os.environ | {"PATH": f"{bin_}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-euc", block], env=environment, check=False).returncode


@pytest.mark.long
def test_a_network_is_pooled_without_sharing_a_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rounds: one refusal, one hold, one pooled release; each block as it stands."""
    monkeypatch.chdir(tmp_path)
    for name in ("Y90_CONFIG", "Y90_STORE"):
        monkeypatch.delenv(name, raising=False)
    for block in blocks("network.md", "sh"):
        expected = re.search(r"# ends with (\d)$", block.strip())
        code = int(expected[1]) if expected else 0
        assert _bash(block, Path(sys.executable).parent) == code, block
    assert not list((tmp_path / "network").glob("*/state/pool/*/bundle.json"))
    (made,) = [p for p in (tmp_path / "pooled").iterdir() if (p / "manifest.json").exists()]
    estimates = pq.read_table(made / "parquet/pooled/estimates.parquet").to_pylist()
    methods = {r["method"] for r in estimates}
    assert {"together", "weighted", "random_intercept", "common_effect", "steps"} <= methods
    assert pq.read_table(made / "parquet/pooled/refused.parquet").num_rows == 0


def test_a_network_has_five_shapes_and_leaves_settings_alone(tmp_path: Path) -> None:
    """A workbook is read as the tables that it holds; who changes registry.toml finds it so."""
    words = ["simulate", "--preset", "network", "--to", str(tmp_path), "--as-of"]
    assert main([*words, "2024-04-30"]) == 0
    names = {p.parent.name for p in tmp_path.glob("*/registry.toml")}
    assert names == {"north", "south", "east", "west", "isle"}
    assert [p.name for p in tmp_path.glob("isle/inbox/isle/*")] == ["2023-10-13"]
    assert 'lesion_start = "lobe"' in (tmp_path / "west/registry.toml").read_text()
    export = tmp_path / "east/inbox/east/2024-04-30"
    assert sorted(p.name for p in export.iterdir()) == [".done", "README.txt", "east.xlsx"]
    (tmp_path / "west/registry.toml").write_text('registry = "west"\n')
    assert main([*words, "2024-04-30"]) == 0
    assert (tmp_path / "west/registry.toml").read_text() == 'registry = "west"\n'
    (export / "east.xlsx").write_bytes(b"other")
    assert main([*words, "2024-04-30"]) == 2
    assert main([*words, "2024-04-30", "--sites", "3"]) == 2


def test_the_commands_of_the_network_are_there() -> None:
    """Each word of the page's commands is one of the command line's."""
    named = {" ".join(c.name.split()) for c in COMMANDS}
    for block in blocks("network.md", "sh"):
        for line in re.findall(r"y90 ([^#\n]*)", block):
            first, second = [*line.split(), ""][:2]
            assert first in named or f"{first} {second}" in named, line

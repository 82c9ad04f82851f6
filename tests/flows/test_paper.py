"""The command y90 paper: what it refuses, and with which exit code."""

from pathlib import Path

import pytest

from flows import __main__ as cli
from tests.support.literal_releases import publish
from warehouse.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def paper(store: Store, *words: str) -> int:
    return cli.main(["--store", str(store.root), "paper", *words])


def test_a_held_release_gives_no_manuscript(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(store, "2020.01.01", held=True)
    assert paper(store, "--release", "2020.01.01", "--to", str(tmp_path / "new")) == 3
    assert "2020.01.01 is held" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("words", [(), ("--to", "new", "--refresh", "draft.docx")])
def test_a_folder_or_a_document_is_named(
    words: tuple[str, ...], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(store, "2020.01.01")
    assert paper(store, "--release", "2020.01.01", *words) == 2
    assert "--to, or a document with --refresh" in capsys.readouterr().err

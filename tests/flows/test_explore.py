"""The command y90 explore: its address, its end, and that it holds nothing open."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import duckdb
import pytest

from flows import __main__ as cli
from warehouse.store import Store

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def status(address: str) -> int:
    """The status of an answer."""
    try:
        with DIRECT.open(address, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_the_printed_address_answers_and_the_database_stays_free(own_store: Store) -> None:
    command = [sys.executable, "-m", "flows", "--store", str(own_store.root), "explore", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "{\n"
            address = str(json.loads("{" + process.stdout.readline() + "}")["address"])
            assert address.startswith("http://127.0.0.1:")
            assert len(address.rstrip("/").rpartition("/")[2]) == 43
            assert status(address) == 200
            assert status(address.rstrip("/")[:-1] + "/") == 404
            facts = {"release": "2011.03.31", "question": "survival", "population": "all"}
            body = json.dumps(facts | {"endpoint": "OS"}).encode()
            headers = {"Content-Type": "application/json"}
            looked = urllib.request.Request(f"{address}look", body, headers)
            with DIRECT.open(looked, timeout=60) as answer:
                assert json.load(answer)["published"]
            with duckdb.connect(str(own_store.release("2011.03.31") / "release.duckdb")) as con:
                con.execute("CREATE TABLE written AS SELECT 1 AS n")
        finally:
            process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert "/look" not in rest + errors


def test_a_taken_port_is_told(own_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert cli.main(["--store", str(own_store.root), "explore", "--port", port]) == 2
    assert f"port {port} is not free" in capsys.readouterr().err


def test_a_store_without_a_release_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Store.open(tmp_path / "store")
    assert cli.main(["--store", str(tmp_path / "store"), "explore"]) == 2
    assert "nothing is published on it yet" in capsys.readouterr().err

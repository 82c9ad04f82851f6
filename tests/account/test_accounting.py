"""The commands that account for a number: their answers and exit codes.

Two releases of the reference registry, the second with one diameter corrected. No command is told
where registry.toml is: the release knows what it was made from.
"""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from flows.__main__ import main
from tests.conftest import NIGHT, SITE
from tests.support.corrections import corrected, restated
from tests.support.tutorials import commands
from warehouse.store import Store

PARTIAL = "response_summary.all.who.lesion.all.all.unconfirmed.pr"
FIRST, SECOND = f"{NIGHT:%Y.%m.%d}", "2011.04.01"
FILE = ("--file", "data.csv", "--row", "1")
CELL = (1648, "perp_mm")
DRAFT = "We saw partial response in {} % of lesions {{pr}}. It rained.\n"
LOCK = f'[numbers.pr]\nstatistic_id = "{PARTIAL}"\nvalue = {{}}\nrelease = "{FIRST}"\n'


@pytest.fixture(scope="module")
def corrected_store(reference_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The corrected cell makes one more of 83 lesions respond: 52 become 53. Not to be changed."""
    folder = tmp_path_factory.mktemp("corrected") / "store"
    shutil.copytree(reference_store.root, folder)
    store = Store.open(folder)
    delivery = corrected(store, {CELL: "1"})
    restated(store, store.release(FIRST), delivery, {PARTIAL: 100 * 53 / 83})
    _rehashed(store.release(SECOND))
    return store


@pytest.fixture
def store(corrected_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """A copy that a test may change."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("Y90_CONFIG", raising=False)
    shutil.copytree(corrected_store.root, tmp_path / "store")
    return Store.open(tmp_path / "store")


def asked(
    store: Store, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0
) -> tuple[str, str]:
    """What a command prints, once it has ended as it should."""
    assert main([*words, "--store", str(store.root)]) == code
    found = capsys.readouterr()
    return found.out, found.err


def test_explain_names_cause_patient_and_cell(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    text, _ = asked(store, capsys, "explain", PARTIAL, FIRST, SECOND)
    assert "delivery of memon2012  +1.20482" in text
    assert "measurements edited: perp_mm, memon2012 data.csv row 1648 -> data.csv row 1648" in text
    given, _ = asked(store, capsys, "explain", PARTIAL, FIRST, SECOND, "--json")
    facts: dict[str, Any] = json.loads(given)
    assert facts["change"] == pytest.approx(100 / 83, abs=1e-12)
    assert {c["cause"]: c["contribution"] for c in facts["causes"]} == {
        "delivery of memon2012": pytest.approx(100 / 83, abs=1e-12),
        "data cutoff": 0,
    }
    (patient,) = facts["data"]["patients"]
    assert [c["cells"] for c in patient["cells"]] == [["perp_mm"]]


def test_the_tutorial_asks_the_same_questions_in_order(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """Diff says that it moved, explain why, trace what rests on the line."""
    diff, explain, trace = commands("why.md")
    for command, told, code in (
        (diff, PARTIAL, 1),
        (explain, "measurements edited: perp_mm, memon2012 data.csv row 1648", 0),
        (trace, "response_summary", 0),
    ):
        text, _ = asked(store, capsys, *shlex.split(command)[1:], code=code)
        assert told in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("explain", PARTIAL, FIRST, "2011.04.02"), "Did you mean 2011.04.01"),
        (("explain", PARTIAL.replace("pr", "rp"), FIRST, SECOND), f"Did you mean {PARTIAL}"),
        (("trace", PARTIAL.replace("who", "woh"), "--release", FIRST), f"Did you mean {PARTIAL}"),
        (("trace", PARTIAL, "--release", "2011.03.32"), "Did you mean 2011.03.31"),
        (("trace", PARTIAL, "--site", SITE), "name a statistic, or --site, --file and --row"),
        (
            ("trace", "--site", "memon", "--file", "data.csv", "--row", "1"),
            "Did you mean memon2012",
        ),
        (("diff", FIRST, "2011.04.10"), "Did you mean 2011.04.01"),
        (("verify", "2011.04.10"), "Did you mean 2011.04.01"),
    ],
)
def test_an_unknown_name_ends_with_2_and_the_nearest(
    words: tuple[str, ...], told: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = asked(store, capsys, *words, code=2)
    assert out == ""
    assert told in err


def test_trace_knows_the_registry_from_the_release(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    given, _ = asked(store, capsys, "trace", PARTIAL, "--release", FIRST, "--json")
    assert len(json.loads(given)["members"]) == 52
    line = ("--site", SITE, "--file", "data.csv", "--row", "1648")
    text, _ = asked(store, capsys, "trace", *line, "--release", SECOND)
    assert "measurements" in text
    assert "response_summary" in text


def test_without_its_file_a_clinical_registry_is_not_traced(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has withdrawn consent since stands in the site's file alone."""
    path = store.release(FIRST) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["content"]["sites"][SITE]["origin"] = "clinical"
    path.write_text(json.dumps(manifest))
    _, err = asked(store, capsys, "trace", PARTIAL, "--release", FIRST, code=2)
    assert "memon2012 is clinical" in err
    assert "--config" in err


@pytest.mark.parametrize(
    "words",
    [
        ("diff", FIRST, SECOND),
        ("trace", PARTIAL, "--release", FIRST),
        ("explain", PARTIAL, FIRST, SECOND),
        ("export", FIRST, "--to", "bundle"),
        ("numbers", "check", "draft.md", "--release", FIRST),
    ],
)
def test_a_damaged_release_is_detected_on_opening(
    words: tuple[str, ...], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """One byte of a table that the question itself does not read."""
    Path("draft.md").write_text(DRAFT.format("62.7"))
    Path("numbers.lock").write_text(LOCK.format(100 * 52 / 83))
    path = store.release(FIRST) / "parquet" / "marts" / "dosimetry_targets.parquet"
    path = path if path.exists() else sorted(path.parent.glob("*.parquet"))[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    _, err = asked(store, capsys, *words, code=2)
    assert f"parquet/marts/{path.name}" in err
    assert "y90 release withdraw" in err


def test_numbers_check_tells_the_sentence_and_why(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """52 of 83 is 62.65 %, 53 of 83 is 63.86 %."""
    Path("draft.md").write_text(DRAFT.format("62.7"))
    Path("numbers.lock").write_text(LOCK.format(100 * 52 / 83))
    words = ("numbers", "check", "draft.md", "--release")
    text, _ = asked(store, capsys, *words, FIRST)
    assert text == f"1 of 1 numbers are as printed in {FIRST}.\n"
    text, _ = asked(store, capsys, *words, SECOND, code=1)
    assert "draft.md line 1, pr: 2011.04.01 has 63.855" in text
    assert "We saw partial response in 62.7 % of lesions {pr}." in text
    assert "perp_mm, memon2012 data.csv row 1648" in text
    assert "It rained" not in text


def test_numbers_check_gives_facts_and_explains_only_on_demand(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("draft.md").write_text(DRAFT.format("62.7"))
    Path("numbers.lock").write_text(LOCK.format(100 * 52 / 83))
    words = ("numbers", "check", "draft.md", "--release", SECOND, "--no-explain", "--json")
    given, _ = asked(store, capsys, *words, code=1)
    (sentence,) = json.loads(given)
    assert (sentence["true"], sentence["label"], sentence["line"]) == (False, "pr", 1)
    assert sentence["explanation"] is None


@pytest.mark.parametrize(
    ("draft", "lock", "told"),
    [
        (DRAFT.format("62.7").replace("{pr}", "{rp}"), LOCK.format(1), "Did you mean pr"),
        (DRAFT.format("62.7"), LOCK.format(1).replace('pr"', 'rp"'), f"Did you mean {PARTIAL}"),
        (DRAFT.format("62.7"), LOCK.format(1).replace(FIRST, "2011.03.32"), f"mean {FIRST}"),
        (DRAFT.format("62.7"), "numbers = ", "not TOML"),
        (None, LOCK.format(1), "not a readable UTF-8 text"),
        (DRAFT.format("62.7"), None, "Name the lock file with --lock"),
    ],
)
def test_numbers_check_cannot_and_says_why(
    draft: str | None,
    lock: str | None,
    told: str,
    store: Store,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in (("draft.md", draft), ("numbers.lock", lock)):
        if text is not None:
            Path(name).write_text(text)
    _, err = asked(store, capsys, "numbers", "check", "draft.md", "--release", FIRST, code=2)
    assert told in err


def _rehashed(release: Path) -> None:
    """Let the manifest of a restated release tell its own files."""
    from warehouse.fingerprints import file_sha256

    path = release / "manifest.json"
    manifest = json.loads(path.read_text())
    for place, facts in manifest["content"]["tables"].items():
        facts["bytes_sha256"] = file_sha256(release / "parquet" / f"{place}.parquet")
    path.write_text(json.dumps(manifest))

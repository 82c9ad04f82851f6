"""A manuscript's bundle: every number tied to its statistic, the same bytes, nothing invented."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from report.figures.model import Cell, Number, Table, row
from report.figures.source import printed_for
from report.paper import bundle, manuscript, word
from report.paper.blocks import Paragraph
from report.paper.bundle import Files, Wanted
from report.paper.exhibits import Numbered
from report.paper.manuscript import Origin
from report.paper.markdown import markdown
from report.paper.parts import of_cell, prose
from schemas.errors import Refused
from schemas.records.field.journals import JOURNALS
from schemas.settings import OutcomeSettings
from tests.support import word_structure
from warehouse.account import numbers
from warehouse.releases import releases
from warehouse.store import Store

NIGHT = date(2011, 3, 31)
FEW = ("F4", "T1", "T3", "T4", "T5")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
ORIGIN = Origin(
    registry="memon2012",
    release="2011.03.31",
    data_cutoff="2011-03-31",
    synthetic=True,
    settings=OutcomeSettings().model_dump(mode="json"),
    said={"ethics": "Ethics committee of <Nowhere>, 7/2026"},
)


@pytest.fixture(scope="module")
def release(reference_store: Store) -> Path:
    return releases.resolve(reference_store, "current")


@pytest.fixture(scope="module")
def con(release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(release / "release.duckdb"), read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(con: duckdb.DuckDBPyConnection, release: Path) -> Files:
    origin = replace(ORIGIN, release=release.name)
    return bundle.files(con, origin, NIGHT, Wanted(only=FEW))


@pytest.fixture(scope="module")
def folder(made: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("paper")
    bundle.write(place, made)
    return place


def controls(path: Path) -> list[tuple[str, str, str]]:
    """Title, tag and text of each content control, read without the code under test."""
    tree = ElementTree.fromstring(zipfile.ZipFile(path).read("word/document.xml"))
    return [
        (
            control.find(f"{W}sdtPr/{W}alias").get(f"{W}val"),  # type: ignore[union-attr,misc]
            control.find(f"{W}sdtPr/{W}tag").get(f"{W}val"),  # type: ignore[union-attr]
            "".join(t.text or "" for t in control.iter(f"{W}t")),
        )
        for control in tree.iter(f"{W}sdt")
    ]


def test_every_number_in_word_is_its_statistic(
    folder: Path, con: duckdb.DuckDBPyConnection
) -> None:
    """By the lock's id and column, from the release's database, rounded as printed."""
    lock = numbers.read(folder / "numbers.lock")
    found = [*controls(folder / "manuscript.docx"), *controls(folder / "tables.docx")]
    assert len(found) > 400
    for title, tag, text in found:
        number = lock[title]
        assert title == tag
        assert text == number.text
        table = str(number.statistic_id).split(".")[0]
        (value,) = con.execute(
            f'SELECT "{number.field}" FROM outcomes.{table} WHERE statistic_id = ?',
            [number.statistic_id],
        ).fetchone() or (None,)
        assert value == number.value
        if text.startswith("< "):
            assert value < float(text[2:])
        else:
            digits = len(text.partition(".")[2])
            half = 0.5 * 10**-digits * (1 + 1e-9)
            assert abs(number.scale * float(value) - float(text.replace("−", "-"))) <= half


def test_the_series_stands_in_the_text(made: Files) -> None:
    """The figures of the publication: Memon et al. 2012, Int J Radiat Oncol Biol Phys 83:887."""
    text = re.sub("<!--.*?-->", "", made["manuscript.md"].decode())
    assert "Median overall survival was 34.4 months" in text
    assert "At 12 months 72.5 % were alive" in text
    assert "By WHO, 53 of 83 lesions (63.9 %) responded" in text
    assert "Median time to response by patient was 4.9 months" in text


@pytest.mark.parametrize("name", ["manuscript.docx", "manuscript.md"])
def test_a_number_that_is_wrong_is_found(
    name: str, folder: Path, release: Path, tmp_path: Path
) -> None:
    lock = numbers.read(folder / "numbers.lock")
    whole = numbers.check(folder / name, lock, release, lambda _: release)
    assert len(whole) > 100
    assert all(sentence.true for sentence in whole)
    wrong = tmp_path / name
    data = (folder / name).read_bytes()
    if name.endswith(".md"):
        wrong.write_bytes(data.replace(b"survival was 34.4", b"survival was 34.3"))
    else:
        with zipfile.ZipFile(folder / name) as old, zipfile.ZipFile(wrong, "w") as new:
            for entry in old.namelist():
                new.writestr(entry, old.read(entry).replace(b">34.4<", b">34.3<"))
    (found,) = [s for s in numbers.check(wrong, lock, release, lambda _: release) if not s.true]
    assert (found.printed, found.statistic_id) == (
        "34.3",
        "survival_medians.all.os.subject.overall.overall.midpoint",
    )


@pytest.mark.parametrize(
    ("style", "median", "wrong"), [("lancet", "34·4", "34·3"), ("jama", "34.4", "34.3")]
)
def test_a_journal_has_its_numbers_and_the_check_reads_them(
    style: str,
    median: str,
    wrong: str,
    con: duckdb.DuckDBPyConnection,
    release: Path,
    tmp_path: Path,
) -> None:
    with printed_for(JOURNALS[style]):
        made = bundle.files(con, replace(ORIGIN, release=release.name), NIGHT, Wanted(only=FEW))
    bundle.write(tmp_path, made)
    text = re.sub("<!--.*?-->", "", made["manuscript.md"].decode())
    assert f"Median overall survival was {median} months (95% CI " in text
    assert ("P = .02, alone" if style == "jama" else "(95% CI 19·8–52·0)") in text
    lock = numbers.read(tmp_path / "numbers.lock")
    found = numbers.check(tmp_path / "manuscript.docx", lock, release, lambda _: release)
    assert len(found) > 100
    assert all(sentence.true for sentence in found)
    draft = tmp_path / "manuscript.md"
    draft.write_bytes(
        made["manuscript.md"].replace(f"was {median}".encode(), f"was {wrong}".encode())
    )
    (bad,) = [s for s in numbers.check(draft, lock, release, lambda _: release) if not s.true]
    assert bad.printed == wrong
    _, entries = numbers.refreshed(tmp_path / "manuscript.docx", lock, release)
    assert {n.label: n.text for n in entries} == {name: n.text for name, n in lock.items()}
    for ending, mm in zip(("-narrow.svg", ".svg"), JOURNALS[style].column_mm, strict=True):
        assert (
            f'width="{mm / 25.4 * 72:.1f}pt"' in made[f"figures/F4-km-os-subject{ending}"].decode()
        )


def test_the_same_release_gives_the_same_bytes(
    con: duckdb.DuckDBPyConnection, release: Path
) -> None:
    wanted = Wanted(only=("F4", "T1"))
    origin = replace(ORIGIN, release=release.name)
    one, other = (bundle.files(con, origin, NIGHT, wanted) for _ in range(2))
    assert one == other
    assert {"manuscript.docx", "tables.docx", "numbers.lock", "README.md"} <= set(one)
    assert {name.partition(".")[2] for name in one if "F4-" in name} == {"svg", "pdf", "png", "csv"}


def test_single_patients_are_shown_only_on_demand(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(Refused, match="--patient-level"):
        bundle.files(con, ORIGIN, NIGHT, Wanted(only=("F3",)))
    made = bundle.files(con, ORIGIN, NIGHT, Wanted(only=("F3",), patient_level=True))
    assert "figures/F3-swimmer.svg" in made
    assert "single patients" in made["README.md"].decode()


@pytest.mark.parametrize(
    ("wanted", "said"), [(Wanted(only=("F99",)), "There are F1"), (Wanted(by="x"), "There are alb")]
)
def test_what_there_is_not_is_refused_and_named(
    wanted: Wanted, said: str, con: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(Refused, match=said):
        bundle.files(con, ORIGIN, NIGHT, wanted)


def test_what_a_centre_has_not_said_is_todo_and_markup_stays_inert(
    con: duckdb.DuckDBPyConnection,
) -> None:
    blocks = manuscript.manuscript(con, ORIGIN, [])
    todo = [block for block in blocks if isinstance(block, Paragraph) and block.todo]
    text = markdown(blocks)
    assert len(todo) == 6, "centres, discussion, limitations, consent, registration, funding"
    assert "Funding: TODO" in text
    assert "Ethics: Ethics committee of \\<Nowhere\\>, 7/2026" in text


def test_a_number_stands_for_itself_and_not_for_a_part_of_another() -> None:
    whole = Number("t.all.a", "n", "34")
    median = Number("t.all.a", "median", "34.4")
    parts = of_cell("34.4 (34 of 134)", (median, whole))
    assert [(p.text, p.number) for p in parts] == [
        ("34.4", median),
        (" (", None),
        ("34", whole),
        (" of 134)", None),
    ]
    assert of_cell("134", (whole,)) == prose("134")


def test_the_documents_are_built_as_the_standard_of_word_asks(folder: Path, tmp_path: Path) -> None:
    for name in ("manuscript.docx", "tables.docx", "checklist.docx"):
        assert word_structure.faults(folder / name) == [], name
    wrong = tmp_path / "wrong.docx"
    with zipfile.ZipFile(folder / "tables.docx") as old, zipfile.ZipFile(wrong, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry == "word/document.xml":
                data = data.replace(b"<w:gridCol ", b"<w:other ", 1)
            new.writestr(entry, data)
    assert "in a table of" in " ".join(word_structure.faults(wrong))


def test_a_table_in_word_repeats_its_head_breaks_no_row_and_has_widths(tmp_path: Path) -> None:
    cell = Cell("7", (Number("t.all.a", "n", "7"),))
    table = Table(id="t", title="T", columns=("", "n"), rows=(row(("a", cell)),))
    path = tmp_path / "t.docx"
    path.write_bytes(word.tables([Numbered("TS2", table)], "T", NIGHT, "registry"))
    tree = ElementTree.fromstring(zipfile.ZipFile(path).read("word/document.xml"))
    head, body = tree.iter(f"{W}tr")
    assert head.find(f"{W}trPr/{W}tblHeader") is not None
    assert all(r.find(f"{W}trPr/{W}cantSplit") is not None for r in (head, body))
    assert all(int(g.get(f"{W}w", "0")) > 0 for g in tree.iter(f"{W}gridCol"))
    assert [f.get(f"{W}instr") for f in tree.iter(f"{W}fldSimple")] == [
        " SEQ TableS \\* ARABIC \\r 2 "
    ]
    assert controls(path)[0][2] == "7"

"""A document's numbers written again from a later release, and nothing else of it."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from report.figures.model import Number
from report.paper import word
from report.paper.blocks import Heading, Paragraph
from report.paper.parts import prose
from schemas import number_lock
from schemas.errors import Refused
from schemas.statistic_ids import number_label
from tests.support.literal_releases import publish
from warehouse.account import controls, numbers
from warehouse.store import Store

OS = "survival_medians.all.os.subject.overall.overall.midpoint"
MEDIANS = """
| statistic_id | population | endpoint | level   | factor | factor_level | rule     | n  | n_reported | events | median_months | lower | upper   | not_reached |
| ------------ | ---------- | -------- | ------- | ------ | ------------ | -------- | -- | ---------- | ------ | ------------- | ----- | ------- | ----------- |
| {id}         | all        | OS       | subject |        |              | midpoint | 40 | 0          | 28     | {median}      | 19.8  | {upper} | no          |
"""  # noqa: E501
FIELDS = {"median_months": "34.4", "lower": "19.8", "upper": "52.0"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(tmp_path / "store")
    for night, median, upper in (("2020.01.01", "34.41", "52.03"), ("2020.01.02", "33.96", "")):
        rows = MEDIANS.format(id=OS, median=median, upper=upper)
        publish(made, night, {"outcomes.survival_medians": rows})
    return made


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """`Median 34.4 (19.8 to 52.0) months.`, as Word, and its lock."""
    median, low, high = (Number(OS, name, text) for name, text in FIELDS.items())
    said = Paragraph(prose("Median ", median, " (", low, " to ", high, ") months."))
    path = tmp_path / "draft.docx"
    path.write_bytes(
        word.document([Heading("A title", 0), said], {}, "A title", date(2020, 1, 1), "registry")
    )
    values = {"median_months": 34.41, "lower": 19.8, "upper": 52.03}
    lock = number_lock.written(
        number_lock.Number(
            number_label(OS, name), values[name], "2020.01.01", OS, text=text, field=name
        )
        for name, text in FIELDS.items()
    )
    path.with_name("numbers.lock").write_text(lock)
    return path


def test_numbers_are_written_again_with_their_decimals(store: Store, draft: Path) -> None:
    """33.96 is 34.0; an upper limit that the curve no longer reaches says so."""
    lock = numbers.read(draft.with_name("numbers.lock"))
    document, after = numbers.refreshed(draft, lock, store.release("2020.01.02"))
    new = draft.with_name("new.docx")
    new.write_bytes(document)
    (sentence,) = {control.sentence for control in controls.read(new)}
    assert sentence == "Median 34.0 (19.8 to not reached) months."
    assert {n.field: (n.text, n.value, n.release) for n in after} == {
        "median_months": ("34.0", 33.96, "2020.01.02"),
        "lower": ("19.8", 19.8, "2020.01.02"),
        "upper": ("not reached", None, "2020.01.02"),
    }
    new.with_name("numbers.lock").write_text(number_lock.written(after))
    again = numbers.read(new.with_name("numbers.lock"))
    checked = numbers.check(new, again, store.release("2020.01.02"), store.release)
    assert [s.true for s in checked] == [True, True, True]


def test_nothing_else_of_the_document_changes(store: Store, draft: Path) -> None:
    lock = numbers.read(draft.with_name("numbers.lock"))
    document, _ = numbers.refreshed(draft, lock, store.release("2020.01.02"))
    new = draft.with_name("new.docx")
    new.write_bytes(document)
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(new) as written:
        assert old.namelist() == written.namelist()
        differing = [n for n in old.namelist() if old.read(n) != written.read(n)]
    assert differing == ["word/document.xml"]


def test_the_check_names_what_moved(store: Store, draft: Path) -> None:
    lock = numbers.read(draft.with_name("numbers.lock"))
    found = numbers.check(draft, lock, store.release("2020.01.02"), store.release)
    told = [(s.printed, s.now) for s in found if not s.true]
    assert told == [("34.4", 33.96), ("52.0", None)]


def test_a_title_is_enough_where_the_tag_is_gone(draft: Path) -> None:
    """LibreOffice keeps a control's title and drops its tag."""
    bare = draft.with_name("bare.docx")
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"<w:tag ", b"<w:lock "))
    assert [c.label for c in controls.read(bare)] == [c.label for c in controls.read(draft)]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"no archive", "not a Word document"), (b"", "not a Word document")],
)
def test_what_is_no_document_is_refused(
    content: bytes, said: str, store: Store, draft: Path
) -> None:
    lock = numbers.read(draft.with_name("numbers.lock"))
    draft.write_bytes(content)
    with pytest.raises(Refused, match=said):
        numbers.refreshed(draft, lock, store.release("2020.01.02"))


def test_a_number_that_the_lock_lacks_is_refused(store: Store, draft: Path) -> None:
    with pytest.raises(Refused, match="the lock file has no such label"):
        numbers.refreshed(draft, {}, store.release("2020.01.02"))


def test_only_word_is_refreshed(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"Name a \.docx"):
        numbers.refreshed(tmp_path / "draft.md", {}, store.release("2020.01.02"))


def test_a_column_that_the_release_lacks_is_named(store: Store) -> None:
    number = number_lock.Number("k", 1.0, "2020.01.01", OS, field="meedian")
    with pytest.raises(Refused, match="has no such column"):
        numbers.value_of(number, store.release("2020.01.01"))


def test_an_entity_in_a_document_is_not_resolved(draft: Path) -> None:
    """A crafted document reads no file of the machine."""
    crafted = draft.with_name("crafted.docx")
    secret = draft.with_name("secret.txt")
    secret.write_text("secret")
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(crafted, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "word/document.xml":
                doctype = f'<!DOCTYPE d [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
                head, _, body = data.partition(b"?>")
                data = head + b"?>" + doctype + body.replace(b">34.4<", b">&x;<")
            new.writestr(name, data)
    assert "secret" not in " ".join(c.sentence for c in controls.read(crafted))


def test_a_column_of_a_statistic_that_there_is_not_is_never_its_value(tmp_path: Path) -> None:
    """A row of `statistics` alone answers for its value, not for another column."""
    made = Store.open(tmp_path / "other")
    head = "| statistic_id | label | value | unit | method | definition | population_set |"
    rule = "| --- | --- | --- | --- | --- | --- | --- |"
    row = f"| {OS} | OS | 34.4 | months | m | d | p |"
    publish(made, "2020.01.01", {"outcomes.statistics": "\n".join((head, rule, row))})
    number = number_lock.Number("k", 1.0, "2020.01.01", OS, field="lower")
    with pytest.raises(Refused):
        numbers.value_of(number, made.release("2020.01.01"))

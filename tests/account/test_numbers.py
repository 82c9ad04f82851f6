"""The check finds the sentences of a draft that are no longer true, and no others."""

import json
from pathlib import Path

import pytest

from schemas.errors import Refused
from tests.support.literal_releases import publish
from warehouse.account import numbers
from warehouse.store import Store

STATISTICS = """
| statistic_id                                     | label    | value   | unit     | method       | definition   | population_set   |
| ------------------------------------             | -------- | ------- | -------- | ------------ | ------------ | ---------------- |
| survival_medians.all.os.subject.overall.overall. | Median   | {os}    | months   | median       | d            | population.all   |
| response_summary.all.who.pr                      | PR       | 62.65   | %        | proportion   | d            | population.all   |
"""  # noqa: E501
OS = "survival_medians.all.os.subject.overall.overall."


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(tmp_path / "store")
    for night, median in (("2020.01.01", "34.45"), ("2020.01.02", "33.9")):
        publish(made, night, {"outcomes.statistics": STATISTICS.format(os=median)})
    return made


def checked(store: Store, draft_text: str, release: str, **entry: object) -> list[numbers.Sentence]:
    draft = store.root / "draft.md"
    draft.write_text(draft_text)
    facts = {"statistic_id": OS, "value": 34.45, "release": "2020.01.01"} | entry
    lines = [f"{k} = {json.dumps(v)}" for k, v in facts.items() if v is not None]
    lock = store.root / "numbers.lock"
    lock.write_text("\n".join(["[numbers.os_median]", *lines]))
    return numbers.check(draft, numbers.read(lock), store.release(release), store.release)


@pytest.mark.parametrize(
    ("printed", "release", "true"),
    [
        ("34.5", "2020.01.01", True),  # half away from zero
        ("34.45", "2020.01.01", True),
        ("34.4", "2020.01.01", False),
        ("34", "2020.01.01", True),
        ("34", "2020.01.02", True),  # 33.9 rounds to it: the sentence is still true
        ("34.5", "2020.01.02", False),
    ],
)
def test_a_number_is_true_if_the_release_rounds_to_it(
    printed: str, release: str, *, true: bool, store: Store
) -> None:
    text = f"We treated 40 patients. Median survival was {printed} months {{os_median}}. It rained."
    (found,) = checked(store, text, release)
    assert found.true is true
    assert found.sentence == f"Median survival was {printed} months {{os_median}}."


def test_the_sentence_is_found_by_its_text(store: Store) -> None:
    """Without a mark, the locked text stands for the number, but not inside another number."""
    text = "Of 134.5 there is no word.\n\nMedian survival\nwas 34.5 months."
    (found,) = checked(store, text, "2020.01.02", text="34.5")
    assert (found.line, found.true) == (3, False)
    assert "33.9" in found.why


def test_a_lock_that_was_never_true_is_told(store: Store) -> None:
    (found,) = checked(store, "It was 34.5 {os_median}.", "2020.01.01", value=34.5)
    assert found.why == "the lock says 34.5, but 2020.01.01 has 34.45"


def test_a_mark_that_is_not_in_the_lock_names_the_nearest(store: Store) -> None:
    with pytest.raises(Refused, match=r"\{os_medien\}.*Did you mean os_median"):
        checked(store, "It was 34.5 {os_medien}.", "2020.01.01")


def test_an_unknown_statistic_names_the_nearest(store: Store) -> None:
    with pytest.raises(Refused, match="Did you mean survival_medians"):
        checked(store, "It was 34.5 {os_median}.", "2020.01.01", statistic_id="survival_median")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[numbers.a]\nrelease = 'x'", "exactly one of statistic_id and sql"),
        ("[numbers.a]\nsql = 'SELECT 1'", "release is required"),
        ("[numbers.a]\nsql = 'SELECT 1'\nrelease = 'x'\nvalu = 1", "Did you mean value"),
        ("[numbers.a\n", "not TOML"),
    ],
)
def test_a_broken_lock_is_refused(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "numbers.lock"
    path.write_text(text)
    with pytest.raises(Refused, match=told):
        numbers.read(path)

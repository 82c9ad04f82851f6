"""What commands say, where a reader once stumbled over it."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flows import settings
from flows.commands.nights import operations, run
from flows.telling.status import Status
from simulation import registry_folder


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (8.0, "8 hours ago"),
        (47.9, "48 hours ago"),
        (72.0, "3 days ago"),
        (137298.2, "more than two years ago"),
    ],
)
def test_an_age_is_said_in_the_unit_that_one_would_use(hours: float, said: str) -> None:
    found = Status(current="2011.03.31", fresh_as_of="2011-03-31", age_hours=hours)
    text = operations._status_text(found)
    assert f"2011-03-31, {said}" in text
    assert "after its run" not in text


def test_the_publications_table_ends_only_a_run_of_its_cohort() -> None:
    """Any invented registry once ended with the figures of the 2012 paper."""
    known = settings.load_registry(registry_folder("memon2012", "redcap") / "registry.toml")
    other = replace(known, file=known.file.model_copy(update={"registry": "mine"}))
    outcome = SimpleNamespace(nothing_to_do=False)
    context = SimpleNamespace(registry=other)
    assert run._comparison(cast(Any, context), cast(Any, outcome)) == []

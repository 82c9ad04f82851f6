"""The methods are written from the settings: another setting changes its own sentence alone."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from report.figures.methods import SENTENCES, sentences
from schemas.settings import OutcomeSettings

DEFAULT: Mapping[str, Any] = OutcomeSettings().model_dump(mode="json")
OTHER: Mapping[str, Any] = {
    "lobe": "T0",
    ">": ">=",
    ">=": ">",
    "WHO": "mRECIST",
    "log-log": "log",
    "midpoint": "first_at_or_below",
    "treatment_policy": "censor",
    "ignore": "censor",
    "normal": "unknown",
    "local": "central",
    "3.0": "5.0",
}


def other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, list):
        return [*value, 120]
    return value * 2 + 1 if isinstance(value, int | float) else OTHER[value]


@pytest.mark.parametrize(("section", "key"), SENTENCES)
def test_a_setting_changes_its_own_sentence_alone(section: str, key: str) -> None:
    changed = deepcopy(dict(DEFAULT))
    changed[section][key] = other(changed[section][key])
    before, after = sentences(DEFAULT), sentences(changed)
    assert {name for name in before if before[name] != after[name]} == {(section, key)}


def test_every_setting_that_is_told_exists_and_its_sentence_ends() -> None:
    said = sentences(DEFAULT)
    assert said.keys() == SENTENCES.keys()
    assert all(text.endswith(".") and text[0].isupper() for text in said.values())
    assert said["survival", "conf_level"] == "Confidence intervals cover 95 %."
    assert said["survival", "landmarks_months"] == "Landmarks are 12, 24, 36 and 60 months."

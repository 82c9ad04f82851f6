"""P-values are shown so that none reads 0, and labels hold the words that people search for."""

import pytest

from analytics.summary import _worded, p_value, rounded
from schemas.contract import options
from schemas.records.field.journals import JOURNALS
from schemas.tables.outcomes import SurvivalMedians
from warehouse.releases.change_pages import number


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0019, "0.0019"),
        (0.00001, "< 0.0001"),
        (0.0000999, "< 0.0001"),
        (0.0001, "0.0001"),
        (0.00999, "0.0100"),
        (0.01, "0.010"),
        (0.0174, "0.017"),
        (0.5, "0.500"),
        (None, ""),
    ],
)
def test_a_small_p_value_is_never_shown_as_zero(p: float | None, shown: str) -> None:
    assert p_value(p) == shown
    assert p is None or number(p, "p") == shown


@pytest.mark.parametrize(
    ("p", "jama", "lancet", "nejm", "cvir"),
    [
        (0.00001, "< .001", "< 0·0001", "< 0.001", "< 0.001"),
        (0.00099, "< .001", "0·0010", "< 0.001", "< 0.001"),
        (0.0019, ".002", "0·0019", "0.002", "0.002"),
        (0.0174, ".02", "0·017", "0.02", "0.017"),
        (0.0462, ".046", "0·046", "0.046", "0.046"),
        (0.05, ".05", "0·050", "0.05", "0.050"),
        (0.0549, ".05", "0·055", "0.05", "0.055"),
        (0.125, ".13", "0·13", "0.13", "0.125"),
        (0.998, "> .99", "1·00", "1.00", "0.998"),
    ],
)
def test_a_p_value_is_printed_as_the_journal_asks(
    p: float, jama: str, lancet: str, nejm: str, cvir: str
) -> None:
    """AMA: two digits, three below 0.01 and where two would say 0.05; no zero before the point."""
    shown = [p_value(p, JOURNALS[j]) for j in ("jama", "lancet", "nejm", "cvir")]
    assert shown == [jama, lancet, nejm, cvir]


def test_zero_has_no_sign_and_halves_go_away_from_it() -> None:
    shown = [rounded(value, 2) for value in (-0.001, -0.0, 0.004, -0.005, 1.005)]
    assert shown == ["0.00", "0.00", "0.00", "-0.01", "1.01"]


def test_a_label_says_the_endpoint_in_words() -> None:
    row = {"endpoint": "OS", "level": "subject", "rule": "midpoint"}
    row |= {"factor": "", "factor_level": ""}
    label = options(SurvivalMedians).statistics[0].label.format(**_worded(row))
    assert label.strip() == "Median overall survival (OS) by patient, midpoint"


def test_a_response_is_in_words_too() -> None:
    worded = _worded({"criterion": "RECIST 1.1", "category": "ORR", "level": "lesion"})
    assert worded["category"] == "objective response rate (ORR)"
    assert worded["level"] == "lesion"

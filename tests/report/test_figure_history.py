"""The page of a number's history: its three series, its words, and what it says of nothing."""

import re
from datetime import date
from typing import Any

from report import figure_history

ABOUT = {"registry": "five", "release": "2024.04.24", "data cutoff": "2024-04-24", "synthetic": ""}


def answer(value: float | None) -> dict[str, Any]:
    return {"value": value, "n": 1, "total": 2, "lower": None, "upper": None}


def night(day: date, then: float | None, now: float | None, cut: float | None) -> dict[str, Any]:
    return {
        "night": day,
        "release": f"{day:%Y.%m.%d}",
        "status": "published",
        "then_then": answer(then),
        "then_now": answer(now),
        "now_cut": answer(cut) if cut is not None else None,
        "rules": -2.06,
        "lag": 0.0,
        "accrual": None,
        "known": 0.85,
        "immature": True,
        "undated_edits": 3,
        "reasons": ["the rows give no such number"],
    }


def facts(*nights: dict[str, Any]) -> dict[str, Any]:
    site = {"site_id": "north", "deliveries": 5, "deaths": 20, "delays_seen": 9}
    site |= {"median_days": 21, "most_days": None, "completeness": 0.934}
    return {
        "statistic_id": "response_summary.x",
        "label": "objective response <all>",
        "unit": "%",
        "newest": "2024.04.24",
        "nights": list(nights),
        "sites": [site],
    }


def test_a_row_says_the_numbers_their_differences_and_why_one_is_missing() -> None:
    text = figure_history.page(facts(night(date(2024, 3, 1), 52.58, 50.52, None)), ABOUT)
    row = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", text[text.index("2024.03.01</th>") - 16 :])
    assert row[:9] == [
        "2024.03.01", "52.6", "50.5", "-", "−2.06", "0", "-", "85 % immature",
        "the rows give no such number; 3 undated cells edited since",
    ]  # fmt: skip
    assert row[-7:] == ["north", "5", "20", "9", "21 days", "-", "93.4 %"]
    assert "objective response &lt;all&gt;" in text
    assert "<all>" not in text
    assert "SYNTHETIC" not in text


def test_the_axis_encloses_the_numbers_in_round_steps() -> None:
    assert figure_history._ladder([38.0, 52.6]) == [35, 40, 45, 50, 55]
    assert figure_history._ladder([50.0, 50.0]) == [50, 60]
    assert figure_history._ladder([0.0, 0.0]) == [0.0, 0.2]
    assert figure_history._ladder([-3.0, 4.0]) == [-4, -2, 0, 2, 4]


def test_each_series_is_a_line_and_a_night_without_a_value_is_no_point() -> None:
    days = [date(2024, 3, 1), date(2024, 3, 15), date(2024, 4, 24)]
    model = figure_history.figure(
        facts(night(days[0], 1.0, 2.0, 3.0), night(days[1], None, 2.5, None),
              night(days[2], 4.0, 4.0, 4.0))
    )  # fmt: skip
    assert [len(points) for _, points in model.lines] == [2, 3, 2]
    drawn = figure_history.draw(model, 240)
    assert {"2024-03-01", "2024-04-24", "published"} <= {b.text for b in drawn.boxes}
    for one in drawn.boxes:
        assert one.left >= 0
        assert one.right <= 240


def test_where_no_night_has_a_value_the_page_says_so() -> None:
    text = figure_history.page(facts(night(date(2024, 3, 1), None, None, None)), ABOUT)
    assert "No night has a value of this number." in text
    assert "not reached" in text

"""Recorded classes beside derived ones: which stand together, and the kind of a disagreement."""

from typing import Any

from warehouse.account.recorded import reconciled


def _recorded(day: int, response: str, **facts: Any) -> dict[str, Any]:
    row = {"criterion": "WHO", "rel_day": day, "reader": "local", "response": response}
    return row | {"source": "report", "in_window": True, "source_row_id": f"r{day}"} | facts


def _derived(day: int, response: str, **facts: Any) -> dict[str, Any]:
    row = {"criterion": "WHO", "rel_day": day, "reader": "local", "response": response}
    more = {"modality": "CT", "rule": "neither", "new_lesion": "none", "in_window": True}
    return row | more | facts


def _best(response: str, day: int | None) -> dict[str, Any]:
    return {"criterion": "WHO", "best_response": response, "best_response_day": day}


def _kinds(recorded: list[dict[str, Any]], derived: list[dict[str, Any]]) -> list[str | None]:
    return [entry["disagreement"] for entry in reconciled(recorded, derived, [], [])]


def test_the_same_class_on_the_same_day_is_no_disagreement() -> None:
    assert _kinds([_recorded(90, "PR")], [_derived(90, "PR")]) == [None]


def test_another_class_of_the_same_day_is_a_measurement() -> None:
    assert _kinds([_recorded(90, "PR")], [_derived(90, "SD")]) == ["measurement"]


def test_another_class_of_another_day_is_timing() -> None:
    assert _kinds([_recorded(90, "PR")], [_derived(97, "SD")]) == ["timing"]


def test_progression_beside_a_new_lesion_is_a_new_lesion() -> None:
    """Whoever of the two says progression, and also where only the rule tells of the lesion."""
    seen = _derived(90, "PD", rule="new_lesion", new_lesion="hepatic")
    measured = _derived(90, "PD", rule="new_lesion_measured")
    missed = _derived(97, "SD", new_lesion="extrahepatic")
    assert _kinds([_recorded(90, "SD")], [seen]) == ["new lesion"]
    assert _kinds([_recorded(90, "SD")], [measured]) == ["new lesion"]
    assert _kinds([_recorded(90, "PD")], [missed]) == ["new lesion"]
    assert _kinds([_recorded(90, "PD")], [_derived(90, "SD")]) == ["measurement"]


def test_a_class_that_counts_in_one_window_alone_is_the_window() -> None:
    late = _recorded(90, "PR", in_window=False)
    assert _kinds([late], [_derived(90, "PR")]) == ["window"]
    assert _kinds([late], [_derived(90, "SD")]) == ["window"]
    assert _kinds([late], [_derived(90, "PR", in_window=False)]) == [None]


def test_what_one_of_the_two_could_not_evaluate_is_said_so() -> None:
    assert _kinds([_recorded(90, "NE")], [_derived(90, "PR")]) == ["not evaluable"]
    assert _kinds([_recorded(90, "NE")], [_derived(90, "NE")]) == [None]


def test_the_nearest_assessment_of_the_criterion_stands_beside_a_class() -> None:
    """Of two as near the earlier; of the same reader where there is one; else nothing."""
    derived = [_derived(80, "SD"), _derived(100, "PR"), _derived(90, "PD", criterion="EASL")]
    (entry,) = reconciled([_recorded(90, "PR")], derived, [], [])
    assert (entry["derived"], entry["derived_day"], entry["disagreement"]) == ("SD", 80, "timing")
    other = _derived(90, "PD", reader="central")
    (entry,) = reconciled([_recorded(90, "PR")], [*derived, other], [], [])
    assert entry["derived_day"] == 80
    (entry,) = reconciled([_recorded(90, "PR", criterion="unspecified")], derived, [], [])
    assert (entry["derived"], entry["disagreement"]) == (None, None)


def test_best_responses_differ_as_the_classes_of_the_deciding_day_do() -> None:
    recorded, derived = [_recorded(90, "PR")], [_derived(90, "SD")]
    *_, best = reconciled(recorded, derived, [_best("PR", 90)], [_best("SD", 90)])
    assert (best["entry"], best["disagreement"]) == ("best", "measurement")
    *_, best = reconciled(
        [_recorded(90, "SD")],
        [_derived(90, "SD"), _derived(180, "PR")],
        [_best("SD", 90)],
        [_best("PR", 180)],
    )
    assert best["disagreement"] == "timing"  # nothing was recorded when it was smallest
    *_, best = reconciled([], [], [_best("NE", None)], [_best("PR", 90)])
    assert best["disagreement"] == "not evaluable"
    *_, best = reconciled(recorded, derived, [_best("PR", 90)], [_best("PR", 60)])
    assert best["disagreement"] is None

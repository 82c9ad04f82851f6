"""A release of the reference cohort gives the publication's figures, and R's digits.

The counts are those of Memon et al. 2012 and its review by Kanani 2013, written out here once more;
lesions are of 83, the smallest denominator that gives all four printed percentages. Full digits are
R 4.2.2, survival 3.5-3 (survfit with log-log limits, survdiff, coxph with Efron ties), run on the
cohort's times and levels; where R was noted with fewer digits, these are compared.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from analytics.published.contradictions import CONTRADICTIONS
from analytics.published.literature_figures import FIGURES
from analytics.published.reproduction import Computed, agrees, compare
from flows.__main__ import main
from warehouse.releases import releases
from warehouse.releases.query import open_release
from warehouse.store import Store

Ask = Callable[[str], tuple[Any, ...]]

SHARES = {
    **{"F06": "38/40", "F07": "13/40", "F08": "25/40", "F09": "9/40", "F11": "40/40"},
    **{"F12": "25/40", "F13": "16/40", "F14": "7/40", "F15": "3/40", "F16": "2/40"},
    **{"F17": "2/40", "F18": "1/40", "F19": "15/40", "F20": "1/40", "F21": "1/83"},
    **{"F22": "52/83", "F23": "17/83", "F24": "36/83", "F25": "78/83", "F26": "53/83"},
    **{"F30": "21/25", "F33": "29/40", "F34": "25/40", "F35": "18/40"},
}
FIGURE = {f.figure_id: f for f in FIGURES}
UNCOUNTED = ("F01", "F05", "F27", "F28", "F31", "F32", "F36", "F37", "F38", "F39", "F40", "F41")
FOLLOW_UP_MONTHS = {
    "imaging": 27.0061601642710,
    "reverse_km": 57.7577002053388,
    "observed_all": 34.3983572895277,
    "observed_alive": 53.2238193018481,
}


@pytest.fixture(scope="module")
def ask(reference_store: Store) -> Iterator[Ask]:
    """The single row of a question to the release."""
    with open_release(releases.listing(reference_store)[-1].path) as con:
        yield lambda query: _single(con, query)


@pytest.fixture(scope="module")
def answer(
    reference_store: Store,
) -> Callable[[pytest.CaptureFixture[str]], tuple[int, dict[str, Any]]]:
    """The command's exit code and its JSON."""
    release = releases.listing(reference_store)[-1].release_id
    words = ["reproduce", "--json", "--store", str(reference_store.root), "--release", release]

    def run(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
        code = main(words)
        return code, json.loads(capsys.readouterr().out)

    return run


def _single(con: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    (row,) = con.execute(query).fetchall()
    return row


@pytest.mark.parametrize(("figure_id", "share"), list(SHARES.items()))
def test_every_published_share_is_reproduced_by_its_count(
    figure_id: str, share: str, ask: Ask
) -> None:
    n, total = map(int, share.split("/"))
    own_id = FIGURE[figure_id].own.format(p="all").lower()
    assert ask(f"SELECT n, total FROM outcomes.statistics WHERE statistic_id = '{own_id}'") == (
        n,
        total,
    )
    assert (FIGURE[figure_id].n, FIGURE[figure_id].total) == (n, total)


def test_forty_patients_were_treated(ask: Ask) -> None:
    assert ask(
        "SELECT n_out FROM outcomes.attrition WHERE population = 'all' AND rule_id = 'treated'"
    ) == (40,)


def test_the_command_agrees_on_every_computable_figure(
    answer: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code, facts = answer(capsys)
    assert [f["figure_id"] for f in facts["figures"] if f["agrees"] is False] == []
    assert (code, facts["agree"], facts["computable"]) == (0, 36, 36)
    comparators = [f["figure_id"][0] for f in facts["figures"] if f["agrees"] is None]
    quoted = {"C": 4, "K": 6, "R": 13, "Z": 5, "B": 7, "D": 1}
    assert Counter(comparators) == quoted


def test_the_command_says_what_was_chosen_at_every_contradiction(
    answer: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _, facts = answer(capsys)
    told = facts["contradictions"]
    assert [x["contradiction_id"] for x in told] == [f"X{n:02}" for n in range(1, 18)]
    missing = [
        (x["contradiction_id"], n) for x in told for n, v in x["shown_by"].items() if v is None
    ]
    assert missing == [], "a statistic that shows a choice is not in the release"
    assert facts["follow_up"] == pytest.approx(FOLLOW_UP_MONTHS, rel=1e-9)


def test_every_printed_figure_without_a_count_agrees_at_its_digits(ask: Ask) -> None:
    for figure_id in UNCOUNTED:
        own_id = FIGURE[figure_id].own.format(p="all").lower()
        value, n, total = ask(
            f"SELECT value, n, total FROM outcomes.statistics WHERE statistic_id = '{own_id}'"
        )
        assert agrees(FIGURE[figure_id], Computed(value, n, total)), figure_id


def test_lesions_respond_by_dose_as_r_computes_from_the_cohort_s_files(ask: Ask) -> None:
    """R 4.2.2 from the cohort's own rows: quantile, glm, sandwich's vcovCL (HC0) and pROC.

    The dose of a lesion is the mean dose of its lobe, with 50 Gy kg/GBq; 53 of 83 responded.
    """
    like = (
        "population = 'all' AND device = 'glass' AND measure = 'target_dose_gy' "
        "AND outcome = 'response' AND level = 'lesion'"
    )
    thirds = {1: (22, 28, 38.60098, 94.86602), 2: (14, 27, 97.03433, 146.38471)}
    thirds[3] = (17, 28, 149.5109, 299.1600)
    for third, wanted in thirds.items():
        found = ask(
            "SELECT n, total, minimum_gy, maximum_gy FROM outcomes.dose_groups "
            f"WHERE {like} AND dose_group = 'tertile_{third}'"
        )
        assert found == pytest.approx(wanted, abs=5e-5)
    found = ask(
        "SELECT n, events, odds_ratio, lower, upper, auc, cutoff_gy, sensitivity, specificity "
        f"FROM outcomes.dose_response WHERE {like}"
    )
    odds = (0.994379976289663, 0.923442005604047, 1.07076733703384)
    curve = (0.466037735849057, 174.530069484104, 0.245283018867925, 0.866666666666667)
    assert found == pytest.approx((83, 53, *odds, *curve), rel=1e-9)


def test_the_dose_range_holds_for_targets(ask: Ask) -> None:
    """Recorded with K = 50 Gy kg/GBq; 49.67 would print 297 at the upper end."""
    least, greatest = ask(
        "SELECT minimum, maximum FROM outcomes.dosimetry_summary WHERE population = 'all' AND "
        "measure = 'dose_gy_recorded' AND grain = 'target' AND patient_group = ''"
    )
    assert (round(least), round(greatest)) == (29, 299)


@pytest.mark.parametrize(
    ("figure_id", "own", "expected"),
    [
        ("F12", Computed(62.5, 25, 40), True),
        ("F12", Computed(62.5, 50, 80), False),
        ("F08", Computed(62.5, 25, 40), True),
        ("F09", Computed(22.5, 9, 40), True),
        ("F32", Computed(34.35), True),
        ("F32", Computed(34.3499), False),
        ("F33", Computed(0.7249999, 29, 40), True),
        ("F33", Computed(0.7239, 29, 40), False),
        ("F33", Computed(0.725, 28, 40), False),
        ("F40", Computed(0.00009999), True),
        ("F40", Computed(0.0001), False),
        ("F41", Computed(0.0249), True),
        ("F41", Computed(0.025), False),
        ("F01", Computed(39.0, 39, 40), False),
        ("F31", Computed(None), False),
    ],
)
def test_a_figure_agrees_by_count_or_at_its_printed_digits(
    figure_id: str, own: Computed, expected: bool
) -> None:
    """25 of 40 agrees with 63 % and with 62 %: the publication has both (X02)."""
    assert agrees(FIGURE[figure_id], own) is expected


def test_a_missing_or_moved_statistic_is_not_reproduced() -> None:
    compared = compare({"follow_up.all.imaging": Computed(27.6, 40, 40)})
    by_id = {row.figure.figure_id: row for row in compared}
    assert by_id["F31"].agrees is False
    assert by_id["F32"].agrees is False
    assert by_id["C01a"].agrees is None


def test_contradictions_are_records_without_a_gap() -> None:
    for x in CONTRADICTIONS:
        assert all(getattr(x, f.name) or f.name == "shown_by" for f in dataclasses.fields(x))


@pytest.mark.parametrize(
    ("months", "at_risk", "survival", "lower", "upper"),
    [
        (12, 29, 0.725, 0.558685942004074, 0.837244148024754),
        (24, 25, 0.625, 0.456911514159906, 0.754251986835681),
        (36, 18, 0.450, 0.293360263515871, 0.594563920883991),
    ],
)
def test_survival_at_the_landmarks_is_that_of_r(
    months: int, at_risk: int, survival: float, lower: float, upper: float, ask: Ask
) -> None:
    found = ask(
        "SELECT at_risk, survival, lower, upper FROM outcomes.survival_landmarks WHERE "
        f"population = 'all' AND endpoint = 'OS' AND factor = '' AND months = {months}"
    )
    assert found[0] == at_risk
    assert found[1:] == pytest.approx((survival, lower, upper), rel=0, abs=1e-9)


@pytest.mark.parametrize(
    ("endpoint", "level", "rule", "days", "lower_days", "upper_days"),
    [
        ("OS", "subject", "midpoint", 1047, 603, 1583),
        ("OS", "subject", "first_at_or_below", 1046, None, None),
        ("TTRL", "lesion", "midpoint", 122, 92, 149),
        ("TTR", "subject", "midpoint", 149, 122, 203),
    ],
)
def test_medians_and_their_limits_are_those_of_r(
    endpoint: str,
    level: str,
    rule: str,
    days: int,
    lower_days: int | None,
    upper_days: int | None,
    ask: Ask,
) -> None:
    """R puts the median in the middle of a flat piece at one half, lifelines at its beginning.

    By lesion R gives limits of 121 and 149 days, as if the lesions of one patient were independent,
    and of 92 and 149 days with `cluster` = the patient: these are published.
    """
    median, lower, upper = ask(
        "SELECT median_months, lower, upper FROM outcomes.survival_medians WHERE population = "
        f"'all' AND endpoint = '{endpoint}' AND level = '{level}' AND factor = '' "
        f"AND rule = '{rule}'"
    )
    assert median * 30.4375 == pytest.approx(days, rel=1e-9)
    if lower_days and upper_days:
        limits = (lower * 30.4375, upper * 30.4375)
        assert limits == pytest.approx((lower_days, upper_days), rel=1e-9)


@pytest.mark.parametrize(
    ("level", "time_days", "survival"),
    [
        ("lesion", 121, 0.5878),
        ("lesion", 122, 0.4627),
        ("lesion", 123, 0.4355),
        ("subject", 148, 0.5211),
        ("subject", 149, 0.4053),
    ],
)
def test_the_response_curves_jump_well_across_one_half(
    level: str, time_days: int, survival: float, ask: Ask
) -> None:
    endpoint = "TTRL" if level == "lesion" else "TTR"
    found = ask(
        "SELECT survival FROM outcomes.survival_curves WHERE population = 'all' AND factor = '' "
        f"AND endpoint = '{endpoint}' AND level = '{level}' AND time_days = {time_days}"
    )
    assert found == pytest.approx((survival,), abs=5.1e-5)


@pytest.mark.parametrize(
    ("factor", "bad", "chi2", "p", "hr", "lower", "upper"),
    [
        ("ecog0", ">=1", 23.0190194391, 1.6040661e-06, 6.8396298, 2.84427, 16.4473),
        ("burden25", ">25", 9.62594021991, 0.0019184821, 3.1163552, 1.46293, 6.63848),
        ("alb35", "<=3.5", 5.67053725371, 0.017252172, 2.5131362, 1.15087, 5.48792),
        ("bili12", ">1.2", 9.62736293894, 0.0019169965, 3.9051892, 1.54753, 9.85472),
    ],
)
def test_the_log_rank_tests_are_those_of_r(
    factor: str,
    bad: str,
    chi2: float,
    p: float,
    hr: float,
    lower: float,
    upper: float,
    ask: Ask,
) -> None:
    found = ask(
        "SELECT chi2, p, hr, lower, upper FROM outcomes.prognosis_univariate WHERE population = "
        f"'all' AND endpoint = 'OS' AND factor = '{factor}' AND factor_level = '{bad}'"
    )
    assert found[0] == pytest.approx(chi2, rel=1e-9)
    assert found[1] == pytest.approx(p, rel=3e-8)
    assert found[2] == pytest.approx(hr, rel=1e-7)
    assert found[3:] == pytest.approx((lower, upper), rel=5e-6)


@pytest.mark.parametrize(
    ("factor", "good", "bad", "months_good", "months_bad"),
    [
        ("ecog0", "0", ">=1", 52.008, 11.269),
        ("burden25", "<=25", ">25", 52.008, 11.630),
        ("alb35", ">3.5", "<=3.5", 46.062, 19.811),
        ("bili12", "<=1.2", ">1.2", 38.489, 10.875),
    ],
)
def test_the_medians_of_the_levels_are_those_of_r(
    factor: str, good: str, bad: str, months_good: float, months_bad: float, ask: Ask
) -> None:
    for level, months in ((good, months_good), (bad, months_bad)):
        found = ask(
            "SELECT median_months FROM outcomes.survival_medians WHERE population = 'all' AND "
            f"endpoint = 'OS' AND factor = '{factor}' AND factor_level = '{level}' "
            "AND rule = 'midpoint'"
        )
        assert found == pytest.approx((months,), abs=5.1e-4)


@pytest.mark.parametrize(
    ("term", "coef", "se", "hr", "lower", "upper", "p"),
    [
        ("ecog0", 1.887421324634953, 0.464796054919161, 6.6023, 2.6550, 16.4184, 4.89149921e-05),
        ("burden25", 0.640158088285112, 0.475844850694876, 1.8968, 0.7464, 4.8201, 0.178525653),
        ("alb35", 0.329839154600746, 0.485418707199321, 1.3907, 0.5371, 3.6011, 0.496824836),
        ("bili12", 1.241727416407969, 0.535456203754503, 3.4616, 1.2120, 9.8868, 0.0203945827),
    ],
)
def test_the_cox_model_is_that_of_r(
    term: str,
    coef: float,
    se: float,
    hr: float,
    lower: float,
    upper: float,
    p: float,
    ask: Ask,
) -> None:
    """Breslow's ties would differ in the third digit: two patients die on day 198."""
    found = ask(
        "SELECT coef, se, p, hr, lower, upper, n, events, concordance FROM "
        "outcomes.prognosis_multivariable WHERE population = 'all' AND endpoint = 'OS' AND "
        f"model = 'univariate_p' AND term = '{term}'"
    )
    assert found[:2] == pytest.approx((coef, se), rel=1e-7)
    assert found[2] == pytest.approx(p, rel=1e-7)
    assert found[3:6] == pytest.approx((hr, lower, upper), abs=5.1e-5)
    assert found[6:8] == (40, 28)
    assert found[8] == pytest.approx(0.837956204379562, rel=1e-9)


def test_the_other_reading_of_the_bilirubin_limit_flips_no_conclusion(ask: Ask) -> None:
    """Below 1.2 instead of at most 1.2 moves one patient to the bad level (X01)."""
    n_flips, least, greatest = ask(
        "SELECT count(*) FILTER (flips), min(value), max(value) FROM outcomes.sensitivity WHERE "
        "population = 'all' AND setting = 'survival.bilirubin_good_includes_limit' AND "
        "base_statistic_id IN ('prognosis_univariate.all.os.bili12.gt1_2', "
        "'prognosis_multivariable.all.os.univariate_p.bili12')"
    )
    assert n_flips == 0
    assert (least, greatest) == pytest.approx((0.016119098, 0.0222759027), rel=1e-7)

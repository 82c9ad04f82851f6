"""Sources that hold only times: in months or years, and with groups of their own.

Times are kept and compared exactly, so that every estimate is the one that R 4.2.2, survival 3.5-3,
gives on the unit that was delivered: warehouse/concordance/r/reported.R made reported.json beside it, from
real data of R (mgus2 in whole months, retinopathy in months with decimals, pbc in years).
"""

import csv
import json
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from analytics.estimators.event_counts import event_counts
from analytics.outcomes.survival import (
    follow_up,
    restricted_means,
    survival_curves,
    survival_landmarks,
    survival_medians,
)
from analytics.prognosis.alone import prognosis_univariate
from schemas.contract import Table, empty, rows
from schemas.sections.prognosis import PrognosisSettings
from schemas.sections.reading import ReadingSettings
from schemas.settings import FollowUpSettings, ResponseSettings, SurvivalSettings
from schemas.tables.class_marts import CountedReaders
from schemas.tables.intermediate import (
    Anchors,
    EndpointCriterion,
    LesionPairs,
    Milestones,
    PopulationMembers,
    RowsSetAside,
    SubjectLesions,
)
from schemas.tables.marts import (
    FactorLevels,
    LesionAssessments,
    LesionResponse,
    Subjects,
    TimeToEvent,
)
from schemas.tables.outcomes import PrognosisUnivariate, SurvivalLandmarks
from schemas.tables.registry import (
    Contacts,
    RecordedResponses,
    ReportedEndpoints,
    Scans,
    SubsequentTherapies,
)
from tests.support.pipe_tables import check, recorder
from transforms.baseline.factors import factor_levels
from transforms.time.endpoints import time_to_event
from warehouse.concordance.answers import R_ANSWERS as FROM_R

R = json.loads((FROM_R / "reported.json").read_text())
LANDMARKS = (12, 24, 36, 60)
SETTINGS = SurvivalSettings()
UNJUDGED = empty(EndpointCriterion)
REAL = pytest.mark.parametrize("source", list(R["times"]))


def clocks(reported: ir.Table) -> ir.Table:
    """Times to event where nothing but reported times was delivered."""
    before = (Milestones, Anchors, SubjectLesions, LesionResponse, LesionAssessments)
    others = (*before, Contacts, Scans, SubsequentTherapies)
    return time_to_event(
        *map(empty, others),
        reported,
        empty(RecordedResponses),
        empty(RowsSetAside),
        UNJUDGED,
        empty(CountedReaders),
        settings=SETTINGS,
        response=ResponseSettings(),
        reading=ReadingSettings(),
        schedule=FollowUpSettings(),
    )


def at_landmarks(
    reported_endpoints: Table[ReportedEndpoints], *, settings: SurvivalSettings
) -> Table[SurvivalLandmarks]:
    """The landmarks of everybody, of the endpoint delivered."""
    counted, members = _counted(reported_endpoints, settings)
    read = survival_landmarks(counted, members, empty(LesionPairs), UNJUDGED, settings=settings)
    return read.filter(read.endpoint == "OS", read.factor == "")


def compared(
    reported_endpoints: Table[ReportedEndpoints], *, settings: SurvivalSettings
) -> Table[PrognosisUnivariate]:
    """The groups of each endpoint against each other."""
    counted, _ = _counted(reported_endpoints, settings)
    return prognosis_univariate(counted, settings=settings)


def _counted(reported: ir.Table, settings: SurvivalSettings) -> tuple[ir.Table, ir.Table]:
    members = reported.select("subject_id", population=ibis.literal("all")).distinct()
    levels = factor_levels(
        empty(Subjects), reported, settings=settings, prognosis=PrognosisSettings()
    )
    counted = event_counts(members, clocks(reported), levels, prognosis=PrognosisSettings())
    return counted, members


def test_at_a_landmark_on_the_month_of_a_death_the_death_counts() -> None:
    """Five deaths at 24 months and five censored at 40: survival at 24 months is 0.5, as in R.

    24 months are 730.5 days and not 731, which would be after the landmark. All ten are at risk.
    """
    deaths = "\n".join(f"| {n} | OS | 24 | months | yes |" for n in range(5))
    alive = "\n".join(f"| {n} | OS | 40 | months | no |" for n in range(5, 10))
    check(
        at_landmarks,
        {
            "reported_endpoints": f"""
                | subject_id | endpoint | time | time_unit | event |
                {deaths}
                {alive}
            """
        },
        """
        | months | survival | at_risk | n  |
        | 23     | 1        | 10      | 10 |
        | 24     | 0.5      | 10      | 10 |
        | 25     | 0.5      | 5       | 10 |
        | 40     | 0.5      | 5       | 10 |
        | 41     |          | 0       | 10 |
        """,
        SurvivalSettings(landmarks_months=(23, 24, 25, 40, 41)),
    )


def test_a_group_belongs_to_patient_and_endpoint() -> None:
    """The drug splits survival, the mutation progression: neither test sees the other's groups."""
    check(
        compared,
        {
            "reported_endpoints": """
                | subject_id | endpoint | time | time_unit | event | group   |
                | A          | OS       | 10   | months    | yes   | placebo |
                | A          | PFS      | 5    | months    | yes   | mutated |
                | B          | OS       | 20   | months    | yes   | drug    |
                | B          | PFS      | 6    | months    | yes   | wild    |
                | C          | OS       | 30   | months    | yes   | drug    |
                | C          | PFS      | 7    | months    | yes   | wild    |
                | D          | OS       | 12   | months    | yes   |         |
            """
        },
        """
        | endpoint | factor | factor_level | n | missing | df |
        | OS       | group  | drug         | 2 | 1       | 1  |
        | OS       | group  | placebo      | 1 | 1       | 1  |
        | PFS      | group  | mutated      | 1 | 0       | 1  |
        | PFS      | group  | wild         | 2 | 0       | 1  |
        """,
    )


@pytest.mark.parametrize("named", [("Placebo",), ("wild  type", "PLACEBO", "drug")])
def test_the_reference_group_can_be_named(named: tuple[str, ...]) -> None:
    """In any spelling; each endpoint takes the first named that it has, else the alphabet's."""
    check(
        factor_levels,
        {
            "reported_endpoints": """
                | subject_id | endpoint | group   |
                | A          | OS       | placebo |
                | B          | OS       | drug    |
                | C          | OS       | best    |
                | A          | PFS      | drug    |
                | B          | PFS      | best    |
            """
        },
        f"""
        | subject_id | endpoint | factor | factor_level | level_number |
        | A          | OS       | group  | placebo      | 0            |
        | B          | OS       | group  | drug         | {1 if "drug" in named else 2} |
        | C          | OS       | group  | best         | {2 if "drug" in named else 1} |
        | A          | PFS      | group  | drug         | {0 if "drug" in named else 1} |
        | B          | PFS      | group  | best         | {1 if "drug" in named else 0} |
        """,
        SurvivalSettings(reference_groups=named),
    )


def test_a_reference_group_that_no_endpoint_has_is_said_beside_the_reference() -> None:
    """A slip of the pen does not pass as a choice."""
    check(
        compared,
        {
            "reported_endpoints": """
                | subject_id | endpoint | time | time_unit | event | group   |
                | A          | OS       | 10   | months    | yes   | placebo |
                | B          | OS       | 20   | months    | yes   | drug    |
                | C          | OS       | 30   | months    | yes   | placebo |
            """
        },
        """
        | factor_level | reason                                       |
        | drug         | reference: none of reference_groups is there |
        | placebo      |                                              |
        """,
        SurvivalSettings(reference_groups=("placbo",)),
    )


# Real sources, held to R on the unit that they delivered.


@pytest.fixture(scope="module")
def counted() -> dict[str, tuple[ir.Table, ir.Table, ir.Table]]:
    """Per source its event counts, members and times."""
    with (FROM_R / "reported_times.csv").open(encoding="utf-8") as opened:
        given = list(csv.DictReader(opened))
    found = {}
    for source in R["times"]:
        own = [r for r in given if r["source"] == source]
        reported = _reported([r | {"patient": k, "endpoint": "OS"} for k, r in enumerate(own)])
        ran = _fetched(clocks(reported), TimeToEvent)
        members = _fetched(
            reported.select("subject_id", population=ibis.literal("all")), PopulationMembers
        )
        levels = factor_levels(
            empty(Subjects), reported, settings=SETTINGS, prognosis=PrognosisSettings()
        )
        placed = _fetched(levels, FactorLevels)
        counts = event_counts(members, ran, placed, prognosis=PrognosisSettings()).cache()
        found[source] = counts, members, ran
    return found


def _reported(given: list[dict[str, Any]]) -> ir.Table:
    records = [
        {
            "subject_id": f"{r['patient']:>5}",
            "site_id": "trial",
            "row_id": f"{r['patient']}",
            "endpoint": r["endpoint"],
            "time": Decimal(r["time"]),
            "time_unit": r.get("unit", "months"),
            "event": r["event"] == "1",
            "group": r["group"].lower() if r["group"] != "NA" else None,
        }
        for r in given
    ]
    return rows(records, ReportedEndpoints)


def _fetched(table: ir.Table, contract: Any) -> ir.Table:
    return rows(table.to_pyarrow().to_pylist(), contract)


def _overall(table: ir.Table) -> list[dict[str, Any]]:
    own = table.filter(table.endpoint == "OS", table.factor == "")
    return list(own.to_pyarrow().to_pylist())


@REAL
def test_curves_of_months_and_years_are_r_s(source: str, counted: Any) -> None:
    counts, _, _ = counted[source]
    wanted = R["times"][source]
    found = sorted(
        _overall(survival_curves(counts, empty(LesionPairs), settings=SETTINGS)),
        key=lambda r: r["time_days"],
    )
    per_unit = 365.25 if source == "pbc" else 30.4375
    assert [float(r["time_days"]) for r in found] == pytest.approx(
        [t * per_unit for t in wanted["time"]], rel=1e-12
    )
    assert [r["at_risk"] for r in found] == wanted["at_risk"]
    assert [r["survival"] for r in found] == pytest.approx(wanted["survival"], rel=1e-12)


@REAL
def test_landmarks_of_months_and_years_are_r_s(source: str, counted: Any) -> None:
    """Deaths on the landmark itself count, in whole months as in years of two decimals."""
    counts, members, _ = counted[source]
    read = survival_landmarks(counts, members, empty(LesionPairs), UNJUDGED, settings=SETTINGS)
    found = {r["months"]: r for r in _overall(read)}
    wanted = R["times"][source]
    for k, months in enumerate(LANDMARKS):
        if months > wanted["last"]:
            assert found[months]["reason"] == "beyond_follow_up"
            continue
        assert found[months]["at_risk"] == wanted["landmarks"]["at_risk"][k]
        for name in ("survival", "lower", "upper"):
            assert _near(found[months][name], wanted["landmarks"][name][k])


@REAL
def test_medians_and_follow_up_of_months_and_years_are_r_s(source: str, counted: Any) -> None:
    counts, members, ran = counted[source]
    (found,) = (
        r
        for r in _overall(
            survival_medians(counts, members, empty(LesionPairs), UNJUDGED, settings=SETTINGS)
        )
        if r["rule"] == "midpoint"
    )
    wanted = R["times"][source]
    assert (found["n"], found["events"]) == (wanted["n"], wanted["events"])
    names = ("median_months", "lower", "upper")
    for name, value in zip(names, wanted["median"], strict=True):
        assert _near(found[name], value)
    followed = follow_up(counts, members, empty(Subjects), ran, settings=SETTINGS)
    (turned,) = (r for r in followed.to_pyarrow().to_pylist() if r["definition"] == "reverse_km")
    for name, value in zip(names, wanted["reverse_median"], strict=True):
        assert _near(turned[name], value)


@REAL
def test_restricted_means_of_months_and_years_are_r_s(source: str, counted: Any) -> None:
    counts, members, _ = counted[source]
    found = {
        r["months"]: r
        for r in _overall(restricted_means(counts, members, UNJUDGED, settings=SETTINGS))
    }
    wanted = R["times"][source]
    for k, months in enumerate(LANDMARKS):
        if months <= wanted["last"]:
            assert _near(found[months]["mean_months"], wanted["mean"][k])
            assert _near(found[months]["se_months"], wanted["mean_se"][k])


@REAL
def test_log_rank_tests_of_months_and_years_are_r_s(source: str, counted: Any) -> None:
    wanted = R["times"][source].get("logrank")
    found = prognosis_univariate(counted[source][0], settings=SETTINGS).to_pyarrow().to_pylist()
    if wanted is None:
        assert all(r["p"] is None for r in found)
        return
    assert {r["factor"] for r in found} == {"group"}
    for r in found:
        assert (r["chi2"], r["p"]) == pytest.approx((wanted["chi2"], wanted["p"]), rel=1e-10)


@pytest.mark.parametrize("endpoint", ["OS", "PFS"])
def test_each_endpoint_is_compared_between_its_own_groups_as_r_does(endpoint: str) -> None:
    """R says 0.0013 for OS; the least name of both endpoints made five groups and p = 2e-5.

    `Control` and `control` are one: the door folds the spelling.
    """
    if recorder.only:
        return
    with (FROM_R / "reported_groups.csv").open(encoding="utf-8") as opened:
        reported = _reported(list(csv.DictReader(opened)))
    wanted = R["groups"][endpoint]
    (reference, *_) = wanted["levels"]
    found = [
        r
        for r in compared(reported, settings=SETTINGS).to_pyarrow().to_pylist()
        if (r["endpoint"], r["factor"]) == (endpoint, "group")
    ]
    assert {r["factor_level"]: r["n"] for r in found} == dict(
        zip(wanted["levels"], wanted["n"], strict=True)
    )
    for r in found:
        assert (r["chi2"], r["df"]) == (pytest.approx(wanted["chi2"], rel=1e-10), wanted["df"])
        assert r["p"] == pytest.approx(wanted["p"], rel=1e-10)
        ratio = wanted["ratios"][reference].get(r["factor_level"])
        assert _near(r["hr"], ratio, 1e-7)
    if endpoint == "OS":
        assert f"{found[0]['p']:.4f}" == "0.0013"


def test_another_reference_turns_the_ratio_around_and_leaves_the_test() -> None:
    if recorder.only:
        return
    with (FROM_R / "reported_groups.csv").open(encoding="utf-8") as opened:
        reported = _reported(list(csv.DictReader(opened)))
    settings = SurvivalSettings(reference_groups=("Treated",))
    found = {
        r["factor_level"]: r
        for r in compared(reported, settings=settings).to_pyarrow().to_pylist()
        if (r["endpoint"], r["factor"]) == ("OS", "group")
    }
    wanted = R["groups"]["OS"]
    assert found["treated"]["reason"] == "reference"
    assert _near(found["control"]["hr"], wanted["ratios"]["treated"]["control"], 1e-7)
    assert found["control"]["p"] == pytest.approx(wanted["p"], rel=1e-10)


def _near(found: float | None, expected: float | None, rel: float = 1e-11) -> bool:
    if expected is None or found is None:
        return found is expected
    return found == pytest.approx(expected, rel=rel)


def test_a_reported_time_is_never_a_competing_event() -> None:
    """A source of times says that the event happened or that it was not seen, and no more."""
    reported = rows(
        [
            {"site_id": "x", "subject_id": "A", "endpoint": "OS", "time": Decimal(3),
             "time_unit": "months", "event": event, "row_id": str(event)}
            for event in (True, False)
        ],
        ReportedEndpoints,
    )  # fmt: skip
    told = clocks(reported).execute().sort_values("event")
    assert told["event"].tolist() == [False, True]
    assert told["competing"].tolist() == [False, False]

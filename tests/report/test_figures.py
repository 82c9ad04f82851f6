"""Figures and tables say what was published: by id, by identity, and as the series printed it."""

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from report.figures import course, flow, incidence, prognosis, response, survival, toxicity
from report.figures.model import Exhibit, Number, Table
from report.figures.survival import Curves
from report.paper.parts import of_cell
from report.sections import sections
from report.tables import compared, endpoints
from schemas.settings import OutcomeSettings
from warehouse.releases import releases
from warehouse.store import Store

SETTINGS = OutcomeSettings().model_dump(mode="json")
VERSION = "3.0"


@pytest.fixture(scope="module")
def con(reference_store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of the reference cohort's release."""
    path = releases.resolve(reference_store, "current") / "release.duckdb"
    with duckdb.connect(str(path), read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def exhibits(con: duckdb.DuckDBPyConnection) -> dict[str, Exhibit]:
    """Every figure and table of the page by its name."""
    parts = sections(con, SETTINGS)
    listed = [e for part in parts for e in (*part.exhibits, *part.folded)]
    assert len({e.id for e in listed}) == len(listed)
    return {e.id: e for e in listed}


def curves(exhibits: dict[str, Exhibit]) -> list[Curves]:
    return [e for e in exhibits.values() if isinstance(e, Curves) and not e.empty]


def test_every_printed_number_is_its_statistic(
    con: duckdb.DuckDBPyConnection, exhibits: dict[str, Exhibit]
) -> None:
    """A printed number lies within half of its last digit of the unrounded one."""
    printed = {n for e in exhibits.values() for n in e.numbers}
    assert len(printed) > 500
    wrong = [n for n in printed if not agrees(con, n)]
    assert wrong == []


def agrees(con: duckdb.DuckDBPyConnection, number: Number) -> bool:
    table = number.statistic_id.split(".")[0]
    (value,) = con.execute(
        f'SELECT "{number.field}" FROM outcomes.{table} WHERE statistic_id = ?',
        [number.statistic_id],
    ).fetchone() or (None,)
    if value is None:
        return False
    if number.text.startswith("< "):
        return float(value) < float(number.text[2:])
    shown = Decimal(number.text.replace("−", "-"))
    half = Decimal(1).scaleb(int(shown.as_tuple().exponent)) / 2
    return abs(number.scale * Decimal(repr(float(value))) - shown) <= half


def test_every_number_of_a_table_stands_in_its_cell(exhibits: dict[str, Exhibit]) -> None:
    """From left to right, each as a whole number: a document writes it again where it stands."""
    rows = [r for e in exhibits.values() if isinstance(e, Table) for r in e.rows if r.numbers]
    cells = [pair for r in rows for pair in zip(r.cells, r.numbers, strict=True)]
    assert sum(len(numbers) for _, numbers in cells) > 1_000
    for printed, numbers in cells:
        parts = of_cell(printed, numbers)
        assert "".join(part.text for part in parts) == printed
        assert tuple(part.number for part in parts if part.number) == numbers


def test_at_risk_and_died_and_censored_are_everybody(exhibits: dict[str, Exhibit]) -> None:
    drawn = curves(exhibits)
    assert len(drawn) == 16, "overall, five factors, ten other endpoints"
    for model in drawn:
        assert sum(c.n for c in model.curves) == model.n
        for curve in model.curves:
            assert [r.months for r in curve.risk] == list(range(0, model.end + 1, 6))
            assert {r.at_risk + r.events + r.censored for r in curve.risk} == {curve.n}
            assert curve.risk[0].at_risk == curve.n
            assert curve.risk[-1].events == curve.events


def test_what_came_first_is_everybody_and_reaches_its_landmarks(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """At risk, each cause and censored are all; the curve at a year is the published share."""
    models = incidence.incidences(con)
    assert [len(m.curves) for m in models] == [2, 2, 3, 3, 0, 3], "nothing was recorded"
    assert [m.id for m in models if m.empty] == ["incidence-ttprec"]
    models = [m for m in models if not m.empty]
    for model in models:
        for left in model.left:
            assert left.at_risk + sum(left.by_cause) + left.censored == model.n
        assert [c.events for c in model.curves] == list(model.left[-1].by_cause)
        endpoint = model.id.removeprefix("incidence-").upper()
        found = con.execute(
            "SELECT incidence FROM outcomes.cumulative_incidence WHERE population = 'all' "
            "AND endpoint = ? AND months = 12 ORDER BY events DESC, incidence DESC",
            [endpoint],
        ).fetchall()
        drawn = [[p.survival for p in c.points if p.months <= 12][-1] for c in model.curves]
        assert sorted(drawn) == pytest.approx(sorted(share for (share,) in found))


def test_survival_is_that_of_the_series(con: duckdb.DuckDBPyConnection) -> None:
    """Median 34.4 months; 72.5, 62.5 and 45 % at one, two and three years, of 40.

    Source: Memon et al. 2012, Int J Radiat Oncol Biol Phys 83:887-894.
    """
    (curve,) = survival.overall(con).curves
    assert curve.printed.startswith("34.4 (")
    assert (curve.n, curve.events) == (40, 28)
    left = {r.months: r.at_risk for r in curve.risk}
    assert [left[m] for m in (12, 24, 36)] == [29, 25, 18]
    shown = {r.cells[:3]: r.cells[3] for r in endpoints.landmarks(con).rows}
    found = [shown["Overall survival", "patient", months] for months in ("12", "24", "36")]
    assert found == ["72.5", "62.5", "45.0"]


def test_every_tested_factor_has_its_curves_and_one_of_one_level_says_so(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """The good level is first, so that it has the first colour; bilirubin: 32 against 8."""
    made = {model.id: model for model in survival.by_factor(con)}
    assert sum(not model.empty for model in made.values()) == 5
    bilirubin = made["km-os-by-bili12"]
    assert [c.name for c in bilirubin.curves] == ["Bilirubin ≤\u00a01.2", "Bilirubin >\u00a01.2"]
    assert [c.n for c in bilirubin.curves] == [32, 8]
    albumin = made["km-os-by-alb35"]
    assert [c.name for c in albumin.curves] == ["Albumin >\u00a03.5", "Albumin ≤\u00a03.5"]
    assert made["km-os-by-device"].empty == "Not compared: one level only."


def test_classes_of_response_are_everybody(con: duckdb.DuckDBPyConnection) -> None:
    """CR, PR, SD, PD and NE add up to the treated; CR and PR to the responders; with SD to DCR."""
    model = response.matrix(con, "unconfirmed")
    blocks = [model.rows[start : start + 10] for start, row in enumerate(model.rows) if row.heading]
    assert len(blocks) == 2
    for block in blocks:
        for column in range(1, len(model.columns)):
            treated, evaluable, cr, pr, sd, pd, ne, orr, dcr = (
                int(row.cells[column].split("\u00a0")[0]) for row in block[1:]
            )
            assert cr + pr + sd + pd + ne == treated
            assert treated - ne == evaluable
            assert cr + pr == orr
            assert cr + pr + sd == dcr


def test_lesions_respond_as_in_the_series(con: duckdb.DuckDBPyConnection) -> None:
    """WHO by lesion: 1.2 % complete and 62.7 % partial of 83. Source: Memon et al. 2012."""
    _, lesions = response.waterfalls(con)
    assert (len(lesions.bars), lesions.missing) == (83, 0)
    count = {k: sum(bar.response == k for bar in lesions.bars) for k in ("CR", "PR")}
    assert count == {"CR": 1, "PR": 52}
    assert (lesions.partial, lesions.progression) == (-50, 25)
    changes = [bar.change for bar in lesions.bars]
    assert changes == sorted(changes, reverse=True)
    assert all(bar.change <= -50 for bar in lesions.bars if bar.response in ("CR", "PR"))


def test_bars_are_the_evaluable(con: duckdb.DuckDBPyConnection) -> None:
    patients, _ = response.waterfalls(con)
    (evaluable,) = con.execute(
        "SELECT n_evaluable FROM outcomes.response_summary WHERE statistic_id = "
        "'response_summary.all.who.subject.all.all.unconfirmed.orr'"
    ).fetchone() or (0,)
    assert len(patients.bars) == evaluable
    assert len(patients.bars) + patients.missing == patients.n == 40


def test_grades_add_up_to_any_grade(con: duckdb.DuckDBPyConnection) -> None:
    """And from grade 3 on to severe; a graded term counts each patient once."""
    graded = [t for t in toxicity.terms(con, VERSION) if t.any_grade is not None]
    assert len(graded) > 10
    for term in graded:
        assert sum(n or 0 for n in term.grades) == term.any_grade
        assert sum(n or 0 for n in term.grades[2:]) == term.severe
        assert (term.any_grade or 0) <= term.assessed <= term.treated == 40


def test_few_assessed_are_no_percentage(con: duckdb.DuckDBPyConnection) -> None:
    """Albumin was assessed in 2 of 40: the two of them are not 100 %."""
    (row,) = [r for r in toxicity.by_grade(con, VERSION).rows if r.cells[0] == "Albumin"]
    assert row.cells[1] == "2 of 40"
    assert row.cells[7:] == ("2", "0")
    bars = toxicity.bars(con, VERSION)
    assert "Albumin" not in {t.name for _, terms in bars.groups for t in terms}
    assert any("albumin 2 of 2 assessed (40 treated)" in note for note in bars.notes)


def test_composites_do_not_stand_among_their_parts(con: duckdb.DuckDBPyConnection) -> None:
    rows = [r.cells[0] for r in toxicity.by_grade(con, VERSION).rows]
    assert {"∪ nausea or vomiting", "∪ fever or chills"} <= set(rows)
    assert rows.index("Cholecystitis") < rows.index("∪ nausea or vomiting")
    drawn = {t.name for _, ts in toxicity.bars(con, VERSION).groups for t in ts}
    assert not any(" or " in name or " and " in name for name in drawn)


def test_each_patient_has_a_lane_that_ends_with_the_patient(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """28 of 40 died; nothing is drawn past progression, the last assessment or the end."""
    model = course.swimmer(con)
    assert (len(model.lanes), sum(lane.died for lane in model.lanes)) == (40, 28)
    assert sum(lane.lost for lane in model.lanes) == 1
    for lane in model.lanes:
        assert all(0 <= s.start < s.end <= lane.end for s in lane.states)
        if lane.progression is not None:
            assert all(s.end <= lane.progression for s in lane.states)
        assert all(a.end <= b.start for a, b in zip(lane.states, lane.states[1:], strict=False))
        assert lane.sessions[0] == 0


def test_a_line_of_the_spider_ends_at_progression(con: duckdb.DuckDBPyConnection) -> None:
    model = course.spider(con)
    assert len(model.lines) + model.missing == 40
    assert {line.points[0] for line in model.lines} == {(0.0, 0.0)}
    assert max(month for line in model.lines for month, _ in line.points) <= model.end


def test_the_flow_ends_in_the_analyses(con: duckdb.DuckDBPyConnection) -> None:
    model = flow.flow(con)
    plain = [" ".join(lines).replace("\u00a0", " ") for lines in model.analyses]
    assert plain[0] == "Overall survival n = 40: 28 died, 12 censored"
    assert "WHO: 40 evaluable, 0 not evaluable" in plain[1]
    assert model.steps[0].lines[0].replace("\u00a0", " ") == "Delivered by the centres (n = 40)"


def test_each_criterion_is_asked_of_every_treated_patient(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for row in flow.criteria(con).rows[2:]:
        assert sum(map(int, row.cells[5:])) == 40


def test_the_forest_holds_both_models(con: duckdb.DuckDBPyConnection) -> None:
    """ECOG alone and together, as the series found both to matter; the other lines say why not."""
    model = prognosis.forest(con)
    ecog = model.lines[0]
    assert ecog.counts == "14/15 vs 14/25"
    assert ecog.alone is not None
    assert ecog.together is not None
    assert (ecog.alone.printed, ecog.alone.p) == ("6.84 (2.84 to 16.45)", "< 0.0001")
    assert all(line.together or line.why for line in model.lines)
    assert any("7.0 events per variable" in note for note in model.notes)


def test_what_came_first_adds_up_to_no_more_than_all(con: duckdb.DuckDBPyConnection) -> None:
    """Events that rule each other out are shares of one whole; a mean is within its horizon."""
    assert all(float(r.cells[3]) <= float(r.cells[2]) for r in endpoints.means(con).rows)
    first: dict[tuple[str, ...], float] = {}
    of = ""
    for row in endpoints.incidence(con).rows:
        of = row.cells[0] if row.heading else of
        if not row.heading:
            _, months, share, *_ = row.cells
            first[of, months] = first.get((of, months), 0.0) + float(share)
    assert first
    assert max(first.values()) <= 100.2  # each share is rounded to a tenth


def test_a_conclusion_that_rests_on_a_reading_is_shown(con: duckdb.DuckDBPyConnection) -> None:
    """The sentence counts what flips; the table names it."""
    model = compared.readings(con)
    (flips,) = con.sql("SELECT count(*) FROM outcomes.sensitivity WHERE flips").fetchone() or (0,)
    assert f"{flips} of them change" in model.notes[0]
    assert len(model.rows) == flips


def test_every_exhibit_says_something(exhibits: dict[str, Exhibit]) -> None:
    """A title, and rows that are as wide as their heads, in text, without a raw name."""
    for exhibit in exhibits.values():
        assert exhibit.title
        rows = getattr(exhibit, "rows", ())
        assert exhibit.empty or not hasattr(exhibit, "rows") or rows
        for row in rows:
            assert all(isinstance(cell, str) for cell in row.cells)
            assert row.heading or len(row.cells) == len(exhibit.columns)  # type: ignore[attr-defined]
            assert not {"alb35", "bili12", "burden25", "ecog0"} & set(row.cells)

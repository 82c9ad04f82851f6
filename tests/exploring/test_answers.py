"""Looks at the reference cohort: published numbers as they stand, free ones by the same kernel."""

import json
import math
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.exploring import view
from schemas.errors import Refused
from warehouse.exploring import answers, looks, published, python, selection
from warehouse.exploring.selection import Selection
from warehouse.releases import query, releases
from warehouse.store import Store

FREE = Selection(only=(("burden25", "<=25"),), by="ecog0")
TABLES = ("medians", "points", "landmarks", "tested")


@pytest.fixture
def con(reference_store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with query.open_release(releases.resolve(reference_store, "current")) as opened:
        yield opened


@pytest.fixture
def release(reference_store: Store, tmp_path: Path) -> answers.Release:
    """The reference release, with a store of its own to count in."""
    path = releases.resolve(reference_store, "current")
    settings = releases.manifest(path)["content"]["settings"]
    return answers.Release(path.name, settings, 5, Store.open(tmp_path / "store"))


@pytest.fixture
def changed(reference_store: Store, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the release's database that a test may change."""
    place = releases.resolve(reference_store, "current") / "release.duckdb"
    shutil.copy2(place, tmp_path / "release.duckdb")
    with duckdb.connect(str(tmp_path / "release.duckdb")) as opened:
        yield opened


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda r: (r["factor_level"], r.get("months") or r.get("days") or 0))


def differing(want: list[dict[str, Any]], have: list[dict[str, Any]]) -> list[Any]:
    """What two lists of rows do not have in common, but for their names.

    A published row of nobody says why it has no number; nothing is estimated of nobody.
    """
    want = [row for row in want if row.get("n") != 0]
    assert len(want) == len(have)
    return [
        (w["factor_level"], name, w.get(name), value)
        for w, h in zip(in_order(want), in_order(have), strict=True)
        for name, value in h.items()
        if name not in ("population", "statistic_id") and w.get(name) != value
    ]


def test_what_came_first_is_shown_as_published_and_never_of_a_free_subgroup(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    """Each share and count of the table is its statistic's."""
    known = selection.choices(con)
    assert {"TTP", "HTTP", "TTR"} <= set(known["competing"])
    asked = selection.checked(Selection(question="incidence", competing="TTP"), known)
    found = answers.answer(con, release, asked, take=False)
    assert found.published
    shown = view.shown(asked, found, narrow=False)
    assert shown["title"] == "Time to progression: what came first"
    assert "<svg" in shown["svg"]
    rows = con.execute(
        "SELECT statistic_id, events, n, incidence FROM outcomes.cumulative_incidence "
        "WHERE population = 'all' AND endpoint = 'TTP' AND months = 12"
    ).fetchall()
    cells = {c["text"] for t in shown["tables"] for r in t["rows"] for c in r}
    assert len(rows) == 2
    for _, events, n, share in rows:
        assert f"{events} of {n}" in cells
        assert any(text.startswith(f"{100 * share:.1f} (") for text in cells)
    told = {c["statistic"] for t in shown["tables"] for r in t["rows"] for c in r}
    assert {statistic for statistic, *_ in rows} <= told
    for beside in ({"by": "ecog0"}, {"first_year": 2004}, {"only": (("ecog0", "0"),)}):
        free = Selection(question="incidence", competing="TTP", **beside)  # type: ignore[arg-type]
        refused = answers.answer(con, release, selection.checked(free, known), take=True)
        assert "Choose no factor" in refused.refused
        assert refused.taken == 0


def test_every_published_curve_is_estimated_again_from_the_marts_bit_by_bit(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    """Curves, limits, medians, landmarks, tests and ratios of each endpoint, population, factor."""
    known = selection.choices(con)
    compared = 0
    for population, site, by, endpoint in product(
        known["population"], ["", *known["site"]], ["", *known["factor"]], known["endpoint"]
    ):
        asked = Selection(population=population, site=site, by=by, endpoint=endpoint)
        place = selection.place(asked)
        if place is None:
            continue
        want = published.survival(con, asked, place)
        have = answers.estimate(con, asked, release.settings)
        for name in TABLES:
            assert differing(getattr(want, name), getattr(have, name)) == [], (asked, name)
            compared += len(getattr(want, name))
    assert compared > 3_000


def test_every_published_response_is_counted_again_bit_by_bit(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    """Of lesions with the limits of the bootstrap, whose draw depends on the order of profiles."""
    known = selection.choices(con)
    for criterion, unit, confirmation in product(
        known["criterion"], known["unit"], known["confirmation"]
    ):
        asked = Selection(
            question="response", criterion=criterion, unit=unit, confirmation=confirmation
        )
        rows = published.response(con, asked, selection.Place("all")).shares
        want = {r["category"]: r for r in rows}
        have = answers.estimate(con, asked, release.settings).shares
        assert len(have) == 7
        for row in have:
            own = want[row["category"]]
            names = row.keys() - {"statistic_id"}
            assert {n: own[n] for n in names} == {n: row[n] for n in names}, asked


def test_every_published_toxicity_is_counted_again(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    known = selection.choices(con)
    fields = ("n", "total", "n_treated", "pct", "lower", "upper")
    for version, window in product(known["version"], known["window"]):
        asked = Selection(question="toxicity", version=version, window=window)
        found = [
            {
                (r["source"], r["term"], r["grade"]): tuple(r[f] for f in fields)
                for r in rows
                if r["n"] is not None
            }
            for rows in (
                published.toxicity(con, asked, selection.Place("all")).shares,
                answers.estimate(con, asked, release.settings).shares,
            )
        ]
        assert found[0] == found[1], asked
        assert found[0]


def test_a_published_selection_names_its_statistics_and_is_not_counted(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    answer = answers.answer(con, release, Selection(), take=False)
    shown = view.shown(Selection(), answer, narrow=False)
    assert shown["statistics"] == ["survival_medians.all.os.subject.overall.overall.midpoint"]
    assert shown["title"] == "Overall survival of all treated patients"
    assert (answer.published, answer.taken) == (True, 0)
    assert looks.taken(release.store, release.id) == []


def test_one_level_alone_is_the_published_level(con: duckdb.DuckDBPyConnection) -> None:
    asked = Selection(only=(("ecog0", ">=1"),))
    place = selection.place(asked)
    assert place == selection.Place("all", "ecog0", ">=1")
    (median,) = published.survival(con, asked, place).medians
    assert median["statistic_id"] == "survival_medians.all.os.subject.ecog0.ge1.midpoint"
    assert median["n"] == 15


@pytest.mark.parametrize(
    "asked",
    [
        FREE,
        Selection(first_year=2005),
        Selection(last_year=2005),
        Selection(population="per_criteria", site="memon2012"),
        Selection(question="response", by="ecog0"),
        Selection(question="toxicity", only=(("ecog0", "0"),)),
        Selection(endpoint="TTRL", only=(("ecog0", "0"),)),
    ],
)
def test_what_is_published_nowhere_is_free(asked: Selection) -> None:
    assert selection.place(asked) is None


def test_a_free_look_waits_until_it_is_asked_for_and_is_counted_once(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    waiting = answers.answer(con, release, FREE, take=False)
    assert (waiting.waits, waiting.taken, waiting.found.empty) == (True, 0, True)
    taken = answers.answer(con, release, FREE, take=True)
    assert (taken.waits, taken.published, taken.taken, taken.compared) == (False, False, 1, 1)
    again = answers.answer(con, release, FREE, take=False)
    assert (again.taken, again.found.medians) == (1, taken.found.medians)
    assert all(r["statistic_id"] is None for r in taken.found.medians)


def test_a_free_curve_is_what_a_product_over_its_days_gives(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    """Worked again in the test from patients' rows: S = prod (1 - d / n)."""
    rows = con.execute(
        "SELECT time_days::DOUBLE, event FROM marts.time_to_event JOIN marts.subjects "
        "USING (subject_id) WHERE endpoint = 'OS' AND ecog >= 1 "
        "AND tumour_burden_category = '0-25' ORDER BY 1"
    ).fetchall()
    level, want = 1.0, {}
    for day in sorted({d for d, _ in rows}):
        died = sum(e for d, e in rows if d == day)
        level *= 1 - died / sum(d >= day for d, _ in rows)
        want[day] = level
    found = answers.answer(con, release, FREE, take=True).found
    have = {r["days"]: r["survival"] for r in found.points if r["factor_level"] == ">=1"}
    assert have.keys() == want.keys()
    assert len(rows) == 8
    assert all(math.isclose(have[day], want[day], abs_tol=1e-12) for day in want)


def test_the_two_bilirubin_patients_of_low_burden_are_not_shown(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    few = Selection(only=(("burden25", "<=25"), ("bili12", ">1.2")))
    (n,) = con.execute(
        f"SELECT count(*) FROM ({selection.chosen(few)})"  # the premise: few, and some
    ).fetchall()[0]
    assert 0 < n < 5
    answer = answers.answer(con, release, few, take=True)
    assert "fewer than 5" in answer.refused
    assert (answer.found.empty, answer.taken) == (True, 0)


def test_a_look_that_differs_by_a_few_from_an_earlier_one_is_refused(
    changed: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    """Of 40 patients, 20 are of 2004, 3 of 2005 and 17 of 2006: up to 2004 and up to 2005 tell."""
    changed.execute(
        "UPDATE marts.subjects SET t0_year = CASE WHEN place <= 20 THEN 2004 "
        "WHEN place <= 23 THEN 2005 ELSE 2006 END FROM (SELECT subject_id AS who, "
        "row_number() OVER (ORDER BY subject_id) AS place FROM marts.subjects) "
        "WHERE who = subject_id"
    )
    first = answers.answer(changed, release, Selection(last_year=2004), take=True)
    assert first.found.medians[0]["n"] == 20
    second = answers.answer(changed, release, Selection(last_year=2005), take=True)
    assert "differs by fewer than 5" in second.refused
    assert second.taken == 1


def test_a_curve_of_a_few_patients_is_not_shown(
    changed: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    """20 patients are enough, 4 responders of them with a duration are not."""
    changed.execute(
        "UPDATE marts.subjects SET t0_year = 2000 + (place % 2) FROM (SELECT subject_id AS who, "
        "row_number() OVER (ORDER BY subject_id) AS place FROM marts.subjects) "
        "WHERE who = subject_id"
    )
    changed.execute(
        "DELETE FROM marts.time_to_event WHERE endpoint = 'DOR' AND subject_id NOT IN "
        "(SELECT subject_id FROM marts.time_to_event WHERE endpoint = 'DOR' AND subject_id IN "
        "(SELECT subject_id FROM marts.subjects WHERE t0_year = 2000) ORDER BY 1 LIMIT 4)"
    )
    asked = Selection(endpoint="DOR", last_year=2000)
    answer = answers.answer(changed, release, asked, take=True)
    assert "has what is asked for is of fewer than 5" in answer.refused


def test_where_a_look_cannot_be_counted_published_statistics_are_shown_alone(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    release.store.state.mkdir()
    (release.store.state / "explored").write_text("no folder", "utf-8")
    with pytest.raises(Refused, match="cannot be counted"):
        answers.answer(con, release, FREE, take=True)
    with pytest.raises(Refused, match="Published statistics are shown"):
        looks.count(release.store, release.id, FREE)
    open_to_all = answers.answer(con, release, Selection(), take=False)
    assert (open_to_all.published, open_to_all.taken) == (True, None)


def test_looks_of_many_at_once_are_all_counted_and_none_twice(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    asked = [Selection(last_year=2000 + n % 7) for n in range(28)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda s: looks.count(store, "2011.03.31", s), asked))
    kept = looks.taken(store, "2011.03.31")
    assert sorted(str(s.last_year) for s in kept) == [str(2000 + n) for n in range(7)]
    text = (store.state / "explored" / "2011.03.31.jsonl").read_text("utf-8")
    assert all(json.loads(line)["question"] == "survival" for line in text.splitlines())


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (Selection(population="site:nowhere"), "population site:nowhere"),
        (Selection(endpoint="OS' OR 1=1"), "endpoint OS' OR 1=1"),
        (Selection(only=(("ecog0", "7"),)), "ecog0 7"),
        (Selection(by="shoe"), "factor shoe"),
        (Selection(question="gossip"), "question gossip"),
    ],
)
def test_a_code_that_the_release_has_not_is_refused(
    con: duckdb.DuckDBPyConnection, asked: Selection, named: str
) -> None:
    with pytest.raises(Refused, match=named.replace("'", ".")):
        selection.checked(asked, selection.choices(con))


def test_lesions_are_not_compared_between_groups(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(Refused, match="not independent"):
        selection.checked(Selection(endpoint="TTRL", by="ecog0"), selection.choices(con))


@pytest.mark.parametrize(
    "asked",
    [
        Selection(),
        Selection(by="ecog0"),
        Selection(only=(("ecog0", "0"),)),
        FREE,
        Selection(question="response"),
        Selection(question="response", by="ecog0"),
        Selection(question="toxicity", version="3.0"),
        Selection(question="toxicity", version="3.0", by="ecog0"),
    ],
)
def test_the_python_that_is_shown_runs_and_prints_what_is_shown(
    con: duckdb.DuckDBPyConnection,
    release: answers.Release,
    reference_store: Store,
    asked: Selection,
) -> None:
    found = answers.answer(con, release, asked, take=True).found
    text = python.program(asked, found.queries, release.id, str(reference_store.root))
    printed = StringIO()
    with redirect_stdout(printed):
        exec(compile(text, "shown", "exec"), {})
    said = printed.getvalue()
    if asked.question != "survival":
        counts = {str(r["n"]) for r in found.shares if r["n"]} if selection.place(asked) else set()
        assert all(n in said for n in counts)
        assert len(said) > 100
    elif selection.place(asked):
        for median in found.medians:
            assert f"{median['events']} of {median['n']}" in said
    else:
        levels = [line.split()[-1] for line in said.splitlines()]
        have = [float(level) for level in levels]
        want = [r["survival"] for r in found.points]
        assert len(have) == len(want)
        assert all(math.isclose(a, b, abs_tol=1e-12) for a, b in zip(have, want, strict=True))


def test_the_sql_that_is_shown_gives_the_counts_that_are_shown(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    found = answers.answer(con, release, FREE, take=True).found
    rows = con.execute(found.queries[0]).fetchall()
    assert [(r[0], r[2], r[3], r[4]) for r in rows] == [
        (p["factor_level"], p["days"], p["events"], p["censored"]) for p in found.points
    ]


def test_nobody_had_the_event(changed: duckdb.DuckDBPyConnection, release: answers.Release) -> None:
    changed.execute("UPDATE marts.time_to_event SET event = false")
    answer = answers.answer(changed, release, FREE, take=True)
    shown = view.shown(FREE, answer, narrow=False)
    assert [r["events"] for r in answer.found.medians] == [0, 0]
    assert "Not compared" not in shown["empty"]
    assert "NR" in json.dumps(shown["tables"])


def test_one_level_alone_is_not_compared(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    asked = Selection(by="device")
    shown = view.shown(asked, answers.answer(con, release, asked, take=False), narrow=True)
    assert (shown["svg"], shown["empty"]) == ("", "Not compared: one level only.")
    assert shown["tables"][0]["rows"][0][1]["text"] == "40"


@pytest.mark.parametrize("question", selection.QUESTIONS)
def test_nobody_was_treated(
    changed: duckdb.DuckDBPyConnection, release: answers.Release, question: str
) -> None:
    for table in ("marts.time_to_event", "members.member_sets", "outcomes.survival_curves"):
        changed.execute(f"DELETE FROM {table}")
    for table in ("outcomes.survival_medians", "outcomes.survival_landmarks"):
        changed.execute(f"DELETE FROM {table}")
    for table in ("response_summary", "toxicity_summary", "incidence_curves"):
        changed.execute(f"DELETE FROM outcomes.{table}")
    asked = Selection(question=question, version="3.0")
    shown = view.shown(asked, answers.answer(changed, release, asked, take=False), narrow=False)
    assert shown["svg"] == ""
    assert shown["empty"]
    free = Selection(question=question, version="3.0", by="ecog0", first_year=1900)
    refused = answers.answer(changed, release, free, take=True).refused
    nobody = "Nobody is in this selection."
    assert refused == (answers.AS_PUBLISHED if question == "incidence" else nobody)


def test_settings_of_another_version_are_told(
    con: duckdb.DuckDBPyConnection, release: answers.Release
) -> None:
    other = answers.Release(release.id, {"survival": {"gone": 1}}, 5, release.store)
    with pytest.raises(Refused, match="another version of y90"):
        answers.answer(con, other, FREE, take=True)

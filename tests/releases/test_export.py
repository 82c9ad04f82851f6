"""A public bundle keeps small groups hidden, and a whole one holds what it says."""

import csv
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.contract import published_name
from schemas.errors import Refused
from schemas.tables import outcomes
from tests.conftest import NIGHT
from tests.support.corrections import REGISTRY
from warehouse.sharing import export, left_out, public
from warehouse.sharing.withholding import withheld
from warehouse.store import Store


def release_of(store: Store) -> Path:
    return store.release(f"{NIGHT:%Y.%m.%d}")


def counts(**numbers: int) -> Mapping[str, frozenset[object]]:
    return {name: frozenset((name, i) for i in range(n)) for name, n in numbers.items()}


def hidden(groups: Mapping[str, str], threshold: int = 5, **numbers: int) -> set[str]:
    """What is withheld of counts whose parts are named by letters."""
    named = {name: frozenset(parts) for name, parts in groups.items()}
    return withheld(named, counts(**numbers), frozenset(numbers), threshold)


@pytest.mark.parametrize(("n", "withheld"), [(4, True), (5, False), (0, False), (1, True)])
def test_a_count_of_fewer_than_five_is_withheld(n: int, *, withheld: bool) -> None:
    assert ("few" in hidden({"few": "a", "most": "b"}, a=n, b=40, c=20)) is withheld


def test_the_complement_of_a_count_is_a_group_too() -> None:
    """37 of 40 says that three have it not."""
    assert hidden({"with": "a"}, a=37, b=3) == {"with"}
    assert hidden({"with": "a"}, a=35, b=5) == set()


def test_a_second_count_goes_where_a_difference_would_give_the_first_away() -> None:
    """Three levels add up to the total, so a single gap can be filled."""
    found = hidden({"x": "a", "y": "b", "z": "c"}, a=3, b=10, c=30)
    assert "x" in found
    assert len(found) == 2
    assert "z" not in found


def test_two_small_counts_do_not_hide_behind_each_other_when_their_sum_is_small() -> None:
    found = hidden({"x": "a", "y": "b", "both": "ab", "z": "c"}, a=2, b=2, c=30)
    assert found == {"x", "y", "both", "z"}


@pytest.mark.parametrize("seed", range(12))
def test_nothing_shown_determines_a_small_group(seed: int) -> None:
    """By enumeration: some other numbers of the parts give the same table, for each small group."""
    sizes = [(seed * 7 + k * 3) % 9 for k in range(4)]
    numbers = dict(zip("abcd", sizes, strict=True))
    groups = {"a": "a", "b": "b", "c": "c", "d": "d", "ab": "ab", "bcd": "bcd"}
    shown = groups.keys() - hidden(groups, **numbers)
    total = sum(sizes)
    told = {name: sum(numbers[p] for p in groups[name]) for name in shown}
    worlds = [
        dict(zip("abcd", w, strict=True))
        for w in itertools.product(range(-2, total + 3), repeat=4)
        if sum(w) == total
        and all(sum(dict(zip("abcd", w, strict=True))[p] for p in groups[n]) == v
                for n, v in told.items())
        and all(w[i] == 0 for i in range(4) if sizes[i] == 0)
    ]  # fmt: skip
    for size in (1, 2, 3):
        for group in itertools.combinations("abcd", size):
            if 0 < sum(numbers[p] for p in group) < 5:
                assert len({sum(w[p] for p in group) for w in worlds}) > 1, group


def known(**sets: Iterable[object]) -> public.Release:
    """A release of which only these sets are known; members are patients, one lesion each."""
    named = {
        n.replace("__", "."): frozenset((str(p), 0) for p in those) for n, those in sets.items()
    }
    size = len(named.get("population.all", ()))
    return public.Release(size, lambda name: named.get(name, frozenset()))


def shown(rows: Iterable[Mapping[str, object]], *names: str) -> dict[str, object]:
    """What is told, by the values that name a row."""
    return {" ".join(str(r[n]) for n in names): r["n"] for r in rows if r["n"] is not None}


def test_a_coarser_grade_does_not_give_away_a_finer_one() -> None:
    """ECOG 0, 1, 2 of 10, 3 and 27: with ECOG 0 of the two levels told, 40 - 27 - 10 is three."""
    ecog = {"0": range(10), "1": range(10, 13), "2": range(13, 40)}
    two = {"0": range(10), ">=1": range(10, 40)}
    kind = "baseline_characteristics"
    sets = {f"{kind}.ecog.{k}.overall.overall": v for k, v in ecog.items()}
    sets |= {
        f"{kind}.ecog0.{k}.overall.overall": v for k, v in (("0", two["0"]), ("ge1", two[">=1"]))
    }
    release = known(population__all=range(40), **sets)
    rows = [
        {"statistic_id": f"{v}.{k}", "variable": v, "level": k, "n": len(those), "total": 40}
        | {"missing": 0}
        for v, levels in (("ecog", ecog), ("ecog0", two))
        for k, those in levels.items()
    ]
    found = public._characteristics(rows, release, 5)
    assert shown(found, "variable", "level") == {"ecog 0": 10, "ecog0 0": 10, "ecog0 >=1": 30}


def test_a_decrease_does_not_give_away_who_shrank_without_responding() -> None:
    """20 responders shrank by half or more, 3 stable ones a little: 23 with any decrease."""
    counts = {"PR": range(20), "SD": range(20, 43), "ORR": range(20), "DCR": range(43)}
    counts |= {"over_50_decrease": range(20), "any_decrease": range(23)}
    sets = {
        f"response_summary.who.lesion.all.treated.unconfirmed.{k}".lower(): v
        for k, v in counts.items()
    }
    release = known(population__all=range(43), **sets)
    rows = [
        {"statistic_id": k, "criterion": "WHO", "level": "lesion", "category": k}
        | {"n": len(those), "total": 43}
        for k, those in counts.items()
    ]
    found = shown(public._responses(rows, release, 5), "category")
    assert found == {"PR": 20, "SD": 23, "ORR": 20, "DCR": 43, "over_50_decrease": 20}


@pytest.mark.parametrize(("both", "told"), [(7, True), (8, False), (12, False)])
def test_a_pair_of_terms_does_not_give_away_who_had_one_of_them(both: int, *, told: bool) -> None:
    """12 had nausea, 15 vomiting. If 7 had both, 5 and 8 had one alone, and all may be told.

    If 8 had both, four had nausea alone; if all 12 with nausea vomited, three vomited alone.
    """
    had = {"nausea": range(12), "vomiting": range(12 - both, 27 - both)}
    had["nausea or vomiting"] = range(max(12, 27 - both))
    sets = {f"toxicity_summary.event.{t}.3_0.primary.1": those for t, those in had.items()}
    rows = [
        {"statistic_id": f"{term} {grade}", "source": "event", "term": term, "grade": grade}
        | {"ctcae_version": "3.0", "n": len(those), "total": 60}
        for term, those in had.items()
        for grade in ("1", "any")
    ]
    release = known(population__all=range(60), **sets)
    found = shown(public._toxicity(rows, release, 5), "term", "grade")
    union = {f"nausea or vomiting {g}": 27 - both for g in ("1", "any")}
    terms = {f"{t} {g}": n for t, n in (("nausea", 12), ("vomiting", 15)) for g in ("1", "any")}
    assert found == terms | (union if told else {})


def test_the_events_of_two_endpoints_do_not_give_away_those_between() -> None:
    """31 progressed or died, 28 died: three are alive with progression. The deaths are told."""
    release = known(
        population__all=range(40), events__os__subject=range(28), events__pfs__subject=range(31)
    )
    rows = [
        {"statistic_id": e, "endpoint": e, "n": 40, "events": n, "median_months": 30.0}
        for e, n in (("OS", 28), ("PFS", 31))
    ]
    found = {r["endpoint"]: r for r in public._estimates(rows, release, 5)}
    assert (found["OS"]["events"], found["PFS"]["events"]) == (28, None)
    assert found["PFS"]["median_months"] == 30.0


def test_landmarks_that_a_few_events_part_are_not_told() -> None:
    """Of 40: 0.95 is two deaths, 0.80 eight, 0.75 two more than that, 0.60 eight more."""
    rows = [
        {"statistic_id": str(m), "endpoint": "OS", "months": m, "n": 40, "survival": s}
        for m, s in ((12, 0.95), (24, 0.80), (36, 0.75), (60, 0.60))
    ]
    found = public._estimates(rows, known(population__all=range(40)), 5)
    assert [r["months"] for r in found if r["survival"] is not None] == [24, 60]


def test_a_public_bundle_has_no_row_of_a_patient_and_no_curve(
    reference_store: Store, tmp_path: Path
) -> None:
    to = tmp_path / "bundle"
    exported(reference_store, to, for_public=True)
    tables = {p.stem for p in to.rglob("*.parquet")}
    assert tables == {a.table for a in public.ALLOWED}
    text = "".join(p.read_text() for p in to.rglob("*.csv"))
    subjects = duckdb.sql(
        f"SELECT subject_id FROM '{release_of(reference_store)}/parquet/marts/subjects.parquet'"
    ).fetchall()
    assert not any(s in text for (s,) in subjects)


def test_small_cells_of_the_reference_cohort_are_withheld(
    reference_store: Store, tmp_path: Path
) -> None:
    """WHO by lesion (Memon 2012): 1 complete, 52 partial, 27 stable, 3 progressive of 83.

    53 responders can be told. The 52 cannot, since 53 - 52 is one; nor the 27, since 83 - 53 - 27
    is three; nor the 80 without progression.
    """
    to = tmp_path / "bundle"
    exported(reference_store, to, for_public=True)
    rows = pq.read_table(to / "parquet" / "outcomes" / "response_summary.parquet").to_pylist()
    who = {r["category"]: r for r in rows if (r["criterion"], r["level"]) == ("WHO", "lesion")}
    assert (who["ORR"]["n"], who["ORR"]["total"], who["NE"]["n"]) == (53, 83, 0)
    for category in ("CR", "PR", "SD", "PD", "DCR"):
        assert who[category]["n"] is who[category]["pct"] is None
        assert who[category]["suppressed"]
    for row in rows:
        assert row["n"] is None or row["n"] == 0 or row["n"] >= 5


def test_a_whole_bundle_has_the_same_rows_in_every_form(
    reference_store: Store, tmp_path: Path
) -> None:
    to = tmp_path / "bundle"
    exported(reference_store, to, with_adam=True)
    release = release_of(reference_store)
    for path in sorted((release / "parquet").glob("*/*.parquet")):
        place = path.relative_to(release / "parquet")
        assert (to / "parquet" / place).read_bytes() == path.read_bytes()
        with (to / "csv" / place.with_suffix(".csv")).open(newline="") as file:
            assert sum(1 for _ in csv.reader(file)) == pq.read_metadata(path).num_rows + 1
    described = (to / "csv" / "dictionary.csv").read_text()
    assert 'marts,time_to_event,time_days,"decimal(18, 8)",False,days' in described
    files = json.loads((to / "bundle.json").read_text())["files"]
    assert {"release.duckdb", "adam/adsl.xpt", "csv/dictionary.csv"} <= files.keys()
    assert to.stat().st_mode & 0o077 == 0


def test_an_outcome_is_in_the_public_bundle_or_a_reason_says_why_not() -> None:
    """Whoever adds an outcome decides: guarded and told, or left out with the reason."""
    every = {published_name(c) for c in outcomes.TABLES}
    shown = {a.table for a in public.ALLOWED}
    assert shown | left_out.NOT_PUBLIC.keys() == every
    assert not shown & left_out.NOT_PUBLIC.keys()
    assert all(len(reason.split()) > 5 for reason in left_out.NOT_PUBLIC.values())


def test_two_public_bundles_that_differ_by_few_patients_are_warned_of(
    own_store: Store, tmp_path: Path
) -> None:
    assert exported(own_store, tmp_path / "first", for_public=True) == []
    assert exported(own_store, tmp_path / "again", for_public=True) == []
    (known,) = (own_store.state / "exports").glob("*.json")
    facts = json.loads(known.read_text())
    known.write_text(json.dumps(facts | {"patients": facts["patients"][:-4]}))
    (warning,) = exported(own_store, tmp_path / "second", for_public=True)
    assert "fewer than 5 patients" in warning
    known.write_text(json.dumps(facts | {"patients": facts["patients"][:-5]}))
    assert exported(own_store, tmp_path / "third", for_public=True) == []


def test_two_public_bundles_of_the_same_patients_are_compared_by_whom_they_count(
    own_store: Store, tmp_path: Path
) -> None:
    """Four patients fewer in one count can be told; five cannot."""
    exported(own_store, tmp_path / "first", for_public=True)
    (counted,) = (own_store.state / "exports").glob("*.parquet")
    table = pq.read_table(counted).to_pylist()
    ((name, most),) = Counter(r["statistic_id"] for r in table).most_common(1)
    assert most > 10
    (facts,) = (own_store.state / "exports").glob("*.json")
    for path, few in ((tmp_path / "second", 4), (tmp_path / "third", 5)):
        without = [r for r in table if r["statistic_id"] == name][few:]
        earlier = [r for r in table if r["statistic_id"] != name] + without
        for old in (own_store.state / "exports").iterdir():
            old.unlink()
        facts.with_name("earlier.json").write_text(json.dumps(_facts(own_store)))
        pq.write_table(pa.Table.from_pylist(earlier), counted.with_name("earlier.parquet"))
        warnings = exported(own_store, path, for_public=True)
        assert [name in w and "fewer than 5 patients" in w for w in warnings] == [True] * (few < 5)


def _facts(store: Store) -> dict[str, object]:
    with duckdb.connect() as con:
        return {"release": "2011.03.30", "patients": sorted(public.people(con, release_of(store)))}


def test_a_bundle_never_overwrites_and_adam_is_never_public(
    reference_store: Store, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="already"):
        exported(reference_store, tmp_path)
    with pytest.raises(Refused, match="never public"):
        exported(reference_store, tmp_path / "new", for_public=True, with_adam=True)


def exported(
    store: Store, to: Path, *, for_public: bool = False, with_adam: bool = False
) -> list[str]:
    release = release_of(store)
    return export.export(store, REGISTRY, release, to, for_public=for_public, with_adam=with_adam)

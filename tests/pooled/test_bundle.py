"""What leaves for pooling is what the release published, guarded, and nothing of a patient."""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from flows import settings
from flows.__main__ import main
from schemas.errors import Refused
from simulation import registry_folder
from tests.conftest import NIGHT
from tests.support.corrections import REGISTRY
from warehouse.bundles import bundle, comparisons, curves, memory, signatures
from warehouse.bundles.policy import POLICY
from warehouse.bundles.sources import DAYS_PER_MONTH, Curve, Factor, Source
from warehouse.concordance.answers import answers, column
from warehouse.concordance.answers import rows as answers_rows
from warehouse.engine.connections import connection
from warehouse.sharing import public
from warehouse.store import Store

CONFIG = registry_folder("memon2012", "redcap") / "registry.toml"
CHOSEN = curves.Chosen((12, 24, 36, 60), (12, 24, 36, 60), True)


def release_of(store: Store) -> Path:
    return store.release(f"{NIGHT:%Y.%m.%d}")


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    return pq.read_table(folder / f"{table}.parquet").to_pylist()


def key(folder: Path) -> Any:
    path = folder / "k.signing"
    if not path.exists():
        signatures.new_key(path, "memon2012")
    return signatures.read_key(path)


@pytest.fixture
def made(own_store: Store, tmp_path: Path) -> Path:
    to = tmp_path / "bundle"
    registry = settings.load_registry(CONFIG)
    bundle.export_pool(own_store, registry, release_of(own_store), to, key(tmp_path))
    return to


def test_a_bundle_says_what_it_is_and_is_signed(made: Path, tmp_path: Path) -> None:
    sheet = (made / "bundle.json").read_bytes()
    facts = json.loads(sheet)
    assert facts["format"] == "y90-pool-bundle-1"
    assert (facts["registry"], facts["origin"]) == ("memon2012", "synthetic")
    assert (facts["before"], facts["number"]) == (None, 1)
    assert set(facts["files"]) == {p.name for p in made.glob("*.parquet")}
    assert len(facts["files"]) == 8
    public_half = (tmp_path / "k.signing.pub").read_text()
    assert signatures.signed_by(public_half, sheet, (made / "bundle.json.sig").read_text())


def test_no_pseudonym_no_day_and_no_site_is_in_it(made: Path, own_store: Store) -> None:
    everything = (
        "\n".join(json.dumps(rows(made, p.stem)) for p in made.glob("*.parquet"))
        + (made / "bundle.json").read_text()
    )
    release = release_of(own_store)
    subjects = pq.read_table(release / "parquet/marts/subjects.parquet")["subject_id"].to_pylist()
    assert len(subjects) == 40
    assert [s for s in subjects if s in everything] == []
    for table in made.glob("*.parquet"):
        assert not {"subject_id", "time_days", "site_id"} & set(pq.read_schema(table).names)
    assert not any("site_id" in r["statistic_id"] for r in rows(made, "counts"))


def test_counts_are_those_of_the_public_tables(made: Path, own_store: Store) -> None:
    shown = {
        r["statistic_id"]: r
        for table, listed in public.tables(release_of(own_store), 5, "3.0").items()
        if table in ("response_summary", "toxicity_summary", "symptom_summary", "adherence_summary")
        for r in listed
    }
    told = {r["statistic_id"]: r for r in rows(made, "counts")}
    assert len(told) > 100
    assert shown.keys() <= told.keys()
    for name, r in shown.items():
        if told[name]["suppressed"]:
            assert (told[name]["n"], told[name]["total"], told[name]["missing"]) == (None,) * 3
            assert r["suppressed"] or r["n"] is None
        else:
            assert (told[name]["n"], told[name]["total"]) == (r["n"], r["total"])


def test_every_statistic_says_what_it_rests_on(made: Path) -> None:
    defined = {r["statistic_id"] for r in rows(made, "definitions")}
    for table in ("counts", "moments", "levels", "steps", "comparisons", "models"):
        assert {r["statistic_id"] for r in rows(made, table)} <= defined, table
    assert {r["key"] for r in rows(made, "definitions")} > {"number", "response.lesion_start"}


def test_steps_are_of_enough_exits_and_of_everybody(made: Path) -> None:
    listed = rows(made, "steps")
    for _, own in itertools.groupby(listed, key=lambda r: r["statistic_id"]):
        steps = list(own)
        assert steps[0]["from_month"] == 0
        assert steps[0]["at_risk"] == 40
        for r, after in itertools.pairwise(steps):
            assert after["from_month"] == r["to_month"]
            assert after["at_risk"] == r["at_risk"] - r["events"] - r["censored"]
        assert all(r["events"] + r["censored"] >= 5 for r in steps)
        last = steps[-1]
        behind = last["at_risk"] - last["events"] - last["censored"]
        assert behind == 0 or behind >= 5
    assert {r["endpoint"] for r in listed} == {"OS", "PFS", "TTP", "HPFS"}


def test_levels_are_the_published_ones_where_a_bin_ends(made: Path, own_store: Store) -> None:
    ends = {(r["endpoint"], r["to_month"]) for r in rows(made, "steps")}
    published = {
        (name, months): value
        for name, months, value in duckdb.sql(
            "SELECT endpoint, months, survival FROM "
            f"'{release_of(own_store)}/parquet/outcomes/survival_landmarks.parquet' "
            "WHERE population = 'all' AND factor = '' AND level = 'subject'"
        ).fetchall()
    }
    listed = [r for r in rows(made, "levels") if r["kind"] == "landmark"]
    assert listed
    for r in listed:
        assert (r["endpoint"], r["months"]) in ends
        assert r["value"] == round(published[r["endpoint"], r["months"]], 4)
        assert r["at_risk"] >= 5


def pbc(registry: str) -> Any:
    """A registry of `survival::pbc` as a source of one endpoint and one factor."""
    own = answers_rows("pbc5", registry=registry)
    names = tuple(f"p{n:03d}" for n in range(len(own)))
    dead = column(own, "cause") == 2
    bad = dict(zip(names, (column(own, "edema") == 1).tolist(), strict=True))
    return SimpleNamespace(
        curves={
            "OS": Curve(names, column(own, "days"), dead),
            "PFS": Curve(names, column(own, "days"), dead),
        },
        factors=[Factor("edema", "yes", bad)],
    )


@pytest.mark.parametrize("place", [0, 1])
def test_comparisons_are_rs_rounded(place: int) -> None:
    found = dict(comparisons.units(pbc("AB"[place]), {}))
    (row,) = found["comparison OS edema"].rows["comparisons"]
    assert row["u"] == round(answers("pooled")["pbc5"]["u"][place], 1)
    assert row["v"] == round(answers("pooled")["pbc5"]["v"][place], 1)
    assert row["n"] == (139, 112)[place]


def test_a_small_level_is_not_compared() -> None:
    """Registry E: three of thirty have oedema."""
    assert dict(comparisons.units(pbc("E"), {})) == {}


def test_a_budget_is_spent_in_the_order_of_endpoints_and_not_beyond() -> None:
    source = pbc("A")
    curve = source.curves["OS"]
    whole = comparisons.possible(source.factors[0], curve)
    free = dict(comparisons.units(source, {}))
    assert list(free) == ["comparison OS edema", "comparison PFS edema"]
    bits = free["comparison OS edema"].bits["edema"]
    assert bits > 10
    tight = whole - bits - POLICY.bits_left.value - 0.5
    assert list(dict(comparisons.units(source, {"edema": tight}))) == ["comparison OS edema"]
    (row,) = free["comparison OS edema"].rows["comparisons"]
    assert row["b"] is not None
    tighter = dict(comparisons.units(source, {"edema": tight + 1}))
    assert tighter["comparison OS edema"].rows["comparisons"][0]["b"] is None
    assert dict(comparisons.units(source, {"edema": whole - 12})) == {}


def test_no_factor_is_told_beyond_its_budget(made: Path) -> None:
    """Of forty patients so many have died at each level that no comparison leaves."""
    ledger = rows(made, "ledger")
    assert len(ledger) == 4
    assert rows(made, "comparisons") == []
    for r in ledger:
        assert r["now"] == 0
        assert r["left"] == r["possible"]


def test_the_same_release_again_tells_the_same_and_spends_nothing_unseen(
    own_store: Store, made: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    registry = settings.load_registry(CONFIG)
    bundle.export_pool(own_store, registry, release_of(own_store), again, key(tmp_path))
    for table in ("counts", "moments", "steps", "levels"):
        assert rows(again, table) == rows(made, table)
    facts = json.loads((again / "bundle.json").read_text())
    before = json.loads((made / "bundle.json").read_text())
    assert facts["number"] == 2
    assert facts["before"] != before["before"]
    told = rows(made, "comparisons")
    assert [r for r in rows(again, "comparisons") if r not in told] == []


def test_a_bundle_overwrites_nothing(own_store: Store, made: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="something already"):
        bundle.export_pool(own_store, REGISTRY, release_of(own_store), made, key(tmp_path))


def curve(days: list[float], event: list[bool]) -> Curve:
    names = tuple(f"p{n}" for n in range(len(days)))
    return Curve(names, np.array(days, float), np.array(event, bool))


def month(numbers: list[int]) -> list[float]:
    return [n * DAYS_PER_MONTH for n in numbers]


def ends(found: tuple[Any, ...]) -> list[tuple[int, int, int]]:
    return [(b.end, b.events, b.censored) for b in found]


def test_a_bin_ends_at_the_first_month_with_five_exits_and_five_left() -> None:
    """Months 1 to 12, one exit each: a second bin of five would leave two, and takes them."""
    found = curves.bins(curve(month([*range(1, 13)]), [True] * 12), CHOSEN, None)
    assert ends(found) == [(5, 5, 0), (12, 7, 0)]


def test_day_0_and_the_last_day_of_a_month_are_in_its_bin() -> None:
    days = [0.0, DAYS_PER_MONTH, *[DAYS_PER_MONTH + 1] * 4, *[200.0] * 6]
    found = curves.bins(curve(days, [True] * 12), CHOSEN, None)
    assert ends(found)[0] == (2, 6, 0)


def test_a_landmark_ends_a_bin_that_takes_what_is_left() -> None:
    """Five by month 8, two more by 12: they join them, so that the curve can be told at 12."""
    numbers = [*[8] * 5, 10, 11, *[20] * 9]
    assert [b.end for b in curves.bins(curve(month(numbers), [True] * 16), CHOSEN, None)] == [
        12,
        20,
    ]


def test_bins_told_before_are_joined_and_never_split() -> None:
    """Told to 10 and to 20: later no bin ends in month 5, though five had left by then."""
    plain = curves.Chosen((), (), True)

    def told(*numbers: int) -> list[int]:
        given = curve(month([*numbers]), [True] * len(numbers))
        return [b.end for b in curves.bins(given, plain, (10, 20))]

    assert told(*[5] * 5, *[10] * 5, *[20] * 5, *[30] * 5) == [10, 20, 30]
    assert told(*[5] * 5, *[10] * 2, *[20] * 8, *[30] * 5) == [10, 20, 30]
    assert told(*[5] * 3, *[20] * 8, *[30] * 5) == [20, 30]


def test_a_house_may_ask_for_bins_that_are_not_alike() -> None:
    chosen = curves.Chosen((), (), False)
    numbers, event = [*range(1, 11), *[20] * 6], [*[True] * 8, False, False, *[True, False] * 3]
    found = curves.bins(curve(month(numbers), event), chosen, None)
    assert all(b.events and b.censored for b in found)
    assert [b.end for b in found] == [9, 20]


def test_few_patients_or_events_have_no_curve() -> None:
    assert not curves.enough(curve([*range(1, 20)], [True] * 19))
    assert not curves.enough(curve([*range(1, 31)], [*[True] * 9, *[False] * 21]))
    assert curves.enough(curve([*range(1, 21)], [*[True] * 10, *[False] * 10]))


def test_nobodys_state_is_certain_by_the_levels(own_store: Store) -> None:
    """The ways in which a bin's exits can have been events are left by the thousand."""
    with connection() as con:
        source = Source(con, release_of(own_store))
        found = dict(curves.units(source, CHOSEN, lambda _: None))
        for name, unit in found.items():
            own = source.curves[name.removeprefix("curve ")]
            bins = [curves.Bin(r["from_month"], r["to_month"], r["events"], r["censored"])
                    for r in unit.rows["steps"]]  # fmt: skip
            given = sum(unit.bits.values())
            if unit.rows["levels"]:
                assert curves.possible_states(own, bins) - given >= POLICY.bits_left.value


def test_a_bundle_by_the_command_line(
    own_store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    words = ["--store", str(own_store.root), "--config", str(CONFIG)]
    export = [*words, "export", "current", "--pool", "--to"]
    assert main([*export, str(tmp_path / "one")]) == 2
    assert "y90 key new --signing" in capsys.readouterr().err
    assert main([*words, "key", "new", "--signing"]) == 0
    assert "ssh-ed25519" in capsys.readouterr().out
    assert main([*export, str(tmp_path / "one")]) == 0
    assert main([*export, str(tmp_path / "one")]) == 2
    assert main([*export, str(tmp_path / "two"), "--public"]) == 2
    assert len(memory.earlier(own_store)) == 1


def test_no_count_of_few_patients_is_told(made: Path) -> None:
    told = [r for r in rows(made, "counts") if not r["suppressed"]]
    of_patients = [r for r in told if ".lesion." not in r["statistic_id"]]
    assert len(of_patients) > 50
    for r in of_patients:
        for n in (r["n"], r["total"] - r["n"], 40 - r["total"]):
            assert n == 0 or n >= 5, r

"""Bundles of several registries are pooled, or refused with the reason, and never quietly."""

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.estimators.kaplan_meier import event_table, kaplan_meier, median, survival_at
from analytics.pooled.steps import Level, between
from flows.__main__ import main
from report.pooled import page
from schemas.errors import Failed, Refused
from schemas.house_settings import Member
from tests.pooled.network import (
    COUNTS,
    HIDDEN,
    NAMES,
    ORR,
    RARE,
    Network,
    configured,
    days_and_deaths,
    defined,
    sheet,
    told,
    write,
)
from warehouse.bundles import signatures
from warehouse.bundles.sources import DAYS_PER_MONTH
from warehouse.concordance.answers import answers
from warehouse.pooling import reading, release, together

R: Any = answers("pooled")
OS = "survival_medians.all.os.subject.overall.overall.midpoint"
EDEMA = "prognosis_univariate.all.os.edema.yes"


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return Network(tmp_path)


def pooled(network: Network, *folders: Path, strict: bool = False) -> release.Made:
    return release.run(
        folders or network.bundles(), network.pool, network.folder / "pooled", page.write,
        strict=strict,
    )  # fmt: skip


def row(made: release.Made, table: str, **wanted: object) -> dict[str, Any]:
    (found,) = [
        r for r in release.rows(made.folder, table)
        if all(r[k] == v for k, v in wanted.items())
    ]  # fmt: skip
    return found


def numbers(found: Mapping[str, Any]) -> tuple[Any, ...]:
    return found["value"], found["lower"], found["upper"]


def test_counts_are_those_of_one_registry_of_all_patients(network: Network) -> None:
    made = pooled(network)
    together_ = row(made, "estimates", statistic_id=ORR, method="together")
    assert (together_["n"], together_["total"], together_["exact"]) == (97, 187, True)
    assert [x / 100 for x in numbers(together_)] == pytest.approx(
        R["shares"]["together"], abs=1e-12
    )
    model = row(made, "estimates", statistic_id=ORR, method="random_intercept")
    assert [x / 100 for x in numbers(model)] == pytest.approx(R["shares"]["limits"], abs=1e-8)
    apart = row(made, "heterogeneity", statistic_id=ORR)
    assert apart["tau2"] == pytest.approx(R["shares"]["tau2"], abs=1e-8)
    assert (apart["new_lower"] / 100, apart["new_upper"] / 100) == pytest.approx(
        R["shares"]["prediction"], abs=1e-8
    )
    for name, expected in zip(NAMES, R["left_out"], strict=True):
        left = row(made, "leave_one_out", statistic_id=ORR, left_out=name)
        assert [x / 100 for x in numbers(left)] == pytest.approx(expected, abs=1e-12)


def test_where_none_has_it_there_are_exact_limits_and_no_model(network: Network) -> None:
    made = pooled(network)
    assert row(made, "estimates", statistic_id=RARE)["method"] == "together"
    assert row(made, "estimates", statistic_id=RARE)["value"] == 0
    assert row(made, "estimates", statistic_id=RARE)["note"] == (
        "all or none have it: the exact limits alone"
    )
    assert not [r for r in release.rows(made.folder, "heterogeneity") if r["statistic_id"] == RARE]


def test_a_suppressed_registry_is_told_and_the_sum_is_no_longer_exact(network: Network) -> None:
    made = pooled(network)
    found = row(made, "estimates", statistic_id=HIDDEN, method="together")
    assert (found["n"], found["total"], found["exact"]) == (28, 160, False)
    assert found["note"] == "4 of 5 registries told it"
    silent = row(made, "by_registry", statistic_id=HIDDEN, registry="isle")
    assert silent["suppressed"]
    assert (silent["n"], silent["value"], silent["as_of"]) == (None, None, None)


def test_only_counts_are_called_exact(network: Network) -> None:
    exact = {r["method"] for r in release.rows(pooled(network).folder, "estimates") if r["exact"]}
    assert exact == {"together"}


def test_the_curve_of_all_patients_lies_inside_the_limits_every_day(network: Network) -> None:
    made = pooled(network)
    levels = [
        Level(r["months"], r["least"], r["greatest"])
        for r in release.rows(made.folder, "curves")
        if r["statistic_id"] == OS
    ]
    assert len(levels) > 10
    curve = kaplan_meier(event_table(*days_and_deaths()))
    for day in range(1, int(levels[-1].months * DAYS_PER_MONTH)):
        held = between(levels, day / DAYS_PER_MONTH)
        read = survival_at(curve, day).value
        assert held is not None
        assert read is not None
        assert held[0] - 1e-12 <= read <= held[1] + 1e-12
    middle, found = median(curve).value, row(made, "estimates", statistic_id=OS)
    assert middle is not None
    assert found["lower"] <= middle / DAYS_PER_MONTH <= (found["upper"] or math.inf)
    assert found["value"] is None


def test_levels_are_near_to_those_of_all_patients(network: Network) -> None:
    """By patients, of the registries that told them: within a tenth of a standard error of R's."""
    made = pooled(network)
    name = "survival_landmarks.all.os.subject.overall.overall.36"
    found = row(made, "estimates", statistic_id=name, method="weighted")
    told_by = [r for r in release.rows(made.folder, "by_registry")
               if r["statistic_id"] == name and not r["suppressed"]]  # fmt: skip
    places = [NAMES.index(r["registry"]) for r in told_by]
    n = [R["pbc5"]["n"][k] for k in places]
    expected = sum(k * R["pbc5"]["survival_36"][p][0] for k, p in zip(n, places, strict=True))
    assert len(told_by) >= 2
    assert found["value"] == pytest.approx(expected / sum(n), abs=5e-5)


def test_the_log_rank_is_rs_within_its_limits(network: Network) -> None:
    """Of the registries that told it; R's own sums, rounded."""
    made = pooled(network)
    found = row(made, "estimates", statistic_id=EDEMA, method="log_rank")
    told_by = [r["registry"] for r in release.rows(made.folder, "by_registry")
               if r["statistic_id"] == EDEMA and not r["suppressed"]]  # fmt: skip
    places = [NAMES.index(n) for n in told_by]
    u, v = (sum(R["pbc5"][name][k] for k in places) for name in ("u", "v"))
    assert len(told_by) == found["registries"] >= 2
    assert found["lower"] <= math.erfc(math.sqrt(u * u / v / 2)) <= found["upper"]
    assert not found["exact"]


def test_a_ratio_has_one_effect_and_effects_that_vary(network: Network) -> None:
    made = pooled(network)
    one = row(made, "estimates", statistic_id=EDEMA, method="common_effect")
    by = [r for r in release.rows(made.folder, "by_registry")
          if r["statistic_id"] == EDEMA and r["value"] is not None]  # fmt: skip
    logs = [math.log(r["value"]) for r in by]
    weights = [(2 * 1.959963984540054 / math.log(r["upper"] / r["lower"])) ** 2 for r in by]
    mean = sum(w * b for w, b in zip(weights, logs, strict=True)) / sum(weights)
    assert one["value"] == pytest.approx(math.exp(mean), rel=1e-9)
    assert sum(r["weight_pct"] for r in by) == pytest.approx(100)
    several = row(made, "estimates", statistic_id=EDEMA, method="varying_effects")
    assert several["lower"] <= one["lower"] * 1.0000001
    assert several["upper"] >= one["upper"] * 0.9999999


def test_the_order_of_bundles_changes_nothing_and_nothing_is_published_twice(
    network: Network,
) -> None:
    folders = network.bundles()
    first = pooled(network, *folders)
    again = pooled(network, *reversed(folders))
    assert (first.new, again.new) == (True, False)
    assert again.folder == first.folder


def test_a_release_is_verified_and_its_database_has_comments(network: Network) -> None:
    made = pooled(network)
    home = network.folder / "pooled"
    assert release.verify(home, made.folder, network.pool) == []
    with duckdb.connect(str(made.folder / "release.duckdb"), read_only=True) as con:
        sql = "SELECT comment FROM duckdb_tables() WHERE table_name = 'estimates'"
        assert "pooled statistic" in con.execute(sql).fetchall()[0][0]
        assert con.execute("SELECT count(*) FROM pooled.sources").fetchall() == [(5,)]
    changed = made.folder / "parquet/pooled/estimates.parquet"
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    assert any("estimates" in w for w in release.verify(home, made.folder, network.pool))
    kept = next((home / "bundles").iterdir()) / "counts.parquet"
    kept.write_bytes(kept.read_bytes() + b"x")
    assert any("not made again" in w for w in release.verify(home, made.folder, network.pool))


def test_a_changed_setting_refuses_exactly_what_rests_on_it(network: Network) -> None:
    folders = [
        network.bundle(n, settings={"response.lesion_start": '"lobe"'} if n == "south" else None)
        for n in NAMES
    ]
    made = pooled(network, *folders)
    refused = release.rows(made.folder, "refused")
    assert {r["statistic_id"] for r in refused} == {ORR, RARE, HIDDEN}
    assert {(r["key"], r["first"], r["left"], r["registry"], r["right"]) for r in refused} >= {
        ("response.lesion_start", "east", '"T0"', "south", '"lobe"')
    }
    assert made.refused[0] == (
        f'{ORR}: response.lesion_start is "T0" in east, "lobe" in south (and 2 statistics more)'
    )
    pooled_ = {r["statistic_id"] for r in release.rows(made.folder, "estimates")}
    assert pooled_ & {ORR, RARE, HIDDEN} == set()
    assert {OS, EDEMA} <= pooled_


def test_strict_publishes_nothing_if_one_is_refused(network: Network) -> None:
    folders = [
        network.bundle(n, settings={"survival.x": n} if n == "west" else None) for n in NAMES
    ]
    with pytest.raises(Failed, match=r"survival\.x is"):
        pooled(network, *folders, strict=True)
    assert release.listing(network.folder / "pooled") == []


@pytest.mark.parametrize(
    "name",
    ["bundle.json", "bundle.json.sig", "counts.parquet", "steps.parquet", "definitions.parquet"],
)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_one_byte_flipped_is_refused(network: Network, name: str, share: float) -> None:
    folders = network.bundles()
    path = folders[2] / name
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Refused, match="east"):
        pooled(network, *folders)
    assert not (network.folder / "pooled").exists()


def refusal(network: Network, *folders: Path) -> str:
    with pytest.raises(Refused) as caught:
        pooled(network, *folders)
    assert release.listing(network.folder / "pooled") == []
    return str(caught.value)


def test_a_missing_or_cut_off_file_is_refused(network: Network) -> None:
    folders = network.bundles()
    (folders[0] / "steps.parquet").unlink()
    cut = folders[1] / "counts.parquet"
    cut.write_bytes(cut.read_bytes()[:200])
    said = refusal(network, *folders)
    assert "steps.parquet: missing" in said
    assert "counts.parquet: changed since" in said
    assert "bundle.json: missing" in refusal(network, network.folder / "nowhere")


def test_another_key_or_an_unknown_registry_is_refused(network: Network) -> None:
    others = [network.bundle(n) for n in NAMES[1:]]
    assert "not signed by the key" in refusal(
        network, network.bundle("north", signed_by="south"), *others
    )
    foreign = network.bundle("north")
    pool = network.pool.model_copy(
        update={"registries": {n: m for n, m in network.pool.registries.items() if n != "north"}}
    )
    with pytest.raises(Refused, match=r"which pool\.toml does not name"):
        reading.read(foreign, pool)


def test_two_bundles_of_a_registry_and_a_shared_delivery_are_refused(network: Network) -> None:
    folders = network.bundles()
    assert "north: 2 bundles" in refusal(network, *folders, network.bundle("north"))
    shared = network.bundle("isle", deliveries=["delivery of west"])
    assert "isle, west: one delivery in both" in refusal(network, *folders[:4], shared)


def test_a_shared_signing_key_is_refused(network: Network) -> None:
    registries = dict(network.pool.registries) | {"isle": network.pool.registries["north"]}
    network.pool = network.pool.model_copy(update={"registries": registries})
    folders = [network.bundle(n) for n in NAMES[:4]]
    said = refusal(network, *folders, network.bundle("isle", signed_by="north"))
    assert "isle, north: one signing key" in said


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"origin": "clinical"}, "different origins: clinical in isle; synthetic in"),
        ({"ctcae_version": "5.0"}, "different CTCAE versions"),
        ({"format": "y90-pool-bundle-2"}, "format 'y90-pool-bundle-2'"),
        ({"as_of": "2999-01-01"}, "isle: of 2999-01-01, which has not come yet"),
        ({"data_cutoff": "2024-06-01"}, "isle: its data cutoff, 2024-06-01, is later than"),
        ({"engines": None}, ""),
    ],
)
def test_what_must_not_be_mixed_is_refused(
    network: Network, facts: dict[str, Any], said: str
) -> None:
    folders = [network.bundle(n) for n in NAMES[:4]]
    odd = network.bundle("isle", **facts)
    if said:
        assert said in refusal(network, *folders, odd)
    else:
        assert "versions of the engines differ" in pooled(network, *folders, odd).warnings


def test_too_few_registries_are_refused(network: Network) -> None:
    assert "2 registries: fewer than min_registries, 3" in refusal(
        network, network.bundle("north"), network.bundle("south")
    )


def test_an_empty_bundle_is_refused(network: Network) -> None:
    tables = told("isle", {})
    for table in tables:
        tables[table] = []
    empty = write(network.folder / "empty", "isle", tables, network.keys["isle"])
    assert "an empty bundle" in refusal(network, empty)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("counts", {"n": 50}),
        ("counts", {"n": -1}),
        ("comparisons", {"events_bad": 4000}),
        ("steps", {"events": None}),
        ("levels", {"value": math.nan}),
        ("levels", {"kind": "day"}),
    ],
)
def test_numbers_that_no_registry_has_are_refused(
    network: Network, table: str, change: dict[str, Any]
) -> None:
    tables = told("north", COUNTS["north"])
    defined(tables)
    tables[table][0] |= change
    odd = write(network.folder / "odd", "north", tables, network.keys["north"])
    assert "not possible, or told twice" in refusal(network, odd)


def test_a_table_of_other_columns_is_refused(network: Network) -> None:
    folder = network.bundle("north")
    table = pq.read_table(folder / "counts.parquet")
    more = table.append_column("subject_id", pa.array(["x"] * len(table)))
    facts = sheet(folder)
    other = network.folder / "other"
    shutil.copytree(folder, other)
    pq.write_table(more, other / "counts.parquet")
    facts["files"]["counts.parquet"] = reading.hashlib.sha256(
        (other / "counts.parquet").read_bytes()
    ).hexdigest()
    text = (json.dumps(facts) + "\n").encode()
    (other / "bundle.json").write_bytes(text)
    (other / "bundle.json.sig").write_text(signatures.sign(network.keys["north"], text))
    assert "its columns are not those" in refusal(network, other)


def test_an_older_bundle_than_the_one_pooled_is_refused(network: Network) -> None:
    first = network.bundles()
    newer = [
        network.bundle(n, number=2, as_of="2024-06-30",
                       before=together_hash(f))
        for n, f in zip(NAMES, first, strict=True)
    ]  # fmt: skip
    pooled(network, *first)
    pooled(network, *newer)
    with pytest.raises(Refused, match="north: bundle 1 of 2024-05-31 is older"):
        pooled(network, first[0], *newer[1:])
    assert len(release.listing(network.folder / "pooled")) == 2


def together_hash(folder: Path) -> str:
    return reading.hashlib.sha256((folder / "bundle.json").read_bytes()).hexdigest()


def test_a_bundle_that_does_not_follow_the_last_one_is_refused(network: Network) -> None:
    first = network.bundles()
    pooled(network, *first)
    fork = network.bundle("north", number=2, as_of="2024-06-30", before="something else")
    with pytest.raises(Refused, match="does not follow the one pooled last"):
        pooled(network, fork, *first[1:])


def test_a_registry_that_leaves_is_said_before_anything_is_published(network: Network) -> None:
    first = network.bundles()
    pooled(network, *first)
    with pytest.raises(Refused, match="north: pooled last time, and no bundle of it now"):
        pooled(network, *first[1:])
    network.pool = network.pool.model_copy(update={"left": ("north",)})
    made = pooled(network, *first[1:])
    assert made.folder.name == "2024.05.31.2"
    changed = release.changes(network.folder / "pooled" / "2024.05.31", made.folder)
    moved = next(c for c in changed if (c["statistic_id"], c["method"]) == (ORR, "together"))
    assert moved["registries"] == "north"


def test_a_rotated_key_is_refused_until_the_pool_knows_it(network: Network) -> None:
    folders = network.bundles()
    path = network.folder / "keys" / "north.new"
    public = signatures.new_key(path, "north")
    network.keys["north"] = signatures.read_key(path)
    rotated = network.bundle("north")
    assert "not signed by the key" in refusal(network, rotated, *folders[1:])
    registries = dict(network.pool.registries) | {"north": Member(key=public)}
    network.pool = network.pool.model_copy(update={"registries": registries})
    assert "not signed by the key" in refusal(network, *folders)
    assert pooled(network, rotated, *folders[1:]).new


def test_cutoffs_far_apart_are_told(network: Network) -> None:
    folders = [network.bundle(n) for n in NAMES[:4]]
    early = network.bundle("isle", data_cutoff="2023-10-31")
    warned = pooled(network, *folders, early).warnings
    assert any("213 days apart: 2023-10-31 in isle" in w for w in warned)
    assert any("counts twice" in w for w in warned)


def test_every_pair_of_registries_is_compared_with_the_first(network: Network) -> None:
    folders = [network.bundle(n, settings={"survival.x": n[0]}) for n in NAMES]
    bundles = reading.read_all(folders, network.pool)
    found = [d for d in together.differences(bundles) if d.statistic_id == ORR]
    assert {(d.first, d.registry) for d in found} == {
        ("east", other) for other in NAMES if other != "east"
    }


def test_the_commands(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(configured(network))]
    folders = [str(f) for f in network.bundles()]
    assert main(["pool", "check", *folders, *config]) == 0
    assert "means the same in every registry" in capsys.readouterr().out
    assert main(["pool", "run", *folders, *config]) == 0
    assert "report/index.html" in capsys.readouterr().out
    assert main(["pool", "run", *folders, *config]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main(["pool", "show", *config]) == 0
    assert ORR in capsys.readouterr().out
    assert main(["pool", "show", ORR, *config]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in NAMES)
    assert main(["pool", "show", "nothing", *config]) == 2
    assert main(["pool", "verify", *config]) == 0
    assert main(["pool", "diff", "2024.05.31", "2024.05.31", *config]) == 0
    assert main(["pool", "verify", "2020.01.01", *config]) == 2
    follows = {"number": 2, "before": together_hash(Path(folders[4]))}
    odd = str(network.bundle("isle", settings={"survival.x": "1"}, **follows))
    assert main(["pool", "check", *folders[:4], odd, *config, "--json"]) == 1
    assert main(["pool", "run", *folders[:4], odd, *config, "--strict"]) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ('name = "x"\n[registries.a]\nkey = "ssh-rsa AAAA"\n', "registries.a.key"),
        ('name = "x"\nmin_registries = 1\n[registries.a]\nkey = "k"\n', "min_registries"),
        ('name = "x"\nunknown = 1\n[registries.a]\nkey = "k"\n', "unknown"),
    ],
)
def test_a_wrong_pool_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = tmp_path / "pool.toml"
    path.write_text(text)
    assert main(["pool", "verify", "--config", str(path)]) == 2
    assert said in capsys.readouterr().err
    assert main(["pool", "verify", "--config", str(tmp_path / "none.toml")]) == 2


def test_the_page_shows_every_registry_and_names_nothing_outside_itself(network: Network) -> None:
    text = (pooled(network).folder / "report" / "index.html").read_text("utf-8")
    assert all(f">{name}<" in text for name in NAMES)
    assert "told nothing" in text
    assert "SYNTHETIC DATA" in text
    assert "src=" not in text
    assert text.count("<svg") == text.count("<title>") - 1
    assert "href=" not in text
    assert "None" not in text

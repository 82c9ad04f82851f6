"""Another reading of one setting: which numbers it moves, and that it moves no others."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pytest

from schemas.contract import table_name
from schemas.records.alternatives import ALTERNATIVES, NOT_VARIED, ON_MARTS, TRIED, Alternative
from schemas.section import Section
from schemas.settings import OutcomeSettings, ResponseSettings
from schemas.tables import intermediate, marts, outcomes
from schemas.tables.registry import TABLES as REGISTRY_TABLES
from tests.conftest import SITE, deliver, job
from tests.support.pipe_tables import Row, table
from warehouse import pipeline
from warehouse.building import sensitivity as readings
from warehouse.building.build import computed, kept
from warehouse.building.definitions import reads_of_all
from warehouse.engine.compiled import of_this_machine
from warehouse.engine.embedded import engine
from warehouse.engine.kept_tables import keep_rows
from warehouse.engine.lineage import derivations, upstream
from warehouse.releases.query import open_release
from warehouse.releases.releases import resolve
from warehouse.store import Store

CONTRACTS = (
    *REGISTRY_TABLES,
    *intermediate.TABLES,
    *marts.TABLES,
    *outcomes.TABLES,
)
EVERYONE = """
    | population | subject_id |
    | all        | A          |
    | all        | B          |
    | site:s1    | A          |
"""
Ask = Callable[..., dict[str, Row]]


@pytest.fixture
def tried(tmp_path: Path) -> Iterator[Ask]:
    """Derive from literal tables, try readings of some settings, and give rows by setting."""
    with engine(tmp_path / "scratch.duckdb", threads=1) as con:

        def ask(
            literal: dict[str, str],
            made: tuple[str, ...],
            *settings: str,
            chosen: OutcomeSettings | None = None,
        ) -> dict[str, Row]:
            chosen = chosen or OutcomeSettings()
            known = _night(con, literal, made, chosen)
            groups = tuple((a,) for a in ALTERNATIVES if a.setting in settings)
            found = readings.sensitivity(con, known, chosen, groups).to_pyarrow().to_pylist()
            assert readings.OTHERWISE not in con.list_databases()
            return {f"{r['setting']} {r['base_statistic_id']}": r for r in found}

        yield ask


def _night(
    con: Any, literal: dict[str, str], made: tuple[str, ...], settings: OutcomeSettings
) -> dict[str, ibis.Table]:
    known = {
        table_name(c): keep_rows(con, table_name(c), table(c, literal.get(table_name(c))))
        for c in CONTRACTS
    }
    for name, derivation in derivations().items():
        if name in made:
            con.drop_table(name)
            known[name] = computed(con, derivation, known, settings)
    return known


DOSES = {
    "population_members": EVERYONE,
    "sessions": """
        | subject_id | session_number | session_id | session_date | course |
        | A          | 1              | s1         | d0           | 1      |
        | B          | 1              | s1         | d0           | 1      |
    """,
    "anchors": """
        | subject_id | t0_date |
        | A          | d0      |
        | B          | d0      |
    """,
    "treatments": """
        | subject_id | session_id | target_id | treatment_date | device | target_volume_ml | target_mass_kg | activity_administered_gbq | lung_shunt_fraction | residual_fraction |
        | A          | s1         | t1        | d0             | glass  | 1000             |                | 1.03                      | 0                   | 0                 |
        | B          | s1         | t1        | d0             | glass  |                  | 2              | 6                         | 0                   | 0                 |
    """,  # noqa: E501 # a table is read better whole
}
MEDIAN_DOSE = "dosimetry_summary.all.dose_gy.target.overall"


def test_the_constant_of_49_67_lowers_every_dose(tried: Ask) -> None:
    """50 and 150 Gy, median 100; by 49.67 Gy kg/GBq they are 49.67 and 149.01, median 99.34."""
    found = tried(DOSES, ("treatment_targets", "dosimetry_summary"), "dosimetry.mird_constant")
    row = found[f"dosimetry.mird_constant {MEDIAN_DOSE}"]
    assert (row["alternative"], row["flips"], row["reason"]) == ("49.67", False, None)
    assert (row["base_value"], row["value"]) == pytest.approx((100, 99.34))


def test_a_density_moves_only_the_dose_whose_mass_was_not_delivered(tried: Ask) -> None:
    """1000 mL of 1.06 g/mL are 1.06 kg: 48.585 instead of 50 Gy; B's 150 Gy stay."""
    found = tried(DOSES, ("treatment_targets", "dosimetry_summary"), "dosimetry.liver_density_g_ml")
    row = found[f"dosimetry.liver_density_g_ml {MEDIAN_DOSE}"]
    assert row["value"] == pytest.approx((50 * 1.03 / 1.06 + 150) / 2, abs=1e-5)


LESIONS = {
    "population_members": EVERYONE,
    "anchors": """
        | subject_id | t0_date | last_session_date |
        | A          | d0      | d0                |
        | B          | d0      | d0                |
    """,
    "subject_lesions": """
        | subject_id | lesion_number | lesion_id | organ | lobe  | index_lesion | recist_target | lobe_date |
        | A          | 1             | l1        | liver | right | yes          | yes           | d0        |
        | B          | 1             | l1        | liver | right | yes          | yes           | d0        |
    """,  # noqa: E501 # a table is read better whole
    "scans": """
        | subject_id | scan_date  | modality | reader | arterial_phase |
        | A          | 2019-12-25 | CT       | local  | yes            |
        | A          | d30        | CT       | local  | yes            |
        | B          | 2019-12-25 | CT       | local  | yes            |
        | B          | d30        | CT       | local  | yes            |
    """,
    "measurements": """
        | subject_id | lesion_id | scan_date  | modality | reader | longest_mm | perpendicular_mm | status   |
        | A          | l1        | 2019-12-25 | CT       | local  | 50         | 40               | measured |
        | A          | l1        | d30        | CT       | local  | 50         | 50               | measured |
        | B          | l1        | 2019-12-25 | CT       | local  | 50         | 40               | measured |
        | B          | l1        | d30        | CT       | local  | 50         | 30               | measured |
    """,  # noqa: E501 # a table is read better whole
}
CHAIN = (
    "lesion_quantities",
    "new_lesions",
    "followed_lesions",
    "assessed_days",
    "lesion_assessments",
    "lesion_response",
    "response_summary",
)
PROGRESSED = "response_summary.all.who.lesion.all.all.unconfirmed.pd"


def test_growth_of_exactly_a_quarter_is_progression_by_the_rule_of_1979(tried: Ask) -> None:
    """2000 to 2500 mm2 is stable by > 25 %, progression by >= 25 %: none, then one lesion of two.

    Source: WHO 1979, as tabulated in PMC2755245, Table 3.
    """
    row = tried(LESIONS, CHAIN, "response.who_pd_operator")[
        f"response.who_pd_operator {PROGRESSED}"
    ]
    assert (row["alternative"], row["base_value"], row["value"]) == (">=", 0, 50)
    assert row["statistic_id"] == (
        f"sensitivity.all.{PROGRESSED.replace('.', '_')}.response_who_pd_operator.ge"
    )


def test_where_a_registry_has_chosen_the_other_reading_the_default_is_tried(tried: Ask) -> None:
    chosen = OutcomeSettings(response=ResponseSettings(who_pd_operator=">="))
    row = tried(LESIONS, CHAIN, "response.who_pd_operator", chosen=chosen)[
        f"response.who_pd_operator {PROGRESSED}"
    ]
    assert (row["alternative"], row["base_value"], row["value"]) == (">", 50, 0)


def test_a_reading_that_leaves_the_rows_as_they_were_leaves_the_number(tried: Ask) -> None:
    """Both baselines are seven days old, so that a limit of 28 days instead of 90 drops none.

    No enhancing diameter was read: by EASL nobody can be judged, which is no share of nought.
    """
    found = tried(LESIONS, CHAIN, "response.baseline_max_age_days")
    shares = {
        r["base_statistic_id"].split(".")[2]: (r["base_value"], r["value"]) for r in found.values()
    }
    assert shares == {"who": (0, 0), "easl": (None, None)}


def test_a_reading_of_too_many_rows_is_not_tried_and_says_so(
    tried: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 4 quantities, 2 treated, 2 members and so on more than 3 rows would be read."""
    monkeypatch.setattr(readings, "ROWS_AT_MOST", 3)
    (row,) = tried(LESIONS, CHAIN, "response.who_pd_operator").values()
    assert (row["base_value"], row["value"], row["flips"]) == (0, None, False)
    assert row["reason"] == "not tried: it would read more than 3 rows"


def test_a_cheap_reading_is_tried_where_a_dear_one_is_not(
    tried: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fourteen rows lead to the dose, and more than that from the measurements to the response."""
    monkeypatch.setattr(readings, "ROWS_AT_MOST", 20)
    chain = (*CHAIN, "treatment_targets", "dosimetry_summary")
    found = tried(LESIONS | DOSES, chain, "dosimetry.mird_constant", "response.who_pd_operator")
    dear = found[f"response.who_pd_operator {PROGRESSED}"]
    cheap = found[f"dosimetry.mird_constant {MEDIAN_DOSE}"]
    assert (dear["value"], cheap["value"]) == (None, pytest.approx(99.34))


def test_an_interval_flips_when_it_takes_in_or_loses_the_published_figure() -> None:
    """62.7 % of lesions were WHO partial responses in print; the limits belong to the interval."""
    name = "response_summary.all.who.lesion.all.all.unconfirmed.pr"
    assert readings.comparator(name) == 62.7
    inside, edge = _answer(50, 70), _answer(62.7, 70)
    outside, none = _answer(62.8, 70), _answer(None, None)
    assert not readings.flips(name, inside, edge)
    assert readings.flips(name, inside, outside)
    assert readings.flips(name, outside, inside)
    assert readings.flips(name, inside, none)
    assert not readings.flips(name, outside, none)
    assert not readings.flips(
        "response_summary.all.who.lesion.all.all.unconfirmed.dcr", inside, outside
    )


def test_a_p_value_flips_at_one_in_twenty_whatever_its_limits() -> None:
    """The limits beside a p-value are those of a hazard ratio."""
    name = "prognosis_univariate.all.os.bili12.gt1_2"
    before, after = (readings.Answer(p, 1, 2, "p", None) for p in (0.049, 0.05))
    assert readings.flips(name, before, after)
    assert not readings.flips(name, before, before)


def _answer(lower: float | None, upper: float | None) -> readings.Answer:
    return readings.Answer(65, lower, upper, "%", None)


def test_the_reference_cohort_answers_every_reading(reference_store: Store) -> None:
    """49.67 Gy kg/GBq instead of 50 would have given 112.63 Gy; the paper prints 113."""
    with open_release(resolve(reference_store)) as con:
        found = con.execute(
            "SELECT setting, base_statistic_id, value, base_value FROM outcomes.sensitivity "
            "WHERE population = 'all'"
        ).fetchall()
        published = dict(
            con.execute("SELECT statistic_id, value FROM outcomes.statistics").fetchall()
        )
    by_key = {(setting, name): (value, base) for setting, name, value, base in found}
    assert by_key["dosimetry.mird_constant", MEDIAN_DOSE][0] == pytest.approx(112.6318385)
    assert {a.setting for a in ALTERNATIVES} - {setting for setting, _ in by_key} == {
        "baseline.child_pugh_inr_upper"
    }
    assert all(published[name] == base for (_, name), (_, base) in by_key.items())


def test_every_setting_is_varied_or_says_why_not() -> None:
    defined = {
        f"{section}.{key}"
        for section, field in OutcomeSettings.model_fields.items()
        for key in type(field.default).model_fields
    }
    readings = {(a.setting, a.value) for a in ALTERNATIVES}
    assert len(readings) == len(ALTERNATIVES)  # a setting may have several other readings
    varied = [*{a.setting for a in ALTERNATIVES}, *ON_MARTS, *NOT_VARIED]
    assert sorted(varied) == sorted(defined)


def test_another_reading_is_a_valid_one() -> None:
    for alternative in ALTERNATIVES:
        section = getattr(OutcomeSettings(), alternative.section)
        given = section.model_dump() | {alternative.key: alternative.value}
        changed = type(section)(**given)
        assert getattr(changed, alternative.key) == alternative.value
        assert changed != section


@pytest.mark.parametrize(
    "alternative",
    [a for a in ALTERNATIVES if a.setting != "survival.model_p_enter"],  # read where rows are
    ids=lambda a: a.setting,
)
def test_what_reads_a_setting_is_derived_again(
    alternative: Alternative, readers: dict[str, set[str]]
) -> None:
    """What looks at it while it is called is among what its source says that it can read."""
    acting = readings.acting(reads_of_all(of_this_machine()), {alternative.setting})
    assert readers[alternative.setting] <= acting
    assert all(acting & upstream(name.split(".")[0]) for name in alternative.watched)


@pytest.fixture(scope="module")
def readers() -> dict[str, set[str]]:
    """Setting -> derivations that look at it, found by calling each with settings that tell."""
    seen: dict[str, set[str]] = {}
    con = ibis.duckdb.connect()
    literal = {table_name(c): con.create_table(table_name(c), table(c, None)) for c in CONTRACTS}
    for name, derivation in derivations().items():
        if not derivation.settings:
            continue
        for section in looked_at(derivation, literal):
            seen.setdefault(section, set()).add(name)
    return seen


def looked_at(derivation: Any, tables: dict[str, ibis.Table]) -> set[str]:
    looked: set[str] = set()
    sections = {type(f.default): n for n, f in OutcomeSettings.model_fields.items()}
    given = {n: _telling(kind(), sections[kind], looked) for n, kind in derivation.settings.items()}
    derivation.function(*(tables[n] for n in derivation.reads), **given)
    return looked


def _telling(section: Section, name: str, looked: set[str]) -> Any:
    class Telling:
        def __getattr__(self, key: str) -> Any:
            looked.add(f"{name}.{key}")
            return getattr(section, key)

    return Telling()


def test_a_lesions_number_does_not_ask_what_is_said_of_patients() -> None:
    """And the other way round; a step of attrition does not ask for ages or scores."""
    between = readings._between
    assert between({"lesion_assessments"}, [PROGRESSED]) == [
        "lesion_assessments",
        "lesion_response",
        "response_summary",
    ]
    of_patients = between({"subject_assessments"}, [PROGRESSED.replace("lesion", "subject")])
    assert of_patients == [
        "subject_assessments",
        "counted_readers",
        "subject_response",
        "response_summary",
    ]
    assert between({"eligibility", "subjects"}, ["attrition.all.12"]) == [
        "eligibility",
        "attrition",
    ]


@pytest.mark.long
def test_what_is_left_out_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference cohort: with everything between derived again, every number is the same."""
    with engine(reference_scratch(tmp_path)) as con:
        known = kept(con)
        asked = _values(readings.sensitivity(con, known, OutcomeSettings()))
        monkeypatch.setattr(readings, "IDLE", {})
        assert _values(readings.sensitivity(con, known, OutcomeSettings())) == asked


@pytest.mark.long
def test_what_is_tried_together_gives_what_each_gives_alone(tmp_path: Path) -> None:
    with engine(reference_scratch(tmp_path)) as con:
        known = kept(con)
        for together in TRIED:
            if len(together) > 1:
                settings = OutcomeSettings()
                at_once = _values(readings.sensitivity(con, known, settings, (together,)))
                alone = _values(
                    readings.sensitivity(con, known, settings, tuple((a,) for a in together))
                )
                assert at_once == alone


def reference_scratch(folder: Path) -> Path:
    """The scratch file of a night, as the estimates leave it."""
    store = Store.open(folder / "store")
    deliver(store, "redcap")
    night = job(store, "redcap")
    pipeline.receive(store, night.registry, SITE, datetime.now(UTC))
    plan = pipeline.plan(store, night.registry, night.key, night.as_of, night.data_cutoff)
    pipeline.start(store, plan)
    pipeline.load_site(store, night.registry, night.key, plan, SITE)
    pipeline.build(store, night.registry, plan)
    pipeline.estimate(store, night.registry, plan)
    return store.run(plan.run_id) / "scratch.duckdb"


def _values(found: ibis.Table) -> dict[str, Any]:
    return {r["statistic_id"]: r for r in found.to_pyarrow().to_pylist()}

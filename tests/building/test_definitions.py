"""A number's definition covers every setting that can move it, and what it covers is told."""

import os
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest
from pydantic import ValidationError

from analytics.fetched import fetched_records, whole
from analytics.summary import as_chosen, statistics_of
from schemas.contract import options, table_name
from schemas.records import endpoints
from schemas.records.alternatives import PUBLISHES
from schemas.section import Section
from schemas.settings import OutcomeSettings, ResponseSettings, SurvivalSettings
from schemas.tables.outcomes import MemberSets, Outcome
from tests.building.test_sensitivity import CONTRACTS, looked_at, reference_scratch
from tests.support.pipe_tables import table
from warehouse.building.build import computed, kept
from warehouse.building.definitions import Defining, reads_of_all
from warehouse.engine import kept_tables
from warehouse.engine.embedded import EmbeddedEngine, content_digest, engine
from warehouse.engine.lineage import derivations, downstream
from warehouse.engine.setting_reads import every_key, reads_of

Numbers = tuple[str, tuple[Any, ...]]
"""A statistic's definition, and its value, limits and counts."""
Night = tuple[EmbeddedEngine, Mapping[str, ir.Table], Mapping[str, Numbers]]


@dataclass(frozen=True)
class Holder:
    """Something that carries settings to where they are read."""

    chosen: SurvivalSettings

    def level(self) -> float:
        """The level of the interval."""
        return float(self.chosen.conf_level)


def _attribute(settings: ResponseSettings) -> int:
    return settings.sd_min_days


def _through_a_call(settings: ResponseSettings) -> int:
    return _attribute(settings) + settings.confirmation_days


def _in_both_branches(settings: ResponseSettings, day: int) -> object:
    return settings.reader if day else settings.lesion_start


def _under_another_name(settings: OutcomeSettings) -> object:
    ours = settings.survival
    return ours.conf_type


def _inside(settings: SurvivalSettings) -> Callable[[], object]:
    def later() -> object:
        return settings.median_rule

    return later


def _named_by_a_record(settings: SurvivalSettings) -> list[object]:
    return [getattr(settings, r.gap_setting) for r in endpoints.RECORDS if r.gap_setting]


def _carried(settings: SurvivalSettings) -> float:
    return Holder(settings).level()


def _shadowed(_attribute: int) -> int:
    return _attribute


def _escapes(settings: SurvivalSettings) -> str:
    return repr(settings)


def _passed_as_a_function(settings: ResponseSettings) -> object:
    return list(map(_attribute, [settings]))


@pytest.mark.parametrize(
    ("function", "keys"),
    [
        (_attribute, {"response.sd_min_days"}),
        (_through_a_call, {"response.sd_min_days", "response.confirmation_days"}),
        (_in_both_branches, {"response.reader", "response.lesion_start"}),
        (_under_another_name, {"survival.conf_type"}),
        (_inside, {"survival.median_rule"}),
        (_named_by_a_record, {"survival.pfs_missed_visits"}),
        (_carried, {"survival.conf_level"}),
        (_shadowed, set()),
        (_escapes, {f"survival.{key}" for key in SurvivalSettings.model_fields}),
        (_passed_as_a_function, {f"response.{key}" for key in ResponseSettings.model_fields}),
    ],
)
def test_what_a_function_reads_is_read_off_its_source(
    function: Callable[..., Any], keys: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A section that goes where it cannot be followed counts as read whole."""
    monkeypatch.setattr("warehouse.engine.setting_reads.PROJECT", {"schemas", "tests"})
    assert reads_of.__wrapped__(function).keys == keys


def test_no_derivation_looks_at_a_setting_that_was_not_found() -> None:
    """Called with settings that tell what is asked of them, over tables without rows."""
    con = ibis.duckdb.connect()
    empty = {table_name(c): con.create_table(table_name(c), table(c, None)) for c in CONTRACTS}
    looked = {n: looked_at(d, empty) for n, d in derivations().items() if d.settings}
    assert looked["time_to_event"]
    assert {n: keys - reads_of(derivations()[n].function).keys for n, keys in looked.items()} == {
        n: set() for n in looked
    }


def test_a_definition_has_the_settings_that_lead_to_its_number_and_no_others() -> None:
    """When a lesion's clock starts defines times to response; which landmarks are asked, nothing.

    What a progression is defines no overall survival, and eligibility no number of all patients.
    """
    with engine() as con:
        define = Defining(OutcomeSettings(), reads_of_all(con.queries))
    contract = derivations()["survival_medians"].contract
    declared = options(contract).statistics[0]
    row = {"population": "all", "statistic_id": "survival_medians.all", "factor": ""}
    pfs, os_ = (
        define.facts[define(contract, declared, row | {"endpoint": e})] for e in ("PFS", "OS")
    )
    assert {"response.who_pd_operator", "survival.pfs_new_therapy", "records criteria"} <= set(pfs)
    assert "survival.os_transplant" not in pfs
    assert {"survival.os_transplant", "survival.undated_death"} <= set(os_)
    assert not {"response.who_pd_operator", "survival.pfs_new_therapy"} & set(os_)
    for facts in (pfs, os_):
        assert not PUBLISHES & set(facts)
        assert "eligibility.ecog_max" not in facts
    lesions = define(contract, declared, row | {"endpoint": "TTR", "level": "lesion"})
    assert define.facts[lesions]["response.lesion_start"] == '"T0"'
    of_rules = define(contract, declared, row | {"endpoint": "OS", "population": "per_criteria"})
    assert "eligibility.ecog_max" in define.facts[of_rules]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """The tables of a night of the reference cohort, and its statistics."""
    with engine(reference_scratch(tmp_path_factory.mktemp("definitions"))) as con:
        known = kept(con)
        yield con, known, _statistics(con, known, known, OutcomeSettings())


@pytest.mark.long
def test_no_number_moves_without_its_definition_whatever_the_setting(
    night: Night,
) -> None:
    """Every setting that can be varied; `TOLD_TO` names a file for what each moved."""
    told = []
    for key in sorted(every_key()):
        moved, redefined = _varied(*night, key)
        assert not redefined if key in PUBLISHES else redefined
        told.append((key, len(moved), len(redefined), sorted(moved - redefined)[:5]))
        if path := os.environ.get("TOLD_TO"):
            Path(path).write_text("\n".join(map(str, told)))
    assert [t for t in told if t[3]] == []


def _varied(
    con: Any, known: Mapping[str, ir.Table], before: Mapping[str, Numbers], key: str
) -> tuple[set[str], set[str]]:
    """The statistics that another value of a setting moves, and those that it redefines.

    Whatever is given the setting's section is derived again, whether it is said to read it or not.
    """
    other = _other(key)
    section = {type(getattr(OutcomeSettings(), key.split(".")[0])), OutcomeSettings}
    given = {n for n, d in derivations().items() if section & set(d.settings.values())}
    with kept_tables.in_front(con, "otherwise"):
        now = dict(known)
        changed: set[str] = set()
        for name in derivations():
            derivation = derivations()[name]
            if name not in downstream(given) or issubclass(derivation.contract, MemberSets):
                continue
            if name in given or changed & set(derivation.reads):
                now[name] = computed(con, derivation, now, other)
                if content_digest(con, now[name], frozenset()) != content_digest(
                    con, known[name], frozenset(), kept_tables.MAIN
                ):
                    changed.add(name)
        after = _statistics(con, now, known, other)
    moved = {n for n in before if n in after and before[n][1] != after[n][1]}
    return moved, {n for n in before if n in after and before[n][0] != after[n][0]}


def _statistics(
    con: Any, tables: Mapping[str, ir.Table], known: Mapping[str, ir.Table], chosen: OutcomeSettings
) -> dict[str, Numbers]:
    """Statistic -> its definition, and its numbers."""
    (criterion,) = {
        r["criterion"] for r in fetched_records(whole, tables["endpoint_criterion"])
    } or {"WHO"}
    define = Defining(as_chosen(chosen, criterion), reads_of_all(con.queries))
    found: dict[str, Numbers] = {}
    for name, derivation in derivations().items():
        contract = derivation.contract
        if issubclass(contract, Outcome) and name in known:
            records = fetched_records(whole, tables[name])
            for s in statistics_of(contract, records, define):
                numbers = tuple(s[c] for c in ("value", "lower", "upper", "n", "total"))
                found[s["statistic_id"]] = (s["definition"], numbers)
    return found


def _other(key: str) -> OutcomeSettings:
    """The default settings with another value of one of them."""
    section, name = key.split(".")
    of_section: Section = getattr(OutcomeSettings(), section)
    for value in _candidates(of_section, name):
        try:
            fields = of_section.model_dump() | {name: value}
            changed = type(of_section).model_validate(fields)
        except ValidationError:
            continue
        if getattr(changed, name) != getattr(of_section, name):
            return OutcomeSettings().model_copy(update={section: changed})
    raise AssertionError(f"{key}: no other value is allowed")


def _candidates(section: Section, name: str) -> Iterator[Any]:
    value = getattr(section, name)
    yield from typing.get_args(type(section).model_fields[name].annotation)
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float, Decimal)):
        yield from (value * 2, value + 1, value / 2, value - 1, 0.9)
    elif isinstance(value, tuple):
        yield from (value[:-1], value[::-1], *_longer(value))
    else:
        yield from ("central", "RECIST 1.1", "mRECIST")
        if value.replace(".", "").isdigit():
            yield f"{float(value) * 1.1:.1f}"


def _longer(values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield (*values, ("x", "y"))
    yield (*values, "bili12")

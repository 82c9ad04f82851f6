"""The names of published numbers are slugs that can be read back, and the same in the engine."""

import ibis
import pytest

from schemas import statistic_ids
from schemas.contract import key, table_name
from schemas.records.criteria import CRITERIA
from schemas.tables import outcomes
from schemas.tables.outcomes import ResponseSummary, SurvivalMedians, ToxicitySummary

SLUGS = [
    ("RECIST 1.1", "recist_1_1"),
    ("mRECIST", "mrecist"),
    ("OS", "os"),
    ("4.03", "4_03"),
    ("<=25", "le25"),
    (">25", "gt25"),
    (">=1", "ge1"),
    ("≥ 1", "ge_1"),
    ("nausea or vomiting", "nausea_or_vomiting"),
    ("site:north-1", "site:north-1"),
    ("26-50", "26-50"),
    ("Lenvatinib + 90Y (arm B)", "lenvatinib_90y_arm_b"),
    ("Übergang", "übergang"),
    ("", "overall"),
    (" . ", "overall"),
    ("__a__", "a"),
    (12, "12"),
]


@pytest.mark.parametrize(("code", "slug"), SLUGS)
def test_a_slug_is_lower_case_without_dots_and_never_empty(code: object, slug: str) -> None:
    assert statistic_ids.slug(code) == slug


def test_the_engine_makes_the_same_slugs() -> None:
    texts = [str(code) for code, _ in SLUGS]
    table = ibis.memtable({"code": texts})
    found = table.mutate(slug=statistic_ids.slug_column(table.code)).execute()
    assert dict(zip(found["code"], found["slug"], strict=True)) == {str(c): s for c, s in SLUGS}


def test_an_id_names_table_and_key_and_is_read_back() -> None:
    keys = {table_name(c): key(c) for c in outcomes.TABLES}
    row = dict.fromkeys(key(SurvivalMedians), "") | {
        "population": "all",
        "endpoint": "OS",
        "level": "subject",
        "rule": "midpoint",
    }
    name = statistic_ids.statistic_id(SurvivalMedians, row)
    assert name == "survival_medians.all.os.subject.overall.overall.midpoint"
    read = statistic_ids.read(name, keys)
    assert read.table == "survival_medians"
    assert read.key == {n: statistic_ids.slug(v) for n, v in row.items()}
    assert read.value is None
    assert statistic_ids.read(f"{name}.median", keys).value == "median"


@pytest.mark.parametrize("version", ["3.0", "4.03", "5.0"])
def test_a_code_with_a_dot_is_one_part(version: str) -> None:
    row = {
        "population": "site:a",
        "source": "lab",
        "term": "ast",
        "ctcae_version": version,
        "time_window": "any",
        "grade": "ge3",
    }
    name = statistic_ids.statistic_id(ToxicitySummary, row)
    read = statistic_ids.read(name, {"toxicity_summary": key(ToxicitySummary)})
    assert read.key["ctcae_version"] == version.replace(".", "_")
    assert statistic_ids.population_of(name) == "site:a"


@pytest.mark.parametrize("text", ["", "os", "no_table.all", "response_summary.all.who"])
def test_what_is_no_id_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        statistic_ids.read(text, {"response_summary": key(ResponseSummary)})


def test_no_two_criteria_share_a_slug() -> None:
    assert len({statistic_ids.slug(c) for c in CRITERIA}) == len(CRITERIA)

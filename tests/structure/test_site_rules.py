"""What in a site file cannot be right is told with its line and its key, all of it at once."""

from pathlib import Path

import pytest

from flows.settings import judge_sites, load_registry
from schemas.errors import BadConfiguration
from schemas.site import Site
from schemas.site_rules import breaches

WRONG = """site_id = "north"
origin = "synthetic"
delimiter = "a"
date_format = "%d/%m"
[[tables.patient]]
[[tables.patients]]
[tables.patients.columns]
sexe = "gender"
sex = { from = "gender", codes = { 1 = "femal", 2 = "male" } }
functioning = { from = "f", codes = { j = "perhaps" } }
ki67_pct = { from = "ki", unit = "stone", date_format = "%d/%m/%Y" }
[[tables.labs]]
[[tables.labs.wide]]
analyte = "bilirubine"
value = "bili"
unit = "mg/dL"
[[tables.labs.wide]]
analyte = "albumin"
value = "alb"
unit = "10*9/L"
"""


def test_every_breach_names_its_line_and_key(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "north.toml").write_text(WRONG)
    (tmp_path / "registry.toml").write_text('registry = "small"\nsites = ["north"]\n')
    with pytest.raises(BadConfiguration) as caught:
        judge_sites(load_registry(tmp_path / "registry.toml"))
    told = str(caught.value)
    for where in (
        "line 3, delimiter: must be one of",
        "line 4, date_format: lacks %Y",
        "line 5, tables.patient.0: no such table. Did you mean `patients`?",
        "line 8, tables.patients.0.columns.sexe: the table has no such column. Did you mean `sex`?",
        "line 9, tables.patients.0.columns.sex.codes.1: `femal`: sex has no such value. "
        "Did you mean `female`?",
        "line 10, tables.patients.0.columns.functioning.codes.j: `perhaps`: functioning has no",
        "line 11, tables.patients.0.columns.ki67_pct.unit: `stone`: no conversion to %",
        "line 11, tables.patients.0.columns.ki67_pct.date_format: ki67_pct is no date",
        "line 14, tables.labs.0.wide.0.analyte: unknown. Did you mean `bilirubin`?",
        "line 20, tables.labs.0.wide.1.unit: no unit of albumin",
    ):
        assert where in told
    assert "10 problems" in told


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"delimiter": "\t", "date_format": "%d.%m.%y"},
        {"date_format": "%d-%b-%Y"},
        {"tables": {"patients": [{"columns": {"sex": {"constant": "unknown"}}}]}},
        {"tables": {"patients": [{"columns": {"functioning": {"constant": True}}}]}},
        {"tables": {"patients": [{"columns": {"sex": {"from": "g", "codes": {"x": ""}}}}]}},
        {"tables": {"labs": [{"wide": [{"analyte": "lipase", "value": "l", "unit": "odd"}]}]}},
    ],
)
def test_what_may_be_right_is_not_told(facts: dict[str, object]) -> None:
    assert list(breaches(Site.model_validate({"site_id": "north"} | facts))) == []


NEW_KEYS = """site_id = "north"
limits.alt = { unit = "furlong", upper = 1 }
limits.bilirubine = { unit = "mg/dL" }
limits.albumin = [ { unit = "g/L", lower = 50, upper = 30 } ]
[[tables.patients]]
[tables.patients.columns]
sex = { constant = "female", when = [ { where = { x = 1 }, constant = "mal" } ] }
ki67_pct = { earliest = ["a", "b"] }
tumour_grade = { year_of = "a" }
birth_year = { from = "a", file = "other.csv" }
"""


def test_breaches_of_conditions_limits_and_loans_name_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "north.toml").write_text(NEW_KEYS)
    (tmp_path / "registry.toml").write_text('registry = "small"\nsites = ["north"]\n')
    with pytest.raises(BadConfiguration) as caught:
        judge_sites(load_registry(tmp_path / "registry.toml"))
    told = str(caught.value)
    for where in (
        "line 2, limits.alt.unit: `furlong`: no unit of alt that we know. Use one of U/L",
        "line 3, limits.bilirubine: no analyte of ours. Did you mean `bilirubin`?",
        "line 4, limits.albumin.0.upper: below the lower limit",
        "line 7, tables.patients.0.columns.sex.when.0.constant: `mal`: sex has no such value. "
        "Did you mean `male`?",
        "line 8, tables.patients.0.columns.ki67_pct.earliest: ki67_pct is no date",
        "line 9, tables.patients.0.columns.tumour_grade.year_of: tumour_grade is no year",
        "line 10, tables.patients.0.columns.birth_year: nothing says which row",
    ):
        assert where in told
    assert "7 problems" in told


def test_a_breach_in_the_file_that_a_site_extends_names_that_file(tmp_path: Path) -> None:
    sites = tmp_path / "sites"
    sites.mkdir()
    base = (
        '[[tables.patients]]\ncolumns = { sex = { constant = "mal" } }\n[[tables.labs]]\nfiel = 1\n'
    )
    (sites / "base.toml").write_text(base)
    own = 'site_id = "north"\nextends = "base.toml"\n[[tables.labs]]\nfile = "l.csv"\n'
    (sites / "north.toml").write_text(own)
    (tmp_path / "registry.toml").write_text('registry = "small"\nsites = ["north"]\n')
    with pytest.raises(BadConfiguration) as caught:
        judge_sites(load_registry(tmp_path / "registry.toml"))
    told = str(caught.value)
    assert "base.toml line 2, tables.patients.0.columns.sex.constant: `mal`" in told
    assert "fiel" not in told, "the site has labs of its own"

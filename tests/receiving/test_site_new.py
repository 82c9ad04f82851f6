"""y90 site new: what it guesses of an export, and what it leaves to a person."""

import tomllib
from pathlib import Path

import pytest

from flows.__main__ import main
from schemas.records import analytes
from simulation import simulate
from tests.conftest import NIGHT
from warehouse.receiving import site_guess

PLAIN = {
    "patients.csv": "patient_id;gender;yob;shoe_size\n"
    + "7;f;1950;40\n8;m;1951;41\n9;f;1952;44\n" * 3,
    "lesion_sizes.csv": "patient_id;lesion_id;scan_date;longest_cm;perpendicular_cm\n"
    + "7;1;31/01/2020;3,1;2,0\n" * 3,
}


def guessed(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.chdir(folder)
    assert main(["site", "new", "north", *words]) == 0
    return (folder / "sites" / "north.toml").read_text()


def test_of_a_redcap_export_most_columns_and_codes_are_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate("memon2012", "redcap", NIGHT, tmp_path / "e")
    words = ("--from", str(tmp_path / "e/data.csv"), "--dictionary")
    text = guessed(tmp_path, monkeypatch, *words, str(tmp_path / "e/dictionary.csv"))
    tables = tomllib.loads(text)["tables"]
    patients, scans = tables["patients"][0], tables["scans"][0]
    assert patients["instrument"] == "demographics"
    assert patients["columns"]["sex"] == {
        "from": "gender",
        "codes": {"1": "female", "2": "male", "9": "unknown"},
    }
    assert scans["columns"]["scan_date"] == "img_date"
    assert {w["analyte"] for w in tables["labs"][0]["wide"]} == {
        "bilirubin",
        "albumin",
        "lymphocytes",
    }
    assert tables["contacts"][0]["columns"]["vital_status"]["codes"] == {"1": "alive", "2": "dead"}
    assert "# could not guess: pd_before" in text


def test_units_formats_and_codes_of_plain_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "e").mkdir()
    for name, content in PLAIN.items():
        (tmp_path / "e" / name).write_text(content)
    text = guessed(tmp_path, monkeypatch, "--from", str(tmp_path / "e"))
    site = tomllib.loads(text)
    assert (site["date_format"], site["decimal"]) == ("%d/%m/%Y", ",")
    sizes = site["tables"]["measurements"][0]
    assert sizes["columns"]["longest_mm"] == {"from": "longest_cm", "unit": "cm"}
    codes = site["tables"]["patients"][0]["columns"]["sex"]["codes"]
    assert codes == {"f": "female", "m": "male"}
    assert "# could not guess: shoe_size" in text


def test_no_value_is_written_down_but_codes_that_repeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"SECRET{n},Secretname{n},1950\n" for n in range(9))
    (tmp_path / "patients.csv").write_text("patient_id,sex,birth_year\n" + rows)
    assert "ecret" not in guessed(tmp_path, monkeypatch, "--from", str(tmp_path / "patients.csv"))


def test_a_site_file_that_exists_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "patients.csv").write_text("patient_id,sex\n1,female\n")
    guessed(tmp_path, monkeypatch, "--from", "patients.csv")
    assert main(["site", "new", "north", "--from", "patients.csv"]) == 2
    assert main(["site", "new", "North", "--from", "patients.csv"]) == 2


def test_every_name_on_an_analytes_record_is_guessed() -> None:
    names = {n: r.code for r in analytes.RECORDS for n in r.synonyms if n.isascii()}
    assert {name: site_guess._plain(name) for name in names} == names
    assert site_guess._plain("lab_gesamtbilirubin") == "lab_bilirubin"

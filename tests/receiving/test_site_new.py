"""y90 site new: what it guesses of an export, and what it leaves to a person."""

import tomllib
import zipfile
from pathlib import Path

import pytest

from flows.__main__ import main
from schemas.errors import BadDelivery
from schemas.records import analytes
from simulation import simulate
from tests.conftest import NIGHT
from warehouse.receiving.guessing import laboratory
from warehouse.receiving.guessing.fields import Field
from warehouse.receiving.site_guess import first_site_file

PLAIN = {
    "patients.csv": "patient_id;gender;yob;shoe_size\n"
    + "".join(f"{n};{'fm'[n % 2]};19{n}0;4{n}\n" for n in range(4, 10)),
    "lesion_sizes.csv": "patient_id;lesion_id;scan_date;modality;longest_cm;perpendicular_cm\n"
    + "7;1;31/01/2020;CT;3,1;2,0\n" * 3,
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
    assert tables["patients"][0]["columns"]["progression_confirmed"] == "pd_before"
    assert "# could not guess: bl_height (Height in cm)" in text


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


def test_a_sentence_that_stands_there_once_is_not_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    causes = ["Tumor"] * 8 + ["Leberversagen"] * 4 + ["Tumor, told by his daughter Anna Secretname"]
    rows = "".join(
        f"{n},2020-03-{n + 10},verstorben,{c}\n".replace("Tumor, ", '"Tumor, ').replace(
            "name\n", 'name"\n'
        )
        for n, c in enumerate(causes)
    )
    (tmp_path / "follow_up.csv").write_text("Pat-ID,Letzter Kontakt,Status,Todesursache\n" + rows)
    text = guessed(tmp_path, monkeypatch, "--from", "follow_up.csv")
    assert '"Leberversagen" = "liver_failure"' in text
    assert "ecret" not in text


def test_a_site_file_that_exists_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "patients.csv").write_text("patient_id,sex\n1,female\n")
    guessed(tmp_path, monkeypatch, "--from", "patients.csv")
    assert main(["site", "new", "north", "--from", "patients.csv"]) == 2
    assert main(["site", "new", "North", "--from", "patients.csv"]) == 2


def test_every_name_on_an_analytes_record_is_guessed() -> None:
    names = {n: r.code for r in analytes.RECORDS for n in r.synonyms}
    known = {name: laboratory.analyte_of(Field(name, name, ())) for name in names}
    assert known == names
    assert laboratory.analyte_of(Field("lab_x", "Gesamtbilirubin (mg/dl)", ())) == "bilirubin"
    assert laboratory.analyte_of(Field("lab_x", "Bilirubin direkt (mg/dl)", ())) is None
    assert laboratory.analyte_of(Field("lab_x", "Lympho (%)", ())) is None


def test_what_a_table_must_have_and_nothing_gives_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{n},L1,2020-03-{n:02},{30 + n},{20 + n}\n" for n in range(10, 20))
    (tmp_path / "sizes.csv").write_text(
        "patient_id,lesion,scan date,longest_mm,perpendicular_mm\n" + rows
    )
    text = guessed(tmp_path, monkeypatch, "--from", "sizes.csv")
    assert "measurements must have and nothing gives: modality" in text
    assert "nothing gives treatments: it must have treatment_date" in text
    assert "tables" not in tomllib.loads(text)


def test_days_that_two_formats_read_are_not_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{n},female,0{n}/0{n + 1}/2020\n" for n in range(1, 8))
    (tmp_path / "patients.csv").write_text("patient_id,sex,diagnosis_date\n" + rows)
    assert "# could not guess: date_format" in guessed(
        tmp_path, monkeypatch, "--from", "patients.csv"
    )


def test_rows_of_one_file_become_therapies_before_and_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(
        f"{n},{p},{t},2020-03-0{n}\n"
        for n in range(1, 6)
        for p, t in (("vor", "Chemo"), ("nach", "PRRT"))
    )
    (tmp_path / "therapien.csv").write_text("Pat-Nr,Phase,Therapieart,Beginn\n" + rows)
    tables = tomllib.loads(guessed(tmp_path, monkeypatch, "--from", "therapien.csv"))["tables"]
    assert tables["prior_therapies"][0]["where"] == {"Phase": "vor"}
    assert tables["subsequent_therapies"][0]["where"] == {"Phase": "nach"}


def test_the_command_that_is_told_next_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my export").mkdir()
    (tmp_path / "my export" / "patients.csv").write_text(PLAIN["patients.csv"])
    guessed(tmp_path, monkeypatch, "--from", str(tmp_path / "my export"))
    assert f"y90 check '{tmp_path}/my export' --site north" in capsys.readouterr().out


def test_an_archive_of_an_export_is_read_as_its_files(tmp_path: Path) -> None:
    """What is guessed of a zip is what is guessed of the files in it."""
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    for folder in (plain, packed):
        folder.mkdir()
    rows = "".join(f"P{n},{'mf'[n % 2]},19{50 + n}\n" for n in range(8))
    (plain / "patients.csv").write_text(f"patient_id,sex,birth_year\n{rows}")
    with zipfile.ZipFile(packed / "export.zip", "w") as archive:
        archive.write(plain / "patients.csv", "patients.csv")
    told = first_site_file(packed, None, "north")
    assert told == first_site_file(plain, None, "north")
    assert "[[tables.patients]]" in told[0]


def test_an_export_of_which_nothing_can_be_read_is_refused_with_every_reason(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1"))
    with pytest.raises(BadDelivery, match=r"(?s)a\.csv: the file is empty.*b\.xlsx.*password"):
        first_site_file(tmp_path, None, "north")

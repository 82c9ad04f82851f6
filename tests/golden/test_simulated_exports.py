"""Simulated exports look like what centres deliver, say what they are, and never overwrite."""

import csv
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from schemas.errors import Refused
from schemas.site import Site
from simulation import PRESETS, registry_folder, simulate

EVERYTHING = date(2011, 3, 31)


@pytest.fixture(scope="module")
def redcap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("redcap") / "export"
    simulate("memon2012", "redcap", EVERYTHING, folder)
    return folder


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def test_every_row_has_a_key_of_its_own(redcap: Path) -> None:
    keys = Counter(tuple(list(row.values())[:4]) for row in rows(redcap / "data.csv"))
    assert max(keys.values()) == 1


def test_dictionary_has_redcaps_18_columns_and_every_field(redcap: Path) -> None:
    """A checkbox is one field and several columns; structure, stamps and status are no fields."""
    dictionary = rows(redcap / "dictionary.csv")
    assert len(dictionary[0]) == 18
    fields = {row["Variable / Field Name"] for row in dictionary}
    forms = {row["Form Name"] for row in dictionary}
    own = {f"{form}_{suffix}" for form in forms for suffix in ("complete", "timestamp")}
    header = list(rows(redcap / "data.csv")[0])
    assert header[0] == "record_id"
    given = {name.split("___")[0] for name in header if not name.startswith("redcap_")}
    assert given - own == fields


def test_a_row_fills_in_one_instrument(redcap: Path) -> None:
    """A repeating instrument's row leaves the columns of every other one blank."""
    form_of = {
        row["Variable / Field Name"]: row["Form Name"] for row in rows(redcap / "dictionary.csv")
    }
    for row in rows(redcap / "data.csv"):
        filled = {
            form_of[n.split("___")[0]]
            for n, v in row.items()
            if v and n.split("___")[0] in form_of and n != "record_id"
        }
        if instrument := row["redcap_repeat_instrument"]:
            assert filled <= {instrument}


def test_untouched_forms_unanswered_surveys_and_missing_codes_are_there(redcap: Path) -> None:
    data = {tuple(list(row.values())[:4]): row for row in rows(redcap / "data.csv")}
    untouched = data["X1", "baseline_arm_1", "", ""]
    assert [untouched[f"symptoms___{i}"] for i in (1, 2, 3)] == ["0", "0", "0"]
    assert untouched["baseline_clinical_complete"] == "0"
    unanswered = [r for r in data.values() if r["follow_up_timestamp"] == "[not completed]"]
    assert len(unanswered) == 12  # those who live
    assert all(r["fu_date"] == r["fu_symptoms"] == "" for r in unanswered)
    first = data["P01", "enrolment_arm_1", "", ""]
    assert (first["dx_date"], first["ki67"]) == ("UNK", "-999")
    assert data["P01", "enrolment_arm_1", "medication", "1"]["med_dose"] == "UNK"
    assert data["X2", "enrolment_arm_1", "", ""]["redcap_data_access_group"] == "training"


def test_plain_tables_are_in_si_units_without_rounding(tmp_path: Path) -> None:
    """P09 has a bilirubin of 1.2 mg/dL: 20.52 umol/L."""
    simulate("memon2012", "csv", EVERYTHING, tmp_path / "csv")
    labs = rows(tmp_path / "csv" / "labs.csv", ";")
    (bilirubin,) = [
        r for r in labs
        if (r["patient_id"], r["lab_date"], r["analyte"]) == ("P09", "08/03/2004", "TBIL")
    ]  # fmt: skip
    assert (bilirubin["value"], bilirubin["upper_limit"]) == ("20.52", "20.52")
    (size,) = [
        r for r in rows(tmp_path / "csv" / "measurements.csv", ";")
        if (r["patient_id"], r["lesion_id"], r["scan_date"]) == ("P01", "L1", "25/01/2003")
    ]  # fmt: skip
    assert (size["longest_cm"], size["enhancing_perpendicular_cm"]) == ("9.5", "8")


def test_every_file_says_that_it_is_synthetic(tmp_path: Path, redcap: Path) -> None:
    for path in simulate("memon2012", "csv", EVERYTHING, tmp_path / "csv"):
        assert "SYNTHETIC" in path.read_text()
        if path.suffix == ".csv":
            assert {row["synthetic"] for row in rows(path, ";")} == {"SYNTHETIC"}
    enrolled = [
        r for r in rows(redcap / "data.csv")
        if r["redcap_event_name"] == "enrolment_arm_1" and not r["redcap_repeat_instrument"]
    ]  # fmt: skip
    assert {r["synthetic"] for r in enrolled} == {"SYNTHETIC"}
    notes = {row["Field Note"] for row in rows(redcap / "dictionary.csv")}
    assert notes == {"SYNTHETIC: no real person."}
    assert (redcap / "README.txt").read_text().startswith("SYNTHETIC")


@pytest.mark.parametrize(
    ("preset", "source", "patients", "last"),
    [
        ("radiant4_os", "radiant4_2c.csv", 302, "302"),
        ("radiant4_pfs", "radiant4_2a.csv", 302, "302"),
        ("sirflox_pfs", "sirflox_3.csv", 530, "530"),
    ],
)
def test_digitised_trial_is_handed_over_row_by_row(
    tmp_path: Path, preset: str, source: str, patients: int, last: str
) -> None:
    simulate(preset, "csv", EVERYTHING, tmp_path / preset)
    export = rows(tmp_path / preset / f"{preset}.csv")
    given = rows(Path(__file__).parents[2] / "simulation" / "kmdata" / source)
    assert len(export) == patients
    assert (export[0]["patient_id"], export[-1]["patient_id"]) == ("001", last)
    assert [(r["time"], r["event"], r["arm"]) for r in export] == [
        (r["time"], r["event"], r["arm"]) for r in given
    ]


@pytest.mark.parametrize(
    ("preset", "format"), [(p, f) for p in PRESETS for f in PRESETS[p].formats]
)
def test_each_export_has_a_registry_that_reads_it(tmp_path: Path, preset: str, format: str) -> None:
    """Every file and column that the site file names is in the export."""
    folder = registry_folder(preset, format)
    registry = tomllib.loads((folder / "registry.toml").read_text())
    (site_id,) = registry["sites"]
    site = Site.model_validate(tomllib.loads((folder / f"sites/{site_id}.toml").read_text()))
    assert site.site_id == site_id == registry["registry"]
    assert site.origin == ("synthetic" if preset == "memon2012" else "public")
    simulate(preset, format, EVERYTHING, tmp_path / "export")
    for table, sources in site.tables.items():
        for source in sources:
            own = site.redcap.data if site.redcap else source.file or f"{table}.csv"
            for given in source.columns.values():
                place = own if isinstance(given, str) else given.file or own
                header = rows(tmp_path / "export" / place, site.delimiter or ",")[0]
                named = (given,) if isinstance(given, str) else (*given.read, *given.asked)
                assert set(named) <= set(header)


def test_unknown_preset_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"--preset memon.*memon2012, radiant4_os"):
        simulate("memon", "csv", EVERYTHING, tmp_path / "x")


def test_unknown_format_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"--format redcap: radiant4_os has none. Use one of csv"):
        simulate("radiant4_os", "redcap", EVERYTHING, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "precious.csv").write_text("a\n")
    with pytest.raises(Refused, match="holds other files already"):
        simulate("radiant4_os", "csv", EVERYTHING, tmp_path / "inbox")
    assert [p.name for p in tmp_path.iterdir()] == ["inbox"]
    assert (tmp_path / "inbox" / "precious.csv").read_text() == "a\n"


def test_writing_the_same_twice_changes_nothing(tmp_path: Path) -> None:
    first = simulate("radiant4_os", "csv", EVERYTHING, tmp_path / "x")
    stamp = [p.stat().st_mtime_ns for p in first]
    assert simulate("radiant4_os", "csv", EVERYTHING, tmp_path / "x") == first
    assert [p.stat().st_mtime_ns for p in first] == stamp


def test_export_before_the_first_patient_has_headers_and_no_rows(tmp_path: Path) -> None:
    for path in simulate("memon2012", "csv", date(2003, 1, 1), tmp_path / "csv"):
        if path.suffix == ".csv":
            assert len(path.read_text().splitlines()) == 1
            assert path.read_text().startswith("patient_id;")

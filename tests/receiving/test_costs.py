"""What rows set aside cost: counted by hand, under the cause at the root."""

from datetime import date
from pathlib import Path

import pytest

from flows.__main__ import main
from schemas.site import Site
from tests.support.small_site import TREATMENTS, deliver
from warehouse.loading.costs import Cost
from warehouse.receiving.check import check, pattern, readings
from warehouse.store import Store

PATIENTS = (
    "patient_id,sex,birth_year,diagnosis_date,ki67_pct\n"
    "1,female,1950,1940-01-01,5\n2,male,1950,,500\n3,male,1950,,x\n"
)
LESIONS = "patient_id,lesion_id\n1,a\n2,a\n"
SCANS = "patient_id,scan_date,modality\n1,2020-01-01,CT\n2,2020-01-01,PET\n"
MEASUREMENTS = (
    "patient_id,lesion_id,scan_date,modality,longest_mm,status\n"
    "1,a,2020-01-01,CT,30,measured\n2,a,2020-01-01,CT,30,measured\n"
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cost]:
    """The costs of a small export, by rule."""
    folder = tmp_path_factory.mktemp("export")
    for name, text in {
        "patients": PATIENTS, "lesions": LESIONS, "scans": SCANS, "measurements": MEASUREMENTS,
    }.items():  # fmt: skip
        (folder / f"{name}.csv").write_text(text)
    checked = check(folder, Site(site_id="north", origin="synthetic"), date(2022, 1, 1))
    return {c.rule: c for c in checked.costs}


def test_a_patient_takes_all_his_rows_along(found: dict[str, Cost]) -> None:
    """Diagnosed before birth: the patient, his lesion, his scan and his measurement."""
    cost = found["patients.diagnosis_before_birth"]
    column = "diagnosis_date"
    assert (cost.table, cost.column, cost.patients, cost.rows) == ("patients", column, 1, 4)
    assert set(cost.tables) == {
        "1 of patients", "1 of lesions", "1 of scans", "1 of measurements",
    }  # fmt: skip
    assert "response_summary" in cost.outcomes
    assert "survival_medians" in cost.outcomes
    assert {"response_summary.pct", "survival_medians.median_months"} <= set(cost.numbers)
    told = str(cost).partition("lacking in ")[2]
    assert told.startswith("response_summary.pct, survival_medians.median_months, ")
    assert told.endswith(f", {len(cost.numbers) - 3} more")


def test_a_scan_takes_its_measurement_along_and_no_patient(found: dict[str, Cost]) -> None:
    cost = found["unknown_code"]
    assert (cost.table, cost.column, cost.patients, cost.rows) == ("scans", "modality", 0, 2)


def test_an_optional_cell_costs_no_row_and_is_told_of(found: dict[str, Cost]) -> None:
    """Ki-67 of 500 and of x: one cell each, and nobody is lost."""
    causes = {"patients.diagnosis_before_birth", "unknown_code", "above_maximum", "not_a_number"}
    assert set(found) == causes
    for rule in ("above_maximum", "not_a_number"):
        cost = found[rule]
        assert (cost.column, cost.patients, cost.rows, cost.cells) == ("ki67_pct", 0, 0, 1)
        assert str(cost).startswith(f"patients.ki67_pct [{rule}]: 1 cell not read, each row stays;")
        assert "response_summary.pct" in str(cost)


@pytest.mark.parametrize(
    ("cell", "form"),
    [("1.100", "9.999"), ("12/03/1950", "99/99/9999"), ("Müller, J.", "aaaaaa, a."), ("", "")],
)
def test_a_finding_tells_the_form_of_a_cell_and_not_its_value(cell: str, form: str) -> None:
    assert pattern(cell) == form


@pytest.mark.parametrize(
    ("cell", "either"),
    [("1.100", ("1.100", "1100")), ("1,100", ("1100", "1.100")), ("1,1", ("1.1",)), ("x", ())],
)
def test_both_readings_of_a_number_are_known_to_the_preview(
    cell: str, either: tuple[str, ...]
) -> None:
    assert readings(cell) == either


def test_the_preview_shows_what_stands_in_the_cells_and_only_it_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `--preview` a finding names place, rule and pattern; with it, both readings too."""
    (tmp_path / "sites").mkdir()
    (tmp_path / "registry.toml").write_text('registry = "small"\nsites = ["north"]\n')
    (tmp_path / "sites" / "north.toml").write_text('site_id = "north"\norigin = "synthetic"\n')
    export = tmp_path / "2022-01-01"
    export.mkdir()
    (export / "patients.csv").write_text("patient_id;ki67_pct\n1;4\n2;1.100,5\n3;71x3\n")
    command = ["check", str(export), "--site", "north", "--config"]
    command += [str(tmp_path / "registry.toml"), "--store", str(tmp_path / "store")]
    assert main(command) == 1
    assert "71x3" not in capsys.readouterr().out
    assert main([*command, "--preview"]) == 1
    told = capsys.readouterr().out
    assert "patients' data: keep it on this machine" in told
    assert "patients.csv row 3, patients.ki67_pct: 71x3" in told


def test_a_night_tells_what_its_rows_set_aside_cost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The third patient is diagnosed before birth: he and his session are lost, and it is said."""
    store = Store.open(tmp_path / "store")
    patients = "patient_id,sex,birth_year,diagnosis_date\n1,female,1950,\n2,male,1950,\n"
    deliver(
        store,
        "2021-01-01",
        patients=f"{patients}3,male,1950,1940-01-01\n",
        treatments=f"{TREATMENTS}3,s1,t1,2020-03-03,glass,left\n",
    )
    (tmp_path / "sites").mkdir()
    (tmp_path / "registry.toml").write_text(
        'registry = "small"\nsites = ["north"]\nheld_below_pct = 0\n'
    )
    (tmp_path / "sites" / "north.toml").write_text('site_id = "north"\norigin = "synthetic"\n')
    command = ["run", "--direct", "--as-of", "2021-01-01", "--no-settle", "--config"]
    command += [str(tmp_path / "registry.toml"), "--store", str(store.root)]
    assert main(command) == 0
    told = capsys.readouterr().err
    cost = told.partition("What this costs:")[2].splitlines()[1]
    assert cost.startswith("  north: ")
    assert "patients.diagnosis_date" in cost
    assert "1 patient" in cost
    assert "2 rows" in cost

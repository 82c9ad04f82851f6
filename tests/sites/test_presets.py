"""A first site file from an export in a published format.

The reference cohort is written as SDTM by `simulation.sdtm`; what it may use of SDTM stands here,
from CDISC's lists.
"""

import csv
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from schemas.errors import BadDelivery
from schemas.naming.omop import ANALYTES as OMOP_ANALYTES
from schemas.naming.omop import OMOP, UNITS
from schemas.naming.sdtm import SDTM
from schemas.records.analytes import ANALYTES
from schemas.records.lab_words import unit_of
from schemas.site import Site
from schemas.site_rules import breaches
from simulation import registry_folder, simulate
from warehouse.engine.embedded import engine
from warehouse.intake.raw import convert
from warehouse.loading.load import mapped
from warehouse.receiving.fit import misfits
from warehouse.receiving.presets import from_preset

NIGHT = date(2011, 3, 31)
VARIABLES = {
    "DM": "SUBJID RFSTDTC RFENDTC DTHDTC DTHFL SITEID BRTHDTC AGE AGEU SEX RACE ARMCD ARM COUNTRY",
    "EX": "EXSEQ EXTRT EXDOSE EXDOSU EXROUTE EXLOC EXLAT EXSTDTC EXENDTC",
    "TU": "TUSEQ TULNKID TUTESTCD TUTEST TUORRES TUSTRESC TULOC TULAT TUMETHOD TUEVAL TUDTC",
    "TR": "TRSEQ TRLNKID TRTESTCD TRTEST TRORRES TRORRESU TRSTRESC TRSTRESN TRSTRESU TRSTAT "
    "TRMETHOD TREVAL TREVALID VISITNUM TRDTC",
    "RS": "RSSEQ RSTESTCD RSTEST RSCAT RSORRES RSSTRESC RSEVAL VISITNUM RSDTC",
    "LB": "LBSEQ LBTESTCD LBORRES LBORRESU LBORNRLO LBORNRHI LBSPEC LBDTC",
    "AE": "AESEQ AETERM AEDECOD AESER AEREL AEOUT AETOXGR AESTDTC AEENDTC",
    "SS": "SSSEQ SSTESTCD SSTEST SSORRES SSSTRESC SSDTC",
    "CM": "CMSEQ CMTRT CMCAT CMSTDTC CMENDTC",
}
"""Variables of each domain that this test needs; CDISC SDTM Implementation Guide 3.4, section 6.
The keys STUDYID, DOMAIN and USUBJID stand in every domain."""


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("sdtm") / "export"
    simulate("memon2012", "sdtm", NIGHT, to)
    return to


def site_of(text: str) -> Site:
    site = Site.model_validate(tomllib.loads(text))
    assert list(breaches(site)) == []
    return site


def write(folder: Path, **tables: str) -> Path:
    folder.mkdir()
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def harmonised(export: Path, site: Site, to: Path) -> dict[str, list[dict[str, Any]]]:
    """Every table as it was mapped, without the receipt; what the site file misses is an error."""
    to.mkdir()
    raw = convert(export, site, to, "north").tables
    assert misfits(raw, site) == []
    with engine() as con:
        tables = mapped(con, site, raw, "2020-01-01-1")
        return {n: con.to_pyarrow(con.table(f"all_{n}")).to_pylist() for n in tables}


def cells(rows: list[dict[str, Any]], *names: str) -> set[tuple[str, ...]]:
    return {tuple("" if r[n] is None else str(r[n]) for n in names) for r in rows}


def test_the_invented_sdtm_has_no_variable_that_cdisc_does_not_know(export: Path) -> None:
    for path in export.glob("*.csv"):
        with path.open() as file:
            header = next(csv.reader(file))
        known = {"STUDYID", "DOMAIN", "USUBJID", *VARIABLES[path.stem.upper()].split()}
        assert set(header) <= known, path.name


def test_the_site_file_of_the_cohort_is_the_preset_s_and_what_a_person_added(export: Path) -> None:
    text, left = from_preset(export, "sdtm", "memon2012")
    assert (
        left
        == text.count("# could not")
        + text.split("# A person must say:")[1].split("\n\n")[0].strip().count("\n")
        + 1
    )
    kept = registry_folder("memon2012", "sdtm") / "sites" / "memon2012.toml"
    written, theirs = tomllib.loads(text), tomllib.loads(kept.read_text("utf-8"))
    for table in ("prior_therapies", "subsequent_therapies"):
        assert table not in written["tables"]
        del theirs["tables"][table]
    del theirs["tables"]["adverse_events"][0]["columns"]["ctcae_version"]
    assert written["tables"] == theirs["tables"]


def test_transport_files_give_the_rows_of_csv(export: Path, tmp_path: Path) -> None:
    numbers = {"EXDOSE", "TRSTRESN", "VISITNUM", "EXSEQ"}
    other = tmp_path / "xpt"
    other.mkdir()
    for path in export.glob("*.csv"):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        for name in numbers & set(frame.columns):
            frame[name] = pd.to_numeric(frame[name])
        place = other / f"{path.stem}.xpt"
        pyreadstat.write_xport(frame, str(place), table_name=path.stem, file_format_version=5)
    by_kind = {}
    for kind, folder in (("csv", export), ("xpt", other)):
        text, _ = from_preset(folder, "sdtm", "north")
        by_kind[kind] = harmonised(folder, site_of(text), tmp_path / f"raw-{kind}")
    apart = {"source_file", "their_key"}
    assert by_kind["csv"].keys() == by_kind["xpt"].keys()
    for name, rows in by_kind["csv"].items():
        names = [n for n in rows[0] if n not in apart]
        assert cells(rows, *names) == cells(by_kind["xpt"][name], *names), name


TU = (
    "USUBJID,TULNKID,TUTESTCD,TUORRES,TULOC,TULAT,TUMETHOD,TUEVAL,TUDTC\n"
    "a,T1,TUMIDENT,TARGET,LIVER,RIGHT,CT SCAN,INVESTIGATOR,2020-01-01\n"
    "a,R1-T1,TUMIDENT,TARGET,LIVER,RIGHT,CT SCAN,INDEPENDENT ASSESSOR,2020-01-01\n"
    "a,N1,TUMIDENT,NEW,LIVER,,CT SCAN,INVESTIGATOR,2020-04-01\n"
    "a,N2,TUMIDENT,NEW,BONE,,CT SCAN,INVESTIGATOR,2020-04-01\n"
)


def number(value: Any) -> str:
    return "" if value is None else f"{value:f}".rstrip("0").rstrip(".")


TR = (
    "USUBJID,TRLNKID,TRTESTCD,TRORRES,TRSTRESN,TRSTRESU,TRSTAT,TRMETHOD,TREVAL,VISITNUM,TRDTC\n"
    "a,T1,LDIAM,3.1,3.1,cm,,CT SCAN,INVESTIGATOR,1,2020-01-01T09:30\n"
    "a,T1,LPERP,22,22,mm,,CT SCAN,INVESTIGATOR,1,2020-01-01\n"
    "a,T2,LDIAM,20,20,mm,,CT SCAN,INVESTIGATOR,1,2020-01-01\n"
    "a,R1-T1,LDIAM,40,40,mm,,CT SCAN,INDEPENDENT ASSESSOR,1,2020-01-01\n"
    "a,T1,LDIAM,,,,NOT DONE,CT SCAN,INVESTIGATOR,2,2020-04-01\n"
    "a,T1,TUMSTATE,ABSENT,,,,MRI,INVESTIGATOR,3,2020-07-01\n"
)
RS = (
    "USUBJID,RSTESTCD,RSCAT,RSORRES,RSEVAL,VISITNUM,RSDTC\n"
    "a,NTRGRESP,RECIST 1.1,PD,INVESTIGATOR,2,2020-04-01\n"
    "a,OVRLRESP,RECIST 1.1,PD,INVESTIGATOR,2,2020-04-01\n"
    "a,NTRGRESP,RECIST 1.1,CR,INDEPENDENT ASSESSOR,2,2020-04-01\n"
)
DM = "USUBJID,BRTHDTC,SEX,DTHDTC\na,1950-06,F,2021-03\n"


def test_of_several_evaluators_one_is_read_and_diameters_become_columns(tmp_path: Path) -> None:
    folder = write(tmp_path / "export", dm=DM, tu=TU, tr=TR, rs=RS)
    text, _ = from_preset(folder, "sdtm", "north")
    found = harmonised(folder, site_of(text), tmp_path / "raw")
    measured = {
        (r["lesion_id"], str(r["scan_date"])[:10], r["modality"], r["reader"],
         number(r["longest_mm"]), number(r["perpendicular_mm"]), r["status"])
        for r in found["measurements"]
    }  # fmt: skip
    assert measured == {
        ("T1", "2020-01-01", "CT", "local", "31", "22", "measured"),
        ("T2", "2020-01-01", "CT", "local", "20", "", "measured"),
        ("T1", "2020-04-01", "CT", "local", "", "", "not_evaluable"),
        ("T1", "2020-07-01", "MRI", "local", "", "", "absent"),
    }  # fmt: skip
    scans = {str(r["scan_date"])[:10]: (r["new_lesion"], r["non_target"]) for r in found["scans"]}
    assert scans == {
        "2020-01-01": (None, None),
        "2020-04-01": ("both", "progression"),
        "2020-07-01": (None, None),
    }
    assert {r["lesion_id"]: r["index_lesion"] for r in found["lesions"]} == {
        "T1": True, "N1": False, "N2": False,
    }  # fmt: skip
    (patient,) = found["patients"]
    assert (patient["birth_year"], patient["sex"]) == (1950, "female")
    (response,) = found["recorded_responses"]
    assert (response["criterion"], response["response_class"]) == ("RECIST 1.1", "PD")


def test_results_of_urine_are_not_read_as_those_of_blood(tmp_path: Path) -> None:
    labs = (
        "USUBJID,LBTESTCD,LBORRES,LBORRESU,LBORNRHI,LBSPEC,LBDTC\n"
        "a,CREAT,0.9,mg/dL,1.2,SERUM,2020-01-01\n"
        "a,CREAT,110,mg/dL,,URINE,2020-01-01\n"
        "a,BILI,,,,SERUM,2020-01-01\n"
    )
    folder = write(tmp_path / "export", dm=DM, lb=labs)
    text, _ = from_preset(folder, "sdtm", "north")
    found = harmonised(folder, site_of(text), tmp_path / "raw")
    assert cells(found["labs"], "analyte", "unit") == {("creatinine", "mg/dL")}


def test_what_the_export_lacks_and_what_a_person_must_say_is_told(tmp_path: Path) -> None:
    drugs = (
        "USUBJID,EXTRT,EXDOSE,EXDOSU,EXSTDTC\na,SIR-Spheres,1400,MBq,2020-01-02\n"
        "a,OCTREOTIDE,20,mg,2020-01-02\n"
    )
    folder = write(tmp_path / "export", dm=DM, ex=drugs, tr=TR.replace("TRTESTCD", "TESTCD"))
    text, left = from_preset(folder, "sdtm", "north")
    assert "# could not read measurements from tr.csv: it has no TRTESTCD" in text
    assert "# The export has no TU: lesions is not read from it" in text
    assert left > 0
    (treatment,) = harmonised(folder, site_of(text), tmp_path / "raw")["treatments"]
    assert (treatment["device"], float(treatment["activity_administered_gbq"])) == ("resin", 1.4)
    assert treatment["lobe"] == "unknown"


@pytest.mark.parametrize(
    ("preset", "tables", "told"),
    [
        ("sdtm", {"patients": "id\na\n"}, "not sdtm: no file dm"),
        ("sdtm", {"dm": "SUBJID,SEX\na,F\n"}, "dm.csv has no variable USUBJID"),
        ("omop", {"dm": DM}, "not omop: no file person"),
    ],
)
def test_an_export_of_another_kind_is_refused(
    preset: str, tables: Mapping[str, str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(BadDelivery, match=told):
        from_preset(write(tmp_path / "export", **tables), preset, "north")


def test_a_file_that_is_no_transport_file_or_cut_off_is_refused(tmp_path: Path) -> None:
    pyreadstat.write_xport(
        pd.DataFrame({"USUBJID": ["a"] * 9}), str(tmp_path / "dm.xpt"), file_format_version=5
    )
    whole = (tmp_path / "dm.xpt").read_bytes()
    for name, data in (("cut", whole[:-33]), ("other", b"USUBJID\na\n"), ("empty", b"")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "dm.xpt").write_bytes(data)
        with pytest.raises(BadDelivery, match="SAS transport"):
            from_preset(folder, "sdtm", "north")


def test_omop_gives_patients_laboratory_and_contacts_by_concept(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "export",
        person="person_id,gender_concept_id,year_of_birth\n1,8532,1950\n2,8507,1961\n",
        measurement=(
            "person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id,"
            "range_low,range_high\n"
            "1,3024128,2020-01-01,0.8,8840,,1.2\n"
            "1,3024561,2020-01-01,41,8636,35,52\n"
            "1,3025315,2020-01-01,70,9529,,\n"
            "2,3036277,2020-01-01,170,8582,,\n"
            "2,36303797,2020-01-01,12,8588,,\n"
        ),
        death="person_id,death_date,cause_concept_id\n2,2021-02-03,0\n",
        visit_occurrence="person_id,visit_start_date\n1,2020-01-01\n1,2020-06-01\n",
        procedure_occurrence=(
            "person_id,procedure_concept_id,procedure_date\n"
            "1,4061846,2020-01-02\n2,4061846,2020-01-03\n"
        ),
    )
    text, left = from_preset(folder, "omop", "north")
    assert left > 0
    assert 'procedure_concept_id: "4061846"' in text
    found = harmonised(folder, site_of(text), tmp_path / "raw")
    assert cells(found["patients"], "patient_id", "sex", "birth_year") == {
        ("1", "female", "1950"), ("2", "male", "1961"),
    }  # fmt: skip
    assert cells(found["labs"], "patient_id", "analyte", "unit") == {
        ("1", "bilirubin", "mg/dL"), ("1", "albumin", "g/L"),
    }  # fmt: skip
    weights = {(r["patient_id"], number(r["weight_kg"])) for r in found["assessments"]}
    assert weights == {("1", "70"), ("2", "")}
    assert cells(found["contacts"], "patient_id", "contact_type", "vital_status") == {
        ("1", "visit", "alive"), ("2", "death", "dead"),
    }  # fmt: skip


def test_concepts_stand_for_analytes_and_units_of_ours() -> None:
    assert set(OMOP_ANALYTES.values()) <= set(ANALYTES)
    assert {unit_of(unit, cells=False) for unit in UNITS.values()} == set(UNITS.values())
    assert {SDTM.code, OMOP.code} == {"sdtm", "omop"}

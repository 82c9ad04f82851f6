"""Laboratory results that are unusual and true, wrong and provable, or spelled in their own way.

The seven patients of centre `mayo` are real: the ALP of 10,165 to 13,862 U/L that seven of the
Mayo Clinic's trial in primary biliary cholangitis had at baseline (Therneau and Grambsch 2000).
Their values after treatment equal the baseline, so that version 5.0 grades them 0, and two others
rise from normal to more than five times ULN: grade 3 or worse is 2 patients.
"""

from collections.abc import Callable
from datetime import date

import duckdb
import ibis
import ibis.expr.types as ir
import pytest

from schemas.records.ctcae_terms import TERMS as TERM_RECORDS
from schemas.records.lab_words import unit_of
from schemas.site import Site
from schemas.words import plain_name
from tests.support.clinical_night import Night, night
from transforms.intake import lab_words

DAY = date(2021, 3, 20)
WRONG = Site.model_validate(
    {
        "site_id": "wrong",
        "origin": "synthetic",
        "tables": {
            "adverse_events": [
                {"columns": {"term": {"from": "term", "words": {"kotzen": "Vomiting"}}}}
            ]
        },
    }
)
ALP = ("13862", "12258.8", "11552", "11320.2", "11046.6", "10396.8", "10165")


def _analyte(text: ir.StringValue) -> ir.StringValue:
    return lab_words.analyte(text, lab_words.plain_analyte(text))


def _unit(text: ir.StringValue) -> ir.StringValue:
    return lab_words.unit(text, lab_words.plain_unit(text))


def _treated(patients: list[str]) -> dict[str, str]:
    return {
        "patients": "patient_id,sex\n" + "\n".join(f"{p},female" for p in patients),
        "treatments": "patient_id,session_id,target_id,treatment_date,device,lobe\n"
        + "\n".join(f"{p},s1,t1,2020-03-20,glass,right" for p in patients),
    }


def _mayo() -> dict[str, str]:
    high = {f"p{n}": value for n, value in enumerate(ALP, 1)}
    rows = [
        f"{p},{day},alp,{value},U/L,120"
        for p, value in high.items()
        for day in ("2020-03-01", "2020-04-20")
    ]
    for p in ("p8", "p9"):
        rows += [f"{p},2020-03-01,alp,100,U/L,120", f"{p},2020-04-20,alp,601,U/L,120"]
    for n in range(10, 20):
        rows += [f"p{n},{day},alp,100,U/L,120" for day in ("2020-03-01", "2020-04-20")]
    return _treated([f"p{n}" for n in range(1, 20)]) | {
        "labs": "patient_id,lab_date,analyte,value,unit,upper_limit\n" + "\n".join(rows)
    }


def _wrong() -> dict[str, str]:
    """Albumin in g/L under g/dL: a whole column is set aside, and with it every baseline."""
    rows = [
        f"w{n},{day},{analyte},{value},{unit},{limit}"
        for n in range(1, 5)
        for day in ("2020-03-01", "2020-04-20")
        for analyte, value, unit, limit in (
            ("creatinine", 88 + n, "mg/dL", "1.2"),
            ("alp", 200, "U/L", "120"),
        )
    ]
    return _treated([f"w{n}" for n in range(1, 5)]) | {
        "labs": "patient_id,lab_date,analyte,value,unit,upper_limit\n"
        + "\n".join(rows)
        + """
w1,2020-05-01,creatinine,1.5,mg/dL,1.2
w2,2020-05-01,platelets,150,ZQUNIT,
w3,2020-05-01,platelets,150,zqunit,
w2,2020-05-01,Chromogranin,150,ng/L,
w3,2020-05-01,chromogranin,150,ng/L,
w4,2020-05-01,CHROMOGRANIN,150,ng/L,
""",
        "adverse_events": """
            patient_id,term,onset_date,grade
            w1,Nausées,2020-04-01,1
            w2,ÜBELKEIT,2020-04-01,1
            w2,Kotzen,2020-04-01,1
            w3,Reizmagen,2020-04-01,1
            w4,reizmagen,2020-04-02,1
        """,
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return night(
        tmp_path_factory.mktemp("labs"),
        DAY,
        (Site(site_id="mayo", origin="synthetic"), _mayo()),
        (WRONG, _wrong()),
    )


@pytest.mark.parametrize("number", range(1, 8))
def test_a_living_patient_lies_outside_the_window_and_keeps_the_baseline(
    number: int, found: Night
) -> None:
    """Loaded, with a warning; 0 from version 5.0 on, more than 20 times ULN in the others."""
    graded = found.patient("mayo", f"p{number}", "lab_grades", "ctcae_version", "rel_day", "grade")
    assert [r for r in graded if r[1] > 0] == [
        ("3.0", 31, 4),
        ("4.03", 31, 4),
        ("5.0", 31, 0),
        ("6.0", 31, 0),
    ]
    warned = found.rows(
        "SELECT count(*) FROM '{quality}/findings.parquet' "
        "WHERE site_id = 'mayo' AND rule_id = 'labs.magnitude'"
    )
    assert warned == [(14,)]


def test_grade_3_or_worse_is_two_patients_and_not_nine(found: Night) -> None:
    rows = found.rows(
        "SELECT n, total FROM '{outcomes}/toxicity_summary.parquet' WHERE population LIKE '%mayo' "
        "AND statistic_id LIKE '%.alp.5%0.any.ge3'"
    )
    assert rows == [(2, 19)]


def test_a_whole_column_of_another_unit_is_set_aside_and_its_baselines_are_named(
    found: Night,
) -> None:
    """Eight creatinines of 89 to 92 mg/dL are umol/L: 88.4 brings all of them back inside.

    The one result that is in mg/dL is loaded; from version 4.03 on it has no baseline to be held
    against, and says so.
    """
    aside = found.rows(
        "SELECT count(*) FROM '{quality}/quarantine.parquet' "
        "WHERE site_id = 'wrong' AND rule_id = 'labs.unit_error'"
    )
    assert aside == [(8,)]
    graded = found.patient(
        "wrong", "w1", "lab_grades", "analyte", "ctcae_version", "grade", "reason"
    )
    assert [r for r in graded if r[0] == "creatinine"] == [
        ("creatinine", "3.0", 1, None),
        ("creatinine", "4.03", None, "baseline_set_aside"),
        ("creatinine", "5.0", None, "baseline_set_aside"),
        ("creatinine", "6.0", None, "baseline_set_aside"),
    ]


def test_the_other_reading_of_a_missing_baseline_is_published(found: Night) -> None:
    """Nobody's ALP baseline is missing: the number stands under either reading."""
    rows = found.rows(
        "SELECT alternative, value = base_value FROM '{outcomes}/sensitivity.parquet' "
        "WHERE setting = 'toxicity.missing_baseline' AND base_statistic_id LIKE '%.alp.%'"
    )
    assert rows == [("not_gradable", True)]


NAMES = {
    "AST": "ast",
    "Alt": "alt",
    "bilirubin total": "bilirubin",
    "Bilirubin, total": "bilirubin",
    "BILIRUBIN_TOTAL": "bilirubin",
    "Gesamtbilirubin": "bilirubin",
    "Bilirubine totale": "bilirubin",
    "Albumine": "albumin",
    "AST (GOT)": "ast",
    "SGPT": "alt",
    "Alkalische Phosphatase": "alp",
    "Phosphatase alcaline": "alp",
    "Gamma-GT": "ggt",
    "γ-GT": "ggt",
    "PT-INR": "inr",
    "Kreatinin": "creatinine",
    "Créatinine": "creatinine",
    "Hämoglobin": "haemoglobin",
    "Hgb": "haemoglobin",
    "Leukozyten": "wbc",
    "ANC": "neutrophils",
    "Lymphozyten": "lymphocytes",
    "Thrombozyten": "platelets",
    "Plaquettes": "platelets",
}
OTHERS = ("bilirubin direct", "lymphocytes %", "magnesium", "chromogranin", "ALT ratio")
MARKERS = {"CgA": "chromogranin_a", "5-HIAA": "5_hiaa", "5 Hydroxyindolessigsäure": "5_hiaa"}
"""No spelling of one of ours: another analyte, or another quantity."""


def test_names_of_analytes_are_matched_without_case_in_six_languages() -> None:
    """Read off laboratory reports; what means something else stays as it is."""
    named = {**NAMES, **MARKERS}
    assert _read(_analyte, [*named, *OTHERS]) == {**named, **{n: n for n in OTHERS}}


UNITS = {
    "G/L": "g/L",
    "/nl": "10*9/L",
    "1/nL": "10*9/L",
    "10⁹/L": "10*9/L",
    "x10E9/L": "10*9/L",
    "10^9/l": "10*9/L",
    "10**9/L": "10*9/L",
    "× 10⁹/L": "10*9/L",
    "Gpt/l": "10*9/L",
    "x10E3/uL": "10*3/uL",
    "x10E3/µL": "10*3/uL",
    "10³/μL": "10*3/uL",
    "K/mcL": "10*3/uL",
    "K/uL": "10*3/uL",
    "Thousand/uL": "10*3/uL",
    "10^3/mm³": "10*3/uL",
    "THOU/uL": "10*3/uL",
    "10*6/L": "10*6/L",
    "cells/µL": "/uL",
    "cells/μL": "/uL",
    "/mm³": "/uL",
    "{cells}/uL": "/uL",
    "µmol/L": "umol/L",
    "μmol/l": "umol/L",
    "mcmol/L": "umol/L",
    "MG/DL": "mg/dL",
    "mg %": "mg/dL",
    "mg/100 mL": "mg/dL",
    "UI/L": "U/L",
    "IU/l": "U/L",
    "[IU]/L": "U/L",
    "µkat/L": "ukat/L",
    "{INR}": "1",
    "Ratio": "1",
    "%": "%",
    "mmol/L": "mmol/L",
    "ZQUNIT": "ZQUNIT",
    "mg/g": "mg/g",
    "ng/mL": "ug/L",
    "µg/L": "ug/L",
    "mg/24 h": "mg/d",
    "mg/(24.h)": "mg/d",
    "µmol/24h": "umol/d",
}


def test_units_are_matched_by_their_plain_form() -> None:
    """UCUM and what laboratories write for it; both micro signs; an unknown one stays."""
    assert _read(_unit, list(UNITS)) == UNITS


def test_giga_per_litre_is_no_gram() -> None:
    """G/L of a count of cells is 10*9/L; of albumin it is grams, in capitals."""
    assert (unit_of("G/L", cells=True), unit_of("G/L", cells=False)) == ("10*9/L", "g/L")
    con = ibis.duckdb.connect()
    t = ibis.memtable({"analyte": ["platelets", "albumin"], "unit": ["g/L", "g/L"]})
    found = con.to_pyarrow(t.select(unit=lab_words.of_cells(t.analyte, t.unit)))
    assert found["unit"].to_pylist() == ["10*9/L", "g/L"]


def _read(word: Callable[[ir.StringValue], ir.StringValue], texts: list[str]) -> dict[str, str]:
    t = ibis.memtable({"text": texts})
    found = ibis.duckdb.connect().to_pyarrow(t.select("text", code=word(t.text)))
    return dict(zip(found["text"].to_pylist(), found["code"].to_pylist(), strict=True))


def test_a_units_free_text_reaches_no_release(found: Night) -> None:
    """Planted in a patient's row: it stands in no table, and the grade says that it is unknown."""
    graded = found.patient("wrong", "w2", "lab_grades", "analyte", "unit", "grade", "reason")
    assert {r[1:] for r in graded if r[0] == "platelets"} == {("unknown", None, "unknown unit")}
    for path in sorted((found.work / "parquet").rglob("*.parquet")):
        (n,) = duckdb.sql(
            f"SELECT count(*) FROM '{path}' t WHERE t::VARCHAR ILIKE '%ZQUNIT%'"
        ).fetchone() or (0,)
        assert n == 0, path


def test_what_stays_ungraded_is_told_once_for_each_spelling(found: Night) -> None:
    """Two rows of one unit, three of one analyte: a finding each, with how many rows it is."""
    told = found.rows(
        "SELECT rule_id, detail FROM '{quality}/findings.parquet' WHERE site_id = 'wrong' "
        "AND rule_id LIKE 'labs.unknown%' ORDER BY ALL"
    )
    assert told == [("labs.unknown_analyte", "3 rows"), ("labs.unknown_unit", "2 rows")]


TERMS = {
    "Nausées": "nausea",
    "ÜBELKEIT": "nausea",
    "náuseas": "nausea",
    "misselijkheid": "nausea",
    "Erbrechen": "vomiting",
    "Bauchschmerzen": "abdominal pain",
    "douleur abdominale": "abdominal pain",
    "Stanchezza": "fatigue",
    "Müdigkeit": "fatigue",
    "vermoeidheid": "fatigue",
    "fiebre": "fever",
    "Schüttelfrost": "chills",
    "Durchfall": "diarrhea",
    "Diarrhoea": "diarrhea",
    "perdita di peso": "weight loss",
    "Cholezystitis": "cholecystitis",
    "Aszites": "ascites",
    "appetitlosigkeit": "anorexia",
    "Pain - Abdomen NOS": "abdominal pain",
    "Pyrexia": "fever",
}


@pytest.mark.parametrize("word", TERMS)
def test_events_of_other_languages_are_the_listed_term(word: str) -> None:
    """Each word means one listed term and no other."""
    meant = [t.term for t in TERM_RECORDS if plain_name(word) in t.spellings()]
    assert meant == [TERMS[word]]


def test_a_site_file_maps_a_word_and_an_unknown_one_is_told_once(found: Night) -> None:
    """`Reizmagen` is nobody's word: told once, of two rows; `Kotzen` is mapped to vomiting."""
    rows = found.rows(
        "SELECT DISTINCT term FROM '{marts}/toxicity.parquet' WHERE source = 'event' AND "
        "subject_id IN (SELECT subject_id FROM '{marts}/subjects.parquet' WHERE site_id = 'wrong') "
        "AND term NOT LIKE '% or %' ORDER BY 1"
    )
    assert rows == [("nausea",), ("post-embolisation syndrome",), ("reizmagen",), ("vomiting",)]
    told = found.rows(
        "SELECT detail FROM '{quality}/findings.parquet' "
        "WHERE rule_id = 'adverse_events.unknown_term'"
    )
    assert told == [("2 rows",)]

"""The two exports of the reference cohort say the same, and hold what it was made for.

Both exports are read here with the csv module and the plain text of their site files, by code that
shares nothing with the generator or with the pipeline.
"""

import csv
import re
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from simulation import cohort, reference, simulate

EVERYTHING = date(2011, 3, 31)
NIGHTS = [date(2003, 1, 1), date(2003, 2, 1), date(2003, 3, 1), date(2006, 1, 15), EVERYTHING]
SITES = Path(__file__).parents[2] / "simulation"
SHARES = {"cm": Fraction(10), "%": Fraction(1, 100), "MBq": Fraction(1, 1000)}
LAB_UNITS = {
    ("bilirubin", "umol/L"): (Fraction(10, 171), "mg/dL"),
    ("albumin", "g/L"): (Fraction(1, 10), "g/dL"),
    ("lymphocytes", "/uL"): (Fraction(1, 1000), "10*9/L"),
}
Fact = dict[str, Any]
Facts = dict[str, list[Fact]]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, date], Path]:
    folder = tmp_path_factory.mktemp("exports")
    for night in NIGHTS:
        for shape in ("csv", "redcap"):
            simulate("memon2012", shape, night, folder / f"{shape}-{night}")
    return {(s, n): folder / f"{s}-{n}" for s in ("csv", "redcap") for n in NIGHTS}


@pytest.fixture(scope="module")
def whole(exports: dict[tuple[str, date], Path]) -> Facts:
    return from_tables(exports["csv", EVERYTHING])


def from_tables(folder: Path) -> Facts:
    """The plain tables as facts in our words and units."""
    site = tomllib.loads((SITES / "memon2012_tables/sites/memon2012.toml").read_text())
    facts: Facts = {}
    for table, (source,) in site["tables"].items():
        with (folder / f"{table}.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        named = {c for s in source.get("columns", {}).values() for c in _theirs(s)}
        for row in rows:
            fact = {c: value(v) for c, v in row.items() if c not in named and c != "synthetic"}
            fact |= {ours: _read(s, row, ()) for ours, s in source.get("columns", {}).items()}
            facts.setdefault(table, []).append(_conventional(fact) if table == "labs" else fact)
    return _comparable(facts)


def from_redcap(folder: Path) -> Facts:
    """The REDCap export as facts in our words and units."""
    site = tomllib.loads((SITES / "memon2012/sites/memon2012.toml").read_text())
    with (folder / "data.csv").open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["redcap_data_access_group"] == site["redcap"]["access_group"]
        ]
    facts: Facts = {}
    for table, sources in site["tables"].items():
        for source in sources:
            for row in rows:
                if not _belongs(row, source["instrument"]):
                    continue
                fact = {
                    ours: _read(s, row, site["missing"]) for ours, s in source["columns"].items()
                }
                fact["patient_id"] = row["record_id"]
                facts.setdefault(table, []).extend(_wide(source, row, fact))
    return _comparable(facts)


def _belongs(row: dict[str, str], instrument: str) -> bool:
    """A repeating instrument names itself; of the others only a completed form says something."""
    repeats = row["redcap_repeat_instrument"]
    return repeats in ("", instrument) and row[f"{instrument}_complete"] == "2"


def _wide(source: dict[str, Any], row: dict[str, str], fact: Fact) -> Iterator[Fact]:
    if "wide" not in source:
        yield fact
    for lab in source.get("wide", []):
        limits = {
            side: value(row[given]) if isinstance(given, str) else Fraction(str(given))
            for side in ("lower_limit", "upper_limit")
            if (given := lab.get(side)) is not None
        }
        yield (
            fact
            | limits
            | {"analyte": lab["analyte"], "unit": lab["unit"], "value": value(row[lab["value"]])}
        )


def _theirs(source: str | dict[str, Any]) -> list[str]:
    return [source] if isinstance(source, str) else source.get("any_of") or [source["from"]]


def _read(source: str | dict[str, Any], row: dict[str, str], missing: tuple[str, ...]) -> Any:
    if isinstance(source, str):
        return value(row[source], missing)
    if "any_of" in source:
        return any(row[box] == "1" for box in source["any_of"])
    text = row[source["from"]]
    if "codes" in source:
        return value(str(source["codes"][text])) if text else None
    read = value(text, missing)
    return read * SHARES[source["unit"]] if "unit" in source and read is not None else read


def value(text: str, missing: tuple[str, ...] = ()) -> Any:
    """Text as a date, an exact number, a truth or a word."""
    if text in ("", *missing):
        return None
    if day := re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", text):
        return date(int(day[3]), int(day[2]), int(day[1]))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return date.fromisoformat(text)
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return Fraction(text)
    return {"yes": True, "no": False}.get(text, text)


def _conventional(lab: Fact) -> Fact:
    by, unit = LAB_UNITS[lab["analyte"], lab["unit"]]
    measured = {c: lab[c] * by for c in ("value", "lower_limit", "upper_limit") if lab[c]}
    return lab | measured | {"unit": unit}


def _comparable(facts: Facts) -> Facts:
    """Without what is not known, in an order of its own; 1 and True are the same answer."""
    return {
        table: sorted(
            ({c: v for c, v in row.items() if v is not None} for row in rows),
            key=lambda row: sorted((c, str(v)) for c, v in row.items()),
        )
        for table, rows in facts.items()
    }


@pytest.mark.parametrize("night", NIGHTS, ids=str)
def test_both_exports_carry_the_same_facts(
    exports: dict[tuple[str, date], Path], night: date
) -> None:
    """One in mg/dL and mm from REDCap, the other in umol/L and cm: every cell is the same fact."""
    assert from_redcap(exports["redcap", night]) == from_tables(exports["csv", night])


def test_every_table_has_the_rows_of_the_cohort(whole: Facts) -> None:
    assert {table: len(rows) for table, rows in whole.items()} == {
        "patients": 40,
        "prior_therapies": 40 + 9,
        "medications": 72 + 25,
        "assessments": 40 + 377,
        "mappings": 40,
        "treatments": 78,
        "lesions": 83,
        "scans": 40 + 377,
        "measurements": 83 + 826,
        "labs": 1371,
        "adverse_events": 62,
        "subsequent_therapies": 25,
        "contacts": 470,
    }


def test_after_the_first_treatment_there_are_377_scans_and_826_measurements(whole: Facts) -> None:
    t0 = first_treatment(whole)
    after = {
        table: sum(row["scan_date"] > t0[row["patient_id"]] for row in whole[table])
        for table in ("scans", "measurements")
    }
    assert after == {"scans": 377, "measurements": 826}


def first_treatment(facts: Facts) -> dict[str, date]:
    t0: dict[str, date] = {}
    for row in facts["treatments"]:
        day = row["treatment_date"]
        t0[row["patient_id"]] = min(day, t0.get(row["patient_id"], day))
    return t0


def test_72_sessions_treat_78_lobes_and_38_patients_on_both_sides(whole: Facts) -> None:
    sessions = {(r["patient_id"], r["treatment_date"]) for r in whole["treatments"]}
    lobes = {(r["patient_id"], r["lobe"]) for r in whole["treatments"]}
    assert len(sessions) == len({(r["patient_id"], r["session_id"]) for r in whole["treatments"]})
    assert len(sessions) == 72
    assert sorted(Counter(p for p, _ in lobes).values()) == [1] * 2 + [2] * 38


def test_lesions_per_patient_are_those_of_the_assignment(whole: Facts) -> None:
    per_patient = Counter(row["patient_id"] for row in whole["lesions"])
    assert Counter(per_patient.values()) == {1: 9, 2: 20, 3: 10, 4: 1}
    assert sum(row["recist_target"] in (True, 1) for row in whole["lesions"]) == 71


@pytest.mark.parametrize(
    ("terms", "patients"),
    [
        ({"fatigue"}, 25),
        ({"nausea", "vomiting"}, 16),
        ({"abdominal pain"}, 7),
        ({"fever", "chills"}, 3),
        ({"diarrhea", "weight loss"}, 2),
        ({"cholecystitis"}, 1),
    ],
    ids=lambda x: "-".join(sorted(x)) if isinstance(x, set) else "",
)
def test_events_after_treatment_are_those_that_were_published(
    whole: Facts, terms: set[str], patients: int
) -> None:
    """Memon 2012; unions are made of terms recorded one by one."""
    t0 = first_treatment(whole)
    having = {
        row["patient_id"]
        for row in whole["adverse_events"]
        if row["term"] in terms and row["onset_date"] >= t0[row["patient_id"]]
    }
    assert len(having) == patients


def test_baseline_traits_are_those_that_were_published(whole: Facts) -> None:
    """Memon 2012: minimal extrahepatic 13, prior liver-directed 9, symptoms 25, improved 21."""
    assert Counter(r["extrahepatic_disease"] for r in whole["patients"])["minimal"] == 13
    assert Counter(r["therapy_class"] for r in whole["prior_therapies"])["liver_directed"] == 9
    symptomatic = {
        r["patient_id"] for r in whole["assessments"] if r.get("carcinoid_symptoms") is True
    }
    best = {
        (r["patient_id"], r["symptom_change"])
        for r in whole["assessments"]
        if "symptom_change" in r
    }
    assert len(symptomatic) == 25
    assert {p for p, _ in best} == symptomatic
    assert Counter(change for _, change in best) == {"improved": 21, "unchanged": 3, "worse": 1}
    prophylaxis = [r for r in whole["medications"] if r["purpose"] == "prophylaxis"]
    assert len({r["patient_id"] for r in prophylaxis}) == 40
    assert {(r["dose"], r["dose_unit"]) for r in prophylaxis} == {(Fraction(200), "ug")}


def test_deaths_and_last_contacts_are_those_of_the_assignment(whole: Facts) -> None:
    """29, 25 and 18 of 40 live at 12, 24 and 36 months; no one is censored before."""
    t0 = first_treatment(whole)
    last: dict[str, tuple[int, bool]] = {}
    for row in whole["contacts"]:
        day = (row["contact_date"] - t0[row["patient_id"]]).days
        last[row["patient_id"]] = max(
            last.get(row["patient_id"], (0, False)), (day, row["vital_status"] == "dead")
        )
    died = sorted(day for day, dead in last.values() if dead)
    alive = sorted(day for day, dead in last.values() if not dead)
    assert died == [
        *(104, 139, 171, 198, 198, 246, 269, 297, 322, 343, 365, 430, 517, 603, 689, 731, 829),
        *(912, 985, 1046, 1048, 1095, 1096, 1247, 1402, 1583, 1790, 2041),
    ]
    assert alive == [1131, 1236, 1318, 1402, 1489, 1577, 1663, 1758, 1894, 2105, 2377, 2688]


def test_laboratory_extremes_lie_exactly_on_and_beside_the_limits(whole: Facts) -> None:
    """1.8 and 3.6 mg/dL are 1.5 and 3 times the limit of 1.2: not a grade higher."""
    worst: dict[tuple[str, str], Fraction] = {}
    t0 = first_treatment(whole)
    for row in whole["labs"]:
        key = (row["patient_id"], row["analyte"])
        if row["lab_date"] > t0[row["patient_id"]] and row["analyte"] != "albumin":
            pick = max if row["analyte"] == "bilirubin" else min
            worst[key] = pick(row["value"], worst.get(key, row["value"]))
    bilirubin = {p: v for (p, a), v in worst.items() if a == "bilirubin"}
    lymphocytes = [v for (_, a), v in worst.items() if a == "lymphocytes"]
    assert {p for p, v in bilirubin.items() if v == Fraction("1.8")} == {"P06", "P28"}
    assert {p for p, v in bilirubin.items() if v > Fraction("3.6")} == {"P08", "P33", "P35"}
    assert bilirubin["P12"] == Fraction("3.6")
    assert bilirubin["P35"] == Fraction("12.6")
    assert sum(v < Fraction("0.5") for v in lymphocytes) == 15
    assert sum(v < Fraction("0.2") for v in lymphocytes) == 0


def test_largest_lung_dose_is_28_57_gy_in_a_session_and_36_03_in_all(whole: Facts) -> None:
    sessions = {(r["patient_id"], r["session_id"]): r["lung_dose_gy"] for r in whole["treatments"]}
    per_patient: Counter[str] = Counter()
    for (patient, _), dose in sessions.items():
        per_patient[patient] += dose
    assert max(sessions.values()) == Fraction("28.57")
    assert max(per_patient.values()) == Fraction("36.03")


def test_only_one_lesion_vanishes_and_17_lose_their_enhancement(whole: Facts) -> None:
    """What vanished has a status and no diameters; what does not enhance measures 0."""
    absent = [r for r in whole["measurements"] if r["status"] == "absent"]
    assert {(r["patient_id"], r["lesion_id"]) for r in absent} == {("P06", "L3")}
    assert all("longest_mm" not in r and "enhancing_longest_mm" not in r for r in absent)
    unenhancing = {
        (r["patient_id"], r["lesion_id"])
        for r in whole["measurements"]
        if r.get("enhancing_longest_mm") == 0 or r["status"] == "absent"
    }
    assert len(unenhancing) == 17


@pytest.mark.parametrize("shape", ["csv", "redcap"])
def test_same_night_gives_the_same_bytes(
    exports: dict[tuple[str, date], Path], tmp_path: Path, shape: str
) -> None:
    again = simulate("memon2012", shape, EVERYTHING, tmp_path / "again")
    before = sorted(exports[shape, EVERYTHING].iterdir())
    assert [p.name for p in again] == [p.name for p in before]
    assert [p.read_bytes() for p in again] == [p.read_bytes() for p in before]


@pytest.mark.parametrize("night", NIGHTS, ids=str)
def test_nothing_later_than_the_night_is_in_the_export(
    exports: dict[tuple[str, date], Path], night: date
) -> None:
    text = "".join(p.read_text() for p in exports["redcap", night].glob("data.csv"))
    assert all(date.fromisoformat(d) <= night for d in re.findall(r"\d{4}-\d\d-\d\d", text))
    text = "".join(p.read_text() for p in exports["csv", night].glob("*.csv"))
    assert all(value(d) <= night for d in re.findall(r"\d\d/\d\d/\d{4}", text))


@pytest.mark.parametrize("night", NIGHTS[:-1], ids=str)
def test_export_of_an_earlier_night_is_the_later_one_cut_off(
    exports: dict[tuple[str, date], Path], whole: Facts, night: date
) -> None:
    """Every row dated by then is there, of every patient mapped by then, and no other."""
    dated = {
        "treatments": "treatment_date", "contacts": "contact_date", "labs": "lab_date",
        "scans": "scan_date", "measurements": "scan_date", "assessments": "assessment_date",
    }  # fmt: skip
    early = from_tables(exports["csv", night])
    mapped = {r["patient_id"] for r in whole["mappings"] if r["mapping_date"] <= night}
    for table, column in dated.items():
        known = [r for r in whole[table] if r[column] <= night and r["patient_id"] in mapped]
        assert early.get(table, []) == known
    assert {r["patient_id"] for r in early.get("patients", [])} == mapped


def test_mapped_patient_is_known_before_the_first_treatment(
    exports: dict[tuple[str, date], Path],
) -> None:
    """P01 was mapped on 2003-01-31 and treated on 2003-02-11."""
    early = from_tables(exports["csv", date(2003, 2, 1)])
    assert [r["patient_id"] for r in early["mappings"]] == ["P01"]
    assert [len(early.get(t, [])) for t in ("scans", "treatments", "labs")] == [1, 0, 0]


def test_event_that_has_not_ended_is_ongoing(tmp_path: Path) -> None:
    """P01 has abdominal pain from 2003-02-13 to 2003-02-21."""
    simulate("memon2012", "csv", date(2003, 2, 20), tmp_path / "open")
    (event,) = from_tables(tmp_path / "open")["adverse_events"]
    assert event["outcome"] == "ongoing"
    assert "end_date" not in event


def test_design_columns_are_never_read(tmp_path: Path) -> None:
    """The classes that the lesions were made for are absent, and the records are the same."""
    for name in ("cohort_patients.csv", "cohort_lesions.csv"):
        shutil.copy(cohort.FOLDER / name, tmp_path / name)
    path = tmp_path / "cohort_lesions.csv"
    rows = list(csv.reader(path.read_text().splitlines()[1:]))
    kept = [i for i, name in enumerate(rows[0]) if not name.startswith("design_")]
    assert len(kept) == len(rows[0]) - 3
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([row[i] for i in kept] for row in rows)
    assert reference.records(EVERYTHING, cohort.patients(tmp_path)) == reference.records(EVERYTHING)

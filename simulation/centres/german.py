"""Write the records as a German department keeps them: one workbook of eleven sheets, by hand.

Dates are dd.mm.yyyy, numbers have a decimal comma, what the codes of sex mean stands in a header
only, and three columns of each kind that nobody needs stand beside the others.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from simulation.centres import book
from simulation.cohort import patients
from simulation.plain import plain
from simulation.reference import Record, Value, records

FILE = "SIRT_NET.xlsx"
PATIENTS = 10
README = """SYNTHETIC: no real person.

A workbook of ten invented patients treated with 90Y radioembolization, as a German department
might keep it. Nothing in it may be quoted as patient data.
"""
SEX = {"male": "1", "female": "2"}
PRIMARY = {"pancreas": "Pankreas", "small_bowel": "Dünndarm", "unknown": "CUP"}
EXTENT = {"none": "keine", "minimal": "gering", "significant": "ausgeprägt"}
THERAPY = {"chemotherapy": "Chemotherapie", "liver_directed": "TACE"}
LOBE = {"right": "rechts", "left": "links", "whole": "beide"}
DEVICE = {"glass": "TheraSphere", "resin": "SIR-Spheres"}
MODALITY = {"CT": "CT", "MRI": "MRT"}
NEW = {"none": "nein", "hepatic": "Leber", "extrahepatic": "extrahepatisch"}
NON_TARGET = {"none": "keine", "non_cr_non_pd": "stabil", "progression": "PD"}
ASCITES = {"none": "kein", "slight": "wenig"}
CHANGE = {"improved": "besser", "unchanged": "gleich", "worse": "schlechter"}
STATE = {"alive": "lebt", "dead": "verstorben"}
RELATED = {"probable": "wahrscheinlich", "unrelated": "kein"}
OUTCOME = {"resolved": "abgeklungen", "ongoing": "andauernd"}
TERM = {
    "fatigue": "Fatigue",
    "abdominal pain": "Bauchschmerzen",
    "nausea": "Übelkeit",
    "vomiting": "Erbrechen",
    "fever": "Fieber",
    "diarrhoea": "Durchfall",
    "cholecystitis": "Cholezystitis",
}
Sheet = Iterator[dict[str, str]]


def write(as_of: date, folder: Path) -> None:
    """Write the export of `as_of`: the workbook and a README.txt."""
    (folder / "README.txt").write_text(README, encoding="utf-8")
    cohort = patients()[:PATIENTS]
    there, whole = records(as_of, cohort), records(date.max, cohort)
    sheets = {}
    for name, made in SHEETS.items():
        header = list(next(made(whole)))
        sheets[name] = [header, *([row[h] for h in header] for row in made(there))]
    book.write(folder / FILE, sheets)


def _said(value: Value, words: Mapping[str, str] | None = None) -> str:
    if words is not None:
        return "" if value is None else words[str(value)]
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, date):
        return value.strftime("%d.%m.%Y")
    if isinstance(value, Decimal):
        return plain(value).replace(".", ",")
    return "" if value is None else str(value)


def _percent(value: Value) -> str:
    return _said(value * 100 if isinstance(value, Decimal) else value)


def _patients(tables: Mapping[str, list[Record]]) -> Sheet:
    mapped = {r["patient_id"]: r["mapping_date"] for r in tables["mappings"]}
    for r in tables["patients"]:
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "Geschl. (1=m, 2=w)": _said(r["sex"], SEX),
            "Geburtsjahr": _said(r["birth_year"]),
            "Primarius": _said(r["primary_site"], PRIMARY),
            "EHD": _said(r["extrahepatic_disease"], EXTENT),
            "inoperabel": _said(r["unresectable"]),
            "Progress vor SIRT": _said(r["progression_confirmed"]),
            "Aufklärung am": _said(mapped.get(r["patient_id"])),
            "zuw. Arzt": "Praxis",
        }


def _prior(tables: Mapping[str, list[Record]]) -> Sheet:
    for r in tables["prior_therapies"]:
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "Therapie": _said(r["therapy_class"], THERAPY),
            "von": _said(r["start_date"]),
            "bis": _said(r["stop_date"]),
            "Zyklen": "",
        }


def _mapping(tables: Mapping[str, list[Record]]) -> Sheet:
    for r in tables["mappings"]:
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "Angio am": _said(r["mapping_date"]),
            "MAA am": _said(r["maa_date"]),
            "Lungenshunt (%)": _percent(r["lung_shunt_fraction"]),
            "GI-Shunt": "nein",
            "KM (ml)": "120",
        }


def _treatments(tables: Mapping[str, list[Record]]) -> Sheet:
    for r in tables["treatments"]:
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "Sitzung": _said(r["session_id"]),
            "Ziel": _said(r["target_id"]),
            "Datum": _said(r["treatment_date"]),
            "Produkt": _said(r["device"], DEVICE),
            "Lappen": _said(r["lobe"], LOBE),
            "Zielvolumen [ml]": _said(r["target_volume_ml"]),
            "appl. Aktivität [GBq]": _said(r["activity_administered_gbq"]),
            "Rest [%]": _percent(r["residual_fraction"]),
            "Zieldosis [Gy]": _said(r["dose_gy"]),
            "Lungendosis [Gy]": _said(r["lung_dose_gy"]),
            "DL (min)": "18",
        }


def _lesions(tables: Mapping[str, list[Record]]) -> Sheet:
    for r in tables["lesions"]:
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "Herd": _said(r["lesion_id"]),
            "Segment": _said(r["segment"]),
            "Lappen": _said(r["lobe"], LOBE),
            "Zielläsion": _said(r["recist_target"]),
        }


def _measurements(tables: Mapping[str, list[Record]]) -> Sheet:
    for r in tables["measurements"]:
        gone = r["status"] == "absent"
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "Herd": _said(r["lesion_id"]),
            "US-Datum": _said(r["scan_date"]),
            "Modalität": _said(r["modality"], MODALITY),
            "LD (mm)": "0" if gone else _said(r["longest_mm"]),
            "KD (mm)": "0" if gone else _said(r["perpendicular_mm"]),
            "vital LD (mm)": "0" if gone else _said(r["enhancing_longest_mm"]),
            "vital KD (mm)": "0" if gone else _said(r["enhancing_perpendicular_mm"]),
            "Bemerkung": "",
        }


def _scans(tables: Mapping[str, list[Record]]) -> Sheet:
    for r in tables["scans"]:
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "US-Datum": _said(r["scan_date"]),
            "Modalität": _said(r["modality"], MODALITY),
            "arterielle Phase": _said(r["arterial_phase"]),
            "neue Herde": _said(r["new_lesion"], NEW),
            "Non-Target": _said(r["non_target"], NON_TARGET),
            "Gerät": "Somatom",
        }


def _labs(tables: Mapping[str, list[Record]]) -> Sheet:
    heads = {
        "bilirubin": "Bili ges. (mg/dl)",
        "albumin": "Albumin (g/dl)",
        "lymphocytes": "Lympho abs. (/nl)",
    }
    draws: dict[tuple[Value, Value], dict[str, str]] = {}
    for r in tables["labs"]:
        if str(r["analyte"]) in heads:
            row = draws.setdefault((r["patient_id"], r["lab_date"]), {})
            row[heads[str(r["analyte"])]] = _said(r["value"])
    for (patient, day), row in draws.items():
        yield {
            "Pat-Nr": _said(patient),
            "Abnahme": _said(day),
            **{head: row.get(head, "") for head in heads.values()},
            "Quick (%)": "95",
        }


def _visits(tables: Mapping[str, list[Record]]) -> Sheet:
    for r in tables["assessments"]:
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "Datum": _said(r["assessment_date"]),
            "ECOG": _said(r["ecog"]),
            "Gewicht (kg)": _said(r["weight_kg"]),
            "Aszites": _said(r["ascites"], ASCITES),
            "HE-Grad": _said(r["encephalopathy_grade"]),
            "Tumorlast (%)": _said(r["tumour_burden_pct"]),
            "Beschwerden": _said(r["symptom_change"], CHANGE),
        }


def _events(tables: Mapping[str, list[Record]]) -> Sheet:
    for r in tables["adverse_events"]:
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "Ereignis": TERM.get(str(r["term"]), str(r["term"])),
            "Beginn": _said(r["onset_date"]),
            "Ende": _said(r["end_date"]),
            "CTC-Grad": _said(r["grade"]),
            "Zusammenhang": _said(r["related"], RELATED),
            "SUE": _said(r["serious"]),
            "Ausgang": _said(r["outcome"], OUTCOME),
        }


def _follow_up(tables: Mapping[str, list[Record]]) -> Sheet:
    later = {r["patient_id"]: r["start_date"] for r in reversed(tables["subsequent_therapies"])}
    for r in tables["contacts"]:
        yield {
            "Pat-Nr": _said(r["patient_id"]),
            "letzter Kontakt": _said(r["contact_date"]),
            "Status": _said(r["vital_status"], STATE),
            "Folgechemo ab": _said(later.pop(r["patient_id"], None)),
        }


SHEETS: Mapping[str, Callable[[Mapping[str, list[Record]]], Sheet]] = {
    "Stammdaten": _patients,
    "Vortherapien": _prior,
    "Angiographie": _mapping,
    "SIRT": _treatments,
    "Herde": _lesions,
    "Messungen": _measurements,
    "Bildgebung": _scans,
    "Labor": _labs,
    "Verlauf": _visits,
    "Nebenwirkungen": _events,
    "Nachsorge": _follow_up,
}

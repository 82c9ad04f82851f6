"""Write the reference records as a sponsor does that keeps CDISC SDTM domains.

One CSV file per domain. Domains and variables are those of the Implementation Guide 3.4; what SDTM
has no place for - enhancing diameters, volumes, lung shunt, tumour burden - is not written. Prior
and subsequent treatments stand in CM under the sponsor's own categories.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from schemas.records.analytes import TEST_CODES
from simulation.plain import plain
from simulation.reference import Record, Value, records

STUDY = "MEMON2012"
README = """SYNTHETIC: no real person.

An invented registry of 40 patients and 83 liver lesions treated with 90Y radioembolization, made
from simulation/memon2012/ so that its raw records give the published counts of Memon et al. 2012.
Nothing in it may be quoted as patient data. Every file repeats it in the study's identifier.
"""
SEX = {"female": "F", "male": "M", "unknown": "U"}
MICROSPHERES = {"glass": "Y-90 GLASS MICROSPHERES", "resin": "Y-90 RESIN MICROSPHERES"}
LATERALITY = {"right": "RIGHT", "left": "LEFT", "whole": "BILATERAL"}
METHOD = {"CT": "CT SCAN", "MRI": "MRI"}
NON_TARGET = {
    "complete_response": "CR",
    "non_cr_non_pd": "NON-CR/NON-PD",
    "progression": "PD",
    "not_evaluated": "NE",
}
RELATED = {"probable": "PROBABLY RELATED", "unrelated": "NOT RELATED"}
OUTCOME = {"resolved": "RECOVERED/RESOLVED", "ongoing": "NOT RECOVERED/NOT RESOLVED"}
DIAMETERS = {
    "longest_mm": ("LDIAM", "Longest Diameter"),
    "perpendicular_mm": ("LPERP", "Longest Perpendicular"),
}
UNITS = {"mg/dL": "mg/dL", "g/dL": "g/dL", "10*9/L": "10^9/L", "ng/mL": "ug/L"}
Rows = Mapping[str, list[Record]]


def write(as_of: date, folder: Path) -> None:
    """Write the export of `as_of`: one file per domain, and a README.txt."""
    (folder / "README.txt").write_text(README, encoding="utf-8")
    whole = domains(records(date.max))
    there = domains(records(as_of))
    for name, known in whole.items():
        header, rows = ["STUDYID", "DOMAIN", *known[0]], there.get(name, [])
        with (folder / f"{name.lower()}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                writer.writerow([f"SYNTHETIC-{STUDY}", name, *map(_text, row.values())])


def domains(tables: Rows) -> dict[str, list[Record]]:
    """Every domain that has rows, numbered within each subject."""
    found = {
        "DM": _dm(tables),
        "EX": _ex(tables),
        "TU": _tu(tables),
        "TR": _tr(tables),
        "RS": _rs(tables),
        "LB": _lb(tables),
        "AE": _ae(tables),
        "VS": _vs(tables),
        "SS": _ss(tables),
        "CM": _cm(tables),
    }
    numbered = {name: _numbered(name, list(rows)) for name, rows in found.items()}
    return {name: rows for name, rows in numbered.items() if rows}


def _numbered(domain: str, rows: list[Record]) -> list[Record]:
    """The rows with their number within the subject, as SDTM asks of all domains but DM."""
    if domain == "DM":
        return rows
    seen: dict[Value, int] = {}
    numbered = []
    for row in rows:
        seen[row["USUBJID"]] = seen.get(row["USUBJID"], 0) + 1
        first, *rest = row.items()
        numbered.append(dict([first, (f"{domain}SEQ", seen[row["USUBJID"]]), *rest]))
    return numbered


def _dm(tables: Rows) -> Iterator[Record]:
    deaths = {r["patient_id"]: r["contact_date"] for r in tables["contacts"] if _is_death(r)}
    first: dict[Value, Value] = {}
    for row in tables["treatments"]:
        first.setdefault(row["patient_id"], row["treatment_date"])
    for row in tables["patients"]:
        patient = row["patient_id"]
        yield {
            "USUBJID": patient,
            "SUBJID": patient,
            "RFSTDTC": first.get(patient),
            "DTHDTC": deaths.get(patient),
            "DTHFL": "Y" if patient in deaths else None,
            "SITEID": "01",
            "BRTHDTC": str(row["birth_year"]),
            "SEX": SEX[str(row["sex"])],
            "ARMCD": "Y90",
            "ARM": "90Y radioembolization",
            "COUNTRY": "USA",
        }


def _is_death(contact: Record) -> bool:
    return contact["vital_status"] == "dead"


def _ex(tables: Rows) -> Iterator[Record]:
    for row in tables["treatments"]:
        yield {
            "USUBJID": row["patient_id"],
            "EXTRT": MICROSPHERES[str(row["device"])],
            "EXDOSE": row["activity_administered_gbq"],
            "EXDOSU": "GBq",
            "EXROUTE": "INTRA-ARTERIAL",
            "EXLOC": "LIVER",
            "EXLAT": LATERALITY[str(row["lobe"])],
            "EXSTDTC": row["treatment_date"],
            "EXENDTC": row["treatment_date"],
        }


def _visits(tables: Rows) -> dict[tuple[Value, Value], int]:
    """Patient and day of a scan -> the number of the visit."""
    numbers: dict[tuple[Value, Value], int] = {}
    last: dict[Value, int] = {}
    for row in sorted(tables["scans"], key=lambda r: (str(r["patient_id"]), str(r["scan_date"]))):
        last[row["patient_id"]] = last.get(row["patient_id"], 0) + 1
        numbers[row["patient_id"], row["scan_date"]] = last[row["patient_id"]]
    return numbers


def _tu(tables: Rows) -> Iterator[Record]:
    """Lesions at their first scan, and the new ones, which nobody measures."""
    first: dict[tuple[Value, Value], Record] = {}
    for row in sorted(tables["measurements"], key=lambda r: str(r["scan_date"])):
        first.setdefault((row["patient_id"], row["lesion_id"]), row)
    for row in tables["lesions"]:
        if seen := first.get((row["patient_id"], row["lesion_id"])):
            target = "TARGET" if row["recist_target"] else "NON-TARGET"
            side = LATERALITY.get(str(row["lobe"]))
            yield _identified(seen, str(row["lesion_id"]), target, "LIVER", side)
    for row in tables["scans"]:
        new = str(row["new_lesion"])
        for kind, place in (("hepatic", "LIVER"), ("extrahepatic", "BONE")):
            if new in (kind, "both"):
                yield _identified(row, f"NEW-{row['scan_date']}-{place}", "NEW", place, None)


def _identified(scan: Record, lesion: str, what: str, place: str, side: str | None) -> Record:
    return {
        "USUBJID": scan["patient_id"],
        "TULNKID": lesion,
        "TUTESTCD": "TUMIDENT",
        "TUTEST": "Tumor Identification",
        "TUORRES": what,
        "TUSTRESC": what,
        "TULOC": place,
        "TULAT": side,
        "TUMETHOD": METHOD[str(scan["modality"])],
        "TUEVAL": "INVESTIGATOR",
        "TUDTC": scan["scan_date"],
    }


def _tr(tables: Rows) -> Iterator[Record]:
    visits = _visits(tables)
    for row in tables["measurements"]:
        if row["status"] == "absent":
            yield _result(row, visits, "TUMSTATE", "Tumor State", "ABSENT", None)
            continue
        for column, (code, name) in DIAMETERS.items():
            yield _result(row, visits, code, name, row[column], "mm")


def _result(
    row: Record,
    visits: Mapping[tuple[Value, Value], int],
    code: str,
    name: str,
    value: Value,
    unit: str | None,
) -> Record:
    return {
        "USUBJID": row["patient_id"],
        "TRLNKID": row["lesion_id"],
        "TRTESTCD": code,
        "TRTEST": name,
        "TRORRES": value,
        "TRORRESU": unit,
        "TRSTRESC": value,
        "TRSTRESN": value if unit else None,
        "TRSTRESU": unit,
        "TRSTAT": None,
        "TRMETHOD": METHOD[str(row["modality"])],
        "TREVAL": "INVESTIGATOR",
        "VISITNUM": visits[row["patient_id"], row["scan_date"]],
        "TRDTC": row["scan_date"],
    }


def _rs(tables: Rows) -> Iterator[Record]:
    """What the non-target lesions did at each visit, and the performance status."""
    visits = _visits(tables)
    for row in tables["scans"]:
        if said := NON_TARGET.get(str(row["non_target"])):
            test = ("NTRGRESP", "Non-target Response")
            yield _response(row["patient_id"], *test, said, "RECIST 1.1") | {
                "VISITNUM": visits[row["patient_id"], row["scan_date"]],
                "RSDTC": row["scan_date"],
            }
    for row in tables["assessments"]:
        if row["ecog"] is not None:
            test = ("ECOG101", "ECOG1-Performance Status")
            yield _response(row["patient_id"], *test, str(row["ecog"]), "ECOG") | {
                "VISITNUM": 0,
                "RSDTC": row["assessment_date"],
            }


def _response(patient: Value, code: str, name: str, said: str, of: str) -> Record:
    return {
        "USUBJID": patient,
        "RSTESTCD": code,
        "RSTEST": name,
        "RSCAT": of,
        "RSORRES": said,
        "RSSTRESC": said,
        "RSEVAL": "INVESTIGATOR",
    }


def _lb(tables: Rows) -> Iterator[Record]:
    for row in tables["labs"]:
        yield {
            "USUBJID": row["patient_id"],
            "LBTESTCD": TEST_CODES.get(str(row["analyte"]), "CGA"),
            "LBORRES": row["value"],
            "LBORRESU": UNITS[str(row["unit"])],
            "LBORNRLO": row["lower_limit"],
            "LBORNRHI": row["upper_limit"],
            "LBSPEC": "SERUM",
            "LBDTC": row["lab_date"],
        }


def _ae(tables: Rows) -> Iterator[Record]:
    for row in tables["adverse_events"]:
        term = str(row["term"]).upper()
        yield {
            "USUBJID": row["patient_id"],
            "AETERM": term,
            "AEDECOD": term,
            "AESER": "Y" if row["serious"] else "N",
            "AEREL": RELATED[str(row["related"])],
            "AEOUT": OUTCOME[str(row["outcome"])],
            "AETOXGR": str(row["grade"]),
            "AESTDTC": row["onset_date"],
            "AEENDTC": row["end_date"],
        }


def _vs(tables: Rows) -> Iterator[Record]:
    for row in tables["assessments"]:
        for code, column, unit in (("WEIGHT", "weight_kg", "kg"), ("HEIGHT", "height_cm", "cm")):
            if row[column] is not None:
                yield {
                    "USUBJID": row["patient_id"],
                    "VSTESTCD": code,
                    "VSTEST": code.capitalize(),
                    "VSORRES": row[column],
                    "VSORRESU": unit,
                    "VSSTRESN": row[column],
                    "VSSTRESU": unit,
                    "VSDTC": row["assessment_date"],
                }


def _ss(tables: Rows) -> Iterator[Record]:
    for row in tables["contacts"]:
        status = str(row["vital_status"]).upper()
        yield {
            "USUBJID": row["patient_id"],
            "SSTESTCD": "SURVSTAT",
            "SSTEST": "Survival Status",
            "SSORRES": status,
            "SSSTRESC": status,
            "SSDTC": row["contact_date"],
        }


def _cm(tables: Rows) -> Iterator[Record]:
    for name, category in (("prior_therapies", "PRIOR"), ("subsequent_therapies", "SUBSEQUENT")):
        for row in tables[name]:
            yield {
                "USUBJID": row["patient_id"],
                "CMTRT": str(row["therapy_class"]).upper(),
                "CMCAT": f"{category} CANCER THERAPY",
                "CMSTDTC": row["start_date"],
                "CMENDTC": row.get("stop_date"),
            }


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return plain(value)
        case _:
            return str(value)

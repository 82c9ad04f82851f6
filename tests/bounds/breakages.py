"""Ways to break an invented centre's export: each sets rows aside, or marks a cell, by one rule."""

import csv
from collections.abc import Callable
from pathlib import Path

Rows = list[dict[str, str]]
Edit = Callable[[dict[str, Rows], int], None]


def _cell(table: str, column: str, text: str) -> Edit:
    """Write a text into a cell of the n-th row."""

    def edit(tables: dict[str, Rows], n: int) -> None:
        if rows := tables[table]:
            rows[n % len(rows)][column] = text

    return edit


def _death_twice(tables: dict[str, Rows], n: int) -> None:
    rows = tables["contacts"]
    deaths = [r for r in rows if r["contact_type"] == "death"]
    if deaths:
        other = dict(deaths[n % len(deaths)])
        rows.append(other | {"contact_date": "01/06/2024"})


def _alive_later(tables: dict[str, Rows], n: int) -> None:
    rows = tables["contacts"]
    deaths = [r for r in rows if r["contact_type"] == "death"]
    if deaths:
        other = dict(deaths[n % len(deaths)])
        later = {"contact_date": "02/06/2024", "contact_type": "phone", "vital_status": "alive"}
        rows.append(other | later | {"cause_of_death": ""})


def _two_versions(tables: dict[str, Rows], n: int) -> None:
    rows = tables["scans"]
    other = dict(rows[n % len(rows)])
    rows.append(other | {"evaluable": "no" if other["evaluable"] == "yes" else "yes"})


def _dead_visit(tables: dict[str, Rows], n: int) -> None:
    rows = [r for r in tables["contacts"] if r["contact_type"] != "death"]
    rows[n % len(rows)]["vital_status"] = "dead"


def _swapped_limits(tables: dict[str, Rows], n: int) -> None:
    rows = [r for r in tables["labs"] if r["upper_limit"]]
    rows[n % len(rows)]["lower_limit"] = "99999"


def _early_death(tables: dict[str, Rows], n: int) -> None:
    deaths = [r for r in tables["contacts"] if r["contact_type"] == "death"]
    if deaths:
        deaths[n % len(deaths)]["contact_date"] = "01/01/2005"


BREAKAGES: dict[str, Edit] = {
    "labs not_a_number": _cell("labs", "value", "abc"),
    "labs below_minimum": _cell("labs", "value", "-3"),
    "labs missing": _cell("labs", "value", ""),
    "labs limits_in_order": _swapped_limits,
    "contacts not_a_date": _cell("contacts", "contact_date", "99/99/2020"),
    "contacts after_extraction": _cell("contacts", "contact_date", "01/01/2029"),
    "contacts status_of_a_death": _dead_visit,
    "contacts two_deaths": _death_twice,
    "contacts alive_after_death": _alive_later,
    "contacts death_before_treatment": _early_death,
    "patients diagnosis_before_birth": _cell("patients", "diagnosis_date", "01/01/1890"),
    "patients unknown_code": _cell("patients", "extrahepatic_disease", "much"),
    "measurements unknown_code": _cell("measurements", "status", "gone"),
    "measurements not_a_number": _cell("measurements", "longest_cm", "xx"),
    "measurements above_maximum": _cell("measurements", "longest_cm", "999"),
    "scans conflicting_key": _two_versions,
    "scans not_a_date": _cell("scans", "scan_date", "99/99/2020"),
    "scans unknown_code": _cell("scans", "new_lesion", "perhaps"),
    "lesions missing": _cell("lesions", "lesion_id", ""),
    "treatments unknown_code": _cell("treatments", "device", "gold"),
    "treatments before_birth": _cell("treatments", "treatment_date", "01/01/1905"),
    "assessments above_maximum": _cell("assessments", "ecog", "9"),
    "adverse_events not_a_number": _cell("adverse_events", "grade", "high"),
    "medications octreotide_unit": _cell("medications", "dose_unit", "mg"),
    "subsequent_therapies not_a_date": _cell("subsequent_therapies", "start_date", "99/99/2020"),
}
"""Table and rule -> the edit of a centre's tables; the number chooses the row."""


def break_centre(folder: Path, edit: Edit, n: int) -> None:
    """Break one thing of a centre's export."""
    files = {p.stem: p for p in folder.glob("*.csv")}
    tables: dict[str, Rows] = {}
    heads: dict[str, list[str]] = {}
    for name, path in files.items():
        with path.open(newline="", encoding="utf-8") as file:
            read = csv.DictReader(file, delimiter=";")
            tables[name], heads[name] = list(read), list(read.fieldnames or [])
    edit(tables, n)
    for name, path in files.items():
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, heads[name], delimiter=";")
            writer.writeheader()
            writer.writerows(tables[name])

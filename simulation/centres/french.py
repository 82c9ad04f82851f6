"""Write the records as a French centre keeps them: in a REDCap project of seven instruments.

A longitudinal project as raw export with its dictionary: two events, instruments that repeat, codes
whose labels stand in the dictionary, units in labels or notes, lesions as columns of the imaging.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from simulation.cohort import patients
from simulation.plain import plain
from simulation.reference import Record, Value, records

PATIENTS = 10
LESIONS = 5
README = """SYNTHETIC: no real person.

A REDCap export of ten invented patients treated with 90Y radioembolization, as a French centre
might keep it. Nothing in it may be quoted as patient data.
"""
ENTRY, FOLLOW_UP = "inclusion_arm_1", "suivi_arm_1"
STRUCTURE = (
    "num_inclusion",
    "redcap_event_name",
    "redcap_repeat_instrument",
    "redcap_repeat_instance",
)
DICTIONARY = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
)
Rows = Mapping[str, list[Record]]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the dictionary; our codes stand with the label of each of theirs."""

    name: str
    label: str
    kind: str = "text"
    codes: tuple[tuple[str, str], ...] = ()
    """(our code, their label), numbered from 1 in this order; of a yes/no field none."""
    note: str = ""
    validation: str = ""

    def said(self, value: Value) -> str:
        """A value as the raw export has it."""
        if isinstance(value, bool):
            return str(int(value))
        if self.codes and value is not None:
            return str([c for c, _ in self.codes].index(str(value)) + 1)
        if isinstance(value, date):
            return value.isoformat()
        return plain(value) if isinstance(value, Decimal) else "" if value is None else str(value)


def _day(name: str, label: str) -> Field:
    return Field(name, label, validation="date_dmy")


def _number(name: str, label: str, note: str = "") -> Field:
    return Field(name, label, note=note, validation="number")


def _choice(name: str, label: str, **codes: str) -> Field:
    return Field(name, label, "radio", tuple(codes.items()))


def _lesion(number: int) -> Iterator[Field]:
    label = f"Lésion {number} : "
    yield _number(f"les{number}_ga", f"{label}grand axe (mm)")
    yield _number(f"les{number}_pa", f"{label}petit axe (mm)")
    yield _number(f"les{number}_reh", f"{label}grand axe rehaussé (mm)")


FORMS: Mapping[str, tuple[Field, ...]] = {
    "inclusion": (
        _choice("sexe", "Sexe", male="Masculin", female="Féminin"),
        _number("annee_naiss", "Année de naissance"),
        _choice(
            "primitif",
            "Tumeur primitive",
            pancreas="Pancréas",
            small_bowel="Intestin grêle",
            unknown="Inconnue",
        ),
        _choice(
            "mal_eh",
            "Maladie extra-hépatique",
            none="Aucune",
            minimal="Minime",
            significant="Étendue",
        ),
        Field("non_resec", "Métastases hépatiques non résécables", "yesno"),
        Field("prog_avant", "Progression prouvée avant traitement", "yesno"),
        Field("commentaire", "Commentaire", "notes"),
    ),
    "antecedents": (
        _choice(
            "atcd_type",
            "Type de traitement antérieur",
            chemotherapy="Chimiothérapie",
            liver_directed="Chimioembolisation",
        ),
        _day("atcd_debut", "Date de début"),
        _day("atcd_fin", "Date de fin"),
    ),
    "radioembolisation": (
        _number("re_seance", "Numéro de séance"),
        _number("re_cible", "Numéro de cible"),
        _day("re_date", "Date du traitement"),
        _choice(
            "re_spheres",
            "Microsphères",
            glass="TheraSphere (verre)",
            resin="SIR-Spheres (résine)",
        ),
        _choice("re_lobe", "Lobe traité", right="Droit", left="Gauche", whole="Foie entier"),
        _number("re_volume", "Volume perfusé (mL)"),
        _number("re_activite", "Activité injectée", "GBq"),
        _number("re_residu", "Activité résiduelle (%)"),
        _number("re_dose", "Dose au volume perfusé (Gy)"),
        _number("re_scopie", "Durée de scopie (min)"),
    ),
    "imagerie": (
        _day("img_date", "Date de l'examen"),
        _choice("img_mod", "Modalité", CT="TDM", MRI="IRM"),
        Field("img_art", "Temps artériel", "yesno"),
        _choice(
            "img_nouv",
            "Nouvelle lésion",
            none="Aucune",
            hepatic="Hépatique",
            extrahepatic="Extra-hépatique",
        ),
        *(f for number in range(1, LESIONS + 1) for f in _lesion(number)),
    ),
    "biologie": (
        _day("bio_date", "Date du prélèvement"),
        _number("bio_bili", "Bilirubine totale", "mg/dL"),
        _number("bio_alb", "Albumine", "g/dL"),
        _number("bio_lympho", "Lymphocytes", "G/L"),
        _number("bio_tp", "TP (%)"),
    ),
    "evenements": (
        Field("ei_terme", "Événement indésirable"),
        _day("ei_debut", "Date de début"),
        _day("ei_fin", "Date de fin"),
        _number("ei_grade", "Grade CTCAE v3.0"),
        _choice("ei_lien", "Lien avec le traitement", probable="Probable", unrelated="Aucun lien"),
        Field("ei_grave", "Événement grave", "yesno"),
    ),
    "suivi": (
        _day("sv_date", "Date de consultation"),
        _choice("sv_statut", "Statut vital", alive="Vivant", dead="Décédé"),
        _number("sv_ecog", "ECOG"),
        _choice("sv_ascite", "Ascite", none="Absente", slight="Minime"),
        _number("sv_charge", "Charge tumorale hépatique (%)"),
    ),
}


def write(as_of: date, folder: Path) -> None:
    """Write the export of `as_of`: data.csv, dictionary.csv and a README.txt."""
    (folder / "README.txt").write_text(README, encoding="utf-8")
    with (folder / "dictionary.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(DICTIONARY)
        writer.writerow(["num_inclusion", "inclusion", "", "text", "Numéro d'inclusion", *[""] * 3])
        for form, several in FORMS.items():
            for f in several:
                writer.writerow(
                    [f.name, form, "", f.kind, f.label, _choices(f), f.note, f.validation]
                )
    head = [*STRUCTURE]
    for form, several in FORMS.items():
        head += [*(f.name for f in several), f"{form}_complete"]
    with (folder / "data.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, head, restval="", lineterminator="\n")
        table.writeheader()
        tables = records(as_of, patients()[:PATIENTS])
        for patient in (str(r["patient_id"]) for r in tables["patients"]):
            table.writerows(_rows(patient, {n: _of(rows, patient) for n, rows in tables.items()}))


def _choices(one: Field) -> str:
    return " | ".join(f"{n}, {label}" for n, (_, label) in enumerate(one.codes, 1))


def _of(rows: list[Record], patient: str) -> list[Record]:
    return [r for r in rows if r["patient_id"] == patient]


def _rows(patient: str, tables: Rows) -> Iterator[dict[str, str]]:
    """The rows of one record: its inclusion once, and each time that another was filled in."""
    once = tables["patients"][0]
    values: list[Value] = [
        once[n]
        for n in (
            "sex",
            "birth_year",
            "primary_site",
            "extrahepatic_disease",
            "unresectable",
            "progression_confirmed",
        )
    ]
    yield _row(patient, "inclusion", values, 0)
    for form, made in (
        ("antecedents", _prior(tables)),
        ("radioembolisation", _sessions(tables)),
        ("imagerie", _scans(tables)),
        ("biologie", _draws(tables)),
        ("evenements", _events(tables)),
        ("suivi", _visits(tables)),
    ):
        for number, cells in enumerate(made, 1):
            yield _row(patient, form, cells, number)


def _row(patient: str, form: str, values: list[Value], number: int) -> dict[str, str]:
    cells = {f.name: f.said(v) for f, v in zip(FORMS[form], values, strict=False)}
    event = ENTRY if form in ("inclusion", "antecedents") else FOLLOW_UP
    repeated = (form, str(number)) if number else ("", "")
    place = dict(zip(STRUCTURE, (patient, event, *repeated), strict=True))
    return place | cells | {f"{form}_complete": "2"}


def _prior(tables: Rows) -> Iterator[list[Value]]:
    for r in tables["prior_therapies"]:
        yield [r["therapy_class"], r["start_date"], r["stop_date"]]


def _sessions(tables: Rows) -> Iterator[list[Value]]:
    for r in tables["treatments"]:
        residual = r["residual_fraction"]
        yield [
            str(r["session_id"]).removeprefix("S"),
            str(r["target_id"]).removeprefix("T"),
            r["treatment_date"],
            r["device"],
            r["lobe"],
            r["target_volume_ml"],
            r["activity_administered_gbq"],
            residual * 100 if isinstance(residual, Decimal) else None,
            r["dose_gy"],
            18,
        ]


def _scans(tables: Rows) -> Iterator[list[Value]]:
    lesions = [r["lesion_id"] for r in tables["lesions"]]
    for r in tables["scans"]:
        seen = {
            m["lesion_id"]: m for m in tables["measurements"] if m["scan_date"] == r["scan_date"]
        }
        yield [
            r["scan_date"],
            r["modality"],
            r["arterial_phase"],
            r["new_lesion"],
            *(size for name in lesions for size in _sizes(seen.get(name))),
        ]


def _sizes(one: Record | None) -> Iterator[Value]:
    for name in ("longest_mm", "perpendicular_mm", "enhancing_longest_mm"):
        yield None if one is None else 0 if one["status"] == "absent" else one[name]


def _draws(tables: Rows) -> Iterator[list[Value]]:
    days: dict[Value, dict[Value, Value]] = {}
    for r in tables["labs"]:
        days.setdefault(r["lab_date"], {})[r["analyte"]] = r["value"]
    for day, found in days.items():
        yield [day, *(found.get(a) for a in ("bilirubin", "albumin", "lymphocytes")), 95]


def _events(tables: Rows) -> Iterator[list[Value]]:
    for r in tables["adverse_events"]:
        yield [r[n] for n in ("term", "onset_date", "end_date", "grade", "related", "serious")]


def _visits(tables: Rows) -> Iterator[list[Value]]:
    """Visits and contacts by day: who was seen, and who was only heard of."""
    days: dict[Value, list[Value]] = {}
    for r in tables["assessments"]:
        day = r["assessment_date"]
        days[day] = [day, "alive", r["ecog"], r["ascites"], r["tumour_burden_pct"]]
    for r in tables["contacts"]:
        seen = days.get(r["contact_date"], [r["contact_date"], None, None, None, None])
        days[r["contact_date"]] = [seen[0], r["vital_status"], *seen[2:]]
    yield from (days[day] for day in sorted(days, key=str))

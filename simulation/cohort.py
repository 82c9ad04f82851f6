"""Read the invented patients and lesions of the reference cohort.

Reads the two input files of memon2012/ into plain records: whole days counted from the first 90Y
administration (day 0), sizes, laboratory values and events, and never a result. The columns
`design_*` tell a reader which class a lesion was meant to fall into; they are dropped on reading.
"""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

FOLDER = Path(__file__).parent / "memon2012"

Size = tuple[int, int]
"""Longest and perpendicular diameter in whole millimetres; 0 x 0 where there is nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """One perfused lobe of one session."""

    day: int
    lobe: str
    volume_ml: Decimal
    activity_gbq: Decimal
    dose_gy: Decimal | None
    """As recorded; none for resin, which is planned by activity."""


@dataclass(frozen=True, slots=True)
class Event:
    """One clinical adverse event."""

    term: str
    first_day: int
    last_day: int
    grade: int


@dataclass(frozen=True, slots=True)
class Lab:
    """The results of one draw: mg/dL, g/dL and 10*9/L."""

    day: int
    bilirubin: Decimal
    albumin: Decimal
    lymphocytes: Decimal


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion with its size and enhancing size on each scan day."""

    lesion_id: str
    lobe: str
    segment: str
    recist_target: bool
    sizes: tuple[tuple[int, Size, Size], ...]


@dataclass(frozen=True, slots=True)
class Patient:
    """One invented patient; days count from `t0`."""

    patient_id: str
    t0: date
    sex: str
    birth_year: int
    exit_day: int
    died: bool
    ecog: int
    tumour_burden_pct: Decimal
    extrahepatic: str
    prior_liver_directed: bool
    symptomatic: bool
    symptom_change: str | None
    baseline_scan_day: int
    mapping_day: int
    targets: tuple[Target, ...]
    lung_shunt_pct: Decimal
    residual_pct: Decimal
    scan_days: tuple[int, ...]
    progression: tuple[tuple[int, str], ...]
    labs: tuple[Lab, ...]
    events: tuple[Event, ...]
    lesions: tuple[Lesion, ...]
    device: str = "glass"
    primary_site: str = "unknown"
    tumour_grade: str = "unknown"
    weight_kg: Decimal | None = None
    height_cm: Decimal | None = None

    def on(self, day: int) -> date:
        """The calendar date of a day."""
        return self.t0 + timedelta(days=day)


def patients(folder: Path = FOLDER) -> list[Patient]:
    """The cohort in the order of its identifiers."""
    lesions = _read(folder / "cohort_lesions.csv")
    return [
        _patient(row, [x for x in lesions if x["patient_id"] == row["patient_id"]])
        for row in sorted(_read(folder / "cohort_patients.csv"), key=lambda r: r["patient_id"])
    ]


def _read(path: Path) -> list[dict[str, str]]:
    """The rows of an input file without its opening remark and without the design columns."""
    with path.open(encoding="utf-8", newline="") as file:
        plain = csv.DictReader(line for line in file if not line.startswith("#"))
        return [{k: v for k, v in row.items() if not k.startswith("design_")} for row in plain]


def _patient(row: dict[str, str], lesions: list[dict[str, str]]) -> Patient:
    scan_days = tuple(int(day) for day in _list(row["scan_days"]))
    baseline = int(row["baseline_scan_day"])
    return Patient(
        patient_id=row["patient_id"],
        t0=date.fromisoformat(row["t0_date"]),
        sex={"F": "female", "M": "male"}[row["sex"]],
        birth_year=int(row["birth_year"]),
        exit_day=int(row["exit_day"]),
        died=row["died"] == "1",
        ecog=int(row["ecog"]),
        tumour_burden_pct=Decimal(row["tumour_burden_pct"]),
        extrahepatic=row["extrahepatic"],
        prior_liver_directed=row["prior_liver_directed"] == "1",
        symptomatic=row["symptomatic"] == "1",
        symptom_change=row["symptom_change"] or None,
        baseline_scan_day=baseline,
        mapping_day=int(row["mapping_day"]),
        targets=tuple(_target(text) for text in _list(row["targets"])),
        lung_shunt_pct=Decimal(row["lung_shunt_pct"]),
        residual_pct=Decimal(row["residual_pct"]),
        scan_days=scan_days,
        progression=tuple(_progression(text) for text in _list(row["progression"])),
        labs=tuple(_labs(row, scan_days)),
        events=tuple(_event(text) for text in _list(row["adverse_events"])),
        lesions=tuple(_lesion(lesion, (baseline, *scan_days)) for lesion in lesions),
    )


def _list(text: str) -> list[str]:
    return text.split(";") if text else []


def _target(text: str) -> Target:
    day, lobe, volume, activity, dose = text.split(":")
    return Target(
        int(day),
        lobe,
        Decimal(volume.removesuffix("mL")),
        Decimal(activity.removesuffix("GBq")),
        Decimal(dose.removesuffix("Gy")),
    )


def _progression(text: str) -> tuple[int, str]:
    day, kind = text.split(":")
    return int(day), kind


def _event(text: str) -> Event:
    term, first, last, grade = text.split(":")
    return Event(term, int(first), int(last), int(grade.removeprefix("g")))


def _labs(row: dict[str, str], scan_days: tuple[int, ...]) -> list[Lab]:
    """Day -1, the days that the file lists, and the last listed values on every later scan day."""
    albumin = Decimal(row["albumin_g_dl"])
    before = Lab(-1, Decimal(row["bilirubin_mg_dl"]), albumin, Decimal(row["lymphocytes_10e9_l"]))
    listed = [
        Lab(int(day), Decimal(bilirubin), albumin, Decimal(lymphocytes))
        for day, bilirubin, lymphocytes in zip(
            _list(row["lab_days"]),
            _list(row["bilirubin_after"]),
            _list(row["lymphocytes_after"]),
            strict=True,
        )
    ]
    last = listed[-1]
    later = [
        Lab(day, last.bilirubin, albumin, last.lymphocytes) for day in scan_days if day > last.day
    ]
    return [before, *listed, *later]


def _lesion(row: dict[str, str], days: tuple[int, ...]) -> Lesion:
    whole = [row["baseline_mm"], *_list(row["scans_mm"])]
    enhancing = [row["baseline_enh_mm"], *_list(row["scans_enh_mm"])]
    return Lesion(
        lesion_id=row["lesion_id"],
        lobe=row["lobe"],
        segment=row["segment"],
        recist_target=row["recist_target"] == "1",
        sizes=tuple(
            (day, _size(a), _size(b)) for day, a, b in zip(days, whole, enhancing, strict=True)
        ),
    )


def _size(text: str) -> Size:
    longest, perpendicular = text.split("x")
    return int(longest), int(perpendicular)

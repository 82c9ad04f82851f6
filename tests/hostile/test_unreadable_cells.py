"""A cell that cannot be read is not blank: every optional column of every table, and what it does.

Each case has one patient of whom the cell is blank, and what the blank means, and the same patient
again with a cell that is filled in and cannot be read. The right answers follow from the meaning of
the blank (`schemas.records.blanks`) and from the rule of the derivation, by hand. What a lesion, a
scan and a measurement do is in test_hostile_marks.py.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

import ibis
import ibis.expr.types as ir
import pytest

from schemas.contract import Column, columns, key, table_name
from schemas.records.blanks import BLANKS, UNKNOWN
from schemas.section import Section
from schemas.settings import BaselineSettings, ToxicitySettings
from schemas.site import ColumnSource, Site, TableSource
from schemas.tables.registry import TABLES, RegistryTable
from tests.hostile.test_hostile_marks import MARKED as ON_SCANS
from tests.support.compiled_derivation import arrow_of, computed
from tests.support.pipe_tables import table
from transforms.baseline.anchors import anchors
from transforms.baseline.baseline import baseline_labs
from transforms.baseline.eligibility import eligibility
from transforms.baseline.subjects import subjects
from transforms.dosimetry.dosimetry import treatment_targets
from transforms.intake.harmonise import harmonise
from transforms.intake.names import OURS_ALONE
from transforms.time.milestones import last_alive
from transforms.toxicity.lab_grades import lab_grades
from transforms.toxicity.symptoms import symptom_response
from transforms.toxicity.toxicity import toxicity

MARK = "unread"
"""In `source_file` of a literal row: its cell of the column in question cannot be read."""
V5 = ToxicitySettings(ctcae_versions=("5.0",))


@dataclass(frozen=True)
class Case:
    """A derivation on literal tables; the answer with a blank, and with a cell nobody can read."""

    derivation: Callable[..., ir.Table]
    inputs: dict[str, str]
    shown: tuple[str, ...]
    blank: tuple[Any, ...]
    unread: tuple[Any, ...]
    where: dict[str, str] = field(default_factory=dict)
    settings: tuple[Section, ...] = ()


def of_rule(rule: str, inputs: dict[str, str], blank: str, reason: str = "unreadable") -> Case:
    """A rule of eligibility: its status with a blank, unknown where the cell cannot be read."""
    shown = ("status", "reason")
    given = PATIENT | inputs
    return Case(eligibility, given, shown, (blank, None), ("unknown", reason), {"rule_id": rule})


def of_subject(inputs: dict[str, str], column: str, blank: Any) -> Case:
    """A column of the patient's row, null where the cell cannot be read."""
    return Case(subjects, PATIENT | inputs, (column,), (blank,), (None,))


def of_target(
    column: str, blank: Any, unread: Any = None, treatments: str = "", **inputs: str
) -> Case:
    """A column of a target's row; floats are compared to a millionth."""
    given = PATIENT | {"treatments": treatments or TREATED} | inputs
    return Case(treatment_targets, given, (column,), (blank,), (unread,))


def of_event(event: str, blank: tuple[Any, ...], unread: tuple[Any, ...]) -> Case:
    """Grade, whether emergent, and the reason of an adverse event."""
    given = PATIENT | {"adverse_events": event}
    shown = ("worst_grade", "emergent", "reason")
    where = {"time_window": "any", "term": "cholecystitis" if "chole" in event else "nausea"}
    return Case(toxicity, given, shown, blank, unread, where, (V5,))


def of_result(blank: Any, unread: Any, where: dict[str, str] | None = None, **inputs: str) -> Case:
    """Grade and reason of a laboratory result after T0."""
    given = PATIENT | inputs
    shown = ("grade", "reason")
    return Case(graded_after_t0, given, shown, blank, unread, where or {}, (V5,))


def graded_after_t0(**tables: Any) -> ir.Table:
    """Grades of the results after T0, their baseline taken as the night takes it."""
    settings = tables.pop("settings")
    read = {n: tables[n] for n in ("labs", "anchors", "treatments")}
    del tables["treatments"]
    tables["baseline_labs"] = computed(baseline_labs, read, settings=BaselineSettings())
    found = computed(lab_grades, tables, settings=settings)
    return found.filter(found.rel_day > 0)


PATIENT = {
    "patients": "| subject_id |\n| A |",
    "anchors": "| subject_id | t0_date | last_session_date |\n| A | d0 | d0 |",
    "sessions": "| subject_id | session_number | session_id | session_date | course |\n"
    "| A | 1 | s1 | d0 | 1 |",
}
TREATED = (
    "| subject_id | session_id | target_id | treatment_date | device | lobe | target_mass_kg "
    "| activity_administered_gbq | residual_fraction | source_file |\n"
    "| A | s1 | t1 | d0 | glass | whole | 1 | 2 | 0 | unread |"
)
CONCURRENT = """
    | subject_id | drug        | purpose    | start_date | stop_date | source_file |
    | A          | cisplatin   | {purpose}  | {start}    | {stop}    | unread      |
"""


def drug(purpose: str, start: str, stop: str, name: str = "cisplatin   ") -> dict[str, str]:
    text = CONCURRENT.format(purpose=purpose, start=start, stop=stop)
    return {"medications": text.replace("cisplatin   ", name)}


def assessed(column: str, before: Any) -> dict[str, str]:
    """An assessment with a value, and a later one without."""
    return {
        "assessments": f"| subject_id | assessment_date | {column} | source_file |\n"
        f"| A | d-20 | {before} | |\n| A | d-5 | | unread |"
    }


def mapped(column: str, before: Any) -> dict[str, str]:
    return {
        "mappings": f"| subject_id | mapping_date | {column} | source_file |\n"
        f"| A | d-20 | {before} | |\n| A | d-5 | | unread |"
    }


LABS = """
    | subject_id | analyte | lab_date | value   | unit  | upper_limit | {0} | source_file |
    {1}
"""


def results(*lines: str, column: str = "lower_limit") -> str:
    """Rows of labs: analyte, day, value, unit, upper limit, the column, mark."""
    return LABS.format(column, "\n".join(f"| A | {line} |" for line in lines))


DRAWN = "| subject_id | analyte | lab_date | lab_time | value | unit | upper_limit | source_file |"
RESIN = (
    "| subject_id | session_id | target_id | treatment_date | device | lobe | target_mass_kg "
    "| {0} | source_file |\n| A | s1 | t1 | d0 | resin | whole | 2 | | {1} |"
)
BODY = """
    | subject_id | assessment_date | weight_kg | height_cm | tumour_burden_pct |
    | A          | d-9             | 70        | 175       | 25                |
"""


def body(lacking: str) -> str:
    """Two assessments; the later lacks one value."""
    values = {"weight_kg": "70", "height_cm": "175", "tumour_burden_pct": "25"}
    later = values | {lacking: ""}
    head = " | ".join(values)
    return (
        f"| subject_id | assessment_date | {head} | source_file |\n"
        f"| A | d-20 | {' | '.join(values.values())} | |\n"
        f"| A | d-5 | {' | '.join(later.values())} | unread |"
    )


BODY_SURFACE = 1.848119
"""DuBois, of 70 kg and 175 cm; the activity is that less 0.2, plus the share of tumour."""
MIRD = 50.0 * 2
"""50 Gy kg/GBq x 2 GBq over 1 kg (van Roekel, thesis, page 30)."""
SHUNTED = "| subject_id | mapping_date | {0} | source_file |\n| A | d-9 | {1} | {2} |"
ONE_EVENT = "| subject_id | term | {0} | source_file |\n| A | {1} | unread |"
NO_GRADE = (None, True, "unreadable")
UNDECIDED = (None, None, "unreadable")
ALP = ("alp | d-5 | 300 | U/L | {0} | | {1}", "alp | d30 | 650 | U/L | 120 | |")

CASES: dict[tuple[str, str], Case] = {
    ("prior_therapies", "start_date"): of_subject(
        {
            "prior_therapies": "| subject_id | therapy_class | start_date | source_file |\n"
            "| A | chemotherapy | | unread |"
        },
        "prior_systemic",
        True,
    ),
    ("medications", "purpose"): of_rule("X4", drug("", "d0", "d5"), "pass"),
    ("medications", "start_date"): Case(
        eligibility,
        PATIENT | drug("concurrent", "", "d5"),
        ("status", "reason"),
        ("fail", None),
        ("unknown", "unreadable"),
        {"rule_id": "X4"},
    ),
    ("medications", "stop_date"): of_subject(
        drug("continuing", "d-90", "", "octreotide"), "octreotide_continued", True
    ),
    ("assessments", "ecog"): of_rule("E4", assessed("ecog", 1), "pass"),
    ("assessments", "ascites"): of_subject(assessed("ascites", "none"), "ascites", "none"),
    ("assessments", "encephalopathy_grade"): of_subject(
        assessed("encephalopathy_grade", 1), "encephalopathy_grade", 1
    ),
    ("assessments", "carcinoid_symptoms"): of_subject(
        assessed("carcinoid_symptoms", "yes"), "carcinoid_symptoms", True
    ),
    ("assessments", "tumour_burden_pct"): of_subject(
        assessed("tumour_burden_pct", 30), "tumour_burden_category", "26-50"
    ),
    ("assessments", "tumour_burden_category"): of_subject(
        assessed("tumour_burden_category", "26-50"), "tumour_burden_category", "26-50"
    ),
    ("assessments", "weight_kg"): of_target(
        "activity_bsa_gbq",
        BODY_SURFACE + 0.05,
        None,
        RESIN.format("dose_gy", ""),
        assessments=body("weight_kg"),
    ),
    ("assessments", "height_cm"): of_target(
        "activity_bsa_gbq",
        BODY_SURFACE + 0.05,
        None,
        RESIN.format("dose_gy", ""),
        assessments=body("height_cm"),
    ),
    ("assessments", "symptom_change"): Case(
        symptom_response,
        {
            "anchors": PATIENT["anchors"],
            "subjects": "| subject_id | treated | carcinoid_symptoms |\n| A | yes | yes |",
            "assessments": "| subject_id | assessment_date | symptom_change | source_file |\n"
            "| A | d28 | worse | |\n| A | d60 | | unread |",
        },
        ("improved", "best_change"),
        (False, "worse"),
        (None, "unknown"),
    ),
    ("mappings", "maa_date"): of_target(
        "dose_gy",
        MIRD * 0.9,
        mappings="| subject_id | mapping_date | lung_shunt_fraction | source_file |\n"
        "| A | d-5 | 0.1 | unread |",
    ),
    ("mappings", "lung_shunt_fraction"): of_target(
        "dose_gy", MIRD * 0.9, None, **mapped("lung_shunt_fraction", 0.1)
    ),
    ("mappings", "gi_shunt"): of_rule("X2", mapped("gi_shunt", "none"), "pass"),
    ("mappings", "planned_lung_dose_gy"): of_rule("X3", mapped("planned_lung_dose_gy", 9), "pass"),
    ("treatments", "planned_lobes"): Case(
        anchors,
        {
            "sessions": PATIENT["sessions"],
            "treatments": "| subject_id | session_id | target_id | treatment_date | planned_lobes "
            "| source_file |\n| A | s1 | t1 | d0 | right | |\n| A | s1 | t2 | d0 | | unread |",
        },
        ("plan_known",),
        (True,),
        (False,),
    ),
    ("treatments", "target_mass_kg"): of_target(
        "dose_gy",
        MIRD / 1.03,
        treatments=TREATED.replace("| 1 |", "| |")
        .replace("residual_fraction", "residual_fraction | target_volume_ml | lung_shunt_fraction")
        .replace("| 0 |", "| 0 | 1000 | 0 |"),
    ),
    ("treatments", "tumour_volume_ml"): of_target(
        "activity_bsa_gbq",
        BODY_SURFACE + 0.05,
        None,
        RESIN.format("tumour_volume_ml", "unread"),
        assessments=BODY,
    ),
    ("treatments", "activity_administered_gbq"): of_target(
        "activity_gbq",
        2.0,
        treatments=TREATED.replace("| 2 |", "| |")
        .replace(
            "residual_fraction",
            "residual_fraction | activity_calibrated_gbq | calibrated_at | administered_at",
        )
        .replace("| 0 |", "| 0 | 2 | 2020-01-01 12:00:00 | 2020-01-01 12:00:00 |"),
    ),
    ("treatments", "administered_at"): of_result(
        (0, None),
        (None, "unreadable"),
        treatments="| subject_id | treatment_date | source_file |\n| A | d0 | unread |",
        labs=DRAWN + "\n| A | alp | d0 | 08:00 | 300 | U/L | 120 | |\n"
        "| A | alp | d30 | | 590 | U/L | 120 | |",
    ),
    ("treatments", "lung_shunt_fraction"): of_target(
        "dose_gy", MIRD * 0.9, mappings=SHUNTED.format("lung_shunt_fraction", 0.1, "")
    ),
    ("treatments", "lung_dose_gy"): of_rule(
        "X3",
        {
            "treatments": "| subject_id | session_id | target_id | lung_dose_gy | source_file |\n"
            "| A | s1 | t1 | 9 | |\n| A | s1 | t2 | | unread |"
        },
        "pass",
    ),
    ("labs", "lab_time"): of_result(
        (0, None),
        (None, "unreadable"),
        treatments="| subject_id | treatment_date | administered_at |\n"
        "| A | d0 | 2020-01-01 12:00:00 |",
        labs=DRAWN + "\n| A | alp | d0 | | 300 | U/L | 120 | unread |\n"
        "| A | alp | d30 | | 590 | U/L | 120 | |",
    ),
    ("labs", "value_comparator"): of_result(
        (4, None),
        (None, "unreadable"),
        labs=results("bilirubin | d30 | 15 | mg/dL | 1.2 | | unread", column="value_comparator"),
    ),
    ("labs", "lower_limit"): of_result(
        (None, "no lower limit"),
        (None, "unreadable"),
        labs=results("platelets | d30 | 140 | 10*9/L | | | unread"),
    ),
    ("labs", "upper_limit"): of_result(
        (3, None), (None, "unreadable"), labs=results(ALP[0].format("", "unread"), ALP[1])
    ),
    ("adverse_events", "onset_date"): of_event(
        ONE_EVENT.format("grade", "nausea | 2"), (2, True, None), UNDECIDED
    ),
    ("adverse_events", "end_date"): of_event(
        ONE_EVENT.format("grade | onset_date | outcome", "nausea | 3 | d-9 | fatal"),
        (3, True, None),
        UNDECIDED,
    ),
    ("adverse_events", "grade"): of_event(
        ONE_EVENT.format("onset_date", "nausea | d9"), (None, True, "no grade recorded"), NO_GRADE
    ),
    ("adverse_events", "ctcae_version"): of_event(
        ONE_EVENT.format("grade | onset_date", "nausea | 2 | d9"), (2, True, None), NO_GRADE
    ),
    ("adverse_events", "outcome"): Case(
        last_alive,
        {
            "adverse_events": "| subject_id | term | onset_date | end_date | source_file |\n"
            "| A | nausea | d9 | d20 | unread |"
        },
        ("source_column",),
        ("end_date",),
        ("onset_date",),
    ),
    ("adverse_events", "procedure"): of_event(
        ONE_EVENT.format("grade | onset_date", "cholecystitis | 2 | d9"), (2, True, None), NO_GRADE
    ),
    ("reported_endpoints", "group"): of_subject(
        {
            "reported_endpoints": "| subject_id | endpoint | group | source_file |\n"
            "| A | OS | drug | |\n| A | PFS | | unread |"
        },
        "reported_group",
        "drug",
    ),
}


def answer(case: Case, place: str, column: str, *, unread: bool) -> tuple[Any, ...]:
    """What the derivation says of the one patient."""
    tables: dict[str, Any] = {}
    for name, contract in contracts(case.derivation).items():
        tables[name] = table(contract, case.inputs.get(name))
        if name == place and unread:
            here = (tables[name].source_file == MARK).fill_null(False)
            mark = ibis.literal(f"|{column}|")
            tables[name] = tables[name].mutate(unreadable=here.ifelse(mark, None))
    own = case.derivation is graded_after_t0
    chosen = sections(case)
    found = (
        graded_after_t0(**tables, **chosen) if own else computed(case.derivation, tables, **chosen)
    )
    rows = arrow_of(found).to_pylist()
    (row,) = (r for r in rows if all(r[n] == v for n, v in case.where.items()))
    return tuple(row[name] for name in case.shown)


def contracts(derivation: Callable[..., Any]) -> dict[str, Any]:
    """The tables that a derivation reads."""
    of = lab_grades if derivation is graded_after_t0 else derivation
    hints = get_type_hints(of, include_extras=True)
    read = {
        n: get_args(hints[n])[1] for n in inspect.signature(of).parameters if get_args(hints[n])
    }
    if derivation is graded_after_t0:
        read |= {"treatments": contracts(treatment_targets)["treatments"]}
    return read


def sections(case: Case) -> dict[str, Section]:
    """Its settings, by default as they are where nobody chose."""
    of = lab_grades if case.derivation is graded_after_t0 else case.derivation
    hints = get_type_hints(of)
    named = {n: hints[n] for n in inspect.signature(of).parameters}
    kinds = {n: k for n, k in named.items() if isinstance(k, type) and issubclass(k, Section)}
    chosen = {type(s): s for s in case.settings}
    return {n: chosen.get(kind) or kind() for n, kind in kinds.items()}


@pytest.mark.parametrize(("place", "column"), CASES, ids=map(".".join, CASES))
def test_a_cell_that_cannot_be_read_is_not_taken_as_its_blank(place: str, column: str) -> None:
    case = CASES[place, column]
    blank = answer(case, place, column, unread=False)
    assert blank == pytest.approx(case.blank, abs=1e-6)
    assert answer(case, place, column, unread=True) == case.unread


@functools.cache
def optional() -> list[tuple[type[RegistryTable], Column]]:
    """Every optional column that an export gives, but for what is made from another one."""
    return [
        (contract, c)
        for contract in TABLES
        for c in columns(contract)
        if c.nullable and c.name not in OURS_ALONE and not c.name.endswith("_precision")
    ]


def test_every_optional_column_is_listed_with_what_its_blank_means() -> None:
    """And each that means something is held by a case, here or among those of scans."""
    ours = {(table_name(contract), c.name) for contract, c in optional()}
    unknown = {(name, column) for name, listed in UNKNOWN.items() for column in listed}
    assert not unknown & set(BLANKS)
    assert unknown | set(BLANKS) == ours
    assert set(BLANKS) == set(CASES) | set(ON_SCANS)


GOOD = {"date": "2020-03-01", "timestamp": "2020-03-01 10:00", "int64": "1", "boolean": "1"}
BAD = "?!"


def read(contract: type[RegistryTable], c: Column, cell: str) -> dict[str, Any]:
    """One row whose required cells are right, and whose cell of one column is this one."""
    row = {
        n.name: n.codes[0] if n.codes else GOOD.get(str(n.dtype).split("(")[0], "1")
        for n in columns(contract)
        if not n.nullable and n.name not in OURS_ALONE
    } | {c.name: cell}
    text = c.dtype.is_string() and not c.codes and c.name != "lab_time"
    mapped = {c.name: ColumnSource(**{"from": c.name}, codes={"1": "ours"})} if text else {}
    raw = ibis.memtable(
        {n: [v] for n, v in row.items()} | {"source_file": ["f"], "source_row": [1]}
    )
    source = TableSource(columns=mapped)
    site = Site(site_id="north")
    found = harmonise(raw, contract, source, site, "r")
    (out,) = ibis.duckdb.connect().to_pyarrow(found).to_pylist()
    return dict(out)


@pytest.mark.parametrize(
    ("contract", "c"),
    optional(),
    ids=[f"{table_name(contract)}.{c.name}" for contract, c in optional()],
)
def test_it_is_marked_and_its_row_stays(contract: type[RegistryTable], c: Column) -> None:
    """Null, named, without a default, also beyond its limits; the key is read as ever."""
    wrong = [BAD]
    wrong += [str(int(c.minimum) - 1)] if c.minimum is not None else []
    wrong += [str(int(c.maximum) + 1)] if c.maximum is not None else []
    wrong += [str(int(c.above))] if c.above is not None else []
    wrong += [str(int(c.below))] if c.below is not None else []
    for cell in wrong:
        row = read(contract, c, cell)
        assert row[c.name] is None
        assert row["unreadable"] == f"|{c.name}|"
        assert row[f"unread_{c.name}"]
        assert not row["is_empty"]
        assert all(row[n] is not None for n in key(contract) if n != "site_id")

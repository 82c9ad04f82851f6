"""Every rule over several columns, rows or tables, with rows just inside and just outside.

The first column of each table numbers its rows; the rule must name exactly the rows marked `x`.
"""

from datetime import date
from typing import Any

import ibis
import pytest

from schemas.contract import options, table_name
from schemas.tables.registry import TABLES
from tests.support.dose_cases import DOSE_CASES, DOSE_ROWS
from tests.support.lesion_cases import LESION_CASES
from tests.support.pipe_tables import table
from transforms.intake.cross_checks import CROSS_CHECKS
from warehouse.loading.validate import breaches

CONTRACTS = {table_name(c): c for c in TABLES}
ROW_RULES = {r.rule_id: (table_name(c), r) for c in TABLES for r in options(c).rules}
FAR = date(2100, 1, 1)

ROWS = {
    "prior_therapies.dates_in_order": """
        | x | therapy_class | start_date | stop_date |
        |   | surgery       | d10        | d10       |
        |   | surgery       | d10        |           |
        |   | surgery       |            | d10       |
        | x | surgery       | d10        | d9        |
    """,
    "medications.dates_in_order": """
        | x | drug | start_date | stop_date |
        |   | a    | d10        | d10       |
        | x | a    | d10        | d9        |
    """,
    "adverse_events.dates_in_order": """
        | x | term | onset_date | end_date |
        |   | a    | d10        | d10      |
        | x | a    | d10        | d9       |
    """,
    "medications.octreotide_unit": """
        | x | drug       | dose | dose_unit | route        |
        |   | octreotide | 200  | ug        | subcutaneous |
        | x | octreotide | 200  | mg        | subcutaneous |
        |   | octreotide | 1    | mg        | sc           |
        |   | octreotide | 20   | mg        | im           |
    """,
    "reported_endpoints.too_fine": """
        | x | endpoint | time            | time_unit |
        |   | OS       | 24.1234         | months    |
        | x | OS       | 24.12345        | months    |
        |   | OS       | 2.123456        | years     |
        | x | OS       | 2.1234567       | years     |
        |   | OS       | 730.12345678    | days      |
        | x | OS       | 730.123456789   | days      |
        |   | OS       | 24.000000000000 | months    |
        |   | OS       | 0.123456789     |           |
    """,
    "recorded_responses.liver_progressed": """
        | x | response_class | liver_class |
        |   | PD             | PD          |
        | x | SD             | PD          |
        |   | SD             | PR          |
        |   | SD             |             |
    """,
    "patients.diagnosis_before_birth": """
        | x | birth_year | diagnosis_date |
        |   | 2020       | d0             |
        |   |            | d0             |
        | x | 2021       | d0             |
    """,
    "contacts.status_of_a_death": """
        | x | contact_date | contact_type | vital_status |
        |   | d0           | death        | dead         |
        |   | d0           | visit        | alive        |
        | x | d0           | death        | alive        |
        | x | d0           | visit        | dead         |
    """,
    "mappings.small_shunt": """
        | x | mapping_date | lung_shunt_fraction |
        |   | d0           | 0                   |
        |   | d0           | 0.005               |
        |   | d0           |                     |
        | x | d0           | 0.004999            |
    """,
    "treatments.small_shunt": """
        | x | session_id | lung_shunt_fraction |
        |   | s          | 0.05                |
        | x | s          | 0.0005              |
    """,
    "treatments.no_device": """
        | x | session_id | device  |
        |   | s          | glass   |
        | x | s          | unknown |
        |   | s          |         |
    """,
    "treatments.no_lobe": """
        | x | session_id | lobe    |
        |   | s          | whole   |
        | x | s          | unknown |
    """,
    **DOSE_ROWS,
    "measurements.perpendicular_longer": """
        | x | longest_mm | perpendicular_mm | status   |
        |   | 30         | 30               | measured |
        | x | 30         | 30.1             | measured |
        |   |            | 30               | measured |
    """,
    "measurements.enhancing_perpendicular_longer": """
        | x | enhancing_longest_mm | enhancing_perpendicular_mm | status   |
        |   | 30                   | 30                         | measured |
        | x | 30                   | 30.1                       | measured |
    """,
    "measurements.measured_without_size": """
        | x | longest_mm | status        |
        |   | 30         | measured      |
        | x |            | measured      |
        |   |            | not_evaluable |
    """,
    "measurements.size_of_absent": """
        | x | longest_mm | status   |
        |   | 0          | absent   |
        | x | 5          | absent   |
        |   | 5          | measured |
    """,
    "measurements.enhancing_longer": """
        | x | longest_mm | enhancing_longest_mm | status   |
        |   | 30         | 30                   | measured |
        | x | 30         | 31                   | measured |
    """,
    "labs.magnitude": """
        | x | analyte     | value   | unit   |
        |   | bilirubin   | 0.1     | mg/dL  |
        |   | bilirubin   | 50      | mg/dL  |
        | x | bilirubin   | 50.1    | mg/dL  |
        | x | bilirubin   | 0.09    | mg/dL  |
        |   | bilirubin   | 855     | umol/L |
        | x | bilirubin   | 855.1   | umol/L |
        | x | bilirubin   | 1.7     | umol/L |
        |   | albumin     | 6       | g/dL   |
        | x | albumin     | 41      | g/dL   |
        |   | albumin     | 41      | g/L    |
        | x | albumin     | 4.1     | g/L    |
        |   | lymphocytes | 0       | 10*9/L |
        |   | lymphocytes | 20      | 10*9/L |
        | x | lymphocytes | 25      | 10*9/L |
        |   | lymphocytes | 1500    | /uL    |
        | x | lymphocytes | 1500    | 10*9/L |
        |   | lymphocytes | 25      | %      |
        |   | platelets   | 1       | 10*9/L |
        |   | platelets   | 2000    | 10*9/L |
        | x | platelets   | 150000  | 10*9/L |
        | x | platelets   | 0.15    | 10*9/L |
        |   | platelets   | 150000  | /uL    |
        |   | creatinine  | 1       | mg/dL  |
        | x | creatinine  | 88      | mg/dL  |
        | x | haemoglobin | 130     | g/dL   |
        |   | haemoglobin | 8.1     | mmol/L |
        | x | inr         | 100     | 1      |
        | x | ast         | 30000   | U/L    |
        | x | alt         | 0.5     | U/L    |
        | x | alp         | 10001   | U/L    |
        |   | ggt         | 10001   | U/L    |
        | x | wbc         | 5000    | 10*9/L |
        | x | neutrophils | 3000    | 10*9/L |
        |   | magnesium   | 1000000 | mg/dL  |
        |   | bilirubin   | 1000000 | stone  |
    """,
    "labs.percent_for_count": """
        | x | analyte     | value | unit   |
        | x | lymphocytes | 25    | %      |
        |   | lymphocytes | 2.5   | 10*9/L |
        |   | haematocrit | 40    | %      |
    """,
    "labs.limits_in_order": """
        | x | analyte   | value | unit  | lower_limit | upper_limit |
        |   | bilirubin | 1     | mg/dL | 0.2         | 0.2         |
        |   | bilirubin | 1     | mg/dL |             | 0.2         |
        | x | bilirubin | 1     | mg/dL | 0.3         | 0.2         |
    """,
}
DEAD = """
    | patient_id | contact_date | contact_date_precision | contact_type | vital_status |
    | a          | d100         | day                    | death        | dead         |
    | b          | d14          | month                  | death        | dead         |
"""
TREATED = """
    | patient_id | session_id | target_id | treatment_date |
    | a          | s1         | t1        | d50            |
"""


def _after_death(date: str) -> str:
    """January 2020 has 31 days: a death in that month leaves d30 possible."""
    return f"""
    | x | patient_id | {date} |
    |   | a          | d100   |
    | x | a          | d101   |
    |   | b          | d30    |
    | x | b          | d31    |
    |   | c          | d500   |
    """


BETWEEN: dict[str, tuple[str, dict[str, str]]] = {
    **LESION_CASES,
    "contacts.two_deaths": (
        """
        | x | patient_id | contact_date | contact_type |
        | x | a          | d1           | death        |
        | x | a          | d2           | death        |
        |   | b          | d1           | death        |
        |   | b          | d0           | visit        |
        """,
        {},
    ),
    "contacts.alive_after_death": (
        """
        | x | patient_id | contact_date | contact_type |
        | x | a          | d1           | death        |
        | x | a          | d2           | visit        |
        |   | a          | d1           | phone        |
        |   | b          | d1           | death        |
        |   | b          | d1           | visit        |
        """,
        {},
    ),
    "contacts.death_before_treatment": (
        """
        | x | patient_id | contact_date | contact_type |
        | x | a          | d49          | death        |
        |   | b          | d49          | death        |
        """,
        {"treatments": TREATED},
    ),
    "treatments.before_birth": (
        """
        | x | patient_id | session_id | target_id | treatment_date |
        | x | a          | s          | t         | d0             |
        |   | b          | s          | t         | d0             |
        """,
        {"patients": "| patient_id | birth_year |\n| a | 2021 |\n| b | 2020 |"},
    ),
    "patients.diagnosed_after_treatment": (
        """
        | x | patient_id | diagnosis_date | diagnosis_date_precision |
        | x | a          | d51            | day                      |
        |   | b          | d51            | day                      |
        """,
        {"treatments": TREATED},
    ),
    **{
        f"{name}.after_death": (_after_death(date), {"contacts": DEAD})
        for name, date in (
            ("assessments", "assessment_date"),
            ("labs", "lab_date"),
            ("mappings", "mapping_date"),
            ("scans", "scan_date"),
            ("measurements", "scan_date"),
            ("treatments", "treatment_date"),
            ("recorded_responses", "response_date"),
        )
    },
    "recorded_responses.before_treatment": (
        """
        | x | patient_id | response_date | response_class |
        | x | a          | d49           | PR             |
        | x | a          | d50           | SD             |
        |   | a          | d51           | SD             |
        |   | b          | d49           | PR             |
        """,
        {"treatments": TREATED},
    ),
    "mappings.after_treatment": (
        """
        | x | patient_id | mapping_date |
        | x | a          | d51          |
        |   | a          | d60          |
        |   | b          | d51          |
        """,
        {"treatments": TREATED},
    ),
    "treatments.maa_too_old": (
        """
        | x | patient_id | session_id | target_id | treatment_date |
        |   | a          | s1         | t1        | d60            |
        | x | a          | s2         | t1        | d61            |
        |   | b          | s1         | t1        | d500           |
        |   | c          | s1         | t1        | d10            |
        | x | d          | s1         | t1        | d10            |
        """,
        {
            "mappings": "| patient_id | mapping_date | maa_date |\n| a | d0 | d0 |\n"
            "| b | d0 |  |\n| c | d10 | d10 |\n| d | d11 | d11 |"
        },
    ),
    "treatments.session_on_several_days": (
        """
        | x | patient_id | session_id | target_id | treatment_date |
        | x | a          | s1         | t1        | d0             |
        | x | a          | s1         | t2        | d1             |
        |   | a          | s2         | t1        | d60            |
        |   | a          | s2         | t2        | d60            |
        """,
        {},
    ),
    "treatments.several_devices": (
        """
        | x | patient_id | session_id | target_id | device |
        | x | a          | s1         | t1        | glass  |
        | x | a          | s1         | t2        | resin  |
        |   | a          | s2         | t1        | resin  |
        """,
        {},
    ),
    **DOSE_CASES,
    "treatments.sessions_close": (
        """
        | x | patient_id | session_id | target_id | treatment_date |
        |   | a          | s1         | t1        | d0             |
        | x | a          | s2         | t1        | d13            |
        |   | a          | s3         | t1        | d27            |
        |   | b          | s4         | t1        | d28            |
        """,
        {},
    ),
    "adverse_events.no_such_grade": (
        """
        | x | patient_id | term     | grade | ctcae_version |
        |   | a          | Fatigue  | 4     | 3.0           |
        | x | a          | Fatigue  | 4     | 4.03          |
        |   | a          | Fatigue  | 3     | 4.03          |
        |   | a          | Fatigue  | 4     |               |
        |   | a          | Insomnia | 5     | 4.03          |
        """,
        {},
    ),
    "labs.unknown_unit": (
        """
        | x | analyte     | value | unit  |
        | x | bilirubin   | 1     | stone |
        |   | bilirubin   | 1     | STONE |
        | x | albumin     | 1     | stone |
        |   | bilirubin   | 1     | mg/dL |
        |   | lymphocytes | 25    | %     |
        |   | magnesium   | 1     | stone |
        """,
        {},
    ),
    "labs.unknown_analyte": (
        """
        | x | analyte   | value | unit  |
        | x | magnesium | 1     | mg/dL |
        |   | Magnesium | 1     | mg/dL |
        |   | bilirubin | 1     | stone |
        | x | zinc      | 1     | ng/L  |
        |   | 5_hiaa    | 1     | mg/d  |
        """,
        {},
    ),
    "adverse_events.unknown_term": (
        """
        | x | patient_id | term      |
        | x | a          | Reizmagen |
        |   | b          | reizmagen |
        |   | c          | Nausea    |
        |   | d          | Nausées   |
        | x | e          | Husten    |
        """,
        {},
    ),
    "labs.unit_error": (
        """
        | x | patient_id | lab_date | analyte     | value  | unit   |
        | x | a          | d1       | albumin     | 41     | g/dL   |
        | x | b          | d1       | albumin     | 38     | g/dL   |
        | x | c          | d1       | albumin     | 44     | g/dL   |
        |   | d          | d1       | albumin     | 4.0    | g/dL   |
        |   | a          | d1       | lymphocytes | 1500   | 10*9/L |
        |   | b          | d1       | lymphocytes | 25     | 10*9/L |
        | x | e          | d1       | platelets   | 150000 | 10*9/L |
        | x | f          | d1       | platelets   | 90000  | 10*9/L |
        | x | g          | d1       | platelets   | 400000 | 10*9/L |
        |   | h          | d1       | platelets   | 150    | 10*9/L |
        |   | i          | d1       | platelets   | 210    | 10*9/L |
        |   | e          | d1       | wbc         | 5000   | 10*9/L |
        |   | f          | d1       | wbc         | 5      | 10*9/L |
        |   | g          | d1       | wbc         | 600000 | 10*9/L |
        |   | h          | d1       | wbc         | 700    | 10*9/L |
        |   | p          | d1       | bilirubin   | 1.0    | mg/dL  |
        |   | p          | d2       | bilirubin   | 1.1    | mg/dL  |
        | x | p          | d3       | bilirubin   | 110    | mg/dL  |
        |   | t          | d1       | bilirubin   | 1.0    | mg/dL  |
        |   | t          | d2       | bilirubin   | 3.0    | mg/dL  |
        |   | t          | d3       | bilirubin   | 200    | mg/dL  |
        |   | u          | d1       | bilirubin   | 1.0    | mg/dL  |
        |   | u          | d2       | bilirubin   | 100    | mg/dL  |
        |   | q          | d1       | creatinine  | 1.0    | mg/dL  |
        |   | q          | d2       | creatinine  | 1.2    | mg/dL  |
        | x | q          | d3       | creatinine  | 97.24  | mg/dL  |
        |   | r          | d1       | ast         | 330    | U/L    |
        |   | r          | d2       | ast         | 360    | U/L    |
        |   | r          | d3       | ast         | 21000  | U/L    |
        |   | s          | d1       | alp         | 250    | U/L    |
        |   | s          | d2       | alp         | 260    | U/L    |
        |   | s          | d3       | alp         | 13862  | U/L    |
        """,
        {},
    ),
    "adverse_events.operated_below_3": (
        """
        | x | patient_id | term                    | grade | procedure                    |
        | x | a          | Radiation cholecystitis | 2     | Laparoscopic cholecystectomy |
        | x | b          | cholecystitis           |       | cholecystectomy              |
        |   | c          | Cholecystitis           | 3     | cholecystectomy              |
        |   | d          | Cholecystitis           | 2     | drainage                     |
        |   | e          | Cholecystitis           | 2     |                              |
        |   | f          | Abdominal pain          | 2     | cholecystectomy              |
        """,
        {},
    ),
    "reported_endpoints.not_used": (
        """
        | x | patient_id | endpoint | starts_at |
        | x | a          | os       | T0        |
        | x | a          | PFS      |           |
        |   | a          | PFS      | T0        |
        |   | a          | LOCAL    | T0        |
        |   | b          | OS       |           |
        """,
        {
            "treatments": "| patient_id | session_id | treatment_date |\n| a | s1 | d0 |",
            "contacts": DEAD,
            "scans": "| patient_id | scan_date |",
            "subsequent_therapies": "| patient_id | start_date |",
        },
    ),
    "adverse_events.fatal_but_alive": (
        """
        | x | patient_id | term | grade | outcome  |
        |   | a          | ae   | 5     | fatal    |
        | x | c          | ae   | 5     |          |
        | x | c          | ae   |       | fatal    |
        |   | c          | ae   | 4     | resolved |
        """,
        {"contacts": DEAD},
    ),
    "reported_endpoints.groups_differ": (
        """
        | x | site_id | patient_id | endpoint | group   |
        |   | north   | a          | OS       | drug    |
        |   | north   | a          | PFS      | drug    |
        | x | north   | b          | OS       | drug    |
        | x | north   | b          | PFS      | placebo |
        |   | north   | c          | OS       | placebo |
        |   | north   | c          | PFS      | placebo |
        |   | north   | c          | TTP      | wild    |
        |   | north   | d          | OS       | drug    |
        |   | north   | d          | PFS      |         |
        |   | south   | b          | OS       | drug    |
        |   | south   | b          | PFS      | placebo |
        """,
        {},
    ),
}


def numbered(name: str, text: str) -> tuple[Any, set[int]]:
    """The table with its rows numbered, and the numbers of those marked."""
    lines = [line.strip().strip("|").split("|", 1) for line in text.strip().splitlines()]
    marked = {n for n, (mark, _) in enumerate(lines[1:], 1) if mark.strip() == "x"}
    made = table(CONTRACTS[name], "\n".join(f"|{rest}|" for _, rest in lines))
    return made.mutate(_row=ibis.row_number() + 1), marked


@pytest.mark.parametrize("rule_id", ROW_RULES)
def test_a_rule_over_several_columns(rule_id: str) -> None:
    name, rule = ROW_RULES[rule_id]
    given, marked = numbered(name, ROWS[rule_id])
    compiled = [b for b in breaches(given, CONTRACTS[name], FAR) if b.rule_id == rule_id]
    assert [b.column for b in compiled] == [rule.column]
    assert rows(given.filter(compiled[0].expression)) == marked


@pytest.mark.parametrize("check", CROSS_CHECKS, ids=lambda c: c.rule_id)
def test_a_rule_between_rows_and_tables(check: Any) -> None:
    text, others = BETWEEN[check.rule_id]
    given, marked = numbered(check.table, text)
    tables = {n: table(CONTRACTS[n], t.strip()) for n, t in others.items()} | {check.table: given}
    assert set(check.reads) == set(tables)
    assert rows(check.breaks(**tables)) == marked


def rows(found: Any) -> set[int]:
    numbers = ibis.duckdb.connect().to_pyarrow(found.select("_row"))["_row"].to_pylist()
    return set(numbers)

"""Registry tables of any number of patients, made in the engine, with every gap a registry has.

Per patient there are ten measurements and twenty-four laboratory results. Some are by a second
reader or a second modality, of scans that cannot be evaluated, of lesions that are gone, too small
or not imaged; some results are censored, in SI units, in percent, without limits or without
baseline. Ids are sixteen hexadecimal digits, as in a registry.
"""

from typing import Any

from schemas.contract import columns, schema, table_name
from schemas.tables import intermediate, registry

SCANS, LESIONS, DRAWS = 5, 2, 6
"""Per patient: scans with their lesions, and draws of four of the thirteen analytes."""

MACROS = (
    "CREATE OR REPLACE MACRO subject(i) AS left(md5(i::VARCHAR), 16)",
    "CREATE OR REPLACE MACRO row_of(what, i, j) AS left(md5(what || i || '/' || j), 16)",
    "CREATE OR REPLACE MACRO one_in(i, k, n, salt) AS hash(i * 100 + k, salt) % n = 0",
    # One in five has an older baseline by MRI beside that by CT; one in seven changes to MRI.
    "CREATE OR REPLACE MACRO scan_day(i, k) AS DATE '2015-01-01' + "
    "(k * 60 - CASE WHEN i % 5 = 1 THEN 80 ELSE 20 END)::INTEGER",
    "CREATE OR REPLACE MACRO modality_of(i, k) AS CASE WHEN i % 5 = 1 AND k IN (0, 3) "
    "OR i % 7 = 0 AND k >= 3 THEN 'MRI' ELSE 'CT' END",
    "CREATE OR REPLACE MACRO last_day(i) AS "
    "DATE '2015-01-01' + CASE WHEN i % 3 = 0 THEN 40 ELSE 0 END",
)

TABLES = {
    "anchors": """
        SELECT subject(i) AS subject_id, 's1' AS site_id, DATE '2015-01-01' AS t0_date,
            last_day(i) AS last_session_date FROM range({n}) t(i)""",
    "sessions": """
        SELECT subject(i) AS subject_id, s AS session_number, 's' || s AS session_id,
            CASE s WHEN 1 THEN DATE '2015-01-01' WHEN 2 THEN last_day(i)
                ELSE DATE '2015-07-01' END AS session_date,
            s <> 2 AS covers_right, s <> 1 AS covers_left, CASE s WHEN 3 THEN 2 ELSE 1 END AS course
        FROM range({n}) t(i), range(1, 4) u(s)
        WHERE s = 1 OR s = 2 AND i % 3 = 0 OR s = 3 AND i % 50 = 0""",
    "treatments": """
        SELECT subject(i) AS subject_id, 's1' AS site_id, 's1' AS session_id, 't1' AS target_id,
            DATE '2015-01-01' AS treatment_date, TIMESTAMP '2015-01-01 12:00:00' AS administered_at,
            'glass' AS device, 'whole' AS lobe, row_of('t', i, 0) AS row_id
        FROM range({n}) t(i)""",
    "subsequent_therapies": """
        SELECT subject(i) AS subject_id, 'systemic' AS therapy_class, 1 AS sequence,
            DATE '2015-01-01' + (i % 300 + 1)::INTEGER AS start_date, row_of('u', i, 0) AS row_id
        FROM range({n}) t(i) WHERE i % 8 = 0""",
    # Three courses at most, in part on one day, some known to the month or the year, or not at all.
    "prior_therapies": """
        SELECT subject(i) AS subject_id, 's1' AS site_id, therapy_class, sequence,
            CASE WHEN NOT one_in(i, k, 6, 22) THEN DATE '2015-01-01' - ((hash(i,
                CASE WHEN i % 7 = 0 THEN 0 ELSE k END) % 500)::INTEGER - 20) END AS start_date,
            CASE WHEN one_in(i, k, 5, 23) THEN 'year' WHEN one_in(i, k, 4, 24) THEN 'month'
                ELSE 'day' END AS start_date_precision,
            CASE WHEN one_in(i, k, 3, 25) THEN DATE '2015-01-01' - ((hash(i, k, 9) % 200)::INTEGER
                - 30) END AS stop_date,
            CASE WHEN one_in(i, k, 9, 26) THEN 'year' ELSE 'day' END AS stop_date_precision,
            row_of('q', i, k) AS row_id
        FROM range({n}) t(i), (VALUES (0, 'chemotherapy', 1), (1, 'prrt', 1),
            (2, 'chemotherapy', 2)) c(k, therapy_class, sequence)
        WHERE NOT one_in(i, k, 4, 27)""",
    "contacts": """
        SELECT subject(i) AS subject_id, 's1' AS site_id,
            DATE '2015-01-01' + (i % 900 + k)::INTEGER AS contact_date, 'death' AS contact_type,
            CASE WHEN k = 2 THEN 'alive' ELSE 'dead' END AS vital_status,
            ['tumour', 'treatment', 'other', 'unknown', NULL][1 + (hash(i, k) % 5)::INTEGER]
            AS cause_of_death, row_of('k', i, k) AS row_id
        FROM range({n}) t(i), range(3) u(k) WHERE i % 3 = 0 AND (k = 0 OR i % 4 = 0)""",
    "death_claims": """
        SELECT subject(i) AS subject_id, CASE WHEN i % 30 <> 0 THEN DATE '2015-01-01' +
            (i % 900)::INTEGER END AS death_date FROM range({n}) t(i) WHERE i % 3 = 0""",
    "medications": """
        SELECT subject(i) AS subject_id, 'warfarin' AS drug, 1 AS sequence,
            'anticoagulation' AS purpose, DATE '2014-12-01' AS start_date,
            CASE WHEN i % 2 = 0 THEN DATE '2015-02-20' END AS stop_date,
            row_of('d', i, 0) AS row_id FROM range({n}) t(i) WHERE i % 9 = 0""",
    "subject_lesions": """
        SELECT subject(i) AS subject_id, l AS lesion_number, 'L' || l AS lesion_id,
            CASE WHEN one_in(i, l, 10, 1) THEN 'node' ELSE 'liver' END AS organ,
            CASE l WHEN 1 THEN 'right' ELSE 'left' END AS lobe,
            NOT one_in(i, l, 20, 2) AS index_lesion, NOT one_in(i, l, 5, 3) AS recist_target,
            CASE l WHEN 1 THEN DATE '2015-01-01' ELSE last_day(i) END AS lobe_date
        FROM range({n}) t(i), range(1, {lesions} + 1) u(l)""",
    "scans": """
        SELECT subject(i) AS subject_id, scan_day(i, k) AS scan_date, modality_of(i, k) AS modality,
            reader, CASE WHEN one_in(i, k, 25, 4) THEN NULL ELSE NOT one_in(i, k, 20, 5) END
            AS arterial_phase, CASE WHEN k > 1 AND one_in(i, k, 30, 6) THEN 'hepatic' ELSE 'none'
            END AS new_lesion, CASE WHEN one_in(i, k, 60, 7) THEN 'progression' ELSE 'none' END
            AS non_target, NOT one_in(i, k, 25, 8) AS evaluable, row_of('c' || reader, i, k)
            AS row_id
        FROM range({n}) t(i), range({scans}) u(k), (VALUES ('local'), ('central 1')) r(reader)
        WHERE reader = 'local' OR i % 10 = 9""",
    # One in ten has the first lesion read twice, and the second never measured.
    "measurements": """
        SELECT subject(i) AS subject_id,
            'L' || CASE WHEN i % 10 = 9 THEN 1 ELSE l END AS lesion_id,
            scan_day(i, k) AS scan_date, modality_of(i, k) AS modality,
            CASE WHEN i % 10 = 9 AND l = 2 THEN 'central 1' ELSE 'local' END AS reader,
            CASE WHEN status = 'measured' THEN size END::DECIMAL(18, 6) AS longest_mm,
            CASE WHEN status = 'measured' AND NOT one_in(i, m, 60, 9) THEN size * 0.8
            END::DECIMAL(18, 6) AS perpendicular_mm,
            CASE WHEN status = 'measured' THEN size * 0.7 END::DECIMAL(18, 6)
            AS enhancing_longest_mm,
            CASE WHEN status = 'measured' THEN size * 0.5 END::DECIMAL(18, 6)
            AS enhancing_perpendicular_mm, status, row_of('m', i, m) AS row_id
        FROM (SELECT *, CASE WHEN one_in(i, m, 30, 10) THEN 'absent'
                WHEN one_in(i, m, 30, 11) THEN 'too_small'
                WHEN one_in(i, m, 50, 12) THEN 'not_evaluable'
                WHEN one_in(i, m, 50, 13) THEN 'not_imaged' ELSE 'measured' END AS status,
                round(15 + (hash(i, m) % 600) / 10.0 - k * 3, 1) AS size
            FROM (SELECT i, l, k, l * 10 + k AS m FROM range({n}) t(i),
                range(1, {lesions} + 1) u(l), range({scans}) v(k)))""",
    "labs": """
        SELECT subject(i) AS subject_id, 's1' AS site_id, lab_date, analyte, 1 AS sequence,
            CASE WHEN one_in(i, m, 4, 14) THEN '18:00' ELSE '08:00' END AS lab_time,
            (round(size, 3) * CASE WHEN si THEN times ELSE 1 END)::DECIMAL(18, 6) AS value,
            CASE WHEN one_in(i, m, 90, 15) THEN '<' WHEN one_in(i, m, 90, 16) THEN '>' END
            AS value_comparator, CASE WHEN one_in(i, m, 300, 17) THEN 'furlong'
            WHEN analyte = 'lymphocytes' AND one_in(i, m, 50, 18) THEN '%'
            WHEN si THEN si_unit ELSE unit END AS unit,
            CASE WHEN NOT one_in(i, m, 40, 19) THEN low * CASE WHEN si THEN times ELSE 1 END
            END::DECIMAL(18, 6) AS lower_limit, CASE WHEN one_in(i, m, 40, 20) THEN NULL
            WHEN one_in(i, m, 200, 21) THEN 0 ELSE high * CASE WHEN si THEN times ELSE 1 END
            END::DECIMAL(18, 6) AS upper_limit, row_of('l', i, m) AS row_id
        FROM (SELECT *, place * 10 + k AS m, i % 2 = 1 AS si,
                DATE '2015-01-01' + (k * 25 + CASE i % 20 WHEN 3 THEN 5 WHEN 4 THEN 0 ELSE -10 END)
                ::INTEGER AS lab_date, CASE WHEN k = 0 AND i % 4 <> 2 THEN normal
                ELSE normal * step ** ((hash(i, place, k) % 40) / 10.0) END AS size
            FROM range({n}) t(i), range({draws}) u(k), (VALUES
                (0, 'bilirubin', 0.9, 2.1, 'mg/dL', 0.2, 1.2, 'umol/L', 17.1),
                (1, 'ast', 25, 2.3, 'U/L', 5, 40, 'nkat/L', 16.66),
                (2, 'alt', 30, 2.3, 'U/L', 5, 40, 'ukat/L', 0.01666),
                (3, 'alp', 80, 2.0, 'U/L', 30, 120, 'ukat/L', 0.01666),
                (4, 'ggt', 30, 2.5, 'U/L', 5, 60, 'U/L', 1),
                (5, 'inr', 1.0, 1.3, '1', 0.8, 1.2, '1', 1),
                (6, 'creatinine', 0.9, 1.7, 'mg/dL', 0.5, 1.3, 'umol/L', 88.4),
                (7, 'albumin', 4.2, 0.8, 'g/dL', 3.5, 5.2, 'g/L', 10),
                (8, 'haemoglobin', 13.5, 0.8, 'g/dL', 12, 16, 'mmol/L', 0.6206),
                (9, 'wbc', 6.5, 0.6, '10*9/L', 4, 11, '/uL', 1000),
                (10, 'neutrophils', 4.0, 0.5, '10*9/L', 1.8, 7, '10*3/uL', 1),
                (11, 'lymphocytes', 1.9, 0.5, '10*9/L', 1.0, 4.0, '10*6/L', 1000),
                (12, 'platelets', 250, 0.5, '10*9/L', 150, 400, '10*9/L', 1)
            ) a(place, analyte, normal, step, unit, low, high, si_unit, times)
            WHERE (place + 13 - i % 13) % 13 IN (0, 3, 6, 9))""",
}


def fill(con: Any, patients: int) -> dict[str, Any]:
    """Make every registry and intermediate table: those above, and the others empty."""
    sizes = {"n": patients, "lesions": LESIONS, "scans": SCANS, "draws": DRAWS}
    for macro in MACROS:
        con.raw_sql(macro)
    for contract in (*registry.TABLES, *intermediate.TABLES):
        name = table_name(contract)
        con.create_table(name, schema=schema(contract))
        if name in TABLES:
            query = TABLES[name].format(**sizes)
            made = con.sql(query).columns
            names = ", ".join(c.name for c in columns(contract) if c.name in made)
            con.raw_sql(f"INSERT INTO {name} ({names}) SELECT {names} FROM ({query})")
    return {name: con.table(name) for name in con.list_tables()}

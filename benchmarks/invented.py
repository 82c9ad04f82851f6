"""Registry tables of any number of patients, made in the engine: nothing is missing in them."""

from typing import Any

from schemas import intermediate, registry
from schemas.contract import columns, schema, table_name

SCANS, LESIONS, DRAWS = 5, 2, 6
"""Per patient: scans with their lesions, and draws of four analytes; the first lies before T0."""

TABLES = {
    "anchors": """
        SELECT 's' || i AS subject_id, 's1' AS site_id, DATE '2015-01-01' AS t0_date,
            DATE '2015-01-01' AS last_session_date FROM range({n}) t(i)""",
    "sessions": """
        SELECT 's' || i AS subject_id, 1 AS session_number, 's1' AS session_id,
            DATE '2015-01-01' AS session_date, true AS covers_right, true AS covers_left,
            1 AS course FROM range({n}) t(i)""",
    "treatments": """
        SELECT 's' || i AS subject_id, 's1' AS site_id, 's1' AS session_id, 't1' AS target_id,
            DATE '2015-01-01' AS treatment_date, 'glass' AS device, 'whole' AS lobe,
            't:' || i AS row_id FROM range({n}) t(i)""",
    "subject_lesions": """
        SELECT 's' || i AS subject_id, l AS lesion_number, 'L' || l AS lesion_id,
            'liver' AS organ, 'right' AS lobe, true AS index_lesion, true AS recist_target,
            DATE '2015-01-01' AS lobe_date FROM range({n}) t(i), range(1, {lesions} + 1) u(l)""",
    "scans": """
        SELECT 's' || i AS subject_id, DATE '2015-01-01' + (k * 60 - 20)::INTEGER AS scan_date,
            'CT' AS modality, 'local' AS reader, true AS arterial_phase, 'none' AS new_lesion,
            'none' AS non_target, true AS evaluable, 'c:' || i || ':' || k AS row_id
        FROM range({n}) t(i), range({scans}) u(k)""",
    "measurements": """
        SELECT 's' || i AS subject_id, 'L' || l AS lesion_id,
            DATE '2015-01-01' + (k * 60 - 20)::INTEGER AS scan_date, 'CT' AS modality,
            'local' AS reader, size::DECIMAL(18, 6) AS longest_mm,
            (size * 0.8)::DECIMAL(18, 6) AS perpendicular_mm,
            (size * 0.7)::DECIMAL(18, 6) AS enhancing_longest_mm,
            (size * 0.5)::DECIMAL(18, 6) AS enhancing_perpendicular_mm, 'measured' AS status,
            'm:' || i || ':' || l || ':' || k AS row_id
        FROM (SELECT i, l, k, round(20 + (hash(i * 100 + l * 10 + k) % 600) / 10.0 - k * 3, 1)
            AS size FROM range({n}) t(i), range(1, {lesions} + 1) u(l), range({scans}) v(k))""",
    "labs": """
        SELECT 's' || i AS subject_id, 's1' AS site_id,
            DATE '2015-01-01' + (k * 25 - 10)::INTEGER AS lab_date, a.analyte, 1 AS sequence,
            CASE WHEN k = 0 THEN a.normal ELSE
                round(a.normal * a.step ** ((hash(i * 10 + k) + a.place * 7) % 40 / 10.0), 2)
            END::DECIMAL(18, 6) AS value, a.unit, a.low::DECIMAL(18, 6) AS lower_limit,
            a.high::DECIMAL(18, 6) AS upper_limit, 'l:' || i || ':' || a.place || ':' || k AS row_id
        FROM range({n}) t(i), range({draws}) u(k), (VALUES
            (0, 'bilirubin', 0.9, 2.1, 'mg/dL', 0.2, 1.2), (1, 'alt', 30, 2.3, 'U/L', 5, 40),
            (2, 'lymphocytes', 1.9, 0.5, '10*9/L', 1.0, 4.0),
            (3, 'platelets', 250, 0.5, '10*9/L', 150, 400)
        ) a(place, analyte, normal, step, unit, low, high)""",
}


def fill(con: Any, patients: int) -> dict[str, Any]:
    """Make every registry and intermediate table: those above, and the others empty."""
    sizes = {"n": patients, "lesions": LESIONS, "scans": SCANS, "draws": DRAWS}
    for contract in (*registry.TABLES, *intermediate.TABLES):
        name = table_name(contract)
        con.create_table(name, schema=schema(contract))
        if name in TABLES:
            made = con.sql(TABLES[name].format(**sizes)).columns
            names = ", ".join(c.name for c in columns(contract) if c.name in made)
            con.raw_sql(
                f"INSERT INTO {name} ({names}) SELECT {names} FROM ({TABLES[name].format(**sizes)})"
            )
    return {name: con.table(name) for name in con.list_tables()}

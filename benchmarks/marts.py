"""How fast are the marts of response and toxicity, against hand-written DuckDB SQL of the rules?

    python -m benchmarks marts [--patients 100000] [--memory 6]

The invented patients lack nothing: one reader, one modality, no unevaluable scan, a normal baseline
of every analyte. The hand-written queries know that and do less; their classes, best responses and
worst grades are compared with ours. `--memory` is the engine's limit in GiB, beyond which it
spills.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.invented import fill
from benchmarks.measure import against, arguments, peak_mib, say, seconds
from schemas.settings import OutcomeSettings
from warehouse.build import computed
from warehouse.engine import engine
from warehouse.lineage import derivations

RESPONSE = ("lesion_quantities", "lesion_assessments", "lesion_response")
TOXICITY = ("baseline_labs", "lab_grades", "toxicity")

CLASSES = """
CREATE OR REPLACE TABLE hand_assessments AS
WITH sizes AS (
    SELECT m.subject_id, l.lesion_number, m.row_id, date_diff('day', a.t0_date, m.scan_date) AS day,
        (round(longest_mm * 10) * round(perpendicular_mm * 10))::BIGINT AS who,
        (round(enhancing_longest_mm * 10) * round(enhancing_perpendicular_mm * 10))::BIGINT AS easl,
        round(longest_mm * 10)::BIGINT AS recist11, round(enhancing_longest_mm * 10)::BIGINT
        AS mrecist
    FROM measurements m JOIN anchors a USING (subject_id)
    JOIN subject_lesions l USING (subject_id, lesion_id)
    JOIN scans s USING (subject_id, scan_date, modality, reader)
), each AS (
    UNPIVOT sizes ON who, easl, recist11, mrecist INTO NAME criterion VALUE size
), compared AS (
    SELECT *, arg_max(size, day) FILTER (day <= 0) OVER unit AS baseline,
        min(size) OVER (unit ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS nadir
    FROM each WINDOW unit AS (PARTITION BY subject_id, lesion_number, criterion)
)
SELECT subject_id, lesion_number, criterion, day, size, baseline, nadir, row_id,
    100.0 * (size - baseline) / baseline AS change_from_baseline_pct,
    100.0 * (size - nadir) / nadir AS change_from_nadir_pct,
    CASE
        WHEN criterion IN ('recist11', 'mrecist') AND baseline < 100 THEN 'NE'
        WHEN criterion IN ('who', 'easl') AND 4 * size > 5 * nadir THEN 'PD'
        WHEN criterion = 'recist11' AND 10 * size >= 12 * nadir AND size - nadir >= 50 THEN 'PD'
        WHEN criterion = 'mrecist' AND 10 * size >= 12 * nadir THEN 'PD'
        WHEN size = 0 THEN 'CR'
        WHEN criterion IN ('who', 'easl') AND 2 * size <= baseline THEN 'PR'
        WHEN criterion IN ('recist11', 'mrecist') AND 10 * size <= 7 * baseline THEN 'PR'
        ELSE 'SD'
    END AS response
FROM compared WHERE day > 0
"""

BEST = """
CREATE OR REPLACE TABLE hand_response AS
WITH until AS (
    SELECT *, min(day) FILTER (response = 'PD') OVER unit AS progression_day,
        lead(response) OVER (unit ORDER BY day) AS next_response
    FROM hand_assessments WINDOW unit AS (PARTITION BY subject_id, lesion_number, criterion)
), counted AS (
    SELECT *, CASE WHEN response IN ('CR', 'PR') AND coalesce(next_response, '') NOT IN ('CR', 'PR')
        THEN 'SD' ELSE response END AS confirmed
    FROM until WHERE progression_day IS NULL OR day <= progression_day
), both_ways AS (
    SELECT *, 'unconfirmed' AS confirmation, response AS class FROM counted
    UNION ALL SELECT *, 'confirmed', confirmed FROM counted
), ranked AS (
    SELECT *, list_position(['CR', 'PR', 'SD', 'PD', 'NE'], class) AS place FROM both_ways
)
SELECT subject_id, lesion_number, criterion, confirmation,
    arg_min(class, place * 100000 + day) AS best_response,
    arg_min(day, place * 100000 + day) AS best_response_day,
    min(day) FILTER (response IN ('CR', 'PR')) AS first_response_day,
    min(change_from_baseline_pct) AS best_change_pct, any_value(progression_day) AS progression_day
FROM ranked GROUP BY ALL
"""

GRADES = """
CREATE OR REPLACE TABLE hand_grades AS
SELECT l.subject_id, l.analyte, v.version, date_diff('day', a.t0_date, l.lab_date) AS day,
    l.value, l.unit, l.lower_limit, l.upper_limit, l.row_id,
    CASE
        WHEN l.analyte IN ('bilirubin', 'alt') AND value <= upper_limit THEN 0
        WHEN l.analyte = 'bilirubin' THEN CASE WHEN value > upper_limit * 10 THEN 4
            WHEN value > upper_limit * 3 THEN 3 WHEN value * 2 > upper_limit * 3 THEN 2 ELSE 1 END
        WHEN l.analyte = 'alt' THEN CASE WHEN value > upper_limit * 20 THEN 4
            WHEN value > upper_limit * 5 THEN 3
            WHEN value * 2 > upper_limit * CASE v.version WHEN '3.0' THEN 5 ELSE 6 END THEN 2
            ELSE 1 END
        WHEN l.analyte = 'lymphocytes' THEN CASE WHEN value < 0.2 THEN 4 WHEN value < 0.5 THEN 3
            WHEN value < 0.8 THEN 2 WHEN value < lower_limit THEN 1 ELSE 0 END
        ELSE CASE WHEN value < 25 THEN 4 WHEN value < 50 THEN 3 WHEN value < 75 THEN 2
            WHEN value < lower_limit THEN 1 ELSE 0 END
    END AS grade
FROM labs l JOIN anchors a USING (subject_id), (VALUES ('3.0'), ('4.03'), ('5.0')) v(version)
"""

WORST = """
CREATE OR REPLACE TABLE hand_toxicity AS
WITH placed AS (
    SELECT g.*, unnest(list_filter([
        CASE WHEN day <= last + 30 THEN 'acute' END, CASE WHEN day <= last + 90 THEN 'primary' END,
        CASE WHEN day > last + 90 AND day <= last + 183 THEN 'late' END, 'any'
    ], lambda w: w IS NOT NULL)) AS span
    FROM (SELECT g.*, date_diff('day', t0_date, last_session_date) AS last
        FROM hand_grades g JOIN anchors USING (subject_id)) g WHERE day > 0
), worst AS (
    SELECT subject_id, analyte, version, span, max(grade) AS worst_grade,
        arg_max(day, grade * 100000 - day) AS worst_day
    FROM placed GROUP BY ALL
), before AS (
    SELECT subject_id, analyte, version, arg_max(grade, day) AS baseline_grade
    FROM hand_grades WHERE day <= 0 GROUP BY ALL
)
SELECT w.*, b.baseline_grade, worst_grade > baseline_grade AS emergent
FROM worst w LEFT JOIN before b USING (subject_id, analyte, version)
"""


def main() -> None:
    """Print both times of both marts."""
    given = arguments(__doc__, patients=100_000, memory=6)
    with (
        tempfile.TemporaryDirectory() as name,
        engine(Path(name) / "marts.duckdb", threads=2, memory_limit=f"{given.memory}GiB") as con,
    ):
        known = fill(con, given.patients)
        lines = []
        for what, names, queries in (
            ("response", RESPONSE, (CLASSES, BEST)),
            ("toxicity", TOXICITY, (GRADES, WORST)),
        ):
            ours = seconds(lambda n=names: _derive(con, known, n), given.repeats)  # type: ignore[misc]
            memory = peak_mib()
            theirs = seconds(lambda q=queries: _run(con, q), given.repeats)  # type: ignore[misc]
            lines.append(against(f"{what}, {given.patients} patients", ours, theirs, 1.5))
            lines.append(f"at most {memory:.0f} MiB so far, limit {given.memory} GiB")
        _agree(con)
    say(*lines)


def _derive(con: Any, known: Mapping[str, Any], names: tuple[str, ...]) -> None:
    tables = dict(known)
    for name in names:
        tables[name] = computed(con, derivations()[name], tables, OutcomeSettings())


def _run(con: Any, queries: tuple[str, ...]) -> None:
    for query in queries:
        con.raw_sql(query)


def _agree(con: Any) -> None:
    """Classes, unconfirmed best responses and worst grades are the same."""
    for ours, theirs in (
        (
            "SELECT criterion, response, count(*) FROM lesion_assessments GROUP BY ALL",
            "SELECT criterion, response, count(*) FROM hand_assessments GROUP BY ALL",
        ),
        (
            "SELECT criterion, best_response, count(*) FROM lesion_response "
            "WHERE confirmation = 'unconfirmed' GROUP BY ALL",
            "SELECT criterion, best_response, count(*) FROM hand_response "
            "WHERE confirmation = 'unconfirmed' GROUP BY ALL",
        ),
        (
            'SELECT term, ctcae_version, "window", worst_grade, emergent, count(*) FROM toxicity '
            "GROUP BY ALL",
            "SELECT analyte, version, span, worst_grade, emergent, count(*) FROM hand_toxicity "
            "GROUP BY ALL",
        ),
    ):
        found = [con.raw_sql(q + " ORDER BY ALL").fetchall() for q in (ours, theirs)]
        assert found[0] == found[1], (found[0][:9], found[1][:9])


if __name__ == "__main__":
    main()

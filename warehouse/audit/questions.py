"""The audit's questions: between tables and between rows, never of one cell.

What one column may hold is in its contract and is not asked again. A question is a frame, selected
from the candidate's own Parquet, and what must be true of every row of that frame.
"""

from dataclasses import dataclass
from typing import Literal

from schemas.contract import key, options, published_name
from schemas.records.criteria import CRITERIA
from schemas.records.eligibility import RULES
from schemas.tables.mart_table import CONFIRMATIONS
from schemas.tables.quality import Audit
from warehouse.engine.quoting import identifier
from warehouse.releases.database import RELEASED

Kind = Literal["no_rows", "equal", "ordered", "within", "contains"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question: `frame` is SQL over the release's tables, `kind` what must be true of it.

    no_rows: the frame is empty. equal: `found` = `expected`. ordered: `smaller` <= `greater`, where
    both are known. within: `low` <= `value` <= `high`. contains: `value` takes each of `values`.
    """

    audit_id: str
    suite: str
    table: str
    question: str
    frame: str
    kind: Kind
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    prepare: tuple[str, ...] = ()
    """Statements that make temporary tables for the frame. The engine keeps statistics of them,
    which it has not of a common table expression."""


DECLARED = tuple(f"{options(c).schema}.{published_name(c)}" for c in RELEASED if c is not Audit)
"""Every table that a release carries; the answers themselves are written afterwards."""

_REPEATED_KEYS = " UNION ALL ".join(
    f"(SELECT '{options(c).schema}.{published_name(c)}' AS place FROM {options(c).schema}."
    f"{published_name(c)} GROUP BY {', '.join(map(identifier, key(c)))} "
    "HAVING count(*) > 1 LIMIT 1)"
    for c in RELEASED
    if c is not Audit
)

_BASE_IDS = " UNION ALL ".join(
    f"SELECT statistic_id FROM outcomes.{published_name(c)}"
    for c in RELEASED
    if options(c).schema == "outcomes" and options(c).statistics
)
_UNITS = """
    SELECT p.set_id[12:] AS population, u.* FROM (
        SELECT subject_id, 'lesion' AS level, 'all' AS organ, unnest(['all',
            CASE WHEN treated THEN 'treated' ELSE 'untreated' END]) AS lesions,
            criterion, confirmation, best_response
        FROM marts.lesion_response
        UNION ALL
        SELECT subject_id, 'subject', organ, 'all', criterion, confirmation, best_response
        FROM marts.subject_response) u
    JOIN members.member_sets p ON p.subject_id = u.subject_id AND p.set_id LIKE 'population.%'
"""
_TIMES = """
    SELECT p.set_id[12:] AS population, t.endpoint, t.event,
           CASE WHEN t.lesion_number > 0 THEN 'lesion' ELSE 'subject' END AS level
    FROM marts.time_to_event t
    JOIN members.member_sets p ON p.subject_id = t.subject_id AND p.set_id LIKE 'population.%'
"""

_MEMBERS_COUNTED = (
    """
    CREATE TEMP TABLE audit_sets AS
    SELECT row_number() OVER (ORDER BY set_id)::INTEGER AS set_code, set_id
    FROM (SELECT DISTINCT set_id FROM members.member_sets)
    """,
    """
    CREATE TEMP TABLE audit_subjects AS
    SELECT row_number() OVER (ORDER BY subject_id)::INTEGER AS subject, subject_id
    FROM (SELECT DISTINCT subject_id FROM members.member_sets)
    """,
    """
    CREATE TEMP TABLE audit_members AS
    SELECT set_code, subject, lesion_number
    FROM members.member_sets JOIN audit_sets USING (set_id) JOIN audit_subjects USING (subject_id)
    """,
    """
    CREATE TEMP TABLE audit_counts AS
    SELECT row_number() OVER (ORDER BY statistic_id)::INTEGER AS statistic, n,
        string_split(numerator_set, ' | ') AS counted, string_split(population_set, ' & ') AS over
    FROM outcomes.statistics
    WHERE method IN ('proportion', 'count') AND n IS NOT NULL AND numerator_set <> 'attrition.0'
      AND split_part(numerator_set, '.', 1) IN
        (SELECT DISTINCT split_part(set_id, '.', 1) FROM audit_sets)
    """,
    """
    CREATE TEMP TABLE audit_parts AS
    SELECT statistic, set_code FROM (SELECT statistic, unnest(counted) AS set_id FROM audit_counts)
    JOIN audit_sets USING (set_id)
    """,
    """
    CREATE TEMP TABLE audit_over AS
    SELECT statistic, set_code FROM (SELECT statistic, unnest(over) AS set_id FROM audit_counts)
    JOIN audit_sets USING (set_id)
    """,
    """
    CREATE TEMP TABLE audit_shared AS
    SELECT a.statistic, m.subject, m.lesion_number
    FROM audit_parts a JOIN audit_members m USING (set_code)
    JOIN audit_over o ON o.statistic = a.statistic
    JOIN audit_members p ON p.set_code = o.set_code AND p.subject = m.subject
        AND p.lesion_number = 0
    JOIN audit_counts c ON c.statistic = a.statistic
    GROUP BY a.statistic, m.subject, m.lesion_number, len(c.over)
    HAVING count(*) = len(c.over)
    """,
)
"""The members that the sets of each statistic share, by integer codes: by text ids the same took
twenty gigabytes for 20,000 patients."""

COMPLETENESS = (
    Question(
        "tables",
        "completeness",
        "every table",
        "Every declared table is there, if only empty.",
        "SELECT table_schema || '.' || table_name AS value FROM information_schema.tables",
        "contains",
        values=DECLARED,
    ),
    Question(
        "keys",
        "completeness",
        "every table",
        "No table holds two rows of one key.",
        _REPEATED_KEYS,
        "no_rows",
    ),
    Question(
        "delivered_sites_counted",
        "completeness",
        "quality.deliveries, quality.row_counts",
        "Every site with a delivery in force has its rows counted.",
        "SELECT site_id FROM quality.deliveries ANTI JOIN quality.row_counts USING (site_id)",
        "no_rows",
    ),
    Question(
        "treated_in_population",
        "completeness",
        "marts.subjects, members.member_sets",
        "Every treated subject belongs to the population `all` and to its site's.",
        """
        SELECT s.subject_id, count(DISTINCT m.set_id) AS found, 2 AS expected
        FROM marts.subjects s LEFT JOIN members.member_sets m ON m.subject_id = s.subject_id
            AND m.set_id IN ('population.all', 'population.site:' || s.site_id)
        WHERE s.treated GROUP BY s.subject_id
        """,
        "equal",
    ),
    Question(
        "treated_have_response",
        "completeness",
        "marts.subjects, marts.subject_response",
        "Every treated subject of a site with lesions has a best response under each criterion, "
        "confirmed and unconfirmed.",
        f"""
        SELECT s.subject_id, count(r.subject_id) AS found,
               {len(CRITERIA) * len(CONFIRMATIONS)} AS expected
        FROM marts.subjects s LEFT JOIN marts.subject_response r
            ON r.subject_id = s.subject_id AND r.organ = 'all'
        WHERE s.treated AND s.site_id IN (
            SELECT site_id FROM marts.subjects JOIN marts.lesion_response USING (subject_id))
        GROUP BY s.subject_id
        """,
        "equal",
    ),
    Question(
        "lesions_have_response",
        "completeness",
        "marts.lesion_response",
        "Every lesion has a best response under each criterion, confirmed and unconfirmed.",
        f"""
        SELECT subject_id, lesion_number, count(*) AS found,
               {len(CRITERIA) * len(CONFIRMATIONS)} AS expected
        FROM marts.lesion_response GROUP BY ALL
        """,
        "equal",
    ),
    Question(
        "rules_asked",
        "completeness",
        "marts.subjects, marts.eligibility",
        "Every subject is asked every eligibility rule.",
        f"""
        SELECT s.subject_id, count(e.rule_id) AS found, {len(RULES)} AS expected
        FROM marts.subjects s LEFT JOIN marts.eligibility e USING (subject_id)
        GROUP BY s.subject_id
        """,
        "equal",
    ),
    Question(
        "treated_followed",
        "completeness",
        "marts.subjects, marts.follow_up_adherence",
        "Every treated subject has a row of follow-up.",
        "SELECT subject_id FROM marts.subjects ANTI JOIN marts.follow_up_adherence "
        "USING (subject_id) WHERE treated",
        "no_rows",
    ),
)

RECONCILIATION = (
    Question(
        "rows_accounted",
        "reconciliation",
        "quality.row_counts",
        "Rows received are empty, accepted, quarantined or of another data access group.",
        "SELECT received AS found, empty + accepted + quarantined + other_group AS expected "
        "FROM quality.row_counts",
        "equal",
    ),
    Question(
        "quarantine_counted",
        "reconciliation",
        "quality.row_counts, quality.quarantine",
        "The rows set aside are the rows counted as quarantined.",
        """
        SELECT c.quarantined AS found, count(DISTINCT q.row_number) AS expected
        FROM quality.row_counts c LEFT JOIN quality.quarantine q USING (site_id, table_name)
        GROUP BY site_id, table_name, c.quarantined
        """,
        "equal",
    ),
    Question(
        "patients_are_subjects",
        "reconciliation",
        "quality.row_counts, marts.subjects",
        "Every accepted patient is one subject.",
        """
        SELECT c.accepted AS found, count(s.subject_id) AS expected
        FROM quality.row_counts c LEFT JOIN marts.subjects s USING (site_id)
        WHERE c.table_name = 'patients' GROUP BY c.site_id, c.accepted
        """,
        "equal",
    ),
    Question(
        "response_totals",
        "reconciliation",
        "outcomes.response_summary, marts.lesion_response, marts.subject_response",
        "The total of every response share is the number of treated lesions or subjects.",
        f"""
        SELECT r.total AS found, coalesce(u.n, 0) AS expected FROM outcomes.response_summary r
        LEFT JOIN (SELECT population, level, organ, lesions, criterion, confirmation, count(*) AS n
                   FROM ({_UNITS}) GROUP BY ALL) u
        USING (population, level, organ, lesions, criterion, confirmation)
        """,
        "equal",
    ),
    Question(
        "response_classes",
        "reconciliation",
        "outcomes.response_summary",
        "CR, PR, SD, PD and NE, and subjects without measurable disease, are the total.",
        f"""
        SELECT min(total) AS found, sum(n) + coalesce(min(u.others), 0) AS expected
        FROM outcomes.response_summary LEFT JOIN (
            SELECT population, level, organ, lesions, criterion, confirmation, count(*) AS others
            FROM ({_UNITS}) WHERE best_response = 'NON-CR/NON-PD' GROUP BY ALL) u
        USING (population, level, organ, lesions, criterion, confirmation)
        WHERE category IN ('CR', 'PR', 'SD', 'PD', 'NE')
        GROUP BY population, level, organ, lesions, criterion, confirmation
        """,
        "equal",
    ),
    Question(
        "response_unions",
        "reconciliation",
        "outcomes.response_summary",
        "ORR is CR + PR, and DCR is CR + PR + SD.",
        """
        SELECT 2 * sum(n) FILTER (category = 'CR') + 2 * sum(n) FILTER (category = 'PR')
                 + sum(n) FILTER (category = 'SD') AS found,
               sum(n) FILTER (category IN ('ORR', 'DCR')) AS expected
        FROM outcomes.response_summary
        GROUP BY population, level, organ, lesions, criterion, confirmation
        """,
        "equal",
    ),
    Question(
        "agreement_totals",
        "reconciliation",
        "outcomes.criterion_agreement, outcomes.response_summary",
        "The cells of every agreement table add up to the units compared.",
        """
        SELECT sum(a.n) AS found, min(r.total) AS expected FROM outcomes.criterion_agreement a
        JOIN outcomes.response_summary r ON r.population = a.population AND r.level = a.level
            AND r.criterion = a.criterion_a AND r.confirmation = 'unconfirmed'
            AND r.category = 'NE' AND r.organ = 'all' AND r.lesions = 'all'
        GROUP BY a.population, a.level, a.criterion_a, a.criterion_b
        """,
        "equal",
    ),
    Question(
        "toxicity_grades",
        "reconciliation",
        "outcomes.toxicity_summary",
        "Where every event can be graded, grades 1 to 5 are the subjects with any grade, and 3 to "
        "5 those with a severe one.",
        """
        SELECT coalesce(sum(n) FILTER (grade IN ('1', '2', '3', '4', '5')), 0)
                 + coalesce(sum(n) FILTER (grade IN ('3', '4', '5')), 0) AS found,
               coalesce(sum(n) FILTER (grade IN ('any', 'ge3')), 0) AS expected
        FROM outcomes.toxicity_summary GROUP BY population, source, term, ctcae_version, time_window
        HAVING bool_and(n IS NOT NULL) AND bool_or(grade = '1')
        """,
        "equal",
    ),
    Question(
        "shift_totals",
        "reconciliation",
        "outcomes.toxicity_shift, members.member_sets, marts.subjects",
        "The cells of every shift table add up to the treated subjects.",
        """
        SELECT sum(n) AS found, min(t.treated) AS expected FROM outcomes.toxicity_shift
        JOIN (SELECT set_id[12:] AS population, count(*) AS treated FROM members.member_sets m
              JOIN marts.subjects s ON s.subject_id = m.subject_id AND s.treated
              WHERE set_id LIKE 'population.%' GROUP BY ALL) t USING (population)
        GROUP BY population, term, ctcae_version
        """,
        "equal",
    ),
    Question(
        "survival_units",
        "reconciliation",
        "outcomes.survival_medians, marts.time_to_event",
        "Every overall median counts each unit with a time, and each event, once.",
        f"""
        SELECT m.n + m.events AS found, count(t.population) + count(*) FILTER (t.event) AS expected
        FROM outcomes.survival_medians m LEFT JOIN ({_TIMES}) t
        USING (population, endpoint, level) WHERE m.factor = ''
        GROUP BY population, endpoint, level, m.rule, m.n, m.events
        """,
        "equal",
    ),
    Question(
        "curve_units",
        "reconciliation",
        "outcomes.survival_curves, outcomes.survival_medians",
        "The events and the censored of every curve are its units.",
        """
        SELECT sum(c.events) + sum(c.censored) AS found, min(m.n) AS expected
        FROM outcomes.survival_curves c JOIN outcomes.survival_medians m
        ON (m.population, m.endpoint, m.level, m.factor, m.factor_level) =
           (c.population, c.endpoint, c.level, c.factor, c.factor_level)
           AND m.rule = 'midpoint'
        GROUP BY c.population, c.endpoint, c.level, c.factor, c.factor_level
        """,
        "equal",
    ),
    Question(
        "attrition_steps",
        "reconciliation",
        "outcomes.attrition",
        "Whoever leaves a step of the flow enters the next one.",
        """
        SELECT n_in AS found,
               lag(n_out, 1, n_in) OVER (PARTITION BY population ORDER BY step) AS expected
        FROM outcomes.attrition
        """,
        "equal",
    ),
    Question(
        "statistics_have_rows",
        "reconciliation",
        "outcomes.statistics",
        "Every published number stands in a row of its own table.",
        f"""
        WITH known AS ({_BASE_IDS})
        SELECT statistic_id FROM (
            SELECT statistic_id,
                   regexp_replace(statistic_id, '[.][a-z0-9_]*$', '') AS without_column
            FROM outcomes.statistics ANTI JOIN known USING (statistic_id)) s
        ANTI JOIN known ON known.statistic_id = s.without_column
        """,
        "no_rows",
    ),
    Question(
        "members_counted",
        "reconciliation",
        "outcomes.statistics, members.member_sets",
        "Every count is the number of members that its sets share.",
        """
        SELECT a.n AS found, count(s.statistic) AS expected
        FROM audit_counts a LEFT JOIN audit_shared s USING (statistic)
        GROUP BY a.statistic, a.n
        """,
        "equal",
        prepare=_MEMBERS_COUNTED,
    ),
)

PLAUSIBILITY = (
    Question(
        "shares",
        "plausibility",
        "outcomes.statistics",
        "A proportion and its limits lie between 0 and 100 %.",
        "SELECT unnest([value, lower, upper]) AS value FROM outcomes.statistics "
        "WHERE method = 'proportion' AND unit = '%'",
        "within",
        low=0,
        high=100,
    ),
    Question(
        "survival_probabilities",
        "plausibility",
        "outcomes.survival_landmarks",
        "Survival at a landmark lies between 0 and 1.",
        "SELECT unnest([survival, lower, upper]) AS value FROM outcomes.survival_landmarks",
        "within",
        low=0,
        high=1,
    ),
    Question(
        "curves_fall",
        "plausibility",
        "outcomes.survival_curves",
        "No curve rises.",
        """
        SELECT survival AS smaller, lag(survival, 1, 1.0) OVER (
            PARTITION BY population, endpoint, level, factor, factor_level ORDER BY time_days
        ) AS greater FROM outcomes.survival_curves
        """,
        "ordered",
    ),
    Question(
        "times_positive",
        "plausibility",
        "outcomes.statistics",
        "No time is negative.",
        "SELECT unnest([value, lower, upper]) AS value FROM outcomes.statistics "
        "WHERE unit = 'months'",
        "within",
        low=0,
    ),
    Question(
        "above_lower_limits",
        "plausibility",
        "outcomes.statistics",
        "No estimate lies below its lower limit.",
        "SELECT lower AS smaller, value AS greater FROM outcomes.statistics WHERE unit <> 'p'",
        "ordered",
    ),
    Question(
        "below_upper_limits",
        "plausibility",
        "outcomes.statistics",
        "No estimate lies above its upper limit.",
        "SELECT value AS smaller, upper AS greater FROM outcomes.statistics WHERE unit <> 'p'",
        "ordered",
    ),
    Question(
        "hazard_ratios",
        "plausibility",
        "outcomes.prognosis_univariate, outcomes.prognosis_multivariable",
        "No hazard ratio lies outside its limits.",
        """
        SELECT unnest([lower, hr]) AS smaller, unnest([hr, upper]) AS greater
        FROM (SELECT lower, hr, upper FROM outcomes.prognosis_univariate
              UNION ALL SELECT lower, hr, upper FROM outcomes.prognosis_multivariable)
        """,
        "ordered",
    ),
    Question(
        "parts_of_wholes",
        "plausibility",
        "outcomes.statistics",
        "No numerator exceeds its denominator.",
        "SELECT n AS smaller, total AS greater FROM outcomes.statistics",
        "ordered",
    ),
)

QUESTIONS = COMPLETENESS + RECONCILIATION + PLAUSIBILITY

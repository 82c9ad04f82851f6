-- Other therapies in order and lines, and deaths by cause, written by hand with the default settings:
-- every place is counted by what stands before it, where the derivation ranks.

CREATE OR REPLACE TABLE hand_placed AS
SELECT subject_id, 'prior' AS timing, therapy_class, sequence,
    CASE WHEN start_date_precision <> 'year' THEN date_diff('day', t0_date, start_date) END
    AS start_day,
    CASE WHEN stop_date_precision <> 'year' THEN date_diff('day', t0_date, stop_date) END
    AS stop_day, row_id AS source_row_id
FROM prior_therapies JOIN anchors USING (subject_id)
WHERE start_date IS NULL OR start_date < t0_date OR start_date_precision <> 'day'
UNION ALL
SELECT subject_id, 'subsequent', therapy_class, sequence, date_diff('day', t0_date, start_date),
    NULL, row_id
FROM subsequent_therapies JOIN anchors USING (subject_id) WHERE start_date >= t0_date;

CREATE OR REPLACE TABLE hand_named AS
SELECT *, CASE WHEN start_day IS NULL THEN therapy_class || sequence
    ELSE lpad((start_day + 100000)::VARCHAR, 8, '0') END AS line_name,
    start_day IS NULL AS undated
FROM hand_placed;

CREATE OR REPLACE TABLE hand_courses AS
SELECT subject_id, timing, therapy_class, sequence,
    (SELECT count(*) FROM hand_named o WHERE o.subject_id = c.subject_id AND o.timing = c.timing
        AND (o.undated < c.undated OR o.undated = c.undated AND (
            coalesce(o.start_day, 0) < coalesce(c.start_day, 0)
            OR coalesce(o.start_day, 0) = coalesce(c.start_day, 0) AND (
                o.therapy_class < c.therapy_class
                OR o.therapy_class = c.therapy_class AND o.sequence <= c.sequence)))) AS place,
    (SELECT count(DISTINCT o.line_name) FROM hand_named o WHERE o.subject_id = c.subject_id
        AND o.timing = c.timing AND (o.undated < c.undated
            OR o.undated = c.undated AND o.line_name <= c.line_name)) AS line,
    (SELECT count(DISTINCT o.line_name) FROM hand_named o WHERE o.subject_id = c.subject_id
        AND o.timing = c.timing AND o.therapy_class = c.therapy_class
        AND (o.undated < c.undated OR o.undated = c.undated AND o.line_name <= c.line_name))
    AS line_of_class,
    start_day,
    CASE WHEN timing = 'subsequent' THEN start_day
        WHEN coalesce(stop_day, start_day) > 0 THEN 0 ELSE coalesce(stop_day, start_day) END
    AS end_day, source_row_id
FROM hand_named c;

CREATE OR REPLACE TABLE hand_deaths AS
WITH said AS (
    SELECT subject_id, list(DISTINCT cause_of_death) FILTER (cause_of_death <> 'unknown') AS named,
        count(*) FILTER (cause_of_death = 'unknown') AS unknowns
    FROM contacts WHERE vital_status = 'dead' GROUP BY subject_id
)
SELECT d.subject_id, date_diff('day', t0_date, death_date) AS rel_day,
    CASE WHEN len(named) = 1 THEN named[1] ELSE 'unknown' END AS cause,
    CASE WHEN len(named) = 1 THEN named[1] = 'treatment' END AS treatment_related,
    CASE WHEN len(named) = 1 THEN NULL WHEN len(named) > 1 THEN 'conflicting'
        WHEN unknowns > 0 THEN 'recorded_unknown' ELSE 'not_recorded' END AS reason
FROM death_claims d JOIN anchors USING (subject_id) LEFT JOIN said USING (subject_id);

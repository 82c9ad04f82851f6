-- WHO, EASL, RECIST 1.1 and mRECIST by lesion, as one would write them for DuckDB by hand, with the
-- default settings: one row per criterion from the start, so that every rule is written once.

CREATE OR REPLACE TABLE hand_quantities AS
WITH readings AS (
    SELECT m.*, l.lesion_number, l.index_lesion, l.recist_target,
        date_diff('day', a.t0_date, m.scan_date) AS rel_day,
        coalesce(date_diff('day', a.t0_date, l.lobe_date), 0) AS lobe_day,
        coalesce(l.organ = 'node', false) AS node, coalesce(l.organ = 'liver', true) AS liver,
        s.arterial_phase, coalesce(s.evaluable, true) AS scan_evaluable,
        round(longest_mm * 1000)::BIGINT AS a, round(perpendicular_mm * 1000)::BIGINT AS b,
        round(enhancing_longest_mm * 1000)::BIGINT AS ea,
        round(enhancing_perpendicular_mm * 1000)::BIGINT AS eb
    FROM measurements m
    JOIN subject_lesions l USING (subject_id, lesion_id)
    JOIN anchors a USING (subject_id)
    LEFT JOIN scans s USING (subject_id, scan_date, modality, reader)
), standing AS (
    SELECT * REPLACE (
        CASE status WHEN 'absent' THEN 0 WHEN 'measured' THEN a
            WHEN 'too_small' THEN coalesce(nullif(a, 0), 5000) END AS a,
        CASE status WHEN 'absent' THEN 0 WHEN 'measured' THEN b
            WHEN 'too_small' THEN coalesce(nullif(b, 0), least(coalesce(nullif(a, 0), 5000), 5000))
            END AS b,
        CASE WHEN status = 'absent' THEN 0 WHEN status IN ('measured', 'too_small') THEN ea END
        AS ea,
        CASE WHEN status = 'absent' THEN 0 WHEN status IN ('measured', 'too_small') THEN eb END
        AS eb)
    FROM readings
), sized AS (
    SELECT *, CASE WHEN a IS NOT NULL THEN greatest(a, b) END AS longer,
        CASE WHEN (a = 0) = (b = 0) THEN least(a, b) END AS shorter,
        CASE WHEN ea IS NOT NULL THEN greatest(ea, eb) END AS e_longer,
        CASE WHEN (ea = 0) = (eb = 0) THEN least(ea, eb) END AS e_shorter,
        scan_evaluable AND coalesce(arterial_phase, false) AS arterial
    FROM standing
)
SELECT subject_id, lesion_number, reader, modality, rel_day, lobe_day, node, liver, index_lesion,
    recist_target, status, arterial_phase, scan_evaluable, false AS unreadable,
    CASE WHEN scan_evaluable THEN
        CASE WHEN longer = 0 THEN 0 ELSE longer * shorter END END AS who,
    CASE WHEN arterial THEN coalesce(
        CASE WHEN e_longer = 0 THEN 0 ELSE e_longer * e_shorter END,
        CASE WHEN status = 'too_small' THEN longer * shorter END) END AS easl,
    CASE WHEN scan_evaluable THEN CASE WHEN node THEN shorter ELSE longer END * 1000 END
    AS recist_1_1,
    CASE WHEN arterial THEN coalesce(CASE WHEN node THEN e_shorter ELSE e_longer END * 1000,
        CASE WHEN status = 'too_small' THEN CASE WHEN node THEN shorter ELSE longer END * 1000
        END) END AS mrecist,
    row_id
FROM sized;

CREATE OR REPLACE TABLE hand_assessments AS
WITH timed AS (
    SELECT *, 3 * rel_day + CASE modality WHEN 'CT' THEN 2 WHEN 'MRI' THEN 1 ELSE 0 END AS moment
    FROM hand_quantities
), each AS (
    FROM timed UNPIVOT INCLUDE NULLS (value FOR criterion IN
        (who AS 'WHO', easl AS 'EASL', recist_1_1 AS 'RECIST 1.1', mrecist AS 'mRECIST'))
), counting AS (
    SELECT * FROM each
    WHERE CASE WHEN criterion IN ('WHO', 'EASL') THEN index_lesion ELSE recist_target END
), before AS (
    SELECT subject_id, lesion_number, reader, criterion, modality,
        max(rel_day) >= any_value(lobe_day) - 90 AS recent, max(moment) AS last_moment,
        max(rel_day) FILTER (value IS NOT NULL) AS baseline_day,
        CASE WHEN max(rel_day) FILTER (value IS NOT NULL) >= any_value(lobe_day) - 90
            THEN arg_max(value, moment) FILTER (value IS NOT NULL) END AS baseline
    FROM counting WHERE rel_day <= lobe_day GROUP BY ALL
), latest AS (
    SELECT subject_id, lesion_number, reader, criterion,
        arg_max(b, last_moment) AS b FROM before b GROUP BY ALL
), compared AS (
    SELECT c.*, CASE WHEN own.recent THEN own.modality ELSE b.modality END AS series,
        own.recent IS NOT NULL OR b IS NOT NULL AS known,
        CASE WHEN own.recent THEN own.baseline ELSE b.baseline END AS baseline,
        CASE WHEN own.recent THEN own.baseline_day ELSE b.baseline_day END AS baseline_day
    FROM counting c
    LEFT JOIN before own USING (subject_id, lesion_number, reader, criterion, modality)
    LEFT JOIN latest USING (subject_id, lesion_number, reader, criterion)
    WHERE c.rel_day > c.lobe_day
), followed AS (
    SELECT *, CASE WHEN baseline IS NOT NULL THEN least(baseline, min(value) OVER (
            PARTITION BY subject_id, lesion_number, reader, criterion, series ORDER BY rel_day
            RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) END AS nadir
    FROM compared
), ruled AS (
    SELECT *, CASE
        WHEN NOT known THEN 'no_baseline'
        WHEN baseline_day IS NULL THEN 'baseline_not_evaluable'
        WHEN baseline IS NULL THEN 'baseline_too_old'
        WHEN baseline = 0 AND criterion IN ('EASL', 'mRECIST') THEN 'no_baseline_enhancement'
        WHEN baseline = 0 THEN 'baseline_zero'
        WHEN criterion = 'RECIST 1.1' AND baseline < CASE WHEN node THEN 15000000 ELSE 10000000 END
            OR criterion = 'mRECIST' AND baseline < 10000000 THEN 'not_measurable'
        WHEN value IS NULL THEN CASE WHEN NOT scan_evaluable THEN 'scan_not_evaluable'
            WHEN status IN ('not_imaged', 'not_evaluable') THEN status
            WHEN criterion IN ('WHO', 'RECIST 1.1') THEN 'not_measured'
            WHEN arterial_phase IS NULL THEN 'arterial_phase_unknown'
            WHEN NOT arterial_phase THEN 'no_arterial_phase' ELSE 'not_measured' END
        WHEN nadir = 0 AND value > 0 THEN 'reappearance'
        WHEN criterion IN ('WHO', 'EASL') AND nadir > 0 AND 4 * value > 5 * nadir
            OR criterion IN ('RECIST 1.1', 'mRECIST') AND nadir > 0 AND 5 * value >= 6 * nadir
            AND (criterion = 'mRECIST' OR value - nadir >= 5000000) THEN 'growth_over_nadir'
        WHEN value = 0 OR criterion = 'RECIST 1.1' AND node AND value < 10000000 THEN 'gone'
        WHEN criterion IN ('WHO', 'EASL') AND 2 * value <= baseline
            OR criterion IN ('RECIST 1.1', 'mRECIST') AND 10 * value <= 7 * baseline
            THEN 'decrease_from_baseline'
        ELSE 'neither' END AS rule
    FROM followed
), classed AS (
    SELECT *, CASE WHEN rule IN ('reappearance', 'growth_over_nadir') THEN 'PD'
            WHEN rule = 'gone' THEN 'CR' WHEN rule = 'decrease_from_baseline' THEN 'PR'
            WHEN rule = 'neither' THEN 'SD' ELSE 'NE' END AS response,
        min(rel_day) FILTER (rule IN ('reappearance', 'growth_over_nadir')) OVER (
            PARTITION BY subject_id, lesion_number, reader, criterion) AS first_progression
    FROM ruled
), closing AS (
    SELECT subject_id, min(date_diff('day', t0_date, day)) AS closed_day
    FROM (SELECT subject_id, start_date AS day FROM subsequent_therapies
        UNION ALL SELECT subject_id, session_date FROM sessions WHERE course > 1)
    JOIN anchors USING (subject_id) WHERE day > t0_date GROUP BY ALL
)
SELECT subject_id, criterion, rel_day, reader, modality,
    coalesce(series <> modality, false) AS modality_changed, baseline_day,
    lobe_day - baseline_day > 28 AS baseline_stale, (baseline / 1e6)::DECIMAL(18, 6) AS baseline,
    (nadir / 1e6)::DECIMAL(18, 6) AS nadir, (value / 1e6)::DECIMAL(18, 6) AS value,
    (value - baseline) * 100 / nullif(baseline, 0) AS change_from_baseline_pct,
    (value - nadir) * 100 / nullif(nadir, 0) AS change_from_nadir_pct, response, rule,
    rel_day <= coalesce(first_progression, rel_day) AND rel_day <= coalesce(closed_day, rel_day)
    AS in_window, row_id AS source_row_ids, lesion_number
FROM classed LEFT JOIN closing USING (subject_id);

CREATE OR REPLACE TABLE hand_response AS
WITH read AS (
    SELECT *, 3 * rel_day + CASE modality WHEN 'CT' THEN 2 WHEN 'MRI' THEN 1 ELSE 0 END AS moment
    FROM hand_assessments WHERE reader = 'local'
), inside AS (
    SELECT subject_id, lesion_number, criterion, rel_day, response, coalesce(response = 'PR' AND
        last_value(CASE WHEN response IN ('CR', 'PR') THEN response END IGNORE NULLS) OVER (
            PARTITION BY subject_id, lesion_number, criterion ORDER BY rel_day
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) = 'CR', false) AS fell
    FROM read WHERE in_window
), pairs AS (
    SELECT r.subject_id, r.lesion_number, r.criterion, r.response, r.rel_day, c.rel_day AS until
    FROM inside r JOIN inside c USING (subject_id, lesion_number, criterion)
    WHERE c.rel_day >= r.rel_day + 28 AND NOT c.fell AND (r.response = 'CR' AND c.response = 'CR'
        OR r.response = 'PR' AND c.response IN ('CR', 'PR'))
), kept AS (
    SELECT p.* FROM pairs p
    LEFT JOIN inside b ON p.subject_id = b.subject_id AND p.lesion_number = b.lesion_number
        AND p.criterion = b.criterion AND b.rel_day > p.rel_day AND b.rel_day < p.until
    GROUP BY ALL
    HAVING count(*) FILTER (b.response = 'NE') <= 1 AND count(*) FILTER (b.fell
        OR b.response NOT IN ('CR', 'NE') AND (p.response = 'CR' OR b.response <> 'PR')) = 0
), confirmed AS (
    SELECT subject_id, lesion_number, criterion,
        min(rel_day) FILTER (response = 'CR') AS confirmed_cr,
        min(rel_day) FILTER (response = 'PR') AS confirmed_pr FROM kept GROUP BY ALL
), best AS (
    SELECT subject_id, lesion_number, criterion,
        min(rel_day) FILTER (in_window AND response = 'CR') AS first_cr,
        min(rel_day) FILTER (in_window AND response = 'PR') AS first_pr,
        min(rel_day) FILTER (in_window AND response = 'SD' AND rel_day >= 0) AS first_sd,
        min(rel_day) FILTER (in_window AND response IN ('CR', 'PR', 'SD') AND rel_day >= 0)
        AS first_controlled,
        min(rel_day) FILTER (in_window AND response = 'PD') AS first_pd,
        min(rel_day) FILTER (response = 'PD') AS progression_day,
        count(*) FILTER (in_window) AS n_in_window,
        arg_min(rule, moment) FILTER (in_window) AS first_rule,
        max(rel_day) FILTER (in_window AND response <> 'NE') AS last_evaluable_day,
        min(change_from_baseline_pct) FILTER (in_window AND response <> 'NE') AS best_change_pct,
        bool_or(value < baseline) FILTER (in_window AND response <> 'NE') AS any_decrease,
        bool_or(value * 2 < baseline) FILTER (in_window AND response <> 'NE') AS over_50_decrease
    FROM read GROUP BY ALL
), units AS (
    SELECT subject_id, lesion_number, criterion, CASE
        WHEN criterion IN ('RECIST 1.1', 'mRECIST') AND NOT recist_target
            THEN 'not_a_recist_target'
        WHEN (subject_id, lesion_number) NOT IN (SELECT (subject_id, lesion_number)
            FROM hand_quantities WHERE reader = 'local') THEN 'never_measured'
        ELSE 'no_scan_after_treatment' END AS unseen
    FROM subject_lesions, (VALUES ('WHO'), ('EASL'), ('RECIST 1.1'), ('mRECIST')) c(criterion)
    WHERE index_lesion
), both_ways AS (
    SELECT * EXCLUDE (first_cr, first_pr, first_sd, first_controlled, confirmed_cr, confirmed_pr),
        CASE confirmation WHEN 'confirmed' THEN confirmed_cr ELSE first_cr END AS cr,
        CASE confirmation WHEN 'confirmed' THEN confirmed_pr ELSE first_pr END AS pr,
        CASE confirmation WHEN 'confirmed' THEN first_controlled ELSE first_sd END AS sd
    FROM units LEFT JOIN best USING (subject_id, lesion_number, criterion)
    LEFT JOIN confirmed USING (subject_id, lesion_number, criterion),
        (VALUES ('unconfirmed'), ('confirmed')) w(confirmation)
), placed AS (
    SELECT *, CASE WHEN cr IS NOT NULL THEN 'CR' WHEN pr IS NOT NULL THEN 'PR'
        WHEN sd IS NOT NULL THEN 'SD' WHEN first_pd IS NOT NULL THEN 'PD' ELSE 'NE' END
        AS best_response
    FROM both_ways
)
SELECT subject_id, criterion, confirmation, best_response,
    coalesce(cr, pr, sd, first_pd) AS best_response_day, least(cr, pr) AS first_response_day,
    progression_day, last_evaluable_day, best_change_pct, any_decrease, over_50_decrease,
    last_evaluable_day IS NOT NULL AS evaluable, CASE WHEN best_response <> 'NE' THEN NULL
        WHEN last_evaluable_day IS NOT NULL THEN 'only_before_the_minimum_day'
        WHEN n_in_window IS NULL THEN unseen WHEN n_in_window = 0 THEN 'window_closed'
        ELSE first_rule END AS reason, lesion_number
FROM placed

-- The same criteria by patient: sums over the lesions of the baseline set, new lesions, non-target
-- disease and assessments of several scans, written by hand with the default settings. It reads
-- hand_quantities of response.sql.

CREATE OR REPLACE TABLE hand_groups AS
WITH dated AS (
    SELECT s.*, date_diff('day', t0_date, scan_date) AS rel_day
    FROM scans s JOIN anchors USING (subject_id)
), days AS (
    SELECT subject_id, reader, rel_day FROM dated WHERE rel_day > 0
    UNION SELECT subject_id, reader, rel_day FROM hand_quantities WHERE rel_day > 0
), opened AS (
    SELECT *, CASE WHEN coalesce(rel_day - lag(rel_day) OVER one > 14, true) THEN rel_day END
        AS start
    FROM days WINDOW one AS (PARTITION BY subject_id, reader ORDER BY rel_day)
)
SELECT subject_id, reader, rel_day, rel_day - (rel_day - max(start) OVER (
    PARTITION BY subject_id, reader ORDER BY rel_day)) % 15 AS first_day
FROM opened;

CREATE OR REPLACE TABLE hand_scanned AS
SELECT g.subject_id, g.reader, g.first_day, max(g.rel_day) AS last_day,
    min(modality) AS scan_modality, max(modality) AS scan_modality_2,
    bool_or(new_lesion IS NOT NULL) AS looked,
    bool_or(coalesce(new_lesion IN ('hepatic', 'both'), false)) AS hepatic,
    bool_or(coalesce(new_lesion IN ('extrahepatic', 'both'), false)) AS extrahepatic,
    min(g.rel_day) FILTER (new_lesion IN ('hepatic', 'extrahepatic', 'both')) AS new_day,
    max(list_position(['none', 'complete_response', 'not_evaluated', 'non_cr_non_pd',
        'progression'], non_target)) AS status,
    min(g.rel_day) FILTER (non_target = 'progression') AS status_day
FROM hand_groups g LEFT JOIN (
    SELECT s.*, date_diff('day', t0_date, scan_date) AS rel_day
    FROM scans s JOIN anchors USING (subject_id)
) s USING (subject_id, reader, rel_day) GROUP BY ALL;

CREATE OR REPLACE TABLE hand_subject_assessments AS
WITH timed AS (
    SELECT *, 3 * rel_day + CASE modality WHEN 'CT' THEN 2 WHEN 'MRI' THEN 1 ELSE 0 END AS moment
    FROM hand_quantities
), each AS (
    FROM timed UNPIVOT INCLUDE NULLS (value FOR criterion IN
        (who AS 'WHO', easl AS 'EASL', recist_1_1 AS 'RECIST 1.1', mrecist AS 'mRECIST'))
), baselines AS (
    SELECT subject_id, reader, lesion_number, criterion, arg_max(modality, moment) AS modality,
        max(rel_day) FILTER (value IS NOT NULL) AS baseline_day,
        CASE WHEN max(rel_day) FILTER (value IS NOT NULL) >= -90
            THEN arg_max(value, moment) FILTER (value IS NOT NULL) END AS baseline,
        bool_or(node) AS node, bool_or(liver) AS liver, bool_or(CASE
            WHEN criterion IN ('WHO', 'EASL') THEN index_lesion ELSE recist_target END) AS flagged
    FROM each WHERE rel_day <= 0 GROUP BY ALL
), lesions AS (
    SELECT *, flagged AND coalesce(baseline >= CASE criterion
        WHEN 'RECIST 1.1' THEN CASE WHEN node THEN 15000000 ELSE 10000000 END
        WHEN 'mRECIST' THEN 10000000 ELSE 0 END, true) AS counts
    FROM baselines
), sets AS (
    SELECT subject_id, reader, criterion, count(*) FILTER (counts) AS n,
        count(baseline_day) FILTER (counts) AS n_dated, count(*) FILTER (flagged) AS recorded,
        min(baseline_day) FILTER (counts) AS oldest,
        CASE WHEN count(*) FILTER (counts) > 0
            AND count(*) FILTER (counts) = count(baseline) FILTER (counts)
            THEN sum(baseline) FILTER (counts)::BIGINT END AS baseline,
        count(*) FILTER (counts) > 5 OR count(*) FILTER (counts AND liver) > 2
            OR count(*) FILTER (counts AND node) > 2 AS too_many
    FROM lesions GROUP BY ALL
), readings AS (
    SELECT e.*, g.first_day, l.node AS is_node, l.counts, e.modality = l.modality AS same,
        e.moment + CASE WHEN e.modality = l.modality THEN 10000000 ELSE 0 END AS place
    FROM each e
    JOIN lesions l USING (subject_id, reader, lesion_number, criterion)
    JOIN hand_groups g USING (subject_id, reader, rel_day)
), chosen AS (
    SELECT subject_id, reader, first_day, criterion, lesion_number,
        bool_or(same) AS same, any_value(is_node) AS node, any_value(counts) AS counts,
        arg_max(value, place) FILTER (value IS NOT NULL) AS value,
        arg_max(rel_day, place) FILTER (value IS NOT NULL) AS day
    FROM readings GROUP BY ALL
), sums AS (
    SELECT subject_id, reader, first_day, criterion, bool_or(NOT same) AS modality_changed,
        count(value) FILTER (counts) AS seen, sum(value) FILTER (counts)::BIGINT AS seen_sum,
        min(day) FILTER (counts AND value IS NOT NULL) AS seen_day,
        count(*) FILTER (counts AND (value = 0
            OR criterion = 'RECIST 1.1' AND node AND value < 10000000)) AS gone
    FROM chosen GROUP BY ALL
), documents AS (
    SELECT q.subject_id, q.reader, first_day, string_agg(row_id, ' ' ORDER BY row_id)
        AS source_row_ids, min(modality) AS read_modality, max(modality) AS read_modality_2
    FROM hand_quantities q JOIN hand_groups USING (subject_id, reader, rel_day)
    SEMI JOIN lesions USING (subject_id, reader, lesion_number) GROUP BY ALL
), flags AS (
    SELECT subject_id, count(*) FILTER (index_lesion) AS indexed,
        count(*) FILTER (recist_target) AS targets FROM subject_lesions GROUP BY ALL
), spine AS (
    SELECT s.*, sums.* EXCLUDE (subject_id, reader, first_day, criterion),
        d.* EXCLUDE (subject_id, reader, first_day), c.criterion,
        sets.* EXCLUDE (subject_id, reader, criterion),
        coalesce(CASE WHEN c.criterion IN ('WHO', 'EASL') THEN indexed ELSE targets END, 0)
        AS flagged, CASE WHEN seen = n THEN seen_sum END AS value
    FROM hand_scanned s
    CROSS JOIN (VALUES ('WHO'), ('EASL'), ('RECIST 1.1'), ('mRECIST')) c(criterion)
    LEFT JOIN sums ON sums.subject_id = s.subject_id AND sums.reader = s.reader
        AND sums.first_day = s.first_day AND sums.criterion = c.criterion
    LEFT JOIN documents d ON d.subject_id = s.subject_id AND d.reader = s.reader
        AND d.first_day = s.first_day
    LEFT JOIN sets ON sets.subject_id = s.subject_id AND sets.reader = s.reader
        AND sets.criterion = c.criterion
    LEFT JOIN flags ON flags.subject_id = s.subject_id
), followed AS (
    SELECT *, CASE WHEN baseline IS NOT NULL THEN least(baseline, min(value) OVER (
        PARTITION BY subject_id, reader, criterion ORDER BY first_day
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) END AS nadir,
        coalesce(n, 0) = 0 AND coalesce(recorded, 0) = flagged AS no_set
    FROM spine
), grown AS (
    SELECT *, CASE WHEN baseline > 0 AND nadir = 0 AND seen_sum > 0 THEN 'reappearance'
        WHEN baseline > 0 AND nadir > 0 AND (
            criterion IN ('WHO', 'EASL') AND 4 * seen_sum > 5 * nadir
            OR criterion IN ('RECIST 1.1', 'mRECIST') AND 5 * seen_sum >= 6 * nadir
            AND (criterion = 'mRECIST' OR seen_sum - nadir >= 5000000)) THEN 'growth_over_nadir'
        END AS growth
    FROM followed
), ruled AS (
    SELECT *, CASE WHEN new_day IS NOT NULL THEN 'new_lesion'
        WHEN status = 5 THEN 'non_target_progression' WHEN growth IS NOT NULL THEN growth
        WHEN no_set AND criterion = 'RECIST 1.1' AND status = 2 THEN 'non_target_gone'
        WHEN no_set AND criterion = 'RECIST 1.1' AND status = 4 THEN 'non_target_persists'
        WHEN no_set AND flagged > 0 THEN 'not_measurable' WHEN no_set THEN 'no_target'
        WHEN coalesce(n, 0) = 0 THEN 'no_baseline'
        WHEN n_dated <> n OR oldest IS NULL THEN 'baseline_not_evaluable'
        WHEN baseline IS NULL THEN 'baseline_too_old'
        WHEN baseline = 0 AND criterion IN ('EASL', 'mRECIST') THEN 'no_baseline_enhancement'
        WHEN baseline = 0 THEN 'baseline_zero'
        WHEN value IS NULL THEN 'lesions_not_evaluable'
        WHEN gone = n AND coalesce(status, 1) <= 2 THEN 'gone'
        WHEN gone = n THEN 'non_target_remains'
        WHEN criterion IN ('WHO', 'EASL') AND 2 * value <= baseline
            OR criterion IN ('RECIST 1.1', 'mRECIST') AND 10 * value <= 7 * baseline
            THEN 'decrease_from_baseline' ELSE 'neither' END AS rule
    FROM grown
), classed AS (
    SELECT *, CASE WHEN rule IN ('new_lesion', 'non_target_progression', 'reappearance',
            'growth_over_nadir') THEN 'PD'
        WHEN rule IN ('gone', 'non_target_gone') THEN 'CR'
        WHEN rule IN ('decrease_from_baseline', 'non_target_remains') THEN 'PR'
        WHEN rule = 'neither' THEN 'SD' WHEN rule = 'non_target_persists' THEN 'NON-CR/NON-PD'
        ELSE 'NE' END AS response, CASE WHEN response = 'PD' THEN least(last_day, new_day,
            status_day, CASE WHEN growth IS NOT NULL THEN seen_day END)
        ELSE last_day END AS rel_day
    FROM ruled
), progressed AS (
    SELECT *, min(rel_day) FILTER (response = 'PD') OVER (
        PARTITION BY subject_id, reader, criterion) AS first_progression FROM classed
), closing AS (
    SELECT subject_id, min(date_diff('day', t0_date, day)) AS closed_day
    FROM (SELECT subject_id, start_date AS day FROM subsequent_therapies
        UNION ALL SELECT subject_id, session_date FROM sessions WHERE course > 1)
    JOIN anchors USING (subject_id) WHERE day > t0_date GROUP BY ALL
)
SELECT subject_id, criterion, rel_day, reader,
    CASE WHEN least(scan_modality, read_modality) = greatest(scan_modality_2, read_modality_2)
        THEN least(scan_modality, read_modality) ELSE 'mixed' END AS modality,
    coalesce(modality_changed, false) AS modality_changed, oldest AS baseline_day,
    -oldest > 28 AS baseline_stale, (baseline / 1e6)::DECIMAL(18, 6) AS baseline,
    (nadir / 1e6)::DECIMAL(18, 6) AS nadir, (value / 1e6)::DECIMAL(18, 6) AS value,
    (value - baseline) * 100 / nullif(baseline, 0) AS change_from_baseline_pct,
    (value - nadir) * 100 / nullif(nadir, 0) AS change_from_nadir_pct, response,
    rule || CASE WHEN criterion = 'RECIST 1.1' AND coalesce(too_many, false)
        THEN ' (more than 5 targets, or 2 in an organ)' ELSE '' END AS rule,
    rel_day <= coalesce(first_progression, rel_day) AND rel_day <= coalesce(closed_day, rel_day)
    AS in_window, source_row_ids, coalesce(n, 0) AS n_lesions,
    CASE WHEN hepatic AND extrahepatic THEN 'both' WHEN hepatic THEN 'hepatic'
        WHEN extrahepatic THEN 'extrahepatic' WHEN looked THEN 'none' END AS new_lesion,
    ['none', 'complete_response', 'not_evaluated', 'non_cr_non_pd', 'progression'][status]
    AS non_target
FROM progressed LEFT JOIN closing USING (subject_id);

CREATE OR REPLACE TABLE hand_subject_response AS
WITH read AS (
    SELECT *, 3 * rel_day + CASE modality WHEN 'CT' THEN 2 WHEN 'MRI' THEN 1 ELSE 0 END AS moment
    FROM hand_subject_assessments WHERE reader = 'local'
), inside AS (
    SELECT subject_id, criterion, rel_day, response, coalesce(response = 'PR' AND
        last_value(CASE WHEN response IN ('CR', 'PR') THEN response END IGNORE NULLS) OVER (
            PARTITION BY subject_id, criterion ORDER BY rel_day
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) = 'CR', false) AS fell
    FROM read WHERE in_window
), pairs AS (
    SELECT r.subject_id, r.criterion, r.response, r.rel_day, c.rel_day AS until
    FROM inside r JOIN inside c USING (subject_id, criterion)
    WHERE c.rel_day >= r.rel_day + 28 AND NOT c.fell AND (r.response = 'CR' AND c.response = 'CR'
        OR r.response = 'PR' AND c.response IN ('CR', 'PR'))
), kept AS (
    SELECT p.* FROM pairs p LEFT JOIN inside b ON p.subject_id = b.subject_id
        AND p.criterion = b.criterion AND b.rel_day > p.rel_day AND b.rel_day < p.until
    GROUP BY ALL
    HAVING count(*) FILTER (b.response = 'NE') <= 1 AND count(*) FILTER (b.fell
        OR b.response NOT IN ('CR', 'NE') AND (p.response = 'CR' OR b.response <> 'PR')) = 0
), confirmed AS (
    SELECT subject_id, criterion, min(rel_day) FILTER (response = 'CR') AS confirmed_cr,
        min(rel_day) FILTER (response = 'PR') AS confirmed_pr FROM kept GROUP BY ALL
), best AS (
    SELECT subject_id, criterion, min(rel_day) FILTER (in_window AND response = 'CR') AS first_cr,
        min(rel_day) FILTER (in_window AND response = 'PR') AS first_pr,
        min(rel_day) FILTER (in_window AND response = 'SD' AND rel_day >= 0) AS first_sd,
        min(rel_day) FILTER (in_window AND response IN ('CR', 'PR', 'SD') AND rel_day >= 0)
        AS first_controlled,
        min(rel_day) FILTER (in_window AND response = 'NON-CR/NON-PD' AND rel_day >= 0)
        AS first_non, min(rel_day) FILTER (in_window AND response = 'PD') AS first_pd,
        min(rel_day) FILTER (response = 'PD') AS progression_day,
        count(*) FILTER (in_window) AS n_in_window,
        arg_min(rule, moment) FILTER (in_window) AS first_rule,
        max(rel_day) FILTER (in_window AND response <> 'NE') AS last_evaluable_day,
        min(change_from_baseline_pct) FILTER (in_window AND response <> 'NE'
            AND value IS NOT NULL AND baseline IS NOT NULL) AS best_change_pct,
        bool_or(value < baseline) FILTER (in_window AND response <> 'NE') AS any_decrease,
        bool_or(value * 2 < baseline) FILTER (in_window AND response <> 'NE') AS over_50_decrease
    FROM read GROUP BY ALL
), units AS (
    SELECT subject_id, criterion FROM anchors,
        (VALUES ('WHO'), ('EASL'), ('RECIST 1.1'), ('mRECIST')) c(criterion)
    WHERE site_id IN (SELECT site_id FROM anchors SEMI JOIN subject_lesions USING (subject_id))
), both_ways AS (
    SELECT * EXCLUDE (first_cr, first_pr, first_sd, first_controlled, confirmed_cr, confirmed_pr),
        CASE confirmation WHEN 'confirmed' THEN confirmed_cr ELSE first_cr END AS cr,
        CASE confirmation WHEN 'confirmed' THEN confirmed_pr ELSE first_pr END AS pr,
        CASE confirmation WHEN 'confirmed' THEN first_controlled ELSE first_sd END AS sd
    FROM units LEFT JOIN best USING (subject_id, criterion)
    LEFT JOIN confirmed USING (subject_id, criterion),
        (VALUES ('unconfirmed'), ('confirmed')) w(confirmation)
), placed AS (
    SELECT *, CASE WHEN cr IS NOT NULL THEN 'CR' WHEN pr IS NOT NULL THEN 'PR'
        WHEN sd IS NOT NULL THEN 'SD' WHEN first_non IS NOT NULL THEN 'NON-CR/NON-PD'
        WHEN first_pd IS NOT NULL THEN 'PD' ELSE 'NE' END AS best_response
    FROM both_ways
)
SELECT subject_id, criterion, confirmation, best_response,
    coalesce(cr, pr, sd, first_non, first_pd) AS best_response_day,
    least(cr, pr) AS first_response_day, progression_day, last_evaluable_day, best_change_pct,
    any_decrease, over_50_decrease, last_evaluable_day IS NOT NULL AS evaluable,
    CASE WHEN best_response <> 'NE' THEN NULL
        WHEN last_evaluable_day IS NOT NULL THEN 'only_before_the_minimum_day'
        WHEN n_in_window IS NULL THEN 'no_scan_after_treatment'
        WHEN n_in_window = 0 THEN 'window_closed' ELSE first_rule END AS reason
FROM placed

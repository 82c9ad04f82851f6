-- The same criteria by patient, as a whole and by organ: sums over the lesions of the baseline set,
-- new lesions, non-target disease and assessments of several scans, written by hand with the default
-- settings. It reads the tables of response.sql.

CREATE OR REPLACE TABLE hand_elsewhere AS
SELECT subject_id FROM patients WHERE extrahepatic_disease IN ('minimal', 'significant')
UNION SELECT subject_id FROM hand_quantities WHERE NOT liver AND rel_day <= 0;

CREATE OR REPLACE TABLE hand_scanned AS
WITH told AS (
    SELECT s.*, date_diff('day', t0_date, scan_date) AS rel_day,
        subject_id IN (SELECT subject_id FROM hand_elsewhere) AS has_elsewhere,
        new_lesion IN ('hepatic', 'both') AS hepatic,
        new_lesion IN ('extrahepatic', 'both') AS outside,
        list_position(['none', 'complete_response', 'not_evaluated', 'non_cr_non_pd',
            'progression'], non_target) AS w,
        list_position(['none', 'complete_response', 'not_evaluated', 'non_cr_non_pd',
            'progression'], non_target_liver) AS l,
        list_position(['none', 'complete_response', 'not_evaluated', 'non_cr_non_pd',
            'progression'], non_target_elsewhere) AS o
    FROM scans s JOIN anchors USING (subject_id)
), placed AS (
    SELECT *, greatest(w, l, o) AS status_all,
        CASE WHEN l IS NOT NULL THEN l WHEN o IS NULL AND NOT has_elsewhere THEN w
            WHEN o < 5 THEN CASE WHEN w = 5 THEN w END
            WHEN o IS NULL THEN CASE WHEN w > 3 THEN 3 ELSE w END END AS status_liver,
        CASE WHEN o IS NOT NULL THEN o WHEN l IS NULL AND NOT has_elsewhere THEN NULL
            WHEN l IS NULL THEN CASE WHEN w = 4 THEN 3 ELSE w END
            WHEN l < 5 THEN CASE WHEN w = 5 THEN w END END AS status_extrahepatic
    FROM told
), measured AS (
    SELECT subject_id, reader, rel_day, bool_or(hepatic) AS new_hepatic,
        bool_or(NOT hepatic) AS new_outside FROM hand_new WHERE NOT denied GROUP BY ALL
), each AS (
    SELECT g.subject_id, g.reader, g.first_day, g.rel_day, organ, modality, new_lesion,
        organ <> 'extrahepatic' AND hepatic AS hepatic, organ <> 'liver' AND outside AS outside,
        organ <> 'extrahepatic' AND new_hepatic OR organ <> 'liver' AND new_outside AS measured,
        CASE organ WHEN 'all' THEN status_all WHEN 'liver' THEN status_liver
            ELSE status_extrahepatic END AS status
    FROM hand_groups g CROSS JOIN (VALUES ('all'), ('liver'), ('extrahepatic')) v(organ)
    LEFT JOIN placed p ON p.subject_id = g.subject_id AND p.reader = g.reader
        AND p.rel_day = g.rel_day
    LEFT JOIN measured m ON m.subject_id = g.subject_id AND m.reader = g.reader
        AND m.rel_day = g.rel_day
)
SELECT subject_id, reader, first_day, organ, max(rel_day) AS last_day,
    min(modality) AS scan_modality, max(modality) AS scan_modality_2,
    bool_or(new_lesion IS NOT NULL) AS looked, coalesce(bool_or(hepatic), false) AS hepatic,
    coalesce(bool_or(outside), false) AS extrahepatic,
    min(rel_day) FILTER (hepatic OR outside) AS new_day,
    min(rel_day) FILTER (measured) AS measured_day, max(status) AS status,
    min(rel_day) FILTER (status = 5) AS status_day
FROM each GROUP BY ALL;

CREATE OR REPLACE TABLE hand_subject_assessments AS
WITH sets AS (
    SELECT *, flagged AND large AS counts FROM hand_bases WHERE kind = 'T0'
), every AS (
    SELECT s.*, g.first_day, g.counting, c.in_ct, c.in_mri, c.in_other,
        c.reading.rel_day AS read_day,
        of(home, in_ct, in_mri, in_other) AS in_home,
        coalesce(of(g.counting, base_ct, base_mri, base_other), base) AS reference,
        coalesce(of(g.counting, day_ct, day_mri, day_other), base_day, seen_day) AS reference_day,
        of(g.counting, base_ct, base_mri, base_other) IS NULL AS foreign_,
        coalesce(in_ct, CASE WHEN g.counting = 'CT' AND base_ct IS NULL THEN in_home END) AS of_ct,
        coalesce(in_mri, CASE WHEN g.counting = 'MRI' AND base_mri IS NULL THEN in_home END)
        AS of_mri,
        coalesce(in_other, CASE WHEN g.counting = 'other' AND base_other IS NULL THEN in_home END)
        AS of_other
    FROM sets s JOIN hand_counting g USING (subject_id, reader, criterion)
    LEFT JOIN hand_chosen c ON c.kind = 'T0' AND c.subject_id = s.subject_id
        AND c.reader = s.reader AND c.first_day = g.first_day
        AND c.lesion_number = s.lesion_number AND c.criterion = s.criterion
), valued AS (
    SELECT *, of(counting, of_ct, of_mri, of_other) AS value FROM every
), told AS (
    SELECT *, value = 0 OR criterion = 'RECIST 1.1' AND node AND value < 10000000 AS left_,
        coalesce(bool_or(value = 0) OVER (
            PARTITION BY subject_id, reader, lesion_number, criterion ORDER BY first_day
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS was_zero
    FROM valued
), sums AS (
    SELECT subject_id, reader, first_day, criterion, counting, unnest(['all',
            CASE WHEN liver THEN 'liver' ELSE 'extrahepatic' END]) AS organ,
        counts, flagged, value, reference, reference_day, left_, read_day,
        foreign_ AND base IS NOT NULL AND value IS NOT NULL AS changed,
        was_zero AND value > 0 AND NOT left_ AS back, of_ct, of_mri, of_other,
        coalesce(base_ct, base) AS ref_ct, coalesce(base_mri, base) AS ref_mri,
        coalesce(base_other, base) AS ref_other
    FROM told
), summed AS (
    SELECT subject_id, reader, first_day, organ, criterion, any_value(counting) AS counting,
        count(*) FILTER (counts) AS n, count(reference) FILTER (counts) AS n_valued,
        count(reference_day) FILTER (counts) AS n_dated,
        min(reference_day) FILTER (counts) AS oldest,
        CASE WHEN n > 0 AND n_valued = n THEN sum(reference) FILTER (counts) END::BIGINT
        AS baseline, count(*) FILTER (flagged) AS recorded,
        count(value) FILTER (counts) AS seen, sum(value) FILTER (counts)::BIGINT AS seen_sum,
        min(read_day) FILTER (counts AND value IS NOT NULL) AS seen_day,
        count(*) FILTER (counts AND left_) AS gone, bool_or(counts AND back) AS back,
        bool_or(counts AND changed) AS modality_changed,
        CASE WHEN seen = n THEN seen_sum END AS value,
        CASE WHEN count(of_ct) FILTER (counts) = n
            THEN sum(of_ct) FILTER (counts) - sum(ref_ct) FILTER (counts) END::BIGINT AS change_ct,
        CASE WHEN count(of_mri) FILTER (counts) = n
            THEN sum(of_mri) FILTER (counts) - sum(ref_mri) FILTER (counts) END::BIGINT
        AS change_mri, CASE WHEN count(of_other) FILTER (counts) = n
            THEN sum(of_other) FILTER (counts) - sum(ref_other) FILTER (counts) END::BIGINT
        AS change_other
    FROM sums GROUP BY subject_id, reader, first_day, organ, criterion
), excess AS (
    SELECT subject_id, reader, count(*) > 5 OR count(*) FILTER (liver) > 2
        OR count(*) FILTER (node) > 2 AS too_many
    FROM sets WHERE counts AND criterion = 'RECIST 1.1' GROUP BY ALL
), documents AS (
    SELECT q.subject_id, q.reader, first_day, string_agg(row_id, ' ' ORDER BY row_id)
        AS source_row_ids, min(modality) AS read_modality, max(modality) AS read_modality_2
    FROM hand_quantities q JOIN hand_groups USING (subject_id, reader, rel_day)
    JOIN (SELECT subject_id, reader, lesion_number, min(since) AS since
        FROM (SELECT subject_id, reader, lesion_number, 0 AS since FROM sets
            UNION SELECT subject_id, reader, lesion_number, rel_day FROM hand_new) GROUP BY ALL)
        USING (subject_id, reader, lesion_number) WHERE q.rel_day >= since GROUP BY ALL
), flags AS (
    SELECT subject_id, unnest(['all', CASE WHEN coalesce(organ = 'liver', true) THEN 'liver'
            ELSE 'extrahepatic' END]) AS organ, index_lesion, recist_target FROM subject_lesions
), flagged AS (
    SELECT subject_id, organ, count(*) FILTER (index_lesion) AS indexed,
        count(*) FILTER (recist_target) AS targets FROM flags GROUP BY ALL
), spine AS (
    SELECT * EXCLUDE (indexed, targets),
        coalesce(CASE WHEN criterion IN ('WHO', 'EASL') THEN indexed ELSE targets END, 0)
        AS n_flagged
    FROM hand_scanned
    CROSS JOIN (VALUES ('WHO'), ('EASL'), ('RECIST 1.1'), ('mRECIST')) c(criterion)
    LEFT JOIN summed USING (subject_id, reader, first_day, organ, criterion)
    LEFT JOIN documents USING (subject_id, reader, first_day)
    LEFT JOIN excess USING (subject_id, reader)
    LEFT JOIN flagged USING (subject_id, organ)
), followed AS (
    SELECT *, baseline + least(0, of(counting, min(change_ct) OVER before,
            min(change_mri) OVER before, min(change_other) OVER before)) AS nadir,
        coalesce(bool_or(organ = 'all' AND gone = n AND baseline > 0 AND new_day IS NULL
            AND measured_day IS NULL AND coalesce(status, 1) <= 2) OVER patient, false)
        AS was_complete,
        coalesce(n, 0) = 0 AND coalesce(recorded, 0) = n_flagged AS no_set
    FROM spine WINDOW before AS (PARTITION BY subject_id, reader, organ, criterion
        ORDER BY first_day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        patient AS (PARTITION BY subject_id, reader, criterion
        ORDER BY first_day RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), grown AS (
    SELECT *, CASE WHEN baseline > 0 AND was_complete AND back THEN 'reappearance'
        WHEN baseline > 0 AND seen_sum > nadir AND (
            criterion IN ('WHO', 'EASL') AND 4 * seen_sum > 5 * nadir
            OR criterion IN ('RECIST 1.1', 'mRECIST') AND 5 * seen_sum >= 6 * nadir
            AND (criterion = 'mRECIST' OR seen_sum - nadir >= 5000000)) THEN 'growth_over_nadir'
        END AS growth
    FROM followed
), ruled AS (
    SELECT *, CASE WHEN new_day IS NOT NULL THEN 'new_lesion'
        WHEN measured_day IS NOT NULL THEN 'new_lesion_measured'
        WHEN status = 5 THEN 'non_target_progression' WHEN growth IS NOT NULL THEN growth
        WHEN no_set AND criterion = 'RECIST 1.1' AND status = 2 THEN 'non_target_gone'
        WHEN no_set AND criterion = 'RECIST 1.1' AND status = 4 THEN 'non_target_persists'
        WHEN no_set AND n_flagged > 0 THEN 'not_measurable' WHEN no_set THEN 'no_target'
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
    SELECT *, CASE WHEN rule IN ('new_lesion', 'new_lesion_measured', 'non_target_progression',
            'reappearance', 'growth_over_nadir') THEN 'PD'
        WHEN rule IN ('gone', 'non_target_gone') THEN 'CR'
        WHEN rule IN ('decrease_from_baseline', 'non_target_remains') THEN 'PR'
        WHEN rule = 'neither' THEN 'SD' WHEN rule = 'non_target_persists' THEN 'NON-CR/NON-PD'
        ELSE 'NE' END AS response, CASE WHEN response = 'PD' THEN least(last_day, new_day,
            measured_day, status_day, CASE WHEN growth IS NOT NULL THEN seen_day END)
        ELSE last_day END AS rel_day
    FROM ruled
), progressed AS (
    SELECT *, min(rel_day) FILTER (response = 'PD') OVER (
        PARTITION BY subject_id, reader, organ, criterion) AS first_progression FROM classed
)
SELECT subject_id, organ, criterion, rel_day, reader,
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
FROM progressed LEFT JOIN (FROM hand_closing WHERE territory = 'subject') USING (subject_id);

CREATE OR REPLACE TABLE hand_subject_response AS
WITH read AS (
    SELECT *, 3 * rel_day + CASE modality WHEN 'CT' THEN 2 WHEN 'MRI' THEN 1 ELSE 0 END AS moment
    FROM hand_subject_assessments WHERE reader = 'local'
), inside AS (
    SELECT subject_id, organ, criterion, rel_day, response, coalesce(response = 'PR' AND
        last_value(CASE WHEN response IN ('CR', 'PR') THEN response END IGNORE NULLS) OVER (
            PARTITION BY subject_id, organ, criterion ORDER BY rel_day
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) = 'CR', false) AS fell
    FROM read WHERE in_window
), pairs AS (
    SELECT r.subject_id, r.organ, r.criterion, r.response, r.rel_day, c.rel_day AS until
    FROM inside r JOIN inside c USING (subject_id, organ, criterion)
    WHERE c.rel_day >= r.rel_day + 28 AND NOT c.fell AND (r.response = 'CR' AND c.response = 'CR'
        OR r.response = 'PR' AND c.response IN ('CR', 'PR'))
), kept AS (
    SELECT p.* FROM pairs p LEFT JOIN inside b ON p.subject_id = b.subject_id
        AND p.organ = b.organ AND p.criterion = b.criterion AND b.rel_day > p.rel_day AND b.rel_day < p.until
    GROUP BY ALL
    HAVING count(*) FILTER (b.response = 'NE') <= 1 AND count(*) FILTER (b.fell
        OR b.response NOT IN ('CR', 'NE') AND (p.response = 'CR' OR b.response <> 'PR')) = 0
), confirmed AS (
    SELECT subject_id, organ, criterion, min(rel_day) FILTER (response = 'CR') AS confirmed_cr,
        min(rel_day) FILTER (response = 'PR') AS confirmed_pr FROM kept GROUP BY ALL
), best AS (
    SELECT subject_id, organ, criterion, min(rel_day) FILTER (in_window AND response = 'CR') AS first_cr,
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
    SELECT subject_id, organ, criterion,
        date_diff('day', t0_date, last_session_date) AS course_end FROM anchors,
        (VALUES ('all'), ('liver'), ('extrahepatic')) o(organ),
        (VALUES ('WHO'), ('EASL'), ('RECIST 1.1'), ('mRECIST')) c(criterion)
    WHERE (organ <> 'extrahepatic' OR subject_id IN (
            SELECT subject_id FROM patients
            WHERE extrahepatic_disease IN ('minimal', 'significant')
            UNION SELECT subject_id FROM subject_lesions WHERE organ IN ('node', 'other')
            UNION SELECT subject_id FROM hand_subject_assessments
            WHERE organ = 'extrahepatic' AND response <> 'NE')) AND site_id IN (SELECT site_id FROM anchors SEMI JOIN subject_lesions USING (subject_id))
), both_ways AS (
    SELECT * EXCLUDE (first_cr, first_pr, first_sd, first_controlled, confirmed_cr, confirmed_pr),
        CASE confirmation WHEN 'confirmed' THEN confirmed_cr ELSE first_cr END AS cr,
        CASE confirmation WHEN 'confirmed' THEN confirmed_pr ELSE first_pr END AS pr,
        CASE confirmation WHEN 'confirmed' THEN first_controlled ELSE first_sd END AS sd
    FROM units LEFT JOIN best USING (subject_id, organ, criterion)
    LEFT JOIN confirmed USING (subject_id, organ, criterion),
        (VALUES ('unconfirmed'), ('confirmed')) w(confirmation)
), placed AS (
    SELECT *, CASE WHEN cr IS NOT NULL THEN 'CR' WHEN pr IS NOT NULL THEN 'PR'
        WHEN sd IS NOT NULL THEN 'SD' WHEN first_non IS NOT NULL THEN 'NON-CR/NON-PD'
        WHEN first_pd IS NOT NULL THEN 'PD' ELSE 'NE' END AS best_response
    FROM both_ways
)
SELECT subject_id, organ, criterion, confirmation, best_response,
    coalesce(cr, pr, sd, first_non, first_pd) AS best_response_day,
    least(cr, pr) AS first_response_day, progression_day, last_evaluable_day, best_change_pct,
    any_decrease, over_50_decrease, last_evaluable_day IS NOT NULL AS evaluable,
    CASE WHEN best_response <> 'NE' THEN NULL
        WHEN last_evaluable_day IS NOT NULL THEN 'only_before_the_minimum_day'
        WHEN n_in_window IS NULL THEN 'no_scan_after_treatment'
        WHEN n_in_window = 0 THEN 'window_closed' ELSE first_rule END AS reason,
    coalesce(progression_day < course_end, false) AS pd_before_course_end
FROM placed

-- WHO, EASL, RECIST 1.1 and mRECIST by lesion, as one would write them for DuckDB by hand, with the
-- default settings: one row per criterion from the start, so that every rule is written once. Lesions
-- that merge or split are left out: the invented patients have none.

CREATE OR REPLACE TABLE hand_quantities AS
WITH readings AS (
    SELECT m.*, l.lobe, l.lesion_number, l.index_lesion, l.recist_target,
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
SELECT subject_id, lesion_number, reader, modality, rel_day, lobe_day, node, liver, lobe,
    NULL::BIGINT AS merged_into, index_lesion, recist_target, status, arterial_phase, scan_evaluable, false AS unreadable,
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

CREATE OR REPLACE MACRO of(m, ct, mri, other) AS
    CASE m WHEN 'CT' THEN ct WHEN 'MRI' THEN mri WHEN 'other' THEN other END;

CREATE OR REPLACE TABLE hand_each AS
WITH timed AS (
    SELECT *, 3 * rel_day + CASE modality WHEN 'CT' THEN 2 WHEN 'MRI' THEN 1 ELSE 0 END AS moment
    FROM hand_quantities
), each AS (
    FROM timed UNPIVOT INCLUDE NULLS (value FOR criterion IN
        (who AS 'WHO', easl AS 'EASL', recist_1_1 AS 'RECIST 1.1', mrecist AS 'mRECIST'))
)
SELECT *, CASE WHEN criterion IN ('WHO', 'EASL') THEN index_lesion ELSE recist_target END
    AS flagged FROM each;

CREATE OR REPLACE TABLE hand_closing AS
WITH begun AS (
    SELECT subject_id, start_date AS day, unnest(['subject', 'any', 'outside']) AS territory
    FROM subsequent_therapies
    UNION ALL SELECT t.subject_id, start_date, territory
    FROM subsequent_therapies t CROSS JOIN (VALUES ('right'), ('left')) v(territory)
    LEFT JOIN (SELECT subject_id, min(session_date) FILTER (covers_right) AS of_right,
        min(session_date) FILTER (covers_left) AS of_left FROM sessions GROUP BY ALL) s
        ON s.subject_id = t.subject_id
    WHERE coalesce(start_date > CASE territory WHEN 'right' THEN of_right ELSE of_left END, true)
    UNION ALL SELECT subject_id, session_date, unnest(['subject', 'any']) FROM sessions
    WHERE course > 1
    UNION ALL SELECT subject_id, session_date, 'right'
    FROM (SELECT DISTINCT subject_id, session_date FROM sessions WHERE covers_right)
    QUALIFY row_number() OVER (PARTITION BY subject_id ORDER BY session_date) > 1
    UNION ALL SELECT subject_id, session_date, 'left'
    FROM (SELECT DISTINCT subject_id, session_date FROM sessions WHERE covers_left)
    QUALIFY row_number() OVER (PARTITION BY subject_id ORDER BY session_date) > 1
)
SELECT subject_id, territory, min(date_diff('day', t0_date, day)) AS closed_day
FROM begun JOIN anchors USING (subject_id) WHERE day > t0_date GROUP BY ALL;

-- What a lesion is compared with: at T0 for its patient, at the treatment of its lobe by itself.
CREATE OR REPLACE TABLE hand_bases AS
WITH anchored AS (
    SELECT *, 'lobe' AS kind, lobe_day AS anchor FROM hand_each
    UNION ALL SELECT *, 'T0', 0 FROM hand_each SEMI JOIN (FROM hand_quantities
        WHERE rel_day <= 0 AND status <> 'absent') USING (subject_id, reader, lesion_number)
), before AS (
    SELECT *, value IS NOT NULL AND rel_day >= anchor - 90 AS recent FROM anchored
    WHERE rel_day <= anchor
), found AS (
    SELECT kind, subject_id, reader, lesion_number, criterion, bool_or(node) AS node,
        bool_or(liver) AS liver, bool_or(flagged) AS flagged,
        max(rel_day) FILTER (value IS NOT NULL) AS seen_day,
        arg_max(value, moment) FILTER (recent) AS base,
        arg_max(modality, moment) FILTER (recent) AS home, max(rel_day) FILTER (recent) AS base_day,
        arg_max(value, moment) FILTER (recent AND modality = 'CT') AS base_ct,
        arg_max(value, moment) FILTER (recent AND modality = 'MRI') AS base_mri,
        arg_max(value, moment) FILTER (recent AND modality = 'other') AS base_other,
        max(rel_day) FILTER (recent AND modality = 'CT') AS day_ct,
        max(rel_day) FILTER (recent AND modality = 'MRI') AS day_mri,
        max(rel_day) FILTER (recent AND modality = 'other') AS day_other
    FROM before GROUP BY ALL
)
SELECT *, coalesce(base >= CASE criterion WHEN 'mRECIST' THEN 10000000
    WHEN 'RECIST 1.1' THEN CASE WHEN node THEN 15000000 ELSE 10000000 END ELSE 0 END, true) AS large
FROM found;

CREATE OR REPLACE TABLE hand_groups AS
WITH RECURSIVE dated AS (
    SELECT s.*, date_diff('day', t0_date, scan_date) AS rel_day
    FROM scans s JOIN anchors USING (subject_id)
), days AS (
    SELECT subject_id, reader, rel_day FROM dated WHERE rel_day > 0
    UNION SELECT subject_id, reader, rel_day FROM hand_quantities WHERE rel_day > 0
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY subject_id, reader ORDER BY rel_day) AS place
    FROM days
), begun AS (
    SELECT *, rel_day AS first_day FROM numbered WHERE place = 1
    UNION ALL
    SELECT n.*, CASE WHEN n.rel_day - b.first_day > 14 THEN n.rel_day ELSE b.first_day END
    FROM begun b JOIN numbered n USING (subject_id, reader) WHERE n.place = b.place + 1
), parted AS (
    SELECT b.subject_id, b.reader, b.rel_day, b.first_day, count(DISTINCT closed_day) AS part
    FROM begun b LEFT JOIN hand_closing c ON c.subject_id = b.subject_id
        AND c.closed_day < b.rel_day GROUP BY ALL
)
SELECT subject_id, reader, rel_day,
    min(rel_day) OVER (PARTITION BY subject_id, reader, first_day, part) AS first_day FROM parted;

CREATE OR REPLACE TABLE hand_counting AS
WITH sets AS (
    SELECT * FROM hand_bases WHERE kind = 'T0' AND flagged AND large
), seen AS (
    SELECT subject_id, reader, first_day, criterion, modality,
        count(DISTINCT lesion_number) AS n_read
    FROM hand_each JOIN hand_groups USING (subject_id, reader, rel_day)
    SEMI JOIN sets USING (subject_id, reader, lesion_number, criterion)
    WHERE value IS NOT NULL GROUP BY ALL
), based AS (
    SELECT subject_id, reader, criterion, home AS modality, count(*) AS n_based
    FROM sets WHERE home IS NOT NULL GROUP BY ALL
)
SELECT subject_id, reader, first_day, criterion, arg_max(modality,
    coalesce(n_read, 0) * 1000000 + coalesce(n_based, 0) * 10 + place) AS counting
FROM (SELECT DISTINCT subject_id, reader, first_day FROM hand_groups)
CROSS JOIN (VALUES ('WHO'), ('EASL'), ('RECIST 1.1'), ('mRECIST')) c(criterion)
CROSS JOIN (VALUES ('other', 0), ('MRI', 1), ('CT', 2)) m(modality, place)
LEFT JOIN seen USING (subject_id, reader, first_day, criterion, modality)
LEFT JOIN based USING (subject_id, reader, criterion, modality) GROUP BY ALL;

CREATE OR REPLACE TABLE hand_chosen AS
WITH after AS (
    SELECT * FROM hand_each, (VALUES ('lobe'), ('T0')) k(kind)
    WHERE rel_day > CASE kind WHEN 'lobe' THEN lobe_day ELSE 0 END
)
SELECT kind, subject_id, reader, first_day, lesion_number, criterion, counting,
    any_value(node) AS node, any_value(liver) AS liver, any_value(lobe) AS lobe,
    any_value(lobe_day) AS lobe_day, any_value(flagged) AS flagged,
    arg_max({'value': value, 'rel_day': rel_day, 'modality': modality, 'status': status,
        'row_id': row_id, 'scan_evaluable': scan_evaluable, 'arterial_phase': arterial_phase},
        moment + CASE WHEN modality = counting THEN 1000000 ELSE 0 END
        + CASE WHEN value IS NOT NULL THEN 2000000 ELSE 0 END) AS reading,
    arg_max(value, moment) FILTER (value IS NOT NULL AND modality = 'CT') AS in_ct,
    arg_max(value, moment) FILTER (value IS NOT NULL AND modality = 'MRI') AS in_mri,
    arg_max(value, moment) FILTER (value IS NOT NULL AND modality = 'other') AS in_other,
    max(rel_day) AS last_day
FROM after JOIN hand_groups USING (subject_id, reader, rel_day)
JOIN hand_counting USING (subject_id, reader, first_day, criterion) GROUP BY ALL;

CREATE OR REPLACE TABLE hand_new AS
WITH firsts AS (
    SELECT subject_id, lesion_number, reader, min(rel_day) FILTER (seen) AS rel_day,
        arg_min(modality, moment) FILTER (seen) AS modality, bool_or(liver) AS hepatic,
        max(lobe_day) AS lobe_day, bool_or(rel_day <= lobe_day AND status IN
            ('measured', 'too_small', 'not_evaluable', 'not_imaged')) AS there
    FROM (SELECT *, status = 'measured' AND scan_evaluable AS seen, rel_day * 3
        + CASE WHEN modality = 'CT' THEN 0 ELSE 1 END AS moment FROM hand_quantities) GROUP BY ALL
), known AS (
    SELECT subject_id, reader, modality FROM scans JOIN anchors USING (subject_id)
    WHERE scan_date <= t0_date
    UNION SELECT subject_id, reader, modality FROM hand_quantities WHERE rel_day <= 0
)
SELECT f.subject_id, f.lesion_number, f.reader, f.rel_day, hepatic,
    coalesce(s.new_lesion = 'none', false) AS denied
FROM firsts f SEMI JOIN known USING (subject_id, reader, modality)
LEFT JOIN (SELECT s.*, date_diff('day', t0_date, scan_date) AS rel_day
    FROM scans s JOIN anchors USING (subject_id)) s
    USING (subject_id, reader, modality, rel_day)
WHERE NOT there AND f.rel_day > lobe_day;

CREATE OR REPLACE TABLE hand_assessments AS
WITH compared AS (
    SELECT c.*, b.subject_id IS NOT NULL AS known, large, base, home,
        of(counting, base_ct, base_mri, base_other) IS NULL AS foreign_,
        coalesce(of(counting, base_ct, base_mri, base_other), base) AS baseline,
        coalesce(of(counting, day_ct, day_mri, day_other), base_day, seen_day) AS baseline_day,
        of(home, in_ct, in_mri, in_other) AS in_home,
        coalesce(of(counting, in_ct, in_mri, in_other),
            CASE WHEN foreign_ THEN in_home END) AS value
    FROM hand_chosen c LEFT JOIN hand_bases b ON b.kind = 'lobe' AND b.subject_id = c.subject_id
        AND b.reader = c.reader AND b.lesion_number = c.lesion_number
        AND b.criterion = c.criterion
    WHERE c.kind = 'lobe' AND c.flagged
), history AS (
    SELECT r.subject_id, r.reader, r.lesion_number, r.criterion, r.first_day,
        bool_or(e.value = 0) AS was_gone, min(coalesce(
            of(r.counting, e.in_ct, e.in_mri, e.in_other),
            CASE WHEN e.counting = r.counting AND r.foreign_ THEN e.in_home END)) AS earlier
    FROM compared r JOIN compared e ON e.subject_id = r.subject_id AND e.reader = r.reader
        AND e.lesion_number = r.lesion_number AND e.criterion = r.criterion
        AND e.first_day < r.first_day GROUP BY ALL
), followed AS (
    SELECT *, CASE WHEN baseline IS NOT NULL THEN least(baseline, earlier) END AS nadir,
        value = 0 OR criterion = 'RECIST 1.1' AND node AND value < 10000000 AS gone
    FROM compared LEFT JOIN history USING (subject_id, reader, lesion_number, criterion, first_day)
    LEFT JOIN (SELECT subject_id, reader, lesion_number, rel_day AS first_measured FROM hand_new)
        USING (subject_id, reader, lesion_number)
), ruled AS (
    SELECT *, CASE
        WHEN first_measured <= last_day THEN 'new_after_treatment'
        WHEN NOT known THEN 'no_baseline'
        WHEN baseline_day IS NULL THEN 'baseline_not_evaluable'
        WHEN baseline IS NULL THEN 'baseline_too_old'
        WHEN baseline = 0 AND criterion IN ('EASL', 'mRECIST') THEN 'no_baseline_enhancement'
        WHEN baseline = 0 THEN 'baseline_zero'
        WHEN NOT large THEN 'not_measurable'
        WHEN value IS NULL AND reading.value IS NOT NULL THEN 'other_modality'
        WHEN value IS NULL THEN CASE WHEN NOT reading.scan_evaluable THEN 'scan_not_evaluable'
            WHEN reading.status IN ('not_imaged', 'not_evaluable') THEN reading.status
            WHEN criterion IN ('WHO', 'RECIST 1.1') THEN 'not_measured'
            WHEN reading.arterial_phase IS NULL THEN 'arterial_phase_unknown'
            WHEN NOT reading.arterial_phase THEN 'no_arterial_phase' ELSE 'not_measured' END
        WHEN was_gone AND value > 0 AND NOT gone THEN 'reappearance'
        WHEN value > nadir AND (criterion IN ('WHO', 'EASL') AND 4 * value > 5 * nadir
            OR criterion IN ('RECIST 1.1', 'mRECIST') AND 5 * value >= 6 * nadir
            AND (criterion = 'mRECIST' OR value - nadir >= 5000000)) THEN 'growth_over_nadir'
        WHEN gone THEN 'gone'
        WHEN criterion IN ('WHO', 'EASL') AND 2 * value <= baseline
            OR criterion IN ('RECIST 1.1', 'mRECIST') AND 10 * value <= 7 * baseline
            THEN 'decrease_from_baseline'
        ELSE 'neither' END AS rule, reading.rel_day AS rel_day
    FROM followed
), classed AS (
    SELECT *, CASE WHEN rule IN ('reappearance', 'growth_over_nadir') THEN 'PD'
            WHEN rule = 'gone' THEN 'CR' WHEN rule = 'decrease_from_baseline' THEN 'PR'
            WHEN rule = 'neither' THEN 'SD' ELSE 'NE' END AS response,
        min(rel_day) FILTER (rule IN ('reappearance', 'growth_over_nadir')) OVER (
            PARTITION BY subject_id, lesion_number, reader, criterion) AS first_progression,
        CASE WHEN NOT liver THEN 'outside' WHEN lobe IN ('right', 'left') THEN lobe ELSE 'any' END
        AS territory
    FROM ruled
)
SELECT subject_id, criterion, rel_day, reader, reading.modality AS modality,
    coalesce(foreign_ AND base IS NOT NULL, false) AS modality_changed, baseline_day,
    lobe_day - baseline_day > 28 AS baseline_stale, (baseline / 1e6)::DECIMAL(18, 6) AS baseline,
    (nadir / 1e6)::DECIMAL(18, 6) AS nadir, (value / 1e6)::DECIMAL(18, 6) AS value,
    (value - baseline) * 100 / nullif(baseline, 0) AS change_from_baseline_pct,
    (value - nadir) * 100 / nullif(nadir, 0) AS change_from_nadir_pct, response, rule,
    rel_day <= coalesce(first_progression, rel_day) AND rel_day <= coalesce(closed_day, rel_day)
    AS in_window, reading.row_id AS source_row_ids, lesion_number
FROM classed LEFT JOIN hand_closing USING (subject_id, territory);

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
    WHERE index_lesion AND (subject_id, lesion_number) NOT IN (
        SELECT (subject_id, lesion_number) FROM hand_new WHERE reader = 'local')
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
        ELSE first_rule END AS reason, lesion_number,
    coalesce(treated, false) AS treated
FROM placed JOIN (SELECT subject_id, lesion_number, treated FROM subject_lesions)
    USING (subject_id, lesion_number)

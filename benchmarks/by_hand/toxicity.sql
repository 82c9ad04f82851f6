-- CTCAE 3.0, 4.03, 5.0 and 6.0 for the thirteen analytes, as one would write them for DuckDB by hand,
-- with the default settings: macros for the ladders, one column per version, then one row each.
-- Clinical events are not part of it: the invented patients have none.

CREATE OR REPLACE TABLE hand_units AS
SELECT unnest(string_split(analytes, ' ')) AS analyte, unit, num::DECIMAL(5) AS num,
    den::DECIMAL(5) AS den
FROM (VALUES
    ('bilirubin creatinine', 'mg/dL', 1, 1), ('bilirubin creatinine', 'mg/L', 1, 10),
    ('bilirubin', 'umol/L', 10, 171), ('creatinine', 'umol/L', 10, 884),
    ('albumin haemoglobin', 'g/dL', 1, 1), ('albumin haemoglobin', 'g/L', 1, 10),
    ('albumin', 'mg/dL', 1, 1000), ('haemoglobin', 'mmol/L', 10000, 6206),
    ('ast alt alp ggt', 'U/L', 1, 1), ('ast alt alp ggt', 'ukat/L', 60, 1),
    ('ast alt alp ggt', 'nkat/L', 60, 1000), ('inr', '1', 1, 1),
    ('wbc neutrophils lymphocytes platelets', '10*9/L', 1, 1),
    ('wbc neutrophils lymphocytes platelets', '10*3/uL', 1, 1),
    ('wbc neutrophils lymphocytes platelets', '10*6/L', 1, 1000),
    ('wbc neutrophils lymphocytes platelets', '/uL', 1, 1000)) u(analytes, unit, num, den);

CREATE OR REPLACE TABLE hand_baselines AS
WITH injected AS (
    SELECT subject_id, treatment_date, min(administered_at) AS given FROM treatments
    JOIN anchors USING (subject_id) WHERE treatment_date = t0_date GROUP BY ALL
)
SELECT l.subject_id, analyte, row_id, date_diff('day', t0_date, lab_date) AS rel_day, sequence, value,
    value_comparator, unit, lower_limit, upper_limit, -rel_day AS age_days,
    -rel_day > 28 AS stale, l.unreadable
FROM labs l JOIN anchors a USING (subject_id)
LEFT JOIN injected i ON i.subject_id = l.subject_id AND lab_date = treatment_date
WHERE lab_date <= t0_date AND value IS NOT NULL AND coalesce(
    hour(lab_time::TIME) * 60 + minute(lab_time::TIME) <= hour(given) * 60 + minute(given), true)
QUALIFY row_number() OVER (
    PARTITION BY l.subject_id, analyte ORDER BY lab_date DESC, sequence DESC, row_id DESC) = 1;

CREATE OR REPLACE MACRO worst_high(value, sign, bound) AS
    value > bound OR value = bound AND sign IS NOT DISTINCT FROM '>';
CREATE OR REPLACE MACRO worst_low(value, sign, bound) AS
    value < bound OR value = bound AND sign IS NOT DISTINCT FROM '<';

CREATE OR REPLACE MACRO above_uln(value, sign, uln, second, third, fourth) AS CASE
    WHEN uln IS NULL THEN '- no upper limit'
    WHEN worst_high(value, sign, uln * fourth) THEN '4 > ' || fourth || ' x ULN'
    WHEN value > uln * third THEN '3 > ' || third || ' x ULN'
    WHEN value > uln * second THEN '2 > ' || second || ' x ULN'
    WHEN value > uln THEN '1 > 1 x ULN' ELSE '0 <= 1 x ULN' END;

CREATE OR REPLACE MACRO above_baseline(value, sign, base, first, second, third, fourth, reached) AS
CASE WHEN worst_high(value, sign, base * fourth) THEN '4 > ' || fourth || ' x baseline'
    WHEN value > base * third THEN '3 > ' || third || ' x baseline'
    WHEN value > base * second THEN '2 > ' || second || ' x baseline'
    WHEN value > base * first OR reached AND value = base * first
        THEN CASE WHEN reached THEN '1 >= ' ELSE '1 > ' END || first || ' x baseline'
    ELSE CASE WHEN reached THEN '0 < ' ELSE '0 <= ' END || first || ' x baseline' END;

CREATE OR REPLACE MACRO below_lln(raw, lln, value, sign, den, unit, second, third, fourth) AS CASE
    WHEN fourth IS NOT NULL AND worst_low(value, sign, fourth * den)
        THEN '4 < ' || fourth || ' ' || unit
    WHEN fourth IS NULL AND worst_low(value, sign, third * den) OR value < third * den
        THEN '3 < ' || third || ' ' || unit
    WHEN value < second * den THEN '2 < ' || second || ' ' || unit
    WHEN raw < lln THEN '1 < LLN' WHEN lln IS NULL THEN '- no lower limit' ELSE '0 >= LLN' END;

CREATE OR REPLACE MACRO inr_limits(value, sign, uln, third) AS CASE
    WHEN uln IS NULL THEN '- no upper limit'
    WHEN worst_high(value, sign, uln * third) THEN '3 > ' || third || ' x ULN'
    WHEN value > uln * 1.5 THEN '2 > 1.5 x ULN' WHEN value > uln THEN '1 > 1 x ULN'
    ELSE '0 <= 1 x ULN' END;

CREATE OR REPLACE TABLE hand_grades AS
WITH anticoagulated AS (
    SELECT DISTINCT l.row_id FROM labs l JOIN medications m USING (subject_id)
    WHERE purpose = 'anticoagulation' AND analyte = 'inr'
        AND coalesce(start_date <= lab_date, true) AND coalesce(stop_date >= lab_date, true)
), dated AS (
    SELECT l.*, date_diff('day', t0_date, lab_date) AS rel_day
    FROM labs l JOIN anchors USING (subject_id)
), results AS (
    SELECT l.subject_id, l.analyte, l.rel_day, l.sequence,
        l.value, l.value_comparator AS sign, l.unit, l.lower_limit AS lln, l.upper_limit,
        nullif(l.upper_limit, 0) AS uln, u.num, u.den, 
        l.row_id, l.row_id IS NOT DISTINCT FROM b.row_id AS is_baseline,
        CASE WHEN l.unit = b.unit THEN b.value
            ELSE (b.value * (bu.num * u.den) / (bu.den * u.num))::DECIMAL(18, 6)
            END AS baseline_value,
        l.rel_day > 0 AND coalesce(b.value > b.upper_limit AND b.upper_limit > 0
            AND coalesce(b.value_comparator IN ('>', '>='), true), false) AS abnormal,
        l.rel_day > 0 AND coalesce(b.value < b.lower_limit
            AND coalesce(b.value_comparator IN ('<', '<='), true), false) AS low,
        CASE WHEN l.rel_day > 0 AND b.value_comparator IS NULL AND b.value > 0
            THEN b.value * CASE WHEN l.unit = b.unit THEN 1 ELSE bu.num * u.den END END AS compared,
        l.value * CASE WHEN l.unit = b.unit THEN 1 ELSE bu.den * u.num END AS with_base,
        l.value * u.num AS scaled, l.row_id IN (SELECT row_id FROM anticoagulated) AS anticoagulated
    FROM dated l LEFT JOIN hand_baselines b USING (subject_id, analyte)
    LEFT JOIN hand_units u ON l.analyte = u.analyte AND l.unit = u.unit
    LEFT JOIN hand_units bu ON l.analyte = bu.analyte AND b.unit = bu.unit
    WHERE l.analyte IN (SELECT analyte FROM hand_units)
), common AS (
    SELECT *, CASE
        WHEN unit = '%' THEN '- percentage, not an absolute value'
        WHEN num IS NULL THEN '- unknown unit'
        WHEN analyte IN ('ast', 'alt') THEN above_uln(value, sign, uln, 3, 5, 20)
        WHEN analyte IN ('alp', 'ggt') THEN above_uln(value, sign, uln, 2.5, 5, 20)
        WHEN analyte = 'bilirubin' THEN above_uln(value, sign, uln, 1.5, 3, 10)
        WHEN analyte = 'albumin' THEN below_lln(value, lln, scaled, sign, den, 'g/dL', 3, 2, NULL)
        WHEN analyte = 'haemoglobin' THEN
            below_lln(value, lln, scaled, sign, den, 'g/dL', 10, 8, NULL)
        WHEN analyte = 'wbc' THEN below_lln(value, lln, scaled, sign, den, '10*9/L', 3, 2, 1)
        WHEN analyte = 'neutrophils' THEN
            below_lln(value, lln, scaled, sign, den, '10*9/L', 1.5, 1, 0.5)
        WHEN analyte = 'lymphocytes' THEN
            below_lln(value, lln, scaled, sign, den, '10*9/L', 0.8, 0.5, 0.2)
        WHEN analyte = 'platelets' THEN
            below_lln(value, lln, scaled, sign, den, '10*9/L', 75, 50, 25) END AS usual
    FROM results
), graded AS (
    SELECT *, CASE
        WHEN analyte IN ('ast', 'alt') AND num IS NOT NULL AND unit <> '%'
            THEN above_uln(value, sign, uln, 2.5, 5, 20)
        WHEN analyte = 'haemoglobin' AND num IS NOT NULL AND unit <> '%'
            THEN below_lln(value, lln, scaled, sign, den, 'g/dL', 10, 8, 6.5)
        WHEN usual IS NOT NULL THEN usual
        WHEN analyte = 'inr' THEN inr_limits(value, sign, uln, 2)
        WHEN analyte = 'creatinine' THEN above_uln(value, sign, uln, 1.5, 3, 6)
        END AS v3, CASE
        WHEN usual IS NOT NULL THEN usual
        WHEN uln IS NULL THEN '- no upper limit'
        WHEN analyte = 'inr' AND anticoagulated THEN CASE
            WHEN worst_high(value, sign, uln * 2.5) THEN '3 > 2.5 x ULN'
            WHEN worst_high(with_base, sign, compared * 2.5) THEN '3 > 2.5 x baseline'
            WHEN value > uln * 1.5 THEN '2 > 1.5 x ULN'
            WHEN with_base > compared * 1.5 THEN '2 > 1.5 x baseline'
            WHEN value > uln THEN '1 > 1 x ULN' WHEN with_base > compared THEN '1 > 1 x baseline'
            WHEN rel_day > 0 AND compared IS NULL THEN '- no comparable baseline'
            ELSE '0 <= 1 x ULN and <= 1 x baseline' END
        WHEN analyte = 'inr' THEN inr_limits(value, sign, uln, 2.5)
        WHEN worst_high(value, sign, uln * 6) THEN '4 > 6 x ULN'
        WHEN value > uln * 3 THEN '3 > 3 x ULN'
        WHEN with_base > compared * 3 THEN '3 > 3 x baseline'
        WHEN value > uln * 1.5 THEN '2 > 1.5 x ULN'
        WHEN with_base > compared * 1.5 THEN '2 > 1.5 x baseline'
        WHEN value > uln THEN '1 > 1 x ULN' WHEN with_base > compared THEN '1 > 1 x baseline'
        WHEN rel_day > 0 AND compared IS NULL THEN '- no comparable baseline'
        ELSE '0 <= 1 x ULN and <= 1 x baseline' END AS v4, CASE
        WHEN unit = '%' THEN '- percentage, not an absolute value'
        WHEN num IS NULL THEN '- unknown unit'
        WHEN analyte IN ('bilirubin', 'ast', 'alt', 'alp', 'ggt') AND uln IS NOT NULL AND abnormal
            THEN CASE WHEN compared IS NULL THEN '- no comparable baseline'
                WHEN analyte = 'bilirubin'
                    THEN above_baseline(with_base, sign, compared, 1, 1.5, 3, 10, false)
                WHEN analyte IN ('ast', 'alt')
                    THEN above_baseline(with_base, sign, compared, 1.5, 3, 5, 20, true)
                ELSE above_baseline(with_base, sign, compared, 2, 2.5, 5, 20, true) END
        WHEN usual IS NOT NULL THEN usual
        WHEN analyte = 'inr' THEN CASE WHEN worst_high(value, sign, 2.5) THEN '3 > 2.5'
            WHEN anticoagulated AND worst_high(with_base, sign, compared * 2.5)
                THEN '3 > 2.5 x baseline'
            WHEN value > 1.5 THEN '2 > 1.5'
            WHEN anticoagulated AND with_base > compared * 1.5 THEN '2 > 1.5 x baseline'
            WHEN value > 1.2 THEN '1 > 1.2'
            WHEN NOT anticoagulated THEN '0 <= 1.2'
            WHEN with_base > compared THEN '1 > 1 x baseline'
            WHEN rel_day > 0 AND compared IS NULL THEN '- no comparable baseline'
            ELSE '0 <= 1.2 and <= 1 x baseline' END
        WHEN uln IS NULL THEN '- no upper limit'
        WHEN worst_high(value, sign, uln * 6) THEN '4 > 6 x ULN'
        WHEN value > uln * 3 THEN '3 > 3 x ULN'
        WHEN with_base > compared * 3 THEN '3 > 3 x baseline'
        WHEN value > uln * 1.5 THEN '2 > 1.5 x ULN'
        WHEN with_base > compared * 1.5 THEN '2 > 1.5 x baseline'
        WHEN value > uln THEN '1 > 1 x ULN' ELSE '0 <= 1 x ULN' END AS v5, CASE
        WHEN analyte = 'lymphocytes' THEN '- not defined in CTCAE 6.0'
        WHEN unit = '%' THEN '- percentage, not an absolute value'
        WHEN num IS NULL THEN '- unknown unit'
        WHEN analyte IN ('bilirubin', 'ast', 'alt', 'ggt') AND uln IS NOT NULL AND abnormal
            THEN CASE WHEN compared IS NULL THEN '- no comparable baseline'
                WHEN analyte = 'bilirubin'
                    THEN above_baseline(with_base, sign, compared, 1, 1.5, 2.5, 10, true)
                WHEN analyte = 'ggt'
                    THEN above_baseline(with_base, sign, compared, 1, 1.5, 3, 10, true)
                ELSE above_baseline(with_base, sign, compared, 1, 1.5, 2, 4, true) END
        WHEN analyte = 'alp' THEN CASE WHEN uln IS NULL THEN '- no upper limit'
            WHEN NOT worst_high(value, sign, uln) AND (rel_day <= 0 OR compared IS NULL)
                THEN '0 <= 1 x ULN'
            WHEN rel_day > 0 AND compared IS NULL THEN '- no comparable baseline'
            WHEN rel_day > 0 AND NOT worst_high(with_base, sign, compared) THEN '0 <= baseline'
            WHEN worst_high(value, sign, uln) THEN '1 > 1 x ULN' ELSE '0 <= 1 x ULN' END
        WHEN analyte = 'neutrophils' THEN CASE
            WHEN worst_low(scaled, sign, 0.1 * den) THEN '4 < 0.1 10*9/L'
            WHEN scaled < 0.5 * den THEN '3 < 0.5 10*9/L' WHEN scaled < den THEN '2 < 1 10*9/L'
            WHEN scaled < 1.5 * den THEN '1 < 1.5 10*9/L' ELSE '0 >= 1.5 10*9/L' END
        WHEN analyte = 'platelets'
            THEN below_lln(value, lln, scaled, sign, den, '10*9/L', 75, 50, 10)
        WHEN usual IS NOT NULL THEN usual
        WHEN analyte = 'inr' THEN v5
        WHEN uln IS NULL THEN '- no upper limit'
        WHEN low THEN CASE WHEN compared IS NULL THEN '- no comparable baseline'
            WHEN worst_high(value, sign, uln * 6) THEN '4 > 6 x ULN'
            WHEN with_base > compared * 3 THEN '3 > 3 x baseline'
            WHEN with_base > compared * 1.5 THEN '2 > 1.5 x baseline'
            WHEN value > uln THEN '1 > 1 x ULN' ELSE '0 <= 1 x ULN' END
        ELSE above_uln(value, sign, uln, 1.5, 3, 6) END AS v6
    FROM common
), each AS (
    SELECT * EXCLUDE (v3, v4, v5, v6), unnest(['3.0', '4.03', '5.0', '6.0']) AS ctcae_version,
        unnest([v3, v4, v5, v6]) AS said
    FROM graded
), certain AS (
    -- A censored result keeps the worst grade that a number can have, and grade 0, where the true
    -- value can only be worse, or only better.
    SELECT * EXCLUDE (said), CASE WHEN sign IS NULL OR said[1] = '-' OR said[1] = CASE
        WHEN (analyte IN ('albumin', 'haemoglobin', 'wbc', 'neutrophils', 'lymphocytes',
            'platelets')) <> (sign IN ('<', '<=')) THEN '0'
        WHEN analyte IN ('inr', 'albumin') OR analyte = 'haemoglobin' AND ctcae_version <> '3.0'
            THEN '3' WHEN analyte = 'alp' AND ctcae_version = '6.0' THEN '1'
        ELSE '4' END THEN said ELSE '- censored' END AS said
    FROM each
)
SELECT subject_id, analyte, ctcae_version, rel_day, sequence, value, sign AS value_comparator,
    CASE WHEN num IS NULL AND unit <> '%' THEN 'unknown' ELSE unit END AS unit, lln AS lower_limit, upper_limit, baseline_value, is_baseline,
    CASE WHEN said[1] <> '-' THEN said[1]::BIGINT END AS grade,
    CASE WHEN said[1] <> '-' THEN said[3:] END AS rule,
    CASE WHEN said[1] = '-' THEN said[3:] END AS reason, row_id AS source_row_id
FROM certain;

CREATE OR REPLACE TABLE hand_toxicity AS
WITH placed AS (
    SELECT g.*, date_diff('day', t0_date, last_session_date) AS last,
        1000000000000 * grade + (999999 - rel_day) * 1000000 + 999999 - sequence AS place,
        rel_day > 0 AS after, after AND rel_day <= last + 90 AS early,
        rel_day > last + 90 AND rel_day <= last + 183 AS late,
        after AND rel_day <= 30 OR rel_day BETWEEN last + 1 AND last + 30 AS acute,
        rel_day BETWEEN last + 184 AND last + 365 AS half, rel_day >= last + 366 AS one,
        rel_day >= last + 731 AS two
    FROM hand_grades g JOIN anchors USING (subject_id)
    WHERE grade IS NOT NULL AND (rel_day > 0 OR is_baseline)
), worst AS (
    SELECT subject_id, analyte, ctcae_version,
        [max(place) FILTER (acute), max(place) FILTER (early), max(place) FILTER (late),
            max(place) FILTER (half), max(place) FILTER (one), max(place) FILTER (two),
            max(place) FILTER (after)] AS places,
        [arg_max(source_row_id, place) FILTER (acute), arg_max(source_row_id, place)
            FILTER (early), arg_max(source_row_id, place) FILTER (late),
            arg_max(source_row_id, place) FILTER (half),
            arg_max(source_row_id, place) FILTER (one),
            arg_max(source_row_id, place) FILTER (two),
            arg_max(source_row_id, place) FILTER (after)] AS deciding,
        max(grade) FILTER (is_baseline) AS baseline_grade
    FROM placed GROUP BY ALL
), each AS (
    SELECT * EXCLUDE (places, deciding), unnest(['acute', 'primary', 'late', 'late_6_to_12_months',
            'late_1_year', 'late_2_years', 'any']) AS time_window,
        unnest(places) AS place, unnest(deciding) AS source_row_id
    FROM worst
)
SELECT subject_id, 'lab' AS source, analyte AS term, ctcae_version, time_window, baseline_grade,
    place // 1000000000000 AS worst_grade, 999999 - place // 1000000 % 1000000 AS worst_day,
    CASE WHEN worst_grade = 0 THEN false ELSE worst_grade > baseline_grade END AS emergent,
    NULL::BOOLEAN AS related, source_row_id, NULL::VARCHAR AS reason
FROM each WHERE place IS NOT NULL

-- Laboratory rows of a centre as the registry's: trimmed, read, named and marked. One pass, as
-- somebody would write it who knows this centre's file: names and units are looked up in tables.
WITH texts AS (
    SELECT source_file, source_row,
        nullif(trim(patient_id, {blanks}), '') AS patient_text,
        nullif(trim(lab_date, {blanks}), '') AS date_text,
        nullif(trim(analyte, {blanks}), '') AS analyte_text,
        nullif(trim(value, {blanks}), '') AS value_text,
        nullif(trim(unit, {blanks}), '') AS unit_text,
        nullif(trim(lower_limit, {blanks}), '') AS lower_text,
        nullif(trim(upper_limit, {blanks}), '') AS upper_text
    FROM read_parquet('{path}')
),
plain AS (
    SELECT *,
        trim(regexp_replace(value_text, '^\s*(<=|>=|<|>)', ''), {blanks}) AS bare_text,
        {plain_analyte} AS plain_analyte,
        {plain_unit} AS plain_unit
    FROM texts
),
read AS (
    SELECT t.*,
        coalesce(try_strptime(date_text, '%d.%m.%Y'), try_strptime(date_text, '%Y-%m-%d 00:00:00'))::DATE
            AS day,
        coalesce(n.code, analyte_text) AS name,
        coalesce(u.code, unit_text) AS ucum,
        CASE WHEN regexp_matches(bare_text, {number}) THEN try_cast(bare_text AS DECIMAL(18, 6)) END
            AS result,
        nullif(regexp_extract(value_text, '^\s*(<=|>=|<|>)', 1), '') AS comparator,
        CASE WHEN regexp_matches(lower_text, {number}) THEN try_cast(lower_text AS DECIMAL(18, 6)) END
            AS low,
        CASE WHEN regexp_matches(upper_text, {number}) THEN try_cast(upper_text AS DECIMAL(18, 6)) END
            AS high
    FROM plain t
    LEFT JOIN names n ON t.plain_analyte = n.plain
    LEFT JOIN units u ON t.plain_unit = u.plain
),
judged AS (
    SELECT *, CASE WHEN day >= DATE '1000-01-01' THEN day END AS lab_date,
        CASE WHEN lower_text IS NOT NULL AND low IS NULL THEN 'number' WHEN low < 0 THEN 'below' END
            AS unread_lower_limit,
        CASE WHEN upper_text IS NOT NULL AND high IS NULL THEN 'number' WHEN high < 0 THEN 'below' END
            AS unread_upper_limit
    FROM read
),
keyed AS (
    SELECT *, concat_ws('|', 'labs', coalesce(patient_text, ''), coalesce(lab_date::VARCHAR, ''),
        coalesce(name, ''), '1') AS natural_key
    FROM judged
)
SELECT patient_text AS patient_id, 'north' AS site_id, 'r' AS receipt_id, source_file, source_row,
    nullif(concat(
        CASE WHEN unread_lower_limit IS NOT NULL THEN '|lower_limit' END,
        CASE WHEN unread_upper_limit IS NOT NULL THEN '|upper_limit' END,
        CASE WHEN unread_lower_limit IS NOT NULL OR unread_upper_limit IS NOT NULL THEN '|' END
    ), '') AS unreadable,
    lab_date, name AS analyte, 1::BIGINT AS sequence, NULL::VARCHAR AS lab_time, result AS value,
    comparator AS value_comparator,
    CASE WHEN ucum = 'g/L' AND name IN {counts} THEN '10*9/L' ELSE ucum END AS unit,
    CASE WHEN unread_lower_limit IS NULL THEN low END AS lower_limit,
    CASE WHEN unread_upper_limit IS NULL THEN high END AS upper_limit,
    natural_key AS source_key, natural_key,
    coalesce(patient_text, date_text, analyte_text, value_text, unit_text, lower_text, upper_text)
        IS NULL AS is_empty,
    FALSE AS in_no_group, TRUE AS no_sequence, NULL::VARCHAR AS unread_patient_id,
    CASE WHEN date_text IS NOT NULL AND lab_date IS NULL THEN 'date' END AS unread_lab_date,
    NULL::VARCHAR AS unread_analyte, NULL::VARCHAR AS unread_sequence,
    NULL::VARCHAR AS unread_lab_time,
    CASE WHEN value_text IS NOT NULL AND result IS NULL THEN 'number' END AS unread_value,
    NULL::VARCHAR AS unread_value_comparator, NULL::VARCHAR AS unread_unit,
    unread_lower_limit, unread_upper_limit
FROM keyed

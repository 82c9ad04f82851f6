"""Doses and volumes that contradict each other: tables, with the rows that break a rule marked."""

DOSE_ROWS = {
    "treatments.tumour_below_normal": """
        | x | session_id | tumour_dose_gy | normal_liver_dose_gy | tumour_to_normal_ratio |
        |   | s          | 40             | 40                   | 2                      |
        | x | s          | 39.9           | 40                   | 2                      |
        |   | s          | 39.9           | 40                   | 1                      |
        |   | s          | 39.9           | 40                   |                        |
        |   | s          |                | 40                   | 2                      |
    """,
    "treatments.tumour_larger_than_target": """
        | x | session_id | target_volume_ml | tumour_volume_ml |
        |   | s          | 500              | 500              |
        | x | s          | 500              | 500.1            |
        |   | s          |                  | 500.1            |
    """,
    "treatments.larger_than_liver": """
        | x | session_id | target_volume_ml | normal_liver_volume_ml | liver_volume_ml |
        |   | s          | 1500             | 1400                   | 1500            |
        | x | s          | 1500.1           | 1400                   | 1500            |
        | x | s          |                  | 1500.1                 | 1500            |
        |   | s          | 1600             | 1600                   |                 |
    """,
}

DOSE_CASES = {
    "treatments.lungs_beyond_activity": (
        """
        | x | patient_id | session_id | target_id | activity_administered_gbq | lung_dose_gy |
        |   | a          | s1         | t1        | 0.1                       | 10           |
        |   | a          | s1         | t2        | 0.1                       | 10           |
        | x | a          | s2         | t1        | 0.1                       | 10.1         |
        | x | a          | s2         | t2        | 0.1                       |              |
        |   | a          | s3         | t1        |                           | 99           |
        """,
        {},
    ),
}

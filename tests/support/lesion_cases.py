"""Scans against measurements of lesions: tables, with the rows that break a rule marked.

The first column of each table numbers its rows; the rule names exactly the rows marked `x`.
"""

LESION_CASES = {
    "scans.new_lesion_denied": (
        """
        | x | patient_id | scan_date | modality | reader | new_lesion |
        |   | a          | d-10      | CT       | local  |            |
        | x | a          | d90       | CT       | local  | none       |
        |   | a          | d180      | CT       | local  | none       |
        |   | said       | d-10      | CT       | local  |            |
        |   | said       | d90       | CT       | local  | hepatic    |
        |   | silent     | d-10      | CT       | local  |            |
        |   | silent     | d90       | CT       | local  |            |
        |   | there      | d-10      | CT       | local  |            |
        |   | there      | d90       | CT       | local  | none       |
        |   | absent     | d-10      | CT       | local  |            |
        | x | absent     | d90       | CT       | local  | none       |
        |   | stated     | d-10      | CT       | local  |            |
        |   | stated     | d90       | CT       | local  | none       |
        |   | fragment   | d-10      | CT       | local  |            |
        |   | fragment   | d90       | CT       | local  | none       |
        |   | other      | d-10      | CT       | local  |            |
        |   | other      | d90       | MRI      | local  | none       |
        |   | untreated  | d90       | CT       | local  | none       |
        """,
        {
            "measurements": """
            | patient_id | lesion_id | scan_date | modality | reader | status   |
            | a          | N1        | d90       | CT       | local  | measured |
            | a          | N1        | d180      | CT       | local  | measured |
            | said       | N1        | d90       | CT       | local  | measured |
            | silent     | N1        | d90       | CT       | local  | measured |
            | there      | N1        | d-10      | CT       | local  | not_evaluable |
            | there      | N1        | d90       | CT       | local  | measured |
            | absent     | N1        | d-10      | CT       | local  | absent   |
            | absent     | N1        | d90       | CT       | local  | measured |
            | stated     | N1        | d90       | CT       | local  | measured |
            | fragment   | N1        | d90       | CT       | local  | measured |
            | other      | N1        | d90       | MRI      | local  | measured |
            | untreated  | N1        | d90       | CT       | local  | measured |
            """,
            "lesions": """
            | patient_id | lesion_id | baseline_present | split_from |
            | a          | N1        |                  |            |
            | stated     | N1        | yes              |            |
            | fragment   | N1        |                  | L1         |
            """,
            "treatments": """
            | patient_id | treatment_date |
            | a          | d0             |
            | said       | d0             |
            | silent     | d0             |
            | there      | d0             |
            | absent     | d0             |
            | stated     | d0             |
            | fragment   | d0             |
            | other      | d0             |
            """,
        },
    ),
    "measurements.first_in_another_modality": (
        """
        | x | patient_id | lesion_id | scan_date | modality | reader | status   |
        | x | a          | N1        | d90       | MRI      | local  | measured |
        |   | a          | N1        | d180      | MRI      | local  | measured |
        |   | a          | N2        | d90       | CT       | local  | measured |
        |   | a          | N3        | d-10      | CT       | local  | measured |
        |   | a          | N3        | d90       | MRI      | local  | measured |
        |   | a          | N4        | d90       | MRI      | local  | absent   |
        """,
        {
            "scans": """
            | patient_id | scan_date | modality | reader |
            | a          | d-10      | CT       | local  |
            | a          | d90       | MRI      | local  |
            """,
            "lesions": "| patient_id | lesion_id |\n| a | N1 |",
            "treatments": "| patient_id | treatment_date |\n| a | d0 |",
        },
    ),
    "measurements.perhaps_merged": (
        """
        | x | patient_id | lesion_id | scan_date | modality | reader | longest_mm | status   |
        |   | a          | L1        | d-10      | CT       | local  | 20         | measured |
        | x | a          | L1        | d90       | CT       | local  |            | absent   |
        |   | a          | L1        | d180      | CT       | local  |            | absent   |
        |   | a          | L2        | d-10      | CT       | local  | 20         | measured |
        |   | a          | L2        | d90       | CT       | local  | 30         | measured |
        |   | a          | L2        | d180      | CT       | local  | 45         | measured |
        |   | half       | L1        | d-10      | CT       | local  | 20         | measured |
        |   | half       | L1        | d90       | CT       | local  |            | absent   |
        |   | half       | L2        | d-10      | CT       | local  | 30         | measured |
        |   | half       | L2        | d90       | CT       | local  | 44.9       | measured |
        |   | small      | L1        | d-10      | CT       | local  | 20         | measured |
        |   | small      | L1        | d90       | CT       | local  |            | absent   |
        |   | small      | L2        | d-10      | CT       | local  | 15         | measured |
        |   | small      | L2        | d90       | CT       | local  | 24.9       | measured |
        |   | lobes      | L1        | d-10      | CT       | local  | 20         | measured |
        |   | lobes      | L1        | d90       | CT       | local  |            | absent   |
        |   | lobes      | L2        | d-10      | CT       | local  | 20         | measured |
        |   | lobes      | L2        | d90       | CT       | local  | 40         | measured |
        |   | named      | L1        | d-10      | CT       | local  | 20         | measured |
        |   | named      | L1        | d90       | CT       | local  |            | absent   |
        |   | named      | L2        | d-10      | CT       | local  | 20         | measured |
        |   | named      | L2        | d90       | CT       | local  | 40         | measured |
        """,
        {
            "lesions": """
            | patient_id | lesion_id | lobe  | merged_into |
            | a          | L1        | right |             |
            | a          | L2        | right |             |
            | half       | L1        | right |             |
            | half       | L2        | right |             |
            | small      | L1        | right |             |
            | small      | L2        | right |             |
            | lobes      | L1        | right |             |
            | lobes      | L2        | left  |             |
            | named      | L1        | right | L2          |
            | named      | L2        | right |             |
            """,
        },
    ),
}

"""Doses to tumour and to normal liver, of each target and of the course; worked by hand."""

from analytics.doses.compartments import compartment_dosimetry, compartment_dosimetry_sets
from schemas.settings import DosimetrySettings
from tests.support.pipe_tables import Row, check, run
from transforms.dosimetry.compartments import compartment_doses, course_doses
from transforms.dosimetry.dosimetry import treatment_targets

WATER = DosimetrySettings(liver_density_g_ml="1", mird_constant="49.67")
"""A millilitre weighs a gram, so that volumes read as masses."""


def test_the_mean_dose_of_a_target_is_that_of_mird_for_both_devices() -> None:
    """A: 1.5 GBq of resin in 1,500 mL without loss are 48.54 Gy; B's glass has a headline dose too.

    With 49.67 Gy kg per GBq they are 48.22 Gy. C's device is not known: no dose is derivable.
    """
    shared = {
        "sessions": """
            | subject_id | session_number | session_id | session_date | course |
            | A          | 1              | s1         | d0           | 1      |
            | B          | 1              | s1         | d0           | 1      |
            | C          | 1              | s1         | d0           | 1      |
        """,
        "anchors": "| subject_id | t0_date |\n| A | d0 |\n| B | d0 |\n| C | d0 |",
        "treatments": """
            | subject_id | session_id | target_id | treatment_date | device | target_volume_ml | activity_administered_gbq | lung_shunt_fraction | residual_fraction |
            | A          | s1         | t1        | d0             | resin  | 1500             | 1.5                       | 0                   | 0                 |
            | B          | s1         | t1        | d0             | glass  | 1500             | 1.5                       | 0                   | 0                 |
            | C          | s1         | t1        | d0             | unknown | 1500            | 1.5                       | 0                   | 0                 |
        """,
    }
    check(
        treatment_targets,
        shared,
        """
        | subject_id | mean_dose_gy  | dose_gy       |
        | A          | 48.5436893204 |               |
        | B          | 48.5436893204 | 48.5436893204 |
        | C          |               |               |
        """,
    )
    check(
        treatment_targets,
        shared,
        """
        | subject_id | mean_dose_gy  |
        | A          | 48.2233009709 |
        | B          | 48.2233009709 |
        | C          |               |
        """,
        DosimetrySettings(mird_constant="49.67"),
    )


TARGETS = """
    | subject_id | session_number | target_number | rel_day | course | device | lobe  | activity_gbq | target_mass_kg | mean_dose_gy  | dose_gy_recorded | source_row_id |
    | A          | 1              | 1             | 0       | 1      | glass  | whole | 2            | 1.5            | 62.9153333333 | 63               | treatments:1  |
    | B          | 1              | 1             | 0       | 1      | resin  | right | 1            | 1              | 60            |                  | treatments:2  |
    | C          | 1              | 1             | 0       | 1      | glass  | right | 1            | 1              | 60            |                  | treatments:3  |
    | D          | 1              | 1             | 0       | 1      | glass  | right | 1            | 1              | 60            |                  | treatments:4  |
    | E          | 1              | 1             | 0       | 1      | glass  | right | 1            | 1              |               |                  | treatments:5  |
    | F          | 1              | 1             | 0       | 1      | glass  | right | 1            | 1              | 60            |                  | treatments:6  |
"""


def test_partition_parts_the_mean_dose_by_masses_and_uptake() -> None:
    """K 49.67, A 2, L 0.05, R 0, M_T 0.2, M_N 1.3, T 5: D_N 41.03174, D_T 205.15870 Gy.

    Weighted by mass the two give the mean again: (0.2 x 205.1587 + 1.3 x 41.03174) / 1.5 =
    62.91533. B has no tumour volume, C no ratio, D a tumour larger than its target, E no mean dose;
    F's target holds no tumour, so that its normal liver has the mean. Recorded doses stand beside.
    """
    check(
        compartment_doses,
        {
            "treatment_targets": TARGETS,
            "treatments": """
                | subject_id | session_id | target_id | tumour_volume_ml | tumour_to_normal_ratio | tumour_dose_gy | normal_liver_dose_gy | dosimetry_source | dosimetry_model |
                | A          | s1         | t1        | 200              | 5                      | 200            | 40                   | PET              | voxel           |
                | B          | s1         | t1        |                  | 5                      |                |                      |                  |                 |
                | C          | s1         | t1        | 200              |                        |                |                      |                  |                 |
                | D          | s1         | t1        | 1001             | 5                      |                |                      |                  |                 |
                | E          | s1         | t1        | 200              | 5                      | 90             |                      | MAA_SPECT        | partition       |
                | F          | s1         | t1        | 0                | 5                      |                |                      |                  |                 |
            """,
        },
        """
        | subject_id | compartment  | reference_volume   | mass_kg | dose_gy       | dose_gy_recorded | dosimetry_source | reason                    |
        | A          | target       | perfused volume    | 1.5     | 62.9153333333 | 63               | PET              |                           |
        | A          | tumour       | tumour in it       | 0.2     | 205.158695652 | 200              | PET              |                           |
        | A          | normal_liver | normal liver in it | 1.3     | 41.0317391304 | 40               | PET              |                           |
        | B          | target       | perfused volume    | 1       | 60            |                  |                  |                           |
        | B          | tumour       | tumour in it       |         |               |                  |                  | no_tumour_volume          |
        | B          | normal_liver | normal liver in it |         |               |                  |                  | no_tumour_volume          |
        | C          | target       | perfused volume    | 1       | 60            |                  |                  |                           |
        | C          | tumour       | tumour in it       | 0.2     |               |                  |                  | no_tumour_to_normal_ratio |
        | C          | normal_liver | normal liver in it | 0.8     |               |                  |                  | no_tumour_to_normal_ratio |
        | D          | target       | perfused volume    | 1       | 60            |                  |                  |                           |
        | D          | tumour       | tumour in it       | 1.001   |               |                  |                  | tumour_larger_than_target |
        | D          | normal_liver | normal liver in it | -0.001  |               |                  |                  | tumour_larger_than_target |
        | E          | target       | perfused volume    | 1       |               |                  | MAA_SPECT        | no_mean_dose              |
        | E          | tumour       | tumour in it       | 0.2     |               | 90               | MAA_SPECT        | no_mean_dose              |
        | E          | normal_liver | normal liver in it | 0.8     |               |                  | MAA_SPECT        | no_mean_dose              |
        | F          | target       | perfused volume    | 1       | 60            |                  |                  |                           |
        | F          | tumour       | tumour in it       | 0       |               |                  |                  | no_such_volume            |
        | F          | normal_liver | normal liver in it | 1       | 60            |                  |                  |                           |
        """,
        WATER,
    )


def test_activity_delivered_is_that_injected_less_what_is_left_of_that_planned() -> None:
    """2 GBq of which 5 % stay in the vial are 95 % of 2 GBq; without a residual it is not known.

    Of the liver a recorded volume says the share; a whole-liver target without one is all of it.
    """
    check(
        compartment_doses,
        {
            "treatment_targets": TARGETS,
            "treatments": """
                | subject_id | session_id | target_id | activity_planned_gbq | residual_fraction | liver_volume_ml |
                | A          | s1         | t1        | 2                    | 0.05              |                 |
                | B          | s1         | t1        | 1                    |                   | 1600            |
                | C          | s1         | t1        |                      | 0                 |                 |
            """,
        },
        """
        | subject_id | compartment  | activity_pct_of_planned | liver_pct |
        | A          | target       | 95                      | 100       |
        | A          | tumour       | 95                      | 100       |
        | A          | normal_liver | 95                      | 100       |
        | B          | target       |                         | 62.5      |
        | B          | tumour       |                         | 62.5      |
        | B          | normal_liver |                         | 62.5      |
        | C          | target       |                         |           |
        | C          | tumour       |                         |           |
        | C          | normal_liver |                         |           |
        """,
        WATER,
    )


COURSES = """
    | subject_id | session_number | target_number | course | device | lobe  | compartment  | mass_kg | dose_gy       | dose_gy_recorded | activity_pct_of_planned | liver_pct | source_row_id |
    | A          | 1              | 1             | 1      | glass  | right | target       | 1       | 100           | 110              | 90                      |           | treatments:1  |
    | A          | 1              | 1             | 1      | glass  | right | tumour       | 0.2     | 277.777777778 |                  |                         |           | treatments:1  |
    | A          | 1              | 1             | 1      | glass  | right | normal_liver | 0.8     | 55.5555555556 |                  |                         |           | treatments:1  |
    | A          | 2              | 1             | 1      | glass  | left  | target       | 0.5     | 60            | 50               | 100                     |           | treatments:2  |
    | A          | 2              | 1             | 1      | glass  | left  | tumour       | 0.1     | 128.571428571 |                  |                         |           | treatments:2  |
    | A          | 2              | 1             | 1      | glass  | left  | normal_liver | 0.4     | 42.8571428571 |                  |                         |           | treatments:2  |
    | B          | 1              | 1             | 1      | resin  | right | target       | 1       | 50            |                  |                         |           | treatments:3  |
    | B          | 2              | 1             | 1      | resin  | right | target       | 1       | 30            |                  |                         |           | treatments:4  |
    | C          | 1              | 1             | 1      | resin  | right | target       | 1       | 50            |                  |                         |           | treatments:5  |
    | C          | 2              | 1             | 1      | resin  | right | target       | 0.9     | 30            |                  |                         |           | treatments:6  |
    | D          | 1              | 1             | 1      | resin  | right | target       | 1       | 50            |                  |                         |           | treatments:7  |
    | D          | 1              | 1             | 1      | resin  | right | normal_liver | 0.8     | 40            | 44               |                         |           | treatments:7  |
    | D          | 2              | 1             | 2      | glass  | left  | target       | 0.5     | 60            |                  |                         |           | treatments:8  |
    | E          | 1              | 1             | 1      | resin  | whole | target       | 2       | 50            |                  |                         |           | treatments:9  |
    | E          | 2              | 1             | 1      | glass  | right | target       | 1       | 30            |                  |                         |           | treatments:10 |
"""
GIVEN = """
    | subject_id | session_id | target_id | activity_planned_gbq | segments | liver_volume_ml |
    | A          | s1         | t1        | 3                    |          |                 |
    | A          | s2         | t1        | 1                    |          |                 |
    | B          | s1         | t1        |                      |          | 1600            |
    | B          | s2         | t1        |                      |          | 1600            |
    | C          | s1         | t1        |                      |          |                 |
    | C          | s2         | t1        |                      |          |                 |
    | D          | s1         | t1        |                      |          |                 |
    | D          | s2         | t1        |                      |          |                 |
    | E          | s1         | t1        |                      |          |                 |
    | E          | s2         | t1        |                      |          |                 |
"""


def test_doses_of_a_course_are_energies_over_one_volume() -> None:
    """Gy of different volumes are never added, energies are.

    A's two lobes: (100 x 1 + 60 x 0.5) / 1.5 = 86.667 Gy; the tumour (277.778 x 0.2 + 128.571 x
    0.1) / 0.3 = 228.042; normal liver (55.556 x 0.8 + 42.857 x 0.4) / 1.2 = 51.323, which is all
    of it, as both lobes are the whole liver. 90 % of 3 and 100 % of 1 GBq planned are 92.5 %.

    B's lobe was treated twice: its Gy are added. C's lobe had another volume the second time: two
    volumes that share tissue have no common dose. D's second session is a re-treatment; its normal
    liver was treated in one lobe, and the mass of all of it is not delivered. E's lobe lies in its
    whole liver: (50 x 2 + 30 x 1) / 2 = 65, of two devices.
    """
    check(
        course_doses,
        {"compartment_doses": COURSES, "treatments": GIVEN},
        """
        | subject_id | compartment  | device | n_targets | reference_volume   | mass_kg | dose_gy       | dose_gy_recorded | activity_pct_of_planned | liver_pct | reason                            |
        | A          | target       | glass  | 2         | both lobes         | 1.5     | 86.6666666667 | 90               | 92.5                    | 100       |                                   |
        | A          | tumour       | glass  | 2         | both lobes         | 0.3     | 228.042328    |                  |                         |           |                                   |
        | A          | normal_liver | glass  | 2         | whole normal liver | 1.2     | 51.3227513    |                  |                         |           |                                   |
        | B          | target       | resin  | 2         | one target         | 1       | 80            |                  |                         | 62.5      |                                   |
        | C          | target       | resin  | 2         |                    |         |               |                  |                         |           | no_mass_of_one_volume             |
        | D          | target       | resin  | 1         | one target         | 1       | 50            |                  |                         |           |                                   |
        | D          | normal_liver | resin  | 1         |                    |         |               |                  |                         |           | no_mass_of_the_whole_normal_liver |
        | E          | target       | mixed  | 2         | whole liver        | 2       | 65            |                  |                         | 100       |                                   |
        """,
        WATER,
    )


def test_normal_liver_is_always_the_whole_of_it() -> None:
    """Also where one lobe was treated: the rest received nothing.

    A's energies of 61.587 Gy kg in 1.5 kg of normal liver are 41.058 Gy; D's 40 x 0.8 in 1.6 kg
    are 20, and 44 x 0.8 as recorded 22.
    """
    whole = GIVEN.replace("liver_volume_ml", "normal_liver_volume_ml")
    whole = whole.replace("3                    |          |                 |", "3 | | 1500 |")
    whole = whole.replace(
        "| D          | s1         | t1        |                      |          |                 |",
        "| D | s1 | t1 | | | 1600 |",
    )
    check(
        course_doses,
        {"compartment_doses": COURSES, "treatments": whole},
        """
        | subject_id | compartment  | mass_kg | dose_gy       | dose_gy_recorded | reference_volume   |
        | A          | target       | 1.5     | 86.6666666667 | 90               | both lobes         |
        | A          | tumour       | 0.3     | 228.042328    |                  | both lobes         |
        | A          | normal_liver | 1.5     | 41.0582011    |                  | whole normal liver |
        | B          | target       | 1       | 80            |                  | one target         |
        | C          | target       |         |               |                  |                    |
        | D          | target       | 1       | 50            |                  | one target         |
        | D          | normal_liver | 1.6     | 20            | 22               | whole normal liver |
        | E          | target       | 2       | 65            |                  | whole liver        |
        """,
        WATER,
    )


def test_two_segments_of_two_lobes_are_not_the_whole_liver() -> None:
    """They are two volumes without common tissue; the rest of the normal liver is not known."""
    check(
        course_doses,
        {
            "compartment_doses": "\n".join(COURSES.splitlines()[:8]),
            "treatments": """
                | subject_id | session_id | target_id | segments |
                | A          | s1         | t1        | 5        |
                | A          | s2         | t1        | 2        |
            """,
        },
        """
        | subject_id | compartment  | dose_gy       | liver_pct | reason                            |
        | A          | target       | 86.6666666667 |           |                                   |
        | A          | tumour       | 228.042328    |           |                                   |
        | A          | normal_liver |               |           | no_mass_of_the_whole_normal_liver |
        """,
        WATER,
    )


MEMBERS = "| population | subject_id |\n| all | A |\n| all | B |\n| all | D |"
SUMMARISED = {
    "compartment_doses": """
        | subject_id | session_number | target_number | device | compartment | dose_gy | dose_gy_recorded | liver_pct |
        | A          | 1              | 1             | glass  | target      | 100     | 110              | 60        |
        | A          | 1              | 1             | glass  | tumour      | 200     |                  |           |
        | A          | 2              | 1             | glass  | target      | 60      |                  | 40        |
        | B          | 1              | 1             | resin  | target      | 50      |                  |           |
        | D          | 1              | 1             | unknown | target     | 70      |                  |           |
    """,
    "session_doses": """
        | subject_id | session_number | device | compartment | dose_gy |
        | A          | 1              | glass  | target      | 100     |
        | A          | 2              | glass  | target      | 60      |
        | B          | 1              | resin  | target      | 50      |
    """,
    "course_doses": """
        | subject_id | device | compartment | dose_gy |
        | A          | glass  | target      | 90      |
        | B          | mixed  | target      | 50      |
    """,
}


def test_devices_are_never_pooled() -> None:
    """Two targets of glass have a median of 80; B's resin stands alone, as does D's unknown."""
    found = run(compartment_dosimetry, {**SUMMARISED, "population_members": MEMBERS})
    by_key = {(r["device"], r["measure"], r["grain"]): r for r in found}
    assert _told(by_key["glass", "target_dose_gy", "target"]) == (2, 2, 80, 60, 100, None)
    assert _told(by_key["glass", "target_dose_gy_recorded", "target"]) == (
        1,
        2,
        110,
        110,
        110,
        None,
    )
    assert _told(by_key["resin", "target_dose_gy", "target"]) == (1, 1, 50, 50, 50, None)
    assert _told(by_key["glass", "target_dose_gy", "session"]) == (2, 2, 80, 60, 100, None)
    assert _told(by_key["resin", "target_dose_gy", "session"]) == (1, 1, 50, 50, 50, None)
    assert _told(by_key["mixed", "target_dose_gy", "subject"]) == (1, 1, 50, 50, 50, None)
    assert _told(by_key["unknown", "target_dose_gy", "target"]) == (1, 1, 70, 70, 70, None)
    assert _told(by_key["glass", "liver_pct", "target"]) == (2, 2, 50, 40, 60, None)
    nothing = (0, 0, None, None, None, "no target with a known value")
    assert _told(by_key["resin", "tumour_dose_gy", "target"]) == nothing


def _told(row: Row) -> tuple[object, ...]:
    return tuple(row[n] for n in ("n", "total", "median", "minimum", "maximum", "reason"))


def test_members_are_the_patients_with_a_value() -> None:
    found = run(compartment_dosimetry_sets, SUMMARISED)
    assert {(r["set_id"], r["subject_id"]) for r in found} == {
        ("compartment_dosimetry.glass.target_dose_gy.target", "A"),
        ("compartment_dosimetry.glass.target_dose_gy_recorded.target", "A"),
        ("compartment_dosimetry.glass.tumour_dose_gy.target", "A"),
        ("compartment_dosimetry.glass.liver_pct.target", "A"),
        ("compartment_dosimetry.resin.target_dose_gy.target", "B"),
        ("compartment_dosimetry.unknown.target_dose_gy.target", "D"),
        ("compartment_dosimetry.glass.target_dose_gy.session", "A"),
        ("compartment_dosimetry.resin.target_dose_gy.session", "B"),
        ("compartment_dosimetry.glass.target_dose_gy.subject", "A"),
        ("compartment_dosimetry.mixed.target_dose_gy.subject", "B"),
    }

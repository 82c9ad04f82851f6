"""To which level of a prognostic factor a patient belongs."""

from schemas.settings import SurvivalSettings
from tests.support.pipe_tables import check
from transforms.baseline.factors import factor_levels


def test_each_prognostic_factor_has_a_good_level_and_a_bad_one() -> None:
    """ECOG 0, burden up to 25 %, albumin above 3.5 g/dL, bilirubin up to 1.2 mg/dL are good.

    The good level is the reference, so that a hazard ratio above 1 means worse.
    Source: Memon 2012, univariate analysis.
    """
    check(
        factor_levels,
        {
            "subjects": """
                | subject_id | ecog | tumour_burden_category | albumin_gt_3_5 | bilirubin_le_1_2 |
                | A          | 0    | 0-25                   | yes            | yes              |
                | B          | 1    | 26-50                  | no             | no               |
                | C          | 4    | 76-100                 |                |                  |
            """
        },
        """
        | subject_id | factor   | factor_level | level_number | bad |
        | A          | ecog0    | 0            | 0            | no  |
        | A          | burden25 | <=25         | 0            | no  |
        | A          | alb35    | >3.5         | 0            | no  |
        | A          | bili12   | <=1.2        | 0            | no  |
        | A          | site     | s1           | 0            |     |
        | B          | ecog0    | >=1          | 1            | yes |
        | B          | burden25 | >25          | 1            | yes |
        | B          | alb35    | <=3.5        | 1            | yes |
        | B          | bili12   | >1.2         | 1            | yes |
        | B          | site     | s1           | 0            |     |
        | C          | ecog0    | >=1          | 1            | yes |
        | C          | burden25 | >25          | 1            | yes |
        | C          | site     | s1           | 0            |     |
        """,
    )


def test_a_setting_moves_bilirubin_of_exactly_the_limit_to_the_bad_level() -> None:
    """The review prints `<= 1.2` twice and `< 1.2` once; the levels then say which was used."""
    check(
        factor_levels,
        {
            "subjects": """
                | subject_id | site_id | bilirubin_le_1_2 | bilirubin_lt_1_2 |
                | A          |         | yes              | no               |
                | B          |         | yes              | yes              |
            """
        },
        """
        | subject_id | factor | factor_level | bad |
        | A          | bili12 | >=1.2        | yes |
        | B          | bili12 | <1.2         | no  |
        """,
        SurvivalSettings(bilirubin_good_includes_limit=False),
    )


def test_levels_without_an_order_are_numbered_and_neither_is_bad() -> None:
    """An unknown primary has no level: it is missing, not `other`. Groups stand as delivered."""
    check(
        factor_levels,
        {
            "subjects": """
                | subject_id | site_id | primary_site | extrahepatic_disease | reported_group |
                | A          | north   | unknown      | none                 | placebo        |
                | B          | east    | lung         | minimal              | everolimus     |
                | C          | north   | pancreas     | unknown              |                |
            """
        },
        """
        | subject_id | factor       | factor_level | level_number | bad |
        | A          | extrahepatic | none         | 0            |     |
        | A          | site         | north        | 1            |     |
        | A          | group        | placebo      | 1            |     |
        | B          | primary_site | other        | 2            |     |
        | B          | extrahepatic | minimal      | 1            |     |
        | B          | site         | east         | 0            |     |
        | B          | group        | everolimus   | 0            |     |
        | C          | primary_site | pancreas     | 0            |     |
        | C          | site         | north        | 1            |     |
        """,
    )

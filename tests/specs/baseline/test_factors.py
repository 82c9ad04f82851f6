"""To which level of a prognostic factor a patient belongs."""

from schemas.sections.prognosis import PrognosisSettings
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


def test_limits_of_ki_67_grade_and_age_are_exact_and_missing_is_no_level() -> None:
    """Ki-67 of 3 and of 20 belong to the middle level, 65 years to the second one.

    Source: WHO Classification of Tumours, Digestive System Tumours, 5th ed. 2019 (grade 1 below
    3 %, grade 2 from 3 to 20 %, grade 3 above).
    """
    check(
        factor_levels,
        {
            "subjects": """
                | subject_id | site_id | ki67_pct  | tumour_grade | age_years |
                | A          |         | 2.999999  | G1           | 64        |
                | B          |         | 3         | G2           | 65        |
                | C          |         | 20        | G3           | 66        |
                | D          |         | 20.000001 | NEC          |           |
                | E          |         |           | unknown      |           |
            """
        },
        """
        | subject_id | factor       | factor_level | level_number | bad |
        | A          | ki67         | <3           | 0            |     |
        | A          | tumour_grade | G1           | 0            |     |
        | A          | age          | <65          | 0            | no  |
        | B          | ki67         | 3-20         | 1            |     |
        | B          | tumour_grade | G2           | 1            |     |
        | B          | age          | >=65         | 1            | yes |
        | C          | ki67         | 3-20         | 1            |     |
        | C          | tumour_grade | G3           | 2            |     |
        | C          | age          | >=65         | 1            | yes |
        | D          | ki67         | >20          | 2            |     |
        | D          | tumour_grade | NEC          | 3            |     |
        """,
    )


def test_what_is_recorded_as_yes_or_no_has_two_levels_and_neither_is_bad() -> None:
    """Hormones, ascites, sex, ALBI grade, device of T0 and each class of prior therapy.

    Slight ascites is ascites. A class that a site cannot tell of is missing.
    """
    check(
        factor_levels,
        {
            "subjects": """
                | subject_id | site_id | functioning | ascites | sex    | albi_grade | device_at_t0 | prior_liver_directed | prior_prrt |
                | A          |         | no          | none    | female | 1          | glass        | no                   | yes        |
                | B          |         | yes         | slight  | male   | 3          | mixed        | yes                  |            |
            """
        },
        """
        | subject_id | factor               | factor_level    | level_number | bad |
        | A          | functioning          | non-functioning | 0            |     |
        | A          | ascites              | none            | 0            |     |
        | A          | sex                  | female          | 0            |     |
        | A          | albi                 | 1               | 0            |     |
        | A          | device               | glass           | 0            |     |
        | A          | prior_liver_directed | no              | 0            |     |
        | A          | prior_prrt           | yes             | 1            |     |
        | B          | functioning          | functioning     | 1            |     |
        | B          | ascites              | any             | 1            |     |
        | B          | sex                  | male            | 1            |     |
        | B          | albi                 | 3               | 2            |     |
        | B          | device               | mixed           | 2            |     |
        | B          | prior_liver_directed | yes             | 1            |     |
        """,
    )


def test_a_setting_names_the_factors_beside_the_four_of_the_series() -> None:
    """Those four are always there; of the others none is asked for here but PRRT."""
    check(
        factor_levels,
        {
            "subjects": """
                | subject_id | ecog | sex  | prior_prrt | prior_surgery | prior_somatostatin_analogue | prior_chemotherapy | prior_targeted | prior_radiotherapy | prior_other |
                | A          | 0    | male | yes        | yes           | yes                         | yes                | yes            | yes                | yes         |
            """
        },
        """
        | subject_id | factor     | factor_level |
        | A          | ecog0      | 0            |
        | A          | prior_prrt | yes          |
        """,
        PrognosisSettings(factors=("prior_prrt",)),
    )

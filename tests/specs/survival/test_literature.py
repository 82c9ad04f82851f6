"""Published figures beside our own statistics of the same definition."""

import functools
import inspect
from typing import Any

import ibis.expr.types as ir

from analytics.published.literature import literature_comparison
from analytics.published.literature_figures import FIGURES
from tests.support.pipe_tables import check

EVERYONE = "| population | subject_id |\n| all | A |"


def only(*figures: str) -> Any:
    """The comparison, showing some of its figures."""

    @functools.wraps(literature_comparison)
    def chosen(**arguments: Any) -> ir.Table:
        table = literature_comparison(**arguments)
        return table.filter(table.figure_id.isin(figures))

    return chosen


def test_our_estimate_stands_in_the_published_unit_beside_the_printed_one() -> None:
    """Survival is a proportion here and a percentage in print; the interval goes with it.

    Source: Memon 2012 (F33: 72.5 % at one year, 29 of 40 derived).
    """
    check(
        only("F33"),
        {
            "population_members": EVERYONE,
            "survival_landmarks": """
                | statistic_id                                         | survival | lower | upper |
                | survival_landmarks.all.os.subject.overall.overall.12 | 0.75     | 0.5   | 0.875 |
                | survival_landmarks.all.os.subject.overall.overall.24 | 0.25     | 0.1   | 0.5   |
            """,
        },
        """
        | population | figure_id | series     | published | published_n | published_total | unit | own_value | own_lower | own_upper |
        | all        | F33       | Memon 2012 | 72.5      | 29          | 40              | %    | 75        | 50        | 87.5      |
        """,
    )


def test_the_limits_of_a_hazard_ratio_are_not_set_beside_a_p_value() -> None:
    """The table's limits are those of the ratio; a p-value has none."""
    check(
        only("F39"),
        {
            "population_members": EVERYONE,
            "prognosis_univariate": """
                | statistic_id                             | p     | hr  | lower | upper |
                | prognosis_univariate.all.os.bili12.gt1_2  | 0.004 | 3.9 | 1.5   | 9.9   |
            """,
        },
        """
        | figure_id | published | unit | own_value | own_lower | own_upper |
        | F39       | 0.002     | p    | 0.004     |           |           |
        """,
    )


def test_a_figure_that_a_registry_cannot_answer_keeps_its_row() -> None:
    """Nothing of ours stands beside it: an empty cell, not a zero. What they counted is said.

    Kennedy's 60.5 % are the partial responses alone, of 185 procedures and not of 148 patients.
    Source: Kennedy 2008, abstract.
    """
    check(
        only("C02b"),
        {"population_members": EVERYONE},
        """
        | figure_id | series       | published | published_n | published_total | own_statistic_id                           | own_value |
        | C02b      | Kennedy 2008 | 60.5      | 112         | 185             | response_summary.all.who.subject.all.all.unconfirmed.pr |      |
        """,
    )


def test_later_series_stand_beside_ours_in_their_own_unit() -> None:
    """42 months are 3.5 years; deaths by a day are a share of whoever was followed to it.

    Source: Braat 2020 (3.5 years); Helmberger 2021 (1.0 % of 1,027, all tumours); Brown 2021 (91 of
    614 dead at 6 months; 7 from liver decompensation), abstracts.
    """
    check(
        only("B01a", "R02b", "R03a"),
        {
            "population_members": EVERYONE,
            "survival_medians": """
                | statistic_id                                                 | median_months | lower | upper |
                | survival_medians.all.os.subject.overall.overall.midpoint | 42            | 24    | 60    |
            """,
            "early_mortality": """
                | statistic_id            | pct | lower | upper |
                | early_mortality.all.30  | 2.5 | 0.1   | 13.2  |
                | early_mortality.all.180 | 20  | 9     | 36    |
            """,
        },
        """
        | figure_id | published | published_n | published_total | unit  | own_value | own_lower | own_upper |
        | B01a      | 3.5       |             | 44              | years | 3.5       | 2         | 5         |
        | R02b      | 1.0       |             | 1027            | %     | 2.5       | 0.1       | 13.2      |
        | R03a      | 14.8      | 91          | 614             | %     | 20        | 9         | 36        |
        """,
    )


def test_every_figure_asks_a_table_that_the_comparison_reads() -> None:
    """A figure is named once, and its statistic's table is among those compared."""
    read = set(inspect.signature(literature_comparison).parameters)
    assert {figure.own.split(".")[0] for figure in FIGURES} <= read
    assert len({figure.figure_id for figure in FIGURES}) == len(FIGURES)
    quoted = {f.figure_id: f.note for f in FIGURES if f.figure_id.startswith("C0")}
    assert all(note.startswith(figure_id[:3]) for figure_id, note in quoted.items())

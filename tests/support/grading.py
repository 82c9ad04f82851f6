"""How the specs of laboratory toxicity grade: in each version alone."""

from schemas.settings import ToxicitySettings
from tests.support.pipe_tables import check
from transforms.toxicity.lab_grades import lab_grades

T0 = """
    | subject_id | t0_date |
    | A          | d0      |
"""
ALL = ("3.0", "4.03", "5.0")


def graded(versions: tuple[str, ...], labs: str, expected: str, **tables: str) -> None:
    """Grade the results in each version; the same table is expected of each."""
    for version in versions:
        given = {"labs": labs, "anchors": T0} | tables
        check(lab_grades, given, expected, ToxicitySettings(ctcae_versions=(version,)))

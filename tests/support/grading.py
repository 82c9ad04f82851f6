"""How the specs of laboratory toxicity grade: in each version alone."""

from collections.abc import Iterator
from decimal import Decimal

from schemas.settings import ToxicitySettings
from tests.support.pipe_tables import check
from transforms.toxicity.lab_grades import lab_grades

T0 = """
    | subject_id | t0_date |
    | A          | d0      |
"""
ALL = ("3.0", "4.03", "5.0")
"""The versions with the same thresholds of most analytes; 6.0 has specifications of its own."""
STEP = Decimal("0.001")


def graded(versions: tuple[str, ...], labs: str, expected: str, **tables: str) -> None:
    """Grade the results in each version; the same table is expected of each."""
    for version in versions:
        given = {"labs": labs, "anchors": T0} | tables
        check(lab_grades, given, expected, ToxicitySettings(ctcae_versions=(version,)))


def straddled(
    version: str, rising: str, falling: str, baseline_labs: str = "", medications: str = ""
) -> None:
    """Grade three results around each bound: analyte, unit, limit, bounds of grade 1 to 4."""
    results = [*_results(rising, 1), *_results(falling, -1)]
    labs = "| subject_id | lab_date | analyte | value | unit | upper_limit | lower_limit |\n"
    labs += "\n".join(f"| A | d1 | {name} | {value} | {how} |" for name, value, how, _ in results)
    expected = "| analyte | value | grade |\n"
    expected += "\n".join(f"| {name} | {value} | {grade} |" for name, value, _, grade in results)
    others = {"baseline_labs": baseline_labs, "medications": medications}
    given = {"labs": labs, "anchors": T0} | {n: text for n, text in others.items() if text}
    check(lab_grades, given, expected, ToxicitySettings(ctcae_versions=(version,)))


def _results(bounds: str, worse: int) -> Iterator[tuple[str, str, str, int]]:
    for line in filter(None, map(str.strip, bounds.splitlines())):
        name, unit, limit, *grades = (cell.strip() for cell in line.strip("|").split("|"))
        how = f"{unit} | {limit} |" if worse > 0 else f"{unit} | | {limit}"
        milder = 0
        for grade, printed in enumerate(grades, start=1):
            if printed:
                bound = Decimal(printed.removeprefix(">= "))
                at = grade if printed.startswith(">=") else milder
                yield name, f"{bound - worse * STEP:f}", how, milder
                yield name, f"{bound:f}", how, at
                yield name, f"{bound + worse * STEP:f}", how, grade
                milder = grade

"""Deliberate faults of meaning, each with the one file of tests that must notice it by itself."""

from pathlib import Path
from typing import NamedTuple

from tests.mutants.operators import Mutant

RESPONSE = ("tests/properties/test_response.py",)
DOSES = ("tests/properties/test_dosimetry.py",)
TOXICITY = ("tests/properties/test_toxicity.py",)


class Fault(NamedTuple):
    """A change of meaning, as text."""

    meaning: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


FAULTS = (
    Fault(
        "the nadir looks at later scans too",
        "transforms/response/lesion_assessments.py",
        'smallest = {m: compared[f"{name}_of_{m}"].min().over(before) for m in MODALITIES}',
        'smallest = {m: compared[f"{name}_of_{m}"].min().over(ibis.window(group_by=_LESION)) '
        "for m in MODALITIES}",
        RESPONSE,
    ),
    Fault(
        "WHO progression needs 300 mm2 of growth besides",
        "transforms/response/ladder.py",
        "criterion.least_growth_mm * MILLIONTHS)",
        "(300 if criterion.code == 'WHO' else criterion.least_growth_mm) * MILLIONTHS)",
        RESPONSE,
    ),
)


def located(root: Path, fault: Fault) -> Mutant:
    """The fault as a mutant of its file, in which its text stands once."""
    source = (root / fault.path).read_bytes()
    start = source.find(fault.old.encode())
    assert source.count(fault.old.encode()) == 1, f"{fault.path}: not once: {fault.old}"
    return Mutant(
        path=fault.path,
        line=source.count(b"\n", 0, start) + 1,
        column=0,
        operator="deliberate",
        old=fault.old,
        new=fault.new,
        start=start,
        function=fault.meaning,
    )

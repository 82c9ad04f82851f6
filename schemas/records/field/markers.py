"""Tumour markers: what is measured in blood or urine and is followed, never graded.

A record is a name that centres write in many ways; limits and units are those of each delivered
result. Results are compared only in one unit, so that no assay's factor is assumed and a result in
urine never meets one in plasma.

Source: PMC8159831 (184 patients with neuroendocrine tumours of the small intestine): chromogranin A
in blood and 5-HIAA in urine follow treatment. Names and units are those of laboratory reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.records.record import checked
from schemas.words import plain_name

SERIES = "PMC8159831 (184 patients with neuroendocrine tumours of the small intestine)"


@dataclass(frozen=True, slots=True)
class Marker:
    """One tumour marker.

    Attributes:
        code: As in `labs.analyte`.
        label: In words.
        units: UCUM units in which laboratories report it.
        source: Who follows it.
        synonyms: What else centres call it, in German, French, Italian, Spanish and Dutch too.
    """

    code: str
    label: str
    units: tuple[str, ...]
    source: str
    synonyms: tuple[str, ...] = ()

    def plain_names(self) -> tuple[str, ...]:
        """The plain form (`plain_name`) of everything that means this marker, in order."""
        return tuple(sorted(set(map(plain_name, (self.code, self.label, *self.synonyms)))))


RECORDS: tuple[Marker, ...] = checked(
    "field/markers",
    (
        Marker(
            "chromogranin_a",
            "Chromogranin A",
            ("ug/L", "ng/L", "nmol/L", "pmol/L", "U/L"),
            SERIES,
            synonyms=(
                "CgA",
                "chromogranine A",
                "cromogranina A",
                "chromogranin A serum",
                "serum chromogranin A",
                "plasma chromogranin A",
            ),
        ),
        Marker(
            "5_hiaa",
            "5-hydroxyindoleacetic acid",
            ("mg/d", "umol/d", "mg/L", "umol/L", "nmol/L", "ug/L", "mg/g", "umol/mmol"),
            SERIES,
            synonyms=(
                "5-HIAA",
                "5-HIES",
                "5-HIE",
                "HIAA",
                "urinary 5-HIAA",
                "5-HIAA urine",
                "plasma 5-HIAA",
                "5-hydroxyindolessigsäure",
                "acide 5-hydroxyindolacétique",
                "5-HIA",
                "acido 5-idrossiindolacetico",
                "ácido 5-hidroxiindolacético",
                "5-hydroxyindolazijnzuur",
            ),
        ),
    ),
    code=lambda r: r.code,
    source=lambda r: r.source,
)

MARKERS: tuple[str, ...] = tuple(r.code for r in RECORDS)
MARKER_NAMES: Mapping[str, tuple[str, ...]] = {r.code: r.plain_names() for r in RECORDS}
"""Marker -> the plain forms of what it is called."""
MARKER_LABELS: Mapping[str, str] = {r.code: r.label for r in RECORDS}

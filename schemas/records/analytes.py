"""What is measured in blood: one record an analyte, and every list of analytes made from them.

Factors are those of the CDISC pilot's laboratory data (bilirubin 17.1, creatinine 88.4); counts and
enzyme units are powers of ten and sixty. A converted value is for display: limits are compared in
the unit delivered. Test codes are those of CDISC's controlled terminology (LBTESTCD). Synonyms
are names of the CDISC pilot's laboratory data and of German, French, Italian, Spanish and Dutch
laboratory reports; total and direct bilirubin are not one analyte.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from schemas.records.record import checked, in_order
from schemas.records.units import COUNT, ENZYME, MASS, SPELLINGS
from schemas.words import plain_name

F = Fraction

PILOT = "CDISC pilot laboratory data (factors); this registry (plausible results)"
LIVING = "a result outside is unusual and warned of: perhaps a wrong exponent or unit"


@dataclass(frozen=True, slots=True)
class Analyte:
    """One analyte.

    Attributes:
        code: As in `labs.analyte`.
        label: In words.
        cdisc: Test code of CDISC (LBTESTCD), at most eight characters.
        unit: UCUM unit in which the absolute thresholds of criteria are defined.
        factors: UCUM unit -> value in `unit` = value * factor; `unit` itself is 1.
        worse: Which results are graded: the high or the low ones.
        plausible: Least and greatest usual result, in `unit`; one outside is warned of.
        source: Where factors and plausible results stand.
        synonyms: What else centres call it, in German, French, Italian, Spanish and Dutch too.
        cells: A count of cells, which a percentage is not.
        note: What the plausible results mean.
    """

    code: str
    label: str
    cdisc: str
    unit: str
    factors: Mapping[str, Fraction]
    worse: Literal["high", "low"]
    plausible: tuple[Fraction, Fraction]
    source: str
    synonyms: tuple[str, ...] = ()
    cells: bool = False
    note: str = LIVING

    def plain_names(self) -> tuple[str, ...]:
        """The plain form (`plain_name`) of everything that means this analyte, in order."""
        names = (self.code, self.label, self.cdisc, *self.synonyms)
        return tuple(sorted(set(map(plain_name, names))))


def _problems(record: Analyte) -> Iterator[str]:
    """What is wrong with an analyte beside its code and source."""
    if record.factors.get(record.unit) != 1:
        yield f"its unit {record.unit} has no factor 1. Add it to `factors`."
    for unit in record.factors:
        if unit not in SPELLINGS.values():
            yield f"unit {unit} is not known. Add its spelling to schemas/records/units.py."
    if not (record.cdisc.isalnum() and record.cdisc.isupper() and len(record.cdisc) <= 8):
        yield "no CDISC test code. Give `cdisc` LBTESTCD, at most eight capitals and digits."
    yield from in_order(record.plausible, "the plausible results")


RECORDS: tuple[Analyte, ...] = checked(
    "analytes",
    (
        Analyte(
            "bilirubin",
            "Bilirubin, total",
            "BILI",
            "mg/dL",
            {"mg/dL": F(1), "umol/L": F(10, 171), "mg/L": F(1, 10)},
            "high",
            (F("0.1"), F(50)),
            PILOT,
            synonyms=(
                "bili",
                "tbil",
                "tbili",
                "bilirubin total",
                "total bilirubin",
                "bilirubin gesamt",
                "gesamtbilirubin",
                "bilirubine",
                "bilirubine totale",
                "bilirubina",
                "bilirubina totale",
                "bilirubina total",
                "bilirubine totaal",
                "totaal bilirubine",
            ),
            note="the registry's decision",
        ),
        Analyte(
            "albumin",
            "Albumin",
            "ALB",
            "g/dL",
            MASS,
            "low",
            (F(1), F(6)),
            PILOT,
            synonyms=(
                "alb",
                "albumin serum",
                "serum albumin",
                "albumine",
                "albumina",
                "sérum albumine",
            ),
            note="the registry's decision",
        ),
        Analyte(
            "ast",
            "Aspartate aminotransferase",
            "AST",
            "U/L",
            ENZYME,
            "high",
            (F(1), F(20_000)),
            PILOT,
            synonyms=(
                "asat",
                "got",
                "sgot",
                "ast got",
                "asat got",
                "ast sgot",
                "aspartate aminotransferase",
                "aspartate transaminase",
                "aspartataminotransferase",
                "aspartat aminotransferase",
            ),
        ),
        Analyte(
            "alt",
            "Alanine aminotransferase",
            "ALT",
            "U/L",
            ENZYME,
            "high",
            (F(1), F(20_000)),
            PILOT,
            synonyms=(
                "alat",
                "gpt",
                "sgpt",
                "alt gpt",
                "alat gpt",
                "alt sgpt",
                "alanine aminotransferase",
                "alanine transaminase",
                "alaninaminotransferase",
                "alanin aminotransferase",
            ),
        ),
        Analyte(
            "alp",
            "Alkaline phosphatase",
            "ALP",
            "U/L",
            ENZYME,
            "high",
            (F(1), F(10_000)),
            PILOT,
            synonyms=(
                "ap",
                "alk phos",
                "alkp",
                "alkphos",
                "alkaline phosphatase",
                "alkalische phosphatase",
                "phosphatase alcaline",
                "phosphatases alcalines",
                "pal",
                "fosfatasi alcalina",
                "fosfatasa alcalina",
                "alkalische fosfatase",
                "af",
            ),
        ),
        Analyte(
            "ggt",
            "Gamma glutamyl transferase",
            "GGT",
            "U/L",
            ENZYME,
            "high",
            (F(1), F(20_000)),
            PILOT,
            synonyms=(
                "gamma gt",
                "γ gt",
                "γgt",
                "gammagt",
                "gamma glutamyl transferase",
                "gamma glutamyltransferase",
                "gamma glutamyl transpeptidase",
                "gamma glutamyltranspeptidase",
            ),
        ),
        Analyte(
            "inr",
            "International normalised ratio",
            "INR",
            "1",
            {"1": F(1)},
            "high",
            (F("0.5"), F(20)),
            PILOT,
            synonyms=(
                "pt inr",
                "inr pt",
                "inr value",
                "international normalized ratio",
                "international normalised ratio",
            ),
        ),
        Analyte(
            "creatinine",
            "Creatinine",
            "CREAT",
            "mg/dL",
            {"mg/dL": F(1), "umol/L": F(10, 884), "mg/L": F(1, 10)},
            "high",
            (F("0.1"), F(30)),
            PILOT,
            synonyms=(
                "crea",
                "creat",
                "creatinine serum",
                "serum creatinine",
                "kreatinin",
                "créatinine",
                "creatinina",
                "kreatinine",
            ),
        ),
        Analyte(
            "haemoglobin",
            "Haemoglobin",
            "HGB",
            "g/dL",
            {"g/dL": F(1), "g/L": F(1, 10), "mmol/L": F(10_000, 6206)},
            "low",
            (F(2), F(25)),
            PILOT,
            synonyms=(
                "hb",
                "hgb",
                "hemoglobin",
                "hämoglobin",
                "haemoglobine",
                "hémoglobine",
                "emoglobina",
                "hemoglobina",
                "hemoglobine",
            ),
        ),
        Analyte(
            "wbc",
            "White blood cells",
            "WBC",
            "10*9/L",
            COUNT,
            "low",
            (F(0), F(500)),
            PILOT,
            synonyms=(
                "white blood cells",
                "white blood cell count",
                "white cell count",
                "leukocytes",
                "leucocytes",
                "leukozyten",
                "leukocyten",
                "leucociti",
                "globuli bianchi",
                "leucocitos",
                "globules blancs",
                "leuko",
                "leukos",
            ),
            cells=True,
        ),
        Analyte(
            "neutrophils",
            "Neutrophils",
            "NEUT",
            "10*9/L",
            COUNT,
            "low",
            (F(0), F(200)),
            PILOT,
            synonyms=(
                "neut",
                "anc",
                "absolute neutrophil count",
                "neutrophils absolute",
                "absolute neutrophils",
                "neutrophile",
                "neutrophile absolut",
                "polynucléaires neutrophiles",
                "neutrofili",
                "neutrófilos",
                "neutrofielen",
                "neutrophil count",
            ),
            cells=True,
        ),
        Analyte(
            "lymphocytes",
            "Lymphocytes",
            "LYM",
            "10*9/L",
            COUNT,
            "low",
            (F(0), F(20)),
            PILOT,
            synonyms=(
                "lymph",
                "alc",
                "absolute lymphocyte count",
                "lymphocytes absolute",
                "absolute lymphocytes",
                "lymphozyten",
                "lymphozyten absolut",
                "linfociti",
                "linfocitos",
                "lymfocyten",
                "lymphocyte count",
            ),
            cells=True,
            note="the registry's decision",
        ),
        Analyte(
            "platelets",
            "Platelets",
            "PLAT",
            "10*9/L",
            COUNT,
            "low",
            (F(1), F(2000)),
            PILOT,
            synonyms=(
                "plt",
                "platelet count",
                "thrombocytes",
                "thrombozyten",
                "plaquettes",
                "piastrine",
                "plaquetas",
                "trombocyten",
                "thrombo",
            ),
            cells=True,
            note="the registry's decision",
        ),
    ),
    code=lambda r: r.code,
    source=lambda r: r.source,
    problems=_problems,
)

BY_CODE: Mapping[str, Analyte] = {r.code: r for r in RECORDS}
ANALYTES: tuple[str, ...] = tuple(BY_CODE)
LAB_UNITS: Mapping[str, Mapping[str, Fraction]] = {r.code: r.factors for r in RECORDS}
"""Analyte -> UCUM unit -> factor: value in the canonical unit = value * factor."""
CANONICAL_LAB_UNIT: Mapping[str, str] = {r.code: r.unit for r in RECORDS}
WINDOWS: Mapping[str, tuple[Fraction, Fraction]] = {r.code: r.plausible for r in RECORDS}
"""Analyte -> least and greatest usual result in its canonical unit.

They warn, as living patients lie outside: seven of the Mayo Clinic's trial in primary biliary
cholangitis have an ALP of 10,165 to 13,862 U/L at baseline (Therneau and Grambsch 2000).
"""
FALLING_IS_WORSE = tuple(r.code for r in RECORDS if r.worse == "low")
"""Of these analytes the low values are graded, of the others the high ones."""
COUNTS = tuple(r.code for r in RECORDS if r.cells)
NAMES: Mapping[str, tuple[str, ...]] = {r.code: r.plain_names() for r in RECORDS}
"""Analyte -> the plain forms of what it is called."""
TEST_CODES: Mapping[str, str] = {r.code: r.cdisc for r in RECORDS}
"""Analyte -> CDISC test code."""

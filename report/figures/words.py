"""Codes in the reader's words: variables, levels, endpoints, abbreviations."""

import re
from dataclasses import dataclass

from schemas.records.endpoints import LABEL
from schemas.records.factors import BY_CODE, FACTORS


@dataclass(frozen=True, slots=True)
class Variable:
    """A baseline variable as Table 1 prints it.

    `yes` is the level that alone is printed of a variable of two levels.
    """

    code: str
    label: str
    digits: int = 1
    yes: str = ""


GROUPS: tuple[tuple[str, tuple[Variable, ...]], ...] = (
    (
        "Demographics",
        (Variable("age_years", "Age, years", 0), Variable("sex", "Sex")),
    ),
    (
        "Disease",
        (
            Variable("primary_site", "Primary tumour"),
            Variable("tumour_grade", "Tumour grade"),
            Variable("ki67_pct", "Ki-67, %"),
            Variable("functioning", "Functioning tumour", yes="true"),
            Variable("carcinoid_symptoms", "Carcinoid symptoms", yes="true"),
            Variable("extrahepatic_disease", "Disease outside the liver"),
            Variable("tumour_burden_pct", "Tumour burden, % of the liver", 0),
            Variable("tumour_burden_category", "Tumour burden, % of the liver, by category"),
            Variable("n_lesions", "Measured lesions", 0),
            Variable("bilobar", "Disease in both lobes", yes="true"),
            Variable("prior_liver_directed", "Earlier liver-directed therapy", yes="true"),
            Variable("prior_systemic", "Earlier systemic therapy", yes="true"),
            Variable("octreotide_continued", "Octreotide continued", yes="true"),
        ),
    ),
    (
        "Condition and liver function",
        (
            Variable("ecog", "ECOG performance status"),
            Variable("bilirubin_mg_dl", "Bilirubin, mg/dL"),
            Variable("albumin_g_dl", "Albumin, g/dL"),
            Variable("inr", "INR"),
            Variable("lymphocytes_10e9_l", "Lymphocytes, 10⁹/L"),
            Variable("albi_score", "ALBI score", 2),
            Variable("albi_grade", "ALBI grade"),
            Variable("child_pugh_class", "Child-Pugh class"),
            Variable("child_pugh_points", "Child-Pugh points", 0),
            Variable("ascites", "Ascites"),
            Variable("encephalopathy_grade", "Encephalopathy grade"),
        ),
    ),
    (
        "Treatment",
        (
            Variable("device", "Microspheres"),
            Variable("n_sessions", "⁹⁰Y sessions", 0),
            Variable("staged", "Lobes treated one after the other", yes="true"),
            Variable("octreotide_prophylaxis", "Octreotide as prophylaxis", yes="true"),
        ),
    ),
)
"""What Table 1 holds, in the order of the field."""
BESIDE_TABLE_1 = frozenset({"site_id", "t0_year"} | {f.factor for f in FACTORS})
"""Published with the baseline and not printed in Table 1: centre, year, and the limits of a factor,
which stand in the table as their own variable."""

FACTOR = {factor.factor: factor.label for factor in BY_CODE.values()}
SHORT = {"ecog0": "ECOG", "burden25": "Burden", "alb35": "Albumin", "bili12": "Bilirubin"}
"""What stands before the level of a factor where the level alone says too little."""
LEVELS = {factor.factor: factor.names for factor in BY_CODE.values()}
ENDPOINT = {**LABEL, "HTTP": "hepatic time to progression"}
NAMES = ("Child-Pugh", "Ki-67")
"""Words that keep their capital inside a sentence."""
SPELLED = {
    **ENDPOINT,
    "ALBI": "albumin-bilirubin",
    "C": "concordance",
    "CI": "confidence interval",
    "REILD": "radioembolization-induced liver disease",
    "CR": "complete response",
    "CTCAE": "Common Terminology Criteria for Adverse Events",
    "DCR": "disease control rate (CR, PR or SD)",
    "EASL": "European Association for the Study of the Liver",
    "ECOG": "Eastern Cooperative Oncology Group",
    "EPV": "events per variable",
    "HR": "hazard ratio",
    "INR": "international normalised ratio",
    "IQR": "interquartile range",
    "KM": "Kaplan-Meier",
    "mRECIST": "modified RECIST",
    "NE": "not evaluable",
    "NR": "not reached",
    "SE": "standard error",
    "ORR": "objective response rate (CR or PR)",
    "PD": "progressive disease",
    "PR": "partial response",
    "RECIST": "Response Evaluation Criteria in Solid Tumors",
    "SD": "stable disease",
    "SMD": "standardised mean difference",
    "WHO": "World Health Organization",
}
_COMPARED = re.compile(r"^(<=|>=|<|>)\s*")
_SIGNS = {"<=": "≤\u00a0", ">=": "≥\u00a0", "<": "<\u00a0", ">": ">\u00a0"}


def level(text: str) -> str:
    """A level as printed: `≤ 1.2`, `small bowel`."""
    return _COMPARED.sub(lambda found: _SIGNS[found[1]], text).replace("_", " ")


def levelled(factor: str, text: str) -> str:
    """A level with the short name of its factor: `Bilirubin ≤ 1.2`."""
    return f"{SHORT.get(factor, '')} {level(text)}".strip()


def endpoint(code: str) -> str:
    """An endpoint in words: `Overall survival`."""
    words = ENDPOINT.get(code, code)
    return words[:1].upper() + words[1:]


def plain(code: str) -> str:
    """A code of the tables in words: `radiation dose`."""
    return code.replace("_", " ")


def spoken(label: str) -> str:
    """A statistic's label without the codes of factors, which stand beside their words there."""
    for code in FACTOR:
        label = label.replace(f" ({code})", "")
    return label


def capital(text: str) -> str:
    """A text with its first letter large."""
    return text[:1].upper() + text[1:]


def inside(text: str) -> str:
    """A text inside a sentence: its first letter small, unless it is a name or abbreviation."""
    small = text[1:2].islower() and not text.startswith(NAMES)
    return text[:1].lower() + text[1:] if small else text


def spelled(codes: tuple[str, ...]) -> str:
    """The abbreviations that are printed, spelled out: `CI, confidence interval; ...`."""
    known = sorted({code for code in codes if code in SPELLED}, key=str.lower)
    return "; ".join(f"{code}, {SPELLED[code]}" for code in known)


def unit(code: str) -> str:
    """What is counted, in the reader's word."""
    return "patient" if code == "subject" else code

"""Where the publication contradicts itself or leaves a gap, and what was chosen here.

One record per contradiction: what is printed, what this pipeline does, and the statistics that show
the choice and its alternatives. A reader who prefers the other side finds it published beside ours.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894, abstract, and its review by
Kanani, Clinical Oncology Alert, January 2013, whose synopsis and text differ in places.
"""

from dataclasses import dataclass

from schemas.statistic_ids import slug


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One contradiction or gap of the publication.

    Attributes:
        contradiction_id: X01 to X17.
        printed: What is printed, or is missing.
        chosen: What is done here.
        shown_by: Statistics of the population `all` that show it; none where it is no number.
    """

    contradiction_id: str
    printed: str
    chosen: str
    shown_by: tuple[str, ...] = ()


_BILIRUBIN = "prognosis_multivariable.all.os.univariate_p.bili12"
_WHO_LESION = "response_summary.all.who.lesion.all.all.unconfirmed"
_TOXICITY = "toxicity_summary.all"

CONTRADICTIONS: tuple[Contradiction, ...] = (
    Contradiction(
        "X01",
        "The good level of bilirubin is at most 1.2 mg/dL in the synopsis, below 1.2 in the last "
        "line of the text.",
        "At most 1.2 mg/dL (20.52 umol/L); the other reading is published as a sensitivity.",
        (
            _BILIRUBIN,
            f"sensitivity.all.{slug(_BILIRUBIN)}.survival_bilirubin_good_includes_limit.false",
        ),
    ),
    Contradiction(
        "X02",
        "25 of 40 is printed as 63 % and as 62 %, 9 of 40 as 22 %: no rule of rounding gives all.",
        "Counts are compared, never percentages.",
        (f"{_TOXICITY}.event.fatigue.3_0.primary.any", "symptom_summary.all.symptomatic"),
    ),
    Contradiction(
        "X03",
        "Grade 3 bilirubin stands only in the synopsis, grade 3 lymphopenia only in the text.",
        "Both are computed; one table has every grade.",
        (
            f"{_TOXICITY}.lab.bilirubin.3_0.primary.3",
            f"{_TOXICITY}.lab.lymphocytes.3_0.primary.3",
        ),
    ),
    Contradiction(
        "X04",
        "Subcutaneous octreotide of 200 mg, a thousand times the usual dose.",
        "Recorded as 200 ug; a row with more than 1 mg in one dose is set aside, never corrected.",
    ),
    Contradiction(
        "X05",
        "Symptoms are printed in pairs: nausea or vomiting, fever and chills, diarrhea and weight "
        "loss.",
        "Single terms are kept; a pair is the patients with either.",
        (
            f"{_TOXICITY}.event.nausea_or_vomiting.3_0.primary.any",
            f"{_TOXICITY}.event.fever_or_chills.3_0.primary.any",
            f"{_TOXICITY}.event.diarrhea_or_weight_loss.3_0.primary.any",
        ),
    ),
    Contradiction(
        "X06",
        "Median follow-up of 27 months is shorter than the median survival of 34.4, while survival "
        "at 1, 2 and 3 years is a whole number of fortieths.",
        "Four definitions are published by name; the 27 months are compared with imaging "
        "follow-up, the only one that can be 27 when nobody is censored before 36 months.",
        (
            "follow_up.all.imaging",
            "follow_up.all.reverse_km",
            "follow_up.all.observed_all",
            "follow_up.all.observed_alive",
        ),
    ),
    Contradiction(
        "X07",
        "The number of lesions is not stated.",
        "83, the smallest number that gives all four printed percentages.",
        (f"{_WHO_LESION}.cr",),
    ),
    Contradiction(
        "X08",
        "Stable, progressive and not evaluable lesions are not given.",
        "All are published; those of this cohort are invented and may not be quoted.",
        (f"{_WHO_LESION}.sd", f"{_WHO_LESION}.pd", f"{_WHO_LESION}.ne"),
    ),
    Contradiction(
        "X09",
        "Partial response begins at a decrease of 50 %, the reported reduction above 50 %.",
        "Two categories; a lesion at exactly 50 % belongs to the first only.",
        (f"{_WHO_LESION}.orr", f"{_WHO_LESION}.over_50_decrease"),
    ),
    Contradiction(
        "X10",
        "The number of patients who respond is not given.",
        "Not inferred from the lesions; that of this cohort is invented and may not be quoted.",
        ("response_summary.all.who.subject.all.all.unconfirmed.orr",),
    ),
    Contradiction(
        "X11",
        "Minimal and significant disease outside the liver are not defined.",
        "The recorded category is kept; no threshold is invented.",
        ("baseline_characteristics.all.extrahepatic_disease.minimal.overall.overall",),
    ),
    Contradiction(
        "X12",
        "Adequate haematologic and renal function has no limits.",
        "The rule is off by default and stands in the attrition table as not specified by source.",
    ),
    Contradiction(
        "X13",
        "The names of the journal and of the liver association are misprinted.",
        "Int J Radiat Oncol Biol Phys; European Association for the Study of the Liver.",
    ),
    Contradiction(
        "X14",
        "Glass microspheres are called approved in the USA for hepatocellular carcinoma; in 2013 "
        "that was a humanitarian device exemption.",
        "Says something of the device only: no number depends on it.",
    ),
    Contradiction(
        "X15",
        "Clinical toxicity is of any grade, laboratory toxicity of grade 3 and above.",
        "Never pooled into one rate of toxicity.",
        (
            f"{_TOXICITY}.event.fatigue.3_0.primary.any",
            f"{_TOXICITY}.lab.lymphocytes.3_0.primary.ge3",
        ),
    ),
    Contradiction(
        "X16",
        "83 lesions in 40 patients are more than the two of an organ that RECIST 1.1 allows.",
        "WHO and EASL count every index lesion, RECIST 1.1 and mRECIST their marked targets.",
        (f"{_WHO_LESION}.ne", "response_summary.all.recist_1_1.lesion.all.all.unconfirmed.ne"),
    ),
    Contradiction(
        "X17",
        "P-values without statistic, hazard ratio or interval.",
        "Chi-square, hazard ratio and interval stand beside each p, which is kept as a number.",
        ("prognosis_univariate.all.os.ecog0.ge1",),
    ),
)

"""The published figures, and the statistic of ours that has the same definition.

One record per printed figure. `published` is as printed, so that a p-value may read `<0.0001`; n
and total are given where the paper prints them, or where one integer alone fits the printed
percentage (the note says derived). The lesions' denominator of 83 is the smallest that gives 1.2,
62.7, 20.5 and 43.4 % at once. Figures of another quantity than ours say what exactly was counted.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894, abstract, and its review by
Kanani, Clinical Oncology Alert, January 2013; Rhee et al. 2008 as quoted there; Kennedy et al., Am
J Clin Oncol 2008;31:271-279, abstract, and as quoted there; RADIANT-4 (Yao 2016) and SIRFLOX (van
Hazel 2016) from the R package kmdata, medians by survival 3.5-3; the registries RESiN (Wong 2022,
Brown 2021) and CIRT (Helmberger 2021), and Zuckerman 2019, Braat 2020 and Do Minh 2017 from their
abstracts, Braat's responses from the text.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure.

    Attributes:
        figure_id: Ours.
        series: The publication.
        quantity: What was counted, in its words.
        published: As printed.
        n: Numerator.
        total: Denominator.
        unit: Of `published`.
        method: Theirs.
        own: Our statistic, with `{p}` for the population.
        note: What exactly they counted, or why the two are not the same.
        scale: What our value is multiplied by to have their unit.
    """

    figure_id: str
    series: str
    quantity: str
    published: str
    n: int | None
    total: int | None
    unit: str
    method: str
    own: str
    note: str = ""
    scale: float = 1


# fmt: off
FIGURES: tuple[Figure, ...] = (
    Figure(
        "F01", "Memon 2012", "patients treated", "40", 40, None, "patients", "count",
        "attrition.{p}.1",
    ),
    Figure(
        "F05", "Memon 2012", "median dose", "113", None, None, "Gy", "median",
        "dosimetry_summary.{p}.dose_gy_recorded.target.overall",
        note="unit of analysis not stated; range 29-299 Gy in the abstract",
    ),
    Figure(
        "F06", "Memon 2012", "bilobar treatment", "95", 38, 40, "%", "proportion",
        "baseline_characteristics.{p}.bilobar.true.overall.overall",
        note="printed as 38/40",
    ),
    Figure(
        "F07", "Memon 2012", "minimal extrahepatic disease", "33", 13, 40, "%", "proportion",
        "baseline_characteristics.{p}.extrahepatic_disease.minimal.overall.overall",
        note="printed as one-third; n derived",
    ),
    Figure(
        "F08", "Memon 2012", "carcinoid symptoms at baseline", "62", 25, 40, "%", "proportion",
        "symptom_summary.{p}.symptomatic",
        note="n derived; equals F29",
    ),
    Figure(
        "F09", "Memon 2012", "prior liver-directed therapy", "22", 9, 40, "%", "proportion",
        "baseline_characteristics.{p}.prior_liver_directed.true.overall.overall",
        note="n derived",
    ),
    Figure(
        "F11", "Memon 2012", "prophylactic octreotide", "100", 40, 40, "%", "proportion",
        "baseline_characteristics.{p}.octreotide_prophylaxis.true.overall.overall",
        note="printed as all patients",
    ),
    Figure(
        "F12", "Memon 2012", "fatigue", "63", 25, 40, "%", "proportion",
        "toxicity_summary.{p}.event.fatigue.3_0.primary.any",
        note="any grade",
    ),
    Figure(
        "F13", "Memon 2012", "nausea or vomiting", "40", 16, 40, "%", "proportion",
        "toxicity_summary.{p}.event.nausea_or_vomiting.3_0.primary.any",
        note="any grade; union",
    ),
    Figure(
        "F14", "Memon 2012", "abdominal pain", "18", 7, 40, "%", "proportion",
        "toxicity_summary.{p}.event.abdominal_pain.3_0.primary.any",
        note="any grade",
    ),
    Figure(
        "F15", "Memon 2012", "fever or chills", "8", 3, 40, "%", "proportion",
        "toxicity_summary.{p}.event.fever_or_chills.3_0.primary.any",
        note="any grade; union",
    ),
    Figure(
        "F16", "Memon 2012", "diarrhea or weight loss", "5", 2, 40, "%", "proportion",
        "toxicity_summary.{p}.event.diarrhea_or_weight_loss.3_0.primary.any",
        note="any grade; ambiguous pair",
    ),
    Figure(
        "F17", "Memon 2012", "bilirubin grade 3", "5", 2, 40, "%", "proportion",
        "toxicity_summary.{p}.lab.bilirubin.3_0.primary.3",
        note="worst grade; n printed",
    ),
    Figure(
        "F18", "Memon 2012", "bilirubin grade 4", "2.5", 1, 40, "%", "proportion",
        "toxicity_summary.{p}.lab.bilirubin.3_0.primary.4",
        note="worst grade; n printed",
    ),
    Figure(
        "F19", "Memon 2012", "lymphocytes grade 3", "38", 15, 40, "%", "proportion",
        "toxicity_summary.{p}.lab.lymphocytes.3_0.primary.3",
        note="worst grade",
    ),
    Figure(
        "F20", "Memon 2012", "radiation cholecystitis with cholecystectomy", "2.5", 1, 40, "%",
        "proportion", "toxicity_summary.{p}.event.cholecystitis.3_0.primary.any",
        note="n printed",
    ),
    Figure(
        "F21", "Memon 2012", "WHO complete response by lesion", "1.2", 1, 83, "%", "proportion",
        "response_summary.{p}.who.lesion.all.all.unconfirmed.cr",
        note="denominator derived",
    ),
    Figure(
        "F22", "Memon 2012", "WHO partial response by lesion", "62.7", 52, 83, "%", "proportion",
        "response_summary.{p}.who.lesion.all.all.unconfirmed.pr",
        note="denominator derived",
    ),
    Figure(
        "F23", "Memon 2012", "EASL complete response by lesion", "20.5", 17, 83, "%",
        "proportion", "response_summary.{p}.easl.lesion.all.all.unconfirmed.cr",
        note="denominator derived",
    ),
    Figure(
        "F24", "Memon 2012", "EASL partial response by lesion", "43.4", 36, 83, "%", "proportion",
        "response_summary.{p}.easl.lesion.all.all.unconfirmed.pr",
        note="denominator derived",
    ),
    Figure(
        "F25", "Memon 2012", "lesions with any decrease in size", "94", 78, 83, "%", "proportion",
        "response_summary.{p}.who.lesion.all.all.unconfirmed.any_decrease",
        note="denominator derived",
    ),
    Figure(
        "F26", "Memon 2012", "lesions with more than 50% reduction", "64", 53, 83, "%",
        "proportion", "response_summary.{p}.who.lesion.all.all.unconfirmed.over_50_decrease",
        note="denominator derived",
    ),
    Figure(
        "F27", "Memon 2012", "median time to WHO response by lesion", "4.0", None, None, "months",
        "Kaplan-Meier", "survival_medians.{p}.ttrl.lesion.overall.overall.midpoint",
    ),
    Figure(
        "F28", "Memon 2012", "median time to WHO response by patient", "4.9", None, None,
        "months", "Kaplan-Meier", "survival_medians.{p}.ttr.subject.overall.overall.midpoint",
    ),
    Figure(
        "F30", "Memon 2012", "symptom improvement among symptomatic", "84", 21, 25, "%",
        "proportion", "symptom_summary.{p}.improved",
    ),
    Figure(
        "F31", "Memon 2012", "median follow-up", "27", None, None, "months", "not stated",
        "follow_up.{p}.imaging",
        note="method not stated; of the four definitions only imaging follow-up can be 27 months",
    ),
    Figure(
        "F32", "Memon 2012", "median overall survival", "34.4", None, None, "months",
        "Kaplan-Meier", "survival_medians.{p}.os.subject.overall.overall.midpoint",
    ),
    Figure(
        "F33", "Memon 2012", "1-year overall survival", "72.5", 29, 40, "%", "Kaplan-Meier",
        "survival_landmarks.{p}.os.subject.overall.overall.12", scale=100,
        note="n derived: no one censored before",
    ),
    Figure(
        "F34", "Memon 2012", "2-year overall survival", "62.5", 25, 40, "%", "Kaplan-Meier",
        "survival_landmarks.{p}.os.subject.overall.overall.24", scale=100,
        note="n derived: no one censored before",
    ),
    Figure(
        "F35", "Memon 2012", "3-year overall survival", "45", 18, 40, "%", "Kaplan-Meier",
        "survival_landmarks.{p}.os.subject.overall.overall.36", scale=100,
        note="n derived: no one censored before",
    ),
    Figure(
        "F36", "Memon 2012", "univariate ECOG 0", "<0.0001", None, None, "p", "log-rank",
        "prognosis_univariate.{p}.os.ecog0.ge1",
        note="p printed without statistic, hazard ratio or interval",
    ),
    Figure(
        "F37", "Memon 2012", "univariate tumour burden <=25%", "0.0019", None, None, "p",
        "log-rank", "prognosis_univariate.{p}.os.burden25.gt25",
        note="p printed without statistic, hazard ratio or interval",
    ),
    Figure(
        "F38", "Memon 2012", "univariate albumin >3.5 g/dL", "0.017", None, None, "p", "log-rank",
        "prognosis_univariate.{p}.os.alb35.le3_5",
        note="p printed without statistic, hazard ratio or interval",
    ),
    Figure(
        "F39", "Memon 2012", "univariate bilirubin <=1.2 mg/dL", "0.002", None, None, "p",
        "log-rank", "prognosis_univariate.{p}.os.bili12.gt1_2",
        note="p printed without statistic, hazard ratio or interval",
    ),
    Figure(
        "F40", "Memon 2012", "multivariable ECOG 0", "<0.0001", None, None, "p", "Cox",
        "prognosis_multivariable.{p}.os.univariate_p.ecog0",
        note="p printed without statistic, hazard ratio or interval",
    ),
    Figure(
        "F41", "Memon 2012", "multivariable bilirubin <=1.2 mg/dL", "0.02", None, None, "p",
        "Cox", "prognosis_multivariable.{p}.os.univariate_p.bili12",
        note="the synopsis prints <= 1.2, the last line of the text < 1.2",
    ),
    Figure(
        "C01a", "Rhee 2008", "median overall survival", "25", None, 42, "months", "as quoted",
        "survival_medians.{p}.os.subject.overall.overall.midpoint",
        note="C01: quoted as one median; glass and resin were reported apart, and 25 is near the "
        "mean of their two medians, so it is not the median of any curve",
    ),
    Figure(
        "C01b", "Rhee 2008", "radiologic response", "50", None, 42, "%", "as quoted",
        "response_summary.{p}.who.subject.all.all.unconfirmed.orr",
        note="C01: quoted as radiologic response, without criterion or unit; ours is WHO complete "
        "or partial response by patient",
    ),
    Figure(
        "C02a", "Kennedy 2008", "median overall survival", "70", None, 148, "months", "as quoted",
        "survival_medians.{p}.os.subject.overall.overall.midpoint",
        note="C02: resin microspheres; 148 patients, 185 procedures",
    ),
    Figure(
        "C02b", "Kennedy 2008", "radiographic response", "60.5", 112, 185, "%", "as quoted",
        "response_summary.{p}.who.subject.all.all.unconfirmed.pr",
        note="C02: the share of partial responses alone, complete ones (2.7 %) left out; the unit "
        "is the procedure (185 is the only denominator from 100 to 200 that gives every "
        "printed share) and those not evaluable stay in it; ours is by patient",
    ),
    Figure(
        "K01a", "RADIANT-4 2016", "median progression-free survival, everolimus", "11.3", None,
        205, "months", "Kaplan-Meier, digitised curve",
        "survival_medians.{p}.pfs.subject.overall.overall.midpoint",
        note="Yao et al., Lancet 2016;387:968-977: another treatment of neuroendocrine tumours; "
        "reconstructed from the printed curve (Guyot 2012), held in the package kmdata",
    ),
    Figure(
        "K01b", "RADIANT-4 2016", "median progression-free survival, placebo", "4.01", None, 97,
        "months", "Kaplan-Meier, digitised curve",
        "survival_medians.{p}.pfs.subject.overall.overall.midpoint",
        note="Yao et al., Lancet 2016;387:968-977: another treatment of neuroendocrine tumours; "
        "reconstructed from the printed curve (Guyot 2012), held in the package kmdata",
    ),
    Figure(
        "K01c", "RADIANT-4 2016", "median overall survival, everolimus", "not reached", None, 205,
        "months", "Kaplan-Meier, digitised curve",
        "survival_medians.{p}.os.subject.overall.overall.midpoint",
        note="Yao et al., Lancet 2016;387:968-977: another treatment of neuroendocrine tumours; "
        "reconstructed from the printed curve (Guyot 2012), held in the package kmdata",
    ),
    Figure(
        "K01d", "RADIANT-4 2016", "median overall survival, placebo", "not reached", None, 97,
        "months", "Kaplan-Meier, digitised curve",
        "survival_medians.{p}.os.subject.overall.overall.midpoint",
        note="Yao et al., Lancet 2016;387:968-977: another treatment of neuroendocrine tumours; "
        "reconstructed from the printed curve (Guyot 2012), held in the package kmdata",
    ),
    Figure(
        "K02a", "SIRFLOX 2016", "median progression-free survival, mFOLFOX6", "10.3", None, 263,
        "months", "Kaplan-Meier, digitised curve",
        "survival_medians.{p}.pfs.subject.overall.overall.midpoint",
        note="van Hazel et al., J Clin Oncol 2016;34:1723-1731: colorectal metastases; "
        "reconstructed from the printed curve (Guyot 2012), held in the package kmdata",
    ),
    Figure(
        "K02b", "SIRFLOX 2016",
        "median progression-free survival, mFOLFOX6 and resin microspheres", "10.7", None, 267,
        "months", "Kaplan-Meier, digitised curve",
        "survival_medians.{p}.pfs.subject.overall.overall.midpoint",
        note="van Hazel et al., J Clin Oncol 2016;34:1723-1731: colorectal metastases; "
        "reconstructed from the printed curve (Guyot 2012), held in the package kmdata",
    ),
    Figure(
        "R01a", "Wong 2022 (RESiN)", "median overall survival", "33", None, 170, "months",
        "Kaplan-Meier", "survival_medians.{p}.os.subject.overall.overall.midpoint",
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres; interval 25 to not reached; 170 were enrolled",
    ),
    Figure(
        "R01b", "Wong 2022 (RESiN)", "1-year overall survival", "75", None, 170, "%",
        "Kaplan-Meier", "survival_landmarks.{p}.os.subject.overall.overall.12",
        scale=100,
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres",
    ),
    Figure(
        "R01c", "Wong 2022 (RESiN)", "2-year overall survival", "62", None, 170, "%",
        "Kaplan-Meier", "survival_landmarks.{p}.os.subject.overall.overall.24",
        scale=100,
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres",
    ),
    Figure(
        "R01d", "Wong 2022 (RESiN)", "3-year overall survival", "46", None, 170, "%",
        "Kaplan-Meier", "survival_landmarks.{p}.os.subject.overall.overall.36",
        scale=100,
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres",
    ),
    Figure(
        "R01e", "Wong 2022 (RESiN)", "median overall survival, primary in the pancreas", "42", None,
        None, "months", "Kaplan-Meier",
        "survival_medians.{p}.os.subject.primary_site.pancreas.midpoint",
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres; interval 33 to not reached; no curve of ours is drawn by "
        "primary site",
    ),
    Figure(
        "R01f", "Wong 2022 (RESiN)", "median overall survival, primary in the foregut", "26", None,
        None, "months", "Kaplan-Meier",
        "survival_medians.{p}.os.subject.primary_site.foregut.midpoint",
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres; interval 23 to not reached; no curve of ours is drawn by "
        "primary site",
    ),
    Figure(
        "R01g", "Wong 2022 (RESiN)", "median overall survival, primary in the hindgut", "41", None,
        None, "months", "Kaplan-Meier",
        "survival_medians.{p}.os.subject.primary_site.hindgut.midpoint",
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres; interval 12 to not reached; no curve of ours is drawn by "
        "primary site",
    ),
    Figure(
        "R01h", "Wong 2022 (RESiN)", "median overall survival, well differentiated", "36", None, 57,
        "months", "Kaplan-Meier", "survival_medians.{p}.os.subject.tumour_grade.well.midpoint",
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres; interval 10 to not reached; grade known in 81 of 170; no curve "
        "of ours is drawn by grade",
    ),
    Figure(
        "R01i", "Wong 2022 (RESiN)", "median overall survival, moderately differentiated", "44",
        None, 12, "months", "Kaplan-Meier",
        "survival_medians.{p}.os.subject.tumour_grade.moderately.midpoint",
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres; interval 7 to not reached; grade known in 81 of 170; no curve "
        "of ours is drawn by grade",
    ),
    Figure(
        "R01j", "Wong 2022 (RESiN)", "median overall survival, poorly differentiated", "25", None,
        12, "months", "Kaplan-Meier",
        "survival_medians.{p}.os.subject.tumour_grade.poorly.midpoint",
        note="Wong et al., BMC Cancer 2022;22:224, abstract: resin microspheres, a registry of "
        "several centres; interval 3 to not reached; grade known in 81 of 170; no curve "
        "of ours is drawn by grade",
    ),
    Figure(
        "R02a", "Helmberger 2021 (CIRT)", "median overall survival, neuroendocrine tumours", "33.1",
        None, None, "months", "Kaplan-Meier",
        "survival_medians.{p}.os.subject.overall.overall.midpoint",
        note="Helmberger et al., Cardiovasc Intervent Radiol 2021;44:21-35, abstract: resin "
        "microspheres, followed for 24 months; interval 22.1 to not reached",
    ),
    Figure(
        "R02b", "Helmberger 2021 (CIRT)", "30-day mortality, all tumours", "1.0", None, 1027, "%",
        "proportion", "early_mortality.{p}.30",
        note="Helmberger et al., Cardiovasc Intervent Radiol 2021;44:21-35, abstract: resin "
        "microspheres, followed for 24 months; 1,027 patients with primary and secondary "
        "tumours of every kind, not neuroendocrine ones alone",
    ),
    Figure(
        "R03a", "Brown 2021 (RESiN)", "deaths within 6 months, all tumours", "14.8", 91, 614, "%",
        "proportion", "early_mortality.{p}.180",
        note="Brown et al., J Gastrointest Oncol 2021;12:639-657, abstract: 56 of 614 had "
        "neuroendocrine tumours; hospice and treatment elsewhere are counted apart; 7 of "
        "the deaths (1.1 %) were from liver decompensation, which ours does not count "
        "apart",
    ),
    Figure(
        "Z01a", "Zuckerman 2019", "median overall survival", "31", None, 59, "months",
        "Kaplan-Meier", "survival_medians.{p}.os.subject.overall.overall.midpoint",
        note="Zuckerman et al., J Gastrointest Oncol 2019;10:118-127, abstract: from the day "
        "of treatment, one centre",
    ),
    Figure(
        "Z01b", "Zuckerman 2019", "1-year overall survival", "80.4", None, 59, "%", "Kaplan-Meier",
        "survival_landmarks.{p}.os.subject.overall.overall.12",
        scale=100,
        note="Zuckerman et al., J Gastrointest Oncol 2019;10:118-127, abstract: from the day "
        "of treatment, one centre",
    ),
    Figure(
        "Z01c", "Zuckerman 2019", "2-year overall survival", "65.6", None, 59, "%", "Kaplan-Meier",
        "survival_landmarks.{p}.os.subject.overall.overall.24",
        scale=100,
        note="Zuckerman et al., J Gastrointest Oncol 2019;10:118-127, abstract: from the day "
        "of treatment, one centre",
    ),
    Figure(
        "Z01d", "Zuckerman 2019", "median hepatic progression-free survival", "18", None, 59,
        "months", "Kaplan-Meier", "survival_medians.{p}.hpfs.subject.overall.overall.midpoint",
        note="Zuckerman et al., J Gastrointest Oncol 2019;10:118-127, abstract: from the day "
        "of treatment, one centre",
    ),
    Figure(
        "Z01e", "Zuckerman 2019", "median progression-free survival", "13", None, 59, "months",
        "Kaplan-Meier", "survival_medians.{p}.pfs.subject.overall.overall.midpoint",
        note="Zuckerman et al., J Gastrointest Oncol 2019;10:118-127, abstract: from the day "
        "of treatment, one centre",
    ),
    Figure(
        "B01a", "Braat 2020", "median overall survival", "3.5", None, 44, "years", "Kaplan-Meier",
        "survival_medians.{p}.os.subject.overall.overall.midpoint",
        scale=1 / 12,
        note="Braat et al., Cardiovasc Intervent Radiol 2020;43:246-253: resin microspheres "
        "after systemic radionuclide treatment, 44 patients and 58 procedures; interval "
        "1.8 to 5.1 years",
    ),
    Figure(
        "B01b", "Braat 2020", "symptoms better after 3 months", "65", 15, 23, "%", "proportion",
        "symptom_summary.{p}.improved",
        note="Braat et al., Cardiovasc Intervent Radiol 2020;43:246-253: resin microspheres "
        "after systemic radionuclide treatment, 44 patients and 58 procedures; of the 23 "
        "procedures before which there were symptoms",
    ),
    Figure(
        "B01c", "Braat 2020", "complete response at 3 months", "2", None, None, "%", "proportion",
        "response_at_window.{p}.recist_1_1.subject.all.all.91.cr",
        note="Braat et al., Cardiovasc Intervent Radiol 2020;43:246-253: resin microspheres "
        "after systemic radionuclide treatment, 44 patients and 58 procedures; RECIST "
        "1.1, by procedure or by patient is not said; ours is by patient",
    ),
    Figure(
        "B01d", "Braat 2020", "partial response at 3 months", "14", None, None, "%", "proportion",
        "response_at_window.{p}.recist_1_1.subject.all.all.91.pr",
        note="Braat et al., Cardiovasc Intervent Radiol 2020;43:246-253: resin microspheres "
        "after systemic radionuclide treatment, 44 patients and 58 procedures; RECIST "
        "1.1, by procedure or by patient is not said; ours is by patient",
    ),
    Figure(
        "B01e", "Braat 2020", "stable disease at 3 months", "75", None, None, "%", "proportion",
        "response_at_window.{p}.recist_1_1.subject.all.all.91.sd",
        note="Braat et al., Cardiovasc Intervent Radiol 2020;43:246-253: resin microspheres "
        "after systemic radionuclide treatment, 44 patients and 58 procedures; RECIST "
        "1.1, by procedure or by patient is not said; ours is by patient",
    ),
    Figure(
        "B01f", "Braat 2020", "progression at 3 months", "9", None, None, "%", "proportion",
        "response_at_window.{p}.recist_1_1.subject.all.all.91.pd",
        note="Braat et al., Cardiovasc Intervent Radiol 2020;43:246-253: resin microspheres "
        "after systemic radionuclide treatment, 44 patients and 58 procedures; RECIST "
        "1.1, by procedure or by patient is not said; ours is by patient",
    ),
    Figure(
        "B01g", "Braat 2020", "lymphocytes grade 3 or 4 within 3 months", "42", None, None, "%",
        "proportion", "toxicity_summary.{p}.lab.lymphocytes.4_03.primary.ge3",
        note="Braat et al., Cardiovasc Intervent Radiol 2020;43:246-253: resin microspheres "
        "after systemic radionuclide treatment, 44 patients and 58 procedures; CTCAE 4.03",
    ),
    Figure(
        "D01", "Do Minh 2017", "median overall survival, radioembolization", "23.6", None, 44,
        "months", "Kaplan-Meier", "survival_medians.{p}.os.subject.overall.overall.midpoint",
        note="Do Minh et al., Eur Radiol 2017;27:4995-5005, abstract: the arm of 44 patients "
        "of a comparison with chemoembolization, gastroenteropancreatic tumours",
    ),
)
# fmt: on

SURVIVAL_AT_MONTHS = {
    int(figure.own.rpartition(".")[2]): figure.n / figure.total
    for figure in FIGURES
    if figure.own.startswith("survival_landmarks.") and figure.n and figure.total
}
"""Published overall survival (Memon 2012) as a proportion, by landmark."""

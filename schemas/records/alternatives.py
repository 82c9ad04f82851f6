"""Other readings of each open definition, and the numbers that show whether they matter.

One record per setting that acts before the statistics. `analytics.outcomes.sensitivity` varies
those that act on the marts alone; those that have no other reading, or move no published number,
are named here with the reason.

Source of the other readings: World Health Organization 1979, as tabulated in Am J Clin Oncol
(PMC2755245, Table 3): growth of 25 % or more, of any lesion. RECIST 1.1, Eisenhauer et al., Eur J
Cancer 2009;45:228-247: baseline within 4 weeks, stable disease after a least time. mRECIST as in
Radiol Oncol 2018 (PMC6287184, Table 4): more than 20 %. Liver toxicity to six months: Brown et al.,
J Gastrointest Oncol 2021;12:639. Censoring before two missed assessments: FDA, Guidance for
Industry, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics, 2007. 49.67 Gy kg
per GBq: van Roekel, thesis, page 30. Where no source names another reading, a neighbouring value
shows whether the choice decides anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_WHO_LESIONS = "response_summary.all.who.lesion.all.all.unconfirmed"
_EASL_LESIONS = "response_summary.all.easl.lesion.all.all.unconfirmed"
_WHO_PATIENTS = "response_summary.all.who.subject.all.all.unconfirmed"
_WHO_AT = "response_at_window.all.who.subject.all.all"
_CONFIRMED = "response_summary.all.who.subject.all.all.confirmed"
_PFS = "survival_medians.all.pfs.subject.overall.overall.midpoint"
_HPFS = "survival_medians.all.hpfs.subject.overall.overall.midpoint"
_OS = "survival_medians.all.os.subject.overall.overall.midpoint"
_BILIRUBIN = "toxicity_summary.all.lab.bilirubin.3_0"
_BILIRUBIN_5 = "toxicity_summary.all.lab.bilirubin.5_0"
_ALP_5 = "toxicity_summary.all.lab.alp.5_0"
_LYMPHOCYTES = "toxicity_summary.all.lab.lymphocytes.3_0"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another reading of one setting.

    Attributes:
        setting: Section and key.
        value: The other reading; where a registry has chosen it, the default is the other one.
        watched: Statistics of the population `all` that are computed again.
    """

    setting: str
    value: Any
    watched: tuple[str, ...]

    @property
    def section(self) -> str:
        """Section of registry.toml."""
        return self.setting.split(".")[0]

    @property
    def key(self) -> str:
        """Key in the section."""
        return self.setting.split(".")[1]


TRIED: tuple[tuple[Alternative, ...], ...] = (
    (
        Alternative("response.who_pd_operator", ">=", (f"{_WHO_LESIONS}.pd",)),
        Alternative(
            "response.easl_quantity",
            "estimated",
            (f"{_EASL_LESIONS}.orr",),
        ),
        Alternative(
            "response.mrecist_pd_operator",
            ">",
            ("response_summary.all.mrecist.lesion.all.all.unconfirmed.pd",),
        ),
        Alternative(
            "response.marker_fall_pct",
            30,
            ("marker_summary.all.chromogranin_a.0.fall",),
        ),
    ),
    (Alternative("response.who_pd_any_lesion", True, (f"{_WHO_PATIENTS}.pd",)),),
    (
        Alternative(
            "response.baseline_anchor",
            "T0",
            (f"{_WHO_LESIONS}.orr", f"{_EASL_LESIONS}.orr"),
        ),
    ),
    (
        Alternative(
            "response.baseline_max_age_days",
            28,
            (f"{_WHO_LESIONS}.orr", f"{_EASL_LESIONS}.orr"),
        ),
    ),
    (
        Alternative(
            "response.window_closed_by_therapy",
            False,
            (f"{_WHO_LESIONS}.orr", f"{_EASL_LESIONS}.orr"),
        ),
    ),
    (
        Alternative(
            "response.scan_group_days",
            7,
            (f"{_WHO_PATIENTS}.orr", f"{_WHO_PATIENTS}.pd"),
        ),
    ),
    (Alternative("response.patient_window", "planned_course", (f"{_WHO_PATIENTS}.pd",)),),
    (
        Alternative(
            "response.new_lesion_from_measurements",
            "never",
            (f"{_WHO_PATIENTS}.orr", f"{_WHO_PATIENTS}.pd"),
        ),
    ),
    (Alternative("response.non_target_progression", "hepatic", (_HPFS,)),),
    (
        Alternative(
            "response.sd_min_days",
            42,
            (f"{_WHO_PATIENTS}.orr", f"{_WHO_PATIENTS}.dcr"),
        ),
    ),
    (Alternative("response.confirmation_days", 21, (f"{_CONFIRMED}.orr",)),),
    (Alternative("response.confirmation_max_ne", 0, (f"{_CONFIRMED}.orr",)),),
    (Alternative("response.confirmation_accept_sd", True, (f"{_CONFIRMED}.orr",)),),
    (
        Alternative(
            "response.windows",
            ((77, 91, 105), (169, 183, 197)),
            (f"{_WHO_AT}.91.orr", f"{_WHO_AT}.183.orr"),
        ),
    ),
    (
        Alternative(
            "response.lesion_start",
            "lobe",
            ("survival_medians.all.ttrl.lesion.overall.overall.midpoint",),
        ),
        Alternative("survival.pfs_new_therapy", "censor", (_PFS,)),
        Alternative("survival.os_transplant", "censor", (_OS,)),
    ),
    (Alternative("survival.os_new_therapy", "censor", (_OS,)),),
    (Alternative("survival.pfs_missed_visits", "censor", (_PFS,)),),
    (Alternative("survival.undated_death", "event_when_last_alive", (_OS,)),),
    (Alternative("survival.undated_death", "event_at_latest", (_OS,)),),
    (Alternative("survival.reported_times", "derived_only", (_OS, _PFS)),),
    (
        Alternative(
            "toxicity.missing_baseline",
            "not_gradable",
            (f"{_BILIRUBIN_5}.primary.ge3", f"{_ALP_5}.primary.ge3"),
        ),
    ),
    (
        Alternative(
            "toxicity.acute_days",
            28,
            (f"{_BILIRUBIN}.acute.ge3", f"{_LYMPHOCYTES}.acute.ge3"),
        ),
        Alternative(
            "toxicity.primary_days",
            183,
            (f"{_BILIRUBIN}.primary.ge3", f"{_LYMPHOCYTES}.primary.ge3"),
        ),
    ),
    (
        Alternative(
            "toxicity.late_days",
            365,
            (f"{_BILIRUBIN}.late.ge3", f"{_LYMPHOCYTES}.late.ge3"),
        ),
    ),
    (
        Alternative(
            "toxicity.liver_function_days",
            0,
            ("liver_function_summary.all.albi_grade_worse",),
        ),
    ),
    (
        Alternative(
            "toxicity.reild_to_day",
            183,
            ("liver_function_summary.all.albi_grade_worse",),
        ),
    ),
    (
        Alternative(
            "baseline.bilirubin_umol_per_mg_dl",
            "17.104",
            ("prognosis_univariate.all.os.bili12.gt1_2",),
        ),
    ),
    (
        Alternative(
            "baseline.child_pugh_inr_upper",
            "2.2",
            ("baseline_characteristics.all.child_pugh_class.b.overall.overall",),
        ),
    ),
    (
        Alternative(
            "baseline.stale_days",
            14,
            ("attrition.all.12",),
        ),
    ),
    (
        Alternative(
            "baseline.unilobar_second_session_days",
            183,
            (f"{_BILIRUBIN}.primary.ge3", f"{_LYMPHOCYTES}.primary.ge3"),
        ),
    ),
    (Alternative("eligibility.concurrent_before_days", 28, ("attrition.all.12",)),),
    (Alternative("eligibility.concurrent_after_days", 28, ("attrition.all.12",)),),
    (Alternative("eligibility.assess_organ_function", True, ("attrition.all.12",)),),
    (Alternative("eligibility.maa_max_days", 30, ("attrition.all.12",)),),
    (
        Alternative(
            "dosimetry.y90_half_life_h",
            "64.2",
            ("dosimetry_summary.all.activity_gbq.target.overall",),
        ),
        Alternative(
            "dosimetry.bsa_formula",
            "mosteller",
            ("dosimetry_summary.all.activity_bsa_gbq.target.overall",),
        ),
    ),
    (
        Alternative(
            "dosimetry.mird_constant",
            "49.67",
            (
                "dosimetry_summary.all.dose_gy.target.overall",
                "dosimetry_summary.all.lung_dose_gy.session.overall",
            ),
        ),
    ),
    (
        Alternative(
            "dosimetry.liver_density_g_ml",
            "1.06",
            ("dosimetry_summary.all.dose_gy.target.overall",),
        ),
    ),
    (Alternative("survival.endpoint_criterion", "RECIST 1.1", (_PFS,)),),
    (Alternative("survival.endpoint_min_evaluable", 0.75, (_PFS,)),),
    (
        Alternative(
            "survival.model_p_enter",
            0.1,
            ("prognosis_multivariable.all.os.univariate_p.bili12",),
        ),
    ),
    (Alternative("symptoms.window_days", 91, ("symptom_summary.all.improved",)),),
    (
        Alternative(
            "follow_up.interval_days",
            61,
            ("adherence_summary.all.adherence", "adherence_summary.all.all_reviews_held"),
        ),
    ),
)
"""What is tried at once: no number that one of them watches can be moved by another of them."""

ALTERNATIVES = tuple(alternative for together in TRIED for alternative in together)

IDLE: Mapping[str, frozenset[str]] = {
    "response_summary.*.lesion.*": frozenset({"subject_assessments", "subject_response"}),
    "response_summary.*.subject.*": frozenset({"lesion_response"}),
    "survival_medians.*.lesion.*": frozenset({"subject_assessments", "subject_response"}),
    "survival_medians.*.subject.*": frozenset({"lesion_response"}),
    "attrition.*": frozenset({"subjects"}),
}
"""Statistic -> what its table reads and it does not depend on, so that it is not derived again:
lesions are counted without what is said of patients, and the other way round; of the subjects
attrition reads only who was treated where."""

OF_EVERYONE = frozenset({"eligibility"})
"""What does not touch a number of all patients, but where its table reads it."""

OF_RESPONSE = frozenset(
    {"lesion_quantities", "new_lesions", "followed_lesions", "assessed_days"}
    | {"lesion_assessments", "subject_assessments", "lesion_response", "subject_response"}
)
"""What does not touch an endpoint that rests on no response, but where its table reads it."""

OF_CRITERION = frozenset({"endpoint_criterion"})
"""What says of endpoints that rest on response whether they can be judged, and touches no other."""

OF_FACTORS = frozenset({"factor_levels"})
"""What does not touch a number that is not of a factor's level."""

PUBLISHES = frozenset(
    {"survival.landmarks_months", "survival.restricted_mean_months", "toxicity.ctcae_versions"}
    | {"prognosis.factors", "prognosis.endpoints"}
    | {"survival.landmarks_days"}
    | {"survival.early_mortality_days", "survival.response_landmarks_days"}
)
"""Settings that choose which numbers are published, and define none of them."""

NOT_VARIED: Mapping[str, str] = {
    "bounds.worlds": "it says whether bounds are derived, and moves no number",
    "response.baseline_stale_days": "it marks baselines and moves no number",
    "response.headline_lesions": "all and treated lesions are published; it says which stand first",
    "response.reader": "a registry's own readers are no reading of a source",
    "response.recorded_reader": "a registry's own readers are no reading of a source",
    "dosimetry.delivered_pct": "the share of which a target got is published beside it",
    "reading.rule": "a registry's own readers are no reading of a source",
    "reading.readers": "a registry's own readers are no reading of a source",
    "reading.adjudicator": "a registry's own readers are no reading of a source",
    "reading.criterion": "a registry's own readers are no reading of a source",
    "response.bootstrap_seed": "chance of the computation, no definition",
    "response.bootstrap_samples": "precision of the computation, no definition",
    "toxicity.ctcae_versions": "every version is published beside the others",
    "toxicity.primary_version": "every version is published beside the others",
    "toxicity.lab_windows": "which time points are published, no definition of another number",
    "toxicity.related_from": "attribution is kept per patient; no published number counts it",
    "toxicity.reild_bilirubin_mg_dl": "candidates are listed for adjudication, never counted",
    "toxicity.reild_from_day": "given by the source",
    "eligibility.ecog_max": "given by the source",
    "eligibility.bilirubin_max_mg_dl": "given by the source",
    "eligibility.lung_dose_max_gy": "given by the source",
    "eligibility.lung_dose_cumulative_max_gy": "it marks patients and moves no number",
    "dosimetry.cutoff_seed": "chance of the computation, no definition",
    "dosimetry.cutoff_samples": "precision of the computation, no definition",
    "dosimetry.lung_mass_kg": "no source gives another mass",
    "dosimetry.dose_tolerance_pct": "it marks differences and moves no dose",
    "dosimetry.lung_dose_tolerance_pct": "it marks differences and moves no dose",
    "survival.conf_level": "a convention of reporting, no definition",
    "survival.landmarks_months": "which landmarks are published, no definition",
    "survival.landmarks_days": "which landmarks are published, no definition",
    "survival.restricted_mean_months": "which horizons are published, no definition",
    "survival.early_mortality_days": "which days are published, no definition",
    "survival.response_landmarks_days": "which landmarks are published, no definition",
    "prognosis.factors": "which factors are compared, no definition",
    "prognosis.endpoints": "which endpoints they split, no definition",
    "prognosis.tumour_dose_gy": "no source fixes a limit",
    "prognosis.start": "the registry's own model: its choice",
    "prognosis.terms": "the registry's own model: its choice",
    "prognosis.p_enter": "the registry's own model: its choice",
    "prognosis.forced": "the registry's own model: its choice",
    "prognosis.time_dependent": "the registry's own model: its choice",
    "prognosis.continuous": "the registry's own model: its choice",
    "prognosis.strata": "the registry's own model: its choice",
    "survival.reference_groups": "it turns a ratio around; the test between the groups stays",
    "survival.events_per_variable_warn": "it marks models and moves no number",
    "survival.endpoint_criteria": "an order of search; each criterion's endpoints can be asked for",
    "survival.lost_to_follow_up_days": "it marks patients, who stay censored at the last news",
    "follow_up.first_from_day": "the schedule is the source's; only its strictness is varied",
    "follow_up.first_target_day": "given by the source",
    "follow_up.first_to_day": "the schedule is the source's; only its strictness is varied",
    "follow_up.gap_min_days": "the schedule is the source's; only its strictness is varied",
    "follow_up.gap_max_days": "the schedule is the source's; only its strictness is varied",
    "follow_up.review_group_days": "the schedule is the source's; only its strictness is varied",
    "follow_up.long_gap_days": "it marks gaps; each is published with its length",
}
"""Settings without a row, and why."""

ON_MARTS = (
    "survival.bilirubin_good_includes_limit",
    "survival.model_selection",
    "survival.median_rule",
    "survival.conf_type",
)
"""Settings that `analytics.outcomes.sensitivity` varies."""

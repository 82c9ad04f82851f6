"""The conventions that a registry chooses where the literature leaves them open.

One class per section of registry.toml. Every field that domain sources leave undecided is a
DECISION with a default and its reason; all of them are part of the run key, of the manifest and of
the report. Only `flows.settings` reads the file and the environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from schemas.codes import VERSIONS as VERSIONS
from schemas.codes import Version
from schemas.house_settings import AuditSettings as AuditSettings
from schemas.house_settings import ExportSettings as ExportSettings
from schemas.house_settings import PaperSettings as PaperSettings
from schemas.house_settings import StoreSettings as StoreSettings
from schemas.records.criteria import CRITERIA, EASL, MRECIST, RECIST11, WHO
from schemas.section import Section, any_spelling, whole_days, whole_months
from schemas.sections.prognosis import PrognosisSettings
from schemas.sections.reading import ReadingSettings
from schemas.site import Site
from schemas.spelling import folded


def _in_order(days: tuple[int, int, int]) -> tuple[int, int, int]:
    """First day, day aimed at and last day of a time point, none before the one named before it."""
    if list(days) != sorted(days):
        raise ValueError("name the first day, the day aimed at and the last day, in this order")
    return days


def _each_once(days: tuple[int, ...]) -> tuple[int, ...]:
    """Days of which none stands twice: each is part of a statistic's id."""
    if len(set(days)) < len(days):
        raise ValueError("a day stands twice")
    return days


def _of_different_days(
    windows: tuple[tuple[int, int, int], ...],
) -> tuple[tuple[int, int, int], ...]:
    """At least one window, and no two that aim at the same day."""
    if not windows:
        raise ValueError("at least one window is needed")
    _each_once(tuple(at for _, at, _ in windows))
    return windows


Days = Annotated[int, Field(ge=0, le=36_600)]
SomeDays = Annotated[tuple[Days, ...], Field(min_length=1), AfterValidator(_each_once)]
Months = Annotated[int, Field(ge=1, le=1200), BeforeValidator(whole_months)]
DaysFromT0 = Annotated[int, Field(ge=1, le=36_600), BeforeValidator(whole_days)]
TimePoint = Annotated[tuple[Days, Days, Days], AfterValidator(_in_order)]
Folded = Annotated[str, Field(min_length=1), AfterValidator(folded)]
AUTO = "auto"
"""The endpoints' criterion is the first of `endpoint_criteria` that judges enough patients."""
if TYPE_CHECKING:
    CriterionCode = str
    CriterionChoice = str
else:
    CriterionCode = Annotated[Literal[CRITERIA], any_spelling(CRITERIA)]
    CriterionChoice = Annotated[Literal[(*CRITERIA, AUTO)], any_spelling((*CRITERIA, AUTO))]


class ResponseSettings(Section):
    """Tumour response (WHO, EASL, RECIST 1.1, mRECIST)."""

    who_pd_operator: Literal[">", ">="] = Field(
        ">",
        description="Growth over the nadir that is WHO progression: > 25 % as in Riaz et al., "
        "J Hepatol 2011;54:695, or >= 25 % as in the WHO handbook of 1979.",
    )
    who_pd_any_lesion: bool = Field(
        False, description="Growth of any single lesion is WHO progression of the patient (1979)."
    )
    easl_quantity: Literal["measured", "estimated"] = Field(
        "measured",
        description="Enhancing tissue as a product of diameters, or estimated from "
        "necrosis where the diameters are missing.",
    )
    mrecist_pd_operator: Literal[">", ">="] = Field(
        ">=", description="Growth of the viable sum that is mRECIST progression."
    )
    baseline_anchor: Literal["T0", "lobe"] = Field(
        "lobe",
        description="A lesion's baseline is the last scan before the first 90Y of the "
        "patient, or before the first that perfuses its lobe.",
    )
    baseline_stale_days: Days = Field(28, description="Older baseline scans are flagged stale.")
    baseline_max_age_days: Days = Field(90, description="Older baseline scans are not evaluable.")
    scan_group_days: Days = Field(
        14, description="Scans of one reader within so many days form one assessment."
    )
    sd_min_days: Days = Field(
        0, description="Earliest day of stable disease; 0 replicates WHO series, 42 RECIST reports."
    )
    confirmation_days: Days = Field(28, description="Least time between response and confirmation.")
    confirmation_max_ne: Annotated[int, Field(ge=0, le=10)] = Field(
        1, description="Not evaluable assessments allowed between response and confirmation."
    )
    confirmation_accept_sd: bool = Field(
        False, description="One stable disease allowed between response and its confirmation."
    )
    patient_window: Literal["first_session", "planned_course"] = Field(
        "first_session",
        description="Whether growth in a lobe that waits for its planned session is the patient's "
        "progression: it is, as nobody may wait for ever (the default); or it is not until that "
        "session, for which `treatments.planned_lobes` must have been recorded at the first one. "
        "How a lobe waits is decided in docs/decisions/planned_course.md.",
    )
    new_lesion_from_measurements: Literal["unless_denied", "always", "never"] = Field(
        "unless_denied",
        description="Whether a lesion first measured after treatment is a new lesion: unless its "
        "scan says that there is none, always, or only where a scan says so itself.",
    )
    non_target_progression: Literal["elsewhere", "hepatic"] = Field(
        "elsewhere",
        description="Where non-target disease progressed without a place, in a patient with known "
        "disease outside the liver: nothing says that it was the liver, so that it is no hepatic "
        "event, or it is one.",
    )
    headline_lesions: Literal["treated", "all"] = Field(
        "treated",
        description="The lesions of the report's first numbers: those of treated lobes (a lesion "
        "without a lobe counts as treated), or all.",
    )
    reader: str = Field(
        "local", description="The reader whose reading counts, if `reading` names none."
    )
    recorded_reader: str = Field(
        "local", description="The reader whose recorded classes are counted."
    )
    windows: Annotated[tuple[TimePoint, ...], AfterValidator(_of_different_days)] = Field(
        ((61, 91, 122), (153, 183, 213)),
        description="Time points whose own class is published: first day, day aimed at and last "
        "day from T0 of each. The assessment nearest to the day aimed at decides.",
    )
    marker_fall_pct: Annotated[int, Field(gt=0, lt=100)] = Field(
        50,
        description="Fall of a tumour marker that is a response, in percent of the baseline; no "
        "source read fixes it.",
    )
    lesion_start: Literal["T0", "lobe"] = Field(
        "T0", description="Where the time to a lesion's response starts."
    )
    window_closed_by_therapy: bool = Field(
        True,
        description="Later anticancer therapy closes the response window: of a lesion what began "
        "after its own lobe's session, which is a judgement (docs/decisions/planned_course.md).",
    )
    bootstrap_seed: int = Field(20120701, description="Seed of the lesion-level cluster bootstrap.")
    bootstrap_samples: Annotated[int, Field(ge=100, le=100_000)] = Field(
        2000, description="Resamples of the cluster bootstrap."
    )


class ToxicitySettings(Section):
    """Laboratory and clinical toxicity (CTCAE)."""

    ctcae_versions: tuple[Version, ...] = Field(
        VERSIONS, description="Versions that laboratory values are graded in; never pooled."
    )
    primary_version: Version = Field("3.0", description="The version of the report (Memon 2012).")
    missing_baseline: Literal["normal", "not_gradable"] = Field(
        "normal",
        description="A baseline that was never delivered, where a version grades against it: taken "
        "as normal, as admiral does, or the results after T0 have no grade. One that was set aside "
        "never counts as normal.",
    )
    acute_days: Days = Field(30, description="`acute`: up to so many days after any session.")
    primary_days: Days = Field(
        90, description="`primary`: from T0 to so many days after the last session."
    )
    late_days: Days = Field(
        183, description="`late`: from then to so many days after the last session."
    )
    lab_windows: Annotated[tuple[TimePoint, ...], AfterValidator(_of_different_days)] = Field(
        ((14, 30, 60), (61, 91, 122), (153, 183, 213), (275, 365, 456), (640, 730, 820)),
        description="Time points of laboratory values and liver scores over time: first day, day "
        "aimed at and last day from T0 of each. The result nearest to the day aimed at counts.",
    )
    related_from: Literal["unlikely", "possible", "probable", "definite"] = Field(
        "possible", description="The weakest relation that counts as treatment-related."
    )
    reild_bilirubin_mg_dl: Annotated[float, Field(gt=0)] = Field(
        3.0, description="REILD candidate: bilirubin above this and above its baseline."
    )
    reild_from_day: Days = Field(14, description="REILD candidate: first day after a session.")
    reild_to_day: Days = Field(122, description="REILD candidate: last day after a session.")
    liver_function_days: Days = Field(
        14,
        description="ALBI and Child-Pugh after a session: an item that was not measured on the day "
        "of the score may be so old; 0 takes items of one day only.",
    )


class BaselineSettings(Section):
    """What was known before the first treatment."""

    stale_days: Days = Field(28, description="Older baseline values are used, flagged stale.")
    bilirubin_umol_per_mg_dl: Annotated[str, Field(pattern=r"^\d+(\.\d{1,4})?$")] = Field(
        "17.1", description="umol/L in one mg/dL of bilirubin."
    )
    child_pugh_inr_upper: Literal["2.2", "2.3"] = Field(
        "2.3", description="Greatest INR that scores 2 points in Child-Pugh."
    )
    unilobar_second_session_days: Days = Field(
        90, description="A second session within so many days to the other lobe is the same course."
    )


class EligibilitySettings(Section):
    """The series' inclusion and exclusion rules."""

    ecog_max: Annotated[int, Field(ge=0, le=4)] = Field(
        2, description="Eligibility rule E4: the ECOG performance status is at most this."
    )
    bilirubin_max_mg_dl: Annotated[str, Field(pattern=r"^\d+(\.\d{1,4})?$")] = Field(
        "2.0", description="Eligibility rule E5: bilirubin is at most this."
    )
    lung_dose_max_gy: Annotated[str, Field(pattern=r"^\d+(\.\d{1,4})?$")] = Field(
        "30", description="Exclusion rule X3: the planned lung dose of one session is at most this."
    )
    lung_dose_cumulative_max_gy: Annotated[str, Field(pattern=r"^\d+(\.\d{1,4})?$")] = Field(
        "50", description="The cumulative lung dose is at most this."
    )
    concurrent_before_days: Days = Field(
        14, description="Exclusion rule X4: a concurrent therapy counts from T0 minus this."
    )
    concurrent_after_days: Days = Field(
        14, description="Exclusion rule X4: a concurrent therapy counts to T0 plus this."
    )
    assess_organ_function: bool = Field(
        False,
        description="Eligibility rule E6 (organ function): off, since the source gives no limits.",
    )
    maa_max_days: Days = Field(60, description="MAA scan at most so long before the session.")


class DosimetrySettings(Section):
    """Constants of the dose formulas."""

    y90_half_life_h: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] = Field(
        "64.1", description="Half-life of 90Y in hours."
    )
    mird_constant: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] = Field(
        "50", description="Gy kg per GBq; 50 reproduces the paper, 49.67 is also in use."
    )
    liver_density_g_ml: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] = Field(
        "1.03", description="Density that turns a volume into a mass."
    )
    lung_mass_kg: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] = Field(
        "1.0", description="Mass of both lungs."
    )
    dose_tolerance_pct: Annotated[float, Field(gt=0, lt=100)] = Field(
        10, description="Recomputed and recorded dose may differ by this."
    )
    lung_dose_tolerance_pct: Annotated[float, Field(gt=0, lt=100)] = Field(
        5, description="Recomputed and recorded lung dose may differ by this."
    )
    delivered_pct: Annotated[float, Field(gt=0, le=100)] = Field(
        90, description="A target got what was planned from so much of it on; no source read says."
    )
    bsa_formula: Literal["dubois", "mosteller"] = Field("dubois", description="Body surface area.")
    cutoff_seed: int = Field(
        20210601, description="Seed of the resampled patients by which cut-offs of dose are judged."
    )
    cutoff_samples: Annotated[int, Field(ge=50, le=10_000)] = Field(
        200, description="Resamples of patients for the optimism of a cut-off of dose."
    )


class SurvivalSettings(Section):
    """Time to event and prognosis."""

    conf_type: Literal["log-log", "log", "plain"] = Field(
        "log-log", description="Transformation of the Kaplan-Meier interval."
    )
    conf_level: Annotated[float, Field(gt=0.5, lt=1)] = Field(0.95, description="Confidence level.")
    median_rule: Literal["midpoint", "first_at_or_below"] = Field(
        "midpoint", description="What a median is where the curve rests on exactly one half."
    )
    landmarks_months: tuple[Months, ...] = Field(
        (12, 24, 36, 60),
        description="Landmarks in months of 30.4375 days: `12`, `12 mo` or `3 y`.",
    )
    restricted_mean_months: tuple[Months, ...] = Field(
        (12, 24, 36, 60),
        description="Horizons of restricted means, in months of 30.4375 days: `12`, `12 mo` or "
        "`3 y`.",
    )
    landmarks_days: Annotated[tuple[DaysFromT0, ...], AfterValidator(_each_once)] = Field(
        (),
        description="Landmarks in days, `90` or `90 d`: the share free of each event, and the mean "
        "time free of it up to the day.",
    )
    early_mortality_days: SomeDays = Field(
        (30, 90, 180), description="Days from T0 by which deaths of any cause are counted."
    )
    response_landmarks_days: SomeDays = Field(
        (91, 183),
        description="Landmarks of survival by response, in days from T0: the response up to the "
        "day, and survival of those observed beyond it.",
    )
    reference_groups: tuple[Folded, ...] = Field(
        (),
        description="Treatment groups of reported endpoints with which the others are compared: "
        "of each endpoint the first named that it has, in any spelling; without one, the first in "
        "the order of the alphabet.",
    )
    bilirubin_good_includes_limit: bool = Field(
        True, description="Bilirubin of exactly 1.2 mg/dL belongs to the good level."
    )
    model_selection: Literal["univariate_p", "all", "backward"] = Field(
        "univariate_p", description="Which factors enter the multivariable model."
    )
    model_p_enter: Annotated[float, Field(gt=0, le=1)] = Field(
        0.05, description="Univariate log-rank p below which a factor enters."
    )
    events_per_variable_warn: Annotated[int, Field(ge=1)] = Field(
        10, description="Fewer events per variable are flagged."
    )
    pfs_new_therapy: Literal["treatment_policy", "censor"] = Field(
        "treatment_policy", description="New anticancer therapy before progression, for PFS."
    )
    pfs_missed_visits: Literal["ignore", "censor"] = Field(
        "ignore",
        description="Progression or death after two or more missed assessments, for PFS: an event "
        "all the same, or censored at the last assessment before the gap.",
    )
    os_transplant: Literal["treatment_policy", "censor"] = Field(
        "treatment_policy", description="Liver transplant before death, for OS."
    )
    os_new_therapy: Literal["treatment_policy", "censor"] = Field(
        "treatment_policy",
        description="New anticancer therapy before death, for OS: ignored, or censored at it.",
    )
    undated_death: Literal["censor", "event_when_last_alive", "event_at_latest"] = Field(
        "censor",
        description="A patient who is dead, but at no date that can be believed: censored at the "
        "last evidence of life not after the earliest claimed death, or dead on that day, or on "
        "the latest claimed date (the extraction, where no date is claimed).",
    )
    reported_times: Literal["where_not_derivable", "derived_only"] = Field(
        "where_not_derivable",
        description="Times that a source printed: used of patients without a T0 and where an "
        "endpoint that starts at T0 is not derivable, or never.",
    )
    endpoint_criterion: CriterionChoice = Field(
        WHO.code,
        description="Criterion of response and progression in the endpoints; any spelling, such as "
        "`who` or `recist_1_1`. `auto` is the first of `endpoint_criteria` that judges enough.",
    )
    endpoint_criteria: Annotated[tuple[CriterionCode, ...], Field(min_length=1)] = Field(
        (WHO.code, RECIST11.code, MRECIST.code, EASL.code),
        description="The order in which `auto` looks for the criterion of the endpoints, anew in "
        "each release: size first, which every report gives, then enhancing tissue.",
    )
    endpoint_min_evaluable: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5,
        description="Least share of the treated, at sites that delivered scans, in whom the "
        "criterion of the endpoints can be judged. Below it the endpoints that rest on response, "
        "and doses by response, are not derivable: their curves would hold deaths alone.",
    )
    lost_to_follow_up_days: Days = Field(
        365,
        description="Alive patients not heard of for longer than this, before the last news of "
        "their site, are flagged lost; they stay censored at the last news.",
    )


class SymptomSettings(Section):
    """Symptom response."""

    window_days: Days = Field(183, description="Improvement counts up to this day.")


class FollowUpSettings(Section):
    """Follow-up schedule: 4 weeks after treatment, then every 2 to 3 months."""

    first_from_day: Days = Field(14, description="First review: earliest day.")
    first_target_day: Days = Field(28, description="First review: target day.")
    first_to_day: Days = Field(56, description="First review: latest day.")
    gap_min_days: Days = Field(46, description="Least gap between reviews.")
    gap_max_days: Days = Field(106, description="Greatest gap between reviews.")
    review_group_days: Days = Field(14, description="Imaging, labs and contact form one review.")
    interval_days: Annotated[int, Field(ge=1)] = Field(
        91, description="Interval between expected reviews; 61 is the strict reading."
    )
    long_gap_days: Days = Field(120, description="Longer gaps are counted.")


class BoundsSettings(Section):
    """What published numbers could be were held rows otherwise."""

    worlds: bool = Field(
        False,
        description="Derive what held rows may say and bound every number by it. A night of 40 "
        "patients with ten held rows takes 15 to 20 seconds more; off, held rows are counted and "
        "every number that they may reach has no bounds, and says so.",
    )


class OutcomeSettings(Section):
    """All sections that a derivation can ask for."""

    response: ResponseSettings = ResponseSettings()
    reading: ReadingSettings = ReadingSettings()
    toxicity: ToxicitySettings = ToxicitySettings()
    baseline: BaselineSettings = BaselineSettings()
    eligibility: EligibilitySettings = EligibilitySettings()
    dosimetry: DosimetrySettings = DosimetrySettings()
    survival: SurvivalSettings = SurvivalSettings()
    prognosis: PrognosisSettings = PrognosisSettings()
    symptoms: SymptomSettings = SymptomSettings()
    follow_up: FollowUpSettings = FollowUpSettings()
    bounds: BoundsSettings = BoundsSettings()


class RegistryFile(OutcomeSettings):
    """registry.toml: what one registry is, and which conventions it chose."""

    registry: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")] = Field(
        description="Name of the registry."
    )
    sites: tuple[str, ...] = Field(
        min_length=1, description="Its sites: each has a file sites/<site>.toml beside this file."
    )
    timezone: str = Field("UTC", description="IANA time zone of the nights and the schedule.")
    schedule: str = Field("0 4 * * *", description="Cron expression of the nightly run.")
    store: StoreSettings = StoreSettings()
    key_file: str | None = Field(
        None, description="The registry's key; default in the user's configuration directory."
    )
    signing_key_file: str | None = Field(
        None,
        description="The key that signs bundles for pooling; default in the user's configuration "
        "directory.",
    )
    threads: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None,
        description="Threads of the engine; default all, and one for deliveries under 4 MB. "
        "No published value depends on it.",
    )
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)?(MiB|GiB)$")] | None = Field(
        None, description="Memory of the engine before it spills to disk, for instance 2GiB."
    )
    audit: AuditSettings = AuditSettings()
    export: ExportSettings = ExportSettings()
    paper: PaperSettings = PaperSettings()
    receive_retries: Annotated[int, Field(ge=0, le=10)] = Field(
        2, description="How often receiving is tried again where the outside failed."
    )
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        30,
        description="Seconds for which a delivery's files must have kept size and time before they "
        "are received; a file named .done beside them says so at once.",
    )
    held_below_pct: Annotated[float, Field(ge=0, le=100)] = Field(
        80,
        description="A delivery is held where a file has fewer rows than so many percent of those "
        "in the last good delivery.",
    )
    monitor_degraded: bool = Field(
        True,
        description="A degraded site is told to the webhook, and `y90 status --monitor` exits 1.",
    )
    max_concurrent_runs: Annotated[int, Field(ge=1, le=16)] = Field(
        1, description="Cap on runs at once when serving."
    )
    webhook_url_env: str | None = Field(
        None,
        description="Environment variable with the webhook that is told of failed, held, late and "
        "degraded.",
    )

    @field_validator("store", mode="before")
    @classmethod
    def _path_alone(cls, given: Any) -> Any:
        return {"path": given} if isinstance(given, str) else given


@dataclass(frozen=True, slots=True)
class Registry:
    """One registry as loaded: its file, its sites, and where they were found."""

    file: RegistryFile
    sites: Mapping[str, Site]
    folder: Path

    @property
    def outcome_settings(self) -> OutcomeSettings:
        """The settings that derivations see."""
        chosen = {n: getattr(self.file, n) for n in OutcomeSettings.model_fields}
        return OutcomeSettings(**chosen)

"""The methods in sentences: one a setting, so that another setting changes that sentence alone."""

from collections.abc import Callable, Mapping
from typing import Any

from report.figures.model import Row, Table

Settings = Mapping[str, Mapping[str, Any]]


def _list(values: list[int]) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} and {last}" if first else last


def _among(words: Mapping[Any, str], form: str = "{}") -> Callable[[Any], str]:
    """A sentence with the words of a code; a code without words stands for itself."""
    return lambda value: form.format(words.get(value, str(value).replace("_", " ")))


SENTENCES: Mapping[tuple[str, str], Callable[[Any], str]] = {
    ("baseline", "stale_days"): "A baseline value older than {} days is marked as old.".format,
    ("response", "baseline_anchor"): _among(
        {"lobe": "treatment of its own lobe", "T0": "the first treatment"},
        "The baseline of a lesion is its last measurement up to {}.",
    ),
    ("response", "baseline_max_age_days"): (
        "A measurement more than {} days before that is no baseline.".format
    ),
    ("response", "confirmation_days"): (
        "A confirmed response is seen again after at least {} days.".format
    ),
    ("response", "sd_min_days"): lambda days: (
        f"Stable disease needs {days} days after the first treatment."
        if days
        else "Stable disease has no least duration."
    ),
    ("response", "who_pd_operator"): _among(
        {">": "more than 25 %", ">=": "25 % or more"},
        "Progression by WHO is growth of {} over the nadir.",
    ),
    ("response", "mrecist_pd_operator"): _among(
        {">": "more than 20 %", ">=": "20 % or more"},
        "Progression by mRECIST is growth of {} over the nadir.",
    ),
    ("response", "window_closed_by_therapy"): lambda closed: (
        "Assessments after another therapy began do not count for best response."
        if closed
        else "Assessments after another therapy began count for best response."
    ),
    ("response", "reader"): "Assessments are those of the {} reader.".format,
    ("survival", "endpoint_criterion"): (
        "Progression and response of the times to an event are judged by {}.".format
    ),
    ("survival", "conf_level"): lambda level: (
        f"Confidence intervals cover {100 * float(level):g} %."
    ),
    ("survival", "conf_type"): "Intervals of curves are of the {} kind.".format,
    ("survival", "median_rule"): _among(
        {
            "midpoint": "the midpoint of a plateau at one half",
            "first_at_or_below": "the first time at or below one half",
        },
        "The headline median is {}.",
    ),
    ("survival", "landmarks_months"): lambda months: f"Landmarks are {_list(months)} months.",
    ("survival", "landmarks_days"): lambda days: (
        f"Landmarks in days are {_list(days)}." if days else "No landmark is named in days."
    ),
    ("survival", "lost_to_follow_up_days"): (
        "Alive without a contact for {} days before the cutoff is lost to follow-up.".format
    ),
    ("survival", "pfs_new_therapy"): _among(
        {"treatment_policy": "is ignored", "censor": "censors before it"},
        "Another therapy before progression {}.",
    ),
    ("survival", "pfs_missed_visits"): _among(
        {"ignore": "counts", "censor": "is censored before them"},
        "Progression after two missed assessments {}.",
    ),
    ("survival", "model_p_enter"): (
        "A factor enters the joint model if its p alone is below {}.".format
    ),
    ("toxicity", "primary_version"): "Toxicity is graded by CTCAE {}.".format,
    ("toxicity", "missing_baseline"): _among(
        {"normal": "counted as normal"},
        "A laboratory value without a baseline is {} before treatment.",
    ),
}
"""(section, key) of the settings -> its sentence."""


def sentences(settings: Settings) -> dict[tuple[str, str], str]:
    """The sentence of each setting that the release was made with."""
    return {
        (section, key): write(settings[section][key])
        for (section, key), write in SENTENCES.items()
        if key in settings.get(section, {})
    }


def methods(settings: Settings) -> Table:
    """The methods of a release, as its settings decide them."""
    said = sentences(settings)
    return Table(
        id="methods",
        title="Methods, from the settings of this release",
        notes=(
            "Time runs from the first ⁹⁰Y treatment (T0). Proportions have Clopper-Pearson "
            "intervals by patient; by lesion the patient is the cluster. Curves are Kaplan-Meier, "
            "levels are compared by the log-rank test and Cox's hazard ratio, unadjusted.",
        ),
        empty="" if said else "The settings of this release are not known.",
        columns=("", "setting"),
        rows=tuple(Row((text, f"{section}.{key}")) for (section, key), text in said.items()),
    )

"""The ladder of rules that classifies one time point; the first rule that holds decides.

Progression is asked first: a lesion that went from 100 to 20 to 26 is far below its baseline and
still progressive. Before it stand only the reasons why nothing can be said, so that a missing value
never becomes stable disease.

Growth counts from the nadir, the smallest value over the baseline and everything evaluable strictly
before; shrinkage counts from the baseline.

Source: Riaz et al. 2011, J Hepatol 54:695, Table 1; EORTC, RECIST questions and clarifications
(reference of growth and of shrinkage; reappearance after a nadir of zero).
"""

from typing import Literal, NamedTuple

import ibis
import ibis.expr.types as ir

from schemas.codes import UNREADABLE
from schemas.records.criteria import MILLIONTHS, NODE_NORMAL_MM, Criterion
from schemas.settings import ResponseSettings

Response = Literal["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"]


class Rule(NamedTuple):
    """A rule that can decide a time point."""

    name: str
    response: Response
    meaning: str


RULES: tuple[Rule, ...] = (
    Rule("new_lesion", "PD", "A new lesion was seen."),
    Rule("new_lesion_measured", "PD", "A lesion was first measured after treatment."),
    Rule("non_target_progression", "PD", "Non-target disease progressed unequivocally."),
    Rule("growth_of_a_lesion", "PD", "One lesion grew over its own nadir (setting)."),
    Rule("reappearance", "PD", "Disease is back after it had measured nothing."),
    Rule("growth_over_nadir", "PD", "The quantity grew over the nadir beyond the limit."),
    Rule("gone", "CR", "Nothing measurable, or nothing enhancing, is left."),
    Rule("non_target_gone", "CR", "No target at baseline; non-target disease is gone."),
    Rule(
        "non_target_remains", "PR", "Targets are gone, non-target disease is not, or was not read."
    ),
    Rule("decrease_from_baseline", "PR", "The quantity fell from baseline to the limit or below."),
    Rule("neither", "SD", "Neither response nor progression."),
    Rule(
        "non_target_persists", "NON-CR/NON-PD", "No target at baseline; non-target disease stays."
    ),
    Rule("plan_not_recorded", "NE", "Which lobes were planned was not recorded (setting)."),
    Rule("new_after_treatment", "NE", "The lesion is new, and has nothing to be compared with."),
    Rule("no_baseline", "NE", "No measurement up to treatment."),
    Rule("baseline_not_evaluable", "NE", "Measured up to treatment, but never evaluable."),
    Rule("baseline_too_old", "NE", "The last evaluable baseline is older than the setting allows."),
    Rule("baseline_zero", "NE", "Nothing was measurable at baseline."),
    Rule("no_baseline_enhancement", "NE", "Nothing enhanced at baseline."),
    Rule("not_measurable", "NE", "Below the size of a target at baseline."),
    Rule("no_target", "NE", "No lesion is followed, and non-target disease was not judged."),
    Rule(
        "merged",
        "NE",
        "The lesion merged; what it merged into was not read, or others have yet to merge.",
    ),
    Rule("other_modality", "NE", "The lesion was not read in the modality that counts."),
    Rule("lesions_not_evaluable", "NE", "A baseline lesion is missing or was not evaluable."),
    Rule("scan_not_evaluable", "NE", "The scan could not be evaluated."),
    Rule("not_imaged", "NE", "The lesion was not imaged."),
    Rule("not_evaluable", "NE", "The lesion could not be evaluated."),
    Rule("no_arterial_phase", "NE", "The scan had no arterial phase."),
    Rule("arterial_phase_unknown", "NE", "It is not known whether the scan had an arterial phase."),
    Rule("not_measured", "NE", "The diameters that the criterion needs are missing."),
    Rule(UNREADABLE, "NE", "A cell that decides is filled in and cannot be read."),
)
_CODES = {rule.name: number for number, rule in enumerate(RULES)}
FIRST_NOT_EVALUABLE = _CODES["plan_not_recorded"]
PROGRESSIVE_UP_TO = _CODES["growth_over_nadir"]


def code(rule: str) -> ir.IntegerScalar:
    """The rule's number: a column of them is narrower than one of names."""
    return ibis.literal(_CODES[rule], "int64")


def named(numbers: ir.IntegerColumn) -> tuple[ir.StringValue, ir.StringValue]:
    """Rule and class of a column of numbers."""
    rules = ibis.cases(*((numbers == n, r.name) for n, r in enumerate(RULES)))
    responses = ibis.cases(
        *((numbers <= last, response) for last, response in _class_ends()), else_="NE"
    )
    return rules, responses


def _class_ends() -> list[tuple[int, str]]:
    """The rules stand in the order of their classes: the last number of each class but NE."""
    ends = {rule.response: number for number, rule in enumerate(RULES)}
    return [(number, response) for response, number in ends.items() if response != "NE"]


def baseline_rules(
    criterion: Criterion,
    *,
    known: ir.BooleanValue,
    day: ir.IntegerValue,
    value: ir.IntegerValue,
) -> list[tuple[ir.BooleanValue, ir.IntegerValue]]:
    """Why there is nothing to compare with.

    Args:
        criterion: whose zero baseline has a reason of its own.
        known: something was recorded up to treatment.
        day: day of the last evaluable value.
        value: that value, null where it is too old.
    """
    return [
        (known.isnull() | ~known, code("no_baseline")),
        (day.isnull(), code("baseline_not_evaluable")),
        (value.isnull(), code("baseline_too_old")),
        (value == 0, code(criterion.zero_baseline)),
    ]


def value_rules(
    criterion: Criterion, value: ir.IntegerValue, reading: ir.Table
) -> list[tuple[ir.BooleanValue, ir.IntegerValue]]:
    """Why one reading has no value under the criterion."""
    missing = value.isnull()
    rules = [
        (missing & reading.unreadable, code(UNREADABLE)),
        (missing & ~reading.scan_evaluable, code("scan_not_evaluable")),
        (missing & (reading.status == "not_imaged"), code("not_imaged")),
        (missing & (reading.status == "not_evaluable"), code("not_evaluable")),
    ]
    if criterion.arterial_phase:
        rules += [
            (missing & reading.arterial_phase.isnull(), code("arterial_phase_unknown")),
            (missing & ~reading.arterial_phase, code("no_arterial_phase")),
        ]
    return [*rules, (missing, code("not_measured"))]


def grown(
    criterion: Criterion,
    value: ir.IntegerValue,
    nadir: ir.IntegerValue,
    settings: ResponseSettings,
) -> ir.BooleanValue:
    """The value exceeds the nadir by the criterion's ratio, and by its least growth.

    Of a nadir of zero every value is more than any ratio: the least growth alone decides.
    """
    share = criterion.progression
    grown_to, limit = value * share.denominator, nadir * share.numerator
    beyond = grown_to >= limit if _operator(criterion, settings) == ">=" else grown_to > limit
    return (value > nadir) & beyond & (value - nadir >= criterion.least_growth_mm * MILLIONTHS)


def _operator(criterion: Criterion, settings: ResponseSettings) -> str:
    """How growth is compared: the settings' choice where sources differ, else the record's."""
    if not criterion.operator_setting:
        return criterion.operator
    return str(getattr(settings, criterion.operator_setting))


def shrunk(
    criterion: Criterion, value: ir.IntegerValue, baseline: ir.IntegerValue
) -> ir.BooleanValue:
    """The value is at most the criterion's share of the baseline."""
    share = criterion.partial_response
    return value * share.denominator <= baseline * share.numerator


def gone(criterion: Criterion, value: ir.IntegerValue, node: ir.BooleanValue) -> ir.BooleanValue:
    """Nothing is left of a lesion, or the node is normal where the criterion says so."""
    if not criterion.nodes_normalise:
        return value == 0
    return (value == 0) | (node & (value < NODE_NORMAL_MM * MILLIONTHS))


def measurable(
    criterion: Criterion, baseline: ir.IntegerValue, node: ir.BooleanValue
) -> ir.BooleanValue:
    """The baseline is large enough for a target; WHO and EASL take every index lesion."""
    least = node.ifelse(criterion.measurable_node_mm, criterion.measurable_mm)
    return baseline >= least * MILLIONTHS

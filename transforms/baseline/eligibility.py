"""Each patient's answer to every inclusion and exclusion rule, and the populations that follow.

Every rule is asked of every patient delivered. A value that is missing, stale or ambiguous is
`unknown`, which is neither pass nor fail. The rules are the records of
`schemas.records.eligibility`.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894, as reviewed by Kanani 2013; a
mapping may serve several sessions (repeat lung shunt studies in the same liver, BIDMC 2021).
"""

from functools import reduce

import ibis
import ibis.expr.types as ir

from schemas.codes import UNREADABLE
from schemas.contract import Table, any_unreadable, conform, unreadable
from schemas.records.eligibility import NOT_SPECIFIED, NOT_TREATED
from schemas.settings import BaselineSettings, EligibilitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, PopulationMembers, Sessions
from schemas.tables.marts import Eligibility
from schemas.tables.registry import (
    Assessments,
    Mappings,
    Medications,
    Patients,
    PriorTherapies,
    ReportedEndpoints,
    SubsequentTherapies,
    Treatments,
)
from transforms.baseline.baseline import last_up_to_t0
from transforms.baseline.concurrent import concurrent_therapy
from transforms.baseline.lab_limits import at_most, factors
from transforms.joins import looked_up


def eligibility(
    patients: Table[Patients],
    assessments: Table[Assessments],
    mappings: Table[Mappings],
    treatments: Table[Treatments],
    medications: Table[Medications],
    prior_therapies: Table[PriorTherapies],
    subsequent_therapies: Table[SubsequentTherapies],
    baseline_labs: Table[BaselineLabs],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    *,
    settings: EligibilitySettings,
    baseline: BaselineSettings,
) -> Table[Eligibility]:
    """Ask every rule of every patient, and keep the value that decided."""
    everyone = _with(
        patients.select("subject_id", "site_id"), anchors.select("subject_id", "t0_date")
    )
    therapy = concurrent_therapy(
        everyone, prior_therapies, medications, subsequent_therapies, settings
    )
    asked = [
        *_flags(patients, settings),
        _extrahepatic(patients),
        _ecog(everyone, assessments, anchors, settings, baseline),
        _bilirubin(everyone, baseline_labs, settings, baseline),
        _shunt(everyone, mappings, sessions),
        _lung_dose(everyone, mappings, treatments, sessions, settings),
        _rule("X4", therapy, therapy.passes, therapy.named, _window(settings), therapy.why),
        _work_up(everyone, mappings, settings),
    ]
    return reduce(lambda one, other: one.union(other), asked)


def population_members(
    anchors: Table[Anchors],
    eligibility: Table[Eligibility],
    reported_endpoints: Table[ReportedEndpoints],
) -> Table[PopulationMembers]:
    """List who is in `all`, `per_criteria` and each site's population.

    A subject that has only reported endpoints has no T0, but is in `all` and in its site.
    """
    members = anchors.select("subject_id", "site_id").union(
        reported_endpoints.select("subject_id", "site_id"), distinct=True
    )
    by_site = ibis.literal("site:") + members.site_id
    lists = [
        members.select("subject_id", population=ibis.literal("all")),
        members.select("subject_id", population=by_site),
        _meets_every_rule(anchors, eligibility),
    ]
    conformed = [conform(members, PopulationMembers) for members in lists]
    return reduce(lambda one, other: one.union(other), conformed)


def _meets_every_rule(anchors: ir.Table, eligibility: ir.Table) -> ir.Table:
    assessed = eligibility.reason.fill_null("") != NOT_SPECIFIED
    short = eligibility.filter(assessed & (eligibility.status != "pass")).select("subject_id")
    asked = anchors.semi_join(eligibility, "subject_id").anti_join(short, "subject_id")
    return asked.select("subject_id", population=ibis.literal("per_criteria"))


def _rule(
    rule_id: str,
    table: ir.Table,
    passes: ir.BooleanValue,
    value: ir.StringValue,
    limit: str | None,
    why_unknown: ir.StringValue | str,
) -> ir.Table:
    """One rule's rows; `passes` is null where the rule can neither pass nor fail."""
    answered = table.select(
        "subject_id",
        rule_id=ibis.literal(rule_id),
        status=ibis.cases((passes.isnull(), "unknown"), (passes, "pass"), else_="fail"),
        value=value,
        allowed=ibis.null("string") if limit is None else ibis.literal(limit),
        reason=ibis.ifelse(passes.isnull(), why_unknown, ibis.null("string")),
    )
    return conform(answered, Eligibility)


def _flags(patients: ir.Table, settings: EligibilitySettings) -> list[ir.Table]:
    liver, unresectable = patients.liver_metastases, patients.unresectable
    both = ibis.literal("liver metastases ") + _yes_no(liver)
    both = both + ibis.literal(", unresectable ") + _yes_no(unresectable)
    adequate = patients.organ_function_adequate
    assess = settings.assess_organ_function
    return [
        _rule("E1", patients, liver & unresectable, both, "yes, yes", "missing"),
        _flag("E2", patients, patients.refractory_to_systemic),
        _flag("E3", patients, patients.progression_confirmed),
        _rule(
            "E6",
            patients,
            adequate if assess else ibis.null("boolean"),
            _yes_no(adequate).nullif("missing"),
            "yes" if assess else None,
            "missing" if assess else NOT_SPECIFIED,
        ),
    ]


def _flag(rule_id: str, patients: ir.Table, flag: ir.BooleanValue) -> ir.Table:
    return _rule(rule_id, patients, flag, _yes_no(flag).nullif("missing"), "yes", "missing")


def _yes_no(flag: ir.BooleanValue) -> ir.StringValue:
    return ibis.cases((flag.isnull(), "missing"), (flag, "yes"), else_="no")


def _extrahepatic(patients: ir.Table) -> ir.Table:
    extent = patients.extrahepatic_disease.nullif("unknown")
    # Null asked first: Spark does not parse the `x IN (...) IS NULL` that asking later makes.
    passes = ibis.cases((extent.isnull(), None), else_=extent.isin(["none", "minimal"]))
    return _rule("X1", patients, passes, extent, "none, minimal", "missing")


def _ecog(
    everyone: ir.Table,
    assessments: ir.Table,
    anchors: ir.Table,
    settings: EligibilitySettings,
    baseline: BaselineSettings,
) -> ir.Table:
    marked = unreadable(assessments, "ecog")
    last = last_up_to_t0(assessments, "ecog", "assessment_date", anchors, marked=marked)
    known = _with(everyone, last.select("subject_id", "ecog", "age_days"))
    fresh = known.age_days <= baseline.stale_days
    passes = ibis.ifelse(fresh, known.ecog <= settings.ecog_max, ibis.null("boolean"))
    limit = f"at most {settings.ecog_max}"
    return _rule("E4", known, passes, known.ecog.cast("string"), limit, _why(known, known.ecog))


def _bilirubin(
    everyone: ir.Table,
    baseline_labs: ir.Table,
    settings: EligibilitySettings,
    baseline: BaselineSettings,
) -> ir.Table:
    drawn = baseline_labs.filter(baseline_labs.analyte == "bilirubin")
    units = factors("bilirubin", baseline.bilirubin_umol_per_mg_dl)
    marked = any_unreadable(drawn, "value_comparator", "lab_time")
    within = drawn.mutate(
        marked=marked,
        within=marked.ifelse(None, at_most(drawn, units, settings.bilirubin_max_mg_dl)),
        shown=drawn.value_comparator.fill_null("") + _number(drawn.value) + " " + drawn.unit,
    )
    known = _with(
        everyone, within.select("subject_id", "within", "shown", "age_days", "stale", "marked")
    )
    passes = ibis.ifelse(known.stale, ibis.null("boolean"), known.within)
    ambiguous = (~known.stale & known.within.isnull()).fill_null(False)
    why = ibis.cases(
        (ambiguous & known.marked, UNREADABLE),
        (ambiguous, "censored, or in an unknown unit"),
        else_=_why(known, known.shown),
    )
    limit = f"at most {settings.bilirubin_max_mg_dl} mg/dL"
    return _rule("E5", known, passes, known.shown, limit, why)


def _why(known: ir.Table, value: ir.Value) -> ir.StringValue:
    return ibis.cases(
        (known.t0_date.isnull(), NOT_TREATED),
        (value.isnull() & known.age_days.notnull(), UNREADABLE),
        (value.isnull(), "missing"),
        else_="stale",
    )


def _shunt(everyone: ir.Table, mappings: ir.Table, sessions: ir.Table) -> ir.Table:
    named = mappings.mutate(gi_shunt=mappings.gi_shunt.nullif("unknown"))
    serving = _serving(named, sessions, "gi_shunt")
    # The worst of the mappings that serve: uncorrectable, then corrected, then none.
    rank = ibis.cases(
        (serving.gi_shunt == "uncorrectable", 2),
        (serving.gi_shunt == "corrected", 1),
        (serving.gi_shunt == "none", 0),
    )
    worst = serving.group_by("subject_id").agg(worst=rank.max(), marked=serving.marked.any())
    known = _with(everyone, worst)
    shown = ibis.cases(
        (known.worst == 2, "uncorrectable"),
        (known.worst == 1, "corrected"),
        (known.worst == 0, "none"),
    )
    marked = known.marked.fill_null(False)
    passes = (marked & (known.worst.fill_null(0) < 2)).ifelse(None, known.worst < 2)
    why = marked.ifelse(UNREADABLE, "missing")
    return _rule("X2", known, passes, shown, "none, corrected", why)


def _lung_dose(
    everyone: ir.Table,
    mappings: ir.Table,
    treatments: ir.Table,
    sessions: ir.Table,
    settings: EligibilitySettings,
) -> ir.Table:
    serving = _serving(mappings, sessions, "planned_lung_dose_gy")
    planned = serving.group_by("subject_id").agg(
        planned=serving.planned_lung_dose_gy.max(), planned_marked=serving.marked.any()
    )
    given = treatments.semi_join(
        sessions.filter(sessions.course == 1), ["subject_id", "session_id"]
    )
    recorded = given.group_by("subject_id").agg(
        recorded=given.lung_dose_gy.max(), recorded_marked=unreadable(given, "lung_dose_gy").any()
    )
    known = _with(_with(everyone, planned), recorded)
    dose = ibis.coalesce(known.planned, known.recorded)
    within = dose <= ibis.literal(settings.lung_dose_max_gy).cast("decimal(18, 6)")
    marked = known.planned_marked.fill_null(False) | (
        known.planned.isnull() & known.recorded_marked.fill_null(False)
    )
    passes = (marked & within.fill_null(True)).ifelse(None, within)
    limit = f"at most {settings.lung_dose_max_gy} Gy"
    why = marked.ifelse(UNREADABLE, "missing")
    return _rule("X3", known, passes, _number(dose) + " Gy", limit, why)


def _serving(mappings: ir.Table, sessions: ir.Table, value: str) -> ir.Table:
    """The last mapping with a value up to each session of the first course.

    A value that cannot be read is one: no earlier mapping stands for it. A patient who was not
    treated, perhaps for what the mapping showed, has the last of all.
    """
    days = sessions.filter(sessions.course == 1).select(
        "subject_id", "session_number", "session_date"
    )
    marked = mappings.mutate(marked=unreadable(mappings, value))
    known = marked.filter(marked[value].notnull() | marked.marked)
    paired = looked_up(known, days, "subject_id")
    earlier = paired.filter(
        paired.session_date.isnull() | (paired.mapping_date <= paired.session_date)
    )
    order = [ibis.desc("mapping_date"), ibis.desc("row_id")]
    ranked = earlier.mutate(
        rank=ibis.row_number().over(group_by=["subject_id", "session_number"], order_by=order)
    )
    return ranked.filter(ranked["rank"] == 0)


def _work_up(everyone: ir.Table, mappings: ir.Table, settings: EligibilitySettings) -> ir.Table:
    paired = mappings.inner_join(everyone.select("subject_id", "t0_date"), "subject_id")
    before = paired.t0_date.delta(paired.maa_date, unit="day")
    mapped = paired.mapping_date <= paired.t0_date
    counted = paired.group_by("subject_id").agg(
        n_in_time=(mapped & before.between(0, settings.maa_max_days)).sum(),
        n_undated=(mapped & paired.maa_date.isnull()).sum(),
        youngest=before.min(where=before >= 0),
        n_mappings=paired.count(),
    )
    known = _with(everyone, counted)
    passes = ibis.cases(
        (known.t0_date.isnull(), ibis.null("boolean")),
        (known.n_in_time > 0, True),
        (known.n_undated > 0, ibis.null("boolean")),
        (known.n_mappings > 0, False),
        else_=ibis.null("boolean"),
    )
    value = known.youngest.cast("string") + " days before"
    why = ibis.ifelse(known.t0_date.isnull(), NOT_TREATED, "missing")
    return _rule("W1", known, passes, value, f"at most {settings.maa_max_days} days before", why)


def _window(settings: EligibilitySettings) -> str:
    return f"day -{settings.concurrent_before_days} to {settings.concurrent_after_days}"


def _number(value: ir.DecimalValue) -> ir.StringValue:
    return value.cast("decimal(18, 6)").cast("string").re_replace("[.]?0+$", "")


def _with(table: ir.Table, part: ir.Table) -> ir.Table:
    return looked_up(table, part, "subject_id")

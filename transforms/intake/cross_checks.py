"""Rules between rows and tables: facts that cannot both be true.

A death before treatment, two deaths, a living contact after death: each is a hard error, and the
rows that contradict each other are set aside together, since nothing in them says which is wrong.
What is odd but possible is noted, and the row is loaded.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial, reduce
from operator import or_

import ibis
import ibis.expr.types as ir

from schemas.records.analytes import LAB_UNITS, WINDOWS
from schemas.records.ctcae_terms import SURGICAL_GRADE, TERMS, Grades
from schemas.records.endpoints import RECORDS as ENDPOINTS
from schemas.records.field.markers import MARKERS
from schemas.records.findings import (
    AFTER_DEATH,
    CROSS_RULES,
    GY_KG_PER_GBQ,
    LUNG_KG,
    MAA_DAYS,
    SESSION_DAYS,
    CrossRule,
)
from schemas.words import plain_words
from transforms.intake import lesion_checks
from transforms.intake.partial_dates import first_day, last_day
from transforms.intake.unit_errors import unit_errors

ROW = "_row"
"""Numbers the rows of a table that is being judged."""
PATIENT = ["site_id", "patient_id"]
SESSION = [*PATIENT, "session_id"]


@dataclass(frozen=True, slots=True)
class CrossCheck(CrossRule):
    """A rule with what finds its rows.

    `breaks` takes the tables named in `reads` and returns the rows of `table` that break the rule.
    """

    breaks: Callable[..., ir.Table] = field(kw_only=True)


def _two_deaths(contacts: ir.Table) -> ir.Table:
    """Dates of death that cannot be one: a month and a day in it can."""
    deaths = _spanned(contacts.filter(contacts.contact_type == "death"))
    spans = deaths.group_by(PATIENT).agg(first=deaths.earliest.max(), last=deaths.latest.min())
    several = spans.filter(spans["first"] > spans["last"])
    return contacts.filter(contacts.contact_type == "death").semi_join(several, PATIENT)


def _after_death(contacts: ir.Table) -> ir.Table:
    """Living contacts after the day, or the month, of death."""
    spanned = _spanned(contacts)
    deaths = spanned.filter(spanned.contact_type == "death")
    alive = spanned.filter(spanned.contact_type != "death")
    died = deaths.group_by(PATIENT).agg(died=deaths.latest.max())
    late = alive.join(died, PATIENT).filter(lambda t: t.earliest > t.died)
    return contacts.semi_join(late, [*PATIENT, "contact_date", "contact_type"]).union(
        contacts.filter(contacts.contact_type == "death").semi_join(late, PATIENT)
    )


def _before_treatment(contacts: ir.Table, treatments: ir.Table) -> ir.Table:
    t0 = _first(treatments, "treatment_date", "t0")
    deaths = _spanned(contacts.filter(contacts.contact_type == "death"))
    early = deaths.join(t0, PATIENT).filter(lambda t: t.latest < t.t0)
    return contacts.filter(contacts.contact_type == "death").semi_join(early, PATIENT)


def _classed_before(recorded_responses: ir.Table, treatments: ir.Table) -> ir.Table:
    t0 = _first(treatments, "treatment_date", "t0")
    early = recorded_responses.join(t0, PATIENT).filter(lambda t: t.response_date <= t.t0)
    return recorded_responses.semi_join(early, [*PATIENT, "response_date"])


def _spanned(contacts: ir.Table) -> ir.Table:
    """With the first and last day that each date can mean."""
    date, precision = contacts.contact_date, contacts.contact_date_precision
    return contacts.mutate(earliest=first_day(date, precision), latest=last_day(date, precision))


def _before_birth(patients: ir.Table, treatments: ir.Table) -> ir.Table:
    born = patients.select(*PATIENT, "birth_year")
    early = treatments.join(born, PATIENT).filter(lambda t: t.treatment_date.year() < t.birth_year)
    return treatments.semi_join(early, PATIENT)


def _before_diagnosis(patients: ir.Table, treatments: ir.Table) -> ir.Table:
    """Only what is certain: a diagnosis known to the month or year is compared as such."""
    t0 = _first(treatments, "treatment_date", "t0")
    known = patients.join(t0, PATIENT)
    coarse = first_day(known.diagnosis_date, known.diagnosis_date_precision)
    return patients.semi_join(known.filter(known.t0 < coarse), PATIENT)


def _dead_by_then(column: str, contacts: ir.Table, **others: ir.Table) -> ir.Table:
    """Rows after the day, or the month, in which the patient died."""
    (table,) = others.values()
    deaths = contacts.filter(contacts.contact_type == "death")
    died = _spanned(deaths).group_by(PATIENT).agg(last=lambda t: t.latest.max())
    late = table.join(died, PATIENT).filter(lambda t: t[column] > t["last"])
    return table.semi_join(late, [*PATIENT, column])


def _maa_too_old(mappings: ir.Table, treatments: ir.Table) -> ir.Table:
    """No MAA scan in the days before the session, of a patient whose scans are dated."""
    dated = mappings.filter(mappings.maa_date.notnull())
    pairs = treatments.join(dated.select(*PATIENT, "maa_date"), PATIENT)
    days = pairs.treatment_date.delta(pairs.maa_date, unit="day")
    covered = pairs.filter((days >= 0) & (days <= MAA_DAYS))
    session = [*SESSION, "target_id"]
    return treatments.semi_join(dated, PATIENT).anti_join(covered, session)


def _mapped_afterwards(mappings: ir.Table, treatments: ir.Table) -> ir.Table:
    """The first mapping lies after the first treatment."""
    first = _first(mappings, "mapping_date", "mapped")
    both = first.join(_first(treatments, "treatment_date", "t0"), PATIENT)
    late = both.filter(both.mapped > both.t0).select(*PATIENT, mapping_date="mapped")
    return mappings.semi_join(late, [*PATIENT, "mapping_date"])


def _several(column: str, treatments: ir.Table) -> ir.Table:
    """One session with several values of what a session has only one of."""
    said = treatments[column].cast("string").nullif("unknown")
    kinds = treatments.group_by(SESSION).agg(n=said.nunique())
    return treatments.semi_join(kinds.filter(kinds.n > 1), SESSION)


def _beyond_activity(treatments: ir.Table) -> ir.Table:
    """Sessions whose lung dose holds more energy than their activity gives off."""
    sessions = treatments.group_by(SESSION).agg(
        given=treatments.activity_administered_gbq.sum(),
        known=treatments.activity_administered_gbq.notnull().all(),
        lungs=treatments.lung_dose_gy.max(),
    )
    beyond = sessions.lungs * LUNG_KG > sessions.given * GY_KG_PER_GBQ
    return treatments.semi_join(sessions.filter(sessions.known & beyond), SESSION)


def _short_gap(treatments: ir.Table) -> ir.Table:
    """Another session of the patient within the days before."""
    names = {n: f"other_{n}" for n in ("session_id", "treatment_date")}
    other = treatments.select(*PATIENT, **{new: treatments[n] for n, new in names.items()})
    pairs = treatments.join(other, PATIENT)
    days = pairs.treatment_date.delta(pairs.other_treatment_date, unit="day")
    soon = (pairs.session_id != pairs.other_session_id) & (days >= 1) & (days < SESSION_DAYS)
    return treatments.semi_join(pairs.filter(soon), [*SESSION, "target_id"])


def _no_such_grade(adverse_events: ir.Table) -> ir.Table:
    """The term has no such grade in the version that it was given in.

    Terms with equal grades are asked for together: a list of words a term is a list a grade too.
    """
    t = adverse_events.mutate(plain_term=plain_words(adverse_events.term))
    alike: dict[tuple[str, Grades], set[str]] = defaultdict(set)
    for term in TERMS:
        for version, grades in term.grades.items():
            alike[version, grades] |= term.spellings()
    conditions = (
        (t.ctcae_version == version) & ~t.grade.between(*grades) & t.plain_term.isin(sorted(words))
        for (version, grades), words in alike.items()
    )
    return t.filter(reduce(or_, conditions).fill_null(False)).drop("plain_term")


def _operated_below_3(adverse_events: ir.Table) -> ir.Table:
    """Cholecystitis that led to cholecystectomy, with a milder grade than an operation has."""
    (cholecystitis,) = (t for t in TERMS if t.term == "cholecystitis")
    t = adverse_events
    operated = plain_words(t.term).isin(
        sorted(cholecystitis.spellings())
    ) & t.procedure.lower().contains("cholecystectomy")
    return t.filter(operated.fill_null(False) & (t.grade.fill_null(0) < SURGICAL_GRADE))


def _unknown_term(adverse_events: ir.Table) -> ir.Table:
    """Terms that are none of ours: one row of each spelling."""
    known = sorted(frozenset[str]().union(*(t.spellings() for t in TERMS)))
    other = adverse_events.filter(~plain_words(adverse_events.term).isin(known))
    first = other.group_by(_term=other.term.lower()).agg(_first=other[ROW].min())
    return adverse_events.semi_join(first, adverse_events[ROW] == first["_first"])


def _unknown_analyte(labs: ir.Table) -> ir.Table:
    """Analytes that are none of ours: one row of each spelling."""
    other = labs.filter(~labs.analyte.isin([*WINDOWS, *MARKERS]))
    first = other.group_by(_name=other.analyte.lower()).agg(_first=other[ROW].min())
    return labs.semi_join(first, labs[ROW] == first["_first"])


def _unknown_unit(labs: ir.Table) -> ir.Table:
    """Units that are not known of their analyte: one row of each spelling."""
    known = ibis.cases(
        *((labs.analyte == a, labs.unit.isin([*units, "%"])) for a, units in LAB_UNITS.items()),
        else_=True,
    )
    other = labs.filter(~known)
    first = other.group_by("analyte", _unit=other.unit.lower()).agg(_first=other[ROW].min())
    return labs.semi_join(first, labs[ROW] == first["_first"])


def _fatal_but_alive(adverse_events: ir.Table, contacts: ir.Table) -> ir.Table:
    fatal = (adverse_events.grade == 5) | (adverse_events.outcome == "fatal")
    deaths = contacts.filter(contacts.contact_type == "death")
    return adverse_events.filter(fatal.fill_null(False)).anti_join(deaths, PATIENT)


def _groups_differ(reported_endpoints: ir.Table) -> ir.Table:
    """Another group for another endpoint, though both endpoints have both groups at the site."""
    t = reported_endpoints.filter(reported_endpoints.group.notnull())
    used = t.select("site_id", "endpoint", "group").distinct()
    other = t.select(*PATIENT, other_endpoint="endpoint", other_group="group")
    pairs = t.join(other, PATIENT).filter(
        lambda p: (p.endpoint != p.other_endpoint) & (p.group != p.other_group)
    )
    of_theirs = [("site_id", "site_id"), ("other_endpoint", "endpoint"), ("group", "group")]
    of_ours = [("site_id", "site_id"), ("endpoint", "endpoint"), ("other_group", "group")]
    both = pairs.semi_join(used, of_theirs).semi_join(used, of_ours)
    return reported_endpoints.semi_join(both, [*PATIENT, "endpoint"])


def _time_not_used(
    reported_endpoints: ir.Table, treatments: ir.Table, **delivered: ir.Table
) -> ir.Table:
    """Reported times of who has a date of treatment, where dates give the endpoint or no start.

    Endpoints by recorded dates of progression are ours alone: no centre reports a time for one.
    """
    t = reported_endpoints.semi_join(treatments, PATIENT)
    derivable: list[ir.BooleanValue] = [t.starts_at.isnull()]
    for record in (r for r in ENDPOINTS if set(r.needs) <= set(delivered)):
        sites = t.select("site_id").distinct()
        for name in record.needs:
            sites = sites.semi_join(delivered[name], "site_id")
        derivable.append((t.endpoint.upper() == record.code) & t.site_id.isin(sites.site_id))
    return t.filter(reduce(or_, derivable))


def _first(table: ir.Table, column: str, name: str) -> ir.Table:
    return table.group_by(PATIENT).agg(**{name: table[column].min()})


BREAKS: Mapping[str, Callable[..., ir.Table]] = {
    "contacts.two_deaths": _two_deaths,
    "contacts.alive_after_death": _after_death,
    "treatments.before_birth": _before_birth,
    "contacts.death_before_treatment": _before_treatment,
    "labs.unknown_unit": _unknown_unit,
    "labs.unknown_analyte": _unknown_analyte,
    "adverse_events.unknown_term": _unknown_term,
    "labs.unit_error": unit_errors,
    "patients.diagnosed_after_treatment": _before_diagnosis,
    **{
        f"{name}.after_death": partial(_dead_by_then, column)
        for name, column in AFTER_DEATH.items()
    },
    "recorded_responses.before_treatment": _classed_before,
    "mappings.after_treatment": _mapped_afterwards,
    "scans.new_lesion_denied": lesion_checks.denied,
    "measurements.first_in_another_modality": lesion_checks.first_in_another_modality,
    "measurements.perhaps_merged": lesion_checks.perhaps_merged,
    "treatments.maa_too_old": _maa_too_old,
    "treatments.session_on_several_days": partial(_several, "treatment_date"),
    "treatments.several_devices": partial(_several, "device"),
    "treatments.lungs_beyond_activity": _beyond_activity,
    "treatments.sessions_close": _short_gap,
    "adverse_events.no_such_grade": _no_such_grade,
    "adverse_events.operated_below_3": _operated_below_3,
    "adverse_events.fatal_but_alive": _fatal_but_alive,
    "reported_endpoints.groups_differ": _groups_differ,
    "reported_endpoints.not_used": _time_not_used,
}

CROSS_CHECKS = tuple(CrossCheck(**asdict(r), breaks=BREAKS[r.rule_id]) for r in CROSS_RULES)

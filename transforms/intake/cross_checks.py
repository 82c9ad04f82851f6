"""Rules between rows and tables: facts that cannot both be true.

A death before treatment, two deaths, a living contact after death: each is a hard error, and the
rows that contradict each other are set aside together, since nothing in them says which is wrong.
What is odd but possible is noted, and the row is loaded.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_

import ibis
import ibis.expr.types as ir

from schemas.records.analytes import CANONICAL_LAB_UNIT, LAB_UNITS, WINDOWS
from schemas.records.ctcae_terms import SURGICAL_GRADE, TERMS, Grades
from schemas.records.endpoints import RECORDS as ENDPOINTS
from schemas.words import plain_words
from transforms.intake import lesion_checks
from transforms.intake.partial_dates import first_day, last_day
from transforms.intake.unit_errors import unit_errors

ROW = "_row"
"""Numbers the rows of a table that is being judged."""
PATIENT = ["site_id", "patient_id"]
SESSION = [*PATIENT, "session_id"]
MAA_DAYS = 60
SESSION_DAYS = 14
AFTER_DEATH = {
    "assessments": "assessment_date",
    "labs": "lab_date",
    "mappings": "mapping_date",
    "scans": "scan_date",
    "measurements": "scan_date",
    "treatments": "treatment_date",
}
"""Tables whose rows need a living patient, and their date; only exact days are compared."""


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A rule that needs more than one row.

    `breaks` takes the tables named in `reads` and returns the rows of `table` that break the rule.
    """

    rule_id: str
    table: str
    column: str
    reads: tuple[str, ...]
    meaning: str
    remedy: str
    breaks: Callable[..., ir.Table]
    category: str = "plausibility"
    severity: str = "reject"


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
    kinds = treatments.group_by(SESSION).agg(n=treatments[column].nunique())
    return treatments.semi_join(kinds.filter(kinds.n > 1), SESSION)


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
    other = labs.filter(~labs.analyte.isin(list(WINDOWS)))
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
    """Reported times of who has a date of treatment, where dates give the endpoint or no start."""
    t = reported_endpoints.semi_join(treatments, PATIENT)
    derivable: list[ir.BooleanValue] = [t.starts_at.isnull()]
    for record in ENDPOINTS:
        sites = t.select("site_id").distinct()
        for name in record.needs:
            sites = sites.semi_join(delivered[name], "site_id")
        derivable.append((t.endpoint.upper() == record.code) & t.site_id.isin(sites.site_id))
    return t.filter(reduce(or_, derivable))


def _first(table: ir.Table, column: str, name: str) -> ir.Table:
    return table.group_by(PATIENT).agg(**{name: table[column].min()})


CROSS_CHECKS: tuple[CrossCheck, ...] = (
    CrossCheck(
        "contacts.two_deaths",
        "contacts",
        "contact_date",
        ("contacts",),
        "the patient has more than one date of death",
        "Keep the right one in the source.",
        _two_deaths,
    ),
    CrossCheck(
        "contacts.alive_after_death",
        "contacts",
        "contact_date",
        ("contacts",),
        "a living contact lies after the date of death",
        "Correct the date of death, or of the contact, in the source.",
        _after_death,
    ),
    CrossCheck(
        "treatments.before_birth",
        "treatments",
        "treatment_date",
        ("patients", "treatments"),
        "the treatment lies before the year of birth",
        "Correct one of the two in the source.",
        _before_birth,
    ),
    CrossCheck(
        "contacts.death_before_treatment",
        "contacts",
        "contact_date",
        ("contacts", "treatments"),
        "the death lies before the first treatment",
        "Correct the date of death, or of the treatment, in the source.",
        _before_treatment,
    ),
    CrossCheck(
        "labs.unknown_unit",
        "labs",
        "unit",
        ("labs",),
        "the unit is not known for this analyte, so that its limits cannot be judged; told once "
        "for each spelling",
        "Deliver one of " + "; ".join(f"{a}: {u}" for a, u in CANONICAL_LAB_UNIT.items()) + ", or "
        "map the unit's spelling in the site file (`words`); the rows are loaded.",
        _unknown_unit,
        category="conformance",
        severity="warn",
    ),
    CrossCheck(
        "labs.unknown_analyte",
        "labs",
        "analyte",
        ("labs",),
        "the analyte is none of ours, so that its results are not graded; told once for each "
        "spelling",
        "If it is one of ours, map its name in the site file (`words`); the rows are loaded.",
        _unknown_analyte,
        category="conformance",
        severity="warn",
    ),
    CrossCheck(
        "adverse_events.unknown_term",
        "adverse_events",
        "term",
        ("adverse_events",),
        "the term is none of ours, so that it counts as no listed event; told once for each "
        "spelling",
        "If it is one of ours, map it in the site file (`words`); the rows are loaded.",
        _unknown_term,
        category="conformance",
        severity="warn",
    ),
    CrossCheck(
        "labs.unit_error",
        "labs",
        "value",
        ("labs",),
        "the result is of another unit or exponent: one factor brings it among its column's, or "
        "the patient's other, results",
        "Correct value or unit at the source, or `unit` in the site file.",
        unit_errors,
    ),
    CrossCheck(
        "patients.diagnosed_after_treatment",
        "patients",
        "diagnosis_date",
        ("patients", "treatments"),
        "the first treatment lies before the diagnosis",
        "Correct one of the two dates in the source; the row is loaded.",
        _before_diagnosis,
        severity="warn",
    ),
    *(
        CrossCheck(
            f"{name}.after_death",
            name,
            column,
            (name, "contacts"),
            "the row lies after the patient's death",
            "Correct its date, or the date of death, in the source; the row is loaded.",
            partial(_dead_by_then, column),
            severity="warn",
        )
        for name, column in AFTER_DEATH.items()
    ),
    CrossCheck(
        "mappings.after_treatment",
        "mappings",
        "mapping_date",
        ("mappings", "treatments"),
        "the first mapping angiogram lies after the first treatment",
        "Correct one of the two dates in the source; the row is loaded.",
        _mapped_afterwards,
        severity="warn",
    ),
    CrossCheck(
        "scans.new_lesion_denied",
        "scans",
        "new_lesion",
        ("scans", "measurements", "lesions", "treatments"),
        "the scan says that there is no new lesion, and a lesion is measured on it for the first "
        "time, after treatment",
        "Correct `new_lesion`, or say of the lesion that it was there (`baseline_present`), that "
        "it merged or is a fragment; the row is loaded, and the scan is believed unless "
        "`new_lesion_from_measurements` says otherwise.",
        lesion_checks.denied,
        severity="warn",
    ),
    CrossCheck(
        "measurements.first_in_another_modality",
        "measurements",
        "modality",
        ("measurements", "scans", "lesions", "treatments"),
        "the lesion is measured for the first time, after treatment, in a modality in which the "
        "patient has no scan before treatment",
        "Say of the lesion whether it was there (`baseline_present`), or of the scan whether it "
        "shows a new lesion; the row is loaded, and the lesion is not called new.",
        lesion_checks.first_in_another_modality,
        severity="warn",
    ),
    CrossCheck(
        "measurements.perhaps_merged",
        "measurements",
        "status",
        ("measurements", "lesions"),
        "the lesion turns absent while another in the same lobe grows by half of its diameter and "
        "10 mm",
        "If the two merged, name the other in `merged_into`; the row is loaded as absent.",
        lesion_checks.perhaps_merged,
        severity="warn",
    ),
    CrossCheck(
        "treatments.maa_too_old",
        "treatments",
        "treatment_date",
        ("mappings", "treatments"),
        f"no 99mTc-MAA scan lies within the {MAA_DAYS} days before the session",
        "Deliver the scan of this session, or correct its date; the row is loaded.",
        _maa_too_old,
        severity="warn",
    ),
    CrossCheck(
        "treatments.session_on_several_days",
        "treatments",
        "treatment_date",
        ("treatments",),
        "the targets of one session were treated on different days",
        "Give each day a session of its own, or correct the date; the row is loaded.",
        partial(_several, "treatment_date"),
        severity="warn",
    ),
    CrossCheck(
        "treatments.several_devices",
        "treatments",
        "device",
        ("treatments",),
        "glass and resin microspheres in one session",
        "Check the device at the source; the row is loaded.",
        partial(_several, "device"),
        severity="warn",
    ),
    CrossCheck(
        "treatments.sessions_close",
        "treatments",
        "treatment_date",
        ("treatments",),
        f"another session lies less than {SESSION_DAYS} days before",
        "Check both dates; if it was one session, give it one id. The row is loaded.",
        _short_gap,
        severity="warn",
    ),
    CrossCheck(
        "adverse_events.no_such_grade",
        "adverse_events",
        "grade",
        ("adverse_events",),
        "the term has no such grade in this version of CTCAE",
        "Grade the event again in its version, or correct the version; the row is loaded.",
        _no_such_grade,
        category="conformance",
        severity="warn",
    ),
    CrossCheck(
        "adverse_events.operated_below_3",
        "adverse_events",
        "grade",
        ("adverse_events",),
        f"cholecystitis that led to cholecystectomy has no grade, or one below {SURGICAL_GRADE}",
        f"An operation is at least grade {SURGICAL_GRADE}, and is counted as such; correct the "
        "grade, or the procedure, in the source. The row is loaded.",
        _operated_below_3,
        severity="warn",
    ),
    CrossCheck(
        "adverse_events.fatal_but_alive",
        "adverse_events",
        "outcome",
        ("adverse_events", "contacts"),
        "a fatal event of a patient without a date of death",
        "Deliver the death as a contact, or correct grade and outcome; the row is loaded.",
        _fatal_but_alive,
        severity="warn",
    ),
    CrossCheck(
        "reported_endpoints.groups_differ",
        "reported_endpoints",
        "group",
        ("reported_endpoints",),
        "the patient is in one group for one endpoint and in another for the next, and both "
        "endpoints have both groups",
        "Correct the group in the source, or name the two groupings apart; the row is loaded, and "
        "each endpoint is compared by its own group.",
        _groups_differ,
        severity="warn",
    ),
    CrossCheck(
        "reported_endpoints.not_used",
        "reported_endpoints",
        "time",
        ("reported_endpoints", "treatments", "contacts", "scans", "subsequent_therapies"),
        "the patient has a date of treatment, and the endpoint is derived from dates or nothing "
        "says that the time starts at the treatment: the reported time is not used",
        'Where the site delivers no dates for the endpoint, set `starts_at = "T0"` in the site '
        "file if its times start at the first treatment; the row is loaded.",
        _time_not_used,
        category="completeness",
        severity="warn",
    ),
)

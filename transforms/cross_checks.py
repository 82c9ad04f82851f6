"""Which facts of different rows cannot both be true? Rules between rows and tables.

A death before treatment, two deaths, a living contact after death: each is a hard error, and the rows
that contradict each other are set aside together, since nothing in them says which is wrong. A death
known to the month alone is not judged by its imputed day: the endpoint moves it to the last day on
which the patient was seen alive.
"""

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir

PATIENT = ["site_id", "patient_id"]


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
    deaths = contacts.filter(contacts.contact_type == "death")
    several = deaths.group_by(PATIENT).agg(n=deaths.count()).filter(lambda t: t.n > 1)
    return deaths.semi_join(several, PATIENT)


def _after_death(contacts: ir.Table) -> ir.Table:
    deaths = contacts.filter(contacts.contact_type == "death")
    alive = contacts.filter(contacts.contact_type != "death")
    exact = deaths.filter(deaths.contact_date_precision.fill_null("day") == "day")
    died = exact.group_by(PATIENT).agg(died=exact.contact_date.max())
    late = alive.join(died, PATIENT).filter(lambda t: t.contact_date > t.died)
    return contacts.semi_join(late, [*PATIENT, "contact_date", "contact_type"]).union(
        deaths.semi_join(late, PATIENT)
    )


def _before_treatment(contacts: ir.Table, treatments: ir.Table) -> ir.Table:
    t0 = treatments.group_by(PATIENT).agg(t0=treatments.treatment_date.min())
    deaths = contacts.filter(contacts.contact_type == "death")
    exact = deaths.filter(deaths.contact_date_precision.fill_null("day") == "day")
    early = exact.join(t0, PATIENT).filter(lambda t: t.contact_date < t.t0)
    return deaths.semi_join(early, PATIENT)


def _before_birth(patients: ir.Table, treatments: ir.Table) -> ir.Table:
    born = patients.select(*PATIENT, "birth_year")
    early = treatments.join(born, PATIENT).filter(lambda t: t.treatment_date.year() < t.birth_year)
    return treatments.semi_join(early, PATIENT)


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
)

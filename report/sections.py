"""The parts of the page in the order in which they are read."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from report.figures import (
    baseline,
    course,
    flow,
    incidence,
    methods,
    prognosis,
    response,
    survival,
    toxicity,
)
from report.figures.methods import Settings
from report.figures.model import Exhibit
from report.figures.source import Connection
from report.tables import (
    by_response,
    compared,
    courses,
    delivered,
    dose_response,
    endpoints,
    events,
    markers,
    measured,
    recorded,
    reporting,
)
from report.tables import prognosis as of_factors

REDRAWN = "Redrawn from the patients who are left."
OF_ROWS = (
    *("criteria", "waterfall-who-patient", "waterfall-who-lesion", "spider", "swimmer"),
    "checklist",
)
"""What is made of patients' rows, or looks whether there are any; the rest is published numbers."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page: a heading, a sentence, and its figures and tables.

    `folded` are tables that are opened by whoever wants them.
    """

    id: str
    heading: str
    about: str
    exhibits: tuple[Exhibit, ...] = ()
    folded: tuple[Exhibit, ...] = ()


Maker = Callable[[Connection, str], Section]


def sections(con: Connection, settings: Settings, *, redrawn: bool = False) -> list[Section]:
    """Everything that the page shows, in order; a part with nothing to show says why.

    Args:
        con: the database of a release.
        settings: those that the release was made with, by section and key.
        redrawn: rows have left since; what is drawn from rows says so.
    """
    version = settings["toxicity"]["primary_version"]
    made = [*(make(con, version) for make in MAKERS), _defined(settings)]
    return [_marked(section) for section in made] if redrawn else made


def _marked(section: Section) -> Section:
    return replace(
        section,
        exhibits=tuple(map(_said_redrawn, section.exhibits)),
        folded=tuple(map(_said_redrawn, section.folded)),
    )


def _said_redrawn(exhibit: Exhibit) -> Exhibit:
    if exhibit.id not in OF_ROWS:
        return exhibit
    return replace(exhibit, notes=(*exhibit.notes, REDRAWN))


def _who(con: Connection, _: str) -> Section:
    return Section(
        "who",
        "Who was studied",
        "From the delivery to each analysis.",
        (flow.flow(con),),
        (flow.criteria(con),),
    )


def _baseline(con: Connection, _: str) -> Section:
    return Section(
        "before",
        "Before treatment",
        "The last value up to the first ⁹⁰Y treatment.",
        (baseline.table_1(con),),
        (measured.therapies(con), *baseline.by_factor(con)),
    )


def _treatment(con: Connection, _: str) -> Section:
    return Section(
        "treatment",
        "Treatment",
        "Activity and absorbed dose, and how response and liver toxicity go with it.",
        (measured.dose(con),),
        (
            measured.compartments(con),
            measured.technical(con),
            dose_response.groups(con),
            dose_response.models(con),
        ),
    )


def _response(con: Connection, _: str) -> Section:
    return Section(
        "response",
        "Response",
        "Best response by each criterion, and how deep it was.",
        (
            response.matrix(con, "unconfirmed"),
            *response.waterfalls(con),
            course.spider(con),
        ),
        (
            response.matrix(con, "confirmed"),
            response.matrix(con, "unconfirmed", response.FURTHER),
            compared.agreement(con),
            response.at_windows(con),
            by_response.readers(con),
            recorded.responses(con),
            recorded.agreement(con),
        ),
    )


def _course(con: Connection, _: str) -> Section:
    return Section(
        "course",
        "Course of each patient",
        "Treatment, response, progression, next therapy and death.",
        (course.swimmer(con),),
    )


def _overall(con: Connection, _: str) -> Section:
    return Section(
        "survival",
        "Overall survival",
        "From the first ⁹⁰Y treatment to death of any cause.",
        (survival.overall(con), *survival.by_factor(con)),
        (
            endpoints.early_mortality(con),
            events.death_causes(con),
            by_response.survival_by_response(con),
            endpoints.landmarks(con),
            endpoints.at_days(con),
            endpoints.quartiles(con),
            endpoints.means(con),
        ),
    )


def _prognosis(con: Connection, _: str) -> Section:
    return Section(
        "prognosis",
        "Prognostic factors",
        "Overall survival, each factor alone and together with the others.",
        (prognosis.forest(con),),
        (
            of_factors.alone(con),
            of_factors.from_course_end(con),
            of_factors.own_model(con),
            of_factors.linearity(con),
        ),
    )


def _endpoints(con: Connection, _: str) -> Section:
    return Section(
        "endpoints",
        "Progression, response and further therapy",
        "Every other time to an event. Where another event can come first, the share of patients "
        "is that of what came first; 1 minus the Kaplan-Meier curve is more than that.",
        (
            endpoints.medians(con),
            *incidence.incidences(con),
            *survival.endpoints(con, competing=False),
        ),
        (
            endpoints.incidence(con),
            recorded.progression(con),
            endpoints.following(con),
            *survival.endpoints(con, competing=True),
        ),
    )


def _toxicity(con: Connection, version: str) -> Section:
    return Section(
        "toxicity",
        "Toxicity",
        "The worst grade of each patient at any time after treatment.",
        (toxicity.bars(con, version), toxicity.lab_courses(con)),
        (
            toxicity.by_grade(con, version),
            compared.shift(con, version),
            measured.liver_function(con),
            courses.courses(con),
            events.events(con),
            events.by_procedure(con),
            events.late_toxicity(con, version),
            events.reild(con),
        ),
    )


def _symptoms(con: Connection, _: str) -> Section:
    return Section(
        "symptoms",
        "Symptoms and tumour markers",
        "Symptoms of the carcinoid syndrome and tumour markers after treatment.",
        (measured.symptoms(con),),
        (markers.markers(con),),
    )


def _follow_up(con: Connection, _: str) -> Section:
    return Section(
        "followed",
        "Follow-up",
        "How long patients were followed, and whether reviews were held.",
        (measured.follow_up(con),),
        (measured.adherence(con),),
    )


def _readings(con: Connection, _: str) -> Section:
    return Section(
        "other-readings",
        "Other readings of the rules",
        "Where the sources leave a choice open, the other choice was computed too.",
        (compared.readings(con),),
    )


def _literature(con: Connection, _: str) -> Section:
    return Section(
        "beside",
        "Beside the literature",
        "Published numbers beside those of this registry.",
        (),
        (compared.literature(con),),
    )


def _delivered(con: Connection, _: str) -> Section:
    return Section(
        "delivered",
        "What was delivered",
        "Rows by centre and table, and what was found in them.",
        (),
        (
            delivered.deliveries(con),
            delivered.findings(con),
            reporting.quantities(con),
            reporting.checklist(con),
        ),
    )


def _defined(settings: Settings) -> Section:
    return Section(
        "defined",
        "Methods and definitions",
        "What the settings decide, and when each clock starts and stops.",
        (),
        (methods.methods(settings), endpoints.definitions()),
    )


MAKERS: tuple[Maker, ...] = (
    _who,
    _baseline,
    _treatment,
    _response,
    _course,
    _overall,
    _prognosis,
    _endpoints,
    _toxicity,
    _symptoms,
    _follow_up,
    _readings,
    _literature,
    _delivered,
)

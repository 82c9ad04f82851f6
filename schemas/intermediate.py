"""What lies between the registry and the marts?

These tables still hold calendar dates or delivered identifiers, so they are derived like marts but
are never in a release.
"""

from schemas.contract import Bool, Contract, Date, Decimal, Int, Text, column, declares


class Intermediate(Contract):
    """A table of the pseudonymised subject that stays inside the run."""

    subject_id: Text = column("The subject.", key=True)


class Anchors(Intermediate):
    """One row per treated subject: where its clock starts."""

    site_id: Text = column("The site.", required=True)
    t0_date: Date = column("T0: day of the first 90Y administration.", required=True)
    last_session_date: Date = column("Day of the last session of the first course.", required=True)

    class Config:
        """Never released."""

        metadata = declares(schema="intermediate", internal=True)


class Sessions(Intermediate):
    """One row per 90Y session."""

    session_number: Int = column("Number of the session, by date then id.", key=True)
    session_id: Text = column("The session as delivered.", required=True)
    session_date: Date = column("Day of the session.", required=True)
    covers_right: Bool = column("A target of the session lies in the right lobe.", required=True)
    covers_left: Bool = column("A target of the session lies in the left lobe.", required=True)
    course: Int = column("1 for the planned course, higher for re-treatment.", required=True)

    class Config:
        """Never released."""

        metadata = declares(schema="intermediate", internal=True)


class SubjectLesions(Intermediate):
    """One row per lesion, numbered within the subject."""

    lesion_number: Int = column("Number of the lesion, by first measurement then id.", key=True)
    lesion_id: Text = column("The lesion as delivered.", required=True)
    organ: Text = column("Organ.")
    lobe: Text = column("Lobe of a liver lesion.")
    index_lesion: Bool = column("Counts for WHO and EASL.", required=True)
    recist_target: Bool = column("RECIST target.", required=True)
    lobe_date: Date = column("First 90Y that perfuses the lesion's lobe; T0 where unknown.")

    class Config:
        """Never released."""

        metadata = declares(schema="intermediate", internal=True)


class BaselineLabs(Intermediate):
    """One row per treated subject and analyte: the last result up to T0, as delivered."""

    analyte: Text = column("Analyte.", key=True)
    row_id: Text = column("Row of registry.labs.", required=True)
    rel_day: Int = column("Day from T0, never positive.", required=True, unit="days", maximum=0)
    value: Decimal = column("Result, in `unit`.", required=True)
    value_comparator: Text = column("Comparator of a censored result.")
    unit: Text = column("Unit as delivered.", required=True)
    lower_limit: Decimal = column("Lower limit of normal, in `unit`.")
    upper_limit: Decimal = column("Upper limit of normal, in `unit`.")
    age_days: Int = column("Age at T0.", required=True, unit="days", minimum=0)
    stale: Bool = column("Older than the setting allows: used, and flagged.", required=True)

    class Config:
        """Never released; subjects and lab_grades carry its values."""

        metadata = declares(schema="intermediate", internal=True)


class PopulationMembers(Intermediate):
    """One row per population and treated subject in it."""

    population: Text = column("`all`, `per_criteria` or `site:<id>`.", key=True)

    class Config:
        """Never released; its members are in members.member_sets."""

        metadata = declares(schema="intermediate", internal=True)


TABLES: tuple[type[Contract], ...] = (
    Anchors,
    Sessions,
    SubjectLesions,
    BaselineLabs,
    PopulationMembers,
)

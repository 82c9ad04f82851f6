"""Tables between the registry and the marts.

These tables still hold calendar dates or delivered identifiers, so they are derived like marts but
are never in a release.
"""

from schemas.contract import (
    Bool,
    Contract,
    Date,
    Decimal,
    ExactDays,
    Int,
    Text,
    column,
    declared,
    declares,
)
from schemas.records.criteria import CRITERIA
from schemas.records.criteria import RECORDS as CRITERION_RECORDS


class Intermediate(Contract):
    """A table of the pseudonymised subject that stays inside the run."""

    subject_id: Text = column("The subject.", key=True)


class Anchors(Intermediate):
    """One row per treated subject: where its clock starts."""

    site_id: Text = column("The site.", required=True)
    t0_date: Date = column("T0: day of the first 90Y administration.", required=True)
    last_session_date: Date = column("Day of the last session of the first course.", required=True)
    plan_known: Bool = column(
        "The lobes planned at the first session are recorded, or it treated both of them."
    )
    right_waits_to: Date = column("Last day on which the right lobe waits for its planned session.")
    left_waits_to: Date = column("Last day on which the left lobe waits for its planned session.")

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
    covers_unknown: Bool = column("The lobe of one of its targets is not known.", required=True)
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
    segment: Text = column("Segment as delivered.")
    index_lesion: Bool = column("Counts for WHO and EASL.", required=True)
    recist_target: Bool = column("RECIST target.", required=True)
    baseline_present: Bool = column("The registry says that it was there before treatment.")
    merged_into: Int = column("Number of the lesion that it merged into.")
    merged_from: Bool = column("Others merged into it.")
    split_from: Int = column("Number of the lesion that it is a fragment of.")
    first_measured_date: Date = column("Day of its first measurement.")
    treated: Bool = column(
        "A session treated its lobe; any session, where the lobe of the lesion, or of a session of "
        "the patient, is not known."
    )
    first_session_number: Int = column("Number of the first session that treated it.")
    lobe_date: Date = column("First 90Y that perfuses the lesion's lobe; T0 where unknown.")
    unreadable: Text = column("As in registry.lesions: cells whose null is no answer.")

    class Config:
        """Never released."""

        metadata = declares(schema="intermediate", internal=True)


class BaselineLabs(Intermediate):
    """One row per treated subject and analyte: the last result up to T0, as delivered."""

    analyte: Text = column("Analyte.", key=True)
    row_id: Text = column("Row of registry.labs.", required=True)
    rel_day: Int = column("Day from T0, never positive.", required=True, unit="days", maximum=0)
    sequence: Int = column("Number among the draws of the day.")
    value: Decimal = column("Result, in `unit`.", required=True)
    value_comparator: Text = column("Comparator of a censored result.")
    unit: Text = column("Unit as delivered.", required=True)
    lower_limit: Decimal = column("Lower limit of normal, in `unit`.")
    upper_limit: Decimal = column("Upper limit of normal, in `unit`.")
    age_days: Int = column("Age at T0.", required=True, unit="days", minimum=0)
    stale: Bool = column("Older than the setting allows: used, and flagged.", required=True)
    unreadable: Text = column(
        "As in registry.labs; `lab_time` too where the hour of injection cannot be read."
    )

    class Config:
        """Never released; subjects and lab_grades carry its values."""

        metadata = declares(schema="intermediate", internal=True)


class PopulationMembers(Intermediate):
    """One row per population and treated subject in it."""

    population: Text = column("`all`, `per_criteria` or `site:<id>`.", key=True)

    class Config:
        """Never released; its members are in members.member_sets."""

        metadata = declares(schema="intermediate", internal=True)


class DeathClaims(Intermediate):
    """One row per treated subject whom a delivered row calls dead.

    `death_date` is the date that is believed; null where none can be, with the reason.
    """

    death_date: Date = column("Day of death; a missing day is the 15th.")
    imputed: Bool = column("Its day was not delivered, only the month.", required=True)
    row_id: Text = column("Row of registry.contacts, where one is accepted.")
    earliest_date: Date = column("Last day on which the earliest claimed date of death can lie.")
    latest_date: Date = column("Latest claimed date of death.")
    reason: Text = column("Why no date is believed.")

    class Config:
        """Never released."""

        metadata = declares(schema="intermediate", internal=True)


class LastAlive(Intermediate):
    """One row per subject: the last dated evidence of life up to the data cutoff."""

    last_alive_date: Date = column("Day of the latest evidence of life.", required=True)
    imputed: Bool = column("The day was not delivered, only the month.", required=True)
    source_table: Text = column("Registry table of the evidence.", required=True)
    source_column: Text = column("Its column.", required=True)
    source_row_id: Text = column("Its row.", required=True)

    class Config:
        """Never released."""

        metadata = declares(schema="intermediate", internal=True)


class Milestones(Intermediate):
    """One row per treated subject: what can start, stop or censor a clock, in days from T0."""

    site_id: Text = column("The site.", required=True)
    t0_row_id: Text = column("Row of registry.treatments on T0.")
    response_day: Int = column("First response in the window.", unit="days")
    progression_day: Int = column("First progression, also after the window.", unit="days")
    hepatic_progression_day: Int = column("First progression in the liver.", unit="days")
    last_in_window_day: Int = column("Last evaluable assessment in the window.", unit="days")
    last_assessment_day: Int = column("Last evaluable assessment.", unit="days")
    last_before_therapy_day: Int = column(
        "Last evaluable assessment up to the next therapy.", unit="days"
    )
    last_before_progression_day: Int = column(
        "Last evaluable assessment before the first progression.", unit="days"
    )
    last_before_hepatic_progression_day: Int = column(
        "Last evaluable assessment before the first progression in the liver.", unit="days"
    )
    recorded_progression_day: Int = column(
        "First PD that the counted reader recorded, under any criterion.", unit="days"
    )
    recorded_progression_row_id: Text = column("Row of registry.recorded_responses.")
    last_recorded_day: Int = column("Last recorded class other than NE.", unit="days")
    last_recorded_row_id: Text = column("Row of registry.recorded_responses.")
    last_recorded_before_therapy_day: Int = column(
        "Last recorded class other than NE up to the next therapy.", unit="days"
    )
    last_recorded_before_therapy_row_id: Text = column("Row of registry.recorded_responses.")
    death_day: Int = column("Death.", unit="days")
    death_imputed: Bool = column("Its day was imputed from the month.")
    death_row_id: Text = column("Row of registry.contacts.")
    undated_death: Text = column("Dead, but no date is believed: why.")
    latest_death_day: Int = column(
        "Latest day on which a death without a believed date can lie: the latest claimed date, or "
        "the extraction.",
        unit="days",
    )
    follow_up_aside: Bool = column(
        "All that could be known after T0 was set aside: nothing else is dated later."
    )
    new_therapy_day: Int = column("Start of the next anticancer therapy.", unit="days")
    new_therapy_imputed: Bool = column("Its day was imputed from the month.")
    new_therapy_row_id: Text = column("Row of registry.subsequent_therapies.")
    transplant_day: Int = column("Liver transplant.", unit="days")
    transplant_row_id: Text = column("Row of registry.subsequent_therapies.")
    last_alive_day: Int = column("Last evidence of life.", unit="days", required=True)
    last_alive_imputed: Bool = column("Its day was imputed from the month.")
    last_alive_table: Text = column("Registry table of the evidence.")
    last_alive_column: Text = column("Its column.")
    last_alive_row_id: Text = column("Its row.")
    lost: Bool = column("Alive, and not heard of for longer than the setting.", required=True)

    class Config:
        """Never released."""

        metadata = declares(schema="intermediate", internal=True)


class EndpointCriterion(Contract):
    """One row: by which criterion endpoints judge response, and in how many it can be judged."""

    criterion: Text = column("The criterion.", key=True, codes=CRITERIA)
    n_treated: Int = column(
        "Treated patients of the sites that delivered scans.", required=True, minimum=0
    )
    n_evaluable: Int = column("Of them, those evaluable under it.", required=True, minimum=0)
    judged: Bool = column("They are as many as the setting asks for.", required=True)

    class Config:
        """Never released."""

        metadata = declares(schema="intermediate", internal=True)


class EventCounts(Contract):
    """One row per curve and distinct time: all that an estimator needs, made in the engine."""

    population: Text = column("`all`, `per_criteria` or `site:<id>`.", key=True)
    endpoint: Text = column("Endpoint.", key=True)
    level: Text = column("Unit of analysis.", key=True, codes=("lesion", "subject"))
    factor: Text = column("Factor that splits; empty for overall.", key=True, default="")
    factor_level: Text = column("Its level.", key=True, default="")
    time_days: ExactDays = column(
        "Days from the endpoint's start.", key=True, unit="days", minimum=0
    )
    level_number: Int = column(
        "Number of the level, 0 for the reference and for overall.", required=True, default=0
    )
    events: Int = column("Events at the time.", required=True, minimum=0)
    censored: Int = column("Censored at the time.", required=True, minimum=0)
    reported: Int = column(
        "Of both, times that a source printed.", required=True, minimum=0, default=0
    )

    class Config:
        """Aggregated, but a step on the way."""

        metadata = declares(schema="intermediate", internal=True)


class LesionPairs(Contract):
    """One row per two times and states of lesions of one patient: how many pairs have them."""

    population: Text = column("`all`, `per_criteria` or `site:<id>`.", key=True)
    endpoint: Text = column("Endpoint.", key=True)
    first_days: Int = column("Time of the first lesion.", key=True, unit="days", minimum=0)
    first_event: Bool = column("It had the event.", key=True)
    second_days: Int = column("Time of the second, or of the same.", key=True, unit="days")
    second_event: Bool = column("It had the event.", key=True)
    n: Int = column("Ordered pairs, each lesion with itself among them.", required=True, minimum=1)

    class Config:
        """Aggregated, but a step on the way."""

        metadata = declares(schema="intermediate", internal=True)


class Extractions(Contract):
    """One row per site: until when its export can know of anything."""

    site_id: Text = column("The site.", key=True)
    extraction_date: Date = column(
        "Day of the export in force, or the data cutoff if that is earlier.", required=True
    )

    class Config:
        """Never released; given by the build, not derived."""

        metadata = declares(schema="intermediate", internal=True)


class SetAside(Contract):
    """One row per site and registry table: how many delivered rows broke a rule."""

    site_id: Text = column("The site.", key=True)
    table_name: Text = column("The registry table.", key=True)
    quarantined: Int = column("Rows that were set aside.", required=True, minimum=1)

    class Config:
        """Never released; given by the build, not derived."""

        metadata = declares(schema="intermediate", internal=True)


class RowsSetAside(Contract):
    """One row per delivered row that was set aside and could have decided a number.

    Laboratory results, contacts, events and reported times; a copy of an accepted row is none.
    """

    site_id: Text = column("The site.", key=True)
    table_name: Text = column("The registry table.", key=True)
    source_file: Text = column("The file inside the delivery.", key=True)
    source_row: Int = column("The row in that file.", key=True)
    row_number: Int = column("Number of the table row made from that source row.", key=True)
    subject_id: Text = column("Whose it is.", required=True)
    row_date: Date = column("Its date, where it can be read and lies before the extraction.")
    row_date_precision: Text = column("How exact the date was delivered.")
    analyte: Text = column("Analyte of a laboratory result.")
    sequence: Int = column("Number among the draws of the day.")
    says_dead: Bool = column("It calls the patient dead.", required=True)
    says_alive: Bool = column("It calls the patient alive.", required=True)
    date_stands: Bool = column(
        "A date of death that nothing contradicts: only other cells of its row do.", required=True
    )

    class Config:
        """Never released; given by the build, not derived."""

        metadata = declares(schema="intermediate", internal=True, dated_by="row_date")


class LesionQuantities(Intermediate):
    """One row per measurement of a treated subject's lesion: what each criterion makes of it.

    Quantities are whole millionths of mm2 or of mm, a column a criterion, null where the criterion
    cannot be evaluated. Where EASL's may be estimated, they are ten thousand times finer.
    """

    lesion_number: Int = column("Number of the lesion.", key=True)
    reader: Text = column("Reader.", key=True)
    modality: Text = column("Modality.", key=True)
    rel_day: Int = column("Day from T0.", key=True, unit="days")
    lobe_day: Int = column("Day of the first 90Y to the lesion's lobe.", unit="days", required=True)
    node: Bool = column("The lesion is a lymph node.", required=True)
    liver: Bool = column("The lesion is in the liver.", required=True)
    lobe: Text = column("Lobe of a liver lesion.")
    merged_into: Int = column("Number of the lesion that it merged into.")
    index_lesion: Bool = column("Counts for WHO and EASL.", required=True)
    recist_target: Bool = column("RECIST target.", required=True)
    status: Text = column("What the reader could say of the lesion.", required=True)
    arterial_phase: Bool = column("With an arterial phase; null where not said.")
    scan_evaluable: Bool = column("The reader could evaluate the scan.", required=True)
    unreadable: Bool = column(
        "A cell that decides the quantities could not be read.", required=True
    )
    for _criterion in CRITERION_RECORDS:
        __annotations__[_criterion.name] = Int
        vars()[_criterion.name] = column(
            f"{_criterion.code}: {_criterion.quantity}.", unit=f"1e-6 {_criterion.unit}"
        )
    del _criterion
    row_id: Text = column("Row of registry.measurements.", required=True)

    class Config:
        """A step on the way."""

        metadata = declares(schema="intermediate", internal=True)


class AssessedDays(Intermediate):
    """One row per subject, reader and day after T0 with a scan or a measurement."""

    reader: Text = column("Reader.", key=True)
    rel_day: Int = column("Day from T0.", key=True, unit="days")
    first_day: Int = column("First day of its assessment.", required=True, unit="days")
    for _criterion in CRITERION_RECORDS:
        __annotations__[f"{_criterion.name}_modality"] = Text
        vars()[f"{_criterion.name}_modality"] = column(
            f"Modality that counts in the assessment, for {_criterion.code}."
        )
    del _criterion

    class Config:
        """A step on the way."""

        metadata = declares(schema="intermediate", internal=True)


class NewLesions(Intermediate):
    """One row per lesion and reader that was first measured after treatment of its territory."""

    lesion_number: Int = column("Number of the lesion.", key=True)
    reader: Text = column("Reader.", key=True)
    rel_day: Int = column("Day from T0 of its first measurement.", required=True, unit="days")
    modality: Text = column("Modality of it.", required=True)
    hepatic: Bool = column("The lesion is in the liver.", required=True)
    denied: Bool = column("The scan says that there is no new lesion.", required=True)
    undecided: Bool = column(
        "A cell that would say where the lesion comes from cannot be read: it is perhaps not new.",
        required=True,
    )

    class Config:
        """A step on the way."""

        metadata = declares(schema="intermediate", internal=True)


TABLES: tuple[type[Contract], ...] = declared("intermediate", Contract)

GIVEN: tuple[type[Contract], ...] = (Extractions, SetAside, RowsSetAside)
"""Tables that the build gives: no derivation makes them."""

"""Registry tables of what a site reports and did not measure: times, and classes of response."""

from schemas.contract import Bool, Date, DeliveredTime, Text, column, declares
from schemas.records import row_rules
from schemas.records.criteria import CRITERIA
from schemas.tables.registry_table import RegistryTable

RECORDED = ("CR", "PR", "SD", "PD", "NE")


class ReportedEndpoints(RegistryTable):
    """One row per patient and endpoint, for sources that hold only times.

    No T0 is invented: the patient has a time and a status, and nothing else is derivable.
    """

    endpoint: Text = column("Endpoint: OS, PFS, ..., in capitals.", key=True)
    time: DeliveredTime = column(
        "Time to event or censoring, in time_unit.", required=True, minimum=0, worse="lower"
    )
    time_unit: Text = column("Unit.", required=True, codes=("days", "months", "years"))
    event: Bool = column("The event happened.", required=True, worse="higher")
    group: Text = column(
        "Treatment group of the patient for this endpoint, in lower case, words parted by one "
        "blank: `Control` and `control` are one."
    )
    starts_at: Text = column(
        "Where the time starts, as the site file declares it. Of a patient with a T0 only times "
        "that start there are used.",
        codes=("T0",),
    )

    class Config:
        """Undated."""

        metadata = declares(
            references={"patients": ("site_id", "patient_id")},
            rules=row_rules.REPORTED_ENDPOINTS,
        )


class RecordedResponses(RegistryTable):
    """One row per patient, day, criterion and reader: a class as it was recorded."""

    response_date: Date = column("Day of the assessment that was classed.", key=True)
    criterion: Text = column(
        "Criterion.", key=True, codes=(*CRITERIA, "unspecified"), default="unspecified"
    )
    reader: Text = column("Who classed, as in scans.", key=True, default="local")
    response_class: Text = column("Class of the whole patient.", required=True, codes=RECORDED)
    liver_class: Text = column("Class of the liver alone.", codes=RECORDED)
    source: Text = column("Where the class is from.", codes=("local", "central", "report"))

    class Config:
        """Dated by the assessment."""

        metadata = declares(
            dated_by="response_date",
            references={"patients": ("site_id", "patient_id")},
            rules=row_rules.RECORDED_RESPONSES,
        )

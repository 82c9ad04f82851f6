"""The quality tables of a release: what the centres delivered and what was set aside.

They name files and rows, never a patient or a value.
"""

from schemas.contract import Bool, Contract, Date, Int, Text, column, declared, declares

CATEGORIES = ("conformance", "completeness", "plausibility")
SEVERITIES = ("reject", "warn")
KINDS_OF_EDIT = ("changed", "filled", "cleared")
DIRECTIONS = ("better", "worse", "unclear")
HISTORY = ("new", "persisting", "resolved")
AUDIT_SUITES = ("completeness", "reconciliation", "plausibility")


class Deliveries(Contract):
    """One row per site: the delivery in force."""

    site_id: Text = column("The site.", key=True)
    delivery_id: Text = column("SHA-256 over its files.", required=True)
    extraction_date: Date = column("When the site extracted it.", required=True)
    n_files: Int = column("Files.", required=True, minimum=0)
    degraded: Bool = column(
        "A later delivery was refused or is held, so this older one stays, or a file of this one "
        "gives nothing.",
        required=True,
    )
    reason: Text = column("Why.")
    unused: Text = column(
        "Its files and columns that no table is made from; first those that the delivery before "
        "had and this one lacks."
    )

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


class RowCounts(Contract):
    """One row per site and registry table.

    received = empty + accepted + quarantined + other_group.
    """

    site_id: Text = column("The site.", key=True)
    table_name: Text = column("The registry table.", key=True)
    received: Int = column("Rows after splitting and reshaping.", required=True, minimum=0)
    empty: Int = column("Rows without an entry.", required=True, minimum=0)
    accepted: Int = column("Rows loaded.", required=True, minimum=0)
    quarantined: Int = column("Rows set aside.", required=True, minimum=0)
    other_group: Int = column(
        "Rows of the same REDCap project that another site's data access group owns.",
        required=True,
        minimum=0,
    )

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


class FindingColumns(Contract):
    """What quarantined rows and findings share."""

    site_id: Text = column("The site.", key=True)
    table_name: Text = column("The registry table.", key=True)
    source_file: Text = column("The file inside the delivery.", key=True)
    source_row: Int = column("The row in that file.", key=True)
    rule_id: Text = column("The rule that is broken.", key=True)
    column_name: Text = column("The column it is about.", key=True)
    row_number: Int = column("Number of the table row made from that source row.", key=True)
    category: Text = column("Kind of rule.", required=True, codes=CATEGORIES)


class Quarantine(FindingColumns):
    """One row per rejected row and rule that it breaks."""

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


class Findings(FindingColumns):
    """One row per warning: the row is loaded."""

    detail: Text = column(
        "Of a spelling that is none of ours: how many rows have it, and the nearest of our words."
    )

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


class FindingHistory(Contract):
    """One row per finding that a site's deliveries ever had, up to the one in force.

    A finding is a rule broken by a record in a column; it is the same one as long as the record
    keeps its REDCap key, or its natural key.
    """

    site_id: Text = column("The site.", key=True)
    table_name: Text = column("The registry table.", key=True)
    finding_id: Text = column("Keyed hash of record, rule and column.", key=True)
    rule_id: Text = column("The rule that is broken.", required=True)
    column_name: Text = column("The column it is about.", required=True)
    severity: Text = column("Was the row set aside?", required=True, codes=SEVERITIES)
    status: Text = column(
        "Against the deliveries before the one in force.", required=True, codes=HISTORY
    )
    first_seen_date: Date = column("Extraction date of the first delivery with it.", required=True)
    last_seen_date: Date = column("Extraction date of the last delivery with it.", required=True)
    source_file: Text = column("Its file in the delivery in force; null if it is resolved.")
    source_row: Int = column("Its row in that file.")

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


class Vanished(Contract):
    """One row per accepted record that a later delivery of its site no longer had.

    A record that is still delivered, but set aside, has not vanished.
    """

    site_id: Text = column("The site.", key=True)
    table_name: Text = column("The registry table.", key=True)
    row_id: Text = column("The row as it was.", key=True)
    extraction_date: Date = column("Extraction of the first delivery without it.", key=True)
    last_seen_date: Date = column("Extraction of the last delivery with it.", required=True)
    subject_id: Text = column("Whose it was.", required=True)

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


class Edits(Contract):
    """One row per cell that a later delivery tells otherwise; no values.

    Filling in what was empty is an edit too, and tells itself apart by its kind.
    """

    site_id: Text = column("The site.", key=True)
    table_name: Text = column("The registry table.", key=True)
    row_id: Text = column("The row as it has been since.", key=True)
    column_name: Text = column("The cell.", key=True)
    extraction_date: Date = column("Extraction of the delivery that changed it.", key=True)
    since_date: Date = column("Extraction of the delivery before.", required=True)
    subject_id: Text = column("Whose row it is.", required=True)
    kind: Text = column("What was done to the cell.", required=True, codes=KINDS_OF_EDIT)
    direction: Text = column(
        "Does it read better or worse for the patient now? Unclear where the column has no order.",
        required=True,
        codes=DIRECTIONS,
    )

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


class Audit(Contract):
    """One row per question that a whole release must answer before it is published.

    It says nothing of other releases: how the numbers moved is in changes.json and audit/.
    """

    audit_id: Text = column("The question.", key=True)
    suite: Text = column("Kind of question.", required=True, codes=AUDIT_SUITES)
    table_name: Text = column("The table, or tables, asked.", required=True)
    question: Text = column("What must be true.", required=True)
    passed: Bool = column("It is true.", required=True)

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


class Definitions(Contract):
    """One row per definition of published numbers and what it consists of."""

    definition: Text = column("The hash that `outcomes.statistics` carries.", key=True)
    key: Text = column(
        "A setting as `section.key`, `records <kind>` for rule records, or `number` for what is "
        "published.",
        key=True,
    )
    value: Text = column(
        "The setting as JSON, a hash of the rule records, or the declaration.", required=True
    )

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


class Held(Contract):
    """One row per site, registry table and rule: held rows, and the numbers that they can move.

    Held are rows that were set aside and cells that could not be read; a copy of a row is not.
    """

    site_id: Text = column("The site.", key=True)
    table_name: Text = column("The registry table.", key=True)
    rule_id: Text = column("The rule that is broken.", key=True)
    held_rows: Int = column("Rows.", required=True, minimum=1)
    patients: Int = column("Patients.", required=True, minimum=0)
    statistics: Int = column(
        "Published numbers that have another least or greatest value, or no bound, by them; "
        "0 where bounds.worlds is off.",
        required=True,
        minimum=0,
    )
    widest: Text = column("Of these, the percentage with the widest bounds.")

    class Config:
        """Quality."""

        metadata = declares(schema="quality")


TABLES: tuple[type[Contract], ...] = declared("quality", Contract)

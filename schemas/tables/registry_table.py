"""The columns that every registry table has: whose row it is, and where it stands."""

from schemas.contract import Contract, Int, Text, column


class RegistryTable(Contract):
    """The columns that every registry table has."""

    patient_id: Text = column(
        "The patient's identifier as delivered, trimmed, leading zeros kept.",
        key=True,
        identifying=True,
    )
    site_id: Text = column("The site that delivered the row.", key=True)
    subject_id: Text = column(
        "Pseudonym: HMAC-SHA256 of site and patient under the registry's key, 16 hex digits.",
        required=True,
    )
    row_id: Text = column(
        "Keyed hash of site, table and natural key: the same fact has the same id in every run.",
        required=True,
    )
    source_key: Text = column(
        "REDCap record, event, instrument and instance, or the natural key: links an edited row to "
        "its former self.",
        required=True,
        identifying=True,
    )
    receipt_id: Text = column("The receipt of the delivery that the row came with.", required=True)
    source_file: Text = column("The file inside the delivery.", required=True)
    source_row: Int = column(
        "The row in that file, counted from 1 after the header.", required=True
    )
    unreadable: Text = column(
        "Optional columns whose cell is filled in and could not be read, as |one|other|: their "
        "null is neither no nor none, and no default stands for it."
    )

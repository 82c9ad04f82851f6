"""What marts share: whose row it is, under a pseudonym, and the codes of response."""

from schemas.contract import Contract, Text, column, columns

RESPONSES = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE")
ORGANS = ("all", "liver", "extrahepatic")
CONFIRMATIONS = ("unconfirmed", "confirmed")


def codes_of(contract: type[Contract], name: str) -> tuple[str, ...]:
    """The closed codes of another contract's column, so that they are typed once."""
    return next(c.codes for c in columns(contract) if c.name == name)


class Mart(Contract):
    """A row-level table under pseudonyms."""

    subject_id: Text = column(
        "Pseudonym of the patient: HMAC-SHA256 of site and patient, 16 hex digits.", key=True
    )

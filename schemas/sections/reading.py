"""Whose reading of the scans counts, where several readers delivered theirs.

Trials have two readers, and a third one where these differ; the patient's whole reading is then one
reader's. A majority of classes, and a mean of several readers' diameters, are no reading of RECIST,
and no row of the registry would stand behind them: neither is offered.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.records.criteria import CRITERIA
from schemas.section import Section, any_spelling

PRIMARY = 2
"""Readers whose readings are compared before a third one decides."""


class ReadingSettings(Section):
    """Which reader counts for a patient; of lesions always `response.reader`."""

    rule: Literal["named", "first", "adjudicated"] = Field(
        "named",
        description="The reader of `response.reader`; the first of `reading.readers` who read the "
        "patient; or the first of two readers where both agree, else the adjudicator.",
    )
    readers: tuple[str, ...] = Field((), description="Readers, the first one first.")
    adjudicator: str = Field("", description="Who decides where the two readers differ.")
    criterion: Annotated[str, any_spelling(CRITERIA)] = Field(
        "RECIST 1.1",
        description="Two readers agree on a patient where best response and day of progression by "
        "this criterion are the same.",
    )

    @model_validator(mode="after")
    def _complete(self) -> "ReadingSettings":
        """Refuse a rule whose readers are not named.

        Raises:
            ValueError: what is missing.
        """
        if self.criterion not in CRITERIA:
            raise ValueError(f"criterion: no {self.criterion}. Name one of {', '.join(CRITERIA)}")
        if len(set(self.readers)) < len(self.readers) or self.adjudicator in self.readers:
            raise ValueError("readers: one stands twice. Name each reader once")
        if self.rule == "first" and not self.readers:
            raise ValueError("readers: none is named. Name those who count, the first one first")
        if self.rule == "adjudicated" and (len(self.readers) != PRIMARY or not self.adjudicator):
            raise ValueError("name two `readers`, and the `adjudicator` beside them")
        return self

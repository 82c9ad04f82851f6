"""What a row set aside, or a cell that could not be read, may truly say: one record a rule.

The bounds of published numbers are made from these. A rule without a record gives no bound, and
says so. What stands here is about the row as delivered; that it may mean nothing at all, and that
it stays set aside, holds for every rule.

Source: this registry's own reading of its rules, after Manski 1990 (what is not observed can be
anything that is possible); Horowitz and Manski 1995 (contaminated rows).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["value", "says", "versions", "scaled", "swapped", "unknown", "copy"]


@dataclass(frozen=True, slots=True)
class MayBe:
    """What the rows that break a rule may truly say.

    Attributes:
        kind: How the alternatives are made.
        meaning: The same in words.
        says: Of `says`, what cells of the row may be in turn; of `swapped`, besides the exchange.
        cells: Of `swapped`, the two cells.
    """

    kind: Kind
    meaning: str
    says: tuple[Mapping[str, str | None], ...] = ()
    cells: tuple[str, str] | None = None


ANY_VALUE = MayBe("value", "The cell is any value that its column allows.")
ANY_DAY = MayBe("value", "The day is any up to the extraction.")
ONE_OF_TWO = "One of the two dates is right, and the other is not known."
NOBODY_KNOWS = MayBe(
    "unknown", "The row belongs to something that was set aside: its patient may be in any class."
)
ONE_PATIENT_MORE = MayBe("unknown", "One patient more, of whom nothing is known.")

ALTERNATIVES: Mapping[str, MayBe] = {
    "not_a_number": ANY_VALUE,
    "not_a_date": ANY_DAY,
    "not_yes_or_no": ANY_VALUE,
    "not_readable": ANY_VALUE,
    "unknown_code": ANY_VALUE,
    "missing": ANY_VALUE,
    "below_minimum": ANY_VALUE,
    "above_maximum": ANY_VALUE,
    "after_extraction": ANY_DAY,
    "before_birth": ANY_DAY,
    "before_care": ANY_DAY,
    "in_no_group": ONE_PATIENT_MORE,
    "duplicate_row": MayBe(
        "copy", "A copy of a row that is loaded: nothing is missing without it."
    ),
    "conflicting_key": MayBe("versions", "Each of the versions may be the right one."),
    "no_such_patient": ONE_PATIENT_MORE,
    "no_such_lesion": NOBODY_KNOWS,
    "no_such_scan": NOBODY_KNOWS,
    "patients.diagnosis_before_birth": MayBe(
        "says", ONE_OF_TWO, says=({"diagnosis_date": None}, {"birth_year": None})
    ),
    "prior_therapies.dates_in_order": MayBe(
        "says", ONE_OF_TWO, says=({"start_date": None}, {"stop_date": None})
    ),
    "medications.dates_in_order": MayBe(
        "says", ONE_OF_TWO, says=({"start_date": None}, {"stop_date": None})
    ),
    "adverse_events.dates_in_order": MayBe(
        "says", ONE_OF_TWO, says=({"onset_date": None}, {"end_date": None})
    ),
    "medications.octreotide_unit": MayBe(
        "says", "The dose is of micrograms.", says=({"dose_unit": "ug"},)
    ),
    "labs.limits_in_order": MayBe(
        "swapped",
        "The two limits were swapped, or one of them is wrong.",
        says=({"lower_limit": None}, {"upper_limit": None}),
        cells=("lower_limit", "upper_limit"),
    ),
    "labs.unit_error": MayBe(
        "scaled", "The result is another by a factor between two units, or by a power of ten."
    ),
    "contacts.status_of_a_death": MayBe(
        "says",
        "The contact is a death, or its patient was alive.",
        says=(
            {"contact_type": "death", "vital_status": "dead"},
            {"contact_type": "visit", "vital_status": "alive"},
        ),
    ),
    "contacts.two_deaths": MayBe("versions", "Each of the dates of death may be the right one."),
    "contacts.alive_after_death": MayBe(
        "versions", "The patient died on that day, or was alive at the contact, or died later."
    ),
    "contacts.death_before_treatment": ANY_DAY,
    "treatments.before_birth": ANY_DAY,
}
"""Rule that sets aside a row, or that marks a cell, -> what the row may say."""

"""The lesions of each patient: where they lie, whether they were treated, and what they count for.

Not every lesion of the registry can respond. One that is new after treatment has no baseline, a
fragment is followed as a part of the lesion that it comes from, and what lesions merged into stands
for them. They are listed with the reason, and are in no denominator.

Source: RECIST 1.1, Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.3.5 (new lesions);
EORTC, RECIST questions and clarifications (lesions that split or merge).
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.records.criteria import RECORDS
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, LesionQuantities, NewLesions, SubjectLesions
from schemas.tables.marts import FollowedLesions
from transforms.joins import looked_up

_LESION = ("subject_id", "lesion_number")
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
_SEGMENTS = {
    word: f"{number}{part.lower()}"
    for number, roman in enumerate(_ROMAN, 1)
    for part in (("", "A", "B") if roman == "IV" else ("",))
    for word in (f"{number}{part}", f"{roman}{part}")
}
"""What a registry writes for a segment of Couinaud (1957), without blanks -> our code."""


def followed_lesions(
    subject_lesions: Table[SubjectLesions],
    lesion_quantities: Table[LesionQuantities],
    new_lesions: Table[NewLesions],
    anchors: Table[Anchors],
    *,
    settings: ResponseSettings,
) -> Table[FollowedLesions]:
    """List every lesion of the treated, with its territory and whether it counts."""
    dates = anchors.select("subject_id", "t0_date")
    known = subject_lesions.inner_join(dates, "subject_id")
    read = lesion_quantities.filter(lesion_quantities.reader == settings.reader)
    before = read.filter(read.rel_day <= read.lobe_day)
    there = before.select(*_LESION, there=ibis.literal(True)).distinct()
    new = new_lesions.filter(new_lesions.reader == settings.reader, ~new_lesions.undecided)
    told = known
    for table in (there, new.select(*_LESION, new=ibis.literal(True))):
        told = looked_up(told, table, _LESION)
    reason = ibis.cases(
        (told.new.notnull(), "new_after_treatment"),
        (told.split_from.notnull(), "fragment"),
        (told.merged_from.fill_null(False) & told.there.isnull(), "merged"),
    )
    treated = told.treated.fill_null(False)
    session = told.lobe_date.delta(told.t0_date, unit="day")
    described = told.mutate(
        organ=told.organ.fill_null("liver"),
        segment=_segment(told.segment),
        treated=treated,
        first_session_day=treated.ifelse(session, ibis.null("int64")),
        first_measured_day=told.first_measured_date.delta(told.t0_date, unit="day"),
        reason=reason,
        counted=reason.isnull(),
    )
    targets = {f"target_{c.name}": described[c.lesions] & described.counted for c in RECORDS}
    return conform(described.mutate(**targets), FollowedLesions)


def _segment(text: ir.StringValue) -> ir.StringValue:
    """One segment as a code; null for several and for any other text, which may name a person."""
    word = text.upper().replace(" ", "").re_replace("^S(EG(MENT)?)?[.]?", "")
    return word.cases(*_SEGMENTS.items())

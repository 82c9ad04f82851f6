"""What scans say beside the measurements: new lesions and non-target disease, by organ.

A new lesion is one that a scan reports, or one first measured after treatment that the scan does
not deny. Non-target disease is known by organ where the registry says so. Where it only says that
it progressed, it progressed in the liver if the patient has no known disease elsewhere; else the
setting decides, and `sensitivity` shows the other reading. Where it only says that disease remains,
in a patient with disease elsewhere, it remains in neither organ for certain: not evaluated there.

Source: RECIST 1.1, Eisenhauer et al., Eur J Cancer 2009;45:228-247, sections 4.3.3 to 4.3.5.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import any_unreadable
from schemas.settings import ResponseSettings
from transforms.joins import looked_up

NON_TARGET = ("none", "complete_response", "not_evaluated", "non_cr_non_pd", "progression")
"""From best to worst: the worst status among the scans of an assessment is the assessment's."""
WORST = len(NON_TARGET) - 1
NOT_EVALUATED = NON_TARGET.index("not_evaluated")
SERIES = ("subject_id", "reader")
ASSESSMENT = (*SERIES, "first_day")
_ORGANS = ("all", "liver", "extrahepatic")


def findings(
    scans: ir.Table,
    days: ir.Table,
    new_lesions: ir.Table,
    excused: ir.Table,
    elsewhere: ir.Table,
    settings: ResponseSettings,
) -> ir.Table:
    """One row per assessment and organ: its last day, new lesions, and non-target disease.

    Args:
        scans: with `rel_day`.
        days: `assessed_days`.
        new_lesions: lesions first measured after treatment.
        excused: days on which a new hepatic lesion is not the patient's progression.
        elsewhere: subjects with disease outside the liver.
        settings: how to read what the scans leave open.
    """
    day = (*SERIES, "rel_day")
    placed = _non_target(_marked(scans, excused, elsewhere), settings)
    said = placed.select(*day, "modality", "new_lesion", "hepatic", "outside", "marked", *_STATUS)
    seen = looked_up(days.select(*ASSESSMENT, "rel_day"), said, day)
    measured = _measured(new_lesions, excused, settings)
    undecided = new_lesions.filter(new_lesions.undecided).select(*day, "undecided").distinct()
    told = looked_up(looked_up(seen, measured, day), undecided, day)
    assessed = told.group_by(ASSESSMENT).agg(
        last_day=told.rel_day.max(),
        scan_modality=told.modality.min(),
        scan_modality_2=told.modality.max(),
        looked=told.new_lesion.notnull().any(),
        marked=(told.marked.fill_null(False) | told.undecided.fill_null(False)).any(),
        hepatic_day=_first(told, told.hepatic),
        outside_day=_first(told, told.outside),
        measured_hepatic_day=_first(told, told.measured_hepatic),
        measured_outside_day=_first(told, told.measured_outside),
        **_statuses(told),
    )
    return _by_organ(assessed)


_CELLS = ("new_lesion", "non_target", "non_target_liver", "non_target_elsewhere", "evaluable")
"""Of a scan on which one of them cannot be read nobody knows that there is no new lesion."""
_STATUS = tuple(f"status_{organ}" for organ in _ORGANS)


def _marked(scans: ir.Table, excused: ir.Table, elsewhere: ir.Table) -> ir.Table:
    day = (*SERIES, "rel_day")
    known = looked_up(scans, excused.select(*day, "excused"), day)
    with_disease = elsewhere.select("subject_id", has_elsewhere=ibis.literal(True))
    marked = looked_up(known, with_disease, "subject_id")
    hepatic = marked.new_lesion.isin(["hepatic", "both"]).fill_null(False)
    return marked.mutate(
        marked=any_unreadable(marked, *_CELLS),
        hepatic=hepatic & marked.excused.isnull(),
        outside=marked.new_lesion.isin(["extrahepatic", "both"]).fill_null(False),
        has_elsewhere=marked.has_elsewhere.fill_null(False),
    )


def _non_target(marked: ir.Table, settings: ResponseSettings) -> ir.Table:
    """The status by organ: as given, else what the status of all disease leaves over."""
    whole, liver, outside = (
        ibis.cases(*((marked[name] == s, n) for n, s in enumerate(NON_TARGET)))
        for name in ("non_target", "non_target_liver", "non_target_elsewhere")
    )
    unplaced = liver.isnull() & outside.isnull()
    one_organ = unplaced & ~marked.has_elsewhere
    progressed = unplaced & (whole == WORST)
    hepatic = settings.non_target_progression == "hepatic"
    left_over = (whole == WORST).ifelse(whole, ibis.null("int8"))
    somewhere = (whole > NOT_EVALUATED).ifelse(ibis.literal(NOT_EVALUATED, "int8"), whole)
    return marked.mutate(
        status_all=_worst(whole, liver, outside),
        status_liver=ibis.cases(
            (liver.notnull(), liver),
            (one_organ | (progressed & hepatic), whole),
            (outside < WORST, left_over),
            (unplaced, somewhere),
            else_=ibis.null("int8"),
        ),
        status_extrahepatic=ibis.cases(
            (outside.notnull(), outside),
            (one_organ, ibis.null("int8")),
            (progressed & (not hepatic), whole),
            (liver < WORST, left_over),
            (unplaced, somewhere),
            else_=ibis.null("int8"),
        ),
    )


def _worst(*statuses: ir.IntegerValue) -> ir.IntegerValue:
    known = [s.fill_null(-1) for s in statuses]
    return ibis.greatest(*known).nullif(-1)


def _measured(new_lesions: ir.Table, excused: ir.Table, settings: ResponseSettings) -> ir.Table:
    """Days on which a lesion was first measured after treatment, where the setting counts it."""
    day = (*SERIES, "rel_day")
    choice = settings.new_lesion_from_measurements
    counts = ibis.literal(choice != "never")
    if choice == "unless_denied":
        counts = ~new_lesions.denied
    new = new_lesions.filter(counts & ~new_lesions.undecided)
    hepatic = new.filter(new.hepatic).anti_join(excused, day)
    counted = hepatic.select(*day, "hepatic").union(
        new.filter(~new.hepatic).select(*day, "hepatic")
    )
    return counted.group_by(day).agg(
        measured_hepatic=counted.hepatic.any(), measured_outside=(~counted.hepatic).any()
    )


def _first(told: ir.Table, holds: ir.BooleanValue) -> ir.IntegerValue:
    return told.rel_day.min(where=holds.fill_null(False))


def _statuses(told: ir.Table) -> dict[str, ir.Value]:
    parts = {}
    for name in _STATUS:
        parts[name] = told[name].max()
        parts[f"{name}_day"] = told.rel_day.min(where=told[name] == WORST)
    return parts


def _by_organ(assessed: ir.Table) -> ir.Table:
    each = assessed.cross_join(ibis.memtable({"organ": list(_ORGANS)}))
    liver, outside = each.organ != "extrahepatic", each.organ != "liver"
    reported = _least((liver, each.hepatic_day), (outside, each.outside_day))
    measured = _least((liver, each.measured_hepatic_day), (outside, each.measured_outside_day))
    return each.mutate(
        new_day=reported,
        measured_day=measured,
        hepatic=each.hepatic_day.notnull() & liver,
        extrahepatic=each.outside_day.notnull() & outside,
        status=ibis.cases(*((each.organ == o, each[f"status_{o}"]) for o in _ORGANS)),
        status_day=ibis.cases(*((each.organ == o, each[f"status_{o}_day"]) for o in _ORGANS)),
    )


def _least(*days: tuple[ir.BooleanValue, ir.IntegerValue]) -> ir.IntegerValue:
    (a, first), (b, second) = days
    one, other = a.ifelse(first, None), b.ifelse(second, None)
    return ibis.coalesce(ibis.least(one, other), one, other)

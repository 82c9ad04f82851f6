"""Treatment-emergent events, each with its CTCAE term and grade.

Treatment-emergent, as in admiral: an event that began on or after T0, or whose start is not known;
or that was running at T0 and then worsened. A registry row has one grade, so worsening is a row of
its own, which began later, or death: whoever was treated was alive at T0. What ended before T0 does
not count. A start known to the month or year of T0 counts as day 0 at the earliest.

An event recorded in one version is known to have happened in every version that has the term, but
its grade is known in that version only; one without version has its grade in each. A grade that a
version does not have is no grade there. A cholecystectomy makes cholecystitis at least grade 3.
Every such row says so in `reason`.

An event that is perhaps not treatment-emergent, because a cell that would tell cannot be read, is
known to be recorded and no more: it has no grade and no day, `emergent` is not known, and its
reason is `unreadable`. So has one whose grade, version or operation cannot be read.

Source: admiral derive_var_trtemfl; NCI CTCAE, records in `schemas.records.ctcae_terms`; Kanani on
Memon et al. 2012 (the unions; radiation cholecystitis that needed cholecystectomy).
"""

import ibis
import ibis.expr.types as ir

from schemas.codes import UNREADABLE
from schemas.contract import any_unreadable, unreadable
from schemas.records.ctcae_terms import SURGICAL_GRADE, TERMS, UNIONS
from schemas.settings import ToxicitySettings
from schemas.words import plain_words
from transforms.toxicity.toxicity_windows import clock

RELATIONS = ("unrelated", "unlikely", "possible", "probable", "definite")


def event_versions(
    adverse_events: ir.Table, anchors: ir.Table, settings: ToxicitySettings
) -> ir.Table:
    """One row per treatment-emergent event and version: term, day, grade, relation, reason."""
    recorded = recorded_events(adverse_events, anchors, settings)
    each = _each_version(recorded, settings)
    return _with_baseline(_with_unions(each))


def _with_baseline(each: ir.Table) -> ir.Table:
    running = each.filter(each.running)
    before = running.group_by(["subject_id", "term", "ctcae_version"]).agg(
        baseline_grade=running.grade.max()
    )
    emergent = each.filter(each.emergent | each.undecided)
    return emergent.left_join(before, ["subject_id", "term", "ctcae_version"]).select(
        "subject_id",
        "term",
        "ctcae_version",
        "rel_day",
        "last_day",
        "number",
        "grade",
        "relation",
        "reason",
        "bit",
        "needs",
        "baseline_grade",
        "undecided",
        source_row_id="row_id",
    )


def _with_unions(events: ir.Table) -> ir.Table:
    """Let each event of a union's terms stand under the union too; `needs` are the bits it asks."""
    zero = ibis.literal(0, "int64")
    atomic = events.mutate(bit=zero, needs=zero)
    pairs = [
        (member, union.term, 2**i, 2 ** len(union.members) - 1 if union.every else 0)
        for union in UNIONS
        for i, member in enumerate(union.members)
    ]
    types = {"term": "string", "union": "string", "bit": "int64", "needs": "int64"}
    joined = events.inner_join(ibis.memtable(pairs, schema=types), "term")
    return atomic.union(joined.drop("term").rename(term="union").select(*atomic.columns))


def recorded_events(
    adverse_events: ir.Table, anchors: ir.Table, settings: ToxicitySettings
) -> ir.Table:
    """The events of treated subjects under our terms, with what became of them."""
    # Harmonised text is trimmed; `strip` on Spark would take the letters f and v as well (Ibis 12).
    events = adverse_events.mutate(
        spelling=plain_words(adverse_events.term),
        number=ibis.row_number().over(group_by="subject_id", order_by=["row_id"]),
    )
    t0 = anchors.select("subject_id", "t0_date").inner_join(clock(anchors), "subject_id")
    dated = events.rename(recorded_term="term").inner_join(t0, "subject_id")
    known = dated.left_join(_spellings(), "spelling")
    named = known.mutate(
        term=ibis.coalesce(known.known_term, known.recorded_term.lower()),
        is_known=known.known_term.notnull(),
    )
    return _timed(_graded(named)).mutate(relation=_relation(named.related, settings))


def _graded(t: ir.Table) -> ir.Table:
    """Raise cholecystitis with cholecystectomy, and say so."""
    operated = (t.term == "cholecystitis") & t.procedure.lower().contains("cholecystectomy")
    raised = operated.fill_null(False) & (t.grade.fill_null(0) < SURGICAL_GRADE)
    return t.mutate(
        grade=ibis.ifelse(raised, SURGICAL_GRADE, t.grade),
        operation_unread=(t.term == "cholecystitis").fill_null(False)
        & unreadable(t, "procedure")
        & (t.grade.fill_null(0) < SURGICAL_GRADE),
        note=ibis.ifelse(
            raised,
            ibis.literal("recorded grade ")
            + t.grade.cast("string").fill_null("missing")
            + f", raised to {SURGICAL_GRADE}: cholecystectomy",
            "",
        ),
    )


def _timed(t: ir.Table) -> ir.Table:
    """Decide which events are emergent and on which day they count."""
    start = _day(t.onset_date, t.onset_date_precision, t.t0_date)
    end = _day(t.end_date, t.end_date_precision, t.t0_date)
    ended_before = (end < 0).fill_null(False)
    running = (start < 0).fill_null(False) & ~ended_before
    died = ((t.grade == 5) | (t.outcome == "fatal")).fill_null(False)
    emergent = ~ended_before & (start.isnull() | (start >= 0) | (running & died))
    perhaps_fatal = any_unreadable(t, "outcome", "grade") & ~died
    end_unread = unreadable(t, "end_date") & ~(start >= 0).fill_null(False)
    undecided = ~ended_before & (
        unreadable(t, "onset_date")
        | (end_unread & (died | perhaps_fatal | start.isnull()))
        | (running & perhaps_fatal)
    )
    return t.mutate(
        running=running & ~undecided,
        undecided=undecided,
        emergent=emergent & ~undecided,
        rel_day=ibis.cases(
            (undecided, ibis.null("int64")),
            (running, ibis.greatest(ibis.coalesce(end, 0), 0)),
            else_=start,
        ),
    )


def _day(date: ir.DateValue, precision: ir.StringValue, t0: ir.DateValue) -> ir.IntegerValue:
    """Days from T0; a date that could be T0 or later, as far as it is known, is not before it."""
    day = date.delta(t0, unit="day")
    same_year = date.year() == t0.year()
    same_month = same_year & (date.month() == t0.month())
    open_ = ((precision == "month") & same_month) | ((precision == "year") & same_year)
    return ibis.ifelse(open_.fill_null(False), ibis.greatest(day, 0), day)


def _each_version(recorded: ir.Table, settings: ToxicitySettings) -> ir.Table:
    """One row per event and version that has its term, with the grade that it has there."""
    versions = ibis.memtable({"ctcae_version": list(settings.ctcae_versions)})
    each = recorded.rename(recorded_version="ctcae_version").cross_join(versions)
    ranged = each.left_join(_grade_ranges(), ["known_term", "ctcae_version"])
    own = (ranged.recorded_version == ranged.ctcae_version).fill_null(False)
    t = ranged.filter(~ranged.is_known | ranged.mildest.notnull() | own)
    elsewhere = (t.recorded_version != t.ctcae_version).fill_null(False)
    exists = t.grade.between(t.mildest.fill_null(1), t.worst.fill_null(5))
    no_such = ibis.literal("grade ") + t.grade.cast("string") + " is not in CTCAE "
    unread = t.undecided | t.operation_unread | any_unreadable(t, "grade", "ctcae_version")
    return t.mutate(
        grade=ibis.ifelse(~elsewhere & exists & ~unread, t.grade, None),
        reason=ibis.cases(
            (unread, UNREADABLE),
            (elsewhere, ibis.literal("graded in CTCAE ") + t.recorded_version),
            (t.grade.isnull(), "no grade recorded"),
            (~exists, no_such + t.ctcae_version),
            else_=t.note,
        ),
    )


def _relation(related: ir.StringValue, settings: ToxicitySettings) -> ir.IntegerValue:
    """2 related, 1 not known, 0 not related: the greatest of several events counts."""
    enough = RELATIONS[RELATIONS.index(settings.related_from) :]
    weaker = RELATIONS[: RELATIONS.index(settings.related_from)]
    return ibis.cases((related.isin(enough), 2), (related.isin(weaker), 0), else_=1)


def _spellings() -> ir.Table:
    pairs = [(spelling, t.term) for t in TERMS for spelling in sorted(t.spellings())]
    return ibis.memtable(pairs, schema={"spelling": "string", "known_term": "string"})


def _grade_ranges() -> ir.Table:
    found = [(t.term, v, *grades) for t in TERMS for v, grades in t.grades.items()]
    types = {
        "known_term": "string",
        "ctcae_version": "string",
        "mildest": "int64",
        "worst": "int64",
    }
    return ibis.memtable(found, schema=types)

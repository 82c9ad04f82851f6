"""The CTCAE grade of each laboratory result, and the threshold that decided.

Grades are compared exactly and in the unit delivered: limits of the laboratory and the baseline by
decimal multiplication, fixed values as the value they have in that unit. A converted, rounded
number never decides. What cannot be graded says why, and is never grade 0.

Where CTCAE leaves a choice open:
    A baseline result, and any other up to T0, is graded against ULN and LLN in every version;
    taken literally, the version 5.0 branch would call every abnormal baseline grade 0.
    A baseline never delivered, or one without limits, counts as normal from version 5.0 on, as in
    admiral; a setting withdraws the grades of the former. One that was set aside is not known to
    be normal: what is graded against it has no grade. Where version 6.0 asks for a value above the
    baseline as well (ALP), one above ULN without a baseline has no grade, as in admiral.
    INR of an anticoagulated patient: ULN (or the fixed value) or the baseline, whichever is worse,
    as in admiral; the text could also be read as the baseline alone.
    A censored result is graded only where every value that it allows has the same grade: the worst
    grade that a number can have, or none.

    An analyte for which a version has no term is not defined in it, and never grade 0.

Source: NCI CTCAE v3.0, v4.03, v5.0 and v6.0, records in `schemas.records.ctcae`; order of tests
(worst grade first) and missing limits as in pharmaverse/admiral, vignette "Lab grading".
"""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from itertools import product
from operator import or_

import ibis
import ibis.expr.types as ir

from schemas.codes import UNREADABLE
from schemas.contract import DECIMAL, Table, any_unreadable, conform, unreadable
from schemas.records.analytes import ANALYTES, LAB_UNITS
from schemas.records.ctcae import (
    BASELINE,
    LLN,
    ULN,
    LabCriterion,
    Threshold,
    criteria_of,
)
from schemas.records.eligibility import SOMATOSTATIN_ANALOGUES
from schemas.settings import VERSIONS, ToxicitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, RowsSetAside
from schemas.tables.marts import LabGrades
from schemas.tables.registry import Labs, Medications

Branch = tuple[ir.BooleanValue, ir.Value | int]
MICRO = 1_000_000
"""Results have six decimals, so a bound between two of them can be moved to the nearer one."""

UNKNOWN_UNIT = "unknown"
"""What is released for a unit that is not known: a unit's free text never leaves the registry."""
KNOWN_UNITS = sorted({"%"}.union(*LAB_UNITS.values()))
VERDICT = "struct<grade: int64, why: string>"
NO_LIMIT = {ULN: "no upper limit", LLN: "no lower limit", BASELINE: "no comparable baseline"}


def lab_grades(
    labs: Table[Labs],
    anchors: Table[Anchors],
    baseline_labs: Table[BaselineLabs],
    medications: Table[Medications],
    rows_set_aside: Table[RowsSetAside],
    *,
    settings: ToxicitySettings,
) -> Table[LabGrades]:
    """Grade every result of a treated subject under every CTCAE version."""
    aside = _baselines_aside(anchors, baseline_labs, rows_set_aside)
    results = _results(labs, anchors, baseline_labs, medications, aside)
    withdrawn = results.base_missing & (settings.missing_baseline == "not_gradable")
    results = results.mutate(base_withdrawn=withdrawn)
    verdicts = _certain(_by_version(results, settings.ctcae_versions))
    graded = verdicts.grade.notnull()
    explained = verdicts.mutate(
        unit=verdicts.unit.isin(KNOWN_UNITS).ifelse(verdicts.unit, UNKNOWN_UNIT),
        rule=ibis.ifelse(graded, verdicts.why, None),
        reason=ibis.ifelse(graded, None, verdicts.why),
    )
    return conform(explained, LabGrades)


def same_unit_times(
    analyte: ir.StringValue, unit: ir.StringValue, other: ir.StringValue
) -> tuple[ir.IntegerValue, ir.IntegerValue]:
    """Whole numbers p, q: a value in `other` times p equals q times the same value in `unit`.

    Both are null where one of the units is not known for the analyte.
    """
    same = (other == unit, 1)
    alike: dict[tuple[tuple[str, Fraction], ...], list[str]] = defaultdict(list)
    for name, units in LAB_UNITS.items():
        alike[tuple(units.items())].append(name)
    branches = [_ratios(analyte.isin(names), unit, other, dict(u)) for u, names in alike.items()]
    times, per = zip(*branches, strict=True)
    return ibis.cases(same, *times), ibis.cases(same, *per)


def _baselines_aside(
    anchors: ir.Table, baseline_labs: ir.Table, rows_set_aside: ir.Table
) -> ir.Table:
    """Subjects and analytes whose last result up to T0 was set aside."""
    lost = rows_set_aside.filter(rows_set_aside.table_name == "labs")
    placed = lost.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    day = placed.row_date.delta(placed.t0_date, unit="day")
    before = placed.mutate(place=_place(day, placed.sequence)).filter(
        day.isnull() | (day <= 0), placed.analyte.notnull()
    )
    last = before.group_by("subject_id", "analyte").agg(place=before.place.max())
    known = baseline_labs.select(
        "subject_id", "analyte", base_place=_place(baseline_labs.rel_day, baseline_labs.sequence)
    )
    both = last.left_join(known, ["subject_id", "analyte"])
    # A result without a readable date could be the baseline only where there is no other.
    instead = both.base_place.isnull() | (both.place > both.base_place).fill_null(False)
    return both.filter(instead).select("subject_id", "analyte", base_aside=ibis.literal(True))


def _place(day: ir.IntegerValue, sequence: ir.IntegerValue) -> ir.IntegerValue:
    """A number that orders draws by day, then by their number within it."""
    return day * 100_000 + sequence.fill_null(1)


def _results(
    labs: ir.Table,
    anchors: ir.Table,
    baseline_labs: ir.Table,
    medications: ir.Table,
    aside: ir.Table,
) -> ir.Table:
    """Put beside each result of a treated subject the baseline, and whether it comes after it."""
    wanted = labs.filter(labs.analyte.isin(ANALYTES))
    dated = wanted.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    known = baseline_labs.anti_join(aside, ["subject_id", "analyte"])
    base = known.select(
        "subject_id",
        "analyte",
        base_row_id="row_id",
        base_value="value",
        base_comparator="value_comparator",
        base_unit="unit",
        base_upper="upper_limit",
        base_lower="lower_limit",
        base_unread=any_unreadable(known, "value_comparator", "lab_time"),
        base_limit_unread=unreadable(known, "upper_limit"),
        base_lower_unread=unreadable(known, "lower_limit"),
    )
    joined = dated.left_join(base, ["subject_id", "analyte"])
    joined = joined.drop("subject_id_right", "analyte_right").left_join(
        aside, ["subject_id", "analyte"]
    )
    rel_day = joined.lab_date.delta(joined.t0_date, unit="day")
    compared = _with_baseline(joined.mutate(rel_day=rel_day))
    # Joined last: the columns above are then computed once and not once per threshold.
    flagged = compared.left_join(_anticoagulated(wanted, medications), "row_id")
    certain = _true(flagged.anticoagulated)
    return flagged.mutate(
        anticoagulated=certain,
        perhaps_anticoagulated=~certain & _true(flagged.perhaps),
        source_row_id="row_id",
    )


def _with_baseline(t: ir.Table) -> ir.Table:
    """Prepare the comparisons with baseline, which exist only after T0."""
    times, per = same_unit_times(t.analyte, t.unit, t.base_unit)
    after = t.rel_day > 0
    # A limit or a baseline of zero is a blank of the export: every value would be above it.
    certain = ~_true(t.base_unread)
    usable = after & certain & t.base_comparator.isnull() & (t.base_value > 0)
    above = certain & (t.base_value > t.base_upper) & (t.base_upper > 0)
    below = certain & (t.base_value < t.base_lower)
    surely = t.base_comparator.isnull() | t.base_comparator.isin([">", ">="])
    surely_low = t.base_comparator.isnull() | t.base_comparator.isin(["<", "<="])
    return t.select(
        "row_id",
        "subject_id",
        "analyte",
        "rel_day",
        "sequence",
        "value",
        "value_comparator",
        "unit",
        "lower_limit",
        "upper_limit",
        "base_value",
        uln=t.upper_limit.nullif(Decimal(0)),
        value_unread=unreadable(t, "value_comparator"),
        upper_unread=unreadable(t, "upper_limit"),
        lower_unread=unreadable(t, "lower_limit"),
        base_unread=after & _true(t.base_unread),
        base_limit_unread=after & _true(t.base_limit_unread),
        base_lower_unread=after & _true(t.base_lower_unread),
        after=after,
        base_aside=after & _true(t.base_aside),
        base_missing=after & t.base_row_id.isnull() & ~_true(t.base_aside),
        base_times=ibis.ifelse(usable, times, None),
        base_per=per,
        base_above=after & _true(above & surely),
        base_below=after & _true(below & surely_low),
        baseline_value=ibis.ifelse(
            t.unit == t.base_unit, t.base_value, (t.base_value * times / per).cast(DECIMAL)
        ),
        is_baseline=_true(t.row_id == t.base_row_id),
    )


def _anticoagulated(labs: ir.Table, medications: ir.Table) -> ir.Table:
    """Name the INR results drawn during a course of anticoagulation; open ends count as running.

    Where purpose or dates cannot be read it is perhaps such a course; somatostatin analogues are
    none.
    """
    purpose = unreadable(medications, "purpose") & ~reduce(
        or_, (medications.drug.lower().contains(name) for name in SOMATOSTATIN_ANALOGUES)
    ).fill_null(False)
    named = (medications.purpose == "anticoagulation").fill_null(False)
    courses = medications.filter(named | purpose)
    asked = courses.select(
        "subject_id",
        "start_date",
        "stop_date",
        unread=any_unreadable(courses, "purpose", "start_date", "stop_date"),
    )
    inr = labs.filter(labs.analyte == "inr").select("subject_id", "row_id", "lab_date")
    both = inr.inner_join(asked, "subject_id")
    running = both.filter(
        (both.start_date.isnull() | (both.start_date <= both.lab_date)),
        (both.stop_date.isnull() | (both.stop_date >= both.lab_date)),
    )
    return running.group_by("row_id").agg(
        anticoagulated=(~running.unread).any(), perhaps=running.unread.any()
    )


def _by_version(results: ir.Table, versions: tuple[str, ...]) -> ir.Table:
    """One row per version: `ctcae_version`, `grade` (null if none) and `why`.

    The verdicts on one result are given in one pass and then unfolded.
    """
    verdicts = [
        ibis.struct({"ctcae_version": version, "verdict": _verdict(results, version)})
        for version in versions
    ]
    unfolded = results.mutate(graded=ibis.array(verdicts).unnest()).unpack("graded")
    return unfolded.unpack("verdict")


def _certain(verdicts: ir.Table) -> ir.Table:
    """Withdraw the grade of a censored result that could also have another.

    Kept are the worst grade that a number can have, if the true value can only be worse, and grade
    0, if it can only be better.
    """
    low = ibis.cases(
        *((verdicts.analyte == c.analyte, c.direction == "low") for c in criteria_of(VERSIONS[0]))
    )
    below = verdicts.value_comparator.isin(["<", "<="])
    worst = ibis.cases(
        *(
            ((verdicts.ctcae_version == version) & verdicts.analyte.isin(analytes), grade)
            for version in VERSIONS
            for grade, analytes in _stopping_early(version).items()
        ),
        else_=4,
    )
    grade = verdicts.grade
    certain = grade == ibis.ifelse(low == below, worst, 0)
    censored = _true(verdicts.value_comparator.notnull() & grade.notnull() & ~certain)
    return verdicts.mutate(
        grade=ibis.ifelse(censored, None, grade),
        why=ibis.ifelse(censored, "censored", verdicts.why),
    )


def _stopping_early(version: str) -> dict[int, list[str]]:
    """Worst grade that a number can have, below 4 -> the analytes."""
    found: dict[int, list[str]] = defaultdict(list)
    for criterion in criteria_of(version):
        found[max(x.grade for x in criterion.thresholds)].append(criterion.analyte)
    return {grade: names for grade, names in found.items() if grade < 4}


def _verdict(t: ir.Table, version: str) -> ir.StructValue:
    """The grade and the threshold that decided, or no grade and why not."""
    return ibis.cases(
        *(
            (t.analyte == criterion.analyte, _criterion(t, criterion))
            for criterion in criteria_of(version)
        ),
        else_=_ungraded(f"not defined in CTCAE {version}"),
    )


def _criterion(t: ir.Table, criterion: LabCriterion) -> ir.StructValue:
    """One analyte: by unit where a threshold is a fixed value, then by baseline and medication."""
    known = _units_by_factor(criterion.analyte)
    branches: list[Branch] = [
        (t.value_unread, _ungraded(UNREADABLE)),
        (t.unit == "%", _ungraded("percentage, not an absolute value")),
    ]
    if any(_fixed(threshold) for threshold in criterion.thresholds):
        branches += [(t.unit.isin(u), _branches(t, criterion, f)) for f, u in known.items()]
    else:
        units = [unit for same in known.values() for unit in same]
        branches.append((t.unit.isin(units), _branches(t, criterion, Fraction(1))))
    return ibis.cases(*branches, else_=_ungraded("unknown unit"))


def _branches(t: ir.Table, criterion: LabCriterion, factor: Fraction) -> ir.StructValue:
    def ladder(thresholds: tuple[Threshold, ...]) -> ir.StructValue:
        return _ladder(t, criterion.direction, thresholds, factor)

    branches: list[Branch] = []
    if any(threshold.of == ULN for threshold in criterion.thresholds):
        branches.append((t.upper_unread, _ungraded(UNREADABLE)))
        branches.append((t.uln.isnull(), _ungraded(NO_LIMIT[ULN])))
    if _looks_at_baseline(criterion):
        branches += _without_baseline(t)
    if criterion.anticoagulated:
        branches.append((t.perhaps_anticoagulated, _ungraded(UNREADABLE)))
        branches += [(t.anticoagulated & lost, why) for lost, why in _without_baseline(t)]
    if criterion.baseline_abnormal:
        branches.append((t.base_limit_unread, _ungraded(UNREADABLE)))
        no_baseline = t.base_above & t.base_times.isnull()
        branches.append((no_baseline, _ungraded(NO_LIMIT[BASELINE])))
        branches.append((t.base_above, ladder(criterion.baseline_abnormal)))
    if criterion.baseline_low:
        branches.append((t.base_lower_unread, _ungraded(UNREADABLE)))
        no_baseline = t.base_below & t.base_times.isnull()
        branches.append((no_baseline, _ungraded(NO_LIMIT[BASELINE])))
        branches.append((t.base_below, ladder(criterion.baseline_low)))
    if criterion.above_baseline:
        branches += _not_above_baseline(t)
    if criterion.anticoagulated:
        both = (*criterion.thresholds, *criterion.anticoagulated)
        branches.append((t.anticoagulated, ladder(both)))
    usual = ladder(criterion.thresholds)
    return ibis.cases(*branches, else_=usual) if branches else usual


def _looks_at_baseline(criterion: LabCriterion) -> bool:
    return bool(
        criterion.baseline_abnormal
        or criterion.baseline_low
        or criterion.above_baseline
        or any(x.of == BASELINE for x in criterion.thresholds)
    )


def _not_above_baseline(t: ir.Table) -> list[Branch]:
    """After T0 a value that is above ULN alone; without a baseline to compare with it has none."""
    strictly = (t.value_comparator == ">").fill_null(False)
    value, base = t.value * t.base_per, t.base_value * t.base_times
    lost = t.after & t.base_times.isnull() & ((t.value > t.uln) | ((t.value == t.uln) & strictly))
    within = t.after & ((value < base) | ((value == base) & ~strictly))
    return [(lost, _ungraded(NO_LIMIT[BASELINE])), (_true(within), _graded(0, "<= baseline"))]


def _without_baseline(t: ir.Table) -> list[Branch]:
    """Why a result after T0 cannot be held against the baseline."""
    return [
        (t.base_aside, _ungraded("baseline_set_aside")),
        (t.base_withdrawn, _ungraded("no baseline")),
        (t.base_unread, _ungraded(UNREADABLE)),
    ]


def _ladder(
    t: ir.Table, direction: str, thresholds: tuple[Threshold, ...], factor: Fraction
) -> ir.StructValue:
    """Test from the worst grade down; grade 0 only where every mildest limit is known."""
    ordered = sorted(thresholds, key=lambda threshold: -threshold.grade)
    crossed: list[Branch] = [
        (_crossed(t, x, direction, factor, x.grade == ordered[0].grade), _crossing(x, direction))
        for x in ordered
    ]
    mildest = [x for x in ordered if x.grade == 1]
    missing: list[Branch] = [(t.lower_unread, _ungraded(UNREADABLE))] * (
        LLN in {x.of for x in mildest}
    )
    missing += [(_missing(t, x), _ungraded(NO_LIMIT[x.of])) for x in mildest if not _fixed(x)]
    none = " and ".join(_not_crossed(x, direction) for x in mildest)
    # Without LLN a count can still be grade 2 or worse, but neither 1 nor 0.
    return ibis.cases(*crossed, *missing, else_=_graded(0, none))


def _graded(grade: int, why: str) -> ir.StructValue:
    return ibis.literal({"grade": grade, "why": why}, type=VERDICT)


def _ungraded(why: str) -> ir.StructValue:
    return ibis.literal({"grade": None, "why": why}, type=VERDICT)


def _crossed(
    t: ir.Table, x: Threshold, direction: str, factor: Fraction, worst: bool
) -> ir.BooleanValue:
    """Whether the value is beyond one threshold; null where the limit is missing."""
    value = t.value * t.base_per if x.of == BASELINE else t.value
    bound = _limit(t, x, direction, factor)
    if x.reached:
        return value >= bound if direction == "high" else value <= bound
    beyond = value > bound if direction == "high" else value < bound
    # A result `< 0.2` lies below 0.2 itself; milder grades of censored results are withdrawn later.
    strictly = t.value_comparator == ("<" if direction == "low" else ">")
    return beyond | ((value == bound) & strictly) if worst else beyond


def _limit(t: ir.Table, x: Threshold, direction: str, factor: Fraction) -> ir.DecimalValue:
    if _fixed(x):
        return _exact(_bound(Fraction(x.factor) / factor, direction))
    limit = {
        ULN: lambda: t.uln,
        LLN: lambda: t.lower_limit,
        BASELINE: lambda: t.base_value * t.base_times,
    }[x.of]()
    return limit if x.factor == "1" else limit * _exact(Decimal(x.factor))


def _missing(t: ir.Table, x: Threshold) -> ir.BooleanValue:
    if x.of == BASELINE:
        return t.after & t.base_times.isnull()
    return t.uln.isnull() if x.of == ULN else t.lower_limit.isnull()


def _bound(value: Fraction, direction: str) -> Decimal:
    """The nearest value with six decimals that decides alike: down for high, up for low."""
    scaled = value * MICRO
    whole = scaled.numerator // scaled.denominator
    up = direction == "low" and whole * scaled.denominator != scaled.numerator
    return Decimal(whole + up) / MICRO


def _exact(value: Decimal) -> ir.DecimalValue:
    """A literal with no more digits than it needs, so that products stay within 38."""
    digits = f"{value.normalize():f}"
    whole, _, places = digits.partition(".")
    return ibis.literal(Decimal(digits), type=f"decimal({len(whole + places)}, {len(places)})")


def _fixed(x: Threshold) -> bool:
    return x.of not in (ULN, LLN, BASELINE)


def _crossing(x: Threshold, direction: str) -> ir.StructValue:
    sign = {"high": ">", "low": "<"}[direction] + ("=" if x.reached else "")
    return _graded(x.grade, f"{sign} {_amount(x)}")


def _not_crossed(x: Threshold, direction: str) -> str:
    sign = {"high": "<", "low": ">"}[direction] + ("" if x.reached else "=")
    return f"{sign} {_amount(x)}"


def _amount(x: Threshold) -> str:
    if x.of == "1":
        return x.factor
    if _fixed(x):
        return f"{x.factor} {x.of}"
    return x.of if x.of == LLN and x.factor == "1" else f"{x.factor} x {x.of}"


def _units_by_factor(analyte: str) -> dict[Fraction, list[str]]:
    grouped: dict[Fraction, list[str]] = defaultdict(list)
    for unit, factor in LAB_UNITS[analyte].items():
        grouped[factor].append(unit)
    return grouped


def _ratios(
    of: ir.BooleanValue, unit: ir.StringValue, other: ir.StringValue, units: Mapping[str, Fraction]
) -> tuple[Branch, Branch]:
    """Branches of analytes with the same units; short lists, as DuckDB joins with long ones."""
    pairs = [
        ((other == source) & (unit == target), units[source] / units[target])
        for source, target in product(units, repeat=2)
    ]
    return (
        (of, ibis.cases(*((pair, ratio.numerator) for pair, ratio in pairs))),
        (of, ibis.cases(*((pair, ratio.denominator) for pair, ratio in pairs))),
    )


def _true(condition: ir.BooleanValue) -> ir.BooleanValue:
    return condition.fill_null(False)

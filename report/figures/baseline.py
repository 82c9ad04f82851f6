"""Table 1: who was treated, before treatment, in all and by a factor."""

from report.figures import words
from report.figures.model import Cell, Row, Table, numbers_in, row
from report.figures.source import Connection, Record, interval, number, records, said
from report.figures.words import Variable

METHOD = "n (% of those with a value), or median (quartiles). Missing: patients without a value."


def table_1(con: Connection) -> Table:
    """Everybody who was treated."""
    found = _found(con, "")
    total = _treated(con)
    never = _never(found)
    rows: list[Row] = []
    for group, variables in words.GROUPS:
        block: list[Row] = []
        for variable in variables:
            own = [r for r in found if r["variable"] == variable.code]
            if own and variable.code not in never:
                block += _rows(variable, own)
        if block:
            rows += [Row((group, "", ""), heading=True), *block]
    return Table(
        id="table-1",
        title="Patients before treatment",
        description=f"{total} treated patients.",
        n=total,
        notes=(METHOD, *_recorded_for_nobody(never)),
        abbreviations=_used(rows),
        numbers=numbers_in(rows),
        empty="" if rows else "No variable was recorded for any treated patient.",
        columns=("", f"all (n = {total})", "missing"),
        rows=tuple(rows),
    )


def by_factor(con: Connection) -> list[Table]:
    """The same at each level of every factor that splits the patients."""
    factors = records(
        con,
        "SELECT DISTINCT factor FROM outcomes.baseline_characteristics WHERE population = 'all' "
        "AND factor <> '' ORDER BY factor",
    )
    return [_of_factor(con, r["factor"]) for r in factors]


def _of_factor(con: Connection, factor: str) -> Table:
    found = _found(con, factor)
    order = list(words.LEVELS.get(factor, ()))
    levels = sorted({r["factor_level"] for r in found}, key=lambda x: (_place(order, x), x))
    sizes = {x: max((_size(r) for r in found if r["factor_level"] == x), default=0) for x in levels}
    never = _never(found)
    rows = []
    for group, variables in words.GROUPS:
        block: list[Row] = []
        for variable in variables:
            own = [r for r in found if r["variable"] == variable.code]
            if own and variable.code not in never:
                block += _split_rows(variable, own, levels, _source_of(factor) == variable.code)
        if block:
            rows += [Row((group, *[""] * len(levels), ""), heading=True), *block]
    label = words.FACTOR.get(factor, words.plain(factor))
    return Table(
        id=f"table-1-by-{factor}",
        title=f"Patients before treatment, by {words.inside(label)}",
        notes=(METHOD, "SMD: the largest of a variable, without its sign."),
        abbreviations=("SMD", *_used(rows)),
        numbers=numbers_in(rows),
        empty="" if rows else "No variable was recorded for any treated patient.",
        columns=(
            "",
            *(f"{words.levelled(factor, x)} (n = {sizes[x]})" for x in levels),
            "SMD",
        ),
        rows=tuple(rows),
    )


def _found(con: Connection, factor: str) -> list[Record]:
    return records(
        con,
        "SELECT * FROM outcomes.baseline_characteristics WHERE population = 'all' AND factor = ? "
        "ORDER BY variable, level, factor_level",
        factor,
    )


def _treated(con: Connection) -> int:
    found = records(
        con,
        "SELECT n_out FROM outcomes.attrition WHERE population = 'all' AND rule_id = 'treated'",
    )
    return found[0]["n_out"] if found else 0


def _never(found: list[Record]) -> list[str]:
    """Variables of which nobody has a value."""
    known = {r["variable"] for r in found if r["total"]}
    printed = [v.code for _, variables in words.GROUPS for v in variables]
    there = {r["variable"] for r in found}
    others = sorted(there - set(printed) - words.BESIDE_TABLE_1)
    return [code for code in (*printed, *others) if code in there - known]


def _recorded_for_nobody(never: list[str]) -> tuple[str, ...]:
    label = {v.code: v.label for _, variables in words.GROUPS for v in variables}
    names = [words.inside(label.get(code, words.plain(code))) for code in never]
    return (f"Recorded for nobody: {', '.join(names)}.",) if names else ()


def _rows(variable: Variable, own: list[Record]) -> list[Row]:
    missing = Cell(str(own[0]["missing"]), said(own[0], missing=0))
    if own[0]["median"] is not None:
        return [row((variable.label, _median(variable, own[0]), missing), 1)]
    if variable.yes:
        yes = next((r for r in own if r["level"] == variable.yes), None)
        return [row((variable.label, _share(yes, own[0]), missing), 1)]
    head = row((variable.label, "", missing), 1)
    return [head, *(row((words.level(r["level"]), _share(r, r), ""), 2) for r in own)]


def _split_rows(
    variable: Variable, own: list[Record], levels: list[str], is_factor: bool
) -> list[Row]:
    """The rows of a variable with a cell for each level; the factor itself has no difference."""
    at = {(r["level"], r["factor_level"]): r for r in own}
    any_of = {r["factor_level"]: r for r in own}
    smd = max((abs(r["smd"]) for r in own if r["smd"] is not None), default=None)
    last = "" if is_factor else number(smd, 2)
    if any(r["median"] is not None for r in own):
        medians = [_median(variable, any_of[x]) if x in any_of else "" for x in levels]
        return [row((variable.label, *medians, last), 1)]
    if variable.yes:
        cells = [_share(at.get((variable.yes, x)), any_of.get(x)) for x in levels]
        return [row((variable.label, *cells, last), 1)]
    names = list(dict.fromkeys(r["level"] for r in own if r["level"]))
    return [
        Row((variable.label, *[""] * len(levels), last), 1),
        *(
            row((words.level(n), *(_share(at.get((n, x)), any_of.get(x)) for x in levels), ""), 2)
            for n in names
        ),
    ]


def _median(variable: Variable, r: Record) -> Cell:
    if r["median"] is None:
        return Cell("no value")
    digits = variable.digits
    told = f"{number(r['median'], digits)} ({interval(r['q1'], r['q3'], digits)})"
    return Cell(told, said(r, median=digits, q1=digits, q3=digits))


def _share(r: Record | None, any_level: Record | None) -> Cell:
    """`25 (62.5 %)`; a level of nobody is 0, and of nobody with a value it is no value."""
    total = (r or any_level or {}).get("total")
    if not total:
        return Cell("no value")
    if r is None:
        return Cell("0\u00a0(0.0\u00a0%)")
    return Cell(f"{r['n']}\u00a0({number(r['pct'])}\u00a0%)", said(r, n=0, pct=1))


def _used(rows: list[Row]) -> tuple[str, ...]:
    printed = " ".join(row.cells[0] for row in rows)
    return tuple(code for code in ("ALBI", "ECOG", "INR") if code in printed)


def _source_of(factor: str) -> str:
    """The variable that a factor is made of."""
    made_of = {
        "ecog0": "ecog",
        "extrahepatic": "extrahepatic_disease",
        "burden25": "tumour_burden_category",
    }
    return made_of.get(factor, factor)


def _size(r: Record) -> int:
    return (r["total"] or 0) + (r["missing"] or 0)


def _place(order: list[str], name: str) -> int:
    return order.index(name) if name in order else len(order)

"""Toxicity: the worst grade of each patient, as a table and as bars."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from report.figures import words
from report.figures.model import Cell, Exhibit, Number, Row, Table, numbers_in, row
from report.figures.source import Connection, Record, number, records, said
from schemas.records.analytes import BY_CODE
from schemas.records.ctcae_terms import UNIONS

GRADES = ("1", "2", "3", "4", "5")
COMPOSITES = {u.term: u for u in UNIONS}
LEAST_ASSESSED = 0.8
"""Share of the treated who must be assessed before a percentage of them is printed: a few who were
assessed are chosen by their illness, and 2 of 2 is not 100 % of 40."""
SOURCES = (("event", "Clinical"), ("lab", "Laboratory"))


@dataclass(frozen=True, slots=True)
class Term:
    """One term: who was assessed, and how many had which worst grade."""

    name: str
    source: str
    grades: tuple[int | None, ...]
    any_grade: int | None
    severe: int | None
    assessed: int
    treated: int
    composite: bool
    reason: str
    numbers: tuple[Number, ...]
    any_pct: float | None
    severe_pct: float | None
    found: Mapping[str, Record] = field(default_factory=dict, compare=False, repr=False)
    """Its rows by grade."""

    @property
    def enough(self) -> bool:
        """Whether so many were assessed that a share of them can be printed."""
        return self.treated > 0 and self.assessed >= LEAST_ASSESSED * self.treated


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxicity(Exhibit):
    """Bars of the worst grades by term, clinical and laboratory apart."""

    axis: str = "Patients assessed (%), worst grade after treatment"
    groups: tuple[tuple[str, tuple[Term, ...]], ...] = ()


def terms(con: Connection, version: str, window: str = "any") -> list[Term]:
    """Every term of a CTCAE version, the most frequent first."""
    found = records(
        con,
        "SELECT * FROM outcomes.toxicity_summary WHERE population = 'all' AND ctcae_version = ? "
        "AND time_window = ? ORDER BY source, term, grade",
        version,
        window,
    )
    return terms_of(found)


def terms_of(found: Iterable[Record]) -> list[Term]:
    """Every term in rows of `toxicity_summary`, the most frequent first."""
    by_term: dict[tuple[str, str], dict[str, Record]] = {}
    for r in found:
        by_term.setdefault((r["source"], r["term"]), {})[r["grade"]] = r
    made = [_term(source, term, grades) for (source, term), grades in by_term.items()]
    return sorted(made, key=lambda t: (t.source, -(t.any_grade or 0), t.name))


def _term(source: str, term: str, grades: dict[str, Record]) -> Term:
    every = grades.get("any") or next(iter(grades.values()))
    severe = grades.get("ge3", {})
    printed = [r for r in grades.values() if r["n"] is not None and r["statistic_id"]]
    return Term(
        name=words.capital(words.plain(term)),
        source=source,
        grades=tuple(grades[g]["n"] if g in grades else None for g in GRADES),
        any_grade=every["n"],
        severe=severe.get("n"),
        assessed=every["total"] or 0,
        treated=every["n_treated"] or 0,
        composite=term in COMPOSITES,
        reason=every["reason"] or "",
        numbers=tuple(Number(r["statistic_id"], "n", str(r["n"])) for r in printed),
        any_pct=every["pct"],
        severe_pct=severe.get("pct"),
        found=grades,
    )


def bars(con: Connection, version: str) -> Toxicity:
    """The terms that anybody had and in which enough were assessed."""
    return bars_of({"": terms(con, version)}, version)


def bars_of(by_level: Mapping[str, list[Term]], version: str, whose: str = "") -> Toxicity:
    """The same of terms that are there.

    Args:
        by_level: name of a group, empty for everybody -> its terms.
        version: of CTCAE.
        whose: of whom they are and when, where not of all treated at any time.
    """
    found = [t for own in by_level.values() for t in own]
    groups = []
    for level, own in by_level.items():
        drawn = [t for t in own if t.enough and t.any_grade and not t.composite]
        for source, name in SOURCES:
            if of_source := tuple(_of(drawn, source)):
                groups.append((f"{level}: {name.lower()}" if level else name, of_source))
    shown = [t for _, own in groups for t in own]
    few = [t for t in found if not t.enough and t.any_grade]
    note = "; ".join(
        f"{words.inside(t.name)} {t.any_grade} of {t.assessed} assessed ({t.treated} treated)"
        for t in few
    )
    told = "; ".join(f"{t.name} {t.any_grade} of {t.assessed}" for t in shown)
    return Toxicity(
        id="toxicity-bars",
        title=f"Toxicity by worst grade{f', {whose}' if whose else ''} (CTCAE {version})",
        description=f"Patients with any grade: {told or 'none'}.",
        n=max((t.treated for t in found), default=0) or None,
        notes=(
            "Number in a bar: patients with that worst grade. Laboratory and clinical toxicity are "
            "never added.",
            *(
                (f"Assessed in fewer than 80 % of the treated, and so not drawn: {note}.",)
                * bool(few)
            ),
        ),
        abbreviations=("CTCAE",),
        numbers=tuple(n for t in shown for n in t.numbers),
        empty="" if shown else _why_none(found, version),
        groups=tuple(groups),
    )


def _why_none(found: list[Term], version: str) -> str:
    if not found:
        return f"No adverse event or laboratory value was graded by CTCAE {version}."
    if any(t.any_grade for t in found):
        return "No term was assessed in at least 80 % of the treated; the table has the counts."
    return "Nobody had a toxicity of any grade in the terms that were assessed."


def _of(found: Iterable[Term], source: str) -> list[Term]:
    return [t for t in found if t.source == source]


def by_grade(con: Connection, version: str) -> Table:
    """The worst grade of each patient, every term; composites below their parts."""
    found = terms(con, version)
    rows: list[Row] = []
    for source, name in SOURCES:
        own = _of(found, source)
        if own:
            rows.append(Row((name, *[""] * 8), heading=True))
            rows += [_row(t) for t in own if not t.composite]
            rows += [_row(t) for t in own if t.composite]
    return Table(
        id="toxicity",
        title=f"Toxicity, worst grade at any time after treatment (CTCAE {version})",
        n=max((t.treated for t in found), default=0) or None,
        notes=(
            "n (% of those assessed). Where fewer than 80 % of the treated were assessed, counts "
            "alone are printed. Composites, marked with ∪, hold patients of their parts and are "
            "not added to them.",
        ),
        abbreviations=("CTCAE",),
        numbers=numbers_in(rows),
        empty="" if rows else _why_none(found, version),
        columns=("", "assessed of treated", *(f"grade {g}" for g in GRADES), "any", "grade ≥ 3"),
        rows=tuple(rows),
    )


def _row(t: Term) -> Row:
    name = f"∪ {words.inside(t.name)}" if t.composite else t.name
    every = t.found.get("any") or next(iter(t.found.values()))
    assessed = Cell(f"{t.assessed} of {t.treated}", _assessed(every))
    if t.any_grade is None:
        return row((name, assessed, *["—"] * 7), 1)
    grades = (Cell(_count(t, g), said(t.found[g], n=0)) if g in t.found else "" for g in GRADES)
    shares = (_share(t, t.found.get(grade)) for grade in ("any", "ge3"))
    return row((name, assessed, *grades, *shares), 2 if t.composite else 1)


def _assessed(r: Record) -> tuple[Number, ...]:
    return said(r, total=0, n_treated=0)


def _count(t: Term, grade: str) -> str:
    n = t.found[grade]["n"]
    return "" if n is None else str(n)


def _share(t: Term, r: Record | None) -> Cell:
    if r is None or r["n"] is None:
        return Cell("")
    if not t.assessed:
        return Cell("not assessed")
    if t.enough and r["pct"] is not None:
        return Cell(f"{r['n']}\u00a0({number(r['pct'])}\u00a0%)", said(r, n=0, pct=1))
    return Cell(str(r["n"]), said(r, n=0))


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Median and quartiles at one time point; day 0 is before treatment."""

    at_days: int
    n: int
    median: float
    q1: float
    q3: float


@dataclass(frozen=True, slots=True)
class Panel:
    """The boxes of one analyte or score, in time."""

    name: str
    boxes: tuple[Quartiles, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes(Exhibit):
    """A panel for each analyte and score that was measured again after treatment."""

    panels: tuple[Panel, ...] = ()


MOST_PANELS = 9
SCORES_FIRST = ("ALBI", "MELD", "Child-Pugh", "bilirubin", "albumin", "alp", "ast", "alt")
"""The order of the panels; what is not named comes after, by its name."""


def lab_courses(con: Connection) -> Boxes:
    """Quartiles of laboratory values and liver scores over time, as boxes."""
    found = records(
        con,
        "SELECT * FROM outcomes.lab_changes WHERE population = 'all' AND median IS NOT NULL "
        "ORDER BY quantity, at_days",
    )
    by_quantity: dict[str, list[Record]] = {}
    for r in found:
        by_quantity.setdefault(r["quantity"], []).append(r)
    again = [q for q, own in by_quantity.items() if len(own) > 1]
    chosen = sorted(again, key=lambda q: (_rank(q), q))[:MOST_PANELS]
    panels = tuple(_panel(q, by_quantity[q]) for q in chosen)
    told = "; ".join(f"{p.name} {number(p.boxes[-1].median, 2)}" for p in panels)
    return Boxes(
        id="laboratory-boxes",
        title="Laboratory values and liver scores over time",
        description=f"Medians at the last time point: {told or 'none'}.",
        n=max((b.n for p in panels for b in p.boxes), default=0) or None,
        notes=(
            "Box: quartiles; line: median; below: patients with a value at the time point. Whoever "
            "died or was not seen is missing, so that a course is no course of the same patients.",
        ),
        numbers=tuple(v for q in chosen for r in by_quantity[q] for v in said(r, n=0)),
        empty="" if panels else "No laboratory value was measured again after treatment.",
        panels=panels,
    )


def _rank(quantity: str) -> int:
    return SCORES_FIRST.index(quantity) if quantity in SCORES_FIRST else len(SCORES_FIRST)


def _panel(quantity: str, own: list[Record]) -> Panel:
    name = BY_CODE[quantity].label if quantity in BY_CODE else words.plain(quantity)
    unit = own[0]["unit"]
    boxes = tuple(Quartiles(r["at_days"], r["n"], r["median"], r["q1"], r["q3"]) for r in own)
    return Panel(f"{words.capital(name)} ({unit})", boxes)

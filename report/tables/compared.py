"""One thing beside another: criteria, grades before and after, other readings, literature."""

from report.figures import words
from report.figures.model import Cell, Number, Row, Table, numbers_in, row, table
from report.figures.response import CLASSES
from report.figures.source import Connection, fetched, number, p_value, share

NOBODY = Cell("0")


def agreement(con: Connection) -> Table:
    """The class of each criterion beside that of another, by patient and by lesion."""
    found = fetched(
        con,
        "SELECT criterion_a, criterion_b, level, category_a, category_b, n, statistic_id "
        "FROM outcomes.criterion_agreement WHERE population = 'all' ORDER BY ALL",
    )
    pairs: dict[tuple[str, str, str], dict[tuple[str, str], Cell]] = {}
    for a, b, level, of_a, of_b, n, name in found:
        pairs.setdefault((level, a, b), {})[of_a, of_b] = _count(name, n)
    rows: list[Row] = []
    for (level, a, b), joint in sorted(pairs.items(), key=lambda p: p[0][0] == "lesion"):
        total = sum(int(cell.text) for cell in joint.values())
        if total:
            rows.append(_pair(f"{a} (rows) by {b}, {words.unit(level)}s", joint, total))
            rows += [
                row((k, *(joint.get((k, c), "0") for c in CLASSES)), 1)
                for k in CLASSES
                if any(joint.get((k, c), NOBODY) != NOBODY for c in CLASSES)
            ]
    return Table(
        id="agreement",
        title="Agreement of criteria",
        notes=("Best response, unconfirmed; not evaluable is a class of its own.",),
        abbreviations=(*CLASSES, "EASL", "mRECIST", "RECIST", "WHO"),
        numbers=numbers_in(rows),
        empty="" if rows else "No two criteria could be compared.",
        columns=("", *CLASSES),
        rows=tuple(rows),
    )


def _count(name: str, n: int) -> Cell:
    """A count of patients or lesions that is published under a name."""
    return Cell(str(n), (Number(name, "n", str(n)),)) if n else NOBODY


def _pair(heading: str, joint: dict[tuple[str, str], Cell], total: int) -> Row:
    same = sum(int(cell.text) for (a, b), cell in joint.items() if a == b)
    said = f"{heading}: same class in {share(same, total, 100 * same / total)}"
    return Row((said, *[""] * len(CLASSES)), heading=True)


def shift(con: Connection, version: str) -> Table:
    """The worst grade of each laboratory term by the grade before treatment."""
    found = fetched(
        con,
        "SELECT term, baseline_grade, worst_grade, n, statistic_id FROM outcomes.toxicity_shift "
        "WHERE population = 'all' AND ctcae_version = ? ORDER BY term, baseline_grade",
        version,
    )
    grades = sorted({w for _, _, w, _, _ in found}, key=lambda g: (g == "missing", g))
    terms: dict[str, dict[tuple[str, str], Cell]] = {}
    for term, before, worst, n, name in found:
        terms.setdefault(term, {})[before, worst] = _count(name, n)
    rows: list[Row] = []
    for term, joint in terms.items():
        somebody = {b for (b, _), n in joint.items() if n != NOBODY}
        before = sorted(somebody, key=lambda g: (g == "missing", g))
        if before:
            rows.append(Row((words.capital(words.plain(term)), *[""] * len(grades)), heading=True))
            rows += [
                row((_before(b), *(joint.get((b, w), "0") for w in grades)), 1) for b in before
            ]
    return Table(
        id="shift",
        title=f"Laboratory values: worst grade by grade before treatment (CTCAE {version})",
        notes=("Rows: grade before treatment. Columns: worst grade after it. Patients.",),
        abbreviations=("CTCAE",),
        numbers=numbers_in(rows),
        empty="" if rows else "No laboratory value was graded before and after treatment.",
        columns=("", *(_grade(g) for g in grades)),
        rows=tuple(rows),
    )


def _grade(code: str) -> str:
    return code if code == "missing" else f"grade {code}"


def _before(code: str) -> str:
    return "no value before" if code == "missing" else f"grade {code} before"


def readings(con: Connection) -> Table:
    """The conclusions that rest on a choice that the sources leave open."""
    tried, alternatives = fetched(
        con,
        "SELECT count(*), count(DISTINCT (setting, alternative)) FROM outcomes.sensitivity",
    )[0]
    found = fetched(
        con,
        "SELECT setting, alternative, coalesce(s.label, base_statistic_id), base_value, x.value, "
        "coalesce(x.reason, 'not reached') "
        "FROM outcomes.sensitivity x LEFT JOIN outcomes.statistics s "
        "ON s.statistic_id = base_statistic_id WHERE flips "
        "ORDER BY setting, alternative, base_statistic_id",
    )
    return table(
        "readings",
        "Other readings that move a conclusion",
        ("setting", "read as", "statistic", "published", "then"),
        tuple(
            (a, b, words.spoken(c), number(d, 3), number(e, 3) or why)
            for a, b, c, d, e, why in found
        ),
        (
            f"{alternatives} other readings of the settings, {tried} numbers computed again. "
            f"{len(found)} of them change what one would conclude: p crosses 0.05, or an interval "
            "leaves the comparator.",
        ),
        empty="No other reading of the settings changes what one would conclude.",
    )


def literature(con: Connection) -> Table:
    """What others published, and what exactly they counted."""
    found = fetched(
        con,
        "SELECT series, quantity, published, unit, own_value, coalesce(note, '') "
        "FROM outcomes.literature_comparison WHERE population = 'all' ORDER BY figure_id",
    )
    return table(
        "literature",
        "Beside the literature",
        ("series", "quantity", "published", "unit", "here", "note"),
        tuple(
            (s, q, p, u, (p_value(v) if u == "p" else number(v, 2)) or "not evaluable", note)
            for s, q, p, u, v, note in found
        ),
        ("What others published, and what exactly they counted.",),
    )

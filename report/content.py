"""The numbers of the report: queries on a release's own database, rounded for print."""

from collections.abc import Callable
from dataclasses import replace

from analytics.summary import p_value
from report.block import Block, Connection, fetched, interval, number
from report.plots import waterfall
from report.survival import (
    by_factor,
    incidence,
    landmarks,
    means,
    medians,
    overall,
    prognosis,
    ratios,
    readings,
)

REDRAWN = "Redrawn from the patients who are left."


def blocks(con: Connection, primary_version: str, *, redrawn: bool = False) -> list[Block]:
    """Everything that the page shows, in order; a part with nothing to show says why.

    Args:
        con: the database of a release.
        primary_version: the CTCAE version that is shown.
        redrawn: rows have left since; what is drawn from rows says so.
    """
    makers: tuple[Callable[[Connection], Block], ...] = (
        _who,
        _baseline,
        _response,
        _depth,
        _toxicity(primary_version),
        medians,
        landmarks,
        overall,
        by_factor,
        means,
        incidence,
        prognosis,
        ratios,
        readings,
        _dose,
        _follow_up,
        _published,
        _quality,
    )
    made = [(make, make(con)) for make in makers]
    return [
        replace(b, about=f"{b.about} {REDRAWN}") if redrawn and make in OF_ROWS else b
        for make, b in made
    ]


def headline(con: Connection, lesions: str) -> list[tuple[str, str]]:
    """The numbers at the top of the page: words and value.

    Args:
        con: a release's database.
        lesions: which lesions respond there, `treated` or `all`.
    """
    asked = {
        "treated patients": ("attrition.all.1", "{n}"),
        "median overall survival": (
            "survival_medians.all.os.subject.overall.overall.midpoint",
            "{value} months",
        ),
        **{
            f"{label} response by lesion ({lesions})": (
                f"response_summary.all.{name}.lesion.all.{lesions}.unconfirmed.orr",
                "{value} %",
            )
            for name, label in (("who", "WHO"), ("easl", "EASL"))
        },
        "median follow-up (reverse KM)": ("follow_up.all.reverse_km", "{value} months"),
    }
    return [(words, _headline(con, *facts)) for words, facts in asked.items()]


def _headline(con: Connection, statistic: str, form: str) -> str:
    found = con.execute(
        "SELECT value, n FROM outcomes.statistics WHERE statistic_id = ?", [statistic]
    ).fetchone()
    if found is None or found[0] is None:
        return "not derivable"
    return form.format(value=number(found[0]), n=found[1])


def _who(con: Connection) -> Block:
    found = fetched(
        con,
        "SELECT label, n_in, n_excluded, n_unknown, n_out, coalesce(note, '') "
        "FROM outcomes.attrition WHERE population = 'all' ORDER BY step",
    )
    return Block(
        "Who was studied",
        "Every rule is asked of every patient; unknown is neither passed nor failed.",
        ("step", "in", "excluded", "unknown", "out", "note"),
        tuple(tuple(map(str, r)) for r in found),
    )


def _baseline(con: Connection) -> Block:
    found = fetched(
        con,
        "SELECT variable, level, n, total, missing, pct, median, q1, q3 "
        "FROM outcomes.baseline_characteristics WHERE population = 'all' AND factor = '' "
        "ORDER BY variable, level",
    )
    rows = tuple(
        (
            v.replace("_", " "),
            level,
            f"{n}/{total} ({number(pct)} %)"
            if median is None
            else f"{number(median)} ({number(q1)} to {number(q3)})",
            str(missing),
        )
        for v, level, n, total, missing, pct, median, q1, q3 in found
    )
    return Block(
        "Before treatment",
        "n of those with a value (%), or median (quartiles).",
        ("variable", "level", "value", "missing"),
        rows,
    )


def _response(con: Connection) -> Block:
    found = fetched(
        con,
        "SELECT criterion, concat(CASE WHEN level = 'lesion' THEN lesions || ' lesions' "
        "WHEN organ = 'all' THEN 'patients' WHEN organ = 'liver' THEN 'patients, liver' "
        "ELSE 'patients, outside the liver' END), category, n, total, pct, lower, upper, reason "
        "FROM outcomes.response_summary WHERE population = 'all' "
        "AND confirmation = 'unconfirmed' AND category IN ('CR','PR','SD','PD','NE','ORR','DCR') "
        "ORDER BY criterion, level, organ, lesions, "
        "list_position(['CR','PR','SD','PD','NE','ORR','DCR'], category)",
    )
    rows = tuple(
        (c, who, k, reason or f"{n}/{total}", number(pct), interval(low, high))
        for c, who, k, n, total, pct, low, high, reason in found
    )
    return Block(
        "Response",
        "Best response, unconfirmed. Units that could not be evaluated stay in the denominator. "
        "A lesion is followed from the treatment of its own lobe, a patient from the first "
        "session: growth in a lobe not yet treated makes the patient progressive while both lobes' "
        f"lesions may respond later. {_before_course_end(con)}",
        ("criterion", "by", "response", "n", "%", "95 % interval"),
        rows,
    )


def _before_course_end(con: Connection) -> str:
    """How many patients were progressive before their planned course had ended."""
    (found,) = con.execute(
        "SELECT string_agg(concat(criterion, ' ', n, '/', total), ', ' ORDER BY criterion) "
        "FROM outcomes.response_summary WHERE population = 'all' AND organ = 'all' "
        "AND confirmation = 'unconfirmed' AND category = 'pd_before_course_end' "
        "AND n IS NOT NULL AND total > 0"
    ).fetchone() or (None,)
    return f"Progressive before their course had ended: {found or 'not derivable'}."


def _depth(con: Connection) -> Block:
    found = fetched(
        con,
        "SELECT best_change_pct FROM marts.lesion_response "
        "WHERE criterion = 'WHO' AND confirmation = 'unconfirmed'",
    )
    changes = [r[0] for r in found if r[0] is not None]
    missing = len(found) - len(changes)
    return Block(
        "Depth of response",
        f"Best change of the WHO product per lesion, {len(changes)} lesions; "
        f"{missing} not evaluable and not drawn.",
        pictures=(("", waterfall("Best change of the WHO product per lesion", changes, missing)),)
        if changes
        else (),
    )


OF_ROWS = (_depth,)
"""What is drawn from patients' rows; everything else is a published aggregate."""


def _toxicity(version: str) -> Callable[[Connection], Block]:
    def make(con: Connection) -> Block:
        found = fetched(
            con,
            "SELECT source, term, "
            "max(CASE grade WHEN 'any' THEN n END), max(CASE grade WHEN 'ge3' THEN n END), "
            "max(total), max(CASE grade WHEN 'any' THEN pct END), "
            "max(CASE grade WHEN 'ge3' THEN pct END) FROM outcomes.toxicity_summary "
            "WHERE population = 'all' AND ctcae_version = ? AND time_window = 'any' "
            "GROUP BY source, term ORDER BY source, term",
            version,
        )
        rows = tuple(
            (s, t, _of(any_n, total, any_pct), _of(severe, total, severe_pct))
            for s, t, any_n, severe, total, any_pct, severe_pct in found
        )
        return Block(
            "Toxicity",
            f"CTCAE {version}, worst grade at any time after treatment. Laboratory and clinical "
            "toxicity are never added up.",
            ("source", "term", "any grade", "grade 3 or more"),
            rows,
        )

    return make


def _of(n: int | None, total: int | None, pct: float | None) -> str:
    return "" if n is None else f"{n}/{total} ({number(pct)} %)"


def _dose(con: Connection) -> Block:
    found = fetched(
        con,
        "SELECT measure, grain, n, median, q1, q3, minimum, maximum, unit "
        "FROM outcomes.dosimetry_summary WHERE population = 'all' AND \"group\" = '' "
        "AND median IS NOT NULL ORDER BY measure, grain",
    )
    rows = tuple(
        (m.replace("_", " "), g, str(n), number(mid), interval(q1, q3), interval(low, high), u)
        for m, g, n, mid, q1, q3, low, high, u in found
    )
    return Block(
        "Dose",
        "Doses of different volumes are never added.",
        ("measure", "by", "n", "median", "quartiles", "range", "unit"),
        rows,
    )


def _follow_up(con: Connection) -> Block:
    found = fetched(
        con,
        "SELECT definition, n, median_months, lower, upper, method FROM outcomes.follow_up "
        "WHERE population = 'all' ORDER BY definition",
    )
    rows = tuple(
        (d.replace("_", " "), str(n), number(m), interval(low, high), how)
        for d, n, m, low, high, how in found
    )
    return Block(
        "Follow-up",
        "Four definitions, because publications rarely say which they used.",
        ("definition", "n", "median months", "interval", "method"),
        rows,
    )


def _published(con: Connection) -> Block:
    found = fetched(
        con,
        "SELECT series, quantity, published, unit, own_value, coalesce(note, '') "
        "FROM outcomes.literature_comparison WHERE population = 'all' ORDER BY figure_id",
    )
    rows = tuple(
        (s, q, p, u, p_value(v) if u == "p" else number(v, 2), note)
        for s, q, p, u, v, note in found
    )
    return Block(
        "Beside the literature",
        "What others published, and what exactly they counted.",
        ("series", "quantity", "published", "unit", "here", "note"),
        rows,
    )


def _quality(con: Connection) -> Block:
    found = fetched(
        con,
        "SELECT site_id, table_name, received, empty, accepted, quarantined, other_group "
        "FROM quality.row_counts ORDER BY ALL",
    )
    return Block(
        "What was delivered",
        "Rows received are empty, accepted, set aside or another site's.",
        ("site", "table", "received", "empty", "accepted", "set aside", "of other groups"),
        tuple(tuple(map(str, r)) for r in found),
    )

"""The report's part on time to event: curves, medians, means, causes and prognosis."""

from analytics.outcomes.survival import DAYS_PER_MONTH
from analytics.summary import p_value
from report.block import LABELS, Block, Connection, Row, fetched, interval, number
from report.plots import SERIES, Estimate, Step, curves, forest

YEARS_SHOWN = 8


def medians(con: Connection) -> Block:
    """The median of every endpoint."""
    found = fetched(
        con,
        "SELECT endpoint, level, n, n_reported, events, median_months, lower, upper, not_reached, "
        "coalesce(reason, '') FROM outcomes.survival_medians WHERE population = 'all' "
        "AND factor = '' AND rule = 'midpoint' ORDER BY endpoint",
    )
    rows = tuple(
        (
            e,
            level,
            f"{n} ({reported} reported)" if reported else str(n),
            str(events),
            "not reached" if open_ended else number(median),
            interval(low, high),
            reason,
        )
        for e, level, n, reported, events, median, low, high, open_ended, reason in found
    )
    return Block(
        "Time to event",
        "Kaplan-Meier medians in months, midpoint rule, log-log intervals.",
        ("endpoint", "by", "n", "events", "median", "95 % interval", "note"),
        rows,
    )


def landmarks(con: Connection) -> Block:
    """The share free of each endpoint's event at each landmark, as far as somebody is at risk."""
    found = fetched(
        con,
        "SELECT endpoint, level, months, 100 * survival, 100 * lower, 100 * upper, at_risk "
        "FROM outcomes.survival_landmarks WHERE population = 'all' AND factor = '' "
        "AND survival IS NOT NULL ORDER BY endpoint, level, months",
    )
    rows = tuple(
        (e, level, str(months), number(share), interval(low, high), str(at_risk))
        for e, level, months, share, low, high, at_risk in found
    )
    return Block(
        "At one, two and more years",
        "Share free of the event (Kaplan-Meier, log-log intervals), while somebody is at risk.",
        ("endpoint", "by", "months", "%", "95 % interval", "at risk"),
        rows,
    )


def overall(con: Connection) -> Block:
    """The curve of overall survival, with the numbers at risk."""
    step = _steps(con, "").get("")
    if step is None:
        return Block("Overall survival", "Not derivable from what was delivered.")
    picture = curves("Overall survival of all treated patients", [step], _end([step]))
    about = "From the first 90Y administration."
    return Block("Overall survival", about, pictures=(("", picture),))


def by_factor(con: Connection) -> Block:
    """The same at each level of the factors that were tested."""
    heading = "Overall survival by prognostic factor"
    tested = fetched(
        con,
        "SELECT factor, min(p) FROM outcomes.prognosis_univariate WHERE population = 'all' "
        "AND endpoint = 'OS' AND p IS NOT NULL GROUP BY factor ORDER BY factor",
    )
    pictures = []
    for factor, p in tested:
        steps = list(_steps(con, factor).values())
        if 1 < len(steps) <= SERIES:
            label = str(LABELS.get(factor, factor))
            picture = curves(f"Overall survival by {label}", steps, _end(steps))
            pictures.append((f"{label}, log-rank p {p_value(p)}", picture))
    if not pictures:
        return Block(heading, "No factor could be tested.")
    return Block(heading, "Patients whose level is not known are left out.", pictures=(*pictures,))


def _steps(con: Connection, factor: str) -> dict[str, Step]:
    """Curves of overall survival by level; of no factor, the one of everybody."""
    found = fetched(
        con,
        "SELECT factor_level, time_days::DOUBLE, survival, lower, upper, at_risk "
        "FROM outcomes.survival_curves WHERE population = 'all' AND endpoint = 'OS' "
        "AND factor = ? ORDER BY factor_level, time_days",
        factor,
    )
    by_level: dict[str, list[Row]] = {}
    for level, *point in found:
        by_level.setdefault(level, []).append(tuple(point))
    return {
        level: Step(
            level,
            [(days / DAYS_PER_MONTH, s, low, high) for days, s, low, high, _ in points],
            [(months, _at_risk(points, months)) for months in range(0, 12 * YEARS_SHOWN + 1, 6)],
        )
        for level, points in by_level.items()
    }


def _at_risk(points: list[Row], months: int) -> int:
    return next((n for t, _, _, _, n in points if t >= months * DAYS_PER_MONTH), 0)


def _end(steps: list[Step]) -> int:
    """End of the axis in months: whole years up to the last time of any curve."""
    last = max(step.points[-1][0] for step in steps)
    return 12 * min(int(last // 12 + 1), YEARS_SHOWN)


def means(con: Connection) -> Block:
    """Mean time free of the event up to a horizon, which needs no median to be reached."""
    found = fetched(
        con,
        "SELECT endpoint, level, months, mean_months, lower, upper, n, events "
        "FROM outcomes.restricted_means WHERE population = 'all' AND factor = '' "
        "AND mean_months IS NOT NULL ORDER BY endpoint, level, months",
    )
    rows = tuple(
        (e, level, str(months), number(mean), interval(low, high), str(n), str(events))
        for e, level, months, mean, low, high, n, events in found
    )
    return Block(
        "Restricted mean time",
        "Area under the curve up to the horizon, in months.",
        ("endpoint", "by", "horizon", "mean", "95 % interval", "n", "events"),
        rows,
    )


def incidence(con: Connection) -> Block:
    """What came first, where an endpoint's event can be ruled out by another."""
    found = fetched(
        con,
        "SELECT endpoint, level, cause, months, 100 * incidence, 100 * lower, 100 * upper, at_risk "
        "FROM outcomes.cumulative_incidence WHERE population = 'all' AND incidence IS NOT NULL "
        "ORDER BY endpoint, level, cause, months",
    )
    rows = tuple(
        (
            e,
            level,
            cause.replace("_", " "),
            str(months),
            number(share),
            interval(low, high),
            str(at_risk),
        )
        for e, level, cause, months, share, low, high, at_risk in found
    )
    return Block(
        "What came first",
        "Cumulative incidence (Aalen-Johansen) of each event, where one rules out the other.",
        ("endpoint", "by", "event", "months", "%", "95 % interval", "at risk"),
        rows,
    )


def prognosis(con: Connection) -> Block:
    """Factors one at a time."""
    found = fetched(
        con,
        "SELECT factor, factor_level, n, events, hr, lower, upper, p, coalesce(reason, '') "
        "FROM outcomes.prognosis_univariate WHERE population = 'all' AND endpoint = 'OS' "
        "ORDER BY factor, reason = 'reference' DESC, factor_level",
    )
    rows = tuple(
        (
            str(LABELS.get(f, f)),
            level,
            str(n),
            str(e),
            number(hr, 2),
            interval(low, high, 2),
            p_value(p),
            reason,
        )
        for f, level, n, e, hr, low, high, p, reason in found
    )
    return Block(
        "Prognostic factors, one at a time",
        "Overall survival: log-rank p, Cox hazard ratio against the better level.",
        ("factor", "level", "n", "deaths", "hazard ratio", "95 % interval", "p", "note"),
        rows,
    )


def ratios(con: Connection) -> Block:
    """Factors together."""
    found = fetched(
        con,
        "SELECT term, hr, lower, upper, p FROM outcomes.prognosis_multivariable "
        "WHERE population = 'all' AND endpoint = 'OS' AND model = 'univariate_p' "
        "AND hr IS NOT NULL ORDER BY term",
    )
    if not found:
        return Block("Prognostic factors together", "No model could be fitted.")
    rows = [
        Estimate(f"{LABELS.get(t, t)}, p {p_value(p)}", hr, low, high)
        for t, hr, low, high, p in found
    ]
    return Block(
        "Prognostic factors together",
        "Cox model of the factors with p below the setting when taken alone.",
        pictures=(("", forest("Hazard ratios of the multivariable model", rows)),),
    )


def readings(con: Connection) -> Block:
    """List the conclusions that rest on a choice that the sources leave open."""
    tried, alternatives = fetched(
        con,
        "SELECT count(*), count(DISTINCT (setting, alternative)) FROM outcomes.sensitivity",
    )[0]
    found = fetched(
        con,
        "SELECT base_statistic_id, setting, alternative, base_value, value "
        "FROM outcomes.sensitivity WHERE flips ORDER BY setting, alternative, base_statistic_id",
    )
    rows = tuple(
        (setting, other, statistic, number(before, 3), number(after, 3))
        for statistic, setting, other, before, after in found
    )
    about = (
        f"{alternatives} other readings of the settings, {tried} numbers computed again. "
        f"{len(found)} of them change what one would conclude: p crosses 0.05, or an interval "
        "leaves the comparator."
    )
    return Block(
        "Other readings of the rules",
        about,
        ("setting", "read as", "statistic", "published", "then") if rows else (),
        rows,
    )

"""The results in sentences, each number of them tied to its statistic.

What was not delivered is said to be not derivable; nothing is left out in silence.
"""

from collections.abc import Iterator

from report.figures import words
from report.figures.source import Connection, Record, journal, percents, records, said, said_p
from report.paper.parts import Piece, Text, prose
from schemas.records.criteria import CRITERIA

SIGNIFICANT = 0.05
NOT_ESTIMABLE: tuple[Piece, ...] = ("not estimable",)
NOT_REACHED: tuple[Piece, ...] = ("not reached",)


def patients(con: Connection) -> Iterator[Text]:
    """Who was delivered, treated, eligible and followed."""
    found = {r["rule_id"]: r for r in _all(con, "attrition")}
    delivered, treated = found.get("delivered"), found.get("treated")
    if not delivered or not treated:
        yield prose("How many patients were treated is not derivable from what was delivered.")
        return
    last = max(found.values(), key=lambda r: int(r["statistic_id"].rsplit(".", 1)[1]))
    yield prose(
        "Of ",
        *said(delivered, n_out=0),
        " patients in the registry, ",
        *said(treated, n_out=0),
        " were treated with ⁹⁰Y radioembolization and ",
        *said(last, n_out=0),
        " met every criterion of eligibility that could be judged.",
    )
    yield from _followed(con)


def _followed(con: Connection) -> Iterator[Text]:
    r = _one(con, "follow_up", "follow_up.all.reverse_km")
    if r is None or r["median_months"] is None:
        yield prose("Median follow-up is not derivable.")
        return
    yield prose(
        "Median follow-up was ",
        *_with_interval(r, "median_months", " months"),
        " by the reverse Kaplan-Meier method.",
    )


def baseline(con: Connection) -> Iterator[Text]:
    """Age, sex and condition before treatment."""
    found = {
        (r["variable"], r["level"]): r
        for r in _all(con, "baseline_characteristics")
        if not r["factor"]
    }
    age = found.get(("age_years", ""))
    if age and age["median"] is not None:
        low, middle, high = (said(age, **{c: 0})[0] for c in ("q1", "median", "q3"))
        yield prose(
            "Median age was ", middle, " years (quartiles ", low, journal().between, high, ")."
        )
    shares = (
        (("sex", "female"), " were women"),
        (("ecog", "0"), " had an ECOG performance status of 0"),
        (("bilobar", "true"), " had disease in both lobes"),
        (("prior_systemic", "true"), " had had systemic therapy"),
    )
    for place, what in shares:
        r = found.get(place)
        if r and r["total"]:
            yield prose(*_share(r, "pct"), what, ".")


def treatment(con: Connection) -> Iterator[Text]:
    """Absorbed dose and activity."""
    r = _one(con, "dosimetry_summary", "dosimetry_summary.all.dose_gy.target.overall")
    if r is None or r["median"] is None:
        yield prose("The absorbed dose is not derivable from what was delivered.")
        return
    middle, low, high = (said(r, **{c: 1})[0] for c in ("median", "minimum", "maximum"))
    yield prose(
        "The median absorbed dose of ",
        *said(r, n=0),
        " targets was ",
        middle,
        " Gy (range ",
        low,
        journal().between,
        high,
        ").",
    )


def response(con: Connection, lesions: str) -> Iterator[Text]:
    """Best response by each criterion, by patient and by lesion; and the time to it."""
    found = {
        (r["criterion"], r["level"], r["category"]): r
        for r in _all(con, "response_summary")
        if r["confirmation"] == "unconfirmed" and r["organ"] == "all"
        if r["lesions"] == (lesions if r["level"] == "lesion" else "all")
    }
    for criterion in CRITERIA:
        for level in ("subject", "lesion"):
            own = {c: found.get((criterion, level, c)) for c in ("ORR", "CR", "PR")}
            yield from _responded(criterion, level, own)
    yield from _median(con, "TTR", "Median time to response by patient was ")
    yield from _median(con, "TTRL", "By lesion it was ", "lesion")


def _responded(criterion: str, level: str, own: dict[str, Record | None]) -> Iterator[Text]:
    rate, complete, partial = (own[c] for c in ("ORR", "CR", "PR"))
    if not (rate and complete and partial and rate["total"]):
        return
    unit = "patients" if level == "subject" else "lesions"
    if not rate["n_evaluable"]:
        yield prose(f"Response of {unit} by {criterion} is not evaluable.")
        return
    low, high = said(rate, lower=1)[0], said(rate, upper=1)[0]
    yield prose(
        f"By {criterion}, ",
        *_share(rate, "pct", unit),
        " responded (95 % CI ",
        low,
        journal().between,
        high,
        " %; complete response ",
        *said(complete, n=0),
        ", partial response ",
        *said(partial, n=0),
        ").",
    )


def survival(con: Connection) -> Iterator[Text]:
    """Overall survival and every other endpoint."""
    yield from _median(con, "OS", "Median overall survival was ")
    landmarks = records(
        con,
        "SELECT * FROM outcomes.survival_landmarks WHERE population = 'all' AND factor = '' "
        "AND endpoint = 'OS' AND level = 'subject' AND survival IS NOT NULL ORDER BY months",
    )
    for r in landmarks:
        alive, low, high = (percents(r, c)[:1] for c in ("survival", "lower", "upper"))
        yield prose(
            f"At {r['months']} months ",
            *alive,
            " % were alive (95 % CI ",
            *(low or NOT_ESTIMABLE),
            journal().between,
            *(high or NOT_ESTIMABLE),
            " %).",
        )
    for endpoint in ("PFS", "HPFS", "TTP", "TTNT"):
        name = words.inside(words.endpoint(endpoint))
        yield from _median(con, endpoint, f"Median {name} was ")


def prognosis(con: Connection) -> Iterator[Text]:
    """The factors whose interval leaves out 1, alone and in one model."""
    query = (
        "SELECT * FROM outcomes.{} WHERE population = 'all' AND endpoint = 'OS' {} "
        "AND hr IS NOT NULL AND p < ? ORDER BY statistic_id"
    )
    alone = records(con, query.format("prognosis_univariate", ""), SIGNIFICANT)
    joint = records(
        con,
        query.format("prognosis_multivariable", "AND model = 'univariate_p' AND term <> 'global'"),
        SIGNIFICANT,
    )
    if not alone:
        yield prose("No factor alone was associated with overall survival (p below 0.05).")
    for r in alone:
        level = words.levelled(r["factor"], r["factor_level"])
        yield prose(f"{words.capital(level)}: ", *_ratio(r), ", alone.")
    for r in joint:
        name = words.FACTOR.get(r["term"], words.plain(r["term"]))
        yield prose(f"{words.capital(name)}, together with the others: ", *_ratio(r), ".")


def toxicity(con: Connection, version: str) -> Iterator[Text]:
    """Grades 3 and worse of the terms that enough were assessed in."""
    found = records(
        con,
        "SELECT * FROM outcomes.toxicity_summary WHERE population = 'all' AND grade = 'ge3' "
        "AND ctcae_version = ? AND time_window = 'any' AND n > 0 ORDER BY source, n DESC, term",
        version,
    )
    if not found:
        yield prose(f"No toxicity of grade 3 or worse was found (CTCAE {version}).")
        return
    yield prose(f"Toxicity of grade 3 or worse at any time after treatment, by CTCAE {version}:")
    for r in found:
        name = words.capital(words.plain(r["term"]))
        yield prose(f"{name}: ", *said(r, n=0), " of ", *said(r, total=0), " assessed.")


def symptoms(con: Connection) -> Iterator[Text]:
    """How many of those with symptoms improved."""
    r = _one(con, "symptom_summary", "symptom_summary.all.improved")
    if r is None or not r["total"]:
        yield prose("No patient is known to have had symptoms of the carcinoid syndrome.")
        return
    yield prose("Symptoms improved in ", *_share(r, "value"), ".")


def _all(con: Connection, table: str) -> list[Record]:
    return records(con, f"SELECT * FROM outcomes.{table} WHERE population = 'all' ORDER BY ALL")


def _one(con: Connection, table: str, statistic: str) -> Record | None:
    found = records(con, f"SELECT * FROM outcomes.{table} WHERE statistic_id = ?", statistic)
    return found[0] if found else None


def _share(r: Record, pct: str, unit: str = "patients") -> tuple[Piece, ...]:
    """`26 of 40 patients (65.0 %)`."""
    n, total, share = (said(r, **{c: d})[0] for c, d in (("n", 0), ("total", 0), (pct, 1)))
    return n, " of ", total, f" {unit} (", share, " %)"


def _median(con: Connection, endpoint: str, lead: str, level: str = "subject") -> Iterator[Text]:
    name = f"survival_medians.all.{endpoint.lower()}.{level}.overall.overall.midpoint"
    r = _one(con, "survival_medians", name)
    if r is None or not r["n"]:
        yield prose(lead, "not derivable.")
    elif r["median_months"] is None:
        counts = _events(r)
        yield prose(
            lead, "not reached (", *counts, ")." if r["not_reached"] else ", none derived)."
        )
    else:
        counts = _events(r)
        around = _with_interval(r, "median_months", " months")
        yield prose(lead, *around, "; ", *counts, ".")


def _events(r: Record) -> tuple[Piece, ...]:
    """`28 events in 40`."""
    return (*said(r, events=0), " events in ", *said(r, n=0))


def _with_interval(r: Record, column: str, unit: str) -> tuple[Piece, ...]:
    """`34.4 months (95 % CI 19.8 to not reached)`."""
    middle = said(r, **{column: 1})
    low, high = (said(r, **{c: 1}) or NOT_REACHED for c in ("lower", "upper"))
    return (*middle, unit, " (95 % CI ", *low, journal().between, *high, ")")


def _ratio(r: Record) -> tuple[Piece, ...]:
    ratio, low, high = (said(r, **{c: 2}) or NOT_ESTIMABLE for c in ("hr", "lower", "upper"))
    (p,) = said_p(r)
    lead = f", {journal().p} " + ("" if p.text[:1] in "<>" else "= ")
    return ("hazard ratio ", *ratio, " (95 % CI ", *low, " to ", *high, ")", lead, p)

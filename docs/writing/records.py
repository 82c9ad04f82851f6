"""The pages of the records: every rule that is data, with its wording, thresholds and sources."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from analytics.summary import p_value
from schemas.contract import columns, options, published_name
from schemas.records import analytes, criteria, ctcae, ctcae_terms, eligibility, endpoints, factors
from schemas.records.field import dose_questions, event_windows, journals, markers
from schemas.settings import RegistryFile
from schemas.tables import marts, outcomes

Rows = Iterable[Iterable[str]]
SPECS = Path(__file__).resolve().parents[2] / "tests" / "specs"


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    made = {
        "criteria": _criteria(),
        "endpoints": _endpoints(),
        "ctcae_terms": _terms(),
        "ctcae_laboratory": _laboratory(),
        "eligibility": _eligibility(),
        "factors": _factors(),
        "analytes": _analytes(),
        "windows_and_doses": _windows_and_doses(),
        "journals": _journals(),
    }
    index = "\n".join(f"* [{_first(text)}]({name}.md)" for name, text in made.items())
    about = "Every clinical or statistical rule that is data is one record in `schemas/records/`."
    head = {"index": f"# Records\n\n{about} These pages are made from them.\n\n{index}\n"}
    return {f"records/{name}.md": text for name, text in (head | made).items()}


def _first(text: str) -> str:
    return text.splitlines()[0].removeprefix("# ")


def _criteria() -> str:
    parts = ["# Response criteria", _tables("criterion", "criterion_a"), _section("response")]
    for c in criteria.RECORDS:
        growth = f"{c.operator} {c.progression.numerator}/{c.progression.denominator} of the nadir"
        if c.least_growth_mm:
            growth += f", and at least {c.least_growth_mm} mm"
        shrunk = f"{c.partial_response.numerator}/{c.partial_response.denominator} of the baseline"
        facts = [
            ("quantity", f"{c.quantity}, {c.unit}"),
            ("lesions", f"`subject_lesions.{c.lesions}`"),
            ("needs an arterial phase", _yes(c.arterial_phase)),
            ("complete response", c.complete),
            ("partial response", f"{c.partial} At most {shrunk}."),
            ("stable disease", c.stable),
            ("progressive disease", f"{c.progressive} {growth}."),
            ("measurable from", _measurable(c)),
            ("a node that is normal is gone", _yes(c.nodes_normalise)),
            ("more than five targets, or two in an organ, are noted", _yes(c.limits_targets)),
            ("non-target disease alone gives a class", _yes(c.non_target_alone)),
            ("a baseline of nothing", f"not evaluable: `{c.zero_baseline}`"),
            ("CDISC ADRS PARAMCD", ", ".join(f"{k}{c.paramcd}" for k in ("OVR", "BOR", "CBR"))),
            ("settings of its own", _settings(f"{c.name}_") or "none"),
            ("sources", "; ".join(c.sources)),
            ("specifications", _specs(c.code)),
        ]
        parts += [f"## {c.code}", _grid(("", ""), facts)]
    return "\n\n".join(parts) + "\n"


def _measurable(c: criteria.Criterion) -> str:
    if not c.measurable_mm:
        return "any size"
    return f"{c.measurable_mm} mm; nodes {c.measurable_node_mm} mm in the short axis"


def _endpoints() -> str:
    parts = ["# Endpoints", _tables("endpoint"), _section("survival")]
    for e in endpoints.RECORDS:
        named = [closing.setting for closing in e.closing]
        named += [e.gap_setting] if e.gap_setting else []
        facts = [
            ("clock of", e.level),
            ("starts", e.start),
            ("events, on a tie the first", ", ".join(e.events)),
            ("censored at", e.censored),
            ("competing", ", ".join(e.competing) or "none"),
            ("needs", ", ".join(e.needs)),
            ("compared between levels of factors", _yes(e.compared)),
            ("settings", ", ".join(f"`survival.{n}`" for n in named) or "none of its own"),
            ("note", e.note),
            ("CDISC ADTTE PARAMCD", e.code),
            ("source", e.source),
            ("specifications", _specs(e.code)),
        ]
        parts += [f"## {e.code}: {e.label}", _grid(("", ""), facts)]
    return "\n\n".join(parts) + "\n"


def _terms() -> str:
    rows = [
        (
            t.term,
            t.v3_name,
            t.name,
            str(t.meddra_code),
            ", ".join(f"{v}: {a} to {b}" for v, (a, b) in t.grades.items()),
            ", ".join(t.synonyms),
            _specs(t.term),
        )
        for t in ctcae_terms.TERMS
    ]
    unions = [
        (u.term, (" and " if u.every else " or ").join(u.members)) for u in ctcae_terms.UNIONS
    ]
    head = ("term", "in 3.0", "in 4.03 and 5.0", "MedDRA", "grades", "synonyms", "specifications")
    parts = ["# Clinical terms of CTCAE", f"Source: {ctcae_terms.CTCAE}.", _tables("term")]
    parts += [_section("toxicity")]
    parts += [_grid(head, rows), "## Unions", _grid(("union", "patients with"), unions)]
    return "\n\n".join(p for p in parts if p) + "\n"


def _laboratory() -> str:
    rows = [
        (
            c.analyte,
            c.term,
            ", ".join(c.versions),
            _thresholds(c, c.thresholds),
            _thresholds(c, c.baseline_abnormal) + "and above the baseline" * c.above_baseline,
            _thresholds(c, c.baseline_low),
            _thresholds(c, c.anticoagulated),
            c.source,
            _specs(c.analyte),
        )
        for c in ctcae.LAB_CRITERIA
    ]
    head = (
        "analyte", "term", "versions", "grades", "after a baseline above ULN",
        "after one below LLN", "anticoagulated",
        "source", "specifications",
    )  # fmt: skip
    parts = ["# Laboratory thresholds of CTCAE", _tables("analyte", "term"), _section("toxicity")]
    parts += [_grid(head, rows)]
    return "\n\n".join(parts) + "\n"


def _thresholds(c: ctcae.LabCriterion, given: tuple[ctcae.Threshold, ...]) -> str:
    sign = ">" if c.direction == "high" else "<"
    return "; ".join(
        f"{x.grade}: {sign}{'=' if x.reached else ''} {x.factor} "
        + (x.of if x.of not in (ctcae.ULN, ctcae.LLN, ctcae.BASELINE) else f"x {x.of}")
        for x in given
    )


def _eligibility() -> str:
    rows = [
        (r.rule_id, r.wording, r.passes_when, r.boundary, r.source, _specs(r.rule_id))
        for r in eligibility.RULES
    ]
    head = ("rule", "wording", "passes when", "on the boundary", "source", "specifications")
    parts = ["# Eligibility", _tables("rule_id"), _section("eligibility"), _grid(head, rows)]
    return "\n\n".join(parts) + "\n"


def _factors() -> str:
    rows = [
        (
            f.factor,
            f.label,
            f"`{'subjects' if f.known == 't0' else 'settled_factors'}.{f.column}`",
            ", ".join(_levels(f)),
            f.boundary,
            _KNOWN[f.known],
            f.source,
            _specs(f.factor),
        )
        for f in factors.BY_CODE.values()
    ]
    head = ("factor", "label", "column", "levels", "on the boundary", "known", "source", "in")
    about = (
        "The first level is the good one: a hazard ratio above 1 means worse. What is settled only "
        "after T0 is no level at T0, and is refused where it is asked for as one."
    )
    parts = ["# Factors", about, _tables("factor")]
    chosen = _settings("bilirubin_good", "model_") + ", and the section `prognosis`"
    parts += ["Settings: " + chosen + ".", _grid(head, rows)]
    return "\n\n".join(parts) + "\n"


_KNOWN = {"t0": "at T0", "course_end": "at the end of the planned course", "later": "on its day"}


def _levels(factor: factors.Factor) -> Iterator[str]:
    yield from factor.names or ("each value",)


def _journals() -> str:
    rows = (
        (
            f"`{j.code}`",
            j.label,
            f"1{j.decimal}5",
            f"1{j.between}2",
            ", ".join(p_value(p, j) for p in (0.00001, 0.0019, 0.0174, 0.0462, 0.125)),
            f"{j.column_mm[0]} and {j.column_mm[1]}",
            f"{j.font}, {j.size_pt} pt",
            j.source,
        )
        for j in journals.RECORDS
    )
    head = ("`--style`", "whose", "decimal", "interval", "p", "figures, mm", "type", "source")
    about = (
        "How `y90 paper --style` prints numbers and how wide it draws figures. Journals change "
        "their instructions: read them before submission."
    )
    return f"# Journals\n\n{about}\n\n{_grid(head, rows)}\n"


def _windows_and_doses() -> str:
    windows = [
        (w.code, w.anchor, str(w.first_day), _last_day(w), w.source)
        for w in (*event_windows.RECORDS, *event_windows.PROCEDURES)
    ]
    asked = [
        (r.code, r.label, ", ".join(r.levels), ", ".join(r.measures), r.source)
        for r in dose_questions.RECORDS
    ]
    limits = [
        (t.code, t.outcome, t.device, ", ".join(t.measures), str(t.gy), t.source)
        for t in dose_questions.THRESHOLDS
    ]
    parts = [
        "# Windows of toxicity, and what is asked of a dose",
        _tables("time_window"),
        _grid(("window", "counts from", "first day", "last day", "source"), windows),
        "## Outcomes by dose",
        _tables("dose_group", "tertile", "odds_ratio"),
        "Settings: " + _settings("cutoff_") + ".",
        _grid(("outcome", "in words", "units", "doses", "source"), asked),
        "## Thresholds of dose",
        _grid(("threshold", "outcome", "device", "doses", "Gy", "source"), limits),
    ]
    return "\n\n".join(parts) + "\n"


def _last_day(window: event_windows.EventWindow) -> str:
    return "" if window.last_day == event_windows.FOREVER else str(window.last_day)


def _analytes() -> str:
    rows = [
        (
            a.code,
            a.label,
            a.cdisc,
            a.unit,
            ", ".join(f"{u} x {by}" for u, by in a.factors.items()),
            a.worse,
            "{} to {}".format(*(f"{float(x):g}" for x in a.plausible)) + f" ({a.note})",
            ", ".join(a.synonyms),
            a.source,
            _specs(a.code),
        )
        for a in analytes.RECORDS
    ]
    head = (
        "analyte", "label", "CDISC", "unit", "units and factors", "worse", "usual results",
        "synonyms", "source", "specifications",
    )  # fmt: skip
    parts = ["# Analytes and units", _tables("analyte")]
    parts += ["Settings: " + _settings("bilirubin_") + ".", _grid(head, rows)]
    followed = [
        (m.code, m.label, ", ".join(m.units), ", ".join(m.synonyms), m.source, _specs(m.code))
        for m in markers.RECORDS
    ]
    head = ("marker", "label", "units", "synonyms", "source", "specifications")
    parts += ["## Tumour markers", _tables("marker"), "Settings: " + _settings("marker_") + "."]
    parts += [_grid(head, followed)]
    return "\n\n".join(parts) + "\n"


def _tables(*names: str) -> str:
    """The released tables that have one of these columns."""
    found = [
        f"[{options(c).schema}.{published_name(c)}]"
        f"(../tables/{options(c).schema}.md#{published_name(c)})"
        for c in (*marts.TABLES, *outcomes.TABLES)
        if {column.name for column in columns(c)} & set(names)
    ]
    return "In the tables " + ", ".join(found) + "."


def _settings(*parts: str) -> str:
    """The settings whose key begins with one of these words."""
    found = [
        f"`{section}.{key}`"
        for section, field in RegistryFile.model_fields.items()
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields")
        for key in field.annotation.model_fields
        if key.startswith(parts)
    ]
    return ", ".join(found)


def _section(section: str) -> str:
    field = RegistryFile.model_fields[section].annotation
    keys = getattr(field, "model_fields", {})
    return "Settings: " + ", ".join(f"`{section}.{key}`" for key in keys) + "."


@cache
def _texts() -> dict[str, str]:
    """Page of a specification -> its source."""
    return {p.stem.removeprefix("test_"): p.read_text("utf-8") for p in SPECS.rglob("test_*.py")}


def _specs(code: str) -> str:
    """Links to the specifications that name a record."""
    word = re.compile(rf"(?<![\w.]){re.escape(code)}(?![\w.]\w)")
    named = sorted(stem for stem, text in _texts().items() if word.search(text))
    return ", ".join(f"[{stem}](../rules/{stem}.md)" for stem in named)


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _grid(head: Iterable[str], rows: Rows) -> str:
    lines = [list(head), *([c.replace("|", "\\|") for c in row] for row in rows)]
    body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([body[0], "|" + "---|" * len(lines[0]), *body[1:]])

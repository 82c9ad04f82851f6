"""A record that cannot be used is refused where it stands, with its name and what to do.

Each case writes one bad record into the module's own tuple and checks it as an import does.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from schemas.records import analytes, criteria, ctcae, ctcae_terms, eligibility, endpoints, factors
from schemas.records.record import BadRecord, checked

CHECKS: dict[str, tuple[tuple[Any, ...], dict[str, Callable[..., Any]]]] = {
    "analytes": (
        analytes.RECORDS,
        {"code": lambda r: r.code, "source": lambda r: r.source, "problems": analytes._problems},
    ),
    "criteria": (
        criteria.RECORDS,
        {"code": lambda r: r.code, "source": lambda r: r.sources, "problems": criteria._problems},
    ),
    "ctcae": (
        ctcae.LAB_CRITERIA,
        {
            "code": lambda r: r.analyte + str(r.versions),
            "source": lambda r: r.source,
            "problems": ctcae._problems,
        },
    ),
    "ctcae_terms": (
        ctcae_terms.TERMS,
        {"code": lambda r: r.term, "source": lambda r: r.source, "problems": ctcae_terms._problems},
    ),
    "eligibility": (
        eligibility.RULES,
        {"code": lambda r: r.rule_id, "source": lambda r: r.source},
    ),
    "endpoints": (
        endpoints.RECORDS,
        {"code": lambda r: r.code, "source": lambda r: r.source, "problems": endpoints._problems},
    ),
    "factors": (
        factors.FACTORS,
        {"code": lambda r: r.factor, "source": lambda r: r.source, "problems": factors._problems},
    ),
}
F = Fraction


def refusal(kind: str, **changed: Any) -> str:
    """What is said of the kind's last record with these fields changed, under another code."""
    records, facts = CHECKS[kind]
    last = records[-1]
    bad = replace(last, **changed)
    with pytest.raises(BadRecord) as told:
        checked(kind, (*records[:-1], bad), **facts)
    return str(told.value)


def test_every_record_of_the_product_passes() -> None:
    for kind, (records, facts) in CHECKS.items():
        assert checked(kind, records, **facts) == records


@pytest.mark.parametrize("kind", CHECKS)
def test_a_code_that_stands_twice_is_refused(kind: str) -> None:
    records, facts = CHECKS[kind]
    with pytest.raises(BadRecord, match="the code stands twice"):
        checked(kind, (*records, records[0]), **facts)


@pytest.mark.parametrize("kind", CHECKS)
def test_a_record_without_a_source_is_refused(kind: str) -> None:
    field = "sources" if kind == "criteria" else "source"
    for nothing in ((), ("",)) if kind == "criteria" else ("", "  "):
        told = refusal(kind, **{field: nothing})
        assert told.startswith(f"schemas/records/{kind}.py, ")
        assert "no source. Name author, year, and table or page." in told


@pytest.mark.parametrize(
    ("kind", "changed", "told"),
    [
        ("analytes", {"unit": "mg/dL"}, "its unit mg/dL has no factor 1. Add it to `factors`."),
        (
            "analytes",
            {"factors": {"10*9/L": F(1), "mmol/kg": F(2)}},
            "unit mmol/kg is not known. Add its spelling to schemas/records/units.py.",
        ),
        ("analytes", {"cdisc": ""}, "no CDISC test code."),
        ("analytes", {"plausible": (F(9), F(1))}, "the plausible results 9, 1 do not rise."),
        (
            "criteria",
            {"partial_response": criteria.Ratio(13, 10)},
            "partial response, no change and progression 13/10, 1, 6/5 do not rise.",
        ),
        ("criteria", {"unit": "cm"}, "unit cm is not known. Use mm or mm2."),
        ("criteria", {"paramcd": ""}, "no code for CDISC."),
        ("criteria", {"stable": ""}, "a class without words."),
        (
            "ctcae",
            {"thresholds": ctcae._below("10*9/L", "50", "75", "25")},
            "the thresholds of 10*9/L 50, 75, 25 do not fall. Put them in order.",
        ),
        (
            "ctcae",
            {"thresholds": ctcae._below("g/dL", "75", "50")},
            "unit g/dL is not 10*9/L. Give thresholds in the analyte's unit.",
        ),
        ("ctcae", {"analyte": "fibrinogen"}, "analyte fibrinogen has no record."),
        ("ctcae", {"direction": "high"}, "of platelets the low are worse."),
        ("ctcae", {"versions": ("7.0",)}, "version 7.0 is not known. Use one of 3.0, 4.03, 5.0"),
        ("ctcae_terms", {"meddra_code": 7}, "no MedDRA code."),
        ("ctcae_terms", {"grades": {"5.0": (3, 1)}}, "grades 3 to 1 in 5.0."),
        ("endpoints", {"start": "birth"}, "milestone birth is not known. Use one of"),
        ("endpoints", {"events": ()}, "no event."),
        ("endpoints", {"competing": ("death",)}, "death is event and competing event."),
        ("endpoints", {"code": "too long a code"}, "no CDISC PARAMCD."),
        ("factors", {"column": "shoe_size"}, "subjects has no column shoe_size."),
        ("factors", {"limit": factors.Limit("a lot")}, "limit a lot is not a number."),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    kind: str, changed: dict[str, Any], told: str
) -> None:
    assert told in refusal(kind, **changed)


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = refusal("analytes", source="", unit="mg/dL", cdisc="")
    assert len(told.splitlines()) == 3

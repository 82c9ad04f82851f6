"""Every record is named in a specification, and every list of the product comes from records."""

import re
from pathlib import Path

import pytest

from schemas.contract import Contract, Text, column, declares
from schemas.records import (
    analytes,
    criteria,
    ctcae_terms,
    eligibility,
    endpoints,
    factors,
)
from schemas.records.field import markers
from warehouse.engine import lineage
from warehouse.releases.database import RELEASED
from warehouse.sharing.standards.datasets import DATASETS

SPECS = Path(__file__).parents[1] / "specs"
NAMES = {
    "criteria": [r.code for r in criteria.RECORDS],
    "endpoints": [r.code for r in endpoints.RECORDS],
    "analytes": [r.code for r in analytes.RECORDS],
    "markers": [r.code for r in markers.RECORDS],
    "ctcae_terms": [r.term for r in ctcae_terms.TERMS],
    "unions of terms": [r.term for r in ctcae_terms.UNIONS],
    "eligibility": [r.rule_id for r in eligibility.RULES],
    "factors": list(factors.BY_CODE),
}


@pytest.mark.parametrize("kind", NAMES)
def test_every_record_is_named_in_a_specification(kind: str) -> None:
    text = "\n".join(p.read_text("utf-8") for p in sorted(SPECS.rglob("*.py")))
    words = [n for n in NAMES[kind] if not re.search(rf"(?<![\w.]){re.escape(n)}(?![\w.]\w)", text)]
    assert not words, (
        f"{kind}: {', '.join(words)} stand in no specification. Write one in tests/specs/, with "
        "rows just below, at and just above every threshold."
    )


def test_every_declared_table_is_released() -> None:
    made = {d.contract for d in lineage.derivations().values()}
    internal = {c for c in made if not lineage.released(c)}
    assert made - internal <= set(RELEASED)


def test_a_derivation_that_no_release_carries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nowhere(Contract):
        """One row per thing that nobody releases."""

        thing: Text = column("Thing.", key=True)

        class Config:
            """Declared in no schema of a release."""

            metadata = declares(schema="elsewhere")

    def nowhere() -> None:
        """Make nothing."""

    made = lineage.Derivation("nowhere", Nowhere, (), {}, nowhere)  # type: ignore[arg-type]
    monkeypatch.setattr(lineage, "_found", lambda *_: {"nowhere": made})
    with pytest.raises(TypeError, match=r"makes Nowhere, which no release carries.*Declare it"):
        lineage.derivations.__wrapped__()


def test_adam_has_a_code_for_every_record() -> None:
    datasets = {d.name: {v.name: v.sql for v in d.variables} for d in DATASETS}
    for criterion in criteria.RECORDS:
        assert f"'{criterion.code}' THEN '{criterion.paramcd}'" in datasets["ADRS"]["PARAMCD"]
    for analyte in analytes.RECORDS:
        assert f"'{analyte.code}' THEN '{analyte.cdisc}'" in datasets["ADLB"]["PARAMCD"]

"""A numeric factor is one record: a column and an exact limit.

No published factor of the series is one; the record here is that of the 2019 WHO classification of
neuroendocrine neoplasms (Ki-67 above 20 % is grade 3), tried just below, at and just above.
"""

from decimal import Decimal

import pytest

from schemas.contract import rows
from schemas.records.factors import Factor, Limit
from schemas.tables.marts import Subjects
from transforms.baseline.factors import _placed

KI67 = ("19.999999", "20", "20.000001", None)


@pytest.mark.parametrize(
    ("good", "levels"),
    [
        ("<=", ["<=20", "<=20", ">20"]),
        ("<", ["<20", ">=20", ">=20"]),
        (">=", ["<20", ">=20", ">=20"]),
        (">", ["<=20", "<=20", ">20"]),
    ],
)
def test_a_value_lies_on_one_side_of_the_limit_exactly(good: str, levels: list[str]) -> None:
    factor = Factor("ki67", "Ki-67, %", "ki67_pct", (), "", "WHO 2019", limit=Limit("20", good))  # type: ignore[arg-type]
    subjects = rows(
        [
            {"subject_id": str(n), "ki67_pct": None if k is None else Decimal(k)}
            for n, k in enumerate(KI67)
        ],
        Subjects,
    )
    placed = _placed(subjects, factor).order_by("subject_id").to_pyarrow().to_pylist()
    assert [r["factor_level"] for r in placed] == levels
    reference = Limit("20", good).labels[0]  # type: ignore[arg-type]
    assert [r["bad"] for r in placed] == [level != reference for level in levels]
    assert [r["level_number"] for r in placed] == [int(level != reference) for level in levels]

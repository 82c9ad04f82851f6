"""What a centre will get, by the columns that it gives.

Every row-level table is derived once for a few invented patients. That takes some seconds where a
night has compiled the derivations before, and as long as compiling them where none has.
"""

import pytest

from schemas.contract import columns, table_name
from schemas.settings import OutcomeSettings
from schemas.tables.registry import TABLES
from transforms.intake.names import OURS_ALONE
from warehouse.receiving.complete_patient import complete_patient
from warehouse.receiving.needs import derived, recorded, warnings
from warehouse.receiving.outlook import Prospect, by_column, outlook

WITHOUT = {
    "scans": {"arterial_phase"},
    "treatments": {"residual_fraction", "device"},
    "labs": {"upper_limit"},
    "assessments": {"ecog"},
}
NOT_HIS = {
    "lesions": {"merged_into", "split_from"},
    "labs": {"value_comparator"},
    "reported_endpoints": {"endpoint", "time", "time_unit", "event", "group", "starts_at"},
}
"""What nobody who is known entirely has: lesions that part, values beyond what can be measured, and
endpoints instead of the events that they are made from."""


@pytest.fixture(scope="module")
def prospects() -> tuple[Prospect, ...]:
    """A centre that gives all but these columns, and no adverse events."""
    given = {
        table: frozenset(n for row in rows for n in row) - WITHOUT.get(table, set())
        for table, rows in complete_patient().items()
        if table != "adverse_events"
    }
    return outlook(given, OutcomeSettings())


def test_the_complete_patient_has_every_column_that_can_be_given_at_once() -> None:
    rows = complete_patient()
    lacking = {
        (name, column.name)
        for contract in TABLES
        for name in (table_name(contract),)
        for column in columns(contract)
        if column.name not in {*OURS_ALONE, "patient_id"} | NOT_HIS.get(name, set())
        and not column.name.endswith("_precision")
        and not any(column.name in row for row in rows.get(name, []))
    }
    assert lacking == set()


def said(prospects: tuple[Prospect, ...], table: str) -> dict[str, tuple[str, ...] | None]:
    """Part -> the columns that are missing, None where it is derivable."""
    return {p.part: None if p.derivable else p.missing for p in prospects if p.table == table}


def test_what_needs_a_missing_column_is_not_derivable_and_the_column_is_named(
    prospects: tuple[Prospect, ...],
) -> None:
    """Enhancement needs an arterial phase, a glass dose the residual and the device.

    Source: Riaz 2011 (EASL); Lencioni 2010 (mRECIST); van Roekel, thesis, page 30 (MIRD).
    """
    arterial = ("scans.arterial_phase",)
    classes = said(prospects, "subject_response")
    assert {c: classes[c] for c in ("EASL", "mRECIST")} == {"EASL": arterial, "mRECIST": arterial}
    assert (classes["WHO"], classes["RECIST 1.1"]) == (None, None)
    doses = said(prospects, "treatment_targets")
    assert doses["dose_gy"] == ("treatments.device", "treatments.residual_fraction")
    assert doses["lung_dose_gy"] == ("treatments.residual_fraction",)
    assert said(prospects, "time_to_event")["OS"] is None


def test_a_grade_in_multiples_of_the_limit_needs_the_limit(
    prospects: tuple[Prospect, ...],
) -> None:
    """ALT is graded by the upper limit of normal, haemoglobin by its own numbers (CTCAE)."""
    grades = said(prospects, "toxicity")
    assert grades["alt"] == ("labs.upper_limit",)
    assert grades["haemoglobin"] is None
    assert "adverse_events.term" in (grades["nausea"] or ())


def test_missing_columns_are_listed_with_what_is_lost_without_them(
    prospects: tuple[Prospect, ...],
) -> None:
    lost = by_column(prospects)
    assert "subject_response (EASL)" in lost["scans.arterial_phase"]
    assert "subjects (ecog)" in lost["assessments.ecog"]


@pytest.mark.long
def test_what_every_check_tells_is_what_the_derivations_say() -> None:
    assert recorded() == derived(OutcomeSettings()), "run `python -m warehouse.receiving.needs`"


def test_what_is_lost_is_told_by_column_by_table_and_by_device() -> None:
    """Riaz 2011 (EASL), Lencioni 2010 (mRECIST): enhancement is seen in the arterial phase."""
    given = {t: frozenset(n for r in rows for n in r) for t, rows in complete_patient().items()}
    assert list(warnings(given, {"glass"})) == []
    lacking = given | {
        "scans": given["scans"] - {"arterial_phase"},
        "treatments": given["treatments"] - {"residual_fraction"},
        "assessments": given["assessments"] - {"weight_kg"},
    }
    arterial = "nothing gives scans.arterial_phase: without it not EASL, mRECIST"
    glass, resin = (list(warnings(lacking, {d})) for d in ("glass", "resin"))
    assert arterial in glass
    assert arterial in resin
    assert any("residual_fraction" in line and "glass" in line for line in glass)
    surface = "nothing gives assessments.weight_kg: without it not the activity by body surface"
    assert surface in resin
    assert surface not in glass
    assert list(warnings({"patients": frozenset({"sex"})}, set()))[-1].startswith("no row of")

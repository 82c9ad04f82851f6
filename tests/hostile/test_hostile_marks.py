"""An optional cell that is filled in and cannot be read is never taken as its blank would be."""

import inspect
from typing import Any

import ibis
import pytest

from schemas.contract import columns, table_name
from schemas.records.blanks import BLANKS, UNKNOWN
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, Sessions, SubjectLesions
from schemas.tables.registry import TABLES, Measurements, Patients, Scans, SubsequentTherapies
from tests.support.compiled_derivation import arrow_of
from tests.support.pipe_tables import table
from tests.support.tumours import lesion_classes, subject_classes

MEASURED = """
| subject_id | lesion_id | scan_date | modality | longest_mm | perpendicular_mm | status   |
| a          | L1        | d-10      | MRI      | 40         | 40               | measured |
| a          | L1        | d30       | MRI      | 20         | 20               | measured |
"""
SEEN = """
| subject_id | scan_date | modality | arterial_phase | new_lesion | non_target | evaluable |
| a          | d-10      | MRI      | yes            |            |            | yes       |
| a          | d30       | MRI      | yes            |            |            | yes       |
"""
LESION = """
| subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target |
| a          | 1             | L1        | liver | yes          | yes           |
"""
OWN_CRITERION = {
    "recist_target": "RECIST 1.1",
    "enhancing_longest_mm": "EASL",
    "enhancing_perpendicular_mm": "EASL",
}
DEFAULT = ResponseSettings()
OF_ASSESSMENT = ("new_lesion", "non_target", "non_target_liver", "non_target_elsewhere")
MARKED = tuple(
    (place, column) for place, column in BLANKS if place in ("lesions", "scans", "measurements")
)
"""What is read of a lesion, a scan or a measurement and has a blank with a meaning."""
OWN_CASE = (("lesions", "baseline_present"), ("measurements", "necrosis_pct"))


def given() -> dict[str, Any]:
    """A lesion that halves: partial response under every criterion that has its values."""
    measured = table(Measurements, MEASURED)
    halved = measured.longest_mm == 20
    return {
        "measurements": measured.mutate(
            enhancing_longest_mm=halved.ifelse(20, 40).cast("decimal(18, 6)"),
            enhancing_perpendicular_mm=halved.ifelse(20, 40).cast("decimal(18, 6)"),
        ),
        "scans": table(Scans, SEEN),
        "subject_lesions": table(SubjectLesions, LESION),
        "patients": table(Patients, ""),
        "anchors": table(Anchors, ""),
        "sessions": table(Sessions, ""),
        "subsequent_therapies": table(SubsequentTherapies, ""),
    }


def marked(place: str, column: str) -> dict[str, Any]:
    """The same with a mark on one column, of the follow-up where the table has dates."""
    tables = given()
    name = "subject_lesions" if place == "lesions" else place
    t = tables[name]
    told = ibis.literal(f"|{column}|")
    late = t.scan_date == t.scan_date.max() if "scan_date" in t.columns else ibis.literal(True)
    tables[name] = t.mutate(unreadable=late.ifelse(told, ibis.null("string")))
    return tables


def found(
    derivation: Any,
    tables: dict[str, Any],
    criterion: str,
    settings: ResponseSettings = DEFAULT,
) -> set[tuple[str, str]]:
    """(response, rule) of the follow-up under one criterion."""
    reads = inspect.signature(derivation).parameters
    made = derivation(**{n: t for n, t in tables.items() if n in reads}, settings=settings)
    rows = arrow_of(made).to_pylist()
    return {(r["response"], r["rule"]) for r in rows if r["criterion"] == criterion}


@pytest.mark.parametrize("criterion", ["WHO", "EASL", "RECIST 1.1"])
def test_without_a_mark_the_lesion_responds(criterion: str) -> None:
    responded = {("PR", "decrease_from_baseline")}
    assert found(lesion_classes, given(), criterion) == responded
    assert found(subject_classes, given(), criterion) == responded


EASY = [place for place in MARKED if place not in OWN_CASE]


@pytest.mark.parametrize(("place", "column"), EASY, ids=map(".".join, EASY))
def test_a_mark_makes_what_rests_on_the_cell_not_evaluable(place: str, column: str) -> None:
    criterion = OWN_CRITERION.get(column, "WHO")
    tables = marked(place, column)
    if column not in OF_ASSESSMENT:
        assert found(lesion_classes, tables, criterion) == {("NE", "unreadable")}
    ((response, rule),) = found(subject_classes, tables, criterion)
    assert response == "NE"
    if place == "scans":
        assert rule == "unreadable"


def test_a_new_lesion_that_can_be_read_is_progression_whatever_else_cannot() -> None:
    tables = marked("scans", "evaluable")
    late = tables["scans"].scan_date == tables["scans"].scan_date.max()
    tables["scans"] = tables["scans"].mutate(new_lesion=late.ifelse("hepatic", None))
    assert found(subject_classes, tables, "WHO") == {("PD", "new_lesion")}


def test_a_lesion_that_was_perhaps_there_before_is_no_progression_and_no_response() -> None:
    """A second lesion is first measured after treatment: new, unless the registry denies it."""
    tables = given()
    second = """
    | subject_id | lesion_id | scan_date | modality | longest_mm | perpendicular_mm | status   |
    | a          | L2        | d30       | MRI      | 15         | 15               | measured |
    """
    lesion = """
    | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target |
    | a          | 2             | L2        | liver | yes          | no            |
    """
    tables["measurements"] = tables["measurements"].union(table(Measurements, second))
    tables["subject_lesions"] = tables["subject_lesions"].union(table(SubjectLesions, lesion))
    assert found(subject_classes, tables, "WHO") == {("PD", "new_lesion_measured")}
    known = tables["subject_lesions"]
    late = known.lesion_number == 2
    tables["subject_lesions"] = known.mutate(
        unreadable=late.ifelse("|baseline_present|", ibis.null("string"))
    )
    assert found(subject_classes, tables, "WHO") == {("NE", "unreadable")}


def test_an_estimate_of_necrosis_that_cannot_be_read_gives_no_enhancing_part() -> None:
    """Only where it is estimated; of a lesion too small a blank means that all of it enhances."""
    tables = given()
    small = tables["measurements"].longest_mm == 20
    blank = ibis.null("decimal(18, 6)")
    tables["measurements"] = tables["measurements"].mutate(
        status=small.ifelse("too_small", "measured"),
        **{
            name: small.ifelse(blank, tables["measurements"][name])
            for name in ("enhancing_longest_mm", "enhancing_perpendicular_mm")
        },
    )
    marked = small.ifelse("|necrosis_pct|", ibis.null("string"))
    estimated = ResponseSettings(easl_quantity="estimated")
    assert found(lesion_classes, tables, "EASL", estimated) == {("PR", "decrease_from_baseline")}
    tables["measurements"] = tables["measurements"].mutate(unreadable=marked)
    assert found(lesion_classes, tables, "EASL", estimated) == {("NE", "unreadable")}
    assert found(lesion_classes, tables, "EASL") == {("PR", "decrease_from_baseline")}


def test_every_column_with_a_default_is_listed() -> None:
    """The keys among them cannot be missing: an unreadable key sets its row aside.

    Where the default is `unknown`, a blank says no more than a cell that cannot be read.
    """
    defaults = {
        (table_name(contract), c.name): c.default
        for contract in TABLES
        for c in columns(contract)
        if c.default is not None and not c.key
    }
    same = {(name, column) for name, listed in UNKNOWN.items() for column in listed}
    assert {defaults[place] for place in same & set(defaults)} == {"unknown"}
    assert set(defaults) <= set(BLANKS) | same
    ours = {(table_name(contract), c.name) for contract in TABLES for c in columns(contract)}
    assert set(BLANKS) <= ours

"""The datasets for CDISC's tools: complete by their own declaration, and true to the release."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pyarrow.parquet as pq
import pyreadstat
import pytest

from schemas.contract import published_name
from schemas.tables import marts
from tests.releases.test_export import exported, release_of
from warehouse.sharing import left_out
from warehouse.sharing.standards.datasets import DATASETS
from warehouse.store import Store

ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
DEF = "{http://www.cdisc.org/ns/def/v2.1}"
REQUIRED = {
    "ADSL": ("STUDYID", "USUBJID", "SUBJID", "SITEID", "AGE", "AGEU", "SEX", "RACE", "TRT01P"),
    "ADRS": ("STUDYID", "USUBJID", "PARAM", "PARAMCD", "AVAL", "AVALC"),
    "ADTR": ("STUDYID", "USUBJID", "PARAM", "PARAMCD", "AVAL"),
    "ADTTE": ("STUDYID", "USUBJID", "PARAM", "PARAMCD", "AVAL", "STARTDT", "ADT", "CNSR"),
    "ADAE": ("STUDYID", "USUBJID", "AETERM", "AEDECOD", "AESEQ", "TRTEMFL"),
    "ADLB": ("STUDYID", "USUBJID", "PARAM", "PARAMCD", "AVAL"),
}
"""Variables that CDISC asks of each: ADaMIG 1.3, sections 3.2 and 3.3 (core Req, and Cond where the
condition holds); ADaM BDS for time-to-event analyses 1.0, section 4; OCCDS 1.1, section 3."""


@pytest.fixture(scope="module")
def bundle(reference_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("standards") / "bundle"
    exported(reference_store, to, with_adam=True)
    return to


@pytest.fixture(scope="module")
def define(bundle: Path) -> ElementTree.Element:
    return ElementTree.parse(bundle / "adam" / "define.xml").getroot()


@pytest.fixture(scope="module")
def read(bundle: Path) -> dict[str, Any]:
    return {p.stem: pyreadstat.read_xport(str(p)) for p in (bundle / "adam").glob("*.xpt")}


def test_datasets_read_back_with_their_names_and_without_a_date(read: dict[str, Any]) -> None:
    assert set(read) == {"adsl", "adrs", "adtr", "adtte", "adae", "adlb"}
    assert len(read["adsl"][0]) == 40
    survival = read["adtte"][0].query("PARAMCD == 'OS'")
    assert (survival.CNSR == 0).sum() == 28  # deaths
    assert (survival.CNSR == 1).sum() == 12
    for name, (frame, meta) in read.items():
        assert meta.table_name == name.upper()
        assert not [c for c in frame.columns if c.endswith(("DT", "DTM", "DTC"))]
        if "ADY" in frame.columns:
            assert not (frame.ADY == 0).any()  # CDISC has no day 0


def test_deaths_events_and_reild_are_in_adsl_as_the_marts_have_them(
    read: dict[str, Any], reference_store: Store
) -> None:
    """28 deaths of the reference cohort, each dated; counted from the marts beside."""
    subjects, _ = read["adsl"]
    folder = f"{release_of(reference_store)}/parquet/marts"
    for name, of in (
        ("DTHFL", f"'{folder}/deaths.parquet'"),
        ("AEFL", f"'{folder}/subject_events.parquet' WHERE time_window = 'any' AND any_event"),
        ("REILDFL", f"'{folder}/subject_reild.parquet' WHERE candidate"),
    ):
        ((expected,),) = duckdb.sql(f"SELECT count(*) FROM {of}").fetchall()
        assert (subjects[name] == "Y").sum() == expected, name
    assert (subjects.DTHFL == "Y").sum() == subjects.DTHADY.notna().sum() == 28


def test_a_mart_is_read_by_a_dataset_or_a_reason_says_why_not() -> None:
    every = {published_name(c) for c in marts.TABLES}
    read_by: set[str] = set()

    def mart(name: str) -> str:
        read_by.add(name)
        return name

    for dataset in DATASETS:
        dataset.source(mart)
    assert read_by | left_out.NOT_IN_ADAM.keys() == every
    assert not read_by & left_out.NOT_IN_ADAM.keys()


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_what_cdisc_requires_is_there_or_its_absence_is_told(dataset: Any) -> None:
    names = {v.name for v in dataset.variables}
    assert set(REQUIRED[dataset.name]) - names == set(dataset.absent)
    for v in dataset.variables:  # SAS transport, version 5
        assert len(v.name) <= 8, v.name
        assert len(v.label) <= 40, v.label


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_a_record_has_one_key_and_a_parameter_one_name(dataset: Any, bundle: Path) -> None:
    path = bundle / "adam" / f"{dataset.name.lower()}.parquet"
    rows = pq.read_table(path).to_pylist()
    keys = Counter(tuple(r[k] for k in dataset.keys) for r in rows)
    assert keys.most_common(1)[0][1] == 1
    if "PARAM" in rows[0]:
        pairs = {(r["PARAMCD"], r["PARAM"]) for r in rows}
        assert len(pairs) == len({p for p, _ in pairs}) == len({p for _, p in pairs})
        assert all(len(code) <= 8 and name for code, name in pairs)


def test_define_names_every_variable_of_every_dataset_once(
    define: ElementTree.Element, read: dict[str, Any]
) -> None:
    items = {i.get("OID"): i for i in define.iter(f"{ODM}ItemDef")}
    groups = list(define.iter(f"{ODM}ItemGroupDef"))
    assert len(groups) == len(read)
    for group in groups:
        name = str(group.get("Name"))
        frame, meta = read[name.lower()]
        own = [items[r.get("ItemOID")] for r in group.findall(f"{ODM}ItemRef")]
        assert [i.get("Name") for i in own] == list(frame.columns)
        told = [i.findtext(f"{ODM}Description/{ODM}TranslatedText") for i in own]
        assert told == meta.column_labels
        leaf = group.find(f"{DEF}leaf")
        assert leaf is not None
        assert leaf.get("ID") == group.get(f"{DEF}ArchiveLocationID")
        for item in own:
            values = frame[item.get("Name")].dropna()
            if item.get("DataType") == "text":
                longest = values.map(lambda v: len(v.encode())).max()
                assert max(1, longest) == int(str(item.get("Length")))
            elif item.get("DataType") == "integer":
                assert (values == values.round()).all()


def test_define_holds_what_it_points_to(define: ElementTree.Element) -> None:
    """Ids once each; every reference has its target (Define-XML 2.1, section 5)."""
    oids = Counter(e.get("OID") for e in define.iter() if e.get("OID"))
    assert oids.most_common(1)[0][1] == 1
    points = ("ItemOID", "MethodOID", "CodeListOID", f"{DEF}StandardOID", f"{DEF}CommentOID")
    pointed = {e.get(p) for e in define.iter() for p in points if e.get(p)}
    assert pointed <= set(oids)
    described = {e.get("OID") for tag in ("MethodDef", "CodeList") for e in define.iter(ODM + tag)}
    assert described <= pointed
    derived = {
        i.get("OID")
        for i in define.iter(f"{ODM}ItemDef")
        for origin in i.iter(f"{DEF}Origin")
        if origin.get("Type") == "Derived"
    }
    assert derived == {r.get("ItemOID") for r in define.iter(f"{ODM}ItemRef") if r.get("MethodOID")}


def test_every_value_is_in_its_list(define: ElementTree.Element, read: dict[str, Any]) -> None:
    lists = {
        c.get("OID"): {i.get("CodedValue") for i in c.findall(f"{ODM}CodeListItem")}
        for c in define.iter(f"{ODM}CodeList")
    }
    checked = 0
    for item in define.iter(f"{ODM}ItemDef"):
        listed = item.find(f"{ODM}CodeListRef")
        if listed is not None:
            _, dataset, variable = str(item.get("OID")).split(".")
            column = read[dataset.lower()][0][variable].dropna()
            if item.get("DataType") == "integer":
                column = column.astype(int)
            assert set(column.map(str)) - {""} <= lists[listed.get("CodeListOID")], variable
            checked += 1
    assert checked > 15


def test_dataset_json_holds_what_the_parquet_holds(bundle: Path) -> None:
    for path in sorted((bundle / "adam").glob("*.json")):
        told = json.loads(path.read_text("utf-8"))
        rows = pq.read_table(path.with_suffix(".parquet")).to_pylist()
        names = [c["name"] for c in told["columns"]]
        assert told["records"] == len(rows) == len(told["rows"])
        assert [dict(zip(names, r, strict=True)) for r in told["rows"]] == rows
        assert {c["itemOID"] for c in told["columns"]} == {f"IT.{told['name']}.{n}" for n in names}


def test_a_size_of_the_sums_is_that_of_its_lesions(bundle: Path) -> None:
    """Where every lesion is seen on the day: with staged lobes a sum joins assessments."""
    path = bundle / "adam" / "adtr.parquet"
    far = duckdb.sql(
        f"""
        WITH seen AS (
            SELECT USUBJID, PARAMCD[4:] AS criterion, ADY, READER, sum(AVAL) AS total,
                   count(AVAL) AS n
            FROM '{path}' WHERE PARAMCD LIKE 'LES%' GROUP BY ALL
        ), parts AS (
            FROM seen QUALIFY n = max(n) OVER (PARTITION BY USUBJID, criterion)
        )
        SELECT count(*), count(*) FILTER (abs(total - AVAL) > 1e-6)
        FROM '{path}' s JOIN parts p USING (USUBJID, ADY, READER)
        WHERE s.PARAMCD = 'SUM' || p.criterion AND AVAL IS NOT NULL
        """
    ).fetchone()
    assert far is not None
    assert far[0] > 300
    assert far[1] == 0


def test_results_in_the_layout_of_cards_are_the_published_numbers(bundle: Path) -> None:
    """Women among the forty; the median survival with its interval, by its id."""
    with (bundle / "csv" / "ard.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["population"] == "all"]
    women = {
        r["stat_name"]: float(r["stat"])
        for r in rows
        if (r["variable"], r["variable_level"], r["group1"]) == ("sex", "female", "")
        and r["context"] == "tabulate"
    }
    with duckdb.connect(str(bundle / "release.duckdb"), read_only=True) as con:
        (n,) = con.execute("SELECT count(*) FROM marts.subjects WHERE sex = 'female'").fetchone()  # type: ignore[misc]
    assert women == {"n": n, "N": 40, "p": n / 40}
    name = "survival_medians.all.os.subject.overall.overall.midpoint"
    median = {r["stat_name"]: r["stat"] for r in rows if r["statistic_id"] == name}
    assert round(float(median["estimate"]), 1) == 34.4
    assert {"conf.low", "n", "N"} <= set(median)
    keys = Counter((r["group1"], r["group1_level"], r["variable"], r["variable_level"],
                    r["context"], r["stat_name"], r["statistic_id"]) for r in rows)  # fmt: skip
    assert keys.most_common(1)[0][1] == 1

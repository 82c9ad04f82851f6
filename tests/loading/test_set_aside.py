"""Contradictory dates of death and impossible times: set aside, with the reason, and seen."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.support.small_site import deliver, loaded, quality, receive, registry
from warehouse import pipeline
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.store import Store

PATIENTS = "patient_id,sex\n1,female\n2,female\n3,female\n4,female\n5,female\n"
TREATMENTS = """patient_id,session_id,target_id,treatment_date,device,lobe
1,s1,t1,2020-03-01,glass,right
2,s1,t1,2020-03-01,glass,right
3,s1,t1,2020-03-01,glass,right
4,s1,t1,2020-03-01,glass,right
"""
CONTACTS = """patient_id,contact_date,contact_type,vital_status
1,2020-02-01,death,dead
2,2020-06-01,death,dead
2,2020-07-01,death,dead
3,2020-06-01,death,dead
3,2020-08-01,visit,alive
4,2020-06-01,death,dead
"""
NEGATIVE = "patient_id,endpoint,time,time_unit,event\n5,OS,-3,months,true\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """With that delivery received."""
    made = Store.open(tmp_path / "store")
    deliver(
        made,
        "2021-01-01",
        patients=PATIENTS,
        treatments=TREATMENTS,
        contacts=CONTACTS,
        reported_endpoints=NEGATIVE,
    )
    receive(made)
    return made


def test_contradictory_deaths_and_a_negative_time_are_set_aside_with_the_reason(
    store: Store,
) -> None:
    """1 died before treatment, 2 twice, 3 was seen after it; 5 has a negative time; 4 is sound."""
    folder = loaded(store, "2021-01-01")
    assert quality(folder, "quarantine", "table_name", "source_row", "rule_id") == [
        ("contacts", 1, "contacts.death_before_treatment"),
        ("contacts", 2, "contacts.two_deaths"),
        ("contacts", 3, "contacts.two_deaths"),
        ("contacts", 4, "contacts.alive_after_death"),
        ("contacts", 5, "contacts.alive_after_death"),
        ("reported_endpoints", 1, "below_minimum"),
    ]


@pytest.mark.long
def test_a_night_shows_them_in_attrition_and_counts_no_such_death(store: Store) -> None:
    """Only 4 died, after 92 days."""
    own, night = registry(), date(2021, 1, 1)
    plan = pipeline.plan(store, own, DEMONSTRATION_KEY, night, night)
    pipeline.start(store, plan)
    pipeline.load_site(store, own, DEMONSTRATION_KEY, plan, "north")
    pipeline.build(store, own, plan)
    pipeline.estimate(store, own, plan)
    work = store.run(plan.run_id)
    attrition = work / "parquet/outcomes/attrition.parquet"
    notes = duckdb.sql(f"SELECT population, note FROM '{attrition}' WHERE step = 0 ORDER BY 1")
    said = "rows set aside: 5 of contacts, 1 of reported_endpoints"
    assert notes.fetchall() == [("all", said), ("site:north", said)]
    clocks = work / "parquet/marts/time_to_event.parquet"
    (died,) = duckdb.sql(
        f"SELECT time_days, event FROM '{clocks}' WHERE endpoint = 'OS' AND event"
    ).fetchall()
    assert died == (92, True)

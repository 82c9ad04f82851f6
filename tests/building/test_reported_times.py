"""Times that a centre reports beside its dates, from its files to the tables of a night.

Four patients were treated on 20 March 2020 and were last seen alive on 20 June. The centre delivers
no scans, so that progression is known from the reported times alone: five months for everybody.

Another centre delivers nothing but times of five patients, each death twice: as `OS` and as `os`.
"""

from datetime import date

import pytest

from schemas.contract import key
from schemas.site import Site
from tests.support.clinical_night import Night, night, subject
from tests.support.literal_releases import CONTRACTS

DAY = date(2021, 3, 20)
PATIENTS = ("p1", "p2", "p3", "p4")
SITE = Site(
    site_id="north", origin="synthetic", tables={"reported_endpoints": [{"starts_at": "T0"}]}
)
TWICE = Site(site_id="south", origin="synthetic")
MONTHS = {"q1": 10, "q2": 20, "q3": 30, "q4": 40, "q5": 50}


def _twice() -> dict[str, str]:
    return {
        "patients": "patient_id,sex\n" + "\n".join(f"{p},female" for p in MONTHS),
        "reported_endpoints": "patient_id,endpoint,time,time_unit,event\n"
        + "\n".join(f"{p},{os},{t},months,yes" for os in ("OS", "os") for p, t in MONTHS.items()),
    }


def _export() -> dict[str, str]:
    progressed = "\n".join(f"{p},PFS,5,months,yes" for p in PATIENTS)
    return {
        "patients": "patient_id,sex,house\n" + "\n".join(f"{p},female,b" for p in PATIENTS),
        "treatments": "patient_id,session_id,target_id,treatment_date,device,lobe\n"
        + "\n".join(f"{p},s1,t1,2020-03-20,glass,right" for p in PATIENTS),
        "contacts": "patient_id,contact_date,contact_type,vital_status\n"
        + "\n".join(f"{p},2020-06-20,visit,alive" for p in PATIENTS),
        "reported_endpoints": "patient_id,endpoint,time,time_unit,event\n"
        f"{progressed}\np1,OS,3,months,no\np2,OS,8,months,yes",
    }


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return night(
        tmp_path_factory.mktemp("reported"), DAY, (SITE, _export()), (TWICE, _twice()), few=True
    )


def test_a_time_is_used_where_nothing_is_derivable_and_dates_are_where_they_are(
    derived: Night,
) -> None:
    """20 March to 20 June are 92 days; 5 months are 152.1875."""
    columns = ("endpoint", "time_days::DOUBLE", "event", "origin")
    rows = derived.rows(
        f"SELECT {', '.join(columns)} FROM '{{marts}}/time_to_event.parquet' "
        "WHERE subject_id = $who AND endpoint IN ('OS', 'PFS') ORDER BY ALL",
        who=subject("north", "p2"),
    )
    assert rows == [("OS", 92, False, "derived"), ("PFS", 152.1875, True, "reported")]


def test_medians_say_how_many_times_were_reported(derived: Night) -> None:
    rows = derived.rows(
        "SELECT endpoint, median_months::DOUBLE, n, n_reported "
        "FROM '{outcomes}/survival_medians.parquet' "
        "WHERE population = 'all' AND rule = 'midpoint' AND factor = '' AND level = 'subject' "
        "AND endpoint IN ('OS', 'PFS') ORDER BY ALL"
    )
    assert rows == [("OS", 30, 9, 5), ("PFS", 5, 4, 4)]


def test_an_endpoint_in_two_spellings_is_one_endpoint(derived: Night) -> None:
    """Five patients have five times: the second spelling makes a copy of a row, which is named."""
    rows = derived.rows(
        "SELECT subject_id, endpoint, time_days::DOUBLE / 30.4375 "
        "FROM '{marts}/time_to_event.parquet' WHERE endpoint = 'OS' AND origin = 'reported'"
    )
    assert sorted(rows) == sorted(
        (subject("south", patient), "OS", months) for patient, months in MONTHS.items()
    )
    named = derived.rows(
        "SELECT rule_id, source_row FROM '{quality}/quarantine.parquet' "
        "WHERE site_id = 'south' ORDER BY ALL"
    )
    assert named == [("duplicate_row", row) for row in range(6, 11)]


def test_no_table_of_the_night_holds_a_key_twice(derived: Night) -> None:
    """Every documented key of every table that the night made."""
    repeated, asked = [], 0
    for name, contract in CONTRACTS.items():
        path = derived.work.joinpath("parquet", *name.split(".")).with_suffix(".parquet")
        columns = ", ".join(f'"{c}"' for c in key(contract))
        if path.exists() and columns:
            asked += 1
            twice = f"SELECT 1 FROM '{path}' GROUP BY {columns} HAVING count(*) > 1"
            repeated += [name] * bool(derived.rows(twice))
    assert repeated == []
    assert asked > 40


def test_one_that_differs_from_the_dates_is_a_finding_with_its_line(derived: Night) -> None:
    """Alive after 92 days is no death after 8 months; 3 months and alive is 92 days and alive."""
    assert derived.rows(
        "SELECT source_file, source_row, table_name, column_name FROM '{quality}/findings.parquet' "
        "WHERE rule_id = 'differs_from_dates'"
    ) == [("reported_endpoints.csv", 6, "reported_endpoints", "time")]
    uses = derived.rows(
        "SELECT endpoint, \"use\", count(*) FROM '{marts}/reported_times.parquet' "
        "GROUP BY ALL ORDER BY ALL"
    )
    assert uses == [("OS", "agrees", 1), ("OS", "differs", 1), ("PFS", "used", 4)]


def test_a_column_that_nobody_uses_is_named_in_the_release(derived: Night) -> None:
    ((unused,),) = derived.rows(
        "SELECT unused FROM '{quality}/deliveries.parquet' WHERE site_id = 'north'"
    )
    assert "house" in unused

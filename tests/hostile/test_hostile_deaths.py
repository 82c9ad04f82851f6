"""Deaths with damaged dates: nobody whom a row calls dead is published as alive.

Each patient of the export was treated on 20 March 2020 and is one case. Days are counted by hand:
20 March to 20 June are 92 days, to 20 May 61, to 1 July 103.
"""

from datetime import date

import pytest

from schemas.site import Site
from tests.support.clinical_night import Night, night, subject

DAY = date(2021, 3, 20)
SITE = Site(site_id="north", origin="synthetic")
DEAD, ALIVE = "dead_date_unknown", "alive"

CONTACTS = {
    "month of T0": ("2020-03,death,dead",),
    "month of the last contact": ("2020-06-20,visit,alive", "2020-06,death,dead"),
    "month and a day in it": ("2020-06,death,dead", "2020-06-14,death,dead"),
    "month before T0": ("2020-02,death,dead",),
    "day before T0": ("2020-03-19,death,dead",),
    "on T0": ("2020-03-20,death,dead",),
    "two days": ("2020-05-20,visit,alive", "2020-06-01,death,dead", "2020-07-01,death,dead"),
    "two days, alive between": (
        "2020-05-20,visit,alive",
        "2020-06-01,death,dead",
        "2020-06-20,visit,alive",
        "2020-07-01,death,dead",
    ),
    "two months": ("2020-05,death,dead", "2020-07,death,dead"),
    "alive afterwards": (
        "2020-05-20,visit,alive",
        "2020-06-01,death,dead",
        "2020-07-01,visit,alive",
    ),
    "alive in the month of death": ("2020-06,phone,alive", "2020-06-20,death,dead"),
    "date not readable": ("2020-05-20,visit,alive", "20.6.2020,death,dead"),
    "date missing": ("2020-05-20,visit,alive", ",death,dead"),
    "date in the future": ("2020-05-20,visit,alive", "2022-06-20,death,dead"),
    "year only": ("2020-05-20,visit,alive", "2020,death,dead"),
    "kind not readable": ("2020-05-20,visit,alive", "2020-06-20,exitus,dead"),
    "a visit of a dead patient": ("2020-05-20,visit,alive", "2020-06-20,visit,dead"),
    "a living death": ("2020-05-20,visit,alive", "2020-06-20,death,alive"),
    "causes contradict": ("2020-06-20,death,dead,tumour", "2020-06-20,death,dead,other"),
    "twice the same": ("2020-06-20,death,dead", "2020-06-20,death,dead"),
    "fatal event": ("2020-05-20,visit,alive",),
    "fatal event and death": ("2020-06-20,death,dead",),
    "grade 5": ("2020-05-20,visit,alive",),
    "reported dead": ("2020-05-20,visit,alive",),
    "contacts unreadable": ("20.6.2020,visit,alive",),
    "contacts unreadable, labs after": ("20.6.2020,visit,alive",),
    "no contact at all": (),
    "alive": ("2020-06-20,visit,alive",),
}
EVENTS = {
    "fatal event": "hepatic failure,2020-06-20,,5,fatal",
    "fatal event and death": "hepatic failure,2020-06-01,,,fatal",
    "grade 5": "ascites,2020-06-01,2020-06-20,5,",
}
EXPECTED = {
    "month of T0": (0, True, "death"),
    "month of the last contact": (92, True, "death"),
    "month and a day in it": (86, True, "death"),
    "month before T0": (0, False, DEAD),
    "day before T0": (0, False, DEAD),
    "on T0": (0, True, "death"),
    "two days": (61, False, DEAD),
    "two days, alive between": (61, False, DEAD),
    "two months": (0, False, DEAD),
    "alive afterwards": (61, False, DEAD),
    "alive in the month of death": (92, True, "death"),
    "date not readable": (61, False, DEAD),
    "date missing": (61, False, DEAD),
    "date in the future": (61, False, DEAD),
    "year only": (61, False, DEAD),
    "kind not readable": (61, False, DEAD),
    "a visit of a dead patient": (61, False, DEAD),
    "a living death": (61, False, DEAD),
    "causes contradict": (92, True, "death"),
    "twice the same": (92, True, "death"),
    "fatal event": (92, False, DEAD),
    "fatal event and death": (92, True, "death"),
    "grade 5": (73, False, DEAD),
    "reported dead": (61, False, DEAD),
    "contacts unreadable": (0, False, "follow_up_set_aside"),
    "contacts unreadable, labs after": (61, False, ALIVE),
    "no contact at all": (0, False, ALIVE),
    "alive": (92, False, ALIVE),
}
"""Days from T0 to death, or to the last evidence of life not after the earliest claimed death."""


def _number(case: str) -> str:
    return f"p{list(CONTACTS).index(case):02}"


def _export() -> dict[str, str]:
    patients = [_number(c) for c in CONTACTS]
    contacts = [f"{_number(c)},{line}" for c, lines in CONTACTS.items() for line in lines]
    return {
        "patients": "patient_id,sex\n" + "\n".join(f"{p},female" for p in patients),
        "treatments": "patient_id,session_id,target_id,treatment_date,device,lobe\n"
        + "\n".join(f"{p},s1,t1,2020-03-20,glass,right" for p in patients),
        "contacts": "patient_id,contact_date,contact_type,vital_status,cause_of_death\n"
        + "\n".join(line if line.count(",") == 4 else f"{line}," for line in contacts),
        "adverse_events": "patient_id,term,onset_date,end_date,grade,outcome\n"
        + "\n".join(f"{_number(c)},{line}" for c, line in EVENTS.items()),
        "labs": "patient_id,lab_date,analyte,value,unit\n"
        f"{_number('contacts unreadable, labs after')},2020-05-20,bilirubin,1,mg/dL\n",
        "reported_endpoints": "patient_id,endpoint,time,time_unit,event\n"
        f"{_number('reported dead')},OS,3,months,true\n",
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return night(tmp_path_factory.mktemp("deaths"), DAY, (SITE, _export()))


@pytest.mark.parametrize("case", CONTACTS)
def test_whom_a_row_calls_dead_is_not_alive(case: str, found: Night) -> None:
    rows = found.rows(
        "SELECT time_days, event, cause FROM '{marts}/time_to_event.parquet' "
        "WHERE subject_id = $who AND endpoint = 'OS'",
        who=subject("north", _number(case)),
    )
    assert rows == [EXPECTED[case]]


def test_the_reason_is_stated(found: Night) -> None:
    """The flag says why no date of death is believed."""
    why = {
        "day before T0": "the claimed death lies before treatment",
        "two days": "the claimed dates of death differ",
        "alive afterwards": "a living contact follows the claimed death",
        "date missing": "no date of death can be read",
        "grade 5": "a fatal event without a date of death",
        "reported dead": "a reported death without a date",
    }
    for case, words in why.items():
        (row,) = found.rows(
            "SELECT reason FROM '{marts}/time_to_event.parquet' "
            "WHERE subject_id = $who AND endpoint = 'OS'",
            who=subject("north", _number(case)),
        )
        assert f"dead at an unknown date: {words}" in row[0], case


def test_they_are_counted_apart_and_never_among_the_living(found: Night) -> None:
    """Of 28 patients 8 died on a day, 16 at an unknown date; 4 are alive as far as is known."""
    deaths = [e for e in EXPECTED.values() if e[1]]
    unknown = [e for e in EXPECTED.values() if e[2] == DEAD]
    assert (len(EXPECTED), len(deaths), len(unknown)) == (28, 8, 16)
    rows = found.rows(
        "SELECT definition, n, n_dead_unknown, n_follow_up_aside "
        "FROM '{outcomes}/follow_up.parquet' WHERE population = 'all' ORDER BY 1"
    )
    assert rows == [
        ("imaging", 0, None, None),
        ("observed_alive", 4, 0, 1),
        ("observed_all", 28, 16, 1),
        ("reverse_km", 28, 16, 1),
    ]


def test_two_other_readings_of_them_are_always_published(found: Night) -> None:
    """Censoring the dead flatters survival: the event on the last day alive, and at the latest."""
    rows = found.rows(
        "SELECT alternative, value, base_value FROM '{outcomes}/sensitivity.parquet' "
        "WHERE setting = 'survival.undated_death' ORDER BY 1"
    )
    assert [r[0] for r in rows] == ["event_at_latest", "event_when_last_alive"]
    assert len({r[1] for r in rows}) == 2


def test_each_of_their_rows_is_told(found: Night) -> None:
    """A finding, or a place in quarantine, for each row whose death cannot be believed."""
    told = {
        rule
        for (rule,) in found.rows("SELECT DISTINCT rule_id FROM '{quality}/quarantine.parquet'")
    }
    assert {
        "contacts.two_deaths",
        "contacts.alive_after_death",
        "contacts.death_before_treatment",
        "contacts.status_of_a_death",
        "not_a_date",
        "unknown_code",
    } <= told

"""One REDCap project, several centres: a site takes its data access group and loses no other row.

REDCap names the group in `redcap_data_access_group`; a record that nobody assigned has none.
"""

from datetime import date

import pytest

from schemas.errors import BadDelivery
from schemas.site import Site
from warehouse.receiving.check import check

EXTRACTED = date(2026, 2, 1)
DICTIONARY = """field_name,form_name,field_type,select_choices_or_calculations
record_id,base,text,
sex,base,text,
bili,lab,text,
alb,lab,text,
lab_date,lab,text,
"""
DATA = """record_id,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,sex,\
base_complete,lab_date,bili,alb,lab_complete
1,,,north,female,2,,,,
1,lab,1,north,,,2025-01-02,1.0,3.9,2
2,,,south,male,2,,,,
2,lab,1,south,,,2025-01-02,1.0,,2
3,,,,female,2,,,,
3,lab,1,,,,2025-01-02,1.0,,2
4,,,north,,,,,,
"""
LABS = {
    "instrument": "lab",
    "wide": [
        {"analyte": "bilirubin", "value": "bili", "unit": "mg/dL"},
        {"analyte": "albumin", "value": "alb", "unit": "g/dL"},
    ],
}


def site(group="north"):
    """A site of the project, or a project of one site."""
    return Site(
        site_id="north",
        format="redcap",
        redcap={"record": "record_id", "access_group": group},
        tables={"patients": [{"instrument": "base"}], "labs": [LABS]},
    )


def checked(folder, data=DATA, group="north"):
    """Receive and validate an export without keeping it."""
    (folder / "data.csv").write_text(data)
    (folder / "dictionary.csv").write_text(DICTIONARY)
    return check(folder, site(group), EXTRACTED)


def counts(found):
    """Table -> received, empty, accepted, quarantined, of another group."""
    return {
        t.table: (t.received, t.empty, t.accepted, t.quarantined, t.other_group)
        for t in found.tables
    }


def test_every_row_of_the_project_is_ours_anothers_or_set_aside(tmp_path):
    """Four records and three laboratory rows of two analytes, counted by eye."""
    found = checked(tmp_path)
    assert counts(found) == {"patients": (4, 1, 1, 1, 1), "labs": (6, 1, 2, 1, 2)}
    assert [(f.row, f.table, f.rule, f.their_column) for f in found.findings] == [
        (5, "patients", "in_no_group", "redcap_data_access_group"),
        (6, "labs", "in_no_group", "redcap_data_access_group"),
    ]
    assert [q.record for q in found.queries] == ["3", "3"]


def test_a_site_without_a_group_takes_the_whole_project(tmp_path):
    found = checked(tmp_path, group=None)
    assert counts(found) == {"patients": (4, 1, 3, 0, 0), "labs": (6, 2, 4, 0, 0)}
    assert found.findings == ()


def test_an_export_without_groups_may_hold_everybodys_records_and_is_refused(tmp_path):
    """REDCap leaves the column out unless it is asked for."""
    rows = [line.split(",") for line in DATA.splitlines()]
    data = "".join(",".join(r[:3] + r[4:]) + "\n" for r in rows)
    with pytest.raises(BadDelivery, match=r"no column redcap_data_access_group.*leave `acc"):
        checked(tmp_path, data)


def test_a_group_that_no_record_has_is_a_slip_of_the_site_file(tmp_path):
    with pytest.raises(BadDelivery, match="to the group North; the export's groups are north, so"):
        checked(tmp_path, group="North")


def test_a_project_without_records_is_no_slip(tmp_path):
    found = checked(tmp_path, DATA.splitlines()[0] + "\n")
    assert counts(found) == {"patients": (0, 0, 0, 0, 0), "labs": (0, 0, 0, 0, 0)}

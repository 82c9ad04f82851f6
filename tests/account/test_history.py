"""The history of a number over three deliveries of five invented patients, worked by hand.

All but D are treated on 1 January 2020. The number is the share dead by day 180 of those who are
dead by then or were seen later. B dies on day 60 and is reported 40 days late; E dies on day 227;
D comes with the second delivery and is seen beyond day 180 in the third.
"""

import json
import shutil
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from flows.__main__ import main
from schemas.errors import Refused
from schemas.settings import Registry
from simulation import registry_folder
from tests.support import literal_releases
from tests.support.small_site import SITE, deliver, receive, registry
from warehouse import pipeline
from warehouse.account.history import nights
from warehouse.account.history.nights import History
from warehouse.account.scenarios import Answer
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.releases import releases
from warehouse.store import Store

NUMBER = "early_mortality.all.180"
STATISTICS = "outcomes.statistics"
TREATED = "2020-01-01"
CONTACTS = {
    "2020-08-01": [
        ("A", "2020-07-20", "visit", "alive"),
        ("B", "2020-02-15", "visit", "alive"),
        ("C", "2020-07-20", "visit", "alive"),
        ("E", "2020-07-20", "visit", "alive"),
    ],
    "2020-09-10": [
        ("B", "2020-03-01", "death", "dead"),
        ("D", "2020-09-01", "visit", "alive"),
        ("E", "2020-08-15", "death", "dead"),
    ],
    "2021-03-01": [("D", "2021-02-28", "visit", "alive")],
}
"""Day of the delivery -> contacts that are new in it."""
TOLD = {"label": "deaths", "unit": "%", "method": "exact", "definition": "d"}
TOLD |= {"population_set": "all"}
PUBLISHED = {"2020.08.01": (50.0, 1, 2), "2020.09.10": (25.0, 1, 4), "2021.03.01": (20.0, 1, 5)}
"""The first night published by a rule that is no longer in force."""


def export(day: str) -> dict[str, str]:
    """The tables of a delivery; the sex of C is corrected in the second."""
    told = [c for d, new in CONTACTS.items() if d <= day for c in new]
    late = day > "2020-08-01"
    sexes = {"A": "male", "B": "male", "C": "female" if late else "male", "E": "female"}
    sexes |= {"D": "female"} if late else {}
    return {
        "patients": "patient_id,sex\n" + "".join(f"{p},{s}\n" for p, s in sexes.items()),
        "treatments": "patient_id,session_id,target_id,treatment_date,device,lobe\n"
        + "".join(
            f"{p},s1,t1,{'2020-08-20' if p == 'D' else TREATED},glass,whole\n" for p in sexes
        ),
        "contacts": "patient_id,contact_date,contact_type,vital_status\n"
        + "".join(",".join(c) + "\n" for c in told),
    }


def release(store: Store, day: str) -> None:
    """A literal release of a day: its ingredients are real, its one number is written here."""
    night = date.fromisoformat(day)
    name = f"{night:%Y.%m.%d}"
    value, n, total = PUBLISHED[name]
    row = f"""
        | statistic_id | value   | n   | total   | {" | ".join(TOLD)} |
        | {NUMBER}     | {value} | {n} | {total} | {" | ".join(TOLD.values())} |
    """
    path = literal_releases.publish(store, name, {STATISTICS: row})
    made = pipeline.plan(store, registry(), DEMONSTRATION_KEY, night, night)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["content"] |= made.ingredients
    (path / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store.open(tmp_path_factory.mktemp("history") / "store")
    for day in CONTACTS:
        deliver(made, day, **export(day))
        receive(made)
        release(made, day)
    return made


@pytest.fixture(scope="module")
def found(store: Store) -> History:
    return nights.history(store, registry(), DEMONSTRATION_KEY, NUMBER)


def answer(n: int, total: int) -> tuple[float, int, int]:
    return pytest.approx(100 * n / total, abs=1e-12), n, total


def said(one: Answer | None) -> Any:
    return one and (one.value, one.n, one.total)


def test_the_three_series_of_every_night(found: History) -> None:
    """A patient whom nothing dates by the night is not in it, though known today: D on 1 August."""
    series = {
        n.release: (said(n.then_then), said(n.then_now), said(n.now_cut)) for n in found.nights
    }
    assert series == {
        "2020.08.01": ((50.0, 1, 2), answer(0, 3), answer(1, 4)),
        "2020.09.10": ((25.0, 1, 4), answer(1, 4), answer(1, 4)),
        "2021.03.01": ((20.0, 1, 5), answer(1, 5), answer(1, 5)),
    }
    assert said(found.now) == answer(1, 5)


def test_rules_lag_and_accrual_are_the_whole_change_exactly(found: History) -> None:
    first, second, third = found.nights
    assert (first.rules, first.lag) == (-50, 25)
    assert (second.rules, second.lag) == (0, 0)
    assert (third.rules, third.lag, third.accrual) == (0, 0, 0)
    for night in found.nights:
        assert night.rules is not None
        assert night.lag is not None
        assert night.accrual is not None
        assert night.then_then is not None
        assert night.then_then.value is not None
        total = night.rules + night.lag + night.accrual
        assert found.now is not None
        assert total == Fraction(found.now.value or 0) - Fraction(night.then_then.value)


def test_the_share_of_events_known_then_and_undated_cells_edited_since(found: History) -> None:
    first, second, third = found.nights
    assert (first.known, first.immature, first.undated_edits) == (0, True, 1)
    assert (second.known, second.immature, second.undated_edits) == (1, False, 0)
    assert (third.known, third.immature) == (1, False)
    assert found.mature_before(third) == "2020.09.10"
    assert found.mature_before(first) is None


def test_a_lag_is_of_the_patient_who_was_reported_late(store: Store) -> None:
    night = releases.listing(store)[0].path
    shares = nights.late(store, registry(), DEMONSTRATION_KEY, NUMBER, night)
    assert shares is not None
    assert shares.change == 25
    (one,) = shares.patients
    assert one.contribution == 25
    assert {(c.table, c.kind) for c in one.cells} == {("contacts", "added")}


def test_delays_and_completeness_of_a_site(found: History) -> None:
    """E died on 15 August and is in the delivery of 10 September: 26 days. B died before the first.

    Observed 201 (A) + 60 (B) + 201 (C) + 192 (D) + 227 (E) days, of 425 + 60 + 425 + 193 + 227.
    """
    (site,) = found.sites
    assert (site.deliveries, site.deaths, site.delays_seen) == (3, 2, 1)
    assert (site.median_days, site.most_days) == (26, 26)
    assert site.completeness == Fraction(881, 1330)


def test_what_was_computed_is_not_computed_again(
    store: Store, found: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("warehouse.account.scenarios.answer", fail)
    assert nights.history(store, registry(), DEMONSTRATION_KEY, NUMBER) == found


def test_nights_can_be_left_out_and_none_is_refused(store: Store) -> None:
    some = nights.history(store, registry(), DEMONSTRATION_KEY, NUMBER, date(2020, 9, 1))
    assert [n.release for n in some.nights] == ["2020.09.10", "2021.03.01"]
    with pytest.raises(Refused, match="There are 2020-08-01 to 2021-03-01"):
        nights.history(store, registry(), DEMONSTRATION_KEY, NUMBER, date(2022, 1, 1))
    with pytest.raises(Refused, match="Did you mean"):
        nights.history(store, registry(), DEMONSTRATION_KEY, "early_mortality.all.18")


def test_a_patient_who_withdrew_is_in_no_rebuilt_number_and_it_is_said(store: Store) -> None:
    excluded = SITE.excluding(frozenset({"B"}))
    left: Registry = registry(excluded)
    night = nights.history(store, left, DEMONSTRATION_KEY, NUMBER).nights[0]
    assert said(night.then_then) == (50.0, 1, 2)
    assert said(night.now_cut) == answer(0, 3)
    assert nights.WITHDRAWN in night.reasons


def test_a_delivery_that_is_no_longer_kept_gives_a_reason(store: Store, tmp_path: Path) -> None:
    shutil.copytree(store.root, tmp_path / "store")
    other = Store.open(tmp_path / "store")
    first = releases.manifest(releases.listing(other)[0].path)["content"]["receipts"][0]
    shutil.rmtree(other.delivery("north", first["delivery_id"]))
    shutil.rmtree(other.site_raw("north") / "loaded")
    shutil.rmtree(other.state / "history", ignore_errors=True)
    night = nights.history(other, registry(), DEMONSTRATION_KEY, NUMBER).nights[0]
    assert said(night.then_then) == (50.0, 1, 2)
    assert (night.then_now, night.rules, night.lag) == (None, None, None)
    assert any("2020-08-01" in reason for reason in night.reasons)


def test_the_command_tells_the_parts_of_every_night(
    reference_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "response_summary.all.who.lesion.all.all.unconfirmed.pr"
    config = str(registry_folder("memon2012", "redcap") / "registry.toml")
    where = ["--store", str(reference_store.root), "--config", config]
    assert main(["history", name, *where]) == 0
    told = capsys.readouterr().out
    assert "62.6506" in told
    assert "published    known then, by the rules then" in told
    assert main(["history", name, "--json", *where]) == 0
    facts = json.loads(capsys.readouterr().out)
    (night,) = facts["nights"]
    assert (night["rules"], night["lag"], night["accrual"]) == (0, 0, 0)
    assert night["then_then"]["value"] == facts["now"]["value"]
    page = tmp_path / "history.html"
    assert main(["history", name, "--html", str(page), *where]) == 0
    capsys.readouterr()
    text = page.read_text("utf-8")
    assert "SYNTHETIC DATA" in text
    assert "62.7" in text
    assert main(["history", name, "--html", str(tmp_path / "no" / "page.html"), *where]) == 2
    assert "Name another file with --html" in capsys.readouterr().err
    assert main(["history", name, "--lag", "current", *where]) == 0
    assert "No patient moves it." in capsys.readouterr().out
    assert main(["history", name, "--from", "2031-01-01", *where]) == 2
    assert "No release is of these nights" in capsys.readouterr().err

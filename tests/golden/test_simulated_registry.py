"""An invented registry is the same whenever it is written, and each export follows the last.

Everything is a function of the seed and the day. Between two exports only four things happen: new
rows, late rows, corrected cells, vanished records; each is held here in one small registry.
"""

import csv
import tomllib
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flows.__main__ import main
from flows.settings import load_registry
from schemas.errors import Refused
from simulation.registry.changes import LATE_DAYS, Tables, export
from simulation.registry.markers import UPPER_LIMIT, marker_course
from simulation.registry.patients import patient, responses
from simulation.registry.recorded import recorded_class
from simulation.registry.sites import MIXED, PLAIN, Dialect, write_export
from simulation.registry.truths import TRUTHS
from simulation.registry.whole import Shape, simulate_registry
from tests.support.pipe_tables import run
from transforms.classes.markers import marker_response
from transforms.classes.recorded import recorded_assessments, recorded_response
from warehouse import pipeline
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.store import Store

DAY = date(2022, 6, 30)
LATER = DAY + timedelta(days=30)
SMALL = Shape(sites=5, patients=20, seed=5)
PATIENTS = range(1, 601)
KEYS = {
    "labs": ("lab_date", "analyte"),
    "measurements": ("lesion_id", "scan_date"),
    "contacts": ("contact_date", "contact_type"),
}
DATED = {"labs": "lab_date", "contacts": "contact_date", "adverse_events": "onset_date"}


@pytest.fixture(scope="module")
def exports() -> list[tuple[Tables | None, Tables | None]]:
    """Each of 600 patients on a day and thirty days later."""
    people = [(patient(5, number, f"{number}", TRUTHS), number) for number in PATIENTS]
    return [(export(p, 5, n, DAY), export(p, 5, n, LATER)) for p, n in people]


def test_two_writings_of_one_registry_are_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        simulate_registry(SMALL, DAY, tmp_path / folder)
    one, two = (_bytes(tmp_path / folder) for folder in ("one", "two"))
    assert one == two
    assert len(one) > 5 * 3


def test_a_patient_is_the_same_in_a_registry_of_any_size(tmp_path: Path) -> None:
    simulate_registry(Shape(sites=2, patients=10, seed=5, format="csv"), DAY, tmp_path / "small")
    simulate_registry(Shape(sites=2, patients=30, seed=5, format="csv"), DAY, tmp_path / "large")
    for name in ("patients", "measurements", "labs"):
        small, large = (
            _lines(tmp_path / size / "inbox" / "centre02" / str(DAY) / f"{name}.csv")
            for size in ("small", "large")
        )
        assert small == large[: len(small)]
        assert len(small) < len(large)


def test_another_seed_is_another_registry() -> None:
    assert patient(5, 1, "1", TRUTHS) != patient(6, 1, "1", TRUTHS)


def test_nothing_dated_after_the_day_is_exported(
    exports: list[tuple[Tables | None, Tables | None]],
) -> None:
    dates = [
        value
        for before, _ in exports
        for rows in (before or {}).values()
        for row in rows
        for value in row.values()
        if isinstance(value, date)
    ]
    assert max(dates) <= DAY


def test_rows_are_entered_late(exports: list[tuple[Tables | None, Tables | None]]) -> None:
    """A row dated before the first export that only the second has, and not long before."""
    late = [
        row[column]
        for before, after in exports
        if before and after
        for table, column in DATED.items()
        for row in after[table]
        if row not in before[table] and _is_new(table, row, before)
        if isinstance(day := row[column], date) and day <= DAY
    ]
    assert len(late) >= 3
    assert min(map(str, late)) >= str(DAY - timedelta(days=LATE_DAYS[1]))


def test_cells_are_corrected(exports: list[tuple[Tables | None, Tables | None]]) -> None:
    """The same row by its key, with another value: nothing else changes in it."""
    changed = []
    for before, after in exports:
        for table in ("labs", "measurements") if before and after else ():
            assert before is not None
            assert after is not None
            known = {tuple(row[k] for k in KEYS[table]): row for row in before[table]}
            for row in after[table]:
                old = known.get(tuple(row[k] for k in KEYS[table]), row)
                changed += [(table, c) for c in row if row[c] != old[c]]
    assert set(changed) == {("labs", "value"), ("measurements", "perpendicular_mm")}


def test_a_record_vanishes_now_and_then() -> None:
    """One in some hundreds, for good."""
    numbers = range(1, 1501)
    last = date(2025, 6, 30)
    gone = [n for n in numbers if export(patient(5, n, f"{n}", TRUTHS), 5, n, last) is None]
    assert 1 <= len(gone) <= 10
    one = patient(5, gone[0], "gone", TRUTHS)
    held = [export(one, 5, gone[0], one.on(day)) is not None for day in range(0, 2000, 10)]
    assert held == sorted(held, reverse=True)
    assert held[0]


def test_every_file_says_that_it_is_invented(tmp_path: Path) -> None:
    for path in simulate_registry(SMALL, DAY, tmp_path / "registry"):
        for file in [path] if path.is_file() else sorted(path.glob("[!.]*")):  # not the marker
            assert "synthetic" in file.read_text("utf-8").lower(), file.name
    sites = load_registry(tmp_path / "registry" / "registry.toml").sites
    assert {site.origin for site in sites.values()} == {"synthetic"}


@pytest.mark.parametrize("chosen", MIXED, ids=lambda d: d.name)
def test_a_dialect_writes_no_row_of_another_width(
    chosen: Dialect, tmp_path: Path, exports: list[tuple[Tables | None, Tables | None]]
) -> None:
    parts = [before for before, _ in exports[:10] if before]
    write_export("centre", chosen, parts, DAY, tmp_path / "export")
    for file in (tmp_path / "export").glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as opened:
            widths = {len(row) for row in csv.reader(opened, delimiter=chosen.delimiter)}
        assert len(widths) == 1, file.name


def test_the_folder_is_its_own_store_and_every_row_is_accepted(tmp_path: Path) -> None:
    """Three plain dialects and two REDCap projects, read by the site files written beside them."""
    root = tmp_path / "registry"
    simulate_registry(SMALL, DAY, root)
    registry, store = load_registry(root / "registry.toml"), Store.open(root)
    assert registry.file.store.path == "."
    now = datetime(2022, 7, 1, tzinfo=UTC)
    for site_id in registry.sites:
        assert pipeline.receive(store, registry, site_id, now).problems == ()
    plan = pipeline.plan(store, registry, DEMONSTRATION_KEY, DAY, DAY)
    pipeline.start(store, plan)
    for site_id in registry.sites:
        told = pipeline.load_site(store, registry, DEMONSTRATION_KEY, plan, site_id)
        accepted, quarantined = (int(w) for w in told.split() if w.isdigit())
        assert (accepted > 100, quarantined) == (True, 0), told


def test_a_later_day_adds_exports_and_leaves_the_rest(tmp_path: Path) -> None:
    simulate_registry(SMALL, DAY, tmp_path)
    first = _bytes(tmp_path)
    simulate_registry(SMALL, LATER, tmp_path)
    simulate_registry(SMALL, LATER, tmp_path)
    both = _bytes(tmp_path)
    assert {name: both[name] for name in first} == first
    assert sorted(p.name for p in (tmp_path / "inbox" / "centre03").iterdir()) == [
        str(DAY),
        str(LATER),
    ]


def test_another_registry_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    simulate_registry(SMALL, DAY, tmp_path)
    before = _bytes(tmp_path)
    with pytest.raises(Refused, match=r"registry\.toml: holds something else already"):
        simulate_registry(Shape(sites=5, patients=20, seed=6), LATER, tmp_path)
    assert _bytes(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--sites", "0"], "--sites 0"),
        (["--patients", "0"], "--patients 0"),
        (["--seed", "-1"], "--seed -1"),
        (["--format", "xml"], "--format xml"),
    ],
)
def test_an_impossible_registry_is_refused_in_words(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = str(tmp_path / "registry")
    assert main(["simulate", "--preset", "registry", "--to", to, *words]) == 2
    assert told in capsys.readouterr().err


def test_the_size_of_a_registry_says_nothing_to_another_preset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "--patients", "9", "--to", str(tmp_path / "cohort")]) == 2
    assert "--patients: only for --preset registry" in capsys.readouterr().err


def test_the_command_writes_a_registry_that_can_be_run(tmp_path: Path) -> None:
    to = tmp_path / "registry"
    words = ["--sites", "3", "--patients", "6", "--seed", "5", "--as-of", str(DAY)]
    assert main(["--quiet", "simulate", "--preset", "registry", "--to", str(to), *words]) == 0
    assert tomllib.loads((to / "registry.toml").read_text("utf-8"))["sites"] == [
        "centre01",
        "centre02",
        "centre03",
    ]


def _is_new(table: str, row: dict[str, object], before: Tables) -> bool:
    keys = KEYS.get(table, (DATED[table], "term"))
    return all(tuple(row[k] for k in keys) != tuple(old[k] for k in keys) for old in before[table])


def _bytes(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_planned_lobes_and_the_place_of_disease_are_those_of_the_patient(tmp_path: Path) -> None:
    """Delivered by one kind of centre: the first session's plan is what the patient had treated.

    Disease that is no target lies outside the liver where the patient has extrahepatic disease,
    and in the liver where a lesion is more than the two targets.
    """
    shape = Shape(sites=3, patients=60, seed=1, format="csv")
    simulate_registry(shape, DAY, tmp_path)
    (site,) = [f"centre{n + 1:02d}" for n in range(3) if PLAIN[n].places]
    (folder,) = (tmp_path / "inbox" / site).iterdir()
    drawn = {PLAIN[2].patient_id.format(n): patient(1, n, str(n), TRUTHS) for n in range(3, 61, 3)}
    plans = defaultdict(list)
    for row in _delivered(folder / "treatments.csv"):
        plans[row["patient_id"]].append((row["treatment_date"], row["planned_lobes"]))
    staged = 0
    for name, told in plans.items():
        targets = drawn[name].targets
        first = [plan for day, plan in told if day == f"{drawn[name].t0:%d.%m.%Y}"]
        lobes = {target.lobe for target in targets}
        assert set(first) == {"both" if lobes == {"left", "right"} else min(lobes)}
        assert {plan for day, plan in told if day != f"{drawn[name].t0:%d.%m.%Y}"} <= {""}
        staged += len({target.day for target in targets}) > 1
    assert staged >= 3
    remaining = {True: "non_cr_non_pd", False: "none"}
    for row in _delivered(folder / "scans.csv"):
        who = drawn[row["patient_id"]]
        assert row["non_target_elsewhere"] == remaining[who.extrahepatic != "none"]
        assert row["non_target_liver"] == remaining[len(who.lesions) > 2]


def test_recorded_classes_are_those_that_were_drawn(tmp_path: Path) -> None:
    """One kind of centre delivers them, and the best one is the class drawn for three months.

    It is derived here from the delivered rows, of everyone whose scan at three months is past.
    """
    simulate_registry(Shape(sites=3, patients=60, seed=1, format="csv"), DAY, tmp_path)
    (path,) = tmp_path.glob("inbox/*/*/recorded_responses.csv")
    assert [path.parents[1].name] == [f"centre{n + 1:02d}" for n in range(3) if PLAIN[n].recorded]
    numbers = {PLAIN[2].patient_id.format(n): n for n in range(3, 61, 3)}
    drawn = {name: patient(1, n, name, TRUTHS) for name, n in numbers.items()}
    anchors = _table("subject_id t0_date", [(name, p.t0) for name, p in drawn.items()])
    given = [
        (
            r["patient_id"],
            "-".join(reversed(r["response_date"].split("."))),
            r["criterion"],
            r["response_class"],
        )
        for r in _delivered(path)
    ]
    recorded = _table("subject_id response_date criterion response_class", given)
    placed = run(recorded_assessments, {"recorded_responses": recorded, "anchors": anchors})
    names = ("subject_id", "rel_day", "criterion", "response")
    kept = [tuple(r[name] for name in names) for r in placed if r["in_window"]]
    best = run(
        recorded_response,
        {
            "recorded_assessments": _table(" ".join(names), kept),
            "anchors": anchors,
        },
    )
    found = {r["subject_id"]: r["best_response"] for r in best}
    past = [name for name, p in drawn.items() if p.on(p.scan_days[1]) <= DAY and name in found]
    assert len(past) >= 10
    assert {n: found[n] for n in past} == {n: recorded_class(1, numbers[n], TRUTHS) for n in past}


def test_the_declared_share_of_recorded_classes_differs() -> None:
    """From the class drawn for the first lesion, within two standard errors."""
    people = range(1, 2001)
    differ = sum(recorded_class(1, n, TRUTHS) != responses(1, n, TRUTHS)[0][0] for n in people)
    share = TRUTHS.recorded_differs
    assert abs(differ / 2000 - share) < 2 * (share * (1 - share) / 2000) ** 0.5


def test_markers_fall_as_they_were_drawn(tmp_path: Path) -> None:
    """One kind of centre measures them; derived here from the delivered rows, in its own words."""
    simulate_registry(Shape(sites=3, patients=60, seed=1, format="csv"), DAY, tmp_path)
    (path,) = (p for p in tmp_path.glob("inbox/*/*/labs.csv") if p.parents[1].name == "centre03")
    numbers = {PLAIN[2].patient_id.format(n): n for n in range(3, 61, 3)}
    drawn = {name: patient(1, n, name, TRUTHS) for name, n in numbers.items()}
    anchors = _table("subject_id t0_date", [(name, p.t0) for name, p in drawn.items()])
    given = [
        (
            r["patient_id"],
            "-".join(reversed(r["lab_date"].split("."))),
            "chromogranin_a",
            r["value"].replace(",", "."),
            "ug/L",
            r["upper_limit"],
        )
        for r in _delivered(path)
        if r["analyte"] == "CGA"
    ]
    names = "subject_id lab_date analyte value unit upper_limit"
    before = [(who, analyte, *rest) for who, day, analyte, *rest in given
              if day < f"{drawn[who].t0:%Y-%m-%d}"]  # fmt: skip
    told = run(
        marker_response,
        {
            "labs": _table(names, given),
            "baseline_labs": _table(names.replace(" lab_date", ""), before),
            "anchors": anchors,
        },
    )
    found = {r["subject_id"]: (r["elevated"], r["fell"]) for r in told if r["at_days"] == 0}
    past = [name for name, p in drawn.items() if p.on(p.scan_days[1]) <= DAY and name in found]
    assert len(past) >= 10
    for name in past:
        value, falls = marker_course(1, numbers[name], TRUTHS)
        assert found[name] == (value > UPPER_LIMIT, falls)


def test_the_declared_shares_of_markers_are_drawn() -> None:
    """Elevated, and falling, within two standard errors."""
    courses = [marker_course(1, n, TRUTHS) for n in range(1, 2001)]
    for n, share in (
        (sum(before > UPPER_LIMIT for before, _ in courses), TRUTHS.marker_elevated),
        (sum(falls for _, falls in courses), TRUTHS.marker_falls),
    ):
        assert abs(n / 2000 - share) < 2 * (share * (1 - share) / 2000) ** 0.5


def _table(names: str, rows: list[tuple[object, ...]]) -> str:
    lines = [names.split(), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _delivered(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, delimiter="\t"))

"""The package that analysts read releases with: published numbers, nothing of the pipeline."""

import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import y90
from tests.support.literal_releases import publish
from warehouse.store import Store

ROOT = Path(__file__).resolve().parents[2]
OS = "survival_medians.all.os.subject.overall.overall.midpoint"


@pytest.fixture(scope="module")
def release(reference_store: Store) -> y90.Release:
    return y90.open("current", store=reference_store.root)


def test_a_release_says_what_it_is(release: y90.Release, reference_store: Store) -> None:
    assert release.registry == "memon2012"
    assert release.synthetic
    assert "SYNTHETIC" in release.cite()
    assert release.id in release.cite()
    assert y90.open(release.path).id == y90.open(release.id, store=reference_store.root).id


def test_a_statistic_is_printed_as_the_series_printed_it(release: y90.Release) -> None:
    """34.4 months of 40: Memon et al. 2012, Int J Radiat Oncol Biol Phys 83:887-894."""
    found = release.stat(OS)
    assert found.text.startswith("34.4 months (")
    assert (found.n, found.total, found.unit) == (28, 40, "months")
    assert OS in release.find("overall survival", "midpoint").column("statistic_id").to_pylist()


def test_curves_pass_through_the_published_landmarks(release: y90.Release) -> None:
    """Of every endpoint and factor, in months of 30.4375 days."""
    landmarks = release.table("survival_landmarks", population="all", level="subject").to_pylist()
    seen, drawn = 0, dict[tuple[str, str], y90.Curves]()
    for row in landmarks:
        if row["survival"] is None:
            continue
        asked = (row["endpoint"], row["factor"])
        if asked not in drawn:
            drawn[asked] = release.km(row["endpoint"], by=row["factor"])
        (curve,) = [c for c in drawn[asked].curves if c.name == (row["factor_level"] or "all")]
        left, _, _, share = curve.at(row["months"])
        assert (left, share) == (row["at_risk"], pytest.approx(row["survival"], abs=1e-12))
        seen += 1
    assert seen > 50


def test_the_numbers_at_risk_are_those_of_the_series(release: y90.Release) -> None:
    table = release.km("OS").table((0, 12, 24, 36)).to_pylist()
    assert [row["at_risk"] for row in table] == [40, 29, 25, 18]
    assert all(row["at_risk"] + row["events"] + row["censored"] == 40 for row in table)
    assert [round(100 * row["survival"], 1) for row in table] == [100.0, 72.5, 62.5, 45.0]


def test_table_1_says_what_was_delivered(release: y90.Release) -> None:
    rows = dict(release.table1().rows)
    assert rows["  female"] == "22 (55.0 %)"
    assert rows["age years"].startswith("58.5 (")
    assert release.table1(by="ecog0").head == ("", "ecog0 0", "ecog0 >=1")


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_a_picture_has_the_same_bytes_every_time(
    ending: str, release: y90.Release, tmp_path: Path
) -> None:
    one, other = (release.km("OS", by="ecog0").save(tmp_path / f"{n}.{ending}") for n in "ab")
    assert one.read_bytes() == other.read_bytes()


def test_pictures_hold_every_patient(release: y90.Release) -> None:
    waterfall, swimmer = release.waterfall("WHO"), release.swimmer()
    assert len(waterfall.bars) + waterfall.missing == len(swimmer.lanes) == 40
    assert sum(lane.died for lane in swimmer.lanes) == 28
    assert [bar.response for bar in waterfall.bars].count("PR") == 26
    for shown in (release, release.stat(OS), release.km(), waterfall, swimmer, release.table1()):
        assert shown._repr_html_()


def test_nothing_delivered_becomes_markup() -> None:
    table = y90.Table1(("", "<b>"), (("<script>", "1"),), "a & b")
    assert "<script>" not in table.to_html()
    assert "&lt;b&gt;" in table.to_html()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda r: r.km("XX"), r"endpoint 'XX': there are .*OS"),
        (lambda r: r.km("OS", by="nope"), "factor 'nope': there are"),
        (lambda r: r.table("survival_median"), "Near: survival_medians"),
        (lambda r: r.table("attrition", nope=1), "column nope: attrition has population"),
        (lambda r: r.stat("survival_medians.all.os"), r"Near: survival_medians\.all\."),
        (lambda r: r.waterfall("who"), "there are .*WHO"),
        (lambda r: r.waterfall("WHO", unit="organ"), "there are subject, lesion"),
        (lambda r: r.table1(by="nope"), "nothing is published"),
        (lambda r: y90.open("nope", store=r.path.parents[1]), "There are 2011"),
    ],
)
def test_what_there_is_not_is_named_with_what_there_is(
    ask: object, said: str, release: y90.Release
) -> None:
    with pytest.raises(y90.NotThere, match=said):
        ask(release)  # type: ignore[operator]


def test_two_releases_are_compared_by_their_statistics(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    head = "| statistic_id | label | value | unit | method | definition | population_set |"
    rule = "| --- | --- | --- | --- | --- | --- | --- |"
    for night, rows in (
        ("2020.01.01", ("| a | A | 1 | % | m | d | p |", "| b | B | 2 | % | m | d | p |")),
        ("2020.01.02", ("| a | A | 1 | % | m | d | p |", "| c | C | 3 | % | m | d | p |")),
    ):
        publish(store, night, {"outcomes.statistics": "\n".join((head, rule, *rows))})
    found = y90.open("2020.01.02", store=store.root).diff("2020.01.01").to_pylist()
    assert [(row["statistic_id"], row["old"], row["new"]) for row in found] == [
        ("b", 2.0, None),
        ("c", None, 3.0),
    ]


def test_it_needs_nothing_of_the_pipeline(release: y90.Release) -> None:
    """In a process that sees the package alone, reading a table brings in none of these."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import y90; "
        f"n = y90.open({str(release.path)!r}).table('attrition').num_rows; "
        "heavy = {'prefect', 'ibis', 'pandas', 'pandera', 'lifelines', 'flows', 'warehouse', "
        "'transforms', 'schemas', 'report', 'analytics'} & {m.split('.')[0] for m in sys.modules}; "
        "print(n, sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert re.fullmatch(r"\d+ \[\]", done.stdout.strip()), done.stderr


def test_the_examples_of_its_page_run(
    release: y90.Release, reference_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "y90" / "README.md").read_text("utf-8")
    (block,) = re.findall("```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "store").symlink_to(reference_store.root)
    exec(block.replace("2011.02.28", release.id), {})
    written = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert written == {"os.pdf", "waterfall.svg", "swimmer.png", "table1.docx"}


def test_a_query_sees_every_table(release: y90.Release) -> None:
    (row,) = release.sql(
        "SELECT (SELECT count(*) FROM outcomes.attrition) AS n, count(*) AS m FROM marts.subjects"
    ).to_pylist()
    assert row == {"n": release.table("outcomes.attrition").num_rows, "m": 40}
    assert isinstance(release.table("attrition"), pa.Table)

"""Every column of every table in Title and in UPPER case, through one whole `y90 run`.

One night for both spellings, because nothing less goes through harmonising, judging, deriving and
publishing alike. It is dear where nothing is compiled yet: every table is loaded in two shapes.
"""

from pathlib import Path

import duckdb
import pytest

from flows.__main__ import main
from schemas.contract import Column, columns, table_name
from schemas.tables.registry import TABLES
from transforms.intake.names import OURS_ALONE

NIGHT = "2021-03-20"
SPELLED = {"title": str.title, "upper": str.upper}
OWN = ("site_id", "subject_id", "row_id", "receipt_id", "source_key")
"""What differs from site to site."""
SAID = {"patient_id": "P1", "unit": "mg/dL", "analyte": "bilirubin", "lab_time": "09:00",
        "birth_year": "1950", "endpoint": "OS"}  # fmt: skip


def cell(c: Column) -> str:
    """A value that the column takes."""
    if c.name in SAID:
        return SAID[c.name]
    if c.codes:
        return c.codes[0]
    if c.dtype.is_date():
        return "2020-03-01"
    if c.dtype.is_timestamp():
        return "2020-03-01 10:00"
    if c.dtype.is_decimal() and c.below == 1:
        return "0.05"
    return "1"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store after the night of two sites that deliver the same under two spellings."""
    root = tmp_path_factory.mktemp("headers")
    (root / "sites").mkdir()
    names = ", ".join(f'"{site}"' for site in SPELLED)
    (root / "registry.toml").write_text(f'registry = "headers"\nsites = [{names}]\n')
    for site, spell in SPELLED.items():
        (root / "sites" / f"{site}.toml").write_text(f'site_id = "{site}"\norigin = "synthetic"\n')
        folder = root / "store" / "inbox" / site / NIGHT
        folder.mkdir(parents=True)
        for contract in TABLES:
            given = [c for c in columns(contract) if c.name not in OURS_ALONE]
            lines = [",".join(spell(c.name) for c in given), ",".join(map(cell, given))]
            (folder / f"{table_name(contract)}.csv").write_text("\n".join(lines) + "\n")
    where = ["--config", str(root / "registry.toml"), "--store", str(root / "store")]
    assert main(["run", "--direct", "--as-of", NIGHT, "--no-settle", *where]) == 0
    return root / "store"


@pytest.mark.parametrize("contract", TABLES, ids=table_name)
def test_every_column_is_read_whatever_the_case_of_its_name(store: Path, contract: type) -> None:
    """The accepted row is the same, and every cell of it is filled in."""
    name = table_name(contract)
    rows = {}
    for site in SPELLED:
        (path,) = (store / "raw" / site).rglob(f"registry/{name}.parquet")
        found = duckdb.sql(f"SELECT * FROM '{path}'")
        (row,) = found.fetchall()
        rows[site] = {n: v for n, v in zip(found.columns, row, strict=True) if n not in OWN}
    assert rows["title"] == rows["upper"]
    given = {c.name for c in columns(contract)} - set(OURS_ALONE)
    assert [n for n in given if rows["title"][n] is None] == []


def test_every_published_table_says_the_same_of_both_sites(store: Path) -> None:
    """Row by row, but for names of site, patient and row, and for the factor that is the site.

    Nothing is degraded or unused.
    """
    (release,) = (store / "releases").iterdir()
    for path in sorted((release / "parquet" / "marts").glob("*.parquet")):
        names = duckdb.sql(f"SELECT * FROM '{path}'").columns
        if "subject_id" not in names:
            continue
        shown = [n for n in names if n not in OWN and not n.endswith(("row_id", "row_ids"))]
        said = ", ".join(f'"{n}"' for n in shown)
        texts = ", ".join(f'"{n}"::VARCHAR' for n in shown)
        counts = duckdb.sql(
            f"SELECT DISTINCT count(*) % 2 FROM '{path}' "
            f"WHERE NOT list_has_any([{texts}], {list(SPELLED)}) GROUP BY {said}"
        ).fetchall()
        assert counts in ([], [(0,)]), path.stem
    told = duckdb.sql(
        f"SELECT degraded, unused FROM '{release / 'parquet' / 'quality' / 'deliveries.parquet'}'"
    ).fetchall()
    assert told == [(False, None)] * 2

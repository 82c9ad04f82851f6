"""Site files that are guessed of foreign exports are right or silent, and pass `check`."""

import shutil
import tomllib
from datetime import date
from pathlib import Path

import pytest

from schemas.site import Site
from schemas.site_rules import breaches
from tests.support.foreign import ABOUT, MEASURED, as_toml, centres, guessed, measured, score
from warehouse.receiving.check import check

OPEN = centres(blind=False)
SHAPES = ("1_", "2_", "4_", "9_")
"""A workbook, REDCap with repeats, blocks side by side, and a longitudinal project."""


def of_a_shape(centre: Path) -> object:
    """A centre, marked as long where another one has its shape."""
    return pytest.param(centre, marks=() if centre.name.startswith(SHAPES) else pytest.mark.long)


@pytest.mark.long
def test_the_page_shows_what_is_measured() -> None:
    numbers = measured()
    assert MEASURED.read_text("utf-8") == as_toml(numbers), (
        "run `python -m tests.support.foreign`, then `make docs`"
    )
    tuned = numbers["tuned"]
    assert tuned["wrong"] < 0.02 * tuned["written"]
    assert tuned["right"] > 0.75 * tuned["wanted"]


@pytest.mark.parametrize("centre", [of_a_shape(c) for c in OPEN], ids=lambda c: c.name)
def test_a_guessed_file_takes_rows_into_every_table_that_it_writes(
    centre: Path, tmp_path: Path
) -> None:
    site = Site.model_validate(tomllib.loads(guessed(centre)))
    assert not list(breaches(site))
    for path in centre.iterdir():
        if path.name not in ABOUT:
            shutil.copy(path, tmp_path)
    found = check(tmp_path, site, date(2026, 1, 1))
    assert not found.worth.refused
    received = {c.table: c for c in found.tables}
    assert set(received) == set(site.tables)
    assert all(c.accepted > 0.9 * (c.received - c.empty) for c in found.tables)


def test_a_wrong_line_is_counted_as_wrong(tmp_path: Path) -> None:
    """The measure itself: a right mapping that names another field makes the written line wrong."""
    centre = tmp_path / "centre"
    shutil.copytree(next(c for c in OPEN if c.name == "3_italian_csv"), centre)
    whole = score(centre)
    mapping = centre / "mapping.csv"
    text = mapping.read_text("utf-8")
    other = text.replace(
        "patients,ki67_pct,anagrafica.csv,,ki67_perc", "patients,ki67_pct,anagrafica.csv,,provincia"
    )
    mapping.write_text(
        other.replace("misure.csv,,diam_max_cm,,cm", "misure.csv,,diam_max_cm,,mm"), "utf-8"
    )
    changed = score(centre)
    assert (whole.wrong, changed.wrong) == (0, 2)
    assert changed.right == whole.right - 2

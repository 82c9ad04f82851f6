"""The committed answers of R, and the rows that they are of.

The scripts that made them lie beside them in `r/`; R itself is not needed.
"""

import csv
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

R_ANSWERS = Path(__file__).parent / "r"
Rows = list[dict[str, str]]


@cache
def answers(name: str) -> Any:
    """What a script of R answered, by the script's name."""
    return json.loads((R_ANSWERS / f"{name}.json").read_text("utf-8"))


@cache
def _rows(name: str) -> Rows:
    with (R_ANSWERS / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows(name: str, **wanted: str) -> Rows:
    """The rows of a data set, those with certain values."""
    return [r for r in _rows(name) if all(r[column] == value for column, value in wanted.items())]


def column(given: Rows, name: str) -> npt.NDArray[np.float64]:
    """A column as numbers, each the nearest to its text."""
    return np.array([float(r[name]) for r in given])


def numbers(values: Iterable[Any]) -> npt.NDArray[np.float64]:
    """Numbers of which None, as R's NA, is nan."""
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)

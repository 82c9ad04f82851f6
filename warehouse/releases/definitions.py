"""What the definitions of two releases consist of, and in what they differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

PLACE = "parquet/quality/definitions.parquet"
NOTE = (
    "{release} was published before definitions were read off the code: it names whole sections of "
    "the settings. Definitions are not compared."
)

Consists = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class BothDefinitions:
    """Definition -> key -> value, of two releases."""

    left: Consists
    right: Consists
    known: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def differ_in(self, left: str | None, right: str | None) -> tuple[str, ...]:
        """The keys whose values differ between two definitions; empty where one is not told."""
        if left is None or right is None or left not in self.left or right not in self.right:
            return ()
        if (left, right) not in self.known:
            before, after = self.left[left], self.right[right]
            self.known[left, right] = tuple(
                key for key in sorted({*before, *after}) if before.get(key) != after.get(key)
            )
        return self.known[left, right]


def told_by(release: Path) -> bool:
    """Whether a release tells what its definitions consist of."""
    return (release / PLACE).exists()


def comparable(left: Path, right: Path) -> bool:
    """Whether both releases have their definitions from the same rule."""
    return told_by(left) == told_by(right)


def of_both(con: duckdb.DuckDBPyConnection, left: Path, right: Path) -> BothDefinitions:
    """What the definitions of two releases consist of."""
    return BothDefinitions(_of(con, left), _of(con, right))


def _of(con: duckdb.DuckDBPyConnection, release: Path) -> Consists:
    consists: dict[str, dict[str, str]] = {}
    if told_by(release):
        sql = "SELECT definition, key, value FROM read_parquet(?)"
        for definition, key, value in con.execute(sql, [str(release / PLACE)]).fetchall():
            consists.setdefault(definition, {})[key] = value
    return consists

"""Numbers that a history has computed, kept in the store's state: each is computed once."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.account.scenarios import Answer
from warehouse.fingerprints import sha256_of
from warehouse.store import Store, make_private, write_atomically

NUMBERS = tuple(f.name for f in fields(Answer))
SCHEMA = pa.schema(
    [
        ("recipe", pa.string()),
        ("answered", pa.bool_()),
        *((n, pa.int64() if n in ("n", "total") else pa.float64()) for n in NUMBERS),
        ("reason", pa.string()),
        ("undated_edits", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A number that was computed again, or why there is none."""

    answer: Answer | None
    reason: str
    undated_edits: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What has been computed of one number, by what it follows from."""

    path: Path
    rows: dict[str, Rebuilt] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, store: Store, statistic: str) -> "Kept":
        """What is kept of a number; a file that cannot be read is one that is not there."""
        path = store.state / "history" / f"{sha256_of(statistic)[:32]}.parquet"
        try:
            table = pq.read_table(path, schema=SCHEMA)
        except (OSError, pa.ArrowException):
            return cls(path)
        return cls(path, {r["recipe"]: _rebuilt(r) for r in table.to_pylist()})

    def write(self) -> None:
        """Keep what was used this time; the rest will not be asked for again."""
        make_private(self.path.parent)
        told = [_row(recipe, self.rows[recipe]) for recipe in sorted(self.used)]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(told, schema=SCHEMA), sink)
        write_atomically(self.path, sink.getvalue().to_pybytes(), private=True)


def _rebuilt(row: dict[str, Any]) -> Rebuilt:
    answer = Answer(**{n: row[n] for n in NUMBERS}) if row["answered"] else None
    return Rebuilt(answer, row["reason"], row["undated_edits"])


def _row(recipe: str, one: Rebuilt) -> dict[str, Any]:
    numbers = asdict(one.answer) if one.answer else {}
    facts = {"reason": one.reason, "undated_edits": one.undated_edits}
    return {"recipe": recipe, "answered": one.answer is not None, **numbers, **facts}

"""Response and toxicity against a second implementation, row by row.

The hand-written queries of the benchmark were written from the rules, not from the derivations, and
in another way: long where these are wide, self-joins where these have windows. Both derive the same
invented patients, who have second readers and modalities, scans that cannot be evaluated, censored
results, other units and missing limits.
"""

from pathlib import Path

from benchmarks.invented import fill
from benchmarks.marts import MARTS, by_hand, derive
from warehouse.engine.embedded import engine


def test_every_row_of_response_and_toxicity_is_the_same_when_written_by_hand(
    tmp_path: Path,
) -> None:
    found: dict[str, int] = {}
    with engine(tmp_path / "both.duckdb") as con:
        fill(con, 400)
        for what, tables in MARTS.items():
            derive(con, what)
            con.raw_sql(by_hand(what))
            for ours, theirs in tables.items():
                names = ", ".join(f'"{name}"' for name in con.table(ours).columns)
                for one, other in ((ours, theirs), (theirs, ours)):
                    (n,) = con.raw_sql(
                        f"SELECT count(*) FROM (SELECT {names} FROM {one} "
                        f"EXCEPT ALL SELECT {names} FROM {other})"
                    ).fetchone()
                    found[f"rows of {one} that {other} has not"] = n
                assert con.table(ours).count().execute() > 0
    assert found == dict.fromkeys(found, 0)

"""The names that releases published before this naming use, and the same tables under today's.

A release whose database is still called outcomes.duckdb says `who` for WHO, `window` for
`time_window`, and has ids with empty parts and dots inside a part. It is never rewritten: where it
is compared, its tables are read under today's names, and the account says so.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from schemas.contract import column_names, options, published_name, table_name
from schemas.tables import outcomes
from warehouse.engine.connections import connection
from warehouse.engine.quoting import literal, read_parquet
from warehouse.releases.database import BEFORE, RELEASED

CRITERIA = {"who": "WHO", "easl": "EASL", "recist11": "RECIST 1.1", "mrecist": "mRECIST"}
COLUMNS = {"window": "time_window", "group": "patient_group", "limit": "allowed"}
RESERVED = {
    "marts/eligibility": ("limit", "allowed"),
    "outcomes/dosimetry_summary": ("group", "patient_group"),
}
"""Words of SQL that were still names of columns after the other names had changed."""
ADDED = {
    "response_summary": ("organ", "lesions"),
    "subject_assessments": ("organ",),
    "subject_response": ("organ",),
}
"""Keys that these tables did not have: their rows were of all organs and all lesions."""
CRITERION_COLUMNS = ("criterion", "criterion_a", "criterion_b")
ID_COLUMNS = ("statistic_id", "own_statistic_id", "base_statistic_id", "set_id")
NOT_COMPARED = ("label", "definition", "population_set", "numerator_set")
"""What a statistic says of itself in words or hashes: these differ by the naming alone."""
_ALL = r".\1.all.all.\2confirmed"
"""Shares of responders were of the whole patient, and of all lesions."""
NOTE = (
    "{release} was published under the former names (criterion who, now WHO; column window, now "
    "time_window; ids such as survival_medians.all.os.subject...midpoint, now "
    "survival_medians.all.os.subject.overall.overall.midpoint). It is compared under today's "
    "names; its labels and definitions are not compared. See CHANGELOG.md."
)


def used_by(release: Path) -> bool:
    """Whether a release was published under the former names."""
    return (release / BEFORE).exists()


def renamed_id(column: str) -> str:
    """SQL for an id of a statistic or a member set under today's names."""
    text = f"lower({column})"
    for sign, word in (("<=", "le"), (">=", "ge"), ("<", "lt"), (">", "gt")):
        text = f"replace({text}, '{sign}', '{word}')"
    for version in ("3.0", "4.03", "5.0"):
        text = f"replace({text}, '.{version}.', '.{version.replace('.', '_')}.')"
    text = f"replace({text}, 'recist11', 'recist_1_1')"
    text = f"regexp_replace({text}, '(le|ge|lt|gt)(\\d+)\\.(\\d+)', '\\1\\2_\\3', 'g')"
    text = f"regexp_replace({text}, '[^\\p{{L}}\\p{{N}}_:.-]+', '_', 'g')"
    text = f"regexp_replace({text}, '[.](lesion|subject)[.](un)?confirmed', '{_ALL}')"
    text = f"replace(replace({text}, '..', '.overall.'), '..', '.overall.')"
    return f"regexp_replace({text}, '\\.$', '.overall')"


def under_todays_names(release: Path, to: Path) -> Path:
    """The Parquet of a release under today's names, in a folder of its own.

    Args:
        release: the folder of a release that uses the former names.
        to: an empty folder; tables whose names are the same are linked into it.

    Returns:
        `to`, with parquet/<schema>/<table>.parquet.
    """
    today = {f"{options(c).schema}/{published_name(c)}": column_names(c) for c in RELEASED}
    with connection() as con:
        for path in sorted((release / "parquet").glob("*/*.parquet")):
            place = path.relative_to(release / "parquet")
            (to / "parquet" / place).parent.mkdir(parents=True, exist_ok=True)
            _table(
                con, path, to / "parquet" / place, today.get(place.with_suffix("").as_posix(), ())
            )
    return to


def has_reserved_columns(release: Path) -> bool:
    """Whether a release has columns that SQL takes for words of its own."""
    return any(_is_named(release, place, old) for place, (old, _) in RESERVED.items())


def under_todays_columns(release: Path, to: Path) -> Path:
    """The Parquet of a release with today's names of those columns, in a folder of its own."""
    with connection() as con:
        for path in sorted((release / "parquet").glob("*/*.parquet")):
            place = path.relative_to(release / "parquet")
            target = to / "parquet" / place
            target.parent.mkdir(parents=True, exist_ok=True)
            old, new = RESERVED.get(place.with_suffix("").as_posix(), ("", ""))
            if old and _is_named(release, place.with_suffix("").as_posix(), old):
                con.execute(
                    f'COPY (SELECT * RENAME ("{old}" AS {new}) FROM read_parquet($path)) '
                    f"TO '{target}' (FORMAT parquet)",
                    {"path": str(path)},
                )
            else:
                target.symlink_to(path.resolve())
    return to


def _is_named(release: Path, place: str, column: str) -> bool:
    path = release / "parquet" / f"{place}.parquet"
    return path.exists() and column in pq.read_schema(path).names


def _table(con: duckdb.DuckDBPyConnection, path: Path, to: Path, today: tuple[str, ...]) -> None:
    described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    names = [row[0] for row in described]
    replaced = _replaced(names, path.stem)
    renamed = {old: new for old, new in COLUMNS.items() if old in names and new in today}
    added = [n for n in ADDED.get(path.stem, ()) if n not in names]
    if not replaced and not renamed and not added:
        to.symlink_to(path.resolve())
        return
    selected = ", ".join(f'{replaced.get(n, _quoted(n))} AS "{renamed.get(n, n)}"' for n in names)
    selected += "".join(f", 'all' AS {name}" for name in added)
    con.execute(
        f"COPY (SELECT {selected} FROM {read_parquet(path)}) TO {literal(to)} (FORMAT parquet)"
    )


def _replaced(names: list[str], table: str) -> Mapping[str, str]:
    """Column -> SQL of its values under today's names."""
    branches = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in CRITERIA.items())
    replaced = {
        n: f"CASE {_quoted(n)} {branches} ELSE {_quoted(n)} END"
        for n in names
        if n in CRITERION_COLUMNS
    }
    replaced |= {n: renamed_id(_quoted(n)) for n in names if n in ID_COLUMNS}
    if table == table_name(outcomes.Sensitivity):
        base = f"regexp_replace({replaced['base_statistic_id']}, '[.]', '_', 'g')"
        setting = "replace(setting, '.', '_')"
        other = "CASE alternative WHEN '>=' THEN 'ge' WHEN '>' THEN 'gt' ELSE alternative END"
        replaced["statistic_id"] = (
            f"concat_ws('.', '{table}', lower(population), {base}, {setting}, "
            f"lower(replace({other}, '.', '_')))"
        )
    return replaced


def _quoted(column: str) -> str:
    return f'"{column}"'

"""Count the rows behind a spelling that is none of ours, and name the words of ours nearest to it.

A name, unit or term that is not known is told once, at its first row. Beside it stands how many
rows have it, and, of names and terms, what of our lists is spelled nearly so. Nothing told here is
the centre's text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.records.analytes import NAMES
from schemas.records.ctcae_terms import TERMS
from schemas.words import PARTS
from warehouse.engine.protocol import Engine, one_row
from warehouse.loading.validate import ROW

NEAREST = 3
"""So many words of ours are named."""
WHOLE_WORD = 5
"""A word of ours of so many letters inside a longer text is near to it."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """A rule that is told once for each spelling, and the columns that make the spelling."""

    rule_id: str
    table: str
    column: str
    beside: tuple[str, ...] = ()


SPELLED = (
    Spelled("labs.unknown_unit", "labs", "unit", ("analyte",)),
    Spelled("labs.unknown_analyte", "labs", "analyte"),
    Spelled("adverse_events.unknown_term", "adverse_events", "term"),
)


def detail(con: Engine, names: Iterable[str]) -> None:
    """Make `detail_<table>`: row, rule and what is told beside it, of tables that were judged."""
    con.raw_sql("CREATE TABLE our_words (rule_id VARCHAR, word VARCHAR, meaning VARCHAR)")
    con.con.executemany("INSERT INTO our_words VALUES (?, ?, ?)", list(_words()))
    for name in names:
        con.raw_sql(f"CREATE TABLE detail_{name} ({ROW} BIGINT, rule_id VARCHAR, detail VARCHAR)")
    for spelled in (s for s in SPELLED if s.table in set(names)):
        (there,) = one_row(
            con, f"SELECT count(*) FROM bad_{spelled.table} WHERE rule_id = '{spelled.rule_id}'"
        )
        if there:
            con.raw_sql(f"INSERT INTO detail_{spelled.table} {_sql(spelled)}")


def _words() -> Iterator[tuple[str, str, str]]:
    """Rule, a word's plain form, and what it means."""
    for code, plain in NAMES.items():
        yield from (("labs.unknown_analyte", word, code) for word in plain)
    for term in TERMS:
        words = sorted(term.spellings())
        yield from (("adverse_events.unknown_term", word, term.term) for word in words)


def _sql(spelled: Spelled) -> str:
    """SQL for the rows of one rule with their counts and the nearest words, by edit distance."""
    table, lower = spelled.table, f'lower("{spelled.column}")'
    by = ", ".join([*spelled.beside, f"{lower} AS spelling"])
    same = ["spelling", *spelled.beside]
    return f"""
        WITH first AS (
          SELECT {ROW}, {by} FROM left_{table} WHERE {ROW} IN
            (SELECT {ROW} FROM bad_{table} WHERE rule_id = '{spelled.rule_id}')
        ), counted AS (
          SELECT {", ".join(same)}, count(*) AS n FROM (SELECT {by} FROM left_{table})
          WHERE spelling IN (SELECT spelling FROM first) GROUP BY ALL
        ), plain AS (
          SELECT {ROW}, n, left(regexp_replace(spelling, '{PARTS}', '', 'g'), 60) AS word
          FROM first JOIN counted USING ({", ".join(same)})
        ), near AS (
          SELECT {ROW}, meaning, min(CASE WHEN length(ours.word) >= {WHOLE_WORD}
              AND contains(plain.word, ours.word) THEN 0
              ELSE damerau_levenshtein(plain.word, ours.word) END) AS distance
          FROM plain JOIN our_words ours ON ours.rule_id = '{spelled.rule_id}'
          GROUP BY ALL
        ), named AS (
          SELECT {ROW}, string_agg(meaning, ', ' ORDER BY distance, meaning) AS nearest
          FROM (SELECT near.*, row_number() OVER
                  (PARTITION BY {ROW} ORDER BY distance, meaning) AS place
                FROM near JOIN plain USING ({ROW})
                WHERE distance <= greatest(1, length(word) // 4))
          WHERE place <= {NEAREST} GROUP BY {ROW}
        )
        SELECT {ROW}, '{spelled.rule_id}', n || CASE n WHEN 1 THEN ' row' ELSE ' rows' END
          || coalesce('; nearest of ours: ' || nearest, '')
        FROM plain LEFT JOIN named USING ({ROW})"""

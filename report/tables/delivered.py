"""What was delivered, and what was found in it."""

from report.figures import words
from report.figures.model import Table, table
from report.figures.source import Connection, fetched
from schemas.contract import options, table_name
from schemas.records.findings import BY_ID, CROSS_RULES
from schemas.tables.registry import TABLES


def deliveries(con: Connection) -> Table:
    """Rows received, and what became of them."""
    found = fetched(
        con,
        "SELECT site_id, table_name, received, empty, accepted, quarantined, other_group "
        "FROM quality.row_counts ORDER BY ALL",
    )
    return table(
        "deliveries",
        "What was delivered, and what was set aside",
        ("centre", "table", "received", "empty", "accepted", "set aside", "of other groups"),
        tuple((s, words.plain(t), *map(str, counts)) for s, t, *counts in found),
        ("Rows received are empty, accepted, set aside or another centre's.",),
    )


def findings(con: Connection) -> Table:
    """What was found in the deliveries: a line for each centre, column and rule, with examples."""
    found = fetched(
        con,
        "SELECT site_id, outcome, table_name, column_name, rule_id, "
        "count(DISTINCT (source_file, source_row)) AS n, "
        "list_sort(list_distinct(list((source_file, source_row))))[:3] AS examples FROM ("
        "SELECT *, 'set aside' AS outcome, NULL AS detail FROM quality.quarantine "
        "UNION ALL BY NAME SELECT *, 'loaded' AS outcome FROM quality.findings) "
        "GROUP BY ALL ORDER BY outcome DESC, n DESC, site_id, table_name, column_name, rule_id",
    )
    return table(
        "findings",
        "What was found in the deliveries",
        ("centre", "rows", "", "column", "what is wrong", "for instance"),
        tuple(
            (
                *(site, str(n), outcome, f"{words.plain(name)}: {words.plain(column)}"),
                *(_meaning(name, rule, column), _places(examples)),
            )
            for site, outcome, name, column, rule, n, examples in found
        ),
        ("A row that is set aside counts in nothing; one that is loaded counts without the cell.",),
        empty="Nothing was found.",
    )


def _meaning(name: str, rule: str, column: str) -> str:
    """A rule in its own words."""
    if rule in BY_ID:
        return BY_ID[rule].meaning.format(column=words.plain(column))
    own = {r.rule_id: r.meaning for c in TABLES if table_name(c) == name for r in options(c).rules}
    between = {r.rule_id: r.meaning for r in CROSS_RULES}
    return (own | between).get(rule, words.plain(rule))


def _places(examples: list[tuple[str, int]]) -> str:
    return ", ".join(f"{file} row {row}" for file, row in examples)

"""How many delivered rows does the flow of patients not stand on? Those that broke a rule.

A patient whose death was set aside is still counted, as alive; whoever reads the flow of patients
must see that such rows exist. The first step of `attrition` says how many, of which table; which
rows and why is in `quality.quarantine`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

WORDS = "rows set aside: "


def note_set_aside(con: Any, row_counts: Sequence[Path]) -> None:
    """Say it in the note of the first step, for all sites and for each.

    Args:
        con: the engine that holds `attrition`.
        row_counts: each site's quality table of that name.
    """
    con.raw_sql(
        f"""
        WITH set_aside AS (
            SELECT site_id, table_name, quarantined::BIGINT AS n
            FROM read_parquet(?) WHERE quarantined > 0
        ), counted AS (
            SELECT 'site:' || site_id AS population, table_name, n FROM set_aside
            UNION ALL SELECT 'all', table_name, sum(n)::BIGINT FROM set_aside GROUP BY table_name
        ), notes AS (
            SELECT population, string_agg(n || ' of ' || table_name, ', ' ORDER BY table_name) AS of
            FROM counted GROUP BY population
        )
        UPDATE attrition SET note = '{WORDS}' || notes.of FROM notes
        WHERE attrition.population = notes.population AND attrition.step = 0
        """,
        parameters=[[str(path) for path in row_counts]],
    )

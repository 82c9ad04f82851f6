"""Lend columns of one raw table to another one of the same delivery.

The date of a visit stands on its own form, a modality in the file of the scans: a row takes them
from the row of the other table that has the same record and event, or the same values in the
columns that the site file names. Where the rows there say several things, it takes none of them.
"""

from collections.abc import Mapping
from pathlib import Path

from schemas.errors import BadConfiguration
from schemas.site import Site
from schemas.spelling import meant
from transforms.intake.names import codes_of, lent_name
from warehouse.engine.connections import connection
from warehouse.engine.quoting import identifier, literal
from warehouse.intake.reading_key import Loan, loans
from warehouse.intake.redcap.instruments import EVENT

PLACE = ("source_file", "source_row", "source_key")


def lend(tables: dict[str, Path], site: Site) -> list[str]:
    """Add the columns that the site file borrows to the tables that borrow them.

    Returns:
        Notices: how many rows found several values.

    Raises:
        BadConfiguration: a table or a column that it names is not there.
    """
    notices = []
    for loan, names in loans(site).items():
        if loan.here in tables and loan.there in tables:
            several = _lend(tables, loan, names, site)
            if several:
                notices.append(
                    f"{loan.here}: {several} rows found several values in {loan.there}; they have "
                    "none of it"
                )
    return notices


def _lend(tables: Mapping[str, Path], loan: Loan, names: list[str], site: Site) -> int:
    """Join the columns to a table, and count its rows for which they say several things."""
    to, of, on = tables[loan.here], tables[loan.there], loan.on
    with connection() as con:
        for name, path in (("a", to), ("b", of)):
            con.read_parquet(str(path)).create_view(name)
        ours, theirs = (con.sql(f"FROM {t} LIMIT 0").columns for t in ("a", "b"))
        pairs = [(_one(n, ours, site), _one(n, theirs, site)) for n in on or _record(ours, theirs)]
        given = {lent_name(loan.there, n, dict(loan.among)): _one(n, theirs, site) for n in names}
        same = " AND ".join(f"a.{identifier(x)} = b.k{n}" for n, (x, _) in enumerate(pairs))
        keys = ", ".join(f"{identifier(y)} AS k{n}" for n, (_, y) in enumerate(pairs))
        cells = ", ".join(
            f"CASE WHEN count(DISTINCT {n}) = 1 THEN any_value({n}) END AS c{i}, "
            f"count(DISTINCT {n}) > 1 AS s{i}"
            for i, n in enumerate(map(identifier, given.values()))
        )
        last = [n for n in PLACE if n in ours]
        own = ", ".join(f"a.{identifier(n)}" for n in ours if n not in last)
        new = ", ".join(f"b.c{i} AS {identifier(n)}" for i, n in enumerate(given))
        some = _rows(loan, theirs, site)
        joined = f"FROM a LEFT JOIN (SELECT {keys}, {cells} FROM b{some} GROUP BY ALL) b ON {same}"
        several = " OR ".join(f"b.s{i}" for i in range(len(given)))
        (count,) = con.sql(f"SELECT count(*) FILTER (WHERE {several}) {joined}").fetchone() or (0,)
        fresh = to.with_suffix(".lent")
        con.execute(
            f"COPY (SELECT {own}, {new}, {', '.join(f'a.{n}' for n in last)} {joined} "
            f"ORDER BY a.source_file, a.source_row) TO '{fresh}' (FORMAT parquet, COMPRESSION zstd)"
        )
    fresh.replace(to)
    return int(count)


def _rows(loan: Loan, theirs: list[str], site: Site) -> str:
    """SQL that takes only the rows which may lend."""
    asked = [
        f"trim({identifier(_one(name, theirs, site))}) IN ({', '.join(map(literal, codes_of(of)))})"
        for name, of in loan.among
    ]
    return f" WHERE {' AND '.join(asked)}" if asked else ""


def _record(ours: list[str], theirs: list[str]) -> list[str]:
    """REDCap's record, which stands first in each instrument, and the event."""
    return [ours[0], *([EVENT] if EVENT in ours and EVENT in theirs else [])]


def _one(name: str, names: list[str], site: Site) -> str:
    found = meant(name, names)
    if len(found) != 1:
        raise BadConfiguration(
            f"sites/{site.site_id}.toml: {name}: no column of the table that it is to be taken "
            "from, or joined by. Correct the site file, or the export."
        )
    return found[0]

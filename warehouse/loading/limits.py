"""Give laboratory rows without limits of normal those that the site file has for the analyte.

A row that has a limit of its own, or one that could not be read, keeps what it has: limits are
never mixed. Limits by sex are for patients whose sex is known.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from schemas.records.analytes import CANONICAL_LAB_UNIT, COUNTS, LAB_UNITS
from schemas.records.lab_words import unit_of
from schemas.site import Limits, Site
from warehouse.engine.protocol import Engine

EXACT = Fraction(1, 10**6)
Given = tuple[str, str, Decimal | None, Decimal | None, str | None]


def give(con: Engine, site: Site, tables: set[str]) -> None:
    """Fill the limits of rows of labs that were harmonised."""
    if not site.limits or "labs" not in tables:
        return
    con.raw_sql(
        "CREATE TABLE given_limits (analyte VARCHAR, unit VARCHAR, low DECIMAL(18, 6), "
        "high DECIMAL(18, 6), sex VARCHAR)"
    )
    rows = [list(row) for row in _rows(site)]
    con.con.executemany("INSERT INTO given_limits VALUES (?, ?, ?, ?, ?)", rows)
    sexes = "SELECT patient_id, max(sex) AS sex FROM all_patients GROUP BY 1 HAVING count(DISTINCT "
    known = f"{sexes}sex) = 1" if "patients" in tables else "SELECT NULL AS patient_id, NULL AS sex"
    con.raw_sql(
        f"""UPDATE all_labs SET lower_limit = found.low, upper_limit = found.high FROM (
              SELECT row_id_.rowid AS place, arg_min(g, g.sex IS NULL) AS found
              FROM all_labs row_id_ JOIN given_limits g
                ON g.analyte = row_id_.analyte AND g.unit = row_id_.unit
              LEFT JOIN ({known}) s ON s.patient_id = row_id_.patient_id
              WHERE (g.sex IS NULL OR g.sex = s.sex)
                AND row_id_.lower_limit IS NULL AND row_id_.upper_limit IS NULL
                AND row_id_.unread_lower_limit IS NULL AND row_id_.unread_upper_limit IS NULL
              GROUP BY ALL
            ) WHERE all_labs.rowid = place"""
    )


def _rows(site: Site) -> Iterator[Given]:
    """Every limit in its unit and, where that is exact, in the analyte's conventional one."""
    for analyte, several in site.limits.items():
        for one in (several,) if isinstance(several, Limits) else several:
            unit = unit_of(one.unit, cells=analyte in COUNTS) or one.unit
            low, high = (None if n is None else Decimal(str(n)) for n in (one.lower, one.upper))
            yield analyte, unit, low, high, one.sex
            canonical = CANONICAL_LAB_UNIT.get(analyte, unit)
            by = LAB_UNITS.get(analyte, {}).get(unit)
            if by is not None and canonical != unit:
                both = [None if n is None else Fraction(n) * by for n in (low, high)]
                if all(n is None or n % EXACT == 0 for n in both):
                    exact = [None if n is None else _decimal(n) for n in both]
                    yield analyte, canonical, exact[0], exact[1], one.sex


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)

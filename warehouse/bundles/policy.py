"""What may leave a registry for pooling: every limit in one record, with its measured reason.

Bins, patients and bits were measured on registries of 40 and 100 patients whose whole rows are
known, against somebody who knows everybody's days.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Limit:
    """A number, and why it is this one."""

    value: int
    reason: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of a bundle."""

    small_cell: Limit = Limit(
        5, "counts and changes of fewer patients are withheld, whatever a house allows in public"
    )
    patients: Limit = Limit(
        20, "of fewer, the two decimals of a log-rank test leave a median of seven assignments"
    )
    events: Limit = Limit(10, "of fewer events a curve is a list of them")
    bin_exits: Limit = Limit(
        5, "by month 47 to 90 % of the levels of a factor are certain; by 5 exits 19 to 37 %"
    )
    left_behind: Limit = Limit(5, "who remains after the last bin is a group as well")
    level_patients: Limit = Limit(10, "a level of six leaves seven bits, a level of sixteen 18")
    level_events: Limit = Limit(5, "U of few events tells whose they are; so do few without")
    bits_left: Limit = Limit(
        10, "a thousand ways to assign a factor, or the states of a curve, remain possible"
    )
    decimals_test: Limit = Limit(
        1, "U and V to two decimals give 17 bits away, to one decimal 10.6"
    )
    decimals_ratio: Limit = Limit(2, "pooled coefficients are within 0.09 standard errors")
    digits: Limit = Limit(3, "standard errors, means and covariances, in significant digits")
    decimals_level: Limit = Limit(4, "levels of curves; the bits they give are charged")
    decimals_months: Limit = Limit(2, "restricted means")


POLICY = Policy()
ENDPOINTS = ("OS", "PFS", "TTP", "HPFS")
"""Endpoints with steps and comparisons, in the order in which a budget is spent on them."""


def limits() -> dict[str, Limit]:
    """Every limit by its name."""
    return {f.name: getattr(POLICY, f.name) for f in fields(POLICY)}

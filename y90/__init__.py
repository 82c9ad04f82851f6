"""Read the releases of y90-outcomes: tables, statistics, curves and pictures; nothing is written.

import y90
r = y90.open("current", store="store")
r.km("OS", by="ecog0")
"""

from y90.curves import Curve, Curves
from y90.pictures import Swimmer, Waterfall
from y90.release import NotThere, Release, Statistic, open
from y90.tables import Table1

__all__ = [
    "Curve",
    "Curves",
    "NotThere",
    "Release",
    "Statistic",
    "Swimmer",
    "Table1",
    "Waterfall",
    "open",
]

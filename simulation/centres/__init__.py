"""Two invented centres that know nothing of our names, as tutorials connect them.

The first ten patients of the reference cohort, written as a German department keeps its workbook
and as a French centre keeps its REDCap project. May be imported by flows and tests; it imports
schemas and simulation alone.
"""

from collections.abc import Mapping

from simulation import Write
from simulation.centres import french, german

CENTRES: Mapping[str, Write] = {"german": german.write, "french": french.write}
"""Format -> its writer; no site file of ours reads one before somebody has written it."""

"""What a blank cell means where it does not mean that nothing is known.

A cell that is filled in and cannot be read is not blank: none of these meanings stands for it, and
what rests on it is not evaluable, with the reason `unreadable`.
"""

from collections.abc import Mapping

BLANKS: Mapping[tuple[str, str], str] = {
    ("lesions", "organ"): "The lesion is in the liver.",
    ("lesions", "lobe"): "The lesion's treatment begins at T0.",
    ("lesions", "index_lesion"): "The lesion counts for WHO and EASL.",
    ("lesions", "recist_target"): "The lesion is no RECIST target.",
    ("scans", "evaluable"): "The reader could evaluate the scan.",
    ("scans", "new_lesion"): "No new lesion was seen.",
    ("scans", "non_target"): "There is no non-target disease.",
    ("measurements", "longest_mm"): "A lesion too small to measure has 5 mm.",
    ("measurements", "perpendicular_mm"): "The longest diameter is the only one.",
    ("measurements", "enhancing_longest_mm"): "A lesion too small to measure enhances whole.",
    ("measurements", "enhancing_perpendicular_mm"): "The enhancing part has one diameter.",
}
"""(table, column) -> the meaning of its blank."""

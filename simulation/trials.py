"""Hand over a published trial, digitised: a source that holds only survival times.

Real, not simulated: the times of kmdata/ were reconstructed from published curves by the method of
Guyot et al. (BMC Med Res Methodol 2012;12:9). The row number becomes the patient, with leading
zeros; no date is known, so `as_of` changes nothing.
"""

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent / "kmdata"
README = """PUBLIC, RECONSTRUCTED: not the patients' own data.

Times in months, status and arm of {trial}, reconstructed from the published curve by the
method of Guyot et al. 2012 (R package kmdata, MIT licence). patient_id is the row's number.
"""


def writer(preset: str, source: str, trial: str) -> Callable[[date, Path], None]:
    """A function that writes <preset>.csv from a file of kmdata/."""

    def write(as_of: date, folder: Path) -> None:
        del as_of
        (folder / "README.txt").write_text(README.format(trial=trial), encoding="utf-8")
        with (FOLDER / source).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with (folder / f"{preset}.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(("patient_id", "time", "event", "arm"))
            width = len(str(len(rows)))
            for number, row in enumerate(rows, start=1):
                out.writerow((f"{number:0{width}}", row["time"], row["event"], row["arm"]))

    return write

"""Measure all curves, landmarks, medians and log-rank tests against R's survfit and survdiff.

    python -m benchmarks survival [--patients 1000000]

One table of patients with whole-day times and four factors, written as CSV and as Parquet. Each
side is a fresh process that reads it: R with data.table's fread and the survival package, ours
with DuckDB. R answers one overall curve and, per factor, curves, landmarks and a log-rank test;
ours answer the published tables, which hold these and the hazard ratios.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.measure import against, arguments, peak_mib, say, seconds

FACTORS = ("ecog0", "burden25", "alb35", "bili12")

IN_R = """
suppressMessages({library(data.table); library(survival)})
setDTthreads(2)
d <- fread(commandArgs(TRUE)[1])
months <- c(12, 24, 36, 60) * 30.4375
ask <- function(by) {
  f <- survfit(as.formula(paste("Surv(time, event) ~", by)), d, conf.type = "log-log")
  invisible(list(f, summary(f, times = months, extend = TRUE), quantile(f, 0.5)))
}
ask("1")
for (by in c("ecog0", "burden25", "alb35", "bili12")) {
  ask(by)
  print(survdiff(as.formula(paste("Surv(time, event) ~", by)), d)$chisq, digits = 12)
}
"""

OURS = """
import sys, ibis
from analytics.estimators.event_counts import event_counts, lesion_pairs
from analytics.prognosis.alone import prognosis_univariate
from analytics.outcomes.survival import survival_curves, survival_landmarks, survival_medians
from schemas.contract import empty
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from schemas.tables.intermediate import EndpointCriterion
con = ibis.duckdb.connect()
ibis.set_backend(con)
path, settings = sys.argv[1], SurvivalSettings()
rows = con.read_parquet(path) if path.endswith("parquet") else con.read_csv(path)
who = rows.mutate(subject_id=rows.id, lesion_number=0, endpoint=ibis.literal("OS"),
    start_day=0, time_days=rows.time, event=rows.event == 1)
members = rows.select(subject_id=rows.id, population=ibis.literal("all"))
levels = ibis.union(*(
    rows.select(subject_id=rows.id, factor=ibis.literal(f), endpoint=ibis.literal(""),
        factor_level=(rows[f] == 1).ifelse("bad", "good"), level_number=rows[f], bad=rows[f] == 1)
    for f in ("ecog0", "burden25", "alb35", "bili12")))
beside = PrognosisSettings()
counts = con.create_table(
    "event_counts", event_counts(members, who, levels, prognosis=beside))
pairs = lesion_pairs(members, who)
unjudged = empty(EndpointCriterion)
tables = [survival_curves(counts, pairs, settings=settings),
    survival_landmarks(counts, members, pairs, unjudged, settings=settings),
    survival_medians(counts, members, pairs, unjudged, settings=settings),
    prognosis_univariate(counts, settings=settings)]
for table in tables:
    found = table.to_pyarrow()
for row in found.to_pylist():
    print(row["chi2"])
"""


def write_table(folder: Path, patients: int) -> None:
    """Patients whose factors multiply the hazard, censored between day 100 and 3000."""
    draw = np.random.default_rng(90)
    levels = draw.integers(0, 2, (patients, 4))
    death = draw.exponential(1000 * np.exp(-(levels @ np.array([0.9, 0.4, 0.3, 0.7]))))
    left = draw.uniform(100, 3000, patients)
    columns = {f: levels[:, k] for k, f in enumerate(FACTORS)}
    table = pa.table(
        {
            "id": np.arange(patients),
            "time": np.minimum(death, left).astype(int),
            "event": (death <= left).astype(int),
            **columns,
        }
    )
    pyarrow.csv.write_csv(table, folder / "patients.csv")
    pq.write_table(table, folder / "patients.parquet")


def main() -> None:
    """Print the times of both, from the same CSV and ours from Parquet too."""
    given = arguments(__doc__, patients=1_000_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_table(folder, given.patients)
        (folder / "r.R").write_text(IN_R)

        def ours(kind: str) -> float:
            command = [sys.executable, "-c", OURS, str(folder / f"patients.{kind}")]
            return seconds(lambda: _run(command), given.repeats)

        csv, parquet = ours("csv"), ours("parquet")
        memory = peak_mib(children=True)
        command = ["Rscript", str(folder / "r.R"), str(folder / "patients.csv")]
        theirs = seconds(lambda: _run(command), given.repeats)
        asked = [sys.executable, "-c", OURS, str(folder / "patients.parquet")]
        _agree(_run(asked), _run(command))
    what = f"{given.patients} patients"
    say(
        against(f"{what}, the same CSV", csv, theirs, 1),
        against(f"{what}, ours from Parquet", parquet, theirs, 1),
        f"at most {memory:.0f} MiB",
    )


def _agree(ours: str, theirs: str) -> None:
    """Both print the same log-rank statistics, R in a vector of one."""
    found = {float(line) for line in ours.split("\n") if line not in ("", "None")}
    expected = {float(line.split()[1]) for line in theirs.split("\n") if line}
    assert np.allclose(sorted(found), sorted(expected), rtol=1e-9), (found, expected)


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()

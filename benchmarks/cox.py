"""How fast is a Cox model of five covariates, with all that is published of it, against lifelines?

    python -m benchmarks cox [--patients 100000]

lifelines alone fits one row per patient. Ours counts patients by time and pattern, fits from the
counts to find what cannot be fitted, lets lifelines fit, and adds the concordance and the test of
proportional hazards. Both ask for the same precision; the coefficients are compared.
"""

from functools import partial

import duckdb
import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from analytics.cox import Patterns, concordance, fit, proportional_hazards
from analytics.models import Model, fit_lifelines
from benchmarks.measure import against, arguments, peak_mib, say, seconds

EFFECTS = (0.9, 0.4, 0.3, 0.7, 0.0)
TERMS = tuple(f"factor_{number}" for number in range(len(EFFECTS)))
PRECISION = {"precision": 1e-12}


def invented(patients: int) -> pd.DataFrame:
    """Patients with five factors of two levels, whole-day times, some censored."""
    draw = np.random.default_rng(90)
    levels = draw.integers(0, 2, (patients, len(EFFECTS))).astype(float)
    death = draw.exponential(1000 * np.exp(-(levels @ np.array(EFFECTS))))
    left = draw.uniform(100, 3000, patients)
    frame = pd.DataFrame(levels, columns=list(TERMS))
    return frame.assign(time=np.minimum(death, left).astype(int), event=death <= left)


def ours(con: duckdb.DuckDBPyConnection, patients: pd.DataFrame) -> Model:
    """Everything that a published model needs, counted by the engine as a night does."""
    con.register("patients", patients)
    counted = con.execute("SELECT *, count(*) AS n FROM patients GROUP BY ALL").fetchnumpy()
    levels = np.column_stack([counted[term] for term in TERMS])
    covariates, pattern = np.unique(levels, axis=0, return_inverse=True)
    time, row = np.unique(counted["time"].astype(float), return_inverse=True)
    table = np.zeros((2, time.size, len(covariates)), np.int64)
    np.add.at(table, (counted["event"].astype(int), row, pattern.reshape(-1)), counted["n"])
    patterns = Patterns(covariates, time, events=table[1], censored=table[0])
    assert fit(patterns).converged
    model = fit_lifelines(patterns, TERMS)
    proportional_hazards(patterns, model.coef)
    concordance(patterns, model.coef)
    return model


def theirs(frame: pd.DataFrame) -> CoxPHFitter:
    """The same model by lifelines from the rows."""
    return CoxPHFitter().fit(frame, "time", "event", fit_options=PRECISION)


def main() -> None:
    """Print both times and their ratio."""
    given = arguments(__doc__, patients=100_000)
    frame = invented(given.patients)
    con = duckdb.connect()
    assert np.allclose(
        ours(con, frame).coef, theirs(frame).params_.to_numpy(), rtol=1e-7, atol=1e-9
    )
    sides = (partial(ours, con, frame), partial(theirs, frame))
    times = [seconds(side, given.repeats) for side in sides]
    say(
        against(f"{given.patients} patients, five covariates", *times, 1.5),
        f"at most {peak_mib():.0f} MiB",
    )


if __name__ == "__main__":
    main()

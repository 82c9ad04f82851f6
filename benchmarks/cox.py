"""Measure a Cox model of five covariates, with all that is published of it, against lifelines.

    python -m benchmarks cox [--patients 100000]

lifelines alone fits one row per patient, without its concordance and with it. Ours counts patients
by time and pattern, fits from the counts to find what cannot be fitted, lets lifelines fit, and
adds the concordance and the test of proportional hazards, for which lifelines is not asked. All ask
for the same precision; coefficients and concordance are compared.
"""

from functools import partial

import duckdb
import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from analytics.estimators.cox import Patterns, concordance, fit, proportional_hazards
from analytics.prognosis.series import Model, fit_lifelines
from benchmarks.measure import against, arguments, peak_mib, say, taking_turns

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


def ours(con: duckdb.DuckDBPyConnection, patients: pd.DataFrame) -> tuple[Model, float]:
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
    return model, concordance(patterns, model.coef)


def theirs(frame: pd.DataFrame) -> CoxPHFitter:
    """The same model by lifelines from the rows."""
    return CoxPHFitter().fit(frame, "time", "event", fit_options=PRECISION)


def theirs_with_concordance(frame: pd.DataFrame) -> tuple[CoxPHFitter, float]:
    """The same, and how well it orders the patients."""
    fitted = theirs(frame)
    return fitted, float(fitted.concordance_index_)


def main() -> None:
    """Print both times and their ratio."""
    given = arguments(__doc__, patients=100_000)
    frame = invented(given.patients)
    con = duckdb.connect()
    (model, own), (fitted, other) = ours(con, frame), theirs_with_concordance(frame)
    assert np.allclose(model.coef, fitted.params_.to_numpy(), rtol=1e-7, atol=1e-9)
    assert np.isclose(own, other, rtol=1e-9, atol=0)
    sides = (partial(ours, con), theirs, theirs_with_concordance)
    mine, alone, whole = taking_turns([partial(side, frame) for side in sides], given.repeats)
    what = f"{given.patients} patients, five covariates"
    say(
        against(f"{what}, against a fit", mine, alone, 1.5),
        against(f"{what}, against a fit and its concordance", mine, whole),
        f"at most {peak_mib():.0f} MiB",
    )


if __name__ == "__main__":
    main()

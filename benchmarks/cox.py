"""How fast is a Cox model of five covariates, with all that is published of it, against lifelines?

    python -m benchmarks cox [--patients 100000]

lifelines alone fits one row per patient. Ours counts patients by time and pattern, fits from the
counts to find what cannot be fitted, lets lifelines fit, and adds the concordance and the test of
proportional hazards. Both ask for the same precision; the coefficients are compared.
"""

from functools import partial

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from analytics.cox import Patterns, concordance, fit, proportional_hazards
from analytics.kaplan_meier import tabulate
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


def ours(frame: pd.DataFrame) -> Model:
    """Everything that a published model needs."""
    covariates, pattern = np.unique(frame[list(TERMS)].to_numpy(), axis=0, return_inverse=True)
    size = len(covariates)
    codes = pattern.reshape(-1) + size * frame["event"].to_numpy().astype(int)
    time, table = tabulate(frame["time"].to_numpy(), codes, 2 * size)
    patterns = Patterns(covariates, time, events=table[:, size:], censored=table[:, :size])
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
    assert np.allclose(ours(frame).coef, theirs(frame).params_.to_numpy(), rtol=1e-7, atol=1e-9)
    times = [seconds(partial(side, frame), given.repeats) for side in (ours, theirs)]
    say(
        against(f"{given.patients} patients, five covariates", *times, 1.5),
        f"at most {peak_mib():.0f} MiB",
    )


if __name__ == "__main__":
    main()

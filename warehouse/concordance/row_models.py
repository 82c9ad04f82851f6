"""Models of rows for the certificate: numbers, strata, and levels that come with time.

The data sets and R's answers lie in `r/`, made by `prognosis_rows.R`.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from analytics.estimators import cox_rows
from warehouse.concordance.answers import Rows, answers, column, numbers, rows

Numbers: TypeAlias = npt.NDArray[np.float64]
Pairs: TypeAlias = Iterator[tuple[Any, Any]]


def _rows_of(given: Rows, x: list[Numbers], stop: str, event: str, **named: str) -> cox_rows.Rows:
    """Rows of a data set; `start`, `stratum` and `unit` are columns where they are named."""
    size = len(given)

    def numbered(name: str, default: Numbers) -> npt.NDArray[np.int64]:
        found = column(given, named[name]) if name in named else default
        return np.unique(found, return_inverse=True)[1].reshape(-1).astype(np.int64)

    start = column(given, named["start"]) if "start" in named else np.full(size, cox_rows.BEFORE)
    return cox_rows.Rows(
        start,
        column(given, stop),
        column(given, event).astype(np.int64),
        numbered("stratum", np.zeros(size)),
        np.column_stack(x),
        np.ones(size, np.int64),
        numbered("unit", np.arange(size, dtype=float)),
    )


def _row_models() -> Iterator[tuple[str, cox_rows.Rows, list[list[int]]]]:
    """Numbers, levels, strata, and Stanford's transplants as they come with time."""
    lung, jasa = rows("lung_rows"), rows("jasa_rows")
    age, loss, ecog = (column(lung, name) for name in ("age", "wt.loss", "ecog"))
    levels = [(ecog == 1).astype(float), (ecog == 2).astype(float)]
    given = [column(jasa, "trt"), column(jasa, "age")]
    joined = {"start": "tstart", "stop": "tstop", "event": "death", "unit": "subject"}
    of_lung = {"stop": "time", "event": "event"}
    yield "one", _rows_of(lung, [age], **of_lung), [[0]]
    yield "numbers", _rows_of(lung, [age, loss], **of_lung), [[0], [1]]
    yield "levels", _rows_of(lung, [age, *levels], **of_lung), [[0], [1, 2]]
    stratified = _rows_of(lung, [age, loss, *levels], stratum="sex", **of_lung)
    yield "strata", stratified, [[0], [1], [2, 3]]
    yield "transplant", _rows_of(jasa, given, **joined), [[0], [1]]
    yield "transplant_strata", _rows_of(jasa, given, stratum="surgery", **joined), [[0], [1]]


def against_r() -> Pairs:
    """Ours beside what R answered: coefficients, likelihoods, tests and residuals."""
    for name, given, terms in _row_models():
        wanted, found = answers("prognosis_rows")[name], cox_rows.fit_rows(given)
        tested = cox_rows.term_tests(given, found.coef, terms)
        both = [cox_rows.likelihood(given), found.log_likelihood]
        yield found.coef, numbers(wanted["coef"])
        yield found.se, numbers(wanted["se"])
        yield both, numbers(wanted["log_likelihood"])
        yield numbers([*tested.chi2, tested.chi2_global]), numbers(wanted["zph_chi2"])
        yield numbers([*tested.p, tested.p_global]), numbers(wanted["zph_p"])
        yield cox_rows.martingale(given, found.coef), numbers(wanted["martingale"])


def against_lifelines() -> Pairs:
    """Our coefficients beside those of lifelines."""
    import pandas as pd
    from lifelines import CoxTimeVaryingFitter

    columns = {"id_col": "id", "event_col": "event", "start_col": "start", "stop_col": "stop"}
    for _, given, _ in _row_models():
        frame = pd.DataFrame(given.x).assign(
            id=given.unit,
            start=np.where(np.isinf(given.start), 0, given.start),
            stop=given.stop,
            event=given.event,
            stratum=given.stratum,
        )
        fitter = CoxTimeVaryingFitter()
        fitter.fit(frame, strata=["stratum"], **columns, fit_options={"precision": 1e-12})
        yield cox_rows.fit_rows(given).coef, fitter.params_.to_numpy()

# Expected values of the penalised fits in tests/specs/test_prognosis.py.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/firth.R
#
# Made with R 4.2.2, survival 3.5-3 and numDeriv. coxph does not iterate here: it gives Efron's
# likelihood and information at chosen coefficients, from which the penalised likelihood is made and
# maximised by general optimisers. Nothing of the penalty's derivatives is used.

library(survival)
library(numDeriv)

folder <- "warehouse/concordance/r"

penalised <- function(formula, d, coef) {
  at <- suppressWarnings(coxph(formula, d, ties = "efron", init = coef, iter.max = 0))
  at$loglik[1] + determinant(solve(at$var))$modulus[1] / 2
}

# The others of the coefficients at their best, from a start near it.
best <- function(value, start) {
  if (length(start) == 0) return(list(par = start, value = value(start)))
  found <- optim(start, value, method = "BFGS", control = list(fnscale = -1, reltol = 1e-15))$par
  for (step in 1:2) found <- found - solve(hessian(value, found), grad(value, found))
  list(par = found, value = value(found))
}

firth <- function(formula, d) {
  size <- length(attr(terms(formula), "term.labels"))
  value <- function(coef) penalised(formula, d, coef)
  top <- best(value, rep(0, size))
  at <- suppressWarnings(coxph(formula, d, ties = "efron", init = top$par, iter.max = 0))
  profile <- function(k, v) {
    whole <- function(others) append(others, v, after = k - 1)
    2 * (top$value - best(function(others) value(whole(others)), top$par[-k])$value)
  }
  reach <- qchisq(0.95, 1)
  limit <- function(k, side) {
    far <- top$par[k] + side * sqrt(diag(at$var))[k] * 12
    uniroot(function(v) profile(k, v) - reach, sort(c(top$par[k], far)), tol = 1e-12)$root
  }
  list(
    coef = top$par, se = sqrt(diag(at$var)), log_likelihood = top$value,
    lower = sapply(1:size, limit, side = -1), upper = sapply(1:size, limit, side = 1),
    p = sapply(1:size, function(k) pchisq(profile(k, 0), 1, lower.tail = FALSE))
  )
}

json <- function(x) {
  if (is.list(x)) return(paste0("{", paste0('"', names(x), '": ', lapply(x, json), collapse = ",\n"), "}"))
  paste0("[", paste(sprintf("%.17g", x), collapse = ","), "]")
}

separated <- read.csv(file.path(folder, "separated.csv"))
writeLines(json(list(
  alone = firth(Surv(time, event) ~ level, separated),
  together = firth(Surv(time, event) ~ level + marker + stage, separated)
)), file.path(folder, "firth.json"))

# Expected values of tests/specs/survival/test_prognosis.py and of the digitised trials in test_survival.py.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/prognosis.R
#
# Made with R 4.2.2 and survival 3.5-3. NA is written as null.

library(survival)

folder <- "warehouse/concordance/r"

json <- function(x) {
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    if (is.null(names(x))) return(paste0("[", paste(parts, collapse = ",\n"), "]"))
    return(paste0("{", paste0('"', names(x), '": ', parts, collapse = ",\n"), "}"))
  }
  if (is.character(x)) return(paste0("[", paste0('"', x, '"', collapse = ","), "]"))
  text <- ifelse(is.na(x), "null", sprintf("%.17g", x))
  paste0("[", paste(text, collapse = ","), "]")
}

cox <- function(formula, d) {
  environment(formula) <- environment()
  control <- coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50)
  fit <- coxph(formula, data = d, ties = "efron", control = control)
  s <- summary(fit)
  zph <- cox.zph(fit, transform = "km")$table
  list(
    term = names(coef(fit)), coef = unname(coef(fit)), se = unname(s$coefficients[, "se(coef)"]),
    lower = unname(s$conf.int[, "lower .95"]), upper = unname(s$conf.int[, "upper .95"]),
    p = unname(s$coefficients[, "Pr(>|z|)"]), log_likelihood = fit$loglik,
    n = fit$n, events = fit$nevent, concordance = unname(s$concordance["C"]),
    zph_chi2 = unname(zph[, "chisq"]), zph_p = unname(zph[, "p"])
  )
}

two_groups <- function(formula, d) {
  test <- survdiff(formula, data = d)
  list(chi2 = test$chisq, p = pchisq(test$chisq, length(test$n) - 1, lower.tail = FALSE))
}

# In months, as delivered.
trial <- function(file) {
  d <- read.csv(file.path("simulation/kmdata", file))
  d$arm <- relevel(factor(d$arm), ref = sort(unique(as.character(d$arm)))[1])
  fit <- survfit(Surv(time, event) ~ arm, data = d, conf.type = "log-log")
  q <- quantile(fit, 0.5)
  at <- summary(fit, times = 12)
  list(
    arm = sub("arm=", "", names(fit$strata)), n = unname(table(d$arm)[]),
    events = unname(tapply(d$event, d$arm, sum)[]),
    median = unname(q$quantile[, 1]), lower = unname(q$lower[, 1]), upper = unname(q$upper[, 1]),
    survival_12 = at$surv, lower_12 = at$lower, upper_12 = at$upper, at_risk_12 = at$n.risk,
    logrank = two_groups(Surv(time, event) ~ arm, d), cox = cox(Surv(time, event) ~ arm, d)
  )
}

cohort <- read.csv(file.path(folder, "cohort.csv"))
factors <- c("ecog", "burden", "albumin", "bilirubin")
alone <- lapply(setNames(factors, factors), function(name) {
  formula <- as.formula(paste("Surv(time, event) ~", name))
  list(logrank = two_groups(formula, cohort), cox = cox(formula, cohort))
})

lung_cox <- na.omit(lung[, c("time", "status", "age", "sex", "ph.ecog")])
lung_cox$event <- lung_cox$status - 1
write.csv(lung_cox[, c("time", "event", "age", "sex", "ph.ecog")],
  file.path(folder, "lung_cox.csv"), row.names = FALSE, quote = FALSE)

extremes <- list(
  three_levels = data.frame(
    time = c(5, 8, 12, 20, 21, 3, 4, 9, 12, 30, 2, 6, 7, 12, 15),
    event = c(1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0),
    level = rep(c("a", "b", "c"), each = 5)
  )
)

writeLines(json(list(
  alone = alone,
  together = cox(Surv(time, event) ~ ecog + burden + albumin + bilirubin, cohort),
  backward = cox(Surv(time, event) ~ ecog + bilirubin, cohort),
  lung = cox(Surv(time, event) ~ age + sex + ph.ecog, lung_cox),
  three_levels = c(
    two_groups(Surv(time, event) ~ level, extremes$three_levels),
    list(cox = cox(Surv(time, event) ~ level, extremes$three_levels))
  ),
  radiant4_os = trial("radiant4_2c.csv"),
  radiant4_pfs = trial("radiant4_2a.csv"),
  sirflox_pfs = trial("sirflox_3.csv")
)), file.path(folder, "prognosis.json"))

# Expected values of tests/test_kaplan_meier.py, test_logrank.py and test_competing_risks.py.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/survival.R
#
# Made with R 4.2.2 and survival 3.5-3. NA and NaN are written as null.

library(survival)

folder <- "warehouse/concordance/r"
percents <- c(0.25, 0.5, 0.75)
conf_types <- c("log-log", "log", "plain")

json <- function(x) {
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    if (is.null(names(x))) return(paste0("[", paste(parts, collapse = ",\n"), "]"))
    return(paste0("{", paste0('"', names(x), '": ', parts, collapse = ",\n"), "}"))
  }
  if (is.character(x)) return(paste0('"', x, '"'))
  if (is.matrix(x)) return(paste0("[", paste(apply(x, 1, json), collapse = ","), "]"))
  text <- ifelse(is.na(x), "null", sprintf("%.17g", x))
  paste0("[", paste(text, collapse = ","), "]")
}

# How survfit reports it: standard error on the scale of the survival, as in summary().
curve <- function(d) {
  fit <- survfit(Surv(time, event) ~ 1, data = d)
  list(
    time = fit$time, at_risk = fit$n.risk, events = fit$n.event, censored = fit$n.censor,
    survival = fit$surv, std_err = fit$std.err * fit$surv
  )
}

band <- function(d, conf_type) {
  fit <- survfit(Surv(time, event) ~ 1, data = d, conf.type = conf_type)
  q <- quantile(fit, percents)
  list(
    lower = fit$lower, upper = fit$upper,
    quantile = q$quantile, quantile_lower = q$lower, quantile_upper = q$upper
  )
}

landmarks <- function(d, times) {
  fit <- survfit(Surv(time, event) ~ 1, data = d, conf.type = "log-log")
  at <- summary(fit, times = times, extend = TRUE)
  list(times = times, survival = at$surv, lower = at$lower, upper = at$upper, at_risk = at$n.risk)
}

# survmean() is what print(fit, rmean = tau) shows, before it rounds; called by itself it also
# answers for a tau before the first time.
restricted_means <- function(d, taus) {
  fit <- survfit(Surv(time, event) ~ 1, data = d)
  rows <- sapply(taus, function(tau) survival:::survmean(fit, rmean = tau)$matrix[c("rmean", "se(rmean)")])
  list(tau = taus, mean = rows[1, ], std_err = rows[2, ])
}

reverse_median <- function(d, conf_type) {
  q <- quantile(survfit(Surv(time, 1 - event) ~ 1, data = d, conf.type = conf_type), 0.5)
  c(q$quantile, q$lower, q$upper)
}

everything <- function(d, times, conf_types = "log-log") {
  list(
    curve = curve(d),
    bands = sapply(conf_types, function(type) band(d, type), simplify = FALSE),
    landmarks = landmarks(d, times),
    restricted_means = restricted_means(d, times[times > 0]),
    reverse_median = sapply(conf_types, function(type) reverse_median(d, type), simplify = FALSE)
  )
}

log_rank <- function(formula, d) {
  test <- survdiff(formula, data = d)
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  df <- sum(total(test$exp) > 0) - 1
  list(
    chi2 = test$chisq, df = df, p = pchisq(test$chisq, df, lower.tail = FALSE),
    observed = total(test$obs), expected = total(test$exp)
  )
}

incidence <- function(d, conf_type) {
  fit <- survfit(Surv(time, factor(cause, 0:max(d$cause))) ~ 1, data = d, conf.type = conf_type)
  list(
    time = fit$time, survival = fit$pstate[, 1], incidence = fit$pstate[, -1, drop = FALSE],
    std_err = fit$std.err[, -1, drop = FALSE],
    lower = fit$lower[, -1, drop = FALSE], upper = fit$upper[, -1, drop = FALSE]
  )
}

read <- function(name) read.csv(file.path(folder, name))
trial <- function(name) read.csv(file.path("simulation/kmdata", name))

lung_rows <- read("lung.csv")
cohort <- read("cohort.csv")
small <- read("small.csv")
groups <- read("groups.csv")
causes <- c(list(mgus2 = read("mgus2.csv")), split(read("causes.csv"), ~case))
trials <- sapply(c("radiant4_2a", "radiant4_2c", "sirflox_3"), function(x) trial(paste0(x, ".csv")), simplify = FALSE)

days <- c(0, 30, 183, 365.25, 730.5, 1095.75, 1826.25)
months <- c(0, 1, 12, 24, 36, 60)
few <- c(0, 1, 2, 4.5, 5, 8, 9, 100)

estimates <- list(
  lung = everything(lung_rows, days, conf_types),
  lung_men = everything(subset(lung_rows, sex == 1), days),
  cohort = everything(cohort, days, conf_types),
  x06_plain = everything(subset(small, case == "x06_plain"), days),
  x06_reverse = everything(subset(small, case == "x06_reverse"), days),
  months40 = everything(subset(small, case == "months40"), months)
)
for (factor in c("ecog", "burden", "albumin", "bilirubin")) {
  for (level in 0:1) {
    estimates[[paste(factor, level, sep = "_")]] <- everything(cohort[cohort[[factor]] == level, ], days)
  }
}
for (name in names(trials)) {
  for (arm in unique(trials[[name]]$arm)) {
    estimates[[paste(name, arm)]] <- everything(trials[[name]][trials[[name]]$arm == arm, ], months)
  }
}
for (name in setdiff(unique(small$case), names(estimates))) {
  estimates[[name]] <- everything(small[small$case == name, ], few, conf_types)
}

ecog012 <- subset(lung_rows, ph.ecog <= 2)
tests <- list(
  "lung by sex" = log_rank(Surv(time, event) ~ sex, lung_rows),
  "lung by ph.ecog" = log_rank(Surv(time, event) ~ ph.ecog, lung_rows),
  "lung by ph.ecog 0 to 2" = log_rank(Surv(time, event) ~ ph.ecog, ecog012),
  "lung by sex in strata of ph.ecog" = log_rank(Surv(time, event) ~ sex + strata(ph.ecog), lung_rows),
  "lung by ph.ecog in strata of sex" = log_rank(Surv(time, event) ~ ph.ecog + strata(sex), lung_rows),
  "cohort by ecog" = log_rank(Surv(time, event) ~ ecog, cohort),
  "cohort by burden" = log_rank(Surv(time, event) ~ burden, cohort),
  "cohort by albumin" = log_rank(Surv(time, event) ~ albumin, cohort),
  "cohort by bilirubin" = log_rank(Surv(time, event) ~ bilirubin, cohort),
  "cohort by ecog in strata of burden" = log_rank(Surv(time, event) ~ ecog + strata(burden), cohort)
)
for (name in names(trials)) tests[[name]] <- log_rank(Surv(time, event) ~ arm, trials[[name]])
for (name in unique(groups$case)) {
  d <- groups[groups$case == name, ]
  by_group <- if (all(d$stratum == "")) Surv(time, event) ~ group else Surv(time, event) ~ group + strata(stratum)
  tests[[name]] <- log_rank(by_group, d)
}

incidences <- lapply(causes, function(d) sapply(conf_types, function(type) incidence(d, type), simplify = FALSE))

versions <- list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")))
answers <- list(versions = versions, estimates = estimates, tests = tests, incidences = incidences)
writeLines(json(answers), file.path(folder, "survival.json"))

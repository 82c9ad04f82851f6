# Expected values of tests/specs/survival/test_reported_times.py: sources that hold only times, in
# months or years, and the groups that they name. R works on the unit that was delivered.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/reported.R
#
# Made with R 4.2.2, survival 3.5-3 and jsonlite. NA is written as null.

library(survival)

folder <- "warehouse/concordance/r"
write <- function(d, name) write.csv(d, file.path(folder, name), row.names = FALSE, quote = FALSE)

# Real: whole months (mgus2: death at futime), months with two decimals (retinopathy), and years
# with two decimals, as journals tabulate them (pbc: death, transplant censored).
months <- data.frame(time = mgus2$futime, event = mgus2$death, group = ifelse(mgus2$sex == "F", "women", "men"))
decimals <- data.frame(time = retinopathy$futime, event = retinopathy$status, group = as.character(retinopathy$type))
years <- with(pbc, data.frame(
  time = round(time / 365.25, 2), event = as.integer(status == 2),
  group = ifelse(bili > 2, "high", "low")
))
tied <- data.frame(time = rep(c(24, 40), each = 5), event = rep(1:0, each = 5), group = "all")
sources <- list(
  tied = list(unit = "months", rows = tied), mgus2 = list(unit = "months", rows = months),
  retinopathy = list(unit = "months", rows = decimals), pbc = list(unit = "years", rows = years)
)
every <- do.call(rbind, lapply(names(sources), function(n) cbind(source = n, unit = sources[[n]]$unit, sources[[n]]$rows)))
write(every, "reported_times.csv")

answers <- function(d, unit) {
  per_unit <- if (unit == "years") 12 else 1
  landmarks <- c(12, 24, 36, 60) / per_unit
  fit <- survfit(Surv(time, event) ~ 1, data = d, conf.type = "log-log")
  at <- summary(fit, times = landmarks, extend = TRUE)
  q <- quantile(fit, 0.5)
  means <- sapply(landmarks, function(tau) survival:::survmean(fit, rmean = tau)$matrix[c("rmean", "se(rmean)")])
  reverse <- quantile(survfit(Surv(time, 1 - event) ~ 1, data = d, conf.type = "log-log"), 0.5)
  found <- list(
    n = nrow(d), events = sum(d$event),
    time = fit$time, at_risk = fit$n.risk, survival = fit$surv,
    landmarks = list(survival = at$surv, lower = at$lower, upper = at$upper, at_risk = at$n.risk),
    last = max(d$time) * per_unit,
    median = unname(c(q$quantile, q$lower, q$upper)) * per_unit,
    mean = means[1, ] * per_unit, mean_se = means[2, ] * per_unit,
    reverse_median = unname(c(reverse$quantile, reverse$lower, reverse$upper)) * per_unit
  )
  if (length(unique(d$group)) > 1) {
    test <- survdiff(Surv(time, event) ~ group, data = d)
    found$logrank <- list(chi2 = test$chisq, p = pchisq(test$chisq, length(test$n) - 1, lower.tail = FALSE))
  }
  found
}

# Invented: 120 patients of whom a source gives two endpoints, each with a grouping of its own. The
# least name of both endpoints would make five groups of two and four. The spelling of one varies.
set.seed(1845)
n <- 120
arm <- rep(c("control", "treated"), length.out = n)
lobe <- sample(c("bilobar", "left", "right", "whole"), n, replace = TRUE, prob = c(2, 3, 3, 2))
os <- round(rexp(n, 0.045 * ifelse(arm == "control", 1.9, 1) * ifelse(lobe == "bilobar", 2, 1)), 1)
pfs <- round(rexp(n, 0.11 * ifelse(lobe == "bilobar", 2, 1)), 1)
follow_up <- round(runif(n, 18, 60), 1)
groups <- rbind(
  data.frame(patient = seq_len(n), endpoint = "OS", time = pmin(os, follow_up), event = as.integer(os <= follow_up), group = arm),
  data.frame(patient = seq_len(n), endpoint = "PFS", time = pmin(pfs, follow_up), event = as.integer(pfs <= follow_up), group = lobe)
)
spelled <- groups
odd <- spelled$group == "control" & spelled$patient %% 3 == 0
spelled$group[odd] <- "Control"
write(spelled, "reported_groups.csv")

by_group <- lapply(split(groups, groups$endpoint), function(d) {
  d$group <- factor(d$group)
  test <- survdiff(Surv(time, event) ~ group, data = d)
  fits <- lapply(levels(d$group), function(reference) {
    d$group <- relevel(d$group, ref = reference)
    fit <- coxph(Surv(time, event) ~ group, data = d, ties = "efron", control = coxph.control(eps = 1e-12, toler.chol = 1e-13))
    as.list(setNames(exp(coef(fit)), sub("group", "", names(coef(fit)))))
  })
  list(
    levels = levels(d$group), n = as.vector(table(d$group)),
    chi2 = test$chisq, df = length(test$n) - 1,
    p = pchisq(test$chisq, length(test$n) - 1, lower.tail = FALSE),
    ratios = setNames(fits, levels(d$group))
  )
})

merged <- merge(subset(groups, endpoint == "OS"), subset(groups, endpoint == "PFS"), by = "patient")
merged$group <- pmin(merged$group.x, merged$group.y)
wrong <- survdiff(Surv(time.x, event.x) ~ group, data = merged)

jsonlite::write_json(list(
  times = lapply(sources, function(s) answers(s$rows, s$unit)),
  groups = by_group,
  merged = list(groups = length(wrong$n), p = pchisq(wrong$chisq, length(wrong$n) - 1, lower.tail = FALSE))
), file.path(folder, "reported.json"), digits = NA, auto_unbox = TRUE, na = "null", pretty = TRUE)

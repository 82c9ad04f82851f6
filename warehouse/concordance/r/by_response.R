# Expected values of tests/specs/survival/test_survival_by_response.py.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/by_response.R
#
# Made with R 4.2.2 and survival 3.5-3, on its `jasa` (Stanford heart transplants, Crowley and Hu 1977).
# A transplant stands for a response. NA is written as null. Also writes jasa.csv, what the test reads.

library(survival)

folder <- "warehouse/concordance/r"

json <- function(x) {
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    return(paste0("{", paste0('"', names(x), '": ', parts, collapse = ",\n"), "}"))
  }
  text <- ifelse(is.na(x), "null", sprintf("%.17g", x))
  paste0("[", paste(text, collapse = ","), "]")
}

cox <- function(formula, d) {
  control <- coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50)
  s <- summary(coxph(formula, data = d, ties = "efron", control = control))
  list(
    hr = unname(s$conf.int[1, "exp(coef)"]), lower = unname(s$conf.int[1, "lower .95"]),
    upper = unname(s$conf.int[1, "upper .95"]), p = unname(s$coefficients[1, "Pr(>|z|)"])
  )
}

medians <- function(formula, d) {
  q <- quantile(survfit(formula, data = d, conf.type = "log-log"), 0.5)
  list(median = unname(q$quantile[, 1]), lower = unname(q$lower[, 1]), upper = unname(q$upper[, 1]))
}

d <- data.frame(
  id = seq_len(nrow(jasa)), futime = jasa$futime, fustat = jasa$fustat,
  wait = jasa$wait.time, transplant = jasa$transplant
)
write.csv(d, file.path(folder, "jasa.csv"), row.names = FALSE, na = "")

landmark <- function(at) {
  left <- d[d$futime > at, ]
  left$group <- as.integer(!is.na(left$wait) & left$wait <= at)
  left$time <- left$futime - at
  list(
    n = unname(table(left$group)[]), events = unname(tapply(left$fustat, left$group, sum)[]),
    dead_before = sum(d$futime <= at & d$fustat == 1),
    censored_before = sum(d$futime <= at & d$fustat == 0),
    curve = medians(Surv(time, fustat) ~ group, left), cox = cox(Surv(time, fustat) ~ group, left)
  )
}

# As in the vignette on time dependent covariates: a day of 0 becomes half a day, and a transplant on
# the day of death comes half a day before it.
half <- d
half$futime <- pmax(0.5, half$futime)
same <- which(half$wait == half$futime)
half$wait[same] <- half$wait[same] - 0.5
changing <- tmerge(half, half, id = id, death = event(futime, fustat), trt = tdc(wait))

naive <- d
answers <- list(
  landmark_91 = landmark(91), landmark_183 = landmark(183),
  time_dependent = cox(Surv(tstart, tstop, death) ~ trt, changing),
  naive = list(
    cox = cox(Surv(futime, fustat) ~ transplant, naive),
    curve = medians(Surv(futime, fustat) ~ transplant, naive)
  )
)
writeLines(json(answers), file.path(folder, "by_response.json"))

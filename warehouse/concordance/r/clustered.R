# Expected values of tests/specs/test_survival_of_lesions.py.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/clustered.R
#
# Made with R 4.2.2 and survival 3.5-3. NA is written as null.

library(survival)

folder <- "warehouse/concordance/r"

json <- function(x) {
  if (is.list(x)) return(paste0("{", paste0('"', names(x), '": ', lapply(x, json), collapse = ",\n"), "}"))
  paste0("[", paste(ifelse(is.na(x), "null", sprintf("%.17g", x)), collapse = ","), "]")
}

lesions <- read.csv(file.path(folder, "lesions.csv"))
bands <- function(type) {
  fit <- survfit(Surv(time, event) ~ 1, lesions, cluster = patient, conf.type = type)
  stopifnot(!fit$logse)
  q <- quantile(fit, 0.5)
  list(
    time = fit$time, survival = fit$surv, std_err = fit$std.err, lower = fit$lower, upper = fit$upper,
    median = unname(c(q$quantile, q$lower, q$upper))
  )
}
writeLines(json(sapply(c("log-log", "log", "plain"), bands, simplify = FALSE)), file.path(folder, "clustered.json"))

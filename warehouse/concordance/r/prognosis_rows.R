# Expected values of models with numbers, strata and factors that change with time.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/prognosis_rows.R
#
# Made with R 4.2.2 and survival 3.5-3. NA is written as null.

library(survival)

folder <- "warehouse/concordance/r"

json <- function(x) {
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    return(paste0("{", paste0('"', names(x), '": ', parts, collapse = ",\n"), "}"))
  }
  if (is.character(x)) return(paste0("[", paste0('"', x, '"', collapse = ","), "]"))
  text <- ifelse(is.na(x), "null", sprintf("%.17g", x))
  paste0("[", paste(text, collapse = ","), "]")
}

control <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60)

cox <- function(formula, d, ids = NULL) {
  environment(formula) <- environment()
  fit <- coxph(formula, data = d, ties = "efron", control = control)
  s <- summary(fit)
  zph <- cox.zph(fit, transform = "km")$table
  residual <- residuals(fit, type = "martingale")
  if (!is.null(ids)) residual <- as.vector(rowsum(residual, ids, reorder = FALSE))
  list(
    coef = unname(coef(fit)), se = unname(s$coefficients[, "se(coef)"]),
    log_likelihood = fit$loglik, n = fit$n, events = fit$nevent,
    zph_chi2 = unname(zph[, "chisq"]), zph_df = unname(zph[, "df"]), zph_p = unname(zph[, "p"]),
    martingale = unname(residual)
  )
}

# Numbers and an institution as stratum; a factor of three levels.
columns <- c("inst", "time", "status", "age", "sex", "ph.ecog", "wt.loss")
lung_rows <- na.omit(lung[, columns])
lung_rows$event <- lung_rows$status - 1
lung_rows$ecog <- pmin(lung_rows$ph.ecog, 2)
lung_rows <- lung_rows[, c("time", "event", "age", "sex", "ecog", "wt.loss")]
write.csv(lung_rows, file.path(folder, "lung_rows.csv"), row.names = FALSE, quote = FALSE)

# Stanford: the transplant comes with time; half days part a transplant on the last day from it.
given <- jasa
given$subject <- seq_len(nrow(given))
given$futime <- pmax(0.5, given$futime)
ties <- with(given, which(futime == wait.time))
given$wait.time[ties] <- given$wait.time[ties] - 0.5
transplanted <- tmerge(given, given, id = subject, death = event(futime, fustat),
  trt = tdc(wait.time))
write.csv(transplanted[, c("subject", "tstart", "tstop", "death", "trt", "age", "surgery")],
  file.path(folder, "jasa_rows.csv"), row.names = FALSE, quote = FALSE)

writeLines(json(list(
  numbers = cox(Surv(time, event) ~ age + wt.loss, lung_rows),
  levels = cox(Surv(time, event) ~ age + factor(ecog), lung_rows),
  strata = cox(Surv(time, event) ~ age + wt.loss + factor(ecog) + strata(sex), lung_rows),
  one = cox(Surv(time, event) ~ age, lung_rows),
  transplant = cox(Surv(tstart, tstop, death) ~ trt + age, transplanted, transplanted$subject),
  transplant_strata = cox(Surv(tstart, tstop, death) ~ trt + age + strata(surgery), transplanted,
    transplanted$subject)
)), file.path(folder, "prognosis_rows.json"))

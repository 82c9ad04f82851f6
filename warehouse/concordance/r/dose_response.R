# Expected values of logistic regression and ROC curves of a dose, of patients and of lesions in patients.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/dose_response.R
#
# Made with R 4.2.2: glm; sandwich 3.0-2, vcovCL(type = "HC0"), which multiplies by G/(G - 1); pROC 1.18.0,
# roc(direction = "<"), var, ci.auc (DeLong), coords(best.method = "youden"). Obuchowski's variance of lesions
# in patients by the formulas of Biometrics 1997;53:567-578, written out below. `dose_lesions.csv` is
# invented: 60 lesions of 22 patients, doses tied in some, response the likelier the greater the dose.

library(sandwich)
suppressMessages(library(pROC))

folder <- "warehouse/concordance/r"
set.seed(19670801)
n <- c(1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4)
patient <- rep(seq_along(n), n)
own <- rep(rnorm(length(n), 0, 25), n)
dose <- pmax(20, round((140 + own + rnorm(sum(n), 0, 45)) / 5) * 5)
responded <- as.integer(runif(sum(n)) < plogis((dose - 140) / 40 + own / 40))
lesions <- data.frame(patient = patient, dose = dose, responded = responded)
write.csv(lesions, file.path(folder, "dose_lesions.csv"), row.names = FALSE, quote = FALSE)

json <- function(x) {
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    return(paste0("{", paste0('"', names(x), '": ', parts, collapse = ",\n"), "}"))
  }
  paste0("[", paste(sprintf("%.17g", x), collapse = ","), "]")
}

strict <- glm.control(epsilon = 1e-14, maxit = 100)

obuchowski <- function(x, y, id) {
  psi <- function(a, b) mean((a > b) + 0.5 * (a == b))
  v10 <- vapply(x[y == 1], function(a) psi(a, x[y == 0]), 0)
  v01 <- vapply(x[y == 0], function(b) psi(x[y == 1], b), 0)
  auc <- mean(v10)
  ids <- unique(id)
  m <- vapply(ids, function(i) sum(id == i & y == 1), 0)
  k <- vapply(ids, function(i) sum(id == i & y == 0), 0)
  s <- vapply(ids, function(i) sum(v10[id[y == 1] == i]), 0)
  t <- vapply(ids, function(i) sum(v01[id[y == 0] == i]), 0)
  i10 <- sum(m > 0)
  i01 <- sum(k > 0)
  s10 <- i10 / ((i10 - 1) * sum(m)) * sum((s - m * auc)^2)
  s01 <- i01 / ((i01 - 1) * sum(k)) * sum((t - k * auc)^2)
  s11 <- length(ids) / (length(ids) - 1) * sum((s - m * auc) * (t - k * auc))
  s10 / sum(m) + s01 / sum(k) + 2 * s11 / (sum(m) * sum(k))
}

of_units <- function(x, y, id = NULL) {
  # glm's weights are those of the step before the last: a second fit begins at the first one's end.
  begun <- coef(glm(y ~ x, family = binomial, control = strict))
  fit <- glm(y ~ x, family = binomial, control = strict, start = begun)
  curve <- roc(y, x, direction = "<", levels = c(0, 1), quiet = TRUE)
  best <- coords(curve, "best", best.method = "youden", transpose = FALSE)[1, ]
  v <- if (is.null(id)) vcov(fit) else vcovCL(fit, cluster = id, type = "HC0")
  se <- sqrt(v[2, 2])
  slope <- unname(coef(fit)[2])
  area <- as.numeric(auc(curve))
  found <- list(
    dose = x, happened = y, cluster = if (is.null(id)) numeric(0) else id,
    intercept = unname(coef(fit)[1]), coef = slope, se = se,
    p = 2 * pnorm(-abs(slope / se)),
    lower = slope - qnorm(0.975) * se, upper = slope + qnorm(0.975) * se,
    area = area,
    variance = if (is.null(id)) var(curve) else obuchowski(x, y, id),
    cutoff = best$threshold, sensitivity = best$sensitivity, specificity = best$specificity
  )
  if (is.null(id)) {
    ci <- as.numeric(ci.auc(curve))
    found <- c(found, list(area_lower = ci[1], area_upper = ci[3]))
  }
  found
}

first <- !duplicated(patient)
answers <- list(
  patients = of_units(dose[first], responded[first]),
  lesions_as_if_independent = of_units(dose, responded),
  lesions = of_units(dose, responded, patient),
  iris = of_units(iris$Sepal.Width[51:150], as.integer(iris$Species[51:150] == "virginica")),
  mtcars = of_units(mtcars$wt, 1 - mtcars$am),
  mtcars_by_gears = of_units(mtcars$hp, as.integer(mtcars$mpg <= 17), mtcars$gear)
)
writeLines(json(answers), file.path(folder, "dose_response.json"))

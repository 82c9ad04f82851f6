# Expected values of tests/specs/response/test_readers.py.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/kappa.R
#
# Made with R 4.2.2 and vcd 1.4-11 (Kappa); Fleiss's kappa of all readers by his own formula, as below.
# `diagnoses`: 100 patients by two psychiatrists, Fleiss, Statistical Methods for Rates and Proportions,
# 2nd edition (1981), table 13.1. `psychiatrists`: a worked example of Fleiss's formula, 10 units by 14.
# `readers`: invented, CR, PR, SD and PD by two readers.

library(vcd)

folder <- "warehouse/concordance/r"

json <- function(x) {
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    return(paste0("{", paste0('"', names(x), '": ', parts, collapse = ",\n"), "}"))
  }
  paste0("[", paste(sprintf("%.17g", x), collapse = ","), "]")
}

two <- function(counts, k) {
  x <- matrix(counts, k, byrow = TRUE)
  found <- Kappa(x, weights = "Equal-Spacing")
  list(
    table = counts, kappa = unname(found$Unweighted["value"]), se = unname(found$Unweighted["ASE"]),
    linear = unname(found$Weighted["value"]), linear_se = unname(found$Weighted["ASE"])
  )
}

many <- function(counts, k) {
  x <- matrix(counts, ncol = k, byrow = TRUE)
  m <- sum(x[1, ])
  po <- mean((rowSums(x^2) - m) / (m * (m - 1)))
  pe <- sum((colSums(x) / sum(x))^2)
  list(table = counts, kappa = (po - pe) / (1 - pe))
}

answers <- list(
  diagnoses = two(c(75, 1, 4, 5, 4, 1, 0, 0, 10), 3),
  readers = two(c(6, 3, 0, 1, 2, 20, 7, 1, 1, 5, 31, 4, 0, 1, 6, 12), 4),
  psychiatrists = many(c(
    0, 0, 0, 0, 14, 0, 2, 6, 4, 2, 0, 0, 3, 5, 6, 0, 3, 9, 2, 0, 2, 2, 8, 1, 1, 7, 7, 0, 0, 0,
    3, 2, 6, 3, 0, 2, 5, 3, 2, 2, 6, 5, 2, 1, 0, 0, 2, 2, 3, 7
  ), 5)
)
writeLines(json(answers), file.path(folder, "kappa.json"))

# Expected values of Wilcoxon's signed rank test of paired differences.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/signed_rank.R
#
# Made with R 4.2.2, stats::wilcox.test with paired = TRUE and its defaults: exact below 50 differences
# without zeros and ties, else the normal approximation with continuity correction. `depression`: Hollander
# and Wolfe, Nonparametric Statistical Methods (1973), page 29, as in R's own example. `sleep`: R's data set.
# The others are invented; all differences are whole numbers of eighths, so that ties are ties in binary.

folder <- "warehouse/concordance/r"

json <- function(x) {
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    return(paste0("{", paste0('"', names(x), '": ', parts, collapse = ",\n"), "}"))
  }
  paste0("[", paste(sprintf("%.17g", x), collapse = ","), "]")
}

tested <- function(difference) {
  found <- suppressWarnings(wilcox.test(difference, rep(0, length(difference)), paired = TRUE))
  list(
    difference = difference, v = unname(found$statistic), p = found$p.value,
    exact = as.numeric(grepl("exact", found$method))
  )
}

depression <- c(1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30) -
  c(0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)
slept <- with(sleep, extra[group == 1] - extra[group == 2])
place <- 1:60
answers <- list(
  depression = tested(depression),
  sleep = tested(round(8 * slept) / 8),
  all_up = tested(c(1, 2, 3, 4, 5) / 8),
  one = tested(-0.5),
  balanced = tested(c(-1, 1, -2, 2) / 8),
  in_the_middle = tested(c(1, -2, -3, 4) / 8),
  zero_without_ties = tested(c(0, 1, 2, -3, 5, 7, 9) / 8),
  ties_and_zeros = tested(c(0, 0, 1, 1, -1, 2, 2, 3, -3, 4, 8, 8) / 8),
  forty_nine = tested(place[1:49] * ifelse(place[1:49] %% 3 == 0, -1, 1) / 8),
  fifty = tested(place[1:50] * ifelse(place[1:50] %% 3 == 0, -1, 1) / 8),
  sixty_with_ties = tested(((place * 7) %% 23 - 9) / 8),
  hundreds = tested((rep(place, 8) %% 41 - 17) / 8)
)
writeLines(json(answers), file.path(folder, "signed_rank.json"))

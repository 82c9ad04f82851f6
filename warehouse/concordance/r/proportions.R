# Expected limits of proportions.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/proportions.R

folder <- "warehouse/concordance/r"
n <- c(53, 1, 17, 25, 1, 2, 21, 0, 40)
total <- c(83, 83, 83, 40, 40, 40, 25, 40, 40)
limits <- mapply(function(x, size) binom.test(x, size)$conf.int, n, total)
numbers <- function(x) paste0("[", paste(sprintf("%.17g", x), collapse = ","), "]")
writeLines(paste0(
  '{"n": ', numbers(n), ',\n"total": ', numbers(total),
  ',\n"lower": ', numbers(limits[1, ]), ',\n"upper": ', numbers(limits[2, ]), "}"
), file.path(folder, "proportions.json"))

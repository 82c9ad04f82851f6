# Reads a bundle that `y90 export ID --to DIR` wrote; needs R and its recommended package survival.
#
#   source("DIR/y90.R")
#   r <- y90_open("DIR")
#   fit <- y90_km(r, "OS", by = "ecog0")
#   plot(fit, col = 1:2); quantile(fit, 0.5); summary(fit, times = c(12, 24))
#   y90_table1(r); y90_ard(r, by = "ecog0")

# The bundle. Stops where DIR is none.
y90_open <- function(dir) {
  if (!file.exists(file.path(dir, "csv", "dictionary.csv")))
    stop(dir, ": no bundle. Write one with `y90 export current --to DIR`.", call. = FALSE)
  structure(list(dir = normalizePath(dir)), class = "y90_bundle")
}

# A table as a data frame; name as in docs, for instance "survival_medians" or "marts.subjects".
y90_table <- function(r, name) {
  parts <- strsplit(name, ".", fixed = TRUE)[[1]]
  if (length(parts) == 1) parts <- c("outcomes", parts)
  path <- file.path(r$dir, "csv", parts[1], paste0(parts[2], ".csv"))
  if (!file.exists(path))
    stop(name, ": no such table. There are ",
         paste(sub("[.]csv$", "", dir(dirname(path))), collapse = ", "), ".", call. = FALSE)
  read.csv(path, na.strings = "", stringsAsFactors = FALSE, check.names = FALSE)
}

# The published Kaplan-Meier curve as a `survfit` object, in months of 30.4375 days: plot, quantile
# and summary of package survival take it. Standard errors are Greenwood's, of the log of survival.
y90_km <- function(r, endpoint, by = NULL, population = "all", level = "subject") {
  requireNamespace("survival")
  curves <- y90_table(r, "survival_curves")
  factor <- if (is.null(by)) is.na(curves$factor) else !is.na(curves$factor) & curves$factor == by
  here <- curves$population == population & curves$endpoint == endpoint & curves$level == level
  rows <- curves[here & factor & curves$events + curves$censored > 0, ]
  if (nrow(rows) == 0)
    stop("no curve of ", endpoint, if (!is.null(by)) paste(" by", by), ". There are ",
         paste(unique(curves$endpoint), collapse = ", "), ".", call. = FALSE)
  levels <- if (is.null(by)) "" else sort(unique(rows$factor_level))
  label <- ifelse(is.na(rows$factor_level), "", rows$factor_level)
  rows <- rows[order(match(label, levels), rows$time_days), ]
  label <- ifelse(is.na(rows$factor_level), "", rows$factor_level)
  died <- rows$events / (rows$at_risk * (rows$at_risk - rows$events))
  fit <- list(
    n = as.vector(tapply(rows$at_risk, factor(label, levels), max)),
    time = rows$time_days / 30.4375, n.risk = rows$at_risk, n.event = rows$events,
    n.censor = rows$censored, surv = rows$survival,
    std.err = sqrt(ave(died, label, FUN = cumsum)), cumhaz = -log(rows$survival),
    type = "right", logse = TRUE, conf.int = 0.95, conf.type = "log-log",
    lower = rows$lower, upper = rows$upper, call = match.call()
  )
  if (!is.null(by))
    fit$strata <- setNames(as.vector(table(factor(label, levels))), paste0(by, "=", levels))
  structure(fit, class = "survfit")
}

# Table 1 as published: one row a characteristic, its count, share or median with quartiles.
y90_table1 <- function(r, population = "all") {
  t <- y90_table(r, "baseline_characteristics")
  t[t$population == population, setdiff(names(t), c("population", "statistic_id"))]
}

# Table 1 as the package cards holds results (class `card`), so that gtsummary lays it out:
#   gtsummary::tbl_ard_summary(y90_ard(r)); gtsummary::tbl_ard_summary(y90_ard(r, "ecog0"), by = ecog0)
# Every published number in the same layout is csv/ard.csv of the bundle.
y90_ard <- function(r, by = NULL, population = "all") {
  t <- read.csv(file.path(r$dir, "csv", "ard.csv"), na.strings = "", colClasses = "character",
                check.names = FALSE)
  t <- t[t$population == population &
           t$context %in% c("summary", "tabulate", "missing", "attributes"), ]
  if (is.null(by)) {
    t <- t[is.na(t$group1), !startsWith(names(t), "group")]
  } else {
    if (!by %in% t$group1)
      stop("no Table 1 by ", by, ". There are ",
           paste(sort(unique(na.omit(t$group1))), collapse = ", "), ".", call. = FALSE)
    t <- t[(t$group1 %in% by & t$variable != by) |
             (is.na(t$group1) & (t$variable == by | t$context == "attributes")), ]
    t$group1_level <- as.list(t$group1_level)
  }
  if (requireNamespace("cards", quietly = TRUE) && utils::packageVersion("cards") < "0.7.0")
    t$context <- c(summary = "continuous", tabulate = "categorical", missing = "missing",
                   attributes = "attributes")[t$context]
  numbers <- t$context != "attributes"
  stat <- as.list(t$stat)
  stat[numbers] <- as.list(as.numeric(t$stat[numbers]))
  t$stat <- stat
  t$variable_level <- as.list(t$variable_level)
  t$fmt_fun <- t$warning <- t$error <- rep(list(NULL), nrow(t))
  t$population <- NULL
  rownames(t) <- NULL
  structure(t, class = c("card", "data.frame"))
}

# Expected answers of the pooling kernel: R 4.2.2, survival 3.5-3, metafor 3.8, lme4 1.1-31.
# Run from the root of the repository; R is not needed to run the tests.
#
#   Rscript warehouse/concordance/r/pooled.R
#
# It also writes pbc5.csv: survival::pbc cut into five registries, rows shuffled by 167 k mod 419.
# glmer stops early, so that its answer is the start of a Newton search on the same likelihood:
# seven points of adaptive Gauss-Hermite quadrature, written out below, held to lme4's value.

suppressMessages({library(survival); library(metafor); library(lme4)})
folder <- "warehouse/concordance/r"
tight <- list(threshold = 1e-14, maxiter = 10000, tol = 1e-14)

number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
array <- function(x) paste0("[", paste(number(x), collapse = ","), "]")
matrix_of <- function(m) paste0("[", paste(apply(m, 1, array), collapse = ","), "]")
object <- function(parts) {
  paste0("{", paste(sprintf('"%s": %s', names(parts), unlist(parts)), collapse = ",\n "), "}")
}

# --- proportions -------------------------------------------------------------------------------

# Nodes and weights of the seven-point rule for exp(-x^2).
gauss_hermite <- function(n) {
  b <- sqrt(seq_len(n - 1) / 2)
  j <- matrix(0, n, n)
  j[cbind(seq_len(n - 1), 2:n)] <- b
  j[cbind(2:n, seq_len(n - 1))] <- b
  e <- eigen(j, symmetric = TRUE)
  list(x = e$values, w = sqrt(pi) * e$vectors[1, ]^2)
}
rule <- gauss_hermite(7)

one <- function(x, n, mu, theta) {
  u <- 0
  for (i in 1:200) {
    p <- plogis(mu + theta * u)
    step <- (theta * (x - n * p) - u) / (theta^2 * n * p * (1 - p) + 1)
    u <- u + step
    if (abs(step) < 1e-14) break
  }
  p <- plogis(mu + theta * u)
  s <- 1 / sqrt(theta^2 * n * p * (1 - p) + 1)
  z <- u + sqrt(2) * s * rule$x
  eta <- mu + theta * z
  terms <- x * eta - n * log1p(exp(eta)) - z^2 / 2 + rule$x^2 + log(rule$w)
  m <- max(terms)
  m + log(sum(exp(terms - m))) + log(s) - log(pi) / 2 + lchoose(n, x)
}
likelihood <- function(par, x, n) sum(mapply(one, x, n, MoreArgs = list(mu = par[1], theta = par[2])))

gradient_of <- function(f, par, h = 1e-3) {
  sapply(seq_along(par), function(i) {
    e <- replace(numeric(length(par)), i, h)
    (-f(par + 3 * e) + 9 * f(par + 2 * e) - 45 * f(par + e) + 45 * f(par - e) - 9 * f(par - 2 * e)
      + f(par - 3 * e)) / (-60 * h)
  })
}
hessian_of <- function(f, par, h = 1e-3) {
  m <- sapply(seq_along(par), function(i) {
    e <- replace(numeric(length(par)), i, h)
    g <- function(p) gradient_of(f, p)
    (g(par + 3 * e) - 9 * g(par + 2 * e) + 45 * g(par + e) - 45 * g(par - e) + 9 * g(par - 2 * e)
      - g(par - 3 * e)) / (60 * h)
  })
  (m + t(m)) / 2
}

together <- function(x, n) {
  limits <- binom.test(sum(x), sum(n))$conf.int
  list(n = array(x), total = array(n), together = array(c(sum(x) / sum(n), limits)))
}

shares <- function(x, n) {
  fit <- rma.glmm(measure = "PLO", xi = x, ni = n, nAGQ = 7)
  f <- function(par) likelihood(par, x, n)
  par <- c(fit$beta[1], sqrt(fit$tau2))
  for (i in 1:30) par <- par - solve(hessian_of(f, par), gradient_of(f, par))
  vcov <- solve(-hessian_of(f, par))
  stopifnot(abs(par[1] - fit$beta[1]) < 1e-3, abs(par[2]^2 - fit$tau2) < 2e-3,
            abs(sqrt(vcov[1, 1]) / fit$se - 1) < 2e-3)
  mu <- par[1]
  se <- sqrt(vcov[1, 1])
  tau2 <- par[2]^2
  reach <- qt(.975, length(x) - 2) * sqrt(tau2 + se^2)
  c(together(x, n), list(
    mu = number(mu), se = number(se), tau2 = number(tau2), log_likelihood = number(f(par)),
    limits = array(plogis(mu + c(0, -1, 1) * qnorm(.975) * se)),
    prediction = array(plogis(mu + c(-1, 1) * reach)),
    of_metafor = array(c(fit$beta[1], fit$se, fit$tau2, fit$QE.Wld, fit$QE.LRT, fit$I2))
  ))
}

# --- one number per registry -------------------------------------------------------------------

effects <- function(y, se) {
  fixed <- rma(y, sei = se, method = "EE")
  random <- rma(y, sei = se, method = "REML", control = tight)
  wald <- c(random$beta, random$se)
  q <- sum((y - random$beta[1])^2 / (se^2 + random$tau2)) / (length(y) - 1)
  hk <- wald[2] * sqrt(max(1, q))
  limits <- wald[1] + c(-1, 1) * qt(.975, length(y) - 1) * hk
  profile <- confint(random, control = list(tol = 1e-14, maxiter = 10000, tau2.max = 1e6))$random["tau^2", 2:3]
  reach <- if (length(y) > 2) qt(.975, length(y) - 2) * sqrt(random$tau2 + wald[2]^2) else NA
  list(
    y = array(y), se = array(se), fixed = array(c(fixed$beta, fixed$se)),
    q = array(c(fixed$QE, fixed$QEp)), i2_of_q = number(max(0, 100 * (1 - (length(y) - 1) / fixed$QE))),
    random = array(wald), tau2 = number(random$tau2), tau2_limits = array(unlist(profile)),
    limits = array(limits), prediction = array(wald[1] + c(-1, 1) * reach)
  )
}

# --- pbc in five registries --------------------------------------------------------------------

sizes <- c(139, 112, 83, 54, 30)
pbc <- pbc[order((seq_len(418) * 167) %% 419), ]
d <- with(pbc, data.frame(
  registry = LETTERS[rep(1:5, sizes)], days = time, cause = status,
  edema = as.integer(edema > 0), bilirubin = as.integer(bili > 2), albumin = as.integer(albumin <= 3.5),
  age = as.integer(age >= 55)
))
write.csv(d, file.path(folder, "pbc5.csv"), row.names = FALSE, quote = FALSE)
d$dead <- as.integer(d$cause == 2)
d$months <- d$days / 30.4375
d$any <- factor(d$cause, 0:2)
parts <- split(d, d$registry)
n <- sapply(parts, nrow)
w <- n / sum(n)

u_and_v <- function(p) {
  s <- survdiff(Surv(days, dead) ~ edema, p)
  c(s$obs[2] - s$exp[2], s$var[2, 2])
}
uv <- sapply(parts, u_and_v)
stratified <- survdiff(Surv(days, dead) ~ edema + strata(registry), d)

landmark <- function(p, t) {
  s <- summary(survfit(Surv(months, dead) ~ 1, p), times = t)
  c(s$surv, s$std.err, s$n.risk)
}
mean_of <- function(p, tau) {
  m <- summary(survfit(Surv(months, dead) ~ 1, p), rmean = tau)$table
  c(m["rmean"], m["se(rmean)"])
}
causes <- function(p, t) {
  s <- summary(survfit(Surv(months, any) ~ 1, p), times = t)
  c(s$pstate[1, 2:3], s$std.err[1, 2:3])
}
s36 <- sapply(parts, landmark, 36)
m60 <- sapply(parts, mean_of, 60)
c60 <- sapply(parts, causes, 60)
weighted <- function(value, se) array(c(sum(w * value), sqrt(sum((w * se)^2))))
cloglog <- log(-log(s36[1, ]))
cloglog_se <- s36[2, ] / (s36[1, ] * abs(log(s36[1, ])))

terms <- c("edema", "bilirubin", "albumin", "age")
formula_of <- function(extra = "") as.formula(paste("Surv(days, dead) ~", paste(terms, collapse = " + "), extra))
control <- coxph.control(eps = 1e-12, iter.max = 100, toler.chol = 1e-14)
fits <- lapply(parts, function(p) coxph(formula_of(), p, control = control))
pooled <- coxph(formula_of("+ strata(registry)"), d, control = control)
W <- lapply(fits, function(f) solve(vcov(f)))
first <- solve(Reduce(`+`, W), Reduce(`+`, Map(function(w, f) w %*% coef(f), W, fits)))
at <- function(p, b) {
  f <- coxph(formula_of(), p, init = b, x = TRUE, y = TRUE, control = coxph.control(iter.max = 0))
  list(u = colSums(coxph.detail(f)$score), i = solve(f$var))
}
seconds <- lapply(parts, at, c(first))
second <- first + solve(Reduce(`+`, lapply(seconds, `[[`, "i")), Reduce(`+`, lapply(seconds, `[[`, "u")))

# One factor: what registries of enough events at each level tell, to two decimals, then the second
# round at its common effect to four.
second_round <- function(term, told) {
  form <- as.formula(paste("Surv(days, dead) ~", term))
  own <- lapply(parts[told], function(p) coxph(form, p, control = control))
  b <- round(sapply(own, coef), 2)
  w <- round(sapply(own, function(f) sqrt(vcov(f)[1, 1])), 2)^-2
  b0 <- round(sum(w * b) / sum(w), 4)
  asked <- sapply(parts[told], function(p) {
    environment(form) <- environment()  # coxph.detail looks for the rows there
    f <- coxph(form, p, init = b0, control = coxph.control(iter.max = 0))
    c(sum(coxph.detail(f)$score), 1 / f$var[1, 1])
  })
  whole <- coxph(update(form, . ~ . + strata(registry)), d[d$registry %in% told, ], control = control)
  object(list(told = paste0('"', paste(told, collapse = ""), '"'), at = number(b0),
    score = array(asked[1, ]), information = array(asked[2, ]),
    stratified = array(c(coef(whole), sqrt(vcov(whole)[1, 1])))))
}
rounds <- object(sapply(terms, function(t) second_round(t, c("A", "B", "C", if (t != "edema") "D")),
                        simplify = FALSE))

# --- moments -----------------------------------------------------------------------------------

ages <- split(pbc$age, d$registry)
moments <- list(
  n = array(n), mean = array(sapply(ages, mean)), sd = array(sapply(ages, sd)),
  together = array(c(mean(pbc$age), sd(pbc$age)))
)

registries <- function(m) matrix_of(t(m))
answers <- list(
  shares = object(shares(c(25, 11, 40, 3, 18), c(40, 22, 61, 9, 55))),
  rare = object(shares(c(0, 0, 1, 0, 4), c(40, 22, 61, 9, 55))),
  left_out = matrix_of(t(sapply(1:5, function(k) {
    x <- c(25, 11, 40, 3, 18)[-k]; m <- c(40, 22, 61, 9, 55)[-k]
    c(sum(x) / sum(m), binom.test(sum(x), sum(m))$conf.int)
  }))),
  none = object(together(c(0, 0, 0), c(40, 61, 31))),
  ratios = object(effects(log(c(1.8, 2.4, 1.1, 3.0, 1.5)), c(.42, .61, .30, .88, .35))),
  apart = object(effects(c(.1, .9, -.4, 1.6, .5, .2), c(.2, .25, .3, .28, .15, .4))),
  two = object(effects(c(.2, 1.4), c(.3, .25))),
  pbc5 = object(list(
    n = array(n), u = array(uv[1, ]), v = array(uv[2, ]), chi2 = number(stratified$chisq),
    survival_36 = registries(s36), together_36 = weighted(s36[1, ], s36[2, ]),
    mean_60 = registries(m60), together_mean_60 = weighted(m60[1, ], m60[2, ]),
    incidence_60 = registries(c60),
    together_incidence_60 = array(c(sum(w * c60[1, ]), sum(w * c60[2, ]))),
    cloglog_36 = object(effects(cloglog, cloglog_se)),
    coef = matrix_of(t(sapply(fits, coef))),
    cov = paste0("[", paste(sapply(fits, function(f) matrix_of(vcov(f))), collapse = ","), "]"),
    first = array(first), second = array(second),
    score = matrix_of(t(sapply(seconds, `[[`, "u"))),
    information = paste0("[", paste(sapply(seconds, function(s) matrix_of(s$i)), collapse = ","), "]"),
    stratified = array(coef(pooled)), stratified_se = array(sqrt(diag(vcov(pooled))))
  )),
  rounds = rounds,
  moments = object(moments),
  versions = object(list(
    R = sprintf('"%s"', getRversion()), survival = sprintf('"%s"', packageVersion("survival")),
    metafor = sprintf('"%s"', packageVersion("metafor")), lme4 = sprintf('"%s"', packageVersion("lme4"))
  ))
)
writeLines(object(answers), file.path(folder, "pooled.json"))

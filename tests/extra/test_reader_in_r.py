"""y90.R of a bundle: its curves are those that package survival estimates from its rows."""

import shutil
import subprocess
from pathlib import Path

import pytest

from flows.__main__ import main
from simulation import registry_folder
from warehouse.store import Store

pytestmark = pytest.mark.extra
SCRIPT = """
dir <- commandArgs(TRUE)[1]
source(file.path(dir, "y90.R"))
suppressMessages(library(survival))
r <- y90_open(dir)
m <- y90_table(r, "marts.time_to_event")
m <- m[m$endpoint == "OS" & !is.na(m$time_days), ]
levels <- y90_table(r, "marts.factor_levels")
levels <- levels[levels$factor == "ecog0", c("subject_id", "factor_level")]
m <- merge(m, levels, all.x = TRUE)
m$died <- m$event %in% c("true", "True", TRUE)
near <- function(ours, theirs) {
  stopifnot(length(ours$time) == length(theirs$time))
  alive <- theirs$surv > 0
  max(abs(ours$time - theirs$time), abs(ours$surv - theirs$surv),
      abs(ours$std.err - theirs$std.err)[alive], abs(ours$n.risk - theirs$n.risk),
      abs(ours$lower - theirs$lower)[alive], abs(ours$upper - theirs$upper)[alive], na.rm = TRUE)
}
fit <- y90_km(r, "OS")
theirs <- survfit(Surv(time_days / 30.4375, died) ~ 1, m, conf.type = "log-log")
by <- y90_km(r, "OS", by = "ecog0")
theirs_by <- survfit(Surv(time_days / 30.4375, died) ~ factor_level, m, conf.type = "log-log")
pdf(file.path(dir, "os.pdf")); plot(by, col = 1:2, mark.time = TRUE, conf.int = TRUE)
invisible(dev.off())
cat(near(fit, theirs) < 1e-9, near(by, theirs_by) < 1e-9, nrow(y90_table1(r)) > 20,
    round(unname(quantile(fit, 0.5)$quantile), 1), file.exists(file.path(dir, "os.pdf")), "\\n")
print(summary(by, times = c(12, 24))$n.risk)
cards <- y90_ard(r, by = "ecog0")
of <- cards$variable == "sex" & cards$stat_name == "n"
cat(inherits(cards, "card"), all(cards$group1 %in% c("ecog0", NA)), sum(unlist(cards$stat[of])),
    is.list(cards$stat), "\\n")
for (wrong in list(quote(y90_open("nowhere")), quote(y90_km(r, "XX")), quote(y90_table(r, "xx")),
                   quote(y90_ard(r, "xx"))))
  cat(tryCatch(eval(wrong), error = conditionMessage), "\\n")
"""


def test_its_curves_are_survivals_own(reference_store: Store, tmp_path: Path) -> None:
    assert shutil.which("Rscript"), "R is missing: apt-get install r-base-core r-cran-survival"
    bundle, script = tmp_path / "bundle", tmp_path / "script.R"
    store, config = (
        str(reference_store.root),
        str(registry_folder("memon2012", "redcap") / "registry.toml"),
    )
    words = ["--store", store, "--config", config, "export", "current", "--to", str(bundle)]
    assert main(words) == 0
    script.write_text(SCRIPT)
    done = subprocess.run(
        ["Rscript", str(script), str(bundle)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, _, results, *told = done.stdout.splitlines()
    assert first.split() == ["TRUE", "TRUE", "TRUE", "34.4", "TRUE"]
    assert results.split() == ["TRUE", "TRUE", "40", "TRUE"]
    assert "y90 export" in told[0]
    assert told[1].startswith("no curve of XX. There are ")
    assert "survival_curves" in told[2]
    assert told[3].startswith("no Table 1 by xx. There are alb35")

"""A night whose steps do nothing, run as a flow in a process of its own: STORE [KIND].

KIND makes a step misbehave: `retry` (receiving fails twice from outside), `bug` (a fault whose
words hold a secret), `refuse`, `held`, `wait` (stays in a step until it is killed). The steps
called and what was raised are printed as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from flows import pulling, steps
from flows.prefect import server
from flows.telling import digest
from schemas.errors import Refused
from warehouse import pipeline
from warehouse.building.plan import Plan, Published
from warehouse.receiving.inbox import Received
from warehouse.releases import ledger
from warehouse.store import Store

CONFIG = Path(__file__).resolve().parents[2] / "simulation" / "memon2012" / "registry.toml"
SECRET = "SECRETPATIENT"
NIGHT = date(2011, 3, 31)
called: list[str] = []


def main(root: Path, kind: str) -> None:
    """Run the night and tell what happened."""
    _invent(kind)
    store = Store.open(root)
    night = {"config": str(CONFIG), "store": str(root), "as_of": NIGHT.isoformat()}
    raised = ""
    with server.prefect_api(store) as url:
        from flows import nightly

        try:
            nightly.run(night, url, wait=True)
        except Exception as fault:
            raised = repr(fault)
    print(json.dumps({"called": called, "raised": raised, "url": url}))  # noqa: T201


def _invent(kind: str) -> None:
    plan = Plan("run", "key", "inputs", NIGHT, NIGHT, (), {}, (), None, False, {})
    answers = {
        "receive": Received("memon2012"),
        "plan": plan,
        "publish": Published("2011.03.31", Path("/nowhere"), True, kind == "held"),
    }
    for name in ("receive", "plan", "start", "build", "estimate", "audit", "publish"):
        setattr(pipeline, name, _step(name, kind, answers.get(name)))
    steps.report = _step("report", kind, None)
    ledger.record_failure = _step("record_failure", kind, None)
    digest.markdown = lambda _: "# An invented night"
    pulling.RETRY_SECONDS = 0


def _step(name: str, kind: str, answer: Any) -> Callable[..., Any]:
    def step(*_: Any, **__: Any) -> Any:
        called.append(name)
        if (kind, name) == ("retry", "receive") and called.count(name) < 3:
            raise ConnectionResetError(SECRET)
        if (kind, name) == ("bug", "build"):
            raise ValueError(SECRET)
        if (kind, name) == ("refuse", "plan"):
            raise Refused("night: nothing is visible. Deliver something.")
        while (kind, name) == ("wait", "build"):
            time.sleep(0.1)
        return answer

    return step


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")

"""One night without Prefect that is killed right after a step: STORE CONFIG NIGHT [STEP].

The steps are the product's own; only what carries them out differs: it sends this process SIGKILL
when the step of that name has ended, `receive memon2012` or `publish` for instance. `STEP:before`
kills at the step's start. The names of the steps that ended are written to standard output.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from flows import settings, steps
from warehouse.store import Store

T = TypeVar("T")


def main(store: Path, config: Path, night: date, deadly: str) -> None:
    """Run the night up to its death, or to its end."""

    def do(name: str, retries: int, step: Callable[[], T], /) -> T:
        if f"{name}:before" == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = steps.directly(name, retries, step)
        os.write(1, f"{name}\n".encode())
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    registry = settings.load_registry(config)
    key = settings.registry_key(registry)
    steps.nightly(steps.Job(Store.open(store), registry, key, night, night), do)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        date.fromisoformat(sys.argv[3]),
        sys.argv[4] if len(sys.argv) > 4 else "",
    )

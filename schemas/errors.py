"""What can go wrong for a user, and the exit code of each class.

    Y90Error
    ├── Refused (2)      the command cannot be done: usage, unknown name, refused input, no key
    │   ├── BadDelivery      an export that cannot be read
    │   └── BadConfiguration registry.toml or a site file is wrong
    ├── Failed (1)       the answer is no, or the run failed
    ├── Held (3)         built, but held for approval
    └── Locked (4)       another run holds the store

Anything else that is raised is our own fault: it keeps its traceback and exits with 70.
A message reads `where: what rule is broken. what to do.` and never holds a patient's value.
"""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass

OUR_FAULT = 70


class Y90Error(Exception):
    """A user's problem, told without a traceback."""

    exit_code = 1


class Failed(Y90Error):
    """The run failed, or the answer to the question asked is no."""


class Refused(Y90Error):
    """The command cannot be carried out as asked."""

    exit_code = 2


class BadDelivery(Refused):
    """An export that cannot be taken: the site's last good one stays in force."""


class BadConfiguration(Refused):
    """A configuration file that says something we cannot follow."""


class Held(Y90Error):
    """A release was built and waits for approval."""

    exit_code = 3


class Locked(Y90Error):
    """Another run holds the store."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """A bug of ours that stopped one site: the night goes on without its delivery."""

    site_id: str
    delivery: str
    kind: str
    places: tuple[str, ...]
    """Where it was raised; the words of an error could hold a value, and are left out."""

    def __str__(self) -> str:
        """One sentence for a person."""
        return (
            f"{self.site_id}/{self.delivery}: an error of ours ({self.kind}) stopped it. The "
            "site's last good delivery stays in force; report the places in state/logs."
        )


def places(error: BaseException) -> tuple[str, ...]:
    """Kind and place of an error and of what caused it: a traceback without a word of its text."""
    told: list[str] = []
    while True:
        told.append(f"{type(error).__module__}.{type(error).__qualname__}")
        told += [
            f"{f.filename}:{f.lineno} in {f.name}"
            for f in traceback.extract_tb(error.__traceback__)
        ]
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return tuple(told)
        error = cause


def all_at_once(where: str, problems: Iterable[str]) -> str:
    """One message for every breach, so that a file is corrected once and not one line at a time."""
    listed = list(problems)
    head = f"{where}: {len(listed)} problem{'s' if len(listed) != 1 else ''}."
    return "\n".join([head, *(f"  - {p}" for p in listed)])

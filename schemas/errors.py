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

from collections.abc import Iterable

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


def all_at_once(where: str, problems: Iterable[str]) -> str:
    """One message for every breach, so that a file is corrected once and not one line at a time."""
    found = list(problems)
    head = f"{where}: {len(found)} problem{'s' if len(found) != 1 else ''}."
    return "\n".join([head, *(f"  - {p}" for p in found)])

"""Count the free looks that were taken at a release, so that nobody forgets how many there were.

    store/state/explored/
      <release_id>.jsonl    one selection a line, each once; codes only, no patient

A look that cannot be counted is not given: whoever may not write the store's state sees published
statistics alone.
"""

import json
from pathlib import Path

from schemas.errors import Refused
from warehouse.exploring.selection import Selection
from warehouse.store import Store, lock_file, make_private, write_atomically


def taken(store: Store, release_id: str) -> list[Selection]:
    """The free selections that were looked at, in their order."""
    try:
        lines = _file(store, release_id).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except OSError:
        raise _not_counted(store) from None
    return [_selection(json.loads(line)) for line in lines if line]


def count(store: Store, release_id: str, selection: Selection) -> None:
    """Note a look; the same one twice is one.

    Raises:
        Refused: this user may not write the store's state.
    """
    path = _file(store, release_id)
    line = json.dumps(selection.facts(), sort_keys=True, ensure_ascii=False)
    try:
        make_private(path.parent)
        with lock_file(path.parent / "lock", wait=True):
            lines = path.read_text("utf-8").splitlines() if path.exists() else []
            if line not in lines:
                write_atomically(path, "\n".join([*lines, line, ""]).encode(), private=True)
    except OSError:
        raise _not_counted(store) from None


def _file(store: Store, release_id: str) -> Path:
    return store.state / "explored" / f"{release_id}.jsonl"


def _selection(facts: dict[str, object]) -> Selection:
    only = facts.pop("only", [])
    assert isinstance(only, list)
    return Selection(**facts, only=tuple((f, level) for f, level in only))  # type: ignore[arg-type]


def _not_counted(store: Store) -> Refused:
    return Refused(
        f"{store.state}: this user may not write there, so a free look cannot be counted and is "
        "not given. Published statistics are shown; ask whoever runs y90 for the rest."
    )

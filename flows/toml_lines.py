"""Find the line of a TOML file on which a key stands; `tomllib` does not give it.

Only used to point at a mistake in a file that `tomllib` has read already, so that nothing is judged
here: headers, keys, and how long a value goes on.
"""

import re
from collections.abc import Iterator

Place = tuple[str | int, ...]

HEADER = re.compile(r"^\s*\[(\[)?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.)?""")
TOKEN = re.compile(r'''"""|\'\'\'|"(?:[^"\\]|\\.)*"|'[^']*'|[\[\]{}]|#.*''')


def lines(text: str) -> dict[Place, int]:
    """Every table and key of a TOML text -> the line that opens it, counted from 1."""
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in _logical(text):
        header = HEADER.match(line)
        if header:
            table = _numbered(_parts(header[2]), counts, is_array=bool(header[1]))
            found.setdefault(table, number)
        elif "=" in line:
            place = (*table, *_parts(line))
            for end in range(len(table) + 1, len(place) + 1):
                found.setdefault(place[:end], number)
    return found


def line_of(found: dict[Place, int], place: Place) -> int | None:
    """The line of a key, or of the nearest table around it that stands in the file."""
    for end in range(len(place), 0, -1):
        if place[:end] in found:
            return found[place[:end]]
    return None


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines that begin a header or a key: not those inside a long string or an open bracket."""
    depth, quote = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        begins = depth == 0 and not quote
        if begins and HEADER.match(line):
            yield number, line
            continue
        if begins and line.strip() and not line.lstrip().startswith("#"):
            yield number, line
        depth, quote = _after(line, depth, quote)


def _after(line: str, depth: int, quote: str) -> tuple[int, str]:
    """How many brackets are open after a line, and which long string goes on."""
    at = 0
    while at < len(line):
        if quote:
            end = line.find(quote, at)
            if end < 0:
                return depth, quote
            at, quote = end + 3, ""
            continue
        token = TOKEN.search(line, at)
        if token is None or token[0].startswith("#"):
            break
        at = token.end()
        if token[0] in ('"""', "'''"):
            quote = token[0]
        depth += (token[0] in "[{") - (token[0] in "]}")
    return depth, quote


def _parts(text: str) -> Place:
    """The parts of a dotted key at the start of a text."""
    parts: list[str] = []
    at = 0
    while found := PART.match(text, at):
        parts.append(next(p for p in found.groups()[:3] if p is not None))
        at = found.end()
        if not found[4]:
            break
    return tuple(parts)


def _numbered(parts: Place, counts: dict[Place, int], *, is_array: bool) -> Place:
    """A header's path with the position in each array of tables that it passes through."""
    place: Place = ()
    for position, part in enumerate(parts):
        place = (*place, part)
        if is_array and position == len(parts) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place

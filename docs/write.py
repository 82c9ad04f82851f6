"""Write every page that is made from the code, or fail where one differs from it.

python docs/write.py            write
python docs/write.py --check    exit 1 and name the pages that differ
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.writing import (  # noqa: E402
    commands,
    coverage,
    findings,
    privacy,
    records,
    rules,
    settings,
    tables,
)

DOCS = ROOT / "docs"
GENERATED = ("tables", "records", "rules", "findings")


def pages() -> dict[str, str]:
    """Path below docs/ -> text, of every generated page."""
    made: dict[str, str] = {}
    for kind in (tables, records, rules, settings, findings, commands, coverage, privacy):
        made |= kind.pages()
    return made


def differing(made: dict[str, str]) -> list[str]:
    """Pages that are missing, stale, or no longer made."""
    stale = [p for p, text in made.items() if _read(DOCS / p) != text]
    old = [f.relative_to(DOCS).as_posix() for g in GENERATED for f in (DOCS / g).glob("*.md")]
    return sorted({*stale, *(p for p in old if p not in made)})


def write(made: dict[str, str]) -> None:
    """Write the pages, and remove those that are no longer made."""
    for path in differing(made):
        (DOCS / path).unlink(missing_ok=True)
    for path, text in made.items():
        (DOCS / path).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / path).write_text(text, "utf-8")


def main(arguments: list[str]) -> int:
    """Write or check; the exit code."""
    made = pages()
    if "--check" not in arguments:
        write(made)
        return 0
    found = differing(made)
    for path in found:
        sys.stderr.write(f"docs/{path}: differs from the code. Run `make docs` and commit it.\n")
    return int(bool(found))


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The manuscript as Markdown; each number is followed by its label, in a comment nobody sees."""

from collections.abc import Iterable, Iterator

from report.figures.model import Table
from report.figures.source import worded
from report.paper.blocks import Block, Heading, Paragraph
from report.paper.exhibits import Numbered
from report.paper.lock import label
from report.paper.parts import Text, of_cell


def markdown(blocks: Iterable[Block]) -> str:
    """Return a manuscript as Markdown.

    A number is followed by its label in braces inside a comment, which `y90 numbers check` reads.
    """
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * (block.level + 1)} {_plain(block.text)}"
    if isinstance(block, Paragraph):
        return marked(block.text).strip()
    exhibit = block.exhibit
    head = f"**{block.name}.** {_plain(exhibit.title)}"
    notes = " ".join(map(_plain, exhibit.notes))
    if exhibit.empty:
        return f"{head}\n\n{_plain(exhibit.empty)}"
    if isinstance(exhibit, Table):
        return f"{head}\n\n" + "\n".join(_table(exhibit)) + f"\n\n{notes}"
    return f"![{_plain(exhibit.title)}]({place(block)}.png)\n\n{head}. {notes}"


def place(item: Numbered) -> str:
    """Where a figure's files are, without their endings."""
    return f"figures/{item.number}-{item.exhibit.id}"


def marked(text: Text) -> str:
    """A text whose numbers are followed by their labels."""
    return "".join(
        f"{_plain(part.text)}<!--{{{label(part.number)}}}-->" if part.number else _plain(part.text)
        for part in text
    )


def _table(table: Table) -> Iterator[str]:
    yield _line(map(_plain, table.columns))
    yield _line("---" for _ in table.columns)
    for row in table.rows:
        numbers = row.numbers or ((),) * len(row.cells)
        cells = [marked(of_cell(c, n)) for c, n in zip(row.cells, numbers, strict=True)]
        yield _line([f"**{cells[0]}**" if row.heading and cells[0] else cells[0], *cells[1:]])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    """Delivered text cannot become markup."""
    text = worded(text)
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, "\\" + sign)
    return text

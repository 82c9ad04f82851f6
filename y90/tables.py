"""Table 1: the patients before treatment."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from y90.printing import interval, number

Row = dict[str, Any]
Cells = tuple[str, ...]
METHOD = "n (% of those with a value), or median (quartiles)."


@dataclass(frozen=True, slots=True)
class Table1:
    """Variables and their levels; the first cell of a row names it."""

    head: Cells
    rows: tuple[Cells, ...]
    source: str

    @classmethod
    def of(cls, found: Sequence[Row], by: str, source: str) -> "Table1":
        """Put the table together from rows of the release."""
        columns = sorted({row["factor_level"] for row in found})
        at = {(r["variable"], r["level"], r["factor_level"]): r for r in found}
        lines = sorted({(r["variable"], r["level"]) for r in found})
        rows = []
        for variable in dict.fromkeys(name for name, _ in lines):
            levels = [level for name, level in lines if name == variable]
            if levels != [""]:
                rows.append((_words(variable), *[""] * len(columns)))
            for level in levels:
                name = _words(variable) if level == "" else f"  {level}"
                rows.append((name, *(_cell(at.get((variable, level, c))) for c in columns)))
        heads = [f"{by} {column}".strip() if by else "all" for column in columns]
        return cls(("", *heads), tuple(rows), source)

    def to_html(self) -> str:
        """The table as HTML; nothing delivered can become markup."""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(c).replace('  ', '&emsp;')}</td>" for c in row) + "</tr>"
            for row in self.rows
        )
        foot = f"<caption>{escape(METHOD)} {escape(self.source)}</caption>"
        return f"<table>{foot}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_docx(self, path: str | Path) -> Path:
        """Write the table as a Word document.

        Raises:
            ImportError: python-docx is not installed; `pip install y90[word]`.
        """
        try:
            from docx import Document
        except ImportError:
            raise ImportError("Word needs python-docx: pip install 'y90[word]'.") from None
        document = Document()
        table = document.add_table(rows=1, cols=len(self.head), style="Table Grid")
        for row in (self.head, *self.rows):
            cells = table.rows[0].cells if row is self.head else table.add_row().cells
            for cell, text in zip(cells, row, strict=True):
                cell.text = text
        document.add_paragraph(f"{METHOD} {self.source}")
        document.save(str(path))
        return Path(path)

    def _repr_html_(self) -> str:
        return self.to_html()


def _cell(row: Row | None) -> str:
    if row is None or not row["total"]:
        return "no value"
    if row["median"] is not None:
        return f"{number(row['median'])} ({interval(row['q1'], row['q3'])})"
    return f"{row['n']} ({number(row['pct'])} %)"


def _words(code: str) -> str:
    return code.replace("_", " ")

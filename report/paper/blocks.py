"""What a manuscript is made of, before it is Word or Markdown."""

from dataclasses import dataclass

from report.paper.exhibits import Numbered
from report.paper.parts import Text


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 0 is the title."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `todo` marks what only the centre can write."""

    text: Text
    todo: bool = False


Block = Heading | Paragraph | Numbered

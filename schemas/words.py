"""When two words are one: without case and without what parts or joins them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

PARTS = r"[^\p{L}\p{N}%]"
"""What parts the words of a name, as a regular expression of the engines."""


def plain_name(text: str) -> str:
    """A name's plain form: letters and digits in lower case; a percentage is another quantity."""
    return "".join(c for c in text.lower() if c.isalnum() or c == "%")


def plain_words(texts: "ir.StringValue") -> "ir.StringValue":
    """The same of a column, in an engine."""
    return texts.lower().re_replace(PARTS, "")

"""How a figure looks: a model becomes a matplotlib figure, and that an SVG.

Imports report/figures; only where pages and print are written is it imported. The fonts come first:
they decide which ones matplotlib finds.
"""

from report.drawing import fonts

__all__ = ["fonts"]

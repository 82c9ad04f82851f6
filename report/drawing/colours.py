"""The colours of the figures, each with the name under which the page gives it a dark twin.

Curves hold 5.6 to 1 on white. Fills of responses are Okabe and Ito's; they are below 3 to 1 on
white, so each has an outline in ink and its name beside it.
Source: Okabe and Ito 2008, Color Universal Design.
"""

INK, SOFT, GRID = "#1c2530", "#55606e", "#d5dbe1"
"""Text and axes; footnotes; grid and what is not assessed."""
PAPER = "#ffffff"
CURVES = ("#0b5a94", "#b3420f", "#00714d", "#7a4a9a")
DASHES: tuple[tuple[float, ...], ...] = ((), (4.5, 2.0), (1.2, 1.6), (6.0, 1.6, 1.2, 1.6))
"""Dashes of the curves, so that none is told by its colour alone."""
RESPONSES = {
    "CR": "#00527f",
    "PR": "#56b4e9",
    "SD": "#e6c229",
    "PD": "#d55e00",
    "NE": "#c9ced4",
}
LINES = {
    "CR": "#00527e",
    "PR": "#2277b0",
    "SD": "#8a6d00",
    "PD": "#c04a00",
    "NE": "#5f6b78",
}
"""The same for lines, which have no outline: each over 4.5 to 1 on white."""
GRADES = ("#fde0c5", "#f3a56b", "#d65d00", "#8a2d04", "#222222")
"""Grades 1 to 5, darker where worse."""
ON_LIGHT, ON_DARK = "#0f1419", "#fefefe"
ON_GRADE = (ON_LIGHT, ON_LIGHT, ON_LIGHT, ON_DARK, ON_DARK)
"""Numbers written on a grade's bar."""

NAMES = {
    INK: "ink",
    SOFT: "soft",
    GRID: "line",
    PAPER: "paper",
    ON_LIGHT: "on-light",
    ON_DARK: "on-dark",
    **{colour: f"c{number}" for number, colour in enumerate(CURVES)},
    **{colour: f"r-{code.lower()}" for code, colour in RESPONSES.items()},
    **{colour: f"l-{code.lower()}" for code, colour in LINES.items()},
    **{colour: f"g{number}" for number, colour in enumerate(GRADES, 1)},
}
"""Colour -> name of the page's variable."""
DARK = {
    "on-light": "#0f1419",
    "on-dark": "#fefefe",
    "ink": "#e4e8ec",
    "soft": "#a9b4c0",
    "line": "#3a4450",
    "paper": "#161b21",
    "c0": "#6db3e0",
    "c1": "#f09a68",
    "c2": "#6fcf97",
    "c3": "#c6a0e0",
    "r-cr": "#3f93c4",
    "r-pr": "#56b4e9",
    "r-sd": "#e6c229",
    "r-pd": "#e8712a",
    "r-ne": "#6b7683",
    "l-cr": "#4fa3d8",
    "l-pr": "#7cc4f0",
    "l-sd": "#e6c94a",
    "l-pd": "#f0824a",
    "l-ne": "#a9b4c0",
    "g1": "#fde0c5",
    "g2": "#f3a56b",
    "g3": "#e8712a",
    "g4": "#8a2d04",
    "g5": "#000000",
}
"""What stands for each colour on a dark page."""


def variables(*, dark: bool) -> str:
    """Return the colours as variables of a style sheet."""
    said = DARK if dark else {name: colour for colour, name in NAMES.items()}
    return "; ".join(f"--{name}: {colour}" for name, colour in said.items())

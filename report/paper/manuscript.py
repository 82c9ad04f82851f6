"""A manuscript of one release: what the release decides is written, the rest is marked TODO."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from report.figures.methods import Settings, methods, sentences
from report.figures.source import Connection
from report.paper import results
from report.paper.blocks import Block, Heading, Paragraph
from report.paper.exhibits import Numbered
from report.paper.parts import Text, prose

PLACED = ("F1", "T1", "T3", "F4", "T5", "T4")
"""Figures and tables that stand in the text, in the order of its sections."""
ASKED: Mapping[str, str] = {
    "centres": "the centres that treated the patients",
    "ethics": "the ethics committee and its reference",
    "consent": "how consent was given, or why it was waived",
    "registration": "where the registry is registered",
    "funding": "who paid",
}
"""Key of [paper] -> what a centre must say that no table holds."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which release a manuscript is written from, and what its centre said of it."""

    registry: str
    release: str
    data_cutoff: str
    synthetic: bool
    settings: Settings
    said: Mapping[str, Any] = field(default_factory=dict)
    """The keys of [paper]; one that is empty is TODO."""

    @property
    def source(self) -> str:
        """What stands below every figure and table."""
        parts = (
            self.registry,
            f"release {self.release}",
            f"data cutoff {self.data_cutoff}",
            "SYNTHETIC DATA" if self.synthetic else "",
        )
        return " · ".join(part for part in parts if part)


def manuscript(con: Connection, origin: Origin, shown: list[Numbered]) -> list[Block]:
    """Return the manuscript, figures and tables at their places.

    Args:
        con: the release's database.
        origin: of which release it is written.
        shown: the figures and tables that are written beside it.
    """
    title = origin.said.get("title") or "TODO: title"
    return [
        Heading(str(title), 0),
        Paragraph(prose(origin.source)),
        *_methods(origin),
        *_results(con, origin, {item.number: item for item in shown}),
        Heading("Discussion"),
        Paragraph(prose("TODO: what the results mean, and what others found."), todo=True),
        Heading("Limitations"),
        Paragraph(
            prose("TODO: how patients came to be treated here, and what was not recorded."),
            todo=True,
        ),
        Heading("Declarations"),
        *(_declared(key, what, origin.said) for key, what in ASKED.items() if key != "centres"),
    ]


def _methods(origin: Origin) -> Iterator[Block]:
    yield Heading("Methods")
    yield _declared("centres", ASKED["centres"], origin.said)
    yield Paragraph(prose(*methods(origin.settings).notes))
    said = sentences(origin.settings)
    for section in dict.fromkeys(section for section, _ in said):
        own = [text for (of, _), text in said.items() if of == section]
        yield Paragraph(prose(" ".join(own)))


def _declared(key: str, what: str, said: Mapping[str, Any]) -> Paragraph:
    value = said.get(key)
    text = ", ".join(value) if isinstance(value, tuple | list) else value
    name = key.capitalize()
    if text:
        return Paragraph(prose(f"{name}: {text}"))
    return Paragraph(prose(f"{name}: TODO: {what} ([paper] {key} in registry.toml)."), todo=True)


def _results(con: Connection, origin: Origin, shown: Mapping[str, Numbered]) -> Iterator[Block]:
    version = origin.settings["toxicity"]["primary_version"]
    lesions = origin.settings["response"].get("headline_lesions", "all")
    yield Heading("Results")
    parts: tuple[tuple[str, Iterator[Text], tuple[str, ...]], ...] = (
        ("Patients", results.patients(con), ("F1",)),
        ("Before treatment", results.baseline(con), ("T1",)),
        ("Treatment", results.treatment(con), ()),
        ("Response", results.response(con, lesions), ("T3",)),
        ("Survival", results.survival(con), ("F4",)),
        ("Prognostic factors", results.prognosis(con), ("T5",)),
        ("Toxicity", results.toxicity(con, version), ("T4",)),
        ("Symptoms", results.symptoms(con), ()),
    )
    for heading, texts, numbers in parts:
        yield Heading(heading, 2)
        beside = [shown[n] for n in numbers if n in shown]
        yield Paragraph(_joined(texts, beside))
        yield from beside


def _joined(texts: Iterator[Text], beside: list[Numbered]) -> Text:
    """Sentences as one paragraph, which names the figures and tables below it."""
    parts = [part for text in texts for part in (*text, *prose(" "))]
    if beside:
        parts += prose(f"({', '.join(item.name for item in beside)})")
    return tuple(parts)

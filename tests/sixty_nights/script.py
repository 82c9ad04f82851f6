"""Read the script: nights, centres and planted changes as records."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("script.toml")


@dataclass(frozen=True, slots=True)
class Centre:
    """One centre, and the rhythm of its deliveries."""

    site: str
    start: int
    every: int

    def weekly(self, night: int) -> bool:
        """Whether it delivers by its rhythm."""
        return night >= self.start and (night - self.start) % self.every == 0


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted change, and what must come of it."""

    night: int
    words: str
    outcome: str
    changes: tuple[Mapping[str, Any], ...]
    until: int | None = None
    explain: str | None = None
    files: tuple[str, ...] = ()
    some: bool = False
    """Only some of the patients whose lines differ move the statistic."""
    approve: str | None = None
    twice: bool = False
    short: bool = False

    @property
    def sites(self) -> tuple[str, ...]:
        """The centres whose exports it changes."""
        return tuple(c["site"] for c in self.changes if "site" in c)

    def lasts(self, night: int) -> bool:
        """Whether an export of the night has it."""
        return night >= self.night and (self.until is None or night < self.until)


@dataclass(frozen=True, slots=True)
class Script:
    """The whole history."""

    first: date
    nights: int
    patients: int
    seed: int
    centres: tuple[Centre, ...]
    planted: tuple[Planted, ...] = field(default=())

    def day(self, night: int) -> date:
        """The date of a night, counted from 1."""
        return self.first + timedelta(days=night - 1)

    def delivers(self, centre: Centre, night: int) -> bool:
        """By its rhythm, or because of what is planted."""
        begun = any(centre.site in p.sites and night in (p.night, p.until) for p in self.planted)
        return begun or centre.weekly(night)

    def weekly_before(self, centre: Centre, night: int) -> int:
        """The night whose state an export shows: the last of the rhythm."""
        return next(n for n in range(night, 0, -1) if centre.weekly(n))

    def lasting(self, night: int) -> Iterator[Planted]:
        """What is planted in the exports and settings of a night."""
        return (p for p in self.planted if p.lasts(night))

    def of(self, night: int) -> Planted | None:
        """What is planted on a night."""
        return next((p for p in self.planted if p.night == night), None)

    def must_be_held(self) -> set[int]:
        """Nights whose release must be held."""
        return {
            n
            for p in self.planted
            if p.outcome == "held"
            for n in range(p.night, p.until or p.night + 1)
        }

    def shortened(self) -> "Script":
        """Every outcome once; each centre delivers at the start and where a change is planted.

        What passes is put right with the next change, so that no night is made for it alone.
        """
        centres = tuple(Centre(c.site, 1, self.nights) for c in self.centres)
        short = [p for p in self.planted if p.short]
        ends = [p.night for p in short[1:]] + [short[-1].night + 1]
        planted = tuple(
            replace(p, until=p.until and end) for p, end in zip(short, ends, strict=True)
        )
        nights = planted[-1].night
        return Script(self.first, nights, self.patients, self.seed, centres, planted)


def read() -> Script:
    """The script as it stands in its file."""
    facts = tomllib.loads(SCRIPT.read_text("utf-8"))
    centres = tuple(Centre(c["site"], c["from"], c["every"]) for c in facts.pop("centres"))
    planted = tuple(
        Planted(**{k: tuple(v) if isinstance(v, list) else v for k, v in p.items()})
        for p in facts.pop("planted")
    )
    return Script(**facts, centres=centres, planted=planted)

"""A history under construction, with the ordinary course that every situation starts from."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random

from .history import Death, History, Lesion, Measurement, Scan, Session, Therapy

SHRINK = (Fraction(4, 10), Fraction(6, 10), Fraction(8, 10))
STEPS = (
    *SHRINK,
    *SHRINK,
    Fraction(9, 10),
    Fraction(1),
    Fraction(1),
    Fraction(11, 10),
    Fraction(13, 10),
)


@dataclass
class Draft:
    """Rows by key, so that a situation can replace what the ordinary course put there."""

    rng: Random
    sessions: list = field(default_factory=list)
    lesions: dict = field(default_factory=dict)
    scans: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)
    therapies: list = field(default_factory=list)
    deaths: list = field(default_factory=list)
    alive_days: list = field(default_factory=list)
    extrahepatic_disease: str = "none"
    situations: set = field(default_factory=set)
    grain: int = 100

    def rounded(self, length) -> int:
        """Return a length on the grid on which this centre measures."""
        return max(self.grain, int(length) // self.grain * self.grain)

    def add_scan(self, day: int, modality: str = "CT", **changes) -> None:
        """Add a scan."""
        self.scans[day, modality] = Scan(
            day,
            modality,
            new_lesion=changes.pop("new_lesion", "none"),
            non_target=changes.pop("non_target", "none"),
            **changes,
        )

    def change_scan(self, key, **changes) -> None:
        """Change columns of a scan."""
        self.scans[key] = replace(self.scans[key], **changes)

    def add_lesion(self, lesion: Lesion) -> None:
        """Add or replace a lesion."""
        self.lesions[lesion.id] = lesion

    def change_lesion(self, lesion_id: str, **changes) -> None:
        """Change columns of a lesion."""
        self.lesions[lesion_id] = replace(self.lesions[lesion_id], **changes)

    def read(
        self, lesion_id: str, key, longest: int, across: int | None = None, share=Fraction(8, 10)
    ) -> None:
        """Add a measured row; the enhancing part has a share of both diameters."""
        across = longest * 8 // 10 if across is None else across
        inner = [int(length * share) for length in (longest, across)]
        self.rows[lesion_id, *key] = Measurement(
            lesion_id, key[0], key[1], "local", "measured", longest, across, inner[0], inner[1]
        )

    def state(self, lesion_id: str, key, status: str) -> None:
        """Add a row that has a status and no diameters."""
        self.rows[lesion_id, *key] = Measurement(lesion_id, key[0], key[1], status=status)

    def change_row(self, lesion_id: str, key, **changes) -> None:
        """Change columns of a row."""
        self.rows[lesion_id, *key] = replace(self.rows[lesion_id, *key], **changes)

    def baseline_key(self):
        """Return the first scan."""
        return min(self.scans)

    def follow_ups(self) -> list:
        """Return the scans after day 0."""
        return sorted(key for key in self.scans if key[0] > 0)

    def targets(self) -> list:
        """Return the ids of the liver lesions of the ordinary course."""
        return sorted(
            lesion_id
            for lesion_id, lesion in self.lesions.items()
            if lesion.organ == "liver" and lesion_id.startswith("L")
        )

    def finish(self, patient_id: str) -> History:
        """Return the finished history with the patient's end."""
        last = max([key[0] for key in self.scans] + [session.day for session in self.sessions])
        self.alive_days.append(last + self.rng.randint(0, 60))
        if not self.deaths and self.rng.random() < 0.45:
            self.deaths.append(Death.on(max(self.alive_days) + self.rng.randint(0, 200)))
            self.situations.add("death")
        return History(
            patient_id,
            tuple(self.sessions),
            tuple(self.lesions.values()),
            tuple(self.scans.values()),
            tuple(self.rows.values()),
            tuple(self.therapies),
            tuple(self.deaths),
            tuple(sorted(set(self.alive_days))),
            self.extrahepatic_disease,
            frozenset(self.situations),
        )


def ordinary(rng: Random, n_lesions: int | None = None, n_follow_ups: int | None = None) -> Draft:
    """Return an ordinary course: both lobes on day 0, one modality, scans after 4 weeks and then every 2-3 months."""
    draft = Draft(rng, grain=rng.choice((100, 100, 100, 1)))
    draft.sessions = rng.choice(([Session(0, "whole")], [Session(0, "right"), Session(0, "left")]))
    modality = rng.choice(("CT", "CT", "CT", "MRI"))
    days = [-rng.randint(1, 27)] + schedule(
        rng, rng.randint(2, 5) if n_follow_ups is None else n_follow_ups
    )
    for day in days:
        draft.add_scan(day, modality)
    for number in range(1, 1 + (rng.randint(1, 4) if n_lesions is None else n_lesions)):
        lesion_id = f"L{number}"
        draft.add_lesion(
            Lesion(lesion_id, "liver", ("right", "left")[number % 2], True, number <= 2)
        )
        course(draft, lesion_id, rng.randint(12_000, 80_000), sorted(draft.scans))
    return draft


def schedule(rng: Random, n: int) -> list:
    """Return follow-up days: about 4 weeks, then gaps of 61 to 95 days."""
    days = [rng.randint(25, 40)]
    while len(days) < n:
        days.append(days[-1] + rng.randint(61, 95))
    return days[:n]


def course(draft: Draft, lesion_id: str, length: int, keys: list) -> None:
    """Read a lesion on each scan; its size and its enhancing share walk at random."""
    ratio, share = (
        Fraction(draft.rng.randint(60, 100), 100),
        Fraction(draft.rng.randint(85, 100), 100),
    )
    size = Fraction(length)
    for key in keys:
        longest = draft.rounded(size)
        draft.read(lesion_id, key, longest, min(longest, draft.rounded(size * ratio)), share)
        size = max(size * draft.rng.choice(STEPS), Fraction(5_000))
        share = max(Fraction(0), share - Fraction(draft.rng.choice((0, 0, 5, 20, 40)), 100))


def give_therapy(draft: Draft, day: int, therapy_class: str = "chemotherapy") -> None:
    """Add a subsequent therapy."""
    draft.therapies.append(Therapy(day, therapy_class))

"""Draw the invented patients of a registry, each from the seed and its own number.

A patient's generator is seeded with the registry's seed and the patient's number, so patient 7 is
the same among ten and among a hundred thousand. Days, sizes and values are drawn from the declared
truths; results are never an input.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import TypeVar

from numpy.random import PCG64, Generator, SeedSequence

from simulation.cohort import Event, Lab, Lesion, Patient, Size, Target
from simulation.registry.truths import Truths

T = TypeVar("T")
PATIENT, RESPONSES, RECORDS = range(3)
"""What random numbers are for."""
FIRST_T0 = date(2014, 1, 6)
ACCRUAL_DAYS = 3640
IMAGING_DAYS = 730
LOBES = ("right", "left")
SEGMENTS = {"right": ("5", "6", "7", "8"), "left": ("2", "3", "4")}
PRIMARIES = ("pancreas", "small_bowel", "colorectal", "gastric", "lung", "other", "unknown")
PRIMARY_SHARES = (0.30, 0.38, 0.05, 0.03, 0.08, 0.06, 0.10)
GRADES = ("G1", "G2", "G3", "unknown")
GRADE_SHARES = (0.40, 0.42, 0.08, 0.10)
N_LESIONS = (0.25, 0.40, 0.25, 0.10)
ENHANCING = 0.85
"""Diameter of the enhancing part before treatment, as a share of the whole."""
EVENTS = (
    ("fatigue", 0.55, 2),
    ("abdominal pain", 0.20, 3),
    ("nausea", 0.25, 2),
    ("vomiting", 0.12, 2),
    ("fever", 0.06, 2),
)
"""Term, share of patients, greatest grade; all begin within six weeks."""

# Diameter after treatment over diameter before: the product stays clear of every limit, also after
# rounding to whole millimetres.
SHRINKS = {
    ("PR", "CR"): ((0.45, 0.62), None),
    ("PR", "PR"): ((0.45, 0.62), (0.45, 0.60)),
    ("PR", "SD"): ((0.64, 0.68), (0.77, 0.80)),
    ("SD", "CR"): ((0.80, 0.97), None),
    ("SD", "PR"): ((0.80, 0.97), (0.45, 0.60)),
    ("SD", "SD"): ((0.80, 0.97), (0.80, 0.90)),
    ("PD", "PD"): ((1.22, 1.35), (1.22, 1.35)),
}


def patient(seed: int, number: int, patient_id: str, truths: Truths) -> Patient:
    """Draw one patient.

    Args:
        seed: the registry's.
        number: the patient's, from 1.
        patient_id: as its centre writes it.
        truths: what is true of the registry.
    """
    draw = generator(seed, number, PATIENT)
    bad = {factor: draw.random() < share for factor, share in truths.bad_level.items()}
    exit_day, died = _exit(draw, bad, truths)
    classes = responses(seed, number, truths)
    lobes = [LOBES[int(draw.integers(2))] for _ in classes]
    targets, device = _targets(draw, lobes, classes, truths)
    scan_days = _scan_days(draw, exit_day)
    progression = _progression(draw, scan_days, truths)
    labs = _labs(draw, bad, scan_days)
    symptomatic = draw.random() < truths.symptomatic
    before = -int(draw.integers(3, 15))
    lesions = _lesions(draw, lobes, classes, targets, (before, *scan_days), progression)
    return Patient(
        patient_id=patient_id,
        t0=FIRST_T0 + timedelta(days=int(draw.integers(ACCRUAL_DAYS))),
        sex=("female", "male")[int(draw.integers(2))],
        birth_year=int(draw.integers(1935, 1985)),
        exit_day=exit_day,
        died=died,
        ecog=int(draw.choice((1, 1, 1, 2))) if bad["ecog0"] else 0,
        tumour_burden_pct=Decimal(int(draw.integers(26, 71) if bad["burden25"] else _burden(draw))),
        extrahepatic=_extrahepatic(draw, truths),
        prior_liver_directed=bool(draw.random() < 0.2),
        symptomatic=bool(symptomatic),
        symptom_change=_symptom_change(draw, truths) if symptomatic else None,
        baseline_scan_day=before,
        mapping_day=-int(draw.integers(8, 21)),
        targets=targets,
        lung_shunt_pct=Decimal(int(draw.integers(10, 90))) / 10,
        residual_pct=Decimal(int(draw.integers(0, 30))) / 10,
        scan_days=scan_days,
        progression=progression,
        labs=labs,
        events=_events(draw),
        lesions=lesions,
        device=device,
        primary_site=_one(draw, PRIMARIES, PRIMARY_SHARES),
        tumour_grade=_one(draw, GRADES, GRADE_SHARES),
        weight_kg=Decimal(int(draw.integers(50, 101))),
        height_cm=Decimal(int(draw.integers(152, 193))),
    )


def responses(seed: int, number: int, truths: Truths) -> list[tuple[str, str]]:
    """The best response (WHO, EASL) of each of a patient's lesions, as drawn."""
    draw = generator(seed, number, RESPONSES)
    pairs, shares = list(truths.who_by_easl), tuple(truths.who_by_easl.values())
    n_lesions = 1 + _one(draw, range(len(N_LESIONS)), N_LESIONS)
    return [_one(draw, pairs, shares) for _ in range(n_lesions)]


def generator(seed: int, number: int, purpose: int) -> Generator:
    """The patient's own random numbers, for one purpose: another never moves them."""
    return Generator(PCG64(SeedSequence((seed, number, purpose))))


def _exit(draw: Generator, bad: dict[str, bool], truths: Truths) -> tuple[int, bool]:
    """Day of death, or of the last news of a patient who was lost."""
    log_ratio = sum(
        math.log(truths.hazard_ratios[factor]) for factor, is_bad in bad.items() if is_bad
    )
    rate = math.log(2) / truths.median_days * math.exp(log_ratio)
    death = truths.safe_days + draw.exponential(1 / rate)
    lost = truths.safe_days + draw.exponential(365.25 / truths.lost_a_year)
    return math.ceil(min(death, lost)), bool(death <= lost)


def _targets(
    draw: Generator, lobes: list[str], classes: list[tuple[str, str]], truths: Truths
) -> tuple[tuple[Target, ...], str]:
    """Both lobes, on one day or the second weeks later; a progressive lesion waits for nothing."""
    device = "resin" if draw.random() < truths.resin else "glass"
    first = lobes[0]
    chosen = [first] if len(set(lobes)) == 1 and draw.random() < 0.2 else [first, _other(first)]
    wait = draw.random() < truths.staged and all(who != "PD" for who, _ in classes)
    second_day = int(draw.integers(34, 46)) if wait else 0
    days = (0, second_day)[: len(chosen)]
    return tuple(
        _target(draw, day, lobe, device) for day, lobe in zip(days, chosen, strict=True)
    ), device


def _target(draw: Generator, day: int, lobe: str, device: str) -> Target:
    volume = int(draw.integers(600, 1101) if lobe == "right" else draw.integers(300, 601))
    if device == "resin":
        return Target(day, lobe, Decimal(volume), Decimal(int(draw.integers(40, 121))) / 100, None)
    dose = int(draw.integers(800, 1500))
    mass_kg = volume * 0.00103
    activity = Decimal(round(dose / 10 * mass_kg / 50 * 1000)) / 1000
    return Target(day, lobe, Decimal(volume), activity, Decimal(dose) / 10)


def _scan_days(draw: Generator, exit_day: int) -> tuple[int, ...]:
    """At 4 weeks, at 3 months, then every 12 weeks, until two years or the day before the exit."""
    days = [int(draw.integers(26, 33)), int(draw.integers(86, 95))]
    planned = range(days[-1] + 84, IMAGING_DAYS, 84)
    days += [day + int(draw.integers(-4, 5)) for day in planned]
    return tuple(day for day in days if day < exit_day)


def _progression(
    draw: Generator, scan_days: tuple[int, ...], truths: Truths
) -> tuple[tuple[int, str], ...]:
    """The first scan after progression, from the third scan on."""
    rate = math.log(2) / truths.progression_median_days
    day = truths.safe_days + draw.exponential(1 / rate)
    kind = ("growth", "new_hepatic", "new_extrahepatic")[int(draw.integers(3))]
    seen = [scan for scan in scan_days[2:] if scan >= day]
    return ((seen[0], kind),) if seen else ()


def _labs(draw: Generator, bad: dict[str, bool], scan_days: tuple[int, ...]) -> tuple[Lab, ...]:
    """Baseline at the day before; afterwards some bilirubin rises, and most lymphocytes fall."""
    bilirubin = int(draw.integers(13, 21) if bad["bili12"] else draw.integers(4, 13))
    albumin = int(draw.integers(28, 36) if bad["alb35"] else draw.integers(36, 47))
    lymphocytes = int(draw.integers(100, 260))
    found = [Lab(-1, Decimal(bilirubin) / 10, Decimal(albumin) / 10, Decimal(lymphocytes) / 100)]
    rise, fall = draw.lognormal(0.1, 0.35), draw.uniform(0.2, 0.8)
    for day in scan_days:
        noise = draw.uniform(0.9, 1.1, 3)
        found.append(
            Lab(
                day,
                Decimal(max(2, round(bilirubin * rise * noise[0]))) / 10,
                Decimal(max(15, round(albumin * noise[1]))) / 10,
                Decimal(max(5, round(lymphocytes * fall * noise[2]))) / 100,
            )
        )
    return tuple(found)


def _events(draw: Generator) -> tuple[Event, ...]:
    found = []
    for term, share, greatest in EVENTS:
        happens, day, lasts, grade = draw.random(4)
        if happens < share:
            first = int(day * 42)
            last = first + 1 + int(lasts * 20)
            found.append(Event(term, first, last, 1 + int(grade * greatest)))
    return tuple(found)


def _lesions(
    draw: Generator,
    lobes: list[str],
    classes: list[tuple[str, str]],
    targets: tuple[Target, ...],
    days: tuple[int, ...],
    progression: tuple[tuple[int, str], ...],
) -> tuple[Lesion, ...]:
    treated = {target.lobe: target.day for target in targets}
    grows = next((day for day, kind in progression if kind == "growth"), math.inf)
    return tuple(
        Lesion(
            lesion_id=f"L{number}",
            lobe=lobe,
            segment=SEGMENTS[lobe][int(draw.integers(len(SEGMENTS[lobe])))],
            recist_target=number <= 2,
            sizes=_sizes(draw, pair, treated[lobe], days, grows),
        )
        for number, (lobe, pair) in enumerate(zip(lobes, classes, strict=True), start=1)
    )


def _sizes(
    draw: Generator,
    classes: tuple[str, str],
    treated: int,
    days: tuple[int, ...],
    grows: float,
) -> tuple[tuple[int, Size, Size], ...]:
    """As before until the lobe is treated, then the drawn response, then growth."""
    longest = int(draw.integers(26, 90))
    whole = (longest, round(longest * draw.uniform(0.72, 0.95)))
    enhancing = _scaled(whole, ENHANCING)
    ranges: tuple[tuple[float, float] | None, tuple[float, float] | None]
    ranges = (None, None) if classes == ("CR", "CR") else SHRINKS[classes]
    factors = [draw.uniform(*r) if r else 0.0 for r in ranges]
    if classes == ("PD", "PD"):
        factors[1] = factors[0]
    after = _scaled(whole, factors[0]), _scaled(enhancing, factors[1])
    sizes = []
    for day in days:
        if day <= treated:
            sizes.append((day, whole, enhancing))
        else:
            growth = 1.3 if day >= grows else 1.0
            size, part = (_scaled(x, growth) for x in after)
            sizes.append((day, size, (min(part[0], size[0]), min(part[1], size[1]))))
    return tuple(sizes)


def _scaled(size: Size, factor: float) -> Size:
    return round(size[0] * factor), round(size[1] * factor)


def _other(lobe: str) -> str:
    return LOBES[1 - LOBES.index(lobe)]


def _burden(draw: Generator) -> int:
    return int(draw.integers(3, 26))


def _extrahepatic(draw: Generator, truths: Truths) -> str:
    found = draw.random()
    if found < truths.significant_extrahepatic:
        return "significant"
    return "minimal" if found < truths.minimal_extrahepatic else "none"


def _symptom_change(draw: Generator, truths: Truths) -> str:
    return "improved" if draw.random() < truths.improved else "unchanged"


def _one(draw: Generator, of: Sequence[T], shares: tuple[float, ...]) -> T:
    """One of several by its share; numpy's own choice is ten times slower."""
    found = draw.random() * _cumulative(shares)[-1]
    return of[next(i for i, edge in enumerate(_cumulative(shares)) if found < edge)]


@cache
def _cumulative(shares: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum(shares[: i + 1]) for i in range(len(shares)))

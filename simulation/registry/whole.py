"""Write an invented registry of many centres, whose answers are declared.

A folder that a run can use at once: registry.toml, sites/<site>.toml, and the exports of one day
in inbox/<site>/<as-of>/, so that the folder is its own store. Written again as of a later day it
gains a second export per centre, which differs by new events, late rows, corrected cells and
vanished records. Everything is invented and says so; `simulation.registry.truths` has the truths.
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schemas.errors import Refused
from simulation.registry.changes import Tables, export
from simulation.registry.history import add_history
from simulation.registry.markers import markers
from simulation.registry.patients import patient
from simulation.registry.recorded import TABLE, recorded_responses
from simulation.registry.sites import Dialect, Format, dialect, site_file, write_export
from simulation.registry.truths import TRUTHS, Truths

DEFAULT_AS_OF = date(2024, 6, 30)
GREATEST_SITES = 99


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a registry is, and which seed it has."""

    sites: int = 5
    patients: int = 2000
    seed: int = 1
    format: Format = "mixed"
    truths: Truths = TRUTHS

    def site_ids(self) -> list[str]:
        """The names of the centres."""
        return [f"centre{number:02d}" for number in range(1, self.sites + 1)]


def simulate_registry(shape: Shape, as_of: date, to: Path) -> list[Path]:
    """Write a registry and the exports of one day.

    Args:
        shape: sites 1 to 99, patients from 1, seed from 0.
        as_of: nothing that happened or was entered later is in the exports.
        to: the registry's folder; what it holds already must be of the same registry.

    Returns:
        registry.toml, the site files and the folders of the exports. What is there already and
        the same is left alone.

    Raises:
        Refused: the shape is out of range, or `to` holds another registry or another export.
    """
    _check(shape)
    to.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".simulating-", dir=to))
    try:
        _write(shape, as_of, made)
        places = [
            Path("registry.toml"),
            *(Path("sites") / f"{s}.toml" for s in shape.site_ids()),
            *(Path("inbox") / s / as_of.isoformat() for s in shape.site_ids()),
        ]
        for place in places:
            refuse_other(made / place, to / place)
        for place in places:
            put(made / place, to / place)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return [to / place for place in places]


def _check(shape: Shape) -> None:
    if not 1 <= shape.sites <= GREATEST_SITES:
        raise Refused(f"--sites {shape.sites}: choose from 1 to {GREATEST_SITES}.")
    if shape.patients < 1:
        raise Refused(f"--patients {shape.patients}: at least 1 is needed.")
    if shape.seed < 0:
        raise Refused(f"--seed {shape.seed}: choose 0 or a greater whole number.")


def _write(shape: Shape, as_of: date, to: Path) -> None:
    (to / "sites").mkdir()
    (to / "registry.toml").write_text(_registry_file(shape), encoding="utf-8")
    for place, site_id in enumerate(shape.site_ids()):
        chosen = dialect(shape.format, place)
        path = to / "sites" / f"{site_id}.toml"
        path.write_text(site_file(site_id, chosen), encoding="utf-8")
        folder = to / "inbox" / site_id / as_of.isoformat()
        write_export(site_id, chosen, drawn(shape, place, chosen, as_of), as_of, folder)
        (folder / ".done").touch()  # the export is whole


def _registry_file(shape: Shape) -> str:
    listed = ", ".join(f'"{site_id}"' for site_id in shape.site_ids())
    return (
        f"# SYNTHETIC: {shape.patients} invented patients, seed {shape.seed}, {shape.format}.\n"
        f'registry = "synthetic{shape.seed}"\n'
        f"sites = [{listed}]\n"
        'timezone = "UTC"\n'
        'store = "."\n'
    )


def drawn(shape: Shape, place: int, chosen: Dialect, as_of: date) -> Iterator[Tables]:
    """The patients of one centre: every patient's centre follows from the number alone."""
    for number in range(place + 1, shape.patients + 1, shape.sites):
        name = chosen.patient_id.format(number)
        one = patient(shape.seed, number, name, shape.truths)
        found = export(one, shape.seed, number, as_of)
        if found is not None and chosen.recorded:
            told = (one, shape.seed, number, shape.truths, as_of)
            found[TABLE] = recorded_responses(*told)
            found["labs"] += markers(*told)
        if found is not None and chosen.history:
            add_history(found, one, shape.seed, number, shape.truths, as_of)
        if found is not None:
            yield found


def refuse_other(made: Path, to: Path) -> None:
    """Refuse a place that holds something else than what was made.

    Raises:
        Refused: it does.
    """
    if to.exists() and _contents(made) != _contents(to):
        raise Refused(f"{to}: holds something else already. Choose another folder with --to.")


def put(made: Path, to: Path) -> None:
    """Move what was made to its place, unless the same is there."""
    if not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        made.replace(to)


def _contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(file.relative_to(path)): file.read_bytes() for file in files}

"""Registries with known answers, and how they are written.

`memon2012` is the reference cohort, 40 invented patients, as plain tables, SDTM or REDCap;
`radiant4_os`, `radiant4_pfs` and `sirflox_pfs` are digitised trials: a time, a status and an arm.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schemas.errors import Refused
from simulation import plain, redcap, sdtm, trials

HERE = Path(__file__).parent
Write = Callable[[date, Path], None]


@dataclass(frozen=True, slots=True)
class Preset:
    """A registry that can be written: format -> its writer and the folder of its registry.toml."""

    formats: Mapping[str, tuple[Write, str]]
    default_as_of: date


def _trial(preset: str, source: str, trial: str, published: date) -> Preset:
    return Preset({"csv": (trials.writer(preset, source, trial), preset)}, published)


PRESETS: Mapping[str, Preset] = {
    "memon2012": Preset(
        {
            "redcap": (redcap.write, "memon2012"),
            "csv": (plain.write, "memon2012_tables"),
            "sdtm": (sdtm.write, "memon2012_sdtm"),
        },
        date(2011, 3, 31),
    ),
    "radiant4_os": _trial(
        "radiant4_os", "radiant4_2c.csv", "RADIANT-4, overall survival", date(2015, 12, 31)
    ),
    "radiant4_pfs": _trial(
        "radiant4_pfs",
        "radiant4_2a.csv",
        "RADIANT-4, progression-free survival",
        date(2015, 12, 31),
    ),
    "sirflox_pfs": _trial(
        "sirflox_pfs", "sirflox_3.csv", "SIRFLOX, progression-free survival", date(2016, 12, 31)
    ),
}


def simulate(preset: str, format: str, as_of: date, to: Path) -> list[Path]:
    """Write the export of `preset` as it would have looked on `as_of`.

    Args:
        preset: a name of PRESETS.
        format: one of the preset's formats.
        as_of: nothing that happened later is in the export.
        to: the folder to make; it appears at once and complete.

    Returns:
        The files, sorted by name. If `to` holds exactly these already, nothing is written.

    Raises:
        Refused: unknown preset or format, or `to` holds something else.
    """
    write, _ = _chosen(preset, format)
    return put(write, as_of, to)


def put(write: Write, as_of: date, to: Path) -> list[Path]:
    """Write an export into a folder, at once and complete.

    Raises:
        Refused: `to` holds something else.
    """
    to = Path(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=to.parent))
    try:
        write(as_of, made)
        if not _occupied(to):
            made.chmod(0o755)
            made.replace(to)
        elif _contents(to) != _contents(made):
            raise Refused(f"{to}: holds other files already. Choose an empty folder with --to.")
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return sorted(to.iterdir())


def registry_folder(preset: str, format: str) -> Path:
    """The folder with the registry.toml and the site file that read this export.

    Raises:
        Refused: unknown preset or format.
    """
    _, folder = _chosen(preset, format)
    return HERE / folder


def _chosen(preset: str, format: str) -> tuple[Write, str]:
    if preset not in PRESETS:
        raise Refused(f"--preset {preset}: unknown. Use one of {', '.join(PRESETS)}.")
    formats = PRESETS[preset].formats
    if format not in formats:
        raise Refused(f"--format {format}: {preset} has none. Use one of {', '.join(formats)}.")
    return formats[format]


def _occupied(to: Path) -> bool:
    return to.exists() and (not to.is_dir() or any(to.iterdir()))


def _contents(folder: Path) -> dict[str, bytes] | None:
    if not folder.is_dir() or any(not path.is_file() for path in folder.iterdir()):
        return None
    return {path.name: path.read_bytes() for path in folder.iterdir()}

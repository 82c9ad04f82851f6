"""The command y90 doctor: check whether a run would work on this machine."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from flows.commands.command import Command, Context, table
from schemas.errors import Locked, Y90Error

Finding = tuple[str, str, str]
LEAST_FREE_GIB = 2.0
OTHERS = 0o077
EXTENSIONS = frozenset({"core_functions", "icu", "json", "parquet"})


def _answer(context: Context) -> int:
    findings = [f for check in CHECKS for f in _found(check, context)]
    names = ("check", "state", "found")
    context.give([dict(zip(names, f, strict=True)) for f in findings], table(names, findings))
    return 1 if any(state == "wrong" for _, state, _ in findings) else 0


def _found(check: Callable[[Context], Iterator[Finding]], context: Context) -> list[Finding]:
    try:
        return list(check(context))
    except Y90Error as error:
        return [(check.__name__.strip("_"), "wrong", str(error))]


def _python(_: Context) -> Iterator[Finding]:
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    yield "python", "good" if fits else "wrong", sys.version.split()[0]


def _packages(_: Context) -> Iterator[Finding]:
    from packaging.requirements import Requirement

    for text in requires("y90-outcomes") or []:
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            yield wanted.name, "wrong", f"missing, wanted {wanted.specifier}"
            continue
        fits = wanted.specifier.contains(found, prereleases=True)
        told = found if fits else f"{found}, wanted {wanted.specifier}: run `make setup`"
        yield wanted.name, "good" if fits else "wrong", told


def _configuration(context: Context) -> Iterator[Finding]:
    sites = ", ".join(context.registry.sites)
    yield "configuration", "good", f"{context.config}: {context.registry.file.registry} ({sites})"


def _key(context: Context) -> Iterator[Finding]:
    from flows.settings import key_path
    from warehouse.engine.pseudonyms import fingerprint

    path = key_path(context.registry)
    yield "key", "good", f"{path or 'demonstration key'}, {fingerprint(context.key)}"
    if path and path.stat().st_mode & OTHERS:
        yield "key", "wrong", f"{path}: others can read it. `chmod 600` it."


def _pulls(context: Context) -> Iterator[Finding]:
    """Sites that are pulled: REDCap itself is not asked."""
    from flows.settings import redcap_token

    for site_id, site in context.registry.sites.items():
        if not site.pulled:
            continue
        try:
            redcap_token(context.registry, site)
            told = f"{site_id}: a token is there; `y90 redcap pull {site_id}` tries it"
            yield "pull", "good", told
        except Y90Error as fault:
            yield "pull", "wrong", str(fault)


def _store(context: Context) -> Iterator[Finding]:
    root = context.store_path
    if _writable(_nearest(root)):
        yield "store", "good", f"{root}{'' if root.exists() else ': made by the first run'}"
    else:
        yield "store", "wrong", f"{root}: cannot be written. Correct its permissions."


def _private(context: Context) -> Iterator[Finding]:
    """What holds patients is for its owner only."""
    for name in ("raw", "state"):
        folder = context.store_path / name
        if folder.is_dir() and folder.stat().st_mode & OTHERS:
            yield "permissions", "wrong", f"{folder}: open to others. `chmod 700` it."
            return
    yield "permissions", "good", "raw and state are for their owner only"


def _clock(context: Context) -> Iterator[Finding]:
    """A clock that was set back shows in what has been written already."""
    if not context.store_path.is_dir():
        return
    from warehouse.releases import ledger

    last = max((run["ended_at"] for run in ledger.runs(context.store)), default="")
    now = datetime.now(UTC).isoformat()
    told = "not before the last run" if last <= now else f"before the last run, {last}: correct it"
    yield "clock", "good" if last <= now else "wrong", told


def _extensions(_: Context) -> Iterator[Finding]:
    """What the engine needs is built in, so that nothing is ever fetched."""
    from warehouse.engine.connections import connection

    with connection() as con:
        found = con.execute(
            "SELECT extension_name FROM duckdb_extensions() WHERE installed"
        ).fetchall()
    missing = sorted(EXTENSIONS - {name for (name,) in found})
    told = f"missing: {', '.join(missing)}. Run `make setup`" if missing else "parquet, time zones"
    yield "extensions", "wrong" if missing else "good", told


def _certificate(_: Context) -> Iterator[Finding]:
    """Whether the estimators give R's answers here, as was found when this code was set up."""
    from warehouse.concordance import certificate

    found = certificate.read()
    if found is None:
        yield "certificate", "missing", "not made for this code yet: `y90 certificate` makes it"
        return
    state = "good" if found["passed"] else "wrong"
    yield "certificate", state, "R's answers" if found["passed"] else "see `y90 certificate`"


def _schedule(context: Context) -> Iterator[Finding]:
    from flows import schedule

    file = context.registry.file
    hour, minute = schedule.start(file.schedule)
    yield "schedule", "good", f"{file.schedule} ({hour:02}:{minute:02} in {file.timezone})"


def _disk(context: Context) -> Iterator[Finding]:
    free = shutil.disk_usage(_nearest(context.store_path)).free / 2**30
    yield "disk", "good" if free >= LEAST_FREE_GIB else "wrong", f"{free:.1f} GiB free"


def _lock(context: Context) -> Iterator[Finding]:
    if not context.store_path.is_dir():
        return
    try:
        with context.store.lock(wait=False):
            yield "lock", "good", "free; the file system keeps locks"
    except Locked:
        yield "lock", "good", "held by a run"


def _nearest(path: Path) -> Path:
    """The folder itself, or the one above it that exists."""
    return next(p for p in (path, *path.parents) if p.is_dir())


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


CHECKS = (
    _python,
    _packages,
    _extensions,
    _certificate,
    _configuration,
    _schedule,
    _key,
    _pulls,
    _store,
    _private,
    _disk,
    _lock,
    _clock,
)

COMMANDS = (
    Command(
        name="doctor",
        help=(
            "check whether a run would work here: versions, configuration, key, store, disk, lock"
        ),
        example="y90 doctor --config simulation/memon2012/registry.toml",
        answer=_answer,
    ),
)

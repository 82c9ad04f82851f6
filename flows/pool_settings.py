"""Read pool.toml: who pools, of whom, and where pooled releases are kept."""

from pathlib import Path

from flows.toml_files import read_file, validated
from schemas.errors import BadConfiguration, Refused, all_at_once
from schemas.house_settings import PoolFile
from warehouse.bundles.signatures import fingerprint


def load_pool(path: Path | None) -> tuple[PoolFile, Path]:
    """The settings of a pool, and the folder of its releases.

    Args:
        path: pool.toml; ./pool.toml if none is named.

    Raises:
        Refused: there is no such file.
        BadConfiguration: with every breach in it.
    """
    named = path or Path("pool.toml")
    if not named.is_file():
        raise Refused(f"{named}: there is no such file. Name the pool's file with --config.")
    problems: list[str] = []
    read = read_file(named, problems)
    pool = validated(PoolFile, read.data, read, problems, {}) if read.data else None
    for name, member in (pool.registries if pool else {}).items():
        try:
            fingerprint(member.key)
        except ValueError:
            problems.append(
                f"{named}, registries.{name}.key: no ssh-ed25519 public key. Write the line that "
                "`y90 key new --signing` printed there."
            )
    if problems or pool is None:
        raise BadConfiguration(all_at_once(str(named), problems or ["empty. Name the pool."]))
    return pool, named.parent.resolve() / pool.releases

"""Read the settings of a run: the only reader of registry.toml, site files and environment.

registry.toml and sites/<site>.toml beside it are read and checked together: every breach is told
at once, with its file, line and key. An environment variable Y90_* beats the file, a flag beats
both. The variable of a setting is its path in capitals, `Y90_THREADS` or
`Y90_RESPONSE_SD_MIN_DAYS`; a list is written with commas.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

from flows.toml_files import File, extended, place_of, read_file, validated
from flows.toml_lines import Place, line_of
from schemas.errors import BadConfiguration, Refused, all_at_once
from schemas.section import Section
from schemas.settings import Registry, RegistryFile
from schemas.site import Origin, Site
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY, read_key
from warehouse.fingerprints import code_sha256, sha256_of
from warehouse.store import make_private, write_atomically

PREFIX = "Y90_"
DEMONSTRATION = "simulation/memon2012/registry.toml"
REMEMBERED = Path("state") / "registry-file"
"""Inside a store: the path of the file that its last run was made with."""
DEEP = ("tables", "limits", "redcap")
"""Tables of a site file of which a site may have some keys of its own, and share the others."""
SPECIAL = ("Y90_CONFIG", "Y90_STORE", "Y90_CHECKOUT")
"""No settings: where the registry and the store are, and for prefect.yaml the code."""


def config_path(flag: Path | None = None, store: Path | None = None) -> Path:
    """Where registry.toml is: --config, else Y90_CONFIG, else ./registry.toml, else the last run's.

    Args:
        flag: what --config says.
        store: what --store says; the store remembers the file that its last run was made with.

    Raises:
        Refused: there is no file of that name.
    """
    named = flag or _environment().get("Y90_CONFIG")
    path = Path(named or "registry.toml")
    if path.is_file():
        return path
    if not named and (remembered := _remembered(store_named(store) or store_path(None))):
        return remembered
    raise Refused(
        f"{path}: there is no such file. Name your registry's file with --config or Y90_CONFIG; to "
        f"try the demonstration, `y90 run --config {DEMONSTRATION}`."
    )


def load_registry(config: Path, overrides: Mapping[str, Any] | None = None) -> Registry:
    """Read registry.toml and the files of its sites.

    Args:
        config: path of registry.toml.
        overrides: top-level settings given as flags; None means not given.

    Raises:
        BadConfiguration: with every breach in every file and in the environment.
    """
    problems: list[str] = []
    read = read_file(config, problems)
    given, names = _merged(read.data, overrides or {}, problems)
    file = validated(RegistryFile, given, read, problems, names) if read.data else None
    problems += _own_rules(given, read)
    sites = _sites(config.parent, given, problems)
    problems += _mixture(sites)
    problems += _unknown_variables(_referenced(given, sites))
    if problems or file is None:
        raise BadConfiguration(all_at_once(str(config), problems or ["empty. Name the registry."]))
    return Registry(file=file, sites=sites, folder=config.parent.resolve())


def judge_sites(registry: Registry, judged: Path | None = None) -> None:
    """Hold the site files against our tables; what no export could make right is told at once.

    Args:
        registry: as read by `load_registry`.
        judged: where to note which files were found right: the tables are slow to import.

    Raises:
        BadConfiguration: with every breach, its line and its key.
    """
    facts = {name: site.model_dump(mode="json") for name, site in registry.sites.items()}
    mark = sha256_of([facts, code_sha256()])
    if judged and judged.is_file() and judged.read_text("utf-8") == mark:
        return
    problems = [told for site in registry.sites.values() for told in _site_rules(registry, site)]
    if problems:
        raise BadConfiguration(all_at_once(str(registry.folder / "sites"), problems))
    if judged:
        judged.parent.mkdir(parents=True, exist_ok=True)
        judged.write_text(mark, "utf-8")


def _site_rules(registry: Registry, site: Site) -> list[str]:
    from schemas.site_rules import breaches

    read = _site_file(registry.folder / "sites" / f"{site.site_id}.toml", [])
    found = sorted((line_of(read.lines, place) or 0, place, told) for place, told in breaches(site))
    return [f"{place_of(read, place)}: {told}" for _, place, told in found]


def remember(store: Path, config: Path) -> None:
    """Let a store know the file that a run of it was made with, for later commands without one."""
    make_private((store / REMEMBERED).parent)
    write_atomically(store / REMEMBERED, f"{config.absolute()}\n".encode(), private=True)


def _remembered(store: Path) -> Path | None:
    """The file that the store's last run was made with, if it is still there."""
    try:
        path = Path((store / REMEMBERED).read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return None
    return path if path.is_file() else None


def store_named(flag: Path | None = None) -> Path | None:
    """The store that --store or Y90_STORE names."""
    named = flag or _environment().get("Y90_STORE")
    return Path(named).expanduser().absolute() if named else None


def store_path(registry: Registry | None, flag: Path | None = None) -> Path:
    """Where the store is: --store, else Y90_STORE, else `store` in registry.toml, else ./store."""
    named = store_named(flag)
    if named:
        return named
    if registry is not None and registry.file.store.path:
        return (registry.folder / Path(registry.file.store.path).expanduser()).absolute()
    return Path("store").absolute()


@contextmanager
def fixed(config: Path, store: Path) -> Iterator[None]:
    """Fix the registry and the store of this process, and of those that it starts."""
    wanted = {"Y90_CONFIG": str(config.absolute()), "Y90_STORE": str(store.absolute())}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old


def place() -> tuple[Registry, Path]:
    """The registry and the store that this process was started for."""
    registry = load_registry(config_path(None))
    return registry, store_path(registry)


def key_path(registry: Registry) -> Path | None:
    """Where the registry's key is; None where the published demonstration key is used."""
    if all(site.origin != "clinical" for site in registry.sites.values()):
        return None
    if registry.file.key_file:
        return (registry.folder / Path(registry.file.key_file).expanduser()).absolute()
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "y90-outcomes" / f"{registry.file.registry}.key"


def signing_key_path(registry: Registry) -> Path:
    """Where the key is that signs bundles for pooling."""
    if registry.file.signing_key_file:
        return (registry.folder / Path(registry.file.signing_key_file).expanduser()).absolute()
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "y90-outcomes" / f"{registry.file.registry}.signing"


def new_key_path(config: Path) -> Path | None:
    """Where the key of a registry will be: its site files may still be missing, or wrong.

    A site whose file does not say what its patients are is a clinical one.

    Raises:
        BadConfiguration: the registry's own file is wrong.
    """
    problems: list[str] = []
    read = read_file(config, problems)
    given, names = _merged(read.data, {}, problems)
    file = validated(RegistryFile, given, read, problems, names) if read.data else None
    if problems or file is None:
        raise BadConfiguration(all_at_once(str(config), problems or ["empty. Name the registry."]))
    sites = {}
    for name in file.sites:
        data = read_file(config.parent / "sites" / f"{name}.toml", []).data
        sites[name] = Site(site_id=name, origin=_origin(data))
    return key_path(Registry(file=file, sites=sites, folder=config.parent.resolve()))


def _origin(data: Mapping[str, Any]) -> Origin:
    said = data.get("origin")
    return cast(Origin, said) if said in get_args(Origin) else "clinical"


def registry_key(registry: Registry) -> bytes:
    """The key of the registry's pseudonyms.

    Raises:
        Refused: a clinical registry has none that can be read.
    """
    path = key_path(registry)
    return DEMONSTRATION_KEY if path is None else read_key(path)


def redcap_token(registry: Registry, site: Site) -> str:
    """The API token of a site that is pulled; a relative `token_file` is meant from the registry.

    Raises:
        BadConfiguration: there is none, or it cannot be used.
    """
    from warehouse.intake.redcap.api import read_token

    return read_token(site, os.environ, registry.folder)


def webhook_url(registry: Registry) -> str | None:
    """Where notifications go: the value of the variable that the registry names."""
    name = registry.file.webhook_url_env
    return os.environ.get(name) or None if name else None


def setting_variables() -> dict[str, Place]:
    """Every Y90_* variable that stands for a setting -> its place in registry.toml."""
    found: dict[str, Place] = {}
    for name, declared in RegistryFile.model_fields.items():
        section = declared.annotation
        if isinstance(section, type) and issubclass(section, Section):
            for key in section.model_fields:
                found[f"{PREFIX}{name}_{key}".upper()] = (name, key)
        else:
            found[f"{PREFIX}{name}".upper()] = (name,)
    return found


def foreign_variables(prefix: str) -> dict[str, str]:
    """The environment's variables of another program, for instance Prefect's."""
    return {n: v for n, v in os.environ.items() if n.startswith(prefix)}


def _environment() -> dict[str, str]:
    """Our own variables; an empty one counts as not set."""
    return {n: v for n, v in os.environ.items() if n.startswith(PREFIX) and v.strip()}


def _merged(
    data: dict[str, Any], overrides: Mapping[str, Any], problems: list[str]
) -> tuple[dict[str, Any], dict[Place, str]]:
    """The file's settings under the environment's and the flags', and the names of these."""
    given = {k: dict(v) if isinstance(v, dict) else v for k, v in data.items()}
    names: dict[Place, str] = {}
    variables = setting_variables()
    for name, text in _environment().items():
        if name in variables and name not in SPECIAL:
            names[variables[name]] = name
            _put(given, variables[name], _value(variables[name], text), problems)
    for key, value in overrides.items():
        if value is not None:
            names[(key,)] = f"--{key.replace('_', '-')}"
            _put(given, (key,), value, problems)
    return given, names


def _put(given: dict[str, Any], place: Place, value: Any, problems: list[str]) -> None:
    *sections, key = (str(p) for p in place)
    target: Any = given
    for section in sections:
        target = target.setdefault(section, {})
    if isinstance(target, dict):
        target[key] = value
    else:
        problems.append(f"{place[0]}: must be a table. Write [{place[0]}] above its settings.")


def _value(place: Place, text: str) -> str | list[str]:
    """A variable's text as pydantic reads it: a list where the setting is one."""
    model: Any = RegistryFile
    for part in place[:-1]:
        model = model.model_fields[part].annotation
    several = "tuple" in str(model.model_fields[place[-1]].annotation)
    return [part.strip() for part in text.split(",")] if several else text.strip()


def _own_rules(given: Mapping[str, Any], read: File) -> list[str]:
    problems = []
    zone = given.get("timezone", "UTC")
    if isinstance(zone, str) and not _is_zone(zone):
        where = place_of(read, ("timezone",))
        problems.append(f"{where}: no such time zone. Use an IANA name such as Europe/Berlin.")
    problems += _schedule(given, read)
    listed = _listed(given)
    if twice := sorted({s for s in listed if listed.count(s) > 1}):
        where = place_of(read, ("sites",))
        problems.append(f"{where}: {', '.join(twice)} twice. Name each site once.")
    return problems


def _schedule(given: Mapping[str, Any], read: File) -> Iterator[str]:
    """Prefect's parser takes time to load, and takes the default."""
    cron = given.get("schedule")
    if isinstance(cron, str) and cron != RegistryFile.model_fields["schedule"].default:
        from flows.schedule import checked

        try:
            checked(cron)
        except ValueError as fault:
            yield f"{place_of(read, ('schedule',))}: {fault}. Correct it."


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _listed(given: Mapping[str, Any]) -> list[str]:
    """The sites that the file names, whatever else is wrong with it."""
    sites = given.get("sites", [])
    return [s for s in sites if isinstance(s, str)] if isinstance(sites, list | tuple) else []


def _sites(folder: Path, given: Mapping[str, Any], problems: list[str]) -> dict[str, Site]:
    sites: dict[str, Site] = {}
    for name in dict.fromkeys(_listed(given)):
        path = folder / "sites" / f"{name}.toml"
        before = len(problems)
        read = _site_file(path, problems)
        site = validated(Site, read.data, read, problems, {}) if before == len(problems) else None
        if site is not None and site.site_id != name:
            where = place_of(read, ("site_id",))
            problems.append(f'{where}: must be the name of its file. Write site_id = "{name}".')
        if site is not None:
            zone = site.timezone or given.get("timezone", "UTC")
            own = site.model_copy(update={"timezone": zone})
            sites[name] = own.excluding(_excluded(folder, site, read, problems))
    return sites


def _site_file(path: Path, problems: list[str]) -> File:
    """A site's file with what it takes from the one that it extends."""
    read = read_file(path, problems)
    base = read.data.get("extends")
    if not isinstance(base, str):
        return read
    other = read_file(path.parent / base, problems)
    if "extends" in other.data:
        problems.append(f"{other.path}: extends another file. Extend one file only.")
    return extended(read, other, DEEP)


def _excluded(folder: Path, site: Site, read: File, problems: list[str]) -> frozenset[str]:
    """The patients of a site's exclusion list, one id per line; `#` begins a remark."""
    if site.excluded_patients_file is None:
        return frozenset()
    path = folder / site.excluded_patients_file
    try:
        listed = [line.split("#")[0].strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError):
        where = place_of(read, ("excluded_patients_file",))
        problems.append(f"{where}: {path} cannot be read as text. Create it, or correct the path.")
        return frozenset()
    return frozenset(filter(None, listed))


def _mixture(sites: Mapping[str, Site]) -> list[str]:
    """Invented, public and real patients never share a registry, nor its key."""
    origins = {n: s.origin for n, s in sites.items()}
    if len(set(origins.values())) <= 1:
        return []
    listed = ", ".join(f"{n} is {o}" for n, o in sorted(origins.items()))
    return [f"sites of different origin in one registry ({listed}). Give each origin its own."]


def _referenced(given: Mapping[str, Any], sites: Mapping[str, Site]) -> set[str]:
    """Variables that a file names as the place of a secret."""
    tokens = {s.redcap.token_env for s in sites.values() if s.redcap}
    return {n for n in (given.get("webhook_url_env"), *tokens) if isinstance(n, str)}


def _unknown_variables(named: set[str]) -> list[str]:
    known = [*SPECIAL, *setting_variables()]
    return [
        f"environment variable {name}: unknown. {_nearest_variable(name, known)}"
        for name in sorted(_environment())
        if name not in known and name not in named
    ]


def _nearest_variable(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0)
    return f"The nearest that exists is {near[0]}; correct or unset it."

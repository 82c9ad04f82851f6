"""A mistake in the configuration is reported with its file, its line and what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from flows import settings, toml_lines
from schemas.errors import BadConfiguration, Refused
from schemas.settings import ResponseSettings, SurvivalSettings
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY

REGISTRY = 'registry = "good"\nsites = ["north"]\n'
SITE = 'site_id = "{name}"\norigin = "{origin}"\n'

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of whoever runs the tests, and a folder of our own."""
    for name in settings.foreign_variables("Y90_"):
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write registry.toml and site files; returns the path of the first."""

    def write(text: str = REGISTRY, **sites: str) -> Path:
        (tmp_path / "sites").mkdir(exist_ok=True)
        for name, body in (
            sites or {"north": SITE.format(name="north", origin="clinical")}
        ).items():
            (tmp_path / "sites" / f"{name}.toml").write_text(body, "utf-8")
        path = tmp_path / "registry.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def problems(config: Path) -> list[str]:
    """The problems that a configuration is refused with."""
    with pytest.raises(BadConfiguration) as refused:
        settings.load_registry(config)
    return [line.removeprefix("  - ") for line in str(refused.value).splitlines()[1:]]


def test_a_small_registry_is_read(make: Make) -> None:
    registry = settings.load_registry(make(REGISTRY + "[response]\nsd_min_days = 42\n"))
    assert registry.file.response.sd_min_days == 42
    assert registry.sites["north"].origin == "clinical"


def test_every_breach_of_every_file_is_told_at_once_with_its_line(make: Make) -> None:
    config = make(
        'registry = "good"\n'
        "sites = [\n"
        '  "north",\n'
        '  "south",\n'
        "]\n"
        'timezone = "Europe/Berln"\n'
        "thread = 2\n"
        "[response]\n"
        "sd_min_days = -1\n"
        'who_pd_operator = "=>"\n'
        "[eligibility]\n"
        "lung_dose_max_gy = 30\n",
        north='site_id = "nord"\n[[tables.patients]]\nfile = "a.csv"\n[[tables.patients]]\n'
        '[tables.patients.columns]\nsex = { form = "gender" }\nbirth_year = 3\n',
    )
    site = config.parent / "sites" / "north.toml"
    south = config.parent / "sites" / "south.toml"
    found = problems(config)
    assert [p.split(": ", 1)[0] for p in found] == [
        f"{config} line 7, thread",
        f"{config} line 9, response.sd_min_days",
        f"{config} line 10, response.who_pd_operator",
        f"{config} line 12, eligibility.lung_dose_max_gy",
        f"{config} line 6, timezone",
        f"{site} line 6, tables.patients.1.columns.sex.form",
        f"{site} line 7, tables.patients.1.columns.birth_year",
        str(south),
    ]
    assert "Did you mean `threads`?" in found[0]
    assert "must be '>' or '>='" in found[2]
    assert "Write it in quotes" in found[3]
    assert "Did you mean `from`?" in found[5]


def test_a_file_that_is_not_toml_is_told_with_its_line(make: Make) -> None:
    (found,) = problems(make('registry = "good"\nsites = ["north"\ntimezone = "UTC"\n'))
    assert "not TOML" in found
    assert "line 3" in found


def test_an_empty_file_is_refused(make: Make) -> None:
    assert problems(make("")) == ["empty. Name the registry."]


def test_a_site_file_is_named_like_its_site(make: Make) -> None:
    (found,) = problems(make(north=SITE.format(name="nord", origin="clinical")))
    assert 'line 1, site_id: must be the name of its file. Write site_id = "north".' in found


def test_a_site_is_named_once(make: Make) -> None:
    (found,) = problems(make('registry = "good"\nsites = ["north", "north"]\n'))
    assert "north twice" in found


@pytest.mark.parametrize("other", ["synthetic", "public"])
def test_invented_public_and_real_patients_never_share_a_registry(make: Make, other: str) -> None:
    """One key for all would pseudonymise real patients with a published key."""
    (found,) = problems(
        make(
            'registry = "good"\nsites = ["north", "south"]\n',
            north=SITE.format(name="north", origin="clinical"),
            south=SITE.format(name="south", origin=other),
        )
    )
    assert f"north is clinical, south is {other}" in found


def test_the_environment_beats_the_file_and_a_flag_beats_both(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make(REGISTRY + 'threads = 1\ntimezone = "UTC"\n')
    monkeypatch.setenv("Y90_THREADS", "2")
    monkeypatch.setenv("Y90_SURVIVAL_LANDMARKS_MONTHS", "6, 12")
    monkeypatch.setenv("Y90_TOXICITY_PRIMARY_VERSION", "5.0")
    monkeypatch.setenv("Y90_RESPONSE_WHO_PD_ANY_LESION", "true")
    found = settings.load_registry(config).file
    assert found.threads == 2
    assert found.survival.landmarks_months == (6, 12)
    assert found.toxicity.primary_version == "5.0"
    assert found.response.who_pd_any_lesion is True
    assert settings.load_registry(config, {"threads": 3}).file.threads == 3


def test_a_breach_in_the_environment_names_the_variable(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Y90_THREADS", "many")
    (found,) = problems(make())
    assert found.startswith("Y90_THREADS: must be a valid integer")


def test_an_unknown_variable_is_refused_with_the_nearest(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Y90_THREDS", "2")
    (found,) = problems(make())
    assert found.startswith("environment variable Y90_THREDS: unknown. The nearest")
    assert "Y90_THREADS" in found


def test_a_variable_that_a_file_names_for_a_secret_is_known(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Y90_WEBHOOK", "http://127.0.0.1/hook")
    config = make(REGISTRY + 'webhook_url_env = "Y90_WEBHOOK"\n')
    assert settings.load_registry(config).file.webhook_url_env == "Y90_WEBHOOK"


def test_no_two_settings_share_a_variable() -> None:
    places = list(settings.setting_variables().values())
    assert len(places) == len(set(places)) > 60
    assert not set(settings.SPECIAL[:1]) & set(settings.setting_variables())


def test_without_a_file_the_demonstration_is_named() -> None:
    with pytest.raises(Refused, match="--config simulation/memon2012") as refused:
        settings.config_path()
    assert str(refused.value).startswith("registry.toml: there is no such file.")


def test_a_store_remembers_the_file_of_its_last_run(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only where nothing else names one, and as long as the file is there."""
    config = make().absolute()
    elsewhere, store = tmp_path / "elsewhere", tmp_path / "kept"
    elsewhere.mkdir()
    (store / "state").mkdir(parents=True)
    settings.remember(store, config)
    monkeypatch.chdir(elsewhere)
    assert settings.config_path(None, store) == config
    monkeypatch.setenv("Y90_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(Refused, match=r"missing\.toml"):
        settings.config_path(None, store)
    monkeypatch.delenv("Y90_CONFIG")
    config.unlink()
    with pytest.raises(Refused, match="no such file"):
        settings.config_path(None, store)


def test_the_file_is_named_by_flag_then_variable_then_place(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = make()
    assert settings.config_path() == Path("registry.toml")
    other = tmp_path / "other.toml"
    other.write_text(REGISTRY, "utf-8")
    monkeypatch.setenv("Y90_CONFIG", str(other))
    assert settings.config_path() == other
    assert settings.config_path(config) == config


def test_the_store_is_named_by_flag_then_variable_then_file_then_place(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    silent = settings.load_registry(make())
    told = settings.load_registry(make(REGISTRY + 'store = "far/away"\n'))
    assert settings.store_path(silent) == tmp_path / "store"
    assert settings.store_path(told) == tmp_path / "far" / "away"
    monkeypatch.setenv("Y90_STORE", str(tmp_path / "env"))
    assert settings.store_path(told) == tmp_path / "env"
    assert settings.store_path(told, Path("flag")) == tmp_path / "flag"


@pytest.mark.parametrize("origin", ["synthetic", "public"])
def test_the_published_key_is_for_synthetic_and_public_registries(make: Make, origin: str) -> None:
    registry = settings.load_registry(make(north=SITE.format(name="north", origin=origin)))
    assert settings.registry_key(registry) == DEMONSTRATION_KEY


def test_a_clinical_registry_never_falls_back_on_the_published_key(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    registry = settings.load_registry(make())
    assert settings.key_path(registry) == tmp_path / "xdg" / "y90-outcomes" / "good.key"
    with pytest.raises(Refused, match="no key"):
        settings.registry_key(registry)


def test_the_key_file_is_beside_the_registry_unless_it_is_absolute(
    make: Make, tmp_path: Path
) -> None:
    key = tmp_path / "own.key"
    key.write_text("k" * 32, "utf-8")
    key.chmod(0o600)
    registry = settings.load_registry(make(REGISTRY + 'key_file = "own.key"\n'))
    assert settings.registry_key(registry) == b"k" * 32


def test_lines_are_found_through_long_values_and_nested_tables() -> None:
    text = (
        'a = """\n'
        "[not.a.header]\n"
        'b = 1\n"""\n'
        "c = [ # [x]\n"
        "  \"]\", '[',\n"
        "]\n"
        '[d."e.f"]\n'
        "g.h = 2\n"
        "[[i]]\n"
        "j = 1\n"
        "[[i]]\n"
        "[[i.k]]\n"
        "l = 1\n"
        "[i.k.m]\n"
        "n = 1\n"
    )
    found = toml_lines.lines(text)
    assert found[("c",)] == 5
    assert ("b",) not in found
    assert found[("d", "e.f", "g", "h")] == 9
    assert found[("i", 0, "j")] == 11
    assert found[("i", 1, "k", 0, "l")] == 14
    assert found[("i", 1, "k", 0, "m", "n")] == 16
    assert toml_lines.line_of(found, ("i", 1, "k", 0, "m", "absent")) == 15
    assert toml_lines.line_of(found, ("absent",)) is None


@pytest.mark.parametrize(
    ("section", "given"),
    [
        (SurvivalSettings, {"early_mortality_days": ()}),
        (SurvivalSettings, {"early_mortality_days": (30, 30)}),
        (SurvivalSettings, {"response_landmarks_days": ()}),
        (SurvivalSettings, {"response_landmarks_days": (91, 91)}),
        (ResponseSettings, {"windows": ()}),
        (ResponseSettings, {"windows": ((61, 91, 122), (80, 91, 100))}),
    ],
)
def test_days_that_name_statistics_are_some_and_each_stands_once(
    section: type[SurvivalSettings | ResponseSettings], given: dict[str, object]
) -> None:
    """None would stop the night, and a day that stands twice would give two rows one id."""
    with pytest.raises(ValidationError):
        section.model_validate(given)

"""The settings page: every DECISION with its default, from the typed settings."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from docs.writing.privacy import policy
from schemas.house_settings import Member, PoolFile
from schemas.naming.omop import OMOP
from schemas.naming.sdtm import SDTM
from schemas.settings import RegistryFile
from schemas.site import (
    Case,
    ColumnSource,
    Condition,
    Limits,
    RedcapSource,
    Site,
    TableSource,
    WideLab,
)

SHAPES = Path(__file__).parents[2] / "tests" / "sites" / "shapes.md"
"""The examples of a site file's language; a test runs every one of them."""
POOL = """name = "liver_network"
min_registries = 3

[registries.north]
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI..."

[registries.south]
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI..."
"""
MEASURED = SHAPES.parent / "foreign" / "measured.toml"
GUESSING = Path(__file__).parent / "guessing.md"
WORDS = {str: "text", int: "whole number", float: "number", bool: "true, false", dict: "table"}


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    return {"settings.md": _registry(), "site_files.md": _site(), "pool_settings.md": _pool()}


def _registry() -> str:
    top = {n: f for n, f in RegistryFile.model_fields.items() if not _is_section(f.annotation)}
    parts = [
        "# Settings",
        "registry.toml, beside `sites/`. An environment variable `Y90_<SECTION>_<KEY>` beats the "
        "file, a flag beats both; unknown keys are errors. Every definition that the literature "
        "leaves open is one of these, is part of the run key and is printed in the manifest.",
        "## The registry",
        _table(top),
    ]
    for name, field in RegistryFile.model_fields.items():
        if _is_section(field.annotation):
            section: type[BaseModel] = field.annotation  # type: ignore[assignment]
            parts += [f"## [{name}]", (section.__doc__ or "").strip(), _table(section.model_fields)]
    return "\n\n".join(parts) + "\n"


def _pool() -> str:
    """The file of whoever pools several registries."""
    return (
        "\n\n".join(
            [
                "# pool.toml",
                "The file of whoever pools several registries: `y90 pool check`, `ask` and `run` "
                "read it from the working directory, or from `--config`. Unknown keys are errors. "
                "A registry's own limits are in its `registry.toml`, "
                "[under `export`](settings.md).",
                "```toml\n" + POOL + "```",
                "## The pool",
                _table(PoolFile.model_fields),
                "## [registries.NAME]",
                _table(Member.model_fields),
                "What may leave a registry is in no file: it is the same for all of them, and "
                "every bundle says it. [What a bundle gives away](privacy.md) says how that was "
                "tried. These are its limits.",
                policy(),
            ]
        )
        + "\n"
    )


def _site() -> str:
    import schemas.site

    about, _, example = (schemas.site.__doc__ or "").partition("\n\n")
    parts = ["# Site files", about, "```toml\n" + _dedent(example) + "\n```"]
    sources = (TableSource, ColumnSource, Case, Condition, WideLab, Limits)
    for model in (Site, RedcapSource, *sources):
        about = _dedent(f"    {model.__doc__}")
        parts += [f"## {model.__name__}", about, _table(model.model_fields)]
    parts += ["## A first site file", _guessing(), "## Presets", _presets()]
    parts += ["## Examples by shape", SHAPES.read_text("utf-8").strip()]
    return "\n\n".join(parts) + "\n"


def _guessing() -> str:
    """What `y90 site new` writes, and how often that was right."""
    rows = [
        "| exports | centres | a person's lines | written | right of a person's | wrong of those "
        "written | a code left open | beyond |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, of in tomllib.loads(MEASURED.read_text("utf-8")).items():
        right, wrong = of["right"] / of["wanted"], of["wrong"] / of["written"]
        rows.append(
            f"| {name} | {of['centres']} | {of['wanted']} | {of['written']} | {of['right']} "
            f"({right:.1%}) | {of['wrong']} ({wrong:.1%}) | {of['partly']} | {of['beyond']} |"
        )
    return GUESSING.read_text("utf-8").strip().replace("TABLE", "\n".join(rows))


def _presets() -> str:
    """What `y90 site new --preset` reads of each published format, and what it cannot."""
    parts = [
        "An export in a published format needs no guessing: `y90 site new NAME --from EXPORT "
        "--preset sdtm` writes the site file by variables and codes of the format, and only what "
        "the format leaves free is recognised by what the values say. A tutorial goes [from SDTM "
        "to a release](tutorials/sdtm.md)."
    ]
    for preset in (SDTM, OMOP):
        rows = ["| ours | theirs | columns |", "|---|---|---|"]
        for given in preset.given:
            named = ", ".join(f"`{n}`" for n in given.columns)
            rows.append(f"| `{given.table}` | {given.file} | {named} |")
        by_hand = [f"- `{b.table}` from {b.file}: {b.why}" for b in preset.by_hand]
        cannot = [f"- `{name}`: {why}" for name, why in preset.cannot]
        parts += [
            f"### `--preset {preset.code}`",
            f"{preset.label}. Source: {preset.source}.",
            "\n".join(rows),
            "A person must say:",
            "\n".join(by_hand),
            "The format has no place for:",
            "\n".join(cannot),
        ]
    return "\n\n".join(parts)


def _dedent(text: str) -> str:
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ") or not line.strip()]
    return "\n".join(lines).strip()


def _table(fields: dict[str, Any]) -> str:
    rows = ["| key | default | values | meaning |", "|---|---|---|---|"]
    for name, field in fields.items():
        default = (
            "required"
            if field.is_required()
            else _shown(field.get_default(call_default_factory=True))
        )
        rows.append(
            f"| `{field.alias or name}` | {default} | {_kind(field)} | {field.description or ''} |"
        )
    return "\n".join(rows)


def _shown(value: Any) -> str:
    if value is None or value == () or value == {}:
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)


def _kind(field: Any) -> str:
    return ", ".join(sorted(set(_kinds(field.annotation)), key=str))


def _kinds(annotation: Any) -> Iterator[str]:
    """The words of a type: literal values, names of plain types, what a list holds."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        yield from map(str, inside)
    elif origin is Annotated:
        yield from _kinds(inside[0])
    elif inside:
        lists = "list of " if origin in (tuple, list) else ""
        yield from (lists + k for a in inside if a is not Ellipsis for k in _kinds(a))
    elif annotation is not type(None):
        yield WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

"""Read a TOML file into a model: every breach with its file, line and key."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.toml_lines import Place, line_of, lines
from schemas.section import Section

UNION_ORDER = {"string_type": 1, "model_type": 2}
"""A value that may be text or a table is told of once: by what is wrong inside, then as text."""
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class File:
    """A TOML file as read, and where its keys stand."""

    path: Path
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    base: "File | None" = None
    """The file that it extends: where its keys hold that this one lacks."""
    own: frozenset[Place] = frozenset()
    """The keys that are its own, of the data of both."""

    def holds(self, place: Place) -> "File":
        """The file of the two in which a key stands."""
        if self.base is None or any(place[:n] in self.own for n in range(1, len(place) + 1)):
            return self
        return self.base


def extended(file: File, base: File, deep: tuple[str, ...]) -> File:
    """A file with what it lacks from another one; tables named in `deep` key by key."""
    data = {k: v for k, v in base.data.items() if k != "site_id"} | file.data
    own: set[Place] = {(k,) for k in file.data if k not in deep or k not in base.data}
    for name in deep:
        mine, theirs = file.data.get(name), base.data.get(name)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            data[name] = theirs | mine
            own |= {(name, k) for k in mine}
    return File(file.path, data, file.lines, base, frozenset(own))


def read_file(path: Path, problems: list[str]) -> File:
    """A file as it is; what is wrong with it is added to `problems`."""
    try:
        text = path.read_text("utf-8")
        return File(path, tomllib.loads(text), lines(text))
    except tomllib.TOMLDecodeError as fault:
        problems.append(f"{path}: not TOML: {fault}. Correct that line.")
    except UnicodeDecodeError:
        problems.append(f"{path}: not UTF-8 text. Save it as UTF-8.")
    except OSError as fault:
        problems.append(f"{path}: {fault.strerror}. Create it, or correct its permissions.")
    return File(path)


def validated(
    model: type[Model],
    data: dict[str, Any],
    file: File,
    problems: list[str],
    names: Mapping[Place, str],
) -> Model | None:
    """The model of a file's data; breaches are added to `problems`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems += _breaches(error, model, data, file, names)
        return None


def _breaches(
    error: ValidationError,
    model: type[BaseModel],
    data: dict[str, Any],
    file: File,
    names: Mapping[Place, str],
) -> list[str]:
    """One sentence per breach, in the order of the file: where, what rule, what to do."""
    told: dict[Place, tuple[int, str]] = {}
    details = error.errors(include_url=False, include_input=False)
    for breach in sorted(details, key=lambda b: UNION_ORDER.get(b["type"], 0)):
        place = _in_data(breach, data)
        if any(t[: len(place)] == place for t in told):
            continue  # the other reading of a union has been told
        where = names.get(place) or place_of(file, place)
        rule = _rule(breach["type"], breach["msg"], breach["loc"], model)
        line = line_of(file.holds(place).lines, place) or 0
        told[place] = (line, f"{where}: {rule}")
    return [text for _, text in sorted(told.values())]


def place_of(file: File, place: Place) -> str:
    """A place in a file as it is told: file, line and key."""
    file = file.holds(place)
    line = line_of(file.lines, place)
    key = ".".join(str(p) for p in place)
    return f"{file.path} line {line}, {key}" if line else f"{file.path}, {key}"


def _in_data(breach: ErrorDetails, data: Any) -> Place:
    """A breach's place, without the names that pydantic gives to the members of a union."""
    place: list[str | int] = []
    for part in breach["loc"]:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            if breach["type"] != "missing" or part != breach["loc"][-1]:
                continue
        place.append(part)
    return tuple(place)


def _rule(kind: str, message: str, loc: Place, model: type[BaseModel]) -> str:
    """What is broken, and what to do, in words."""
    if kind == "extra_forbidden":
        return "unknown key. " + _suggestion(str(loc[-1]), _known_keys(model, loc))
    if kind == "missing":
        return "is required. Add it."
    text = message.removeprefix("Value error, ")
    text = text.replace("Input should", "must").replace("String should", "must")
    if kind == "string_type":
        return f"{text}. Write it in quotes."
    return f"{text}. Correct it."


def _known_keys(model: type[BaseModel], loc: Place) -> list[str]:
    """The keys allowed where an unknown one was found."""
    chosen: Any = model
    for part in loc[:-1]:
        declared = chosen.model_fields.get(part) if isinstance(part, str) else None
        named = _section_in(declared.annotation if declared else None) or _by_name(part)
        chosen = named or chosen
    return [f.alias or name for name, f in chosen.model_fields.items()]


def _section_in(annotation: Any) -> type[Section] | None:
    """The section inside an annotation such as `dict[str, tuple[TableSource, ...]]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    inner = (_section_in(a) for a in getattr(annotation, "__args__", ()))
    return next((s for s in inner if s), None)


def _by_name(part: str | int) -> type[Section] | None:
    return next((s for s in Section.__subclasses__() if s.__name__ == part), None)


def _suggestion(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?" if near else f"Choose one of {', '.join(known)}."

"""The rules pages: one per spec file, from the tests themselves, so that they cannot lie."""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.support.pipe_tables import Recorded, recorder

SPECS = Path(__file__).resolve().parents[2] / "tests" / "specs"


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    found = {f"rules/{p.stem.removeprefix('test_')}.md": _page(p) for p in _files()}
    return found | {"rules/index.md": _index(found)}


def _files() -> list[Path]:
    return sorted(SPECS.rglob("test_*.py"), key=lambda p: p.stem)


def _index(found: dict[str, str]) -> str:
    lines = [
        "# Rules",
        "",
        "Each page is made from the tests of its rule: what stands here is what is checked.",
        "",
    ]
    for path, text in found.items():
        about = text.split("\n\n")[1].split("\n")[0]
        lines.append(f"- [{path.split('/')[1][:-3]}]({path.split('/')[1]}): {about}")
    return "\n".join(lines) + "\n"


def _page(path: Path) -> str:
    module = importlib.import_module(f"tests.specs.{path.parent.name}.{path.stem}")
    parts = [f"# {path.stem.removeprefix('test_').replace('_', ' ').capitalize()}"]
    parts.append(inspect.cleandoc(module.__doc__ or ""))
    for name, test in _tests(module):
        parts += [f"## {_in_words(name)}", inspect.cleandoc(test.__doc__ or ""), *_cases(test)]
    return "\n\n".join(p for p in parts if p) + "\n"


def _tests(module: ModuleType) -> Iterator[tuple[str, Callable[..., None]]]:
    mine = [
        (n, f)
        for n, f in inspect.getmembers(module, inspect.isfunction)
        if n.startswith("test_") and f.__module__ == module.__name__
    ]
    yield from sorted(mine, key=lambda pair: pair[1].__code__.co_firstlineno)


def _in_words(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ").capitalize()


def _cases(test: Callable[..., None]) -> Iterator[str]:
    """The tables of a test; one that needs a fixture has none of its own."""
    for arguments in _parameters(test):
        if set(inspect.signature(test).parameters) - set(arguments):
            return
        recorder.calls.clear()
        recorder.only = True
        try:
            test(**arguments)
        except Recorded:
            pass
        finally:
            recorder.only = False
        for derivation, inputs, expected, settings in recorder.calls:
            yield from _case(derivation, inputs, expected, settings)


def _case(derivation: str, inputs: Any, expected: str, settings: Any) -> Iterator[str]:
    for section in settings:
        changed = section.model_dump(exclude_defaults=True)
        if changed:
            words = ", ".join(f"`{k} = {v}`" for k, v in changed.items())
            yield f"With {words}:"
    for table, text in inputs.items():
        yield f"`{table}`"
        yield _markdown(text)
    yield f"gives `{derivation}`"
    yield _markdown(expected)


def _markdown(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    body = [line for line in lines[1:] if set(line) - set("|-: ")]
    bars = "|" + "---|" * (lines[0].count("|") - 1)
    return "\n".join([lines[0], bars, *body])


def _parameters(test: Callable[..., None]) -> list[dict[str, Any]]:
    """The cases of a parametrised test; one empty case for a plain one."""
    cases: list[dict[str, Any]] = [{}]
    for mark in getattr(test, "pytestmark", []):
        if mark.name != "parametrize":
            continue
        names = mark.args[0]
        names = re.split(r",\s*", names) if isinstance(names, str) else list(names)
        cases = [
            case | dict(zip(names, _values(value, len(names)), strict=True))
            for case in cases
            for value in mark.args[1]
        ]
    return cases


def _values(value: Any, number: int) -> tuple[Any, ...]:
    value = getattr(value, "values", value) if type(value).__name__ == "ParameterSet" else value
    return tuple(value) if number > 1 or type(value).__name__ == "ParameterSet" else (value,)

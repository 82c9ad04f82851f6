"""Which settings and rule records a derivation can read, found in its source and in what it calls.

A number is defined by what decides it. That is read off the code, through all branches, and never
listed by hand: every function, class and record that a derivation's source names is followed, and
each attribute of something that is annotated as a section of the settings is a key that it reads.
A section that goes where this cannot be followed counts as read whole: a definition may be too
wide, and is never too narrow. No row decides, so that a definition does not depend on the data.
"""

import ast
import builtins
import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from schemas.contract import Contract
from schemas.section import Section
from schemas.settings import OutcomeSettings

PROJECT = frozenset({"schemas", "transforms", "analytics"})
"""Packages that are followed; others know nothing of our settings."""

Types = Mapping[str, type]


@dataclass(frozen=True, slots=True)
class Reads:
    """What a function, with all that it calls, can read.

    Attributes:
        keys: settings, each as `section.key`.
        records: where rule records are named: a module of ours, and a name in it.
    """

    keys: frozenset[str]
    records: frozenset[tuple[str, str]]


@cache
def reads_of(function: Callable[..., Any]) -> Reads:
    """What a function can read of settings and rule records, through all that it calls."""
    seen: set[Callable[..., Any]] = set()
    waiting = [function]
    records: dict[tuple[str, str], Any] = {}
    keys: set[str] = set()
    by_attribute: set[tuple[type[Section], str]] = set()
    while waiting:
        if (one := waiting.pop()) in seen:
            continue
        seen.add(one)
        direct = _direct(one)
        keys |= direct.keys
        by_attribute |= direct.by_attribute
        records |= direct.records
        waiting += direct.functions
    return Reads(frozenset(keys | _named_by(records.values(), by_attribute)), frozenset(records))


@cache
def section_names() -> Mapping[type[Section], str]:
    """Section -> its name in registry.toml."""
    return {
        kind: name
        for name, info in OutcomeSettings.model_fields.items()
        if isinstance(kind := info.annotation, type) and issubclass(kind, Section)
    }


@cache
def every_key() -> frozenset[str]:
    """Every setting of the outcomes."""
    return frozenset().union(*(_whole(kind) for kind in section_names()))


def _whole(kind: type[Section]) -> frozenset[str]:
    if kind is OutcomeSettings:
        return every_key()
    return frozenset(f"{section_names()[kind]}.{key}" for key in kind.model_fields)


@dataclass(slots=True)
class _Direct:
    """What the source of one function names."""

    keys: set[str] = field(default_factory=set)
    records: dict[tuple[str, str], Any] = field(default_factory=dict)
    by_attribute: set[tuple[type[Section], str]] = field(default_factory=set)
    """Sections of which the code asks for what a field of a record names."""
    functions: set[FunctionType] = field(default_factory=set)

    def follow(self, value: Any, module: str = "", name: str = "") -> None:
        """Take up what a name stands for."""
        value = inspect.unwrap(value) if callable(value) else value
        if isinstance(value, partial):
            self.follow(value.func)
        elif isinstance(value, type):
            self.functions |= _methods(value)
        elif isinstance(value, FunctionType):
            if _ours(value.__module__):
                self.functions.add(value)
        else:
            for record in records_in(value):
                self.records[module, name] = value
                self.functions |= _methods(typing.cast("Any", type(record)))


@cache
def _direct(function: FunctionType) -> _Direct:
    """Read one function's source; a method that was made at run time has none."""
    found = _Direct()
    code = function.__code__
    for tree in _functions(code.co_filename).get(code.co_firstlineno, ()):
        local = _local(code)
        names = {n: v for n, v in function.__globals__.items() if n not in local}
        types = _hints(function)
        owner = function.__globals__.get(function.__qualname__.rpartition(".")[0])
        if owner is not None:
            types["self"] = owner
        _Reader(found, names, types).visit(tree)
        for inner in inspect.getclosurevars(function).nonlocals.values():
            found.follow(inner)
    return found


@cache
def _functions(path: str) -> Mapping[int, Sequence[ast.AST]]:
    """Line of a file -> the functions that begin there, with their decorators."""
    found: dict[int, list[ast.AST]] = {}
    if Path(path).is_file():
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.Lambda)):
                decorators = getattr(node, "decorator_list", [])
                first = min(part.lineno for part in (node, *decorators))
                found.setdefault(first, []).append(node)
    return found


def _local(code: CodeType) -> set[str]:
    """Names that stand for something else than the module's, here or in a function inside."""
    names = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    return names.union(*(_local(c) for c in code.co_consts if isinstance(c, CodeType)))


@cache
def _methods(kind: Any) -> frozenset[FunctionType]:
    """The methods of a class of ours and of its bases; sections and contracts have none to read."""
    if issubclass(kind, (Section, Contract)) or not _ours(kind.__module__):
        return frozenset()
    inner = (v.fget if isinstance(v, property) else v for v in vars(kind).values())
    plain: Iterable[Any] = (getattr(v, "__func__", v) for v in inner)
    own = frozenset(inspect.unwrap(v) for v in plain if isinstance(v, FunctionType))
    return own.union(*(_methods(base) for base in kind.__bases__))


def _named_by(values: Iterable[Any], asked: Iterable[tuple[type[Section], str]]) -> set[str]:
    """Keys that records name, where the code asks for a section's attribute of that name."""
    records = [record for value in values for record in records_in(value)]
    found: set[str] = set()
    for kind, attribute in asked:
        texts = {getattr(record, attribute, None) for record in records}
        named = {text for text in texts if text in kind.model_fields}
        found |= {f"{section_names()[kind]}.{key}" for key in named} or _whole(kind)
    return found


class _Reader(ast.NodeVisitor):
    """Reads one function: what its names stand for, and what it does with sections."""

    def __init__(self, found: _Direct, names: Mapping[str, Any], types: Types) -> None:
        self.found, self.names, self.types = found, names, dict(types)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function inside: its own annotations hold too."""
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            kind = self._named(argument.annotation) if argument.annotation else None
            if isinstance(kind, type):
                self.types.setdefault(argument.arg, kind)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """A section under another name is still a section."""
        kind = self._type(node.value)
        if kind is not None and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self.types[node.targets[0].id] = kind
            self._chain(node.value)
            return
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """What is passed on to our code is read there; `getattr` reads by name."""
        callee = self._named(node.func)
        arguments = [*node.args, *(k.value for k in node.keywords)]
        if callee is getattr and len(arguments) > 1 and self._section(arguments[0]):
            self._by_name(arguments[0], arguments[1])
            arguments = arguments[1:]
        passes = not (callee is not None and getattr(callee, "__module__", "") == "builtins")
        for argument in arguments:
            if passes and self._section(argument):
                self._chain(argument)
            else:
                self.visit(argument)
        self.visit(node.func)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """An attribute of a section is a key; one of a module of ours is followed."""
        owner = self._type(node.value)
        if owner is not None and issubclass(owner, Section):
            self._key(owner, node)
            return
        if (value := self._named(node)) is not None:
            module = self._named(node.value)
            named = isinstance(module, ModuleType)
            self.found.follow(value, module.__name__ if named else "", node.attr)
        self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        """A bare section goes where it cannot be followed: it is read whole."""
        kind = self.types.get(node.id)
        if kind is not None:
            if issubclass(kind, Section):
                self.found.keys |= _whole(kind)
            return
        if node.id in self.names:
            self.found.follow(self.names[node.id], self.names["__name__"], node.id)

    def _key(self, owner: type[Section], node: ast.Attribute) -> None:
        self._chain(node.value)
        if node.attr in owner.model_fields:
            inner = _hints(owner).get(node.attr)
            if inner is not None and issubclass(inner, Section):
                self.found.keys |= _whole(inner)
            else:
                self.found.keys.add(f"{section_names()[owner]}.{node.attr}")
        else:
            self.found.keys |= _whole(owner)

    def _by_name(self, section: ast.expr, name: ast.expr) -> None:
        kind = self._section(section)
        assert kind is not None, "asked of sections only"
        self._chain(section)
        if isinstance(name, ast.Constant) and name.value in kind.model_fields:
            self.found.keys.add(f"{section_names()[kind]}.{name.value}")
        elif isinstance(name, ast.Attribute):
            self.found.by_attribute.add((kind, name.attr))
        else:
            self.found.keys |= _whole(kind)

    def _chain(self, node: ast.expr) -> None:
        """What leads to a section: nothing is read on the way but what a call there reads."""
        if isinstance(node, ast.Attribute):
            self._chain(node.value)
        elif not isinstance(node, ast.Name):
            self.visit(node)

    def _section(self, node: ast.expr) -> type[Section] | None:
        kind = self._type(node)
        return kind if kind is not None and issubclass(kind, Section) else None

    def _type(self, node: ast.expr) -> type | None:
        """The annotated type of a name or of an attribute of one."""
        if isinstance(node, ast.Name):
            return self.types.get(node.id)
        if isinstance(node, ast.Attribute) and (owner := self._type(node.value)) is not None:
            return _hints(owner).get(node.attr)
        return None

    def _named(self, node: ast.expr) -> Any:
        """What a global name, or an attribute of a module, stands for; None where neither."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, getattr(builtins, node.id, None))
        if isinstance(node, ast.Attribute):
            owner = self._named(node.value)
            if isinstance(owner, (ModuleType, type)):
                return getattr(owner, node.attr, None)
        return None


def _hints(of: Any) -> dict[str, type]:
    """Names that are annotated with a class, where that is a section or one of ours."""
    try:
        hints = typing.get_type_hints(of)
    except (NameError, TypeError):
        return {}
    return {
        name: kind
        for name, kind in hints.items()
        if isinstance(kind, type) and (issubclass(kind, Section) or _ours(kind.__module__))
    }


def records_in(value: Any, depth: int = 4) -> Iterator[Any]:
    """The rule records in a value: itself, what it lists, and what stands in its fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if type(value).__module__.startswith("schemas.records."):
            yield value
            for part in dataclasses.fields(value):
                yield from records_in(getattr(value, part.name), depth - 1)
    elif depth and isinstance(value, Mapping):
        for inner in (*value.keys(), *value.values()):
            yield from records_in(inner, depth - 1)
    elif depth and isinstance(value, (tuple, frozenset, list)):
        for inner in value:
            yield from records_in(inner, depth - 1)


def _ours(module: str | None) -> bool:
    return (module or "").split(".", maxsplit=1)[0] in PROJECT

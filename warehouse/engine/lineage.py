"""The lineage: which derivation makes which table, and from what, read off the signatures.

A derivation is a public function of transforms/ or analytics/ whose return annotation is
`Table[Contract]`. Its positional parameters are the tables it reads, its keyword-only ones the
settings. There is no other list of dependencies.
"""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from types import ModuleType
from typing import Any

import ibis.expr.types as ir

from schemas.contract import Contract, options, table_name
from schemas.section import Section
from schemas.settings import OutcomeSettings
from schemas.tables import intermediate, marts, outcomes
from schemas.tables.intermediate import GIVEN
from schemas.tables.outcomes import MemberSets, Outcome
from schemas.tables.registry import TABLES as REGISTRY_TABLES

PROVIDED = frozenset(table_name(c) for c in (*REGISTRY_TABLES, *GIVEN))
"""Tables that loading provides; everything else is derived."""


CARRIED = frozenset({*intermediate.TABLES, *marts.TABLES, *outcomes.TABLES, MemberSets})
"""What a derivation may make: a table of a release, or a step on the way to one."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """One function that makes one table, or a part of members.member_sets."""

    name: str
    contract: type[Contract]
    reads: tuple[str, ...]
    settings: Mapping[str, type[Section]]
    function: Callable[..., ir.Table]

    @property
    def room(self) -> str:
        """Transforms or analytics."""
        return self.function.__module__.split(".", maxsplit=1)[0]

    @property
    def is_expression(self) -> bool:
        """Whether it gives an expression without looking at its tables' rows.

        What is no outcome does: marts, steps on the way to outcomes, and member sets.
        """
        return not issubclass(self.contract, Outcome)

    def sections(self, chosen: OutcomeSettings) -> dict[str, Section]:
        """The settings that it reads, under the names of its parameters."""
        by_type = {type(getattr(chosen, n)): getattr(chosen, n) for n in type(chosen).model_fields}
        by_type[OutcomeSettings] = chosen
        return {name: by_type[kind] for name, kind in self.settings.items()}

    def __call__(self, tables: Mapping[str, ir.Table], chosen: OutcomeSettings) -> ir.Table:
        """Apply the function to the tables and settings that it asks for."""
        return self.function(*(tables[n] for n in self.reads), **self.sections(chosen))


@cache
def derivations() -> Mapping[str, Derivation]:
    """Every derivation by its table's name, in an order in which they can be computed.

    Raises:
        TypeError: two functions make one table, one reads a table that nobody makes, or they form a
            circle: our own fault.
    """
    by_name = _found(importlib.import_module("transforms"), importlib.import_module("analytics"))
    names = set(by_name) | PROVIDED
    for d in by_name.values():
        if missing := set(d.reads) - names:
            raise TypeError(f"{d.function.__module__}.{d.name} reads {missing}: nobody makes it")
        if d.contract not in CARRIED:
            raise TypeError(
                f"{d.function.__module__}.{d.name}: makes {d.contract.__name__}, which no release "
                "carries and no list of intermediate tables has. Declare it in schemas/tables/ "
                'with declares(schema="marts"), "outcomes" or "intermediate".'
            )
    graph = {n: set(d.reads) - PROVIDED for n, d in by_name.items()}
    try:
        return {name: by_name[name] for name in TopologicalSorter(graph).static_order()}
    except CycleError as error:
        raise TypeError(f"derivations form a circle: {' -> '.join(error.args[1])}") from None


@cache
def upstream(name: str) -> frozenset[str]:
    """Every table that a table is made from, itself included."""
    by_name = derivations()
    if name not in by_name:
        return frozenset({name})
    return frozenset({name}).union(*(upstream(n) for n in by_name[name].reads))


def downstream(names: Iterable[str]) -> frozenset[str]:
    """Every derived table that a change of these tables can touch."""
    changed = set(names)
    return frozenset(n for n in derivations() if upstream(n) & changed)


def _found(*packages: ModuleType) -> dict[str, Derivation]:
    by_name: dict[str, Derivation] = {}
    for package in packages:
        for module in _modules(package):
            for name, function in inspect.getmembers(module, inspect.isfunction):
                if function.__module__ != module.__name__ or name.startswith("_"):
                    continue
                if (derivation := _derivation(name, function)) is None:
                    continue
                if name in by_name:
                    raise TypeError(f"{module.__name__}.{name}: made by two functions")
                by_name[name] = derivation
    return by_name


def _modules(package: ModuleType) -> list[ModuleType]:
    names = [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [importlib.import_module(n) for n in sorted(names)]


def _derivation(name: str, function: Callable[..., Any]) -> Derivation | None:
    hints = typing.get_type_hints(function, include_extras=True)
    contract = contract_of(hints.get("return"))
    if contract is None:
        return None
    reads = tuple(n for n in inspect.signature(function).parameters if contract_of(hints[n]))
    settings = {n: h for n, h in hints.items() if isinstance(h, type) and issubclass(h, Section)}
    if contract is not MemberSets and table_name(contract) != name:
        raise TypeError(
            f"{function.__module__}.{name}: makes {table_name(contract)}, so name it so"
        )
    return Derivation(name, contract, reads, settings, function)


def contract_of(hint: Any) -> type[Contract] | None:
    """The contract in `Table[Contract]`, or None."""
    arguments = typing.get_args(hint)
    if (
        len(arguments) == 2
        and isinstance(arguments[1], type)
        and issubclass(arguments[1], Contract)
    ):
        return arguments[1]
    return None


def released(contract: type[Contract]) -> bool:
    """A table that a release carries."""
    return not options(contract).internal

"""The data dictionary: one page per schema, from the contracts."""

from collections.abc import Iterable

from schemas.contract import Column, Contract, columns, options, published_name
from schemas.tables import intermediate, marts, outcomes, pooling, quality, registry

SCHEMAS: dict[str, tuple[str, tuple[type[Contract], ...]]] = {
    "registry": ("What a site gives. Never in a release.", registry.TABLES),
    "intermediate": (
        "Between registry and marts. Never in a release: these tables hold calendar dates.",
        intermediate.TABLES,
    ),
    "marts": ("Row level, pseudonyms, whole days from T0.", marts.TABLES),
    "outcomes": (
        "Aggregates by population.",
        (*outcomes.TABLES, outcomes.Statistics, outcomes.Bounds),
    ),
    "members": ("Who is behind a statistic.", (outcomes.MemberSets,)),
    "quality": ("What was delivered and what was set aside.", quality.TABLES),
    "bundle": (
        "What a registry tells for pooling (`y90 export ID --pool`). Never in a release: counts of "
        "few patients are withheld, and no row is of a patient.",
        pooling.BUNDLE,
    ),
    "pooled": ("What `y90 pool run` makes of several registries' bundles.", pooling.POOLED),
}


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    return {f"tables/{name}.md": _page(name, *facts) for name, facts in SCHEMAS.items()}


def _page(name: str, about: str, tables: Iterable[type[Contract]]) -> str:
    parts = [f"# Tables of `{name}`", about]
    for contract in tables:
        parts.append(f"## {published_name(contract)}")
        parts.append(" ".join((contract.__doc__ or "").split()))
        parts.append(_facts(contract))
        parts.append(_columns(contract))
    return "\n\n".join(p for p in parts if p) + "\n"


def _facts(contract: type[Contract]) -> str:
    declared = options(contract)
    lines = [f"Dated by `{declared.dated_by}`."] if declared.dated_by else []
    lines += [
        f"Refers to {table} by {', '.join(f'`{n}`' for n in names)}."
        for table, names in declared.references.items()
    ]
    return " ".join(lines)


def _columns(contract: type[Contract]) -> str:
    head = "| column | type | unit | meaning | allowed |\n|---|---|---|---|---|"
    return "\n".join([head, *(_row(c) for c in columns(contract))])


def _row(c: Column) -> str:
    name = f"**{c.name}**" if c.key else c.name
    kind = str(c.dtype) + ("" if c.nullable else " *")
    meaning = c.meaning + (f" Source: {c.source}." if c.source else "")
    return f"| {name} | {kind} | {c.unit or ''} | {meaning} | {_allowed(c)} |"


def _allowed(c: Column) -> str:
    parts = [", ".join(c.codes)] if c.codes else []
    limits = [
        (c.minimum, ">= {}"),
        (c.above, "> {}"),
        (c.maximum, "<= {}"),
        (c.below, "< {}"),
    ]
    parts += [form.format(f"{v:g}") for v, form in limits if v is not None]
    if c.plausible:
        parts.append("usually {:g} to {:g}".format(*c.plausible))
    if c.partial:
        parts.append(f"the {'day' if c.partial == 'month' else 'day or month'} may be missing")
    if c.default is not None:
        parts.append(f"default {c.default}")
    return "; ".join(parts)

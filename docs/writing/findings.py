"""The findings pages: one per rule that a row can break, with what to do."""

from collections.abc import Iterator

from schemas.contract import options, table_name
from schemas.records.findings import GENERAL
from schemas.tables.registry import TABLES
from transforms.intake.cross_checks import CROSS_CHECKS

Rule = tuple[str, str, str, str, str, str]


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    rules = list(_rules())
    index = ["# Findings", "", "| rule | category | severity | meaning |", "|---|---|---|---|"]
    index += [f"| [{r}]({r}.md) | {c} | {s} | {m} |" for r, c, s, m, _, _ in rules]
    found = {f"findings/{rule[0]}.md": _page(*rule) for rule in rules}
    return found | {"findings/index.md": "\n".join(index) + "\n"}


def _rules() -> Iterator[Rule]:
    for general in GENERAL:
        yield (
            general.rule_id,
            general.category,
            general.severity,
            general.meaning.format(column="the column"),
            general.remedy,
            "Every registry table.",
        )
    for contract in TABLES:
        for rule in options(contract).rules:
            where = f"Table {table_name(contract)}, column {rule.column}."
            yield rule.rule_id, rule.category, rule.severity, rule.meaning, rule.remedy, where
    for check in CROSS_CHECKS:
        where = f"Table {check.table}, column {check.column}; reads {', '.join(check.reads)}."
        yield check.rule_id, check.category, check.severity, check.meaning, check.remedy, where


def _page(rule: str, category: str, severity: str, meaning: str, remedy: str, where: str) -> str:
    fate = "The row is set aside." if severity == "reject" else "The row is loaded, and noted."
    return (
        f"# {rule}\n\n{category.capitalize()}. {fate} {where}\n\n"
        f"**What is wrong:** {meaning}.\n\n**What to do:** {remedy}\n"
    )

"""Every item of a list of reporting names tables and columns that exist, and counts that hold."""

import pytest

from docs.writing.coverage import pages
from schemas.contract import column_names, published_name, table_name
from schemas.records.field import coverage, guidelines
from schemas.records.field.item import Item, column_of, problems
from schemas.statistic_ids import table_of
from schemas.tables import marts, outcomes, quality, registry

REGISTRY = {table_name(c): column_names(c) for c in registry.TABLES}
TABLES = {
    f"{schema}.{published_name(c)}"
    for schema, contracts in (
        ("marts", marts.TABLES),
        ("outcomes", (*outcomes.TABLES, outcomes.Statistics)),
        ("quality", quality.TABLES),
    )
    for c in contracts
}
ITEMS = [
    pytest.param(item, id=f"{name} {item.number}")
    for name, items in {"field": coverage.RECORDS, **guidelines.LISTS}.items()
    for item in items
]


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_names_tables_columns_and_statistics_that_exist(item: Item) -> None:
    assert set(item.tables) <= TABLES
    for name in item.columns:
        table, column = column_of(name)
        assert column in REGISTRY[table], name
    for beginning in item.statistics:
        assert f"outcomes.{table_of(beginning)}" in item.tables, beginning
        assert beginning.split(".")[1] == "all", beginning
    assert not list(problems(item))


def test_every_quantity_that_the_field_reports_has_a_line() -> None:
    """46, in order; those that a registry of one arm cannot hold say why."""
    assert [r.number for r in coverage.RECORDS] == [str(n) for n in range(1, 47)]
    never = {r.number for r in coverage.RECORDS if r.status == "not supported"}
    assert {"17", "20", "26", "39", "40"} <= never


def test_the_page_has_a_line_for_every_item() -> None:
    (text,) = pages().values()
    for param in ITEMS:
        (item,) = param.values
        assert isinstance(item, Item)
        assert f"| {item.number} | {item.item} | {item.status}" in text


def test_an_item_without_table_or_reason_is_a_problem() -> None:
    assert list(problems(Item("1", "x", "y"))) == ["no table. Name where a release holds it."]
    assert list(problems(Item("1", "x", "y", "not supported"))) == [
        "no reason. Say what is missing."
    ]
    both = Item("1", "x", "y", "by the authors", ("outcomes.statistics",))
    assert list(problems(both)) == ["tables or columns. Name none where nothing is computed."]

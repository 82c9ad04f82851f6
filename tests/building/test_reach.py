"""The derivations in which one patient's row can change another's, read off their expressions.

A derivation keeps to the patient where every join is by the subject or by the id of one of its
rows, and every window is within the subject. Where it is not, a trace must count other patients in.
"""

from collections.abc import Iterator
from functools import cache

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from schemas.contract import schema, table_name
from schemas.settings import OutcomeSettings
from schemas.tables.intermediate import GIVEN
from schemas.tables.registry import TABLES
from warehouse.engine.lineage import derivations
from warehouse.engine.lineage_facts import REGISTRY_WIDE, SITE_WIDE

PATIENT = frozenset({"subject_id", "row_id", "source_row_id"})
SITE = PATIENT | {"site_id"}


def test_every_derivation_that_looks_beyond_the_patient_is_declared() -> None:
    made = _expressions()
    assert {name for name in made if any(_beyond(made[name], PATIENT))} == SITE_WIDE


def test_every_derivation_that_looks_beyond_the_site_is_declared() -> None:
    made = _expressions()
    assert {name for name in made if any(_beyond(made[name], SITE))} == REGISTRY_WIDE


def test_a_join_by_site_and_a_window_over_all_look_beyond_the_patient() -> None:
    """The rule itself: what it must find, and what it must not."""
    t = ibis.table({"subject_id": "string", "site_id": "string", "value": "int64"}, name="t")
    u = ibis.table({"subject_id": "string", "site_id": "string", "value": "int64"}, name="u")
    every = ibis.memtable({"criterion": ["WHO", "EASL"]})
    best = t.value.max()
    assert any(_beyond(t.semi_join(u, "site_id"), PATIENT))
    assert any(_beyond(t.mutate(best=best.over(group_by="site_id")), PATIENT))
    assert any(_beyond(t.mutate(number=ibis.dense_rank().over(order_by="value")), PATIENT))
    assert any(_beyond(t.mutate(best=best.as_scalar()), PATIENT))
    assert any(_beyond(t.filter(t.site_id.isin(u.site_id)), PATIENT))
    assert not any(_beyond(t.inner_join(u, ["subject_id", "site_id"]), PATIENT))
    assert not any(_beyond(t.mutate(best=best.over(group_by="subject_id")), PATIENT))
    assert not any(_beyond(t.cross_join(every), PATIENT))
    assert not any(_beyond(t.semi_join(u, "site_id"), SITE))


def test_no_group_collects_a_list_which_could_not_be_spilled() -> None:
    """Engines keep lists in the state of a group, in memory: a million patients would not fit."""
    t = ibis.table({"subject_id": "string", "row_id": "string"}, name="t")
    each = t.row_id.collect()
    assert _collects(t.group_by("subject_id").agg(ids=each.sort().join(" ")))
    assert not _collects(t.mutate(ids=each.over(group_by="subject_id")))
    assert [name for name, made in _expressions().items() if _collects(made)] == []


def _collects(made: ir.Table) -> bool:
    return any(
        value.find((ops.ArrayCollect, ops.GroupConcat))
        for group in made.op().find(ops.Aggregate)
        for value in group.metrics.values()
    )


def _beyond(made: ir.Table, within: frozenset[str]) -> Iterator[str]:
    """What reaches rows of another patient, or site."""
    for node in made.op().find((ops.JoinChain, ops.WindowFunction, ops.Subquery)):
        if isinstance(node, ops.JoinChain):
            for link in node.rest:
                if not _joined(link.predicates, within) and link.table.find(ops.UnboundTable):
                    yield f"{link.how} join"
        elif isinstance(node, ops.WindowFunction):
            if not within & {f.name for f in node.group_by if isinstance(f, ops.Field)}:
                yield "window"
        else:
            yield "subquery"


def _joined(predicates: tuple[ops.Value, ...], within: frozenset[str]) -> bool:
    """Some equality of the join is of a subject, of the id of one row, or of a site."""
    sides = [
        {side.name for side in (p.left, p.right) if isinstance(side, ops.Field)}
        for p in predicates
        if isinstance(p, ops.Equals)
    ]
    return any(names and names <= within for names in sides)


@cache
def _expressions() -> dict[str, ir.Table]:
    """Every transform over tables without rows."""
    given = (*TABLES, *GIVEN)
    known = {table_name(c): ibis.table(schema(c), name=table_name(c)) for c in given}
    every = derivations()
    known |= {n: ibis.table(schema(d.contract), name=n) for n, d in every.items()}
    return {
        n: d({r: known[r] for r in d.reads}, OutcomeSettings())
        for n, d in every.items()
        if d.room == "transforms"
    }

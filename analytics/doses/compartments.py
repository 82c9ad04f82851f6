"""Medians of the doses to tumour and normal liver, of each device apart.

A target has the doses inside its perfused volume, a session those of its targets and a patient
those of the planned course over one volume. Doses as recorded stand beside those computed and are
never mixed with them.

Source: EANM standard operational procedure, Chiesa et al., EJNMMI Phys 2021;8:77 (mean doses to
tumour and normal liver); quartiles after Hyndman and Fan, Am Stat 1996;50:361-365, type 7.
"""

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.fetched import fetched_records
from schemas.contract import Table, conform, rows
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.dose_marts import DEVICES, CompartmentDoses, CourseDoses, SessionDoses
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.outcomes import MemberSets
from schemas.tables.outcomes.compartments import MEASURES, CompartmentDosimetry

GRAINS = ("target", "session", "subject")
ALWAYS = ("glass", "resin")
"""The devices that have rows where nobody was treated with them."""
_KEY = ("population", "device", "measure", "grain")


def compartment_dosimetry(
    compartment_doses: Table[CompartmentDoses],
    session_doses: Table[SessionDoses],
    course_doses: Table[CourseDoses],
    population_members: Table[PopulationMembers],
) -> Table[CompartmentDosimetry]:
    """Summarise every measure of every device, by target, by session and by patient."""
    doses = (compartment_doses, session_doses, course_doses)
    counted = fetched_records(_summed, *doses, population_members)
    by_key = {tuple(r[name] for name in _KEY): r for r in counted}
    records = list(_records(by_key, populations(population_members)))
    for record in records:
        record["statistic_id"] = statistic_id(CompartmentDosimetry, record)
    return rows(records, CompartmentDosimetry)


def compartment_dosimetry_sets(
    compartment_doses: Table[CompartmentDoses],
    session_doses: Table[SessionDoses],
    course_doses: Table[CourseDoses],
) -> Table[MemberSets]:
    """List the patients with a value of each measure."""
    values = _values(compartment_doses, session_doses, course_doses)
    known = values.filter(values.value.notnull())
    named = known.select(
        "subject_id",
        set_id=set_id_column("compartment_dosimetry", known.device, known.measure, known.grain),
        lesion_number=ibis.literal(0, "int64"),
    )
    return conform(named.distinct(), MemberSets)


def _records(by_key: dict[Any, Any], names: list[str]) -> Iterator[dict[str, Any]]:
    found_devices = {key[1] for key in by_key}
    devices = [d for d in DEVICES if d in ALWAYS or d in found_devices]
    for population in names:
        for device in devices:
            for measure in MEASURES:
                for grain in GRAINS:
                    key = (population, device, measure, grain)
                    found = by_key.get(key, {"n": 0, "total": 0})
                    told = dict(zip(_KEY, key, strict=True)) | {"unit": _unit(measure)}
                    why = f"no {grain} with a known value"
                    yield found | told | ({} if found["n"] else {"reason": why})


def _unit(measure: str) -> str:
    return "Gy" if "dose_gy" in measure else "%"


def _summed(
    compartment_doses: ir.Table,
    session_doses: ir.Table,
    course_doses: ir.Table,
    population_members: ir.Table,
) -> ir.Table:
    members = population_members.select("population", "subject_id")
    values = _values(compartment_doses, session_doses, course_doses)
    inside = values.inner_join(members, "subject_id")
    return inside.group_by(_KEY).agg(
        n=inside.value.count(),
        total=inside.count(),
        median=inside.value.quantile(0.5),
        q1=inside.value.quantile(0.25),
        q3=inside.value.quantile(0.75),
        minimum=inside.value.min(),
        maximum=inside.value.max(),
    )


def _values(*doses: ir.Table) -> ir.Table:
    """One row per unit and measure."""
    parts = []
    for grain, table in zip(GRAINS, doses, strict=True):
        whole = table.filter(table.compartment == "target")
        for column in ("dose_gy", "dose_gy_recorded"):
            parts.append(_measured(table, table.compartment + f"_{column}", column, grain))
        for column in ("activity_pct_of_planned", "liver_pct"):
            parts.append(_measured(whole, ibis.literal(column), column, grain))
    return ibis.union(*parts)


def _measured(table: ir.Table, measure: ir.StringValue, column: str, grain: str) -> ir.Table:
    return table.select(
        "subject_id",
        "device",
        measure=measure,
        grain=ibis.literal(grain),
        value=table[column].cast("float64"),
    )

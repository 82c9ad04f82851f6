"""Ask the audit's questions of a release with Great Expectations, in a process of its own.

Its import takes seconds, so the process is started early (`python -m warehouse.audit.expectations`)
and waits for one JSON line: the folder of the candidate's Parquet, a scratch folder, the engine's
resources. It answers with one line, question -> passed, and waits for the next. Nothing leaves the
machine, nothing is written outside the scratch and spill folders: no telemetry, no project folder,
and results are true or false, because its messages would print values.
"""

import json
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb

from warehouse.audit.questions import QUESTIONS, Question
from warehouse.engine.connections import UNLIMITED, Resources, connection
from warehouse.engine.quoting import literal, read_parquet


def main() -> None:
    """Import, then answer one candidate after the other, until the caller has gone."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    answer, sys.stdout = sys.stdout, sys.stderr  # libraries print; only answers go to the caller
    import_module("great_expectations")  # slow: done while the caller still builds
    while line := sys.stdin.readline().strip():
        asked = json.loads(line)
        resources = Resources(**asked["resources"])
        try:
            told: dict[str, Any] = {
                "answers": answers(Path(asked["parquet"]), Path(asked["scratch"]), resources)
            }
        except Exception:
            told = {"fault": traceback.format_exc()}
        answer.write(json.dumps(told, sort_keys=True) + "\n")
        answer.flush()


def answers(parquet: Path, scratch: Path, resources: Resources = UNLIMITED) -> dict[str, bool]:
    """Ask every question of a candidate.

    Args:
        parquet: folder with <schema>/<table>.parquet.
        scratch: empty folder for the frames.
        resources: what the engine may use.
    """
    framed = frames(parquet, scratch, resources)
    passed = _checkpoint({q: path for q, path in framed.items() if path is not None})
    return {q.audit_id: passed.get(q.audit_id, False) for q in framed}


def frames(
    parquet: Path, scratch: Path, resources: Resources = UNLIMITED
) -> dict[Question, Path | None]:
    """Select each question's frame; None where a table that it needs is missing."""
    paths: dict[Question, Path | None] = {}
    with connection(resources=resources) as con:
        for path in sorted(parquet.glob("*/*.parquet")):
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {path.parent.name}")
            name = f"{path.parent.name}.{path.stem}"
            con.execute(f"CREATE VIEW {name} AS FROM {read_parquet(path)}")
        for question in QUESTIONS:
            paths[question] = _frame(con, question, scratch / f"{question.audit_id}.parquet")
    return paths


def _frame(con: duckdb.DuckDBPyConnection, question: Question, to: Path) -> Path | None:
    try:
        for statement in question.prepare:
            con.execute(statement)
        con.execute(f"COPY ({question.frame}) TO {literal(to)} (FORMAT parquet)")
    except (duckdb.CatalogException, duckdb.BinderException):
        return None
    return to


def _checkpoint(framed: dict[Question, Path]) -> dict[str, bool]:
    gx: Any = import_module("great_expectations")
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("candidate")
    definitions = [_definition(context, source, q, path) for q, path in framed.items()]
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name="release", validation_definitions=definitions, result_format="BOOLEAN_ONLY"
        )
    )
    outcomes = checkpoint.run().run_results.values()
    return {
        one.expectation_config.meta["audit_id"]: bool(one.success)
        for result in outcomes
        for one in result.results
    }


def _definition(context: Any, source: Any, question: Question, path: Path) -> Any:
    gx: Any = import_module("great_expectations")
    asset = source.add_parquet_asset(question.audit_id, path=path)
    batch = asset.add_batch_definition("whole")
    suite = gx.ExpectationSuite(name=question.audit_id, expectations=[expectation(question)])
    return context.validation_definitions.add(
        gx.ValidationDefinition(name=question.audit_id, data=batch, suite=context.suites.add(suite))
    )


def expectation(question: Question) -> Any:
    """The question as an expectation of one frame."""
    gxe: Any = import_module("great_expectations.expectations")
    meta = {"audit_id": question.audit_id}
    match question.kind:
        case "no_rows":
            return gxe.ExpectTableRowCountToEqual(value=0, meta=meta)
        case "equal":
            return gxe.ExpectColumnPairValuesToBeEqual(
                column_A="found", column_B="expected", meta=meta
            )
        case "ordered":
            return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="greater",
                column_B="smaller",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                meta=meta,
            )
        case "within":
            return gxe.ExpectColumnValuesToBeBetween(
                column="value", min_value=question.low, max_value=question.high, meta=meta
            )
        case "contains":
            return gxe.ExpectColumnDistinctValuesToContainSet(
                column="value", value_set=list(question.values), meta=meta
            )


if __name__ == "__main__":
    main()

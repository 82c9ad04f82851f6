"""A dataset as Dataset-JSON 1.1 (CDISC, Dataset-JSON v1.1, 2024)."""

import json
from typing import Any

import pyarrow as pa

from warehouse.sharing.standards.study import MAKER, Study, dataset_oid, variable_oid
from warehouse.sharing.standards.variables import Dataset

TYPES = {"text": "string", "integer": "integer", "float": "double"}


def written(dataset: Dataset, study: Study, table: pa.Table, lengths: dict[str, int]) -> bytes:
    """Return a dataset's file; what is missing is null, and the ids are those of define.xml."""
    columns: list[dict[str, Any]] = []
    for v in dataset.variables:
        column: dict[str, Any] = {
            "itemOID": variable_oid(dataset.name, v.name),
            "name": v.name,
            "label": v.label,
            "dataType": TYPES[v.kind],
        }
        if v.kind == "text":
            column["length"] = lengths[v.name]
        if v.name in dataset.keys:
            column["keySequence"] = dataset.keys.index(v.name) + 1
        columns.append(column)
    whole = [v.kind == "integer" for v in dataset.variables]
    values = [
        [None if x is None else int(x) for x in column] if is_whole else column
        for is_whole, column in zip(whole, (c.to_pylist() for c in table.columns), strict=True)
    ]
    facts = {
        "datasetJSONCreationDateTime": study.made_at,
        "datasetJSONVersion": "1.1.0",
        "fileOID": study.file_oid(dataset.name),
        "originator": MAKER,
        "sourceSystem": {"name": MAKER, "version": study.version},
        "studyOID": study.oid,
        "metaDataVersionOID": study.metadata_oid,
        "metaDataRef": "define.xml",
        "itemGroupOID": dataset_oid(dataset.name),
        "records": table.num_rows,
        "name": dataset.name,
        "label": dataset.label,
        "columns": columns,
        "rows": list(zip(*values, strict=True)),
    }
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

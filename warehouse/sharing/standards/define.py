"""define.xml of a release's datasets (CDISC Define-XML 2.1, on ODM 1.3.2).

What a variable is derived from is told in the words of the contract whose columns it reads.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree

from warehouse.sharing.standards.study import MAKER, Study, dataset_oid, variable_oid
from warehouse.sharing.standards.variables import Codelist, Dataset, Variable

ODM = "http://www.cdisc.org/ns/odm/v1.3"
DEF = "http://www.cdisc.org/ns/def/v2.1"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"
GUIDE, TERMS = "STD.ADaMIG", "STD.CT"
TERMS_VERSION = "2024-03-29"
"""Of CDISC's controlled terminology; the few lists that are used have not changed for years."""
Element = Any
Lengths = Mapping[str, Mapping[str, int]]


def written(datasets: Iterable[Dataset], study: Study, lengths: Lengths) -> bytes:
    """Return define.xml.

    Args:
        datasets: what is described.
        study: what it is called.
        lengths: of each dataset's variables.
    """
    datasets = tuple(datasets)
    root = etree.Element(f"{{{ODM}}}ODM", nsmap={None: ODM, "def": DEF, "xlink": XLINK})
    _set(root, FileType="Snapshot", FileOID=study.file_oid("define"), ODMVersion="1.3.2")
    _set(root, CreationDateTime=study.made_at, Originator=MAKER, SourceSystem=MAKER)
    _set(root, SourceSystemVersion=study.version)
    root.set(f"{{{DEF}}}Context", "Other")
    version = _study(root, study)
    for dataset in datasets:
        _group(version, dataset)
    for dataset in datasets:
        for variable in dataset.variables:
            _item(version, dataset, variable, lengths[dataset.name][variable.name])
    for codelist in _codelists(datasets):
        _codelist(version, codelist)
    for dataset in datasets:
        for variable in dataset.variables:
            _method(version, dataset, variable)
    for dataset in datasets:
        if dataset.absent:
            comment = _add(version, f"{{{DEF}}}CommentDef", OID=f"COM.{dataset.name}")
            told = (f"Without {name}: {why}" for name, why in dataset.absent.items())
            _described(comment, " ".join(told))
    etree.indent(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _study(root: Element, study: Study) -> Element:
    """Add the study; returns the element that holds what is known of its datasets."""
    held = _add(root, "Study", OID=study.oid)
    names = _add(held, "GlobalVariables")
    _add(names, "StudyName").text = study.name
    _add(names, "StudyDescription").text = f"Registry {study.name}, release {study.release}"
    _add(names, "ProtocolName").text = study.name
    version = _add(
        held,
        "MetaDataVersion",
        OID=study.metadata_oid,
        Name=f"{study.name} {study.release}",
        Description=f"Analysis datasets of release {study.release}",
    )
    version.set(f"{{{DEF}}}DefineVersion", "2.1.0")
    standards = _add(version, f"{{{DEF}}}Standards")
    _add(standards, f"{{{DEF}}}Standard", OID=GUIDE, Name="ADaMIG", Type="IG", Version="1.3")
    terms = _add(standards, f"{{{DEF}}}Standard", OID=TERMS, Name="CDISC/NCI", Type="CT")
    _set(terms, PublishingSet="SDTM", Version=TERMS_VERSION)
    for standard in standards:
        standard.set("Status", "Final")
    return version


def _group(version: Element, dataset: Dataset) -> None:
    file = f"{dataset.name.lower()}.xpt"
    group = _add(version, "ItemGroupDef", OID=dataset_oid(dataset.name), Name=dataset.name)
    repeating = "No" if dataset.keys == ("USUBJID",) else "Yes"
    _set(group, Repeating=repeating, IsReferenceData="No", SASDatasetName=dataset.name)
    _set(group, Purpose="Analysis")
    group.set(f"{{{DEF}}}StandardOID", GUIDE)
    group.set(f"{{{DEF}}}Structure", dataset.structure)
    group.set(f"{{{DEF}}}ArchiveLocationID", f"LF.{dataset.name}")
    if dataset.absent:
        group.set(f"{{{DEF}}}CommentOID", f"COM.{dataset.name}")
    _described(group, dataset.label)
    for place, v in enumerate(dataset.variables, 1):
        item = _add(group, "ItemRef", ItemOID=variable_oid(dataset.name, v.name))
        _set(item, OrderNumber=str(place), Mandatory="Yes" if v.name in ALWAYS else "No")
        if v.name in dataset.keys:
            _set(item, KeySequence=str(dataset.keys.index(v.name) + 1))
        if dataset.method(v):
            _set(item, MethodOID=_method_oid(dataset, v))
    class_ = _add(group, f"{{{DEF}}}Class", Name=dataset.data_class)
    if dataset.subclass:
        _add(class_, f"{{{DEF}}}SubClass", Name=dataset.subclass)
    leaf = _add(group, f"{{{DEF}}}leaf", ID=f"LF.{dataset.name}")
    leaf.set(f"{{{XLINK}}}href", file)
    _add(leaf, f"{{{DEF}}}title").text = file


ALWAYS = frozenset({"STUDYID", "USUBJID", "PARAMCD", "PARAM", "SAFFL", "PPROTFL", "CNSR"})
"""Variables that every record has."""


def _item(version: Element, dataset: Dataset, v: Variable, length: int) -> None:
    item = _add(version, "ItemDef", OID=variable_oid(dataset.name, v.name), Name=v.name)
    _set(item, SASFieldName=v.name, DataType=v.kind, Length=str(length))
    if v.kind == "float":
        _set(item, SignificantDigits=str(DIGITS))
    _described(item, v.label)
    if v.codelist:
        _add(item, "CodeListRef", CodeListOID=f"CL.{v.codelist.name}")
    kind = "Derived" if dataset.method(v) else "Assigned"
    _add(item, f"{{{DEF}}}Origin", Type=kind, Source="Sponsor")


DIGITS = 8
"""Digits after the point of a number that is not whole: what the marts keep at most."""


def _codelists(datasets: Iterable[Dataset]) -> list[Codelist]:
    lists = [v.codelist for dataset in datasets for v in dataset.variables if v.codelist]
    return list({c.name: c for c in lists}.values())


def _codelist(version: Element, codelist: Codelist) -> None:
    number = codelist.name == "CNSR"
    made = _add(version, "CodeList", OID=f"CL.{codelist.name}", Name=codelist.label)
    _set(made, DataType="integer" if number else "text")
    if codelist.code:
        made.set(f"{{{DEF}}}StandardOID", TERMS)
    else:
        made.set(f"{{{DEF}}}IsNonStandard", "Yes")
    for place, (code, meaning) in enumerate(codelist.codes.items(), 1):
        item = _add(made, "CodeListItem", CodedValue=code, OrderNumber=str(place))
        _text(_add(item, "Decode"), meaning)
        if code in codelist.terms:
            _add(item, "Alias", Name=codelist.terms[code], Context="nci:ExtCodeID")
    if codelist.code:
        _add(made, "Alias", Name=codelist.code, Context="nci:ExtCodeID")


def _method_oid(dataset: Dataset, v: Variable) -> str:
    return f"MT.{dataset.name}.{v.name}"


def _method(version: Element, dataset: Dataset, v: Variable) -> None:
    if told := dataset.method(v):
        name = f"Derivation of {dataset.name}.{v.name}"
        made = _add(version, "MethodDef", OID=_method_oid(dataset, v), Name=name)
        _set(made, Type="Computation")
        _described(made, told)


def _described(element: Element, text: str) -> None:
    _text(_add(element, "Description"), text)


def _text(element: Element, text: str) -> None:
    told = _add(element, "TranslatedText")
    told.set(f"{{{XML}}}lang", "en")
    told.text = text


def _add(parent: Element, name: str, **attributes: str) -> Element:
    """Add an element, of ODM where its name says nothing else."""
    made = etree.SubElement(parent, name if name.startswith("{") else f"{{{ODM}}}{name}")
    _set(made, **attributes)
    return made


def _set(element: Element, **attributes: str) -> None:
    for name, value in attributes.items():
        element.set(name, value)

"""Find the delivered line of a row, and the delivery and site file that a manifest names.

A release names rows by keyed hashes. The index, rows.parquet beside a loaded delivery, says where
they stand: table, row id, subject, file and row, and what was set aside by which rule. It is never
in a release.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from schemas.errors import Refused
from schemas.settings import Registry, RegistryFile
from schemas.site import Site
from warehouse.engine import pseudonyms as identity
from warehouse.engine.protocol import Engine
from warehouse.intake.receipts import Receipt, receipts
from warehouse.store import Store


def receipt_of(store: Store, facts: Mapping[str, Any]) -> Receipt:
    """The receipt that a manifest names by site, extraction date and delivery.

    Raises:
        Refused: the store has it no longer.
    """
    site_id, day = str(facts["site_id"]), str(facts["extraction_date"])
    for receipt in reversed(receipts(store, site_id)):
        same = receipt.accepted and receipt.delivery_id == facts["delivery_id"]
        if same and receipt.extraction_date.isoformat() == day:
            return receipt
    raise Refused(
        f"{site_id}/{day}: the store has no receipt of delivery {str(facts['delivery_id'])[:12]}. "
        "Restore raw/ from a backup: without the delivery nothing can be rebuilt from it."
    )


def site_of(facts: Mapping[str, Any], excluded: frozenset[str] = frozenset()) -> Site:
    """A site file from its facts; `from` is no name in Python, so the facts say `from_`.

    Args:
        facts: the site in a manifest.
        excluded: who has withdrawn consent by today; they are in nothing that is made again.
    """

    def named(source: Any) -> Any:
        if not isinstance(source, dict):
            return source
        return {("from" if k == "from_" else k): v for k, v in source.items()}

    tables = {
        name: [s | {"columns": {n: named(c) for n, c in s["columns"].items()}} for s in parts]
        for name, parts in facts["tables"].items()
    }
    return Site.model_validate({**facts, "tables": tables}).excluding(excluded)


def sites_of(content: Mapping[str, Any], like: Registry | None = None) -> dict[str, Site]:
    """The site files that a manifest keeps, without who has withdrawn consent by today."""
    earlier = like.sites if like else {}
    return {
        name: site_of(facts, earlier[name].excluded if name in earlier else frozenset())
        for name, facts in content["sites"].items()
    }


def registry_of(content: Mapping[str, Any], like: Registry | None = None) -> Registry:
    """The registry as a manifest tells it.

    Args:
        content: the manifest's content.
        like: today's registry, whose threads and memory are used and whose patients have withdrawn.

    Raises:
        Refused: without today's registry, where a site is clinical: who has withdrawn consent since
            stands in its files alone.
    """
    sites = sites_of(content, like)
    clinical = sorted(s for s, site in sites.items() if site.origin == "clinical")
    if like is None and clinical:
        raise Refused(
            f"registry {content['registry']}: {', '.join(clinical)} is clinical, and who has "
            "withdrawn consent stands in the registry's files. Name them with --config."
        )
    file = RegistryFile(
        registry=content["registry"],
        sites=tuple(sites),
        **({n: getattr(like.file, n) for n in ("threads", "memory_limit")} if like else {}),
        **content["settings"],
    )
    return Registry(file=file, sites=sites, folder=like.folder if like else Path())


def write(con: Engine, names: Iterable[str], key: bytes, to: Path) -> None:
    """Write the index from the scratch engine in which a delivery has just been loaded."""
    from warehouse.loading.validate import ROW

    subject = identity.sql(key, "site_id", "patient_id")
    row = identity.sql(key, "site_id", "natural_key")
    parts = [
        f"""SELECT '{name}' AS table_name, {row} AS row_id, {subject} AS subject_id, source_key,
                   source_file, source_row, rule_id, column_name
            FROM (SELECT * FROM all_{name} WHERE NOT is_empty)
            LEFT JOIN (SELECT * FROM bad_{name} WHERE severity = 'reject') USING ({ROW})"""
        for name in names
    ]
    ordered = "ORDER BY table_name, source_file, source_row, row_id, rule_id, column_name"
    con.raw_sql(
        f"COPY (SELECT * FROM ({' UNION ALL '.join(parts)}) {ordered}) "
        f"TO '{to}' (FORMAT parquet, COMPRESSION zstd)"
    )
